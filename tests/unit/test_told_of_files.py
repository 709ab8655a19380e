"""What `data inspect` and `journal` print of a file: lengths, times, counts, and what JSON can hold."""

from decimal import Decimal

import pytest

from tradecore_api.commands import data
from tradecore_api.record_values import plain_value

S = 1_000_000_000


@pytest.mark.parametrize(
    ("length_ns", "words"),
    [
        (0, "0 seconds"),
        (5 * 10**8, "0.5 seconds"),
        (S, "1 second"),
        (2 * S + 5, "2 seconds"),
        (59 * S, "59 seconds"),
        (60 * S, "1 minute"),
        (61 * S, "1 minute 1 second"),
        (3_599 * S, "59 minutes 59 seconds"),
        (3_600 * S, "1 hour"),
        (3_601 * S, "1 hour 1 second"),
        (90_061 * S, "1 day 1 hour"),
        (2 * 86_400 * S, "2 days"),
        (1_234 * 86_400 * S + 60 * S, "1,234 days 1 minute"),
    ],
)
def test_a_length_is_told_in_its_two_largest_units(length_ns, words):
    """Those that are not 0; below a second with decimals."""
    assert data._length(length_ns) == words


@pytest.mark.parametrize(
    ("time_ns", "words"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_704_189_600 * S, "2024-01-02 10:00:00 UTC"),
        (1_704_189_600 * S + 1, "2024-01-02 10:00:00.000000001 UTC"),
        (1_704_189_600 * S + 250_000_000, "2024-01-02 10:00:00.25 UTC"),
        (-1, "1969-12-31 23:59:59.999999999 UTC"),
    ],
)
def test_a_time_has_as_many_decimals_as_it_takes(time_ns, words):
    """In UTC."""
    assert data._time(time_ns) == words


def shown(capsys, **report):
    """Return what is printed of a report, blanks between the columns cut to one."""
    data._show({"path": "x.csv", "format": "csv", "kind": "bars", "rows": 3} | report)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_values_come_first_then_notes_problems_and_what_to_paste(capsys):
    """Of several files their number; what is not known is left out."""
    lines = shown(
        capsys,
        files=2,
        first_time_ns=0,
        first_time="first",
        last_time_ns=60 * S,
        last_time="last",
        interval_ns=30 * S,
        gaps=1,
        price_min="1",
        price_max="9",
        market="spot",
        messages={},
        symbols=[],
        notes=("look",),
        problems=["bad"],
        use="[data]\n",
        instruments=[
            {"symbol": "A", "tick_size": "0.1", "lot_size": "1", "book_levels_max": 20},
            {"symbol": "", "tick_size": "0.2", "lot_size": "2", "book_levels_max": None},
        ],
    )
    assert lines == [
        "path x.csv",
        "format csv",
        "kind bars",
        "files 2",
        "rows 3",
        "first_time first",
        "last_time last",
        "span 1 minute",
        "interval 30 seconds",
        "gaps 1",
        "prices 1 to 9",
        "market spot",
        "instrument A tick 0.1, lot 1, 20 levels",
        "instrument tick 0.2, lot 2",
        "note: look",
        "problem: bad",
        "",
        "[data]",
    ]


@pytest.mark.parametrize(
    ("report", "has_gaps"),
    [
        ({"gaps": 0}, True),
        ({"gaps": 0, "rows": 0}, False),
        ({"gaps": 0, "kind": "trades"}, False),
        ({"gaps": 2, "kind": "trades"}, True),
    ],
)
def test_that_there_are_no_gaps_is_told_of_bars_alone(capsys, report, has_gaps):
    """Of what else there are gaps, they are told."""
    lines = shown(capsys, **report)
    assert any(line.startswith("gaps") for line in lines) == has_gaps
    assert not any(line.startswith("files") for line in shown(capsys, files=1))


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("lots", 2**63, 2**63),
        ("lots", 2**63 + 1, str(2**63 + 1)),
        ("lots", -(2**63), -(2**63)),
        ("lots", -(2**63) - 1, str(-(2**63) - 1)),
        ("fee", 15 * 10**17, Decimal("1.5")),
        ("lots", 15 * 10**17, 15 * 10**17),
        ("fee", True, True),
        ("is_fee", b"a\xff", "a�"),
        ("cash", {"USD": 10**18, "EUR": 2 * 10**18}, {"USD": Decimal(1), "EUR": Decimal(2)}),
        ("rows", [{"fee": 10**18, "lots": 3}], [{"fee": Decimal(1), "lots": 3}]),
        ("fee", None, None),
    ],
)
def test_a_record_is_exported_with_what_json_can_hold(name, value, plain):
    """Money as decimals, by its field or by currency below it; what no reader holds in 64 bits as text."""
    assert plain_value(name, value) == plain
    assert type(plain_value(name, value)) is type(plain)
