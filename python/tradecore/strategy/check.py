"""The one check of strategies, whether a file names them or Python hands them over."""

import typing
from collections.abc import Collection, Sequence

import msgspec

from tradecore.domain import InvalidValueError, one_line, shape
from tradecore.domain.spec import Name
from tradecore.strategy.bar_source import BarSource, FirstBar
from tradecore.strategy.binding import StrategyBinding, timeframes
from tradecore.strategy.callbacks import signature_problems
from tradecore.strategy.loader import parameter_rule, parameters

STRATEGIES_MAX = 2**16 - 1
HISTORY_MAX = 1_000_000
_NAME = msgspec.inspect.type_info(Name)
_HISTORY = msgspec.inspect.type_info(typing.Annotated[int, msgspec.Meta(ge=0, le=HISTORY_MAX)])
_PLACE = msgspec.inspect.type_info(int)
_LENGTH = msgspec.inspect.type_info(typing.Annotated[int, msgspec.Meta(ge=0)])
_FIRST_BAR = msgspec.inspect.type_info(FirstBar | None)
_PRICES = ("", "bars", "trades", "quotes")


def checked_bindings(
    bindings: Sequence[StrategyBinding], instruments: int, report: shape.Report
) -> tuple[StrategyBinding, ...] | None:
    """Return strategies with every value of its declared type; `None` when `report` got problems.

    Parameters
    ----------
    bindings : sequence of StrategyBinding
        As a person wrote them in Python.
    instruments : int
        How many instruments the engine has.
    report : Report
        Called with the path of each key that is wrong (`strategies[0].history`), its value and the rule.
    """
    noted = shape.Problems()
    if not isinstance(bindings, list | tuple):
        noted("strategies", bindings, "must be a list of StrategyBinding")
        bindings = ()
    if len(bindings) > STRATEGIES_MAX:
        noted("strategies", len(bindings), f"must be at most {STRATEGIES_MAX}")
    good = []
    for index, binding in enumerate(bindings):
        key = f"strategies[{index}]"
        if isinstance(binding, StrategyBinding):
            good.append(_checked(binding, key, instruments, noted))
        else:
            noted(key, binding, "must be a StrategyBinding")
    check_names([binding.name for binding in good], "strategies[{}].name".format, noted)
    _check_objects(good, noted)
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    return None if noted.found else tuple(good)


def known_names(bindings: Sequence[StrategyBinding]) -> list[str] | None:
    """Return the names of strategies; `None` when one has none that it may have."""
    problems = shape.Problems()
    listed = bindings if isinstance(bindings, list | tuple) else [None]
    names = [shape.checked(getattr(binding, "name", None), _NAME, "", problems) for binding in listed]
    return None if problems.found else [str(name) for name in names]


def check_names(names: Sequence[object], key: typing.Callable[[int], str], report: shape.Report) -> None:
    """Report names that two strategies share, or that no line can show; `key` gives the path of one."""
    for index, name in enumerate(names):
        if isinstance(name, str) and not one_line.is_one_line(name):
            report(key(index), name, one_line.RULE)
        if name in names[:index]:
            report(key(index), name, "two strategies need two names: set `name`")


def _check_objects(bindings: Sequence[StrategyBinding], report: shape.Report) -> None:
    """Report an object in two bindings: it would hear events twice and mix up what it keeps."""
    first: dict[int, int] = {}
    for index, binding in enumerate(bindings):
        before = first.setdefault(id(binding.strategy), index)
        if before != index and binding.strategy is not None:
            name = type(binding.strategy).__name__
            rule = f"is the object of strategies[{before}] again; make one for each: strategy={name}(...)"
            report(f"strategies[{index}].strategy", name, rule)


def check_symbols(key: str, named: object, symbols: Collection[str], report: shape.Report) -> None:
    """Report symbols of a strategy that no instrument has, or that it names twice."""
    listed = named if isinstance(named, list | tuple) else ()
    for place, symbol in enumerate(listed):
        if isinstance(symbol, str) and symbol not in symbols:
            report(key, symbol, f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}")
        elif symbol in listed[:place]:
            report(key, symbol, "is listed twice")


def _checked(binding: StrategyBinding, key: str, instruments: int, report: shape.Report) -> StrategyBinding:
    name = shape.checked(binding.name, _NAME, f"{key}.name", report)
    history = shape.checked(binding.history, _HISTORY, f"{key}.history", report)
    bars = _bars(binding.bars, f"{key}.bars", report)
    first_bar = shape.checked(binding.first_bar, _FIRST_BAR, f"{key}.first_bar", report)
    places = _places(binding.instruments, f"{key}.instruments", instruments, report)
    if binding.strategy is None:
        report(f"{key}.strategy", None, "is missing: give an object with callbacks such as on_bar")
    else:
        for callback, problem in signature_problems(binding.strategy):
            report(f"{key}.{callback}", type(binding.strategy).__name__, problem)
        _check_parameters(binding.strategy, key, report)
    values = {"name": name, "history": history, "bars": bars, "first_bar": first_bar, "instruments": places}
    good = {field: value for field, value in values.items() if shape.is_good(value)}
    return msgspec.structs.replace(binding, **good)


def _bars(bars: object, key: str, report: shape.Report) -> object:
    """Return where bars come from; several kinds are a tuple."""
    if not isinstance(bars, list | tuple):
        _bar_source(bars, key, report)
        return bars
    noted = shape.Problems()
    for source in bars:
        _bar_source(source, key, noted)
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    if not noted.found:
        try:
            timeframes(bars)
        except InvalidValueError as error:
            report(key, error.value, error.rule)
    return tuple(bars)


def _bar_source(source: object, key: str, report: shape.Report) -> None:
    """Report what is wrong with one kind of bars; text is read as in a file."""
    try:
        if isinstance(source, str):
            BarSource.parse(source)
        elif not isinstance(source, BarSource):
            report(key, source, 'must be text such as "1h" or "100tick", or a BarSource')
        elif source.rule:
            if BarSource.parse(str(source.rule)).rule != source.rule:
                report(f"{key}.rule", source.rule, "must be a rule such as 100tick, 50volume, 1e6notional")
        else:
            _check_length(source, key, report)
    except InvalidValueError as error:
        report(key, error.value, error.rule)


def _check_length(source: BarSource, key: str, report: shape.Report) -> None:
    lengths = {"interval_ns": source.interval_ns, "months": source.months}
    checked = [shape.checked(value, _LENGTH, f"{key}.{name}", report) for name, value in lengths.items()]
    if all(checked) and all(shape.is_good(value) for value in checked):
        report(f"{key}.months", source.months, "must be 0 beside `interval_ns`: bars have one length")
    elif any(lengths.values()) and source.prices not in _PRICES:
        report(f"{key}.prices", source.prices, "must be bars, trades or quotes")


def _places(given: object, key: str, instruments: int, report: shape.Report) -> object:
    """Return the instruments of a strategy as places in the table of the engine."""
    if not instruments:
        # That there are none is said where they are.
        return given
    rule = f"must name instruments 0 to {instruments - 1}"
    if not isinstance(given, list | tuple) or not given:
        report(key, given, f"{rule}, at least one")
        return ()
    places = [shape.checked(place, _PLACE, f"{key}[{index}]", report) for index, place in enumerate(given)]
    for index, place in enumerate(places):
        if isinstance(place, int) and not 0 <= place < instruments:
            report(f"{key}[{index}]", place, rule)
        elif shape.is_good(place) and place in places[:index]:
            report(f"{key}[{index}]", place, "is listed twice")
    return tuple(places)


def _check_parameters(strategy: object, key: str, report: shape.Report) -> None:
    """Report parameters that were set to what their annotation does not allow; defaults are the author's.

    The object's `__dict__` is left alone: once it was asked for, CPython finds its attributes more slowly.
    """
    cls = type(strategy)
    try:
        known = parameters(cls)
    except (NameError, TypeError):
        # Annotations of something that is not there when the program runs; no parameter has such a one.
        return
    for name, default in known.items():
        value = getattr(strategy, name, default)
        if value is not default and (rule := _rule(cls, name, shape.without_numpy(value))):
            report(f"{key}.{name}", value, rule)


def _rule(cls: type, name: str, value: object) -> str | None:
    try:
        return parameter_rule(cls, name, value)
    except TypeError:
        # The annotation names a type of the author's own, which a file could not give either.
        return None
