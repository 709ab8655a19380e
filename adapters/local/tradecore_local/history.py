"""What traded on the local venue before a session began."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

import aiohttp

from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.past import BarsBetween, Past, PastBar, PastQuestion, PastTrade, TradesAfter
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.times import iso_time
from tradecore_local import wire
from tradecore_local.client import answered, new_session
from tradecore_local.steps import Steps

_AnswerT = TypeVar("_AnswerT")
_PAGES_MAX = 1_000
_SIDE_BUY = "buy"


class LocalHistory:
    """The `History` of a local venue, which needs no key.

    Parameters
    ----------
    url : str
        Where the venue listens, e.g. `http://127.0.0.1:8080`.
    instruments : sequence of InstrumentSpec
        In the order of the engine's table.
    timeout_seconds : float
        How long an answer may take.
    """

    def __init__(
        self, url: str, instruments: Sequence[InstrumentSpec], *, timeout_seconds: float = 10.0
    ) -> None:
        self._url = url.rstrip("/")
        self._symbols = [spec.symbol for spec in instruments]
        self._prices = [Steps("price", spec.tick_size) for spec in instruments]
        self._sizes = [Steps("quantity", spec.lot_size) for spec in instruments]
        self._limit = aiohttp.ClientTimeout(total=timeout_seconds)
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def query(self, question: PastQuestion) -> Past:
        """Return trades or bars; see the port."""
        if not 0 <= question.instrument < len(self._symbols):
            raise InvalidValueError("instrument", question.instrument, "must be one of the engine's table")
        try:
            match question:
                case TradesAfter():
                    return await self._trades(question)
                case BarsBetween():
                    return await self._bars(question)
        except InvalidValueError as error:
            raise VenueError(f"{self._url}: an answer makes no sense: {error}") from error

    async def aclose(self) -> None:
        """Close the sockets."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _trades(self, question: TradesAfter) -> Past:
        """Read page after page; trades that the venue has let go of are missing."""
        price, size = self._prices[question.instrument].whole, self._sizes[question.instrument].whole
        trades: list[PastTrade] = []
        after, missing = question.after_id, ""
        for _ in range(_PAGES_MAX):
            path = f"/trades?symbol={self._symbol(question)}&since={question.from_ns}&after={after}"
            page = await self._get(path, wire.TradePage)
            if not trades and page.oldest_id > question.after_id + 1:
                missing = _missing_trades(question, page)
            trades += [
                PastTrade(
                    each.time_ns,
                    price(each.price),
                    size(each.quantity),
                    each.side == _SIDE_BUY,
                    each.trade_id,
                )
                for each in page.trades
            ]
            if page.is_complete or not page.trades:
                break
            after = page.trades[-1].trade_id
        if not page.is_complete:
            missing = "the venue did not say all of the trades"
        return Past(trades=tuple(trades), missing=missing, last_id=page.last_id, has_every_number=True)

    async def _bars(self, question: BarsBetween) -> Past:
        if question.span_ns <= 0:
            raise InvalidValueError("span_ns", question.span_ns, "must be above 0")
        price, size = self._prices[question.instrument].whole, self._sizes[question.instrument].whole
        span, since, until = question.span_ns, question.from_ns, question.to_ns
        path = f"/bars?symbol={self._symbol(question)}&length={span}&since={since}&until={until}"
        found = await self._get(path, wire.BarList)
        bars = tuple(
            PastBar(
                open_ns=bar.open_ns,
                close_ns=bar.open_ns + span,
                open_ticks=price(bar.open),
                high_ticks=price(bar.high),
                low_ticks=price(bar.low),
                close_ticks=price(bar.close),
                volume_lots=size(bar.quantity),
            )
            for bar in found.bars
        )
        missing = "" if found.is_complete else "the venue did not say all of the bars"
        if since < found.known_from_ns and since < until:
            missing = f"the venue has no bars before {iso_time(found.known_from_ns)}"
        return Past(bars=bars, missing=missing)

    def _symbol(self, question: PastQuestion) -> str:
        return quote(self._symbols[question.instrument], safe="")

    async def _get(self, path: str, kind: type[_AnswerT]) -> _AnswerT:
        if self._is_closed:
            raise VenueError(f"{self._url}: the client is closed")
        if self._session is None:
            self._session = new_session()
        return await answered(self._session, f"{self._url}{path}", {}, kind, self._limit)


def _missing_trades(question: TradesAfter, page: wire.TradePage) -> str:
    """Say that the venue has let go of trades that are asked for; empty where it has not.

    Whether it has, the time of the first one says where no number does: what is older was not asked for.
    """
    is_all = not page.trades or page.trades[0].trade_id > page.oldest_id
    if not question.after_id and (is_all or page.oldest_id == 1):
        return ""
    return f"the venue has no trades before number {page.oldest_id}"
