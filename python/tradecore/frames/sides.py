"""Who took liquidity in the trades of a frame, and their numbers at the venue."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from tradecore.domain.errors import DataError
from tradecore.frames.table import Column, Table

Integers = npt.NDArray[np.int64]

_BUYS = frozenset({"true", "1", "buy", "b", "1.0"})
_SELLS = frozenset({"false", "0", "-1", "sell", "s", "0.0", "-1.0"})


def buyer_is_aggressor(table: Table, columns: Mapping[str, Column]) -> tuple[Integers, Integers | None]:
    """Return 1 where the buyer took liquidity, else 0; and the numbers of the trades if they have some.

    Raises
    ------
    DataError
        When neither `side` nor `buyer_maker` is there, or a row says something else.
    """
    if "side" in columns:
        is_buy = _flags(table, columns["side"])
    elif "buyer_maker" in columns:
        is_buy = 1 - _flags(table, columns["buyer_maker"])
    else:
        what = "column 'side' or 'buyer_maker' is missing for trades; name it in columns"
        raise DataError("frame", f"{what}; trades that do not say who took liquidity are not read")
    ids = columns.get("trade_id")
    return is_buy, None if ids is None or ids.values.dtype.kind not in "iu" else ids.values.astype(np.int64)


def _flags(table: Table, column: Column) -> Integers:
    texts, place = np.unique(column.values.astype(str), return_inverse=True)
    flags = np.zeros(len(texts), dtype=np.int64)
    for at, text in enumerate(texts.tolist()):
        word = text.strip().lower()
        if word not in _BUYS | _SELLS:
            row = int(np.argmax(place == at))
            rule = "must be buy or sell, true or false, 1 and 0 or 1 and -1"
            raise DataError(table.row_name(row), f"{column.label} {text!r}: {rule}")
        flags[at] = word in _BUYS
    return flags[place]
