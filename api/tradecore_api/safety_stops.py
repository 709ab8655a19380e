"""What an engine does by itself for safety: it pauses when feed or clock fail, and flattens after a loss."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec

from tradecore.domain import EngineSpec, Mode
from tradecore.domain.commands import Command, Flatten, SafetyPause
from tradecore.domain.errors import TradecoreError, VenueError
from tradecore.domain.sessions import ALWAYS_OPEN
from tradecore.runtime import Session
from tradecore_api.config.stop_tables import SafetyTable

log = logging.getLogger("tradecore.safety")

LOOK_SECONDS = 0.2
_MS = 1_000_000
# Rules by which an account is halted for what it has lost.
LOSSES = frozenset({"daily_loss_max", "drawdown_max"})
# A venue's clock may be this much ahead of ours: a journal that ends later than now says no more than that.
AHEAD_NS = 10_000_000_000


class Clocks(NamedTuple):
    """The clock that people set, and the one that nobody sets."""

    wall_ns: Callable[[], int]
    monotonic_ns: Callable[[], int]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be seen at one moment.

    Attributes
    ----------
    feed_age_ns : int or None
        How long ago the feed brought something, or the sessions began if that was later; `None` where its
        time is not ours, outside of sessions, and while a start reads what is past.
    wall_ns, monotonic_ns : int
        The clock that people set, and the one that nobody sets.
    is_paused : bool
        Whether no new risk is taken anyhow; `is_killed` whether nothing at all leaves.
    halts : dict
        What limits have halted (`account`, `account:NAME`, `portfolio`, `strategy:NAME`), and the rules.
    has_positions : bool
        Whether anything is held.
    """

    feed_age_ns: int | None
    wall_ns: int
    monotonic_ns: int
    is_paused: bool = False
    is_killed: bool = False
    halts: dict[str, str] = {}
    has_positions: bool = False


class SafetyWatch:
    """Says what is to be done for safety, from one look to the next; it asks no clock and no engine.

    Parameters
    ----------
    table : SafetyTable
        What is allowed.
    last_ns : int
        The last time that the journal had at the start: the clock may have been set since.
    """

    def __init__(self, table: SafetyTable, last_ns: int) -> None:
        self._table = table
        self._last_ns = last_ns
        self._offset_ns: int | None = None
        self._is_lost = False
        self._is_stale = False
        self._stale_at: deque[int] = deque()
        self._halted: set[str] | None = None

    def look(self, seen: Seen) -> list[Command]:
        """Return the commands that follow from what is seen."""
        found = (*self._of_feed(seen), *self._of_clock(seen), *self._of_halts(seen))
        return list(found)

    def _of_feed(self, seen: Seen) -> Sequence[Command]:
        """Pause where the feed is gone, again where that was ended too early, or stood still too often."""
        table, age_ns = self._table, seen.feed_age_ns
        if age_ns is None:
            self._is_lost = self._is_stale = False
            return ()
        bound_ns = table.feed_lost_ms * _MS
        was_lost, self._is_lost = self._is_lost, bound_ns > 0 and age_ns > bound_ns
        was_stale, self._is_stale = self._is_stale, 0 < table.stale_ms * _MS < age_ns
        if self._is_lost and not (was_lost and seen.is_paused):
            return (SafetyPause(cause="feed_lost", seen=age_ns, bound=bound_ns),)
        if self._is_stale and not was_stale:
            self._stale_at.append(seen.monotonic_ns)
        since_ns = seen.monotonic_ns - table.stale_window_ms * _MS
        while self._stale_at and self._stale_at[0] < since_ns:
            self._stale_at.popleft()
        if 0 < table.stale_times <= len(self._stale_at):
            count = len(self._stale_at)
            self._stale_at.clear()
            return (SafetyPause(cause="stale_data", seen=count, bound=table.stale_times),)
        return ()

    def _of_clock(self, seen: Seen) -> Sequence[Command]:
        """Pause where the clock that people set has left the one that nobody sets."""
        bound_ns = self._table.clock_jump_ms * _MS
        offset_ns, before_ns = seen.wall_ns - seen.monotonic_ns, self._offset_ns
        self._offset_ns = offset_ns
        if before_ns is None:
            jump_ns = min(seen.wall_ns - self._last_ns, 0)
            is_jump = jump_ns < -max(bound_ns, AHEAD_NS)
        else:
            jump_ns = offset_ns - before_ns
            is_jump = abs(jump_ns) > bound_ns
        if bound_ns and is_jump:
            return (SafetyPause(cause="clock_jump", seen=jump_ns, bound=bound_ns),)
        return ()

    def _of_halts(self, seen: Seen) -> Sequence[Command]:
        """Flatten an account once for each halt by a loss; at a start where something is held yet.

        Who killed wants nothing to leave, exits included: it waits until that is taken back.
        """
        if seen.is_killed:
            return ()
        halted = {scope for scope, rule in seen.halts.items() if rule in LOSSES and _is_account(scope)}
        if self._halted is None:
            self._halted = set() if seen.has_positions else halted
        new, self._halted = halted - self._halted, halted
        if not self._table.flatten_when_halted:
            return ()
        # Of the only account, and of all together, it is everything.
        return [Flatten(scope=scope if ":" in scope else None) for scope in sorted(new)]


def _is_account(scope: str) -> bool:
    return scope in ("account", "portfolio") or scope.startswith("account:")


class Hours:
    """When instruments trade: while none does, nobody misses a feed.

    Parameters
    ----------
    spec : EngineSpec
        Instruments and their calendars.
    """

    def __init__(self, spec: EngineSpec) -> None:
        calendars = {instrument.calendar for instrument in spec.instruments}
        self._sessions = (
            None
            if ALWAYS_OPEN in calendars
            else [span for name in sorted(calendars) for span in spec.calendars[name].sessions_ns()]
        )

    def opened_ns(self, time_ns: int) -> int | None:
        """Return since when some instrument has traded without a break; `None` while none does."""
        if self._sessions is None:
            return 0
        opened_ns, since_ns = None, time_ns
        while begins := [begin for begin, end in self._sessions if begin <= since_ns < end]:
            # What ended just then, or later, joins this one.
            opened_ns = min(begins)
            since_ns = opened_ns - 1
        return opened_ns


async def keep_safe(
    session: Session,
    table: SafetyTable | None,
    answer: Callable[[Command], Awaitable[object]],
    clocks: Clocks | None = None,
) -> None:
    """Look after a session until cancelled, and give what is to be done to `answer`.

    The clocks are those of the machine unless others are given.
    """
    if table is None and session.engine.spec.mode is Mode.LIVE:
        table = SafetyTable()
    if table is None:
        return
    watch, hours = SafetyWatch(table, session.engine.now_ns), Hours(session.engine.spec)
    clocks = clocks or Clocks(time.time_ns, time.monotonic_ns)
    since_ns = clocks.monotonic_ns()
    while True:
        seen = _seen(session, hours, since_ns, has_halts=table.flatten_when_halted, clocks=clocks)
        for command in watch.look(seen):
            try:
                await answer(command)
            except VenueError:
                # It is ending: nothing new leaves any more.
                return
            except TradecoreError as error:
                log.error("safety_stop_failed", extra={"words": f"{command.name} was not taken: {error}"})  # noqa: TRY400 - the words say it all
        await asyncio.sleep(LOOK_SECONDS)


def _seen(
    session: Session, hours: Hours, since_ns: int, *, has_halts: bool, clocks: Clocks | None = None
) -> Seen:
    """Look at engine, feed and clocks; the whole summary is work, and only halts and positions need it."""
    summary = session.engine.summary() if has_halts else None
    clocks = clocks or Clocks(time.time_ns, time.monotonic_ns)
    wall_ns, monotonic_ns = clocks.wall_ns(), clocks.monotonic_ns()
    age = session.feed_age_seconds()
    age_ns = monotonic_ns - since_ns if age is None else int(age * 1e9)
    opened_ns = hours.opened_ns(wall_ns) if session.is_live and not session.awaits_past else None
    return Seen(
        # What was silent while nothing traded is missed from the opening on.
        feed_age_ns=None if opened_ns is None else min(age_ns, wall_ns - opened_ns),
        wall_ns=wall_ns,
        monotonic_ns=monotonic_ns,
        is_paused=session.engine.kernel.is_paused,
        is_killed=summary is not None and summary.is_killed,
        halts={} if summary is None else summary.halts,
        has_positions=summary is not None and bool(summary.positions),
    )
