//! What fills of an entry after its end: exits that are there grow, and those that were not needed are made.

use tradecore_types::OrderId;

use super::Groups;
use crate::groups::child::Child;

impl Groups {
    /// Tells whether an order has children.
    pub(crate) fn has_children(&self, entry: OrderId) -> bool {
        !self.range_of(entry).is_empty()
    }

    /// Notes that an order has ended whose children were noted after that.
    pub(crate) fn end_grants(&mut self, entry: OrderId) {
        let range = self.range_of(entry);
        self.children.get_mut(range).unwrap_or_default().iter_mut().for_each(Child::end_grants);
    }

    /// Grants the exits of an order that has ended what it opened after that.
    pub(crate) fn grant_late(&mut self, entry: OrderId, opened_lots: i64) {
        let range = self.range_of(entry);
        let children = self.children.get_mut(range).unwrap_or_default();
        for child in children.iter_mut().filter(|child| child.is_exit() && !child.is_given_up) {
            child.grant_late(opened_lots);
        }
        if !children.is_empty() {
            self.due.push_back(entry);
        }
    }

    /// Grants the exits of an entry what has come back of it, or is more of it, since a trade was told anew.
    pub(crate) fn grant_again(&mut self, entry: OrderId, lots: i64) {
        let range = self.range_of(entry);
        let children = self.children.get_mut(range).unwrap_or_default();
        if lots <= 0 || children.is_empty() {
            return;
        }
        for child in children.iter_mut().filter(|child| child.is_exit() && !child.is_given_up) {
            child.grant_again(lots);
        }
        self.due.push_back(entry);
    }
}
