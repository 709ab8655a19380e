//! Orders that depend on each other: one cancels the other (OCO), one triggers the other (OTO).
//!
//! A *child* follows the fills of its *entry*: each fill grants it as many lots. Until the first grant it is held
//! here, in state `PendingNew`; then it is sent, and grows with every further grant. Once all that was sent of
//! it has traded, a further order under a new number takes what is granted later. The exits of a bracket are
//! children without an order until their entry fills. Of orders that cancel each other the end of one cancels
//! the others, and a partial fill makes them no larger than what it leaves.
//!
//! # Example
//!
//! A buy of ten lots at 95 is the entry. Its bracket has a stop at 90 and a take-profit at 120: two children that
//! cancel each other.
//!
//! | what happens | position | stop | take-profit |
//! |---|---|---|---|
//! | the entry waits: the children have no order | 0 | - | - |
//! | three fill: each child is granted three, and is sent | 3 | 3 | 3 |
//! | four more fill: each is granted four, and grows | 7 | 7 | 7 |
//! | the entry is cancelled: the other three are never granted, and what is there stays | 7 | 7 | 7 |
//! | two are sold at 120: the stop is cut to what that leaves | 5 | 5 | 5 |
//! | the stop is set off and sells five: it has ended, which cancels the take-profit | 0 | - | - |
//!
//! `rust/kernel/tests/worked_examples.rs` does this.

pub(crate) mod arming;
pub(crate) mod by_limit;
pub(crate) mod child;
pub(crate) mod close_out;
pub(crate) mod closing;
pub(crate) mod cut;
pub(crate) mod doubted;
mod ending;
mod late;
mod lines;
pub(crate) mod to_close;
pub(crate) mod told;
mod unsent;

use std::collections::VecDeque;
use std::ops::Range;

use tradecore_journal::encode_order;
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{InstrumentId, OrderId, OrderIntent, OrderKind};

use crate::groups::child::{Child, Stage};
use crate::groups::cut::{Cut, CutCause};
use crate::groups::to_close::{CloseOut, Rest};
pub(crate) use crate::groups::told::Told;

/// How a new order depends on others of its strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Order that must fill first.
    pub after: Option<OrderId>,
    /// Order that cancels it and that it cancels.
    pub oco: Option<OrderId>,
}

/// An open order that depends on others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Member {
    order_id: OrderId,
    /// Number of its group of orders that cancel each other: that of its first member.
    group: Option<OrderId>,
    /// Order whose fills it follows.
    entry: Option<OrderId>,
    /// Line that it goes on with: an order of that has left something undone.
    follows: Option<OrderId>,
    /// What others of its group have closed of that since it was sent.
    less_lots: i64,
}

/// Every order that depends on others.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Groups {
    /// By number.
    members: Vec<Member>,
    /// By entry, then as they were made.
    children: Vec<Child>,
    cuts: VecDeque<Cut>,
    /// Cuts that the venue at hand cannot do.
    late: VecDeque<Cut>,
    /// Entries whose children have something to be sent, or to be dropped.
    due: VecDeque<OrderId>,
    /// Amendments of orders of children that are not answered, as they were asked for, and by how much each grows.
    amendments: VecDeque<(OrderId, i64)>,
    /// Entries with a child that could not send what is due, and the instrument whose market is to change first.
    retries: Vec<(InstrumentId, OrderId)>,
    /// Order that the one just being judged is to cancel.
    joining: Option<OrderId>,
    /// What is to be closed until it is flat.
    pub(crate) close_outs: Vec<CloseOut>,
}

impl Groups {
    /// Tells whether no order depends on another.
    pub(crate) const fn is_off(&self) -> bool {
        self.members.is_empty() && self.children.is_empty()
    }

    /// Says which order the next one that is judged will cancel.
    pub(crate) const fn set_joining(&mut self, oco: Option<OrderId>) {
        self.joining = oco;
    }

    /// Tells whether an order is one that the one just being judged is to cancel.
    pub(crate) fn is_joined(&self, order_id: OrderId) -> bool {
        let Some(joining) = self.joining else { return false };
        let group = self.group_of(joining).unwrap_or(joining);
        order_id == joining || self.group_of(order_id) == Some(group)
    }

    /// Returns the group of orders that cancel each other to which an order belongs.
    pub(crate) fn group_of(&self, order_id: OrderId) -> Option<OrderId> {
        self.members.get(self.place_of(order_id).ok()?)?.group
    }

    /// Returns the first open order of a group.
    pub(crate) fn first_of(&self, group: OrderId) -> Option<OrderId> {
        self.members.iter().find(|member| member.group == Some(group)).map(|member| member.order_id)
    }

    /// Notes the links of a new order, whose number is above all others; `filled_lots` of the order that it is
    /// after have filled already.
    pub(crate) fn add(&mut self, order: &ApprovedOrder, links: Links, filled_lots: i64) {
        let order_id = order.intent().order_id;
        let group = links.oco.map(|other| self.join(other));
        self.members.push(Member { order_id, group, entry: links.after, follows: None, less_lots: 0 });
        if let Some(entry) = links.after {
            let child = Child::new(entry, Some(order_id), *order, order.lots().unwrap_or(0));
            self.follow(Child { group, ..child }, filled_lots);
        }
    }

    /// Notes an exit of a bracket, which has no order until its entry fills.
    ///
    /// One that is `off_paid_ppm` parts per million from what the entry pays has no price until then.
    pub(crate) fn add_exit(&mut self, entry: OrderId, exit: ApprovedOrder, off_paid_ppm: Option<i64>) {
        self.follow(Child { off_paid_ppm, ..Child::new(entry, None, exit, i64::MAX) }, 0);
    }

    /// Gives an exit of a bracket its price.
    pub(crate) fn price_exit(&mut self, entry: OrderId, place: usize, kind: OrderKind) {
        let range = self.range_of(entry);
        if let Some(child) = self.children.get_mut(range).unwrap_or_default().get_mut(place) {
            (child.kind, child.off_paid_ppm) = (kind, None);
        }
    }

    /// Returns the group of an order, which becomes the first of one when it has none.
    fn join(&mut self, order_id: OrderId) -> OrderId {
        let group = match self.place_of(order_id) {
            Ok(place) => self.members.get_mut(place).map(|member| *member.group.get_or_insert(order_id)),
            Err(place) => {
                let group = Some(order_id);
                self.members
                    .insert(place, Member { order_id, group, entry: None, follows: None, less_lots: 0 });
                None
            }
        };
        let group = group.unwrap_or(order_id);
        if let Some(child) = self.child_of(order_id) {
            child.group = Some(group);
        }
        group
    }

    fn follow(&mut self, mut child: Child, filled_lots: i64) {
        if child.grant(filled_lots) {
            self.due.push_back(child.entry);
        }
        let place = self.children.partition_point(|known| known.entry <= child.entry);
        self.children.insert(place, child);
    }

    /// Notes that an order is to be cancelled, and not because another one filled or ended.
    pub(crate) fn give_up(&mut self, order_id: OrderId) {
        if let Some(child) = self.child_of(order_id) {
            child.is_given_up = true;
        }
    }

    /// Notes what became of an order; what follows from it is then to be done. A rest that it has left is
    /// still to be closed, so that the others of its group stay for as much. Returns it unless a child goes on
    /// with it: what waits for a price or a place does, at the next change of the market.
    pub(crate) fn note(&mut self, told: &Told<'_>) -> Option<Rest> {
        let mut rest = told.rest;
        if self.is_off() {
            return rest;
        }
        let order_id = told.order.intent.order_id;
        let is_closed = told.order.state.is_terminal();
        let ties = self.ties_of(order_id);
        let goes_on = rest.is_some_and(|rest| !rest.is_market() && self.can_go_on(order_id));
        if let Ok(place) = self.place_of(order_id) {
            self.note_answer(told);
            if is_closed || told.filled_lots > 0 {
                let rest_lots = rest.map_or(0, |rest| rest.lots());
                if self.is_follow_up(order_id) {
                    let left = self.note_follow_up(place, told, is_closed, rest_lots);
                    rest = rest.and_then(|rest| rest.at_most(left));
                } else {
                    self.note_member(place, told.order, is_closed, (rest_lots, goes_on));
                }
                self.note_closed_by_partner(&ties, told.filled_lots);
            }
        }
        if is_closed || told.filled_lots > 0 {
            self.grant(told, is_closed);
        }
        rest.filter(|_| !goes_on)
    }

    /// Tells whether a child can go on with a new order in the place of this one.
    fn can_go_on(&self, order_id: OrderId) -> bool {
        self.range_of(order_id).is_empty()
            && self
                .place_of_child(order_id)
                .and_then(|place| self.children.get(place))
                .is_some_and(|child| !child.is_given_up)
    }

    /// Grants children what an order has filled, or ends what they wait for.
    fn grant(&mut self, told: &Told<'_>, is_closed: bool) {
        let order_id = told.order.intent.order_id;
        let range = self.range_of(order_id);
        if range.is_empty() {
            return;
        }
        self.due.push_back(order_id);
        for child in self.children.get_mut(range).unwrap_or_default() {
            let known_lots = child.due_lots;
            child.grant(if child.is_exit() { told.opened_lots } else { told.filled_lots });
            // A cut that was noted before this fill, at the same moment, does not take away what the fill grants.
            let granted_lots = child.due_lots - known_lots;
            let of_child = |cut: &&mut Cut| Some(cut.order_id) == child.order_id;
            for cut in self.cuts.iter_mut().filter(of_child) {
                let more_lots = match cut.cause {
                    CutCause::Sibling => granted_lots,
                    CutCause::Reduction => told.opened_lots,
                    CutCause::Other | CutCause::Done => 0,
                };
                cut.lots = cut.lots.saturating_add(more_lots);
            }
            if is_closed {
                child.end_grants();
            }
        }
    }

    /// Notes the answer to an amendment. What a child could not grow by is due again once nothing is under way,
    /// at the next change of the market: it would meet the same answer now.
    ///
    /// An order that was not cancelled, or is no longer unknown, takes what it has waited for.
    fn note_answer(&mut self, told: &Told<'_>) {
        let OpenOrder { intent, state, amending, .. } = told.order;
        let asked = told.is_taken.and_then(|_| self.take_amendment(intent.order_id));
        let Some(child) = self.child_of(intent.order_id).filter(|_| !state.is_terminal()) else { return };
        if let (Some(is_taken), Some(grown_lots)) = (told.is_taken, asked) {
            child.note_answer(grown_lots, is_taken);
        }
        let entry = child.entry;
        if amending.requests == 0 && child.lost_lots > 0 {
            child.due_lots = child.due_lots.saturating_add(child.lost_lots);
            (child.growing_lots, child.lost_lots) = (0, 0);
            self.retry(intent.instrument, entry);
        } else if child.due_lots > 0 && told.is_taken.is_none() {
            self.due.push_back(entry);
        }
    }

    /// Notes that an order is asked to change; the answers come in the same order.
    pub(crate) fn note_amendment(&mut self, order_id: OrderId) {
        if self.place_of_child(order_id).is_some() {
            self.amendments.push_back((order_id, 0));
        }
    }

    /// Takes out the oldest amendment of an order; returns by how much it was to grow.
    fn take_amendment(&mut self, order_id: OrderId) -> Option<i64> {
        let place = self.amendments.iter().position(|asked| asked.0 == order_id)?;
        self.amendments.remove(place).map(|asked| asked.1)
    }

    /// Lets the children of an entry wait for the market to change.
    fn retry(&mut self, instrument: InstrumentId, entry: OrderId) {
        if !self.retries.contains(&(instrument, entry)) {
            self.retries.push((instrument, entry));
        }
    }

    /// Tells whether anything waits for a market to change.
    pub(crate) const fn has_retries(&self) -> bool {
        !self.retries.is_empty()
    }

    /// Notes that the market of an instrument has changed: what waits for it is due.
    pub(crate) fn end_retries(&mut self, changed: InstrumentId) {
        let Self { retries, due, .. } = self;
        retries.retain(|&(instrument, entry)| {
            if instrument == changed {
                due.push_back(entry);
            }
            instrument != changed
        });
    }

    /// Notes that an order which depends on others has filled or ended. Of `rest` it has left so much undone, and
    /// its child goes on with that or another order does.
    fn note_member(&mut self, place: usize, order: &OpenOrder, is_closed: bool, rest: (i64, bool)) {
        let Some(Member { order_id, group, entry, .. }) = self.members.get(place).copied() else { return };
        let own = if is_closed { self.end_child(order, rest) } else { self.child_of(order_id).copied() };
        let open_lots = match own {
            _ if !is_closed => order.asked_lots(),
            // It is with the child.
            Some(_) => 0,
            None => rest.0,
        };
        let of_child = own.map_or(0, |child| child.due_lots.saturating_add(child.undone_lots));
        let left = of_child.saturating_add(open_lots);
        let in_all = left.saturating_add(own.map_or(0, |child| child.ungranted_lots));
        if is_closed {
            self.members.remove(place);
            self.amendments.retain(|asked| asked.0 != order_id);
        }
        let Some(group) = group else { return };
        if is_closed && own.is_none() && rest.0 == 0 {
            self.give_up_group(group);
        }
        self.cut_others(group, Some(order_id), |other| match own {
            Some(_) if other.entry == entry => (CutCause::Sibling, left),
            _ => (CutCause::Other, in_all),
        });
    }

    fn give_up_group(&mut self, group: OrderId) {
        let of_group = self.children.iter_mut().filter(|child| child.group == Some(group));
        of_group.for_each(|child| child.is_given_up = true);
    }

    /// Notes a cut for every order of a group but this one.
    fn cut_others(&mut self, group: OrderId, but: Option<OrderId>, to: impl Fn(&Member) -> (CutCause, i64)) {
        let others = self.members.iter().filter(|member| member.group == Some(group));
        for other in others.filter(|other| Some(other.order_id) != but) {
            let (cause, lots) = to(other);
            self.cuts.push_back(Cut { order_id: other.order_id, lots, cause });
        }
    }

    /// Notes that the order of a child has ended; returns the child if it goes on without it.
    ///
    /// It does unless it was cancelled for good, rejected or expired, or others come after its order. What the
    /// order has left undone it sends again once the market has changed (`true`), or waits until others have.
    fn end_child(&mut self, order: &OpenOrder, rest: (i64, bool)) -> Option<Child> {
        let (undone_lots, goes_on) = rest;
        let order_id = order.intent.order_id;
        let has_children = !self.range_of(order_id).is_empty();
        let place = self.place_of_child(order_id)?;
        let child = self.children.get_mut(place)?;
        let is_refused = matches!(order.state, OrderState::Rejected | OrderState::Expired);
        let is_over = has_children || child.is_given_up || (is_refused && undone_lots == 0);
        // It traded all there was before it could grow: what it did not grow by is still to be sent.
        let lost_lots = if goes_on { undone_lots } else { order.asked_lots().min(child.growing_lots) };
        child.due_lots = child.due_lots.saturating_add(lost_lots);
        if !goes_on && child.group.is_some() {
            child.undone_lots = child.undone_lots.saturating_add(undone_lots);
        }
        child.leave_order();
        child.kind = order.price_ticks.and_then(|at| child.kind.with_price(at)).unwrap_or(child.kind);
        let child = *child;
        if is_over || child.is_over() {
            self.children.remove(place);
            return None;
        }
        if goes_on {
            self.retry(order.intent.instrument, child.entry);
        } else if child.due_lots > 0 {
            self.due.push_back(child.entry);
        }
        Some(child)
    }

    /// Notes that lots of an entry were closed: orders that close what it opened must not close more.
    pub(crate) fn note_reduction(&mut self, entry: OrderId, remaining_lots: i64) {
        let range = self.range_of(entry);
        let children = self.children.get(range).unwrap_or_default();
        for child in children.iter().filter(|child| child.is_exit() && !child.is_held()) {
            if let Some(order_id) = child.order_id {
                let lots = remaining_lots.saturating_abs();
                self.cuts.push_back(Cut { order_id, lots, cause: CutCause::Reduction });
            }
        }
    }

    /// Returns the next order that another one has cancelled or made smaller.
    pub(crate) fn next_cut(&mut self) -> Option<Cut> {
        self.cuts.pop_front()
    }

    /// Puts a cut off that the venue at hand cannot do.
    pub(crate) fn put_off(&mut self, order_id: OrderId, lots: i64) {
        self.late.push_back(Cut { order_id, lots, cause: CutCause::Sibling });
    }

    /// Lets what was put off be cut now.
    pub(crate) fn resume_put_off(&mut self) {
        self.cuts.append(&mut self.late);
    }

    /// Counts a cut and returns to what open size the order is to be cut; `None` when it stays.
    pub(crate) fn apply(&mut self, cut: Cut, order: &OpenOrder) -> Option<i64> {
        let Cut { order_id, mut lots, cause } = cut;
        if lots > 0 && cause == CutCause::Reduction && order.state == OrderState::Unknown {
            // It cannot be asked for now, and is measured anew once more is known of the order.
            return None;
        }
        let meant_lots = order.meant_lots();
        let is_cut =
            |lots| if lots == 0 { order.state != OrderState::PendingCancel } else { meant_lots > lots };
        if self.is_follow_up(order_id) {
            // It trades before it could be cut.
            return (cause != CutCause::Done && lots == 0 && is_cut(0)).then_some(0);
        }
        let child = self.child_of(order_id);
        if cause == CutCause::Done {
            lots = meant_lots.saturating_add(child.as_ref().map_or(0, |child| child.due_lots)) - lots;
            lots = lots.max(0);
        }
        let Some(child) = child else { return is_cut(lots).then_some(lots) };
        let sent_lots = if child.is_held() { 0 } else { meant_lots };
        match cause {
            CutCause::Reduction => child.put_back((sent_lots - lots).max(0)),
            CutCause::Sibling | CutCause::Other | CutCause::Done => {
                // What is not sent yet is taken off first.
                let room_lots = lots.saturating_sub(sent_lots).max(0);
                child.due_lots = child.due_lots.min(room_lots);
                if cause == CutCause::Other {
                    child.ungranted_lots = child.ungranted_lots.min(room_lots - child.due_lots);
                }
            }
        }
        if child.is_held() {
            lots = 0;
            return child.is_given_up.then_some(lots);
        }
        if lots > 0 || !is_cut(lots) || child.is_given_up || child.is_last {
            return is_cut(lots).then_some(lots);
        }
        self.detach(order_id);
        Some(0)
    }

    /// Lets a child go on without its order, which is to be cancelled: what is granted later need not wait.
    pub(crate) fn detach(&mut self, order_id: OrderId) {
        if let Some(child) = self.child_of(order_id) {
            child.leave_order();
        }
        self.amendments.retain(|asked| asked.0 != order_id);
        if let Ok(place) = self.place_of(order_id)
            && let Some(member) = self.members.get_mut(place)
        {
            (member.group, member.entry) = (None, None);
        }
    }

    /// Tells whether anything is to be done.
    pub(crate) fn has_work(&self) -> bool {
        !(self.cuts.is_empty() && self.late.is_empty() && self.due.is_empty())
    }

    /// Returns the next entry whose children are to be looked at.
    pub(crate) fn next_due(&mut self) -> Option<OrderId> {
        self.due.pop_front()
    }

    /// Returns the child of an entry at this place among them.
    pub(crate) fn child_at(&self, entry: OrderId, place: usize) -> Option<Child> {
        self.children.get(self.range_of(entry))?.get(place).copied()
    }

    /// Notes that a child has these lots less to be sent: they are under way, with this order.
    pub(crate) fn note_sent(&mut self, entry: OrderId, place: usize, order_id: OrderId, sent_lots: i64) {
        let range = self.range_of(entry);
        let Some(child) = self.children.get_mut(range).unwrap_or_default().get_mut(place) else { return };
        let is_growth = child.order_id == Some(order_id) && !child.is_held();
        child.growing_lots = if is_growth { child.growing_lots.saturating_add(sent_lots) } else { 0 };
        child.refused_lots = 0;
        child.put_back(child.due_lots - sent_lots);
        (child.order_id, child.stage, child.due_lots) = (Some(order_id), Stage::Sent, 0);
        let member = Member { order_id, group: child.group, entry: Some(entry), follows: None, less_lots: 0 };
        if is_growth && let Some(asked) = self.amendments.iter_mut().rfind(|asked| asked.0 == order_id) {
            asked.1 = sent_lots;
        }
        if let Err(place) = self.place_of(order_id) {
            self.members.insert(place, member);
        }
    }

    /// Notes that risk refused what is due; `false` when it had already.
    pub(crate) fn note_refused(&mut self, instrument: InstrumentId, entry: OrderId, place: usize) -> bool {
        self.retry(instrument, entry);
        let range = self.range_of(entry);
        let child = self.children.get_mut(range).unwrap_or_default().get_mut(place);
        let Some(child) = child else { return false };
        std::mem::replace(&mut child.refused_lots, child.due_lots) != child.due_lots
    }

    /// Notes that nothing of what was due is sent; `true` when the child is over without an order.
    pub(crate) fn note_unsent(&mut self, entry: OrderId, place: usize) -> bool {
        let range = self.range_of(entry);
        let Some(child) = self.children.get_mut(range.clone()).unwrap_or_default().get_mut(place) else {
            return false;
        };
        child.put_back(child.due_lots);
        child.due_lots = 0;
        let is_over = child.is_over();
        if is_over {
            self.children.remove(range.start.saturating_add(place));
        }
        is_over
    }

    fn place_of(&self, order_id: OrderId) -> Result<usize, usize> {
        self.members.binary_search_by_key(&order_id, |member| member.order_id)
    }

    fn range_of(&self, entry: OrderId) -> Range<usize> {
        let start = self.children.partition_point(|child| child.entry < entry);
        let end = self.children.partition_point(|child| child.entry <= entry);
        start..end
    }

    /// Returns the place of the child whose open order this is.
    fn place_of_child(&self, order_id: OrderId) -> Option<usize> {
        let range = self.range_of(self.members.get(self.place_of(order_id).ok()?)?.entry?);
        let start = range.start;
        let place = self.children.get(range)?.iter().position(|child| child.order_id == Some(order_id))?;
        Some(start.saturating_add(place))
    }

    fn child_of(&mut self, order_id: OrderId) -> Option<&mut Child> {
        let place = self.place_of_child(order_id)?;
        self.children.get_mut(place)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for member in &self.members {
            for id in [Some(member.order_id), member.group, member.entry] {
                put_id(out, id);
            }
            put_id(out, member.follows);
            out.extend_from_slice(&member.less_lots.to_le_bytes());
        }
        for child in &self.children {
            for id in [Some(child.entry), child.order_id, child.group] {
                put_id(out, id);
            }
            encode_order(out, 0, &OrderIntent { kind: child.kind, ..*child.approved.intent() }, 0);
            let under_way = [child.growing_lots, child.lost_lots, child.undone_lots, child.forgone_lots];
            for lots in
                [child.ungranted_lots, child.due_lots, child.refused_lots].into_iter().chain(under_way)
            {
                out.extend_from_slice(&lots.to_le_bytes());
            }
            out.extend([child.is_held(), child.is_dropped(), child.is_given_up, child.is_last].map(u8::from));
            if let Some(ppm) = child.off_paid_ppm {
                out.extend_from_slice(&ppm.to_le_bytes());
            }
        }
        for cut in self.cuts.iter().chain(&self.late) {
            put_id(out, Some(cut.order_id));
            out.extend_from_slice(&cut.lots.to_le_bytes());
            out.push(match cut.cause {
                CutCause::Sibling => 0,
                CutCause::Other => 1,
                CutCause::Reduction => 2,
                CutCause::Done => 3,
            });
        }
        for entry in &self.due {
            put_id(out, Some(*entry));
        }
        for (order_id, lots) in &self.amendments {
            put_id(out, Some(*order_id));
            out.extend_from_slice(&lots.to_le_bytes());
        }
        for (instrument, entry) in &self.retries {
            out.extend_from_slice(&instrument.0.to_le_bytes());
            put_id(out, Some(*entry));
        }
    }
}

fn put_id(out: &mut Vec<u8>, id: Option<OrderId>) {
    out.extend_from_slice(&id.map_or(0, |id| id.0).to_le_bytes());
}
