"""Which lots a fill closes, as the account says: what a strategy, its exits and a carry-over see of it."""

from decimal import Decimal

import msgspec
import pytest

from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentKind,
    InstrumentSpec,
    InvalidSpecError,
    LotMethod,
    Matching,
    StrategyBinding,
    VenueSpec,
)
from tradecore.domain.journal import decode_frames
from tradecore.engine.carried import followed_account, opened_frames
from tradecore.engine.holdings import trades_of


def spec_of(lots, kind=InstrumentKind.LINEAR):
    """Return a specification with one instrument, its tick and lot 1."""
    return EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1", kind=kind),),
        account=AccountSpec(cash="1000000", lots=lots),
        venue=VenueSpec(matching=Matching.QUOTES),
    )


class Steps:
    """Does one thing at each quote, and notes what it paid."""

    def __init__(self, *steps):
        self.steps, self.paid, self.orders = list(steps), [], []

    def on_quote(self, ctx, quote) -> None:
        """Do the next thing."""
        self.paid.append(ctx.entry_price())
        if self.steps:
            self.orders.append(self.steps.pop(0)(ctx))


def played(spec, strategy, asks, opening=None):
    """Return an engine that could buy at these prices, and sell one tick below; an opening was before."""
    binding = StrategyBinding(name="steps", strategy=strategy)
    engine = Engine(spec, [binding], recording=True, opening=opening)
    batch, first_ns = EventBatch(), 110 if opening is None else 200
    for number, price in enumerate(asks):
        batch.quote(first_ns + 10 * number, 0, price - 1, 50, price, 50)
    engine.feed(batch)
    engine.run()
    return engine


def buying(lots, **terms):
    """Return a step that buys."""
    return lambda ctx: ctx.buy(quantity_lots=lots, **terms)


def selling(lots, **terms):
    """Return a step that sells."""
    return lambda ctx: ctx.sell(quantity_lots=lots, **terms)


@pytest.mark.parametrize(
    ("lots", "trades", "paid"),
    [
        (LotMethod.FIFO, [(2, 100, 198)], 120),
        (LotMethod.LIFO, [(2, 120, 158)], 680 / 6),
        (LotMethod.AVERAGE, [(2, 115, 168)], 115),
    ],
)
def test_the_account_says_which_lots_are_closed(lots, trades, paid):
    """Two lots at 100 and six at 120, of which two are sold at 199: the trade, and what the rest cost."""
    strategy = Steps(buying(2), buying(6), selling(2))
    engine = played(spec_of(lots), strategy, [100, 120, 200, 200])
    assert [(trade.quantity, trade.entry_price, trade.pnl) for trade in trades_of(engine)] == trades
    assert strategy.paid[-1] == pytest.approx(paid)


def test_the_fee_of_a_fill_that_closes_several_lots_is_shared_among_them():
    """No part of it counts twice: the trades have paid what the fills have paid."""
    spec = msgspec.structs.replace(spec_of(LotMethod.FIFO), fees=FeesSpec(taker_bps="10"))
    engine = played(spec, Steps(buying(2), buying(3), selling(5)), [101, 101, 101, 101])
    trades = trades_of(engine)
    # Two lots, then three, at 101; five at 100: a thousandth of all that.
    assert [trade.quantity for trade in trades] == [2, 3]
    assert sum(trade.fees for trade in trades) == Decimal("1.005")


def test_equity_is_the_same_for_every_method():
    """What is realised is not."""
    told = {}
    for lots in LotMethod:
        engine = played(spec_of(lots), Steps(buying(3), buying(2), selling(1)), [100, 120, 90, 95])
        told[lots] = (engine.summary().equity, engine.balances()["USD"].realised)
    assert {equity for equity, _ in told.values()} == {"999925"}
    assert [realised for _, realised in told.values()] == ["-11", "-31", "-19"]


def test_the_method_decides_whose_exits_shrink():
    """A sale of two lots leaves one entry its exit, and ends that of the other one."""
    open_exits = {}
    for lots in (LotMethod.FIFO, LotMethod.LIFO):
        steps = Steps(buying(2, stop_loss=50), buying(2, stop_loss=60), selling(2))
        engine = played(spec_of(lots), steps, [100, 100, 100, 100])
        open_exits[lots] = [
            (order["intent"]["trigger_ticks"], order["open_lots"]) for order in engine.kernel.open_orders()
        ]
    assert open_exits == {LotMethod.FIFO: [(60, 2)], LotMethod.LIFO: [(50, 2)]}


def test_a_method_that_is_none_is_refused_by_its_key():
    """With those that there are."""
    with pytest.raises(InvalidSpecError, match=r"account\.lots.*must be one of fifo, lifo, average"):
        Engine(spec_of("hifo"), [StrategyBinding(name="steps", strategy=Steps())])


@pytest.mark.parametrize("kind", list(InstrumentKind))
def test_an_average_is_carried_over_and_another_method_begins_with_prices(kind):
    """The average of 100, 100 and 130 is the price of no lot; the journal has the share of each."""
    spec = spec_of(LotMethod.AVERAGE, kind)
    engine = played(spec, Steps(buying(2), buying(1), selling(1)), [100, 130, 140])
    account = followed_account(spec, ["steps"], [engine.take_frames()])
    costs = [lot.cost for lot in account.opening.lots]
    linear = kind is InstrumentKind.LINEAR
    assert [float(cost) for cost in costs] == pytest.approx([110, 110] if linear else [-0.12 / 13] * 2)

    frames = opened_frames(spec, ["steps"], account.opening, (), 200)
    ((_, _, fields),) = decode_frames(frames)
    assert [lot["cost"] for lot in fields["lots"]] == [int(cost.scaleb(18)) for cost in costs]

    went_on, other = Steps(selling(2)), Steps()
    on = played(spec, went_on, [150, 150], account.opening)
    whole = played(spec, Steps(buying(2), buying(1), selling(1), selling(2)), [100, 130, 140, 150, 150])
    assert [trade.pnl for trade in trades_of(on)] == [trade.pnl for trade in trades_of(whole)][-2:]
    assert went_on.paid[0] == pytest.approx(110 if linear else 3 / (2 / 100 + 1 / 130))
    by_lot = played(spec_of(LotMethod.FIFO, kind), other, [150, 150], account.opening)
    assert other.paid[0] == pytest.approx(115 if linear else 2 / (1 / 100 + 1 / 130))
    held = played(spec, Steps(), [150, 150], account.opening)
    assert by_lot.summary().equity == held.summary().equity
