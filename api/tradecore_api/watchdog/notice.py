"""Whether an engine has a watchdog: who watches those that watch."""

import logging

log = logging.getLogger("tradecore.watchdog")


class WatchdogNotice:
    """Logs when a live engine has no watchdog, and when one comes or goes; once each."""

    def __init__(self) -> None:
        self._was: bool | None = None

    def note(self, *, is_there: bool) -> None:
        """Take in whether a watchdog gives signs of life."""
        was, self._was = self._was, is_there
        if is_there == was:
            return
        if is_there:
            log.info("watchdog_there", extra={"words": "a watchdog watches this engine"})
        elif was is None:
            words = (
                "no watchdog: nobody ends the open orders if this process dies; start `tradecore watchdog` "
                "with the same configuration"
            )
            log.warning("watchdog_missing", extra={"words": words})
        else:
            words = "the watchdog is GONE: nobody ends the open orders if this process dies; start it again"
            log.error("watchdog_gone", extra={"words": words})
