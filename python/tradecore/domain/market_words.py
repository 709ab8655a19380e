"""Market events in words, one function for each kind of record."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tradecore.domain.times import iso_time
from tradecore.domain.units import Units

Words = Callable[[Mapping[str, Any], Units], str]


def _price(fields: Mapping[str, Any], units: Units, name: str) -> str:
    return f"{units.price(fields['instrument'], fields[name]):f}"


def _size(fields: Mapping[str, Any], units: Units, name: str) -> str:
    return f"{units.quantity(fields['instrument'], fields[name]):f}"


def _bar(fields: Mapping[str, Any], units: Units) -> str:
    prices = " ".join(
        f"{name} {_price(fields, units, f'{name}_ticks')}" for name in ("open", "high", "low", "close")
    )
    symbol, opened = units.symbol(fields["instrument"]), iso_time(fields["open_time_ns"])
    return f"bar of {symbol} from {opened}: {prices} volume {_size(fields, units, 'volume_lots')}"


def _quote(fields: Mapping[str, Any], units: Units) -> str:
    bid = f"{_size(fields, units, 'bid_lots')} at {_price(fields, units, 'bid_ticks')}"
    ask = f"{_size(fields, units, 'ask_lots')} at {_price(fields, units, 'ask_ticks')}"
    return f"quote of {units.symbol(fields['instrument'])}: bid {bid}, ask {ask}"


def _trade(fields: Mapping[str, Any], units: Units) -> str:
    size, price = _size(fields, units, "lots"), _price(fields, units, "price_ticks")
    what = f"{size} {units.symbol(fields['instrument'])} at {price}"
    return f"trade of others: {what}, the taker was the {fields['aggressor']}er"


def _book(fields: Mapping[str, Any], units: Units) -> str:
    what = "whole book" if fields["update"] == "snapshot" else "change of the book"
    levels = f"{len(fields['bids'])} bids, {len(fields['asks'])} asks"
    return f"{what} of {units.symbol(fields['instrument'])}: {levels}, update {fields['last_id']}"


def _flow(fields: Mapping[str, Any], units: Units) -> str:
    symbol = units.symbol(fields["instrument"])
    match fields["flow"]:
        case "limit":
            price = _price(fields, units, "price_ticks")
            return (
                f"order of others: {fields['side']} {_size(fields, units, 'lots')} {symbol} limit at {price}"
            )
        case "market":
            return f"order of others: {fields['side']} {_size(fields, units, 'lots')} {symbol} at the market"
        case _:
            return f"cancel of others in {symbol}"


def _feed(fields: Mapping[str, Any], units: Units) -> str:
    symbol = units.symbol(fields["instrument"])
    return f"FEED LOST for {symbol}: orders are refused until the market is known again; cancels work"


def _mark(fields: Mapping[str, Any], units: Units) -> str:
    return f"mark price of {units.symbol(fields['instrument'])}: {_price(fields, units, 'price_ticks')}"


def _funding(fields: Mapping[str, Any], units: Units) -> str:
    rate = Decimal(fields["rate_ppb"]) / 10_000_000
    return f"funding rate of {units.symbol(fields['instrument'])}: {rate:f}%"


def _clock(_fields: Mapping[str, Any], _units: Units) -> str:
    return "time passed"


MARKET_WORDS: dict[str, Words] = {
    "bar": _bar,
    "quote": _quote,
    "trade": _trade,
    "book": _book,
    "checked_book": _book,
    "flow": _flow,
    "feed": _feed,
    "mark": _mark,
    "funding": _funding,
    "clock": _clock,
}
