"""`tradecore backtest`: run a strategy over history and say what came of it."""

import argparse
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from tradecore.backtest import BacktestResult, Statistics
from tradecore.domain.closed_trades import ClosedTrade
from tradecore.domain.errors import ConfigError
from tradecore.domain.times import duration_text, iso_time
from tradecore.engine import CurrencyBalance
from tradecore.engine.holdings import trades_of
from tradecore_api.balance_words import account_words, balance_words
from tradecore_api.config import read
from tradecore_api.config.journal_table import JournalTable
from tradecore_api.config.tables import Config
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import decimal, plain, print_json, print_note, print_reasons, print_values
from tradecore_api.trade_file import check_writable, write_trades
from tradecore_api.wiring import backtests

# Prices, sizes and money of a trade, and money among the statistics: decimal text in JSON.
_TRADE_DECIMALS = ("quantity", "entry_price", "exit_price", "pnl", "commission")
_MONEY = ("final_equity", "equity_peak", "commissions")
# From here on cents are all that is read; a smaller account may be in coins, and has six digits.
_CENTS_FROM = 1_000


def backtest(arguments: argparse.Namespace) -> int:
    """Run strategies over data of the past; print trades and statistics."""
    config = read.load(Path(arguments.config), options=arguments.settings)
    if not config.strategies:
        raise ConfigError(config.source, "strategy", None, "is missing: name [strategy] or [[strategies]]")
    _refuse_journal(config)
    closed: list[ClosedTrade] = []
    if arguments.trades:
        check_writable(arguments.trades)
        result = backtests.backtest(config, lambda engine: closed.extend(trades_of(engine)))
        write_trades(arguments.trades, closed)
        print_note(f"{len(closed):,} closed trades written to {arguments.trades}")
    else:
        result = backtests.backtest(config)
    costs: dict[str, str] = msgspec.to_builtins(result.costs)
    if arguments.json:
        print_json(
            {
                "trades": _trades(result),
                "cash_flows": _cash_flows(result),
                "costs": {name: Decimal(cost) for name, cost in costs.items()},
                "stats": _statistics(result.stats),
                "orders_digest": result.orders_digest,
                "state_hash": result.state_hash,
                **_figures(result),
                "activity": plain(result.activity),
            }
        )
    else:
        shown = {name: cost for name, cost in costs.items() if cost != "0"}
        brief = {"not done": text} if (text := result.activity.brief()) else {}
        if accounts := account_words(result.summary.accounts, config.tables.account.currency):
            shown["accounts"] = accounts
        if balances := balance_words(result.summary.balances, config.tables.account.currency):
            shown["balances"] = balances
        print_values(_readable(result.stats) | shown | brief | {"orders_digest": result.orders_digest})
        print_reasons(result.activity, trades=len(result.trades))
    return ExitCode.OK


def _refuse_journal(config: Config) -> None:
    """Refuse a journal that this command was asked for: a backtest writes none.

    The configuration of a paper or shadow run may be backtested as it is: its journal is for `tradecore run`.
    """
    source = config.source_of("journal")
    if source.startswith("--set") and config.tables.journal != JournalTable():
        raise ConfigError(source, "journal", config.tables.journal.path, read.NO_JOURNAL_RULE)


def _figures(result: BacktestResult) -> dict[str, object]:
    summary = result.summary
    return {
        "events": summary.events,
        "orders": summary.orders,
        "fills": summary.fills,
        "refusals": summary.refusals,
        "pnl": Decimal(summary.pnl),
        "equity": Decimal(summary.equity),
        "positions": {symbol: Decimal(size) for symbol, size in summary.positions.items()},
        "balances": {name: _decimals(held) for name, held in summary.balances.items()},
        **({"accounts": dict(summary.accounts)} if summary.accounts else {}),
        "book": msgspec.to_builtins(summary.book),
    }


def _decimals(held: CurrencyBalance) -> dict[str, Decimal | None]:
    told: dict[str, str | None] = msgspec.to_builtins(held)
    return {name: None if amount is None else Decimal(amount) for name, amount in told.items()}


def _statistics(stats: Statistics) -> dict[str, object]:
    figures: dict[str, object] = msgspec.to_builtins(stats)
    return figures | {name: decimal(getattr(stats, name)) for name in _MONEY}


def _cash_flows(result: BacktestResult) -> list[dict[str, object]]:
    names = result.cash_flows.dtype.names or ()
    rows = [dict(zip(names, row, strict=True)) for row in result.cash_flows.tolist()]
    return [
        {
            "time": iso_time(int(row["time_ns"])),
            **_whose(result, row),
            **row,
            "amount": decimal(row["amount"]),
        }
        for row in rows
    ]


def _whose(result: BacktestResult, row: Mapping[str, Any]) -> dict[str, str]:
    """Name the instrument and the strategy that a row has as numbers."""
    return {
        "symbol": result.instruments[row["instrument_id"]].symbol,
        "strategy": result.strategies[row["strategy_id"]],
    }


def _trades(result: BacktestResult) -> list[dict[str, object]]:
    columns = {name: result.trades[name].tolist() for name in result.trades.dtype.names or ()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [
        {
            "entry_time": iso_time(int(row["entry_time_ns"])),
            "exit_time": iso_time(int(row["exit_time_ns"])),
            **_whose(result, row),
            **row,
            **{name: decimal(row[name]) for name in _TRADE_DECIMALS},
            "side": "long" if row["side"] > 0 else "short",
        }
        for row in rows
    ]


def _readable(stats: Statistics) -> dict[str, object]:
    """Show times and durations as text, and the reason of a figure that is absent in its place."""
    shown: dict[str, object] = {}
    for name, value in msgspec.structs.asdict(stats).items():
        key = name.removesuffix("_ns")
        if name in stats.reasons:
            shown[key] = f"-  ({stats.reasons[name]})"
        elif name in ("start_ns", "end_ns"):
            shown[key] = iso_time(value)
        elif name.endswith("_ns"):
            shown[key] = duration_text(value)
        elif name in _MONEY:
            shown[key] = round(Decimal(value), 2) if abs(value) >= _CENTS_FROM else value
        elif name != "reasons":
            shown[key] = value
    return shown
