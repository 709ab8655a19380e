"""Where a live account gets its second reader from: keys, endpoint, times."""

import json

import pytest

from tradecore.domain.errors import ConfigError
from tradecore.domain.units import Units
from tradecore_api.config import read
from tradecore_api.wiring import live
from tradecore_api.wiring.live_accounts import accounts_of
from tradecore_api.wiring.secrets import query_url

KEY = {"key_id": "k", "secret": "canary"}


@pytest.fixture
def config_of(tmp_path):
    """Return a configuration of a live account whose file of keys has these rights."""

    def of(*rights, urls=("http://127.0.0.1:1", "http://127.0.0.1:2"), **drop_copy):
        path = tmp_path / "keys.json"
        held = {right: KEY | {"key_id": right} for right in rights}
        named = dict(zip(("url", "query_url"), urls, strict=False))
        path.write_text(json.dumps({**named, "accounts": {"demo": held}}))
        path.chmod(0o600)
        tree = {
            "mode": "live",
            "account": {"name": "one", "cash": "100"},
            "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
            "feed": {"kind": "local"},
            "venue": {"matching": "book"},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
            "live": {
                "person": "Ada",
                "canary": {
                    "instruments": ["BTC-USD"],
                    "order_value_max": "100",
                    "orders_a_day_max": 50,
                    "position_value_max": "500",
                },
                "keys": str(path),
                "drop_copy": drop_copy,
            },
        }
        return read.from_tree(tree, "settings", environment={})

    return of


def copy_of(config):
    """Return the second reader of the only account."""
    (account,) = accounts_of(config)
    return live.drop_copy(config, account, Units(config.engine_spec(), ()))


def test_it_is_there_where_there_is_a_key_that_can_only_ask(config_of):
    """Every five seconds at most; an answer may not take longer than that."""
    made = copy_of(config_of("trade", "query"))
    assert (made._settings.interval_seconds, made._settings.answer_seconds_max) == (5.0, 5.0)
    assert made.status.step == "waiting"
    assert copy_of(config_of("trade")) is None
    assert copy_of(config_of("trade", "query", enabled=False)) is None
    with pytest.raises(ConfigError, match="needs a key that can only ask") as caught:
        copy_of(config_of("trade", enabled=True))
    assert "live.drop_copy.enabled" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_it_asks_where_it_is_told_then_where_the_file_says_then_at_the_venue(config_of):
    """The first that is stated."""
    for more, where in (
        ({"url": "http://127.0.0.1:3"}, "http://127.0.0.1:3"),
        ({}, "http://127.0.0.1:2"),
        ({"urls": ("http://127.0.0.1:1",)}, "http://127.0.0.1:1"),
    ):
        config = config_of("trade", "query", **more)
        assert query_url(config, accounts_of(config)[0].live) == where


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"url": "http://venue.example.com"}, "live.drop_copy.url"),
        ({"url": "http://venue.example.com", "enabled": True}, "live.drop_copy.url"),
        ({"urls": ("http://127.0.0.1:1", "http://venue.example.com")}, "live.keys"),
        ({"urls": ("http://127.0.0.1:1", "http://127.0.0.1@example.com")}, "live.keys"),
    ],
)
def test_its_endpoint_is_at_a_host_that_is_known(config_of, more, key):
    """Whoever answers there can hold all new risk, and gets signed questions."""
    with pytest.raises(ConfigError, match=rf"{key}.*(host that is not known|must be an address)"):
        copy_of(config_of("trade", "query", **more))


@pytest.mark.parametrize("interval_ms", [0, 99, 5_001])
def test_it_looks_every_five_seconds_at_most(config_of, interval_ms):
    """The control asks for it; a tenth of a second is the shortest."""
    with pytest.raises(ConfigError, match=r"live\.drop_copy\.interval_ms"):
        config_of("trade", "query", interval_ms=interval_ms)
