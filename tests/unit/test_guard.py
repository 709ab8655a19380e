"""The files an engine stands on, and the ways to it: what is gone, what is there again, where it is asked."""

import asyncio
import os
import sys

import pytest

from support.deep import DEEP
from tradecore.domain.journal import JournalFolder
from tradecore_api import account_socket, heartbeat, instance_lock, process_deadline
from tradecore_api.control import address, client
from tradecore_api.event_loop import loop_factory
from tradecore_api.exit_codes import ExitCode
from tradecore_api.guard import Guard, Sight
from tradecore_api.instance_lock import InstanceLock
from tradecore_api.state_dir import ENVIRONMENT_NAME, StateDir

if sys.platform == "win32":
    pytest.skip("a file that is open cannot be removed there", allow_module_level=True)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """An account in a state directory of its own."""
    monkeypatch.setenv(ENVIRONMENT_NAME, str(tmp_path / "state"))
    state = StateDir("desk")
    state.create()
    return state


@pytest.fixture
def journal(tmp_path):
    """A journal that is there."""
    folder = JournalFolder(tmp_path / "a.journal")
    folder.writer(0).close()
    return folder


@pytest.fixture
def lock(state):
    """The lock of the account, held."""
    lock = InstanceLock(state.lock, "desk")
    lock.acquire()
    yield lock
    lock.release()


def test_what_is_in_its_place_is_not_told(lock, state, journal):
    """Nothing is wrong, and nothing was mended."""
    assert Guard(lock, state, journal).look() == Sight(alarms={}, repairs=())


def test_a_lock_file_that_is_gone_is_made_again_and_told_once(lock, state, journal):
    """It is held all the time."""
    guard = Guard(lock, state, journal)
    state.lock.unlink()
    seen = guard.look()

    assert seen.alarms == {}
    assert seen.repairs == (f"{state.lock} was removed or replaced; it is there again and held all the time",)
    assert state.lock.exists()
    assert guard.look() == Sight()


def test_a_lock_file_that_cannot_be_made_again_is_an_alarm(lock, state, journal, monkeypatch):
    """Something else stands in its place."""
    guard = Guard(lock, state, journal)
    state.lock.unlink()
    monkeypatch.setattr(lock, "put_back", lambda: False)

    assert guard.look() == Sight(
        alarms={"lock": f"{state.lock} was removed or replaced and cannot be made again: see what holds it"}
    )


def test_a_directory_that_is_gone_is_an_alarm_and_is_not_made_again(lock, state, journal):
    """Whoever moved it may move it back."""
    guard = Guard(lock, state, journal)
    moved = state.path.with_name("moved")
    state.path.rename(moved)
    seen = guard.look()

    assert list(seen.alarms) == ["state directory"]
    assert "`tradecore resume desk`, or end it with `tradecore stop`" in seen.alarms["state directory"]
    assert not state.path.exists()
    moved.rename(state.path)
    assert guard.look() == Sight()


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_journal_that_is_gone_or_another_is_an_alarm(lock, state, journal, tmp_path, is_replaced):
    """Until it is back."""
    guard = Guard(lock, state, journal)
    path = tmp_path / "a.journal"
    path.rename(tmp_path / "moved")
    if is_replaced:
        path.write_bytes(b"another")
    seen = guard.look()

    assert list(seen.alarms) == ["journal"]
    assert seen.alarms["journal"].startswith(f"{journal.where} was removed or replaced")
    (tmp_path / "moved").replace(path)
    assert guard.look() == Sight()


def test_a_disk_that_does_not_say_may_have_the_journal(lock, state, journal, monkeypatch):
    """An alarm would be a guess."""
    guard = Guard(lock, state, journal)

    def refuse(_):
        raise PermissionError(13, "no")

    monkeypatch.setattr(JournalFolder, "identity", refuse)
    assert guard.look() == Sight()


@pytest.mark.parametrize(
    ("socket", "port", "way"),
    [("/a/b", 7, ("unix", "/a/b")), ("", 7, ("tcp", "127.0.0.1", 7)), ("/a/b", 0, ("unix", "/a/b"))],
)
async def test_an_engine_is_asked_where_it_says(monkeypatch, socket, port, way):
    """At its socket where it has one, else at its port on this machine."""

    async def unix(path):
        return ("unix", path)

    async def tcp(host, number):
        return ("tcp", host, number)

    monkeypatch.setattr(asyncio, "open_unix_connection", unix)
    monkeypatch.setattr(asyncio, "open_connection", tcp)

    assert await client._connected_to(address.Address(socket=socket, port=port)) == way


@pytest.mark.parametrize(
    ("platform", "setting", "has"),
    [("linux", None, True), ("linux", "tcp", False), ("linux", "unix", True), ("win32", None, False)],
)
def test_a_port_is_used_where_there_are_no_sockets_or_it_is_asked_for(monkeypatch, platform, setting, has):
    """By a variable of the environment, for tests of the other way."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("TRADECORE_CONTROL", raising=False)
    if setting:
        monkeypatch.setenv("TRADECORE_CONTROL", setting)

    assert address.has_unix_sockets() == has


def test_an_address_is_read_as_it_was_written_and_anything_else_is_none(tmp_path):
    """A file of another version, a part of one, none at all."""
    path = tmp_path / "address"
    written = address.Address(socket="/a", port=7, token="x")
    written.write(path)

    assert address.read(path) == written
    for content in (b"{", b"\xff", b"[]", DEEP):
        path.write_bytes(content)
        assert address.read(path) is None
    path.unlink()
    assert address.read(path) is None


@pytest.mark.parametrize(("setting", "is_own"), [("asyncio", True), ("", False), ("uvloop", False)])
def test_the_loop_of_asyncio_can_be_asked_for(monkeypatch, setting, is_own):
    """Else it is the quicker one, where it is installed."""
    monkeypatch.setenv("TRADECORE_LOOP", setting)
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    monkeypatch.setitem(sys.modules, "uvloop", type("uvloop", (), {"new_event_loop": "made"}))

    assert loop_factory() == (None if is_own else "made")
    monkeypatch.setattr(sys, "platform", "win32")
    assert loop_factory() is None


@pytest.mark.skipif(not account_socket.is_known_here(), reason="names in the kernel")
def test_the_name_of_an_account_is_taken_once_and_told_while_it_is(state):
    """It goes with its holder, and no file has to do with it."""
    assert account_socket.holder(state.path) is None
    listener = account_socket.taken(state.path)
    with listener:
        assert not listener.getblocking()
        assert account_socket.holder(state.path).pid == os.getpid()
        assert account_socket.accounts(state.path.parent) == ["desk"]
        connection = account_socket.connected(state.path)
        assert connection is not None
        connection.close()
        with pytest.raises(OSError, match="in use"):
            account_socket.taken(state.path)
    assert account_socket.holder(state.path) is None
    assert account_socket.connected(state.path) is None
    assert account_socket.accounts(state.path.parent) == []


@pytest.mark.parametrize("is_command", [False, True])
def test_only_a_command_is_ended_at_a_deadline(monkeypatch, is_command):
    """A program that runs an engine inside of itself keeps its own end."""
    told = []
    for name in ("end_with", "end_on_signals", "end_within"):
        monkeypatch.setattr(process_deadline._core, name, lambda *said, name=name: told.append((name, *said)))
    monkeypatch.setattr(process_deadline, "keep", lambda numbers: told.append(("keep", numbers)))
    monkeypatch.setattr(process_deadline, "_owned", set())
    if is_command:
        process_deadline.own()
    process_deadline.wait_for(process_deadline.SIGNALS_OF_COMMANDS, 4.5, ExitCode.INTERRUPTED)
    process_deadline.begin(2.0)
    process_deadline.end_with(ExitCode.STORAGE)

    assert told == (
        [
            ("end_with", 130),
            ("end_on_signals", [2], 4.5),
            ("keep", [2]),
            ("end_within", 2.0),
            ("end_with", 74),
        ]
        if is_command
        else []
    )


def test_a_deadline_without_a_thread_is_left_to_others(monkeypatch):
    """Where no thread can be started any more."""

    def refuse(_):
        raise RuntimeError

    monkeypatch.setattr(process_deadline, "_owned", {"process"})
    monkeypatch.setattr(process_deadline._core, "end_within", refuse)
    process_deadline.begin(2.0)


@pytest.mark.parametrize(
    ("content", "alive", "beating", "found"),
    [
        ("7", {7}, 8, 7),
        ("7", set(), 8, 8),
        ("7", set(), None, 7),
        ("", set(), 8, 8),
        ("", set(), None, None),
        (None, set(), 8, 8),
        (None, set(), None, None),
    ],
)
def test_the_holder_of_a_lock_is_who_wrote_it_while_that_one_lives(
    tmp_path, monkeypatch, content, alive, beating, found
):
    """Else whoever has a heartbeat, and at last the number that is there."""
    path = tmp_path / "engine.lock"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(account_socket, "holder", lambda _: None)
    monkeypatch.setattr(heartbeat, "is_alive", lambda pid: pid in alive)
    monkeypatch.setattr(instance_lock, "heartbeat_holder", lambda _: beating)

    assert instance_lock.holder(path) == found
    monkeypatch.setattr(account_socket, "holder", lambda _: account_socket.Holder(9))
    assert instance_lock.holder(path) == 9
