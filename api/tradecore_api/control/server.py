"""The engine's end of the control socket."""

import asyncio
import hmac
import logging
import os
import secrets
import socket
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from tradecore.domain.errors import StorageError, TradecoreError
from tradecore.ports.control_channel import Answer, ControlReply
from tradecore_api.control import address, frames, peer

log = logging.getLogger("tradecore.control")

CONNECTIONS_MAX = 16
READ_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 10.0
# sun_path is 104 bytes on macOS and 108 on Linux, the closing zero included.
SOCKET_PATH_BYTES_MAX = 100
_PREFIX = "tradecore-"


class ControlServer:
    """A `ControlChannel` on a Unix socket (mode 0600, peer's user checked) or on loopback with a token.

    Parameters
    ----------
    address_path : Path
        File in which the address is published; the socket is next to it when the path is short enough.
    listener : socket or None
        A socket that listens already, by the name of the account in the kernel: it is found without any file.
    """

    def __init__(self, address_path: Path, listener: socket.socket | None = None) -> None:
        self._address_path = address_path
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._server_by_name: asyncio.Server | None = None
        self._socket_path: Path | None = None
        self._private_dir: tempfile.TemporaryDirectory[str] | None = None
        self._token = ""
        self._answer: Answer | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self, answer: Answer, /) -> None:
        """Start to listen and publish the address; raises `StorageError` when it cannot be used."""
        self._answer = answer
        try:
            await self._open_by_name()
            if address.has_unix_sockets():
                await self._open_unix()
            else:
                await self._open_loopback()
        except OSError as error:
            # What lies in the place of the socket is named, if anything does.
            place = error.filename or self._address_path
            raise StorageError(
                str(place), f"control socket cannot be opened: {error.strerror or error}"
            ) from error

    async def aclose(self) -> None:
        """Stop to listen, drop every connection and take the address away."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        if self._server_by_name is not None:
            self._server_by_name.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        with suppress(OSError):
            # A disk that takes no writing keeps both; they lead nowhere.
            self._address_path.unlink(missing_ok=True)
            if self._socket_path is not None:
                self._socket_path.unlink(missing_ok=True)
        if self._private_dir is not None:
            self._private_dir.cleanup()

    async def _open_unix(self) -> None:
        if sys.platform == "win32":
            raise OSError("no Unix sockets here")
        path = self._address_path.with_name("control.sock")
        if len(str(path).encode()) > SOCKET_PATH_BYTES_MAX:
            _forget_left(self._address_path)
            self._private_dir = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=_short_place())
            path = Path(self._private_dir.name) / "control.sock"
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(path))
            path.chmod(0o600)
            self._server = await asyncio.start_unix_server(self._accept, sock=listener)
        except OSError:
            listener.close()
            raise
        self._socket_path = path
        address.Address(socket=str(path)).write(self._address_path)

    async def _open_by_name(self) -> None:
        """Answer at the name of the account too: a kill asks there first, whatever else there is."""
        if self._listener is not None and sys.platform != "win32":
            _drop_waiting(self._listener)
            self._server_by_name = await asyncio.start_unix_server(self._accept, sock=self._listener)

    async def _open_loopback(self) -> None:
        self._token = secrets.token_hex(32)
        self._server = await asyncio.start_server(self._accept, host="127.0.0.1", port=0)
        port = self._server.sockets[0].getsockname()[1]
        address.Address(port=port, token=self._token).write(self._address_path)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, TimeoutError) as error:
            log.info("control_connection_dropped", extra={"reason": str(error) or type(error).__name__})
        except asyncio.CancelledError:
            # By `aclose`, which drops every connection; asyncio would log that as an error of ours.
            if self._server is not None:
                raise
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        # Who comes through a Unix socket is known by his user; through loopback comes everybody.
        has_token = connection.family != getattr(socket, "AF_UNIX", None)
        if not peer.is_own_user(connection):
            await _send(writer, ControlReply(accepted=False, message="only the engine's own user may ask"))
            return
        while True:
            try:
                async with asyncio.timeout(READ_SECONDS_MAX):
                    envelope = await frames.read_envelope(reader)
            except frames.FrameError as error:
                # After a broken frame there is no telling where the next one starts.
                await _send(writer, ControlReply(accepted=False, message=str(error)))
                return
            if envelope is None:
                return
            await _send(writer, await self._answered(envelope, has_token=has_token))

    async def _answered(self, envelope: frames.Envelope, *, has_token: bool) -> ControlReply:
        if has_token and not hmac.compare_digest(envelope.token.encode(), self._token.encode()):
            return ControlReply(accepted=False, message="wrong token")
        if self._answer is None:
            return ControlReply(accepted=False, message="not open")
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await self._answer(envelope.request)
        except TimeoutError:
            return ControlReply(accepted=False, message=f"no answer within {ANSWER_SECONDS_MAX:g} s")
        except TradecoreError as error:
            return ControlReply(accepted=False, message=str(error))


def _drop_waiting(listener: socket.socket) -> None:
    """Close the connections of those who asked before anybody could answer: they do not wait any more."""
    with suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            connection.close()


async def _send(writer: asyncio.StreamWriter, reply: ControlReply) -> None:
    writer.write(frames.encode(reply))
    async with asyncio.timeout(READ_SECONDS_MAX):
        await writer.drain()


def _forget_left(address_path: Path) -> None:
    """Remove the directory of a process that was killed: each of them would leave one for ever."""
    left = address.read(address_path)
    if left is None or not left.socket:
        return
    folder, place = Path(left.socket).parent, _short_place() or tempfile.gettempdir()
    if folder.parent != Path(place) or not folder.name.startswith(_PREFIX):
        return
    with suppress(OSError):
        about = folder.lstat()
        if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid():
            (folder / "control.sock").unlink(missing_ok=True)
            # Whatever else somebody laid there stays, and the directory with it.
            folder.rmdir()


def _short_place() -> str | None:
    """Return where a private directory has room for a socket's path: `/tmp` where `TMPDIR` is too long."""
    room = SOCKET_PATH_BYTES_MAX - len("/tradecore-12345678/control.sock")
    is_short = len(os.fsencode(tempfile.gettempdir())) <= room
    return None if is_short else "/tmp"  # noqa: S108 - a directory of its own is made in it, mode 0700
