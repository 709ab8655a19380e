"""Ends the orders that an engine has left at a venue when it died or hangs: the hand of a watchdog."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from tradecore.domain.backoff import Backoff
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import Findings, OpenOrders, OrderSeen, Positions, PositionSeen
from tradecore.domain.venue_requests import Cancel, Declined, NotDone
from tradecore.ports.clock import Clock
from tradecore.ports.venue_cancels import VenueCancels
from tradecore.runtime.live.allowance import ENDPOINTS
from tradecore.runtime.live.budget import Budget

_MS = 1_000_000
_AT_ONCE_MAX = 16
# A bucket that cannot be used, because a process that stands still has it locked or its disk fails, holds
# nobody longer than this.
_BUDGET_NS_MAX = 500 * _MS
_FIRST_WAIT_NS, _LAST_WAIT_NS = 100 * _MS, 2_000 * _MS
# While nothing is open the venue is asked once more so often: what was on its way may still arrive.
_LOOK_AGAIN_NS = 1_000 * _MS
_LOOK_AGAIN_LATER_NS = 10_000 * _MS


class OrphanStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far the orders of an engine that is gone are ended at one account.

    Attributes
    ----------
    open_orders : int or None
        How many of those to be ended the venue showed last; `None` before it has answered.
    left_alone : int
        How many others are open there: of other owners, or in instruments that nobody here knows.
    asked : int
        How many cancels were sent.
    is_done : bool
        Whether the venue said that none is open, also after all that was on its way has arrived.
    positions : tuple of (str, int)
        What is held there, symbol and lots, when it was done; nobody closes that.
    trouble : str
        What the venue, or the way to it, said last that was no success; empty where all is well.
    """

    open_orders: int | None = None
    left_alone: int = 0
    asked: int = 0
    is_done: bool = False
    positions: tuple[tuple[str, int], ...] = ()
    trouble: str = ""


class Orphans:
    """Ends orders at one account, and goes on until the venue says that none of them is open.

    It connects when it has to and again after each failure, waits longer after each, and never gives up.
    Nothing is taken for done because it was asked for: the venue's own list of open orders says it.

    Parameters
    ----------
    connect : callable
        Returns a new connection; raises `VenueError` when the venue does not answer.
    budget_of : callable
        Returns the budget of requests of what a venue can do.
    owns : callable
        Tells whether an order is one of those to be ended.
    clock : Clock
        Waits between tries, and how long what is on its way may take.
    chance : callable
        Spreads the tries; returns a number from 0 (included) to 1.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[VenueCancels]],
        budget_of: Callable[[VenueCapabilities], Budget],
        owns: Callable[[OrderSeen], bool],
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._connect, self._budget_of, self._owns = connect, budget_of, owns
        self._clock = clock
        self._backoff = Backoff(chance, first_ns=_FIRST_WAIT_NS, last_ns=_LAST_WAIT_NS)
        self._venue: VenueCancels | None = None
        self._budget: Budget | None = None
        self.status = OrphanStatus()

    async def look(self) -> VenueCapabilities | None:
        """Ask the venue once for its open orders, to know that it can be asked; `None` where it cannot.

        `status` then says how many there are, or what is wrong.
        """
        try:
            venue = await self._opened()
            self._note(await self._open_orders(venue))
        except VenueError as error:
            await self._failed(error)
            return None
        return venue.capabilities

    async def end_all(self, is_gone: Callable[[], bool], tell: Callable[[], None]) -> None:
        """End what is open, until it is told that the engine is back.

        Parameters
        ----------
        is_gone : callable
            Asked before each request: whether the engine is still gone.
        tell : callable
            Called after each change of `status`.
        """
        self.status = msgspec.structs.replace(self.status, asked=0, is_done=False, positions=())
        since_ns = self._clock.now_ns()
        while is_gone():
            try:
                venue = await self._opened()
                found = await self._open_orders(venue)
                own = self._note(found)
                if own and is_gone():
                    await self._cancel(venue, own, is_gone)
                elif found.is_complete and not own:
                    await self._settle(venue, since_ns)
            except VenueError as error:
                await self._failed(error)
                tell()
                await self._sleep(max(self._backoff.next_ns(), error.retry_after_ns or 0))
                continue
            tell()
            if self.status.open_orders or not found.is_complete:
                await self._sleep(self._backoff.next_ns())
            else:
                self._backoff.reset()
                await self._sleep(_LOOK_AGAIN_LATER_NS if self.status.is_done else _LOOK_AGAIN_NS)

    async def aclose(self) -> None:
        """Let go of the venue and of the budget."""
        venue, self._venue = self._venue, None
        if venue is not None:
            await venue.aclose()
        if self._budget is not None:
            self._budget.close()
            self._budget = None

    async def _opened(self) -> VenueCancels:
        if self._venue is None:
            self._venue = await self._connect()
        if self._budget is None:
            self._budget = self._budget_of(self._venue.capabilities)
        return self._venue

    async def _open_orders(self, venue: VenueCancels) -> Findings:
        await self._take(venue, OpenOrders)
        return await venue.query(OpenOrders())

    def _note(self, found: Findings) -> list[OrderSeen]:
        """Take in which orders are open; return those to be ended that can be named."""
        orders = [each for each in found.seen if isinstance(each, OrderSeen)]
        own = [each for each in orders if self._owns(each) and each.instrument is not None]
        if self.status.open_orders != len(own):
            # Where something moves, the next look comes soon.
            self._backoff.reset()
        self.status = msgspec.structs.replace(
            self.status,
            open_orders=len(own),
            left_alone=len(orders) - len(own),
            is_done=self.status.is_done and not own,
            trouble="" if found.is_complete else "the venue did not show all of its open orders",
        )
        return own

    async def _cancel(
        self, venue: VenueCancels, orders: Sequence[OrderSeen], is_gone: Callable[[], bool]
    ) -> None:
        """Ask for the end of these orders, some at once; each one only while the engine is gone."""
        waiting = list(reversed(orders))

        async def work() -> None:
            while waiting and is_gone():
                await self._cancel_one(venue, waiting.pop(), is_gone)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE_MAX, len(waiting))):
                group.create_task(work())

    async def _cancel_one(self, venue: VenueCancels, order: OrderSeen, is_gone: Callable[[], bool]) -> None:
        await self._take(venue, Cancel)
        if order.instrument is None or not is_gone():
            return
        answer = await venue.cancel(
            Cancel(
                client_order_id=order.client_order_id or "",
                venue_order_id=order.venue_order_id,
                instrument=order.instrument,
            )
        )
        self.status = msgspec.structs.replace(self.status, asked=self.status.asked + 1)
        if isinstance(answer, NotDone) and answer.retry_after_ns:
            await self._sleep(answer.retry_after_ns)
        if isinstance(answer, NotDone | Declined) and getattr(answer, "reason", "") != "unknown_order":
            self.status = msgspec.structs.replace(self.status, trouble=answer.words)

    async def _settle(self, venue: VenueCancels, since_ns: int) -> None:
        """Say that it is done once nothing can be on its way any more, and what is held there."""
        window_ns = venue.capabilities.validity_window_ns
        if self.status.is_done or self._clock.now_ns() - since_ns < window_ns:
            return
        held: tuple[tuple[str, int], ...] = ()
        if venue.capabilities.positions:
            await self._take(venue, Positions)
            found = await venue.query(Positions())
            held = tuple((e.symbol, e.lots) for e in found.seen if isinstance(e, PositionSeen) and e.lots)
        self.status = msgspec.structs.replace(self.status, is_done=True, positions=held)

    async def _take(self, venue: VenueCancels, about: type) -> None:
        """Wait for room in the budget that all processes share."""
        weight = venue.capabilities.weights.get(ENDPOINTS[about], 1.0)
        begun_ns = now_ns = self._clock.now_ns()
        budget = self._budget
        while budget is not None and not budget.take(now_ns, weight, is_cancel=True):
            if not budget.is_usable and now_ns - begun_ns >= _BUDGET_NS_MAX:
                return
            await self._sleep(min(max(budget.wait_ns(now_ns, weight), _MS), 50 * _MS))
            now_ns = self._clock.now_ns()

    async def _failed(self, error: VenueError) -> None:
        """Begin with a new connection the next time."""
        self.status = msgspec.structs.replace(self.status, trouble=str(error), is_done=False)
        venue, self._venue = self._venue, None
        if venue is not None:
            await venue.aclose()

    async def _sleep(self, span_ns: int) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + span_ns)
