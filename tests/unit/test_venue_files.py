"""The files of the local venue: its settings, its faults and its keys, and who may read them."""

import json
import socket
import stat
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import ClassVar

import msgspec
import pytest

from support.live_desk import CAPABILITIES
from tradecore.domain.errors import ConfigError, StorageError, VenueError
from tradecore.domain.spec import Mode
from tradecore.domain.venue_keys import QueryKey, TradingKey, WatchdogKey
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import Retries, RetryPolicy
from tradecore.testkit.local_venue import FaultScript, Right, VenueSettings
from tradecore.testkit.local_venue.comparison import Truth
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind, FaultRule
from tradecore_api.config.retry_tables import LiveRetriesTable
from tradecore_api.config.tables import Config, ConfigTables, LiveTable, ShortLookback
from tradecore_api.wiring import live, local_venue
from tradecore_api.wiring.live_keys import live_key
from tradecore_api.wiring.secrets import key_file, venue_url
from tradecore_local import server

SYMBOLS = [market.instrument.symbol for market in VenueSettings().markets]


def settings_of(path=None, *, seed=None, symbols=()):
    """Return settings, by default the built-in ones."""
    return local_venue.settings_of(path, seed=seed, symbols=symbols)


def test_without_a_word_the_settings_are_the_built_in_ones():
    """And nothing goes wrong on purpose."""
    assert settings_of() == VenueSettings()
    assert local_venue.script_of(None) == FaultScript()


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_a_seed_takes_the_place_of_that_of_the_file(tmp_path, seed):
    """Zero is one, too."""
    path = tmp_path / "venue.toml"
    path.write_text("seed = 5\n")

    assert settings_of(str(path)).seed == 5
    assert settings_of(str(path), seed=seed).seed == seed


def test_markets_are_those_that_are_asked_for_in_that_order():
    """Each once."""
    first, second = SYMBOLS[:2]
    asked = settings_of(symbols=[second, first, second])

    assert [market.instrument.symbol for market in asked.markets] == [second, first]
    with pytest.raises(ConfigError, match=r"--instruments.*must be one of ") as found:
        settings_of(symbols=[first, "NONE"])
    assert (found.value.key, found.value.value) == ("symbol", "NONE")


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", '{"seed": 5}'), ("a.toml", "seed = 5"), ("a", "seed = 5")]
)
def test_a_file_is_json_by_its_ending_alone(tmp_path, name, content):
    """Else it is TOML."""
    (tmp_path / name).write_text(content)

    assert settings_of(str(tmp_path / name)).seed == 5


@pytest.mark.parametrize("name", ["a.json", "a.toml"])
@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b'{"a": 1}'], ids=len)
def test_what_is_no_file_of_settings_is_told_with_the_page(tmp_path, name, content):
    """Whatever is wrong with it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=r"see docs/local-venue\.md") as found:
        local_venue.script_of(str(tmp_path / name))
    assert found.value.key == "content"


def test_a_value_that_cannot_be_is_told_by_its_key(tmp_path):
    """As the settings themselves say it."""
    (tmp_path / "a.json").write_text('{"rules": [{"kind": "frame_lost", "endpoint": "stream_fill"}]}')
    with pytest.raises(ConfigError, match="counts"):
        local_venue.script_of(str(tmp_path / "a.json"))
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        local_venue.script_of(str(tmp_path / "none"))


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_a_file_has_a_longest_length(tmp_path, more, is_read):
    """A megabyte, which it may have."""
    path = tmp_path / "a.toml"
    path.write_text("#" * ((1 << 20) + more))
    if is_read:
        assert settings_of(str(path)) == VenueSettings()
    else:
        with pytest.raises(ConfigError, match="must have at most 1048576 bytes"):
            settings_of(str(path))


def test_each_account_gets_a_key_for_each_right():
    """Of 32 bytes of chance, no two alike."""
    served = local_venue.new_keys(VenueSettings())
    secrets = [secret.reveal() for each in served for _, secret in each.keys.values()]

    assert [each.account for each in served] == [account.name for account in VenueSettings().accounts]
    for each in served:
        assert {right: name for right, (name, _) in each.keys.items()} == {
            right: f"{each.account}-{right.value}" for right in Right
        }
    assert {len(bytes.fromhex(secret)) for secret in secrets} == {32}
    assert len(set(secrets)) == len(secrets) >= 2


def config_of(path, **fields):
    """Return a configuration with these keys, and its table of live mode."""
    table = LiveTable(keys=str(path), **fields)
    tables = ConfigTables(mode=Mode.LIVE, live=table)
    return Config(tables=tables, strategies=(), source="a.toml"), table


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
async def test_keys_are_written_for_their_owner_alone_and_read_again(tmp_path):
    """A file that was there with other rights is replaced, and nothing is left beside it."""
    path = tmp_path / "keys.json"
    for leftover in (path, tmp_path / "keys.json.new"):
        leftover.write_text("old")
        leftover.chmod(0o644)
    served = local_venue.new_keys(VenueSettings())
    local_venue.write_keys(str(path), "http://127.0.0.1:1", served)

    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith('{\n  "url": "http://127.0.0.1:1",')
    config, table = config_of(path, account=served[0].account)
    name, secret = served[0].keys[Right.TRADE]
    key = live_key(config, table, TradingKey)
    assert (venue_url(config, table), key.key_id, key.secret) == ("http://127.0.0.1:1", name, secret)
    assert secret.reveal() in path.read_text()
    # Who only asks takes the key that can do no more.
    assert live_key(config, table, QueryKey).key_id == served[0].keys[Right.QUERY][0]
    signing = live.report_key(config)
    assert signing.key_id == name
    assert signing.secret != secret


def test_keys_that_cannot_be_written_name_the_way_out(tmp_path):
    """Here its folder is not there."""
    with pytest.raises(StorageError, match=r"keys cannot be written: .*name another --keys"):
        local_venue.write_keys(str(tmp_path / "none" / "keys"), "http://127.0.0.1:1", [])


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_keys_that_others_may_touch_are_not_read(tmp_path, bit):
    """Whoever has read them may trade."""
    path = tmp_path / "keys.json"
    path.write_text('{"url": "http://127.0.0.1:1", "accounts": {}}')
    path.chmod(0o600 | bit)
    with pytest.raises(ConfigError, match=rf"can be read or changed by others \(mode {0o600 | bit:04o}\)"):
        key_file(*config_of(path))
    path.chmod(0o700)
    assert key_file(*config_of(path)).accounts == {}


@pytest.mark.parametrize("content", ["{}", "[", "\udcff", '{"url": 1}'])
def test_what_is_no_file_of_keys_is_told(tmp_path, content):
    """So is one that is not there."""
    path = tmp_path / "keys.json"
    path.write_text(content, errors="surrogateescape")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="is no file of keys"):
        key_file(*config_of(path))
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        key_file(*config_of(tmp_path / "none"))


@pytest.mark.parametrize(
    ("accounts", "account", "found"),
    [
        ({"a": ["trade"]}, None, "a-trade"),
        ({"a": ["trade"]}, "a", "a-trade"),
        ({"a": ["trade"], "b": ["trade"]}, "b", "b-trade"),
        ({"a": ["trade"], "b": ["trade"]}, None, "must name an account of .*: a, b"),
        ({"a": ["trade"]}, "b", "must name an account of .*: a"),
        ({"a": ["query", "cancel"]}, "a", "venue_trading: .*it has venue_query, venue_watchdog"),
        ({}, None, "must name an account of .*: it has none"),
    ],
)
async def test_the_account_of_a_file_is_the_only_one_or_named(tmp_path, accounts, account, found):
    """With a key to trade, and no other in its place; what there is is told."""
    content = {
        name: {right: {"key_id": f"{name}-{right}", "secret": "x"} for right in rights}
        for name, rights in accounts.items()
    }
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"url": "http://127.0.0.1:1", "accounts": content}))
    path.chmod(0o600)
    config, table = config_of(path, account=account)
    if " " not in found:
        assert (live_key(config, table, TradingKey)).key_id == found
    else:
        with pytest.raises(ConfigError, match=found):
            live_key(config, table, TradingKey)


@pytest.mark.parametrize(
    ("kind", "key_id"), [(TradingKey, "a-trade"), (QueryKey, "a-query"), (WatchdogKey, "a-cancel")]
)
async def test_each_kind_of_key_is_that_of_its_right(tmp_path, kind, key_id):
    """A file of the local venue has one for each."""
    path = tmp_path / "keys.json"
    rights = {
        right: {"key_id": f"a-{right}", "secret": "x"} for right in ("trade", "query", "cancel", "truth")
    }
    path.write_text(json.dumps({"url": "http://127.0.0.1:1", "accounts": {"a": rights}}))
    path.chmod(0o600)
    key = live_key(*config_of(path), kind)

    assert (type(key), key.key_id) == (kind, key_id)


def test_the_waits_of_live_mode_are_those_of_the_settings():
    """Settings have milliseconds; a time of an order kind that the venue does not have is refused."""
    retries = {"placement": {"tries": 2, "first_wait_ms": 3}}
    config, table = config_of(
        "k",
        answer_timeout_ms=1_500,
        report_timeout_ms=2_500,
        report_timeouts_ms={"market": 40},
        retries=msgspec.convert(retries, LiveRetriesTable),
        check_interval_ms=700,
        short_lookback=ShortLookback.ACCEPT,
        epoch=7,
    )
    waits = live.link_settings(config, table, CAPABILITIES)

    assert (waits.answer_seconds_max, waits.query_seconds_max, waits.check_seconds) == (1.5, 1.5, 0.7)
    assert (waits.report_times.of("limit"), waits.report_times.of("market")) == (2_500_000_000, 40_000_000)
    assert waits.retries == Retries(
        placement=RetryPolicy(tries_max=2, first_ns=3_000_000, most_ns=5_000_000_000)
    )
    assert (waits.takes_short_lookback, waits.epoch) == (True, 7)
    config, table = config_of("k", report_timeouts_ms={"stop": 40})
    with pytest.raises(ConfigError, match="must be of a kind of order of the venue: limit, market"):
        live.link_settings(config, table, CAPABILITIES)


class Server:
    """A server on which something went wrong on purpose."""

    url = "http://127.0.0.1:1"
    query_url = "http://127.0.0.1:2"

    def __init__(self, settings, grants, clock, **options) -> None:
        self.grants, self.options = grants, options
        lost = FaultRule(kind=FaultKind.FRAME_LOST, endpoint=Endpoint.STREAM_FILL, counts=(1,))
        late = FaultRule(kind=FaultKind.FRAME_LATE, endpoint=Endpoint.STREAM_FILL, counts=(1,), delay_ms=1)
        self.faults = SimpleNamespace(seen=[lost, late, lost])
        old = FaultRule(kind=FaultKind.OLD_ANSWER, endpoint=Endpoint.FILLS, counts=(1,))
        self.query_faults = SimpleNamespace(seen=[old])
        SERVERS.append(self)

    async def __aenter__(self):
        """Listen."""
        return self

    async def __aexit__(self, *error):
        """Listen no more."""


SERVERS = []


async def test_a_venue_is_served_to_its_keys_and_counts_what_went_wrong(monkeypatch):
    """Each key has one right; faults are counted by kind and place."""
    monkeypatch.setattr(server, "LocalVenueServer", Server)
    served, told = local_venue.new_keys(VenueSettings()), []

    async def on_start(url, query_url):
        told.append((url, query_url))

    counted = await local_venue.serve(
        VenueSettings(), FaultScript(), served, host="h", port=7, on_start=on_start
    )

    assert told == [("http://127.0.0.1:1", "http://127.0.0.1:2")]
    assert counted == [
        ("frame_late at stream_fill", 1),
        ("frame_lost at stream_fill", 2),
        ("old_answer at fills for who only asks", 1),
    ]
    (running,) = SERVERS
    assert running.options == {"script": FaultScript(), "host": "h", "port": 7}
    assert [(grant.account, grant.rights, grant.key.key_id) for grant in running.grants] == [
        (each.account, {right}, each.keys[right][0]) for each in served for right in each.keys
    ]


def test_without_a_word_the_waits_are_those_that_the_line_has_itself():
    """The defaults stand in the settings and in the runtime, and say the same."""
    assert live.link_settings(*config_of("k"), CAPABILITIES) == LinkSettings()


class Answerer(BaseHTTPRequestHandler):
    """Answers every question with what a test says, and remembers it."""

    answer = (200, b"")
    asked: ClassVar[list] = []

    def do_GET(self):
        """Answer."""
        type(self).asked.append((self.path, dict(self.headers)))
        code, body = self.answer
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def truth_of(tmp_path):
    """Return what asks a venue that answers so, with keys of a file."""
    listening = HTTPServer(("127.0.0.1", 0), Answerer)
    serving = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    Answerer.asked = []
    keys = {"truth": {"key_id": "k1", "secret": "canary"}, "trade": {"key_id": "k2", "secret": "other"}}
    content = {"url": f"http://127.0.0.1:{listening.server_port}", "accounts": {"demo": keys}}

    def of(code, body, *, account="demo"):
        Answerer.answer = (code, body)
        path = tmp_path / "keys.json"
        path.write_text(json.dumps(content))
        return local_venue.truth(path, account)

    yield of
    listening.shutdown()
    listening.server_close()
    serving.join()


def test_a_venue_is_asked_what_it_did_with_the_key_of_that_right(truth_of):
    """The answer is read as it is."""
    found = truth_of(200, b'{"deeds": [], "balances": [], "positions": []}')
    assert found == Truth(deeds=(), balances=(), positions=())
    ((path, headers),) = Answerer.asked
    assert path == "/truth"
    assert "k1" in headers.values()


@pytest.mark.parametrize(
    ("code", "body", "account", "words"),
    [
        (403, b"no" + b"x" * 500, "demo", "403 b'no" + "x" * 198 + "'"),
        (201, b'{"deeds": [], "balances": [], "positions": []}', "demo", "201"),
        (200, b"[]", "demo", "ValidationError"),
        (200, b"\xff", "demo", "Error"),
        (200, b"{}", "nobody", "KeyError: 'nobody'"),
    ],
)
def test_a_venue_that_does_not_say_what_it_did_is_an_error(truth_of, code, body, account, words):
    """With the beginning of what it said in place of that."""
    with pytest.raises(VenueError, match="the venue does not say what it did: ") as raised:
        truth_of(code, body, account=account)
    assert words in str(raised.value)


def test_a_venue_that_is_gone_is_an_error(tmp_path):
    """Nobody listens at its port, or there is no file of its keys."""
    path = tmp_path / "keys.json"
    with pytest.raises(VenueError, match="FileNotFoundError"):
        local_venue.truth(path, "demo")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
    keys = {"truth": {"key_id": "k1", "secret": "canary"}}
    path.write_text(json.dumps({"url": f"http://127.0.0.1:{port}", "accounts": {"demo": keys}}))
    with pytest.raises(VenueError, match="ConnectionRefusedError") as raised:
        local_venue.truth(path, "demo")
    assert "canary" not in str(raised.value)
