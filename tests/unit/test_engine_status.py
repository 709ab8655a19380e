"""What an engine answers to `status`: stable keys, exact figures, and never more than a frame takes."""

from decimal import Decimal
from types import SimpleNamespace

from support.sessions import ListFeed, open_session
from tradecore.domain import EventBatch
from tradecore.domain.spec import (
    AccountSpec,
    CanarySpec,
    EngineSpec,
    InstrumentSpec,
    Matching,
    RiskSpec,
    ScopeRiskSpec,
    StrategyRiskSpec,
    VenueSpec,
)
from tradecore.domain.units import Units
from tradecore.engine import Engine
from tradecore.ports.control_channel import ControlReply
from tradecore.strategy import StrategyBinding
from tradecore_api.control.frames import FRAME_BYTES_MAX, encode
from tradecore_api.engine_status import engine_status, halt_rows, limit_rows, order_rows, position_rows
from tradecore_api.engine_watch import EngineWatch

# Scripts rely on them: one may come, none may go or change its meaning.
KEYS = {
    "events", "orders", "fills", "maker_fills", "refusals", "open_orders", "cash", "equity", "pnl", "fees",
    "funding", "borrow", "liquidation_fee", "insurance", "positions", "book", "halts", "changes",
    "is_paused", "is_killed", "now_ns", "version", "account", "currency", "pid", "mode", "phase", "journal",
    "paused_by",
    "journal_head", "records", "engine_time_ns", "engine_time", "realised", "unrealised", "pnl_session",
    "pnl_today", "today_since", "position_rows", "positions_open", "order_rows", "limit_rows", "halt_rows",
    "approval",
    "waiting_rows", "stops",
    "books_waiting", "feed_age_seconds", "tasks", "adjusted", "venue", "venues", "prices",
    "accounts",
    "balances", "not_done",
}  # fmt: skip


class Everywhere:
    """Buys one of everything at its first quote, and asks for another far below the market."""

    def on_quote(self, ctx, quote):
        """Buy once, and rest."""
        if not ctx.position_lots(quote.instrument_id):
            ctx.buy(quantity_lots=1, instrument_id=quote.instrument_id)
            ctx.buy(quantity_lots=1, limit_ticks=50, instrument_id=quote.instrument_id, post_only=True)


def engine_of(count, canaries=(), **risk):
    """Make an engine on many instruments that hold something of each."""
    instruments = tuple(
        InstrumentSpec(symbol=f"SYMBOL-{number:05}", tick_size="0.01") for number in range(count)
    )
    spec = EngineSpec(
        account=AccountSpec(cash="10000000"),
        instruments=instruments,
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=RiskSpec(**risk),
        canaries=canaries,
    )
    binding = StrategyBinding(name="everywhere", strategy=Everywhere(), instruments=tuple(range(count)))
    engine = Engine(spec, [binding], recording=True)
    for time_ns, price in ((1, 10_000), (2, 10_000), (3, 9_000)):
        batch = EventBatch()
        for number in range(count):
            batch.quote(time_ns, number, price - 1, 100, price + 1, 100)
        engine.feed(batch)
        engine.run()
    return engine


async def test_the_keys_of_the_status_are_stable_and_its_figures_agree(tmp_path):
    """PnL is realised and unrealised, equity is cash and what is held at its mark."""
    session = open_session(tmp_path / "journal", feed=ListFeed(slices=60))
    watch = EngineWatch(session.engine, None)
    watch.look()
    await session.run()
    status = engine_status(session, watch, mode="paper", journal_path="j")

    assert status.keys() == KEYS
    assert Decimal(status["pnl"]) == Decimal(status["realised"]) + Decimal(status["unrealised"])
    assert status["pnl_session"] == status["pnl"]
    held = sum(Decimal(row["quantity"]) * Decimal(row["mark"]) for row in status["position_rows"])
    assert Decimal(status["equity"]) == Decimal(status["cash"]) + held


async def test_the_status_of_any_engine_fits_into_one_frame(tmp_path):
    """Thousands of positions and orders are counted, not listed."""
    session = open_session(tmp_path / "journal")
    session.engine = engine_of(1500)
    assert session.engine.summary().open_orders >= 1000
    status = engine_status(session, EngineWatch(session.engine, None), mode="paper", journal_path="j")

    assert status["positions_open"] == 1500
    assert len(encode(ControlReply(accepted=True, status=status))) < FRAME_BYTES_MAX


async def test_the_status_says_why_orders_were_not_sent(tmp_path):
    """A count alone sends an operator into the journal; what is long is cut."""
    session = open_session(tmp_path / "journal")
    session.engine = engine_of(2, quantity_max="0.5")
    watch = EngineWatch(session.engine, None)
    status = engine_status(session, watch, mode="paper", journal_path="j")
    assert status["not_done"] == "12 orders refused: quantity_max 12"

    instruments = tuple(InstrumentSpec(symbol=f"S{number:05}", tick_size="1") for number in range(500))
    binding = StrategyBinding(name="everywhere", strategy=Everywhere(), instruments=tuple(range(500)))
    session.engine = Engine(EngineSpec(instruments=instruments), [binding])
    status = engine_status(session, watch, mode="paper", journal_path="j")
    assert status["not_done"].startswith("no data: S00000, S00001")
    assert len(status["not_done"]) <= 400


def test_limits_are_shown_with_what_is_used_of_them():
    """Losses, exposures, positions and open orders in units; a rate has nothing in use."""
    engine = engine_of(
        2,
        position_max="3",
        order_rate_max=9,
        account=ScopeRiskSpec(daily_loss_max="5000.50", gross_max="900"),
        strategy={"everywhere": StrategyRiskSpec(open_orders_max=7)},
    )
    used = {(row["scope"], row["limit"]): (row["used"], row["value"]) for row in limit_rows(engine)}

    # Two times bought at 100.01 and worth 90.00; two more at 0.50 would be bought.
    assert used["account", "daily_loss_max"] == ("20.02", "5000.5")
    assert Decimal(used["account", "gross_max"][0]) >= 180
    assert used["strategy:everywhere", "open_orders_max"] == ("2", "7")
    assert used["instrument:SYMBOL-00001", "position_max"] == ("1", "3")
    assert used["instrument:SYMBOL-00001", "order_rate_max"] == (None, "9")


def test_open_orders_are_counted_for_each_instrument_alone():
    """One rests on each of three."""
    used = {row["scope"]: row["used"] for row in limit_rows(engine_of(3, open_orders_max=5))}

    assert used == {f"instrument:SYMBOL-0000{number}": "1" for number in range(3)}


def test_a_canary_profile_is_shown_with_the_orders_of_the_day():
    """Beside the limits, which are others."""
    canary = CanarySpec(
        account="paper",
        instruments=("SYMBOL-00000",),
        order_value_max="5000",
        orders_a_day_max=7,
        position_value_max="9000",
    )
    engine = engine_of(1, canaries=(canary,))
    assert [tuple(row.values()) for row in limit_rows(engine)] == [
        ("canary", "order_value_max", None, "5000"),
        ("canary", "orders_a_day_max", "2", "7"),
        ("canary", "position_value_max", None, "9000"),
    ]


def test_positions_and_orders_are_told_with_names_and_decimals():
    """Entry price, mark and profit of each position; what is open of each order, in words."""
    engine = engine_of(1)
    units = Units(engine.spec, ["everywhere"])

    assert position_rows(engine, units) == [
        {
            "symbol": "SYMBOL-00000",
            "strategy": "everywhere",
            "side": "long",
            "quantity": "1",
            "entry_price": "100.01",
            "mark": "90.00",
            "unrealised": "-10.01",
        }
    ]
    (order,) = order_rows(engine, units)
    assert order["words"] == "buy 1 SYMBOL-00000 limit at 0.50 gtc post-only"
    assert (order["open"], order["filled"], order["price"]) == ("1", "0", "0.50")


def test_what_is_halted_is_told_by_its_scope():
    """A strategy by its name, the account as such."""
    spec = EngineSpec(instruments=(InstrumentSpec(symbol="A", tick_size="1"),))
    halts = [
        ("strategy", 1, "halted", "daily_loss_max", 5 * 10**18),
        ("account", 0, "halted", "drawdown_max", 7),
    ]
    engine = SimpleNamespace(kernel=SimpleNamespace(halts=lambda: halts))
    rows = halt_rows(engine, Units(spec, ["one", "two"]))
    assert [(row["scope"], row["rule"]) for row in rows] == [
        ("strategy:two", "halted"),
        ("account", "halted"),
    ]
    assert not any(row["words"].startswith("halted: ") for row in rows)
