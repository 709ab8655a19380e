"""Decimal text from outside: an exponent changes nothing, and a huge one costs nothing."""

import time
import tomllib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.errors import ConfigError
from tradecore.domain.feeds import read_columns
from tradecore.engine.asked_numbers import _in_atto
from tradecore_api.config.overrides import typed
from tradecore_api.config.read import from_tree


def tick_of(value):
    """Return the tick size that a configuration with this value has."""
    config = from_tree({"instruments": [{"symbol": "X", "tick_size": value}]}, "test", environment={})
    return config.tables.instruments[0].tick_size


@given(mantissa=st.integers(1, 10**6), exponent=st.integers(-12, 6))
def test_a_setting_with_an_exponent_is_the_number_without_it(mantissa, exponent):
    """As a float of TOML, as text, and on the command line: no float is met."""
    number = Decimal(mantissa).scaleb(exponent)
    text = f"{mantissa}e{exponent}"
    for value in (tomllib.loads(f"x = {text}", parse_float=Decimal)["x"], typed(text), text):
        assert Decimal(tick_of(value)) == number


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", Decimal("1e999999"), Decimal("1E-999999")])
def test_a_huge_exponent_is_refused_at_once(value):
    """Written out it would have a billion digits."""
    start = time.perf_counter()
    with pytest.raises(ConfigError, match="must fit 64 bits"):
        tick_of(value)
    assert time.perf_counter() - start < 1


@given(
    digits=st.text("0123456789", min_size=1, max_size=12),
    point=st.integers(0, 12),
    exponent=st.integers(-30, 30),
)
def test_columns_read_an_exponent_as_the_plain_number(digits, point, exponent):
    """The same ticks, or the same rule broken."""
    text = f"{digits[:point]}.{digits[point:]}"
    plain = format(Decimal(text).scaleb(exponent), "f")

    def read(value):
        try:
            return read_columns(value.encode(), ",", 0, [("price", 0, "steps", "0.01")])[0].tolist()
        except Exception as error:  # noqa: BLE001 - the rule is compared
            return str(error).rpartition(": ")[2]

    assert read(f"{text}e{exponent}") == read(plain)


@given(amount=st.decimals(-(10**19), 10**19, places=18))
def test_money_to_move_keeps_every_digit(amount):
    """More digits than Python's arithmetic keeps by itself."""
    assert _in_atto(amount) == int(format(amount, "f").replace(".", ""))


@pytest.mark.parametrize("amount", ["1e999999", "1e-19", "1e-999999", "0.0000000000000000001"])
def test_money_that_cannot_be_is_none(amount):
    """Too large, or finer than 18 decimals."""
    assert _in_atto(Decimal(amount)) is None
