//! How an order of ours or of an agent becomes trades, a place in the book, or a refusal.

use tradecore_book::Depth;
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    CancelReason, Level, Liquidity, OrderId, OrderKind, RejectReason, ReportBody, Side, TimeInForce, Trade,
};

use super::{ExchangeMatcher, OwnOrder, own_id, own_key};
use crate::l3_book::BookEvent;
use crate::market_out::{MarketOut, Tape};
use crate::ticket::{Ticket, fill, reaches, sets_off};

/// An arriving order, of ours if it has an id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taker {
    pub order_id: Option<OrderId>,
    pub side: Side,
    pub limit: Option<i64>,
    pub lots: i64,
}

impl Taker {
    const fn of(ticket: &Ticket) -> Self {
        let limit = ticket.limit_ticks();
        Self { order_id: Some(ticket.order_id), side: ticket.side, limit, lots: ticket.lots }
    }
}

impl ExchangeMatcher {
    /// Says whether the order can be taken, before anything changes.
    pub(super) fn check(&self, order: &ApprovedOrder) -> Result<Ticket, RejectReason> {
        let ticket = Ticket::read(order)?;
        let waits = ticket.may_rest() || matches!(ticket.kind, OrderKind::Stop { .. });
        if (waits && self.len() >= self.own_capacity) || self.is_open(ticket.order_id) {
            return Err(RejectReason::Unsupported);
        }
        if ticket.post_only && self.would_take(&ticket) {
            return Err(RejectReason::WouldTake);
        }
        let whole = ticket.time_in_force == TimeInForce::Fok;
        match ticket.kind {
            OrderKind::Market if self.offered(&ticket) == 0 => Err(RejectReason::NoLiquidity),
            OrderKind::Market | OrderKind::Limit { .. } if whole && self.offered(&ticket) < ticket.lots => {
                Err(RejectReason::CannotFillWhole)
            }
            _ => Ok(ticket),
        }
    }

    /// Lets an accepted order take what it can; the rest waits or is cancelled.
    pub(super) fn accept(&mut self, ticket: &Ticket, tape: &mut Tape<'_>) {
        if let OrderKind::Stop { trigger_ticks } = ticket.kind {
            let watched = self.last_trade_ticks.or_else(|| self.best_opposite(ticket.side));
            match watched.filter(|ticks| sets_off(ticket.side, trigger_ticks, *ticks)) {
                Some(_) => self.fire(ticket, tape),
                None => self.stops.push(*ticket),
            }
            return;
        }
        let left = self.take(&Taker::of(ticket), tape);
        if left == 0 {
            return;
        }
        let rests = match ticket.kind {
            OrderKind::Limit { price_ticks } if ticket.may_rest() => {
                self.rest(own_key(ticket.order_id), ticket.side, price_ticks, left, tape)
            }
            _ => false,
        };
        if rests {
            let Ticket { order_id, side, post_only, .. } = *ticket;
            self.own.push(OwnOrder { order_id, side, post_only });
        } else {
            tape.tell(ticket.order_id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        }
    }

    /// Changes an open order; `Some` is the order that lost its place and arrives anew.
    pub(super) fn amend(
        &mut self,
        order_id: OrderId,
        price_ticks: i64,
        lots: i64,
        tape: &mut Tape<'_>,
    ) -> Result<Option<Ticket>, RejectReason> {
        if !self.is_open(order_id) {
            return Err(RejectReason::UnknownOrder);
        }
        if lots <= 0 {
            return Err(RejectReason::Unsupported);
        }
        if let Some(stop) = self.stops.find(order_id) {
            let kind = OrderKind::Stop { trigger_ticks: price_ticks };
            if kind == stop.kind && lots <= stop.lots {
                stop.lots = lots;
                return Ok(None);
            }
            let ticket = Ticket { kind, lots, ..*stop };
            self.stops.remove(order_id);
            return Ok(Some(ticket));
        }
        let key = own_key(order_id);
        let order = self.book.order(key).ok_or(RejectReason::UnknownOrder)?;
        if price_ticks == order.price_ticks && self.book.reduce(key, lots) {
            self.publish(order.side, price_ticks, tape);
            return Ok(None);
        }
        let ticket = Ticket {
            order_id,
            side: order.side,
            kind: OrderKind::Limit { price_ticks },
            time_in_force: TimeInForce::Gtc,
            post_only: self.own.iter().any(|own| own.order_id == order_id && own.post_only),
            lots,
        };
        if ticket.post_only && self.would_take(&ticket) {
            return Err(RejectReason::WouldTake);
        }
        self.withdraw(key, tape);
        self.own.retain(|own| own.order_id != order_id);
        Ok(Some(ticket))
    }

    /// Sets off every stop that the trades since the last input have reached, oldest first.
    pub(super) fn fire_stops(&mut self, tape: &mut Tape<'_>) {
        while let Some(stop) = self.next_stop() {
            self.fire(&stop, tape);
        }
        self.traded_ticks = None;
    }

    /// Takes the oldest stop out that is set off.
    fn next_stop(&mut self) -> Option<Ticket> {
        if self.stops.orders().is_empty() {
            return None;
        }
        let (bid, ask) = (self.best_opposite(Side::Sell), self.best_opposite(Side::Buy));
        let (never, range) = (self.last_trade_ticks.is_none(), self.traded_ticks);
        self.stops.set_off(|side| match (side, range) {
            (Side::Buy, Some((_, high))) => Some(high),
            (Side::Sell, Some((low, _))) => Some(low),
            (Side::Buy, None) => ask.filter(|_| never),
            (Side::Sell, None) => bid.filter(|_| never),
        })
    }

    /// Turns a stop into a market order; what finds nobody is cancelled.
    fn fire(&mut self, stop: &Ticket, tape: &mut Tape<'_>) {
        tape.tell(stop.order_id, ReportBody::Triggered);
        let whole = stop.time_in_force == TimeInForce::Fok;
        let nothing = whole && self.offered(stop) < stop.lots;
        let left = if nothing { stop.lots } else { self.take(&Taker::of(stop), tape) };
        if left > 0 {
            tape.tell(stop.order_id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        }
    }

    /// Trades against the book and returns what is left.
    pub(super) fn take(&mut self, taker: &Taker, tape: &mut Tape<'_>) -> i64 {
        let Self { instrument, fees, book, own, trades, traded_ticks, last_trade_ticks, .. } = self;
        let conflicts = |key| taker.order_id.is_some() && own_id(key).is_some();
        book.take(taker.side, taker.limit, taker.lots, conflicts, |event| match event {
            BookEvent::Level(level) => {
                tape.market.push(MarketOut::Level { side: taker.side.opposite(), level });
            }
            BookEvent::Removed { key } => {
                if let Some(order_id) = own_id(key) {
                    own.retain(|own| own.order_id != order_id);
                    tape.tell(order_id, ReportBody::Canceled(CancelReason::Requested));
                }
            }
            BookEvent::Traded { key, price_ticks, lots, left_lots } => {
                *trades += 1;
                let (low, high) = traded_ticks.unwrap_or((price_ticks, price_ticks));
                *traded_ticks = Some((low.min(price_ticks), high.max(price_ticks)));
                *last_trade_ticks = Some(price_ticks);
                let trade = Trade { price_ticks, lots, aggressor: taker.side, trade_id: *trades };
                tape.market.push(MarketOut::Trade(trade));
                let mut tell = |order_id, liquidity| {
                    tape.reports.push(fill(
                        fees,
                        instrument,
                        order_id,
                        price_ticks,
                        lots,
                        liquidity,
                        tape.now_ns,
                    ));
                };
                if let Some(maker) = own_id(key) {
                    tell(maker, Liquidity::Maker);
                    if left_lots == 0 {
                        own.retain(|own| own.order_id != maker);
                    }
                }
                if let Some(order_id) = taker.order_id {
                    tell(order_id, Liquidity::Taker);
                }
            }
        })
    }

    /// Puts an order into the book; `false` when it cannot rest.
    pub(super) fn rest(
        &mut self,
        key: u64,
        side: Side,
        price_ticks: i64,
        lots: i64,
        tape: &mut Tape<'_>,
    ) -> bool {
        let rests = self.book.rest(key, side, price_ticks, lots).is_ok();
        if rests {
            self.publish(side, price_ticks, tape);
        }
        rests
    }

    /// Takes an order out of the book; `false` when it does not rest there.
    pub(super) fn withdraw(&mut self, key: u64, tape: &mut Tape<'_>) -> bool {
        let order = self.book.cancel(key);
        if let Some(order) = order {
            self.publish(order.side, order.price_ticks, tape);
        }
        order.is_some()
    }

    /// Tells everybody the size of a level.
    fn publish(&self, side: Side, price_ticks: i64, tape: &mut Tape<'_>) {
        let lots = self.book.lots_at(side, price_ticks);
        tape.market.push(MarketOut::Level { side, level: Level { price_ticks, lots } });
    }

    /// Counts what an order of ours could take now, up to its size; our own orders do not count.
    fn offered(&self, ticket: &Ticket) -> i64 {
        let reached = |price_ticks| {
            ticket.limit_ticks().is_none_or(|limit_ticks| reaches(ticket.side, limit_ticks, price_ticks))
        };
        let own = self.own.iter().filter_map(|own| self.book.order(own_key(own.order_id)));
        let own_lots: i64 = own
            .filter(|order| order.side != ticket.side && reached(order.price_ticks))
            .fold(0, |sum, order| sum.saturating_add(order.lots));
        let wanted = ticket.lots.saturating_add(own_lots);
        let mut sum = 0i64;
        self.book.walk(ticket.side.opposite(), &mut |level| {
            let counts = reached(level.price_ticks);
            sum = sum.saturating_add(if counts { level.lots } else { 0 });
            counts && sum < wanted
        });
        (sum - own_lots).min(ticket.lots)
    }

    pub(super) fn first_open(&self) -> Option<OrderId> {
        let limit = self.own.first().map(|own| own.order_id);
        limit.or_else(|| self.stops.orders().first().map(|stop| stop.order_id))
    }

    fn would_take(&self, ticket: &Ticket) -> bool {
        let best = self.best_opposite(ticket.side);
        ticket.limit_ticks().zip(best).is_some_and(|(limit, best)| reaches(ticket.side, limit, best))
    }

    fn best_opposite(&self, side: Side) -> Option<i64> {
        self.book.best(side.opposite()).map(|level| level.price_ticks)
    }

    fn is_open(&self, order_id: OrderId) -> bool {
        let stop = self.stops.orders().iter().any(|stop| stop.order_id == order_id);
        stop || self.own.iter().any(|own| own.order_id == order_id)
    }
}
