"""The client of the venue: a `Venue` port over HTTP and WebSocket."""

import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.quoted import error_text
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.unreadable import UNREADABLE
from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_findings import (
    Balances,
    FillsSince,
    Findings,
    Message,
    NotUnderstood,
    OneOrder,
    OpenOrders,
    Positions,
    Question,
    Seen,
)
from tradecore.domain.venue_keys import TradingKey, required
from tradecore.domain.venue_requests import (
    Answer,
    Cancel,
    CancelAllAfter,
    Lost,
    NotDone,
    Replace,
    Submit,
    Taken,
)
from tradecore.ports.clock import Clock
from tradecore_local import wire
from tradecore_local.answers import answer_of, retry_after_ns
from tradecore_local.key import Key
from tradecore_local.reports import Reports
from tradecore_local.trading_lines import TradingLines
from tradecore_local.translation import Translation

_RANDOM = secrets.SystemRandom()
_MS_NS = 1_000_000
# No answer of a venue is as long as that; one without an end would fill the memory until it times out.
_ANSWER_BYTES_MAX = 1 << 26
_AnswerT = TypeVar("_AnswerT")


class LocalVenue:
    """A `Venue`: sends each request once over one session, and says of each outcome what it proves.

    Made by `connect`, with a key that trades.

    Parameters
    ----------
    url : str
        Where the venue listens, e.g. `http://127.0.0.1:8080`.
    key : Key
        Signs every request.
    translation : Translation
        Instruments.
    capabilities : VenueCapabilities
        What the venue can do.
    clock : Clock
        Times of requests, and waiting.
    session : aiohttp.ClientSession
        Closed by `aclose`.
    timeout_seconds : float
        After so long without an answer a request is `Lost`.
    silence_seconds_max : float
        A stream without a frame for so long is taken for dead.
    random : callable
        Spreads the tries to connect again; returns a number from 0 (included) to 1.
    backoff_first_ns, backoff_last_ns : int
        The wait before the first try to connect again, and the longest one.
    over_sockets : bool
        Whether requests about orders go over WebSockets that stand, or each over HTTP.
    nonces : str
        How the nonces of its requests begin: no other client of the key begins them so.
    """

    def __init__(
        self,
        url: str,
        key: Key,
        translation: Translation,
        capabilities: VenueCapabilities,
        clock: Clock,
        session: aiohttp.ClientSession,
        *,
        timeout_seconds: float,
        silence_seconds_max: float,
        random: Callable[[], float],
        backoff_first_ns: int,
        backoff_last_ns: int,
        over_sockets: bool,
        nonces: str,
    ) -> None:
        self._url = url.rstrip("/")
        self._key = key
        self._words = translation
        self._capabilities = capabilities
        self._clock = clock
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._lines = (
            TradingLines(session, URL(f"{self._url}/trade", encoded=True), timeout_seconds=timeout_seconds)
            if over_sockets
            else None
        )
        self._nonce = nonces
        self._count = 0
        self._encode = msgspec.json.Encoder().encode
        self._reports = Reports(
            session,
            URL(f"{self._url}/stream", encoded=True),
            lambda: self._headers("GET", "/stream", b""),
            translation,
            clock,
            silence_seconds_max=silence_seconds_max,
            random=random,
            backoff_first_ns=backoff_first_ns,
            backoff_last_ns=backoff_last_ns,
        )
        self._is_closed = False

    @classmethod
    async def connect(
        cls,
        url: str,
        key: TradingKey,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
    ) -> Self:
        """Ask the venue what it can do, and return its client.

        Raises
        ------
        VenueError
            When it does not answer.
        InvalidValueError
            When it does not have an instrument, or has it otherwise, or for a key of another kind.
        """
        required(TradingKey, key)
        return await cls.signed_by(url, Key(key_id=key.key_id, secret=key.secret), instruments, clock)

    @classmethod
    async def signed_by(
        cls,
        url: str,
        key: Key,
        instruments: Sequence[InstrumentSpec],
        clock: Clock,
        *,
        timeout_seconds: float = 10.0,
        silence_seconds_max: float = 5.0,
        random: Callable[[], float] = _RANDOM.random,
        backoff_first_ns: int = 100_000_000,
        backoff_last_ns: int = 10_000_000_000,
        over_sockets: bool = True,
        session: aiohttp.ClientSession | None = None,
        nonces: str = "",
    ) -> Self:
        """Return a client that signs with any key; what that may do, the venue says; raises as `connect`.

        Without a session it opens one, and without a beginning of its nonces it draws one.
        """
        session = session or new_session()
        try:
            limit = aiohttp.ClientTimeout(total=timeout_seconds)
            rules = await answered(session, f"{url.rstrip('/')}/rules", {}, wire.Rules, limit)
            translation = Translation(instruments, rules)
            can = _capabilities(rules, translation.with_positions)
        except BaseException:
            await session.close()
            raise
        return cls(
            url,
            key,
            translation,
            can,
            clock,
            session,
            timeout_seconds=timeout_seconds,
            silence_seconds_max=silence_seconds_max,
            random=random,
            backoff_first_ns=backoff_first_ns,
            backoff_last_ns=backoff_last_ns,
            over_sockets=over_sockets,
            nonces=nonces or secrets.token_hex(8),
        )

    @property
    def capabilities(self) -> VenueCapabilities:
        """What the venue said that it can do."""
        return self._capabilities

    async def submit(self, request: Submit) -> Answer:
        """Ask for a new order."""
        order, words = request.order, self._words
        body = wire.OrderBody(
            client_order_id=request.client_order_id,
            symbol=words.symbols[order.instrument],
            side=order.side,
            kind=order.order_kind,
            quantity=words.quantity_text(order.instrument, request.lots),
            price=words.price_text(order.instrument, order.price_ticks)
            if order.price_ticks is not None
            else None,
            time_in_force=order.time_in_force,
            expire_ns=order.expire_ns,
            post_only=order.post_only,
            reduce_only=order.reduce_only,
            ticket=request.ticket if request.ticket is not None else msgspec.UNSET,
        )
        return await self._ask("POST", self._encode(body))

    async def cancel(self, request: Cancel | CancelAllAfter) -> Answer:
        """Ask for the end of an order, by the venue's name of it where it is known; or of all, later."""
        if isinstance(request, CancelAllAfter):
            body = self._encode(wire.AfterBody(after_ms=request.span_ns // _MS_NS))
            return await self._over_http("POST", "/orders/cancel-after", body)
        if (unnamed := self._unnamed(request)) is not None:
            return unnamed
        return await self._ask("DELETE", self._encode(self._names(request)))

    async def replace(self, request: Replace) -> Answer:
        """Ask for another price or size: this venue is told the whole size."""
        if (unnamed := self._unnamed(request)) is not None:
            return unnamed
        names, words = self._names(request), self._words
        price_ticks = request.price_ticks
        body = wire.AmendBody(
            client_order_id=names.client_order_id,
            venue_order_id=names.venue_order_id,
            quantity=words.quantity_text(request.instrument, request.open_lots + request.filled_lots),
            price=words.price_text(request.instrument, price_ticks) if price_ticks is not None else None,
        )
        return await self._ask("PATCH", self._encode(body))

    def reports(self) -> AsyncIterator[Message]:
        """Yield what the venue tells by itself; see the port."""
        return self._reports.messages()

    def read_again(self, letter: NotUnderstood) -> list[Message]:
        """Try a message that was not understood once more; see `LetterReader`."""
        return self._reports.read_again(letter)

    async def query(self, question: Question) -> Findings:
        """Ask what the venue has.

        Raises
        ------
        VenueError
            When no answer came that can be understood.
        """
        try:
            return await self._found(question)
        except InvalidValueError as error:
            raise VenueError(f"{self._url}: an answer makes no sense: {error}") from error

    async def aclose(self) -> None:
        """Close the sockets; `reports` ends, and what is under way is `Lost`."""
        self._is_closed = True
        await self._reports.aclose()
        if self._lines is not None:
            await self._lines.aclose()
        await self._session.close()

    async def _ask(self, method: str, body: bytes) -> Answer:
        """Send one request, once."""
        if self._is_closed:
            return NotDone(words="the client is closed")
        if self._lines is not None:
            return await self._lines.ask(method, "/orders", self._headers(method, "/orders", body), body)
        return await self._over_http(method, "/orders", body)

    async def _over_http(self, method: str, path: str, body: bytes) -> Answer:
        """Send one request over a connection of its own."""
        try:
            async with self._session.request(
                method,
                URL(f"{self._url}{path}", encoded=True),
                data=body,
                headers=self._headers(method, path, body),
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                content = await _body(response)
                if response.status == 200 and path != "/orders":
                    # What is done to no order in particular shows none.
                    return Taken()
                return answer_of(response.status, response.headers, content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            # No connection stood, so that no byte of it has left.
            return NotDone(words=error_text(error))
        except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError) as error:
            return Lost(words=error_text(error))

    async def _found(self, question: Question) -> Findings:
        words = self._words
        match question:
            case OpenOrders():
                orders = await self._get("/orders/open", wire.OrderList)
                return _findings(orders, [words.order(each) for each in orders.orders])
            case OneOrder():
                orders = await self._get(self._path_of(question), wire.OrderList)
                return _findings(orders, [words.order(each) for each in orders.orders])
            case Positions():
                held = await self._get("/positions", wire.PositionList)
                return _findings(held, [words.position(each) for each in held.positions])
            case Balances():
                money = await self._get("/balances", wire.BalanceList)
                return _findings(money, [words.balance(each) for each in money.balances])
            case FillsSince():
                return await self._fills(question)

    async def _fills(self, question: FillsSince) -> Findings:
        """Read one page; one that was cut short ends where the next one begins."""
        cursor = question.cursor or "0"
        since = 0 if question.cursor else max(question.time_ns, 0)
        page = await self._get(f"/fills?since={since}&cursor={quote(cursor, safe='')}", wire.FillPage)
        has_more = bool(page.fills) and not page.is_complete and page.cursor != cursor
        return Findings(
            seen=tuple(self._words.fill(each) for each in page.fills),
            is_complete=page.is_complete,
            time_ns=page.time_ns,
            rest=page.cursor if has_more else "",
        )

    def _path_of(self, question: OneOrder) -> str:
        if self._capabilities.duplicate_ids is DuplicateIds.NONE or not question.client_order_id:
            if question.venue_order_id is None:
                raise VenueError(f"{self._url}: knows no ids of clients, and the venue's own is not known")
            return f"/orders?venue_order_id={quote(question.venue_order_id, safe='')}"
        return f"/orders/{quote(question.client_order_id, safe='')}"

    async def _get(self, path: str, kind: type[_AnswerT]) -> _AnswerT:
        if self._is_closed:
            raise VenueError(f"{self._url}: the client is closed")
        headers = self._headers("GET", path, b"")
        return await answered(self._session, f"{self._url}{path}", headers, kind, self._timeout)

    def _unnamed(self, request: Cancel | Replace) -> NotDone | None:
        """Send nothing about an order that the venue knows by no name that we know."""
        if self._capabilities.duplicate_ids is DuplicateIds.NONE and request.venue_order_id is None:
            return NotDone(words="the venue knows no ids of clients, and its own one is not known yet")
        return None

    def _names(self, request: Cancel | Replace) -> wire.NameBody:
        return wire.NameBody(client_order_id=request.client_order_id, venue_order_id=request.venue_order_id)

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        self._count += 1
        nonce = f"{self._nonce}-{self._count}"
        return self._key.headers(method, path, body, time_ns=self._clock.now_ns(), nonce=nonce)


def new_session() -> aiohttp.ClientSession:
    """Return a session that sends nothing twice and follows no redirect to another host."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )
    # aiohttp sends a DELETE again by itself when a connection that it kept breaks, and there is no setting.
    session._retry_connection = False  # noqa: SLF001 - see above; a test shows that nothing is sent twice
    return session


async def answered(
    session: aiohttp.ClientSession,
    url: str,
    headers: dict[str, str],
    kind: type[_AnswerT],
    limit: aiohttp.ClientTimeout,
) -> _AnswerT:
    """Return the answer to a question.

    Raises
    ------
    VenueError
        When none came that can be understood.
    """
    where = url.partition("?")[0]
    try:
        async with session.get(
            URL(url, encoded=True), headers=headers, timeout=limit, allow_redirects=False
        ) as response:
            body = await _body(response)
    except (TimeoutError, aiohttp.ClientError, OSError, RuntimeError) as error:
        raise VenueError(f"{where}: no answer: {error_text(error)}") from error
    if response.status == 429:
        raise VenueError(f"{where}: too many requests", retry_after_ns(response.headers))
    if response.status != 200:
        raise VenueError(f"{where}: answered {response.status}: {body[:200].decode(errors='replace')}")
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise VenueError(f"{where}: an answer makes no sense: {error_text(error)}") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer.

    Raises
    ------
    aiohttp.ClientPayloadError
        When it is too long to be one; what comes after that is not read.
    """
    parts: list[bytes] = []
    left = _ANSWER_BYTES_MAX
    async for part in response.content.iter_any():
        left -= len(part)
        if left < 0:
            response.close()
            raise aiohttp.ClientPayloadError(f"the answer has more than {_ANSWER_BYTES_MAX} bytes")
        parts.append(part)
    return b"".join(parts)


def _findings(
    answer: wire.OrderList | wire.PositionList | wire.BalanceList, seen: Sequence[Seen]
) -> Findings:
    return Findings(seen=tuple(seen), is_complete=answer.is_complete, time_ns=answer.time_ns)


def _capabilities(rules: wire.Rules, with_positions: frozenset[int]) -> VenueCapabilities:
    return VenueCapabilities(
        order_kinds=frozenset(rules.order_kinds),
        times_in_force=frozenset(rules.times_in_force),
        replaces=rules.replaces,
        post_only=rules.post_only,
        reduce_only=rules.reduce_only,
        positions=with_positions,
        duplicate_ids=rules.duplicate_ids,
        validity_window_ns=rules.validity_window_ns,
        requests_per_second=float(rules.requests_per_second or "inf"),
        requests_burst=float(rules.requests_burst) if rules.requests_burst else None,
        weights={name: float(weight) for name, weight in rules.weights.items()},
        fills_kept_ns=rules.fills_kept_ns or None,
        dead_man_ns_max=rules.dead_man_ms_max * _MS_NS,
        hedging=rules.hedging,
        hedged_margin=rules.hedged_margin,
    )
