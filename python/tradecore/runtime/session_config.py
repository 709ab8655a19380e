"""What decides the bytes of a session: written first into its journal, compared on every restart."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import UNSET, UnsetType

from tradecore.decision import GateConfig
from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import BEHAVIOUR_VERSION
from tradecore.domain.spec import EngineSpec, HedgedMargin, Mode, Positions
from tradecore.domain.unreadable import UNREADABLE

_CALENDARS = "engine.calendars."
_FEED_FROM = "feed_from_ns"
# Of the session, and no setting.
_OF_SESSION = ("arming.", "epochs.")
_BEHAVIOUR = "behaviour"


class ArmedBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who armed a live engine, when, and the hash of what was armed.

    Attributes
    ----------
    person : str
        Who armed it.
    time_ns : int
        When, UTC nanoseconds.
    digest : str
        SHA-256 of the signed arming, hexadecimal.
    code : dict of str to str
        SHA-256 of the code of each strategy, hexadecimal, by its name; none in older journals.
    """

    person: str
    time_ns: int
    digest: str
    code: dict[str, str] = {}


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Engine settings, strategies with their parameters, decision gates, and which feed it was.

    `strategies` and `feed` are plain values. Files are compared by name, whatever their directory: a
    project that was moved goes on with its journal. `behaviour` is the version of what the engine makes of
    its events.

    `feed_from_ns` is set where an account goes on with a feed that it had taken up at that time: events
    before it are no part of what `Opening.market_events` counts. It follows from the journal and is not
    compared. `arming` says which arming a live session began with, and `epochs` all epochs that each account
    has had in this journal; they are not compared either.
    """

    engine: EngineSpec
    strategies: tuple[dict[str, object], ...] = ()
    feed: dict[str, object] = {}
    gates: tuple[GateConfig, ...] = ()
    behaviour: int = BEHAVIOUR_VERSION
    feed_from_ns: int | UnsetType = UNSET
    arming: ArmedBy | UnsetType = UNSET
    epochs: dict[str, tuple[Epoch, ...]] | UnsetType = UNSET

    def encoded(self) -> bytes:
        """Return the JSON text of the journal's first record, keys sorted.

        What only several accounts have is left out where there is one, that positions are netted where they
        are, that margin is asked for both sides where it is, canary profiles where there is none, and
        approvals where nobody is asked: such journals are as they were.
        """
        tree = msgspec.to_builtins(self)
        if not self.engine.canaries:
            del tree["engine"]["canaries"]
        if self.engine.approval is None:
            del tree["engine"]["approval"]
        for account in (tree["engine"]["account"], *tree["engine"]["accounts"]):
            if account["positions"] == Positions.NETTING:
                del account["positions"]
            if account["hedged_margin"] == HedgedMargin.BOTH:
                del account["hedged_margin"]
        if self.engine.accounts:
            return msgspec.json.encode(tree, order="sorted")
        del tree["engine"]["accounts"], tree["engine"]["risk"]["portfolio"]
        for instrument in tree["engine"]["instruments"]:
            del instrument["account"]
        return msgspec.json.encode(tree, order="sorted")

    @classmethod
    def decoded(cls, data: bytes) -> "SessionConfig":
        """Read what `encoded` wrote.

        Raises `msgspec.ValidationError` when it is anything else.
        """
        return msgspec.json.decode(data, type=cls)

    @property
    def names(self) -> list[str]:
        """Names of the strategies, by their numbers; one that has none is called by its number."""
        return [str(known.get("name", f"strategy {index}")) for index, known in enumerate(self.strategies)]

    def check_same(self, recorded: bytes, journal_path: str, *, any_behaviour: bool = False) -> None:
        """Refuse to go on with a journal that was written with other settings.

        A setting that the journal does not know yet had its default. A table of sessions is one value, and
        one of a calendar that no instrument had on the other side is not compared: that the instrument's
        calendar differs says it. With `any_behaviour` the version of the behaviour may be another one.

        Raises
        ------
        ConfigError
            Names the keys that differ and the ways out.
        """
        changes = self.changes_since(recorded)
        if any_behaviour:
            changes.pop(_BEHAVIOUR, None)
        if not changes:
            return
        # Whatever else differs does not matter beside it.
        check_mode(recorded_mode(recorded), self.engine.mode, journal_path)
        raise ConfigError(
            journal_path,
            ", ".join(changes),
            None,
            f"the journal was written with other settings ({'; '.join(changes.values())}): restore them; or "
            "start with --carry-over to take cash and positions to a new journal, or with --new-journal to "
            "begin with the configured cash; or choose another journal.path",
        )

    def changes_since(self, recorded: bytes) -> dict[str, str]:
        """Return the settings that differ from recorded ones, by key and in words; empty for none.

        What `check_same` does not compare is not told either.
        """
        ours, theirs = _compared(self.encoded()), _compared(_with_defaults(recorded))
        for key in ours.keys() ^ theirs.keys() | {_FEED_FROM}:
            if key == _FEED_FROM or key.startswith(_CALENDARS):
                ours.pop(key, None)
                theirs.pop(key, None)
        # A journal that names no version is of the first one, and not of this program's.
        theirs["behaviour"] = recorded_behaviour(recorded)
        different = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
        return {key: f"{key} was {theirs.get(key)!r}, is {ours.get(key)!r}" for key in different}


def check_mode(recorded: str, now: Mode, journal_path: str) -> None:
    """Refuse to make real positions of simulated ones, or the other way round; raises `ConfigError`."""
    if not recorded or (recorded == Mode.LIVE.value) is (now is Mode.LIVE):
        return
    rule = (
        f"was written in {recorded} mode: what was traded there is not what a {now.value} account "
        "holds, and nothing of it is carried over; start with --new-journal, or choose another "
        "journal.path and account.name"
    )
    raise ConfigError(journal_path, "engine.mode", now.value, rule)


def check_behaviour(recorded: bytes, journal_path: str, next_step: str) -> None:
    """Refuse to make the orders of a journal again that an engine of another behaviour wrote.

    Parameters
    ----------
    recorded : bytes
        Configuration in the journal's first record.
    journal_path : str
        The journal, for the message.
    next_step : str
        What to do instead, a sentence without its full stop.

    Raises
    ------
    ConfigError
        Names both versions, what still works on the journal, and what to do.
    """
    version = recorded_behaviour(recorded)
    if version == BEHAVIOUR_VERSION:
        return
    raise ConfigError(
        journal_path,
        "behaviour",
        version,
        f"the engine's behaviour has changed since this journal was written: it is of version {version}, "
        f"this program of {BEHAVIOUR_VERSION}, and would make other orders of the same events. Nothing was "
        "run and the journal is as it was: `journal verify`, `journal tail`, `journal export` and "
        f"`db rebuild` work on it, and it can be the history of a backtest. {next_step}",
    )


def recorded_behaviour(recorded: bytes) -> int:
    """Return the version of behaviour that a journal's first record names; 1 where it names none."""
    try:
        return msgspec.json.decode(recorded, type=_NamesBehaviour).behaviour
    except UNREADABLE:
        return 1


def is_recorded_live(recorded: bytes) -> bool:
    """Tell whether the orders of a journal went to a venue outside, as its first record says."""
    return recorded_mode(recorded) == Mode.LIVE.value


def recorded_mode(recorded: bytes) -> str:
    """Return the mode that a journal's first record names; empty where it names none."""
    try:
        return msgspec.json.decode(recorded, type=_NamesMode).engine.mode
    except UNREADABLE:
        return ""


def recorded_feed_time(recorded: bytes) -> int | None:
    """Return `feed_from_ns` of a journal's first record; `None` where it names none."""
    try:
        return msgspec.json.decode(recorded, type=_NamesFeedTime).feed_from_ns
    except UNREADABLE:
        return None


def recorded_epochs(recorded: bytes) -> dict[str, tuple[Epoch, ...]]:
    """Return the epochs that the record of a session names, by account; none where it knows none."""
    try:
        return msgspec.json.decode(recorded, type=_NamesEpochs).epochs
    except UNREADABLE:
        return {}


class _NamesBehaviour(msgspec.Struct):
    """The one key of a recorded configuration that is read before all others."""

    behaviour: int = 1


class _Named(msgspec.Struct, frozen=True):
    mode: str = ""


class _NamesMode(msgspec.Struct):
    """The key that says where orders go."""

    engine: _Named = _Named()


class _NamesFeedTime(msgspec.Struct):
    """The key that says from when on a feed counts."""

    feed_from_ns: int | None = None


class _NamesEpochs(msgspec.Struct):
    """The key that says by which epochs orders are named."""

    epochs: dict[str, tuple[Epoch, ...]] = {}


def _with_defaults(recorded: bytes) -> bytes:
    """Write settings as a journal of today has them; what cannot be read stays as it is."""
    try:
        return SessionConfig.decoded(recorded).encoded()
    except msgspec.ValidationError:
        return recorded


def _compared(encoded: bytes) -> dict[str, object]:
    """Return settings by key; who armed the engine is none, and by which epochs it traded."""
    flat = _flat(msgspec.json.decode(encoded))
    return {key: value for key, value in flat if not key.startswith(_OF_SESSION)}


def _told_table(table: Mapping[object, object]) -> str:
    """Name a table of sessions by how many there are and a hash of them."""
    spans = table.get("spans")
    count = (len(spans) + 1) // 2 if isinstance(spans, list) else 0
    digest = hashlib.sha256(msgspec.json.encode(table, order="sorted")).hexdigest()
    return f"{count} sessions, hash {digest[:12]}"


def _flat(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    match value:
        case Mapping() if key.startswith(_CALENDARS):
            yield key, _told_table(value)
        case Mapping():
            for name, item in value.items():
                yield from _flat(item, f"{key}.{name}" if key else str(name))
        case list():
            for index, item in enumerate(value):
                yield from _flat(item, f"{key}.{index}")
        case str() if key.endswith((".class", ".path", ".latency_file")):
            yield key, value.replace("\\", "/").rpartition("/")[2]
        case _:
            yield key, value
