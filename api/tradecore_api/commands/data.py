"""`tradecore data inspect`: say what is in a table, and what of it cannot be read."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tradecore.domain.errors import DataError
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values
from tradecore_api.wiring import inspection

_NANOSECONDS = 1_000_000_000
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_SHOWN = (
    *("path", "format", "kind", "files", "rows", "first_time", "last_time", "span", "interval", "gaps"),
    *("prices", "market", "messages", "symbols"),
)


def inspect(arguments: argparse.Namespace) -> int:
    """Say what a data file holds, how to use it and what is wrong with it."""
    paths: list[str] = arguments.paths
    for path in paths:
        if not Path(path).exists() and not any(mark in path for mark in "*?["):
            raise DataError(path, "no such file")
    report = inspection.inspect_data(paths)
    times = {name: report.get(f"{name}_ns") for name in ("first_time", "last_time")}
    report |= {name: _time(value) for name, value in times.items() if isinstance(value, int)}
    if arguments.json:
        print_json(report)
    else:
        _show(report)
    return ExitCode.CHECK_FAILED if report.get("problems") else ExitCode.OK


def _show(report: Mapping[str, object]) -> None:
    """Print what a person reads: values, then what to know, what is wrong and what to paste."""
    first, last, interval = (report.get(f"{name}_ns") for name in ("first_time", "last_time", "interval"))
    low, high = report.get("price_min"), report.get("price_max")
    derived: dict[str, object] = {
        "files": report.get("files") if report.get("files") != 1 else None,
        "span": _length(last - first) if isinstance(first, int) and isinstance(last, int) else None,
        "interval": _length(interval) if isinstance(interval, int) else None,
        "gaps": report.get("gaps")
        if (report.get("kind") == "bars" and report.get("rows")) or report.get("gaps")
        else None,
        "prices": f"{low} to {high}" if low is not None else None,
    }
    named = {name: derived.get(name, report.get(name)) for name in _SHOWN}
    shown = {name: value for name, value in named.items() if value is not None and value not in ({}, [], ())}
    for guess in _list(report, "instruments"):
        if isinstance(guess, dict):
            name = f"instrument {guess['symbol']}".rstrip()
            depth = f", {guess['book_levels_max']} levels" if guess.get("book_levels_max") else ""
            shown[name] = f"tick {guess['tick_size']}, lot {guess['lot_size']}{depth}"
    print_values(shown)
    for title in ("notes", "problems"):
        for line in _list(report, title):
            print(f"{title.removesuffix('s')}: {line}")
    if use := report.get("use"):
        print(f"\n{use}", end="")


def _list(report: Mapping[str, object], name: str) -> Sequence[object]:
    value = report.get(name)
    return value if isinstance(value, list | tuple) else ()


def _time(time_ns: int) -> str:
    """Return UTC nanoseconds as people read them, with as many decimals as it takes."""
    seconds, nanoseconds = divmod(time_ns, _NANOSECONDS)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text}{f'.{nanoseconds:09d}'.rstrip('0') if nanoseconds else ''} UTC"


def _length(length_ns: int) -> str:
    """Return a length of time in its two largest units that are not 0."""
    rest, parts = length_ns // _NANOSECONDS, []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count:,} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts[:2]) or f"{length_ns / 1e9:g} seconds"
