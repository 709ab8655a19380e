"""An address in a configuration is one that can be asked, and is refused before anything is."""

import pytest

from tradecore.domain.errors import ConfigError
from tradecore_api.config import read
from tradecore_api.config.urls import url_rule

LIVE = {
    "mode": "live",
    "account": {"name": "one", "cash": "100"},
    "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
    "feed": {"kind": "local"},
    "venue": {"matching": "book"},
    "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
    "live": {
        "url": "http://127.0.0.1:1",
        "secrets": {"kind": "environment"},
        "person": "Ada",
        "canary": {
            "instruments": ["BTC-USD"],
            "order_value_max": 1,
            "orders_a_day_max": 1,
            "position_value_max": 1,
        },
    },
}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:18777", "http://localhost", "https://[::1]:65535/a/b", "http://a-b.c_d:1/"]
)
def test_an_address_that_can_be_asked_is_taken(url):
    """With or without a port and a path."""
    assert url_rule(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "http:///a",
        "ftp://a",
        "ws://a",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:x",
        "http://[::1",
        "http://a b",
        "http://a/\r\nX: y",
        "http://a\x00",
        "http://\u00e9",
        "http://user:hidden@a",
    ],
)
@pytest.mark.parametrize("table", ["live", "feed", "history", "live.drop_copy"])
def test_any_other_address_is_a_fault_of_its_setting(url, table):
    """It names the key; a password in it is not shown."""
    tables = {
        "live": {"live": LIVE["live"] | {"url": url}},
        "feed": {"feed": {"kind": "local", "url": url}},
        "live.drop_copy": {"live": LIVE["live"] | {"drop_copy": {"url": url}}},
        "history": {"history": {"kind": "local", "length": "1m", "url": url}},
    }
    with pytest.raises(ConfigError) as caught:
        read.from_tree(LIVE | tables[table], "settings", environment={})

    said = str(caught.value)
    assert f"{table}.url" in said
    assert "must be an address" in said
    assert "hidden" not in said
    assert "\n" not in said


def test_the_streams_of_a_feed_have_addresses_of_their_own():
    """`wss`, and not `https`."""
    feed = {"kind": "binance", "ws_url": "https://a", "rest_url": "wss://a"}
    with pytest.raises(ConfigError) as caught:
        read.from_tree(LIVE | {"mode": "paper", "live": {}, "feed": feed}, "settings", environment={})

    said = [str(caught.value), *getattr(caught.value, "__notes__", [])]
    assert "feed.ws_url" in "".join(said)
    assert "feed.rest_url" in "".join(said)
