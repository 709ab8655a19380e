"""What is to be sent to one reader of a stream: in order, bounded, and with what goes wrong on the way."""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeAlias

import msgspec

from tradecore.testkit.local_venue.faults import FaultKind, FaultRule

_FRAMES_IN_MESSAGE_MAX = 500


class _Break(Enum):
    DISCONNECT = "disconnect"
    SILENCE = "silence"


class _Pause(msgspec.Struct, frozen=True):
    seconds: float


class _Garbled(msgspec.Struct, frozen=True):
    text: bytes


_Item: TypeAlias = bytes | _Break | _Pause | _Garbled


class Line(Protocol):
    """What carries messages to one reader."""

    @property
    def closed(self) -> bool:
        """Whether it is over."""
        ...

    async def send_str(self, data: str) -> None:
        """Send a message."""
        ...

    async def close(self, *, code: int = 1000) -> bool:
        """End it."""
        ...


class Outbox:
    """Sends frames over one line, several in a message (a JSON array) where they come together.

    Parameters
    ----------
    socket : Line
        What carries them, which stands.
    frames_max : int
        Frames that wait at most; a reader who is slower is cut off.
    idle_seconds : float
        After so long without a frame `on_idle` is called, which may put one; else an empty message is sent.
    on_idle : callable
        See there.
    """

    def __init__(
        self,
        socket: Line,
        *,
        frames_max: int,
        idle_seconds: float,
        on_idle: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._frames_max = frames_max
        self._idle_seconds = idle_seconds
        self._on_idle = on_idle
        self._items: deque[_Item] = deque()
        self._has_items = asyncio.Event()
        self._swapped: bytes | None = None

    def put(self, frame: bytes, fault: FaultRule | None = None) -> None:
        """Send a frame, or let go wrong what a rule says."""
        kind = fault.kind if fault is not None else None
        items: list[_Item] = [frame]
        match kind:
            case FaultKind.FRAME_LOST:
                items = []
            case FaultKind.FRAME_DOUBLED:
                items = [frame, frame]
            case FaultKind.FRAME_GARBLED:
                items = [_Garbled(frame[: len(frame) // 2])]
            case FaultKind.FRAME_LATE if fault is not None:
                items = [_Pause(fault.delay_ms / 1000), frame]
            case FaultKind.FRAME_SWAPPED if self._swapped is None:
                self._swapped = frame
                return
            case FaultKind.DISCONNECT:
                items = [_Break.DISCONNECT]
            case FaultKind.SILENCE:
                items = [_Break.SILENCE]
        if self._swapped is not None:
            items.append(self._swapped)
            self._swapped = None
        self._items.extend(items)
        if len(self._items) > self._frames_max:
            self._items.clear()
            self._items.append(_Break.DISCONNECT)
        self._has_items.set()

    async def run(self) -> None:
        """Send what comes until the connection breaks, or falls silent."""
        while not self._socket.closed:
            try:
                async with asyncio.timeout(self._idle_seconds):
                    await self._has_items.wait()
            except TimeoutError:
                self._on_idle()
                if not self._items:
                    await self._socket.send_str("[]")
            self._has_items.clear()
            if not await self._send_all():
                return

    async def _send_all(self) -> bool:
        """Send what waits; say whether it goes on."""
        frames: list[bytes] = []
        while self._items:
            item = self._items.popleft()
            if isinstance(item, bytes):
                frames.append(item)
                if len(frames) < _FRAMES_IN_MESSAGE_MAX and self._items:
                    continue
            if frames:
                await self._socket.send_str(f"[{b','.join(frames).decode()}]")
                frames = []
            match item:
                case _Pause():
                    await asyncio.sleep(item.seconds)
                case _Garbled():
                    await self._socket.send_str(f"[{item.text.decode(errors='replace')}")
                case _Break.DISCONNECT:
                    await self._socket.close(code=1011)
                    return False
                case _Break.SILENCE:
                    return False
        return True
