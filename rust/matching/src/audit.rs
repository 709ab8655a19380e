//! An auditor for tests: reads reports alone and knows what no venue may ever say.

use std::collections::BTreeMap;

use tradecore_types::{CancelReason, Liquidity, OrderId, OrderIntent, Report, ReportBody, Size, TimeInForce};

use crate::OpenOrder;

/// What the reports say about every order so far.
#[derive(Debug, Default)]
pub struct Audit {
    intents: BTreeMap<OrderId, OrderIntent>,
    open: BTreeMap<OrderId, i64>,
}

impl Audit {
    /// Notes an order that is sent, so that what is said of it can be held against it.
    pub fn sent(&mut self, intent: OrderIntent) {
        self.intents.insert(intent.order_id, intent);
    }

    /// Reads the reports of one input and returns how many lots filled as maker and as taker.
    pub fn read(&mut self, reports: &[Report]) -> (i64, i64) {
        let (mut made, mut taken) = (0, 0);
        for report in reports {
            let id = report.order_id;
            let intent = self.intents[&id];
            let Size::Lots(size) = intent.size else { unreachable!("sizes are lots here") };
            match report.body {
                ReportBody::Accepted => assert_eq!(self.open.insert(id, size), None, "accepted twice"),
                ReportBody::Rejected(_) => assert!(!self.open.contains_key(&id), "rejected while open"),
                ReportBody::Triggered
                | ReportBody::TriggeredAt { .. }
                | ReportBody::CancelRejected(_)
                | ReportBody::ReplaceRejected(_) => {}
                ReportBody::Replaced { lots, .. } | ReportBody::Restated { lots, .. } => {
                    assert!(lots > 0 && self.open.insert(id, lots).is_some(), "replaced while closed");
                }
                ReportBody::Canceled(_) | ReportBody::Expired => {
                    assert!(self.open.remove(&id).is_some(), "ended twice");
                }
                ReportBody::Fill { lots, liquidity, .. } => {
                    let took = liquidity == Liquidity::Taker;
                    assert!(!(intent.post_only && took), "a post-only order took");
                    *(if took { &mut taken } else { &mut made }) += lots;
                    let open = self.open.get_mut(&id).expect("filled while closed");
                    *open -= lots;
                    assert!(lots > 0 && *open >= 0, "filled more than ordered");
                    if *open == 0 {
                        self.open.remove(&id);
                    }
                }
            }
        }
        self.fill_or_kill_is_whole(reports);
        (made, taken)
    }

    /// Checks that ordered lots are filled, cancelled or open: nothing else.
    pub fn agrees_with(&self, open: impl Iterator<Item = OpenOrder>) {
        let open: BTreeMap<_, _> = open.map(|order| (order.order_id, order.open_lots)).collect();
        assert_eq!(open, self.open);
    }

    /// Lists the ids that are open.
    pub fn open_ids(&self) -> Vec<OrderId> {
        self.open.keys().copied().collect()
    }

    /// A fill-or-kill order that filled is closed by its fills: it neither waits nor is cancelled.
    fn fill_or_kill_is_whole(&self, reports: &[Report]) {
        let is_fill = |report: &&Report| matches!(report.body, ReportBody::Fill { .. });
        for id in reports.iter().filter(is_fill).map(|report| report.order_id) {
            let is_cancelled = |report: &Report| {
                matches!(
                    report.body,
                    ReportBody::Canceled(CancelReason::ImmediateOrCancel | CancelReason::SelfTrade)
                )
            };
            let in_part = self.open.contains_key(&id)
                || reports.iter().any(|report| report.order_id == id && is_cancelled(report));
            let whole = self.intents[&id].time_in_force == TimeInForce::Fok;
            assert!(!(whole && in_part), "fill-or-kill filled in part");
        }
    }
}
