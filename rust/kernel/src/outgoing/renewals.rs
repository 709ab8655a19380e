//! How far the amendments of orders are at a venue outside that amends nothing.
//!
//! **Invariant:** only orders that were amended and are open are here, and what is sent anew is counted.

use std::collections::BTreeMap;

use tradecore_ledger::Orders;
use tradecore_types::{OrderId, Report, ReportBody};

/// How often an order may leave anew because its strategy amends it.
pub const RENEWALS_MAX: u16 = 99;

/// How often it may in all: the rest is kept for what the engine itself amends, such as an exit that is too large.
pub(crate) const RENEWALS_OF_ENGINE_MAX: u16 = 1_023;

/// Who amends an order at a venue outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Amends {
    /// The venue does.
    #[default]
    Venue,
    /// The engine: it ends the order there, and sends what is left of it anew.
    Engine,
}

/// How far the amendment of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum RenewalStep {
    /// Nothing is asked for.
    Resting,
    /// The venue is asked to end what it has of the order.
    Ending,
    /// The venue has nothing of the order, and what is left of it waits until books and venue agree.
    Waiting,
    /// What is left of it has left anew, and the venue has not answered.
    Leaving,
}

impl RenewalStep {
    /// Returns the name shown to the runtime.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resting => "resting",
            Self::Ending => "ending",
            Self::Waiting => "waiting",
            Self::Leaving => "leaving",
        }
    }
}

/// The amendments of one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Renewal {
    /// How often it has left anew.
    pub revision: u16,
    /// How far the amendment under way is.
    pub step: RenewalStep,
    /// The stated price that is asked for; `None` keeps the one that the order has.
    pub price_ticks: Option<i64>,
    /// What of the order had filled when it left anew last.
    pub past_lots: i64,
    /// How many amendments are answered by what has left and is not answered.
    pub answers: u32,
}

impl Renewal {
    /// An order that is amended for the first time.
    pub(crate) const NEW: Self =
        Self { revision: 0, step: RenewalStep::Resting, price_ticks: None, past_lots: 0, answers: 0 };
}

/// The amendments of all orders that were amended and are open.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Renewals(BTreeMap<OrderId, Renewal>);

impl Renewals {
    /// Tells whether no open order was ever amended.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how far the amendments of an order are.
    pub(crate) fn get(&self, order_id: OrderId) -> Option<Renewal> {
        self.0.get(&order_id).copied()
    }

    /// Tells whether a report says that what has left anew is there, or that more has filled of what was before it: the
    /// runtime tells each once, and it is news whatever was said with the same words before.
    pub(crate) fn awaits(&self, report: &Report) -> bool {
        self.get(report.order_id).is_some_and(|known| match report.body {
            ReportBody::Replaced { .. } => known.answers > 0,
            ReportBody::Restated { .. } => known.revision > 0,
            _ => false,
        })
    }

    /// Notes how far they are.
    pub(crate) fn set(&mut self, order_id: OrderId, renewal: Renewal) {
        self.0.insert(order_id, renewal);
    }

    /// Takes out an order of which the venue has nothing.
    pub(crate) fn take_waiting(&mut self, order_id: OrderId) -> bool {
        let is_waiting = self.get(order_id).is_some_and(|known| known.step == RenewalStep::Waiting);
        if is_waiting {
            self.0.remove(&order_id);
        }
        is_waiting
    }

    /// Gives up the amendment of an order whose end is asked for.
    pub(crate) fn give_up(&mut self, order_id: OrderId) {
        if let Some(known) = self.0.get_mut(&order_id)
            && known.step == RenewalStep::Ending
        {
            known.step = RenewalStep::Resting;
        }
    }

    /// Lets an order go that has ended.
    pub(crate) fn forget_ended(&mut self, order_id: OrderId, orders: &Orders) {
        if orders.get(order_id).is_none() {
            self.0.remove(&order_id);
        }
    }

    /// Returns the orders of which the venue has nothing.
    pub(crate) fn waiting(&self) -> Vec<OrderId> {
        let waits = |known: &(&OrderId, &Renewal)| known.1.step == RenewalStep::Waiting;
        self.0.iter().filter(waits).map(|known| *known.0).collect()
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (order_id, known) in &self.0 {
            out.extend_from_slice(&order_id.0.to_le_bytes());
            out.extend_from_slice(&known.revision.to_le_bytes());
            out.extend_from_slice(known.step.name().as_bytes());
            out.extend_from_slice(&known.price_ticks.unwrap_or(0).to_le_bytes());
            out.extend_from_slice(&known.past_lots.to_le_bytes());
            out.extend_from_slice(&known.answers.to_le_bytes());
        }
    }
}
