"""Reads one TOML file with its overrides into a checked configuration."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec
from msgspec import inspect

from tradecore.domain.errors import ConfigError
from tradecore.domain.spec import RiskSpec
from tradecore_api.config import data_paths, overrides, shape
from tradecore_api.config.tables import (
    BookCaptureFeedTable,
    BookVenue,
    CaptureFeedTable,
    Config,
    ConfigTables,
    Market,
    StrategyConfig,
)
from tradecore_api.state_dir import ACCOUNT_NAME_RULE, is_account_name

PATH_KEYS = (
    "feed.path",
    "data.path",
    "data.trades",
    "data.quotes",
    "data.funding",
    "data.marks",
    "venue.latency_file",
    "journal.path",
    "database.path",
)
# Keys that take several paths, or one for each instrument.
SEVERAL_KEYS = ("data.path", "data.paths", "data.trades", "data.quotes", "data.funding", "data.marks")
STRATEGY_KEYS = ("class", "name", "instruments", "bars", "first_bar", "history")
FILE_SIZE_MAX = 1 << 20


def load(path: Path, *, options: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of a file; environment variables win over it, options over both.

    Raises
    ------
    ConfigError
        The first problem, naming source, key, value and rule.
    """
    return _first(problems_and_config(path, options=options, environment=environment))


def from_tree(
    tree: dict[str, object],
    source: str,
    *,
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Return a built-in configuration, overrides applied; raises as `load` does."""
    return _first(_read(tree, source, Path.cwd(), options, environment))


def problems_and_config(
    path: Path, *, options: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> tuple[list[ConfigError], Config | None]:
    """Return every problem of a file at once, and the configuration when there is none."""
    try:
        tree = _parsed(path)
    except ConfigError as error:
        return [error], None
    return _read(tree, str(path), path.absolute().parent, options, environment)


def _first(outcome: tuple[list[ConfigError], Config | None]) -> Config:
    problems, config = outcome
    if config is None:
        if len(problems) > 1:
            problems[0].add_note(f"and {len(problems) - 1} more; `tradecore config check` lists them")
        raise problems[0]
    return config


def _parsed(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > FILE_SIZE_MAX:
            raise ConfigError(str(path), "file", None, f"must be at most {FILE_SIZE_MAX} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise ConfigError(str(path), "file", None, "does not exist; name a TOML file") from None
    except OSError as error:
        raise ConfigError(str(path), "file", None, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), "file", None, f"must be UTF-8 text: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), "file", None, f"must be TOML: {error}") from error


def _read(
    tree: dict[str, object],
    source: str,
    directory: Path,
    options: Iterable[str],
    environment: Mapping[str, str] | None,
) -> tuple[list[ConfigError], Config | None]:
    sources: dict[str, str] = {}
    _anchor_all(tree, directory)
    try:
        given = overrides.from_environment(os.environ if environment is None else environment)
        for key, value, origin in [*given, *overrides.from_options(options)]:
            overrides.apply(tree, key, _anchored(key, value, Path.cwd()), origin)
            sources[key] = origin
    except ConfigError as error:
        return [error], None

    empty = Config(tables=ConfigTables(), strategies=(), source=source, sources=sources)
    problems: list[ConfigError] = []

    def report(key: str, value: object, rule: str) -> None:
        shown = str(value) if isinstance(value, Decimal) else value
        problems.append(ConfigError(empty.source_of(key), key, shown, rule))

    clean = shape.checked(tree, inspect.type_info(ConfigTables), "", report)
    if problems:
        return problems, None

    _fill_in(clean)
    try:
        tables = msgspec.convert(clean, ConfigTables)
    except msgspec.ValidationError as error:
        return [ConfigError(source, "file", None, str(error))], None
    config = Config(tables=tables, strategies=_strategies(tables, tree), source=source, sources=sources)
    _check_names(config, report)
    _check_files(config, report)
    return (problems, None) if problems else ([], config)


def _fill_in(clean: object) -> None:
    """Set what the kind of feed decides unless the file says otherwise: matching, and what proves a book."""
    feed = clean.get("feed") if isinstance(clean, dict) else None
    if not isinstance(clean, dict) or not isinstance(feed, dict):
        return
    is_simulated = feed["kind"] == "simulated"
    clean.setdefault("venue", {}).setdefault("matching", "exchange" if is_simulated else "book")
    if feed["kind"] == "binance" or feed.get("market", "auto") != "auto":
        is_spot = feed.get("market", Market.SPOT) == Market.SPOT
        for instrument in clean.get("instruments", []):
            instrument.setdefault("sequence", "binance_spot" if is_spot else "binance_futures")
    if feed["kind"] == "book_capture":
        is_okx = feed["venue"] == BookVenue.OKX
        for instrument in clean.get("instruments", []):
            instrument.setdefault("checksum", "okx" if is_okx else "kraken")


def _strategies(tables: ConfigTables, raw: Mapping[str, object]) -> tuple[StrategyConfig, ...]:
    found: list[StrategyConfig] = []
    single, several = raw.get("strategy"), raw.get("strategies")
    entries = [("strategy", single, tables.strategy)] if tables.strategy else []
    listed = several if isinstance(several, list) else []
    entries += [
        (f"strategies.{index}", item, table)
        for index, (item, table) in enumerate(zip(listed, tables.strategies, strict=True))
    ]
    for key, item, table in entries:
        values = item if isinstance(item, dict) else {}
        parameters = {name: value for name, value in values.items() if name not in STRATEGY_KEYS}
        plain = shape.plain(parameters)
        found.append(
            StrategyConfig(
                reference=table.reference,
                name=table.name or table.reference.rpartition(":")[2],
                instruments=table.instruments,
                bars=table.bars,
                history=table.history,
                first_bar=table.first_bar,
                parameters=plain if isinstance(plain, dict) else {},
                key=key,
            )
        )
    return tuple(found)


def _check_names(config: Config, report: shape.Report) -> None:
    tables = config.tables
    if tables.strategy is not None and tables.strategies:
        report("strategies", None, "write either [strategy] or [[strategies]], not both")
    symbols = [instrument.symbol for instrument in tables.instruments]
    for index, symbol in enumerate(symbols):
        if symbol in symbols[:index]:
            report(f"instruments.{index}.symbol", symbol, "is listed twice")
    names = [strategy.name for strategy in config.strategies]
    for index, strategy in enumerate(config.strategies):
        if strategy.name in names[:index]:
            report(f"{strategy.key}.name", strategy.name, "two strategies need two names: set `name`")
        if ":" not in strategy.reference:
            report(f"{strategy.key}.class", strategy.reference, 'write "file.py:Class" or "module:Class"')
        for symbol in strategy.instruments:
            if symbol not in symbols:
                rule = f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}"
                report(f"{strategy.key}.instruments", symbol, rule)
    _check_risk_names(tables.risk, names, symbols, report)
    if not is_account_name(tables.account.name):
        report("account.name", tables.account.name, ACCOUNT_NAME_RULE)


def _check_risk_names(risk: RiskSpec, names: list[str], symbols: list[str], report: shape.Report) -> None:
    for name in risk.strategy:
        if name not in names:
            report(f"risk.strategy.{name}", name, f"is no strategy; {shape.suggestion(name, names)}")
    for symbol in risk.instrument if symbols else ():
        if symbol not in symbols:
            rule = f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}"
            report(f"risk.instrument.{symbol}", symbol, rule)


def _check_files(config: Config, report: shape.Report) -> None:
    tables = config.tables
    if isinstance(tables.feed, CaptureFeedTable | BookCaptureFeedTable):
        _check_file("feed.path", tables.feed.path, report)
    data_paths.check(tables, report)
    journal, database = tables.journal.path, tables.database.path
    if journal and database and Path(journal).resolve() == Path(database).resolve():
        report("database.path", database, "is journal.path too: the tables need a file of their own")
    if tables.venue.latency_file is not None:
        _check_file("venue.latency_file", tables.venue.latency_file, report)
    for strategy in config.strategies:
        file, _, _ = strategy.reference.rpartition(":")
        if file.endswith(".py"):
            _check_file(f"{strategy.key}.class", file, report)


def _check_file(key: str, path: str, report: shape.Report) -> None:
    if not Path(path).is_file():
        rule = "is a directory; name a file" if Path(path).is_dir() else "no such file"
        report(key, path, rule)


def _anchor_all(tree: dict[str, object], directory: Path) -> None:
    """Make every path of the file relative to the file's own directory."""
    for key in PATH_KEYS:
        section, _, name = key.partition(".")
        table = tree.get(section)
        if isinstance(table, dict) and name in table:
            table[name] = _anchored(key, table[name], directory)
    data = tree.get("data")
    if isinstance(data, dict) and "paths" in data:
        data["paths"] = _anchored("data.paths", data["paths"], directory)
    own = data.get("instrument") if isinstance(data, dict) else None
    for table in own.values() if isinstance(own, dict) else ():
        for name in data_paths.FILE_KEYS if isinstance(table, dict) else ():
            if name in table:
                table[name] = _anchored(f"data.{name}", table[name], directory)
    several = tree.get("strategies")
    for table in [tree.get("strategy"), *(several if isinstance(several, list) else [])]:
        if isinstance(table, dict) and "class" in table:
            table["class"] = _anchored("strategy.class", table["class"], directory)


def _anchored(key: str, value: object, directory: Path) -> object:
    if key.startswith("data.instrument.") and key.rpartition(".")[2] in data_paths.FILE_KEYS:
        return _anchored(f"data.{key.rpartition('.')[2]}", value, directory)
    if key in SEVERAL_KEYS or key.startswith("data.paths."):
        if isinstance(value, list):
            return [_anchored("data.path", path, directory) for path in value]
        if isinstance(value, dict):
            return {name: _anchored("data.path", path, directory) for name, path in value.items()}
    if not isinstance(value, str):
        return value
    if key in PATH_KEYS or key.startswith("data.paths."):
        return str(directory / Path(value).expanduser())
    if key.startswith(("strategy.", "strategies.")) and key.endswith(".class"):
        file, colon, name = value.rpartition(":")
        return f"{directory / Path(file).expanduser()}{colon}{name}" if file.endswith(".py") else value
    return value
