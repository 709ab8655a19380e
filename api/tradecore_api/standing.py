"""What can be said about an account from outside its engine: does it run, and if not, why."""

import time
from decimal import Decimal

import msgspec

from tradecore.domain.spec import Mode
from tradecore.domain.times import iso_time, span_text
from tradecore.domain.units import shown_money
from tradecore.ports.control_channel import Status
from tradecore_api import heartbeat as heartbeats
from tradecore_api import instance_lock, kill_latch
from tradecore_api.control import client
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.last_words import LastWords
from tradecore_api.last_words import read as read_words
from tradecore_api.state_dir import StateDir, owner_words, unknown_words
from tradecore_api.watchdog import presence

HEARTBEAT_SECONDS_MAX = 3.0
# A replay of a long journal at the start answers nobody; it is no hang.
STARTING_SECONDS_MAX = 120.0
STATUS_SECONDS_MAX = 1.0

RUNNING, HUNG, DEAD, STOPPED = "running", "hung", "dead", "not running"
_VANISHED = (
    "it left no last words, because its process ended at once: killed from outside (kill -9, or the system "
    "when memory ran out), ended by force because it was held when it was asked to end, ended from within "
    "(a crash in C code, os._exit), or with the machine"
)
_VANISHED_STEP = (
    "look at the last lines of its log, and for `Out of memory`, `Killed process` or `segfault` in that of "
    "the system (`journalctl -k` or `dmesg`), then start again: the run goes on from its journal"
)


class AccountStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about one account from outside its engine.

    Attributes
    ----------
    account : str
        Its name.
    state : str
        `running`, `hung`, `dead` or `not running`.
    why, next_step : str
        Why it does not run, and what to do; empty while it runs.
    heartbeat : Heartbeat or None
        The last that it wrote.
    engine : dict
        What the running engine answered; empty without an answer.
    last_words : LastWords or None
        What it said when it ended.
    failed_start : LastWords or None
        Why a start since then failed.
    watchdog : str
        Who ends its orders if it dies, in words; empty where none leaves its process.
    """

    account: str
    state: str
    pid: int | None
    heartbeat_age_seconds: float | None
    is_kill_latched: bool
    heartbeat: Heartbeat | None
    engine: dict[str, object]
    why: str = ""
    next_step: str = ""
    last_words: LastWords | None = None
    failed_start: LastWords | None = None
    watchdog: str = ""


def look(account: str) -> AccountStatus:
    """Return what can be said about an account now; waits at most a second for its engine."""
    state = StateDir(account)
    beat = heartbeats.read(state.heartbeat)
    age = beat.age_seconds if beat else None
    pid = instance_lock.holder(state.lock)
    engine: dict[str, object] = {}
    if not instance_lock.is_held(state.lock):
        has_ended = beat is None or beat.phase == "ended"
        name = STOPPED if has_ended else DEAD
        pid = None if has_ended else pid
    else:
        name, engine = RUNNING, _asked(state)
        if engine:
            # The question may have waited for the answer while a beat was written.
            beat = heartbeats.read(state.heartbeat) or beat
            age = beat.age_seconds if beat else None
        is_starting = beat is not None and beat.phase == "starting" and (age or 0.0) < STARTING_SECONDS_MAX
        if not is_starting and (not engine or (age is not None and age > HEARTBEAT_SECONDS_MAX)):
            name = HUNG
    found = AccountStatus(
        account=account,
        state=name,
        pid=pid,
        heartbeat_age_seconds=None if age is None else round(age, 3),
        is_kill_latched=kill_latch.is_engaged(state),
        heartbeat=beat,
        engine=engine,
        last_words=None if name in (RUNNING, HUNG) else read_words(state.last_words),
        failed_start=None if name in (RUNNING, HUNG) else read_words(state.failed_start),
        watchdog=presence.words(state) if beat is not None and beat.mode == Mode.LIVE else "",
    )
    return msgspec.structs.replace(found, why=why_ended(found), next_step=_next_step(found))


def why_ended(found: AccountStatus) -> str:
    """Return why the engine does not run, in words; nothing while it runs."""
    words = _words_of_this_end(found)
    if found.state == HUNG:
        return "its process is there, but does not answer or writes no heartbeat"
    if found.state == DEAD:
        return words.reason if words is not None else f"{_VANISHED}{_reboot(found)}"
    if found.state == STOPPED:
        return words.reason if words is not None else unknown_words(found.account)
    return ""


def left_behind(found: AccountStatus) -> str:
    """Return what an engine that has ended leaves: money, positions and open orders, in words."""
    beat = found.heartbeat
    if beat is None or not beat.equity:
        return "it never began to trade"
    held = ", ".join(f"{size} {symbol}" for symbol, size in beat.positions.items())
    equity = f"equity {shown_money(Decimal(beat.equity))} {beat.currency}"
    pnl = f"PnL {shown_money(Decimal(beat.pnl))} {beat.currency}"
    return (
        f"{beat.orders:,} orders and {beat.fills:,} fills so far, {equity}, {pnl}; "
        f"positions: {held or 'none'}; open orders: {beat.open_orders}"
    )


def _next_step(found: AccountStatus) -> str:
    words = _words_of_this_end(found)
    if found.state == HUNG:
        if owner := owner_words(StateDir(found.account)):
            return owner
        return f"`tradecore emergency-stop {found.account}` ends it and keeps its next start from trading"
    if found.state == DEAD:
        return words.next_step if words is not None else _VANISHED_STEP
    return ""


def _words_of_this_end(found: AccountStatus) -> LastWords | None:
    """Return the last words where they are of the process whose heartbeat is there."""
    words, beat = found.last_words, found.heartbeat
    return words if words is not None and beat is not None and words.pid == beat.pid else None


def _reboot(found: AccountStatus) -> str:
    """Say that the machine was started since the last heartbeat, where the system tells."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is None or found.heartbeat is None:
        return ""
    started_ns = time.time_ns() - time.clock_gettime_ns(clock)
    if started_ns <= found.heartbeat.time_ns:
        return ""
    return f" (the machine was started at {iso_time(started_ns, 0)}, after its last heartbeat)"


def _asked(state: StateDir) -> dict[str, object]:
    try:
        return client.ask(state, Status(), seconds_max=STATUS_SECONDS_MAX).status
    except client.NotAnsweringError:
        return {}


def age_text(seconds: float | None) -> str:
    """Return `400 ms ago`, or `never`."""
    return "never" if seconds is None else f"{span_text(round(seconds * 1e9))} ago"
