"""The images of a power cut find what they are to find: each planted fault, and nothing without one."""

import time
from pathlib import Path

import pytest

from promises.part import Asked
from promises.power import journals, lives, papers, sessions, tables
from promises.power.__main__ import SETTINGS, recorded, work
from promises.power.disk import Disk, Naming, Torn, Write, systematic
from promises.power.explored import check_seen, explore, scratch
from promises.power.recording import Kind, Op, Recording, UnseenCallError, record
from support.preloaded import CAN_PRELOAD, REASON

pytestmark = [pytest.mark.skipif(not CAN_PRELOAD, reason=REASON), pytest.mark.timeout(120)]
SECONDS_MAX = 60.0


def found(setting, size, faults_max=None, **planted):
    """Return what is found in so many images."""
    with recorded(setting, 1, **planted) as (recording, place):
        deadline = time.monotonic() + SECONDS_MAX
        return explore(
            recording,
            setting.Judge(1),
            place,
            start=Disk(),
            size=size,
            seed=1,
            deadline=deadline,
            faults_max=faults_max,
        )


@pytest.mark.timeout(400)
def test_nothing_is_lost_and_nothing_unreadable_after_a_power_cut():
    """In some images of each setting; `make promises` looks at thousands."""
    gathered = work(Asked(size=120, seed=1, jobs=1, seconds_max=380.0))
    assert gathered.failures == ()
    assert gathered.bounded_by == ""
    assert len(gathered.rows) == 2 * len(SETTINGS)
    assert sum(row.tried for row in gathered.rows) >= 120
    assert all(row.tried for row in gathered.rows)


@pytest.mark.parametrize(
    ("setting", "planted"),
    [
        (journals, {"without": "files:main.journal"}),
        (journals, {"without": "names:deep/down"}),
        (sessions, {"without": "files:snapshot"}),
        (sessions, {"without": "names:in"}),
        (tables, {"arguments": ("synchronous = OFF",)}),
        (tables, {"arguments": ("synchronous = NORMAL",)}),
        (tables, {"arguments": ("synchronous = FULL",)}),
        (papers, {"without": "names:acc"}),
        (papers, {"without": "names:.shared"}),
        (papers, {"without": "files:.engine"}),
        (papers, {"without": "files:arming"}),
        (lives, {"without": "files:live.journal"}),
    ],
    ids=lambda value: value.__name__.rpartition(".")[2] if hasattr(value, "__name__") else str(value),
)
def test_a_sync_that_is_left_out_is_found(setting, planted):
    """That of the bytes, and that of the names; each is enough to lose something that counted as safe."""
    assert found(setting, 400, faults_max=1, **planted).found == 1


def test_the_same_seed_gives_the_same_images():
    """What is named in a failure can be looked at again."""
    first, again = (found(papers, 80, without="names:acc") for _ in range(2))
    assert first.failures == again.failures
    assert first.found > 1


def done(kind, file, *, at=0, name="", other="", data=b""):
    """Return an operation."""
    return Op(kind=kind, file=file, at=at, name=name, other=other, data=data)


def test_a_disk_keeps_what_was_synced_and_any_part_of_the_rest():
    """Bytes by sectors, lengths without bytes, names without files and files without names."""
    disk = Disk()
    disk.do(done(Kind.CREATE, 7, name="a"))
    disk.do(done(Kind.WRITE, 7, name="a", data=b"x" * 600))
    disk.do(done(Kind.SYNC, 7, name="a"))
    assert disk.after_a_cut([False]).names == {}
    disk.do(done(Kind.SYNC, 1, name="."))
    assert disk.pending == []
    disk.do(done(Kind.WRITE, 7, name="a", at=500, data=b"y" * 700))
    disk.do(done(Kind.RENAME, 7, name="a", other="b"))
    assert disk.pending == [
        Write(file=7, at=500, data=b"y" * 700),
        Naming(directory=0, names=(("b", 7), ("a", None))),
    ]
    (write, _) = disk.pending
    assert write.sectors == 3
    old = b"x" * 600
    for fates, name, content in [
        ((False, False), "a", old),
        ((False, True), "b", old),
        ((True, False), "a", old[:500] + b"y" * 700),
        ((Torn(sectors=(), has_length=True), False), "a", old + bytes(600)),
        ((Torn(sectors=(0,), has_length=False), False), "a", old[:500] + b"y" * 12 + old[512:]),
        ((Torn(sectors=(2,), has_length=True), True), "b", old + bytes(1024 - 600) + b"y" * 176),
    ]:
        image = disk.after_a_cut(fates)
        assert image.names == {name: 7}
        assert image.contents == {7: content}
    names = set(systematic(disk.pending))
    disk.do(done(Kind.WRITE, 7, name="b", at=1200, data=b"z" * 10))
    # The sector of what came later has what came before it; the other sectors of that may be lost.
    late = disk.after_a_cut((False, False, True)).contents[7]
    assert late == old + bytes(1024 - 600) + b"y" * 176 + b"z" * 10
    assert {"none", "all", "lengths", "only-0", "without-1", "torn-0-2", "torn-0-2-long"} <= names


def test_a_call_that_was_not_seen_is_noticed(tmp_path):
    """Else an image would be made of less than the program did."""
    with scratch() as place:
        directory = place / "written"
        directory.mkdir()
        recording = record("papers", directory, place, ("1",))
        check_seen(recording, directory, Disk())
        place_of_one = next(n for n, op in enumerate(recording.ops) if op.kind is Kind.WRITE)
        lacking = Recording(recording.ops[:place_of_one] + recording.ops[place_of_one + 1 :])
        with pytest.raises(UnseenCallError, match="differ in"):
            check_seen(Recording(recording.ops[:-6]), directory, Disk())
        Path(directory / "state" / "odd").write_bytes(b"")
        with pytest.raises(UnseenCallError, match="odd"):
            check_seen(lacking, directory, Disk())
