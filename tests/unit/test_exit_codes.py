"""Exit codes: scripts of users know their numbers."""

from tradecore_api.exit_codes import ExitCode, table

NUMBERS = {
    "OK": 0,
    "CHECK_FAILED": 1,
    "USAGE": 2,
    "NOT_RUNNING": 3,
    "DEAD": 4,
    "HUNG": 5,
    "REFUSED": 6,
    "STRATEGY": 7,
    "UNLATCHED": 8,
    "FENCED": 9,
    "DATA": 65,
    "UNAVAILABLE": 69,
    "BROKEN_INVARIANT": 70,
    "NO_RESOURCES": 71,
    "STORAGE": 74,
    "ALREADY_RUNNING": 75,
    "CONFIG": 78,
    "INTERRUPTED": 130,
}


def test_the_number_of_an_exit_code_never_changes():
    """A new one comes with a number of its own; two with one number would be one code."""
    assert {code.name: code.value for code in ExitCode} == NUMBERS
    assert len(set(NUMBERS.values())) == len(ExitCode.__members__)


def test_the_table_has_a_line_for_each():
    """The number stands first, then what it means."""
    lines = [line.split(maxsplit=1) for line in table().splitlines()]

    assert lines == [[str(code.value), code.meaning] for code in ExitCode]
