"""Writes committed records to the log."""

import logging
from collections.abc import Sequence

from tradecore.domain.record import JournalRecord

log = logging.getLogger("tradecore.journal")

# Kinds a person wants to see while it runs; the rest is told at level debug.
_LEVELS = {
    "session": logging.INFO,
    "session_end": logging.INFO,
    "command": logging.WARNING,
    "refused": logging.WARNING,
}
_LONG_FIELDS = frozenset({"config", "gates"})


class LogNotifier:
    """A `Notifier` that logs orders, reports, refusals, decisions, commands and marks of sessions.

    Fills and refusals are told at the levels info and warning, the many steps between at debug.
    """

    async def notify(self, records: Sequence[JournalRecord], /) -> None:
        """Log these records, one event each."""
        for record in records:
            level = _level(record)
            if log.isEnabledFor(level):
                fields = {f"{_safe(name)}": value for name, value in record.fields.items()}
                for name in _LONG_FIELDS & fields.keys():
                    del fields[name]
                log.log(level, record.kind, extra={"seq": record.seq, "time_ns": record.time_ns, **fields})

    async def aclose(self) -> None:
        """Nothing is held."""


def _level(record: JournalRecord) -> int:
    if record.kind == "report" and _is_important(record):
        return logging.INFO
    return _LEVELS.get(record.kind, logging.DEBUG)


def _is_important(record: JournalRecord) -> bool:
    return "lots" in record.fields or "reason" in record.fields


def _safe(name: str) -> str:
    """Keep clear of the names that logging uses itself."""
    return f"{name}_" if name in {"name", "msg", "args", "message", "module", "asctime"} else name
