"""What an engine says when it ends, kept on disk so that `status` can tell why."""

import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    DivergenceError,
    FencedError,
    StorageError,
    StrategyError,
    TradecoreError,
    VenueError,
)
from tradecore.domain.quoted import TEXT_MAX, cut, error_text, notes_of, printable
from tradecore.domain.unreadable import UNREADABLE
from tradecore_api.arming_file import ARM_COMMAND
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import code_of
from tradecore_api.state_dir import StateDir, read_small, write_atomically

# The file stays small, whatever an exception says.
NOTES_MAX = 5
LOG_LINES_MAX = 20
LOG_LINE_MAX = 400

_NEXT_STEPS: tuple[tuple[type[BaseException], str], ...] = (
    (
        StrategyError,
        (
            "mend the strategy, then start again: the run goes on from its journal; if the mended strategy "
            "would have acted otherwise before, start with --carry-over: it keeps cash and positions"
        ),
    ),
    (
        DivergenceError,
        (
            "go on with the old code; or start with --carry-over, which begins a new journal with the cash "
            "and the positions of this one"
        ),
    ),
    (
        FencedError,
        "leave it ended; or, where this journal is the one to go on with, start once with --take-over",
    ),
    (
        VenueError,
        "see that the venue and the network answer, then start again: the run goes on from its journal",
    ),
    (DataError, "look at the place in the data that is named, then start again"),
    (
        StorageError,
        "make room on the disk or let it be written to, then start again: nothing that was told is lost",
    ),
    (ConfigError, "change the setting that is named, or arm it if that is what is missing, then start again"),
    (
        BrokenInvariantError,
        "stop trading, keep the journal, and report this: a promise of tradecore is broken",
    ),
    (MemoryError, "the machine ran out of memory: give it more, or run fewer instruments, then start again"),
    (OSError, "see what the system says, then start again: the run goes on from its journal"),
)
# A file that cannot be used needs no room on the disk; these are words of the journal's own errors.
_JOURNAL_STEPS = {
    ": damaged at byte ": (
        "keep the damaged journal; put back a copy that `tradecore journal verify` calls intact, or start "
        "with --new-journal: that begins with the configured cash and no positions"
    ),
    ": another process writes this journal": (
        "stop the engine that writes this journal (`tradecore status` lists them), or give this one a "
        "journal.path of its own, then start again"
    ),
}
_ENDS = {
    "SIGINT": "Ctrl-C ended it",
    "SIGTERM": "SIGTERM ended it",
    "SIGHUP": "its terminal was closed (SIGHUP)",
    "stop_command": "`tradecore stop` ended it",
}
_REPORT = "this is a fault of tradecore: report it with the lines above; the journal is kept"


class LastWords(msgspec.Struct, frozen=True, kw_only=True):
    """Why an engine ended.

    Attributes
    ----------
    time_ns : int
        When, UTC nanoseconds.
    pid : int
        Its process.
    reason : str
        In words: the exception with strategy, file and line, or what ended it cleanly.
    is_clean : bool
        Whether it ended as it was asked to, or with its data.
    exit_code : int
        Exit code of the process.
    next_step : str
        What to do; empty after a clean end.
    notes : tuple of str
        What the exception says beside its reason.
    log : tuple of str
        The last lines of the log.
    """

    time_ns: int
    pid: int
    reason: str
    is_clean: bool
    exit_code: int
    next_step: str = ""
    notes: tuple[str, ...] = ()
    log: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Replace the file in one step, durably; raises `StorageError` when the disk says no."""
        write_atomically(path, msgspec.json.encode(self), is_durable=True)


def of_error(error: BaseException, pid: int, log: Sequence[str]) -> LastWords:
    """Return the last words of an engine that an exception ended."""
    is_ours = isinstance(error, TradecoreError)
    reason = printable(str(error)) if is_ours else error_text(error)
    notes = notes_of(error)[:NOTES_MAX]
    known = _next_step(error)
    if isinstance(error, KeyboardInterrupt):
        known = "start again: the run goes on from its journal"
    if known is None or not (is_ours or isinstance(error, OSError | MemoryError | KeyboardInterrupt)):
        notes += [_place(error)]
    return LastWords(
        time_ns=time.time_ns(),
        pid=pid,
        reason=cut(reason, TEXT_MAX),
        is_clean=False,
        exit_code=int(code_of(error)),
        next_step=known or _REPORT,
        notes=tuple(cut(note, TEXT_MAX) for note in notes if note),
        log=cut_log(log),
    )


def _next_step(error: BaseException) -> str | None:
    if isinstance(error, StorageError):
        for words, step in _JOURNAL_STEPS.items():
            if words in str(error):
                return step
    return next((step for kind, step in _NEXT_STEPS if isinstance(error, kind)), None)


def of_clean_end(asked: str | None, pid: int, log: Sequence[str]) -> LastWords:
    """Return the last words of an engine that ended as it was to; `asked` is the signal or command."""
    reason = "its data ended" if asked is None else _ENDS.get(asked, f"{asked} ended it")
    return LastWords(
        time_ns=time.time_ns(), pid=pid, reason=reason, is_clean=True, exit_code=0, log=cut_log(log)
    )


def of_forced_end(asked: str, seconds: float, pid: int, log: Sequence[str]) -> LastWords:
    """Return the last words of an engine that did not end in time when it was asked to."""
    return LastWords(
        time_ns=time.time_ns(),
        pid=pid,
        reason=f"asked to end ({asked or 'unknown'}), it did not within {seconds:g} s and was ended by force",
        is_clean=False,
        exit_code=int(ExitCode.UNAVAILABLE),
        next_step="find out what hung (a strategy, the feed or the disk), then start again: the run goes on "
        "from its journal",
        log=cut_log(log),
    )


def of_emergency_stop(why: str, pid: int) -> LastWords:
    """Return the words about an engine that `tradecore emergency-stop` ended; it had no time for its own."""
    return LastWords(
        time_ns=time.time_ns(),
        pid=pid,
        reason=f"`tradecore emergency-stop` ended its process by force, because {cut(why, TEXT_MAX)}",
        is_clean=False,
        exit_code=-9,
        next_step="find out what hung (a strategy, the feed or the disk), then `tradecore kill --release` "
        "and start again: the run goes on from its journal",
    )


def forget(state: StateDir) -> None:
    """Take the words of earlier ends away: a new session has begun."""
    for path in (state.last_words, state.failed_start):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def forget_unarmed(state: StateDir) -> None:
    """Take the words about a start away that was refused because nobody had armed it: now somebody has."""
    words = read(state.failed_start)
    if words is not None and ARM_COMMAND in words.reason:
        with suppress(OSError):
            state.failed_start.unlink(missing_ok=True)


def cut_log(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the last lines, none of them longer than may be kept."""
    return tuple(cut(printable(line), LOG_LINE_MAX) for line in lines[-LOG_LINES_MAX:])


def read(path: Path) -> LastWords | None:
    """Return last words, or `None` when there are none that can be read."""
    try:
        return msgspec.json.decode(read_small(path), type=LastWords)
    except (OSError, *UNREADABLE):
        return None


def _place(error: BaseException) -> str:
    """Return the innermost line that an exception came from."""
    frames = traceback.extract_tb(error.__traceback__)
    return (
        f"in {Path(frames[-1].filename).name} line {frames[-1].lineno} ({frames[-1].name})" if frames else ""
    )
