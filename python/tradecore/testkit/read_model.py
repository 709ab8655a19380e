"""What every read model promises, as tests: derive a test class and give it a fixture `read_model`."""

# ruff: noqa: S101 - contracts are tests

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from tradecore.domain import EngineSpec, InstrumentSpec
from tradecore.domain import questions as asked
from tradecore.domain import record_bodies as bodies
from tradecore.domain.equity_point import EquityPoint
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.record import JournalPosition, JournalRecord
from tradecore.ports.read_model import ReadModel
from tradecore.ports.read_queries import ReadQueries

_Row = TypeVar("_Row")
_UNIT = 10**18
_DAY_NS = 86_400_000_000_000


class AskableModel(ReadModel, ReadQueries, Protocol):
    """Tables that are filled and asked."""


class ReadModelContract:
    """The promises of `ReadModel` and `ReadQueries`.

    A subclass has a pytest fixture `read_model`, empty and new for every test.
    """

    async def test_tables_move_from_where_they_are_or_not_at_all(self, read_model: AskableModel) -> None:
        """A group for another place changes nothing; what was cleared can be filled again."""
        assert await read_model.position() == JournalPosition()
        await _fill(read_model)
        state = await read_model.state()
        assert state.position == await read_model.position() == _at(len(_RECORDS))
        assert not await read_model.apply(_RECORDS[:2], JournalPosition(), _at(2))
        assert not await read_model.apply(_RECORDS[:2], _at(3), _at(2), _POINTS)
        assert await read_model.state() == state
        await read_model.clear()
        assert await read_model.position() == JournalPosition()
        assert sum((await read_model.state()).rows.values()) == 0
        await _fill(read_model)
        assert (await read_model.state()).rows == state.rows

    async def test_groups_of_any_size_make_the_same_answers(self, read_model: AskableModel) -> None:
        """Record by record, or all at once."""
        await _fill(read_model)
        whole = [(await read_model.ask(question)).rows for question in _ALL]
        await read_model.clear()
        await _fill(read_model, size=1)
        assert [(await read_model.ask(question)).rows for question in _ALL] == whole
        assert all(whole)

    async def test_pages_have_every_row_once(self, read_model: AskableModel) -> None:
        """Whatever their size, and a cursor at the end gets what is new and nothing else."""
        await _fill(read_model, _RECORDS[:-2])
        ends = []
        for question in _ALL:
            page = await read_model.ask(question)
            assert not page.has_more
            ends.append(msgspec.structs.replace(question, after=page.cursor))
            assert await _paged(read_model, question) == page.rows
        assert [(await read_model.ask(question)).rows for question in ends] == [()] * len(ends)
        assert [(await read_model.ask(question)).cursor for question in ends] == [each.after for each in ends]
        await _fill(read_model)
        fills = await read_model.ask(asked.Fills(after=ends[_ALL.index(asked.Fills())].after))
        assert [fill.seq for fill in fills.rows] == [_RECORDS[-2].seq]

    async def test_orders_are_narrowed_down(self, read_model: AskableModel) -> None:
        """By state, by whether they have ended, by strategy and by symbol."""
        await _fill(read_model)

        async def ids(**narrowed: object) -> list[int]:
            question = msgspec.structs.replace(asked.Orders(), **narrowed)
            return [order.order_id for order in (await read_model.ask(question)).rows]

        assert await ids() == [1, 2, 3]
        assert await ids(states=("filled",)) == [1, 2]
        assert await ids(states=("filled", "pending_new")) == [1, 2, 3]
        assert await ids(is_open=True) == [3]
        assert await ids(is_open=False) == [1, 2]
        assert await ids(strategy="two") == [3]
        assert await ids(symbol="GOLD", is_open=False, after=1) == [2]
        assert await ids(symbol="LEAD") == []

    async def test_what_is_told_is_exact_and_has_names(self, read_model: AskableModel) -> None:
        """Decimals for prices, sizes and money; the names of strategies and symbols."""
        await _fill(read_model)
        first, second = (await read_model.ask(asked.Fills())).rows
        assert (first.strategy, first.symbol, first.side) == ("one", "GOLD", "buy")
        assert (first.price, first.quantity, first.fee) == (Decimal("10.5"), Decimal("0.3"), Decimal("0.1"))
        (trade,) = (await read_model.ask(asked.Trades())).rows
        assert (trade.entry_order, trade.exit_order, trade.pnl) == (1, 2, Decimal("-0.05"))
        (position,) = (await read_model.ask(asked.Positions())).rows
        assert (position.strategy, position.symbol, position.quantity) == ("one", "GOLD", Decimal(0))
        assert second.time_ns == position.time_ns
        (refused,) = (await read_model.ask(asked.Refusals())).rows
        assert (refused.rule, refused.limit, refused.value) == ("notional_max", 5, 2**90)
        (session,) = (await read_model.ask(asked.Sessions())).rows
        assert (session.started_ns, session.end_reason) == (_DAY_NS, "stopped")
        transfer, conversion = (await read_model.ask(asked.AccountEvents())).rows
        assert (transfer.kind, transfer.amount, transfer.reason) == ("transfer", Decimal("-1.25"), "rent")
        assert (transfer.into, transfer.received, transfer.rate, transfer.fee) == (None,) * 4
        assert (conversion.kind, conversion.currency, conversion.amount) == (
            "conversion",
            "BTC",
            Decimal("0.5"),
        )
        assert (conversion.into, conversion.received, conversion.rate) == ("USD", Decimal(15), Decimal(30))
        assert (conversion.fee, conversion.fee_currency) == (Decimal("-0.25"), "BNB")
        assert [command.command for command in (await read_model.ask(asked.Commands())).rows] == ["pause"]

    async def test_a_drawdown_counts_from_the_highest_profit_so_far(self, read_model: AskableModel) -> None:
        """Also from one of an earlier group; a day has its last row."""
        await read_model.apply([], JournalPosition(), _at(2), _POINTS[:2])
        await read_model.apply([], _at(2), _at(4), _POINTS[2:])
        rows = (await read_model.ask(asked.Equity())).rows
        assert [row.drawdown for row in rows] == [1, 0, Decimal("2.5"), 1]
        assert [row.equity for row in rows] == [Decimal(f"{99 + profit}") for profit in _PROFITS]
        daily = await read_model.ask(asked.Equity(is_daily=True))
        assert daily.rows == (rows[1], rows[3])
        since = await read_model.ask(asked.Equity(since_ns=rows[1].time_ns, until_ns=rows[3].time_ns))
        assert since.rows == rows[1:3]

    async def test_a_row_names_the_account_that_it_belongs_to(self, read_model: AskableModel) -> None:
        """Also where there is one; and rows are narrowed down by it."""
        await _fill(read_model)
        (name,) = _SPEC.account_names

        async def accounts(question: asked.Question[Any]) -> set[str | None]:
            return {row.account for row in (await read_model.ask(question)).rows}

        assert await accounts(asked.Orders()) == await accounts(asked.Orders(account=name)) == {name}
        assert await accounts(asked.Fills()) == await accounts(asked.Fills(account=name)) == {name}
        assert await accounts(asked.Refusals()) == await accounts(asked.Refusals(account=name)) == {name}
        assert await accounts(asked.Positions()) == {name}
        other = (asked.Orders(account="x"), asked.Fills(account="x"), asked.Refusals(account="x"))
        assert [await accounts(question) for question in other] == [set()] * 3

    async def test_each_of_several_accounts_has_an_equity(self, read_model: AskableModel) -> None:
        """At the moments of the whole, exact; an engine with one account has no such rows."""
        await read_model.apply([], JournalPosition(), _at(1), _POINTS[:1])
        assert (await read_model.ask(asked.AccountEquity())).rows == ()
        points = [
            msgspec.structs.replace(point, accounts={"one": 60 * _UNIT + 1, "two": point.seq * _UNIT})
            for point in _POINTS[1:]
        ]
        await read_model.apply([], _at(1), _at(4), points)
        rows = (await read_model.ask(asked.AccountEquity())).rows
        assert [(row.seq, row.account) for row in rows] == [
            (point.seq, name) for point in points for name in ("one", "two")
        ]
        assert {row.equity for row in rows if row.account == "one"} == {Decimal("60.000000000000000001")}
        assert [row.equity for row in rows if row.account == "two"] == [1, 2, 3]
        assert await _paged(read_model, asked.AccountEquity()) == rows

    async def test_a_question_that_nobody_can_answer_is_refused(self, read_model: AskableModel) -> None:
        """Of another kind; a page has a size."""
        for limit in (0, asked.ROWS_MAX + 1):
            with _refuses("limit"):
                asked.Orders(limit=limit)
        with _refuses("question"):
            await read_model.ask(asked.Question())

    async def test_closing_may_be_repeated(self, read_model: AskableModel) -> None:
        """Whoever ends twice does no harm."""
        await read_model.aclose()
        await read_model.aclose()


def _order(order_id: int, side: str, strategy: int = 0) -> bodies.Order:
    return bodies.Order(
        order_id=order_id,
        strategy=strategy,
        instrument=0,
        side=side,
        order_kind="limit",
        price_ticks=21,
        lots=3,
        time_in_force="gtc",
        post_only=False,
        reduce_only=False,
        decided_ns=0,
        reference_ticks=21,
    )


def _report(order_id: int, report: str, price_ticks: int | None = None) -> bodies.Report:
    if price_ticks is None:
        return bodies.Report(report=report, order_id=order_id, venue_time_ns=_DAY_NS)
    return bodies.Report(
        report=report,
        order_id=order_id,
        venue_time_ns=_DAY_NS,
        price_ticks=price_ticks,
        lots=3,
        liquidity="maker",
        fee=_UNIT // 10 * (1 if order_id == 1 else -2),
    )


_REFUSED = msgspec.structs.asdict(_order(4, "buy"))
del _REFUSED["reference_ticks"]
_SPEC = EngineSpec(instruments=(InstrumentSpec(symbol="GOLD", tick_size="0.5", lot_size="0.1"),))
_CONFIG = {
    "engine": _SPEC,
    "strategies": [{"name": "one"}, {"name": "two"}],
}
_BODIES: tuple[bodies.AnyBody, ...] = (
    bodies.Session(engine_version="1", config=msgspec.json.encode(_CONFIG).decode()),
    _order(1, "buy"),
    _report(1, "accepted"),
    _report(1, "fill", 21),
    bodies.Refused(**_REFUSED, rule="notional_max", limit=5, value=2**90),
    bodies.Command(command="pause"),
    bodies.Account(account="transfer", currency="USD", amount=-(_UNIT * 5 // 4), reason="rent"),
    bodies.Account(
        account="conversion",
        currency="BTC",
        amount=_UNIT // 2,
        into="USD",
        received=15 * _UNIT,
        rate=30 * _UNIT,
        fee=-_UNIT // 4,
        fee_currency="BNB",
        reason="dust",
    ),
    _order(3, "buy", strategy=1),
    _order(2, "sell"),
    _report(2, "fill", 20),
    bodies.SessionEnd(reason="stopped"),
)
_RECORDS = [
    # Every other frame is of the market: numbers have gaps.
    JournalRecord(seq=2 * index, time_ns=_DAY_NS + index, body=body)
    for index, body in enumerate(_BODIES)
]
_PROFITS = (Decimal(-1), Decimal(3), Decimal("0.5"), Decimal(2))
_POINTS = [
    EquityPoint(
        seq=index,
        time_ns=index * (_DAY_NS // 2) + 1,
        currency="USD",
        cash=90 * _UNIT,
        equity=99 * _UNIT + int(profit * _UNIT),
        exposure=10 * _UNIT,
        profit=int(profit * _UNIT),
    )
    for index, profit in enumerate(_PROFITS)
]
# What the records have rows for.
_ALL: tuple[asked.Question[Any], ...] = (
    asked.Sessions(),
    asked.Orders(),
    asked.Fills(),
    asked.Refusals(),
    asked.Commands(),
    asked.AccountEvents(),
    asked.Positions(),
    asked.Trades(),
)


@contextmanager
def _refuses(field: str) -> Iterator[None]:
    """Expect an `InvalidValueError` about a field."""
    refused = ""
    try:
        yield
    except InvalidValueError as error:
        refused = error.field
    assert refused == field


def _at(records: int) -> JournalPosition:
    return JournalPosition(2 * records, f"head {records}", "first") if records else JournalPosition()


async def _fill(
    model: ReadModel, records: Sequence[JournalRecord] = _RECORDS, *, size: int | None = None
) -> None:
    """Apply what is missing, in groups of a size."""
    begin = (await model.position()).next_seq // 2
    step = size or len(records)
    for start in range(begin, len(records), step):
        end = min(start + step, len(records))
        assert await model.apply(records[start:end], _at(start), _at(end))


async def _paged(model: ReadQueries, question: asked.Question[_Row]) -> tuple[_Row, ...]:
    rows: tuple[_Row, ...] = ()
    question = msgspec.structs.replace(question, limit=1)
    while True:
        page = await model.ask(question)
        rows += page.rows
        if not page.has_more:
            return rows
        question = msgspec.structs.replace(question, after=page.cursor)
