"""Market events in words, one function for each kind of record."""

from decimal import Decimal

from tradecore.domain import record_bodies as bodies
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units

MarketEvent = (
    bodies.Bar
    | bodies.Quote
    | bodies.Trade
    | bodies.Book
    | bodies.CheckedBook
    | bodies.Flow
    | bodies.Feed
    | bodies.Mark
    | bodies.Funding
    | bodies.Clock
)


def market_words(event: MarketEvent, units: Units) -> str:
    """Return what a market event says, as one line of plain words."""
    match event:
        case bodies.Bar():
            return _bar(event, units)
        case bodies.Quote():
            return _quote(event, units)
        case bodies.Trade():
            return _trade(event, units)
        case bodies.Book():
            return _book(event, units)
        case bodies.Flow():
            return _flow(event, units)
        case bodies.Feed():
            lost = f"FEED LOST for {units.symbol(event.instrument)}"
            return f"{lost}: orders are refused until the market is known again; cancels work"
        case bodies.Mark():
            price = _price(event.instrument, event.price_ticks, units)
            return f"mark price of {units.symbol(event.instrument)}: {price}"
        case bodies.Funding():
            rate = Decimal(event.rate_ppb) / 10_000_000
            return f"funding rate of {units.symbol(event.instrument)}: {rate:f}%"
        case bodies.Clock():
            return "time passed"


def _price(instrument: int, ticks: int | None, units: Units) -> str:
    return f"{units.price(instrument, ticks or 0):f}"


def _size(instrument: int, lots: int | None, units: Units) -> str:
    return f"{units.quantity(instrument, lots or 0):f}"


def _bar(bar: bodies.Bar, units: Units) -> str:
    number = bar.instrument
    prices = (
        f"open {_price(number, bar.open_ticks, units)} high {_price(number, bar.high_ticks, units)} "
        f"low {_price(number, bar.low_ticks, units)} close {_price(number, bar.close_ticks, units)}"
    )
    opened, volume = iso_time(bar.open_time_ns), _size(number, bar.volume_lots, units)
    return f"bar of {units.symbol(number)} from {opened}: {prices} volume {volume}"


def _quote(quote: bodies.Quote, units: Units) -> str:
    number = quote.instrument
    bid = f"{_size(number, quote.bid_lots, units)} at {_price(number, quote.bid_ticks, units)}"
    ask = f"{_size(number, quote.ask_lots, units)} at {_price(number, quote.ask_ticks, units)}"
    return f"quote of {units.symbol(number)}: bid {bid}, ask {ask}"


def _trade(trade: bodies.Trade, units: Units) -> str:
    size, price = (
        _size(trade.instrument, trade.lots, units),
        _price(trade.instrument, trade.price_ticks, units),
    )
    what = f"{size} {units.symbol(trade.instrument)} at {price}"
    return f"trade of others: {what}, the taker was the {trade.aggressor}er"


def _book(book: bodies.Book, units: Units) -> str:
    what = "whole book" if book.update == "snapshot" else "change of the book"
    levels = f"{len(book.bids)} bids, {len(book.asks)} asks"
    return f"{what} of {units.symbol(book.instrument)}: {levels}, update {book.last_id}"


def _flow(flow: bodies.Flow, units: Units) -> str:
    symbol, size = units.symbol(flow.instrument), _size(flow.instrument, flow.lots, units)
    match flow.flow:
        case "limit":
            price = _price(flow.instrument, flow.price_ticks, units)
            return f"order of others: {flow.side} {size} {symbol} limit at {price}"
        case "market":
            return f"order of others: {flow.side} {size} {symbol} at the market"
        case _:
            return f"cancel of others in {symbol}"
