"""Data on stdout: JSON for scripts, plain lines for people."""

import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from tradecore.domain.units import trimmed
from tradecore.engine import Activity


def plain(value: object) -> dict[str, object]:
    """Return a struct as nested plain values, exact decimals kept."""
    values: dict[str, object] = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return values


def decimal(value: float | None) -> Decimal | None:
    """Return a float of prices, sizes or money as the shortest decimal that stands for it; NaN as `None`."""
    return trimmed(Decimal(repr(value))) if value is not None and math.isfinite(value) else None


def print_json(value: object) -> None:
    """Print one JSON document; NaN becomes null, and decimals are text without an exponent."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(_texts(value)), indent=2).decode())
    sys.stdout.write("\n")


def print_json_line(value: object) -> None:
    """Print one line of JSON, decimals as `print_json` has them."""
    sys.stdout.write(msgspec.json.encode(_texts(value)).decode())
    sys.stdout.write("\n")


def _texts(value: object) -> object:
    """Return plain values with decimals as text: readers of JSON make floats of its numbers."""
    match value:
        case Decimal():
            return f"{value:f}"
        case msgspec.Struct():
            return _texts(plain(value))
        case Mapping():
            return {_texts(name): _texts(item) for name, item in value.items()}
        case str():
            # A file's name may hold what UTF-8 cannot.
            return value.encode(errors="backslashreplace").decode()
        case bytes():
            return value
        case Sequence():
            return [_texts(item) for item in value]
        case _:
            return value


def print_note(text: str) -> None:
    """Print a remark on stderr: what is to be known beside the data."""
    print(f"tradecore: {text}", file=sys.stderr)


def print_values(values: Mapping[str, object]) -> None:
    """Print `key  value` lines, keys padded to one width; tables below their key."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        print(f"{name:<{width}}  {_shown(value)}")


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Print rows below their head, each column as wide as its widest text."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        print(f"{indent}{line}".rstrip())


def print_reasons(activity: Activity, *, trades: int) -> None:
    """Print why there are no trades, a line for each reason; nothing where there are trades."""
    reasons = [] if trades else activity.reasons()
    if reasons:
        print("\nno trades:")
    for reason in reasons:
        print(f"- {reason}")


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:,f}"
        case float():
            # Not 1.83823e+08: from six digits on whole numbers are exact enough.
            return f"{value:,.0f}" if math.isfinite(value) and abs(value) >= 1e6 else f"{value:,.6g}"
        case Mapping():
            return "  ".join(f"{name} {_shown(item)}" for name, item in value.items()) or "-"
        case str():
            return value
        case Sequence():
            return "; ".join(_shown(item) for item in value) or "-"
        case _:
            return str(value)
