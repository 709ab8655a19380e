"""The demos run alike: on the simulated venue and on the local one; and what their strategies take."""

import tomllib
from decimal import Decimal

import pytest

from tradecore.domain.errors import ConfigError
from tradecore.strategy import loader
from tradecore_api import builtin
from tradecore_api.config import read
from tradecore_api.config.tables import SimulatedFeedTable
from tradecore_api.demo_strategies import Quoter, Trend
from tradecore_api.live_demo import settings
from tradecore_api.wiring import feeds


def written(folder, name):
    """Return a file of the live demo."""
    return tomllib.loads((folder / name).read_text())


def test_both_demos_have_the_same_account_markets_strategies_limits_and_fees(tmp_path):
    """What is seen on one venue is what is seen on the other."""
    settings.write(tmp_path, seed=3, has_faults=True, journal="j")
    live, venue = written(tmp_path, settings.ENGINE), written(tmp_path, settings.VENUE)
    paper = builtin.demo(seed=3, seconds=20, is_virtual=False)
    for section in ("account", "instruments", "strategies", "risk"):
        assert live[section] == paper[section], section
    assert venue["fees"] == paper["fees"]
    assert [market["instrument"] for market in venue["markets"]] == paper["instruments"]
    assert {name: str(cash) for name, cash in venue["accounts"][0]["balances"].items()} == {"USD": "100000"}
    assert venue["seed"] == written(tmp_path, settings.FAULTS)["seed"] == 3


def test_the_faults_of_the_demo_have_two_chances_in_a_hundred_each(tmp_path):
    """Without chaos there are none, and no file of them."""
    assert settings.write(tmp_path, seed=1, has_faults=False, journal="j") == ["--settings", settings.VENUE]
    assert not (tmp_path / settings.FAULTS).exists()
    given = settings.write(tmp_path, seed=1, has_faults=True, journal="j")
    assert given == ["--settings", settings.VENUE, "--faults", settings.FAULTS]
    rules = written(tmp_path, settings.FAULTS)["rules"]
    assert len(rules) == len({(rule["kind"], rule["endpoint"]) for rule in rules}) >= 15
    assert {rule["probability_ppm"] for rule in rules} == {20_000}


@pytest.mark.parametrize("name", ['j"\\n', "a b/ü", "j'"])
def test_a_journal_of_any_name_is_written_as_it_is(tmp_path, name):
    """Quotes and backslashes in it end nothing."""
    settings.write(tmp_path, seed=1, has_faults=False, journal=name)
    assert written(tmp_path, settings.ENGINE)["journal"]["path"] == name


def test_the_simulated_market_of_each_instrument_is_its_own():
    """More instruments than there are kinds of markets take them in turn; seconds are whole nanoseconds."""
    tree = builtin.demo(seed=7, seconds=2.5, is_virtual=True)
    names = [instrument["symbol"] for instrument in tree["instruments"]]
    tree["instruments"] += [{**tree["instruments"][0], "symbol": "THIRD"}]
    config = read.from_tree(tree, "test", environment={})
    made = feeds._simulated_feed(config, config.tables.feed, None)
    assert names == ["BTC-USD", "ETH-USD"]
    kinds = [(market.start_ticks, market.lots_mean) for market in made._markets]
    assert kinds[0] == kinds[2] != kinds[1]
    assert [market.instrument_id for market in made._markets] == [0, 1, 2]
    assert isinstance(config.tables.feed, SimulatedFeedTable)


NUMBERS = [
    (Quoter, "quantity", 0.001, 0.0, None),
    (Quoter, "position_max", 0.01, 0.0, None),
    (Quoter, "offset_ticks", 0, -1, 100_000),
    (Quoter, "tolerance_ticks", 0, -1, 100_000),
    (Quoter, "retry_ms", 500, -1, 60_000),
    (Trend, "fast", 3, 0, 1_000),
    (Trend, "slow", 8, 1, 1_000),
    (Trend, "quantity", 0.05, 0.0, None),
]


@pytest.mark.parametrize(("strategy", "name", "default", "below", "most"), NUMBERS)
def test_a_parameter_of_a_demo_strategy_has_this_default_and_these_bounds(
    strategy, name, default, below, most
):
    """The first value that is too small is refused, the largest one is taken, and one more is not."""
    assert getattr(loader.build(strategy, {}, source="test"), name) == default
    step = Decimal("0.000001") if isinstance(default, float) else 1
    least = type(default)(Decimal(below) + step)
    taken = [least] if most is None else [least, most]
    for value in taken:
        assert getattr(loader.build(strategy, {name: value}, source="test"), name) == value
    for value in [below] if most is None else [below, most + 1]:
        with pytest.raises(ConfigError, match=name):
            loader.build(strategy, {name: value}, source="test")


def test_every_parameter_of_the_demo_strategies_is_in_the_table():
    """A new one too."""
    named = {(strategy, name) for strategy, name, *_ in NUMBERS}
    found = {(strategy, name) for strategy in (Quoter, Trend) for name in loader.parameters(strategy)}
    assert found == named
