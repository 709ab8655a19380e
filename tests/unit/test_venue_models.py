"""How settings of the simulated venue, places in queues and measured latencies, reach the engine."""

import msgspec
import numpy as np
import pytest

from tradecore import backtest
from tradecore.domain import (
    AccountSpec,
    ConfigError,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    InvalidValueError,
    LatencySamples,
    Matching,
    Mode,
    QueueModel,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.runtime import SessionConfig
from tradecore.strategy import StrategyBinding


class JoinsBid:
    """Sends one order to the best bid with the first book and notes its fills."""

    def __init__(self) -> None:
        self.is_sent = False
        self.fills = []

    def on_book(self, ctx, book) -> None:
        """Join."""
        if not self.is_sent:
            self.is_sent = bool(ctx.buy(quantity_lots=9, limit_ticks=99))

    def on_fill(self, ctx, fill) -> None:
        """Note."""
        self.fills.append((ctx.now_ns, fill.lots))


def spec_of(**venue) -> EngineSpec:
    """Return the specification of one instrument that trades against a book."""
    return EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(**{"matching": Matching.BOOK, **venue}),
    )


def filled_lots(**venue) -> int:
    """Stand behind 30 lots, 10 more come, 20 are cancelled and 16 trade; return what is ours of them."""
    strategy, batch = JoinsBid(), EventBatch()
    batch.book(1, 0, True, 1, 1, 0, [(99, 30), (98, 1)], [(101, 5)])
    batch.book(2, 0, False, 2, 2, 0, [(99, 40)], [])
    batch.book(3, 0, False, 3, 3, 0, [(99, 20)], [])
    batch.trade(4, 0, 99, 16, False)
    backtest.run(spec_of(**venue), [StrategyBinding(name="joins", strategy=strategy)], batch)
    return sum(lots for _, lots in strategy.fills)


def test_the_queue_model_decides_how_far_cancels_move_an_order_up():
    """30 lots ahead and 10 behind: f(10) / (f(10) + f(30)) of the 20 cancels were behind."""
    # 20 are ahead as far as anybody can prove; a quarter, a tenth or none of the cancels were behind.
    assert filled_lots() == 0
    assert filled_lots(queue=QueueModel.POWER, queue_power=1) == 16 - 15
    assert filled_lots(queue=QueueModel.POWER, queue_power=2) == 16 - 12
    # A hair more than 10 is ahead then, and only whole lots trade.
    assert filled_lots(queue=QueueModel.POWER, queue_power=16) == 16 - 11
    # Four tenths: 18.2 lots are ahead.
    assert filled_lots(queue=QueueModel.LOG) == 0


def test_a_place_in_the_queue_is_part_of_the_state():
    """Two models that stand elsewhere after the same events have different state hashes."""

    def state(**venue):
        batch = EventBatch()
        batch.book(1, 0, True, 1, 1, 0, [(99, 30)], [(101, 5)])
        batch.book(2, 0, False, 2, 2, 0, [(99, 40)], [])
        batch.book(3, 0, False, 3, 3, 0, [(99, 39)], [])
        engine = Engine(spec_of(**venue), [StrategyBinding(name="joins", strategy=JoinsBid())])
        engine.feed(batch)
        engine.run()
        return engine.state_hash()

    models = [{}, {"queue": "log"}, *({"queue": "power", "queue_power": power} for power in (1, 2, 3))]
    assert len({state(**model) for model in models}) == len(models)
    assert state(queue="log") == state(queue="log", queue_power=9)


@pytest.mark.parametrize("power", [0, 17, -1, 2**40])
def test_a_power_out_of_its_bounds_is_refused(power):
    """From 1 to 16, as the setting says."""
    with pytest.raises(InvalidValueError, match="queue_power"):
        Engine(spec_of(queue=QueueModel.POWER, queue_power=power), [])


def samples_of(*rows) -> LatencySamples:
    """Make measured latencies from rows."""
    return LatencySamples(*np.array(rows, dtype=np.int64).T.copy())


MEASURED = ((100, 110, 150), (200, 230, 240))


def filled_ns(latency, times=(100, 300)):
    """Return when the engine knows of the fill of an order that takes, sent at the first of these times."""

    class Takes(JoinsBid):
        def on_book(self, ctx, book) -> None:
            if not self.is_sent:
                self.is_sent = bool(ctx.buy(quantity_lots=1))

    strategy, batch = Takes(), EventBatch()
    batch.book(times[0], 0, True, 1, 1, 0, [(99, 30)], [(101, 5)])
    batch.book(times[1], 0, False, 2, 2, 0, [(98, 40)], [])
    batch.clock(times[1] + 1_000)
    backtest.run(spec_of(), [StrategyBinding(name="takes", strategy=strategy)], batch, latency=latency)
    return strategy.fills[0][0]


def test_a_latency_is_what_was_measured_around_that_time():
    """At a sample its own, between two the line between them, outside the nearest."""
    # There at 110, and back 40 later: the first answer was measured at 110.
    assert filled_ns(samples_of(*MEASURED)) == 150
    # Sent at 150: 20 there; at 170, halfway between the answers of 110 and 230, 25 back.
    assert filled_ns(samples_of(*MEASURED), (150, 300)) == 195
    assert filled_ns(samples_of(*MEASURED), (20, 300)) == 20 + 10 + 40
    assert filled_ns(samples_of(*MEASURED), (400, 500)) == 400 + 30 + 10


class SendsTwice:
    """Sends at two times, and notes in which order the venue answers."""

    def __init__(self) -> None:
        self.sent = []
        self.accepted = []

    def on_book(self, ctx, book) -> None:
        """Send."""
        self.sent.append((ctx.now_ns, ctx.buy(quantity_lots=1, limit_ticks=90)))

    def on_order(self, ctx, update) -> None:
        """Note."""
        self.accepted.append((update.order_id, ctx.now_ns))


def test_an_order_does_not_overtake_the_one_before_where_latency_falls():
    """Sent at 100 with 100 to go and at 110 with 1 to go: both are there at 200, in their order."""
    strategy, batch = SendsTwice(), EventBatch()
    batch.book(100, 0, True, 1, 1, 0, [(99, 30)], [(101, 5)])
    batch.book(110, 0, False, 2, 2, 0, [(98, 40)], [])
    batch.clock(1_000)
    latency = samples_of((100, 200, 200), (110, 200, 200), (111, 200, 200))
    engine = Engine(spec_of(), [StrategyBinding(name="sends", strategy=strategy)], latency=latency)
    engine.feed(batch)
    engine.run()
    assert [order_id for order_id, _ in strategy.accepted] == [order_id for _, order_id in strategy.sent]
    assert {time_ns for _, time_ns in strategy.accepted} == {200}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "at least one"),
        ([(5, 4, 6)], "row 0"),
        ([(1, 2, 3), (5, 6, 5)], "row 1"),
        ([(1, 2, 3), (1, 2, 3)], "row 1"),
    ],
)
def test_latencies_that_cannot_be_are_refused(rows, says):
    """The first row that breaks a rule is named."""
    with pytest.raises(InvalidValueError, match=says):
        LatencySamples(*np.array(rows, dtype=np.int64).reshape(-1, 3).T.copy())


def test_an_engine_takes_only_the_latencies_that_its_specification_names():
    """The digest is filled in where there is none; others, or none at all, are refused."""
    named = Engine(spec_of(), [], latency=samples_of(*MEASURED)).spec
    assert named.venue.latency_digest == samples_of(*MEASURED).digest
    assert Engine(named, [], latency=samples_of(*MEASURED)).spec == named
    with pytest.raises(InvalidValueError, match="the samples given have"):
        Engine(named, [], latency=samples_of(MEASURED[0]))
    with pytest.raises(InvalidValueError, match="needs the samples"):
        Engine(named, [])


@pytest.mark.parametrize(
    ("venue", "field"),
    [
        ({"order_latency_ns": 1}, "order_latency_ns"),
        ({"report_latency_ns": 1}, "report_latency_ns"),
        ({"matching": Matching.BARS}, "matching"),
    ],
)
def test_measured_latencies_stand_alone(venue, field):
    """Beside constant ones, or against bars, they are refused."""
    with pytest.raises(InvalidValueError, match=field):
        Engine(spec_of(**venue), [], latency=samples_of(*MEASURED))


def test_a_journal_from_before_a_setting_goes_on_with_its_default():
    """What the first record does not say is the default; another value is refused."""
    config = SessionConfig(engine=spec_of())
    recorded = msgspec.json.decode(config.encoded())
    del recorded["engine"]["venue"]["queue"], recorded["engine"]["venue"]["latency_digest"]
    old = msgspec.json.encode(recorded)
    config.check_same(old, "journal")
    with pytest.raises(ConfigError, match=r"venue\.queue was 'conservative', is 'log'"):
        SessionConfig(engine=spec_of(queue=QueueModel.LOG)).check_same(old, "journal")
