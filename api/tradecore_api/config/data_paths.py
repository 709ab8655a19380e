"""Paths of `[data]`: one or several, of one instrument or of each."""

from collections.abc import Iterator
from pathlib import Path

from tradecore.domain import shape
from tradecore_api.config.tables import ConfigTables, DataTable, Paths

PLACEHOLDER = "{symbol}"
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


def bars_of(data: DataTable, symbol: str) -> tuple[str, ...]:
    """Return the paths of the bars of an instrument."""
    return of_symbol(data.paths.get(symbol, data.path), symbol)


def shown(data: DataTable) -> str:
    """Return the paths as an error shows them."""
    return ", ".join([*each(data.path), *(path for paths in data.paths.values() for path in each(paths))])


def check(tables: ConfigTables, report: shape.Report) -> None:
    """Report paths that name no file, and instruments without data."""
    data = tables.data
    if data is None:
        return
    if data.path is None and not data.paths:
        report("data.path", None, "is missing: name a file, or one for each instrument in [data.paths]")
    if data.path is not None and data.paths:
        report("data.paths", None, "write either path or [data.paths], not both")
    symbols = [instrument.symbol for instrument in tables.instruments]
    for symbol in data.paths:
        if symbol not in symbols:
            rule = f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}"
            report(f"data.paths.{symbol}", symbol, rule)
    for symbol in symbols:
        if data.paths and symbol not in data.paths:
            report("data.paths", None, f"names no file for {symbol}; each instrument needs its own")
    for key, path in _named(data, symbols):
        _check_path(key, path, report)


def _named(data: DataTable, symbols: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each path with the key it stands in, once for each instrument where it names one."""
    keyed = [("data.path", data.path), ("data.funding", data.funding), ("data.marks", data.marks)]
    for key, paths in keyed:
        for symbol in symbols if PLACEHOLDER in "".join(each(paths)) else symbols[:1] or [""]:
            yield from ((key, path) for path in of_symbol(paths, symbol))
    for symbol, paths in data.paths.items():
        yield from ((f"data.paths.{symbol}", path) for path in of_symbol(paths, symbol))


def _check_path(key: str, path: str, report: shape.Report) -> None:
    """Report a path that is no file and no directory; a pattern is looked up when it is read."""
    if not Path(path).exists() and _WILDCARDS.isdisjoint(path):
        report(key, path, "no such file")
