"""Answers requests: who may, what is meant, what the exchange says to it. No sockets."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs, unquote

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.secret import Secret
from tradecore.domain.unreadable import UNREADABLE
from tradecore.testkit.local_venue.access import Access, Denied, Right
from tradecore.testkit.local_venue.book import Match, bars_of
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import Endpoint, FaultKind
from tradecore.testkit.local_venue.records import NewOrder, Refusal, VenueOrder
from tradecore_local import wire
from tradecore_local.key import KEY_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIME_HEADER, is_signed
from tradecore_local.server.words import Words

_STATUS = {"unknown_order": 404, "duplicate_id": 409}
_DIGITS_MAX = 20
_PAST_PAGE = 5_000
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,36}")
_BodyT = TypeVar("_BodyT")
_ItemT = TypeVar("_ItemT")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came in; `target` is its path with its query, as it was sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: JSON, a page of HTML in its place, or JSON of which only the first half arrives."""

    status: int
    body: bytes
    headers: dict[str, str]
    is_page: bool = False
    is_cut: bool = False


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When a request takes effect, what the venue's clock says then, and what goes wrong with its answer."""

    now_ns: int
    clock_ns: int
    fault: FaultKind | None = None


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was let in."""

    account: str
    path: str
    query: dict[str, list[str]]
    body: bytes


_Handler: TypeAlias = Callable[["RequestDesk", _Said, Moment], object]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request leads: what may go wrong there, and what it takes (`None`: everybody may)."""

    endpoint: Endpoint | None
    right: Right | None
    handler: _Handler


class RequestDesk:
    """Answers the requests of everybody, one after the other.

    Parameters
    ----------
    exchange : LocalExchange
        Who trades.
    access : Access
        Who may.
    secrets : mapping of str to Secret
        Secrets of keys by their names.
    """

    def __init__(self, exchange: LocalExchange, access: Access, secrets: Mapping[str, Secret]) -> None:
        self._exchange = exchange
        self._access = access
        self._secrets = secrets
        self._encode = msgspec.json.Encoder().encode
        self.words = Words(exchange)

    def answer(self, route: Route, asked: Asked, moment: Moment) -> Reply:
        """Do what a request asks for, and say what came of it."""
        headers: dict[str, str] = {}
        account = ""
        if route.right is not None:
            key_id = self.let_in(asked, route.right, moment.clock_ns)
            if isinstance(key_id, Denied):
                return self.denied(key_id)
            name = route.endpoint.value if route.endpoint is not None else ""
            denied, left = self._access.spend(key_id, name, now_ns=moment.now_ns)
            headers["X-RateLimit-Limit"] = str(self._exchange.settings.limits.burst)
            headers["X-RateLimit-Remaining"] = str(left)
            if denied is not None:
                return self.denied(denied, headers)
            account = self._access.account(key_id) or ""
        return self._done(route, asked, account, moment, headers)

    def again(self, route: Route, asked: Asked, moment: Moment) -> Reply:
        """Do once more what was let in, as when a library signs a request anew and sends it again."""
        account = self._access.account(asked.headers.get(KEY_HEADER, "")) or ""
        return self._done(route, asked, account, moment, {})

    def _done(
        self, route: Route, asked: Asked, account: str, moment: Moment, headers: dict[str, str]
    ) -> Reply:
        path, _, text = asked.target.partition("?")
        said = _Said(account=account, path=path, query=parse_qs(text) if text else {}, body=asked.body)
        try:
            found = route.handler(self, said, moment)
        except InvalidValueError as error:
            found = Refusal(code="unsupported", words=str(error))
        if isinstance(found, Refusal):
            problem = wire.Problem(code=found.code, words=found.words)
            return Reply(status=_STATUS.get(found.code, 400), body=self._encode(problem), headers=headers)
        return Reply(status=200, body=self._encode(found), headers=headers)

    def let_in(self, asked: Asked, right: Right, clock_ns: int) -> str | Denied:
        """Return the name of the key that signed a request, or why it is not let in."""
        key_id, time, nonce, given = (
            asked.headers.get(name, "") for name in (KEY_HEADER, TIME_HEADER, NONCE_HEADER, SIGNATURE_HEADER)
        )
        secret = self._secrets.get(key_id)
        if secret is None:
            return Denied(status=401, code="unknown_key", words="there is no such key")
        if not is_signed(given, secret, asked.method, asked.target, asked.body, time=time, nonce=nonce):
            return Denied(
                status=401, code="wrong_signature", words="the signature is not that of this request"
            )
        time_ns = int(time) if time.isascii() and time.isdigit() and len(time) <= _DIGITS_MAX else 0
        denied = self._access.check(key_id, right, time_ns=time_ns, nonce=nonce, now_ns=clock_ns)
        return denied if denied is not None else key_id

    def denied(self, denied: Denied, headers: dict[str, str] | None = None) -> Reply:
        """Return the answer to who is not let in."""
        more = dict(headers or {})
        if denied.retry_after_ns:
            more["Retry-After"] = str(-(-denied.retry_after_ns // 10**9))
        problem = wire.Problem(code=denied.code, words=denied.words)
        return Reply(status=denied.status, body=self._encode(problem), headers=more)

    def submit(self, said: _Said, moment: Moment) -> object:
        """`POST /orders`."""
        body = _read(said.body, wire.OrderBody)
        market = self._exchange.market(body.symbol)
        if market is None:
            return Refusal(code="unsupported", words=f"there is no market {body.symbol!r}")
        wish = NewOrder(
            client_order_id=_client_id(body.client_order_id),
            symbol=body.symbol,
            is_buy=_is_buy(body.side),
            kind=body.kind,
            lots=self.words.sizes[market].whole(body.quantity),
            price_ticks=self.words.prices[market].whole(body.price) if body.price is not None else None,
            time_in_force=body.time_in_force,
            expire_ns=body.expire_ns,
            post_only=body.post_only,
            reduce_only=body.reduce_only,
            ticket=_number(body.ticket) if body.ticket is not msgspec.UNSET else 0,
        )
        return self._order_answer(self._exchange.submit(said.account, wish, moment.now_ns))

    def cancel(self, said: _Said, moment: Moment) -> object:
        """`DELETE /orders`."""
        body = _read(said.body, wire.NameBody)
        name, number = _names(body)
        found = self._exchange.cancel(said.account, moment.now_ns, client_order_id=name, number=number)
        return self._order_answer(found)

    def cancel_after(self, said: _Said, moment: Moment) -> object:
        """`POST /orders/cancel-after`: the dead man's timer of the account."""
        after_ms = _read(said.body, wire.AfterBody).after_ms
        refused = self._exchange.cancel_all_after(said.account, moment.now_ns, after_ms * 1_000_000)
        return {"after_ms": after_ms} if refused is None else refused

    def replace(self, said: _Said, moment: Moment) -> object:
        """`PATCH /orders`."""
        body = _read(said.body, wire.AmendBody)
        name, number = _names(body)
        known = self._exchange.find(said.account, client_order_id=name, number=number)
        if not known:
            return Refusal(code="unknown_order", words="there is no such order")
        market = known[0].market
        found = self._exchange.replace(
            said.account,
            moment.now_ns,
            client_order_id=name,
            number=number,
            price_ticks=self.words.prices[market].whole(body.price) if body.price is not None else None,
            lots=self.words.sizes[market].whole(body.quantity),
        )
        return self._order_answer(found)

    def open_orders(self, said: _Said, moment: Moment) -> object:
        """`GET /orders/open`."""
        self._exchange.advance(moment.now_ns)
        opens = list(self._exchange.accounts[said.account].open_orders.values())
        return self._order_list(opens, moment)

    def one_order(self, said: _Said, moment: Moment) -> object:
        """`GET /orders/{client order id}`, or `GET /orders?venue_order_id=`."""
        self._exchange.advance(moment.now_ns)
        number = _number(said.query["venue_order_id"][0]) if "venue_order_id" in said.query else None
        name = unquote(said.path.removeprefix("/orders").removeprefix("/"))
        return self._order_list(
            self._exchange.find(said.account, client_order_id=name, number=number), moment
        )

    def fills(self, said: _Said, moment: Moment) -> object:
        """`GET /fills?since=&cursor=`."""
        self._exchange.advance(moment.now_ns)
        since, cursor = (_number(said.query.get(name, ["0"])[0]) for name in ("since", "cursor"))
        if kept_ns := self._exchange.settings.fills_kept_ns:
            since = max(since, moment.now_ns - kept_ns)
        owner = self._exchange.accounts[said.account]
        rows, is_all = owner.fills_since(since, cursor, self._exchange.settings.page_max)
        shown, is_complete = _shown(rows, moment.fault)
        last = shown[-1].cursor if shown else cursor
        return wire.FillPage(
            fills=[self.words.fill(row) for row in shown],
            is_complete=is_all and is_complete,
            cursor=str(last),
            time_ns=moment.clock_ns,
        )

    def positions(self, said: _Said, moment: Moment) -> object:
        """`GET /positions`."""
        self._exchange.advance(moment.now_ns)
        rows, is_complete = _shown(self._exchange.accounts[said.account].positions(), moment.fault)
        found = [self.words.position(row) for row in rows]
        return wire.PositionList(positions=found, is_complete=is_complete, time_ns=moment.clock_ns)

    def balances(self, said: _Said, moment: Moment) -> object:
        """`GET /balances`."""
        self._exchange.advance(moment.now_ns)
        rows, is_complete = _shown(self._exchange.balances(said.account), moment.fault)
        found = [self.words.balance(row) for row in rows]
        return wire.BalanceList(balances=found, is_complete=is_complete, time_ns=moment.clock_ns)

    def trades(self, said: _Said, moment: Moment) -> object:
        """`GET /trades?symbol=&since=&after=`: what everybody could see."""
        market = self._market_of(said)
        if isinstance(market, Refusal):
            return market
        self._exchange.advance(moment.now_ns)
        since, after = (_number(said.query.get(name, ["0"])[0]) for name in ("since", "after"))
        kept = self._exchange.book(market).kept
        wanted = (match for match in kept if match.trade > after and match.time_ns >= since)
        rows = list(islice(wanted, _PAST_PAGE + 1))
        shown, is_complete = _shown(rows[:_PAST_PAGE], moment.fault)
        return wire.TradePage(
            trades=[self.words.past_trade(market, row) for row in shown],
            oldest_id=kept[0].trade if kept else 0,
            last_id=kept[-1].trade if kept else 0,
            is_complete=is_complete and len(rows) <= _PAST_PAGE,
            time_ns=moment.clock_ns,
        )

    def bars(self, said: _Said, moment: Moment) -> object:
        """`GET /bars?symbol=&length=&since=&until=`: bars that have closed; `length` is in nanoseconds."""
        market = self._market_of(said)
        if isinstance(market, Refusal):
            return market
        self._exchange.advance(moment.now_ns)
        length, since, until = (
            _number(said.query.get(name, ["0"])[0]) for name in ("length", "since", "until")
        )
        if not length:
            return Refusal(code="unsupported", words="length must be above 0, in nanoseconds")
        kept = self._exchange.book(market).kept
        known_from_ns = _known_from_ns(kept, length)
        until = min(until or moment.now_ns, moment.now_ns)
        found = bars_of(kept, length, max(since, known_from_ns), until)
        shown, is_complete = _shown(found, moment.fault)
        return wire.BarList(
            bars=[self.words.bar(market, bar) for bar in shown],
            known_from_ns=known_from_ns,
            is_complete=is_complete,
            time_ns=moment.clock_ns,
        )

    def _market_of(self, said: _Said) -> int | Refusal:
        symbol = said.query.get("symbol", [""])[0]
        market = self._exchange.market(symbol)
        return (
            Refusal(code="unsupported", words=f"there is no market {symbol!r}") if market is None else market
        )

    def time(self, said: _Said, moment: Moment) -> object:
        """`GET /time`."""
        return wire.TimeAnswer(time_ns=moment.clock_ns)

    def rules(self, said: _Said, moment: Moment) -> object:
        """`GET /rules`."""
        return self.words.rules(self._exchange)

    def truth(self, said: _Said, moment: Moment) -> object:
        """`GET /truth`: all that the venue did, for tests alone; money is atto units."""
        self._exchange.advance(moment.now_ns)
        return {
            "deeds": self._exchange.truth,
            "balances": [row for name in self._exchange.accounts for row in self._exchange.balances(name)],
            "positions": [row for each in self._exchange.accounts.values() for row in each.positions()],
        }

    def process(self, said: _Said, moment: Moment) -> object:
        """`GET /truth/process`: how many tasks its event loop has, for tests alone."""
        return {"tasks": len(asyncio.all_tasks())}

    def revise(self, said: _Said, moment: Moment) -> object:
        """`POST /truth/trades`: a trade is corrected or busted by hand, for tests alone."""
        body = _read(said.body, wire.RevisionBody)
        if body.account not in self._exchange.accounts:
            return Refusal(code="unsupported", words=f"there is no account {body.account!r}")
        symbol, _, trade = body.trade_id.rpartition("-")
        market = self._exchange.market(symbol)
        if market is None:
            return Refusal(code="unsupported", words=f"there is no trade {body.trade_id!r}")
        found = self._exchange.revise(
            body.account,
            moment.now_ns,
            number=_number(body.venue_order_id),
            trade=_number(trade),
            price_ticks=self.words.prices[market].whole(body.price) if body.price is not None else None,
            lots=self.words.sizes[market].whole(body.quantity),
        )
        return found if isinstance(found, Refusal) else self.words.fill(found)

    def _order_answer(self, found: VenueOrder | Refusal) -> object:
        return found if isinstance(found, Refusal) else wire.OrderAnswer(order=self.words.order(found))

    def _order_list(self, orders: list[VenueOrder], moment: Moment) -> wire.OrderList:
        rows, is_complete = _shown(orders, moment.fault)
        found = [self.words.order(row) for row in rows]
        return wire.OrderList(orders=found, is_complete=is_complete, time_ns=moment.clock_ns)


def route_of(method: str, path: str) -> Route | None:
    """Return where a request leads; `None` where nobody answers."""
    found = _ROUTES.get((method, path))
    return _ONE_ORDER if found is None and method == "GET" and path.startswith("/orders/") else found


_ONE_ORDER = Route(endpoint=Endpoint.ONE_ORDER, right=Right.QUERY, handler=RequestDesk.one_order)
_ROUTES = {
    ("POST", "/orders"): Route(endpoint=Endpoint.SUBMIT, right=Right.TRADE, handler=RequestDesk.submit),
    ("DELETE", "/orders"): Route(endpoint=Endpoint.CANCEL, right=Right.CANCEL, handler=RequestDesk.cancel),
    ("POST", "/orders/cancel-after"): Route(
        endpoint=Endpoint.CANCEL_ALL_AFTER, right=Right.CANCEL, handler=RequestDesk.cancel_after
    ),
    ("PATCH", "/orders"): Route(endpoint=Endpoint.REPLACE, right=Right.TRADE, handler=RequestDesk.replace),
    ("GET", "/orders"): _ONE_ORDER,
    ("GET", "/orders/open"): Route(
        endpoint=Endpoint.OPEN_ORDERS, right=Right.QUERY, handler=RequestDesk.open_orders
    ),
    ("GET", "/fills"): Route(endpoint=Endpoint.FILLS, right=Right.QUERY, handler=RequestDesk.fills),
    ("GET", "/positions"): Route(
        endpoint=Endpoint.POSITIONS, right=Right.QUERY, handler=RequestDesk.positions
    ),
    ("GET", "/balances"): Route(endpoint=Endpoint.BALANCES, right=Right.QUERY, handler=RequestDesk.balances),
    ("GET", "/time"): Route(endpoint=Endpoint.TIME, right=None, handler=RequestDesk.time),
    ("GET", "/trades"): Route(endpoint=Endpoint.TRADES, right=None, handler=RequestDesk.trades),
    ("GET", "/bars"): Route(endpoint=Endpoint.BARS, right=None, handler=RequestDesk.bars),
    ("GET", "/rules"): Route(endpoint=Endpoint.RULES, right=None, handler=RequestDesk.rules),
    ("POST", "/truth/trades"): Route(endpoint=None, right=Right.TRUTH, handler=RequestDesk.revise),
    ("GET", "/truth"): Route(endpoint=None, right=Right.TRUTH, handler=RequestDesk.truth),
    ("GET", "/truth/process"): Route(endpoint=None, right=Right.TRUTH, handler=RequestDesk.process),
}


def _known_from_ns(kept: Sequence[Match], length: int) -> int:
    """Return when the first bar opens of which all trades are kept; 0 where none was let go of."""
    if not kept or kept[0].trade == 1:
        return 0
    return -(-kept[0].time_ns // length) * length


def _shown(rows: list[_ItemT], fault: FaultKind | None) -> tuple[list[_ItemT], bool]:
    """Return what of a list is shown, and whether it claims to be all."""
    if fault is FaultKind.EMPTY_LIST:
        return [], True
    if fault is FaultKind.PARTIAL_PAGE:
        return rows[: len(rows) // 2], False
    return rows, True


def _read(body: bytes, kind: type[_BodyT]) -> _BodyT:
    try:
        return msgspec.json.decode(body, type=kind)
    except UNREADABLE as error:
        raise InvalidValueError("body", body, f"must be as the documents say: {error}") from None


def _is_buy(side: str) -> bool:
    if side not in {"buy", "sell"}:
        raise InvalidValueError("side", side, "must be buy or sell")
    return side == "buy"


def _client_id(text: str) -> str:
    if text and not _CLIENT_ID.fullmatch(text):
        raise InvalidValueError("client_order_id", text, "must be up to 36 letters, digits, - _ and .")
    return text


def _names(body: wire.NameBody) -> tuple[str | None, int | None]:
    number = _number(body.venue_order_id) if body.venue_order_id is not None else None
    if number is None and not body.client_order_id:
        raise InvalidValueError("client_order_id", body.client_order_id, "must name the order")
    return body.client_order_id, number


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise InvalidValueError("number", text, "must be a whole number, 0 or more")
    return int(text)
