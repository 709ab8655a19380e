"""The disk of a simulation does to a journal what a real one does that is full."""

import sys

import pytest

from support.disks import small_disk
from tradecore.domain.errors import StorageError
from tradecore.domain.journal import JournalFolder, Segments, encode_session_end
from tradecore.proof.full_disk import Disk, JournalOnDisk

if sys.platform == "win32":
    pytest.skip("mounts of POSIX", allow_module_level=True)

RESERVE_BYTES = 1 << 16
GROUPS_BEFORE = 40


def group(number):
    """Return some frames, each group of another length."""
    return b"".join(encode_session_end(number, "x" * (50 + number % 90)) for _ in range(1 + number % 4))


def written(journal, begin=0):
    """Write one group after the other, and return how many were written until the disk said no, and how."""
    for number in range(begin, 10_000):
        try:
            journal.append(group(number))
            journal.commit(number % 3 == 0)
        except StorageError as error:
            return number, str(error)
    raise AssertionError("the disk is never full")


def aftermath(journal, folder):
    """Return what is so after the failure: what the journal says, and what the next start finds."""
    said = [journal.head, journal.records]
    for call in (lambda: journal.append(group(0)), lambda: journal.commit(True), journal.close):
        with pytest.raises(StorageError) as error:
            call()
        said.append(str(error.value).replace(folder.where, "PATH"))
    return said


@pytest.mark.parametrize("reserve_bytes", [0, RESERVE_BYTES])
def test_a_journal_on_the_model_ends_as_on_a_full_file_system(tmp_path, reserve_bytes):
    """The same groups go through, the words and the bytes are the same, and so is the next start."""
    with small_disk(tmp_path / "disk", 1024) as place:
        folder = JournalFolder(place / "journal")
        writer = folder.writer(0, Segments(reserve_bytes=reserve_bytes))
        for number in range(GROUPS_BEFORE):
            writer.append(group(number))
            writer.commit(True)
        with (place / "ballast").open("wb", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(b"x" * 4096)
                except OSError:
                    break
        at = folder.absolute.stat().st_size
        last, words = written(writer, GROUPS_BEFORE)
        left_bytes = folder.absolute.read_bytes()
        is_kept = folder.keep_reserve()
        after = aftermath(writer, folder)
        (place / "ballast").unlink()
        del writer

        here = JournalFolder(tmp_path / "model")
        disk = Disk(reserve_bytes)
        stops = []
        model = JournalOnDisk(here.writer(0), here.absolute, disk, lambda: stops.append(1))
        for number in range(GROUPS_BEFORE):
            model.append(group(number))
            model.commit(True)
        disk.left = len(left_bytes) - at - reserve_bytes
        assert 0 <= disk.left <= 4096
        assert written(model, GROUPS_BEFORE) == (last, words.replace(folder.where, here.where))
        assert disk.keep_reserve() == is_kept
        assert here.absolute.read_bytes() == left_bytes
        assert aftermath(model, here) == after
        assert stops == [1]
        del model

        found = [each.writer(0) for each in (folder, here)]
        assert found[0].recovered_bytes == found[1].recovered_bytes
        assert found[0].records == found[1].records > GROUPS_BEFORE
        assert found[0].head == found[1].head
        for each in found:
            each.close()


def test_room_that_is_back_is_kept_again():
    """The reserve is spent once, and made anew only where there is twice as much room."""
    disk = Disk(100)
    assert disk.take(10_000) == 10_000
    disk.left = 50
    assert disk.take(60) == 60
    assert not disk.keep_reserve()
    disk.left = 199
    assert not disk.keep_reserve()
    disk.left = 200
    assert disk.keep_reserve()
    assert disk.left == 100
    assert disk.take(250) == 200
    disk.left = None
    assert disk.keep_reserve()
