"""Turns journal records into rows; every statement may run twice without harm."""

from collections.abc import Iterator

import msgspec

from tradecore.domain.record import JournalRecord

Statement = tuple[str, tuple[object, ...]]

_INSERT_SESSION = """
INSERT OR IGNORE INTO sessions (seq, started_ns, engine_version, config) VALUES (?, ?, ?, ?)
"""
_END_SESSION = """
UPDATE sessions SET ended_ns = ?, end_reason = ?
WHERE seq = (SELECT MAX(seq) FROM sessions WHERE seq < ?)
"""
_INSERT_ORDER = """
INSERT OR IGNORE INTO orders (
    order_id, seq, time_ns, strategy, instrument, side, kind, price_ticks, lots, time_in_force, state, details
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending_new', ?)
"""
_INSERT_FILL = """
INSERT OR IGNORE INTO fills
SELECT ?, ?, ?, ?, o.strategy, o.instrument, o.side, ?, ?, ?, ?
FROM (SELECT 1) LEFT JOIN orders AS o ON o.order_id = ?
"""
# Counted anew instead of added up, so that a second run changes nothing.
_COUNT_FILLS = """
UPDATE orders SET
    filled_lots = (SELECT SUM(lots) FROM fills WHERE fills.order_id = orders.order_id),
    state = CASE
        WHEN lots IS NOT NULL AND (SELECT SUM(lots) FROM fills WHERE fills.order_id = orders.order_id) >= lots
        THEN 'filled' ELSE 'partially_filled' END,
    closed_ns = CASE
        WHEN lots IS NOT NULL AND (SELECT SUM(lots) FROM fills WHERE fills.order_id = orders.order_id) >= lots
        THEN ? END
WHERE order_id = ? AND state NOT IN ('canceled', 'rejected', 'expired')
"""
# What a command can say beside its name, in the order of the columns.
_ARGUMENTS = ("scope", "scope_id", "limit", "value", "instrument", "person")
_STATES = {"accepted": "new", "triggered": "new"}
_CLOSED = {"canceled": "canceled", "rejected": "rejected", "expired": "expired"}


def statements(record: JournalRecord) -> Iterator[Statement]:
    """Yield the statements that bring one record into the tables."""
    fields = record.fields
    match record.kind:
        case "session":
            yield (
                _INSERT_SESSION,
                (record.seq, record.time_ns, _text(fields["engine_version"]), _text(fields["config"])),
            )
        case "session_end":
            yield (
                _END_SESSION,
                (record.time_ns, _text(fields["reason"]), record.seq),
            )
        case "order":
            yield _order(record)
        case "report":
            yield from _report(record)
        case "refused":
            yield (
                "INSERT OR IGNORE INTO refusals VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.seq,
                    record.time_ns,
                    fields["order_id"],
                    fields["strategy"],
                    fields["instrument"],
                    fields["rule"],
                    str(fields["limit"]),
                    str(fields["value"]),
                ),
            )
        case "decision":
            yield (
                "INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    record.seq,
                    record.time_ns,
                    fields["strategy"],
                    fields["instrument"],
                    fields["action"],
                    fields["reason"],
                    _json(fields["gates"]),
                ),
            )
        case "command":
            yield (
                "INSERT OR IGNORE INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (record.seq, record.time_ns, fields["command"], *(fields.get(name) for name in _ARGUMENTS)),
            )


def _order(record: JournalRecord) -> Statement:
    fields = record.fields
    price = fields.get("price_ticks", fields.get("trigger_ticks"))
    return (
        _INSERT_ORDER,
        (
            fields["order_id"],
            record.seq,
            record.time_ns,
            fields["strategy"],
            fields["instrument"],
            fields["side"],
            fields["order_kind"],
            price,
            fields.get("lots"),
            fields["time_in_force"],
            _json(fields),
        ),
    )


def _report(record: JournalRecord) -> Iterator[Statement]:
    fields = record.fields
    order_id, report = fields["order_id"], str(fields["report"])
    if report == "fill":
        yield (
            _INSERT_FILL,
            (
                record.seq,
                record.time_ns,
                fields["venue_time_ns"],
                order_id,
                fields["price_ticks"],
                fields["lots"],
                fields["liquidity"],
                str(fields["fee"]),
                order_id,
            ),
        )
        yield _COUNT_FILLS, (record.time_ns, order_id)
    elif report in _CLOSED:
        yield (
            "UPDATE orders SET state = ?, reason = ?, closed_ns = ? WHERE order_id = ?",
            (_CLOSED[report], fields.get("reason"), record.time_ns, order_id),
        )
    elif report in _STATES:
        if "price_ticks" in fields:
            yield "UPDATE orders SET price_ticks = ? WHERE order_id = ?", (fields["price_ticks"], order_id)
        yield (
            "UPDATE orders SET state = ? WHERE order_id = ? AND state = 'pending_new'",
            (_STATES[report], order_id),
        )
    elif report in {"replaced", "restated"}:
        # `lots` of the report is what is still open.
        yield (
            "UPDATE orders SET price_ticks = ?, lots = filled_lots + ? WHERE order_id = ?",
            (fields["price_ticks"], fields["lots"], order_id),
        )


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
