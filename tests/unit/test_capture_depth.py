"""A recorded book names its own depth, and a run takes it from there."""

import msgspec
import pytest

from support.book_writer import PlainVenue, as_cryptofeed, as_document, as_lines
from support.shared import EXAMPLE_DATA
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.spec import SequenceRule
from tradecore_api.config import read
from tradecore_api.wiring.feeds import completed


def config_of(tmp_path, venue, symbol, text, *options):
    """Read a configuration of a recorded book."""
    (tmp_path / "capture").write_text(text)
    file = tmp_path / "book.toml"
    file.write_text(
        f'[[instruments]]\nsymbol = "{symbol}"\ntick_size = 0.1\nlot_size = "0.00000001"\n'
        f'[feed]\nkind = "book_capture"\nvenue = "{venue}"\npath = "capture"\n'
        '[strategy]\nclass = "tradecore_api.demo_strategies:Quoter"\n'
    )
    return completed(read.load(file, options=options, environment={}))


@pytest.mark.parametrize(
    ("venue", "symbol", "depth", "channel", "form"),
    [
        ("kraken", "BTC/USD", 25, None, as_document),
        ("kraken_v1", "XBT/USD", 100, None, as_cryptofeed),
        ("okx", "BTC-USDT", 5, "books5", as_lines),
        ("okx", "BTC-USDT", 50, "books50-l2-tbt", as_lines),
    ],
)
def test_a_run_takes_the_depth_that_the_capture_names(tmp_path, venue, symbol, depth, channel, form):
    """Unless the configuration names one, which then holds."""
    text = form(list(PlainVenue(venue, symbol, depth, channel).messages(3)))

    told = config_of(tmp_path, venue, symbol, text)
    stated = config_of(tmp_path, venue, symbol, text, "instruments.0.book_levels_max=7")

    assert told.tables.instruments[0].book_levels_max == depth
    assert stated.tables.instruments[0].book_levels_max == 7


def test_a_pair_that_the_capture_does_not_hold_is_named(tmp_path):
    """With the pairs that it holds."""
    text = as_lines(PlainVenue("okx", "BTC-USDT", 5, "books5").messages(1))
    with pytest.raises(ConfigError, match=r"instruments.0.symbol .*which holds BTC-USDT"):
        config_of(tmp_path, "okx", "ETH-USDT", text)


def test_two_channels_of_one_pair_are_refused(tmp_path):
    """They are two books, and one depth cannot be right for both."""
    text = as_lines(
        [
            *PlainVenue("okx", "BTC-USDT", 5, "books5").messages(1),
            *PlainVenue("okx", "BTC-USDT", 400, "books").messages(1),
        ]
    )
    with pytest.raises(
        DataError, match="holds BTC-USDT from books, books5; leave the messages of one channel"
    ):
        config_of(tmp_path, "okx", "BTC-USDT", text)


@pytest.mark.parametrize(
    ("name", "symbol", "rule"),
    [
        ("binance-spot.gz", "BTCUSDT", SequenceRule.BINANCE_SPOT),
        ("binance-usdm.gz", "BTCUSDT", SequenceRule.BINANCE_FUTURES),
        ("binance-coinm.gz", "BTCUSD_PERP", SequenceRule.BINANCE_FUTURES),
    ],
)
def test_the_messages_of_a_capture_are_counted_by_the_rule_of_its_market(tmp_path, name, symbol, rule):
    """A gap in them makes the book invalid; a rule that the configuration states holds."""
    file = tmp_path / "binance.toml"
    file.write_text(
        f'[[instruments]]\nsymbol = "{symbol}"\ntick_size = 0.1\nlot_size = "0.00000001"\n'
        f'[feed]\nkind = "binance_capture"\npath = "{EXAMPLE_DATA / name}"\n'
        '[strategy]\nclass = "tradecore_api.demo_strategies:Quoter"\n'
    )
    config = read.load(file, environment={})
    (stated,) = config.tables.instruments
    other_rule = next(each for each in SequenceRule if each not in {rule, SequenceRule.NONE})
    stated = msgspec.structs.replace(stated, sequence=other_rule)
    other = msgspec.structs.replace(config.tables, instruments=(stated,))

    assert completed(config).tables.instruments[0].sequence is rule
    changed = completed(msgspec.structs.replace(config, tables=other))
    assert changed.tables.instruments[0].sequence is other_rule
