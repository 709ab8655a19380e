//! Orders that no venue has seen: those that are held, those that have ended while they were, and with whom one that is
//! sent only later is not to be at the venue at once.

use tradecore_risk::ApprovedOrder;
use tradecore_types::OrderId;

use super::{Groups, Member};
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

    /// Tells whether no venue has seen an order, be it held or ended while it was: nothing of it can trade.
    pub(crate) fn is_unsent(&self, order_id: OrderId) -> bool {
        let child = self.place_of_child(order_id).and_then(|place| self.children.get(place));
        child.is_some_and(|child| child.is_held() || child.is_dropped())
    }

    /// Returns the orders that close or do the same as an order: those of its group, and the other exits of its entry.
    pub(crate) fn others_of(&self, order_id: OrderId) -> Vec<OrderId> {
        let exit_of = |order_id| {
            let child = self.place_of_child(order_id).and_then(|place| self.children.get(place));
            child.filter(|child| child.is_exit()).map(|child| child.entry)
        };
        let (group, entry) = (self.group_of(order_id), exit_of(order_id));
        let is_other = |member: &&Member| {
            let is_same = group.is_some() && member.group == group;
            member.order_id != order_id && (is_same || entry.is_some() && exit_of(member.order_id) == entry)
        };
        self.members.iter().filter(is_other).map(|member| member.order_id).collect()
    }
}
