//! Orders that are good for a time: when they end at the venue, and what comes too late.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{Report, ReportBody, TimeNs};

use crate::VenueTraits;

impl VenueTraits {
    /// Returns when the venue ends an order that is good until `expire_ns`.
    ///
    /// A bar that closes at this very time comes first: its range was before.
    #[must_use]
    pub fn end_ns(&self, expire_ns: TimeNs) -> TimeNs {
        expire_ns.saturating_add(i64::from(self.expires_after_its_time))
    }
}

/// Returns what a venue says of an order whose time was up before it arrived; `None` when it was not.
#[must_use]
pub fn too_late(order: &ApprovedOrder, now_ns: TimeNs) -> Option<Report> {
    let intent = order.intent();
    let is_late = intent.time_in_force.expire_ns().is_some_and(|expire_ns| expire_ns <= now_ns);
    let report = Report { venue_time_ns: now_ns, order_id: intent.order_id, body: ReportBody::Expired };
    is_late.then_some(report)
}
