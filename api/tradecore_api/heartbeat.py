"""What a running engine writes twice a second, so that anybody can see whether it lives."""

import os
import time
from pathlib import Path

import msgspec

from tradecore.domain.unreadable import UNREADABLE
from tradecore_api.state_dir import read_small, write_atomically


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """One heartbeat.

    Attributes
    ----------
    pid : int
        Process of the engine.
    time_ns : int
        When it was written, UTC nanoseconds.
    phase : str
        `starting` (reading its journal), `running`, `stopping` or `ended`.
    equity, pnl, currency : str
        What the account is worth, that less the opening cash, and in which money; empty before the start.
    positions : dict
        Sizes by symbol, as decimal text.
    day_since_ns, day_profit : int, str
        When the profit of the day counts from, and what had been made by then since the journal began.
    process_start : str
        When the process was started, in the words of its system: a number of a process is used again.
    order_names : dict
        How the venue's names of all orders begin, by account, one for each epoch with spaces between them: a
        watchdog knows by it whose an order is.
    """

    pid: int
    time_ns: int
    phase: str
    account: str
    mode: str
    journal: str
    seq: int = 0
    engine_time_ns: int = 0
    events: int = 0
    orders: int = 0
    fills: int = 0
    refusals: int = 0
    open_orders: int = 0
    is_paused: bool = False
    is_killed: bool = False
    equity: str = ""
    pnl: str = ""
    currency: str = ""
    positions: dict[str, str] = {}
    day_since_ns: int = 0
    day_profit: str = ""
    process_start: str = ""
    order_names: dict[str, str] = {}

    @property
    def age_seconds(self) -> float:
        """Return how old it is now, never below 0."""
        return max(0.0, (time.time_ns() - self.time_ns) / 1e9)

    def write(self, path: Path) -> None:
        """Replace the file in one step; raises `StorageError` when the disk says no."""
        write_atomically(path, msgspec.json.encode(self), is_durable=False)


def read(path: Path) -> Heartbeat | None:
    """Return the last heartbeat, or `None` when there is none that can be read."""
    try:
        return msgspec.json.decode(read_small(path), type=Heartbeat)
    except (OSError, *UNREADABLE):
        return None


def lives(beat: Heartbeat | None) -> bool:
    """Tell whether the very process that wrote a heartbeat still runs, and had not said that it ended."""
    if beat is None or beat.phase == "ended" or not beat.process_start:
        return False
    return is_alive(beat.pid) and process_start(beat.pid) == beat.process_start


def process_start(pid: int) -> str:
    """Return when a process was started, in the words of its system; nothing where that is not told."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        if stat.exists():
            text = stat.read_text(encoding="ascii", errors="replace")
            return f"{_boot_id()}/{text.rpartition(')')[2].split()[19]}"
        return "" if os.name == "nt" else _start_by_ps(pid)
    except (OSError, IndexError):
        return ""


def _boot_id() -> str:
    """Return the name of this run of the machine: ticks since the start are used again after another."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _start_by_ps(pid: int) -> str:
    import subprocess

    answer = subprocess.run(  # noqa: S603 - fixed program, integer argument
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - found on every Unix
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()


def is_alive(pid: int) -> bool:
    """Tell whether a process with this id exists and has not ended."""
    if pid <= 0:
        return False
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        try:
            # A zombie has ended; only its parent has not looked yet.
            return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
        except (OSError, IndexError):
            # It ended just now.
            return False
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive_on_windows(pid: int) -> bool:
    import subprocess

    answer = subprocess.run(  # noqa: S603 - fixed program, integer argument
        ["tasklist", "/FI", f"PID eq {pid}", "/NH"],  # noqa: S607 - found on every Windows
        capture_output=True,
        text=True,
        check=False,
    )
    return str(pid) in answer.stdout
