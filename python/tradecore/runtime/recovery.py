"""A restart is a replay: brings an engine to where its journal ends."""

from collections.abc import Sequence

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import ConfigError, DataError
from tradecore.domain.feeds import last_seen
from tradecore.domain.journal import JournalFolder, events_from_frames
from tradecore.domain.record import records_in
from tradecore.domain.record_bodies import Account, Order, Session, SessionEnd
from tradecore.engine import Engine
from tradecore.runtime import frames
from tradecore.runtime.divergence import raise_divergence
from tradecore.runtime.session_config import (
    SessionConfig,
    check_behaviour,
    recorded_epochs,
    recorded_feed_time,
)

# Enough for the first records of a journal.
_FIRST_BYTES = 1 << 16
END_OF_DATA = "end_of_data"
# What a start says that cannot go on with a journal of another behaviour.
GO_ON = (
    "To trade on, start with --carry-over, which begins a new journal with the cash and the positions of "
    "this one, or with --new-journal, which begins with the configured cash; both keep this journal under "
    "another name. Or run the version of tradecore that wrote it"
)

# What is said of a journal that lost its old market events: an engine cannot be brought to its end by them.
LACKS_EVENTS = (
    "old market events were dropped from this journal, so it replays no more. To trade on, start with "
    "--carry-over, which begins a new journal with the cash and the positions of this one, or with "
    "--new-journal, which begins with the configured cash; both keep this journal under another name"
)


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journal ends.

    Attributes
    ----------
    frames : int
        Frames read.
    market_events : int
        Events of the feed among them.
    missing : bytes
        Frames the engine made again that the crash cut off: to be appended.
    pending : bytes
        Recorded frames the engine will make again with its next event: not to be appended twice.
    last_time_ns : int
        Time of the last recorded frame.
    is_complete : bool
        The data had ended and the session with them; there is nothing left to do.
    events_before : int
        Events of the same feed that the journal before it has.
    last_trades : dict of int to int
        The number of the last trade of each instrument of which there is one.
    last_bars : dict of int to int
        When the last bar of each instrument closed of which there is one.
    feed_from_ns : int or None
        From when on the feed counts: events before that time are left out, and not counted. `None`: from its
        beginning.
    epochs : dict of str to tuple of Epoch
        By which epochs the orders of each account are named, as the last session says.
    last_order_id : int
        The highest number of an order in `pending`, 0 for none: the engine comes to it with its next event.
    """

    frames: int = 0
    market_events: int = 0
    missing: bytes = b""
    pending: bytes = b""
    last_time_ns: int = 0
    is_complete: bool = False
    events_before: int = 0
    last_trades: dict[int, int] = {}
    last_bars: dict[int, int] = {}
    feed_from_ns: int | None = None
    epochs: dict[str, tuple[Epoch, ...]] = {}
    last_order_id: int = 0

    @property
    def skip_events(self) -> int:
        """How many events the feed has to leave out, of those from `feed_from_ns` on."""
        return self.events_before + self.market_events


def recover(journal: JournalFolder, engine: Engine, config: SessionConfig) -> Recovered:
    """Replay a journal through a fresh engine and compare every frame it makes with the recorded one.

    Raises
    ------
    ConfigError
        When the journal was written with other settings or by an engine of another behaviour, or lost old
        market events.
    DivergenceError
        When the engine does not make the recorded bytes again; names time, event, order and values.
    """
    if recorded := recorded_config(journal):
        check_behaviour(recorded, journal.where, GO_ON)
        config.check_same(recorded, journal.where)
    if journal.lacks_market_events():
        raise ConfigError(journal.where, "journal", None, LACKS_EVENTS)
    replay = _Replay(engine)
    for chunk in journal.chunks():
        replay.take(chunk)
    return msgspec.structs.replace(replay.outcome(), feed_from_ns=feed_taken_up_at(journal))


def feed_taken_up_at(journal: JournalFolder) -> int | None:
    """Return from when on a journal's account has lived with its feed, `None`: from the feed's beginning.

    An account that was carried over to another feed has taken that up at the time of its opening. Where it
    was carried over once more, with the same feed, the configuration says when that was.

    Raises `DataError` or `StorageError` when the journal cannot be read.
    """
    if not (recorded := recorded_config(journal)):
        return None
    if (named := recorded_feed_time(recorded)) is not None:
        return named
    opened = _opened(frames.scan(journal.reader().read_frames(_FIRST_BYTES)).engine)
    return None if opened is None or opened.events_before else opened.time_ns


def check_recorded_behaviour(journal: JournalFolder, next_step: str) -> None:
    """Refuse a journal that an engine of another behaviour wrote; an empty one is of this behaviour.

    Raises
    ------
    ConfigError
        Names both versions, what still works on the journal, and `next_step`.
    DataError, StorageError
        When the journal is not of an engine, or cannot be read.
    """
    if recorded := recorded_config(journal):
        check_behaviour(recorded, journal.where, next_step)


def recorded_config(journal: JournalFolder) -> bytes:
    """Return the configuration in the first record of a journal; empty when it has no record yet.

    Raises
    ------
    DataError
        When the first record is anything else.
    StorageError
        When the journal cannot be read.
    """
    block = journal.reader().read_frames(1)
    if not block:
        return b""
    length = int.from_bytes(block[:4], "little") + 4
    (first,) = records_in(block[:length], [0])
    if not isinstance(first.body, Session):
        what = f"the first record is {first.kind!r}, not a session: this journal is not of an engine"
        raise DataError(journal.where, what)
    return _config_of(first.body)


def last_epochs(journal: JournalFolder) -> dict[str, tuple[Epoch, ...]]:
    """Return by which epochs the orders of each account are named, as the last session of a journal says.

    Raises `StorageError` when the journal cannot be read.
    """
    known: dict[str, tuple[Epoch, ...]] = {}
    for chunk in journal.chunks():
        known = _epochs_in(frames.scan(chunk).notes) or known
    return known


def _epochs_in(notes: Sequence[bytes]) -> dict[str, tuple[Epoch, ...]]:
    """Return what the last session among these notes says of its epochs; nothing where none says any."""
    for note in reversed(notes):
        if frames.kind_of(note) == frames.SESSION:
            (record,) = records_in(note, [0])
            if isinstance(record.body, Session) and (known := recorded_epochs(_config_of(record.body))):
                return known
    return {}


def _config_of(session: Session) -> bytes:
    return session.config.encode() if isinstance(session.config, str) else session.config


class _Opened(msgspec.Struct, frozen=True):
    """When an account was opened, and how many events of its feed it has lived through before."""

    time_ns: int
    events_before: int


def _opened(engine_frames: bytes) -> _Opened | None:
    """Return what a journal says first of its account; `None` where its first event is another one."""
    if not frames.begins_account(engine_frames):
        return None
    (first,) = records_in(_first(engine_frames), [0])
    before = first.body.market_events if isinstance(first.body, Account) else None
    return _Opened(first.time_ns, before or 0)


class _Replay:
    """Feeds recorded events and keeps recorded and regenerated bytes side by side."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recorded = b""
        self._regenerated = b""
        self._frames = 0
        self._market_events = 0
        self._last_time_ns = 0
        self._is_complete = False
        self._events_before = 0
        self._last_trades: dict[int, int] = {}
        self._last_bars: dict[int, int] = {}
        self._epochs: dict[str, tuple[Epoch, ...]] = {}

    def take(self, chunk: bytes) -> None:
        scanned = frames.scan(chunk)
        if self._market_events == 0 and (opened := _opened(scanned.engine)) is not None:
            self._events_before = opened.events_before
        self._frames += scanned.frames
        self._market_events += scanned.market_events
        self._last_time_ns = _time_of_last(chunk)
        self._epochs = _epochs_in(scanned.notes) or self._epochs
        batch = EventBatch()
        events_from_frames(scanned.engine, batch)
        trades, bars = last_seen(batch)
        self._last_trades |= trades
        self._last_bars |= bars
        self._engine.feed(batch)
        self._engine.run()
        if any(_is_end_of_data(note) for note in scanned.notes):
            self._engine.finish()
            self._is_complete = True
        self._recorded += scanned.engine
        self._regenerated += self._engine.take_frames()
        self._compare()

    def outcome(self) -> Recovered:
        return Recovered(
            frames=self._frames,
            market_events=self._market_events,
            missing=self._regenerated,
            pending=self._recorded,
            last_time_ns=self._last_time_ns,
            is_complete=self._is_complete,
            events_before=self._events_before,
            last_trades=self._last_trades,
            last_bars=self._last_bars,
            epochs=self._epochs,
            last_order_id=_last_order_id(self._recorded),
        )

    def _compare(self) -> None:
        shared = min(len(self._recorded), len(self._regenerated))
        recorded, regenerated = self._recorded[:shared], self._regenerated[:shared]
        if recorded != regenerated:
            raise_divergence(self._recorded, self._regenerated, self._engine)
        self._recorded = self._recorded[shared:]
        self._regenerated = self._regenerated[shared:]


def _is_end_of_data(note: bytes) -> bool:
    if frames.kind_of(note) != frames.SESSION_END:
        return False
    (end,) = records_in(note, [0])
    return isinstance(end.body, SessionEnd) and end.body.reason == END_OF_DATA


def _last_order_id(data: bytes) -> int:
    """Return the highest number of an order in whole frames; 0 for none."""
    orders = (record.body for record in frames.scan(data).records(0))
    return max((body.order_id for body in orders if isinstance(body, Order)), default=0)


def _first(data: bytes) -> bytes:
    return data[: 4 + int.from_bytes(data[:4], "little")]


def _time_of_last(chunk: bytes) -> int:
    position, last = 0, 0
    while position < len(chunk):
        last = position
        position += 4 + int.from_bytes(chunk[position : position + 4], "little")
    return int.from_bytes(chunk[last + 5 : last + 13], "little", signed=True)
