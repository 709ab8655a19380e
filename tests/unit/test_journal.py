"""The journal from Python: what is appended comes back, and every refusal says why."""

import hashlib
from pathlib import Path

import pytest

from tradecore.domain import EventBatch
from tradecore.domain.errors import DataError, StorageError
from tradecore.domain.journal import (
    JournalFolder,
    JournalWriter,
    decode_frames,
    encode_session,
    encode_session_end,
    events_from_frames,
)

GENESIS = "00" * 32


def frames_of(first: int, count: int) -> bytes:
    """Make frames whose times are their numbers."""
    return b"".join(encode_session_end(number, "x" * (number % 50)) for number in range(first, first + count))


def written(path: Path, groups: list[int]) -> JournalWriter:
    """Write a journal of groups of frames, each durable, and close it."""
    writer = JournalFolder(path).writer(0)
    for count in groups:
        writer.append(frames_of(writer.records, count))
        writer.commit(True)
    writer.close()
    return writer


def test_what_is_appended_comes_back_in_order(tmp_path: Path) -> None:
    """Frames are given back byte for byte, in the order they were appended, over restarts."""
    path = tmp_path / "a.journal"
    written(path, [3, 1])
    written(path, [5])
    assert JournalFolder(path).reader().read_frames(1 << 20) == frames_of(0, 9)
    assert [(seq, time_ns, kind) for seq, time_ns, kind, _ in JournalFolder(path).reader()] == [
        (number, number, "session_end") for number in range(9)
    ]


def test_an_empty_journal_has_the_first_head_and_no_records(tmp_path: Path) -> None:
    """Head and figures of a fresh journal are those of nothing."""
    writer = JournalFolder(tmp_path / "a.journal").writer(5)
    assert (writer.head, writer.records, writer.recovered_bytes) == (GENESIS, 0, 0)
    verdict = JournalFolder(tmp_path / "a.journal").verify()
    assert (verdict.status, verdict.records, verdict.head, verdict.created_ns) == ("intact", 0, GENESIS, 5)


def test_the_head_depends_on_the_frames_and_not_on_their_groups(tmp_path: Path) -> None:
    """The same frames give the same head, however they were committed; other frames another."""
    heads = {written(tmp_path / str(groups), groups).head for groups in ([6], [1, 2, 3], [1] * 6)}
    assert len(heads) == 1
    assert written(tmp_path / "other", [7]).head not in heads


def test_figures_stay_readable_after_close(tmp_path: Path) -> None:
    """Head and counts can be read from a closed writer; appending to it says that it is closed."""
    writer = written(tmp_path / "a.journal", [4])
    writer.close()
    assert (writer.records, writer.durable_records) == (4, 4)
    assert writer.bytes == (tmp_path / "a.journal").stat().st_size
    with pytest.raises(StorageError, match="is closed"):
        writer.append(frames_of(4, 1))


def test_only_a_durable_commit_counts_as_durable(tmp_path: Path) -> None:
    """`durable_records` grows with durable commits alone."""
    writer = JournalFolder(tmp_path / "a.journal").writer(0)
    writer.append(frames_of(0, 2))
    writer.commit(False)
    assert (writer.records, writer.durable_records) == (2, 0)
    writer.commit(True)
    assert writer.durable_records == 2


@pytest.mark.parametrize("frames", [b"x", b"\0" * 13, encode_session_end(0, "x")[:-1], b"\xff" * 100])
def test_bytes_that_are_no_records_are_refused_everywhere(tmp_path: Path, frames: bytes) -> None:
    """Nothing that cannot be read back is appended, decoded or replayed."""
    writer = JournalFolder(tmp_path / "a.journal").writer(0)
    with pytest.raises(StorageError, match="no sequence of records"):
        writer.append(frames_of(0, 1) + frames)
    assert writer.records == 0
    with pytest.raises(DataError, match="journal frame 1"):
        decode_frames(encode_session(0, "1", b"{}") + frames)
    batch = EventBatch()
    with pytest.raises(DataError):
        events_from_frames(frames, batch)
    assert len(batch) == 0


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """One journal has one writer; the next may come when it has closed."""
    first = JournalFolder(tmp_path / "a.journal").writer(0)
    with pytest.raises(StorageError, match="another process writes this journal"):
        JournalFolder(tmp_path / "a.journal").writer(0)
    first.close()
    JournalFolder(tmp_path / "a.journal").writer(0).close()


def test_a_reader_goes_on_where_it_ended(tmp_path: Path) -> None:
    """A reader at the end gives nothing, and what was committed since when asked again."""
    writer = JournalFolder(tmp_path / "a.journal").writer(0)
    reader = JournalFolder(tmp_path / "a.journal").reader()
    for _ in range(5):
        writer.append(frames_of(writer.records, 3))
        assert list(reader) == []
        writer.commit(False)
        first = next(reader)[0]
        assert reader.read_frames(1) == frames_of(first + 1, 2)
    assert reader.records == writer.records == 15


def test_frames_are_read_in_bounded_pieces(tmp_path: Path) -> None:
    """A piece has at most so many bytes, but at least one block."""
    written(tmp_path / "a.journal", [10] * 20)
    reader, pieces = JournalFolder(tmp_path / "a.journal").reader(), []
    while piece := reader.read_frames(1_000):
        pieces.append(piece)
    assert len(pieces) > 5
    assert all(len(piece) <= 1_000 for piece in pieces)
    assert b"".join(pieces) == frames_of(0, 200)


def test_a_torn_tail_is_cut_kept_and_reported(tmp_path: Path) -> None:
    """A file that ends inside its last block loses that block only, and the cut bytes are kept."""
    path = tmp_path / "a.journal"
    written(path, [3, 4])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    verdict = JournalFolder(path).verify()
    assert (verdict.status, verdict.records) == ("torn", 3)
    assert "next start cuts them off" in verdict.message

    writer = JournalFolder(path).writer(0)
    assert writer.records == 3
    assert writer.recovered_path is not None
    kept = Path(writer.recovered_path).read_bytes()
    assert len(kept) == writer.recovered_bytes
    assert path.read_bytes() + kept == whole[:-5]


def test_damage_names_offset_records_and_what_to_do(tmp_path: Path) -> None:
    """A changed byte is reported with its place by verify, writer and reader, and nothing is changed."""
    path = tmp_path / "a.journal"
    written(path, [3, 4, 5])
    damaged = bytearray(path.read_bytes())
    damaged[-100] ^= 1
    path.write_bytes(damaged)
    verdict = JournalFolder(path).verify()
    assert (verdict.status, verdict.records, verdict.damaged_seq) == ("damaged", 7, 7)
    assert verdict.damaged_offset == verdict.bytes
    for use in (lambda: JournalFolder(path).writer(0), lambda: list(JournalFolder(path).reader())):
        with pytest.raises(
            StorageError, match=f"byte {verdict.damaged_offset}, records 7 to 11.*put back a copy"
        ):
            use()
    assert path.read_bytes() == damaged


def test_changed_bytes_of_a_file_are_detected(tmp_path: Path) -> None:
    """Verify sees a change of any byte: here every seventh and all of both ends, natively every byte."""
    path = tmp_path / "a.journal"
    written(path, [40] * 60)
    whole = bytearray(path.read_bytes())
    assert len(whole) > 90_000
    places = {*range(0, len(whole), 7 * 13), *range(300), *range(len(whole) - 300, len(whole))}
    with path.open("r+b", buffering=0) as file:
        for place in places:
            file.seek(place)
            file.write(bytes([whole[place] ^ (1 << place % 8)]))
            assert JournalFolder(path).verify().status == "damaged", place
            file.seek(place)
            file.write(whole[place : place + 1])
    assert JournalFolder(path).verify().status == "intact"


def test_what_cannot_be_a_journal_says_what_to_do(tmp_path: Path) -> None:
    """A directory, a foreign file and one in place of the directory are each one clear error; it is kept."""
    foreign = tmp_path / "bars.csv"
    foreign.write_text("time,open,high,low,close\n" * 3)
    before = hashlib.sha256(foreign.read_bytes()).digest()
    for path, named, says in [
        (tmp_path, tmp_path, "is a directory; name a file"),
        (foreign, foreign, "is not a tradecore journal and was left as it is"),
        (foreign / "a.journal", foreign, "cannot be made: File exists; choose another journal.path"),
    ]:
        with pytest.raises(StorageError, match=says) as caught:
            JournalFolder(path).writer(0)
        assert caught.value.path == str(named)
    assert hashlib.sha256(foreign.read_bytes()).digest() == before
    with pytest.raises(StorageError, match="is not a tradecore journal"):
        JournalFolder(foreign).verify()
    with pytest.raises(StorageError, match="cannot open"):
        JournalFolder(tmp_path / "none").reader()


def test_a_record_too_large_for_a_frame_is_refused() -> None:
    """A frame has at most a mebibyte; what does not fit is one clear error."""
    with pytest.raises(DataError, match="config is too large"):
        encode_session(0, "1", b" " * (1 << 20))
