"""What was handed to `run` that cannot be run: named in one line, with what to write instead."""

from collections.abc import Sequence

import numpy as np

from tradecore.domain import DataError, EngineSpec, EventBatch, InvalidValueError
from tradecore.domain.times import iso_time
from tradecore.strategy import StrategyBinding

_BINDING = "[StrategyBinding(name=..., strategy=...)]"


def refuse_wrong_call(spec: object, strategies: object, sources: Sequence[object]) -> None:
    """Raise when `run` got something else than a specification, bindings and batches with events.

    Raises
    ------
    InvalidValueError
        Naming the argument, what was given, and what to write.
    DataError
        When no batch has an event, or one begins before 1970.
    """
    if not isinstance(spec, EngineSpec):
        rule = "must be an EngineSpec; tradecore.run_frame(frame, Strategy) makes one"
        raise InvalidValueError("spec", _shown(spec), rule)
    if not isinstance(strategies, list | tuple):
        raise InvalidValueError("strategies", _shown(strategies), f"must be a list: {_BINDING}")
    for at, binding in enumerate(strategies):
        if not isinstance(binding, StrategyBinding):
            raise InvalidValueError(f"strategies[{at}]", _shown(binding), f"must be bound: {_BINDING}")
    for at, source in enumerate(sources):
        _refuse_wrong_source(f"sources[{at}]", source)
    if not any(len(batch) for batch in sources if isinstance(batch, EventBatch)):
        raise DataError("history", "has no events: nothing to test on")


def refuse_wrong_options(sample_ns: object, progress: object) -> None:
    """Raise `InvalidValueError` when `run` got something else than a length and a function to call."""
    if sample_ns is not None and (isinstance(sample_ns, bool) or not isinstance(sample_ns, int | np.integer)):
        raise InvalidValueError("sample_ns", sample_ns, "must be nanoseconds, such as 60_000_000_000")
    if progress is not None and not callable(progress):
        rule = "must be a function, which is called with the number of events"
        raise InvalidValueError("progress", progress, rule)


def _refuse_wrong_source(field: str, source: object) -> None:
    if isinstance(source, EventBatch):
        if (source.first_time_ns or 0) < 0:
            what = f"begins at {iso_time(source.first_time_ns or 0)}, and an engine's time begins at 1970"
            raise DataError(f"history {field}", f"{what}: leave out what is earlier")
        return
    if isinstance(source, list | tuple):
        raise InvalidValueError(
            field, _shown(source), "must be a batch: write run(spec, strategies, *batches)"
        )
    rule = "must be an EventBatch; EventBatch.from_frame(frame, instrument) makes one of a DataFrame"
    raise InvalidValueError(field, _shown(source), rule)


def _shown(value: object) -> str:
    """Return what was given, in a line: a class by its name, an object by that of its class."""
    return f"class {value.__name__}" if isinstance(value, type) else type(value).__name__
