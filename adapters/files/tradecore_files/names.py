"""Which columns are wanted and under which names a file may have them."""

from collections.abc import Mapping, Sequence

import msgspec

from tradecore.domain import DataError
from tradecore.domain.column_names import TIME_NAMES


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A column we want.

    Attributes
    ----------
    name : str
        Our name.
    kind : str
        `time`, `steps`, `nearest`, `signed`, `id` or `flag`, as `read_columns` has them.
    step : str
        Step of a price or size as decimal text.
    aliases : tuple of str
        Other names in files, lower case.
    is_optional : bool
        Whether a file may lack it.
    """

    name: str
    kind: str
    step: str = ""
    aliases: tuple[str, ...] = ()
    is_optional: bool = False


TIME = Wanted(name="time", kind="time", aliases=TIME_NAMES)


def find_columns(
    where: str, header: Sequence[str], wanted: Sequence[Wanted], columns: Mapping[str, str] | tuple[str, ...]
) -> dict[str, int]:
    """Return where each wanted column stands in the header.

    Raises
    ------
    DataError
        When a column is missing or a name stands for two.
    """
    if isinstance(columns, tuple):
        return ordered_columns(where, header, wanted, columns)
    known = {column.name for column in wanted}
    if unknown := sorted(set(columns) - known):
        raise DataError(where, f"columns names {unknown[0]!r}; it may name {', '.join(sorted(known))}")
    exact = [name.strip() for name in header]
    # `Candlestick.Open` and `<OPEN>` are `open`.
    short = [name.lower().rpartition(".")[2].strip("<>") for name in exact]
    found: dict[str, int] = {}
    for column in wanted:
        names: tuple[str, ...] = (column.name, *column.aliases)
        if column.name in columns:
            names = (columns[column.name],)
            position = _position(names[0], exact)
            if position is None:
                position = _position(names[0].lower(), [name.lower() for name in exact])
        else:
            position = next((at for name in names if (at := _position(name, short)) is not None), None)
            _refuse_several(where, column.name, exact, short, position)
        if position is not None:
            if exact[position] and exact.count(exact[position]) > 1:
                raise DataError(where, f"column {exact[position]!r} is there twice; remove or rename one")
            found[column.name] = position
        elif not column.is_optional:
            has = ", ".join(repr(name) for name in exact[:12])
            what = f"column {names[0]!r} is missing; there are {has}; name it in columns"
            if any(name[:1].isdigit() for name in exact):
                what += (
                    ', or write data.columns = ["time", ...] in their order if these are values, not names'
                )
            raise DataError(where, what)
    return found


def _refuse_several(
    where: str, name: str, exact: Sequence[str], short: Sequence[str], position: int | None
) -> None:
    """Refuse a name that several columns have but for a prefix or the case: `bid.open` and `ask.open`."""
    if position is None or exact.count(exact[position]) > 1:
        return
    same = [exact[at] for at, other in enumerate(short) if other == short[position]]
    if len(same) > 1:
        shown = " and ".join(repr(other) for other in same[:3])
        what = f'{shown} can each be {name!r}; say which, as in columns = {{{name} = "{same[0]}"}}'
        raise DataError(where, what)


def ordered_columns(
    where: str, fields: Sequence[str], wanted: Sequence[Wanted], columns: tuple[str, ...]
) -> dict[str, int]:
    """Return where each wanted column stands when our names are given in the order of the columns.

    Raises
    ------
    DataError
        When there are more names than columns, one is unknown or there twice, or a column is missing.
    """
    known = ", ".join(column.name for column in wanted)
    if len(columns) > len(fields):
        raise DataError(where, f"has {len(fields)} columns, and data.columns names {len(columns)}")
    for name in columns:
        if name and name not in {column.name for column in wanted}:
            raise DataError(
                where, f'data.columns names {name!r}; it may name {known}, and "" passes one over'
            )
        if name and columns.count(name) > 1:
            raise DataError(where, f"data.columns names {name!r} twice")
    for column in wanted:
        if not column.is_optional and column.name not in columns:
            raise DataError(where, f"column {column.name!r} is missing in data.columns")
    return {name: at for at, name in enumerate(columns) if name}


def _position(name: str, names: Sequence[str]) -> int | None:
    return names.index(name) if name in names else None
