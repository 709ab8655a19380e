"""What every venue outside promises, as tests: derive a test class and give it its four fixtures."""

# ruff: noqa: S101 - contracts are tests

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeAlias, TypeVar

import msgspec

from tradecore.domain.errors import VenueError
from tradecore.domain.record_bodies import OrderTerms
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import (
    Balances,
    BalanceSeen,
    FillSeen,
    FillsSince,
    Message,
    OneOrder,
    OpenOrders,
    OrderSeen,
    Positions,
    PositionSeen,
    StreamLost,
    StreamReady,
    VenueOrderState,
)
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Replace, Submit, Taken
from tradecore.ports.venue import Venue
from tradecore.runtime.live.pages import whole

SECONDS_MAX = 10.0
# Makes a venue tell a trade anew: the trade, its price in ticks and its lots from then on.
Revise: TypeAlias = Callable[[FillSeen, int, int], Awaitable[None]]
_MessageT = TypeVar("_MessageT", bound=Message)


class VenueContract:
    """The promises of the `Venue` port.

    A subclass has these pytest fixtures, new for every test:

    - `venue`, a `Venue` of an account that is allowed to trade and has no open order;
    - `resting`, the `OrderTerms` of a limit order that rests, with its `lots` (at least 2) and price;
    - `trading`, the `OrderTerms` of an order that trades at once, with its `lots` (at least 3 where the venue
      hedges);
    - `revise`, which makes the venue tell a trade anew: it is awaited with a `FillSeen`, and the price in
      ticks and the lots of the trade from then on (0 lots: it is busted). `None` for a venue that never
      busts or corrects a trade.
    """

    async def test_reports_begin_by_saying_whether_the_stream_stands(self, venue: Venue) -> None:
        """Whoever reads knows from the first message on whether what happens is told."""
        async with aclosing(_reports(venue)) as reports:
            async with asyncio.timeout(SECONDS_MAX):
                assert isinstance(await anext(reports), StreamReady | StreamLost)

    async def test_an_order_that_was_taken_is_told_and_found_by_both_questions(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """The stream, the open orders and the order itself say the same."""
        async with aclosing(_reports(venue)) as reports:
            await _next(reports, StreamReady, lambda _: True)
            name = await _taken(venue, resting, "contract-1")
            told = await _next(reports, OrderSeen, lambda order: order.venue_order_id == name)

        assert (told.state, told.open_lots, told.filled_lots) == (VenueOrderState.OPEN, resting.lots, 0)
        assert (told.side, told.price_ticks, told.instrument) == (
            resting.side,
            resting.price_ticks,
            resting.instrument,
        )
        assert await _open(venue) == {name}
        (found,) = await _orders(venue, resting, "contract-1", name)
        assert (found.state, found.open_lots, found.price_ticks) == (
            VenueOrderState.OPEN,
            resting.lots,
            resting.price_ticks,
        )

    async def test_an_order_of_which_the_end_was_asked_is_not_open_any_more(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """A cancel is taken, told, and found."""
        async with aclosing(_reports(venue)) as reports:
            await _next(reports, StreamReady, lambda _: True)
            name = await _taken(venue, resting, "contract-1")
            cancel = Cancel(client_order_id="contract-1", venue_order_id=name, instrument=resting.instrument)
            assert isinstance(await venue.cancel(cancel), Taken)
            await _next(
                reports,
                OrderSeen,
                lambda order: (order.venue_order_id, order.state) == (name, VenueOrderState.CANCELED),
            )

        assert await _open(venue) == set()
        (found,) = await _orders(venue, resting, "contract-1", name)
        assert (found.state, found.open_lots) == (VenueOrderState.CANCELED, 0)

    async def test_the_end_of_an_order_that_nobody_knows_is_declined(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """A venue without ids of clients cannot be asked for an order that it never named."""
        answer = await venue.cancel(Cancel(client_order_id="contract-9", instrument=resting.instrument))

        if venue.capabilities.duplicate_ids is DuplicateIds.NONE:
            assert isinstance(answer, NotDone)
        else:
            assert isinstance(answer, Declined)
            assert answer.reason == "unknown_order"

    async def test_an_id_that_was_seen_before_is_treated_as_the_capabilities_say(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """Sent twice while the first order is open, then once more after its end; a refusal opens nothing."""
        rule = venue.capabilities.duplicate_ids
        first = await _taken(venue, resting, "contract-1")
        second = await venue.submit(_submit(resting, "contract-1"))
        opened = await _open(venue)

        if rule in {DuplicateIds.REFUSED, DuplicateIds.REFUSED_WHILE_OPEN}:
            assert not isinstance(second, Taken)
            assert opened == {first}
        else:
            assert isinstance(second, Taken)
            assert len(opened) == 2
        for name in opened:
            cancel = Cancel(client_order_id="contract-1", venue_order_id=name, instrument=resting.instrument)
            assert isinstance(await venue.cancel(cancel), Taken)
        third = await venue.submit(_submit(resting, "contract-1"))
        assert isinstance(third, Taken) is (rule is not DuplicateIds.REFUSED)

    async def test_an_amendment_changes_price_and_open_size_or_is_declined(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """A venue that amends nothing says so, and leaves the order as it is."""
        name = await _taken(venue, resting, "contract-1")
        assert resting.lots is not None
        assert resting.price_ticks is not None
        price_ticks = resting.price_ticks + (-1 if resting.side == "buy" else 1)
        answer = await venue.replace(
            Replace(
                client_order_id="contract-1",
                venue_order_id=name,
                instrument=resting.instrument,
                price_ticks=price_ticks,
                open_lots=resting.lots - 1,
            )
        )
        opens = [
            (order.price_ticks, order.open_lots)
            for order in await _seen(venue, OpenOrders())
            if isinstance(order, OrderSeen)
        ]

        if venue.capabilities.replaces:
            assert isinstance(answer, Taken)
            assert opens == [(price_ticks, resting.lots - 1)]
        else:
            assert isinstance(answer, Declined)
            assert opens == [(resting.price_ticks, resting.lots)]

    async def test_a_trade_is_told_and_found_again_under_the_same_name(
        self, venue: Venue, trading: OrderTerms
    ) -> None:
        """Stream and question name the same trades; after the cursor of the last one there is nothing."""
        async with aclosing(_reports(venue)) as reports:
            await _next(reports, StreamReady, lambda _: True)
            name = await _taken(venue, trading, "contract-1")
            told = [await _next(reports, FillSeen, lambda fill: fill.venue_order_id == name)]
            while sum(fill.lots for fill in told) < (trading.lots or 0):
                told.append(await _next(reports, FillSeen, lambda fill: fill.venue_order_id == name))
        found = [
            fill
            for fill in await _seen(venue, FillsSince(time_ns=told[0].time_ns))
            if isinstance(fill, FillSeen)
        ]

        assert found == told
        assert len({fill.trade_id for fill in told}) == len(told)
        assert all(fill.lots > 0 and fill.liquidity in {"maker", "taker"} for fill in told)
        if told[-1].cursor:
            assert await _seen(venue, FillsSince(time_ns=0, cursor=told[-1].cursor)) == ()

    async def test_a_trade_that_is_told_anew_has_a_higher_revision_each_time(
        self, venue: Venue, trading: OrderTerms, revise: Revise | None
    ) -> None:
        """Stream and question say it alike: corrected, busted, restored. The order has filled as before."""
        async with aclosing(_reports(venue)) as reports:
            await _next(reports, StreamReady, lambda _: True)
            name = await _taken(venue, trading, "contract-1")
            first = await _next(reports, FillSeen, lambda fill: fill.venue_order_id == name)
            assert first.revision == 0
            if revise is None:
                # Of a venue that tells each trade once this is all that there is to promise.
                return
            (order,) = await _orders(venue, trading, "contract-1", name)
            told: list[FillSeen] = []
            for price_ticks, lots in ((first.price_ticks + 1, first.lots), (first.price_ticks, 0)):
                await revise(first, price_ticks, lots)
                told.append(await _next(reports, FillSeen, lambda fill: _is_later(fill, [first, *told])))
            await revise(first, first.price_ticks, first.lots)
            told.append(await _next(reports, FillSeen, lambda fill: _is_later(fill, told)))

        assert [fill.lots for fill in told] == [first.lots, 0, first.lots]
        assert (told[0].price_ticks, told[2].price_ticks) == (first.price_ticks + 1, first.price_ticks)
        assert {fill.trade_id for fill in told} == {first.trade_id}
        found = [
            fill
            for fill in await _seen(venue, FillsSince(time_ns=first.time_ns))
            if isinstance(fill, FillSeen) and fill.trade_id == first.trade_id
        ]
        assert found[-1] == told[-1]
        if first.cursor:
            # What was told anew since a cursor comes after it.
            since = await _seen(venue, FillsSince(time_ns=0, cursor=first.cursor))
            assert told[-1] in since
        (after,) = await _orders(venue, trading, "contract-1", name)
        assert (after.state, after.filled_lots) == (order.state, order.filled_lots)

    async def test_what_closes_a_ticket_closes_that_one_and_opens_nothing(
        self, venue: Venue, trading: OrderTerms
    ) -> None:
        """Long and short at once: in part, in whole, and declined once nothing of it is left.

        A venue where positions are netted declines an order that names a ticket.
        """
        lots = trading.lots or 0
        closing = msgspec.structs.replace(trading, side=_other_side(trading), reduce_only=True)
        if not venue.capabilities.hedging:
            assert isinstance(await venue.submit(_submit(closing, "contract-1", ticket="1")), Declined)
            return
        name = await _taken(venue, trading, "contract-1")
        other = await _taken(venue, msgspec.structs.replace(closing, reduce_only=False), "contract-2")
        (first,), (second,) = await _tickets(venue, "contract-1"), await _tickets(venue, "contract-2")
        assert first.ticket is not None
        assert first.ticket != second.ticket
        assert sorted((first.lots, second.lots)) == [-lots, lots]
        # Names of tickets are those of the orders that opened them.
        assert (first.ticket, second.ticket) == (name, other)

        assert isinstance(await venue.submit(_submit(closing, "contract-3")), Declined)
        await _taken(venue, closing, "contract-4", ticket=first.ticket, lots=lots - 1)
        (left,) = await _tickets(venue, "contract-1")
        assert (left.ticket, abs(left.lots)) == (first.ticket, 1)
        too_much = await venue.submit(_submit(closing, "contract-5", ticket=first.ticket, lots=2))
        wrong_side = await venue.submit(_submit(closing, "contract-6", ticket=second.ticket, lots=1))
        assert isinstance(too_much, Declined)
        assert isinstance(wrong_side, Declined)
        await _taken(venue, closing, "contract-7", ticket=first.ticket, lots=1)
        gone = await venue.submit(_submit(closing, "contract-8", ticket=first.ticket, lots=1))
        assert isinstance(gone, Declined)
        assert await _tickets(venue, "contract-1") == []
        assert await _tickets(venue, "contract-2") == [second]

    async def test_balances_and_positions_are_answered_whole(self, venue: Venue) -> None:
        """What is free of a currency is no more than all of it."""
        balances = [row for row in await _seen(venue, Balances()) if isinstance(row, BalanceSeen)]

        assert balances
        assert all(row.free <= row.total for row in balances)
        await _seen(venue, Positions())

    async def test_closing_ends_the_reports_and_may_be_repeated(
        self, venue: Venue, resting: OrderTerms
    ) -> None:
        """After `aclose` the stream ends within a second; nothing is taken, and no question is answered."""
        async with aclosing(_reports(venue)) as reports:
            async with asyncio.timeout(SECONDS_MAX):
                await anext(reports)
            await venue.aclose()
            await venue.aclose()
            async with asyncio.timeout(1):
                assert len([message async for message in reports]) <= 1
        assert isinstance(await venue.submit(_submit(resting, "contract-1")), NotDone | Lost)
        try:
            await venue.query(OpenOrders())
        except VenueError:
            return
        raise AssertionError("a question to a closed venue was answered")


def _is_later(fill: FillSeen, known: list[FillSeen]) -> bool:
    """Tell whether a trade is the one that is known, told anew since."""
    last = known[-1]
    return fill.trade_id == last.trade_id and fill.revision > last.revision


async def _reports(venue: Venue) -> AsyncGenerator[Message, None]:
    async for message in venue.reports():
        yield message


async def _next(
    reports: AsyncIterator[Message], kind: type[_MessageT], is_meant: Callable[[_MessageT], bool]
) -> _MessageT:
    """Return the next message of a kind that is meant; the others are passed over."""
    async with asyncio.timeout(SECONDS_MAX):
        async for message in reports:
            if isinstance(message, kind) and is_meant(message):
                return message
    raise AssertionError(f"the reports ended without a {kind.__name__}")


def _other_side(terms: OrderTerms) -> str:
    return "sell" if terms.side == "buy" else "buy"


async def _tickets(venue: Venue, name: str) -> list[PositionSeen]:
    """Return what is open of the ticket that the order of this name opened."""
    seen = await _seen(venue, Positions())
    return [each for each in seen if isinstance(each, PositionSeen) and each.client_order_id == name]


def _submit(terms: OrderTerms, name: str, *, ticket: str | None = None, lots: int = 0) -> Submit:
    return Submit(client_order_id=name, order=terms, lots=lots or terms.lots or 0, ticket=ticket)


async def _taken(
    venue: Venue, terms: OrderTerms, name: str, *, ticket: str | None = None, lots: int = 0
) -> str:
    """Ask for an order, and return the venue's name of it."""
    answer = await venue.submit(_submit(terms, name, ticket=ticket, lots=lots))
    assert isinstance(answer, Taken), answer
    assert answer.venue_order_id is not None
    return answer.venue_order_id


async def _seen(venue: Venue, question: OpenOrders | FillsSince | Balances | Positions) -> tuple[object, ...]:
    async with asyncio.timeout(SECONDS_MAX):
        findings = await whole(question, venue.query)
    assert findings is not None
    assert findings.is_complete
    return findings.seen


async def _open(venue: Venue) -> set[str]:
    """Return the venue's names of the orders that are open."""
    return {row.venue_order_id for row in await _seen(venue, OpenOrders()) if isinstance(row, OrderSeen)}


async def _orders(venue: Venue, terms: OrderTerms, name: str, venue_name: str) -> list[OrderSeen]:
    question = OneOrder(client_order_id=name, venue_order_id=venue_name, instrument=terms.instrument)
    findings = await venue.query(question)
    assert findings.is_complete
    return [row for row in findings.seen if isinstance(row, OrderSeen)]
