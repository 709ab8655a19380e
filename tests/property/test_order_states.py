"""The order states that people read are the engine's own, at every moment of any run."""

import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from support import records
from support.golden import engine_of
from support.random_orders import SECOND_NS, events_of
from support.tables import rows_of
from tradecore.domain import InvalidValueError, Matching
from tradecore.domain.journal import decode_frames, encode_session
from tradecore.domain.orders import order_state_after, order_states
from tradecore.domain.record import JournalPosition
from tradecore_sqlite import SqliteReadModel
from tradecore_sqlite.projection import Changes

STEPS = 120
# Place of the fee in a row of `fills`.
FEE_ATTO = 10
TERMINAL = {name for name, is_terminal in order_states() if is_terminal}


class Tables:
    """The tables in memory: rows by table and key."""

    def __init__(self) -> None:
        self.rows = {}
        self.records = []

    def take(self, frames) -> None:
        """Take in what a step made, as a projector does."""
        start = len(self.records)
        self.records += [
            records.record(kind, start + place, time_ns, **fields)
            for place, (kind, time_ns, fields) in enumerate(decode_frames(frames))
        ]
        changes = Changes(self.rows.get("orders", {}).values())
        for record in self.records[start:]:
            changes.take(record)
        for table, rows in changes.rows().items():
            if table == "orders":
                self.rows[table] = dict(changes._orders)
            else:
                self.rows.setdefault(table, {}).update((row[0], row) for row in rows)

    def open_orders(self):
        """Say of every order that has not ended what the engine says of it."""
        return [
            (row.order_id, row.state, row.price_ticks, (row.lots or 0) - row.filled_lots)
            for row in sorted(self.rows.get("orders", {}).values(), key=lambda row: row.order_id)
            if row.state not in TERMINAL
        ]


def open_orders(engine):
    """Say of every open order of an engine its number, state, price and open lots."""
    return [
        (row["order_id"], row["state"], row["price_ticks"], row["open_lots"])
        for row in engine.kernel.open_orders()
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(matching=st.sampled_from(list(Matching)), seed=st.integers(0, 2**32))
# An exit at the market that was held became smaller before it had a price.
@example(matching=Matching.EXCHANGE, seed=94_399_475)
# An order that states a price became smaller, and kept it.
@example(matching=Matching.BARS, seed=502)
def test_at_every_step_the_tables_hold_the_orders_that_the_engine_holds(tmp_path_factory, matching, seed):
    """State, price and open size of every open order; what ended has the state of a terminal one."""
    engine, tables = engine_of(matching, seed), Tables()
    for step, batch in enumerate(events_of(matching, seed, STEPS)):
        engine.feed(batch)
        engine.run()
        tables.take(engine.take_frames())
        assert tables.open_orders() == open_orders(engine), f"step {step}"

    check_totals(engine, tables)
    asyncio.run(check_file(tmp_path_factory.mktemp("tables") / "read.sqlite", tables))


def check_totals(engine, tables):
    """Hold the sums of the tables against the engine's own figures."""
    money, summary = engine.kernel.money(), engine.summary()
    rows = {name: list(by_key.values()) for name, by_key in tables.rows.items()}
    flows = Counter()
    for row in rows.get("cash_flows", []):
        flows[row[5]] += int(row[6])

    assert {name: flows[name] for name in ("funding", "borrow", "liquidation_fee", "insurance")} == {
        name: money[name] for name in ("funding", "borrow", "liquidation_fee", "insurance")
    }
    assert sum(int(row[FEE_ATTO]) for row in rows.get("fills", [])) == money["fees"]
    assert (len(rows.get("orders", [])), len(rows.get("fills", [])), len(rows.get("refusals", []))) == (
        summary.orders,
        summary.fills,
        summary.refusals,
    )


async def check_file(path, tables):
    """Hold a file that the same records were applied to, in two groups, against the tables in memory."""
    read_model = await SqliteReadModel.open(str(path))
    half = len(tables.records) // 2
    at_half, at_end = JournalPosition(half, "a"), JournalPosition(len(tables.records), "b")
    assert await read_model.apply(tables.records[:half], JournalPosition(), at_half)
    assert await read_model.apply(tables.records[half:], at_half, at_end)
    await read_model.aclose()
    found = rows_of(path)

    for name, by_key in tables.rows.items():
        kept = {next(iter(row.values())): tuple(row.values()) for row in found[name]}
        expected = by_key
        if name == "orders":
            kept = {key: row[10:12] for key, row in kept.items()}
            expected = {key: (row.state, row.filled_lots) for key, row in by_key.items()}
        assert kept == expected, name


def test_the_steps_reach_every_state_that_a_simulated_venue_can_cause():
    """The property above is about something: between steps orders are seen in all states but UNKNOWN."""
    seen = set()
    for matching in Matching:
        for seed in range(6):
            engine, tables = engine_of(matching, seed), Tables()
            for batch in events_of(matching, seed, STEPS):
                engine.feed(batch)
                engine.run()
                tables.take(engine.take_frames())
                seen |= {row.state for row in tables.rows.get("orders", {}).values()}

    assert seen == {name for name, _ in order_states()} - {"unknown"}


def test_a_name_that_is_none_is_refused():
    """States and records have the names of the table, and no other."""
    with pytest.raises(InvalidValueError, match="state"):
        order_state_after("open", "fill", filled_lots=0, open_lots=1, fill_lots=1)
    with pytest.raises(InvalidValueError, match="what"):
        order_state_after("new", "vanished", filled_lots=0, open_lots=1)


async def test_a_session_whose_mark_has_no_time_began_with_what_came_next(tmp_path):
    """Journals of the first version of recorded feeds have 0 there; the tables never show it."""
    mark = encode_session(0, "0.1.0", b"{}")
    (kind, time_ns, fields), *_ = decode_frames(mark)
    first = records.record(kind, 0, time_ns, **fields)
    pause = records.record("command", 5, 7 * SECOND_NS, command="pause")
    path = tmp_path / "read.sqlite"
    read_model = await SqliteReadModel.open(str(path))
    await read_model.apply([first], JournalPosition(), JournalPosition(1, "a"))
    await read_model.apply([pause], JournalPosition(1, "a"), JournalPosition(6, "b"))
    await read_model.aclose()

    assert [row["started_ns"] for row in rows_of(path)["sessions"]] == [7 * SECOND_NS]
