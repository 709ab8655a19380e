"""`tradecore trades`: closed trades of an account, a journal or a read model."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from tradecore.domain.closed_trades import ClosedTrade, OtherFee, TradesOfFills
from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.questions import (
    ROWS_MAX,
    FillEntry,
    Fills,
    Question,
    RevisionEntry,
    Revisions,
    Trades,
)
from tradecore.domain.record_bodies import Session
from tradecore.domain.times import iso_time
from tradecore.domain.units import shown_money
from tradecore.ports.read_queries import ReadQueries
from tradecore.runtime import frames
from tradecore_api.exit_codes import ExitCode
from tradecore_api.journal_teller import config_of
from tradecore_api.named_journal import chosen_journal
from tradecore_api.output import print_json, print_table
from tradecore_api.time_choice import chosen_times
from tradecore_api.trade_file import STDOUT, check_writable, write_trades
from tradecore_api.wiring import readers

Row = TypeVar("Row")


def trades(arguments: argparse.Namespace) -> int:
    """Print closed trades, or write them to a CSV file."""
    if arguments.csv:
        check_writable(arguments.csv)
    is_chosen = chosen_times(arguments)
    if arguments.db:
        currency, found, fees = asyncio.run(_of_database(arguments.db))
    else:
        currency, found, fees = _of_journal(chosen_journal(arguments.source, ", or --db FILE"))

    chosen = [trade for trade in found if is_chosen(trade.exit_time_ns)]
    others = [fee for fee in fees if is_chosen(fee.venue_time_ns)]
    if arguments.csv:
        write_trades(arguments.csv, chosen)
        where = "" if arguments.csv == STDOUT else f" written to {arguments.csv}"
        print(f"tradecore: {_sums(chosen, currency, others)}{where}", file=sys.stderr)
    elif arguments.json:
        print_json([plain_trade(trade) for trade in chosen])
    else:
        print_trades(chosen)
        print(_sums(chosen, currency, others))
        _print_strategies(chosen)
    return ExitCode.OK


def _of_journal(journal: JournalFolder) -> tuple[str, list[ClosedTrade], list[OtherFee]]:
    book, config = None, None
    for seq, chunk in journal.numbered_chunks():
        for record in frames.scan(chunk).records(seq):
            if isinstance(record.body, Session) and book is None:
                config = config_of(record.body, journal.where)
                book = TradesOfFills(config.engine, config.names)
            elif book is not None:
                book.take(record)
    if book is None or config is None:
        raise StorageError(journal.where, "the journal is empty: there are no trades in it")
    return config.engine.account.currency, book.trades(), book.other_fees


async def _of_database(path: str) -> tuple[str, list[ClosedTrade], list[OtherFee]]:
    queries = await readers.open_read_queries(path)
    try:
        found = await _rows(queries, Trades(limit=ROWS_MAX))
        currency = (await queries.state()).currency
        settled = {trade.symbol: trade.currency for trade in found}
        told: list[FillEntry | RevisionEntry] = [*await _rows(queries, Fills(limit=ROWS_MAX))]
        revised = await _rows(queries, Revisions(limit=ROWS_MAX))
        told += revised
        fees = [fee for row in told for fee in _fees_of(row, settled.get(row.symbol or "", currency))]
        return currency, found, fees
    finally:
        await queries.aclose()


async def _rows(queries: ReadQueries, question: Question[Row]) -> list[Row]:
    """Return all rows that a question has, page by page."""
    found: list[Row] = []
    while (page := await queries.ask(question)).rows:
        found += page.rows
        question = msgspec.structs.replace(question, after=page.cursor)
    return found


def _fees_of(row: FillEntry | RevisionEntry, settlement: str) -> list[OtherFee]:
    """Return what a row of the tables says of fees in other currencies than its instrument is settled in."""
    paid = [(row.fee, row.fee_currency)]
    if isinstance(row, RevisionEntry):
        paid.append((None if row.was_fee is None else -row.was_fee, row.was_fee_currency))
    return [
        OtherFee(venue_time_ns=row.venue_time_ns, currency=currency, amount=amount)
        for amount, currency in paid
        if amount and currency and currency != settlement
    ]


def _sums(found: list[ClosedTrade], currency: str, fees: list[OtherFee]) -> str:
    """Return what the trades made in each currency, the account's own where there is none."""
    name = "trade" if len(found) == 1 else "trades"
    made = [_sum(found, each) for each in sorted({trade.currency for trade in found}) or [currency]]
    others = [
        f"{shown_money(sum((fee.amount for fee in fees if fee.currency == each), Decimal(0)))} {each}"
        for each in sorted({fee.currency for fee in fees})
    ]
    beside = f"; not in it: fees of {', '.join(others)}" if others else ""
    return f"{len(found):,} closed {name}: {'; '.join(made)}{beside}"


def _sum(found: list[ClosedTrade], currency: str) -> str:
    own = [trade for trade in found if trade.currency == currency]
    pnl, fees = sum((t.pnl for t in own), Decimal(0)), sum((t.fees for t in own), Decimal(0))
    return f"PnL {shown_money(pnl)} {currency} after {shown_money(fees)} {currency} of fees"


def _print_strategies(found: list[ClosedTrade]) -> None:
    """Print what each strategy made, where there are several."""
    names = sorted({trade.strategy for trade in found})
    for name in names if len(names) > 1 else ():
        own = [trade for trade in found if trade.strategy == name]
        print(f"  {name}: {_sums(own, '', [])}")


def plain_trade(trade: ClosedTrade) -> dict[str, object]:
    """Return a closed trade for programs, its times as text too."""
    times = {"entry_time": iso_time(trade.entry_time_ns), "exit_time": iso_time(trade.exit_time_ns)}
    return msgspec.structs.asdict(trade) | times


def print_trades(found: Sequence[ClosedTrade]) -> None:
    """Print closed trades as a table, nothing where there are none."""
    if not found:
        return
    # Which venue account it was at, where an engine has several.
    account = ("account",) if any(trade.account is not None for trade in found) else ()
    head = ("symbol", *account, "strategy", "side", "quantity", "entry", "at", "exit", "at", "PnL", "fees")
    rows = [
        (
            trade.symbol,
            *((trade.account or "",) if account else ()),
            trade.strategy,
            trade.side,
            f"{trade.quantity:f}",
            iso_time(trade.entry_time_ns, 3),
            f"{trade.entry_price:f}",
            iso_time(trade.exit_time_ns, 3),
            f"{trade.exit_price:f}",
            shown_money(trade.pnl),
            shown_money(trade.fees),
        )
        for trade in found
    ]
    print_table(head, rows)
