"""The money of orders and trades: what must be there, what is held, what changes hands, what it costs."""

from collections import defaultdict

import msgspec

from tradecore.domain.spec import HedgedMargin
from tradecore.testkit.local_venue.account import Account
from tradecore.testkit.local_venue.book import MarketBook, Match
from tradecore.testkit.local_venue.money import ATTO, RATE_PARTS, atto_of, part_of
from tradecore.testkit.local_venue.records import FillRow, NewOrder, Refusal, VenueOrder
from tradecore.testkit.local_venue.settings import MarketSetting, VenueSettings


class Settlement:
    """Moves the money of one venue; everything is exact, and a fee is rounded half away from zero.

    Parameters
    ----------
    settings : VenueSettings
        Markets and fees.
    """

    def __init__(self, settings: VenueSettings) -> None:
        self._markets = settings.markets
        # Worked out once: both are decimals as text.
        self._unit_atto = [market.unit_atto for market in settings.markets]
        self._lot_atto = [market.lot_atto for market in settings.markets]
        fees = settings.fees
        self._rates = {is_maker: fees.rate(is_maker=is_maker) for is_maker in (True, False)}
        self._rate_max = max(0, *self._rates.values())
        self._fee_currency = fees.currency
        self._spares_smaller_side = settings.hedged_margin is HedgedMargin.LARGER
        self._fee_prices = {quote: atto_of("prices", price) for quote, price in fees.prices.items()}

    def unpaid(
        self, wish: NewOrder, *, owner: Account, book: MarketBook, instead_of: VenueOrder | None = None
    ) -> Refusal | None:
        """Say that an account cannot pay for a wish; what it holds for the order in its place is free."""
        price_ticks = wish.price_ticks
        market = book.market
        if price_ticks is None:
            _, value, _ = book.reach(is_buy=wish.is_buy, price_ticks=None, lots=wish.lots)
        else:
            value = price_ticks * wish.lots
        currency, needed = self._needed(
            market, owner, is_buy=wish.is_buy, lots=wish.lots, value=value, ticket=wish.ticket
        )
        free = owner.free_atto(currency) + (instead_of.held_atto if instead_of is not None else 0)
        if self._markets[market].is_margin:
            free -= self._margin_atto(owner, currency)
        if self._spares_smaller_side:
            added = self._margin_of(
                market, owner, is_buy=wish.is_buy, lots=wish.lots, value=value, ticket=wish.ticket
            )
            free += self._spared_atto(owner, currency, instead_of, (market, wish.is_buy, added))
        if needed <= free:
            return None
        return Refusal(code="insufficient_margin", words=f"the order needs more {currency} than is free")

    def hold(self, order: VenueOrder, owner: Account) -> None:
        """Hold what the open part of an order may cost; nothing for one that is closed or has no price."""
        lots = order.open_lots
        value = (order.price_ticks or 0) * lots
        currency, needed = self._needed(
            order.market, owner, is_buy=order.is_buy, lots=lots, value=value, ticket=order.ticket
        )
        owner.hold(order, currency, needed if order.price_ticks is not None else 0)

    def settle(self, match: Match, order: VenueOrder, owner: Account, *, is_maker: bool) -> FillRow:
        """Let money change hands for a trade of an order, which has been counted there."""
        setting, market = self._markets[order.market], order.market
        value = match.price_ticks * match.lots * self._unit_atto[market]
        if setting.is_margin:
            lots = match.lots if order.is_buy else -match.lots
            unit = match.price_ticks * self._unit_atto[market]
            owner.add(setting.quote, owner.trade_position(market, lots, unit, order.ticket))
        else:
            sign = 1 if order.is_buy else -1
            owner.add(setting.base, sign * match.lots * self._lot_atto[market])
            owner.add(setting.quote, -sign * value)
        self.hold(order, owner)
        fee, currency = self._fee(setting, owner, part_of(value, self._rates[is_maker], RATE_PARTS))
        owner.add(currency, -fee)
        return FillRow(
            account=owner.name,
            cursor=len(owner.fills) + 1,
            trade=match.trade,
            order=order.number,
            client_order_id=order.client_order_id,
            market=market,
            is_buy=order.is_buy,
            is_maker=is_maker,
            price_ticks=match.price_ticks,
            lots=match.lots,
            filled_lots=order.filled_lots,
            fee_atto=fee,
            fee_currency=currency,
            time_ns=match.time_ns,
            ticket=order.ticket,
        )

    def revise(self, fill: FillRow, owner: Account, *, price_ticks: int, lots: int, time_ns: int) -> FillRow:
        """Take back the money of a trade and settle it with other numbers; with 0 lots it never happened.

        Its fee is that of the new numbers, in the currency in which it was taken.
        """
        setting, market = self._markets[fill.market], fill.market
        side = 1 if fill.is_buy else -1
        for sign, ticks, size in ((-side, fill.price_ticks, fill.lots), (side, price_ticks, lots)):
            if not size:
                continue
            if setting.is_margin:
                unit = ticks * self._unit_atto[market]
                owner.add(setting.quote, owner.trade_position(market, sign * size, unit, fill.ticket))
            else:
                owner.add(setting.base, sign * size * self._lot_atto[market])
                owner.add(setting.quote, -sign * ticks * size * self._unit_atto[market])
        value = price_ticks * lots * self._unit_atto[market]
        fee = part_of(value, self._rates[fill.is_maker], RATE_PARTS)
        if fill.fee_currency != setting.quote:
            fee = part_of(fee, ATTO, self._fee_prices[setting.quote])
        owner.add(fill.fee_currency, fill.fee_atto - fee)
        return msgspec.structs.replace(
            fill,
            cursor=len(owner.fills) + 1,
            price_ticks=price_ticks,
            lots=lots,
            fee_atto=fee,
            time_ns=time_ns,
            revision=fill.revision + 1,
        )

    def currencies(self, fill: FillRow) -> tuple[str, ...]:
        """Return the currencies whose balances a trade changed."""
        setting = self._markets[fill.market]
        changed = (setting.quote,) if setting.is_margin else (setting.base, setting.quote)
        return changed if fill.fee_currency in changed else (*changed, fill.fee_currency)

    def _needed(
        self, market: int, owner: Account, *, is_buy: bool, lots: int, value: int, ticket: int
    ) -> tuple[str, int]:
        """Return currency and amount that lots of so much value (ticks times lots) may cost."""
        setting = self._markets[market]
        worth = value * self._unit_atto[market]
        fee = -(-worth * self._rate_max // RATE_PARTS)
        if setting.is_margin:
            margin = self._margin_of(market, owner, is_buy=is_buy, lots=lots, value=value, ticket=ticket)
            return setting.quote, fee + margin
        if is_buy:
            return setting.quote, worth + fee
        return setting.base, lots * self._lot_atto[market]

    def _margin_of(
        self, market: int, owner: Account, *, is_buy: bool, lots: int, value: int, ticket: int
    ) -> int:
        """Return the margin of lots of so much value in a margin market; what closes needs none."""
        held = owner.position_lots(market, ticket)
        if lots <= (-held if is_buy else held):
            return 0
        return -(-value * self._unit_atto[market] // self._markets[market].leverage)

    def _spared_atto(
        self,
        owner: Account,
        quote: str,
        instead_of: VenueOrder | None,
        wished: tuple[int, bool, int],
    ) -> int:
        """Return the margin of the smaller side of each market: what is held, and what orders may add.

        One more order is wished for: its market, whether it buys, and its margin.
        """
        sides: dict[int, dict[bool, int]] = defaultdict(lambda: {True: 0, False: 0})
        for row in owner.positions():
            sides[row.market][row.lots > 0] += -(-abs(row.cost_atto) // self._markets[row.market].leverage)
        for order in owner.open_orders.values():
            if order is not instead_of:
                sides[order.market][order.is_buy] += self._margin_of(
                    order.market,
                    owner,
                    is_buy=order.is_buy,
                    lots=order.open_lots,
                    value=(order.price_ticks or 0) * order.open_lots,
                    ticket=order.ticket,
                )
        market, is_buy, added = wished
        sides[market][is_buy] += added
        own = (sides[number] for number in sides if self._markets[number].quote == quote)
        return sum(min(each.values()) for each in own)

    def _margin_atto(self, owner: Account, quote: str) -> int:
        """Return what the positions of an account need of a currency."""
        positions = [(self._markets[each.market], each.cost_atto) for each in owner.positions()]
        return sum(-(-abs(cost) // setting.leverage) for setting, cost in positions if setting.quote == quote)

    def _fee(self, setting: MarketSetting, owner: Account, fee_atto: int) -> tuple[int, str]:
        """Return a fee in the currency that it is taken in."""
        price = self._fee_prices.get(setting.quote)
        if price is not None:
            amount = part_of(fee_atto, ATTO, price)
            if amount <= owner.free_atto(self._fee_currency):
                return amount, self._fee_currency
        return fee_atto, setting.quote
