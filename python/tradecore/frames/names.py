"""Which columns of a frame are ours: by their usual names in any case, or as the caller says."""

from collections.abc import Mapping

from tradecore.domain.column_names import (
    ASK_NAMES,
    ASK_SIZE_NAMES,
    BID_NAMES,
    BID_SIZE_NAMES,
    BUYER_MAKER_NAMES,
    PRICE_NAMES,
    QUANTITY_NAMES,
    SIDE_NAMES,
    TIME_NAMES,
    VOLUME_NAMES,
)
from tradecore.domain.errors import DataError, InvalidValueError
from tradecore.frames.table import Table

# By kind: our names with those of others; those of `_OPTIONAL` may be missing.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "bars": {"open": ("o",), "high": ("h",), "low": ("l",), "close": ("c",), "volume": ("v", *VOLUME_NAMES)},
    "quotes": {
        "bid": BID_NAMES,
        "ask": ASK_NAMES,
        "bid_size": BID_SIZE_NAMES,
        "ask_size": ASK_SIZE_NAMES,
    },
    "trades": {
        "price": PRICE_NAMES,
        "quantity": QUANTITY_NAMES,
        "side": SIDE_NAMES,
        "buyer_maker": BUYER_MAKER_NAMES,
        "trade_id": ("id",),
    },
}
_OPTIONAL = frozenset({"volume", "bid_size", "ask_size", "side", "buyer_maker", "trade_id"})
_TIMES = (*TIME_NAMES, "time_ns", "timestamp_ns", "open_time_ns")


def kind_of(table: Table, kind: str, columns: Mapping[str, str]) -> str:
    """Return whether a table has bars, quotes or trades.

    Raises
    ------
    InvalidValueError
        When the caller asked for something else.
    DataError
        When it has the columns of none, or of two kinds.
    """
    word: object = kind
    if not isinstance(word, str) or word not in ("auto", *KINDS):
        raise InvalidValueError("kind", word, f"must be auto, {', '.join(KINDS)}")
    if kind != "auto":
        return kind
    known = {name for wanted in KINDS.values() for name in wanted}
    unknown = set(columns) - known - {"time"}
    if unknown:
        raise InvalidValueError("columns", min(unknown), f"must name time, {', '.join(sorted(known))}")
    found = {kind: _has(table, wanted, columns) for kind, wanted in KINDS.items()}
    missing = {
        kind: [name for name in KINDS[kind] if name not in has | _OPTIONAL] for kind, has in found.items()
    }
    whole = [kind for kind, names in missing.items() if not names]
    if len(whole) == 1:
        return whole[0]
    if whole:
        raise DataError(
            "frame", f'has the columns of {" and of ".join(whole)}; say which, as in kind="{whole[0]}"'
        )
    if not any(has - _OPTIONAL - {"quantity"} for has in found.values()):
        raise _no_kind(table)
    nearest = max(KINDS, key=lambda kind: len(found[kind] - _OPTIONAL) / len(set(KINDS[kind]) - _OPTIONAL))
    raise _missing(table, missing[nearest][0], nearest)


def positions_of(table: Table, kind: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Return where our columns stand, `time` among them.

    Raises
    ------
    DataError
        When one is missing, or two have its name.
    """
    found = {}
    for name, others in KINDS[kind].items():
        position = _position(table, name, others, columns)
        if position is not None:
            found[name] = position
        elif name not in _OPTIONAL:
            raise _missing(table, name, kind)
    found["time"] = _time(table, columns)
    return found


def _has(table: Table, wanted: Mapping[str, tuple[str, ...]], columns: Mapping[str, str]) -> set[str]:
    return {
        name
        for name, others in wanted.items()
        if name in columns or any(plain in (name, *others) for plain in map(_plain, _own(table)))
    }


def _time(table: Table, columns: Mapping[str, str]) -> int:
    if table.index_kind == "times" and "time" not in columns:
        return len(table.labels) - 1
    position = _position(table, "time", _TIMES, columns)
    if position is not None:
        return position
    if table.index_kind == "other":
        return len(table.labels) - 1
    what = f"no column holds the time; there are {_shown(table)}"
    raise DataError("frame", f'{what}; name it, as in columns={{"time": "..."}}, or make it the index')


def _position(table: Table, name: str, others: tuple[str, ...], columns: Mapping[str, str]) -> int | None:
    if name in columns:
        wanted = columns[name]
        found = [at for at, label in enumerate(table.labels) if label == wanted]
        if not found:
            raise DataError("frame", f"has no column {wanted!r} for {name}; there are {_shown(table)}")
        if len(found) > 1:
            raise DataError("frame", f"has column {wanted!r} twice; remove or rename one")
        return found[0]
    plain = [_plain(label) for label in _own(table)]
    for candidate in (name, *others):
        found = [at for at, label in enumerate(plain) if label == _plain(candidate)]
        if len(found) > 1:
            both = " and ".join(repr(table.labels[at]) for at in found[:3])
            rule = f'say which, as in columns={{"{name}": "{table.labels[found[0]]}"}}, or rename one'
            raise DataError("frame", f"{both} can each be {name}; {rule}")
        if found:
            return found[0]
    return None


def _own(table: Table) -> tuple[str, ...]:
    """Return the labels that name something: not that of an index without a name."""
    return table.labels[:-1] if table.index_kind and table.labels[-1] == "index" else table.labels


def _plain(label: str) -> str:
    # `Candlestick.Open` and `<OPEN>` are `open`, as in files, and so is Alpha Vantage's `1. open`.
    return label.strip().lower().rpartition(".")[2].strip().strip("<>").replace(" ", "_")


def _missing(table: Table, name: str, kind: str) -> DataError:
    what = f"column {name!r} is missing for {kind}; there are {_shown(table)}"
    return DataError("frame", f'{what}; name it, as in columns={{"{name}": "..."}}')


def _no_kind(table: Table) -> DataError:
    """Return the error for a table where at most a size, which all kinds have, has a name of ours."""
    needs = "bars (open, high, low, close), quotes (bid, ask) or trades (price, quantity, side)"
    rule = 'name them, as in columns={"open": "...", "high": "..."}'
    return DataError("frame", f"holds no columns of {needs}; there are {_shown(table)}; {rule}")


def _shown(table: Table) -> str:
    return ", ".join(repr(label) for label in _own(table)[:12]) or "none"
