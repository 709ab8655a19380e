"""How values are printed: lines for people, JSON for scripts, and what a run came to."""

import json
import math
from decimal import Decimal

import msgspec
import pytest

from tradecore.engine import Activity
from tradecore_api import output


class Point(msgspec.Struct):
    """Something with an exact decimal in it."""

    price: Decimal
    name: str = "a"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (1_234, "1234"),
        (Decimal("1234567.50"), "1,234,567.50"),
        (Decimal("1E+4"), "10,000"),
        (0.123_456_78, "0.123457"),
        (-1234.5, "-1,234.5"),
        (999_999.4, "999,999"),
        (1e6, "1,000,000"),
        (-1e6, "-1,000,000"),
        (183_823_456.7, "183,823,457"),
        (math.inf, "inf"),
        (math.nan, "nan"),
        ("text, as it is", "text, as it is"),
        ([], "-"),
        ({}, "-"),
        (("one", 2, None), "one; 2; -"),
        ({"a": 1, "b": Decimal("2.5")}, "a 1  b 2.5"),
    ],
)
def test_a_value_is_printed_for_people(value, shown, capsys):
    """Thousands are parted, and from a million on a float has no exponent; what is empty is a dash."""
    output.print_values({"key": value})

    assert capsys.readouterr() == (f"key  {shown}\n", "")


def test_keys_are_padded_to_the_longest(capsys):
    """Two blanks stand behind the longest one; nothing at all prints nothing."""
    output.print_values({"a": 1, "long": 2})
    output.print_values({})

    assert capsys.readouterr().out == "a     1\nlong  2\n"


def test_json_has_decimals_as_text_and_no_number_that_is_none(capsys):
    """Without an exponent, in keys too; a strange byte of a file's name becomes an escape."""
    value = {
        "point": Point(price=Decimal("1E+3")),
        "more": [Decimal("0.10"), math.nan, True, None, 7],
        Decimal("1E+1"): "caf\udce9",
        "bytes": b"ab",
    }
    output.print_json(value)
    document = capsys.readouterr().out
    output.print_json_line(value)
    line = capsys.readouterr().out

    assert json.loads(document) == {
        "point": {"price": "1000", "name": "a"},
        "more": ["0.10", None, True, None, 7],
        "10": "caf\\udce9",
        "bytes": "YWI=",
    }
    assert document.startswith('{\n  "point": {\n    "price"')
    assert document.endswith("}\n")
    assert json.loads(line) == json.loads(document)
    assert (line.count("\n"), line[-1]) == (1, "\n")


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (None, None),
        (math.nan, None),
        (math.inf, None),
        (-math.inf, None),
        (0.0, "0"),
        (0.1, "0.1"),
        (2.0, "2"),
        (-2.50, "-2.5"),
        (1e22, "1E+22"),
    ],
)
def test_a_float_becomes_the_shortest_decimal_that_stands_for_it(value, exact):
    """What is no number has none."""
    assert output.decimal(value) == (None if exact is None else Decimal(exact))
    assert output.decimal(2.0).as_tuple() == Decimal(2).as_tuple()


def test_plain_values_keep_their_decimals():
    """So that what prints them decides on their text."""
    assert output.plain(Point(price=Decimal("1.50"))) == {"price": Decimal("1.50"), "name": "a"}


@pytest.mark.parametrize("trades", [0, 1, 2])
def test_reasons_are_told_only_where_there_are_no_trades(trades, capsys):
    """One line for each, below a heading."""
    output.print_reasons(Activity(without_data=("ABC", "XYZ")), trades=trades)

    said = capsys.readouterr().out
    if trades:
        assert said == ""
    else:
        heading, first, second, *rest = said.removeprefix("\n").splitlines()
        assert (heading, rest) == ("no trades:", [])
        assert first.startswith("- ABC had no data")
        assert second.startswith("- XYZ had no data")


def test_nothing_to_say_has_no_heading(capsys):
    """No trades, and no reason either."""
    output.print_reasons(Activity(), trades=0)

    assert capsys.readouterr().out == ""


def test_a_remark_goes_to_stderr(capsys):
    """Beside the data, which a script may read."""
    output.print_note("something")

    assert capsys.readouterr() == ("", "tradecore: something\n")
