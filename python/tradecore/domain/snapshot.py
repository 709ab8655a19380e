"""A snapshot of a session: where in a journal it stands, what strategies kept, the state of the engine."""

import hashlib

import msgspec
from msgspec import msgpack

from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import DataError
from tradecore.domain.unreadable import UNREADABLE

MAGIC = b"TCSNAPS\n"
# Of what is around the state of the engine; a reader refuses a greater one.
CONTAINER_FORMAT = 1
_LENGTH_BYTES = 4
_HASH_BYTES = 32
_HEAD_BYTES_MAX = 1 << 30


class StrategyState(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy kept.

    Attributes
    ----------
    name : str
        Which strategy.
    code : str
        Hash of its code; empty where nobody has looked at that.
    versions : tuple of int
        What it says of the form of its state: its own version, and before it those that it reads too.
    state : bytes
        What `save_state` returned, as MessagePack.
    """

    name: str
    code: str
    state: bytes
    versions: tuple[int, ...] = ()


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a session has come with its feed.

    Attributes
    ----------
    market_events : int
        Events of the feed in the journal.
    events_before : int
        Events of the same feed that the journal before it has.
    last_time_ns : int
        Time of the last record.
    is_complete : bool
        The data had ended and the session with them.
    last_trades, last_bars : dict of int to int or None
        The number of the last trade and the close of the last bar, by instrument; `None` where nobody
        counted.
    epochs : dict of str to tuple of Epoch
        By which epochs the orders of each account are named, as the last session says.
    """

    market_events: int = 0
    events_before: int = 0
    last_time_ns: int = 0
    is_complete: bool = False
    last_trades: dict[int, int] | None = None
    last_bars: dict[int, int] | None = None
    epochs: dict[str, tuple[Epoch, ...]] = {}


class SnapshotHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot says of itself.

    Attributes
    ----------
    journal : str
        Hash of the first record of the journal that it is of.
    seq : int
        How many records of that journal are in its state.
    head : str
        Hash of the chain after the last of them.
    behaviour : int
        Version of the engine's behaviour that made it.
    version : str
        Version of the program.
    state_hash : str
        Hash of the engine's state, hexadecimal.
    time_ns : int
        Time of the engine, UTC nanoseconds.
    progress : Progress
        How far the feed has come.
    strategies : tuple of StrategyState
        What each strategy kept, in their order.
    """

    journal: str
    seq: int
    head: str
    behaviour: int
    version: str
    state_hash: str
    time_ns: int
    progress: Progress
    strategies: tuple[StrategyState, ...] = ()
    container: int = CONTAINER_FORMAT


class Snapshot(msgspec.Struct, frozen=True):
    """A snapshot as it is written: what it says of itself, and the bytes of the engine's state."""

    head: SnapshotHead
    body: bytes

    def encoded(self) -> bytes:
        """Return the bytes of its file; they end with a hash of all before."""
        head = msgpack.encode(self.head)
        data = b"".join((MAGIC, len(head).to_bytes(_LENGTH_BYTES, "little"), head, self.body))
        return data + hashlib.sha256(data).digest()

    @classmethod
    def decoded(cls, data: bytes, where: str) -> "Snapshot":
        """Read what `encoded` made.

        Raises
        ------
        DataError
            When it is anything else: cut off, changed, or of a newer format.
        """
        begin = len(MAGIC) + _LENGTH_BYTES
        if not data.startswith(MAGIC) or len(data) < begin + _HASH_BYTES:
            raise DataError(where, "is no snapshot, or its end is missing")
        end = len(data) - _HASH_BYTES
        if hashlib.sha256(memoryview(data)[:end]).digest() != data[end:]:
            raise DataError(where, "is damaged: its bytes are not those that were written")
        length = int.from_bytes(data[len(MAGIC) : begin], "little")
        if length > min(end - begin, _HEAD_BYTES_MAX):
            raise DataError(where, "is damaged: its head is longer than the file")
        try:
            head = msgpack.decode(data[begin : begin + length], type=SnapshotHead)
        except UNREADABLE as error:
            raise DataError(where, f"cannot be read: {error}") from error
        if head.container > CONTAINER_FORMAT:
            said = f"has format {head.container}, and this version reads up to {CONTAINER_FORMAT}"
            raise DataError(where, said)
        return cls(head, data[begin + length : end])
