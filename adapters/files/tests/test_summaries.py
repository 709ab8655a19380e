"""What a summary says where a file says nothing, and how much it says of what is wrong."""

import pytest

from tradecore_files.capture_summary import summarize_capture
from tradecore_files.summary import FileSummary, InstrumentGuess


def test_a_summary_of_nothing_counts_nothing():
    """One file was looked at; there is no time, no price and nothing to note."""
    summary = FileSummary(path="a", format="csv", kind="unknown")

    assert (summary.files, summary.rows, summary.gaps) == (1, 0, 0)
    assert {summary.first_time_ns, summary.last_time_ns, summary.interval_ns} == {None}
    assert {summary.price_min, summary.price_max} == {None}
    assert (summary.messages, summary.symbols, summary.instruments) == ({}, (), ())
    assert (summary.notes, summary.problems) == ((), ())
    guess = InstrumentGuess(tick_size="1", lot_size="1")
    assert (guess.symbol, guess.book_levels_max) == ("", None)


@pytest.mark.parametrize(("wrong", "told"), [(1, 1), (10, 10), (11, 10)])
def test_ten_problems_of_a_capture_are_enough(wrong, told):
    """The first ones; the lines that are right are counted all the same."""
    good = '{"stream":"x@trade","data":{"e":"trade","s":"X","p":"1","q":"1"}}'
    lines = [f"1 {good}", *["no_time {}"] * wrong, f"2 {good}"]
    summary = summarize_capture("a", "\n".join(lines).encode())

    assert [problem.split(":")[0] for problem in summary.problems] == [
        f"a line {number}" for number in range(2, 2 + told)
    ]
    assert (summary.rows, summary.first_time_ns, summary.last_time_ns) == (2, 1, 2)
    assert (summary.symbols, summary.messages) == (("X",), {"trade": 2})


@pytest.mark.parametrize(
    ("messages", "gaps"),
    [
        (["U:1,u:2", "U:3,u:4"], 0),
        (["U:1,u:2", "U:4,u:4"], 1),
        (["U:1,u:2", "U:2,u:4"], 1),
        (["U:1,u:2", "U:9,u:10,pu:2"], 0),
        (["U:1,u:2", "U:3,u:10,pu:1"], 1),
        (["U:5,u:9"], 0),
    ],
)
def test_a_gap_is_a_number_that_does_not_follow(messages, gaps):
    """By the number before where the venue tells it, else by the first one."""
    lines = []
    for number, message in enumerate(messages):
        fields = ",".join(f'"{name}":{value}' for name, value in (p.split(":") for p in message.split(",")))
        lines.append(f'{number} {{"e":"depthUpdate","s":"X",{fields}}}')
    summary = summarize_capture("a", "\n".join(lines).encode())

    assert summary.gaps == gaps
    assert len(summary.notes) == 1
    assert "no snapshot" in summary.notes[0]
