"""A venue behind a fence: nothing reaches it from an engine that has lost its account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar

from tradecore.domain.errors import TradecoreError
from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.domain.venue_findings import (
    FillSeen,
    FillsSince,
    Findings,
    Message,
    NotUnderstood,
    OpenOrders,
    OrderSeen,
    Question,
)
from tradecore.domain.venue_requests import Answer, Cancel, CancelAllAfter, NotDone, Replace, Submit
from tradecore.ports.clock import Clock
from tradecore.ports.letter_reader import LetterReader
from tradecore.ports.venue import Venue
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.fence import Fence
from tradecore.runtime.live.pages import whole

# After standing still for so long somebody may have taken over: no start is faster, as an interpreter takes
# longer to load an engine.
STILL_NS = 300_000_000
_TICK_SECONDS = 0.1
# How long the venue may take to say that nobody has taken over, and how long a cancel waits for that.
PROOF_SECONDS_MAX = 2.0
CANCEL_SECONDS_MAX = 0.25
_ROOM_SECONDS = 0.05
# What may have traded just before a journal ends, and how far clocks may be apart.
_OVERLAP_NS = 60_000_000_000
_FENCED = NotDone(words="the account is fenced: nothing was sent")
_TAKEN_BACK = NotDone(words="its end was asked for before it left")
_UNPROVED = NotDone(words="the process stood still, and the venue has not said what happened meanwhile")
_UNSENT = (_FENCED, _TAKEN_BACK, _UNPROVED)
# Whether what runs now is a request about orders, which the fence has let out.
_is_leaving: ContextVar[bool] = ContextVar("is_leaving", default=False)


class NotLeavingError(TradecoreError):
    """A request that was let out may not leave any more: no byte of it has."""


class SigningClock:
    """The clock of a venue's client, by which it signs: a request that may not leave any more gets no time.

    A process can be stopped at any instruction, also between the fence and the wire. What it signs with the
    time from before, the venue refuses once its window has passed; and with the time from after nothing is
    signed, because the fence is asked for once more when that time is known.

    Parameters
    ----------
    clock : Clock
        Ours.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.may_leave: Callable[[], bool] = _always

    def now_ns(self) -> int:
        """Return the time, UTC nanoseconds; raises `NotLeavingError` in a request that may not leave."""
        time_ns = self._clock.now_ns()
        if _is_leaving.get() and not self.may_leave():
            raise NotLeavingError("the fence has closed")
        return time_ns

    async def sleep_until(self, time_ns: int, /) -> None:
        """Return once `now_ns` has reached `time_ns`."""
        await self._clock.sleep_until(time_ns)


class FencedVenue:
    """A `Venue` that asks the fence before each request, and shows it all that the venue tells.

    After the process stood still (it was stopped, the machine slept, a copy of it goes on elsewhere) the
    venue is asked first who has sent orders meanwhile. A new order and an amendment wait for its answer; a
    cancel goes out without one, too, because it makes nothing larger.

    Parameters
    ----------
    venue : Venue
        Closed by `aclose`.
    fence : Fence
        Of its account.
    clock : Clock
        Ours, which goes on while the machine sleeps.
    signing : SigningClock, optional
        The clock by which `venue` signs.
    """

    def __init__(self, venue: Venue, fence: Fence, clock: Clock, signing: SigningClock | None = None) -> None:
        self._venue = venue
        self._clock = clock
        self._wall_ns, self._steady_ns = clock.now_ns(), _now_ns()
        # Since which time of ours nobody knows who has traded; `None` while that is known.
        self._unproved_since_ns: int | None = None
        # When it was noticed last that the process had stood still.
        self._still_at_ns = 0
        self._proving: asyncio.Task[bool] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.fence = fence
        fence.names_since = self.names_since
        # Lets questions out, once there is a line.
        self.allowance: Allowance | None = None
        # Tells whether the end of an order was asked for while a request about it waited here.
        self.is_taken_back: Callable[[str], bool] = _never
        if signing is not None:
            signing.may_leave = self._may_leave

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue can do."""
        return self._venue.capabilities

    async def submit(self, request: Submit) -> Answer:
        """Ask for a new order, where the account is still ours."""
        if not (await self._is_proved() and self._may_leave()):
            return self._refusal
        if self.is_taken_back(request.client_order_id):
            return _TAKEN_BACK
        _is_leaving.set(True)
        try:
            return await self._venue.submit(request)
        except NotLeavingError:
            return self._refusal
        finally:
            _is_leaving.set(False)

    async def replace(self, request: Replace) -> Answer:
        """Ask for another price or size, where the account is still ours."""
        if not (await self._is_proved() and self._may_leave()):
            return self._refusal
        if self.is_taken_back(request.client_order_id):
            return _TAKEN_BACK
        _is_leaving.set(True)
        try:
            return await self._venue.replace(request)
        except NotLeavingError:
            return self._refusal
        finally:
            _is_leaving.set(False)

    async def cancel(self, request: Cancel | CancelAllAfter) -> Answer:
        """Ask for the end of an order, or of all later, where the account is still ours."""
        try:
            async with asyncio.timeout(CANCEL_SECONDS_MAX):
                await self._is_proved()
        except TimeoutError:
            pass
        return await self._venue.cancel(request) if self.fence.may_send() else self._refusal

    async def reports(self) -> AsyncIterator[Message]:
        """Yield what the venue tells by itself."""
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep(), name="fence")
        async for message in self._venue.reports():
            self.fence.hear(message)
            yield message

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has; raises `VenueError` when no answer came."""
        findings = await self._venue.query(question)
        self.fence.hear(*findings.seen)
        return findings

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Return what a message says; `NotUnderstood` where it still makes no sense, or nobody can try."""
        return self._venue.read_again(letter) if isinstance(self._venue, LetterReader) else [letter]

    async def aclose(self) -> None:
        """Close the venue."""
        for task in (self._proving, self._keeping):
            if task is not None:
                task.cancel()
        await self._venue.aclose()

    async def names_since(self, time_ns: int) -> list[str | None]:
        """Return the names of open orders, and of those that have traded since; none without an answer."""
        # What happens from here on has to be looked at.
        self._look_at_clocks()
        found = await self._shown_since(time_ns - _OVERLAP_NS)
        seen = [each for findings in found for each in findings.seen]
        return [each.client_order_id for each in seen if isinstance(each, OrderSeen | FillSeen)]

    async def _shown_since(self, time_ns: int) -> list[Findings]:
        """Return what the venue answers to the two questions that show orders, within bounds."""
        questions: tuple[Question, ...] = (OpenOrders(), FillsSince(time_ns=max(time_ns, 0)))
        answers = await asyncio.gather(*map(self._answered, questions))
        return [each for each in answers if each is not None]

    async def _answered(self, question: Question) -> Findings | None:
        try:
            async with asyncio.timeout(PROOF_SECONDS_MAX):
                return await whole(question, self._page)
        except (TimeoutError, TradecoreError, OSError):
            return None

    async def _page(self, question: Question) -> Findings:
        await self._room_for(question)
        findings: Findings | None = None
        try:
            findings = await self.query(question)
        finally:
            if self.allowance is not None:
                self.allowance.asked(question, _now_ns(), has_answer=findings is not None)
        return findings

    async def _room_for(self, question: Question) -> None:
        """Wait until a question may leave: it counts as any other."""
        while self.allowance is not None:
            if self.allowance.ask(type(question), _now_ns(), self._clock.now_ns()) is Leave.GO:
                return
            await asyncio.sleep(_ROOM_SECONDS)

    async def _keep(self) -> None:
        """Notice that the process stood still, or that the account was taken; until cancelled."""
        while True:
            self._look_at_clocks()
            self.fence.may_send()
            await asyncio.sleep(_TICK_SECONDS)

    @property
    def _refusal(self) -> NotDone:
        return _FENCED if self.fence.fenced is not None else _UNPROVED

    def _may_leave(self) -> bool:
        """Tell whether what makes more may leave now; there is no wait after it."""
        self._look_at_clocks()
        return self._unproved_since_ns is None and self.fence.may_send()

    def _look_at_clocks(self) -> None:
        """Take in what time it is: a step of either clock says that nobody has looked at it meanwhile."""
        wall_ns, steady_ns = self._clock.now_ns(), _now_ns()
        still_ns = max(steady_ns - self._steady_ns, wall_ns - self._wall_ns)
        if still_ns > STILL_NS and self._keeping is not None:
            self._still_at_ns = steady_ns
            if self._unproved_since_ns is None:
                # A clock that was set back meanwhile had been ahead until then.
                self._unproved_since_ns = min(self._wall_ns, wall_ns - (steady_ns - self._steady_ns))
        self._wall_ns, self._steady_ns = wall_ns, steady_ns

    async def _is_proved(self) -> bool:
        """Tell whether the venue has shown who traded while the process stood still, if it did."""
        self._look_at_clocks()
        if self._unproved_since_ns is None:
            return True
        if self._proving is None or self._proving.done():
            proof = self._prove(self._unproved_since_ns)
            self._proving = asyncio.create_task(proof, name="proof after a pause")
        return await asyncio.shield(self._proving)

    async def _prove(self, since_ns: int) -> bool:
        asked_ns = self._steady_ns
        # Clocks are no farther apart: the venue took what was signed by ours. A longer look back would show
        # a busy account so many fills that their pages outlast the wait.
        found = await self._shown_since(since_ns - self.capabilities.validity_window_ns)
        is_whole = len(found) == 2 and all(each.is_complete for each in found)
        self._look_at_clocks()
        # An answer from before the process stood still once more proves nothing of the time after it.
        if is_whole and self._still_at_ns <= asked_ns:
            self._unproved_since_ns = None
        return self._unproved_since_ns is None


def never_left(answer: Answer) -> bool:
    """Tell whether a request was held back here: the venue has nothing to do with it."""
    return any(answer is held for held in _UNSENT)


def _always() -> bool:
    return True


def _never(_: str) -> bool:
    return False


def _now_ns() -> int:
    """Return a time that never jumps, for waits."""
    return int(asyncio.get_running_loop().time() * 1e9)
