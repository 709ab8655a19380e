"""What a running engine writes twice a second, so that anybody can see whether it lives."""

import os
import time
from pathlib import Path

import msgspec

from tradecore_api.state_dir import write_atomically


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
    day_since_ns, day_equity : int, str
        When the profit of the day counts from, and what the account was worth then.
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
    day_equity: str = ""

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
        return msgspec.json.decode(path.read_bytes(), type=Heartbeat)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def is_alive(pid: int) -> bool:
    """Tell whether a process with this id exists and has not ended."""
    if pid <= 0:
        return False
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        # A zombie has ended; only its parent has not looked yet.
        return stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
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
