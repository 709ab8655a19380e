//! An order that risk has approved; venues accept nothing else.

use tradecore_types::{OrderIntent, Size};

/// An order that passed every pre-trade check.
///
/// **Invariant:** there is no public constructor: only this crate's checks make one, so an order that
/// risk has not approved cannot be expressed. A snapshot of the engine has those that were approved before it, and
/// nothing else reads one (`tests/architecture/test_tidy.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ApprovedOrder {
    intent: OrderIntent,
}

impl ApprovedOrder {
    /// Wraps an intent that passed the checks.
    pub(crate) const fn new(intent: OrderIntent) -> Self {
        Self { intent }
    }

    /// Returns the intent that was approved: nothing of it can be changed any more.
    #[must_use]
    pub const fn intent(&self) -> &OrderIntent {
        &self.intent
    }

    /// Returns the order no larger than `lots`: what was approved covers everything smaller.
    #[must_use]
    pub fn at_most(self, lots: i64) -> Self {
        let lots = self.lots().map_or(lots, |known| known.min(lots));
        Self { intent: OrderIntent { size: Size::Lots(lots), ..self.intent } }
    }

    /// Returns the order as one that can only close: what was approved covers everything narrower.
    #[must_use]
    pub const fn only_closing(self) -> Self {
        Self { intent: OrderIntent { reduce_only: true, ..self.intent } }
    }

    /// Makes a further order of an approved exit: it too can only close what the same entry opened. `None` when
    /// either is anything else.
    #[must_use]
    pub fn further_exit(self, further: OrderIntent) -> Option<Self> {
        let same = |intent: &OrderIntent| {
            (intent.strategy, intent.instrument, intent.side, intent.closes, intent.reduce_only)
        };
        let is_exit = further.reduce_only && further.closes.is_some() && same(&further) == same(&self.intent);
        is_exit.then_some(Self { intent: further })
    }

    /// Returns the approved size in lots; `None` while it is a share of buying power not yet sized.
    #[must_use]
    pub const fn lots(&self) -> Option<i64> {
        match self.intent.size {
            Size::Lots(lots) => Some(lots),
            Size::BuyingPowerPpm(_) => None,
        }
    }
}

/// The word of risk about an intent that passed every pre-trade check.
///
/// It costs no copy of the intent until the order is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval<'a> {
    intent: &'a OrderIntent,
    /// Whether the order passes only because it closes, and so may do nothing else.
    is_bound: bool,
}

impl<'a> Approval<'a> {
    /// Approves an intent that passed the checks.
    pub(crate) const fn new(intent: &'a OrderIntent, is_bound: bool) -> Self {
        Self { intent, is_bound }
    }

    /// Returns the intent as it was judged.
    pub(crate) const fn intent(&self) -> &'a OrderIntent {
        self.intent
    }

    /// Approves no more than an order that can only close: what was approved covers everything narrower.
    #[must_use]
    pub const fn only_closing(self) -> Self {
        Self { is_bound: true, ..self }
    }

    /// Makes the approved order, which venues take and nothing else.
    #[must_use]
    pub const fn order(&self) -> ApprovedOrder {
        let mut order = ApprovedOrder::new(*self.intent);
        order.intent.reduce_only |= self.is_bound;
        order
    }
}

/// Makes approved orders without checks, for tests of other crates.
#[doc(hidden)]
#[cfg(feature = "testkit")]
pub mod testkit {
    use super::{ApprovedOrder, OrderIntent};

    /// Approves an intent that nobody has looked at: for tests of what comes after risk.
    #[must_use]
    pub const fn approve_unseen(intent: OrderIntent) -> ApprovedOrder {
        ApprovedOrder::new(intent)
    }
}
