"""Paths of `[data]`: one or several, of one instrument or of each."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tradecore.domain import shape
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Matching
from tradecore_api.config.paths import text_rule
from tradecore_api.config.tables import ConfigTables, DataFormat, DataTable, InstrumentDataTable, Paths

PLACEHOLDER = "{symbol}"
# Keys that hold paths: what can be events by itself, and what belongs to bars.
EVENT_KEYS = ("path", "quotes", "trades")
FILE_KEYS = (*EVENT_KEYS, "funding", "marks")
_WILDCARDS = frozenset("*?[")


def each(paths: Paths | None) -> tuple[str, ...]:
    """Return the paths of a setting that takes one or several."""
    if paths is None:
        return ()
    return (paths,) if isinstance(paths, str) else paths


def of_symbol(paths: Paths | None, symbol: str) -> tuple[str, ...]:
    """Return the paths of an instrument: `{symbol}` is its name, as it can stand in the name of a file."""
    name = symbol.replace("/", "_").replace(":", "_")
    return tuple(path.replace(PLACEHOLDER, name) for path in each(paths))


def of_instrument(data: DataTable, symbol: str) -> DataTable:
    """Return the settings of one instrument: its own in the place of those of all."""
    own = data.instrument.get(symbol, InstrumentDataTable())
    changes = {name: value for name, value in msgspec.structs.asdict(own).items() if value is not None}
    return msgspec.structs.replace(data, **{"path": data.paths.get(symbol, data.path), **changes})


def shown(data: DataTable) -> str:
    """Return the paths as an error shows them."""
    tables: list[DataTable | InstrumentDataTable] = [data, *data.instrument.values()]
    found = [path for table in tables for key in EVENT_KEYS for path in each(getattr(table, key))]
    return ", ".join([*found, *(path for paths in data.paths.values() for path in each(paths))])


def journal(data: DataTable) -> JournalFolder | None:
    """Return the journal that the table names, `None` when it names something else."""
    paths = each(data.path)
    if len(paths) != 1 or not (named := JournalFolder(paths[0])).exists():
        return None
    is_one = data.format is DataFormat.JOURNAL or (data.format is DataFormat.AUTO and named.is_journal())
    return named if is_one else None


def check(tables: ConfigTables, report: shape.Report) -> None:
    """Report paths that name no file, and instruments without data."""
    data = tables.data
    if data is None:
        return
    if not shown(data):
        report("data.path", None, "is missing: name a file, or one for each instrument in [data.paths]")
        return
    if data.path is not None and data.paths:
        report("data.paths", None, "write either path or [data.paths], not both")
    symbols = [instrument.symbol for instrument in tables.instruments]
    for table, named in (("paths", data.paths), ("instrument", data.instrument)):
        for symbol in named:
            if symbol not in symbols:
                rule = f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}"
                report(f"data.{table}.{symbol}", symbol, rule)
    for symbol in symbols:
        _check_instrument(tables, data, symbol, report)
    for key, path in _named(data, symbols):
        _check_path(key, path, report)
    for problem in shared(data, symbols):
        report(*problem)


def shared(data: DataTable, symbols: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield key, value and rule of files that would be those of several instruments; a journal may be."""
    is_recorded = journal(data) is not None
    for name in FILE_KEYS:
        seen: dict[tuple[str, ...], str] = {}
        for symbol in symbols:
            named = of_symbol(getattr(of_instrument(data, symbol), name), symbol)
            if named and named in seen and not (name == "path" and is_recorded):
                what = f"is one series, and there are the instruments {seen[named]}, {symbol}"
                other = " or name a file for each in [data.paths]" if name == "path" else ""
                yield f"data.{name}", ", ".join(named), f"{what}; write {PLACEHOLDER} in it{other}"
                break
            seen[named] = symbol


def _check_instrument(tables: ConfigTables, data: DataTable, symbol: str, report: shape.Report) -> None:
    """Report an instrument without data, or without those that its orders are matched against."""
    own = of_instrument(data, symbol)
    if not any(getattr(own, key) for key in EVENT_KEYS):
        key = "data.instrument" if data.instrument else "data.paths"
        report(key, None, f"names no file for {symbol}; each instrument needs its own")
        return
    matching = tables.venue.matching
    if own.path is None and matching is Matching.BARS:
        rule = (
            f"needs bars, and there are none of {symbol}: set data.path, or choose quotes if there are quotes"
        )
        report("venue.matching", matching.value, rule)
    if own.path is None and own.quotes is None and matching is Matching.QUOTES:
        rule = f"needs quotes, and there are none of {symbol}: name their file in data.quotes"
        report("venue.matching", matching.value, rule)


def _named(data: DataTable, symbols: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each path with the key it stands in, once for each instrument where it names one."""
    for key in FILE_KEYS:
        paths = getattr(data, key)
        for symbol in symbols if PLACEHOLDER in "".join(each(paths)) else symbols[:1] or [""]:
            if getattr(data.instrument.get(symbol), key, None) is None:
                yield from ((f"data.{key}", path) for path in of_symbol(paths, symbol))
    for symbol, paths in data.paths.items():
        yield from ((f"data.paths.{symbol}", path) for path in of_symbol(paths, symbol))
    for symbol, table in data.instrument.items():
        for key in FILE_KEYS:
            where = f"data.instrument.{symbol}.{key}"
            yield from ((where, path) for path in of_symbol(getattr(table, key), symbol))


def _check_path(key: str, path: str, report: shape.Report) -> None:
    """Report a path that is no file and no directory; a pattern is looked up when it is read."""
    rule = text_rule(path)
    if rule is None and not Path(path).exists() and _WILDCARDS.isdisjoint(path):
        rule = "no such file"
    if rule is not None:
        report(key, path, rule)
