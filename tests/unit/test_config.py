"""One TOML file, validated: every error names source, key, value and rule."""

from pathlib import Path

import msgspec
import pytest

from support.venue_process import WIDE_CANARY
from tradecore.domain import ConfigError
from tradecore_api.config import read
from tradecore_api.config.schema import schema

GOOD = """
mode = "paper"
[account]
cash = 10_000
[[instruments]]
symbol = "BTCUSDT"
tick_size = 0.01
lot_size = 0.00001
[feed]
kind = "binance_capture"
path = "capture.gz"
[strategy]
class = "quoter.py:Quoter"
spread = 0.5
"""


@pytest.fixture
def file(tmp_path):
    """A configuration whose files exist."""
    (tmp_path / "capture.gz").touch()
    (tmp_path / "quoter.py").touch()
    path = tmp_path / "config.toml"
    path.write_text(GOOD)
    return path


def problems(path: Path, *options: str, **environment: str) -> list[ConfigError]:
    """Return every problem of a file with these overrides."""
    return read.reading(path, options=options, environment=environment).problems


def test_a_good_file_keeps_decimals_exact_and_paths_next_to_it(file):
    """Decimals stay text, paths start at the file's own directory, parameters are plain numbers."""
    config = read.load(file, environment={})

    assert config.tables.instruments[0].lot_size == "0.00001"
    assert config.tables.account.cash == "10000"
    assert config.tables.feed.path == str(file.parent / "capture.gz")
    assert config.strategies[0].reference == f"{file.parent / 'quoter.py'}:Quoter"
    assert config.strategies[0].parameters == {"spread": 0.5}


def test_the_feed_decides_matching_and_book_numbering_unless_the_file_does(file):
    """A capture is matched against its book, numbered as its market numbers.

    Which market it is of, the wiring finds out when the file does not say so.
    """
    spec = read.load(file, options=["feed.market=spot"], environment={}).engine_spec()
    other = read.load(
        file, options=["feed.market=usdm", "venue.matching=quotes"], environment={}
    ).engine_spec()

    assert (spec.venue.matching, spec.instruments[0].sequence) == ("book", "binance_spot")
    assert (other.venue.matching, other.instruments[0].sequence) == ("quotes", "binance_futures")


@pytest.mark.parametrize(
    ("option", "key", "rule"),
    [
        ("account.csh=5", "account.csh", "did you mean 'cash'?"),
        ("accont.cash=5", "accont", "did you mean 'account'?"),
        ("account.cash=-5", "account.cash", "must be above 0"),
        ("account.cash=nan", "account.cash", "must be a finite number"),
        ("account.cash=many", "account.cash", "must be a decimal number"),
        ("account.cash=true", "account.cash", "must be a number"),
        ("account.name=a/b", "account.name", "it names a directory"),
        ("mode=papr", "mode", "must be one of backtest, shadow, paper"),
        ("mode=1", "mode", "must be one of"),
        (
            "feed.kind=kraken",
            "feed.kind",
            "must be one of binance, binance_capture, book_capture, local, simulated",
        ),
        ("feed.speed=-1", "feed.speed", "must be at least 0"),
        ("feed.path=missing.gz", "feed.path", "no such file"),
        ("feed=3", "feed", "must be a table"),
        ("venue.order_latency_ns=1.5", "venue.order_latency_ns", "must be a whole number"),
        ("venue.order_latency_ns=99999999999999999999", "venue.order_latency_ns", "must fit 64 bits"),
        ("daemon.heartbeat_interval_ms=0", "daemon.heartbeat_interval_ms", "must be at least 1"),
        ("instruments.0.symbol=5", "instruments.0.symbol", "must be text"),
        ("instruments.0.tick_size=0", "instruments.0.tick_size", "must be above 0"),
        ("instruments.5.symbol=X", "instruments.5.symbol", "write a number from 0 to 1"),
        ('strategy.instruments=["ETHUSDT"]', "strategy.instruments", "did you mean 'BTCUSDT'?"),
        ("strategy.class=Quoter", "strategy.class", 'write "file.py:Class"'),
        ("strategy.class=gone.py:Quoter", "strategy.class", "no such file"),
        ("mode.x=1", "mode.x", "mode is a value, not a table"),
        ("nonsense", "nonsense", "write --set section.key=value"),
    ],
)
def test_each_error_names_source_key_and_rule(file, option, key, rule):
    """What is wrong, where it was set, and what it must be."""
    (error,) = problems(file, option)

    assert error.key == key
    assert rule in error.rule
    assert error.source.startswith("--set")


def test_missing_keys_and_unreadable_files_are_named(file, tmp_path):
    """A file that is missing, a directory, not text, not TOML or without a key gives one clear error."""
    file.write_text('[[instruments]]\nsymbol = "X"\n')
    assert [error.key for error in problems(file)] == ["instruments.0.tick_size"]

    file.write_text("mode = ")
    assert "must be TOML" in str(problems(file)[0])
    file.write_bytes(b"\xff\xfe")
    assert "must be UTF-8" in str(problems(file)[0])
    assert "does not exist" in str(problems(tmp_path / "none.toml")[0])
    assert "cannot be read" in str(problems(tmp_path)[0])


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_has_a_longest_length(file, more):
    """To the byte: one that large is read."""
    file.write_bytes(file.read_bytes().ljust(read.FILE_SIZE_MAX + more, b"\n"))
    if more:
        assert [each.rule for each in problems(file)] == ["must be at most 1048576 bytes"]
    else:
        assert problems(file) == []


def test_all_problems_are_found_at_once_and_the_first_is_raised_with_the_others(file):
    """`config check` lists them all, and so does a run that they stop."""
    found = problems(file, "account.csh=1", "mode=x")
    assert len(found) == 2

    with pytest.raises(ConfigError) as caught:
        read.load(file, options=["account.csh=1", "mode=x"], environment={})
    assert [caught.value.key, *(error.key for error in caught.value.others)] == ["mode", "account.csh"]
    assert caught.value.__notes__ == [str(error) for error in caught.value.others]


def test_options_win_over_the_environment_and_both_over_the_file(file):
    """Precedence is file, then environment, then --set."""
    environment = {
        "TRADECORE_ACCOUNT__CASH": "2",
        "TRADECORE_STRATEGY__SPREAD": "7",
        "TRADECORE_MODE": "shadow",
    }
    config = read.load(file, options=["account.cash=3"], environment=environment)

    assert config.tables.account.cash == "3"
    assert config.strategies[0].parameters["spread"] == 7
    assert config.tables.mode == "shadow"


def test_an_error_in_the_environment_names_the_variable(file):
    """The source of a bad value is where it was set, not the file."""
    (error,) = problems(file, TRADECORE_ACCOUNT__CASH="zero")
    assert error.source == "environment variable TRADECORE_ACCOUNT__CASH"


def test_paths_given_as_options_start_at_the_working_directory(file, monkeypatch, tmp_path):
    """Who types a path means it from where they stand."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "other.gz").touch()
    monkeypatch.chdir(elsewhere)

    config = read.load(file, options=["feed.path=other.gz"], environment={})
    assert config.tables.feed.path == str(elsewhere / "other.gz")


def test_options_reach_into_lists_and_can_append(file):
    """`strategies.0.fast` changes an entry, the next index adds one."""
    file.write_text('[[instruments]]\nsymbol="A"\ntick_size=1\n[[strategies]]\nclass="m:A"\nfast=1\n')
    options = ["strategies.0.fast=3", "strategies.1.class=m:B", "strategies.1.ratio=0.25"]
    config = read.load(file, options=options, environment={})

    assert [strategy.parameters for strategy in config.strategies] == [{"fast": 3}, {"ratio": 0.25}]
    assert problems(file, "strategies.1.class=m:A")[0].key == "strategies.1.name"
    assert problems(file, "strategy.class=m:B")[0].key == "strategies"


@pytest.mark.parametrize("index", ["²", "7", "-1", "9" * 5000])
def test_an_index_that_no_list_has_is_refused(file, index):
    """What only looks like a number is no index, and a huge one is no reason to fail."""
    (problem,) = problems(file, "strategies.0.class=m:A", f"strategies.{index}.fast=1")

    assert problem.key == f"strategies.{index}.fast"
    assert "write a number from 0 to 1" in problem.rule


def test_the_schema_knows_every_section():
    """Editors complete the same keys that the reader accepts."""
    properties = schema()["$defs"]["ConfigTables"]["properties"]
    assert {"mode", "account", "instruments", "feed", "strategy", "risk", "journal"} <= properties.keys()


@pytest.mark.parametrize("option", ["mode=live", "mode=dry_run", "dry_run=true"])
def test_what_freqtrade_calls_a_dry_run_is_named(file, option):
    """Its users write the words that they know first."""
    (error,) = problems(file, option)
    assert 'a dry run is mode = "paper" here' in str(error)
    assert option.partition("=")[0] in str(error)
    assert "\n" not in str(error)


def test_a_dry_run_in_a_file_is_named(file):
    """A key at the top of the file, as freqtrade has it."""
    file.write_text(f"dry_run = true\ndry_run_wallet = 1000\n{GOOD}")
    assert [(error.key, error.rule) for error in problems(file)] == [
        ("dry_run", 'unknown key; a dry run is mode = "paper" here: live data, and fills that are simulated'),
        ("dry_run_wallet", "unknown key; the money of a dry run is `cash` in [account]"),
    ]


@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("account.cash", "--set account.cash"),
        # Each part of what was given comes from where the whole did.
        ("strategy.levels.0.size", "--set strategy.levels"),
        # A table of which one value was given.
        ("account", "--set account.cash"),
        ("account.name", "the file"),
        # Not one whose name begins alike.
        ("acc", "the file"),
        ("strategy.level", "the file"),
    ],
)
def test_an_error_names_where_a_value_came_from(file, key, source):
    """The option or variable of the value, else of what is above it, else of one below; else the file."""
    config = read.reading(file, options=(), environment={}).config
    given = {"account.cash": "--set account.cash", "strategy.levels": "--set strategy.levels"}
    config = msgspec.structs.replace(config, source="the file", sources=given)

    assert config.source_of(key) == source


LIVE = (
    """
mode = "live"
[live]
person = "Test"
url = "http://127.0.0.1:1"
secrets.kind = "environment"
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[strategy]
class = "quoter.py:Quoter"
"""
    + WIDE_CANARY
)


def test_what_others_make_has_a_strategy_of_its_own_where_it_is_taken_over(file):
    """And none otherwise: not by default, and not where no order leaves."""
    file.write_text(LIVE)
    names = [each.name for each in read.load(file, options=["live.foreign=adopt"], environment={}).strategies]
    assert names == ["Quoter", "external"]
    assert [each.name for each in read.load(file, environment={}).strategies] == ["Quoter"]
    paper = read.load(file, options=["live.foreign=adopt", "mode=paper"], environment={})
    assert [each.name for each in paper.strategies] == ["Quoter"]


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("live.assign.BTC-USD=Nobody", "live.assign.BTC-USD"),
        ("live.assign.ETH-USD=Quoter", "live.assign"),
        ("live.foreign=steal", "live.foreign"),
    ],
)
def test_a_wrong_owner_of_what_others_make_is_named(file, option, key):
    """The symbol and the strategy have to be there."""
    file.write_text(LIVE)
    assert key in [problem.key for problem in problems(file, option)]
    assert not problems(file, "live.assign.BTC-USD=Quoter")


def test_no_strategy_has_the_name_of_the_one_that_holds_what_others_made(file):
    """Two strategies need two names."""
    file.write_text(LIVE)
    assert problems(file, "live.foreign=adopt", "strategy.name=external")
