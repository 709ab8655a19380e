"""Reads one TOML file with its overrides into a checked configuration."""

import os
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from tradecore.domain import shape
from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Mode
from tradecore.domain.spec_check import check_names
from tradecore.strategy.check import check_names as check_strategy_names
from tradecore.strategy.check import check_symbols
from tradecore_api.config import data_paths, keys, live_check, overrides, paths, urls
from tradecore_api.config.journal_table import JournalTable
from tradecore_api.config.tables import (
    BookCaptureFeedTable,
    BookVenue,
    CaptureFeedTable,
    Config,
    ConfigTables,
    Foreign,
    Market,
    StrategyConfig,
    StrategyTable,
)
from tradecore_api.external_strategy import EXTERNAL, External

PATH_KEYS = (
    "feed.path",
    "data.path",
    "data.trades",
    "data.quotes",
    "data.funding",
    "data.marks",
    "venue.latency_file",
    "live.keys",
    "live.secrets.path",
    "journal.path",
    "database.path",
)
# Those of an account beside the first.
ACCOUNT_PATH_KEYS = ("live.keys", "live.secrets.path", "feed.path")
# Keys that take several paths, or one for each instrument.
SEVERAL_KEYS = ("data.path", "data.paths", "data.trades", "data.quotes", "data.funding", "data.marks")
NO_JOURNAL_RULE = (
    "a backtest writes no journal: the same data give the same run again; leave it out, or use "
    '`tradecore run` with mode = "paper" on a recorded feed for a journal'
)
STRATEGY_KEYS = ("class", "name", "instruments", "bars", "first_bar", "history")
FILE_SIZE_MAX = 1 << 20
# The settings themselves are four tables deep; the rest is room for parameters of strategies.
DEPTH_MAX = 32
DEPTH_RULE = f"must not nest tables and lists deeper than {DEPTH_MAX}"


def load(path: Path, *, options: Iterable[str] = (), environment: Mapping[str, str] | None = None) -> Config:
    """Return the configuration of a file; environment variables win over it, options over both.

    Raises
    ------
    ConfigError
        The first problem, naming source, key, value and rule; `others` has all the rest.
    """
    return _good(reading(path, options=options, environment=environment))


def from_tree(
    tree: dict[str, object],
    source: str,
    *,
    options: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Config:
    """Return a built-in configuration, overrides applied; raises as `load` does."""
    return _good(_read(tree, source, Path.cwd(), options, environment))


class Reading(msgspec.Struct, frozen=True):
    """What became of a file.

    Attributes
    ----------
    problems : list of ConfigError
        Everything that is wrong with it.
    config : Config or None
        The configuration when there is no problem.
    strategies : Config
        The strategies alone, those that are well formed, also when something else is wrong: whether their
        classes exist and take their parameters can be told all the same.
    """

    problems: list[ConfigError]
    config: Config | None
    strategies: Config


def reading(
    path: Path, *, options: Iterable[str] = (), environment: Mapping[str, str] | None = None
) -> Reading:
    """Return every problem of a file at once, and the configuration when there is none."""
    try:
        tree = _parsed(path)
    except ConfigError as error:
        return Reading([error], None, Config(tables=ConfigTables(), strategies=(), source=str(path)))
    return _read(tree, str(path), path.absolute().parent, options, environment)


def _good(outcome: Reading) -> Config:
    if outcome.config is None:
        raise ConfigError.of(outcome.problems)
    return outcome.config


def _parsed(path: Path) -> dict[str, object]:
    if rule := paths.text_rule(str(path.absolute())):
        raise ConfigError(str(path), "file", None, rule)
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
    except RecursionError:
        raise ConfigError(str(path), "file", None, DEPTH_RULE) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), "file", None, f"must be TOML: {error}") from error
    except ValueError:
        # Python says so of whole numbers alone.
        raise ConfigError(str(path), "file", None, "must hold no number of thousands of digits") from None


def _read(
    tree: dict[str, object],
    source: str,
    directory: Path,
    options: Iterable[str],
    environment: Mapping[str, str] | None,
) -> Reading:
    sources: dict[str, str] = {}
    empty = Config(tables=ConfigTables(), strategies=(), source=source, sources=sources)
    _anchor_all(tree, directory)
    try:
        _check_depth(tree, source)
        given = overrides.from_environment(os.environ if environment is None else environment)
        for key, value, origin in [*given, *overrides.from_options(options)]:
            overrides.apply(tree, key, _anchored(key, value, Path.cwd()), origin)
            sources[key] = origin
            _check_depth(tree, origin)
    except ConfigError as error:
        return Reading([error], None, empty)

    problems: list[ConfigError] = []

    def report(path: str, value: object, rule: str) -> None:
        shown = str(value) if isinstance(value, Decimal) else value
        key = keys.of_path(path)
        problems.append(ConfigError(empty.source_of(key), key, shown, rule))

    clean = shape.checked(tree, shape.type_info(ConfigTables), "", report)
    if not isinstance(clean, dict):
        return Reading(problems, None, empty)
    own, external = _strategies(clean, tree), _external(clean)
    strategies = (*own, *external)
    config = msgspec.structs.replace(empty, strategies=strategies)
    names = _names(own, clean, tree)
    check_names(clean, None if names is None else [*names, *(each.name for each in external)], report)
    _check_strategies(clean, strategies, report)
    if not problems:
        _fill_in(clean)
        config = msgspec.structs.replace(config, tables=msgspec.convert(clean, ConfigTables))
        _check_files(config, report)
    _check_strategy_files(strategies, report)
    return Reading(problems, None if problems else config, config)


def _check_depth(tree: object, source: str) -> None:
    """Raise `ConfigError` where a tree is deeper than any setting: no code after this needs to count."""
    level = [tree]
    for _ in range(DEPTH_MAX + 1):
        level = [each for node in level for each in _children(node)]
    if level:
        raise ConfigError(source, "file", None, DEPTH_RULE)


def _children(node: object) -> Iterable[object]:
    match node:
        case dict():
            return node.values()
        case list():
            return node
        case _:
            return ()


def _fill_in(clean: object) -> None:
    """Set what the kind of feed decides unless the file says otherwise: matching, and what proves a book."""
    feed = clean.get("feed") if isinstance(clean, dict) else None
    if not isinstance(clean, dict) or not isinstance(feed, dict):
        return
    is_simulated = feed["kind"] == "simulated"
    clean.setdefault("venue", {}).setdefault("matching", "exchange" if is_simulated else "book")
    own = {account["name"]: account.get("feed") for account in clean.get("accounts", [])}
    for instrument in clean.get("instruments", []):
        _prove(instrument, own.get(instrument.get("account")) or feed)


def _prove(instrument: dict[str, object], feed: Mapping[str, object]) -> None:
    """Set what proves the book of an instrument, as its feed sends it."""
    if feed["kind"] == "binance" or feed.get("market", "auto") != "auto":
        is_spot = feed.get("market", Market.SPOT) == Market.SPOT
        instrument.setdefault("sequence", "binance_spot" if is_spot else "binance_futures")
    if feed["kind"] == "book_capture":
        is_okx = feed["venue"] == BookVenue.OKX
        instrument.setdefault("checksum", "okx" if is_okx else "kraken")


def _strategies(clean: dict[str, object], raw: Mapping[str, object]) -> tuple[StrategyConfig, ...]:
    """Return the strategies whose class is known; a setting that was refused has its default."""
    single, several = raw.get("strategy"), raw.get("strategies")
    tables = [("strategy", clean.get("strategy"), single)] if single is not None else []
    given = several if isinstance(several, list) else []
    tables += [
        (f"strategies.{index}", table, given[index]) for index, table in shape.rows(clean, "strategies")
    ]
    found: list[StrategyConfig] = []
    for key, values, item in tables:
        if not isinstance(values, dict) or not isinstance(item, dict):
            continue
        good = {name: value for name, value in values.items() if shape.is_good(value)}
        try:
            table = msgspec.convert(good, StrategyTable)
        except msgspec.ValidationError:
            # What is wrong with it has been reported.
            continue
        plain = shape.plain({name: value for name, value in item.items() if name not in STRATEGY_KEYS})
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


def _external(clean: dict[str, object]) -> tuple[StrategyConfig, ...]:
    """Return the strategy that holds what others make at a live account, where they are taken over."""
    lives = [clean.get("live"), *(account.get("live") for _, account in shape.rows(clean, "accounts"))]
    adopts = any(isinstance(live, dict) and live.get("foreign") == Foreign.ADOPT for live in lives)
    if clean.get("mode") != Mode.LIVE or not adopts:
        return ()
    return (
        StrategyConfig(
            reference=f"{External.__module__}:{External.__qualname__}",
            name=EXTERNAL,
            instruments=(),
            bars="input",
            history=0,
            parameters={},
            key="live.foreign",
        ),
    )


def _names(
    strategies: tuple[StrategyConfig, ...], clean: dict[str, object], tree: Mapping[str, object]
) -> list[str] | None:
    """Return the names of all strategies; `None` when one is not well formed, and so has no known name."""
    several = tree.get("strategies")
    given = (len(several) if isinstance(several, list) else 0) + (tree.get("strategy") is not None)
    tables = [clean.get("strategy"), *(row for _, row in shape.rows(clean, "strategies"))]
    are_good = all(shape.is_good(table.get("name")) for table in tables if isinstance(table, dict))
    return [strategy.name for strategy in strategies] if given == len(strategies) and are_good else None


def _check_strategies(
    clean: dict[str, object], strategies: tuple[StrategyConfig, ...], report: shape.Report
) -> None:
    if clean.get("strategy") is not None and clean.get("strategies"):
        report("strategies", None, "write either [strategy] or [[strategies]], not both")
    symbols = [str(instrument.get("symbol")) for _, instrument in shape.rows(clean, "instruments")]
    check_strategy_names([each.name for each in strategies], lambda at: f"{strategies[at].key}.name", report)
    for strategy in strategies:
        if ":" not in strategy.reference:
            report(f"{strategy.key}.class", strategy.reference, 'write "file.py:Class" or "module:Class"')
        check_symbols(f"{strategy.key}.instruments", strategy.instruments, symbols, report)


def _check_files(config: Config, report: shape.Report) -> None:
    tables = config.tables
    if isinstance(tables.feed, CaptureFeedTable | BookCaptureFeedTable):
        paths.check_input("feed.path", tables.feed.path, report)
    data_paths.check(tables, report)
    urls.check(tables, report)
    if tables.mode is Mode.BACKTEST and tables.journal != JournalTable():
        report("journal", tables.journal.path, NO_JOURNAL_RULE)
    _check_outputs(tables.journal.path, tables.database.path, report)
    if tables.venue.latency_file is not None:
        paths.check_input("venue.latency_file", tables.venue.latency_file, report)
    if tables.mode is Mode.LIVE:
        live_check.check(config, report)


def _check_outputs(journal: str | None, database: str | None, report: shape.Report) -> None:
    """Report files that a run could not write, or would write over each other."""
    noted = shape.Problems()
    for key, path in (("journal.path", journal), ("database.path", database)):
        if path is not None:
            # A run goes on without its tables, and fills them later; without its journal it does not.
            paths.check_output(key, path, noted, must_work=key == "journal.path")
    if journal is not None and JournalFolder.has_kept_name(journal):
        noted("journal.path", journal, "is a name that a carry-over uses for a moment; choose another one")
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    if noted.found or journal is None or database is None:
        return
    if Path(journal).resolve() == Path(database).resolve():
        report("database.path", database, "is journal.path too: the tables need a file of their own")


def _check_strategy_files(strategies: tuple[StrategyConfig, ...], report: shape.Report) -> None:
    for strategy in strategies:
        file, _, _ = strategy.reference.rpartition(":")
        if file.endswith(".py"):
            paths.check_input(f"{strategy.key}.class", file, report)


def _anchor_all(tree: dict[str, object], directory: Path) -> None:
    """Make every path of the file relative to the file's own directory."""
    for key in PATH_KEYS:
        *above, name = key.split(".")
        table = _table(tree, above)
        if name in table:
            table[name] = _anchored(key, table[name], directory)
    accounts = tree.get("accounts")
    for account in accounts if isinstance(accounts, list) else ():
        for key in ACCOUNT_PATH_KEYS:
            *above, name = key.split(".")
            table = _table(account, above) if isinstance(account, dict) else {}
            if name in table:
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


def _table(tree: dict[str, object], above: Iterable[str]) -> dict[str, object]:
    """Return the table below these names; one that is not there is empty."""
    table = tree
    for name in above:
        inner = table.get(name)
        table = inner if isinstance(inner, dict) else {}
    return table


def _anchored(key: str, value: object, directory: Path) -> object:
    if key.startswith("accounts."):
        # Its number stands between.
        return _anchored(key.split(".", 2)[-1], value, directory)
    if key.startswith("data.instrument.") and key.rpartition(".")[2] in data_paths.FILE_KEYS:
        return _anchored(f"data.{key.rpartition('.')[2]}", value, directory)
    if key in SEVERAL_KEYS or key.startswith("data.paths."):
        if isinstance(value, list):
            return [_anchored("data.path", path, directory) for path in value]
        if isinstance(value, dict):
            return {name: _anchored("data.path", path, directory) for name, path in value.items()}
    # An empty path is none: it must not become the directory itself.
    if not isinstance(value, str) or not value:
        return value
    if key in PATH_KEYS or key.startswith("data.paths."):
        return str(directory / Path(value).expanduser())
    if key.startswith(("strategy.", "strategies.")) and key.endswith(".class"):
        file, colon, name = value.rpartition(":")
        return f"{directory / Path(file).expanduser()}{colon}{name}" if file.endswith(".py") else value
    return value
