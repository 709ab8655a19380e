"""Engines from the whole configuration."""

from collections.abc import Sequence

from tradecore.domain import LatencySamples
from tradecore.domain.errors import ConfigError, DataError, InvalidSpecError, InvalidValueError
from tradecore.domain.span import span_ns
from tradecore.domain.spec import EngineSpec
from tradecore.engine import Engine, standing_notes
from tradecore.runtime import SystemClock
from tradecore.strategy import StrategyBinding
from tradecore_api.config import keys
from tradecore_api.config.read import Reading
from tradecore_api.config.tables import (
    Config,
)
from tradecore_api.wiring.calendars import span_from, with_calendars
from tradecore_api.wiring.feeds import completed
from tradecore_api.wiring.strategies import problems as strategy_problems
from tradecore_api.wiring.strategies import strategies


def problems_of(found: Reading) -> list[ConfigError]:
    """Return everything that is wrong with a file, strategies included; empty when a run would start."""
    if found.config is None:
        known = {error.key for error in found.problems}
        more = strategy_problems(found.strategies)
        return [*found.problems, *(error for error in more if error.key not in known)]
    config = found.config
    try:
        config = completed(config)
        bindings = strategies(config).bindings
        # Whether a calendar is known does not depend on the time that its table covers.
        spec = with_calendars(config, config.engine_spec(), lambda: span_from(SystemClock().now_ns()))
        build_engine(config, spec, bindings, is_recording=False)
    except ConfigError as error:
        return [error, *error.others]
    return []


def notes_of(found: Reading) -> list[str]:
    """Return what does nothing in the strategies of a file without problems, a sentence each."""
    if found.config is None:
        return []
    return [
        f"strategy {binding.name}: {note}"
        for binding in strategies(completed(found.config)).bindings
        for note in standing_notes(binding.strategy)
    ]


def build_engine(
    config: Config,
    spec: EngineSpec,
    bindings: Sequence[StrategyBinding],
    *,
    is_recording: bool,
    has_equity_curve: bool = False,
) -> Engine:
    """Return a fresh engine.

    Raises
    ------
    ConfigError
        When the engine cannot work with a setting; `others` has all the further ones.
    """
    try:
        return Engine(
            spec,
            bindings,
            recording=is_recording,
            equity_curve=has_equity_curve,
            sample_ns=_sample_ns(config),
            gates=config.tables.decision.gates,
            latency=_latency(config, spec.venue.latency_file),
        )
    except InvalidValueError as error:
        problems = error.problems if isinstance(error, InvalidSpecError) else (error,)
        raise ConfigError.of([_of_file(config, problem) for problem in problems]) from error


def _of_file(config: Config, problem: InvalidValueError) -> ConfigError:
    """Return a problem with the key that its setting has in the file."""
    key = keys.of_path(problem.field)
    head, _, rest = key.partition(".")
    if head == "gates":
        key = f"decision.{key}"
    elif head == "strategies":
        # The engine counts strategies, wherever they stand in the file.
        index, _, rest = rest.partition(".")
        key = f"{config.strategies[int(index)].key}.{rest}"
    elif head == "approval":
        key = f"live.{key}"
    elif head == "canaries":
        # The engine has one for each account, whichever table it is from.
        index, _, rest = rest.partition(".")
        key = f"{config.key_of_canary(int(index))}.{rest}"
    return ConfigError(config.source_of(key), key, problem.value, problem.rule)


def _sample_ns(config: Config) -> int | None:
    """Return how often the equity is sampled where there are no bars; `None` for never."""
    key, text = "statistics.sample", config.tables.statistics.sample
    if text == "off":
        return None
    try:
        return span_ns("sample", text, "must be a length such as 1s, 5m, 1h or 1d, or `off`")
    except InvalidValueError as error:
        raise ConfigError(config.source_of(key), key, text, error.rule) from error


def _latency(config: Config, path: str | None) -> LatencySamples | None:
    """Read the measured latencies that the specification names."""
    if path is None:
        return None
    from tradecore_files import load_latency

    try:
        return load_latency(path)
    except DataError as error:
        key = "venue.latency_file"
        raise ConfigError(config.source_of(key), key, path, str(error)) from error
