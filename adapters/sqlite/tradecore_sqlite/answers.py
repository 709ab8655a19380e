"""Answers to the questions of `tradecore.domain.questions`, values as their structs have them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

import aiosqlite
import msgspec

from tradecore.domain import questions as asked
from tradecore.domain.closed_trades import ClosedTrade, TradesOfFills
from tradecore.domain.errors import DataError, InvalidValueError
from tradecore.domain.questions import Page, Question
from tradecore.domain.record_bodies import Order, Report
from tradecore.domain.units import Units, exact_money
from tradecore_sqlite.readable import readable_of, settings_of

_Row = TypeVar("_Row")
# A condition of a statement, and the values in it.
_Condition = tuple[str, Sequence[object]]


class _Table(msgspec.Struct, frozen=True):
    """Where the answer to a question stands: a row of it, the table, and the column of the cursor.

    `renamed` are columns that the answer calls otherwise; `made` are values that a column is made into.
    """

    entry: type[msgspec.Struct]
    name: str
    cursor: str = "seq"
    renamed: dict[str, str] = {}
    made: dict[str, Callable[[str], object]] = {}

    @property
    def columns(self) -> str:
        """Columns in the order of the fields."""
        return ", ".join(self.renamed.get(name, name) for name in self.entry.__struct_fields__)

    def read(self, row: Iterable[object]) -> object:
        """Make a row what the answer has."""
        values = dict(zip(self.entry.__struct_fields__, row, strict=True))
        given = {name: make for name, make in self.made.items() if values[name] is not None}
        values |= {name: make(cast("str", values[name])) for name, make in given.items()}
        # Text becomes an exact decimal.
        return msgspec.convert(values, self.entry)


def _money(atto: str) -> object:
    return exact_money(int(atto))


_NAMED = {"strategy": "strategy_name"}
_CHANGED = ("amount", "received", "rate", "fee")
_TABLES: dict[type[Question[Any]], _Table] = {
    asked.Sessions: _Table(asked.SessionEntry, "sessions"),
    asked.Orders: _Table(asked.OrderEntry, "orders", "order_id", renamed=_NAMED),
    asked.Fills: _Table(asked.FillEntry, "fills", renamed=_NAMED),
    asked.Refusals: _Table(
        asked.RefusalEntry,
        "refusals",
        renamed={**_NAMED, "limit": "limit_value"},
        made={"limit": int, "value": int},
    ),
    asked.Commands: _Table(asked.CommandEntry, "commands"),
    asked.AccountEvents: _Table(
        asked.AccountEntry,
        "account_events",
        renamed={"into": "into_currency", **{name: f"{name}_atto" for name in _CHANGED}},
        made=dict.fromkeys(_CHANGED, _money),
    ),
    asked.Equity: _Table(asked.EquityEntry, "equity"),
    asked.AccountEquity: _Table(asked.AccountEquityEntry, "account_equity", "id"),
}
_MOMENT = "SELECT value, head, first FROM meta, journal, source WHERE key = 'next_seq'"
_CONFIG = "SELECT config FROM sessions ORDER BY seq DESC LIMIT 1"
_POSITIONS = (
    "SELECT strategy, instrument, lots, fills, time_ns, account FROM positions ORDER BY strategy, instrument "
    "LIMIT ? OFFSET ?"
)
_FILLS = (
    "SELECT fills.order_id, fills.venue_time_ns, fills.price_ticks, fills.lots, fills.fee_atto, "
    "fee_currency, details FROM fills JOIN orders USING (order_id) ORDER BY fills.seq"
)
_LOT = ("strategy", "instrument", "entry_order", "entry_time_ns", "entry_ticks", "lots", "fee", "cost")
_OPENING_LOTS = (
    "SELECT strategy, instrument, entry_order, entry_time_ns, entry_ticks, lots, fee_atto, cost_atto "
    "FROM opening_lots ORDER BY seq, place"
)


def _whole(value: str | None) -> int | None:
    return None if value is None else int(value)


class Answers:
    """Answers questions; what closed trades were made is kept until the tables move."""

    def __init__(self) -> None:
        self._trades: tuple[tuple[object, ...], list[ClosedTrade]] | None = None

    async def to(self, connection: aiosqlite.Connection, question: Question[_Row], where: str) -> Page[_Row]:
        """Answer a question; the caller holds one moment of the tables.

        Raises `InvalidValueError` for an unknown question and `DataError` where settings cannot be read.
        """
        if isinstance(question, asked.Positions):
            return cast("Page[_Row]", await _positions(connection, question))
        if isinstance(question, asked.Trades):
            return cast("Page[_Row]", _part(await self._all_trades(connection, where), question))
        if (table := _TABLES.get(type(question))) is None:
            raise InvalidValueError("question", question, "must be one of tradecore.domain.questions")
        return await _rows(connection, question, table)

    async def _all_trades(self, connection: aiosqlite.Connection, where: str) -> list[ClosedTrade]:
        (moment,) = map(tuple, await connection.execute_fetchall(_MOMENT))
        if self._trades is None or self._trades[0] != moment:
            self._trades = moment, await _closed_trades(connection, where)
        return self._trades[1]


def _part(trades: list[ClosedTrade], question: asked.Trades) -> Page[ClosedTrade]:
    start = question.after + 1
    rows = tuple(trades[start : start + question.limit])
    return Page(rows=rows, cursor=question.after + len(rows), has_more=start + len(rows) < len(trades))


async def _rows(connection: aiosqlite.Connection, question: Question[Any], table: _Table) -> Page[Any]:
    name, conditions = table.name, _conditions(question)
    if isinstance(question, asked.Equity) and question.is_daily:
        name = "equity_by_day"
    texts = " AND ".join([f"{table.cursor} > ?", *(text for text, _ in conditions)])
    values = [question.after, *(value for _, each in conditions for value in each), question.limit + 1]
    query = (
        f"SELECT {table.cursor}, {table.columns} FROM {name} WHERE {texts} ORDER BY {table.cursor} LIMIT ?"  # noqa: S608 - names of our own
    )
    found = [tuple(row) for row in await connection.execute_fetchall(query, values)]
    rows = found[: question.limit]
    return Page(
        rows=tuple(table.read(row[1:]) for row in rows),
        cursor=int(rows[-1][0]) if rows else question.after,
        has_more=len(found) > len(rows),
    )


def _conditions(question: Question[Any]) -> list[_Condition]:
    """Return what narrows the rows down, beside the cursor."""
    found: list[_Condition] = []
    if isinstance(question, asked.Orders | asked.Fills | asked.Refusals):
        named = (
            ("strategy_name", question.strategy),
            ("symbol", question.symbol),
            ("account", question.account),
        )
        found += [(f"{column} = ?", [name]) for column, name in named if name is not None]
    if isinstance(question, asked.Orders):
        if question.states:
            found.append((f"state IN ({', '.join('?' * len(question.states))})", question.states))
        if question.is_open is not None:
            found.append((f"closed_ns IS {'' if question.is_open else 'NOT '}NULL", []))
    if isinstance(question, asked.Equity):
        bounds = (("time_ns >= ?", question.since_ns), ("time_ns < ?", question.until_ns))
        found += [(text, [time_ns]) for text, time_ns in bounds if time_ns is not None]
    return found


async def _positions(
    connection: aiosqlite.Connection, question: asked.Positions
) -> Page[asked.PositionEntry]:
    config = await _config(connection)
    readable = readable_of(config or "")
    start = question.after + 1
    found = [*await connection.execute_fetchall(_POSITIONS, (question.limit + 1, start))]
    rows = []
    for strategy, instrument, lots, fills, time_ns, account in map(tuple, found[: question.limit]):
        name, symbol = readable.names(strategy, instrument)
        entry: dict[str, Any] = {"strategy": name, "symbol": symbol, "fills": fills, "time_ns": time_ns}
        entry["account"] = account
        rows.append(
            msgspec.convert({**entry, "quantity": readable.quantity(instrument, lots)}, asked.PositionEntry)
        )
    return Page(rows=tuple(rows), cursor=question.after + len(rows), has_more=len(found) > len(rows))


async def _closed_trades(connection: aiosqlite.Connection, where: str) -> list[ClosedTrade]:
    config = await _config(connection)
    if config is None:
        raise DataError(where, "has no session: it is empty; `tradecore db rebuild` fills it from a journal")
    if (settings := settings_of(config)) is None:
        what = "its settings cannot be read: another version wrote it; use that version of tradecore"
        raise DataError(where, what)
    book, units = TradesOfFills(settings.engine, settings.names), Units(settings.engine, settings.names)
    lots = await connection.execute_fetchall(_OPENING_LOTS)
    book.open([dict(zip(_LOT, map(_whole, row), strict=True)) for row in lots])
    for row in await connection.execute_fetchall(_FILLS):
        order_id, time_ns, price_ticks, lots_filled, fee, currency, details = tuple(row)
        order = Order(**msgspec.json.decode(details))
        is_own = currency in (None, units.settlement(order.instrument))
        fill = Report(
            report="fill",
            order_id=order_id,
            venue_time_ns=time_ns,
            price_ticks=price_ticks,
            lots=lots_filled,
            fee=int(fee),
            fee_currency=None if is_own else units.currencies.index(currency),
        )
        book.fill(fill, order)
    return book.trades()


async def _config(connection: aiosqlite.Connection) -> str | None:
    return next((str(row[0]) for row in await connection.execute_fetchall(_CONFIG)), None)
