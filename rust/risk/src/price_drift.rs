//! Where the price was when a rolling window began.

use tradecore_types::TimeNs;

/// Parts of the window that a sample stands for.
const PARTS: i64 = 32;

/// Samples that cover the window, its start and its end included.
const SAMPLES: usize = 34;

/// Samples of a reference price, at most one for each thirty-second part of the window.
///
/// **Invariant:** the base is the newest sample that is at least a window old; it stands for a price at most
/// one part of the window older. Before a window has passed it is the first sample there was.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct PriceDrift {
    #[serde(with = "tradecore_types::long_array")]
    samples: [(TimeNs, i64); SAMPLES],
    next: usize,
    filled: usize,
}

impl PriceDrift {
    /// Starts without a price.
    pub(crate) const fn new() -> Self {
        Self { samples: [(0, 0); SAMPLES], next: 0, filled: 0 }
    }

    /// Takes a price of the market; one that is not above 0 is no base for anything.
    pub(crate) fn learn(&mut self, price_ticks: i64, now_ns: TimeNs, window_ns: i64) {
        let part_ns = (window_ns / PARTS).max(1);
        let is_early =
            self.newest_first().next().is_some_and(|(time_ns, _)| now_ns.saturating_sub(time_ns) < part_ns);
        if is_early || price_ticks <= 0 {
            return;
        }
        if let Some(slot) = self.samples.get_mut(self.next) {
            *slot = (now_ns, price_ticks);
            self.next = if self.next + 1 == SAMPLES { 0 } else { self.next + 1 };
            self.filled = (self.filled + 1).min(SAMPLES);
        }
    }

    /// Returns the price at the start of the window that ends now, in ticks.
    pub(crate) fn base_ticks(&self, now_ns: TimeNs, window_ns: i64) -> Option<i64> {
        let mut oldest = None;
        for (time_ns, price_ticks) in self.newest_first() {
            oldest = Some(price_ticks);
            if now_ns.saturating_sub(time_ns) >= window_ns {
                break;
            }
        }
        oldest
    }

    /// Appends the canonical bytes of the state, newest sample first.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (time_ns, price_ticks) in self.newest_first() {
            out.extend_from_slice(&time_ns.to_le_bytes());
            out.extend_from_slice(&price_ticks.to_le_bytes());
        }
    }

    fn newest_first(&self) -> impl Iterator<Item = (TimeNs, i64)> {
        let (newer, older) = self.samples.split_at_checked(self.next).unwrap_or_default();
        newer.iter().rev().chain(older.iter().rev()).take(self.filled).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: i64 = 320;

    #[test]
    fn the_base_is_the_price_a_window_ago() {
        let mut drift = PriceDrift::new();
        assert_eq!(drift.base_ticks(0, WINDOW), None);
        for step in 0..100 {
            drift.learn(1_000 + step, step * 10, WINDOW);
        }
        // At 990 the window began at 670, when the price was 1,067.
        assert_eq!(drift.base_ticks(990, WINDOW), Some(1_067));
        assert_eq!(drift.base_ticks(989, WINDOW), Some(1_066));
    }

    proptest! {
        /// The base is a price that was true at most a part of the window before its start.
        #[test]
        fn the_base_was_true_when_the_window_began(
            moves in prop::collection::vec((0i64..60, 1i64..1_000), 1..200), later in 0i64..400,
        ) {
            let mut drift = PriceDrift::new();
            let (mut now_ns, mut all) = (0, Vec::new());
            for (gap, price_ticks) in moves {
                now_ns += gap;
                drift.learn(price_ticks, now_ns, WINDOW);
                all.push((now_ns, price_ticks));
            }
            now_ns += later;
            let start = now_ns - WINDOW;
            let base = drift.base_ticks(now_ns, WINDOW).unwrap();
            let last = all.iter().rposition(|known| known.0 <= start).unwrap_or(0);
            let from = all.get(last).unwrap().0 - WINDOW / PARTS;
            let is_true = all.iter().take(last + 1).any(|known| known.0 >= from && known.1 == base);
            prop_assert!(is_true, "base {base} at {now_ns} of {all:?}");
        }
    }
}
