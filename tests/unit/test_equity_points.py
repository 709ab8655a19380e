"""The equity over time in the tables: its moments, its money, and that no cut changes it."""

import asyncio
import sqlite3
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from support.sessions import ListFeed, open_session
from support.tables import rebuilt, rows_of
from tradecore import AccountSpec, Engine, EngineSpec, InstrumentSpec, Matching, StrategyBinding, VenueSpec
from tradecore.domain import EventBatch
from tradecore.domain.journal import JournalFolder, encode_session_end
from tradecore.domain.opening import Transfer
from tradecore.domain.spec import VenueAccountSpec
from tradecore.domain.units import exact_money
from tradecore.engine.equity_points import EquityPoints
from tradecore.runtime import Projector
from tradecore_sqlite import SqliteReadModel

NAMES = ("gold", "tin")
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
SPEC = EngineSpec(
    instruments=(
        InstrumentSpec(symbol="GOLD", tick_size="0.5", multiplier="3"),
        InstrumentSpec(symbol="TIN", tick_size="1"),
    ),
    account=AccountSpec(cash="100000"),
    venue=VenueSpec(matching=Matching.QUOTES),
)


class Trades:
    """Buys or sells at each third quote."""

    def __init__(self):
        self.seen = 0

    def on_quote(self, ctx, quote):
        """Trade now and then."""
        self.seen += 1
        if self.seen % 3 == 0:
            (ctx.buy if self.seen % 2 else ctx.sell)(quantity_lots=2)


def played(quotes, transfers):
    """Return the frames of a run, and after each event: time, money, and whether anything changed."""
    bound = [
        StrategyBinding(name=name, strategy=Trades(), instruments=(number,))
        for number, name in enumerate(NAMES)
    ]
    engine = Engine(SPEC, bound, recording=True)
    time_ns, states, frames, before = 0, [], b"", None
    for number, (gap_ns, ticks, instrument) in enumerate(quotes):
        time_ns += gap_ns
        batch = EventBatch()
        batch.quote(time_ns, instrument, ticks, 50, ticks + 1, 50)
        engine.feed(batch)
        engine.run()
        brought = 0
        if number in transfers:
            engine.change_account(Transfer(currency="USD", amount=Decimal("2.5"), reason="more"), time_ns)
            engine.run()
            brought = 1
        frames += engine.take_frames()
        money, summary = engine.kernel.money(), engine.summary()
        now = (money["cash"], summary.positions)
        lots = [engine.kernel.position_total_lots(number) for number in (0, 1)]
        states.append((time_ns, money, lots, brought or now != before or number == 0))
        before = now
    return engine, frames, states


def expected(states):
    """Say after which events there is a point: the plain reading of what is promised."""
    found, has_moved, is_told = [], True, True
    for index, (time_ns, _, _, moves) in enumerate(states):
        if not is_told:
            span_ns = MINUTE_NS if has_moved else HOUR_NS
            if time_ns // span_ns > states[index - 1][0] // span_ns:
                found.append(index - 1)
                has_moved = False
        has_moved, is_told = has_moved or bool(moves), False
    return [*found, len(states) - 1]


@settings(max_examples=40)
@given(
    quotes=st.lists(
        st.tuples(
            st.sampled_from([1, MINUTE_NS // 2, MINUTE_NS, 7 * MINUTE_NS, HOUR_NS, 30 * HOUR_NS]),
            st.integers(150, 260),
            st.integers(0, 1),
        ),
        min_size=1,
        max_size=40,
    ),
    transfers=st.sets(st.integers(0, 40), max_size=3),
    cuts=st.lists(st.integers(1, 2000), max_size=8),
)
def test_points_are_at_the_moments_that_are_promised_with_the_money_of_the_engine(quotes, transfers, cuts):
    """A plain walk over the engine's own figures finds the same points, however the frames are cut."""
    _, frames, states = played(quotes, transfers)
    frames += encode_session_end(states[-1][0], "stopped")
    follower, points = EquityPoints(SPEC, NAMES), []
    for part in parts_of(frames, cuts):
        points += follower.take(part)

    told = [states[index] for index in expected(states)]
    assert [point.time_ns for point in points] == [time_ns for time_ns, _, _, _ in told]
    for point, (_, money, lots, _) in zip(points, told, strict=True):
        assert (point.cash, point.equity) == (money["cash"], money["equity"])
        assert point.profit == money["equity"] - money["opening"]
        assert (point.exposure == 0) == (lots == [0, 0])
    assert points == EquityPoints(SPEC, NAMES).take(frames)


def parts_of(frames, cuts):
    """Cut whole frames into parts of about these sizes."""
    parts, start, end = [], 0, 0
    for size in [*cuts, len(frames)]:
        while end < len(frames) and end - start < size:
            end += 4 + int.from_bytes(frames[end : end + 4], "little")
        parts.append(frames[start:end])
        start = end
    return [part for part in parts if part]


def test_the_exposure_is_what_the_positions_are_worth():
    """Long and short alike, at the last prices, with ticks, lots and multipliers."""
    engine, frames, _ = played([(1, 200, 0)] * 3 + [(1, 7, 1)] * 6 + [(1, 7, 1)], ())
    *_, last = EquityPoints(SPEC, NAMES).take(frames + encode_session_end(HOUR_NS, "stopped"))
    lots, marks = [
        [ask(number) for number in (0, 1)]
        for ask in (engine.kernel.position_total_lots, engine.kernel.mark_ticks)
    ]

    assert lots == [2, 0]
    assert exact_money(last.exposure) == 2 * marks[0] * Decimal("0.5") * 3


def test_market_events_alone_make_a_point_an_hour():
    """Ten thousand quotes in five hours are six points, and the end of a session is one more."""
    engine = Engine(SPEC, [], recording=True)
    batch = EventBatch()
    for number in range(10_000):
        batch.quote(number * (5 * HOUR_NS // 10_000), 0, 200, 1, 201, 1)
    engine.feed(batch)
    engine.run()
    points = EquityPoints(SPEC, []).take(engine.take_frames() + encode_session_end(5 * HOUR_NS, "stopped"))

    assert [point.time_ns // HOUR_NS for point in points] == [0, 0, 1, 2, 3, 4]
    assert {point.equity for point in points} == {100_000 * 10**18}


def test_of_several_accounts_each_has_what_it_is_worth():
    """Together they are the whole; an engine with one account has none of that."""
    spec = replace(
        SPEC,
        instruments=(SPEC.instruments[0], replace(SPEC.instruments[1], account="other")),
        accounts=(VenueAccountSpec(name="other", cash="500"),),
    )
    bound = [
        StrategyBinding(name=name, strategy=Trades(), instruments=(number,))
        for number, name in enumerate(NAMES)
    ]
    engine = Engine(spec, bound, recording=True)
    batch = EventBatch()
    for number in range(40):
        batch.quote((number + 1) * MINUTE_NS, number % 2, 50 + number % 7, 50, 51 + number % 7, 50)
    engine.feed(batch)
    engine.run()
    points = EquityPoints(spec, NAMES).take(engine.take_frames() + encode_session_end(HOUR_NS, "stopped"))

    assert len(points) > 5
    assert {sum(point.accounts.values()) - point.equity for point in points} == {0}
    worth = {name: exact_money(atto) for name, atto in points[-1].accounts.items()}
    assert worth == {name: Decimal(of) for name, of in engine.summary().accounts.items()}
    assert set(worth) == set(spec.account_names)
    assert len({point.accounts["other"] for point in points}) > 1
    _, frames, _ = played([(1, 200, 0)] * 3, ())
    one = EquityPoints(SPEC, NAMES).take(frames + encode_session_end(HOUR_NS, "stopped"))
    assert [point.accounts for point in one] == [{}] * len(one) != []


@pytest.mark.parametrize("chunk_bytes", [1, 700, 1 << 20])
async def test_a_projector_that_starts_again_anywhere_has_the_same_equity(tmp_path, monkeypatch, chunk_bytes):
    """Each group by a projector of its own: what was before is followed again, and no row is other."""
    path = tmp_path / "journal"
    await open_session(path, feed=ListFeed(slices=12)).run()
    whole = await asyncio.to_thread(rebuilt, path, tmp_path / "whole.sqlite")
    monkeypatch.setattr("tradecore.runtime.journal_tail.CHUNK_BYTES_MAX", chunk_bytes)
    journal, model = JournalFolder(path), await SqliteReadModel.open(str(tmp_path / "parts.sqlite"))
    while (part := (await tail_of(model, journal)).next_part()) is not None:
        assert await model.apply(part.records, part.before, part.after, part.points)
    await model.aclose()

    assert whole["equity"]
    assert rows_of(tmp_path / "parts.sqlite")["equity"] == whole["equity"]


async def tail_of(model, journal):
    """Return what a new projector would read on with."""
    return await Projector(journal, model)._tail_at_tables()


async def test_whoever_opens_the_file_sees_a_curve_by_day(tmp_path):
    """Exact decimals as text, by account currency and day."""
    path = tmp_path / "journal"
    session = open_session(path)
    await session.run()
    await asyncio.to_thread(rebuilt, path, tmp_path / "read.sqlite")
    with sqlite3.connect(tmp_path / "read.sqlite") as connection:
        rows = connection.execute("SELECT currency, cash, equity FROM equity_by_day").fetchall()
    summary = session.engine.summary()

    assert rows == [("USD", summary.cash, summary.equity)]


async def test_a_journal_whose_account_cannot_be_followed_is_projected_all_the_same(tmp_path, monkeypatch):
    """The equity is left out and the projector says why; every other row is there."""
    path = tmp_path / "journal"
    await open_session(path).run()
    whole = await asyncio.to_thread(rebuilt, path, tmp_path / "whole.sqlite")
    monkeypatch.setattr("tradecore.runtime.journal_tail.recorded_config", lambda _: b'{"engine": 1}')
    model = await SqliteReadModel.open(str(tmp_path / "read.sqlite"))
    projector = Projector(JournalFolder(path), model)
    await projector.catch_up()
    await model.aclose()

    found = rows_of(tmp_path / "read.sqlite")
    assert "engine" in projector.equity_problem
    assert found.pop("equity") == []
    assert found == {name: rows for name, rows in whole.items() if name != "equity"}
