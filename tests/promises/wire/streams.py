"""What leaves over a connection, message by message, each with the call in which its first byte left."""

import re

import msgspec

_NAME = re.compile(rb"t[0-9a-hjkmnp-tv-z]{17}(?![0-9a-z])")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that left.

    Attributes
    ----------
    at : int
        How much was durable in the journal when its first byte left.
    data : bytes
        The message, without the mask of its frame.
    """

    at: int
    data: bytes

    @property
    def names(self) -> set[str]:
        """The client's names of orders in it."""
        return {name.decode() for name in _NAME.findall(self.data)}


class Stream:
    """Puts together the bytes that leave over one connection: requests of HTTP, then WebSocket frames."""

    def __init__(self) -> None:
        self._bytes = b""
        # Where each piece begins, and what was durable when it left.
        self._pieces: list[tuple[int, int]] = []
        self._gone = 0
        self._has_frames = False

    def take(self, data: bytes, at: int) -> list[Message]:
        """Take what left now; return the messages that are whole."""
        self._pieces.append((self._gone + len(self._bytes), at))
        self._bytes += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> Message | None:
        cut = self._frame() if self._has_frames else self._request()
        if cut is None:
            return None
        length, data = cut
        at = next(at for begin, at in reversed(self._pieces) if begin <= self._gone)
        self._bytes = self._bytes[length:]
        self._gone += length
        return Message(at=at, data=data)

    def _request(self) -> tuple[int, bytes] | None:
        head = self._bytes.find(_END)
        if head < 0:
            return None
        lines = self._bytes[: head + len(_END)]
        self._has_frames = b"upgrade: websocket" in lines.lower()
        body = _LENGTH.search(lines)
        length = len(lines) + (0 if body is None else int(body[1]))
        return None if len(self._bytes) < length else (length, self._bytes[:length])

    def _frame(self) -> tuple[int, bytes] | None:
        data = self._bytes
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(data[2 : 2 + wide], "big"), 2 + wide
        mask = b""
        if data[1] & 0x80:
            mask, at = data[at : at + 4], at + 4
        if len(data) < at + size:
            return None
        body = data[at : at + size]
        if mask:
            whole = mask * (size // 4 + 1)
            body = (int.from_bytes(body, "big") ^ int.from_bytes(whole[:size], "big")).to_bytes(size, "big")
        return at + size, body
