//! Outgoing: from a wish to the one door, and what is on its way to a simulated venue and back.

pub(crate) mod arrivals;
pub(crate) mod dispatch;
pub(crate) mod expiry;
pub(crate) mod orders;
pub(crate) mod renew;
pub(crate) mod renewals;
pub(crate) mod schedule;
pub(crate) mod set_off;
pub(crate) mod tickets;
pub(crate) mod watched;

use tradecore_types::{InstrumentId, OrderId, StrategyId};
use tradecore_venue::VenueOut;

use crate::outgoing::renewals::Renewals;
use crate::outgoing::schedule::Schedule;
use crate::outgoing::watched::Watched;

/// What is to leave, and what is on its way to a simulated venue and back.
///
/// **Invariant:** order numbers are given once and in order: what is on its way was given one.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Outgoing {
    pub(crate) schedule: Schedule,
    /// Orders that wait for a price here, for a venue outside that does not have their kind.
    pub(crate) watched: Watched,
    /// Amendments of open orders at a venue outside that amends nothing.
    pub(crate) renewals: Renewals,
    /// The number of the order that was given one last.
    pub(crate) last_order_id: u64,
    /// Whose reduce-only orders may be too large for the position after the reports of this moment.
    pub(crate) orphaned: Vec<(StrategyId, InstrumentId)>,
    /// Instruments whose market has changed at this moment while something was to be closed there.
    pub(crate) changed: Vec<InstrumentId>,
    /// Orders that are about to be cut or cancelled; kept for its memory.
    pub(crate) met: Vec<OrderId>,
    /// What comes out of a venue in one step; kept for its memory.
    pub(crate) venue_out: VenueOut,
}

impl Outgoing {
    /// Gives the next number to an order.
    #[inline]
    pub(crate) fn next_order_id(&mut self) -> OrderId {
        self.last_order_id += 1;
        OrderId(self.last_order_id)
    }

    /// Tells whether what it promises holds.
    pub(crate) fn is_sound(&self) -> bool {
        self.met.is_empty() && self.schedule.are_numbered_by(self.last_order_id)
    }
}
