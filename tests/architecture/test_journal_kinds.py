"""Every kind of journal record is documented, and is in a table or on a list that says why not."""

import re

from support.records import record
from support.shared import ROOT
from tradecore.domain.journal import (
    NOT_OF_MARKET,
    JournalFolder,
    encode_session,
    encode_session_end,
    record_kinds,
)
from tradecore.domain.record_bodies import BODIES
from tradecore.runtime import frames
from tradecore_api.commands.journal import EVENT_KINDS
from tradecore_sqlite.projection import LEFT_OUT, PROJECTED, Changes
from tradecore_sqlite.schema import NAMES

KINDS = record_kinds()
GOLDEN = sorted((ROOT / "tests/replay/golden").glob("behaviour-*/*.journal"))
# No golden journal of the first version has the one, and none of a version before this one the other.
SIZED = record("sized", 10**6, 1, order_id=1, lots=3)
LOT = {"strategy": 0, "instrument": 0, "entry_order": 1, "entry_time_ns": 1, "entry_ticks": 5, "lots": 3}
OPENING = record(
    "account", 10**6, 1, account="opening", cash={"USD": 1}, lots=[{**LOT, "fee": 1}], changed=""
)
SENT = record("sent", 10**6, 1, order_id=1, request="new", lots=3)
# No golden journal is of a venue outside.
LOST = record("outcome_lost", 10**6, 1, instrument=0, order_id=1)


def test_every_kind_is_projected_or_it_is_said_why_not():
    """One of the two, and nothing else: a new kind has to be thought of here."""
    assert {*PROJECTED, *LEFT_OUT} == {kind.name for kind in KINDS}
    assert PROJECTED.keys() & LEFT_OUT.keys() == set()
    assert all(LEFT_OUT.values())
    # The equity follows from all of them.
    assert {table for tables in PROJECTED.values() for table in tables} == set(NAMES) - {
        "equity",
        "account_equity",
    }


def tables_changed_by(changed_by):
    """Return the tables that a record changes, when nothing but an order was there before."""
    changes = Changes()
    order_id = getattr(changed_by.body, "order_id", 1)
    changes.take(record("order", 0, 1, order_id=order_id, side="buy", price_ticks=5, lots=9))
    if changed_by.kind == "outcome_lost":
        changes.take(SENT)
    if changed_by.kind == "session_end":
        changes.take(record("session", 0, 1, engine_version="1"))
    before = {name: list(rows) for name, rows in Changes.rows(changes).items()}
    changes._rows.clear()
    changes.take(changed_by)
    return {name for name, rows in changes.rows().items() if rows != before.get(name)}


def test_a_record_of_every_projected_kind_changes_the_tables_that_are_named():
    """No kind is on the list that leaves no trace, and none of the others leaves one."""
    changed = {name: set() for name in {*PROJECTED, *LEFT_OUT}}
    records = [
        record(kind, seq + 1, time_ns, **fields)
        for path in GOLDEN
        for seq, time_ns, kind, fields in JournalFolder(path).reader()
    ]
    for one in [*records, SIZED, SENT, LOST, OPENING]:
        changed[one.kind] |= tables_changed_by(one)

    assert {name: tables for name, tables in changed.items() if tables} == {
        name: set(tables) for name, tables in PROJECTED.items()
    }


def test_every_kind_has_a_struct_with_the_fields_of_the_one_table():
    """The native module states kinds and fields; what Python reads has the same, in the same order."""
    assert {kind.name: kind.fields for kind in KINDS} == {
        name: body.__struct_fields__ for name, body in BODIES.items()
    }


def test_every_kind_has_a_row_in_the_documents():
    """Its number, its name and which way it goes, as the journal's own table has them."""
    page = (ROOT / "docs/journal.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (\w+) \| ([^|]+) \|", page, re.MULTILINE)

    assert rows == [(str(kind.code), kind.name, kind.direction, kind.about) for kind in KINDS]
    assert all(kind.about.endswith(".") for kind in KINDS)


def test_what_is_left_out_of_tables_is_what_a_scan_and_the_command_pass_over():
    """Market data and the time, by one table; the marks of sessions are known by it too."""
    passed_over = {kind.name for kind in KINDS if kind.direction == "input"} - NOT_OF_MARKET

    assert passed_over == EVENT_KINDS
    assert passed_over == LEFT_OUT.keys() - {"state_hash", "surprise", *NOT_OF_MARKET}
    numbers = {kind.code for kind in KINDS if kind.name in passed_over - {"feed"}}
    assert numbers == frames._MARKET_AND_CLOCK
    assert frames.kind_of(encode_session(0, "1", b"{}")) == frames.SESSION
    assert frames.kind_of(encode_session_end(0, "stopped")) == frames.SESSION_END
