"""What pauses by itself, from one look to the next: feed, clock, losses of an account."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sessions import START_NS, ListFeed, open_session
from tradecore import EventBatch
from tradecore.domain import InvalidValueError
from tradecore.domain.commands import Flatten, SafetyPause
from tradecore.domain.errors import VenueError
from tradecore.runtime import SessionSettings
from tradecore_api.config.stop_tables import SafetyTable
from tradecore_api.safety_stops import Hours, SafetyWatch, Seen, _seen, keep_safe

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
TABLE = SafetyTable()


def seen(**said):
    """Return what is seen where nothing is wrong, but for what is said."""
    return Seen(**{"feed_age_ns": 0, "wall_ns": NOW, "monotonic_ns": 5 * SECOND} | said)


def watch(**said):
    """Return a watch that has looked once."""
    made = SafetyWatch(SafetyTable(**said), last_ns=NOW)
    assert made.look(seen()) == []
    return made


def test_a_feed_that_is_silent_pauses_once_and_says_how_long():
    """The bound is the last age that passes."""
    made = watch()
    assert made.look(seen(feed_age_ns=60 * SECOND)) == []
    pause = SafetyPause(cause="feed_lost", seen=61 * SECOND, bound=60 * SECOND)
    assert made.look(seen(feed_age_ns=61 * SECOND)) == [pause]
    assert pause.why() == "the feed has brought nothing for 61.0 s, allowed are 60 s"
    assert made.look(seen(feed_age_ns=62 * SECOND, is_paused=True)) == []
    # Who resumes while it is still silent is told again.
    (again,) = made.look(seen(feed_age_ns=63 * SECOND))
    assert again.seen == 63 * SECOND
    assert made.look(seen(is_paused=True)) == []
    assert len(made.look(seen(feed_age_ns=61 * SECOND, is_paused=True))) == 1


def test_a_feed_that_stands_still_again_and_again_pauses():
    """Five times within ten minutes, each counted once; older ones are forgotten."""
    made = watch()
    found = []
    for number in range(12):
        at_ns = (10 + number * 160) * SECOND
        wall = {"monotonic_ns": at_ns, "wall_ns": NOW + at_ns - 5 * SECOND}
        found += made.look(seen(feed_age_ns=16 * SECOND, **wall))
        found += made.look(seen(feed_age_ns=17 * SECOND, **wall))
        found += made.look(seen(**wall))
    assert found == []
    for number in range(5):
        at_ns = (10_000 + number * 100) * SECOND
        wall = {"monotonic_ns": at_ns, "wall_ns": NOW + at_ns - 5 * SECOND}
        found += made.look(seen(feed_age_ns=16 * SECOND, **wall))
        found += made.look(seen(**wall))
    assert found == [SafetyPause(cause="stale_data", seen=5, bound=5)]
    assert "stood still 5 times, allowed are fewer than 5" in found[0].why()


@pytest.mark.parametrize(
    ("jump_s", "is_paused"), [(2, False), (3, True), (-2, False), (-3, True), (-1e9, True)]
)
def test_a_clock_that_jumps_pauses_either_way(jump_s, is_paused):
    """The clock that nobody sets is the measure; that both go on is no jump."""
    made = watch()
    assert made.look(seen(wall_ns=NOW + 3600 * SECOND, monotonic_ns=3605 * SECOND)) == []
    jump_ns = int(jump_s * SECOND)
    found = made.look(seen(wall_ns=NOW + 3600 * SECOND + jump_ns, monotonic_ns=3605 * SECOND))
    assert [pause.seen for pause in found] == ([jump_ns] if is_paused else [])
    assert made.look(seen(wall_ns=NOW + 3600 * SECOND + jump_ns, monotonic_ns=3605 * SECOND)) == []


def test_a_slow_drift_is_no_jump_and_a_start_before_the_end_of_its_journal_is():
    """A clock is corrected by and by without a pause."""
    made = watch()
    for second in range(1, 500):
        at = {"wall_ns": NOW + second * SECOND + second * 500_000, "monotonic_ns": (5 + second) * SECOND}
        assert made.look(seen(**at)) == []
    made = SafetyWatch(TABLE, last_ns=NOW + 3600 * SECOND)
    (pause,) = made.look(seen())
    assert (pause.cause, pause.seen) == ("clock_jump", -3600 * SECOND)
    assert SafetyWatch(TABLE, last_ns=NOW - 3600 * SECOND).look(seen()) == []


def test_an_account_that_a_loss_halts_is_flattened_once_where_that_is_set():
    """A halt of a strategy, or by another rule, flattens nothing; a new halt of the account does again."""
    made = watch(flatten_when_halted=True)
    assert made.look(seen(halts={"strategy:a": "drawdown_max", "account": "executions_max"})) == []
    assert made.look(seen(halts={"account": "drawdown_max"})) == [Flatten()]
    assert made.look(seen(halts={"account": "drawdown_max"})) == []
    both = {"account": "drawdown_max", "account:perps": "daily_loss_max"}
    assert made.look(seen(halts=both)) == [Flatten(scope="account:perps")]
    assert made.look(seen()) == []
    assert made.look(seen(halts={"portfolio": "daily_loss_max"})) == [Flatten()]
    assert watch().look(seen(halts={"account": "drawdown_max"})) == []


def test_a_start_goes_on_with_a_flatten_only_where_something_is_held():
    """It died between the halt and the flatten, or after it."""
    halts = {"account": "drawdown_max"}
    for has_positions, commands in ((True, [Flatten()]), (False, [])):
        made = SafetyWatch(SafetyTable(flatten_when_halted=True), last_ns=NOW)
        assert made.look(seen(halts=halts, has_positions=has_positions)) == commands
        assert made.look(seen(halts=halts, has_positions=has_positions)) == []


def test_nothing_is_flattened_by_itself_while_the_kill_switch_holds():
    """A kill lets nothing leave, exits included; what was halted then is flattened once it is released."""
    halted = {"halts": {"account": "drawdown_max"}, "has_positions": True}
    for made in (
        watch(flatten_when_halted=True),
        SafetyWatch(SafetyTable(flatten_when_halted=True), last_ns=NOW),
    ):
        for _ in range(2):
            assert made.look(seen(is_killed=True, **halted)) == []
        assert made.look(seen(**halted)) == [Flatten()]
        assert made.look(seen(**halted)) == []
    # One that was begun before the kill has been ended by it, and a release does not bring it back.
    made = watch(flatten_when_halted=True)
    assert made.look(seen(**halted)) == [Flatten()]
    assert made.look(seen(is_killed=True, **halted)) == []
    assert made.look(seen(**halted)) == []


@given(st.lists(st.tuples(st.integers(0, 10**11), st.integers(-(10**12), 10**12), st.booleans())))
def test_bounds_of_nothing_pause_nothing(looks):
    """Every bound can be taken away."""
    made = SafetyWatch(SafetyTable(feed_lost_ms=0, stale_ms=0, stale_times=0, clock_jump_ms=0), last_ns=NOW)
    for age_ns, jump_ns, is_paused in looks:
        assert made.look(seen(feed_age_ns=age_ns, wall_ns=NOW + jump_ns, is_paused=is_paused)) == []


def test_outside_of_all_sessions_no_feed_is_missed():
    """A feed whose age does not count is neither lost nor stale, and what was is over."""
    made = watch()
    assert len(made.look(seen(feed_age_ns=99 * SECOND))) == 1
    assert made.look(seen(feed_age_ns=None, is_paused=True)) == []
    assert len(made.look(seen(feed_age_ns=99 * SECOND, is_paused=True))) == 1


class _Spec:
    def __init__(self, calendars, instruments):
        self.calendars, self.instruments = calendars, instruments


class _Named:
    def __init__(self, calendar):
        self.calendar = calendar


class _Sessions:
    def __init__(self, *sessions):
        self.sessions = sessions or ((10, 20),)

    def sessions_ns(self):
        """Return them, the first one first."""
        return list(self.sessions)


def test_hours_are_those_of_any_instrument():
    """One that always trades is always missed."""
    hours = Hours(_Spec({"XNYS": _Sessions()}, [_Named("XNYS")]))
    assert [hours.opened_ns(time_ns) for time_ns in (9, 10, 19, 20)] == [None, 10, 10, None]
    assert Hours(_Spec({"XNYS": _Sessions()}, [_Named("XNYS"), _Named("24/7")])).opened_ns(0) == 0


def test_sessions_have_been_open_since_the_first_of_those_without_a_break_between():
    """Of one instrument, or of several together."""
    calendars = {"A": _Sessions((10, 20), (20, 30), (40, 50)), "B": _Sessions((25, 35), (60, 70))}
    hours = Hours(_Spec(calendars, [_Named("A"), _Named("B")]))
    since = {time_ns: hours.opened_ns(time_ns) for time_ns in (9, 10, 19, 20, 34, 35, 45, 69, 70)}
    assert since == {9: None, 10: 10, 19: 10, 20: 10, 34: 10, 35: None, 45: 40, 69: 60, 70: None}
    assert Hours(_Spec({}, [_Named("24/7")])).opened_ns(5) == 0


SECOND_NS = 1_000_000_000
AT_NS = 1_000_000 * SECOND_NS


@pytest.mark.parametrize(
    ("opened_before", "is_live", "awaits_past", "expected"),
    [
        (2, True, False, 2 * SECOND_NS),
        (3_600, True, False, 99 * SECOND_NS),
        (None, True, False, None),
        (3_600, False, False, None),
        (3_600, True, True, None),
    ],
)
def test_a_feed_that_was_silent_while_nothing_traded_is_missed_from_the_opening_on(
    monkeypatch, opened_before, is_live, awaits_past, expected
):
    """Else every opening would pause: the last event is one of the session before."""
    sessions = [] if opened_before is None else [(AT_NS - opened_before * SECOND_NS, AT_NS + SECOND_NS)]
    calendars = {"XNYS": _Sessions((0, 1), *sessions)}

    class Kernel:
        is_paused = False

    class Session:
        class engine:  # noqa: N801 - as a session calls it
            kernel = Kernel()

        def feed_age_seconds(self):
            """Return how long ago the last event came."""
            return 99.0

    session = Session()
    session.is_live, session.awaits_past = is_live, awaits_past
    monkeypatch.setattr("tradecore_api.safety_stops.time.time_ns", lambda: AT_NS)
    hours = Hours(_Spec(calendars, [_Named("XNYS")]))
    assert _seen(session, hours, 0, has_halts=False).feed_age_ns == expected


@pytest.mark.parametrize(("has_past", "seen_then"), [(True, [True, True, False]), (False, [False] * 3)])
async def test_a_session_waits_for_its_past_until_that_has_been_fed(tmp_path, has_past, seen_then):
    """Before the first event, and from what is past on up to the first event of now."""
    found = []

    class Feed(ListFeed):
        async def batches(self, *, skip_events=0):
            """Bring what is past, and then what is not."""
            for number, name in enumerate(("feed_past", "feed_lost"), start=1):
                found.append(session.awaits_past)
                batch = EventBatch()
                getattr(batch, name)(START_NS + number, 0)
                yield batch
                for _ in range(20_000):
                    if session.engine.now_ns < START_NS + number:
                        await asyncio.sleep(0.001)
            found.append(session.awaits_past)

    session = open_session(tmp_path / "journal", feed=Feed(), settings=SessionSettings(has_past=has_past))
    await session.run()
    assert found == seen_then


def test_in_paper_mode_it_holds_where_it_is_written():
    """Without a table it ends at once."""

    class Session:
        class engine:  # noqa: N801 - as a session calls it
            class spec:  # noqa: N801 - the same
                mode = "paper"

    asyncio.run(keep_safe(Session(), None, None))


@pytest.mark.parametrize(
    ("error", "looks_on"), [(VenueError("ends"), False), (InvalidValueError("a", 1, "b"), True)]
)
async def test_one_that_is_not_taken_is_said_and_the_watch_goes_on_until_the_end(
    caplog, monkeypatch, error, looks_on
):
    """A session that ends takes nothing more."""
    given, enough = [], asyncio.Event()

    async def refused(command):
        given.append(command.cause)
        if len(given) == 3:
            enough.set()
        raise error

    class Kernel:
        is_paused = False

    class Session:
        is_live = True
        awaits_past = False

        class engine:  # noqa: N801 - as a session calls it
            now_ns = 0
            kernel = Kernel()
            spec = _Spec({}, [_Named("24/7")])

        def feed_age_seconds(self):
            """Return an age that is none to be trusted."""
            return 99.0

    monkeypatch.setattr("tradecore_api.safety_stops.LOOK_SECONDS", 0)
    watching = asyncio.create_task(keep_safe(Session(), TABLE, refused))
    waiting = asyncio.create_task(enough.wait())
    await asyncio.wait({watching, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    assert watching.done() is not looks_on
    watching.cancel()
    assert set(given) == {"feed_lost"}
    assert len(given) >= 3 if looks_on else len(given) == 1
    assert ("safety_stop_failed" in [record.message for record in caplog.records]) is looks_on
