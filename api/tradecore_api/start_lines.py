"""What `run` says when it starts: what runs, on what, with which limits, from where, and how to end it."""

import logging
import os
from decimal import Decimal

import msgspec

from tradecore.domain import Mode
from tradecore.domain.units import Units, shown_money
from tradecore.engine.kept_state import without_pair
from tradecore.runtime import Session
from tradecore.runtime.carry_over import CarriedOver
from tradecore_api.approval_words import approval_words
from tradecore_api.config.tables import Config
from tradecore_api.engine_status import limit_rows, position_rows
from tradecore_api.version import VERSION

log = logging.getLogger("tradecore.start")

INSTRUMENTS_SHOWN_MAX = 10
LIMITS_SHOWN_MAX = 12
# From so many replayed events on a start takes seconds.
REPLAYED_MAX = 500_000


def tell_start(
    config: Config,
    session: Session,
    journal_path: str,
    carried: CarriedOver | None = None,
    armed_words: str = "",
) -> None:
    """Log what starts, a line for each thing."""
    account = config.tables.account.name
    for event, words, told in (
        _who(config, account),
        *_armed(armed_words),
        _instruments(config),
        *_strategies(config),
        _limits(session),
        *_approval(session),
        *_carried(carried),
        _journal(session, journal_path),
        _money(session),
        _ways(account, journal_path),
    ):
        is_live = event == "start" and config.tables.mode is Mode.LIVE
        log.log(logging.WARNING if is_live else logging.INFO, event, extra={"words": words, "told": told})
    if words := _long_start(session):
        log.warning("start_replayed_all", extra={"words": words})
    for words in session.recovered.passed_over:
        log.warning("snapshot_passed_over", extra={"words": words})


Line = tuple[str, str, dict[str, object]]


def _who(config: Config, account: str) -> Line:
    told: dict[str, object] = {
        "version": VERSION,
        "mode": config.tables.mode.value,
        "account": account,
        "pid": os.getpid(),
    }
    words = f"tradecore {VERSION} starts: account {account}, {told['mode']} mode, pid {told['pid']}"
    if config.tables.mode is Mode.LIVE:
        words = f"LIVE: {words}; its orders leave for a venue"
    return "start", words, told | {"configuration": config.source}


def _armed(words: str) -> list[Line]:
    return [("start_armed", f"armed {words}", {"armed": words})] if words else []


def _instruments(config: Config) -> Line:
    instruments = config.tables.instruments
    shown = [
        f"{i.symbol} (tick {i.tick_size}, lot {i.lot_size})" for i in instruments[:INSTRUMENTS_SHOWN_MAX]
    ]
    if len(instruments) > INSTRUMENTS_SHOWN_MAX:
        shown.append(f"and {len(instruments) - INSTRUMENTS_SHOWN_MAX} more")
    feed: dict[str, object] = msgspec.to_builtins(config.tables.feed)
    settings = [f"{name} {value}" for name, value in feed.items() if name != "kind" and value is not None]
    words = f"trades {', '.join(shown)}; feed {feed.get('kind')}" + (
        f" ({', '.join(settings)})" if settings else ""
    )
    symbols = [instrument.symbol for instrument in instruments]
    return "start_instruments", words, {"instruments": symbols, "feed": feed}


def _strategies(config: Config) -> list[Line]:
    lines: list[Line] = []
    for strategy in config.strategies:
        values = (
            ", ".join(f"{name} {value}" for name, value in strategy.parameters.items()) or "as in its class"
        )
        symbols = ", ".join(strategy.instruments) or "all instruments"
        bars = strategy.bars if isinstance(strategy.bars, str) else ", ".join(strategy.bars)
        words = (
            f"strategy {strategy.name} ({strategy.reference}) on {symbols}, bars {bars}; parameters: {values}"
        )
        told: dict[str, object] = {
            "strategy": strategy.name,
            "class": strategy.reference,
            "parameters": strategy.parameters,
        }
        lines.append(("start_strategy", words, told))
    return lines


def _approval(session: Session) -> list[Line]:
    spec = session.engine.spec
    words = approval_words(spec.approval, spec.account.currency)
    return [("start_approval", words, {"approval": words})] if words else []


def _limits(session: Session) -> Line:
    rows = limit_rows(session.engine)
    shown = [f"{row['limit']} {row['value']} ({row['scope']})" for row in rows[:LIMITS_SHOWN_MAX]]
    if len(rows) > LIMITS_SHOWN_MAX:
        shown.append(f"and {len(rows) - LIMITS_SHOWN_MAX} more in `tradecore status`")
    words = (
        f"limits: {', '.join(shown)}"
        if rows
        else "limits: NONE is set: nothing bounds what the strategies may do"
    )
    return (
        "start_limits",
        words,
        {"limits": [{name: row[name] for name in ("scope", "limit", "value")} for row in rows]},
    )


def _carried(carried: CarriedOver | None) -> list[Line]:
    """Say what was carried over, what changed, and what ended by that, a line for each."""
    if carried is None:
        return []
    words = f"the account was carried over; its journal before is kept as {carried.kept}"
    lines: list[Line] = [("start_carried_over", words, {"kept": carried.kept})]
    changes = carried.opening.changed.splitlines()[: -(len(carried.orders) + len(carried.left_out)) or None]
    lines += [("start_changed", f"changed: {change}", {"changed": change}) for change in changes]
    lines += [
        ("start_order_ended", f"ended, because it was open before: {order}", {"order": order})
        for order in carried.orders
    ]
    lines += [
        ("start_command_again", f"holds still: {command.words()}", {"command": command.name})
        for command in carried.commands
    ]
    lines += [("start_left_out", words, {"left_out": words}) for words in carried.left_out]
    return lines


def _journal(session: Session, journal_path: str) -> Line:
    recovered = session.recovered
    told: dict[str, object] = {
        "journal": journal_path,
        "records": recovered.frames,
        "replayed": recovered.replayed_events,
        "from_snapshot": recovered.from_seq,
    }
    if not recovered.frames:
        words = f"journal {journal_path}: new"
    elif recovered.is_complete:
        words = (
            f"journal {journal_path}: its data had ended, there is nothing to do; --new-journal starts afresh"
        )
    else:
        since = f" since the snapshot at {recovered.from_seq:,}" if recovered.from_seq else ""
        words = (
            f"journal {journal_path}: goes on after {recovered.frames:,} records; "
            f"{recovered.replayed_events:,} market events{since} were replayed and every byte is the same"
        )
    return "start_journal", words, told


def _long_start(session: Session) -> str:
    """Return what would make the next start short, where this one had to replay much."""
    missing = without_pair(session.engine.strategies)
    if not missing or session.recovered.replayed_events < REPLAYED_MAX:
        return ""
    return (
        f"all {session.recovered.replayed_events:,} market events were replayed, because "
        f"{', '.join(missing)} has no save_state and load_state: with both, a start goes on from a snapshot "
        "(docs/journal.md#snapshots)"
    )


def _money(session: Session) -> Line:
    engine = session.engine
    summary, account = engine.summary(), engine.spec.account
    units = Units(engine.spec, [binding.name for binding in engine.strategies])
    cash, equity = shown_money(Decimal(summary.cash)), shown_money(Decimal(summary.equity))
    held = [f"{row['quantity']} {row['symbol']} of {row['strategy']}" for row in position_rows(engine, units)]
    state = " KILL SWITCH ENGAGED" if summary.is_killed else " PAUSED" if summary.is_paused else ""
    if summary.stops:
        state += f" STOPPED IN PARTS: {', '.join(summary.stops)}"
    words = (
        f"cash {cash} {account.currency}, equity {equity} {account.currency}, leverage {account.leverage}; "
        f"positions: {', '.join(held) or 'none'}; open orders: {summary.open_orders}{state}"
    )
    told: dict[str, object] = {"cash": summary.cash, "equity": summary.equity, "currency": account.currency}
    return "start_account", words, told | {"positions": summary.positions, "open_orders": summary.open_orders}


def _ways(account: str, journal_path: str) -> Line:
    words = (
        f"look: `tradecore status {account}`, `tradecore journal tail -f {journal_path}`; "
        f"hold: `tradecore pause {account}`; end: `tradecore stop {account}` or Ctrl-C"
    )
    return "start_ways", words, {}
