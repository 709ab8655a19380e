"""What a file of Databento holds, by its metadata and its records.

Source: Databento Binary Encoding (DBN), versions 1 to 3: metadata begins with the dataset (16 bytes) and the
schema (2 bytes); a record begins with its length in words of 4 bytes and its type.
"""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np

from tradecore.domain import DataError
from tradecore.domain.steps import decimal_text, tick_of
from tradecore_files.order_records import RECORD_TYPES, load_orders, record_types
from tradecore_files.summary import FileSummary, InstrumentGuess

_NANO = "0.000000001"


def is_dbn(data: bytes) -> bool:
    """Tell whether these are the bytes of a DBN file, unpacked."""
    return data.startswith(b"DBN")


def summarize_dbn(path: Path, data: bytes, summary: FileSummary) -> FileSummary:
    """Complete a summary with the records by type; only market by order is read."""
    summary = msgspec.structs.replace(summary, format="dbn", kind="orders")
    types = record_types(data)
    counts = {RECORD_TYPES.get(number, f"type {number}"): count for number, count in sorted(types.items())}
    summary = msgspec.structs.replace(summary, messages=counts, rows=sum(types.values()))
    try:
        records = load_orders(path, _NANO)
    except DataError as error:
        kind = "orders" if "mbo" in counts or not counts else "unknown"
        return msgspec.structs.replace(summary, kind=kind, problems=(str(error),))
    notes = []
    instruments = Counter(records.instrument_id.tolist())
    if len(instruments) > 1:
        named = ", ".join(str(number) for number, _ in instruments.most_common(5))
        notes.append(f"{len(instruments)} instruments ({named}): read one at a time with instrument_id")
    priced = records.price_ticks[records.price_ticks > 0]
    guess = (InstrumentGuess(tick_size=tick_of(priced, _NANO), lot_size="1"),) if len(priced) else ()
    times = records.time_ns if len(records) else np.zeros(0, dtype=np.int64)
    return msgspec.structs.replace(
        summary,
        first_time_ns=int(times.min()) if len(times) else None,
        last_time_ns=int(times.max()) if len(times) else None,
        price_min=decimal_text(int(priced.min()), _NANO) if len(priced) else None,
        price_max=decimal_text(int(priced.max()), _NANO) if len(priced) else None,
        symbols=tuple(str(number) for number in sorted(instruments)),
        instruments=guess,
        notes=tuple(notes),
    )
