"""Finds out what a capture is about from its first messages: market, symbols, ticks and lots."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from tradecore.domain import DataError, InstrumentKind, InstrumentSpec, SequenceRule
from tradecore.domain.unreadable import UNREADABLE
from tradecore_binance.market import Market
from tradecore_binance.packed import pieces_of

LINES_MAX = 2_000
USUAL_SHARE = 0.99
# A COIN-M contract is worth 100 USD of bitcoin and 10 USD of anything else.
# Source: Binance, "COIN-M futures contract specifications" (2026).
_BITCOIN_CONTRACT = "100"
_OTHER_CONTRACT = "10"


class CaptureContents(msgspec.Struct, frozen=True, kw_only=True):
    """What the first messages of a capture say.

    Attributes
    ----------
    market : Market
        Told by fields that only one market's messages have.
    instruments : tuple of InstrumentSpec
        In order of appearance; tick and lot are told from the decimals of prices and sizes.
    """

    market: Market
    instruments: tuple[InstrumentSpec, ...]


class _Data(msgspec.Struct):
    event: str = msgspec.field(default="", name="e")
    symbol: str = msgspec.field(default="", name="s")
    pair: str | None = msgspec.field(default=None, name="ps")
    previous_id: int | None = msgspec.field(default=None, name="pu")
    bids: list[tuple[str, str]] | str = msgspec.field(default="", name="b")
    asks: list[tuple[str, str]] | str = msgspec.field(default="", name="a")
    bid_quantity: str | int = msgspec.field(default="", name="B")
    ask_quantity: str | int = msgspec.field(default="", name="A")
    price: str = msgspec.field(default="", name="p")
    quantity: str = msgspec.field(default="", name="q")


class _Line(msgspec.Struct):
    data: _Data | None = None


class _Steps:
    """The decimals seen of prices and sizes of one symbol."""

    def __init__(self) -> None:
        self.price_decimals = 0
        self._sizes: Counter[int] = Counter()

    @property
    def size_decimals(self) -> int:
        """Return the decimals that nearly all sizes get by with: old orders may be off today's lot."""
        seen, total = 0, self._sizes.total()
        for decimals in sorted(self._sizes):
            seen += self._sizes[decimals]
            if seen >= USUAL_SHARE * total:
                return decimals
        return 0

    def see(self, data: _Data) -> None:
        pairs: list[tuple[str, str]] = [(data.price, data.quantity)]
        for side, quantity in ((data.bids, data.bid_quantity), (data.asks, data.ask_quantity)):
            pairs += [(side, str(quantity))] if isinstance(side, str) else side
        for price, size in pairs:
            # A message has the numbers of its kind alone: what is not there is no size of whole lots.
            if price:
                self.price_decimals = max(self.price_decimals, _decimals(price))
            if size:
                self._sizes[_decimals(size)] += 1


def capture_contents(path: Path | str) -> CaptureContents:
    """Look at the first messages of a capture.

    Raises
    ------
    DataError
        When the file cannot be read or none of them names a symbol.
    """
    path = Path(path)
    market = Market.SPOT
    steps: dict[str, _Steps] = {}
    try:
        for data in _messages(path):
            if data.pair is not None:
                market = Market.COINM
            elif data.previous_id is not None and market is Market.SPOT:
                market = Market.USDM
            if data.symbol:
                steps.setdefault(data.symbol, _Steps()).see(data)
    except DataError:
        # What comes before the damage is replayed, and the replay says where the damage is.
        if not steps:
            raise
    if not steps:
        raise DataError(str(path), f"none of the first {LINES_MAX} lines is a Binance message with a symbol")
    instruments = tuple(_instrument(symbol, seen, market) for symbol, seen in steps.items())
    return CaptureContents(market=market, instruments=instruments)


def _messages(path: Path) -> Iterable[_Data]:
    decode = msgspec.json.Decoder(_Line).decode
    decode_raw = msgspec.json.Decoder(_Data).decode
    for line in _lines(path):
        _, _, payload = line.partition(b" ")
        try:
            yield decode(payload).data or decode_raw(payload)
        except UNREADABLE:
            # Not ours to tell: the replay names damaged lines, this only looks around.
            continue


def _lines(path: Path) -> Iterable[bytes]:
    rest, count = b"", 0
    for piece in pieces_of(path):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line
            count += 1
            if count >= LINES_MAX:
                return
    yield rest


def _instrument(symbol: str, seen: _Steps, market: Market) -> InstrumentSpec:
    is_inverse = market is Market.COINM
    contract = _BITCOIN_CONTRACT if symbol.startswith("BTC") else _OTHER_CONTRACT
    return InstrumentSpec(
        symbol=symbol,
        tick_size=_step(seen.price_decimals),
        lot_size=_step(seen.size_decimals),
        kind=InstrumentKind.INVERSE if is_inverse else InstrumentKind.LINEAR,
        multiplier=contract if is_inverse else "1",
        sequence=SequenceRule.BINANCE_SPOT if market is Market.SPOT else SequenceRule.BINANCE_FUTURES,
    )


def _decimals(text: str) -> int:
    try:
        exponent = Decimal(text).normalize().as_tuple().exponent
    except InvalidOperation:
        return 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _step(decimals: int) -> str:
    return "1" if decimals == 0 else f"0.{'0' * (decimals - 1)}1"
