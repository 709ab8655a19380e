"""The past and the live feed, joined: nothing twice, nothing left out, and what is missing is said."""

import numpy as np
import pytest

from support.clocks import JumpingClock
from tradecore.domain import EventBatch
from tradecore.domain.errors import DataError, VenueError
from tradecore.domain.feeds import read_events
from tradecore.domain.past import BarsBetween, Past, PastBar, PastTrade, TradesAfter
from tradecore.runtime.warm_feed import Known, WarmFeed, WarmUp

NOW_NS = 1_000_000_000_000_000_000
S = 1_000_000_000


class MadeHistory:
    """Has trades with numbers from 1 on, one each second up to now, and answers as a script says."""

    def __init__(self, last_id=20, *, missing="", failures=0, has_every_number=True) -> None:
        self.trades = [
            PastTrade(NOW_NS - (last_id - n) * S, 100 + n, 1, True, n) for n in range(1, last_id + 1)
        ]
        self.missing = missing
        self.failures = failures
        self.has_every_number = has_every_number
        self.asked = []
        self.is_closed = False

    async def query(self, question):
        """Answer, after as many failures as were asked for."""
        self.asked.append(question)
        if self.failures:
            self.failures -= 1
            raise VenueError("503")
        if isinstance(question, BarsBetween):
            opens = range(question.from_ns, question.to_ns, question.span_ns)
            return Past(bars=tuple(bar(at, question.span_ns) for at in opens))
        found = [
            trade
            for trade in self.trades
            if trade.time_ns >= question.from_ns and trade.trade_id > question.after_id
        ]
        return Past(
            trades=tuple(found),
            missing=self.missing,
            last_id=self.trades[-1].trade_id if self.trades else 0,
            has_every_number=self.has_every_number,
        )

    async def aclose(self):
        """Remember it."""
        self.is_closed = True


class MadeFeed:
    """Yields batches that a test made."""

    def __init__(self, *batches) -> None:
        self.made = batches
        self.is_closed = False

    async def batches(self, *, skip_events=0):
        """Yield them."""
        for batch in self.made:
            yield batch

    async def request_snapshot(self, instrument_id):
        """Have one."""
        return True

    async def aclose(self):
        """Remember it."""
        self.is_closed = True


def bar(open_ns, span_ns):
    """Make a bar."""
    return PastBar(
        open_ns=open_ns,
        close_ns=open_ns + span_ns,
        open_ticks=1,
        high_ticks=2,
        low_ticks=1,
        close_ticks=2,
        volume_lots=3,
    )


def lost(time_ns=NOW_NS):
    """Return the loss of the feed."""
    batch = EventBatch()
    batch.feed_lost(time_ns, 0)
    return batch


def live(*numbers, time_ns=NOW_NS + 5, book=False):
    """Return trades of these numbers that came in at a time; before them a quote, or a book."""
    batch = EventBatch()
    if book:
        batch.book(time_ns, 0, True, 1, 2, 0, [(99, 1)], [(101, 1)])
    else:
        batch.quote(time_ns, 0, 99, 1, 101, 1, 7)
    for number in numbers:
        batch.trade(time_ns, 0, 100 + number, 1, True, number)
    return batch


async def joined(feed, history, *, told=None, known=None, instruments=1, **warm_up):
    """Return the events of a feed that begins with its past."""
    settings = WarmUp(**({"length_ns": 3600 * S} | warm_up))
    warm = WarmFeed(
        feed,
        history,
        JumpingClock(NOW_NS),
        instruments=instruments,
        warm_up=settings,
        known=known or Known(),
        tell=[].append if told is None else told.append,
    )
    events = [event async for batch in warm.batches() for event in read_events(batch)]
    await warm.aclose()
    assert feed.is_closed
    assert history.is_closed
    times = [event[1] for event in events]
    assert times == sorted(times)
    return events


def numbers_of(events):
    """Return the numbers of the trades."""
    return [event[-1] for event in events if event[0] == "trade"]


async def test_what_is_in_both_is_there_once_and_in_its_order():
    """Trades that came in while the past was asked for are in both; books and quotes all stay."""
    feed = MadeFeed(lost(), live(18, 19, 20, 21, time_ns=NOW_NS - 3 * S, book=True), live(22), live(23, 24))

    events = await joined(feed, MadeHistory(20))

    assert numbers_of(events) == list(range(1, 25))
    kinds = [event[0] for event in events]
    assert kinds[:2] == ["feed_past", "trade"]
    assert kinds[21:24] == ["feed_lost", "book", "trade"], "the feed begins after the whole past"
    assert kinds.count("quote") == 2
    # What came in before the last trade of the past has its time, and not an earlier one.
    assert {event[1] for event in events[21:24]} == {NOW_NS}


@pytest.mark.parametrize("overlap", range(6))
async def test_however_far_past_and_feed_overlap_each_trade_is_there_once(overlap):
    """From no overlap at all to a feed that has everything again."""
    first = 21 - overlap
    feed = MadeFeed(lost(), live(*range(first, 24)), live(24))

    assert numbers_of(await joined(feed, MadeHistory(20))) == list(range(1, 25))


async def test_the_past_is_asked_for_once_the_connection_stands():
    """A feed that cannot connect says that it is lost, again and again: nothing is asked meanwhile."""
    history = MadeHistory(20)

    assert [event[0] for event in await joined(MadeFeed(lost(), lost(), lost()), history)] == [
        "feed_lost"
    ] * 3
    assert history.asked == []


async def test_a_hole_between_past_and_feed_is_an_error_that_names_it():
    """Trades 21 and 22 are nowhere."""
    with pytest.raises(DataError, match=r"trades 21 to 22 are neither in the past nor in the feed.*gap"):
        await joined(MadeFeed(lost(), live(), live(23)), MadeHistory(20))


async def test_a_hole_that_is_only_to_be_told_ends_nothing():
    """The session goes on with it, and somebody knows."""
    told = []

    events = await joined(
        MadeFeed(lost(), live(23), live(24)), MadeHistory(20), told=told, refuses_gaps=False
    )

    assert numbers_of(events) == [*range(1, 21), 23, 24]
    assert len(told) == 1
    assert "trades 21 to 22" in told[0]


async def test_numbers_with_holes_of_their_own_are_no_gap():
    """A venue may number its trades over all markets."""
    events = await joined(MadeFeed(lost(), live(25)), MadeHistory(20, has_every_number=False))

    assert numbers_of(events)[-2:] == [20, 25]


async def test_a_source_that_does_not_reach_back_far_enough_says_so():
    """Indicators would not be warm, and nobody would know."""
    with pytest.raises(DataError, match="no trades before number 5"):
        await joined(MadeFeed(lost(), live(21)), MadeHistory(20, missing="no trades before number 5"))


async def test_a_source_that_fails_is_asked_three_times():
    """The third answer counts; a fourth failure would be the end of the start."""
    history = MadeHistory(20, failures=2)
    assert numbers_of(await joined(MadeFeed(lost(), live(21)), history)) == list(range(1, 22))
    assert len(history.asked) == 3

    with pytest.raises(VenueError, match="503"):
        await joined(MadeFeed(lost(), live(21)), MadeHistory(20, failures=3))
    told = []
    events = await joined(
        MadeFeed(lost(), live(21)), MadeHistory(20, failures=3), told=told, refuses_gaps=False
    )
    assert (numbers_of(events), len(told)) == ([21], 1)


async def test_a_restart_asks_for_what_came_after_its_last_trade():
    """Nothing is warmed up twice, and nothing is before the time that the engine has got to."""
    history, known = MadeHistory(20), Known(time_ns=NOW_NS - 2 * S, trades={0: 15})

    events = await joined(MadeFeed(lost(), live(20, 21)), history, known=known)

    assert history.asked == [TradesAfter(instrument=0, from_ns=0, after_id=15)]
    assert numbers_of(events) == [16, 17, 18, 19, 20, 21]
    assert min(event[1] for event in events) == NOW_NS - 2 * S


async def test_numbers_that_begin_anew_are_a_gap_and_hide_no_trade():
    """A venue that was set up anew counts from 1: its trades are not the ones that are known."""
    told, known = [], Known(time_ns=NOW_NS - S, trades={0: 500})

    events = await joined(
        MadeFeed(lost(), live(20, 21, 22)), MadeHistory(20), known=known, told=told, refuses_gaps=False
    )

    assert numbers_of(events) == [21, 22]
    assert "numbers its trades anew" in told[0]


async def test_bars_end_where_all_lengths_end_together_and_trades_go_on_from_there():
    """So no bar is made of half of its trades."""
    history = MadeHistory(20)
    settings = {"bars_ns": 60 * S, "bars_until_ns": 300 * S}

    await joined(MadeFeed(lost(), live(21)), history, **settings)
    bars, trades = history.asked

    assert bars.to_ns == NOW_NS - NOW_NS % (300 * S) == trades.from_ns
    assert bars.from_ns % (60 * S) == 0
    assert NOW_NS - 3600 * S <= bars.from_ns < NOW_NS - 3540 * S


@pytest.mark.parametrize("is_in_past", [True, False])
async def test_bars_go_on_only_where_the_journal_ends_among_them(is_in_past):
    """A crash in the middle of the past loses none of them; later they would come behind trades."""
    history = MadeHistory(20)
    closed_ns = NOW_NS - NOW_NS % (60 * S) - 600 * S
    known = Known(time_ns=closed_ns, bars_ns={0: closed_ns}, is_in_past=is_in_past)

    await joined(MadeFeed(lost(), live(21)), history, known=known, bars_ns=60 * S, bars_until_ns=60 * S)

    kinds = [type(question) for question in history.asked]
    assert kinds == ([BarsBetween, TradesAfter] if is_in_past else [TradesAfter])
    if is_in_past:
        assert history.asked[0].from_ns == closed_ns


async def test_a_source_whose_clock_is_ahead_does_not_push_the_engine_into_the_future():
    """Its trades have the time at which they were heard of; what comes live is not late then."""
    history = MadeHistory(20)
    history.trades = [PastTrade(trade.time_ns + 60 * S, *trade_rest(trade)) for trade in history.trades]

    events = await joined(MadeFeed(lost(), live(21, time_ns=NOW_NS + S)), history)

    assert max(event[1] for event in events) < NOW_NS + 2 * S


def trade_rest(trade):
    """Return all of a trade but its time."""
    return trade.price_ticks, trade.lots, trade.is_buy, trade.trade_id


async def test_several_instruments_are_one_stream_by_time():
    """Each has its own numbers, and its own last one."""
    feed = MadeFeed(lost(), live(20, 21))

    events = await joined(feed, MadeHistory(20), instruments=2)

    assert [event[:3] for event in events[:2]] == [
        ("feed_past", events[0][1], 0),
        ("feed_past", events[0][1], 1),
    ]
    assert [event[2] for event in events[2:6]] == [0, 1, 0, 1]


class Refusing(MadeHistory):
    """Says how long to wait with each failure."""

    def __init__(self, *retry_after_ns) -> None:
        super().__init__(20)
        self.retry_after_ns = list(retry_after_ns)

    async def query(self, question):
        """Fail as often as there are waits."""
        if self.retry_after_ns:
            raise VenueError("429", self.retry_after_ns.pop(0))
        return await super().query(question)


@pytest.mark.parametrize(
    ("retry_after_ns", "waits_ns"),
    [
        ((None, None), [S, 2 * S]),
        ((7 * S, None), [7 * S, 2 * S]),
        ((S - 1, 2 * S + 1), [S, 2 * S + 1]),
    ],
)
async def test_a_source_is_asked_again_after_a_second_and_after_two(retry_after_ns, waits_ns):
    """Or later, where it says so itself."""
    clock = JumpingClock(NOW_NS)
    warm = WarmFeed(
        MadeFeed(lost(), live(21)),
        Refusing(*retry_after_ns),
        clock,
        instruments=1,
        warm_up=WarmUp(length_ns=3600 * S),
        known=Known(),
        tell=pytest.fail,
    )
    assert [event async for batch in warm.batches() for event in read_events(batch)]
    # A call of the clock takes a microsecond.
    assert [round(wait_ns, -4) for wait_ns in clock.waits_ns] == [round(each, -4) for each in waits_ns]


async def test_a_snapshot_is_asked_of_the_feed():
    """The past has none."""
    asked = []
    feed = MadeFeed()

    async def answer(instrument_id):
        asked.append(instrument_id)
        return False

    feed.request_snapshot = answer
    warm = WarmFeed(
        feed, MadeHistory(), None, instruments=1, warm_up=WarmUp(length_ns=1), known=Known(), tell=print
    )
    assert await warm.request_snapshot(3) is False
    assert asked == [3]


async def test_a_bar_of_the_past_keeps_each_of_its_figures_in_its_place():
    """Six figures that are all different, and when it opened and closed."""
    history = MadeHistory(0)
    made = PastBar(
        open_ns=NOW_NS - 120 * S,
        close_ns=NOW_NS - 60 * S,
        open_ticks=12,
        high_ticks=15,
        low_ticks=11,
        close_ticks=14,
        volume_lots=7,
    )

    async def query(question):
        return Past(bars=(made,)) if isinstance(question, BarsBetween) else Past()

    history.query = query
    events = await joined(MadeFeed(lost(), live(1)), history, bars_ns=60 * S, bars_until_ns=60 * S)
    batch = EventBatch()
    columns = (made.open_ns, made.close_ns, 12, 15, 11, 14, 7)
    batch.bars(0, *(np.array([number], np.int64) for number in columns))
    assert [event for event in events if event[0] == "bar"] == list(read_events(batch))


async def test_of_one_time_bars_come_before_trades_and_instruments_in_their_order():
    """A trade at the close of a bar is of the next one."""
    history = MadeHistory(1)
    at_ns = NOW_NS - 60 * S

    async def query(question):
        if isinstance(question, BarsBetween):
            return Past(bars=(bar(at_ns - 60 * S, 60 * S),))
        return Past(trades=(PastTrade(at_ns, 100, 1, True, 1),), last_id=1)

    history.query = query
    events = await joined(
        MadeFeed(lost(), live(2)), history, instruments=2, bars_ns=60 * S, bars_until_ns=60 * S
    )
    of_that_time = [(event[0], event[2]) for event in events if event[1] == at_ns]
    past = [pair for pair in of_that_time if pair[0] in {"bar", "trade"}]
    assert past == [("bar", 0), ("trade", 0), ("bar", 1), ("trade", 1)]


@pytest.mark.parametrize("count", [2_047, 2_048, 2_049, 4_097])
async def test_a_long_past_comes_in_batches_and_says_once_that_it_is_past(count):
    """Nothing is lost between two of them."""
    feed = MadeFeed(lost(), live(count + 1))
    history = MadeHistory(count)
    events = await joined(feed, history, length_ns=10_000 * S)
    assert numbers_of(events) == list(range(1, count + 2))
    assert [event[0] for event in events].count("feed_past") == 1
    assert events[0][0] == "feed_past"
    warm = WarmFeed(
        MadeFeed(lost(), live()),
        MadeHistory(count),
        JumpingClock(NOW_NS),
        instruments=1,
        warm_up=WarmUp(length_ns=10_000 * S),
        known=Known(),
        tell=pytest.fail,
    )
    sizes = [len(batch) async for batch in warm.batches()]
    past = sizes[:-2]
    assert len(past) == -(-count // 2_048)
    assert past[0] == min(count, 2_048) + 1
    assert all(size == 2_048 for size in past[1:-1])


@pytest.mark.parametrize(("seconds", "is_gap"), [(10, True), (11, False)])
async def test_after_ten_seconds_a_number_that_is_too_high_is_no_gap_any_more(seconds, is_gap):
    """What was under way as the past was asked for has come by then; a market may have been still."""
    told = []
    later = NOW_NS + seconds * S
    feed = MadeFeed(lost(), live(), live(25, time_ns=later))
    await joined(feed, MadeHistory(20), told=told, refuses_gaps=False)
    assert len(told) == is_gap


async def test_a_trade_without_a_number_is_never_taken_for_one_of_the_past():
    """Nothing tells that it is."""
    assert numbers_of(await joined(MadeFeed(lost(), live(0, 20, 0, 21)), MadeHistory(20)))[-4:] == [
        20,
        0,
        0,
        21,
    ]


@pytest.mark.parametrize("length_ns", [NOW_NS - 1, NOW_NS, NOW_NS + 10**12])
async def test_the_past_begins_in_1970_at_the_earliest(length_ns):
    """A length beyond that asks for all there is."""
    history = MadeHistory(2)
    await joined(MadeFeed(lost(), live(3)), history, length_ns=length_ns)
    assert 0 <= history.asked[0].from_ns < 10**9


@pytest.mark.parametrize(("offset_ns", "later_ns"), [(0, 0), (1, 60 * S - 1), (60 * S - 1, 1)])
async def test_bars_begin_with_the_first_whole_one(offset_ns, later_ns):
    """One that begins just then is whole."""
    closed_ns = NOW_NS - NOW_NS % (60 * S) - 600 * S
    known = Known(time_ns=1, bars_ns={0: closed_ns + offset_ns}, is_in_past=True)
    history = MadeHistory(2)
    await joined(MadeFeed(lost(), live(3)), history, known=known, bars_ns=60 * S, bars_until_ns=60 * S)
    assert history.asked[0].from_ns == closed_ns + offset_ns + later_ns


async def test_bars_that_would_end_before_they_begin_are_none():
    """Trades go on from where the journal ends."""
    closed_ns = NOW_NS - NOW_NS % (60 * S)
    known = Known(time_ns=1, bars_ns={0: closed_ns}, is_in_past=True)
    history = MadeHistory(2)
    await joined(MadeFeed(lost(), live(3)), history, known=known, bars_ns=60 * S, bars_until_ns=3_600 * S)
    bars, trades = history.asked
    assert bars.from_ns == bars.to_ns == trades.from_ns == closed_ns
