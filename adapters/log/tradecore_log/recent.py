"""Keeps the last lines of the log in memory."""

import logging
from collections import deque

from tradecore_log.setup import EventFormatter


class RecentLines(logging.Handler):
    """A handler that remembers the last lines, as text for people.

    Parameters
    ----------
    lines_max : int
        How many are kept.
    """

    def __init__(self, lines_max: int) -> None:
        super().__init__()
        self.setFormatter(EventFormatter(is_json=False))
        self._records: deque[logging.LogRecord] = deque(maxlen=lines_max)

    @classmethod
    def attached(cls, lines_max: int) -> "RecentLines":
        """Return one that hears everything that is logged."""
        recent = cls(lines_max)
        logging.getLogger().addHandler(recent)
        return recent

    def detach(self) -> None:
        """Listen no more; what was kept stays."""
        logging.getLogger().removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep an event of the log, formed into a line when it is looked at; the oldest one makes room."""
        self._records.append(record)

    def lines(self) -> list[str]:
        """Return what is kept, oldest first."""
        return [self.format(record) for record in list(self._records)]
