"""Log notifier: what happened, as structured lines on stderr."""

from tradecore_log.notifier import LogNotifier
from tradecore_log.recent import RecentLines
from tradecore_log.setup import configure, redirect

__all__ = ["LogNotifier", "RecentLines", "configure", "redirect"]
