"""Frames of the control socket: a length (u32, big-endian), then msgpack."""

import asyncio
import struct
from typing import TypeVar

import msgspec

from tradecore.domain.errors import TradecoreError
from tradecore.domain.unreadable import UNREADABLE
from tradecore.ports.control_channel import ControlReply, ControlRequest

FRAME_BYTES_MAX = 64 * 1024
_LENGTH = struct.Struct(">I")
_AnswerT = TypeVar("_AnswerT")


class FrameError(TradecoreError):
    """The other side sent something that is no frame of ours."""


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request with the token that stands in for file permissions where there are none."""

    request: ControlRequest
    token: str = ""


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of an answer for those who ask only whether an engine lives."""

    accepted: bool


_ENVELOPE = msgspec.msgpack.Decoder(Envelope)
_REPLY = msgspec.msgpack.Decoder(ControlReply)
_ACCEPTED = msgspec.msgpack.Decoder(Accepted)
_ENCODER = msgspec.msgpack.Encoder()


def encode(message: Envelope | ControlReply) -> bytes:
    """Return one whole frame.

    Raises `FrameError` when it would be larger than a frame may be.
    """
    body = _ENCODER.encode(message)
    if len(body) > FRAME_BYTES_MAX:
        raise FrameError(f"frame of {len(body)} bytes: at most {FRAME_BYTES_MAX} are allowed")
    return _LENGTH.pack(len(body)) + body


async def read_envelope(reader: asyncio.StreamReader) -> Envelope | None:
    """Return the next request, or `None` at the end; raises `FrameError` for anything else."""
    body = await _body(reader)
    if body is None:
        return None
    try:
        return _ENVELOPE.decode(body)
    except UNREADABLE as error:
        raise FrameError(f"not a request: {error}") from error


async def read_reply(reader: asyncio.StreamReader) -> ControlReply:
    """Return the answer; raises `FrameError` when there is none."""
    return await _read(reader, _REPLY)


async def read_accepted(reader: asyncio.StreamReader) -> bool:
    """Return whether the answer is a yes; raises `FrameError` when there is none.

    What the engine says of itself, up to 64 KiB in hundreds of rows, is passed over.
    """
    return (await _read(reader, _ACCEPTED)).accepted


async def _read(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[_AnswerT]) -> _AnswerT:
    body = await _body(reader)
    if body is None:
        raise FrameError("the engine closed the connection without an answer")
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise FrameError(f"not an answer: {error}") from error


async def _body(reader: asyncio.StreamReader) -> bytes | None:
    try:
        head = await reader.readexactly(_LENGTH.size)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise FrameError("the connection ended inside a frame") from error
        return None
    (length,) = _LENGTH.unpack(head)
    if length > FRAME_BYTES_MAX:
        raise FrameError(f"frame of {length} bytes: at most {FRAME_BYTES_MAX} are allowed")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise FrameError("the connection ended inside a frame") from error
