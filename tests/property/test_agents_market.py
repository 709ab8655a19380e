"""The agents keep a two-sided market, whatever the seed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.plain_exchange import PlainExchange
from tradecore.sim.agents import AgentCrowd, AgentMarket

SECOND_NS = 1_000_000_000
LEVELS_MIN = 5
SPREAD_PPM_MAX = 500

markets = st.builds(
    AgentMarket,
    instrument_id=st.just(0),
    start_ticks=st.sampled_from([20_000, 300_000, 6_000_000, 10**10]),
    lots_mean=st.integers(1, 10_000),
)


def market_stays_two_sided(market: AgentMarket, *, seed: int, seconds: int) -> PlainExchange:
    """Look at the book of a slow plain exchange once a second."""
    crowd, exchange = AgentCrowd((market,), seed=seed, start_ns=0), PlainExchange()
    for second in range(1, seconds + 1):
        crowd.run_until(second * SECOND_NS, exchange)
        assert min(exchange.levels(True), exchange.levels(False)) >= LEVELS_MIN
        assert 0 < exchange.spread_ticks <= max(market.start_ticks * SPREAD_PPM_MAX // 1_000_000, 2)
    return exchange


@settings(max_examples=15)
@given(market=markets, seed=st.integers(0, 2**32))
def test_the_market_is_two_sided_after_twenty_seconds(market, seed):
    """At every second at least five prices a side, the spread within 5 basis points, and trades."""
    exchange = market_stays_two_sided(market, seed=seed, seconds=20)

    assert len(exchange.trades) > 500
    assert exchange.misses == 0


def test_the_market_is_two_sided_after_ten_minutes():
    """The value wanders, the book follows: the same bounds hold at every second of ten minutes."""
    exchange = market_stays_two_sided(
        AgentMarket(instrument_id=0, start_ticks=6_000_000), seed=7, seconds=600
    )

    assert exchange.misses == 0
    assert len(exchange.places) < 60 * 8 + 12 * 20
