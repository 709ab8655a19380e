"""Log notifier: what happened, as structured lines on stderr."""

from tradecore_log.notifier import LogNotifier
from tradecore_log.setup import configure

__all__ = ["LogNotifier", "configure"]
