"""The settings that answer what a file leaves open, as a configuration has them."""

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest

from tradecore.domain.errors import ConfigError
from tradecore_api.config.read import from_tree


def data_of(text):
    """Return `[data]` of a configuration with these lines."""
    tree = tomllib.loads(f'[data]\npath = "{Path(__file__).as_posix()}"\n{text}', parse_float=Decimal)
    return from_tree(tree, "test", environment={}).tables.data


def test_columns_are_names_or_a_list_in_their_order():
    """Either form is taken, anything else named."""
    assert data_of('columns = {close = "Adj Close"}').columns == {"close": "Adj Close"}
    assert data_of('columns = ["time", "", "close"]').columns == ("time", "", "close")
    with pytest.raises(ConfigError, match=r"data\.columns.*a table of names or a list"):
        data_of('columns = "time"')


@pytest.mark.parametrize("written", ["2018-04-04", '"2018-04-04"'])
def test_a_day_is_written_with_quotes_or_without(written):
    """TOML has days of its own."""
    assert data_of(f"date = {written}").date == "2018-04-04"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('time_format = "european"', "one of auto, iso, day_first"),
        ("price_scale = 0", "at least 1"),
        ('implausible = "never"', "one of refuse, accept"),
        ("date = 2018-04-04T12:00:00", "must be text"),
    ],
)
def test_what_a_setting_cannot_be_is_named(line, rule):
    """With the key and the rule."""
    with pytest.raises(ConfigError, match=rule):
        data_of(line)
