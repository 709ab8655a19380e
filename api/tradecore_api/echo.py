"""Keeps a terminal from showing keys while something is drawn on it: `^C` would break the picture."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_echo() -> Iterator[None]:
    """Show no keys until the end; the terminal is then as it was, whatever happened.

    It does nothing where there is no terminal, or where another process has it.
    """
    try:
        import termios
    except ImportError:
        # Windows shows no `^C`.
        yield
        return
    terminal = _own_terminal()
    if terminal is None:
        yield
        return
    before = termios.tcgetattr(terminal)
    quiet = before.copy()
    quiet[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
        yield
    finally:
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _own_terminal() -> int | None:
    """Return the terminal that keys come from, if this process is the one in front of it."""
    try:
        terminal = sys.stdin.fileno()
        # One in the background would be stopped when it touches the terminal.
        return terminal if os.tcgetpgrp(terminal) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):
        return None
