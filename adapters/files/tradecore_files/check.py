"""Rules on whole columns; the first row that breaks one is named."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tradecore.domain import DataError
from tradecore_files.table import Table


class Check(NamedTuple):
    """A rule on a column: the rows where `is_broken` break it; `is_time` values are shown as times."""

    name: str
    values: npt.NDArray[np.int64]
    is_broken: npt.NDArray[np.bool_]
    rule: str
    is_time: bool = False


def times_rise(time: npt.NDArray[np.int64], *, may_repeat: bool = False) -> Check:
    """Return the rule that times rise from row to row."""
    step = np.diff(time, prepend=time[:1] - 1)
    if may_repeat:
        return Check("time", time, step < 0, "must not be before the row before; sort the oldest first", True)
    return Check("time", time, step <= 0, "must be after the row before; sort the oldest first", True)


def refuse_first(table: Table, step: str, checks: list[Check]) -> None:
    """Raise `DataError` for the first row of a table that breaks a rule, if any does; `step` is the unit."""
    broken = [(int(np.argmax(check.is_broken)), check) for check in checks if check.is_broken.any()]
    if not broken:
        return
    row, check = min(broken, key=lambda item: item[0])
    value = int(check.values[row])
    shown = str(np.datetime64(value, "ns")) if check.is_time else format(value * Decimal(step), "f")
    raise DataError(table.row_name(row), f"{check.name} {shown}: {check.rule}")
