"""The command line's end of the control socket."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tradecore.domain.errors import VenueError
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api import account_socket
from tradecore_api.control import address, frames
from tradecore_api.state_dir import StateDir

_AnswerT = TypeVar("_AnswerT")


class NotAnsweringError(VenueError):
    """No engine answers at the address of the account."""


def ask(
    state: StateDir, request: ControlRequest, *, seconds_max: float, by_name_first: bool = False
) -> ControlReply:
    """Send one request and return its answer.

    The engine is asked at the address that it has published, or by the name of its account in the kernel
    where its files are gone. With `by_name_first` no file is looked at while the kernel knows the name.

    Raises
    ------
    NotAnsweringError
        When there is no address, nobody listens, or no whole answer came in time.
    """
    return asyncio.run(ask_async(state, request, seconds_max=seconds_max, by_name_first=by_name_first))


async def ask_async(
    state: StateDir, request: ControlRequest, *, seconds_max: float, by_name_first: bool = False
) -> ControlReply:
    """Do as `ask` does, in an event loop that runs."""
    return await _answer(frames.read_reply, state, request, seconds_max, by_name_first=by_name_first)


async def accepts(
    state: StateDir, request: ControlRequest, *, seconds_max: float, by_name_first: bool = False
) -> bool:
    """Do as `ask_async` does for those who want to know nothing but whether the answer is a yes."""
    return await _answer(frames.read_accepted, state, request, seconds_max, by_name_first=by_name_first)


async def _answer(
    read: Callable[[asyncio.StreamReader], Awaitable[_AnswerT]],
    state: StateDir,
    request: ControlRequest,
    seconds_max: float,
    *,
    by_name_first: bool,
) -> _AnswerT:
    try:
        async with asyncio.timeout(seconds_max):
            reader, writer, token = await _connected(state, by_name_first)
            try:
                writer.write(frames.encode(frames.Envelope(request=request, token=token)))
                await writer.drain()
                return await read(reader)
            finally:
                writer.close()
    except TimeoutError as error:
        raise NotAnsweringError(f"the engine did not answer within {seconds_max:g} s") from error
    except (OSError, frames.FrameError) as error:
        raise NotAnsweringError(f"the engine does not answer: {error}") from error


async def _connected(
    state: StateDir, by_name_first: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, str]:
    if by_name_first and (connection := account_socket.connected(state.path)) is not None:
        return (*await asyncio.open_unix_connection(sock=connection), "")
    found = address.read(state.address)
    why: OSError | None = None
    if found is not None:
        try:
            return (*await _connected_to(found), found.token)
        except OSError as error:
            why = error
    if sys.platform != "win32" and (connection := account_socket.connected(state.path)) is not None:
        return (*await asyncio.open_unix_connection(sock=connection), "")
    if why is not None:
        raise why
    raise NotAnsweringError(f"{state.address}: no engine has published a control address")


async def _connected_to(found: address.Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if found.socket and sys.platform != "win32":
        return await asyncio.open_unix_connection(found.socket)
    return await asyncio.open_connection("127.0.0.1", found.port)
