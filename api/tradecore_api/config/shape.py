"""Checks a tree of TOML values against the tables and says, for each problem, what to do."""

import difflib
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal, InvalidOperation

from msgspec import inspect

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

Report = Callable[[str, object, str], None]
_BAD = object()


def checked(value: object, kind: inspect.Type, key: str, report: Report) -> object:
    """Return the value ready for `msgspec.convert`; every problem goes to `report(key, value, rule)`."""
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
    if not isinstance(value, dict):
        report(key, value, "must be a table")
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


def _union(value: object, kind: inspect.UnionType, key: str, report: Report) -> object:
    options = [option for option in kind.types if not isinstance(option, inspect.NoneType)]
    if len(options) == 1:
        return checked(value, options[0], key, report)
    if any(isinstance(option, inspect.DictType) for option in options):
        return _names_or_list(value, options, key, report)
    if any(isinstance(option, inspect.StrType) for option in options):
        return _one_or_several(value, options, key, report)
    tables = {str(option.tag): option for option in options if isinstance(option, inspect.StructType)}
    if not isinstance(value, dict):
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
    if not isinstance(value, list):
        report(key, value, "must be a list")
        return _BAD
    return [checked(item, item_kind, _join(key, str(index)), report) for index, item in enumerate(value)]


def _dict(value: object, item_kind: inspect.Type, key: str, report: Report) -> object:
    if not isinstance(value, dict):
        report(key, value, "must be a table")
        return _BAD
    return {name: checked(item, item_kind, _join(key, name), report) for name, item in value.items()}


def _one_of(value: object, known: list[str], key: str, report: Report) -> object:
    if isinstance(value, str) and value in known:
        return value
    report(key, value, f"must be one of {', '.join(known)}")
    return _BAD


def _text(value: object, kind: inspect.StrType, key: str, report: Report) -> object:
    if key.rpartition(".")[2] not in DECIMAL_KEYS:
        if type(value) is date:
            # TOML has days of its own, written without quotes.
            value = value.isoformat()
        if value == "" and kind.min_length:
            report(key, value, "must not be empty")
        return _plain(value, isinstance(value, str), 'must be text in "quotes"', key, report)
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        report(key, value, "must be a number")
        return _BAD
    try:
        number = Decimal(value)
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
    return value


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
    return float(number)


def _plain(value: object, is_right: bool, rule: str, key: str, report: Report) -> object:
    if is_right:
        return value
    report(key, value, rule)
    return _BAD


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
