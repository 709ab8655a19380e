"""Sessions of exchanges, as the library `exchange_calendars` knows them."""

import difflib
import warnings
from datetime import date, timedelta
from types import ModuleType
from typing import Any

from tradecore.domain import InvalidValueError
from tradecore_calendars.fx import FX

_NS_PER_DAY = 86_400_000_000_000
# The day of a session and the days that it touches in UTC are at most two apart.
_AROUND = timedelta(days=3)


def exchange_sessions(name: str, from_ns: int, to_ns: int) -> list[tuple[int, int]]:
    """Return the start and end of the sessions of an exchange around a range of time, UTC nanoseconds.

    A break at noon is part of its session: an order for the day lives through it.

    Raises
    ------
    InvalidValueError
        When the library is missing, does not know the exchange, or knows it only from later on.
    """
    library = _library(name)
    known = set(library.get_calendar_names())
    if name not in known:
        # A name in the wrong case is the nearest one, for `fx` too.
        written = {other.upper(): other for other in [*known, FX]}
        near = [written[upper] for upper in difflib.get_close_matches(name.upper(), written, n=1)]
        hint = f"did you mean {near[0]!r}?" if near else "e.g. XNYS, XNAS, XLON or CME"
        rule = f"must be 24/7, fx, or an exchange that exchange_calendars knows; {hint}"
        raise InvalidValueError("calendar", name, rule)
    with warnings.catch_warnings():
        # What the library calls of pandas is the library's to mend.
        warnings.simplefilter("ignore")
        calendar = _calendar(library, name, from_ns, to_ns)
        schedule = calendar.schedule
        opens = schedule["open"].dt.as_unit("ns").astype("int64")
        closes = schedule["close"].dt.as_unit("ns").astype("int64")
    return list(zip(opens.tolist(), closes.tolist(), strict=True))


def _library(name: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import exchange_calendars  # type: ignore[import-untyped]  # the library states no types
    except ImportError as error:
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == "exchange_calendars"
        # Else it or what it needs itself is broken, and the environment is to blame.
        trouble = "is not installed" if is_missing else f"cannot be imported here ({error})"
        rule = (
            f"needs the package exchange_calendars, which {trouble}: pip install exchange_calendars, "
            "or choose 24/7 or fx"
        )
        raise InvalidValueError("calendar", name, rule) from (None if is_missing else error)
    library: ModuleType = exchange_calendars
    return library


def _calendar(library: ModuleType, name: str, from_ns: int, to_ns: int) -> Any:  # noqa: ANN401  # a class of the library
    """Make the calendar of a range of time, cut where the holidays are known no longer."""
    first, last = _day(from_ns), _day(to_ns)
    start, end = first - _AROUND, last + _AROUND
    try:
        return library.get_calendar(name, start=start, end=end)
    except (ValueError, NotImplementedError) as error:
        failure = error
    try:
        # Without a range the library gives what it knows, and with it how far that goes.
        whole = library.get_calendar(name)
        earliest, latest = whole.bound_min(), whole.bound_max()
        if earliest is not None and first < earliest.date():
            rule = f"is known by exchange_calendars from {earliest.date()} on, and is needed from {first} on"
            raise InvalidValueError("calendar", name, rule)
        start = start if earliest is None else max(start, earliest.date())
        end = end if latest is None else min(end, latest.date())
        return library.get_calendar(name, start=start, end=end)
    except (ValueError, NotImplementedError):
        rule = f"cannot be made by exchange_calendars {library.__version__}: {str(failure)[:200]}"
        raise InvalidValueError("calendar", name, rule) from failure


def _day(time_ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=time_ns // _NS_PER_DAY)
