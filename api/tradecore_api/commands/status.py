"""`tradecore status`: what the engines of this machine do, or why they do not."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.errors import StorageError
from tradecore.domain.times import iso_time
from tradecore.domain.units import shown_money
from tradecore.engine import CurrencyBalance, LimitChange
from tradecore_api import state_dir
from tradecore_api.arming_file import armed_words, read_arming
from tradecore_api.balance_words import account_words, balance_words
from tradecore_api.exit_codes import ExitCode
from tradecore_api.last_words import LastWords
from tradecore_api.mode_words import coloured, mode_words
from tradecore_api.output import print_json, print_table, print_values
from tradecore_api.standing import DEAD, HUNG, RUNNING, STOPPED, AccountStatus, age_text, left_behind, look
from tradecore_api.venue_words import venue_words

_CODES = {
    RUNNING: ExitCode.OK,
    HUNG: ExitCode.HUNG,
    DEAD: ExitCode.DEAD,
    STOPPED: ExitCode.NOT_RUNNING,
}
_WORST_FIRST = (HUNG, DEAD, STOPPED, RUNNING)
LOG_LINES_SHOWN = 5


class _Told(msgspec.Struct, frozen=True):
    """What is read of an engine's answer; one of another version may have less."""

    mode: str = ""
    currency: str = ""
    equity: str = ""
    cash: str = ""
    pnl: str = ""
    realised: str = ""
    unrealised: str = ""
    fees: str = ""
    balances: dict[str, CurrencyBalance] = {}
    accounts: dict[str, str] = {}
    pnl_session: str = ""
    pnl_today: str = ""
    today_since: str = ""
    engine_time: str = ""
    orders: int = 0
    fills: int = 0
    refusals: int = 0
    open_orders: int = 0
    records: int = 0
    events: int = 0
    is_paused: bool = False
    paused_by: str = ""
    is_killed: bool = False
    positions_open: int = 0
    position_rows: tuple[dict[str, str | None], ...] = ()
    order_rows: tuple[dict[str, str | int | None], ...] = ()
    limit_rows: tuple[dict[str, str | None], ...] = ()
    halt_rows: tuple[dict[str, str], ...] = ()
    waiting_rows: tuple[dict[str, str | int | None], ...] = ()
    halts: dict[str, str] = {}
    changes: tuple[LimitChange, ...] = ()
    stops: tuple[str, ...] = ()
    books_waiting: tuple[str, ...] = ()
    feed_age_seconds: float | None = None
    read_model_lag_records: int | None = None
    read_model_problem: str = ""
    output_lines_dropped: int = 0
    alarms: tuple[str, ...] = ()
    venue: dict[str, object] | None = None
    venues: dict[str, dict[str, object]] = {}
    start_report: str = ""
    armed: str = ""
    approval: str = ""
    not_done: str = ""


def status(arguments: argparse.Namespace) -> int:
    """Say what the engines do; works while another command runs and when an engine is dead or hangs."""
    names = [arguments.account] if arguments.account else state_dir.accounts()
    for words in [] if arguments.account else state_dir.odd_entries():
        print(f"tradecore: {words}", file=sys.stderr)
    found, failed = [], []
    for name in names:
        try:
            found.append(look(name))
        except StorageError as error:
            if arguments.account:
                raise
            failed.append(error)
            print(f"tradecore: {error}", file=sys.stderr)
    if arguments.json:
        print_json(found[0] if arguments.account else found)
    elif not names:
        print(f"no account has a state directory in {state_dir.root()}", file=sys.stderr)
    for entry in [] if arguments.json else found:
        _print(entry)
    states = {entry.state for entry in found}
    if failed and states <= {RUNNING, STOPPED}:
        return ExitCode.STORAGE
    worst = next((state for state in _WORST_FIRST if state in states), STOPPED)
    return _CODES[worst]


def _print(entry: AccountStatus) -> None:
    told = msgspec.convert(entry.engine, _Told) if entry.engine else None
    values = _head(entry, told)
    if told is not None:
        values |= _money(told) | _activity(told)
    elif entry.heartbeat is not None:
        values |= {"left": left_behind(entry), "journal": entry.heartbeat.journal}
    print_values({name: value for name, value in values.items() if value != ""})
    if told is not None:
        _print_tables(told)
    for title, words in (("last log lines", entry.last_words), ("failed start", entry.failed_start)):
        if words is not None and not words.is_clean:
            _print_words(title, words)
    print()


def _head(entry: AccountStatus, told: _Told | None) -> dict[str, object]:
    # The engine's own word first: its files may be gone.
    mode = told.mode if told and told.mode else entry.heartbeat.mode if entry.heartbeat else ""
    state = entry.state
    if told is not None and state == RUNNING:
        state = "running, KILLED" if told.is_killed else "running, PAUSED" if told.is_paused else state
    values: dict[str, object] = {"account": entry.account, "state": state, "why": entry.why}
    if entry.state == DEAD and entry.last_words is not None and entry.why == entry.last_words.reason:
        values["notes"] = "; ".join(entry.last_words.notes)
        values["ended"] = f"{iso_time(entry.last_words.time_ns, 0)}, exit code {entry.last_words.exit_code}"
    values |= {
        "next step": entry.next_step,
        "mode": coloured(mode_words(mode), mode) if mode else "",
        "pid": entry.pid if entry.pid is not None else "",
        "last heartbeat": age_text(entry.heartbeat_age_seconds),
        "armed": _armed(entry, told),
        "approval": "" if told is None else told.approval,
        "kill switch": _switch(entry, told),
        "watchdog": entry.watchdog,
    }
    if told is not None:
        values |= {"ALARM": "; ".join(told.alarms)}
        values |= {"stopped in parts": "; ".join(told.stops)}
        values |= {"paused": told.paused_by or told.is_paused, **_halts_and_changes(told)}
    return values


def _armed(entry: AccountStatus, told: _Told | None) -> str:
    """Say who armed what: what a running engine began with, else what the next start is held against."""
    if told is not None:
        return told.armed
    try:
        signed = read_arming(state_dir.StateDir(entry.account))
    except StorageError as error:
        return f"not known: {error}"
    return "" if signed is None else armed_words(signed.arming)


def _switch(entry: AccountStatus, told: _Told | None) -> str:
    if entry.is_kill_latched and state_dir.owner_words(state_dir.StateDir(entry.account)):
        # What cannot be looked at is taken for engaged where an engine starts; here it is just not seen.
        return "not to be seen by this user"
    if told is not None and told.is_killed and not entry.is_kill_latched:
        return "ENGAGED in its journal; the file of it is gone, so a start with --new-journal is not killed"
    return "ENGAGED" if entry.is_kill_latched else "off"


def _money(told: _Told) -> dict[str, object]:
    unit = told.currency
    parts = ", ".join(f"{name} {text}" for name, text in _parts(told))
    return {
        "equity": f"{_shown(told.equity)} {unit} (cash {_shown(told.cash)})",
        "accounts": account_words(told.accounts, unit),
        "balances": balance_words(told.balances, unit),
        "PnL": f"{_signed(told.pnl)} {unit} since the account began ({parts})",
        "PnL session": f"{_signed(told.pnl_session)} {unit}",
        "PnL today": f"{_signed(told.pnl_today)} {unit} since {told.today_since}",
    }


def _parts(told: _Told) -> Iterator[tuple[str, str]]:
    """Give what the profit is made of: together the parts are the whole."""
    yield "realised", _shown(told.realised)
    yield "unrealised", _shown(told.unrealised)
    if not (told.fees and told.pnl and told.realised and told.unrealised):
        return
    yield "fees", _signed(str(Decimal(0) - Decimal(told.fees)))
    rest = Decimal(told.pnl) - Decimal(told.realised) - Decimal(told.unrealised) + Decimal(told.fees)
    if rest:
        others = ", prices of other currencies" if len(told.balances) > 1 else ""
        yield f"funding, interest, liquidations, adjustments, a journal before{others}", _signed(str(rest))


def _activity(told: _Told) -> dict[str, object]:
    lag = told.read_model_lag_records
    orders = f"{told.orders:,} sent, {told.open_orders:,} open"
    heard = f"last event {age_text(told.feed_age_seconds)}, {told.events:,} events"
    return {
        "orders": f"{orders}, {told.fills:,} fills, {told.refusals:,} refused",
        "not done": told.not_done,
        "feed": f"{heard}, market time {told.engine_time}",
        "books invalid": ", ".join(told.books_waiting),
        "venue": venue_words(told.venue),
        **{
            f"venue of {name}": venue_words(venue, is_one_of_several=True)
            for name, venue in told.venues.items()
        },
        "start report": told.start_report,
        "journal records": f"{told.records:,}"
        + ("" if lag is None else f"; the read model is {lag:,} behind")
        + (f" ({told.read_model_problem})" if told.read_model_problem else ""),
        "output": f"{told.output_lines_dropped:,} lines were left out: nobody takes them"
        if told.output_lines_dropped
        else "",
    }


def _halts_and_changes(told: _Told) -> dict[str, object]:
    halted = [f"{row['scope']} ({row['rule']}): {row['words']}" for row in told.halt_rows]
    return {"halted": "; ".join(halted), "changed": "; ".join(_changed(change) for change in told.changes)}


def _changed(change: LimitChange) -> str:
    said = [change.command, change.scope]
    if change.command == "set_limit":
        said += [change.limit, change.value or "off"]
    if change.instrument:
        said.append(change.instrument)
    return f"{' '.join(said)} by {change.person or 'nobody known'} at {iso_time(change.time_ns, 0)}"


def _print_tables(told: _Told) -> None:
    ticket = ("ticket",) if any("ticket" in row for row in told.position_rows) else ()
    account = ("account",) if len(told.accounts) > 1 else ()
    columns = ("symbol", *account, "strategy", *ticket, "quantity", "entry_price", "mark", "unrealised")
    _print_table("positions", columns, told.position_rows, told.positions_open)
    orders = [{**row, "order": row.get("order_id"), "what": row.get("words")} for row in told.order_rows]
    columns = ("order", *account, "strategy", "what", "open", "state")
    _print_table("open orders", columns, orders, told.open_orders)
    columns = ("wish", *account, "strategy", "what", "value", "until")
    _print_table("waiting for approval", columns, told.waiting_rows, len(told.waiting_rows))
    _print_table("limits", ("scope", "limit", "used", "value"), told.limit_rows, len(told.limit_rows))


def _print_table(
    title: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]], count: int
) -> None:
    """Print rows below a title, columns padded to one width; nothing when there is no row."""
    if not rows:
        return
    cells = [[_cell(row.get(column), column) for column in columns] for row in rows]
    print(f"\n{title}")
    print_table([name.replace("_", " ") for name in columns], cells, indent="  ")
    if count > len(rows):
        print(f"  and {count - len(rows)} more")


def _print_words(title: str, words: LastWords) -> None:
    if title == "failed start":
        print(f"\n{title} at {iso_time(words.time_ns, 0)}: {words.reason}")
        print(f"  {words.next_step}")
        return
    if words.log:
        print(f"\n{title}")
    for line in words.log[-LOG_LINES_SHOWN:]:
        print(f"  {line}")


def _cell(value: object, column: str) -> str:
    if value is None:
        return "-"
    return _signed(str(value)) if column == "unrealised" else str(value)


def _shown(text: str) -> str:
    return shown_money(Decimal(text)) if text else "-"


def _signed(text: str) -> str:
    if not text:
        return "-"
    shown = shown_money(Decimal(text))
    return shown if shown.startswith("-") else f"+{shown}"
