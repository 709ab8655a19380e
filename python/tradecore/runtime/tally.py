"""How far a session has come with its feed, counted from what it journals."""

from tradecore.domain import EventBatch
from tradecore.domain.feeds import last_seen
from tradecore.domain.journal import events_from_frames
from tradecore.domain.snapshot import Progress
from tradecore.runtime.frames import FrameScan
from tradecore.runtime.recovery import epochs_in


class Tally:
    """Counts market events, and where that is asked for the last trade and bar of each instrument.

    Parameters
    ----------
    progress : Progress
        Where it begins.
    names_last : bool
        Whether last trades and bars are counted: a feed that begins with its past needs them.
    """

    def __init__(self, progress: Progress, *, names_last: bool) -> None:
        self._market_events = progress.market_events
        self._events_before = progress.events_before
        self._last_time_ns = progress.last_time_ns
        self._is_complete = progress.is_complete
        known = progress.last_trades, progress.last_bars
        self._names_last = names_last and None not in known
        self._last_trades = dict(progress.last_trades or {})
        self._last_bars = dict(progress.last_bars or {})
        self._epochs = dict(progress.epochs)

    def note(self, scanned: FrameScan, last_time_ns: int) -> None:
        """Count frames that are journalled."""
        self._market_events += scanned.market_events
        self._last_time_ns = last_time_ns
        self._epochs = epochs_in(scanned.notes) or self._epochs
        if self._names_last and scanned.market_events:
            batch = EventBatch()
            events_from_frames(scanned.engine, batch)
            trades, bars = last_seen(batch)
            self._last_trades |= trades
            self._last_bars |= bars

    def complete(self) -> None:
        """Learn that the data have ended."""
        self._is_complete = True

    @property
    def market_events(self) -> int:
        """Events of the feed in the journal."""
        return self._market_events

    def progress(self) -> Progress:
        """Return what is counted."""
        return Progress(
            market_events=self._market_events,
            events_before=self._events_before,
            last_time_ns=self._last_time_ns,
            is_complete=self._is_complete,
            last_trades=dict(self._last_trades) if self._names_last else None,
            last_bars=dict(self._last_bars) if self._names_last else None,
            epochs=self._epochs,
        )
