"""The command line's end of the control socket."""

import asyncio
import sys
from pathlib import Path

from tradecore.domain.errors import VenueError
from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api.control import address, frames


class NotAnsweringError(VenueError):
    """No engine answers at the address of the account."""


def ask(address_path: Path, request: ControlRequest | str, *, seconds_max: float) -> ControlReply:
    """Send one request and return its answer.

    Raises
    ------
    NotAnsweringError
        When there is no address, nobody listens, or no whole answer came in time.
    """
    if isinstance(request, str):
        request = ControlRequest(command=request)
    return asyncio.run(_ask(address_path, request, seconds_max))


async def _ask(address_path: Path, request: ControlRequest, seconds_max: float) -> ControlReply:
    found = address.read(address_path)
    if found is None:
        raise NotAnsweringError(f"{address_path}: no engine has published a control address")
    envelope = frames.Envelope(request=request, token=found.token)
    try:
        async with asyncio.timeout(seconds_max):
            reader, writer = await _connected(found)
            try:
                writer.write(frames.encode(envelope))
                await writer.drain()
                return await frames.read_reply(reader)
            finally:
                writer.close()
    except TimeoutError as error:
        raise NotAnsweringError(f"the engine did not answer within {seconds_max:g} s") from error
    except (OSError, frames.FrameError) as error:
        raise NotAnsweringError(f"the engine does not answer: {error}") from error


async def _connected(found: address.Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if found.socket and sys.platform != "win32":
        return await asyncio.open_unix_connection(found.socket)
    return await asyncio.open_connection("127.0.0.1", found.port)
