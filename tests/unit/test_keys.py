"""Keys out of a store: each of the kind that was asked for, and shown nowhere."""

import os
import traceback

import pytest

from support.local_venue import GRANTS, serving
from support.venue_process import WIDE_CANARY
from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.secret import Secret
from tradecore.domain.spec import Mode
from tradecore.domain.venue_findings import Balances, OpenOrders
from tradecore.domain.venue_keys import QueryKey, TradingKey, WatchdogKey
from tradecore.runtime.keys import key_of
from tradecore_api.config import read
from tradecore_api.config.tables import Config, ConfigTables, EnvironmentSecretsTable, LiveTable
from tradecore_api.wiring.live_keys import live_key
from tradecore_local.client import LocalVenue
from tradecore_local.queries import LocalVenueQueries
from tradecore_secrets import HeldSecrets

CANARY = "canary-31"
KEY = f'{{"key_id": "k", "secret": "{CANARY}"}}'


def holding(**texts):
    """Return a store of these texts."""
    return HeldSecrets({name: Secret(text) for name, text in texts.items()}, "test")


@pytest.mark.parametrize("kind", [TradingKey, QueryKey, WatchdogKey])
async def test_the_kind_that_is_asked_for_decides_which_secret_is_read(kind):
    """Nobody gets the trading key by asking for another."""
    names = ("main_trading", "main_query", "main_watchdog")
    store = holding(**{name: KEY.replace('"k"', f'"{name}"') for name in names})

    key = key_of(store, kind, "main")

    assert (type(key), key.key_id, key.secret.reveal()) == (kind, f"main_{kind.use}", CANARY)
    assert CANARY not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        "[]",
        f'{{"key_id": "k", "secret": "{CANARY}"',
        f'{{"key_id": "{CANARY}"}}',
        f'{{"key_id": "", "secret": "{CANARY}"}}',
        f'{{"key_id": "{CANARY}", "secret": ""}}',
        f'{{"key_id": "{CANARY}", "secret": 5}}',
        f'{{"key_id": 5, "secret": "{CANARY}"}}',
        '{"key_id": "k", "secret": "' + CANARY + '\\ud800"}',
    ],
)
async def test_what_is_no_key_is_told_without_a_letter_of_it(text):
    """Neither in the message nor in a traceback with all its values."""
    with pytest.raises(ConfigError, match="main_trading: must be JSON") as caught:
        key_of(holding(main_trading=text), TradingKey, "main")
    # The frame of this test has the text, and is no part of what is told elsewhere.
    below = caught.value.__traceback__.tb_next
    told = traceback.TracebackException(type(caught.value), caught.value, below, capture_locals=True)
    told = "".join(told.format())

    assert CANARY not in told


@pytest.mark.parametrize("account", ["", "Main", "a b", "../x", "a__b", "a_"])
async def test_an_account_that_no_store_can_name_is_refused(account):
    """Its name is a part of the name of the secret."""
    with pytest.raises(InvalidValueError, match="must be words of small letters"):
        key_of(holding(main_trading=KEY), TradingKey, account)


def as_key(kind, use):
    """Return the key of the test's venue with a right, as one of a kind."""
    (found,) = [grant.key for grant in GRANTS if {right.value for right in grant.rights} == {use}]
    return kind(key_id=found.key_id, secret=found.secret)


@pytest.mark.parametrize("name", ["k\\r\\nX-Other: 1", "a b", "k\\u0000", "\\u00e9", "\\u007f"])
async def test_a_key_whose_name_is_no_header_is_refused(name):
    """It goes into each request, where a line break would begin a header of its own."""
    store = holding(main_trading=f'{{"key_id": "{name}", "secret": "{CANARY}"}}')
    with pytest.raises(ConfigError, match="must have a key_id in plain letters") as caught:
        key_of(store, TradingKey, "main")

    assert CANARY not in str(caught.value)


async def test_who_trades_takes_no_key_that_only_asks():
    """No type checker warns a program that was never checked: it is refused before anything is sent."""
    async with serving() as ground:
        where = (ground.instruments, ground.clock)
        for key in (as_key(QueryKey, "query"), as_key(WatchdogKey, "cancel"), GRANTS[0].key):
            with pytest.raises(InvalidValueError, match="must be a TradingKey: it is for trading"):
                await LocalVenue.connect(ground.server.url, key, *where)
        with pytest.raises(InvalidValueError, match="must be a QueryKey: it is for query"):
            await LocalVenueQueries.connect(ground.server.url, as_key(TradingKey, "trade"), *where)
        venue = await LocalVenue.connect(ground.server.url, as_key(TradingKey, "trade"), *where)
        assert (await venue.query(OpenOrders())).is_complete
        await venue.aclose()


async def test_who_may_only_ask_asks():
    """And has nothing to trade with."""
    async with serving() as ground:
        queries = await LocalVenueQueries.connect(
            ground.server.url, as_key(QueryKey, "query"), ground.instruments, ground.clock
        )
        assert (await queries.query(Balances())).seen
        assert queries.capabilities.order_kinds
        assert not hasattr(queries, "submit")
        await queries.aclose()


async def test_a_process_has_one_store_of_its_environment(monkeypatch):
    """A second key is found as well: the variables are gone after the first, and not what was in them."""
    monkeypatch.setenv("TRADECORE_SECRET_VENUE_TRADING", KEY)
    monkeypatch.setenv("TRADECORE_SECRET_VENUE_QUERY", KEY.replace('"k"', '"q"'))
    table = LiveTable(url="http://127.0.0.1:1", secrets=EnvironmentSecretsTable())
    tables = ConfigTables(mode=Mode.LIVE, live=table)
    config = Config(tables=tables, strategies=(), source="live.toml")

    found = [live_key(config, table, kind) for kind in (TradingKey, QueryKey, TradingKey)]

    assert [key.key_id for key in found] == ["k", "q", "k"]
    assert not [name for name in os.environ if name.startswith("TRADECORE_SECRET_")]


LIVE = """
mode = "live"
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
[account]
name = "one"
cash = "1"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
[live]
person = "Test"
"""


@pytest.mark.parametrize(
    ("live", "says"),
    [
        ("", "live.keys: name one source of the keys"),
        (
            'keys = "keys.json"\nurl = "http://127.0.0.1:1"\n[live.secrets]\nkind = "environment"',
            "name one source of the keys",
        ),
        ('[live.secrets]\nkind = "systemd"', "live.url: is missing"),
        (
            'url = "http://127.0.0.1:1"\n[live.secrets]\nkind = "file"\npath = "none.json"',
            "live.secrets.path.*: no such file",
        ),
        ('keys = "none.json"', "live.keys.*: no such file"),
        ('url = "http://127.0.0.1:1"\n[live.secrets]\nkind = "vault"', "live.secrets.kind"),
    ],
)
def test_a_live_configuration_names_one_source_of_its_keys(tmp_path, live, says):
    """And where the venue is, when the source does not say it."""
    (tmp_path / "keys.json").touch()
    (tmp_path / "live.toml").write_text(LIVE + live + WIDE_CANARY)

    with pytest.raises(ConfigError, match=says):
        read.load(tmp_path / "live.toml", environment={})


def test_paths_of_keys_are_relative_to_the_file_that_names_them(tmp_path, monkeypatch):
    """As all paths of a configuration are; a start from another folder finds them."""
    (tmp_path / "secrets.json").touch()
    (tmp_path / "keys.toml").write_text(LIVE + 'keys = "secrets.json"' + WIDE_CANARY)
    table = 'url = "http://127.0.0.1:1"\n[live.secrets]\nkind = "file"\npath = "secrets.json"'
    (tmp_path / "store.toml").write_text(LIVE + table + WIDE_CANARY)
    monkeypatch.chdir("/")

    keys = read.load(tmp_path / "keys.toml", environment={}).tables.live
    store = read.load(tmp_path / "store.toml", environment={}).tables.live

    assert keys.keys == store.secrets.path == str(tmp_path / "secrets.json")


def test_a_variable_with_a_secret_is_no_setting(tmp_path):
    """A message about a setting shows its value; `__` in the name of a secret would make one of it."""
    (tmp_path / "keys.json").touch()
    (tmp_path / "live.toml").write_text(LIVE + 'keys = "keys.json"' + WIDE_CANARY)

    config = read.load(tmp_path / "live.toml", environment={"TRADECORE_SECRET_MAIN__TRADING": CANARY})

    assert config.sources == {}
