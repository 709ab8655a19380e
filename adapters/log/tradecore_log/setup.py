"""Sets up stdlib logging for a program: one line an event, on stderr."""

import logging
import sys
from typing import TextIO

import msgspec

# Attributes every log record has; what else it has are the values of the event.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """Formats `event key=value ...`, or one JSON object a line.

    Parameters
    ----------
    is_json : bool
        JSON lines for machines instead of text for people.
    """

    def __init__(self, *, is_json: bool) -> None:
        super().__init__()
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        """Return one line without line breaks in it."""
        values = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        time = self.formatTime(record, "%Y-%m-%dT%H:%M:%S")
        event = record.getMessage()
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        if self._is_json:
            line = {"time": time, "level": record.levelname.lower(), "event": event, **values}
            return msgspec.json.encode(line, enc_hook=str).decode()
        told = " ".join(f"{name}={_shown(value)}" for name, value in values.items())
        return f"{time} {record.levelname.lower():<7} {event} {told}".rstrip()


def configure(*, level: str, is_json: bool, stream: TextIO | None = None) -> None:
    """Send every log event of this level or above to `stream` (stderr when `None`), once."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(EventFormatter(is_json=is_json))
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old.formatter, EventFormatter):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())


def _shown(value: object) -> str:
    text = str(value)
    return msgspec.json.encode(text).decode() if any(c.isspace() or c in '="' for c in text) else text
