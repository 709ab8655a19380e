"""Strategies from their tables, and from the first record of a journal."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tradecore.domain.errors import ConfigError, InvalidValueError
from tradecore.domain.journal import JournalFolder
from tradecore.runtime import SessionConfig
from tradecore.strategy import StrategyBinding, build, load_class, timeframes
from tradecore_api.config.tables import (
    Config,
    StrategyConfig,
)


class Strategies(msgspec.Struct, frozen=True):
    """Strategies ready to run, and how the journal names them."""

    bindings: tuple[StrategyBinding, ...]
    names: tuple[dict[str, object], ...]


def strategies(config: Config) -> Strategies:
    """Load and build every strategy.

    Raises
    ------
    ConfigError
        When a class or a parameter cannot be used; `others` has every further problem.
    """
    symbols = [instrument.symbol for instrument in config.tables.instruments]
    built, problems = _built(config)
    if problems:
        raise ConfigError.of(problems)
    bindings = [
        _binding(strategy, each, symbols) for strategy, each in zip(config.strategies, built, strict=True)
    ]
    return Strategies(tuple(bindings), tuple(_named(strategy) for strategy in config.strategies))


def _named(strategy: StrategyConfig) -> dict[str, object]:
    """Return what the journal keeps of a strategy; a setting that is absent is not in it."""
    bars = strategy.bars if isinstance(strategy.bars, str) else list(strategy.bars)
    first_bar = {} if strategy.first_bar is None else {"first_bar": strategy.first_bar.value}
    return {
        "class": strategy.reference,
        "name": strategy.name,
        "instruments": list(strategy.instruments),
        "bars": bars,
        **first_bar,
        "history": strategy.history,
        "parameters": strategy.parameters,
    }


def problems(config: Config) -> list[ConfigError]:
    """Return what is wrong with classes, parameters and bars of strategies.

    The instruments are not looked at: they may be what is wrong with the file.
    """
    return _built(config)[1]


def _built(config: Config) -> tuple[list[object], list[ConfigError]]:
    """Return the object of each strategy that can be used, and every problem of the others."""
    built: list[object] = []
    found: list[ConfigError] = []
    for strategy in config.strategies:
        try:
            built.append(_object(config, strategy))
        except ConfigError as error:
            found += [error, *error.others]
    return built, found


def _object(config: Config, strategy: StrategyConfig) -> object:
    wrong: list[ConfigError] = []
    built: object = None
    try:
        timeframes(strategy.bars)
    except InvalidValueError as error:
        wrong.append(ConfigError(config.source, f"{strategy.key}.bars", error.value, error.rule))
    try:
        found = load_class(
            strategy.reference,
            source=config.source,
            key=f"{strategy.key}.class",
            base=Path(config.source).absolute().parent,
        )
        built = build(found, strategy.parameters, source=config.source, section=strategy.key)
    except ConfigError as error:
        wrong += [error, *error.others]
    if wrong:
        # Each key has a source of its own: one of the file, one an option.
        raise ConfigError.of(
            [ConfigError(config.source_of(each.key), each.key, each.value, each.rule) for each in wrong]
        )
    return built


def _binding(strategy: StrategyConfig, built: object, symbols: Sequence[str]) -> StrategyBinding:
    return StrategyBinding(
        name=strategy.name,
        strategy=built,
        instruments=tuple(symbols.index(symbol) for symbol in strategy.instruments or symbols),
        bars=strategy.bars,
        first_bar=strategy.first_bar,
        history=strategy.history,
    )


def recorded_strategies(recorded: SessionConfig, journal: JournalFolder) -> tuple[StrategyConfig, ...]:
    """Return the strategies that a journal names, their files found again when they were moved."""
    found = []
    for index, entry in enumerate(recorded.strategies):
        values = {"key": f"strategies.{index}", "reference": entry.get("class"), **entry}
        strategy = msgspec.convert(values, StrategyConfig)
        reference = _found_again(strategy.reference, journal.absolute.parent)
        found.append(msgspec.structs.replace(strategy, reference=reference))
    return tuple(found)


def _found_again(reference: str, directory: Path) -> str:
    """Return where the file of a strategy is now: where it was, next to the journal, or here."""
    file, colon, name = reference.rpartition(":")
    if not file.endswith(".py") or Path(file).is_file():
        return reference
    for place in (directory, Path.cwd()):
        candidate = place / Path(file).name
        if candidate.is_file():
            return f"{candidate}{colon}{name}"
    return reference
