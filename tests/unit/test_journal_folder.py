"""A journal as a whole: where it is, what there is of it, and a place in it to go on from."""

import os
from pathlib import Path

import pytest

from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder, encode_session_end
from tradecore.domain.journal_folder import hash_of_first, position_of
from tradecore.domain.record import JournalPosition

CHANGED_NS = 1_764_357_000_123_456_789
STAMP = "20251128T191000"


def written(path: Path, groups: tuple[int, ...] = (3,), *, reason: str = "because") -> JournalFolder:
    """Write groups of frames, each with a commit of its own, and let the journal go."""
    folder = JournalFolder(path)
    writer = folder.writer(0)
    for count in groups:
        for _ in range(count):
            writer.append(encode_session_end(writer.records, reason))
        writer.commit(True)
    writer.close()
    return folder


@pytest.mark.parametrize("kind", [str, Path])
def test_it_is_where_it_was_said_to_be(tmp_path, monkeypatch, kind):
    """Messages have the words of the configuration; its place does not move with the current directory."""
    monkeypatch.chdir(tmp_path)
    folder = JournalFolder(kind("engine.journal"))
    assert (folder.where, folder.absolute) == ("engine.journal", tmp_path / "engine.journal")
    assert "engine.journal" in repr(folder)
    assert JournalFolder("./engine.journal").where == "./engine.journal"


def test_it_says_what_is_in_its_place(tmp_path):
    """Nothing, something else, a directory, a journal."""
    (tmp_path / "letter").write_text("Dear Ada")
    (tmp_path / "folder").mkdir()
    expected = {"none": (False, True, False), "letter": (True, False, False), "folder": (False, False, False)}
    for name, said in expected.items():
        folder = JournalFolder(tmp_path / name)
        assert (folder.exists(), folder.is_free(), folder.is_journal()) == said, name
    folder = written(tmp_path / "new" / "engine.journal")
    assert (folder.exists(), folder.is_free(), folder.is_journal()) == (True, False, True)
    folder.check_exists()


def test_the_directory_of_a_new_journal_is_made_or_named(tmp_path):
    """What stands in the way is one error in words."""
    (tmp_path / "letter").write_text("Dear Ada")
    with pytest.raises(StorageError, match=r"letter.*cannot be made.*choose another journal\.path"):
        JournalFolder(tmp_path / "letter" / "deep" / "engine.journal").writer(0)


def test_a_reader_goes_on_from_any_position_of_the_journal(tmp_path):
    """Where blocks end, it gives what comes after them, and in a journal that has grown since too."""
    folder = written(tmp_path / "journal", (2, 3, 1))
    whole = b"".join(folder.chunks())
    reader, first, places = folder.reader(), hash_of_first(whole), []
    while True:
        places.append(position_of(reader, first))
        if not reader.read_frames(1):
            break
    assert [place.next_seq for place in places] == [0, 2, 5, 6]
    written(tmp_path / "journal", (4,))
    for place in places:
        found = folder.reader_at(place)
        assert found is not None
        rest = found.read_frames(1 << 20)
        assert b"".join(folder.chunks()).endswith(rest)
        assert found.records == 10
    assert folder.reader_at(JournalPosition()) is not None


def test_a_position_that_the_journal_does_not_have_is_none_of_it(tmp_path):
    """Of another journal, of one that lost its end, between blocks, or with another chain."""
    folder = written(tmp_path / "journal", (2, 3))
    other = written(tmp_path / "other", (2, 3), reason="another")
    reader = folder.reader()
    reader.read_frames(1 << 20)
    end = position_of(reader, hash_of_first(b"".join(folder.chunks())))
    assert folder.reader_at(end) is not None
    assert other.reader_at(end) is None
    assert folder.reader_at(JournalPosition(6, end.head, end.first)) is None
    assert folder.reader_at(JournalPosition(1, end.head, end.first)) is None
    assert folder.reader_at(JournalPosition(5, "00" * 32, end.first)) is None
    short = written(tmp_path / "short", (2,))
    assert short.reader_at(end) is None


def test_a_journal_set_aside_is_named_by_its_last_change_and_listed(tmp_path):
    """The oldest first, those of one second by their number, and nothing else that lies there."""
    path = tmp_path / "engine.journal"
    assert JournalFolder(path).set_aside() is None
    for number in range(1, 12):
        folder = written(path, (number,))
        os.utime(path, ns=(CHANGED_NS, CHANGED_NS))
        head = folder.verify().head
        aside = folder.set_aside()
        assert aside is not None
        assert aside.where == f"{path}.{STAMP}{f'-{number}' if number > 1 else ''}"
        assert aside.verify().head == head
        assert folder.is_free()
    written(path)
    os.utime(path, ns=(0, 0))
    JournalFolder(path).set_aside()
    for name in (f"{STAMP}.lock", "torn-32", f"{STAMP}-", "20251128", "old", f"{STAMP}-x"):
        (tmp_path / f"engine.journal.{name}").touch()
    (tmp_path / f"other.journal.{STAMP}").touch()

    records = [older.verify().records for older in JournalFolder(path).older()]
    assert records == [3, *range(1, 12)]
    with pytest.raises(StorageError, match=rf"no such journal file; the newest .* is .*{STAMP}-11"):
        JournalFolder(path).check_exists()
    with pytest.raises(StorageError, match=r"no such journal file$"):
        JournalFolder(tmp_path / "none" / "engine.journal").check_exists()


def test_a_journal_that_is_written_is_not_set_aside(tmp_path):
    """It stays as it is, and so does what is no journal."""
    folder = JournalFolder(tmp_path / "journal")
    writer = folder.writer(0)
    with pytest.raises(StorageError, match="another process writes this journal"):
        folder.set_aside()
    writer.close()
    (tmp_path / "letter").write_text("Dear Ada, " * 20)
    for name, says in (("letter", "is not a tradecore journal"), ("", "is a directory")):
        with pytest.raises(StorageError, match=says):
            JournalFolder(tmp_path / name).set_aside()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="is not a tradecore journal"):
        JournalFolder(tmp_path / "pipe").set_aside()
    assert not JournalFolder(tmp_path / "pipe").is_journal()
    for open_it in (JournalFolder.reader, JournalFolder.first_hash, lambda folder: list(folder.chunks())):
        with pytest.raises(StorageError, match="is no journal: it is a directory, pipe, socket or device"):
            open_it(JournalFolder(tmp_path / "pipe"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal", "journal.lock", "letter", "pipe"]


def test_another_journal_in_its_place_has_another_identity(tmp_path):
    """It is the same while it grows, and none when it is gone."""
    folder = written(tmp_path / "journal")
    before = folder.identity()
    written(tmp_path / "journal", (5,))
    assert folder.identity() == before is not None
    (tmp_path / "journal").rename(tmp_path / "moved")
    assert folder.identity() is None
    assert written(tmp_path / "journal").identity() not in (before, None)
    assert JournalFolder(tmp_path / "moved" / "below").identity() is None
