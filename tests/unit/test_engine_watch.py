"""What is followed beside an engine: the profit of the day, halts, and books that are lost and come back."""

import logging
from decimal import Decimal

import pytest

from tradecore.domain import EventBatch, Transfer
from tradecore.domain.commands import Release
from tradecore.domain.spec import (
    AccountSpec,
    EngineSpec,
    InstrumentSpec,
    Matching,
    RiskSpec,
    ScopeRiskSpec,
    SequenceRule,
    VenueSpec,
)
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding
from tradecore_api.engine_watch import DAY_NS, EngineWatch
from tradecore_api.heartbeat import Heartbeat

# 2026-11-28 at noon UTC.
NOON_NS = 1_795_867_200_000_000_000


class Holder:
    """Buys ten at the first quote and holds them."""

    def on_quote(self, ctx, quote):
        """Buy once."""
        if not ctx.position_lots():
            ctx.buy(quantity_lots=10)


def market_of(**risk):
    """Make an engine that holds ten of something, matched against quotes."""
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="ABC", tick_size="1"),),
        venue=VenueSpec(matching=Matching.QUOTES),
        risk=RiskSpec(account=ScopeRiskSpec(daily_loss_max="500"), **risk),
    )
    return Engine(spec, [StrategyBinding(name="holder", strategy=Holder())])


@pytest.fixture
def market():
    """An engine whose day begins at midnight."""
    return market_of()


def quote(engine, time_ns, price):
    """Move the market: what is bought at `price + 1` is worth `price`."""
    batch = EventBatch()
    batch.quote(time_ns, 0, price - 1, 100, price + 1, 100)
    engine.feed(batch)
    engine.run()


def day_pnl(engine, watch):
    """Return the profit of the day."""
    watch.look()
    return watch.day_pnl(Decimal(engine.summary().pnl))


def test_the_profit_of_the_day_begins_anew_at_midnight(market):
    """It goes on over heartbeats, begins at the equity of just before midnight, and is told since when."""
    watch = EngineWatch(market, None)
    watch.look()
    for time_ns, price in ((NOON_NS, 100), (NOON_NS + 1, 100), (NOON_NS + 2, 104)):
        quote(market, time_ns, price)
    assert day_pnl(market, watch) == 10 * (104 - 101)
    quote(market, NOON_NS + DAY_NS, 101)

    assert day_pnl(market, watch) == -30
    assert watch.day_since_ns == NOON_NS + DAY_NS // 2
    assert watch.session_pnl(Decimal(market.summary().pnl)) == 0


@pytest.mark.parametrize("hours", [0, 1, 11, 12, 13, 22])
def test_the_day_begins_at_the_hour_of_the_settings(hours):
    """An instant before it is of the day before; who looks on only from then on has its day from then on."""
    market = market_of(day_start_ns=hours * DAY_NS // 24)
    begins_ns = NOON_NS - DAY_NS // 2 + DAY_NS + hours * DAY_NS // 24
    watch = EngineWatch(market, None)
    quote(market, begins_ns - DAY_NS, 100)
    watch.look()
    assert watch.day_since_ns == begins_ns - DAY_NS
    quote(market, begins_ns - 1, 104)
    watch.look()
    assert watch.day_since_ns == begins_ns - DAY_NS
    quote(market, begins_ns + 7, 101)
    assert (day_pnl(market, watch), watch.day_since_ns) == (-30, begins_ns)
    # Two days later nobody has looked on at its beginning.
    quote(market, begins_ns + 2 * DAY_NS + 7, 102)
    assert (day_pnl(market, watch), watch.day_since_ns) == (10, begins_ns + 2 * DAY_NS + 7)


def test_the_day_goes_on_after_a_restart(market):
    """The last heartbeat has its beginning; one of another day counts for nothing."""
    for time_ns in (NOON_NS, NOON_NS + 1):
        quote(market, time_ns, 100)
    plain = {"pid": 1, "time_ns": 0, "phase": "ended", "account": "a", "mode": "paper", "journal": "j"}
    same = Heartbeat(**plain, day_since_ns=NOON_NS - 9, day_profit="-100")
    other = Heartbeat(**plain, day_since_ns=NOON_NS - DAY_NS, day_profit="-100")

    watch = EngineWatch(market, same)
    assert (day_pnl(market, watch), watch.day_since_ns) == (-10 - -100, NOON_NS - 9)
    watch = EngineWatch(market, other)
    assert (day_pnl(market, watch), watch.day_since_ns) == (0, NOON_NS + 1)


def test_money_that_the_owner_brings_or_takes_is_no_profit_of_the_day(market):
    """Neither is it one of the session: 500 go to the bank while ten are held, and the price falls by one."""
    watch = EngineWatch(market, None)
    for time_ns in (NOON_NS, NOON_NS + 1):
        quote(market, time_ns, 100)
    watch.look()
    made = day_pnl(market, watch)
    market.change_account(Transfer(currency="USD", amount="-500", reason="to the bank"), NOON_NS + 2)
    quote(market, NOON_NS + 3, 99)

    assert day_pnl(market, watch) - made == -10
    assert watch.session_pnl(Decimal(market.summary().pnl)) == -10


def test_a_coin_that_was_brought_is_no_profit_once_it_has_a_price():
    """It is worth nothing before, and the owner brought it all the same; what it rises by is profit."""
    coin = InstrumentSpec(symbol="COIN-USD", tick_size="1", base="COIN")
    account = AccountSpec(currency="USD", cash={"USD": "100", "COIN": "5"}, conversions={"COIN": "COIN-USD"})
    venue = VenueSpec(matching=Matching.QUOTES)
    engine = Engine(EngineSpec(instruments=(coin,), account=account, venue=venue), [])
    watch = EngineWatch(engine, None)
    watch.look()
    quote(engine, NOON_NS, 1_000)
    assert day_pnl(engine, watch) == 0
    quote(engine, NOON_NS + 1, 1_002)

    assert day_pnl(engine, watch) == 10
    assert watch.session_pnl(Decimal(engine.summary().pnl)) == 10


def test_a_halt_is_told_once_in_words_and_so_is_its_end(market, caplog):
    """Which scope, which rule, how much was lost, and how to release it."""
    watch = EngineWatch(market, None)
    with caplog.at_level(logging.INFO, "tradecore.engine"):
        for time_ns, price in ((NOON_NS, 100), (NOON_NS + 1, 100), (NOON_NS + 2, 40)):
            quote(market, time_ns, price)
            watch.look()
        watch.look()
        market.command(Release(scope="account", person="ann"), market.now_ns)
        market.run()
        watch.look()

    said = [record.words for record in caplog.records]
    assert said == [
        (
            "HALTED: account opens nothing more: daily_loss_max: 610.00 USD were lost since the day began, "
            "allowed are 500.00 USD; `tradecore release account --by PERSON` ends that"
        ),
        "account is no longer halted",
    ]


def test_a_book_that_is_lost_and_comes_back_is_told(caplog):
    """A gap makes the book invalid, a snapshot valid again; each is said once."""
    instrument = InstrumentSpec(symbol="ABC", tick_size="1", sequence=SequenceRule.BINANCE_FUTURES)
    engine = Engine(EngineSpec(instruments=(instrument,), venue=VenueSpec(matching=Matching.BOOK)), [])
    watch = EngineWatch(engine, None)

    def book(number, is_snapshot, first, last, before):
        batch = EventBatch()
        batch.book(NOON_NS + number, 0, is_snapshot, first, last, before, [(99, 1)], [(101, 1)])
        engine.feed(batch)
        engine.run()
        watch.look()

    with caplog.at_level(logging.INFO, "tradecore.engine"):
        book(1, True, 1, 1, 0)
        book(2, False, 1, 2, 1)
        book(3, False, 9, 9, 8)
        watch.look()
        book(4, True, 9, 9, 8)

    said = [record.words for record in caplog.records]
    assert said == [
        "the book of ABC is not valid: orders wait for a snapshot of the venue",
        "the book of ABC is valid again",
    ]


def test_a_heartbeat_of_an_engine_that_has_done_nothing_yet_counts_nothing():
    """Whoever reads it while a journal is read sees no time, no money and no orders."""
    first = Heartbeat(pid=1, time_ns=2, phase="starting", account="one", mode="paper", journal="j")
    later = {name: getattr(first, name) for name in Heartbeat.__struct_fields__[6:]}

    assert not any(later.values()), later
    assert {value for value in later.values() if isinstance(value, int)} == {0}
