"""The local venue itself: accounts trade in native books among agents. Time is an argument."""

import heapq
from collections import deque
from typing import Protocol

from tradecore.domain.venue_capabilities import DuplicateIds, VenueCapabilities
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.sim.agents import AgentCrowd, AgentMarket, FlowSink
from tradecore.testkit.local_venue.account import Account
from tradecore.testkit.local_venue.book import OWN_FIRST, MarketBook, Match
from tradecore.testkit.local_venue.checks import closing_room, flaw_of, flaw_of_amendment, own_within
from tradecore.testkit.local_venue.money import atto_of
from tradecore.testkit.local_venue.records import (
    BalanceRow,
    Deed,
    DepositRow,
    FillRow,
    NewOrder,
    News,
    OrderRow,
    Refusal,
    VenueOrder,
)
from tradecore.testkit.local_venue.settings import MarketSetting, VenueSettings
from tradecore.testkit.local_venue.settlement import Settlement


class Crowd(Protocol):
    """Others who trade in the markets; `AgentCrowd` is one."""

    def run_until(self, time_ns: int, sink: FlowSink) -> None:
        """Give everything that happens before a time, in order."""
        ...


class LocalExchange:
    """An exchange with accounts, balances, orders and trades, and a list of all that it did.

    The same settings, the same questions and the same times give the same answers. Times must not fall;
    every method that takes one first lets agents trade and orders expire until then.

    Parameters
    ----------
    settings : VenueSettings
        What it is made of.
    start_ns : int
        When the agents begin, UTC nanoseconds.
    crowd : Crowd, optional
        Who trades in the markets in place of the agents that the settings name.

    Attributes
    ----------
    truth : list
        Deposits, states of orders and trades in their order: nothing else changes balances.
    accounts : dict of str to Account
        The accounts by their names.
    """

    def __init__(self, settings: VenueSettings, *, start_ns: int, crowd: Crowd | None = None) -> None:
        self.settings = settings
        self.truth: list[Deed] = []
        self.accounts = {each.name: Account(each.name) for each in settings.accounts}
        resting = settings.open_orders_max * len(settings.accounts)
        self._books = [
            MarketBook(number, setting, orders_max=resting) for number, setting in enumerate(settings.markets)
        ]
        self._markets = {setting.instrument.symbol: number for number, setting in enumerate(settings.markets)}
        self._settlement = Settlement(settings)
        self._crowd = crowd or _crowd_of(settings.markets, settings.seed, start_ns)
        self._sink = _Sink(self._books)
        self._number = 0
        self._orders: dict[int, VenueOrder] = {}
        self._closed: deque[int] = deque()
        self._expiries: list[tuple[int, int]] = []
        self._followed: dict[str, list[News]] = {}
        # When all orders of an account end, unless it asks again.
        self._dead_men: dict[str, int] = {}
        self._now_ns = start_ns
        for each in settings.accounts:
            for currency, amount in each.balances.items():
                self.deposit(each.name, currency, atto_of(currency, amount), start_ns)
        self.advance(start_ns + 1)

    @property
    def capabilities(self) -> VenueCapabilities:
        """What it can do by itself."""
        limits = self.settings.limits
        return VenueCapabilities(
            order_kinds=frozenset({"limit", "market"}),
            times_in_force=frozenset({"gtc", "ioc", "fok", "gtd"}),
            replaces=self.settings.replaces,
            post_only=self.settings.post_only,
            reduce_only=self.settings.reduce_only
            and any(market.is_margin for market in self.settings.markets),
            positions=frozenset(
                number for number, market in enumerate(self.settings.markets) if market.is_margin
            ),
            duplicate_ids=self.settings.duplicate_ids,
            validity_window_ns=self.settings.validity_window_ns,
            requests_per_second=float(limits.per_second) if limits.per_second else float("inf"),
            requests_burst=float(limits.burst),
            weights={name: float(weight) for name, weight in limits.weights.items()},
            fills_kept_ns=self.settings.fills_kept_ns or None,
            dead_man_ns_max=self.settings.dead_man_ms_max * 1_000_000,
            hedging=self.settings.hedging,
            hedged_margin=self.settings.hedged_margin,
        )

    @property
    def now_ns(self) -> int:
        """Return the time it has got to, UTC nanoseconds."""
        return self._now_ns

    def market(self, symbol: str) -> int | None:
        """Return the number of a market; `None` where there is none."""
        return self._markets.get(symbol)

    def book(self, market: int) -> MarketBook:
        """Return the book of a market."""
        return self._books[market]

    def deposit(self, account: str, currency: str, amount_atto: int, now_ns: int) -> None:
        """Give an account money, or take it away (negative)."""
        self.advance(now_ns)
        row = DepositRow(account=account, currency=currency, amount_atto=amount_atto, time_ns=self._now_ns)
        self.accounts[account].add(currency, amount_atto)
        self.truth.append(row)
        self._tell_balance(self.accounts[account], currency)

    def follow(self, account: str) -> None:
        """Keep what happens to an account from now on until `take_news` hands it over."""
        self._followed.setdefault(account, [])

    def leave(self, account: str) -> None:
        """Keep nothing of an account any more."""
        self._followed.pop(account, None)

    def take_news(self, account: str) -> list[News]:
        """Hand over what happened to an account that is followed, in its order."""
        news = self._followed.get(account)
        if not news:
            return []
        self._followed[account] = []
        return news

    def advance(self, now_ns: int) -> None:
        """Let time pass: agents trade, orders expire at their times, and dead men's timers run out."""
        now_ns = max(now_ns, self._now_ns)
        due = [(time_ns, account) for account, time_ns in self._dead_men.items() if time_ns <= now_ns]
        for time_ns, account in sorted(due):
            self._pass_time(time_ns)
            del self._dead_men[account]
            for order in list(self.accounts[account].open_orders.values()):
                self._books[order.market].remove(OWN_FIRST + order.number)
                self._close(order, VenueOrderState.CANCELED, "requested")
        self._pass_time(now_ns)

    def cancel_all_after(self, account: str, now_ns: int, span_ns: int) -> Refusal | None:
        """Let all orders of an account end after so long, unless it asks again; 0 takes that back."""
        self.advance(now_ns)
        most_ns = self.settings.dead_man_ms_max * 1_000_000
        if not 0 <= span_ns <= most_ns:
            words = f"this venue ends orders after {most_ns // 1_000_000} ms at most"
            return Refusal(code="unsupported", words=words if most_ns else "this venue has no such timer")
        if span_ns:
            self._dead_men[account] = self._now_ns + span_ns
        else:
            self._dead_men.pop(account, None)
        return None

    def _pass_time(self, now_ns: int) -> None:
        """Let agents trade and orders expire until a time that is not before the last one."""
        while self._expiries and self._expiries[0][0] <= now_ns:
            expire_ns, number = heapq.heappop(self._expiries)
            self._run_agents(expire_ns)
            order = self._orders.get(number)
            if order is not None and order.open_lots and order.expire_ns == expire_ns:
                self._books[order.market].remove(OWN_FIRST + number)
                self._close(order, VenueOrderState.EXPIRED, "")
        self._run_agents(now_ns)

    def submit(self, account: str, wish: NewOrder, now_ns: int) -> VenueOrder | Refusal:
        """Take a new order and let it trade, or say no."""
        self.advance(now_ns)
        owner = self.accounts[account]
        market = self._markets.get(wish.symbol)
        if market is None:
            return Refusal(code="unsupported", words=f"there is no market {wish.symbol!r}")
        if (flaw := self._duplicate(owner, wish.client_order_id)) is not None:
            return flaw
        if len(owner.open_orders) >= self.settings.open_orders_max:
            words = f"the account has {self.settings.open_orders_max} open orders already"
            return Refusal(code="unsupported", words=words)
        book = self._books[market]
        for flag in ("post_only", "reduce_only"):
            if getattr(wish, flag) and not getattr(self.settings, flag):
                return Refusal(code="unsupported", words=f"this venue knows no `{flag}`")
        hedges = self.settings.hedging
        flaw = flaw_of(wish, book=book, owner=owner, now_ns=self._now_ns, hedges=hedges)
        if flaw is None:
            flaw = self._settlement.unpaid(wish, owner=owner, book=book)
        if flaw is not None:
            return flaw
        order = self._opened(owner, wish, market)
        self._leave_own(owner, order, book)
        self._leave_growing(owner, book)
        self._let_trade(order, book)
        return order

    def cancel(
        self, account: str, now_ns: int, *, client_order_id: str | None = None, number: int | None = None
    ) -> VenueOrder | Refusal:
        """End an order; of several orders of one client's name, the oldest that is open."""
        self.advance(now_ns)
        order = self._open_order(account, client_order_id, number)
        if order is None:
            return Refusal(code="unknown_order", words="there is no such open order")
        self._books[order.market].remove(OWN_FIRST + order.number)
        self._close(order, VenueOrderState.CANCELED, "requested")
        return order

    def replace(
        self,
        account: str,
        now_ns: int,
        *,
        client_order_id: str | None = None,
        number: int | None = None,
        price_ticks: int | None = None,
        lots: int,
    ) -> VenueOrder | Refusal:
        """Give an order another price or another size; `lots` is all of it, with what has filled."""
        self.advance(now_ns)
        if not self.settings.replaces:
            return Refusal(code="unsupported", words="this venue amends no orders")
        order = self._open_order(account, client_order_id, number)
        if order is None or order.price_ticks is None:
            return Refusal(code="unknown_order", words="there is no such open order")
        price_ticks = order.price_ticks if price_ticks is None else price_ticks
        book, owner = self._books[order.market], self.accounts[account]
        opens = lots - order.filled_lots
        flaw = flaw_of_amendment(order, book=book, owner=owner, price_ticks=price_ticks, lots=lots)
        if flaw is None:
            wish = _as_wish(order, book.setting.instrument.symbol, price_ticks, opens)
            flaw = self._settlement.unpaid(wish, owner=owner, book=book, instead_of=order)
        if flaw is not None:
            return flaw
        order.price_ticks, order.lots, order.time_ns = price_ticks, lots, self._now_ns
        self._settlement.hold(order, owner)
        self._tell(order)
        self._leave_own(owner, order, book)
        self._leave_growing(owner, book)
        book.amend(self._now_ns, OWN_FIRST + order.number, price_ticks=price_ticks, lots=opens)
        self._book_matches(book)
        return order

    def revise(
        self,
        account: str,
        now_ns: int,
        *,
        number: int,
        trade: int,
        price_ticks: int | None = None,
        lots: int,
    ) -> FillRow | Refusal:
        """Tell a trade of an order anew: with other numbers, or with 0 lots as one that never happened.

        It changes money and position. What the order has filled, and what is open of it, stays. Without a
        price the trade keeps its own.
        """
        self.advance(now_ns)
        owner = self.accounts[account]
        known = next(
            (fill for fill in reversed(owner.fills) if (fill.order, fill.trade) == (number, trade)), None
        )
        if known is None:
            return Refusal(code="unknown_order", words="there is no such trade of this order")
        price_ticks = known.price_ticks if price_ticks is None else price_ticks
        if lots < 0 or price_ticks <= 0:
            return Refusal(code="unsupported", words="a trade has a price above 0, and 0 lots or more")
        fill = self._settlement.revise(known, owner, price_ticks=price_ticks, lots=lots, time_ns=self._now_ns)
        self._note_fill(fill, owner)
        self._tell_money(fill, owner)
        self._leave_growing(owner, self._books[fill.market])
        return fill

    def find(
        self, account: str, *, client_order_id: str | None = None, number: int | None = None
    ) -> list[VenueOrder]:
        """Return the orders of a name, open or not, the oldest first; by their number where it is given."""
        if number is not None:
            order = self._orders.get(number)
            return [order] if order is not None and order.account == account else []
        return list(self.accounts[account].named(client_order_id or ""))

    def balances(self, account: str) -> list[BalanceRow]:
        """Return what an account has of each currency it ever had."""
        owner = self.accounts[account]
        return [self._balance_of(owner, currency) for currency in sorted(owner.total_atto)]

    def _run_agents(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)
        if self._crowd is not None:
            self._crowd.run_until(self._now_ns, self._sink)
            self._book_matches(*self._books)

    def _duplicate(self, owner: Account, client_order_id: str) -> Refusal | None:
        rule = self.settings.duplicate_ids
        if not client_order_id or rule in {DuplicateIds.NONE, DuplicateIds.ACCEPTED}:
            return None
        same = owner.named(client_order_id)
        if rule is DuplicateIds.REFUSED_WHILE_OPEN:
            same = [order for order in same if order.open_lots]
        return (
            Refusal(code="duplicate_id", words="there is an order of this client order id") if same else None
        )

    def _opened(self, owner: Account, wish: NewOrder, market: int) -> VenueOrder:
        knows_ids = self.settings.duplicate_ids is not DuplicateIds.NONE
        self._number += 1
        order = VenueOrder(
            number=self._number,
            account=owner.name,
            client_order_id=(wish.client_order_id or None) if knows_ids else None,
            market=market,
            is_buy=wish.is_buy,
            kind=wish.kind,
            price_ticks=wish.price_ticks,
            lots=wish.lots,
            time_in_force=wish.time_in_force,
            expire_ns=wish.expire_ns,
            post_only=wish.post_only,
            reduce_only=wish.reduce_only,
            time_ns=self._now_ns,
            ticket=wish.ticket or (self._number if self.settings.hedging else 0),
            asked_as=wish.client_order_id,
        )
        self._orders[order.number] = order
        owner.remember(order)
        owner.open_orders[order.number] = order
        if order.reduce_only and (order.rests or not self.settings.hedging):
            owner.reducing[order.number] = order
        self._settlement.hold(order, owner)
        if order.expire_ns is not None:
            heapq.heappush(self._expiries, (order.expire_ns, order.number))
        self._tell(order)
        return order

    def _leave_own(self, owner: Account, order: VenueOrder, book: MarketBook) -> None:
        """End the account's own orders that an order would meet: the older ones go."""
        while True:
            _, _, worst = book.reach(is_buy=order.is_buy, price_ticks=order.price_ticks, lots=order.open_lots)
            if not worst or not (own := own_within(owner, book.market, worst, is_buy=order.is_buy)):
                return
            for each in own:
                book.remove(OWN_FIRST + each.number)
                self._close(each, VenueOrderState.CANCELED, "self_trade")

    def _let_trade(self, order: VenueOrder, book: MarketBook) -> None:
        number, lots, rests = OWN_FIRST + order.number, order.lots, order.rests
        if rests and order.price_ticks is not None:
            book.add(self._now_ns, number, is_buy=order.is_buy, price_ticks=order.price_ticks, lots=lots)
        else:
            book.take(self._now_ns, number, is_buy=order.is_buy, price_ticks=order.price_ticks, lots=lots)
        self._book_matches(book)
        if order.open_lots and not rests:
            self._close(order, VenueOrderState.CANCELED, "immediate_or_cancel")

    def _book_matches(self, *books: MarketBook) -> None:
        """Book what traded, in the order of time: trades of an account are read on by their times."""
        found = [(match, book) for book in books for match in book.take_matches()]
        if len(books) > 1:
            found.sort(key=_time_of)
        for match, _ in found:
            for number, is_maker in ((match.maker, True), (match.taker, False)):
                if number >= OWN_FIRST:
                    self._fill(self._orders[number - OWN_FIRST], match, is_maker=is_maker)
        # Not before all of them are booked: what the book has traded cannot be ended any more.
        for book in {book.market: book for _, book in found}.values():
            for owner in self.accounts.values():
                self._leave_growing(owner, book)

    def _fill(self, order: VenueOrder, match: Match, *, is_maker: bool) -> None:
        owner = self.accounts[order.account]
        order.filled_lots += match.lots
        order.time_ns = match.time_ns
        fill = self._settlement.settle(match, order, owner, is_maker=is_maker)
        self._note_fill(fill, owner)
        if order.filled_lots == order.lots:
            self._close(order, VenueOrderState.FILLED, "")
        self._tell_money(fill, owner)

    def _note_fill(self, fill: FillRow, owner: Account) -> None:
        owner.fills.append(fill)
        self.truth.append(fill)
        if (news := self._followed.get(owner.name)) is not None:
            news.append(fill)

    def _tell_money(self, fill: FillRow, owner: Account) -> None:
        for currency in self._settlement.currencies(fill):
            self._tell_balance(owner, currency)

    def _leave_growing(self, owner: Account, book: MarketBook) -> None:
        """End reduce-only orders, the newest first, that could open something if all traded at once.

        What closes a ticket is made as small as that instead, and ended where nothing is left to close.
        """
        for order in reversed(list(owner.reducing.values())):
            if order.market != book.market:
                continue
            room = closing_room(owner, book.market, is_buy=order.is_buy, ticket=order.ticket)
            if room < 0 < order.open_lots + room and order.ticket:
                self._cut(order, owner, book, order.open_lots + room)
            elif room < 0:
                book.remove(OWN_FIRST + order.number)
                self._close(order, VenueOrderState.CANCELED, "linked")

    def _cut(self, order: VenueOrder, owner: Account, book: MarketBook, open_lots: int) -> None:
        """Make a resting order smaller where it is."""
        order.lots, order.time_ns = order.filled_lots + open_lots, self._now_ns
        self._settlement.hold(order, owner)
        price_ticks = order.price_ticks or 0
        book.amend(self._now_ns, OWN_FIRST + order.number, price_ticks=price_ticks, lots=open_lots)
        self._tell(order)

    def _close(self, order: VenueOrder, state: VenueOrderState, reason: str) -> None:
        owner = self.accounts[order.account]
        order.state, order.reason = state, reason
        if state is not VenueOrderState.FILLED:
            order.time_ns = self._now_ns
        del owner.open_orders[order.number]
        owner.reducing.pop(order.number, None)
        self._settlement.hold(order, owner)
        self._closed.append(order.number)
        if len(self._closed) > self.settings.history_orders_max:
            forgotten = self._orders.pop(self._closed.popleft())
            self.accounts[forgotten.account].forget(forgotten)
        self._tell(order)

    def _open_order(self, account: str, client_order_id: str | None, number: int | None) -> VenueOrder | None:
        found = self.find(account, client_order_id=client_order_id, number=number)
        return next((order for order in found if order.state is VenueOrderState.OPEN), None)

    def _tell(self, order: VenueOrder) -> None:
        row = OrderRow.of(order)
        self.truth.append(row)
        if (news := self._followed.get(order.account)) is not None:
            news.append(row)

    def _tell_balance(self, owner: Account, currency: str) -> None:
        if (news := self._followed.get(owner.name)) is not None:
            news.append(self._balance_of(owner, currency))

    def _balance_of(self, owner: Account, currency: str) -> BalanceRow:
        return BalanceRow(
            account=owner.name,
            currency=currency,
            total_atto=owner.total_atto.get(currency, 0),
            held_atto=owner.held_atto.get(currency, 0),
            time_ns=self._now_ns,
        )


class _Sink:
    """Leads the flow of agents to the books of their markets."""

    def __init__(self, books: list[MarketBook]) -> None:
        self._books = books

    def flow_limit(
        self, time_ns: int, instrument_id: int, flow_id: int, is_buy: bool, price_ticks: int, lots: int
    ) -> None:
        self._books[instrument_id].flow_limit(time_ns, instrument_id, flow_id, is_buy, price_ticks, lots)

    def flow_market(self, time_ns: int, instrument_id: int, is_buy: bool, lots: int) -> None:
        self._books[instrument_id].flow_market(time_ns, instrument_id, is_buy, lots)

    def flow_cancel(self, time_ns: int, instrument_id: int, flow_id: int) -> None:
        self._books[instrument_id].flow_cancel(time_ns, instrument_id, flow_id)


def _time_of(found: tuple[Match, MarketBook]) -> int:
    return found[0].time_ns


def _crowd_of(markets: tuple[MarketSetting, ...], seed: int, start_ns: int) -> Crowd | None:
    crowded = tuple(
        AgentMarket(instrument_id=number, start_ticks=market.start_ticks, lots_mean=market.lots_mean)
        for number, market in enumerate(markets)
        if market.has_agents
    )
    return AgentCrowd(crowded, seed=seed, start_ns=start_ns) if crowded else None


def _as_wish(order: VenueOrder, symbol: str, price_ticks: int, lots: int) -> NewOrder:
    """Return what an order would be asked for as, at another price and size."""
    return NewOrder(
        client_order_id=order.client_order_id or "",
        symbol=symbol,
        is_buy=order.is_buy,
        kind=order.kind,
        lots=lots,
        price_ticks=price_ticks,
        ticket=order.ticket,
    )
