"""Whether a request may leave now: budget, breakers, a venue's word to wait, and its clock."""

from collections.abc import Mapping
from enum import StrEnum

from tradecore.domain.times import span_text
from tradecore.domain.venue_findings import (
    Balances,
    FillsSince,
    OneOrder,
    OpenOrders,
    Positions,
    Question,
)
from tradecore.domain.venue_requests import Answer, Cancel, CancelAllAfter, Lost, NotDone, Replace, Submit
from tradecore.runtime.live.breaker import Breaker
from tradecore.runtime.live.budget import Budget
from tradecore.runtime.live.clock_offset import ClockOffset

# Names of endpoints, as venues weigh them.
ENDPOINTS: dict[type, str] = {
    Submit: "submit",
    Cancel: "cancel",
    CancelAllAfter: "cancel_all_after",
    Replace: "replace",
    OpenOrders: "open_orders",
    OneOrder: "one_order",
    FillsSince: "fills",
    Positions: "positions",
    Balances: "balances",
}
# Share of the venue's window that clocks may be apart before new orders wait.
_WINDOW_SHARE = 0.8
# A venue that asks to wait for no longer than that is no news.
_HELD_QUIET_NS = 5_000_000_000


class Leave(StrEnum):
    """Whether a request may leave."""

    GO = "go"
    WAIT = "wait"
    """Not now, though one to another endpoint may go."""
    FULL = "full"
    """Not now, and no other one either, but for a cancel."""
    NEVER = "never"
    """Not now, and it would be too old later: a new order at an endpoint that does not answer."""


class Allowance:
    """Asked before each request, and told what became of it. It never waits and reads no clock.

    Parameters
    ----------
    budget : Budget
        Weight that may leave.
    weights : mapping of str to float
        Weight of a request by the name of its endpoint; 1 where none is stated.
    window_ns : int
        How far the time of a request may be from the venue's.
    """

    def __init__(self, budget: Budget, weights: Mapping[str, float], window_ns: int) -> None:
        self._budget, self._weights, self._window_ns = budget, weights, window_ns
        self._breakers = {name: Breaker() for name in ENDPOINTS.values()}
        self.clock = ClockOffset()
        self._held_until_ns = self._held_ns = 0
        # When it was asked last.
        self._seen_ns = 0

    def ask(self, about: type, now_ns: int, wall_ns: int) -> Leave:
        """Say whether a request or a question of this type may leave, and count it if so.

        Parameters
        ----------
        about : type
            Its type, e.g. `Submit`.
        now_ns : int
            A time that never jumps, in nanoseconds.
        wall_ns : int
            Time of our clock, UTC nanoseconds.
        """
        self._seen_ns = now_ns
        name, is_new = ENDPOINTS[about], about is Submit
        breaker = self._breakers[name]
        if is_new and (breaker.is_open(now_ns) or self.clock_trouble(wall_ns)):
            return Leave.NEVER
        if now_ns < self._held_until_ns:
            return Leave.FULL
        if breaker.is_open(now_ns):
            return Leave.WAIT
        if not self._budget.take(now_ns, self._weights.get(name, 1.0), is_cancel=about is Cancel):
            return Leave.FULL
        breaker.note_sent()
        return Leave.GO

    def wait_ns(self, now_ns: int, about: type | None = None) -> int:
        """Return when to ask again for what waits, from now; at least a little.

        Where one of the type `about` is the first to need room, that is when there is enough for it.
        """
        weight = 1.0 if about is None else self._weights.get(ENDPOINTS[about], 1.0)
        probes = [each.probe_ns for each in self._breakers.values() if each.probe_ns is not None]
        due_ns = min([time_ns for time_ns in probes if time_ns > now_ns], default=now_ns)
        if now_ns < self._held_until_ns:
            return self._held_until_ns - now_ns
        return max(self._budget.wait_ns(now_ns, weight), min(due_ns - now_ns, 1_000_000_000), 200_000)

    def answered(self, about: type, answer: Answer, now_ns: int) -> None:
        """Take in what came of a request: only that nothing came back is a failure of the endpoint."""
        breaker = self._breakers[ENDPOINTS[about]]
        if isinstance(answer, NotDone) and answer.retry_after_ns:
            # The venue said so itself: everything waits, not this request alone.
            self.hold(answer.retry_after_ns, now_ns)
            breaker.note_answer()
        elif isinstance(answer, Lost | NotDone):
            breaker.note_failure(now_ns)
        else:
            breaker.note_answer()

    def unsent(self, about: type) -> None:
        """Take in that a request which was let out never left this process: its endpoint did not fail."""
        self._breakers[ENDPOINTS[about]].note_unsent()

    def asked(self, question: Question, now_ns: int, *, has_answer: bool) -> None:
        """Take in whether a question was answered."""
        breaker = self._breakers[ENDPOINTS[type(question)]]
        if has_answer:
            breaker.note_answer()
        else:
            breaker.note_failure(now_ns)

    def hold(self, span_ns: int, now_ns: int) -> None:
        """Let nothing out for so long, because the venue asks for it."""
        if now_ns + span_ns > self._held_until_ns:
            self._held_until_ns, self._held_ns = now_ns + span_ns, span_ns

    def clock_trouble(self, wall_ns: int) -> str:
        """Say why no new order may leave for the time on it; empty where all is well."""
        estimate = self.clock.estimate(wall_ns)
        if estimate is None or estimate.distance_ns(wall_ns) <= self._window_ns * _WINDOW_SHARE:
            return ""
        way = "ahead of" if estimate.offset_ns > 0 else "behind"
        return (
            f"the venue's clock is {span_text(abs(estimate.offset_ns))} {way} this machine's, and it takes "
            f"requests within {span_text(self._window_ns)}: new orders wait until the clock here is set right"
        )

    def trouble(self, wall_ns: int) -> str:
        """Say what keeps requests from leaving; empty where nothing does."""
        tripped = [name.replace("_", " ") for name, each in self._breakers.items() if each.is_tripped]
        said = f"{', '.join(tripped)}: no answer for a while, tried again by one request at a time"
        held = f"the venue asks to be left alone for {span_text(self._held_ns)}, by cancels, too"
        is_held = self._held_until_ns > self._seen_ns and self._held_ns > _HELD_QUIET_NS
        parts = [
            said if tripped else "",
            held if is_held else "",
            self.clock_trouble(wall_ns),
            self._budget.trouble,
        ]
        return "; ".join(filter(None, parts))
