//! Lines of orders: what one of a group leaves undone is closed by others that are sent one after the other.
//!
//! They keep the place of the first: as long as anything of a line is to be done, the orders that it cancels stay,
//! for as much; once it has ended, they go.

use tradecore_types::OrderId;

use super::{Groups, Member};
use crate::groups::child::Child;
use crate::groups::cut::CutCause;
use crate::groups::to_close::Ties;
use crate::groups::told::Told;

impl Groups {
    /// Returns the group of an order, the entry that it follows and its line.
    pub(crate) fn ties_of(&self, order_id: OrderId) -> Ties {
        let member = self.place_of(order_id).ok().and_then(|place| self.members.get(place));
        let Some(Member { group, entry, follows, .. }) = member.copied() else { return Ties::none(order_id) };
        let child = self.place_of_child(order_id).and_then(|place| self.children.get(place));
        let line = child.map(Child::line).or(follows).unwrap_or(order_id);
        Ties { group, entry, line }
    }

    /// Puts an order in the place of one that has ended and left something undone. A market order goes on with its
    /// line; one that waits begins a new one, for all of it.
    pub(crate) fn follow_up(&mut self, order_id: OrderId, ties: Ties, is_market: bool) {
        let Ties { group, entry, line } = ties;
        if let (Some(_), Err(place)) = (group, self.place_of(order_id)) {
            let follows = is_market.then_some(line);
            self.members.insert(place, Member { order_id, group, entry, follows, less_lots: 0 });
        }
    }

    /// Notes that an order which goes on with a line has filled or ended and left so much undone. Returns how much
    /// of that is still to be closed: others of the group may have closed some of it.
    pub(super) fn note_follow_up(
        &mut self,
        place: usize,
        told: &Told<'_>,
        is_closed: bool,
        rest_lots: i64,
    ) -> i64 {
        let Some(Member { order_id, less_lots, .. }) = self.members.get(place).copied() else {
            return rest_lots;
        };
        let ties = self.ties_of(order_id);
        if !is_closed {
            self.note_done(ties, told.filled_lots, false);
            return 0;
        }
        self.members.remove(place);
        let open_lots = told.order.open_lots();
        let by_partner = less_lots.min(open_lots);
        let left = rest_lots.min(open_lots - by_partner);
        self.note_less(ties, by_partner, false);
        self.note_done(ties, told.filled_lots.saturating_add(open_lots - by_partner - left), left == 0);
        left
    }

    /// Notes that an order of a group has closed so much: what goes on with another line of it is to do less.
    pub(super) fn note_closed_by_partner(&mut self, partner: &Ties, lots: i64) {
        for member in self.members.iter_mut().filter(|member| member.group == partner.group) {
            if partner.group.is_some() && member.follows.is_some_and(|line| line != partner.line) {
                member.less_lots = member.less_lots.saturating_add(lots);
            }
        }
    }

    /// Notes that so much less of what a line has left undone is to be closed, and whether that is all of it.
    /// The orders that a line cancels go once it has ended; tells whether they do.
    pub(crate) fn note_less(&mut self, ties: Ties, lots: i64, is_all: bool) -> bool {
        let Ties { group: Some(group), entry, line } = ties else { return false };
        let mut is_over = is_all;
        if let Some(place) = self.place_of_line(entry, line)
            && let Some(child) = self.children.get_mut(place)
        {
            child.undone_lots = child.undone_lots.saturating_sub(lots).max(0);
            is_over = child.is_over();
            if is_over {
                self.children.remove(place);
            }
        }
        if is_over {
            self.give_up_group(group);
            self.cut_others(group, None, |_| (CutCause::Other, 0));
        }
        is_over
    }

    /// Notes that so much of what a line has left undone is done, or given up: the other orders of its group are
    /// less by that.
    pub(crate) fn note_done(&mut self, ties: Ties, lots: i64, is_all: bool) {
        if let Ties { group: Some(group), entry, line } = ties
            && !self.note_less(ties, lots, is_all)
            && lots > 0
        {
            let child = self.place_of_line(entry, line).and_then(|place| self.children.get(place));
            let own = child.and_then(|child| child.order_id);
            self.cut_others(group, own, |_| (CutCause::Done, lots));
        }
    }

    /// Returns the place of the child of an entry with this line.
    fn place_of_line(&self, entry: Option<OrderId>, line: OrderId) -> Option<usize> {
        let range = self.range_of(entry?);
        let start = range.start;
        let place = self.children.get(range)?.iter().position(|child| child.line() == line)?;
        Some(start.saturating_add(place))
    }

    /// Tells whether an order goes on with what another one has left undone.
    pub(super) fn is_follow_up(&self, order_id: OrderId) -> bool {
        let member = self.place_of(order_id).ok().and_then(|place| self.members.get(place));
        member.is_some_and(|member| member.follows.is_some())
    }
}
