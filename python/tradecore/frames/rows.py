"""Rules on the rows of a frame; the first row that breaks one is named."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError
from tradecore.domain.times import plain_time
from tradecore.frames.table import Column, Table

_SORTS = {
    "pandas": ("frame.sort_values({0!r})", "frame.drop_duplicates({0!r})"),
    "polars": ("frame.sort({0!r})", "frame.unique({0!r}, keep='first', maintain_order=True)"),
    "arrow": ("table.sort_by({0!r})", "a group_by({0!r})"),
    "numpy": ("numpy.sort(array, order={0!r})", "numpy.unique"),
}
_OF_INDEX = ("frame.sort_index()", "frame[~frame.index.duplicated()]")


class Rule(NamedTuple):
    """A rule on the column of our name: the rows where `is_broken` break it."""

    name: str
    is_broken: npt.NDArray[np.bool_]
    text: str


def refuse_first(table: Table, columns: Mapping[str, Column], rules: Sequence[Rule]) -> None:
    """Raise `DataError` for the first row that breaks a rule, if any does."""
    broken = [(int(np.argmax(rule.is_broken)), rule) for rule in rules if rule.is_broken.any()]
    if not broken:
        return
    row, rule = min(broken, key=lambda item: item[0])
    column = columns[rule.name]
    what = f"{column.label} {column.values[row]}: {rule.text}"
    raise DataError(table.row_name(row), f"{what}; correct or drop the row")


def refuse_early(table: Table, label: str, time_ns: npt.NDArray[np.int64]) -> None:
    """Raise `DataError` for the first time before 1970, which the clock of an engine never shows."""
    is_early = time_ns < 0
    if not is_early.any():
        return
    row = int(np.argmax(is_early))
    what = f"{label} {plain_time(int(time_ns[row]))} (UTC): must not be before 1970"
    advice = f"an engine's time begins there; drop the {int(is_early.sum())} earlier rows"
    raise DataError(table.row_name(row), f"{what}; {advice}")


def refuse_unordered(table: Table, label: str, time_ns: npt.NDArray[np.int64], *, may_repeat: bool) -> None:
    """Raise `DataError` for the first time that falls, or repeats where it may not."""
    steps = np.diff(time_ns)
    is_broken = steps < 0 if may_repeat else steps <= 0
    if not is_broken.any():
        return
    row = int(np.argmax(is_broken)) + 1
    is_index = table.index_kind in {"times", "other"} and label == table.labels[-1]
    sort, once = _OF_INDEX if is_index else (text.format(label) for text in _SORTS[table.library])
    shown = plain_time(int(time_ns[row]))
    if steps[row - 1] == 0:
        what, advice = "is also the time of the row above it", f"{once} keeps the first of each"
    else:
        what = f"is earlier than the row above it, {plain_time(int(time_ns[row - 1]))}"
        advice = f"sort the oldest first, with {sort}"
    raise DataError(table.row_name(row), f"{label} {shown} {what}; {advice}")
