"""Last words: the reason, the exit code, what to do next, and a file that stays small."""

import pytest

from support.deep import DEEP
from tradecore.domain.errors import (
    BrokenInvariantError,
    ConfigError,
    DataError,
    StorageError,
    StrategyError,
    VenueError,
)
from tradecore_api import last_words
from tradecore_api.exit_codes import ExitCode


def raised(error):
    """Return an error as it is when it was raised."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "code", "reason", "step"),
    [
        (
            StrategyError("s", "on_bar", 5, "ValueError: x (a.py line 3)"),
            7,
            "a.py line 3",
            "mend the strategy",
        ),
        (VenueError("the venue is gone"), 69, "the venue is gone", "see that the venue"),
        (DataError("x.csv: row 7", "is empty"), 65, "x.csv: row 7", "look at the place in the data"),
        (StorageError("/d", "No space left on device"), 74, "No space left", "make room on the disk"),
        (StorageError("/j", "damaged at byte 9, from record 1 on: x"), 74, "byte 9", "put back a copy"),
        (
            StorageError("/j", "another process writes this journal; x"),
            74,
            "/j",
            "stop the engine that writes",
        ),
        (ConfigError("c.toml", "a.b", 1, "must be 2"), 78, "must be 2", "change the setting"),
        (BrokenInvariantError("cash is gone"), 70, "cash is gone", "stop trading, keep the journal"),
        (MemoryError(), 71, "MemoryError", "ran out of memory"),
        (PermissionError(13, "Permission denied", "/file"), 74, "/file", "see what the system says"),
        (KeyError("k"), 70, "KeyError: 'k'", "this is a fault of tradecore"),
    ],
)
def test_each_end_has_its_reason_its_code_and_a_next_step(error, code, reason, step):
    """Whoever reads them needs neither the log nor the source."""
    error.add_note("a note")
    words = last_words.of_error(raised(error), 9, ["line"] * 50)

    assert words.exit_code == code
    assert reason in words.reason
    assert step in words.next_step
    assert "a note" in words.notes
    assert (words.is_clean, words.pid, len(words.log)) == (False, 9, last_words.LOG_LINES_MAX)


def test_a_fault_of_ours_names_the_line_it_came_from():
    """An exception that nobody meant is told with its place."""
    words = last_words.of_error(raised(ZeroDivisionError("x")), 9, [])
    assert any("test_last_words.py line" in note for note in words.notes)


def test_words_come_back_from_the_file_and_the_file_stays_small(tmp_path):
    """Whatever an exception and the log say; what cannot be read is no words."""
    error = ValueError("x" * 10**6)
    for _ in range(100):
        error.add_note("y" * 10**6)
    words = last_words.of_error(raised(error), 9, ["z" * 10**6] * 1000)
    path = tmp_path / "words.json"
    words.write(path)

    assert last_words.read(path) == words
    assert path.stat().st_size < 40_000
    for content in (b'{"time_ns": \xff', DEEP):
        path.write_bytes(content)
        assert last_words.read(path) is None
    assert last_words.read(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (None, "its data ended"),
        ("SIGTERM", "SIGTERM ended it"),
        ("stop_command", "`tradecore stop` ended it"),
        ("SIGUSR1", "SIGUSR1 ended it"),
    ],
)
def test_a_clean_end_says_who_asked_for_it(asked, reason):
    """Nothing is to be done then."""
    words = last_words.of_clean_end(asked, 9, [])
    assert (words.reason, words.is_clean, words.next_step) == (reason, True, "")
    assert words.exit_code == ExitCode.OK


def test_an_emergency_stop_says_so_for_the_engine_that_could_not():
    """As the shell tells a process that was killed; what to do next is told."""
    words = last_words.of_emergency_stop("it does not answer", 9)

    assert (words.pid, words.is_clean, words.exit_code) == (9, False, -9)
    assert words.reason == "`tradecore emergency-stop` ended its process by force, because it does not answer"
    assert "`tradecore kill --release`" in words.next_step
