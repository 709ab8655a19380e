"""B7: a real capture of a futures market, as events and as plain messages."""

import gzip
import json
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from support.shared import shared_data

SYMBOL, TICK_SIZE, LOT_SIZE = "BTCUSDT", "0.1", "0.001"
FILE = "public/hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz"


class Depth(NamedTuple):
    """Depth messages in the order they count: the snapshot, then what follows it; sizes in ticks and lots."""

    messages: list[tuple[bool, list[tuple[int, int]], list[tuple[int, int]]]]
    levels: int
    trades: int


@cache
def capture() -> bytes:
    """Read the capture: lines of receive time and message."""
    return gzip.decompress(shared_data(FILE).read_bytes())


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


def _steps(levels: list[list[str]]) -> list[tuple[int, int]]:
    tick, lot = Decimal(TICK_SIZE), Decimal(LOT_SIZE)
    return [(int(Decimal(price) / tick), int(Decimal(size) / lot)) for price, size in levels]
