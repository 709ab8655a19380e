"""Compares the books with what the venue has, until they agree."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec

from tradecore.domain.times import span_text
from tradecore.domain.venue_findings import (
    Balances,
    FillSeen,
    FillsSince,
    Findings,
    OpenOrders,
    Positions,
    PositionSeen,
    Question,
)
from tradecore.runtime.live.balances import BalanceDifference, balance_differences

_SECOND_NS = 1_000_000_000
# What the venue told shortly before the stream broke may be missing here.
OVERLAP_NS = 60 * _SECOND_NS


class Step(StrEnum):
    """How far a comparison is."""

    IDLE = "idle"
    ASKING = "asking"
    SETTLING = "settling"
    COMPARING = "comparing"
    BALANCING = "balancing"
    AGREED = "agreed"
    DIFFERS = "differs"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A position that venue and books do not agree on, in lots; short is negative.

    Where positions hedge it is one ticket: `ticket` is its number in the books. One that they do not have has
    the venue's name (`venue_ticket`), and the price of its entry where the venue says that.
    """

    instrument: int | None
    symbol: str
    venue_lots: int
    book_lots: int
    ticket: int | None = None
    venue_ticket: str | None = None
    entry_ticks: int | None = None

    @property
    def name(self) -> str:
        """What differs, for people."""
        if self.venue_ticket is not None:
            return f"{self.symbol}, its ticket {self.venue_ticket}"
        return self.symbol if self.ticket is None else f"{self.symbol}, ticket {self.ticket}"


class Outcome(StrEnum):
    """What followed from an answer about positions."""

    NOTHING = "nothing"
    AGREED = "agreed"
    PARTED = "parted"


def _adopts_nothing(differences: tuple[Difference, ...]) -> bool:
    """Take over nothing."""
    return False


class Reconciliation:
    """One comparison after the other: after a start, each time that the stream was lost, and ever again.

    1. Ask for the open orders and for the fills since the watermark, less an overlap.
    2. Settle: wait until what ended has all its fills, and what is missing from the list was asked about.
    3. Compare the positions. What is told in between makes it ask again; that the venue has none has to be
       answered twice, since an empty list is no proof.
    4. Compare the balances, where the account owns what it buys: to the last digit.

    The watermark is the time of the venue up to which its fills were asked for and are in the books: what
    the stream tells does not move it, because a stream that tells much may still have left something out.

    A check, which is a comparison while books and venue agree, lets new risk go on. What differs is looked
    at once more, from the first step on; when it still differs, books and venue agree no more.

    Parameters
    ----------
    instruments : frozenset of int
        Of which the venue keeps positions. Of the others orders, fills and balances are compared.
    currencies : frozenset of str
        Whose balances are compared.
    names : mapping of str to str
        How the engine calls the balances, by the venue's names of the currencies; absent: alike.
    retry_seconds : float
        When to compare again what differs, and to ask again what was not answered.
    check_seconds : float
        How long after a comparison the next check begins; 0 for none.
    fills_kept_ns : int or None
        How long the venue shows a fill; `None` for ever.
    takes_short_lookback : bool
        Go on where the venue does not show fills far enough back, if all else agrees.
    """

    def __init__(
        self,
        instruments: frozenset[int],
        *,
        currencies: frozenset[str] = frozenset(),
        names: Mapping[str, str] | None = None,
        retry_seconds: float = 1.0,
        check_seconds: float = 60.0,
        fills_kept_ns: int | None = None,
        takes_short_lookback: bool = False,
    ) -> None:
        self._instruments, self._currencies, self._names = instruments, currencies, names or {}
        self._retry_ns = int(retry_seconds * _SECOND_NS)
        self._check_ns = int(check_seconds * _SECOND_NS)
        self._fills_kept_ns = fills_kept_ns
        self._takes_short = takes_short_lookback
        self.step = Step.IDLE
        # Whether books and venue agreed at the last comparison, and nothing was lost since.
        self.is_over = False
        self.differences: tuple[Difference, ...] = ()
        self.balances: tuple[BalanceDifference, ...] = ()
        # Why nothing follows from what the venue answered; empty where all is well.
        self.trouble = ""
        # Time of the venue up to which every fill is in the books.
        self.watermark_ns = 0
        self._due_ns = 0
        self._has_orders = self._has_fills = False
        self._asked_up_to_ns = 0
        self._empty_answers = 0
        self._differed = 0
        self._has_open_orders = True

    @property
    def shown(self) -> Step:
        """How it stands, for people: a check of what agrees shows nothing until it finds something."""
        if self.is_over:
            return Step.AGREED
        has_found = self.differences or self.balances
        return Step.DIFFERS if has_found and self.step is not Step.IDLE else self.step

    def begin(self, now_ns: int, *, has_open_orders: bool = True) -> None:
        """Begin anew; fills are asked for since the watermark.

        Without an order that was open at the watermark, no fill of ours can be older than what the venue
        shows.
        """
        self.is_over = False
        self.differences, self.balances, self._differed = (), (), 0
        self._has_open_orders = has_open_orders
        self._ask_anew(now_ns)

    def stop(self) -> None:
        """Stop, because nothing can be asked or told: what is known is as of the watermark."""
        self.step, self.is_over = Step.IDLE, False

    def _ask_anew(self, due_ns: int) -> None:
        self.step = Step.ASKING
        self._has_orders = self._has_fills = False
        self._asked_up_to_ns = 0
        self._empty_answers = 0
        self._due_ns = due_ns

    @property
    def _since_ns(self) -> int:
        return max(self.watermark_ns - OVERLAP_NS, 0)

    def asks(self, now_ns: int, *, is_settled: Callable[[], bool]) -> list[Question]:
        """Return what to ask now."""
        if self.step is Step.SETTLING and is_settled():
            self.step, self._due_ns = Step.COMPARING, now_ns
        if self.step in (Step.IDLE, Step.SETTLING) or now_ns < self._due_ns:
            return []
        if self.step is Step.AGREED:
            if not self._check_ns:
                return []
            self._ask_anew(now_ns)
        self._due_ns = now_ns + self._retry_ns
        if self.step is Step.ASKING:
            questions: list[Question] = [] if self._has_orders else [OpenOrders()]
            if not self._has_fills:
                questions.append(FillsSince(time_ns=self._since_ns))
            return questions
        return [Balances() if self.step is Step.BALANCING else Positions()]

    def hurry(self, now_ns: int) -> None:
        """Compare soon: others have traded, or the venue would not close what the books hold."""
        if self.step is Step.AGREED:
            self._due_ns = min(self._due_ns, now_ns + self._retry_ns // 4)

    def next_due_ns(self) -> int | None:
        """Return when something is due next."""
        is_waiting = self.step in (Step.IDLE, Step.SETTLING) or (
            self.step is Step.AGREED and not self._check_ns
        )
        return None if is_waiting else self._due_ns

    def found(self, question: Question, findings: Findings) -> None:
        """Take in an answer about orders or fills."""
        if self.step is not Step.ASKING or not isinstance(question, OpenOrders | FillsSince):
            return
        if isinstance(question, OpenOrders):
            self._has_orders = self._has_orders or self._is_whole(findings, "open orders")
        elif question.time_ns <= self._since_ns and not question.cursor:
            if findings.time_ns and question.time_ns > findings.time_ns:
                # The books were written by a clock that was ahead: nothing says how old they are.
                kept_ns = self._fills_kept_ns or findings.time_ns
                self.watermark_ns = max(findings.time_ns - kept_ns, 0) + OVERLAP_NS
                return
            is_whole = self._reaches_back(findings) and self._is_whole(findings, "fills")
            if is_whole and not self._has_fills:
                self._has_fills, self._asked_up_to_ns = True, findings.time_ns or _last_of(findings)
        if self._has_orders and self._has_fills:
            self.step, self.trouble = Step.SETTLING, ""

    def _is_whole(self, findings: Findings, what: str) -> bool:
        if not findings.is_complete:
            self.trouble = f"the venue did not show all {what}: nothing follows from what is absent"
        return findings.is_complete

    def _reaches_back(self, findings: Findings) -> bool:
        """Tell whether the venue still shows the fills since the last one that the books can have missed."""
        kept_ns = self._fills_kept_ns
        if kept_ns is None or not findings.time_ns or self._takes_short or not self._has_open_orders:
            return True
        if self.watermark_ns >= findings.time_ns - kept_ns:
            return True
        away, kept = (span_text(part_ns) for part_ns in (findings.time_ns - self.watermark_ns, kept_ns))
        self.trouble = (
            f"the books are {away} old, and the venue shows fills of the last {kept} alone: what its orders "
            "traded before that is not known. Compare by hand (`tradecore reconcile`, the venue's own "
            'statements), then set live.short_lookback = "accept" for one start, or begin a new journal'
        )
        return False

    def compare(
        self,
        findings: Findings,
        books: Mapping[int, int],
        symbols: Mapping[int, str],
        now_ns: int,
        *,
        has_news: bool,
        adopts: Callable[[tuple[Difference, ...]], bool] = _adopts_nothing,
        differ: Callable[[list[PositionSeen]], Iterable[Difference]] | None = None,
    ) -> Outcome:
        """Compare positions in lots by instrument; say whether books and venue came together or parted.

        `differ` compares in its own way what the venue shows: ticket by ticket where positions hedge.
        `has_news` says that something was told since the question was asked: the answer may be older.
        `adopts` is asked about what differs a second time: whether the books take it over as made by others.
        """
        if self.step is not Step.COMPARING:
            return Outcome.NOTHING
        if not self._is_whole(findings, "positions"):
            return Outcome.NOTHING
        self.trouble = ""
        if has_news:
            # At once where new risk waits for it.
            self._due_ns = now_ns + (self._retry_ns if self.is_over else 0)
            return Outcome.NOTHING
        seen = [each for each in findings.seen if isinstance(each, PositionSeen) and each.lots]
        kept = {instrument: lots for instrument, lots in books.items() if instrument in self._instruments}
        differences = tuple(position_differences(seen, kept, symbols) if differ is None else differ(seen))
        if differences:
            return self._differ(now_ns, differences, (), adopts)
        if not seen and self._instruments:
            self._empty_answers += 1
            if self._empty_answers < 2:
                self._due_ns = now_ns + self._retry_ns // 4
                return Outcome.NOTHING
        if self._currencies:
            self.step, self._due_ns = Step.BALANCING, now_ns
            return Outcome.NOTHING
        return self._agree(now_ns)

    def balance(
        self, findings: Findings, books: Mapping[str, int], now_ns: int, *, has_news: bool
    ) -> Outcome:
        """Compare balances in atto units by currency, as `compare` does with positions."""
        if self.step is not Step.BALANCING or not self._is_whole(findings, "balances"):
            return Outcome.NOTHING
        self.trouble = ""
        if has_news:
            # What was told meanwhile may be a trade, so the positions are compared again, too.
            self.step = Step.COMPARING
            self._due_ns = now_ns + (self._retry_ns if self.is_over else 0)
            return Outcome.NOTHING
        differences = tuple(balance_differences(findings, books, self._currencies, self._names))
        if not differences:
            return self._agree(now_ns)
        # Money that others moved is never taken over: an operator says what it was.
        return self._differ(now_ns, (), differences, lambda _: False)

    def _differ(
        self,
        now_ns: int,
        positions: tuple[Difference, ...],
        balances: tuple[BalanceDifference, ...],
        adopts: Callable[[tuple[Difference, ...]], bool],
    ) -> Outcome:
        """Begin again with the first step: a fill that was not told may be what differs."""
        self._differed += 1
        if self._differed >= 2 and adopts(positions):
            self._differed = 0
            self._ask_anew(now_ns)
            return Outcome.NOTHING
        has_parted = self.is_over and self._differed >= 2
        if not self.is_over or has_parted:
            self.differences, self.balances, self.is_over = positions, balances, False
        wait_ns = self._retry_ns << min(max(self._differed - 5, 0), 4)
        self._ask_anew(now_ns + wait_ns)
        return Outcome.PARTED if has_parted else Outcome.NOTHING

    def _agree(self, now_ns: int) -> Outcome:
        was_over, self.is_over = self.is_over, True
        self.step, self.differences, self.balances, self._differed = Step.AGREED, (), (), 0
        self.watermark_ns = max(self.watermark_ns, self._asked_up_to_ns)
        self._due_ns = now_ns + self._check_ns
        return Outcome.NOTHING if was_over else Outcome.AGREED


def _last_of(findings: Findings) -> int:
    """Return the time of the last trade in an answer that has no time of its own."""
    return max((seen.time_ns for seen in findings.seen if isinstance(seen, FillSeen)), default=0)


def position_differences(
    seen: list[PositionSeen], books: Mapping[int, int], symbols: Mapping[int, str]
) -> list[Difference]:
    """Return where positions of the venue and of the books are not the same, in lots by instrument."""
    venue = {each.instrument: each.lots for each in seen if each.instrument is not None}
    found = [
        Difference(
            instrument=instrument,
            symbol=symbols.get(instrument, str(instrument)),
            venue_lots=venue.get(instrument, 0),
            book_lots=books.get(instrument, 0),
        )
        for instrument in sorted({*venue, *books})
        if venue.get(instrument, 0) != books.get(instrument, 0)
    ]
    found += [
        Difference(instrument=None, symbol=each.symbol, venue_lots=each.lots, book_lots=0)
        for each in seen
        if each.instrument is None
    ]
    return found
