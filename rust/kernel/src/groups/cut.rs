//! Cuts that are noted and not yet asked for.

use tradecore_types::OrderId;

/// An order that is to be open with no more than so many lots; 0 cancels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cut {
    pub(crate) order_id: OrderId,
    pub(crate) lots: i64,
    pub(crate) cause: CutCause,
}

/// Why an order is to be cut: it decides whether a later fill of the entry makes the order larger again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum CutCause {
    /// Another child of the same entry has filled or ended.
    Sibling,
    /// An order that follows no entry, or another one, has filled or ended.
    Other,
    /// What it closes is closed in part.
    Reduction,
    /// So much of what another order of its group has left undone is done: it is less by that.
    Done,
}
