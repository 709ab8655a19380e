"""The one check of settings, whether they come from a file or from Python: type, bounds, allowed words.

A value is a tree: dictionaries and lists as TOML gives them, or the structs themselves. The key of a problem
is the path to it, `instruments[1].tick_size`.
"""

import difflib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cached_property, lru_cache

import msgspec
from msgspec import inspect

from tradecore.domain.errors import InvalidSpecError, InvalidValueError

# Keys that are decimal numbers kept as text, so that they stay exact.
DECIMAL_KEYS = frozenset(
    {
        "tick_size",
        "lot_size",
        "multiplier",
        "cash",
        "leverage",
        "maker_bps",
        "taker_bps",
        "quantity_max",
        "notional_max",
        "position_max",
        "gross_max",
        "net_max",
        "daily_loss_max",
        "drawdown_max",
        "order_value_max",
        "position_value_max",
        "above",
        "price_move_bps",
        "price_collar_bps",
        "price_drift_bps",
        "volume_min",
        "liquidation_fee_bps",
        "amount",
    }
)
POSITIVE_KEYS = DECIMAL_KEYS - {"maker_bps", "taker_bps", "liquidation_fee_bps", "amount"}

# Furthest that the first digit of a decimal number may stand from the point.
EXPONENT_MAX = 40
# A float of more digits before its point is infinite.
FLOAT_EXPONENT_MAX = 307

DRY_RUN = 'a dry run is mode = "paper" here: live data, and fills that are simulated'
# What settings are called in other programs, whose users write those words first.
_OTHER_KEYS = {
    "dry_run": DRY_RUN,
    "dry_run_wallet": "the money of a dry run is `cash` in [account]",
    "sandbox": DRY_RUN,
    "paper_trading": DRY_RUN,
}
_OTHER_MODES = (
    "real",
    "production",
    "trade",
    "dry_run",
    "dry-run",
    "dryrun",
    "sandbox",
    "simulation",
)

Report = Callable[[str, object, str], None]
_BAD = object()
_T = typing.TypeVar("_T", bound=msgspec.Struct)


class Problems:
    """Collects what is wrong, each with the path of its key; it is called as a `Report`."""

    def __init__(self) -> None:
        self.found: list[InvalidValueError] = []

    def __call__(self, key: str, value: object, rule: str) -> None:
        """Note what is wrong with the value of a key, and go on: all problems are told at once."""
        self.found.append(InvalidValueError(key, value, rule))

    def add(self, error: InvalidValueError, key: str) -> None:
        """Note the problems of an error, which are below this key."""
        for problem in error.problems if isinstance(error, InvalidSpecError) else (error,):
            self(_join(key, problem.field), problem.value, problem.rule)

    def raise_any(self) -> None:
        """Raise everything that was noted as one `InvalidSpecError`; nothing when all is well."""
        if self.found:
            raise InvalidSpecError(self.found)


def checked_struct(value: object, cls: type[_T], key: str, report: Report) -> _T | None:
    """Return a struct with every value of its declared type; `None` when `report` got problems.

    Words become members of their enumeration, numbers of numpy plain ones, and numbers of decimal settings
    exact text.
    """
    noted = Problems()
    tree = checked_tree(value, cls, key, noted)
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    return None if noted.found else made(tree, cls)


def made(tree: object, cls: type[_T]) -> _T:
    """Make a struct of a checked tree as `msgspec.convert` does, without a look at what has its default.

    msgspec would work out the types of every struct below at the first call: more than all the rest of an
    engine costs.
    """
    if not isinstance(tree, dict):
        return msgspec.convert(tree, cls)
    given = {field.name: field for field in _fields(cls) if field.encode_name in tree}
    return cls(
        **{name: msgspec.convert(tree[field.encode_name], field.declared) for name, field in given.items()}
    )


def checked_tree(value: object, cls: type[msgspec.Struct], key: str, report: Report) -> object:
    """Return a value of a struct's type as `checked` does; of an object only what is not a default of it."""
    if type(value) is cls:
        return _object(value, cls, key, report)
    return checked(value, type_info(cls), key, report)


@lru_cache
def type_info(cls: type) -> inspect.Type:
    """Return what msgspec knows of a type, without the fields of structs; looked up once."""
    return _shallow(cls)


def is_good(value: object) -> bool:
    """Tell whether `checked` took a value."""
    return value is not _BAD


def rows(tree: object, name: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the tables of a list in a checked tree, and where they stand; what was refused is left out."""
    listed = tree.get(name) if isinstance(tree, dict) else None
    for index, row in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(row, dict):
            yield index, row


def checked(value: object, kind: inspect.Type, key: str, report: Report) -> object:
    """Return the value ready for `msgspec.convert`; every problem goes to `report(key, value, rule)`."""
    value = without_numpy(value)
    match kind:
        case inspect.StructType():
            return _struct(value, kind, key, report)
        case inspect.UnionType():
            return _union(value, kind, key, report)
        case inspect.EnumType():
            return _one_of(value, _values(kind.cls), key, report)
        case inspect.VarTupleType() | inspect.ListType():
            return _list(value, kind.item_type, key, report)
        case inspect.DictType():
            return _dict(value, kind.value_type, key, report)
        case inspect.BoolType():
            return _plain(value, isinstance(value, bool), "must be true or false", key, report)
        case inspect.IntType():
            return _integer(value, kind, key, report)
        case inspect.FloatType():
            return _float(value, kind, key, report)
        case inspect.StrType():
            return _text(value, kind, key, report)
        case _:
            return value


def without_numpy(value: object) -> object:
    """Return a scalar of numpy as a plain one; anything else as it is."""
    if type(value).__module__ != "numpy":
        return value
    item = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "ndim", None) == 0 else value


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a phrase with the nearest known word, or with all of them."""
    known = sorted(known)
    if not known:
        return "there are none"
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def plain(value: object) -> object:
    """Return a tree with every exact decimal of the file as a float: parameters of strategies."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case _:
            return value


class _Field:
    """A field of a struct; what msgspec knows of its type is looked up when a value needs it."""

    def __init__(self, field: msgspec.structs.FieldInfo) -> None:
        self.name = field.name
        self.encode_name = field.encode_name
        # A value of its own where there is none, so that nothing is taken for it.
        self.default = _BAD if field.default is msgspec.NODEFAULT else field.default
        self.declared = field.type

        self.is_required = field.required

    @cached_property
    def type(self) -> inspect.Type:
        """What the field may hold, read from its annotation when somebody first asks."""
        return _shallow(self.declared)


def _shallow(declared: object) -> inspect.Type:
    """Return what `inspect.type_info` does, but structs without their fields, which `_fields` has.

    Most structs of a specification are as they were made, and need none.
    """
    origin, args = typing.get_origin(declared), typing.get_args(declared)
    if isinstance(declared, type) and issubclass(declared, msgspec.Struct):
        config = declared.__struct_config__
        return inspect.StructType(
            declared, (), config.tag_field, config.tag, forbid_unknown_fields=config.forbid_unknown_fields
        )
    if origin is tuple and args[1:] == (...,):
        return inspect.VarTupleType(_shallow(args[0]))
    if origin is dict:
        return inspect.DictType(_shallow(args[0]), _shallow(args[1]))
    if origin in (typing.Union, types.UnionType):
        return inspect.UnionType(tuple(_shallow(each) for each in args))
    return inspect.type_info(declared)


@lru_cache
def _fields(cls: type[msgspec.Struct]) -> tuple[_Field, ...]:
    return tuple(_Field(field) for field in msgspec.structs.fields(cls))


@lru_cache
def _values(cls: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in cls)


def _object(value: object, cls: type[msgspec.Struct], key: str, report: Report) -> object:
    """Check the fields of a struct in which something else than the default stands, and return these alone.

    A default is part of the struct itself, and `msgspec.convert` puts it back; most fields have theirs.
    """
    config = cls.__struct_config__
    result: dict[str, object] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in _fields(cls):
        item = getattr(value, field.name)
        if item is not field.default:
            result[field.encode_name] = checked(item, field.type, _join(key, field.encode_name), report)
    return result


def _struct(value: object, kind: inspect.StructType, key: str, report: Report) -> object:
    if type(value) is kind.cls:
        return _object(value, kind.cls, key, report)
    if isinstance(value, kind.cls):
        value = _tree_of(value, kind)
    if not _is_table(value):
        report(key, value, f"must be a table, in Python an object of {kind.cls.__name__}")
        return _BAD
    fields = {field.encode_name: field for field in _fields(kind.cls)}
    known = set(fields) | ({kind.tag_field} if kind.tag_field else set())
    result: dict[str, object] = {}
    for name, item in value.items():
        field = fields.get(name)
        if field is not None:
            result[name] = checked(item, field.type, _join(key, name), report)
        elif name == kind.tag_field:
            result[name] = item
        elif kind.forbid_unknown_fields:
            report(_join(key, name), item, f"unknown key; {_OTHER_KEYS.get(name) or suggestion(name, known)}")
    for name, field in fields.items():
        if field.is_required and name not in value:
            report(_join(key, name), None, "is missing and has no default")
    return result


def _tree_of(value: object, kind: inspect.StructType) -> dict[str, object]:
    """Return the fields of a struct by their names."""
    tree = {field.encode_name: getattr(value, field.name) for field in _fields(kind.cls)}
    return tree | ({kind.tag_field: kind.tag} if kind.tag_field else {})


def _is_table(value: object) -> typing.TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _union(value: object, kind: inspect.UnionType, key: str, report: Report) -> object:
    if value is None and any(isinstance(option, inspect.NoneType) for option in kind.types):
        return None
    options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
    if len(options) == 1:
        return checked(value, options[0], key, report)
    kinds = {type(option) for option in options}
    if kinds == {inspect.DictType, inspect.StrType}:
        return _amounts(value, options, key, report)
    if inspect.DictType in kinds:
        return _names_or_list(value, options, key, report)
    if any(isinstance(option, inspect.StrType) for option in options):
        return _one_or_several(value, options, key, report)
    tables = {str(option.tag): option for option in options if isinstance(option, inspect.StructType)}
    for option in tables.values():
        if isinstance(value, option.cls):
            return _struct(value, option, key, report)
    if not _is_table(value):
        report(key, value, "must be a table")
        return _BAD
    tag = value.get("kind")
    if not isinstance(tag, str) or tag not in tables:
        report(_join(key, "kind"), tag, f"must be one of {', '.join(sorted(tables))}")
        return _BAD
    return _struct(value, tables[tag], key, report)


def _amounts(value: object, options: list[inspect.Type], key: str, report: Report) -> object:
    """Check a key that is one decimal amount or a table of them by name."""
    if not isinstance(value, dict):
        return checked(value, next(o for o in options if isinstance(o, inspect.StrType)), key, report)
    if not value or not _is_table(value):
        report(key, value, "must be an amount, or a table of amounts by their names")
        return _BAD
    return {name: _decimal(item, _join(key, name), report, least=0) for name, item in value.items()}


def _one_or_several(value: object, options: list[inspect.Type], key: str, report: Report) -> object:
    """Check a key that is one text or a list of them."""
    wanted = inspect.VarTupleType if isinstance(value, list) else inspect.StrType
    option = next(option for option in options if isinstance(option, wanted))
    if not isinstance(value, str | list):
        report(key, value, 'must be text in "quotes" or a list of them')
        return _BAD
    return checked(value, option, key, report)


def _names_or_list(value: object, options: list[inspect.Type], key: str, report: Report) -> object:
    """Check a key that is a table of names or a list of them."""
    wanted = inspect.VarTupleType if isinstance(value, list) else inspect.DictType
    option = next(option for option in options if isinstance(option, wanted))
    if not isinstance(value, dict | list):
        report(key, value, 'must be a table of names or a list of them, e.g. ["time", "price"]')
        return _BAD
    return checked(value, option, key, report)


def _list(value: object, item_kind: inspect.Type, key: str, report: Report) -> object:
    if not isinstance(value, list | tuple):
        report(key, value, "must be a list")
        return _BAD
    if isinstance(item_kind, inspect.IntType) and _are_good(value, item_kind):
        return list(value)
    return [checked(item, item_kind, f"{key}[{index}]", report) for index, item in enumerate(value)]


def _are_good(values: list[object] | tuple[object, ...], kind: inspect.IntType) -> bool:
    """Tell quickly whether nothing is wrong with whole numbers: a table of sessions has thousands."""
    if not values or not all(type(value) is int for value in values):
        return False
    numbers = [value for value in values if isinstance(value, int)]
    least = -(2**63) if kind.ge is None else kind.ge
    most = 2**63 - 1 if kind.le is None else kind.le
    return min(numbers) >= least and max(numbers) <= most


def _dict(value: object, item_kind: inspect.Type, key: str, report: Report) -> object:
    if not _is_table(value):
        report(key, value, "must be a table whose names are text")
        return _BAD
    return {name: checked(item, item_kind, _join(key, name), report) for name, item in value.items()}


def _one_of(value: object, known: Sequence[str], key: str, report: Report) -> object:
    word = value.value if isinstance(value, Enum) else value
    if isinstance(word, str) and word in known:
        return word
    is_elsewhere = key == "mode" and isinstance(word, str) and word.lower() in _OTHER_MODES
    hint = f'; real money is mode = "live", and {DRY_RUN}' if is_elsewhere else ""
    report(key, value, f"must be one of {', '.join(known)}{hint}")
    return _BAD


def _text(value: object, kind: inspect.StrType, key: str, report: Report) -> object:
    if key.rpartition(".")[2] not in DECIMAL_KEYS:
        if type(value) is date:
            # TOML has days of its own, written without quotes.
            value = value.isoformat()
        return _words(value, kind, key, report)
    return _decimal(value, key, report, least=1 if key.rpartition(".")[2] in POSITIVE_KEYS else None)


def _decimal(value: object, key: str, report: Report, *, least: int | None) -> object:
    """Check a decimal number kept as text; `least` 1 stands for above 0, 0 for not below 0."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        report(key, value, "must be a number")
        return _BAD
    try:
        # The shortest digits that are this float: 0.1 is meant as 0.1.
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        report(key, value, "must be a decimal number, e.g. 0.01")
        return _BAD
    if not number.is_finite():
        report(key, value, "must be a finite number")
        return _BAD
    if number and not -EXPONENT_MAX <= number.adjusted() <= EXPONENT_MAX:
        # Written out it would have more digits than any number here can hold.
        report(key, value, "must fit 64 bits with at most 18 decimals")
        return _BAD
    if least is not None and (number < 0 or (least and number == 0)):
        report(key, value, "must be above 0" if least else "must not be below 0")
        return _BAD
    return value if isinstance(value, str) else format(number or Decimal(0), "f")


def _words(value: object, kind: inspect.StrType, key: str, report: Report) -> object:
    if value == "" and kind.min_length:
        report(key, value, "must not be empty")
    elif not isinstance(value, str):
        report(key, value, 'must be text in "quotes"')
    elif kind.max_length is not None and len(value) > kind.max_length:
        report(key, f"{value[:20]}...", f"must have at most {kind.max_length} characters")
    elif any("\ud800" <= letter <= "\udfff" for letter in value):
        report(key, value, "must be text that UTF-8 can hold: it has half of a surrogate pair")
    else:
        return str(value)
    return _BAD


def _integer(value: object, kind: inspect.IntType, key: str, report: Report) -> object:
    if isinstance(value, bool) or not isinstance(value, int):
        report(key, value, "must be a whole number")
        return _BAD
    if not -(2**63) <= value < 2**63:
        report(key, value, "must fit 64 bits")
    elif kind.ge is not None and value < kind.ge:
        report(key, value, f"must be at least {kind.ge}")
    elif kind.le is not None and value > kind.le:
        report(key, value, f"must be at most {kind.le}")
    else:
        return value
    return _BAD


def _float(value: object, kind: inspect.FloatType, key: str, report: Report) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        report(key, value, "must be a number")
        return _BAD
    number = Decimal(value)
    if not number.is_finite():
        report(key, value, "must be a finite number")
    elif kind.gt is not None and number <= Decimal(kind.gt):
        report(key, value, f"must be above {kind.gt:g}")
    elif kind.ge is not None and number < Decimal(kind.ge):
        report(key, value, f"must be at least {kind.ge:g}")
    elif kind.le is not None and number > Decimal(kind.le):
        report(key, value, f"must be at most {kind.le:g}")
    elif number.adjusted() > FLOAT_EXPONENT_MAX:
        report(key, value, f"must be below 1e{FLOAT_EXPONENT_MAX + 1}")
    else:
        return float(number)
    return _BAD


def _plain(value: object, is_right: bool, rule: str, key: str, report: Report) -> object:
    if is_right:
        return value
    report(key, value, rule)
    return _BAD


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
