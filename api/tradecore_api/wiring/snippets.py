"""How to use a file: what to write into a configuration, or to call in Python."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

# Kinds that a configuration has no key for, and the function of `tradecore_files` that reads them.
_LOADERS = {"trades": "load_trades", "quotes": "load_quotes"}


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
        case "latency":
            lines = f"[venue]\nlatency_file = {path}\n"
        case "messages":
            lines = _feed(form, path, found)
        case "records":
            lines = f'[data]\npath = {path}\nformat = "journal"\n'
        case "read_model":
            lines = f"# tradecore db info {paths[0]}\n"
        case "trades" | "quotes" | "orders":
            return _in_python(kind, path, found)
        case _:
            return ""
    return lines + _instruments(found, paths)


def _feed(form: str, path: str, found: Mapping[str, object]) -> str:
    if form == "binance_capture":
        return f'[feed]\nkind = "binance_capture"\nmarket = "{found["market"]}"\npath = {path}\n'
    return f'[feed]\nkind = "book_capture"\nvenue = "{form.removesuffix("_capture")}"\npath = {path}\n'


def _in_python(kind: str, path: str, found: Mapping[str, object]) -> str:
    guess = _guesses(found)
    if not guess:
        return ""
    tick, lot = guess[0]["tick_size"], guess[0]["lot_size"]
    if kind == "orders":
        return (
            f'from tradecore_files import load_orders\n\norders = load_orders({path}, tick_size="{tick}")\n'
        )
    loader = _LOADERS[kind]
    symbol = _symbol(str(found["path"]))
    return (
        f"from tradecore import InstrumentSpec\nfrom tradecore_files import {loader}\n\n"
        f'spec = InstrumentSpec(symbol="{symbol}", tick_size="{tick}", lot_size="{lot}")\n'
        f"{kind} = {loader}({path}, spec)\n"
    )


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
    """Return the name of a file as that of its instrument."""
    return Path(path).name.partition(".")[0] or "SYMBOL"
