"""Looks whether a process may open as many files as a run needs, before it begins."""

import os
from contextlib import ExitStack

# A paper run on one live feed holds about 20 at a time, its control clients and its database included.
NEEDED = 48


def require() -> None:
    """Raise `OSError` when fewer files can be opened than a run needs.

    An event loop that runs out of them in its first steps ends the process, or blames something else.
    """
    with ExitStack() as opened:
        try:
            for _ in range(NEEDED):
                opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            raise OSError(error.errno, error.strerror) from None
