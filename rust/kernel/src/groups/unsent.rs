//! Orders that no venue has seen: those that are held, and those that have ended while they were.

use tradecore_risk::ApprovedOrder;
use tradecore_types::OrderId;

use super::Groups;
use crate::groups::child::{Child, Stage};

impl Groups {
    /// Takes a held order out for good; `None` when it is not held.
    pub(crate) fn take_held(&mut self, order_id: OrderId) -> Option<ApprovedOrder> {
        let child = self.child_of(order_id).filter(|child| child.is_held())?;
        (child.stage, child.is_given_up) = (Stage::Dropped, true);
        Some(child.approved)
    }

    /// Tells whether an order is held.
    pub(crate) fn is_held(&self, order_id: OrderId) -> bool {
        let child = self.place_of_child(order_id).and_then(|place| self.children.get(place));
        child.is_some_and(Child::is_held)
    }

    /// Tells whether an order was held and has ended before any venue saw it, which its report is yet to say.
    pub(crate) fn is_dropped(&self, order_id: OrderId) -> bool {
        let child = self.place_of_child(order_id).and_then(|place| self.children.get(place));
        child.is_some_and(Child::is_dropped)
    }
}
