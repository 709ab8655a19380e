"""Whose an order is: the strategy that decided it, its code, and who let that trade."""

import msgspec

from tradecore.domain import record_bodies as bodies
from tradecore.domain.record import JournalRecord
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime.session_config import SessionConfig


class Attribution:
    """Follows the sessions of a journal, whose notes name strategies and arming, and attributes each order.

    An order belongs to the session that made it. One of paper, shadow and backtest has nobody who armed it;
    nor has one of a journal from before this was kept.
    """

    def __init__(self) -> None:
        self._config: SessionConfig | None = None

    def of(self, record: JournalRecord) -> dict[str, object]:
        """Return whose an order is, by the name `attributed`; nothing of any other record."""
        if isinstance(record.body, bodies.Session):
            self._config = _config(record.body)
        if not isinstance(record.body, bodies.Order) or self._config is None:
            return {}
        names, arming = self._config.names, self._config.arming
        number = record.body.strategy
        # What was taken over from others belongs to a strategy without code.
        name = names[number] if number < len(names) else f"strategy {number}"
        found: dict[str, object] = {"strategy": name}
        if arming is not msgspec.UNSET:
            found |= {"person": arming.person, "arming": arming.digest}
            found |= {"code": arming.code[name]} if name in arming.code else {}
        return {"attributed": found}


def _config(session: bodies.Session) -> SessionConfig | None:
    data = session.config.encode() if isinstance(session.config, str) else session.config
    try:
        return SessionConfig.decoded(data)
    except UNREADABLE:
        # Of another version: the note itself is in the export.
        return None
