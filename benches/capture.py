"""B7: a real capture of a futures market, as events and as plain messages."""

import gzip
import json
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from support.shared import shared_data

SYMBOL, TICK_SIZE, LOT_SIZE = "BTCUSDT", "0.1", "0.001"
FILE = "public/hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz"

Level = tuple[int, int]


class Depth(NamedTuple):
    """Depth messages in the order they count: the snapshot, then what follows it; sizes in ticks and lots."""

    messages: list[tuple[bool, list[Level], list[Level]]]
    levels: int
    trades: int


class Change(NamedTuple):
    """A change of the market at its receive time: levels of a depth message, or one trade of others."""

    time_ns: int
    bids: list[Level]
    asks: list[Level]
    # Price, size, and whether the buyer took.
    trade: tuple[int, int, bool] | None = None


@cache
def capture() -> bytes:
    """Read the capture: lines of receive time and message."""
    return gzip.decompress(shared_data(FILE).read_bytes())


def depth_and_trades() -> bytes:
    """Read the capture without the best prices it states beside the book."""
    lines = capture().splitlines(keepends=True)
    return b"".join(line for line in lines if b'"bookTicker"' not in line)


@cache
def depth() -> Depth:
    """Parse the depth messages plainly."""
    snapshot, changes, levels, trades = None, [], 0, 0
    for line in capture().splitlines():
        message = json.loads(line.partition(b" ")[2])
        data = message.get("data", message)
        kind = data.get("e")
        trades += kind == "trade"
        if kind == "depthUpdate":
            changes.append((data["u"], _steps(data["b"]), _steps(data["a"])))
            levels += len(data["b"]) + len(data["a"])
        elif "lastUpdateId" in data:
            snapshot = data["lastUpdateId"], _steps(data["bids"]), _steps(data["asks"])
            levels += len(data["bids"]) + len(data["asks"])
    last_id, bids, asks = snapshot
    later = [(False, *sides) for number, *sides in changes if number >= last_id]
    return Depth([(True, bids, asks), *later], levels, trades)


@cache
def timeline() -> list[Change]:
    """Parse what changes the market plainly, in the order it counts.

    The book begins with the snapshot; messages that came before it and are not yet in it follow at its time.
    """
    early, changes, last_id = [], [], None
    for line in depth_and_trades().splitlines():
        time, _, text = line.partition(b" ")
        time_ns, message = int(time), json.loads(text)
        data = message.get("data", message)
        if data.get("e") == "trade":
            (level,) = _steps([(data["p"], data["q"])])
            changes.append(Change(time_ns, [], [], (*level, not data["m"])))
        elif "lastUpdateId" in data:
            last_id = data["lastUpdateId"]
            changes.append(Change(time_ns, _steps(data["bids"]), _steps(data["asks"])))
            changes += [Change(time_ns, *sides) for number, *sides in early if number >= last_id]
        elif last_id is None:
            early.append((data["u"], _steps(data["b"]), _steps(data["a"])))
        else:
            changes.append(Change(time_ns, _steps(data["b"]), _steps(data["a"])))
    return changes


def _steps(levels: list[list[str]]) -> list[Level]:
    tick, lot = Decimal(TICK_SIZE), Decimal(LOT_SIZE)
    return [(int(Decimal(price) / tick), int(Decimal(size) / lot)) for price, size in levels]
