"""What the engine tells of a strategy's orders and calls is what a slow walk over its records counts."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from support.random_orders import Everything, events_of, spec_of
from tradecore.decision import DecisionView, GateVerdict
from tradecore.domain import Matching
from tradecore.domain.journal import decode_frames
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

STEPS = 150


class Moody:
    """A gate that says no to every third lot."""

    def check(self, view: DecisionView) -> GateVerdict:
        """Judge by the size."""
        return GateVerdict(
            gate="moody", limit=3, value=view.quantity_lots % 3, passed=view.quantity_lots % 3 > 0
        )


class Counting(Everything):
    """Counts its calls by itself."""

    def __init__(self) -> None:
        self.called = Counter()

    def on_start(self, ctx) -> None:
        """Count, and begin."""
        self.called["on_start"] += 1
        super().on_start(ctx)

    def on_bar(self, ctx, bar) -> None:
        """Count, and act."""
        self.called["on_bar"] += 1
        super().on_bar(ctx, bar)

    def on_quote(self, ctx, quote) -> None:
        """Count, and act."""
        self.called["on_quote"] += 1
        super().on_quote(ctx, quote)

    def on_trade(self, ctx, trade) -> None:
        """Count, and act."""
        self.called["on_trade"] += 1
        super().on_trade(ctx, trade)

    def on_fill(self, ctx, fill) -> None:
        """Count."""
        self.called["on_fill"] += 1

    def on_order(self, ctx, update) -> None:
        """Count."""
        self.called["on_order"] += 1

    def on_stop(self, ctx) -> None:
        """Count."""
        self.called["on_stop"] += 1


class Recount:
    """What became of orders, told from the records of a journal alone."""

    def __init__(self) -> None:
        self.lots, self.filled, self.ended = {}, Counter(), {}
        self.rules = Counter()
        self.first = {}
        self.gates = Counter()

    def take(self, frames) -> None:
        """Read records."""
        for kind, time_ns, fields in decode_frames(frames):
            if kind == "order":
                self.lots[fields["order_id"]] = fields.get("lots")
            elif kind == "sized":
                self.lots[fields["order_id"]] = fields["lots"]
            elif kind == "refused":
                self.rules[fields["rule"]] += 1
                self.first.setdefault(
                    fields["rule"], (time_ns, fields["instrument"], fields["limit"], fields["value"])
                )
            elif kind == "report":
                self._report(fields)

    def _report(self, fields) -> None:
        order_id, report = fields["order_id"], fields["report"]
        if report == "fill":
            self.filled[order_id] += fields["lots"]
        elif report in ("canceled", "rejected", "expired"):
            self.ended[order_id] = (report, fields.get("reason", ""))

    def counts(self, reason_of):
        """Count the orders that ended with this report, by reason."""
        return Counter(reason for report, reason in self.ended.values() if report == reason_of)


@settings(max_examples=40)
@given(matching=st.sampled_from(list(Matching)), seed=st.integers(0, 2**32), gated=st.booleans())
def test_outcomes_refusals_and_calls_are_those_of_a_recount(matching, seed, gated):
    """Orders by outcome and reason, refusals by rule with the first one, and every callback are all there."""
    strategy, recount = Counting(), Recount()
    strategy.seed = seed
    binding = StrategyBinding(name="everything", strategy=strategy, instruments=(0, 1))
    engine = Engine(spec_of(matching), [binding], recording=True, gates=[Moody()] if gated else [])
    for batch in events_of(matching, seed, STEPS):
        engine.feed(batch)
        engine.run()
        recount.take(engine.take_frames())
    engine.finish()
    recount.take(engine.take_frames())

    counts = engine.kernel.order_counts(0)
    assert counts["canceled"] == recount.counts("canceled")
    assert counts["rejected"] == recount.counts("rejected")
    assert counts["expired"] == recount.counts("expired").total()
    assert counts["part_filled"] == sum(recount.filled[order_id] > 0 for order_id in recount.ended)
    assert counts["open"] == len(engine.kernel.open_orders())
    assert counts["filled"] == len(recount.lots) - len(recount.ended) - counts["open"]
    assert {row[2]: row[3] for row in counts["refused"]} == recount.rules
    assert {row[2]: (row[0], row[1], *row[4:]) for row in counts["refused"]} == recount.first

    activity = engine.activity()
    assert activity.strategies[0].orders.sent == engine.summary().orders
    assert Counter(activity.strategies[0].callbacks) == strategy.called
    if gated:
        asked, refused = activity.gates[0].asked, activity.gates[0].refused
        assert refused == recount.rules["decision_gate"] <= asked


@settings(max_examples=10)
@given(matching=st.sampled_from(list(Matching)), seed=st.integers(0, 2**32))
def test_looking_changes_nothing(matching, seed):
    """An engine that is asked after every event what its strategies did gives the bytes of any other."""
    frames = []
    for is_watched in (False, True):
        strategy = Everything()
        strategy.seed = seed
        binding = StrategyBinding(name="everything", strategy=strategy, instruments=(0, 1))
        engine = Engine(spec_of(matching), [binding], recording=True)
        watch = engine.watch()
        for batch in events_of(matching, seed, 60):
            engine.feed(batch)
            engine.run()
            if is_watched:
                watch.news()
                engine.activity().reasons()
        frames.append((engine.take_frames(), engine.state_hash()))
    assert frames[0] == frames[1]
