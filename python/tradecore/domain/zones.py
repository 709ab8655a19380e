"""Local times as UTC and back: the zone decides, and in the hour that comes twice the order of the rows."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError, InvalidValueError

Column = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_NS = 1_000_000_000
# An offset holds for whole quarters of an hour: ask once for each.
_QUARTER_S = 900
_DAY_NS = 86_400 * _SECOND_NS


def zone_named(name: str) -> ZoneInfo | None:
    """Return a time zone, `None` for UTC.

    Raises
    ------
    InvalidValueError
        When there is none of this name.
    """
    rule = "must be an IANA time zone such as Europe/Berlin"
    if not isinstance(name, str):
        raise InvalidValueError("timezone", name, rule)
    if name == "UTC":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValueError("timezone", name, rule) from None


def to_utc(
    where: str,
    first_row: int,
    wall: Column,
    zone: ZoneInfo,
    *,
    may_repeat: bool = False,
    setting: str = "data.timezone",
) -> Column:
    """Return local times, int64 nanoseconds as a clock on the wall shows them, as UTC nanoseconds.

    Where clocks go back, an hour comes twice: the rows before the time falls (or repeats, where times must
    rise) are of the first, those from there on of the second. A midnight alone is the first. Errors call the
    zone by its `setting`.

    Raises
    ------
    DataError
        When a time does not exist in the zone, or comes twice and the order of the rows does not tell which
        it is.
    """
    first, second = _offsets(wall, zone)
    is_missing = (first < second) & (wall % _DAY_NS != 0)
    if is_missing.any():
        row = int(np.argmax(is_missing))
        what = f"does not exist in {zone.key}, where clocks go forward over it; is {setting} right?"
        raise DataError(f"{where} {first_row + row}", f"time {np.datetime64(int(wall[row]), 'ns')}: {what}")
    offsets = first.copy()
    for start, end in _runs(first > second, wall // _DAY_NS):
        step = np.diff(wall[start:end])
        falls = step < 0 if may_repeat else step <= 0
        if falls.any():
            at = start + 1 + int(np.argmax(falls))
            offsets[at:end] = second[at:end]
        elif end - start > 1 or wall[start] % _DAY_NS != 0:
            what = (
                f"comes twice in {zone.key}, where clocks go back; the order of the rows does not tell which"
            )
            rule = "write times with their offset, such as +01:00, or in UTC"
            shown = np.datetime64(int(wall[start]), "ns")
            raise DataError(f"{where} {first_row + start}", f"time {shown}: {what} it is; {rule}")
    utc: Column = wall - offsets
    return utc


def instants(wall: Column, zone: ZoneInfo | None) -> Column:
    """Return the instants at which clocks first show these times, or jump over them."""
    return wall if zone is None else wall - _offsets(wall, zone)[0]


def on_the_wall(utc: Column, zone: ZoneInfo | None) -> Column:
    """Return UTC nanoseconds as clocks in the zone show them."""
    if zone is None:
        return utc
    quarters, index = np.unique(utc // (_QUARTER_S * _SECOND_NS), return_inverse=True)
    moments = (_EPOCH + timedelta(seconds=quarter * _QUARTER_S) for quarter in quarters.tolist())
    offsets = np.array([_seconds(moment.astimezone(zone)) for moment in moments], dtype=np.int64)
    wall: Column = utc + offsets[index] * _SECOND_NS
    return wall


def _offsets(wall: Column, zone: ZoneInfo) -> tuple[Column, Column]:
    """Return the offsets from UTC of local times, of the first and of the second time they come."""
    quarters, index = np.unique(wall // (_QUARTER_S * _SECOND_NS), return_inverse=True)
    found: Column = np.empty((2, len(quarters)), dtype=np.int64)
    for position, quarter in enumerate(quarters.tolist()):
        local = (_EPOCH + timedelta(seconds=quarter * _QUARTER_S)).replace(tzinfo=zone)
        for fold in (0, 1):
            found[fold, position] = _seconds(local.replace(fold=fold)) * _SECOND_NS
    return found[0][index], found[1][index]


def _seconds(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _runs(is_in: npt.NDArray[np.bool_], day: Column) -> list[tuple[int, int]]:
    """Return where rows that are in, of one day, begin and end."""
    rows = np.flatnonzero(is_in)
    if not len(rows):
        return []
    cuts = np.flatnonzero((np.diff(rows) > 1) | (np.diff(day[rows]) != 0)) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(rows, cuts)]
