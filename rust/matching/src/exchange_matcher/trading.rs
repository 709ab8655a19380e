//! How an order of ours or of an agent becomes trades, a place in the book, or a refusal.

use tradecore_book::Depth;
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    CancelReason, Level, Liquidity, OrderId, OrderKind, RejectReason, ReportBody, Side, TimeInForce, Trade,
};

use super::{ExchangeMatcher, OwnOrder, own_id, own_key};
use crate::SelfTradePrevention;
use crate::dormant::Dormant;
use crate::l3_book::BookEvent;
use crate::mandate::{Mandate, fill, reaches};
use crate::market_out::{MarketOut, Tape};

/// An arriving order, of ours if it has an id.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Taker {
    pub order_id: Option<OrderId>,
    pub side: Side,
    pub limit: Option<i64>,
    pub lots: i64,
}

impl Taker {
    const fn of(mandate: &Mandate) -> Self {
        let limit = mandate.limit_ticks();
        Self { order_id: Some(mandate.order_id), side: mandate.side, limit, lots: mandate.lots }
    }
}

/// What came of taking.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Taken {
    /// Lots that did not trade.
    pub left: i64,
    /// Lots lost against orders of our own.
    pub decremented: i64,
    /// Whether a meeting with an order of our own ends the taker.
    pub is_stopped: bool,
}

impl ExchangeMatcher {
    /// Says whether the order can be taken, before anything changes.
    pub(super) fn check(&self, order: &ApprovedOrder) -> Result<Mandate, RejectReason> {
        let mandate = Mandate::read(order)?;
        if (mandate.may_wait() && self.len() >= self.own_capacity) || self.is_open(mandate.order_id) {
            return Err(RejectReason::Unsupported);
        }
        if mandate.post_only && self.would_take(&mandate) {
            return Err(RejectReason::WouldTake);
        }
        let whole = mandate.time_in_force == TimeInForce::Fok;
        match mandate.kind {
            OrderKind::Market | OrderKind::MarketToLimit if self.offered(&mandate) == 0 => {
                Err(RejectReason::NoLiquidity)
            }
            OrderKind::Market | OrderKind::Limit { .. } if whole && !self.fills_whole(&mandate) => {
                Err(RejectReason::CannotFillWhole)
            }
            _ => Ok(mandate),
        }
    }

    /// Lets an accepted order sleep, or take what it can.
    pub(super) fn accept(&mut self, mandate: &Mandate, tape: &mut Tape<'_>) {
        if mandate.kind.is_conditional() {
            let mut dormant = Dormant::new(*mandate);
            let watched = self.last_trade_ticks.or_else(|| self.best_opposite(mandate.side));
            match watched.filter(|price_ticks| dormant.see(*price_ticks)) {
                Some(_) => self.fire(&dormant, tape),
                None => self.dormant.push(dormant),
            }
            return;
        }
        if mandate.kind == OrderKind::MarketToLimit {
            let Some(price_ticks) = self.best_opposite(mandate.side) else { return };
            let mandate = Mandate { kind: OrderKind::Limit { price_ticks }, ..*mandate };
            let left = self.arrive(&mandate, tape);
            if left > 0 {
                tape.tell(
                    mandate.order_id,
                    ReportBody::Restated { price_ticks: Some(price_ticks), lots: left },
                );
            }
            return;
        }
        self.arrive(mandate, tape);
    }

    /// Lets an order take what it can; the rest waits or is cancelled. Returns what waits.
    fn arrive(&mut self, mandate: &Mandate, tape: &mut Tape<'_>) -> i64 {
        let Some(left) = self.trade_own(mandate, tape).filter(|left| *left > 0) else { return 0 };
        let key = own_key(mandate.order_id);
        let Mandate { order_id, side, post_only, .. } = *mandate;
        let rests = mandate.may_rest()
            && match mandate.kind {
                OrderKind::Limit { price_ticks } => self.rest(key, side, price_ticks, left, tape),
                OrderKind::Iceberg { price_ticks, display_lots } => {
                    let rests = self.book.rest_iceberg(key, side, price_ticks, left, display_lots).is_ok();
                    if rests {
                        self.publish(side, price_ticks, tape);
                    }
                    rests
                }
                _ => false,
            };
        if rests {
            self.own.push(OwnOrder { order_id, side, post_only });
            left
        } else {
            tape.tell(order_id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
            0
        }
    }

    /// Lets an order of ours take; returns what is left, or `None` when a meeting with another order of
    /// ours ended it.
    fn trade_own(&mut self, mandate: &Mandate, tape: &mut Tape<'_>) -> Option<i64> {
        let outcome = self.take(&Taker::of(mandate), tape);
        let ended = outcome.is_stopped || (outcome.left == 0 && outcome.decremented > 0);
        if ended {
            tape.tell(mandate.order_id, ReportBody::Canceled(CancelReason::SelfTrade));
            return None;
        }
        if outcome.decremented > 0 {
            let price_ticks = mandate.limit_ticks();
            tape.tell(mandate.order_id, ReportBody::Restated { price_ticks, lots: outcome.left });
        }
        Some(outcome.left)
    }

    /// Changes an open order; returns the price it states now and, if it lost its place, what arrives anew.
    pub(super) fn amend(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        tape: &mut Tape<'_>,
    ) -> Result<(Option<i64>, Option<Mandate>), RejectReason> {
        if !self.is_open(order_id) {
            return Err(RejectReason::UnknownOrder);
        }
        if lots <= 0 {
            return Err(RejectReason::Unsupported);
        }
        if let Some(dormant) = self.dormant.find(order_id) {
            let keeps_turn = dormant.amend(price_ticks, lots).ok_or(RejectReason::Unsupported)?;
            let (stated, mandate) = (dormant.stated_ticks(), dormant.mandate);
            if keeps_turn {
                return Ok((stated, None));
            }
            self.dormant.remove(order_id);
            return Ok((stated, Some(mandate)));
        }
        let key = own_key(order_id);
        let order = self.book.order(key).ok_or(RejectReason::UnknownOrder)?;
        let price_ticks = price_ticks.unwrap_or(order.price_ticks);
        if price_ticks == order.price_ticks && self.book.reduce(key, lots) {
            self.publish(order.side, price_ticks, tape);
            return Ok((Some(price_ticks), None));
        }
        let kind = match self.book.display_lots(key) {
            Some(display_lots) => OrderKind::Iceberg { price_ticks, display_lots },
            None => OrderKind::Limit { price_ticks },
        };
        let mandate = Mandate {
            order_id,
            side: order.side,
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: self.own.iter().any(|own| own.order_id == order_id && own.post_only),
            lots,
        };
        if mandate.post_only && self.would_take(&mandate) {
            return Err(RejectReason::WouldTake);
        }
        self.withdraw(key, tape);
        self.own.retain(|own| own.order_id != order_id);
        Ok((Some(price_ticks), Some(mandate)))
    }

    /// Lets every dormant order arrive that the trades of this input have set off, oldest first.
    pub(super) fn wake_dormant(&mut self, tape: &mut Tape<'_>) {
        while let Some(dormant) = self.next_set_off() {
            self.fire(&dormant, tape);
        }
    }

    /// Takes the oldest dormant order out that is set off.
    fn next_set_off(&mut self) -> Option<Dormant> {
        if self.dormant.orders().is_empty() {
            return None;
        }
        if self.last_trade_ticks.is_none() {
            let (bid, ask) = (self.best_opposite(Side::Sell), self.best_opposite(Side::Buy));
            self.dormant.watch(|side| if side == Side::Buy { ask } else { bid });
        }
        self.dormant.next_set_off()
    }

    /// Turns a dormant order into a market or a limit order; a market order that finds nobody is cancelled.
    fn fire(&mut self, dormant: &Dormant, tape: &mut Tape<'_>) {
        let mandate = dormant.awake();
        tape.tell(mandate.order_id, dormant.set_off());
        if mandate.time_in_force == TimeInForce::Fok && !self.fills_whole(&mandate) {
            tape.tell(mandate.order_id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        } else {
            self.arrive(&mandate, tape);
        }
    }

    /// Trades against the book.
    pub(super) fn take(&mut self, taker: &Taker, tape: &mut Tape<'_>) -> Taken {
        let Self { instrument, fees, book, own, dormant, trades, last_trade_ticks, self_trade, .. } = self;
        let is_ours = taker.order_id.is_some();
        let conflict = |key| (is_ours && own_id(key).is_some()).then_some(*self_trade);
        let mut outcome = Taken::default();
        outcome.left = book.take(taker.side, taker.limit, taker.lots, conflict, |event| match event {
            BookEvent::Level(level) => {
                tape.market.push(MarketOut::Level { side: taker.side.opposite(), level });
            }
            BookEvent::Removed { key } => {
                if let Some(order_id) = own_id(key) {
                    own.retain(|own| own.order_id != order_id);
                    tape.tell(order_id, ReportBody::Canceled(CancelReason::SelfTrade));
                }
            }
            BookEvent::Stopped => outcome.is_stopped = true,
            BookEvent::Decremented { key, lots, price_ticks, left_lots } => {
                outcome.decremented += lots;
                let Some(order_id) = own_id(key) else { return };
                if left_lots == 0 {
                    own.retain(|own| own.order_id != order_id);
                    tape.tell(order_id, ReportBody::Canceled(CancelReason::SelfTrade));
                } else {
                    tape.tell(
                        order_id,
                        ReportBody::Restated { price_ticks: Some(price_ticks), lots: left_lots },
                    );
                }
            }
            BookEvent::Traded { key, price_ticks, lots, left_lots } => {
                *trades += 1;
                *last_trade_ticks = Some(price_ticks);
                dormant.watch(|_| Some(price_ticks));
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
        });
        outcome
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
    fn offered(&self, mandate: &Mandate) -> i64 {
        let reached = |price_ticks| {
            mandate.limit_ticks().is_none_or(|limit_ticks| reaches(mandate.side, limit_ticks, price_ticks))
        };
        let own = self.own.iter().filter_map(|own| self.book.order(own_key(own.order_id)));
        let own_lots: i64 = own
            .filter(|order| order.side != mandate.side && reached(order.price_ticks))
            .fold(0, |sum, order| sum.saturating_add(order.lots));
        let wanted = mandate.lots.saturating_add(own_lots);
        let mut sum = 0i64;
        self.book.walk(mandate.side.opposite(), &mut |level| {
            let counts = reached(level.price_ticks);
            sum = sum.saturating_add(if counts { level.lots } else { 0 });
            counts && sum < wanted
        });
        (sum - own_lots).min(mandate.lots)
    }

    /// Tells whether an order of ours fills whole; unless ours that rest give way, it ends where it meets one.
    fn fills_whole(&self, mandate: &Mandate) -> bool {
        if self.self_trade == SelfTradePrevention::CancelOldest {
            return self.offered(mandate) >= mandate.lots;
        }
        let mut left = mandate.lots;
        for (key, price_ticks, lots) in self.book.orders(mandate.side.opposite()) {
            let is_reached = mandate
                .limit_ticks()
                .is_none_or(|limit_ticks| reaches(mandate.side, limit_ticks, price_ticks));
            if left <= 0 || own_id(key).is_some() || !is_reached {
                break;
            }
            left = left.saturating_sub(lots);
        }
        left <= 0
    }

    pub(super) fn first_open(&self) -> Option<OrderId> {
        let limit = self.own.first().map(|own| own.order_id);
        limit.or_else(|| self.dormant.orders().first().map(|dormant| dormant.mandate.order_id))
    }

    fn would_take(&self, mandate: &Mandate) -> bool {
        let best = self.best_opposite(mandate.side);
        mandate.limit_ticks().zip(best).is_some_and(|(limit, best)| reaches(mandate.side, limit, best))
    }

    fn best_opposite(&self, side: Side) -> Option<i64> {
        self.book.best(side.opposite()).map(|level| level.price_ticks)
    }

    pub(super) fn is_open(&self, order_id: OrderId) -> bool {
        let sleeps = self.dormant.orders().iter().any(|dormant| dormant.mandate.order_id == order_id);
        sleeps || self.own.iter().any(|own| own.order_id == order_id)
    }
}
