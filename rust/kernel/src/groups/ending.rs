//! Orders whose end was asked for and may not have been heard: it is asked for again until they have ended.
//!
//! A venue outside may lose a request to cancel, or its answer. Who asked for the end of an order still wants it when the
//! order turns out to be open; asking twice does no harm. The same goes for a request that provably never got there, and
//! for every refusal while an operator flattens the position.

use tradecore_ledger::OrderState;
use tradecore_types::{CancelReason, InstrumentId, OrderId, RejectReason, StrategyId};

use crate::Kernel;
use crate::groups::Groups;
use crate::groups::to_close::{ASK_AGAIN_NS, CloseOut, Ending};

impl Kernel {
    /// Tells whether the end of an order was asked for.
    pub(crate) fn is_ending(&self, order_id: OrderId) -> bool {
        let is_under_way =
            self.books.orders.get(order_id).is_some_and(|order| order.state == OrderState::PendingCancel);
        is_under_way || self.books.groups.is_to_end(order_id)
    }

    /// Remembers that the end of an order is wanted, of which nobody knows whether the venue heard it.
    pub(crate) fn note_ending(&mut self, order_id: OrderId, instrument: InstrumentId) {
        let not_before_ns = self.now_ns.saturating_add(ASK_AGAIN_NS);
        self.books.groups.forget_end(order_id);
        self.books.groups.close_outs.push(CloseOut::Ending(Ending { order_id, instrument, not_before_ns }));
    }

    /// Takes in that its strategy amends an order: it wants no end of it any more. What an operator wants stays.
    pub(crate) fn give_up_ending(&mut self, order_id: OrderId) {
        if !self.is_ordered_to_end(order_id) {
            self.books.groups.forget_end(order_id);
        }
    }

    /// Tells whether an operator wants the end of an order.
    pub(crate) fn is_ordered_to_end(&self, order_id: OrderId) -> bool {
        if self.books.heard.to_end().is_some_and(|last| order_id <= last) {
            return true;
        }
        let Some(order) = self.books.orders.get(order_id) else { return false };
        let place = self.place_of(order.intent.strategy, order.intent.instrument);
        self.control.stops.is_to_end(order_id, place)
    }

    /// Does what follows when a venue outside says no to the end of an order, or was provably not asked.
    pub(crate) fn follow_refused_end(&mut self, order_id: OrderId, reason: RejectReason) {
        let Some(instrument) = self.books.orders.get(order_id).map(|order| order.intent.instrument) else {
            return;
        };
        if reason == RejectReason::NeverArrived || self.is_ordered_to_end(order_id) {
            self.note_ending(order_id, instrument);
        }
    }

    /// Asks for the end of an order again, once that is due and it is known to be open; tells whether it still waits.
    pub(crate) fn end_again(&mut self, ending: &Ending) -> bool {
        let state = self.books.orders.get(ending.order_id).map(|order| order.state);
        // One that is being amended is cut by the engine itself: that its end is wanted stays true.
        let is_open =
            matches!(state, Some(OrderState::New | OrderState::PartiallyFilled | OrderState::PendingReplace));
        let waits = state == Some(OrderState::Unknown) || (is_open && self.now_ns < ending.not_before_ns);
        if !waits {
            // One whose end was asked for again meanwhile is in somebody's hands.
            self.books.groups.close_outs.retain(|known| *known != CloseOut::Ending(*ending));
            if is_open {
                self.request_cancel(ending.order_id, CancelReason::Requested);
            }
        }
        waits
    }
}

impl Groups {
    /// Visits what closing orders have left undone: whose, where, and the number of the order.
    pub(crate) fn rests(&self) -> impl Iterator<Item = (StrategyId, InstrumentId, OrderId)> + '_ {
        self.close_outs.iter().filter_map(|known| match known {
            CloseOut::Rest(rest) => {
                Some((rest.intent.strategy, rest.intent.instrument, rest.intent.order_id))
            }
            CloseOut::Position(_) | CloseOut::TooLarge(_) | CloseOut::Ending(_) | CloseOut::Resting(_) => {
                None
            }
        })
    }

    /// Tells whether the end of an order is wanted, of which nobody knows whether the venue heard it.
    pub(crate) fn is_to_end(&self, order_id: OrderId) -> bool {
        self.close_outs.iter().any(|known| is_end_of(known, order_id))
    }

    fn forget_end(&mut self, order_id: OrderId) {
        self.close_outs.retain(|known| !is_end_of(known, order_id));
    }
}

fn is_end_of(known: &CloseOut, order_id: OrderId) -> bool {
    matches!(known, CloseOut::Ending(of) if of.order_id == order_id)
}
