"""What the exit status of the `tradecore` command means."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """Stable numbers; those from 64 to 78 follow sysexits.h.

    `tradecore --help` prints this table.
    """

    OK = 0, "done; for `status`: running"
    CHECK_FAILED = 1, "a check found something: a damaged journal, a problem in data"
    USAGE = 2, "the command line is not understood"
    NOT_RUNNING = 3, "no engine runs for this account; it ended cleanly or never ran"
    DEAD = 4, "the engine of this account died: its process is gone without a clean end"
    HUNG = 5, "the engine's process exists, but its heartbeat is old or it does not answer"
    REFUSED = 6, "the engine understood the command and refused it"
    STRATEGY = 7, "a strategy raised an exception; trading stopped, the journal is kept"
    UNLATCHED = (
        8,
        "no order leaves, but the kill switch could not be written; the last line says what to do",
    )
    FENCED = (
        9,
        "another engine has the account, by a higher epoch; nothing is sent: the last line says what to do",
    )
    DATA = 65, "input data cannot be used"
    UNAVAILABLE = 69, "a venue or feed is gone or does not answer, or a run was ended by force"
    BROKEN_INVARIANT = 70, "a promise of tradecore itself is broken; trading stopped, the journal is kept"
    NO_RESOURCES = 71, "the system gave no more of something: open files, memory, threads"
    STORAGE = 74, "a disk, directory or database failed"
    ALREADY_RUNNING = 75, "another engine, or another watchdog, runs for this account; its pid is named"
    CONFIG = 78, "the configuration cannot be used"
    INTERRUPTED = (
        130,
        "ended by Ctrl-C before there was a result; `run`, `demo`, `watchdog` and `venue serve` end with 0",
    )

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Keep the meaning next to the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


def table() -> str:
    """Return every exit code with its meaning, one per line."""
    return "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)
