"""A journal of several files is one journal to everybody: who reads it, follows it, moves it or guards it."""

import asyncio
import json
import sys

import pytest

from support.sessions import CONFIG, ListFeed, fresh_engine, open_session
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.journal import JournalFolder, Segments, decode_frames, encode_session_end
from tradecore.domain.journal_folder import hash_of_first, position_of
from tradecore.domain.record import JournalPosition
from tradecore.runtime import Projector, journal_tail
from tradecore.runtime.journal_tail import JournalTail
from tradecore.runtime.recovery import recover
from tradecore_api import cli
from tradecore_api.exit_codes import ExitCode
from tradecore_api.guard import Guard, Sight
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import ENVIRONMENT_NAME, StateDir
from tradecore_api.wiring import comparing

if sys.platform == "win32":
    pytest.skip("a journal stays one file there", allow_module_level=True)

TINY = Segments(bytes_max=700)
FOREVER_NS = 1 << 62


def grown(folder, groups, segments=TINY):
    """Append groups of frames whose times are their numbers, and let the journal go."""
    writer = folder.writer(0, segments)
    for count in groups:
        for _ in range(count):
            writer.append(encode_session_end(writer.records, "x" * (writer.records % 40)))
        writer.commit(count % 2 == 0)
    writer.close()
    return folder


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """Return a journal of a session of some trades, in one file."""
    path = tmp_path_factory.mktemp("traded") / "a.journal"
    asyncio.run(open_session(path, feed=ListFeed(slices=300)).run())
    return JournalFolder(path)


def in_segments(traded, path, bytes_max=4_000):
    """Return the same journal in many segments."""
    folder = JournalFolder(path)
    writer = folder.writer(0, Segments(bytes_max=bytes_max))
    reader = traded.reader()
    while data := reader.read_frames(1_000):
        writer.append(data)
        writer.commit(False)
    writer.close()
    assert folder.verify().segments > 8
    return folder


def projected(folder):
    """Return the records that belong into tables."""
    return [record for part in iter(JournalTail(folder).next_part, None) for record in part.records]


def test_its_records_figures_and_places_are_those_of_one_file(tmp_path):
    """Whatever lies in which file, and whether that is packed."""
    groups = [3, 4, 2, 8, 1, 5, 6, 4]
    one = grown(JournalFolder(tmp_path / "one"), groups, Segments())
    many = grown(JournalFolder(tmp_path / "many"), groups, Segments(bytes_max=300))
    places, reader, first = [JournalPosition()], one.reader(), one.first_hash()
    while reader.read_frames(1):
        places.append(position_of(reader, first))
    for is_packed in (False, True):
        if is_packed:
            assert many.pack().segments == many.verify().segments - 1
            assert many.pack().segments == 0
        assert list(many.reader()) == list(one.reader())
        assert b"".join(many.chunks()) == b"".join(one.chunks())
        found, expected = many.verify(), one.verify()
        assert (found.status, found.records, found.head) == ("intact", expected.records, expected.head)
        assert (found.segments > 4, found.bytes, expected.segments) == (True, found.file_bytes, 1)
        for place in places:
            rest = many.reader_at(place)
            assert rest is not None
            assert list(rest) == list(one.reader())[place.next_seq :]
        assert many.first_hash() == one.first_hash()
        assert many.reader_at(JournalPosition(5, "00" * 32, first)) is None


def test_a_writer_says_where_it_is(tmp_path):
    """Its size is that of all segments as they were written, whatever they take now."""
    folder = grown(JournalFolder(tmp_path / "journal"), [5] * 9)
    folder.pack()
    writer = folder.writer(0, TINY)
    assert writer.segment == folder.verify().segments > 3
    assert writer.bytes == folder.verify().bytes
    assert writer.packing_problem == ""
    writer.close()
    assert writer.segment == folder.verify().segments


def test_a_writer_that_is_closed_has_nobody_at_work(tmp_path):
    """What is half packed then is no harm, and the journal can be moved at once."""
    for number in range(1, 20):
        folder = grown(
            JournalFolder(tmp_path / "journal"), [40] * number, Segments(bytes_max=900, packs=True)
        )
        finding = folder.verify()
        aside = folder.set_aside()
        assert aside is not None
        assert (aside.verify().head, aside.verify().segments) == (finding.head, finding.segments)
        assert folder.is_free()
        assert [older.where for older in folder.older()][-1] == aside.where
    assert len(folder.older()) == 19


def test_the_guard_tells_a_new_segment_from_another_file(tmp_path, monkeypatch):
    """An engine goes on in a new file of its own; a copy or nothing in its place is an alarm."""
    monkeypatch.setenv(ENVIRONMENT_NAME, str(tmp_path / "state"))
    state = StateDir("desk")
    state.create()
    lock = InstanceLock(state.lock, "desk")
    lock.acquire()
    path = tmp_path / "a.journal"
    folder = JournalFolder(path)
    writer = folder.writer(0, TINY)
    guard = Guard(lock, state, folder)
    for _ in range(8):
        writer.append(encode_session_end(1, "x" * 500))
        writer.commit(True)
        assert guard.look() == Sight()
    assert writer.segment > 4
    (tmp_path / "copy").write_bytes(path.read_bytes())
    path.rename(tmp_path / "moved")
    assert list(guard.look().alarms) == ["journal"]
    (tmp_path / "copy").rename(path)
    assert list(guard.look().alarms) == ["journal"]
    (tmp_path / "moved").replace(path)
    assert guard.look() == Sight()
    writer.close()
    lock.release()


def test_who_follows_loses_and_doubles_nothing(traded, tmp_path):
    """Over rotations, packing and a retention, near the end or far behind, and when he begins again."""
    whole = {
        record.seq: record for part in iter(JournalTail(traded).next_part, None) for record in part.records
    }
    folder = JournalFolder(tmp_path / "journal")
    writer = folder.writer(0, Segments(bytes_max=4_000))
    source = traded.reader()
    near, far, met = None, None, {"near": [], "far": [], "late": []}
    number = 0
    while data := source.read_frames(1_500):
        writer.append(data)
        writer.commit(number % 3 == 0)
        number += 1
        near, far = near or JournalTail(folder), far or JournalTail(folder)
        if number % 4 == 1:
            met["far"] += far.next_part().records if number % 8 == 1 else []
        while part := near.next_part():
            met["near"] += part.records
        if number % 5 == 2:
            folder.pack()
        if number % 9 == 4:
            folder.drop_market_events(FOREVER_NS)
    writer.close()
    while part := far.next_part():
        met["far"] += part.records
    late, after = JournalTail(folder), JournalPosition()
    while part := late.next_part():
        assert part.before == after, "one part begins where the one before it ended"
        met["late"] += part.records
        after = part.after
        again = JournalTail.at(folder, after)
        assert again is not None
        assert again.records == after.next_seq
    assert folder.lacks_market_events()
    assert folder.verify().dropped > 100
    for name, records in met.items():
        assert {record.seq: record for record in records} == whole, name
        assert len(records) == len(whole), name


class Places:
    """A `ReadModel` that keeps records, and where it is."""

    def __init__(self) -> None:
        self.records, self.at, self.cleared = [], JournalPosition(), 0

    async def position(self):
        """Say where it is."""
        return self.at

    async def apply(self, records, before, after, points=(), /):
        """Take records over that follow what is there."""
        assert before == self.at
        self.records += records
        self.at = after
        return True

    async def clear(self):
        """Forget everything."""
        self.cleared += 1
        self.records, self.at = [], JournalPosition()

    async def aclose(self):
        """Nothing is open."""


async def test_tables_within_what_was_dropped_are_filled_from_the_start(traded, tmp_path, monkeypatch):
    """Their place is no longer in the journal: whatever they have is made again, complete."""
    monkeypatch.setattr(journal_tail, "CHUNK_BYTES_MAX", 1_000)
    folder = in_segments(traded, tmp_path / "journal")
    for stop in (1, 3, 6):
        tables = Places()
        tail = JournalTail(folder)
        for _ in range(stop):
            part = tail.next_part()
            await tables.apply(part.records, part.before, part.after)
        tables.at = JournalPosition(tables.at.next_seq + 1, "00" * 32, tables.at.first)
        folder.drop_market_events(FOREVER_NS)
        await Projector(folder, tables).catch_up()
        assert tables.cleared == 1
        assert [record.seq for record in tables.records] == [record.seq for record in projected(traded)]


def test_a_part_spans_what_was_dropped(traded, tmp_path):
    """Tables take a part in one transaction: an archive must not have one before each gap."""
    folder = in_segments(traded, tmp_path / "journal")
    folder.drop_market_events(FOREVER_NS)
    assert folder.verify().dropped > 100
    (part,) = iter(JournalTail(folder).next_part, None)
    assert part.after.next_seq == folder.verify().records
    assert [record.seq for record in part.records] == [record.seq for record in projected(traded)]


def test_a_restart_replays_all_segments(traded, tmp_path):
    """Packed ones as well; without the old market events it says so and what to do."""
    folder = in_segments(traded, tmp_path / "journal")
    folder.pack()
    recovered = recover(folder, fresh_engine(), CONFIG)
    assert recovered == recover(traded, fresh_engine(), CONFIG)
    folder.drop_market_events(FOREVER_NS)
    with pytest.raises(ConfigError, match=r"market events were dropped.*--carry-over.*--new-journal"):
        recover(folder, fresh_engine(), CONFIG)


def test_a_successor_takes_the_place_of_all_segments(traded, tmp_path):
    """What is kept has them, and the new journal begins with none."""
    folder = in_segments(traded, tmp_path / "journal")
    before = folder.verify()
    with pytest.raises(StorageError, match="another process writes"):
        folder.succeed(encode_session_end(1, "new"), 5, before.file_bytes - 1)
    kept = folder.succeed(encode_session_end(1, "new"), 5, before.file_bytes)
    assert kept.verify().head == before.head
    assert (folder.verify().records, folder.verify().segments) == (1, 1)
    grown(folder, [9] * 9)
    assert folder.verify().segments > 3
    assert kept.verify().head == before.head


def test_numbers_of_records_stay_where_market_events_were_dropped(traded, tmp_path):
    """A comparison and a list of trades name records as `journal show` does."""
    folder = in_segments(traded, tmp_path / "journal")
    whole = {seq: record for seq, *record in traded.reader()}
    decided = comparing.of_journal(traded).run.decided
    assert len(decided) > 3
    folder.drop_market_events(FOREVER_NS)
    numbered = [
        seq + offset
        for seq, chunk in folder.numbered_chunks()
        for offset in range(len(list(decode_frames(chunk))))
    ]
    assert numbered == [seq for seq, *_ in folder.reader()]
    assert len(numbered) < len(whole)
    assert comparing.of_journal(folder).run.decided == decided


def test_a_copy_is_whole_and_goes_on(traded, tmp_path):
    """It is refused where something is, and where no directory can be made."""
    folder = in_segments(traded, tmp_path / "journal")
    folder.pack()
    copy = folder.backup(tmp_path / "deep" / "copies")
    assert copy.where == str(tmp_path / "deep" / "copies" / "journal")
    assert list(copy.reader()) == list(traded.reader())
    with pytest.raises(StorageError, match="is there already"):
        folder.backup(tmp_path / "deep" / "copies")
    (tmp_path / "letter").write_text("Dear Ada")
    with pytest.raises(StorageError, match=r"letter.*cannot be made"):
        folder.backup(tmp_path / "letter")
    copy.writer(0).close()


def test_the_commands_pack_drop_and_copy(traded, tmp_path, capsys):
    """As figures for a script, and as lines."""
    folder = in_segments(traded, tmp_path / "journal")

    def said(*words):
        assert cli.main(["journal", *map(str, words), "--json"]) == ExitCode.OK
        return json.loads(capsys.readouterr().out)

    segments = folder.verify().segments
    packed = said("compact", folder.where)
    assert packed["packed"] == segments - 1
    assert packed["packed_bytes_after"] < packed["packed_bytes_before"] / 2
    assert "message" not in packed
    assert "no older segment was left to compress" in said("compact", folder.where)["message"]
    # The records are years old.
    assert said("compact", folder.where, "--drop-market-days", 10**18 - 1)["archived"] == 0
    dropped = said("compact", folder.where, "--drop-market-days", 1)
    assert (dropped["packed"], dropped["archived"]) == (0, segments - 1)
    found = said("verify", folder.where)
    assert (found["status"], found["segments"]) == ("intact", segments)
    assert found["dropped"] == dropped["dropped_records"] > 0
    copied = said("backup", folder.where, tmp_path / "copies")
    assert (copied["head"], copied["records"]) == (found["head"], found["records"])
    for words in (["compact", folder.where], ["backup", folder.where, str(tmp_path / "others")]):
        assert cli.main(["journal", *words]) == ExitCode.OK
    assert "a retention has dropped" in capsys.readouterr().out
    assert cli.main(["journal", "compact", str(tmp_path / "none")]) == ExitCode.STORAGE
    (tmp_path / "live.toml").write_text('mode = "live"')
    assert cli.main(["journal", "compact", str(tmp_path / "live.toml")]) == ExitCode.STORAGE
    assert "is not a tradecore journal" in capsys.readouterr().err


def test_market_events_of_a_young_segment_stay(tmp_path, traded):
    """Only what is wholly older than the time is dropped, whatever else may be."""
    folder = in_segments(traded, tmp_path / "journal")
    times = [time_ns for _, time_ns, _, _ in traded.reader()]
    middle = sorted(times)[len(times) // 2]
    assert folder.drop_market_events(min(times)).segments == 0
    before = list(traded.reader())
    assert folder.drop_market_events(middle).segments > 0
    kept = list(folder.reader())
    assert [record for record in before if record[1] >= middle] == [
        record for record in kept if record[1] >= middle
    ]
    assert hash_of_first(folder.reader().read_frames(1)) == traded.first_hash()
