//! A flatten that closes by limit orders first, and goes at the market once their time is up.
//!
//! It ends every order, waits until they have ended, and sends one order for the whole position that rests at the worst price
//! that it may have: so far from the mark of the moment of the command, whatever the market does later. What ends
//! without a trade is sent again after a while, as is what another order opens meanwhile. When the time is up, the end of
//! the limit order is asked for until it comes, and what is left then goes at the market.
//!
//! The limit order is an operator's: its strategy can neither amend nor cancel it.
//!
//! **Invariant:** of a position, or a ticket, never a limit order and a market order of a flatten are open together, but for one
//! of which nobody knows whether it is open: what that may close is left out.

use tradecore_ledger::OrderState;
use tradecore_types::{
    ByLimit, CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, Scope, StrategyId, TimeNs,
};

use crate::groups::to_close::{ASK_AGAIN_NS, CloseOut, Flattening, Limited, Resting};
use crate::{Kernel, KernelError};

/// How a flatten may close now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Way {
    /// By market orders.
    AtMarket,
    /// By limit orders, bounded by this mark.
    ByLimit(i64),
    /// By limit orders, and it is too early for the next one, or no price was ever seen.
    NotYet,
}

impl Kernel {
    /// Says how a flatten of an instrument closes by limit orders from now on.
    pub(crate) fn limited(&self, instrument: InstrumentId, by: ByLimit) -> Limited {
        let until_ns = self.now_ns.saturating_add(by.timeout_ns());
        Limited { by, mark_ticks: self.price_now(instrument), until_ns, not_before_ns: self.now_ns }
    }

    /// Returns the mark of an instrument, else the last price.
    fn price_now(&self, instrument: InstrumentId) -> Option<i64> {
        let reference = self.markets.get(instrument.index()).and_then(|market| market.reference);
        self.mark(instrument).or_else(|| reference.map(|known| known.0)).filter(|ticks| *ticks > 0)
    }

    /// Lets every flatten that closes by limit orders begin, once all reports of this moment are read.
    pub(crate) fn begin_closing(&mut self) -> Result<(), KernelError> {
        for known in &self.books.groups.close_outs {
            if let CloseOut::Position(Flattening { instrument, limited: Some(_), .. }) = known
                && !self.outgoing.changed.contains(instrument)
            {
                self.outgoing.changed.push(*instrument);
            }
        }
        self.books.clock_due_ns = self.books.clock_due_ns.min(self.closing_due_ns());
        self.follow_reports()
    }

    /// Returns when something of this is due by the clock alone; the end of time when nothing is.
    pub(crate) fn closing_due_ns(&self) -> TimeNs {
        let dues = self.books.groups.close_outs.iter().filter_map(due_ns);
        dues.filter(|due_ns| *due_ns > self.now_ns).min().unwrap_or(TimeNs::MAX)
    }

    /// Goes on where the time of limit orders is up.
    pub(crate) fn end_limit_times(&mut self) -> Result<(), KernelError> {
        for known in &self.books.groups.close_outs {
            let is_due = due_ns(known).is_some_and(|due_ns| due_ns <= self.now_ns);
            if is_due && !self.outgoing.changed.contains(&known.instrument()) {
                self.outgoing.changed.push(known.instrument());
            }
        }
        self.follow_reports()
    }

    /// Says how a flatten may close now.
    pub(crate) fn way_of(&self, flattening: &Flattening) -> Way {
        let Some(limited) = flattening.limited.filter(|limited| self.now_ns < limited.until_ns) else {
            return Way::AtMarket;
        };
        let mark_ticks = limited.mark_ticks.or_else(|| self.price_now(flattening.instrument));
        mark_ticks.filter(|_| self.now_ns >= limited.not_before_ns).map_or(Way::NotYet, Way::ByLimit)
    }

    /// Sends limit orders for parts of a position: signed lots with the ticket that they belong to.
    pub(crate) fn rest_to_close(
        &mut self,
        flattening: &Flattening,
        parts: &[(i64, Option<OrderId>)],
        mark_ticks: i64,
    ) -> Result<(), KernelError> {
        let Flattening { strategy, instrument, limited, .. } = *flattening;
        let Some(limited) = limited else { return Ok(()) };
        let not_before_ns = self.now_ns.saturating_add(ASK_AGAIN_NS);
        let sent = Limited { mark_ticks: Some(mark_ticks), not_before_ns, ..limited };
        for known in &mut self.books.groups.close_outs {
            if let CloseOut::Position(known) = known
                && known == flattening
            {
                known.limited = Some(sent);
            }
        }
        for (lots, ticket) in parts {
            let order_id = self.next_order_id();
            let closing = OrderIntent::closing(order_id, strategy, instrument, *lots, *ticket, self.now_ns);
            let Some(price_ticks) = limited.by.price_ticks(closing.side, mark_ticks) else { continue };
            let intent = OrderIntent { kind: OrderKind::Limit { price_ticks }, ..closing };
            let until_ns = limited.until_ns;
            let resting = Resting { order_id, strategy, instrument, until_ns, asked_ns: None };
            self.books.groups.close_outs.push(CloseOut::Resting(resting));
            self.send_closing(&intent)?;
        }
        Ok(())
    }

    /// Tells whether a limit order of a flatten is open and known to be.
    pub(crate) fn rests_to_close(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.books.groups.close_outs.iter().any(|known| match known {
            CloseOut::Resting(of) if (of.strategy, of.instrument) == (strategy, instrument) => {
                let order = self.books.orders.get(of.order_id);
                order.is_some_and(|order| order.state != OrderState::Unknown)
            }
            _ => false,
        })
    }

    /// Tells whether an order is a limit order of a flatten, which is an operator's.
    pub(crate) fn is_resting_to_close(&self, order_id: OrderId) -> bool {
        let close_outs = &self.books.groups.close_outs;
        close_outs.iter().any(|known| matches!(known, CloseOut::Resting(of) if of.order_id == order_id))
    }

    /// Asks for the end of a limit order whose time is up, once that is due; tells whether it is still open.
    pub(crate) fn end_resting(&mut self, resting: &Resting) -> bool {
        if self.books.orders.get(resting.order_id).is_none() {
            self.books.groups.close_outs.retain(|known| *known != CloseOut::Resting(*resting));
            return false;
        }
        let asked_again_ns =
            resting.asked_ns.map_or(self.now_ns, |asked_ns| asked_ns.saturating_add(ASK_AGAIN_NS));
        if self.now_ns < resting.until_ns.max(asked_again_ns) {
            return true;
        }
        for known in &mut self.books.groups.close_outs {
            if let CloseOut::Resting(known) = known
                && known == resting
            {
                known.asked_ns = Some(self.now_ns);
            }
        }
        self.request_cancel(resting.order_id, CancelReason::Requested);
        self.books.clock_due_ns = self.books.clock_due_ns.min(self.closing_due_ns());
        true
    }

    /// The limit orders of flattens within a scope, or all of them, have no time left: their end was asked for.
    pub(crate) fn end_time_of_resting(&mut self, within: Option<Scope>) {
        let mut close_outs = std::mem::take(&mut self.books.groups.close_outs);
        for known in &mut close_outs {
            if let CloseOut::Resting(of) = known
                && within.is_none_or(|scope| self.place_of(of.strategy, of.instrument).is_within(scope))
            {
                (of.until_ns, of.asked_ns) = (self.now_ns, Some(self.now_ns));
            }
        }
        self.books.groups.close_outs = close_outs;
    }

    /// A report was booked: where it ended an order that a flatten by limit waits for, that goes on at once.
    pub(crate) fn follow_ended(
        &mut self,
        (strategy, instrument): (StrategyId, InstrumentId),
        order_id: OrderId,
    ) {
        if self.books.orders.get(order_id).is_some() || self.outgoing.changed.contains(&instrument) {
            return;
        }
        let waits = self.books.groups.close_outs.iter().any(|known| match known {
            CloseOut::Position(of) => {
                of.limited.is_some() && (of.strategy, of.instrument) == (strategy, instrument)
            }
            CloseOut::Resting(of) => of.order_id == order_id,
            CloseOut::Rest(_) | CloseOut::TooLarge(_) | CloseOut::Ending(_) => false,
        });
        if waits {
            self.outgoing.changed.push(instrument);
        }
    }
}

/// Returns when the clock alone makes something due of what is to be closed.
fn due_ns(known: &CloseOut) -> Option<TimeNs> {
    match known {
        CloseOut::Position(flattening) => flattening.limited.map(|limited| limited.until_ns),
        CloseOut::Resting(resting) => {
            Some(resting.asked_ns.map_or(resting.until_ns, |asked_ns| asked_ns.saturating_add(ASK_AGAIN_NS)))
        }
        CloseOut::Rest(_) | CloseOut::TooLarge(_) | CloseOut::Ending(_) => None,
    }
}
