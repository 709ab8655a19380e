"""Keys of a file, from the paths that checks of the library name."""

import re

_INDEX = re.compile(r"\[([0-9]+)\]")


def of_path(path: str) -> str:
    """Return the dotted key of a path: `instruments[1].tick_size` is `instruments.1.tick_size` to `--set`."""
    return _INDEX.sub(r".\1", path)
