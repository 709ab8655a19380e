"""A crash at any byte of the journal: the restart goes on to the same end."""

import asyncio
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.sessions import open_session
from tradecore.domain.journal import (
    JournalFolder,
    decode_frames,
)

MARKS = ("session", "session_end")


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Bytes and outcome of a run without a crash."""
    path = tmp_path_factory.mktemp("reference") / "journal"
    session = open_session(path)
    asyncio.run(session.run())
    return Reference(path, session.engine.state_hash(), session.engine.orders_digest())


class Reference:
    """A run without a crash; not shown whole when a test fails."""

    def __init__(self, path, state_hash, orders_digest) -> None:
        self.data = path.read_bytes()
        self.acknowledged = acknowledged(path)
        self.frames = frames_of(path)
        self.replayed = replayed(path)
        self.state_hash = state_hash
        self.orders_digest = orders_digest


def acknowledged(path):
    """Return every order and report in a journal, in order."""
    return [
        (kind, tuple(sorted(fields.items())))
        for _, _, kind, fields in JournalFolder(path).reader()
        if kind in ("order", "report", "refused")
    ]


def frames_of(path):
    """Return every frame of a journal."""
    data, found = b"".join(JournalFolder(path).chunks()), []
    while data:
        length = 4 + int.from_bytes(data[:4], "little")
        found.append(data[:length])
        data = data[length:]
    return found


def replayed(path):
    """Return the records of a journal, but for the marks of its sessions."""
    return [record for record in decode_frames(b"".join(frames_of(path))) if record[0] not in MARKS]


def write(path, frames):
    """Write a journal of these frames, whole blocks alone."""
    journal = JournalFolder(path).writer(0)
    journal.append(b"".join(frames))
    journal.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0), second=st.floats(0.0, 1.0))
def test_a_journal_cut_anywhere_twice_leads_to_the_same_orders(tmp_path_factory, reference, share, second):
    """Nothing acknowledged is lost or doubled, and the end is that of the run without a crash."""
    data = reference.data
    path = tmp_path_factory.mktemp("cut") / "journal"
    path.write_bytes(data[: int(len(data) * share)])
    asyncio.run(open_session(path).run())
    grown = path.read_bytes()
    path.write_bytes(grown[: int(len(grown) * second)])
    session = open_session(path)
    asyncio.run(session.run())

    assert session.engine.state_hash() == reference.state_hash
    assert session.engine.orders_digest() == reference.orders_digest
    assert acknowledged(path) == reference.acknowledged
    assert JournalFolder(path).verify().status == "intact"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_journal_that_ends_between_any_two_frames_leads_to_the_same_orders(
    tmp_path_factory, reference, data
):
    """Frames of one event may lie in two blocks: the crash may leave the first and take the second."""
    frames = reference.frames
    path = tmp_path_factory.mktemp("frames") / "journal"
    write(path, frames[: data.draw(st.integers(1, len(frames)))])
    session = open_session(path)
    asyncio.run(session.run())

    assert session.engine.state_hash() == reference.state_hash
    assert session.engine.orders_digest() == reference.orders_digest
    assert acknowledged(path) == reference.acknowledged
    assert replayed(path) == reference.replayed
    assert JournalFolder(path).verify().status == "intact"


def test_what_a_crash_cut_off_is_appended_and_what_is_there_is_not_doubled(tmp_path, reference):
    """Each frame of the events with most frames is a place where the journal may end."""
    kinds = [kind for kind, _, _ in decode_frames(b"".join(reference.frames))]
    starts = [at for at, kind in enumerate(kinds) if kind == "flow"]
    lengths = {at: after - at for at, after in itertools.pairwise([*starts, len(kinds)])}
    longest = sorted(starts, key=lambda at: -lengths[at])[:2]
    assert lengths[longest[0]] > 3
    for start in longest:
        for cut in range(start + 1, start + lengths[start] + 1):
            path = tmp_path / f"{cut}.journal"
            write(path, reference.frames[:cut])
            asyncio.run(open_session(path).run())
            assert replayed(path) == reference.replayed, cut
