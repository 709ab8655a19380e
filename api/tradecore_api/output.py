"""Data on stdout: JSON for scripts, plain lines for people."""

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

# Exact decimals become JSON numbers with every digit.
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def plain(value: object) -> dict[str, object]:
    """Return a struct as nested plain values, exact decimals kept."""
    values: dict[str, object] = msgspec.to_builtins(value, builtin_types=(Decimal,))
    return values


def decimal_of(text: object) -> Decimal:
    """Return decimal text of an engine as an exact decimal."""
    return Decimal(str(text))


def print_json(value: object) -> None:
    """Print one JSON document; NaN becomes null."""
    sys.stdout.write(msgspec.json.format(_ENCODER.encode(value), indent=2).decode())
    sys.stdout.write("\n")


def print_json_line(value: object) -> None:
    """Print one line of JSON."""
    sys.stdout.write(_ENCODER.encode(value).decode())
    sys.stdout.write("\n")


def print_note(text: str) -> None:
    """Print a remark on stderr: what is to be known beside the data."""
    print(f"tradecore: {text}", file=sys.stderr)


def print_values(values: Mapping[str, object]) -> None:
    """Print `key  value` lines, keys padded to one width; tables below their key."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        print(f"{name:<{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value:,f}"
        case float():
            return f"{value:,.6g}"
        case Mapping():
            return "  ".join(f"{name} {_shown(item)}" for name, item in value.items()) or "-"
        case str():
            return value
        case Sequence():
            return "; ".join(_shown(item) for item in value) or "-"
        case _:
            return str(value)
