"""Keeps the dead man's timer of a venue running for as long as the engine lives."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tradecore.domain.venue_requests import Answer, CancelAllAfter, Lost, Taken
from tradecore.ports.clock import Clock
from tradecore.ports.venue import Venue
from tradecore.runtime.live.allowance import ENDPOINTS
from tradecore.runtime.live.budget import Budget

# It is asked for again after this part of its time, so that two requests may be lost.
_PARTS = 3
_ROOM_NS = 50_000_000
# So long the end waits for a request that is under way.
_UNDER_WAY_SECONDS_MAX = 0.5


class DeadMan:
    """Arms the timer of one account, and takes it back where the engine ends on purpose.

    With it orders end by themselves when the engine is gone, also where its machine, or its line, is gone
    with the watchdog. The venue tells of that as of ends of orders that nobody asked for.

    Parameters
    ----------
    venue : Venue
        Where it is armed.
    budget : Budget
        Lets its requests out, as cancels.
    clock : Clock
        Waits.
    span_ns : int
        After so long without a word the venue ends all orders; as much as it can at most, 0 is off.
    """

    def __init__(self, venue: Venue, budget: Budget, clock: Clock, span_ns: int) -> None:
        self._venue, self._budget, self._clock = venue, budget, clock
        self.span_ns = min(span_ns, venue.capabilities.dead_man_ns_max)
        self.trouble = ""
        """What the venue said last that was no success; empty where it is armed, or off."""
        self._is_over = False
        self._is_free = asyncio.Event()
        self._is_free.set()

    @property
    def words(self) -> str:
        """Say how it stands; empty where there is none."""
        if not self.span_ns:
            return ""
        seconds = f"{self.span_ns / 1e9:g} s"
        return f"NOT ARMED: {self.trouble}" if self.trouble else f"armed, {seconds}"

    async def keep(self, tell: Callable[[], None]) -> None:
        """Arm it again and again, until cancelled; `tell` is called when it begins or ceases to work."""
        while self.span_ns and not self._is_over:
            before = self.trouble
            answer = await self._ask(self.span_ns)
            self.trouble = "" if isinstance(answer, Taken) else answer.words
            if self.trouble != before:
                tell()
            await self._sleep(self.span_ns // _PARTS if not self.trouble else self.span_ns // (2 * _PARTS))

    async def take_back(self) -> None:
        """Let resting orders rest: the engine ends on purpose.

        It is the last that the venue is asked. A request to arm it that came after it would end them all.
        """
        self._is_over = True
        if not self.span_ns:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_UNDER_WAY_SECONDS_MAX):
                await self._is_free.wait()
        await self._ask(0)

    async def _ask(self, span_ns: int) -> Answer:
        weight = self._venue.capabilities.weights.get(ENDPOINTS[CancelAllAfter], 1.0)
        # By the time that the others go by who take out of the budget: another one would fill it anew.
        while not self._budget.take(_now_ns(), weight, is_cancel=True):
            if span_ns == 0 or not self._budget.is_usable:
                # At the end nobody waits, and a budget that nobody can look into is none to wait for.
                break
            await self._sleep(_ROOM_NS)
        if span_ns and self._is_over:
            return Lost(words="it is taken back")
        self._is_free.clear()
        try:
            return await self._venue.cancel(CancelAllAfter(span_ns=span_ns))
        except (TimeoutError, OSError) as error:
            return Lost(words=str(error) or type(error).__name__)
        finally:
            self._is_free.set()

    async def _sleep(self, span_ns: int) -> None:
        await self._clock.sleep_until(self._clock.now_ns() + span_ns)


def _now_ns() -> int:
    """Return a time that never jumps, for waits."""
    return int(asyncio.get_running_loop().time() * 1e9)
