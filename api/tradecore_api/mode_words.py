"""What people are told of a mode, so that nobody takes a live engine for a paper one."""

import os
import sys

from tradecore.domain import Mode

# White on magenta: no state is shown so.
STYLE = "bold white on magenta"
_ANSI = ("\x1b[1;97;45m", "\x1b[0m")


def mode_words(mode: str) -> str:
    """Return a mode as `status` shows it: one that trades live says what that means."""
    return "LIVE: its orders leave for a venue" if mode == Mode.LIVE else mode


def named(account: str, mode: str) -> str:
    """Return an account as answers call it: one that trades live says so each time."""
    return f"{account} (LIVE)" if mode == Mode.LIVE else account


def coloured(words: str, mode: str) -> str:
    """Return words that stand out where they are about a live engine and a terminal shows them."""
    is_plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return words if is_plain or mode != Mode.LIVE else words.join(_ANSI)
