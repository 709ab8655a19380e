"""A frame holds one instrument: rows of several, told apart by a column, would be one nonsensical series."""

from collections.abc import Container

from tradecore.domain.column_names import SYMBOL_NAMES
from tradecore.domain.errors import DataError
from tradecore.frames.table import Table

_TAKES = {
    "pandas": "frame[frame[{0!r}] == {1!r}]",
    "polars": "frame.filter(polars.col({0!r}) == {1!r})",
    "arrow": "table.filter(pyarrow.compute.field({0!r}) == {1!r})",
    "numpy": "array[array[{0!r}] == {1!r}]",
}
_OF_INDEX = "frame[frame.index == {1!r}]"
_ALL_OF_PANDAS = ", or hand run_frame all of them: dict(list(frame.groupby({0!r})))"


def refuse_several(table: Table, taken: Container[int]) -> None:
    """Raise `DataError` when a column that is not among those `taken` names more than one symbol."""
    for at, label in enumerate(table.labels):
        if at in taken or label.strip().strip("<>").lower() not in SYMBOL_NAMES:
            continue
        symbols = {name for name in table.read(at).values.tolist() if isinstance(name, str | int)}
        if len(symbols) > 1:
            raise _several(table, at, symbols)


def _several(table: Table, at: int, symbols: set[str | int]) -> DataError:
    label = table.labels[at]
    first, second, *_ = sorted(symbols, key=str)
    is_index = bool(table.index_kind) and at == len(table.labels) - 1
    take = (_OF_INDEX if is_index else _TAKES[table.library]).format(label, first)
    every = _ALL_OF_PANDAS.format(label) if table.library == "pandas" else ""
    what = f"column {label!r} names several instruments, such as {first!r} and {second!r}"
    return DataError(
        "frame", f"{what}: take one, as in {take}{every}; drop the column if they are one series"
    )
