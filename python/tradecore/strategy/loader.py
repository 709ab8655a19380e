"""Finds a strategy class and builds it with checked parameters."""

import difflib
import importlib
import importlib.util
import sys
import traceback
import typing
import zlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from weakref import WeakKeyDictionary

import msgspec

from tradecore.domain import ConfigError, InvalidValueError, shape
from tradecore.domain.quoted import error_text
from tradecore.strategy.callbacks import signature_problems
from tradecore.strategy.neighbours import NeighbourLoader, package_of
from tradecore.strategy.own_source import own
from tradecore.strategy.place import place_of

# A class that nothing else holds any more is forgotten here too.
_KNOWN_HINTS: WeakKeyDictionary[type, dict[str, type]] = WeakKeyDictionary()


def load_class(target: str, *, source: str, key: str = "strategy.class", base: Path | None = None) -> type:
    """Return the class named by `path/to/file.py:Class` or `package.module:Class`.

    Parameters
    ----------
    target : str
        File (relative to `base`) or importable module, a colon, and the name of the class. The file may
        import the files beside it; what is installed comes first.
    source, key : str
        Where the target was configured, for the error.
    base : Path or None
        Directory that relative files start from; the working directory when `None`.

    Raises
    ------
    ConfigError
        When there is no such file, module or class.
    """
    location, _, name = target.rpartition(":")
    if not location or not name.isidentifier():
        raise ConfigError(source, key, target, "must be `file.py:Class` or `package.module:Class`")
    module = _load_module(location, source=source, key=key, target=target, base=base)
    found = getattr(module, name, None)
    if not isinstance(found, type):
        names = ", ".join(sorted(n for n, v in vars(module).items() if _is_own_class(module, v)))
        raise ConfigError(source, key, target, f"has no class {name}; it has {names or 'none'}")
    return found


def parameters(strategy_class: type) -> dict[str, object]:
    """Return the parameters of a strategy class: annotated public attributes with a default."""
    return {
        name: getattr(strategy_class, name)
        for name in _hints(strategy_class)
        if not name.startswith("_") and hasattr(strategy_class, name)
    }


def build(
    strategy_class: type, values: Mapping[str, object], *, source: str, section: str = "strategy"
) -> object:
    """Make a strategy with these parameters; each is checked against its annotation.

    Bounds are part of the annotation: `fast: Annotated[int, Bounds(ge=2, le=200)] = 10`.

    Raises
    ------
    ConfigError
        When a parameter is unknown, of the wrong type or out of bounds, or when a callback takes other
        arguments than the engine gives it; `others` has every further problem.
    """
    problems = parameter_problems(strategy_class, values)
    if problems:
        raise ConfigError.of([ConfigError(source, f"{section}.{p.field}", p.value, p.rule) for p in problems])
    try:
        strategy: object = strategy_class()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        rule = f"cannot be made: {error_text(error)}; its __init__ gets no arguments"
        raise ConfigError(source, f"{section}.class", strategy_class.__name__, rule) from error
    hints = _hints(strategy_class)
    for name, default in parameters(strategy_class).items():
        setattr(strategy, name, _converted(values.get(name, default), hints[name]))
    if wrong := signature_problems(strategy):
        rule = "; ".join(f"{name} {problem}" for name, problem in wrong)
        raise ConfigError(source, f"{section}.class", strategy_class.__name__, rule)
    return strategy


def parameter_problems(strategy_class: type, values: Mapping[str, object]) -> list[InvalidValueError]:
    """Return what is wrong with parameters, defaults included: unknown, of a wrong type or out of bounds."""
    known = parameters(strategy_class)
    problems = []
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it has {', '.join(known) or 'none'}"
            rule = f"{strategy_class.__name__} has no parameter of this name{hint}"
            problems.append(InvalidValueError(name, values[name], rule))
    for name, default in known.items():
        value = values.get(name, default)
        broken = parameter_rule(strategy_class, name, value)
        if broken is not None:
            problems.append(InvalidValueError(name, value, broken))
    return problems


def parameter_rule(strategy_class: type, name: str, value: object) -> str | None:
    """Return what the annotation of a parameter says against a value; `None` when it allows it."""
    try:
        _converted(value, _hints(strategy_class)[name])
    except msgspec.ValidationError as error:
        return str(error)
    except UnicodeEncodeError:
        return "must be text that UTF-8 can hold"
    return None


def _hints(strategy_class: type) -> dict[str, type]:
    """Return the annotations of a class by name; worked out once for each class."""
    known = _KNOWN_HINTS.get(strategy_class)
    if known is None:
        known = typing.get_type_hints(strategy_class, include_extras=True)
        _KNOWN_HINTS[strategy_class] = known
    return known


def _converted(value: object, hint: type) -> object:
    """Return a value as its annotation wants it; numbers of numpy and decimals are numbers."""
    value = shape.without_numpy(value)
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError:
        if not isinstance(value, Decimal):
            raise
    return msgspec.convert(float(value), hint)


def _load_module(location: str, *, source: str, key: str, target: str, base: Path | None) -> ModuleType:
    if not location.endswith(".py"):
        return _import_module(location, source=source, key=key, target=target, base=base)
    path = (base or Path.cwd()) / location
    if not path.is_file():
        raise ConfigError(source, key, target, f"there is no file {path}")
    name = f"tradecore_strategy_{path.stem}_{zlib.crc32(path.resolve().as_posix().encode()):08x}"
    if name in sys.modules:
        return sys.modules[name]
    own(path)
    beside = package_of(path.parent)
    loader = NeighbourLoader(name, str(path), beside)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise ConfigError(source, key, target, f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise ConfigError(source, key, target, f"{path}, line {error.lineno}: {error.msg}") from None
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:
        del sys.modules[name]
        raise ConfigError(source, key, target, _failure(str(path), error)) from error
    return module


def _import_module(location: str, *, source: str, key: str, target: str, base: Path | None) -> ModuleType:
    if not all(part.isidentifier() for part in location.split(".")):
        raise ConfigError(source, key, target, "must be `file.py:Class` or `package.module:Class`")
    if (place := place_of(target)) is not None:
        own(place.path)
    try:
        return importlib.import_module(location)
    except ModuleNotFoundError as error:
        rule = f"no module named {error.name}{_file_beside(location, target, error.name, base)}"
        raise ConfigError(source, key, target, rule) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # `sys.exit` as well: a script that ends itself is no strategy, and must not end us with a 0.
        raise ConfigError(source, key, target, _failure(location, error)) from error


def _file_beside(location: str, target: str, missing: str | None, base: Path | None) -> str:
    """Say how to name the file that was meant by a module; empty when there is none."""
    if missing is None or not f"{location}.".startswith(f"{missing}."):
        # The module is there, and what it imports is not.
        return ""
    file = f"{location.replace('.', '/')}.py"
    if not any((folder / file).is_file() for folder in (base or Path.cwd(), Path.cwd())):
        return ""
    return f'; for the file {file} write "{file}:{target.rpartition(":")[2]}"'


def _failure(location: str, error: BaseException) -> str:
    """Say what a module raised while it was imported, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == location]
    place = f", line {lines[-1]}" if lines else ""
    return f"{location}{place} cannot be imported: {error_text(error)}"


def _is_own_class(module: ModuleType, value: object) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__
