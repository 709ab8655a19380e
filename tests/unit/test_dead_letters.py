"""Messages that were not understood are kept once each, durably, and noted when they were read after all."""

import pytest

from tradecore.domain.errors import StorageError
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.runtime.live.letters import Letters
from tradecore_api import dead_letters
from tradecore_api.dead_letters import DeadLetters

ONE, TWO = NotUnderstood(text="1\n\x1b[2J", why="no sense"), NotUnderstood(text="2", why="no sense")


def test_letters_are_kept_once_each_and_in_their_order(tmp_path):
    """Also by a second process, and when a crash has cut the last line off."""
    path = tmp_path / "letters.jsonl"
    assert DeadLetters(path).all() == []
    DeadLetters(path).keep([ONE], 5)
    DeadLetters(path).keep([ONE, TWO], 6)
    path.write_bytes(path.read_bytes() + b'{"time_ns": 7, "wh')
    assert [(each.time_ns, each.letter) for each in DeadLetters(path).all()] == [(5, ONE), (6, TWO)]
    assert path.stat().st_mode & 0o077 == 0


def test_what_was_read_after_all_is_noted_and_may_come_again(tmp_path):
    """A message of the same words that nobody understands later is another one."""
    letters = DeadLetters(tmp_path / "letters.jsonl")
    letters.keep([ONE, TWO], 5)
    letters.note_read([ONE], 9)
    assert [each.read_ns for each in letters.all()] == [9, None]
    letters.keep([ONE], 10)
    assert [(each.time_ns, each.read_ns) for each in letters.all()] == [(5, 9), (5, None), (10, None)]


def test_the_oldest_go_when_there_are_too_many(tmp_path, monkeypatch):
    """The file stays within its bound."""
    monkeypatch.setattr(dead_letters, "BYTES_MAX", 500)
    letters = DeadLetters(tmp_path / "letters.jsonl")
    for number in range(40):
        letters.keep([NotUnderstood(text=str(number), why="no sense")], number)
    assert (tmp_path / "letters.jsonl").stat().st_size <= 500
    assert letters.all()[-1].text == "39"
    assert 5 < len(letters.all()) < 40


def test_none_is_kept_that_is_older_than_one_that_was_dropped(tmp_path, monkeypatch):
    """A short one that would still fit would hide that something is missing between."""
    letters = DeadLetters(tmp_path / "letters.jsonl")
    made = [NotUnderstood(text=text, why="w") for text in ("short", "x" * 300, "last")]
    letters.keep(made, 1)
    size = (tmp_path / "letters.jsonl").stat().st_size
    monkeypatch.setattr(dead_letters, "BYTES_MAX", size)
    letters.note_read([], 2)
    assert [each.text for each in letters.all()] == [each.text for each in made], "just as many bytes fit"
    monkeypatch.setattr(dead_letters, "BYTES_MAX", size - 200)
    letters.note_read([], 2)
    assert [each.text for each in letters.all()] == ["last"]


def test_a_disk_that_says_no_is_an_error_with_the_path(tmp_path):
    """Nobody takes it for an empty file."""
    with pytest.raises(StorageError, match="letters"):
        DeadLetters(tmp_path / "no" / "letters.jsonl").keep([ONE], 1)
    (tmp_path / "letters").mkdir()
    with pytest.raises(StorageError, match="letters"):
        DeadLetters(tmp_path / "letters").all()


def test_in_memory_the_last_ones_are_kept_and_repetitions_counted():
    """A venue that says the same thing a thousand times fills nothing."""
    letters = Letters(most=2)
    for letter in (ONE, ONE, TWO, NotUnderstood(text="3", why="no sense")):
        letters.append(letter)
    assert (letters.count, len(letters), [each.text for each in letters]) == (4, 2, ["2", "3"])
    assert [each.text for each in letters.take_new()] == ["2", "3"]
    assert letters.take_new() == []
