"""`tradecore orders` and `tradecore trace`: the orders of an account or a journal, and the story of one."""

import argparse
import csv
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.narrator import decimal_text
from tradecore.domain.order_life import STATES
from tradecore.domain.record import JournalRecord
from tradecore.domain.shape import suggestion
from tradecore.domain.times import iso_time
from tradecore.domain.units import shown_money
from tradecore.runtime import frames
from tradecore_api.commands.trades import plain_trade, print_trades
from tradecore_api.exit_codes import ExitCode
from tradecore_api.named_journal import chosen_journal
from tradecore_api.order_trace import OrderTrace, Step
from tradecore_api.output import print_json, print_table, print_values
from tradecore_api.record_values import plain_record
from tradecore_api.time_choice import chosen_times
from tradecore_api.told_orders import OrderLog, ShownOrder
from tradecore_api.trade_file import STDOUT, as_text, check_writable, write_text

OPEN = "open"
COLUMNS = (
    "order",
    "time_utc",
    "strategy",
    "symbol",
    "account",
    "side",
    "what",
    "state",
    "reason",
    "quantity",
    "filled",
    "price",
    "fees",
    "sent_utc",
    "closed_utc",
    "venue_order_id",
)


def orders(arguments: argparse.Namespace) -> int:
    """List orders with what became of them: the last ones, or all, or those that are asked for."""
    if arguments.csv:
        check_writable(arguments.csv)
    is_chosen = chosen_times(arguments)
    state = _state_named(arguments.state)
    journal = chosen_journal(arguments.source)
    log = OrderLog(journal.where)
    for record in _records(journal):
        log.take(record)
    # A name that is mistyped would else read as if there were no such orders.
    shown = log.shown()
    _check_known("--strategy", arguments.strategy, {*log.strategies, *(each.strategy for each in shown)})
    _check_known("--symbol", arguments.symbol, {*log.symbols, *(each.symbol for each in shown)})
    found = [each for each in shown if is_chosen(each.time_ns) and _is_wanted(each, state, arguments)]
    if arguments.csv:
        write_text(arguments.csv, _csv(found))
        where = "" if arguments.csv == STDOUT else f", written to {arguments.csv}"
        print(f"tradecore: {_count(len(found))}{where}", file=sys.stderr)
    elif arguments.json:
        print_json([_plain(each) for each in found])
    else:
        _print_orders(found, len(found) if arguments.has_all else arguments.lines)
    return ExitCode.OK


def trace(arguments: argparse.Namespace) -> int:
    """Tell one order from the decision to the money; a wish that was refused, until then."""
    journal = chosen_journal(arguments.source)
    story = OrderTrace(arguments.order, journal.where)
    for record in _records(journal):
        story.take(record)
    if not story.steps:
        rule = f"is no order and no wish in {journal.where}; `tradecore orders` lists them"
        raise ConfigError("command line", "ORDER", arguments.order, rule)
    if arguments.json:
        print_json(_plain_story(story, journal))
    else:
        _print_story(story, journal)
    return ExitCode.OK


def _records(journal: JournalFolder) -> Iterator[JournalRecord]:
    """Read all records but those of the market and of time.

    Raises `StorageError` when there is none.
    """
    is_empty = True
    for seq, chunk in journal.numbered_chunks():
        for record in frames.scan(chunk).records(seq):
            is_empty = False
            yield record
    if is_empty:
        raise StorageError(journal.where, "the journal is empty: there are no orders in it")


def _state_named(text: str | None) -> str | None:
    """Return the state that is meant, in whatever spelling of docs/orders.md; `None` where none is."""
    if text is None:
        return None
    names = {name.replace("_", ""): name for name in (OPEN, *STATES)}
    found = names.get(text.lower().replace("_", "").replace("-", ""))
    if found is None:
        _check_known("--state", text, names.values())
    return found


def _check_known(option: str, name: str | None, known: Iterable[str]) -> None:
    if name is not None and name not in (listed := sorted(known)):
        raise ConfigError("command line", option, name, f"is not known here; {suggestion(name, listed)}")


def _is_wanted(order: ShownOrder, state: str | None, arguments: argparse.Namespace) -> bool:
    return (
        (state is None or (order.is_open if state == OPEN else order.state == state))
        and arguments.strategy in (None, order.strategy)
        and arguments.symbol in (None, order.symbol)
    )


def _plain(order: ShownOrder) -> dict[str, object]:
    values = msgspec.structs.asdict(order)
    return values | {"time": iso_time(order.time_ns), "is_open": order.is_open}


def _count(count: int) -> str:
    return f"{count:,} {'order' if count == 1 else 'orders'}"


def _fees(fees: dict[str, Decimal]) -> str:
    return ", ".join(f"{shown_money(amount)} {currency}" for currency, amount in fees.items())


def _state(order: ShownOrder) -> str:
    return order.state if order.reason is None else f"{order.state} ({order.reason})"


def _print_orders(found: Sequence[ShownOrder], lines: int) -> None:
    shown = found[len(found) - min(lines, len(found)) :]
    # Which venue account it was at, where an engine has several.
    account = ("account",) if any(each.account is not None for each in shown) else ()
    head = ("order", "approved at", *account, "strategy", "what", "state", "filled", "at", "fees")
    rows = [
        (
            str(each.order),
            iso_time(each.time_ns, 3),
            *((each.account or "",) if account else ()),
            each.strategy,
            each.what,
            _state(each),
            f"{each.filled:f}",
            "" if each.price is None else f"{each.price:f}",
            _fees(each.fees),
        )
        for each in shown
    ]
    if rows:
        print_table(head, rows)
    left_out = len(found) - len(shown)
    print(
        f"{_count(len(found))}" + (f"; the last {len(shown)} are shown, --all shows all" if left_out else "")
    )


def _csv(found: Sequence[ShownOrder]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in found:
        times = [_time(each.time_ns), _time(each.sent_ns), _time(each.closed_ns)]
        names = [as_text(name or "") for name in (each.strategy, each.symbol, each.account)]
        made = [each.side, as_text(each.what), each.state, each.reason or ""]
        traded = [decimal_text(number) for number in (each.quantity, each.filled, each.price)]
        ends = [_fees(each.fees), *times[1:], as_text(each.venue_order_id or "")]
        writer.writerow([each.order, times[0], *names, *made, *traded, *ends])
    return file.getvalue()


def _time(time_ns: int | None) -> str:
    return "" if time_ns is None else iso_time(time_ns, 9).replace("T", " ").removesuffix("Z")


def _plain_story(story: OrderTrace, journal: JournalFolder) -> dict[str, object]:
    order = story.order()
    return {
        "number": story.number,
        "journal": journal.where,
        "armed": None if story.armed is None else msgspec.structs.asdict(story.armed),
        "wish": story.wish,
        "exits": story.exits,
        "order": None if order is None else _plain(order),
        "records": [
            {
                **plain_record(step.record),
                "time": iso_time(step.record.time_ns),
                "words": step.words,
                "told": step.values,
                "is_again": step.is_again,
                **({} if step.held is None else {"position": step.held}),
            }
            for step in story.steps
        ],
        "trades": [plain_trade(trade) for trade in story.trades()],
    }


def _print_story(story: OrderTrace, journal: JournalFolder) -> None:
    order = story.order()
    said: dict[str, object] = {"journal": journal.where}
    if story.armed is not None:
        said["armed"] = (
            f"by {story.armed.person} at {iso_time(story.armed.time_ns, 0)} (hash {story.armed.digest})"
        )
    if story.wish is not None and order is not None:
        said["wish"] = f"{story.wish}, which waited for a person"
    if order is not None:
        average = "" if order.price is None else f" at {order.price:f} on average"
        said |= {
            "order": f"{order.order} of {order.strategy}: {order.what}",
            "state": _state(order),
            "filled": f"{order.filled:f}{average}",
            "fees": _fees(order.fees) or "none",
        }
        if order.account is not None:
            said["account"] = order.account
        if order.venue_order_id is not None:
            said["at the venue"] = f"its number is {order.venue_order_id}"
    else:
        said["order"] = f"none: {story.number} is a wish that did not become an order of this number"
    if story.exits:
        said["closed by"] = (
            f"{'order' if len(story.exits) == 1 else 'orders'} {', '.join(map(str, story.exits))}"
        )
    print_values(said)
    print("\nrecords")
    for step in story.steps:
        if not step.is_again:
            print(f"{step.record.seq:>10}  {iso_time(step.record.time_ns, 6)}  {step.words}{_held(step)}")
    if again := sum(step.is_again for step in story.steps):
        print(
            f"{'':10}  the venue told trades of it once more in {again:,} later records; each is booked once"
        )
    trades = story.trades()
    if trades:
        print("\nclosed trades")
        print_trades(trades)


def _held(step: Step) -> str:
    return "" if step.held is None else f"; its position is {step.held:f} then"
