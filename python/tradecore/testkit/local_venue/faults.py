"""What goes wrong at a local venue, as a script that a seed makes repeatable."""

from collections.abc import Callable
from enum import StrEnum
from random import Random

import msgspec

from tradecore.domain.errors import InvalidValueError

_PPM = 1_000_000


class Endpoint(StrEnum):
    """Where something can go wrong: what is asked, and what is told."""

    SUBMIT = "submit"
    CANCEL = "cancel"
    CANCEL_ALL_AFTER = "cancel_all_after"
    REPLACE = "replace"
    OPEN_ORDERS = "open_orders"
    ONE_ORDER = "one_order"
    FILLS = "fills"
    POSITIONS = "positions"
    BALANCES = "balances"
    TIME = "time"
    RULES = "rules"
    TRADES = "trades"
    BARS = "bars"
    STREAM = "stream"
    STREAM_ORDER = "stream_order"
    STREAM_FILL = "stream_fill"
    STREAM_BALANCE = "stream_balance"
    MARKET = "market"
    TRADE = "trade"


FRAMES = frozenset({Endpoint.STREAM_ORDER, Endpoint.STREAM_FILL, Endpoint.STREAM_BALANCE})
SOCKETS = frozenset({Endpoint.STREAM, Endpoint.MARKET})
TRADES = frozenset({Endpoint.TRADE})
REQUESTS = frozenset(Endpoint) - FRAMES - SOCKETS - TRADES
# Requests that change nothing.
QUESTIONS = REQUESTS - {Endpoint.SUBMIT, Endpoint.CANCEL, Endpoint.REPLACE}


class FaultKind(StrEnum):
    """What goes wrong."""

    REQUEST_LOST = "request_lost"
    """The request is lost before it takes effect; the connection breaks."""
    ANSWER_LOST = "answer_lost"
    """The request takes effect, and its answer is lost; the connection breaks."""
    REQUEST_LATE = "request_late"
    """The request arrives `delay_ms` later."""
    ANSWER_LATE = "answer_late"
    """The request takes effect, and the answer comes `delay_ms` later."""
    REQUEST_DOUBLED = "request_doubled"
    """The request arrives twice, as a proxy sends it again; the answer is the second one's."""
    REQUEST_REORDERED = "request_reordered"
    """The request waits for the next one of its endpoint, at most `delay_ms` (0: a second)."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429 with `Retry-After`; the request has no effect."""
    SERVER_ERROR = "server_error"
    """An answer of `status`; with or without effect, as `takes_effect` says."""
    HALF_OPEN = "half_open"
    """The request is read and never answered; it has no effect, and the connection stays open."""
    EMPTY_LIST = "empty_list"
    """An empty list that claims to be complete."""
    PARTIAL_PAGE = "partial_page"
    """Half of the list, which says that it is not complete."""
    CLOCK_SKEW = "clock_skew"
    """The venue's clock is `delay_ms` ahead (negative: behind) for this request."""
    HTML_PAGE = "html_page"
    """The request takes effect, and a page of HTML comes back with `status`."""
    TRUNCATED_JSON = "truncated_json"
    """The request takes effect, and half of the answer comes back."""
    OLD_ANSWER = "old_answer"
    """A question gets the answer that was given to it last, as from a cache on the way."""
    FRAME_UNSENT = "frame_unsent"
    """The frame is never sent, and no number is missing."""
    FRAME_LOST = "frame_lost"
    """The frame is lost on its way: its number is missing."""
    FRAME_DOUBLED = "frame_doubled"
    """The frame comes twice."""
    FRAME_SWAPPED = "frame_swapped"
    """The frame comes after the next one."""
    FRAME_LATE = "frame_late"
    """The stream stands still for `delay_ms` before the frame."""
    FRAME_GARBLED = "frame_garbled"
    """The frame is cut in half."""
    DISCONNECT = "disconnect"
    """The connection breaks: before this frame, or as soon as it stands."""
    SILENCE = "silence"
    """The connection stays open and nothing comes any more, heartbeats neither."""
    TRADE_BUSTED = "trade_busted"
    """The venue takes a trade of an account back after `delay_ms`: it never happened."""
    TRADE_CORRECTED = "trade_corrected"
    """After `delay_ms` the trade has a price of `ticks` more and `lots` more (at least one is left)."""


_FOR_FRAMES = frozenset(
    {
        FaultKind.FRAME_UNSENT, FaultKind.FRAME_LOST, FaultKind.FRAME_DOUBLED, FaultKind.FRAME_SWAPPED,
        FaultKind.FRAME_LATE, FaultKind.FRAME_GARBLED, FaultKind.DISCONNECT, FaultKind.SILENCE,
    }
)  # fmt: skip
_FOR_SOCKETS = frozenset({FaultKind.DISCONNECT, FaultKind.SILENCE})
_FOR_TRADES = frozenset({FaultKind.TRADE_BUSTED, FaultKind.TRADE_CORRECTED})
_FOR_QUESTIONS = frozenset({FaultKind.OLD_ANSWER})
_FOR_REQUESTS = frozenset(FaultKind) - _FOR_FRAMES - _FOR_TRADES


class FaultRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that goes wrong, where and how often.

    Attributes
    ----------
    kind : FaultKind
        What goes wrong.
    endpoint : Endpoint
        Where.
    counts : tuple of int
        At which times, counted from 1 at this endpoint.
    probability_ppm : int
        Or with which probability each time, in millionths.
    times_max : int or None
        How often at most; `None` is without end.
    delay_ms : int
        For what is late, and for the skew of the clock; negative only there.
    status : int
        Status of a `server_error` or `html_page`.
    takes_effect : bool
        Whether a request has had its effect before a `server_error`.
    retry_after_seconds : int
        What `Retry-After` says.
    ticks, lots : int
        By how much the price and the size of a corrected trade are more; less where they are negative.
    """

    kind: FaultKind
    endpoint: Endpoint
    counts: tuple[int, ...] = ()
    probability_ppm: int = 0
    times_max: int | None = None
    delay_ms: int = 0
    status: int = 503
    takes_effect: bool = False
    retry_after_seconds: int = 1
    ticks: int = 1
    lots: int = 0

    def __post_init__(self) -> None:
        """Refuse a fault that cannot happen at its endpoint, or never does."""
        allowed = (
            _FOR_FRAMES
            if self.endpoint in FRAMES
            else _FOR_SOCKETS
            if self.endpoint in SOCKETS
            else _FOR_TRADES
            if self.endpoint in TRADES
            else _FOR_REQUESTS
            if self.endpoint in QUESTIONS
            else _FOR_REQUESTS - _FOR_QUESTIONS
        )
        if self.kind not in allowed:
            rule = f"cannot happen at {self.endpoint.value!r}: {', '.join(sorted(allowed))} can"
            raise InvalidValueError("kind", self.kind.value, rule)
        if bool(self.counts) == bool(self.probability_ppm) or any(count < 1 for count in self.counts):
            rule = "must be counts from 1 on, or `probability_ppm` must be above 0: one of the two"
            raise InvalidValueError("counts", self.counts, rule)
        if not 0 <= self.probability_ppm <= _PPM:
            raise InvalidValueError("probability_ppm", self.probability_ppm, "must be from 0 to 1000000")
        if self.delay_ms < 0 and self.kind is not FaultKind.CLOCK_SKEW:
            raise InvalidValueError("delay_ms", self.delay_ms, "must not be negative but for `clock_skew`")
        if not 400 <= self.status <= 599:
            raise InvalidValueError("status", self.status, "must be a status of failure, from 400 to 599")
        if self.retry_after_seconds < 0 or (self.times_max is not None and self.times_max < 1):
            raise InvalidValueError(
                "times_max", self.times_max, "must be above 0, `retry_after_seconds` 0 or more"
            )


class FaultScript(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to go wrong; of several rules for one moment the first one holds.

    Attributes
    ----------
    seed : int
        Decides what happens with a probability.
    rules : tuple of FaultRule
        For the venue.
    query_rules : tuple of FaultRule
        For the endpoint of those who only ask, which has questions alone.
    """

    seed: int = 0
    rules: tuple[FaultRule, ...] = ()
    query_rules: tuple[FaultRule, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot happen where one can only ask."""
        for rule in self.query_rules:
            if rule.endpoint not in QUESTIONS:
                words = f"must be a question: {', '.join(sorted(QUESTIONS))}"
                raise InvalidValueError("query_rules", rule.endpoint.value, words)

    @property
    def of_queries(self) -> "FaultScript":
        """What is to go wrong where one can only ask."""
        return FaultScript(seed=self.seed, rules=self.query_rules)


class FaultSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that happened, and at which count of its endpoint."""

    kind: FaultKind
    endpoint: Endpoint
    count: int


class Faults:
    """Draws from a script what goes wrong; the same seed and the same questions give the same answers.

    Parameters
    ----------
    script : FaultScript
        What is to go wrong.

    Attributes
    ----------
    seen : list of FaultSeen
        What went wrong so far.
    on_seen : callable
        Told of each of them as it happens.
    """

    def __init__(self, script: FaultScript) -> None:
        self._rules: dict[Endpoint, list[tuple[FaultRule, Random, frozenset[int]]]] = {}
        for number, rule in enumerate(script.rules):
            # S311: chance for a simulation, not for a secret.
            chance = Random(f"{script.seed}/{number}")  # noqa: S311
            self._rules.setdefault(rule.endpoint, []).append((rule, chance, frozenset(rule.counts)))
        self._counts: dict[Endpoint, int] = dict.fromkeys(Endpoint, 0)
        self._left: dict[int, int] = {}
        self.seen: list[FaultSeen] = []
        self.on_seen: Callable[[FaultSeen], None] = _tell_nobody

    def cease(self) -> None:
        """Let nothing go wrong from here on."""
        self._rules.clear()

    def draw(self, endpoint: Endpoint) -> FaultRule | None:
        """Count one more at an endpoint, and say what goes wrong there; mostly nothing."""
        self._counts[endpoint] = count = self._counts[endpoint] + 1
        found: FaultRule | None = None
        for rule, chance, counts in self._rules.get(endpoint, ()):
            # Each rule draws every time, so that one rule changes nothing in another.
            happens = count in counts or (
                rule.probability_ppm > 0 and chance.randrange(_PPM) < rule.probability_ppm
            )
            if happens and found is None and self._may_happen(rule):
                found = rule
        if found is not None:
            self.seen.append(FaultSeen(kind=found.kind, endpoint=endpoint, count=count))
            self.on_seen(self.seen[-1])
        return found

    def _may_happen(self, rule: FaultRule) -> bool:
        if rule.times_max is None:
            return True
        left = self._left.get(id(rule), rule.times_max)
        self._left[id(rule)] = left - 1
        return left > 0


def _tell_nobody(seen: FaultSeen) -> None:
    """Leave it to who reads `seen`."""
