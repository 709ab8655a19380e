//! What a flatten has to do with orders from before of which nobody knows what they did.
//!
//! It does not wait for them: what they may close is left out, and the rest is closed now. But one of them may have opened
//! something, and be told long after all else is flat. So a flatten is over once nothing from before is held *and* nothing
//! from before is in doubt. Between the two it closes only what those orders turn out to have opened: a strategy that nobody
//! paused may hold something new by then.

use tradecore_ledger::{OpenLot, OrderState};
use tradecore_types::OrderId;

use crate::Kernel;
use crate::groups::to_close::{CloseOut, Flattening};

/// Returns how many lots parts of a position are together, signed.
pub(crate) fn lots_in(parts: &[(i64, Option<OrderId>)]) -> i64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.0))
}

impl Kernel {
    /// Tells whether all that a flatten is about is closed.
    pub(crate) fn is_closed(&self, flattening: &Flattening) -> bool {
        let Flattening { strategy, instrument, was_flat, .. } = *flattening;
        if was_flat {
            return self.lots_from_before(flattening).next().is_none();
        }
        self.books.ledger.position(strategy, instrument) == 0 && !self.has_tickets(strategy, instrument)
    }

    /// Lets a flatten whose part is closed wait for what is in doubt, or forgets it; tells whether it waits.
    pub(crate) fn wait_for_doubted(&mut self, flattening: &Flattening) -> bool {
        let waits = self.has_doubted(flattening);
        let close_outs = &mut self.books.groups.close_outs;
        close_outs.retain(|known| waits || *known != CloseOut::Position(*flattening));
        for known in close_outs {
            if let CloseOut::Position(known) = known
                && known == flattening
            {
                known.was_flat = true;
            }
        }
        waits
    }

    /// Tells whether a flatten does nothing but wait for what is in doubt.
    pub(crate) fn waits_for_doubted(&self, flattening: &Flattening) -> bool {
        flattening.was_flat && self.is_closed(flattening)
    }

    /// Returns what a flatten has to close now, signed lots with the ticket or the entry that they belong to: nothing that
    /// an order in doubt may close.
    pub(crate) fn parts_to_close(&self, flattening: &Flattening) -> Vec<(i64, Option<OrderId>)> {
        let Flattening { strategy, instrument, last_order_id, was_flat, .. } = *flattening;
        if self.books.ledger.is_hedged(instrument) {
            let mut tickets = self.known_tickets(strategy, instrument);
            tickets.retain(|(_, ticket)| !was_flat || *ticket <= Some(last_order_id));
            return tickets;
        }
        let mut left = self.known_to_be_open(strategy, instrument);
        if !was_flat {
            return vec![(left, None)];
        }
        let mut parts: Vec<(i64, Option<OrderId>)> = Vec::new();
        for lot in self.lots_from_before(flattening) {
            let lots = lot.lots.saturating_abs().min(left.saturating_abs()) * left.signum();
            left -= lots;
            match parts.iter_mut().find(|part| part.1 == Some(lot.entry_order)) {
                Some(part) => part.0 = part.0.saturating_add(lots),
                None if lots != 0 => parts.push((lots, Some(lot.entry_order))),
                None => {}
            }
        }
        parts
    }

    /// Visits what is held of orders from before.
    fn lots_from_before(&self, flattening: &Flattening) -> impl Iterator<Item = &OpenLot> {
        let Flattening { strategy, instrument, last_order_id, .. } = *flattening;
        let lots = self.books.ledger.open_lots(strategy, instrument);
        lots.filter(move |lot| lot.entry_order <= last_order_id)
    }

    /// Tells whether an order from before is in doubt.
    fn has_doubted(&self, flattening: &Flattening) -> bool {
        let Flattening { strategy, instrument, last_order_id, .. } = *flattening;
        self.books.orders.iter().any(|order| {
            (order.intent.strategy, order.intent.instrument) == (strategy, instrument)
                && order.intent.order_id <= last_order_id
                && order.state == OrderState::Unknown
        })
    }
}
