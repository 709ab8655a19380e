"""A restart is a replay: brings an engine to where its journal ends."""

from collections.abc import Iterable, Sequence

import msgspec

from tradecore.domain import EventBatch
from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import ConfigError, DataError, StrategyError
from tradecore.domain.feeds import last_seen
from tradecore.domain.journal import BEHAVIOUR_VERSION, JournalFolder, events_from_frames
from tradecore.domain.journal_folder import CHUNK_BYTES_MAX
from tradecore.domain.record import records_in
from tradecore.domain.record_bodies import Account, Order, Session, SessionEnd
from tradecore.domain.snapshot import Progress, Snapshot, StrategyState
from tradecore.domain.times import iso_time
from tradecore.engine import Engine
from tradecore.engine.kept_state import is_same_state, state_versions
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
# Nothing of a feed was seen.
_FROM_THE_START = Progress(last_trades={}, last_bars={})
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


# What is said where another version of the behaviour wrote what came after the last snapshot.
END_IT_FIRST = (
    "a version of tradecore with another behaviour wrote what came after the last snapshot, and this one "
    "would make other orders of it. Start that version once more and end it cleanly (`tradecore stop`): it "
    "then leaves a snapshot from which this version goes on. Or start with --carry-over or --new-journal"
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
    last_trades : dict of int to int or None
        The number of the last trade of each instrument of which there is one; `None`: not counted.
    last_bars : dict of int to int or None
        When the last bar of each instrument closed of which there is one; `None`: not counted.
    feed_from_ns : int or None
        From when on the feed counts: events before that time are left out, and not counted. `None`: from its
        beginning.
    from_seq : int
        How many records were not replayed, because a snapshot has what came of them.
    replayed_events : int
        Market events among the records that were replayed.
    passed_over : tuple of str
        The snapshots that could not be used, each with why.
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
    last_trades: dict[int, int] | None = {}
    last_bars: dict[int, int] | None = {}
    feed_from_ns: int | None = None
    from_seq: int = 0
    replayed_events: int = 0
    passed_over: tuple[str, ...] = ()
    epochs: dict[str, tuple[Epoch, ...]] = {}
    last_order_id: int = 0

    def having_passed(self, snapshots: Iterable[str]) -> "Recovered":
        """Return the same, with the snapshots that could not be used."""
        return msgspec.structs.replace(self, passed_over=tuple(snapshots))

    def progress(self) -> Progress:
        """Return how far the feed has come."""
        return Progress(
            market_events=self.market_events,
            events_before=self.events_before,
            last_time_ns=self.last_time_ns,
            is_complete=self.is_complete,
            last_trades=self.last_trades,
            last_bars=self.last_bars,
            epochs=self.epochs,
        )

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


def recover_from(
    journal: JournalFolder, engine: Engine, config: SessionConfig, snapshot: Snapshot
) -> Recovered:
    """Bring a fresh engine to a journal's end from a snapshot and the records after it.

    Those records are replayed, and every frame is compared, as `recover` does with all of them.

    Raises
    ------
    ConfigError
        As of `recover`.
    DataError, StrategyError, InvalidValueError
        When the engine cannot go on from the snapshot, or the journal has no such place.
    DivergenceError
        When the engine does not make the recorded bytes again.
    """
    if recorded := recorded_config(journal):
        config.check_same(recorded, journal.where, any_behaviour=True)
    head = snapshot.head
    is_foreign = head.behaviour != BEHAVIOUR_VERSION
    reader = journal.reader(head.seq)
    reader.skip_to(head.seq)
    if (reader.records, reader.head) != (head.seq, head.head):
        raise DataError(
            journal.where, f"the journal has another record {head.seq} than the snapshot, or none"
        )
    engine.go_on(snapshot.body, [strategy.state for strategy in head.strategies], is_foreign=is_foreign)
    if engine.state_hash() != head.state_hash and not is_foreign:
        raise DataError(journal.where, "the engine has another state than the snapshot says")
    _check_loaded(engine, head.strategies)
    replay = _Replay(engine, head.seq, head.progress)
    begin = head.seq
    while data := reader.read_frames(CHUNK_BYTES_MAX):
        if not replay.follows(begin):
            raise DataError(journal.where, "old market events were dropped after the snapshot")
        if is_foreign and begin == head.seq and frames.has_events_before_session(data):
            raise ConfigError(journal.where, "behaviour", head.behaviour, END_IT_FIRST)
        replay.take(data)
        begin = reader.records
    if not replay.follows(begin):
        raise DataError(journal.where, "old market events were dropped after the snapshot")
    recovered = replay.outcome()
    return msgspec.structs.replace(recovered, feed_from_ns=feed_taken_up_at(journal), from_seq=head.seq)


def _check_loaded(engine: Engine, kept: Sequence[StrategyState]) -> None:
    """Refuse a state that a strategy has not taken up whole: with records after it that may show much later.

    One of another form is not compared: what it has become is its strategy's to know.
    """
    for before, now, binding in zip(kept, engine.kept_states(), engine.strategies, strict=True):
        if before.versions == state_versions(binding) and not is_same_state(before.name, before.state, now):
            what = "save_state does not return again what load_state was given: a part of it is lost"
            raise StrategyError(before.name, "load_state", engine.now_ns, what)


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
        known = epochs_in(frames.scan(chunk).notes) or known
    return known


def epochs_in(notes: Sequence[bytes]) -> dict[str, tuple[Epoch, ...]]:
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

    def __init__(self, engine: Engine, frames_before: int = 0, progress: Progress = _FROM_THE_START) -> None:
        self._engine = engine
        self._recorded = b""
        self._regenerated = b""
        self._frames = frames_before
        self._begins = frames_before == 0
        self._market_events = self._events_at_start = progress.market_events
        self._last_time_ns = progress.last_time_ns
        self._is_complete = progress.is_complete
        self._events_before = progress.events_before
        self._last_trades = None if progress.last_trades is None else dict(progress.last_trades)
        self._epochs = dict(progress.epochs)
        self._last_bars = None if progress.last_bars is None else dict(progress.last_bars)

    def follows(self, seq: int) -> bool:
        """Tell whether a record is the next one: none between was dropped."""
        return self._frames == seq

    def take(self, chunk: bytes) -> None:
        scanned = frames.scan(chunk)
        if self._begins and self._market_events == 0 and (opened := _opened(scanned.engine)) is not None:
            self._events_before = opened.events_before
        for note in scanned.notes:
            _check_version(note)
        self._frames += scanned.frames
        self._market_events += scanned.market_events
        self._last_time_ns = frames.time_of_last(chunk)
        self._epochs = epochs_in(scanned.notes) or self._epochs
        batch = EventBatch()
        events_from_frames(scanned.engine, batch)
        trades, bars = last_seen(batch)
        if self._last_trades is not None:
            self._last_trades |= trades
        if self._last_bars is not None:
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
            replayed_events=self._market_events - self._events_at_start,
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


def _check_version(note: bytes) -> None:
    """Refuse to run what a session of another behaviour wrote: a journal may have several."""
    if frames.kind_of(note) != frames.SESSION:
        return
    (begun,) = records_in(note, [0])
    if isinstance(begun.body, Session):
        check_behaviour(_config_of(begun.body), f"session of {iso_time(begun.time_ns)}", END_IT_FIRST)


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
