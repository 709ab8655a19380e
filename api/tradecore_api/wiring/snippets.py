"""How to use a file: what to write into a configuration, or to call in Python."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

# What people append to the symbol in the name of a file: the length of a bar, the kind of data, a date.
_BESIDE_SYMBOL = re.compile(
    r"[-_. ](\d{1,4}(s|sec|m|min|h|d|w|mo|M)|(agg)?trades?|quotes?|bookticker|ticks?|bars?|candles?|klines?"
    r"|ohlcv|spot|futures|mark(price)?s?|funding(_?rates?)?|daily|hourly|minute|(19|20)\d\d([-_]?\d\d){0,2})"
    r"(?![a-z0-9])",
    re.IGNORECASE,
)
# What orders are matched against, where it is not the file itself.
_TRADES_ONLY = (
    '# Orders fill at bars or quotes: add `path` with bars, or `quotes` and [venue] matching = "quotes".\n'
)


def use_of(found: Mapping[str, object], paths: Sequence[str]) -> str:
    """Return the lines to paste; empty for a file that cannot be used."""
    kind, form = str(found["kind"]), str(found["format"])
    if found.get("problems") and not _guesses(found) and kind != "records":
        return ""
    path = json.dumps(paths[0]) if len(paths) == 1 else json.dumps(list(paths))
    match kind:
        case "bars":
            rounding = 'rounding = "nearest"\n' if any("rounding" in note for note in _notes(found)) else ""
            lines = f'[data]\npath = {path}\nformat = "{form}"\n{rounding}'
        case "funding" | "marks":
            lines = f"[data]\n{kind} = {path}\n"
        case "trades":
            lines = f"[data]\ntrades = {path}\n{_TRADES_ONLY}"
        case "quotes":
            lines = f'[data]\nquotes = {path}\n\n[venue]\nmatching = "quotes"\n'
        case "latency":
            lines = f"[venue]\nlatency_file = {path}\n"
        case "messages":
            lines = _feed(form, path, found)
        case "records":
            lines = f'[data]\npath = {path}\nformat = "journal"\n'
        case "read_model":
            lines = f"# tradecore db info {paths[0]}\n"
        case "orders":
            return _in_python(path, found)
        case _:
            return ""
    return lines + _instruments(found, paths)


def _feed(form: str, path: str, found: Mapping[str, object]) -> str:
    if form == "binance_capture":
        return f'[feed]\nkind = "binance_capture"\nmarket = "{found["market"]}"\npath = {path}\n'
    return f'[feed]\nkind = "book_capture"\nvenue = "{form.removesuffix("_capture")}"\npath = {path}\n'


def _in_python(path: str, found: Mapping[str, object]) -> str:
    """Return how orders are read, which a configuration has no key for."""
    guess = _guesses(found)
    if not guess:
        return ""
    tick = guess[0]["tick_size"]
    return f'from tradecore_files import load_orders\n\norders = load_orders({path}, tick_size="{tick}")\n'


def _instruments(found: Mapping[str, object], paths: Sequence[str]) -> str:
    """Return the instruments, with the ticks and lots that the file shows."""
    tables = [
        f"\n[[instruments]]\nsymbol = {json.dumps(guess['symbol'] or _symbol(paths[0]))}\n"
        f"tick_size = {guess['tick_size']}\nlot_size = {guess['lot_size']}\n"
        for guess in _guesses(found)
    ]
    return "".join(tables)


def _guesses(found: Mapping[str, object]) -> list[dict[str, object]]:
    guesses = found.get("instruments")
    return list(guesses) if isinstance(guesses, list | tuple) else []


def _notes(found: Mapping[str, object]) -> list[str]:
    notes = found.get("notes")
    return [str(note) for note in notes] if isinstance(notes, list | tuple) else []


def _symbol(path: str) -> str:
    """Return the name of a file as that of its instrument: `BTC_USDT-5m.csv` has `BTC_USDT`."""
    name = Path(path).name.partition(".")[0]
    beside = _BESIDE_SYMBOL.search(name)
    return (name[: beside.start()] if beside else name) or "SYMBOL"
