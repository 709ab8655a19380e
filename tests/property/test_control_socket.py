"""The control socket answers requests and survives everything else."""

import asyncio
import contextlib
import os
import shutil
import socket
import struct
import sys
import tempfile
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradecore.domain import StorageError
from tradecore.domain.commands import Kill
from tradecore.ports.control_channel import ControlReply, ControlRequest, Status
from tradecore_api import account_socket
from tradecore_api.control import address, client, frames
from tradecore_api.control.server import CONNECTIONS_MAX, ControlServer
from tradecore_api.state_dir import StateDir


def names_in(directory):
    """Return what lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


async def echo(request: ControlRequest) -> ControlReply:
    """Answer with the command itself."""
    return ControlReply(accepted=True, message=str(request.__struct_config__.tag), seq=7)


@contextlib.asynccontextmanager
async def served(directory):
    """Serve `echo` and yield the published address."""
    server = ControlServer(directory / "control.json")
    await server.open(echo)
    try:
        yield address.read(directory / "control.json")
    finally:
        await server.aclose()


async def connected(found):
    """Connect to a published address."""
    if found.socket:
        return await asyncio.open_unix_connection(found.socket)
    return await asyncio.open_connection("127.0.0.1", found.port)


async def exchange(found, data: bytes) -> bytes:
    """Send bytes, end the sending side, and return all that comes back."""
    reader, writer = await connected(found)
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        writer.write_eof()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def replies(data: bytes) -> list[ControlReply]:
    """Cut answers out of what came back."""
    found = []
    while data:
        (length,) = struct.unpack(">I", data[:4])
        found.append(msgspec.msgpack.decode(data[4 : 4 + length], type=ControlReply))
        data = data[4 + length :]
    return found


def request(command: str = "status", token: str = "") -> bytes:
    """Return the frame of a request."""
    return frames.encode(frames.Envelope(request={"command": command}, token=token))


async def test_a_request_is_answered_and_several_may_follow_on_one_connection(tmp_path):
    """Frames are answered in order, one answer each."""
    async with served(tmp_path) as found:
        answers = replies(await exchange(found, request("status") + request("pause")))
    assert [answer.message for answer in answers] == ["status", "pause"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: struct.pack(">I", len(b)) + b))
def test_whatever_is_sent_gets_a_refusal_and_the_next_request_is_answered(tmp_path, data):
    """Accepted, or a typed refusal, nothing else; the channel lives on."""

    async def fuzz():
        async with served(tmp_path) as found:
            for answer in replies(await exchange(found, data)):
                assert isinstance(answer, ControlReply)
            (answer,) = replies(await exchange(found, request()))
            assert answer.accepted

    asyncio.run(fuzz())


async def test_an_oversized_or_cut_frame_is_refused_by_name(tmp_path):
    """The refusal says what is wrong with the frame."""
    async with served(tmp_path) as found:
        (large,) = replies(await exchange(found, struct.pack(">I", 1 << 31)))
        (cut,) = replies(await exchange(found, request()[:-2]))
        (other,) = replies(await exchange(found, frames.encode(ControlReply(accepted=True))))
    assert "at most" in large.message
    assert "inside a frame" in cut.message
    assert "not a request" in other.message
    assert not any(answer.accepted for answer in (large, cut, other))


async def test_a_silent_or_greedy_client_does_not_keep_others_out_for_long(tmp_path, monkeypatch):
    """Connections are bounded in number and in time."""
    monkeypatch.setattr("tradecore_api.control.server.READ_SECONDS_MAX", 0.2)
    async with served(tmp_path) as found:
        silent = [await connected(found) for _ in range(CONNECTIONS_MAX)]
        await asyncio.sleep(0.6)
        (answer,) = replies(await exchange(found, request()))
        for _, writer in silent:
            writer.close()
    assert answer.accepted


async def test_the_socket_is_for_its_owner_alone_and_gone_afterwards(tmp_path):
    """Mode 0600; closing takes socket and address away."""
    async with served(tmp_path) as found:
        mode = (tmp_path / "control.sock").stat().st_mode & 0o777
        assert (mode, found.port) == (0o600, 0)
    assert list(tmp_path.iterdir()) == []


async def test_a_long_path_still_gets_a_socket(tmp_path):
    """A Unix socket's path is short by law; the address file says where it is."""
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    async with served(deep) as found:
        (answer,) = replies(await exchange(found, request()))
    assert answer.accepted


async def test_without_unix_sockets_a_token_stands_in_for_the_file_mode(tmp_path, monkeypatch):
    """Loopback needs the token from the 0600 address file."""
    monkeypatch.setenv("TRADECORE_CONTROL", "tcp")
    async with served(tmp_path) as found:
        assert (tmp_path / "control.json").stat().st_mode & 0o777 == 0o600
        token = found.token
        for guess in ("", "guess", token[:-1], f"{token}0", token.upper(), "\0" * len(token), "\u00fc"):
            (wrong,) = replies(await exchange(found, request(token=guess)))
            assert (wrong.accepted, wrong.message) == (False, "wrong token"), guess
        (right,) = replies(await exchange(found, request(token=token)))
    assert right.accepted


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names in the kernel of Linux")
async def test_a_kill_reaches_an_engine_on_loopback_by_its_name(tmp_path, monkeypatch):
    """A kill asks by name first: a name that listens and never answers would hold it until its time is up."""
    monkeypatch.setenv("TRADECORE_CONTROL", "tcp")
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    state = StateDir("one")
    state.create()
    server = ControlServer(state.address, account_socket.taken(state.path))
    await server.open(echo)
    try:
        for by_name_first in (True, False):
            ask = partial(client.ask, state, Kill(), seconds_max=3, by_name_first=by_name_first)
            assert (await asyncio.to_thread(ask)).message == "kill"
    finally:
        await server.aclose()


async def test_what_lies_in_the_place_of_the_socket_is_named(tmp_path):
    """Not the file beside it that holds the address."""
    (tmp_path / "control.sock").mkdir()
    with pytest.raises(StorageError, match=r"control\.sock: control socket cannot be opened"):
        await ControlServer(tmp_path / "control.json").open(echo)


NOBODY = 65_534


@pytest.fixture
def open_directory():
    """Return a directory that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def asked_by_another_user(path):
    """Ask the socket at a path as a user without rights, in a process of its own; return what comes back."""
    receiving, sending = os.pipe()
    if (child := os.fork()) == 0:
        # Nothing but system calls from here on: the event loop of the parent is in this process, too.
        answer = b"failed"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(5)
                line.connect(path)
                with contextlib.suppress(BrokenPipeError):
                    line.sendall(request("kill"))
                answer = line.recv(4096)
        except OSError as error:
            answer = type(error).__name__.encode()
        finally:
            os.write(sending, answer)
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux and root: another user has to be played"
)
@pytest.mark.without("control socket", works="open to every user, it still obeys its own user alone")
async def test_another_user_is_refused_by_the_file_and_by_the_engine(open_directory):
    """The mode of the socket keeps him out; were it open to all, the engine asks the system who he is."""
    asked = []

    async def note(sent):
        asked.append(sent)
        return ControlReply(accepted=True)

    server = ControlServer(open_directory / "control.json")
    await server.open(note)
    found = address.read(open_directory / "control.json")
    try:
        assert await asyncio.to_thread(asked_by_another_user, found.socket) == b"PermissionError"
        await asyncio.to_thread(Path(found.socket).chmod, 0o666)
        (refused,) = replies(await asyncio.to_thread(asked_by_another_user, found.socket))
        (taken,) = replies(await exchange(found, request()))
    finally:
        await server.aclose()
    assert (refused.accepted, refused.message) == (False, "only the engine's own user may ask")
    assert taken.accepted
    assert asked == [Status()]


def test_asking_nobody_says_so_in_time(tmp_path, monkeypatch):
    """No address, or an address nobody listens at, is one clear error."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path))
    state = StateDir("nobody")
    state.create()
    with pytest.raises(client.NotAnsweringError, match="no engine has published"):
        client.ask(state, Status(), seconds_max=0.2)
    address.Address(socket=str(tmp_path / "gone.sock")).write(state.address)
    with pytest.raises(client.NotAnsweringError, match="does not answer"):
        client.ask(state, Status(), seconds_max=0.2)


async def test_connections_that_are_open_at_the_end_are_no_error(tmp_path, caplog):
    """`tradecore stop` waits with its connection open: that it is dropped is no error in the log."""
    async with served(tmp_path) as found:
        reader, writer = await connected(found)
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    assert await reader.read() == b""
    writer.close()

    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_socket_finds_a_short_place_where_state_and_temporary_files_have_long_paths(
    tmp_path, monkeypatch
):
    """The path of a socket has about a hundred bytes; where `TMPDIR` is longer it is in `/tmp`."""
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    server = ControlServer(long / "control.json")
    await server.open(echo)
    found = address.read(long / "control.json")

    assert found.socket.startswith("/tmp/tradecore-")
    assert os.path.exists(found.socket)  # noqa: ASYNC240, PTH110 - one look
    await server.aclose()
    assert not os.path.exists(os.path.dirname(found.socket))  # noqa: ASYNC240, PTH110, PTH120 - one look


@pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
@pytest.mark.parametrize("holds_more", [False, True])
async def test_what_a_killed_engine_left_is_removed_by_the_next(tmp_path, monkeypatch, holds_more):
    """Where a path is long, a process has a directory of its own for its socket; a kill leaves it there."""
    short = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    directory = tmp_path / ("long" * 40)
    directory.mkdir()
    try:
        left = short / "tradecore-killed"
        left.mkdir()
        (left / "control.sock").touch()
        if holds_more:
            (left / "another's").touch()
        address.Address(socket=str(left / "control.sock")).write(directory / "control.json")
        async with served(directory) as found:
            assert Path(found.socket).parent.parent == short
            assert left.exists() == holds_more
            assert len(names_in(short)) == 1 + holds_more
        assert len(names_in(short)) == holds_more
    finally:
        shutil.rmtree(short)
