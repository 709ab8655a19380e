//! Counts what happens in a sliding window.

use tradecore_types::{TimeNs, ValueError};

/// Largest rate there can be: room is made for every time that must be remembered.
const RATE_MAX: u32 = 10_000_000;

/// The times of the last things counted, as many as the largest limit needs; fixed memory.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct RateWindow {
    times: Box<[TimeNs]>,
    /// Where the next time goes; the oldest one is there once the ring is full.
    next: usize,
    filled: usize,
}

impl RateWindow {
    /// Makes room for `count` times.
    pub(crate) fn new(count: Option<u32>) -> Self {
        let capacity = usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX);
        Self { times: vec![0; capacity].into_boxed_slice(), next: 0, filled: 0 }
    }

    /// Makes room for another number of times and keeps the newest.
    pub(crate) fn resize(&mut self, count: Option<u32>) {
        let known: Vec<TimeNs> = self.oldest_first().collect();
        *self = Self::new(count);
        let surplus = known.len().saturating_sub(self.times.len());
        for time in known.into_iter().skip(surplus) {
            self.record(time);
        }
    }

    /// Tells whether fewer than `max` were counted in the window that ends now.
    pub(crate) fn has_room(&self, max: u32, now_ns: TimeNs, window_ns: i64) -> bool {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        if self.filled < max {
            return true;
        }
        if max == 0 || self.times.is_empty() {
            return false;
        }
        let place = if self.next >= max { self.next - max } else { self.next + self.times.len() - max };
        self.times.get(place).is_some_and(|&time| now_ns.saturating_sub(time) >= window_ns)
    }

    /// Remembers one more.
    pub(crate) fn record(&mut self, now_ns: TimeNs) {
        if let Some(slot) = self.times.get_mut(self.next) {
            *slot = now_ns;
            self.next = if self.next + 1 == self.times.len() { 0 } else { self.next + 1 };
            self.filled = (self.filled + 1).min(self.times.len());
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.next, self.filled) = (0, 0);
    }

    /// Appends the canonical bytes of the state, oldest time first.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for time in self.oldest_first() {
            out.extend_from_slice(&time.to_le_bytes());
        }
    }

    fn oldest_first(&self) -> impl Iterator<Item = TimeNs> {
        let start = if self.filled < self.times.len() { 0 } else { self.next };
        let (newer, older) = self.times.split_at_checked(start).unwrap_or_default();
        older.iter().chain(newer).take(self.filled).copied()
    }
}

/// Checks a rate of messages, of which some must be left for cancels and closing orders.
pub(crate) fn check_message_rate(field: &'static str, count: Option<u32>) -> Result<(), ValueError> {
    match count {
        Some(0 | 1) => Err(ValueError::new(
            field,
            count.unwrap_or(0),
            "must be at least 2: one of them is kept for cancels and closing orders",
        )),
        count => check_rate(field, count),
    }
}

/// Checks a rate for which room is to be made.
pub(crate) fn check_rate(field: &'static str, count: Option<u32>) -> Result<(), ValueError> {
    match count.filter(|&count| count > RATE_MAX) {
        Some(count) => Err(ValueError::new(field, count, format!("must be at most {RATE_MAX}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A look at every time there was gives the same answer.
        #[test]
        fn there_is_room_while_fewer_than_the_limit_are_in_the_window(
            gaps in prop::collection::vec(0i64..5, 0..40), capacity in 0u32..8, max in 0u32..8, window in 1i64..20,
        ) {
            let mut rate = RateWindow::new(Some(capacity));
            let (mut now_ns, mut all) = (0, Vec::new());
            for gap in gaps {
                now_ns += gap;
                let max = max.min(capacity);
                let counted = all.iter().filter(|&&time| now_ns - time < window).count();
                prop_assert_eq!(rate.has_room(max, now_ns, window), u32::try_from(counted).unwrap() < max);
                rate.record(now_ns);
                all.push(now_ns);
            }
            rate.resize(Some(capacity + 3));
            let newest: Vec<_> = all.iter().rev().take(usize::try_from(capacity).unwrap()).rev().copied().collect();
            prop_assert_eq!(rate.oldest_first().collect::<Vec<_>>(), newest);
            rate.clear();
            prop_assert_eq!(rate.oldest_first().count(), 0);
            prop_assert!(rate.has_room(1, now_ns, i64::MAX));
        }
    }
}
