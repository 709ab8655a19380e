"""What the exchange has, in the words of the wire."""

from tradecore.domain.units import exact_money
from tradecore.testkit.local_venue.book import MarketNews, Match, MatchBar
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.records import (
    BalanceRow,
    FillRow,
    News,
    OrderRow,
    PositionRow,
    VenueOrder,
)
from tradecore_local import wire
from tradecore_local.steps import Steps


class Words:
    """Translates by the markets of an exchange.

    Parameters
    ----------
    exchange : LocalExchange
        Whose markets.
    """

    def __init__(self, exchange: LocalExchange) -> None:
        markets = exchange.settings.markets
        self._markets = markets
        self.symbols = [market.instrument.symbol for market in markets]
        self.prices = [Steps("price", market.instrument.tick_size) for market in markets]
        self.sizes = [Steps("quantity", market.instrument.lot_size) for market in markets]

    def news(self, row: News) -> wire.Told:
        """Return what a frame says."""
        match row:
            case OrderRow():
                return self.order(row)
            case FillRow():
                return self.fill(row)
            case BalanceRow():
                return self.balance(row)

    def order(self, row: OrderRow | VenueOrder) -> wire.Order:
        """Return an order."""
        price, size = self.prices[row.market], self.sizes[row.market]
        opens = row.lots - row.filled_lots if row.state == "open" else 0
        return wire.Order(
            client_order_id=row.client_order_id,
            venue_order_id=str(row.number),
            symbol=self.symbols[row.market],
            side="buy" if row.is_buy else "sell",
            type=row.kind,
            state=row.state.value,
            price=price.text(row.price_ticks) if row.price_ticks is not None else None,
            quantity=size.text(row.lots),
            open=size.text(opens),
            filled=size.text(row.filled_lots),
            reason=row.reason,
            time_ns=row.time_ns,
        )

    def fill(self, row: FillRow) -> wire.Fill:
        """Return a trade."""
        size = self.sizes[row.market]
        return wire.Fill(
            client_order_id=row.client_order_id,
            venue_order_id=str(row.order),
            symbol=self.symbols[row.market],
            side="buy" if row.is_buy else "sell",
            trade_id=f"{self.symbols[row.market]}-{row.trade}",
            price=self.prices[row.market].text(row.price_ticks),
            quantity=size.text(row.lots),
            filled=size.text(row.filled_lots),
            liquidity="maker" if row.is_maker else "taker",
            fee=money(row.fee_atto),
            fee_currency=row.fee_currency,
            time_ns=row.time_ns,
            cursor=str(row.cursor),
            revision=row.revision,
        )

    def balance(self, row: BalanceRow) -> wire.Balance:
        """Return a balance."""
        free = money(row.total_atto - row.held_atto)
        return wire.Balance(
            currency=row.currency, total=money(row.total_atto), free=free, time_ns=row.time_ns
        )

    def position(self, row: PositionRow) -> wire.Position:
        """Return a position."""
        size = self.sizes[row.market].text(row.lots)
        return wire.Position(
            symbol=self.symbols[row.market],
            quantity=size,
            cost=money(row.cost_atto),
            ticket=str(row.ticket) if row.ticket else None,
            client_order_id=row.client_order_id,
        )

    def market(self, news: MarketNews) -> wire.MarketMessage:
        """Return what a market shows."""
        price, size = self.prices[news.market].text, self.sizes[news.market].text
        bid, bid_lots, ask, ask_lots = news.best

        def levels(rows: list[tuple[int, int]]) -> list[wire.Level]:
            return [wire.Level(price(ticks), size(lots)) for ticks, lots in rows]

        return wire.MarketMessage(
            kind="snapshot" if news.is_snapshot else "update",
            symbol=self.symbols[news.market],
            first_id=news.first_id,
            last_id=news.last_id,
            prev_id=news.prev_id,
            bids=levels(news.bids),
            asks=levels(news.asks),
            trades=[
                wire.MarketTrade(
                    each.trade, price(each.price_ticks), size(each.lots), "buy" if each.is_buy else "sell"
                )
                for each in news.trades
            ],
            best_bid=wire.Level(price(bid), size(bid_lots)) if bid_lots else None,
            best_ask=wire.Level(price(ask), size(ask_lots)) if ask_lots else None,
            time_ns=news.time_ns,
        )

    def past_trade(self, market: int, match: Match) -> wire.PastTrade:
        """Return a trade that everybody could see."""
        price, size = self.prices[market].text(match.price_ticks), self.sizes[market].text(match.lots)
        return wire.PastTrade(match.trade, match.time_ns, price, size, "buy" if match.is_buy else "sell")

    def bar(self, market: int, bar: MatchBar) -> wire.Bar:
        """Return a bar."""
        price, size = self.prices[market].text, self.sizes[market].text
        first, high, low, last = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
        return wire.Bar(bar.open_ns, price(first), price(high), price(low), price(last), size(bar.lots))

    def rules(self, exchange: LocalExchange) -> wire.Rules:
        """Return what the exchange can do, and its markets."""
        can = exchange.capabilities
        return wire.Rules(
            order_kinds=sorted(can.order_kinds),
            times_in_force=sorted(can.times_in_force),
            replaces=can.replaces,
            post_only=can.post_only,
            reduce_only=can.reduce_only,
            duplicate_ids=can.duplicate_ids,
            validity_window_ns=can.validity_window_ns,
            requests_per_second=exchange.settings.limits.per_second,
            requests_burst=exchange.settings.limits.burst,
            weights=exchange.settings.limits.weights,
            fills_kept_ns=exchange.settings.fills_kept_ns,
            dead_man_ms_max=exchange.settings.dead_man_ms_max,
            hedging=can.hedging,
            hedged_margin=can.hedged_margin,
            markets=[
                wire.MarketRule(
                    symbol=market.instrument.symbol,
                    base=market.base,
                    quote=market.quote,
                    tick_size=market.instrument.tick_size,
                    lot_size=market.instrument.lot_size,
                    multiplier=market.instrument.multiplier,
                    is_margin=market.is_margin,
                )
                for market in self._markets
            ],
        )


def money(atto: int) -> str:
    """Return atto units as an exact decimal."""
    return f"{exact_money(atto):f}"
