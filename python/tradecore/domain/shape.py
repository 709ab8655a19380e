"""The one check of settings, whether they come from a file or from Python: type, bounds, allowed words.

A value is a tree: dictionaries and lists as TOML gives them, or the structs themselves. The key of a problem
is the path to it, `instruments[1].tick_size`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import TypeGuard, TypeVar

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

Report = Callable[[str, object, str], None]
_BAD = object()
_T = TypeVar("_T")


class Problems:
    """Collects what is wrong, each with the path of its key; it is called as a `Report`."""

    def __init__(self) -> None:
        self.found: list[InvalidValueError] = []

    def __call__(self, key: str, value: object, rule: str) -> None:
        """Note a problem."""
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
    kind: type = cls
    tree = checked(value, type_info(kind), key, noted)
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    return None if noted.found else msgspec.convert(tree, cls)


@lru_cache
def type_info(cls: type) -> inspect.Type:
    """Return what msgspec knows of a type; looked up once."""
    return inspect.type_info(cls)


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
            return _one_of(value, [str(member.value) for member in kind.cls], key, report)
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


def _struct(value: object, kind: inspect.StructType, key: str, report: Report) -> object:
    if isinstance(value, kind.cls):
        value = _tree_of(value, kind)
    if not _is_table(value):
        report(key, value, f"must be a table, in Python an object of {kind.cls.__name__}")
        return _BAD
    fields = {field.encode_name: field for field in kind.fields}
    known = set(fields) | ({kind.tag_field} if kind.tag_field else set())
    result: dict[str, object] = {}
    for name, item in value.items():
        field = fields.get(name)
        if field is not None:
            result[name] = checked(item, field.type, _join(key, name), report)
        elif name == kind.tag_field:
            result[name] = item
        elif kind.forbid_unknown_fields:
            report(_join(key, name), item, f"unknown key; {suggestion(name, known)}")
    for name, field in fields.items():
        if field.required and name not in value:
            report(_join(key, name), None, "is missing and has no default")
    return result


def _tree_of(value: object, kind: inspect.StructType) -> dict[str, object]:
    """Return the fields of a struct by their names."""
    tree = {field.encode_name: getattr(value, field.name) for field in kind.fields}
    return tree | ({kind.tag_field: kind.tag} if kind.tag_field else {})


def _is_table(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _union(value: object, kind: inspect.UnionType, key: str, report: Report) -> object:
    if value is None and any(isinstance(option, inspect.NoneType) for option in kind.types):
        return None
    options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
    if len(options) == 1:
        return checked(value, options[0], key, report)
    if any(isinstance(option, inspect.DictType) for option in options):
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


def _one_of(value: object, known: list[str], key: str, report: Report) -> object:
    word = value.value if isinstance(value, Enum) else value
    if isinstance(word, str) and word in known:
        return word
    report(key, value, f"must be one of {', '.join(known)}")
    return _BAD


def _text(value: object, kind: inspect.StrType, key: str, report: Report) -> object:
    if key.rpartition(".")[2] not in DECIMAL_KEYS:
        if type(value) is date:
            # TOML has days of its own, written without quotes.
            value = value.isoformat()
        return _words(value, kind, key, report)
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
    if number <= 0 and key.rpartition(".")[2] in POSITIVE_KEYS:
        report(key, value, "must be above 0")
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
