"""Every kind of journal record is documented, and is in a table or on a list that says why not."""

import re

from support.shared import ROOT
from tradecore.domain.journal import (
    JournalFolder,
    encode_session,
    encode_session_end,
    record_kinds,
)
from tradecore.domain.record import JournalRecord
from tradecore.runtime import frames
from tradecore_api.commands.journal import EVENT_KINDS
from tradecore_sqlite.projection import LEFT_OUT, PROJECTED, Changes
from tradecore_sqlite.schema import NAMES

KINDS = record_kinds()
GOLDEN = sorted((ROOT / "tests/replay/golden").glob("behaviour-*/*.journal"))
# No golden journal of the first version has the one, and none of a version before this one the other.
SIZED = JournalRecord(seq=10**6, time_ns=1, kind="sized", fields={"order_id": 1, "lots": 3})
SENT = JournalRecord(seq=10**6, time_ns=1, kind="sent", fields={"order_id": 1, "request": "new", "lots": 3})
# No golden journal is of a venue outside.
LOST = JournalRecord(seq=10**6, time_ns=1, kind="outcome_lost", fields={"instrument": 0, "order_id": 1})


def test_every_kind_is_projected_or_it_is_said_why_not():
    """One of the two, and nothing else: a new kind has to be thought of here."""
    assert {*PROJECTED, *LEFT_OUT} == {kind.name for kind in KINDS}
    assert PROJECTED.keys() & LEFT_OUT.keys() == set()
    assert all(LEFT_OUT.values())
    assert {table for tables in PROJECTED.values() for table in tables} == set(NAMES)


def tables_changed_by(record):
    """Return the tables that a record changes, when nothing but an order was there before."""
    changes = Changes()
    order = {"order_id": record.fields.get("order_id", 1), "strategy": 0, "instrument": 0, "side": "buy"}
    order |= {"order_kind": "limit", "price_ticks": 5, "lots": 9, "time_in_force": "gtc"}
    changes.take(JournalRecord(seq=0, time_ns=1, kind="order", fields=order))
    if record.kind == "outcome_lost":
        changes.take(SENT)
    if record.kind == "session_end":
        session = {"engine_version": "1", "config": ""}
        changes.take(JournalRecord(seq=0, time_ns=1, kind="session", fields=session))
    before = {name: list(rows) for name, rows in Changes.rows(changes).items()}
    changes._rows.clear()
    changes.take(record)
    return {name for name, rows in changes.rows().items() if rows != before.get(name)}


def test_a_record_of_every_projected_kind_changes_the_tables_that_are_named():
    """No kind is on the list that leaves no trace, and none of the others leaves one."""
    changed = {name: set() for name in {*PROJECTED, *LEFT_OUT}}
    records = [
        JournalRecord(seq=seq + 1, time_ns=time_ns, kind=kind, fields=fields)
        for path in GOLDEN
        for seq, time_ns, kind, fields in JournalFolder(path).reader()
    ]
    for record in [*records, SIZED, SENT, LOST]:
        changed[record.kind] |= tables_changed_by(record)

    assert {name: tables for name, tables in changed.items() if tables} == {
        name: set(tables) for name, tables in PROJECTED.items()
    }


def test_every_kind_has_a_row_in_the_documents():
    """Its number, its name and which way it goes, as the journal's own table has them."""
    page = (ROOT / "docs/journal.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\w+) \| ([^|]+) \|", page, re.MULTILINE)

    assert rows == [(str(kind.code), kind.name, kind.direction, kind.about) for kind in KINDS]
    assert all(kind.about.endswith(".") for kind in KINDS)


def test_what_is_left_out_of_tables_is_what_a_scan_and_the_command_pass_over():
    """Market data and the time, by one table; the marks of sessions are known by it too."""
    from_venue = {"venue_report", "outcome_lost", "reconciled"}
    passed_over = {kind.name for kind in KINDS if kind.direction == "input"} - {"command", *from_venue}

    assert passed_over == EVENT_KINDS
    assert passed_over == LEFT_OUT.keys() - {"state_hash", "surprise", *from_venue}
    assert frames.kind_of(encode_session(0, "1", b"{}")) == frames.SESSION
    assert frames.kind_of(encode_session_end(0, "stopped")) == frames.SESSION_END
