//! Which orders are watched here for a venue outside, and which of them wait until others have ended there.

use tradecore_types::{OrderId, OrderKind, ValueError};

/// Kinds of orders that wait for a price, by name: an order of one of these may be watched here.
const KINDS: [&str; 6] =
    ["stop", "stop_limit", "market_if_touched", "limit_if_touched", "trailing_stop", "trailing_stop_limit"];

/// Which kinds of orders are watched here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchedKinds(u8);

impl WatchedKinds {
    /// Reads names of kinds.
    ///
    /// # Errors
    ///
    /// [`ValueError`] for a name that is none of a kind that waits for a price.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, ValueError> {
        names.into_iter().try_fold(Self::default(), |known, name| {
            let place = KINDS.iter().position(|kind| *kind == name);
            let place = place.ok_or_else(|| {
                ValueError::new("watched", name, format!("must be one of {}", KINDS.join(", ")))
            })?;
            Ok(Self(known.0 | (1 << place)))
        })
    }

    /// Tells whether orders of a kind are watched here.
    pub(crate) const fn has(self, kind: OrderKind) -> bool {
        let place = match kind {
            OrderKind::Stop { .. } => 0,
            OrderKind::StopLimit { .. } => 1,
            OrderKind::MarketIfTouched { .. } => 2,
            OrderKind::LimitIfTouched { .. } => 3,
            OrderKind::TrailingStop { .. } | OrderKind::TrailingPercent { .. } => 4,
            OrderKind::TrailingStopLimit { .. } => 5,
            OrderKind::Market
            | OrderKind::Limit { .. }
            | OrderKind::MarketToLimit
            | OrderKind::Iceberg { .. } => return false,
        };
        self.0 & (1 << place) != 0
    }

    /// Tells whether any kind is watched here.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// An order that is set off and waits until those that cancel it have ended at the venue: never two at once.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Waiting {
    pub(crate) order_id: OrderId,
    /// The others, each with what of it had filled when its end was asked for.
    pub(crate) others: Vec<(OrderId, i64)>,
}

/// The orders that are watched here now.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Watched {
    /// By number, those that wait included.
    orders: Vec<OrderId>,
    waiting: Vec<Waiting>,
}

impl Watched {
    /// Tells whether nothing is watched.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Tells whether an order is watched.
    pub(crate) fn has(&self, order_id: OrderId) -> bool {
        self.orders.binary_search(&order_id).is_ok()
    }

    /// Tells whether an order is set off and waits for others to end.
    pub(crate) fn waits(&self, order_id: OrderId) -> bool {
        self.waiting.iter().any(|waiting| waiting.order_id == order_id)
    }

    /// Watches an order from now on.
    pub(crate) fn add(&mut self, order_id: OrderId) {
        if let Err(place) = self.orders.binary_search(&order_id) {
            self.orders.insert(place, order_id);
        }
        debug_assert!(self.orders.is_sorted(), "orders that are watched are found by number");
    }

    /// Watches an order no longer.
    pub(crate) fn remove(&mut self, order_id: OrderId) {
        if let Ok(place) = self.orders.binary_search(&order_id) {
            self.orders.remove(place);
        }
        self.waiting.retain(|waiting| waiting.order_id != order_id);
    }

    /// Takes out the first order that waits and `is_ready`.
    pub(crate) fn next_ready(&mut self, is_ready: impl Fn(&Waiting) -> bool) -> Option<Waiting> {
        let place = self.waiting.iter().position(is_ready)?;
        Some(self.waiting.remove(place))
    }

    /// Lets an order that is set off wait for the end of others.
    pub(crate) fn wait(&mut self, waiting: Waiting) {
        debug_assert!(self.has(waiting.order_id), "only what is watched waits");
        self.waiting.push(waiting);
    }

    /// Appends the canonical bytes of the orders.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        let others = self.waiting.iter().flat_map(|waiting| &waiting.others).map(|other| &other.0);
        for order_id in self.orders.iter().chain(others) {
            out.extend_from_slice(&order_id.0.to_le_bytes());
        }
    }
}
