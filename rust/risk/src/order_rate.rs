//! Counts orders in a sliding window.

use tradecore_types::TimeNs;

/// The times of the last orders, as many as the limit allows; fixed memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct OrderRate {
    times: Box<[TimeNs]>,
    /// Where the oldest time is once the ring is full.
    oldest: usize,
    filled: usize,
}

impl OrderRate {
    /// Makes room for `orders_max` times.
    pub(crate) fn new(orders_max: u32) -> Self {
        let capacity = usize::try_from(orders_max).unwrap_or(usize::MAX);
        Self { times: vec![0; capacity].into_boxed_slice(), oldest: 0, filled: 0 }
    }

    /// Tells whether one more order at `now_ns` stays within the limit.
    pub(crate) fn has_room(&self, now_ns: TimeNs, window_ns: i64) -> bool {
        if self.filled < self.times.len() {
            return true;
        }
        self.times.get(self.oldest).is_some_and(|&time| now_ns.saturating_sub(time) >= window_ns)
    }

    /// Remembers an order.
    pub(crate) fn record(&mut self, now_ns: TimeNs) {
        if let Some(slot) = self.times.get_mut(self.oldest) {
            *slot = now_ns;
            self.oldest = if self.oldest + 1 == self.times.len() { 0 } else { self.oldest + 1 };
            self.filled = (self.filled + 1).min(self.times.len());
        }
    }

    /// Appends the canonical bytes of the state, oldest time first.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        let start = if self.filled < self.times.len() { 0 } else { self.oldest };
        for step in 0..self.filled {
            let index = (start + step) % self.times.len();
            out.extend_from_slice(&self.times.get(index).copied().unwrap_or_default().to_le_bytes());
        }
    }
}
