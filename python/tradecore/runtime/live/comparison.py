"""Compares what a journal says with what a venue shows, for people: nothing is changed on either side."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum

import msgspec

from tradecore.domain.account_part import AccountPart
from tradecore.domain.errors import VenueError
from tradecore.domain.order_words import order_text
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import (
    Balances,
    BalanceSeen,
    FillSeen,
    FillsSince,
    Findings,
    OneOrder,
    OpenOrders,
    OrderSeen,
    Positions,
    PositionSeen,
    Question,
    VenueOrderState,
)
from tradecore.ports.venue_queries import VenueQueries
from tradecore.runtime.live.allowance import ENDPOINTS
from tradecore.runtime.live.balances import (
    BalanceDifference,
    balance_differences,
    compared_currencies,
    exchanged_words,
)
from tradecore.runtime.live.budget import Budget
from tradecore.runtime.live.client_ids import ClientIds, is_ours
from tradecore.runtime.live.journal_books import BookedOrder, JournalBooks, TradeName
from tradecore.runtime.live.journal_money import JournalMoney
from tradecore.runtime.live.pages import whole
from tradecore.runtime.live.reconciliation import OVERLAP_NS, Difference, position_differences
from tradecore.runtime.live.tickets import ticket_differences

# Orders that are asked about one by one; a list of more is looked through in parts by calling again.
ORDERS_ASKED_MAX = 200
_QUESTIONS_AT_ONCE = 4


class FindingKind(StrEnum):
    """What books and venue do not agree on, or what is to be known beside that."""

    IN_DOUBT = "in_doubt"
    NOT_OPEN_THERE = "not_open_there"
    NOT_OPEN_HERE = "not_open_here"
    CHANGED_THERE = "changed_there"
    FILL_NOT_BOOKED = "fill_not_booked"
    FILL_NOT_SHOWN = "fill_not_shown"
    POSITION = "position"
    BALANCE = "balance"
    ORDER_OF_OTHERS = "order_of_others"
    FILL_OF_OTHERS = "fill_of_others"


_BESIDE = frozenset({FindingKind.ORDER_OF_OTHERS, FindingKind.FILL_OF_OTHERS})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found.

    Attributes
    ----------
    kind : FindingKind
        What it is.
    subject : str
        Name of the order, the trade or the instrument: with the kind it names the finding.
    words : str
        What was found, in a sentence.
    """

    kind: FindingKind
    subject: str
    words: str

    @property
    def is_difference(self) -> bool:
        """Whether books and venue differ by it; orders and trades of others are no fault of the books."""
        return self.kind not in _BESIDE


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue answered to all questions of one round.

    Attributes
    ----------
    orders, fills, positions, balances : Findings
        Answers to the questions of these names.
    single : dict
        Answers about single orders, by number.
    since_ns : int
        From which time of the venue on fills were asked for.
    """

    orders: Findings
    fills: Findings
    positions: Findings
    balances: Findings
    since_ns: int
    single: dict[int, Findings] = {}

    @property
    def is_empty(self) -> bool:
        """Whether the venue shows neither an order nor a position."""
        return not self.orders.seen and not any(
            seen.lots for seen in self.positions.seen if isinstance(seen, PositionSeen)
        )


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a comparison.

    Attributes
    ----------
    findings : tuple of Finding
        Differences, and beside them what others have at the account.
    troubles : tuple of str
        Why nothing follows from a part of what the venue answered; empty where all was answered in whole.
    venue_time_ns, fills_since_ns : int
        The venue's own time, 0 where it says none, and from when on fills were compared.
    open_orders, venue_open_orders : int
        Orders that are open by the books and were sent, and orders that the venue shows as open.
    positions : dict
        Lots that the venue shows, by symbol.
    balances : tuple of BalanceSeen
        What the venue shows.
    compared_balances : frozenset of str
        Which of them were compared: those of an account that owns what it buys.
    rounds : int
        How often the venue was asked.
    """

    findings: tuple[Finding, ...]
    troubles: tuple[str, ...]
    venue_time_ns: int
    fills_since_ns: int
    open_orders: int
    venue_open_orders: int
    positions: dict[str, int]
    balances: tuple[BalanceSeen, ...]
    compared_balances: frozenset[str] = frozenset()
    rounds: int = 1

    @property
    def verdict(self) -> str:
        """`differ`, `undecided` where the venue did not show all, else `agree`."""
        if any(finding.is_difference for finding in self.findings):
            return "differ"
        return "undecided" if self.troubles else "agree"


class _Round:
    """Compares the books with one round of answers."""

    def __init__(
        self,
        books: JournalBooks,
        shown: Shown,
        ids: ClientIds | None,
        units: Units,
        kept: frozenset[int],
        part: AccountPart,
    ) -> None:
        self._books, self._shown, self._ids, self._units, self._kept = books, shown, ids, units, kept
        self._account = part

    def findings(self) -> Iterator[Finding]:
        """Give everything that was found."""
        yield from self._orders_there()
        yield from self._orders_here()
        yield from self._fills()
        yield from self._positions()
        yield from self._balances()

    def troubles(self) -> Iterator[str]:
        """Say what the venue did not show in whole."""
        shown = self._shown
        parts = {"open orders": shown.orders, "fills": shown.fills, "positions": shown.positions}
        if self.currencies:
            parts["balances"] = shown.balances
        for name, answer in parts.items():
            if not answer.is_complete:
                yield f"the venue did not show all {name}: nothing follows from what is absent"
        unasked = len(self.missing()) - len(shown.single)
        if unasked > 0:
            yield f"{unasked} more orders are not in its list, and were not asked about one by one"

    def missing(self) -> list[int]:
        """Return the numbers of orders that are open here and not in the venue's list."""
        there = self._there()
        return [number for number, each in self._books.orders.items() if each.is_sent and number not in there]

    def _number_of(self, seen: OrderSeen | FillSeen) -> int | None:
        known = None if self._ids is None else self._ids.order_id(seen.client_order_id)
        return known or self._books.others.get(seen.venue_order_id)

    def _there(self) -> dict[int, OrderSeen]:
        """Return the open orders of this journal that the venue shows, by number."""
        seen = [each for each in self._shown.orders.seen if isinstance(each, OrderSeen)]
        numbered = {self._number_of(each): each for each in seen}
        return {number: each for number, each in numbered.items() if number is not None}

    def _orders_there(self) -> Iterator[Finding]:
        for seen in self._shown.orders.seen:
            if not isinstance(seen, OrderSeen):
                continue
            number = self._number_of(seen)
            if number is None:
                words = f"{self._seen_words(seen)} is {self._whose(seen.client_order_id)}"
                yield Finding(kind=FindingKind.ORDER_OF_OTHERS, subject=seen.venue_order_id, words=words)
            elif number not in self._books.orders:
                words = f"order {number} is over in the books, and the venue shows {self._seen_words(seen)}"
                yield Finding(kind=FindingKind.NOT_OPEN_HERE, subject=str(number), words=words)
            else:
                yield from self._both(number, self._books.orders[number], seen)

    def _whose(self, name: str | None) -> str:
        """Say whose an order is that is not in the books."""
        if self._ids is not None and (named := self._ids.epoch_and_number(name)) is not None:
            return f"of an engine with epoch {named[0]} that goes on with another copy of this journal"
        return "of another journal of tradecore" if is_ours(name) else "of others"

    def _both(self, number: int, order: BookedOrder, seen: OrderSeen) -> Iterator[Finding]:
        """Compare an order that is open on both sides."""
        said = f"order {number}, {order_text(order.known, self._units)}"
        if order.is_in_doubt:
            words = f"{said}, is in doubt in the books; the venue shows {self._seen_words(seen)}"
            yield Finding(kind=FindingKind.IN_DOUBT, subject=str(number), words=words)
            return
        # Of an order that was sent anew the venue shows what filled since; each trade is compared anyway.
        filled_lots = seen.filled_lots if order.revision else order.known.filled_lots
        here = (order.price_ticks, order.open_lots, filled_lots)
        price = here[0] if None in (here[0], seen.price_ticks) else seen.price_ticks
        if here != (price, seen.open_lots, seen.filled_lots):
            words = f"{said}, has {self._part(order)} in the books; the venue shows {self._seen_words(seen)}"
            yield Finding(kind=FindingKind.CHANGED_THERE, subject=str(number), words=words)

    def _orders_here(self) -> Iterator[Finding]:
        """Look at orders that are open by the books and not in the venue's list."""
        if not self._shown.orders.is_complete:
            return
        for number in self.missing():
            order = self._books.orders[number]
            kind = FindingKind.IN_DOUBT if order.is_in_doubt else FindingKind.NOT_OPEN_THERE
            state = "in doubt" if order.is_in_doubt else f"open with {self._part(order)}"
            said = f"order {number}, {order_text(order.known, self._units)}, is {state} in the books"
            words = f"{said}; {self._asked_words(number)}"
            yield Finding(kind=kind, subject=str(number), words=words)

    def _asked_words(self, number: int) -> str:
        answer = self._shown.single.get(number)
        if answer is None:
            return "the venue's list of open orders does not have it"
        seen = [self._seen_words(each) for each in answer.seen if isinstance(each, OrderSeen)]
        if not seen and answer.is_complete:
            return "the venue shows it neither among open orders nor when asked about it"
        return f"the venue shows {', and '.join(seen)}" if seen else "the venue did not say all about it"

    def _fills(self) -> Iterator[Finding]:
        shown = [each for each in self._shown.fills.seen if isinstance(each, FillSeen)]
        # What is shown last of a trade is what it is.
        for name, fill in {TradeName.of(fill): fill for fill in shown}.items():
            told = self._books.revisions.get(name, 0)
            if fill.revision <= told and (told or name in self._books.trades):
                continue
            number = self._number_of(fill)
            if number is None:
                words = f"trade {fill.trade_id}: {self._fill_words(fill)}, by others"
                yield Finding(kind=FindingKind.FILL_OF_OTHERS, subject=fill.trade_id, words=words)
            else:
                lacks = (
                    "was told anew, and the books do not have it" if fill.revision else "is not in the books"
                )
                words = f"trade {fill.trade_id} of order {number} {lacks}: {self._fill_words(fill)}"
                yield Finding(kind=FindingKind.FILL_NOT_BOOKED, subject=fill.trade_id, words=words)
        if not self._shown.fills.is_complete:
            return
        there = {TradeName.of(fill) for fill in shown}
        for name, time_ns in self._books.trades.items():
            if time_ns >= self._shown.since_ns and name not in there:
                trade = name.trade_id
                words = f"trade {trade} is in the books, and the venue's list of fills does not have it"
                yield Finding(kind=FindingKind.FILL_NOT_SHOWN, subject=trade, words=words)

    def _positions(self) -> Iterator[Finding]:
        if not self._shown.positions.is_complete:
            return
        seen = [each for each in self._shown.positions.seen if isinstance(each, PositionSeen) and each.lots]
        kept = {number: lots for number, lots in self._books.positions.items() if number in self._kept}
        symbols = dict(enumerate(self._units.symbols))
        tickets = self._books.tickets
        differences = (
            position_differences(seen, kept, symbols)
            if tickets is None
            else ticket_differences(seen, tickets.lots, symbols, self._number_of_ticket)
        )
        for each in differences:
            words = f"{each.name}: the venue has {self._held(each, each.venue_lots)}, the books have "
            words += self._held(each, each.book_lots)
            yield Finding(kind=FindingKind.POSITION, subject=each.name, words=words)

    def _number_of_ticket(self, seen: PositionSeen) -> int | None:
        """Return the number of a ticket in the books: that of the order that opened it."""
        known = None if self._ids is None else self._ids.order_id(seen.client_order_id)
        names = {} if self._books.tickets is None else self._books.tickets.names
        return known or self._books.others.get(seen.ticket or "") or names.get(seen.ticket or "")

    def _differing_balances(self, money: JournalMoney) -> Iterator[BalanceDifference]:
        shown, names = self._shown.balances, self._account.balances
        return balance_differences(shown, money.atto, self.currencies, names)

    @property
    def currencies(self) -> frozenset[str]:
        """Whose balances are compared: those of an account that owns what it buys."""
        return compared_currencies(self._units, self._kept, self._account)

    def _balances(self) -> Iterator[Finding]:
        money = self._books.money
        if money is None or not self._shown.balances.is_complete:
            return
        differing = list(self._differing_balances(money))
        exchanged = exchanged_words(differing)
        for each in differing:
            beside = f"; {exchanged}" if exchanged and each is differing[-1] else ""
            yield Finding(kind=FindingKind.BALANCE, subject=each.currency, words=each.words + beside)

    def _held(self, each: Difference, lots: int) -> str:
        return (
            f"{lots} lots" if each.instrument is None else f"{self._units.quantity(each.instrument, lots):f}"
        )

    def _part(self, order: BookedOrder) -> str:
        number, known = order.known.instrument, order.known
        price = "" if order.price_ticks is None else f" at {self._units.price(number, order.price_ticks):f}"
        open_size, filled = self._size(number, order.open_lots), self._size(number, known.filled_lots)
        return f"{open_size} open{price}, {filled} filled"

    def _seen_words(self, seen: OrderSeen) -> str:
        number = seen.instrument
        state = "" if seen.state is VenueOrderState.OPEN else f", {seen.state.value}"
        price = ""
        if seen.price_ticks is not None and number is not None:
            price = f" at {self._units.price(number, seen.price_ticks):f}"
        sizes = f"{self._size(number, seen.open_lots)} open, {self._size(number, seen.filled_lots)} filled"
        return f"{seen.side} {seen.symbol}{price} ({sizes}{state}; its number {seen.venue_order_id})"

    def _fill_words(self, fill: FillSeen) -> str:
        number = fill.instrument
        if fill.revision and not fill.lots:
            return "it never happened"
        price = "" if number is None else f" at {self._units.price(number, fill.price_ticks):f}"
        return f"{fill.side} {self._size(number, fill.lots)} {fill.symbol}{price}"

    def _size(self, instrument: int | None, lots: int) -> str:
        return f"{lots} lots" if instrument is None else f"{self._units.quantity(instrument, lots):f}"


class Comparer:
    """Asks a venue and compares its answers with the books of a journal, which may go on meanwhile.

    A difference counts when it is found twice, with what the journal has by then: what an engine that runs
    changes between the two rounds is none. That the venue shows nothing at all has to be answered twice too.

    Parameters
    ----------
    venue : VenueQueries
        Only asked.
    catch_up : callable
        Brings the books up to the end of the journal.
    books : JournalBooks
        The books.
    ids : ClientIds or None
        Names of the journal's orders; `None` where there is no journal.
    units : Units
        What numbers mean.
    pause_seconds : float
        How long to wait between two rounds.
    budget : Budget, optional
        Lets questions out; shared with an engine that runs, so that it is left what it needs.
    room_seconds_max : float
        How long a question waits for room.
    part : AccountPart, optional
        The account of several that is compared, and `books` are of; without one it is all of the engine.
    """

    def __init__(
        self,
        venue: VenueQueries,
        catch_up: Callable[[], object],
        books: JournalBooks,
        *,
        ids: ClientIds | None,
        units: Units,
        pause_seconds: float = 1.0,
        budget: Budget | None = None,
        room_seconds_max: float = 30.0,
        part: AccountPart | None = None,
    ) -> None:
        self._part = part or units.parts[0]
        self._venue, self._catch_up, self._books, self._ids, self._units = venue, catch_up, books, ids, units
        self._pause_seconds = pause_seconds
        self._answers = asyncio.Semaphore(_QUESTIONS_AT_ONCE)
        self._budget, self._room_seconds_max = budget, room_seconds_max

    async def compared(self) -> Comparison:
        """Return what was found.

        Raises
        ------
        VenueError
            When the venue does not answer.
        StorageError
            When the journal cannot be read.
        """
        first, shown = await self._round()
        has_doubt = any(finding.is_difference for finding in first.findings)
        if not has_doubt and not shown.is_empty:
            return first
        await asyncio.sleep(self._pause_seconds)
        second, _ = await self._round()
        before = {(finding.kind, finding.subject) for finding in first.findings}
        twice = [
            finding
            for finding in second.findings
            if not finding.is_difference or (finding.kind, finding.subject) in before
        ]
        return msgspec.structs.replace(second, findings=tuple(twice), rounds=2)

    async def _round(self) -> tuple[Comparison, Shown]:
        self._catch_up()
        shown = await self._asked(self._since_ns())
        # What was booked while it answered is no difference.
        self._catch_up()
        single = await self._asked_one_by_one(self._compared(shown).missing())
        shown = msgspec.structs.replace(shown, single=single)
        return self._comparison(self._compared(shown), shown), shown

    def _compared(self, shown: Shown) -> _Round:
        kept = self._venue.capabilities.positions
        return _Round(self._books, shown, self._ids, self._units, kept, self._part)

    def _comparison(self, compared: _Round, shown: Shown) -> Comparison:
        held: dict[str, int] = {}
        for each in shown.positions.seen:
            if isinstance(each, PositionSeen) and each.lots:
                # Of tickets it is what is long less what is short.
                held[self._symbol(each)] = held.get(self._symbol(each), 0) + each.lots
        return Comparison(
            findings=tuple(compared.findings()),
            troubles=tuple(compared.troubles()),
            venue_time_ns=max(shown.orders.time_ns, shown.fills.time_ns, shown.positions.time_ns),
            fills_since_ns=shown.since_ns,
            open_orders=sum(order.is_sent for order in self._books.orders.values()),
            venue_open_orders=sum(isinstance(each, OrderSeen) for each in shown.orders.seen),
            positions=held,
            balances=tuple(each for each in shown.balances.seen if isinstance(each, BalanceSeen)),
            compared_balances=compared.currencies,
        )

    def _symbol(self, held: PositionSeen) -> str:
        """Return the name of an instrument here; that of the venue for one that is none of ours."""
        return held.symbol if held.instrument is None else self._units.symbols[held.instrument]

    def _since_ns(self) -> int:
        """Return from when on fills matter: since the oldest open order, or the last word of the venue."""
        books = self._books
        times = [order.known.terms.decided_ns for order in books.orders.values() if order.is_sent]
        since_ns = min([*times, books.venue_time_ns or books.began_ns]) - OVERLAP_NS
        return max(since_ns, books.trades_from_ns, 0)

    async def _asked(self, since_ns: int) -> Shown:
        orders, fills, positions, balances = await self._all(
            [OpenOrders(), FillsSince(time_ns=since_ns), Positions(), Balances()]
        )
        return Shown(orders=orders, fills=fills, positions=positions, balances=balances, since_ns=since_ns)

    async def _asked_one_by_one(self, numbers: Sequence[int]) -> dict[int, Findings]:
        wanted = list(numbers[:ORDERS_ASKED_MAX]) if self._ids is not None else []
        answers = await self._all([self._about(number) for number in wanted])
        return dict(zip(wanted, answers, strict=True))

    def _about(self, number: int) -> Question:
        ids, order = self._ids, self._books.orders[number]
        is_of_others = number in self._books.others.values() and not order.revision
        name = (order.others_name or "") if ids is None or is_of_others else ids.of(number, order.revision)
        return OneOrder(
            client_order_id=name, venue_order_id=order.venue_order_id, instrument=order.known.instrument
        )

    async def _all(self, questions: Sequence[Question]) -> list[Findings]:
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._answer(question)) for question in questions]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        return [task.result() for task in tasks]

    async def _room(self, question: Question) -> None:
        """Wait until a question may leave; raise `VenueError` when that takes too long."""
        weight = self._venue.capabilities.weights.get(ENDPOINTS[type(question)], 1.0)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._room_seconds_max
        while self._budget is not None:
            now_ns = int(loop.time() * 1e9)
            if self._budget.take(now_ns, weight, is_cancel=False):
                return
            if loop.time() >= until:
                why = self._budget.trouble or (
                    "other processes on this account use up all requests that the venue allows. Try again "
                    "when they do less"
                )
                raise VenueError(f"no question could be asked for {self._room_seconds_max:g} s: {why}")
            seconds = max(self._budget.wait_ns(now_ns, weight), 1_000_000) / 1e9
            await asyncio.sleep(min(seconds, max(until - loop.time(), 0.001)))

    async def _answer(self, question: Question) -> Findings:
        answer = await whole(question, self._page)
        # A page that does not come raises.
        return answer or Findings(is_complete=False)

    async def _page(self, question: Question) -> Findings:
        async with self._answers:
            await self._room(question)
            try:
                return await self._venue.query(question)
            except VenueError:
                if isinstance(question, OneOrder):
                    # That a single question has no answer says nothing about the others.
                    return Findings(is_complete=False)
                raise
