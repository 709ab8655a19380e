"""`tradecore compare`: two runs side by side, fill by fill, and why they differ."""

import argparse
import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from tradecore.backtest.compared_run import ComparedRun, Decided, RunFill, RunOrder
from tradecore.backtest.side_by_side import Pair, Parting, SideBySide, Total, compare, differing
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.times import iso_time, span_text
from tradecore.domain.units import exact_money, shown_money
from tradecore_api import comparison_rows
from tradecore_api.exit_codes import ExitCode
from tradecore_api.named_journal import named_journal
from tradecore_api.output import print_json, print_note, print_table, print_values
from tradecore_api.trade_file import STDOUT, as_text, check_writable, write_text
from tradecore_api.wiring import comparing
from tradecore_api.wiring.comparing import NamedRun

# Of the orders that differ as many are printed; `--all` prints every order, and `--json` has them all.
ORDERS_MAX = 20
_TOML = ".toml"


def compare_runs(arguments: argparse.Namespace) -> int:
    """Print two runs side by side."""
    if arguments.csv:
        check_writable(arguments.csv)
    journal = named_journal(arguments.first)
    first = comparing.of_journal(journal)
    if arguments.second.endswith(_TOML):
        second = comparing.of_backtest(arguments.second, arguments.settings, journal)
    elif arguments.settings:
        rule = "is a setting of a backtest: name the configuration (TOML) as the second one"
        raise ConfigError("command line", "--set", arguments.settings[0], rule)
    else:
        second = comparing.of_journal(named_journal(arguments.second))
    names = (first.mode, second.mode) if first.mode != second.mode else ("first", "second")
    try:
        told = compare(first.run, second.run, names)
    except InvalidValueError as error:
        raise ConfigError(first.where, error.field, error.value, error.rule) from error
    runs = (first.run, second.run)
    if arguments.csv:
        write_text(arguments.csv, _csv(told, runs))
        if arguments.csv != STDOUT:
            print_note(f"{len(told.pairs):,} orders written to {arguments.csv}")
    elif arguments.json:
        print_json(comparison_rows.plain(told, runs))
    else:
        _print(told, (first, second), has_all=arguments.has_all)
    return ExitCode.OK


def _csv(told: SideBySide, runs: comparison_rows.Runs) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(comparison_rows.csv_head(told.names))
    for row in comparison_rows.csv_rows(told, runs):
        # Names come from others: none of them may be a formula to a spreadsheet.
        writer.writerow([cell if _is_number(cell) else as_text(cell) for cell in row])
    return file.getvalue()


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit()


def _print(told: SideBySide, named: tuple[NamedRun, NamedRun], *, has_all: bool) -> None:
    unit = told.currency
    values: dict[str, object] = {
        name: f"{each.where}: {_counts(each.run)}, PnL {_money(profit)} {unit}"
        for name, each, profit in zip(told.names, named, told.profit, strict=True)
    }
    values["decisions"] = _decisions(told.parting, told.names, named[0].run)
    values["difference"] = f"{_signed(told.difference)} {unit}: {_parts(told)}"
    print_values(values)
    for title, totals in (
        ("reason", told.reasons),
        ("strategy", told.strategies),
        ("instrument", told.instruments),
        ("account", told.accounts),
    ):
        if title != "account" or len({each.name for each in totals}) > 1:
            _print_totals(title, totals, told.names)
    chosen = list(told.pairs if has_all else differing(told))
    shown = chosen if has_all else chosen[:ORDERS_MAX]
    what = "orders" if has_all else "orders that differ"
    print(f"\n{what} ({len(chosen)} of {len(told.pairs)})" if chosen else "\nno order differs")
    for pair in shown:
        _print_pair(pair, told.names, (named[0].run, named[1].run))
    if len(shown) < len(chosen):
        print(f"  and {len(chosen) - len(shown)} more: --all, --json and --csv have them")


def _counts(run: ComparedRun) -> str:
    orders = [order for order in run.orders if not order.refused]
    fills = sum(len(order.fills) for order in orders)
    return f"{len(orders):,} orders, {fills:,} fills, {len(run.orders) - len(orders):,} refused"


def _decisions(parting: Parting | None, names: tuple[str, str], run: ComparedRun) -> str:
    if parting is None:
        return f"all {len(run.decided):,} are alike"
    sides = [
        f"{name} {_decided(each)}" for name, each in zip(names, (parting.first, parting.second), strict=True)
    ]
    alike = "the first is" if parting.alike == 1 else f"the first {parting.alike:,} are"
    begin = f"{alike} alike, then they part" if parting.alike else "they part at once"
    return f"{begin}: {'; '.join(sides)}. Why: {parting.why}"


def _decided(decided: Decided | None) -> str:
    if decided is None:
        return "decided nothing more"
    return f"at record {decided.seq} ({iso_time(decided.time_ns, 3)}): {decided.words}"


def _parts(told: SideBySide) -> str:
    """Name what the difference is made of: together the parts are the whole."""
    own = sum(pair.difference for pair in told.pairs if pair.currency == told.currency)
    parts = [f"orders {_signed(own)}"]
    parts += [
        f"{kind} {_signed(amount)}"
        for (kind, currency), amount in told.flows.items()
        if currency == told.currency
    ]
    if told.rest:
        parts.append(f"other currencies, corrections and what the account began with {_signed(told.rest)}")
    parts += [f"beside that fees of {_signed(amount)} {name}" for name, amount in told.fees_elsewhere.items()]
    return ", ".join(parts)


def _print_totals(title: str, totals: Sequence[Total], names: tuple[str, str]) -> None:
    head = [title, "orders", "fills", *(f"{what} {name}" for what in ("slippage", "fees") for name in names)]
    rows = [
        [
            each.name,
            " / ".join(map(str, each.orders)),
            " / ".join(map(str, each.fills)),
            *map(_money, each.slippage),
            *map(_money, each.fees),
            f"{_signed(each.difference)} {each.currency}",
        ]
        for each in totals
    ]
    print()
    print_table([*head, "difference"], rows)


def _print_pair(pair: Pair, names: tuple[str, str], runs: comparison_rows.Runs) -> None:
    order = pair.order
    print(f"  {iso_time(order.decided_ns, 3)}  {order.strategy}  {order.words}")
    width = max(map(len, names))
    for name, each, run in zip(names, (pair.first, pair.second), runs, strict=True):
        print(f"    {name:<{width}}  {'-' if each is None else _side(each, run, pair.currency)}")
    why = "; ".join(f"{reason.kind}: {reason.words}" for reason in pair.why) or "the same"
    print(f"    {'':<{width}}  {_signed(pair.difference)} {pair.currency}  {why}")


def _side(order: RunOrder, run: ComparedRun, currency: str) -> str:
    said = [f"order {order.number}"] if not order.refused else [f"refused ({order.refused})"]
    said += [_fill(fill, order, run, currency) for fill in order.fills]
    if order.ended:
        said.append(f"{order.ended}{f' ({order.reason})' if order.reason else ''}")
    return "; ".join(said)


def _fill(fill: RunFill, order: RunOrder, run: ComparedRun, currency: str) -> str:
    units, at = run.units, order.instrument
    after = fill.venue_time_ns - order.decided_ns
    unit = "" if fill.fee_currency == currency else f" {fill.fee_currency}"
    told = f", {fill.told}" if fill.told else ""
    return (
        f"{units.quantity(at, abs(fill.lots)):f} at {units.price(at, fill.price_ticks):f} {fill.liquidity} "
        f"{'-' if after < 0 else ''}{span_text(abs(after))} after, slippage {_money(fill.slippage)}, "
        f"fee {_money(fill.fee)}{unit}{told}"
    )


def _money(atto: int) -> str:
    return shown_money(exact_money(atto))


def _signed(atto: int) -> str:
    shown = shown_money(Decimal(exact_money(atto)))
    return shown if shown.startswith("-") else f"+{shown}"
