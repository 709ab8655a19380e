"""Rules on whole columns; the first row that breaks one is named."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore.domain.times import plain_time
from tradecore_files.table import Table

# Days since 1970-01-01, a Thursday, modulo 7.
_SUNDAY = 3


class Check(NamedTuple):
    """A rule on a column: the rows where `is_broken` break it; `is_time` values are shown as times."""

    name: str
    values: npt.NDArray[np.int64]
    is_broken: npt.NDArray[np.bool_]
    rule: str
    is_time: bool = False


def times_rise(time: npt.NDArray[np.int64], *, may_repeat: bool = False, may_be_local: bool = False) -> Check:
    """Return the rule that times rise from row to row; local ones without a zone may repeat an hour."""
    step = np.diff(time, prepend=time[:1] - 1)
    is_broken = step < 0 if may_repeat else step <= 0
    rule = "must not be before the row before" if may_repeat else "must be after the row before"
    is_double = is_broken.any() and step[np.argmax(is_broken)] == 0
    rule += "; the time comes twice, so drop one of the two rows" if is_double else "; sort the oldest first"
    if may_be_local and is_broken.any() and _repeats_an_hour(time, int(np.argmax(is_broken))):
        rule += (
            ", or set data.timezone: an hour comes twice on this Sunday, as where clocks go back"
            " (a zone such as Europe/Berlin tells the two apart)"
        )
    return Check("time", time, is_broken, rule, True)


def _repeats_an_hour(time: npt.NDArray[np.int64], row: int) -> bool:
    """Tell whether times go back by at most an hour on a Sunday."""
    day_ns = 86_400 * 10**9
    is_sunday = int(time[row]) // day_ns % 7 == _SUNDAY
    return is_sunday and 0 <= int(time[row - 1] - time[row]) <= day_ns // 24


def refuse_first(table: Table, step: str, checks: list[Check]) -> None:
    """Raise `DataError` for the first row of a table that breaks a rule, if any does; `step` is the unit."""
    broken = [(int(np.argmax(check.is_broken)), check) for check in checks if check.is_broken.any()]
    if not broken:
        return
    row, check = min(broken, key=lambda item: item[0])
    value = int(check.values[row])
    shown = plain_time(value) if check.is_time else format(value * Decimal(step), "f")
    raise DataError(table.row_name(row), f"{check.name} {shown}: {check.rule}")
