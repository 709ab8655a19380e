//! Orders that depend on each other: one cancels the other (OCO), one triggers the other (OTO).
//!
//! An order after another one is held here, in state `PendingNew`, until that one has ended. It then goes on
//! its way, no larger than what filled of it; it is cancelled when nothing did. Of orders that cancel each
//! other the end of one cancels the others, and a partial fill makes them no larger than what it leaves.

use std::collections::VecDeque;

use tradecore_ledger::OpenOrder;
use tradecore_risk::ApprovedOrder;
use tradecore_types::{CancelReason, OrderId, Report, ReportBody};

use crate::schedule::{Delivery, Request};
use crate::{Destination, Kernel};

/// How a new order depends on others of its strategy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Order that must fill first.
    pub after: Option<OrderId>,
    /// Order that cancels it and that it cancels.
    pub oco: Option<OrderId>,
}

/// What is known of one order that depends on others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Member {
    order_id: OrderId,
    /// Number of its group of orders that cancel each other: that of its first member.
    group: Option<OrderId>,
    /// Order whose fill it follows, for as long as either lives.
    after: Option<OrderId>,
    /// The order itself while it is held.
    held: Option<ApprovedOrder>,
}

/// What is to be done about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Cancel it, or make it at most this large.
    Limit(OrderId, i64),
    /// Let it go, at most this large; it is dropped at 0.
    Release(OrderId, i64),
}

/// Every order that depends on others, in the order of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    members: Vec<Member>,
    steps: VecDeque<Step>,
    /// Steps that the venue at hand cannot do.
    late: VecDeque<Step>,
    /// Order that the one just being judged is to cancel.
    joining: Option<OrderId>,
}

impl Groups {
    /// Tells whether no order depends on another.
    pub(crate) const fn is_off(&self) -> bool {
        self.members.is_empty()
    }

    /// Says which order the next one that is judged will cancel.
    pub(crate) const fn set_joining(&mut self, oco: Option<OrderId>) {
        self.joining = oco;
    }

    /// Tells whether a closing order counts: of those that cancel each other only the first does.
    pub(crate) fn counts(&self, order_id: OrderId) -> bool {
        if self.joining == Some(order_id) {
            return false;
        }
        let Some(group) = self.get(order_id).and_then(|member| member.group) else { return true };
        let is_joined = self.joining.is_some_and(|joining| self.is_in(joining, group));
        let first = self.members.iter().find(|member| member.group == Some(group));
        !is_joined && first.is_some_and(|member| member.order_id == order_id)
    }

    /// Notes the links of a new order, whose number is above all others.
    fn add(&mut self, order_id: OrderId, links: Links, held: Option<ApprovedOrder>) {
        let group = links.oco.map(|other| {
            let known = self.members.iter_mut().find(|member| member.order_id == other);
            let group = known.as_ref().and_then(|member| member.group).unwrap_or(other);
            if let Some(member) = known {
                member.group = Some(group);
            } else {
                let first = Member { order_id: other, group: Some(group), after: None, held: None };
                let place = self.members.partition_point(|member| member.order_id < other);
                self.members.insert(place, first);
            }
            group
        });
        self.members.push(Member { order_id, group, after: links.after, held });
    }

    /// Takes a held order out of hold; `None` when it is not held.
    pub(crate) fn take_held(&mut self, order_id: OrderId) -> Option<ApprovedOrder> {
        self.members.iter_mut().find(|member| member.order_id == order_id)?.held.take()
    }

    /// Tells whether an order is held.
    pub(crate) fn is_held(&self, order_id: OrderId) -> bool {
        self.get(order_id).is_some_and(|member| member.held.is_some())
    }

    /// Notes what became of an order; what follows from it is then to be done.
    pub(crate) fn note(&mut self, order: &OpenOrder, is_closed: bool, is_fill: bool) {
        if self.members.is_empty() || !(is_closed || is_fill) {
            return;
        }
        let order_id = order.intent.order_id;
        let group = self.get(order_id).and_then(|member| member.group);
        let left = if is_closed { 0 } else { order.open_lots() };
        for member in self.members.iter().filter(|member| member.order_id != order_id) {
            if is_closed && member.after == Some(order_id) && member.held.is_some() {
                self.steps.push_back(Step::Release(member.order_id, order.filled_lots));
            } else if group.is_some() && member.group == group {
                self.steps.push_back(Step::Limit(member.order_id, left));
            }
        }
        if is_closed {
            self.members.retain(|member| member.order_id != order_id);
        }
    }

    /// Notes that lots of an entry were closed: orders that close what it opened must not close more.
    pub(crate) fn note_reduction(&mut self, entry: OrderId, remaining_lots: i64) {
        for member in self.members.iter().filter(|member| member.after == Some(entry)) {
            if member.held.is_none() {
                self.steps.push_back(Step::Limit(member.order_id, remaining_lots.saturating_abs()));
            }
        }
    }

    /// Returns the next order to be cancelled (0) or made smaller.
    pub(crate) fn next_limit(&mut self) -> Option<(OrderId, i64)> {
        let place = self.steps.iter().position(|step| matches!(step, Step::Limit(..)))?;
        match self.steps.remove(place)? {
            Step::Limit(order_id, lots) => Some((order_id, lots)),
            Step::Release(..) => None,
        }
    }

    /// Puts a step off that the venue at hand cannot do.
    pub(crate) fn put_off(&mut self, order_id: OrderId, lots: i64) {
        self.late.push_back(Step::Limit(order_id, lots));
    }

    /// Tells whether anything is to be done.
    pub(crate) fn has_work(&self) -> bool {
        !(self.steps.is_empty() && self.late.is_empty())
    }

    fn get(&self, order_id: OrderId) -> Option<&Member> {
        self.members.iter().find(|member| member.order_id == order_id)
    }

    fn is_in(&self, order_id: OrderId, group: OrderId) -> bool {
        order_id == group || self.get(order_id).is_some_and(|member| member.group == Some(group))
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for member in &self.members {
            for id in [Some(member.order_id), member.group, member.after] {
                out.extend_from_slice(&id.map_or(0, |id| id.0).to_le_bytes());
            }
            out.push(u8::from(member.held.is_some()));
        }
    }
}

impl Kernel {
    /// Notes and records the links of an approved order; `true` when it is to be held.
    pub(crate) fn link(&mut self, order: &ApprovedOrder, links: Links) -> bool {
        if links == Links::default() {
            return false;
        }
        let order_id = order.intent().order_id;
        self.recorder.link(self.now_ns, order_id, links.after, links.oco);
        if self.config.destination == Destination::Nowhere {
            return false;
        }
        self.groups.add(order_id, links, links.after.is_some().then_some(*order));
        links.after.is_some()
    }

    /// Does what follows from the last reports for orders that depend on others.
    pub(crate) fn work_groups(&mut self) {
        let Groups { steps, late, .. } = &mut self.groups;
        steps.append(late);
        while let Some(step) = self.groups.steps.pop_front() {
            match step {
                Step::Limit(order_id, 0) => {
                    self.request_cancel(order_id, CancelReason::Linked);
                }
                Step::Limit(order_id, lots) => {
                    let is_larger = self.orders.get(order_id).is_some_and(|order| order.open_lots() > lots);
                    if is_larger && !self.groups.is_held(order_id) {
                        self.request_replace(order_id, 0, lots);
                    }
                }
                Step::Release(order_id, filled_lots) => self.release(order_id, filled_lots),
            }
        }
    }

    /// Sends a held order on its way, no larger than what filled of the order before it.
    fn release(&mut self, order_id: OrderId, filled_lots: i64) {
        let Some(order) = self.groups.take_held(order_id) else { return };
        let intent = *order.intent();
        let opened_lots = match intent.closes {
            Some(entry) => {
                self.ledger.lots_of_entry(intent.strategy, intent.instrument, entry).saturating_abs()
            }
            None => filled_lots,
        };
        let wanted = order.lots().unwrap_or(0);
        let lots = wanted.min(filled_lots).min(opened_lots);
        if lots <= 0 || self.switches.is_killed {
            self.tell_held(&order, ReportBody::Canceled(CancelReason::Linked));
            return;
        }
        let order = order.at_most(lots);
        if lots < wanted {
            let price_ticks = intent.kind.price_ticks().unwrap_or(0);
            self.tell_held(&order, ReportBody::Replaced { price_ticks, lots });
        }
        let arrival_ns = self.config.venue.at_venue_ns(self.now_ns);
        self.schedule.arrival(arrival_ns, Request::Submit(order));
    }

    /// Says what became of an order that no venue has seen.
    pub(crate) fn tell_held(&mut self, order: &ApprovedOrder, body: ReportBody) {
        let intent = order.intent();
        let report = Report { venue_time_ns: self.now_ns, order_id: intent.order_id, body };
        self.schedule.report(self.now_ns, Delivery { instrument: intent.instrument, report });
    }
}
