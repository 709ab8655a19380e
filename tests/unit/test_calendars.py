"""How long an order for the day lives: by its instrument's sessions, in an engine and after a restart."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain import (
    AccountSpec,
    ConfigError,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    Matching,
    SessionTable,
    VenueSpec,
)
from tradecore.domain.journal import JournalFolder, decode_frames, encode_session
from tradecore.engine import Engine
from tradecore.runtime import SessionConfig
from tradecore.runtime.recovery import recover
from tradecore.strategy import StrategyBinding
from tradecore_calendars import session_table

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
HOUR_NS = DAY_NS // 24
# 2024-07-03T00:00:00Z, a Wednesday; New York closes at 17:00 UTC and stays closed on the 4th.
JULY_3_NS = 1_719_964_800 * SECOND_NS
JULY = session_table("XNYS", JULY_3_NS, JULY_3_NS + 10 * DAY_NS)
FX = session_table("fx", JULY_3_NS, JULY_3_NS + 10 * DAY_NS)


class EachHour:
    """Sends an order for the day in every instrument at each quote of it, far from the market."""

    def __init__(self) -> None:
        self.answers = []
        self.ended = []

    def on_quote(self, ctx, quote) -> None:
        """Send one and write down the answer."""
        answer = ctx.buy(
            quantity_lots=1, limit_ticks=1, time_in_force="day", instrument_id=quote.instrument_id
        )
        self.answers.append((ctx.now_ns, quote.instrument_id, answer))

    def on_order(self, ctx, update) -> None:
        """Write down what expires."""
        if update.what == "expired":
            self.ended.append((update.order_id, ctx.now_ns))


def spec_of(*calendars, tables, **venue):
    """Make a specification with an instrument for each of these calendars."""
    return EngineSpec(
        instruments=tuple(
            InstrumentSpec(symbol=f"S{index}", tick_size="1", calendar=name)
            for index, name in enumerate(calendars)
        ),
        calendars=tables,
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(matching=Matching.QUOTES, **venue),
    )


def engine_of(spec, strategy):
    """Build a recording engine."""
    binding = StrategyBinding(
        name="hours", strategy=strategy, instruments=tuple(range(len(spec.instruments)))
    )
    return Engine(spec, [binding], recording=True)


def quoted(engine, times_ns):
    """Feed a quote of every instrument at each time, and let the clock go on for a month."""
    batch = EventBatch()
    for time_ns in times_ns:
        for instrument_id in range(len(engine.instruments)):
            batch.quote(time_ns, instrument_id, 99, 10, 101, 10)
    batch.clock(max(times_ns) + 31 * DAY_NS)
    engine.feed(batch)
    engine.run()
    return engine


def end_after(table, now_ns):
    """Walk over a table: the end of the first session that has not ended."""
    return next((end for _, end in table.sessions_ns() if end > now_ns), None)


def test_two_instruments_end_their_day_by_their_own_calendars():
    """In one engine, each hour of ten days with a half day, a holiday and a weekend; 24/7 is a third one."""
    strategy = EachHour()
    spec = spec_of("XNYS", "fx", "24/7", tables={"XNYS": JULY, "fx": FX}, day_end_ns=HOUR_NS)
    times_ns = [JULY_3_NS + hour * HOUR_NS for hour in range(24 * 8)]
    quoted(engine_of(spec, strategy), times_ns)

    ends = dict(strategy.ended)
    assert len(strategy.answers) == len(ends) == 3 * len(times_ns)
    for now_ns, instrument_id, order_id in strategy.answers:
        day_end_ns = (now_ns - HOUR_NS) // DAY_NS * DAY_NS + DAY_NS + HOUR_NS
        known = (end_after(JULY, now_ns), end_after(FX, now_ns), day_end_ns)
        assert ends[order_id] == known[instrument_id]


@pytest.mark.parametrize(
    ("sent_at", "ends_at"),
    [
        (16 * HOUR_NS, 17 * HOUR_NS),  # on the half day: at 13:00 in New York
        (17 * HOUR_NS - 1, 17 * HOUR_NS),
        (17 * HOUR_NS, 2 * DAY_NS + 20 * HOUR_NS),  # at its very end: Friday, for Thursday is a holiday
        (DAY_NS + 15 * HOUR_NS, 2 * DAY_NS + 20 * HOUR_NS),
        (2 * DAY_NS + 20 * HOUR_NS, 5 * DAY_NS + 20 * HOUR_NS),  # after Friday's close: Monday
        (3 * DAY_NS + 12 * HOUR_NS, 5 * DAY_NS + 20 * HOUR_NS),
    ],
)
def test_a_day_order_lives_on_its_session_or_on_the_next_one(sent_at, ends_at):
    """2024-07-03 in New York is a half day, the 4th a holiday, the 5th a Friday."""
    strategy = EachHour()
    quoted(engine_of(spec_of("XNYS", tables={"XNYS": JULY}), strategy), [JULY_3_NS + sent_at])
    assert strategy.ended == [(1, JULY_3_NS + ends_at)]


def test_a_day_order_after_the_last_session_is_refused_and_the_strategy_goes_on():
    """The refusal names the last end that is known and the time of the order."""
    last_ns = JULY.sessions_ns()[-1][1]
    strategy = EachHour()
    engine = engine_of(spec_of("XNYS", tables={"XNYS": JULY}), strategy)
    quoted(engine, [last_ns - 1, last_ns, last_ns + HOUR_NS])

    answers = [answer for _, _, answer in strategy.answers]
    assert answers[0] == 1
    told = [(answer.rule, answer.limit, answer.value) for answer in answers[1:]]
    assert told == [("no_session", last_ns, last_ns), ("no_session", last_ns, last_ns + HOUR_NS)]
    refused = [fields for kind, _, fields in decode_frames(engine.take_frames()) if kind == "refused"]
    assert [(fields["rule"], fields["time_in_force"]) for fields in refused] == [("no_session", "day")] * 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"spans": (1, 2)}, "spans"),
        ({"spans": ()}, "spans"),
        ({"spans": (0,)}, "end_ns"),
        ({"spans": (5, -1, 5)}, r"calendars\.mine\.spans\[1\]"),
        ({"spans": (2**62, 1, 2**62)}, "spans"),
        ({"spans": (1, 1) * 65_536 + (1,)}, "sessions"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(changes, field):
    """However it was built, the engine looks at it."""
    table = msgspec.structs.replace(SessionTable(first_ns=0, step_ns=2, spans=(1,)), **changes)
    with pytest.raises(InvalidValueError, match=field):
        engine_of(spec_of("mine", tables={"mine": table}), EachHour())


def test_a_calendar_without_a_table_is_refused():
    """An engine looks nothing up: who builds its specification does."""
    with pytest.raises(InvalidValueError, match="calendar 'XNYS': must be 24/7, or the name of a table"):
        engine_of(spec_of("XNYS", tables={}), EachHour())


@given(
    first_ns=st.integers(-(2**40), 2**60),
    step_ns=st.integers(1, 10**11),
    spans=st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), min_size=1, max_size=40),
)
def test_a_table_gives_back_the_sessions_that_it_was_made_of(first_ns, step_ns, spans):
    """Also after it was written into a journal and read again."""
    starts_ns, ends_ns, at_ns = [], [], first_ns
    for pause, length in spans:
        starts_ns.append(at_ns + pause * step_ns)
        ends_ns.append(starts_ns[-1] + length * step_ns)
        at_ns = ends_ns[-1]
    table = SessionTable.of(starts_ns, ends_ns)
    assert table.sessions_ns() == list(zip(starts_ns, ends_ns, strict=True))
    assert msgspec.json.decode(msgspec.json.encode(table), type=SessionTable) == table


@pytest.mark.parametrize(
    ("starts_ns", "ends_ns", "rule"),
    [
        ([], [], "at least one"),
        ([1, 5], [3], "as many"),
        ([1, 5], [3, 5], "later than the start"),
        ([1, 5], [6, 8], "before the end"),
    ],
)
def test_sessions_that_are_no_table_are_refused(starts_ns, ends_ns, rule):
    """What is wrong is named."""
    with pytest.raises(InvalidValueError, match=rule):
        SessionTable.of(starts_ns, ends_ns)


def test_two_years_of_an_exchange_take_little_room_in_a_journal():
    """Once for all its instruments: a thousand of them write one table."""
    table = session_table("XNYS", JULY_3_NS, JULY_3_NS + 731 * DAY_NS)
    assert len(table.spans) > 990
    assert len(msgspec.json.encode(table)) < 5_000
    few, many = (
        len(msgspec.json.encode(spec_of(*["XNYS"] * count, tables={"XNYS": table})).split(b'"calendars"')[1])
        for count in (1, 1_000)
    )
    assert few == many


def recorded_run(path, config):
    """Write the journal of a run over some days and return the hash of the engine's state."""
    engine = quoted(engine_of(config.engine, EachHour()), [JULY_3_NS + hour * HOUR_NS for hour in range(90)])
    journal = JournalFolder(path).writer(0)
    journal.append(encode_session(JULY_3_NS, "test", config.encoded()))
    journal.append(engine.take_frames())
    journal.commit(True)
    journal.close()
    return engine.state_hash()


def test_a_journal_with_a_table_replays_to_the_same_state(tmp_path):
    """The specification that is read back from the journal has the table."""
    config = SessionConfig(engine=spec_of("XNYS", "fx", tables={"XNYS": JULY, "fx": FX}))
    state = recorded_run(tmp_path / "journal", config)
    again = engine_of(SessionConfig.decoded(config.encoded()).engine, EachHour())
    recovered = recover(JournalFolder(tmp_path / "journal"), again, config)
    assert (again.state_hash(), recovered.missing, recovered.pending) == (state, b"", b"")


def test_a_start_with_another_table_is_refused_in_one_short_line(tmp_path):
    """What replays a journal must be what wrote it; the tables are named by count and hash."""
    config = SessionConfig(engine=spec_of("XNYS", tables={"XNYS": JULY}))
    later = session_table("XNYS", JULY_3_NS, JULY_3_NS + 30 * DAY_NS)
    other = SessionConfig(engine=spec_of("XNYS", tables={"XNYS": later}))
    with pytest.raises(ConfigError, match=r"engine\.calendars\.XNYS was '7 sessions, hash") as caught:
        other.check_same(config.encoded(), "journal")
    assert len(str(caught.value)) < 350
    config.check_same(config.encoded(), "journal")


def test_a_start_with_another_calendar_names_the_instrument_and_no_tables():
    """The tables differ because the calendars do."""
    config = SessionConfig(engine=spec_of("XNYS", tables={"XNYS": JULY}))
    other = SessionConfig(engine=spec_of("fx", tables={"fx": FX}))
    with pytest.raises(ConfigError) as caught:
        other.check_same(config.encoded(), "journal")
    assert caught.value.key == "engine.instruments.0.calendar"
    assert "was 'XNYS', is 'fx'" in str(caught.value)


def test_a_journal_from_before_calendars_goes_on_as_24_7():
    """What its first record does not say is the default."""
    config = SessionConfig(engine=spec_of("24/7", tables={}))
    recorded = msgspec.json.decode(config.encoded())
    del recorded["engine"]["calendars"], recorded["engine"]["instruments"][0]["calendar"]
    config.check_same(msgspec.json.encode(recorded), "journal")
