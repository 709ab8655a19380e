"""Sets up stdlib logging for a program: one line an event, on stderr."""

import logging
import sys
import time
from functools import lru_cache
from typing import TextIO

import msgspec

# Attributes every log record has; what else it has are the values of the event.
_FIRST = ("time", "level", "event", "words")
# Exact decimals become text with every digit.
_JSON = msgspec.json.Encoder(enc_hook=str, decimal_format="string")
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """Formats an event as its words, one without words as `event key=value ...`; or as JSON lines.

    An event has words in its attribute `words`, and in `told` the same as values for machines, or a function
    that returns them, which JSON lines alone call. Times are UTC.

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
        at = f"{_second(int(record.created))}.{int(record.msecs):03d}Z"
        event = record.getMessage()
        words, told = values.pop("words", None), values.pop("told", {})
        if record.exc_info:
            values["exception"] = self.formatException(record.exc_info)
        if self._is_json:
            said = {} if words is None else {"words": words}
            told = told() if callable(told) else told
            line = {**told, **values, **said, "time": at, "level": record.levelname.lower(), "event": event}
            return _JSON.encode(dict(sorted(line.items(), key=_place))).decode()
        shown = " ".join(f"{name}={_shown(value)}" for name, value in values.items())
        said_first = _one_line(event if words is None else words)
        return f"{at} {record.levelname.lower():<7} {said_first} {shown}".rstrip()


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


def redirect(stream: TextIO) -> TextIO | None:
    """Send what is logged to another stream; return the one before, `None` when nothing is set up."""
    before: TextIO | None = None
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and isinstance(handler.formatter, EventFormatter):
            before = handler.stream
            handler.setStream(stream)
    return before


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    """Return a second as text: lines come in bursts."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _place(item: tuple[str, object]) -> int:
    """Put what every line has first; the rest stays in its order."""
    return _FIRST.index(item[0]) if item[0] in _FIRST else len(_FIRST)


def _one_line(words: str) -> str:
    return " ".join(words.split("\n"))


def _shown(value: object) -> str:
    text = str(value)
    return msgspec.json.encode(text).decode() if any(c.isspace() or c in '="' for c in text) else text
