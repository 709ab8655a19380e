"""Definitions of instruments, from the venue itself."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import aiohttp
import msgspec

from tradecore.domain import DataError, InstrumentKind, InstrumentSpec, SequenceRule
from tradecore.domain.unreadable import UNREADABLE
from tradecore_binance.market import ENDPOINTS, Market
from tradecore_binance.rest import get


class _Filter(msgspec.Struct):
    kind: str = msgspec.field(name="filterType")
    tick_size: str | None = msgspec.field(default=None, name="tickSize")
    step_size: str | None = msgspec.field(default=None, name="stepSize")


class _Symbol(msgspec.Struct):
    symbol: str
    filters: list[_Filter]
    contract_size: int | float | str = msgspec.field(default=1, name="contractSize")


class _Info(msgspec.Struct):
    symbols: list[_Symbol]


async def fetch_instruments(
    session: aiohttp.ClientSession, market: Market, symbols: Sequence[str], *, rest_url: str | None = None
) -> tuple[InstrumentSpec, ...]:
    """Return the definitions of these symbols in their order.

    Raises
    ------
    VenueError
        When the venue does not answer.
    DataError
        When it does not know a symbol or its answer cannot be used.
    """
    endpoints = ENDPOINTS[market]
    url = f"{rest_url or endpoints.rest_url}{endpoints.rest_path}/exchangeInfo"
    # Only spot can be asked for some symbols; the futures answer with all of them.
    asked = {"symbols": msgspec.json.encode(list(symbols)).decode()} if market is Market.SPOT else {}
    body = await get(session, url, asked)
    try:
        known = {item.symbol: item for item in msgspec.json.decode(body, type=_Info).symbols}
    except UNREADABLE as error:
        raise DataError(url, f"the answer is not what the venue documents: {error}") from error
    missing = [symbol for symbol in symbols if symbol not in known]
    if missing:
        raise DataError(url, f"{market} has no symbol {missing[0]!r}; check instruments.symbol")
    return tuple(_spec(url, market, known[symbol]) for symbol in symbols)


def _spec(url: str, market: Market, symbol: _Symbol) -> InstrumentSpec:
    filters = {item.kind: item for item in symbol.filters}
    price, size = filters.get("PRICE_FILTER"), filters.get("LOT_SIZE")
    if price is None or price.tick_size is None or size is None or size.step_size is None:
        raise DataError(url, f"{symbol.symbol} has no PRICE_FILTER or LOT_SIZE")
    is_coin = market is Market.COINM
    try:
        return InstrumentSpec(
            symbol=symbol.symbol,
            tick_size=_plain(price.tick_size),
            lot_size=_plain(size.step_size),
            kind=InstrumentKind.INVERSE if is_coin else InstrumentKind.LINEAR,
            multiplier=_plain(str(symbol.contract_size)) if is_coin else "1",
            sequence=SequenceRule.BINANCE_SPOT if market is Market.SPOT else SequenceRule.BINANCE_FUTURES,
        )
    except InvalidOperation as error:
        raise DataError(url, f"{symbol.symbol} has a step that is no number") from error


def _plain(text: str) -> str:
    """Return decimal text without trailing zeros or an exponent."""
    return format(Decimal(text).normalize(), "f")
