"""What decoding raises for text that is not what it should be."""

from typing import Final

import msgspec

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Not as it should be, bytes that are no text, or nested too deeply. Of msgspec's own is the first alone."""
