"""Tells the records of a journal in words, by the instruments and strategies that its sessions name."""

from tradecore.domain.errors import DataError
from tradecore.domain.narrator import Narrator, Noted
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import Session, values_of
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime import SessionConfig


class JournalTeller:
    """A `Narrator` that gets names and units from the sessions of the journal itself.

    Where a session cannot be read (a much older program wrote it) records keep their raw values.
    """

    def __init__(self) -> None:
        self._narrator: Narrator | None = None

    def note(self, record: JournalRecord) -> Noted:
        """Take a record in, in the order of the journal."""
        if isinstance(record.body, Session):
            before, self._narrator = self._narrator, narrator_of(record.body) or self._narrator
            if before is not None and self._narrator is not None:
                self._narrator.go_on_from(before)
        return Noted(record=record) if self._narrator is None else self._narrator.note(record)

    def words(self, noted: Noted) -> str:
        """Return what a record says, in words."""
        if self._narrator is not None:
            return self._narrator.words(noted)
        record = noted.record
        return " ".join([record.kind, *(f"{name}={value}" for name, value in values_of(record.body).items())])

    def values(self, noted: Noted) -> dict[str, object]:
        """Return what a record says, names and exact decimals."""
        return {} if self._narrator is None else self._narrator.values(noted)


def narrator_of(session: Session) -> Narrator | None:
    """Return a narrator for what follows a `session` record; `None` when its settings cannot be read."""
    config = recorded_config_of(session)
    return None if config is None else Narrator(config.engine, config.names)


def config_of(session: Session, where: str) -> SessionConfig:
    """Return the settings of a `session` record of the journal `where`; raises `DataError` without them."""
    if (config := recorded_config_of(session)) is None:
        what = "its settings cannot be read: another version wrote it; use that version of tradecore"
        raise DataError(where, what)
    return config


def recorded_config_of(session: Session) -> SessionConfig | None:
    """Return the settings of a `session` record; `None` when they cannot be read."""
    text = session.config
    try:
        return SessionConfig.decoded(text.encode() if isinstance(text, str) else text)
    except UNREADABLE:
        return None
