"""What a configuration of a live engine with several accounts may say, and what is made of it."""

import json
from types import SimpleNamespace

import msgspec
import pytest

from support.live_desk import CAPABILITIES
from support.venue_process import wide_canary
from tradecore.domain.errors import ConfigError, VenueError
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.engine import Engine
from tradecore.runtime import SystemClock
from tradecore.strategy import StrategyBinding
from tradecore_api.config import read
from tradecore_api.config.tables import LocalFeedTable
from tradecore_api.live_papers import Papers
from tradecore_api.state_dir import StateDir
from tradecore_api.venue_words import venue_words
from tradecore_api.wiring import arming, feeds, live, live_accounts, live_links
from tradecore_api.wiring.feed_sources import sources_of

CONFIG = """
mode = "live"
[live]
person = "Test"
keys = "left.json"
assign = { HERE = "one" }
[feed]
kind = "local"
[[instruments]]
symbol = "THERE"
account = "right"
tick_size = "0.01"
lot_size = "0.0001"
[[instruments]]
symbol = "HERE"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "left"
cash = "1"
[[accounts]]
name = "right"
cash = "1"
ACCOUNT
[venue]
matching = "book"
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "one"
instruments = ["HERE"]
[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
name = "two"
instruments = ["THERE"]
""" + wide_canary("HERE", "THERE")
RIGHT = """
[accounts.live]
keys = "right.json"
symbols = { THERE = "HERE" }
foreign = "adopt"
epoch = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with the keys of two venues."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    for name, url in (("left", "http://127.0.0.1:1"), ("right", "http://127.0.0.1:2")):
        write_keys(tmp_path / f"{name}.json", url, {"demo": name})
    return tmp_path


def write_keys(path, url, accounts):
    """Write a file of keys, with a key of each of these names."""
    held = {
        account: {right: {"key_id": f"{key}-{right}", "secret": "s"} for right in ("trade", "query")}
        for account, key in accounts.items()
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": url, "accounts": held}))


def config_of(folder, account=RIGHT, options=()):
    """Return a configuration whose second account says so."""
    (folder / "live.toml").write_text(CONFIG.replace("ACCOUNT", account))
    return read.load(folder / "live.toml", environment={}, options=options)


def armed(config):
    """Arm a configuration and return the proof."""
    arming.arm(config, "Test")
    return arming.armed(config)


def problems_of(folder, account, options=()):
    """Return what is wrong with it, a line each."""
    with pytest.raises(ConfigError) as caught:
        config_of(folder, account, options)
    return [str(each) for each in (caught.value, *caught.value.others)]


def test_each_account_has_a_venue_and_settings_of_its_own(folder):
    """Nothing of the first account is taken; paths are as of the file."""
    config = config_of(folder)
    left, right = live_accounts.accounts_of(config)
    assert (left.part.name, left.live.keys) == ("left", str(folder / "left.json"))
    assert (right.part.name, right.live.keys, right.live.epoch) == ("right", str(folder / "right.json"), 3)
    assert ([each.symbol for each in left.instruments], left.part.instruments) == (["HERE"], (1,))
    assert ([each.symbol for each in right.instruments], right.part.instruments) == (["HERE"], (0,))
    assert [config.key_of(each.live) for each in (left, right)] == ["live", "accounts.0.live"]
    # One of them takes over what others make, so that there is who holds it.
    assert [each.name for each in config.strategies] == ["one", "two", "external"]
    assert (left.is_only, right.is_only) == (False, False)


def test_an_option_reaches_the_table_of_an_account(folder):
    """And its path is as of where the command is."""
    config = config_of(folder, options=["accounts.0.live.epoch=4", "accounts.0.live.keys=/right.json"][:1])
    assert config.tables.accounts[0].live.epoch == 4


@pytest.mark.parametrize(
    ("account", "words"),
    [
        ("", 'accounts.0.live: is missing: mode = "live" sends orders to the venue'),
        ("[accounts.live]\n", "name one source of the keys: the file `accounts.0.live.keys`"),
        ('[accounts.live]\nkeys = "left.json"\n', "is the account of 'left' at its venue, too"),
        (f'{RIGHT}assign = {{ HERE = "one" }}\n', "'HERE': is not in [[instruments]]"),
        (f'{RIGHT}assign = {{ THERE = "one" }}\n', "'one': must trade it: HERE"),
        ('[accounts.live]\nkeys = "right.json"\nsymbols = { HERE = "X" }\n', "'HERE': is not in"),
        ('[accounts.live]\nkeys = "none.json"\n', "accounts.0.live.keys"),
        (f"{RIGHT}[accounts.feed]\nkind = 5\n", "accounts.0.feed.kind"),
    ],
)
def test_what_an_account_lacks_is_named(folder, account, words):
    """By its key in the file."""
    found = problems_of(folder, account)
    assert any(words in each for each in found), found


@pytest.mark.parametrize(
    ("at", "options", "key", "value"),
    [
        (1, (), "accounts.0.live.foreign", "adopt"),
        (0, (), "live.assign", {"HERE": "one"}),
        (0, ("live.foreign=adopt",), "live.foreign", "adopt"),
    ],
)
def test_what_others_make_is_nobodys_where_a_venue_knows_no_names(folder, at, options, key, value):
    """The setting that asks for it is named, by account."""
    config = config_of(folder, options=options)
    account = live_accounts.accounts_of(config)[at]
    settings = [config, account.live, msgspec.structs.replace(CAPABILITIES, duplicate_ids=DuplicateIds.NONE)]
    with pytest.raises(ConfigError, match="the venue knows no ids of clients") as caught:
        live._owners(*settings)
    assert (caught.value.key, caught.value.value) == (key, value)


def test_an_account_without_an_instrument_has_nothing_to_do_live(folder):
    """Its state could be told by no record."""
    found = problems_of(folder, RIGHT, options=["instruments.0.account=left"])
    assert any("which no instrument is traded at" in each for each in found), found


def test_two_instruments_of_an_account_have_two_names_there(folder):
    """Else a report would be of either."""
    found = problems_of(folder, RIGHT, options=["instruments.1.account=right", "live.assign={}"])
    assert any("'HERE'" in each and "the name of two instruments" in each for each in found), found


async def test_one_account_of_a_venue_under_two_names_is_refused_by_its_key(folder):
    """Two files may have the same key: that is known once they are read."""
    write_keys(folder / "right.json", "http://127.0.0.1:1/", {"other": "left"})
    with pytest.raises(ConfigError, match="is the account of 'left' at its venue, too"):
        await live_links.open_venues(armed(config_of(folder)))


async def test_a_start_needs_every_venue(folder):
    """And says which one does not answer."""
    with pytest.raises(VenueError, match=r"127.0.0.1:1"):
        await live_links.open_venues(armed(config_of(folder)))


def test_market_data_come_from_the_venue_of_the_account(folder):
    """Each source numbers its instruments, by the venue's names, from 0 on."""
    left, right = sources_of(config_of(folder))
    assert (left.table, left.numbers) == (LocalFeedTable(url="http://127.0.0.1:1"), (1,))
    assert (right.table, right.numbers) == (LocalFeedTable(url="http://127.0.0.1:2"), (0,))
    assert [each.symbol for each in right.instruments] == ["HERE"]
    own = f'{RIGHT}[accounts.feed]\nkind = "local"\nurl = "http://127.0.0.1:3"\n'
    assert sources_of(config_of(folder, own))[1].table == LocalFeedTable(url="http://127.0.0.1:3")


def test_two_accounts_at_one_venue_may_trade_one_market(folder):
    """A feed brings a market once, so each has a feed of its own."""
    write_keys(folder / "right.json", "http://127.0.0.1:1", {"demo": "right"})
    sources = sources_of(config_of(folder))
    assert [each.table for each in sources] == [LocalFeedTable(url="http://127.0.0.1:1")] * 2
    assert [each.numbers for each in sources] == [(1,), (0,)]
    other = RIGHT.replace('symbols = { THERE = "HERE" }', "")
    (source,) = sources_of(config_of(folder, other))
    assert source.numbers == (0, 1)


def test_feeds_of_several_kinds_are_joined_if_they_are_live(folder):
    """What is recorded has one time for all, and so cannot stand beside another."""
    own = f'{RIGHT}[accounts.feed]\nkind = "simulated"\n'
    with pytest.raises(ConfigError, match="must be live where accounts have feeds of their own"):
        feeds.build_feed(config_of(folder, own), SystemClock())
    binance = f'{RIGHT}[accounts.feed]\nkind = "binance"\nmarket = "usdm"\n'
    config = config_of(folder, binance)
    feed, is_live = feeds.build_feed(feeds.completed(config), SystemClock())
    assert (type(feed).__name__, is_live) == ("JoinedFeed", True)
    there, here = config.tables.instruments
    assert (there.sequence.value, here.sequence.value) == ("binance_futures", "none")
    assert feeds.feed_identity(config) == {
        "kind": "local",
        "accounts": {"right": {"kind": "binance", "market": "usdm"}},
    }
    assert feeds.feed_identity(config_of(folder)) == {"kind": "local"}


def test_what_a_venue_does_not_have_is_watched_for_its_account(folder):
    """The other venue does it by itself."""
    stops = frozenset({"market", "limit", "stop"})

    def venue(**can):
        return SimpleNamespace(capabilities=msgspec.structs.replace(CAPABILITIES, **can))

    config = config_of(folder)
    plain = venue(order_kinds=frozenset({"market", "limit"}))
    both = live_links.watched_spec(config, {"left": venue(order_kinds=stops), "right": plain})
    assert "stop" not in both.watched
    assert "stop" in both.watched_at["right"]
    Engine(both, [])
    other = live_links.watched_spec(config, {"left": plain, "right": venue(order_kinds=stops)})
    assert "stop" in other.watched
    assert "stop" not in other.watched_at["right"]
    assert live_links.watched_spec(config, {}) == config.engine_spec()


def test_a_strategy_needs_the_venues_where_it_trades(folder):
    """What it needs is not asked of another account."""

    class Needs:
        venue_needs = ("post_only",)

        def on_bar(self, ctx, bar):
            """Do nothing."""

    config = config_of(folder)
    left = SimpleNamespace(capabilities=CAPABILITIES)
    right = SimpleNamespace(capabilities=msgspec.structs.replace(CAPABILITIES, post_only=False))
    venues = {"left": left, "right": right}
    here = StrategyBinding(name="here", strategy=Needs(), instruments=(1,))
    live_links.check_needs(config, [here], venues)
    there = StrategyBinding(name="there", strategy=Needs(), instruments=(0,))
    with pytest.raises(ConfigError, match=r"accounts.0.live.venue.*there needs post_only"):
        live_links.check_needs(config, [here, there], venues)


def test_papers_of_an_account_lie_beside_those_of_the_engine(folder):
    """Those of the first are where those of an engine with one account are."""
    state = StateDir("left")
    assert state.of_venue_account("left").start_report == state.start_report
    right = state.of_venue_account("right")
    assert (right.path, right.account, right.venue_account) == (state.path, "left", "right")
    assert right.start_report.name == "start_report-right.json"
    assert right.dead_letters.name == "dead_letters-right.jsonl"


async def test_papers_of_all_accounts_are_looked_after(folder):
    """One by one, each look."""
    looked = []

    class Paper:
        report = None

        def __init__(self, name):
            self.name = name

        async def look(self):
            looked.append(self.name)

    papers = Papers({name: Paper(name) for name in ("left", "right")})
    await papers.look()
    assert (looked, papers.words) == (["left", "right"], "")


def test_of_one_of_several_the_words_say_where_no_risk_is_taken():
    """Another account may go on."""
    status = {
        "is_connected": False,
        "step": "idle",
        "differences": [],
        "trouble": "",
        "declined": "",
        "open_orders": 0,
        "unknown": 0,
        "foreign_orders": 0,
        "letters": 0,
    }
    assert "no new risk is taken;" in venue_words(status)
    said = venue_words(status, is_one_of_several=True)
    assert "no new risk is taken there, nor elsewhere where a limit adds it up" in said
