"""The worked examples of docs/orders.md, "Against bars", come out as the document says."""

import numpy as np
import pytest

from tradecore import (
    AccountSpec,
    BarOrder,
    EngineSpec,
    EventBatch,
    InstrumentSpec,
    Mode,
    StrategyBinding,
    VenueSpec,
)
from tradecore.backtest import run
from tradecore_calendars import session_table

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
FLAT = (100, 100, 100, 100)


class Asks:
    """Sends its orders when the first bar closes, and others at its first fill."""

    def __init__(self, first=(), at_fill=()):
        self.orders = {"bar": first, "fill": at_fill}
        self.told = []

    def send(self, ctx, occasion):
        """Send what this occasion brings, once."""
        orders, self.orders[occasion] = self.orders[occasion], ()
        number = 0
        for way, terms in orders:
            pair = {"oco": number} if terms.get("oco") else {}
            number = getattr(ctx, way)(quantity_lots=1, **{**terms, **pair})
            assert number

    def on_bar(self, ctx, bar):
        """The first bar brings orders."""
        self.send(ctx, "bar")

    def on_fill(self, ctx, fill):
        """Remember price and liquidity; the first fill brings orders."""
        self.told.append((fill.price_ticks, "maker" if fill.is_maker else "taker"))
        self.send(ctx, "fill")

    def on_order(self, ctx, update):
        """Remember what ends without a fill, and at which hour."""
        if update.what in ("expired", "canceled"):
            self.told.append((update.what, ctx.now_ns // HOUR_NS))


def told(strategy, *bars, starts_ns=None, span_ns=HOUR_NS, calendar="24/7", order=BarOrder.TIME):
    """Run bars, each as open, high, low, close; they follow one another if nothing else is said."""
    starts = np.arange(len(bars)) * span_ns if starts_ns is None else np.array(starts_ns)
    batch = EventBatch()
    batch.bars(0, starts, starts + span_ns, *np.array(bars).T.copy(), np.full(len(bars), 1_000))
    first_ns = int(starts[0])
    is_table = calendar != "24/7"
    tables = {calendar: session_table(calendar, first_ns, first_ns + 30 * DAY_NS)} if is_table else {}
    spec = EngineSpec(
        mode=Mode.BACKTEST,
        instruments=(InstrumentSpec(symbol="A", tick_size="1", calendar=calendar),),
        account=AccountSpec(cash="1000000"),
        venue=VenueSpec(bar_order=order),
        calendars=tables,
    )
    run(spec, [StrategyBinding(name="s", strategy=strategy)], batch)
    return strategy.told


@pytest.mark.parametrize(
    ("exits", "bar", "sold_at"),
    [
        (
            [("sell", {"limit_ticks": 106}), ("sell", {"stop_ticks": 95, "oco": True})],
            (100, 108, 94, 103),
            95,
        ),
        (
            [("sell", {"limit_ticks": 108}), ("sell", {"trail_ticks": 4, "oco": True})],
            (100, 110, 99, 104),
            108,
        ),
        ([("sell", {"trail_ticks": 4})], (100, 110, 99, 104), 106),
    ],
)
def test_one_path_for_all_orders(exits, bar, sold_at):
    """The low comes first where sells are at stake, and each exit trades when the path comes to it."""
    strategy = Asks([("buy", {})], exits)
    prices = [price for price, _ in told(strategy, FLAT, bar) if isinstance(price, int)]
    assert prices == [100, sold_at]


def test_what_appears_at_an_instant_starts_with_its_price():
    """The market was never at the trigger."""
    strategy = Asks([("buy", {})], [("sell", {"stop_ticks": 105})])
    assert [price for price, _ in told(strategy, FLAT, FLAT)] == [100, 100]


@pytest.mark.parametrize(("opened", "filled"), [(103, [103]), (102, [102]), (104, [])])
def test_what_is_set_off_inside_a_bar_and_cannot_trade_waits_for_the_next(opened, filled):
    """The close of 101 proves nothing about the moment at which the order was set off."""
    strategy = Asks([("buy", {"stop_ticks": 105, "limit_ticks": 103})])
    after = (opened, opened, opened, opened)
    assert [price for price, _ in told(strategy, FLAT, (100, 106, 100, 101), after)] == filled


@pytest.mark.parametrize(("high", "post_only_at"), [(98, 98), (100, 99)])
def test_post_only_that_the_open_jumps_over_makes(high, post_only_at):
    """It was in the book: at its limit, or at the nearest price of the bar."""
    strategy = Asks([("buy", {"limit_ticks": 99}), ("buy", {"limit_ticks": 99, "post_only": True})])
    seen = told(strategy, FLAT, FLAT, (97, high, 97, 97))
    assert sorted(price for price, _ in seen) == [97, post_only_at]
    assert {liquidity for _, liquidity in seen} == {"maker"}


@pytest.mark.parametrize("order", list(BarOrder))
@pytest.mark.parametrize(
    ("until_ns", "opened", "seen"),
    [
        (3 * HOUR_NS, 100, [(95, "maker")]),
        (3 * HOUR_NS - HOUR_NS // 2, 100, [("expired", 2)]),
        (3 * HOUR_NS - HOUR_NS // 2, 95, [(95, "taker")]),
    ],
)
def test_an_order_until_the_close_could_trade_in_the_bar(until_ns, opened, seen, order):
    """One whose time is up inside the bar sees the open only."""
    strategy = Asks([("buy", {"limit_ticks": 95, "time_in_force": "gtd", "expire_ns": until_ns})])
    bars = [FLAT, FLAT, (opened, 100, 94, 100)]
    if opened == 95:
        bars = [FLAT, (95, 100, 94, 100)]
    assert told(strategy, *bars, order=order) == seen


@pytest.mark.parametrize("order", list(BarOrder))
@pytest.mark.parametrize("calendar", ["24/7", "XNYS", "fx"])
def test_a_day_order_of_friday_lives_through_mondays_bar(calendar, order):
    """It expires when that bar has closed."""
    friday_ns = int(np.datetime64("2024-06-07", "ns").astype(np.int64))
    starts_ns = [friday_ns + days * DAY_NS for days in (0, 3, 4)]
    bars = [(100, 100, low, 100) for low in (100, 96, 90)]
    strategy = Asks([("buy", {"limit_ticks": limit, "time_in_force": "day"}) for limit in (97, 95)])
    seen = told(strategy, *bars, starts_ns=starts_ns, span_ns=DAY_NS, calendar=calendar, order=order)
    assert seen == [(97, "maker"), ("expired", starts_ns[2] // HOUR_NS)]
