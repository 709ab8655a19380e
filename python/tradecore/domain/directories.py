"""Directories whose names, and whose own name, survive a power cut."""

import os
from contextlib import suppress
from itertools import takewhile
from pathlib import Path


def sync_directory(directory: Path) -> None:
    """Return once the names in a directory survive a power cut; on Windows nothing can be done for it.

    A sync of a file makes its bytes safe, and says nothing of its name.

    Raises `OSError` when the disk says no.
    """
    if os.name == "nt":
        return
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def make_directory(directory: Path, mode: int = 0o777) -> None:
    """Make sure that a directory is there, and that it is there after a power cut; its parents, too.

    What is synced in a directory is lost with it: its name stands in its parent, which has a sync of its own.

    Parameters
    ----------
    directory : Path
        It may be there already.
    mode : int
        Of the directory, where it is made.

    Raises
    ------
    OSError
        When it cannot be made, or the disk says no.
    """
    whole = directory.absolute()
    missing = list(takewhile(lambda each: not each.exists(), (whole, *whole.parents)))
    whole.mkdir(mode=mode, parents=True, exist_ok=True)
    for each in missing:
        sync_directory(each.parent)
    if not missing:
        # Whoever made it may have died before its name was safe. Not everybody may read the directory above.
        with suppress(OSError):
            sync_directory(whole.parent)
