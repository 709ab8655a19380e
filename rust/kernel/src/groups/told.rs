//! What a report did to an order, as those that depend on it are told.

use tradecore_ledger::OpenOrder;
use tradecore_types::{Report, ReportBody};

use crate::groups::to_close::Rest;

/// What a report did to an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    /// The order after it.
    pub(crate) order: &'a OpenOrder,
    /// What filled just now.
    pub(crate) filled_lots: i64,
    /// What of it opened a position.
    pub(crate) opened_lots: i64,
    /// Whether an amendment was taken, if it answers one.
    pub(crate) is_taken: Option<bool>,
    /// What the order has left undone and is still to be closed.
    pub(crate) rest: Option<Rest>,
}

impl<'a> Told<'a> {
    /// Reads a report; `opened_lots` are what its fill opened, signed.
    pub(crate) const fn new(order: &'a OpenOrder, report: &Report, opened_lots: i64) -> Self {
        let (filled_lots, is_taken) = match report.body {
            ReportBody::Fill { lots, .. } => (lots, None),
            ReportBody::Replaced { .. } => (0, Some(true)),
            ReportBody::ReplaceRejected(_) => (0, Some(false)),
            _ => (0, None),
        };
        Self { order, filled_lots, opened_lots: opened_lots.saturating_abs(), is_taken, rest: None }
    }

    /// Says what the order has left undone.
    pub(crate) const fn with_rest(self, rest: Option<Rest>) -> Self {
        Self { rest, ..self }
    }
}
