"""From the name of a calendar and a range of time to its table of sessions."""

from collections.abc import Iterable

from tradecore.domain import ALWAYS_OPEN, InvalidValueError, SessionTable
from tradecore.domain.times import iso_time
from tradecore_calendars.fx import FX, fx_sessions


def session_table(calendar: str, from_ns: int, to_ns: int) -> SessionTable:
    """Return the sessions that end after `from_ns` and begin before `to_ns`, UTC nanoseconds.

    The table ends earlier where the holidays of an exchange are known for less long.

    Parameters
    ----------
    calendar : str
        `fx`, or an exchange that `exchange_calendars` knows: `XNYS`, `NASDAQ`, `XLON`, `CME` and so on.
    from_ns, to_ns : int
        The range of time that the table must cover.

    Raises
    ------
    InvalidValueError
        When there is no calendar of this name, when it is not known from `from_ns` on, or when
        `exchange_calendars` is not installed.
    """
    if calendar == ALWAYS_OPEN:
        raise InvalidValueError("calendar", calendar, "has no table: what trades all the time needs none")
    if calendar == FX:
        found: Iterable[tuple[int, int]] = fx_sessions(from_ns, to_ns)
    else:
        # It brings pandas, which takes seconds to import: only who names an exchange waits for it.
        from tradecore_calendars.exchanges import exchange_sessions

        found = exchange_sessions(calendar, from_ns, to_ns)
    wanted = [session for session in found if session[1] > from_ns and session[0] < to_ns]
    if not wanted:
        rule = (
            f"has no session between {iso_time(from_ns)} and {iso_time(to_ns)}: choose a longer range of time"
        )
        raise InvalidValueError("calendar", calendar, rule)
    return SessionTable.of([start for start, _ in wanted], [end for _, end in wanted])
