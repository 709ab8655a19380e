"""Turns exceptions into one clear line on stderr and an exit code."""

import sys
from collections.abc import Callable

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    InvalidValueError,
    StorageError,
    TradecoreError,
    VenueError,
)
from tradecore_api.exit_codes import ExitCode
from tradecore_api.instance_lock import AlreadyRunningError

_CODES: tuple[tuple[type[TradecoreError], ExitCode], ...] = (
    (AlreadyRunningError, ExitCode.ALREADY_RUNNING),
    (ConfigError, ExitCode.CONFIG),
    (InvalidValueError, ExitCode.CONFIG),
    (DataError, ExitCode.DATA),
    (VenueError, ExitCode.UNAVAILABLE),
    (StorageError, ExitCode.STORAGE),
    (BrokenInvariantError, ExitCode.BROKEN_INVARIANT),
)


def reported(command: Callable[[], int]) -> int:
    """Call a command; an error of ours becomes its line and its code, anything else a traceback."""
    try:
        return command()
    except TradecoreError as error:
        report(error)
        return code_of(error)


def report(error: TradecoreError) -> None:
    """Print an error and its notes on stderr."""
    print(f"tradecore: {error}", file=sys.stderr)
    for note in getattr(error, "__notes__", ()):
        print(f"tradecore: {note}", file=sys.stderr)


def code_of(error: TradecoreError) -> ExitCode:
    """Return the exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.CHECK_FAILED)
