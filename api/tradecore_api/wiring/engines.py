"""Engines from the whole configuration."""

from collections.abc import Sequence

from tradecore.domain import LatencySamples
from tradecore.domain.errors import ConfigError, DataError, InvalidValueError
from tradecore.domain.span import span_ns
from tradecore.domain.spec import EngineSpec
from tradecore.engine import Engine
from tradecore.runtime import SystemClock
from tradecore.strategy import StrategyBinding
from tradecore_api.config.tables import (
    Config,
)
from tradecore_api.wiring.calendars import span_from, with_calendars
from tradecore_api.wiring.feeds import completed
from tradecore_api.wiring.strategies import strategies


def strategy_problems(config: Config) -> list[ConfigError]:
    """Return what is wrong with strategies and engine settings; empty when a run would start."""
    try:
        config = completed(config)
        bindings = strategies(config).bindings
        # Whether a calendar is known does not depend on the time that its table covers.
        spec = with_calendars(config, config.engine_spec(), lambda: span_from(SystemClock().now_ns()))
        build_engine(config, spec, bindings, is_recording=False)
    except ConfigError as error:
        return [error]
    return []


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
        When the engine cannot work with a setting.
    """
    if not spec.instruments:
        raise ConfigError(config.source, "instruments", None, "is missing: name at least one [[instruments]]")
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
        key = _key_of(spec, error)
        raise ConfigError(config.source_of(key), key, error.value, error.rule) from error


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


def _key_of(spec: EngineSpec, error: InvalidValueError) -> str:
    """Return the dotted key of a field of the specification that has this value."""

    def has(table: object) -> bool:
        return str(getattr(table, error.field, None)) == str(error.value)

    tables = {"account": spec.account, "fees": spec.fees, "venue": spec.venue, "risk": spec.risk}
    tables |= {f"instruments.{index}": instrument for index, instrument in enumerate(spec.instruments)}
    tables["risk.account"] = spec.risk.account
    tables |= {f"risk.strategy.{name}": table for name, table in spec.risk.strategy.items()}
    tables |= {f"risk.instrument.{name}": table for name, table in spec.risk.instrument.items()}
    tables |= {f"fees.tiers.{index}": tier for index, tier in enumerate(spec.fees.tiers)}
    tables |= {"venue.slippage": spec.venue.slippage}
    for index, instrument in enumerate(spec.instruments):
        if instrument.margin is not None:
            key = f"instruments.{index}.margin"
            tables[key] = instrument.margin
            tables |= {f"{key}.tiers.{place}": tier for place, tier in enumerate(instrument.margin.tiers)}
    section = next((name for name, table in tables.items() if has(table)), None)
    return error.field if section is None else f"{section}.{error.field}"
