//! Time bars built from trades or quotes.

use tradecore_types::{Bar, TimeNs};

/// Builds the bars of one interval; buckets start at whole multiples of it since 1970.
///
/// A bucket without a price gives no bar. A price at the very end of a bucket belongs to the next.
#[derive(Clone, Debug)]
pub(crate) struct TimeBars {
    interval_ns: i64,
    current: Option<Bar>,
}

impl TimeBars {
    /// Makes a builder; the interval is above 0.
    pub(crate) const fn new(interval_ns: i64) -> Self {
        Self { interval_ns, current: None }
    }

    /// Takes a price in; returns when the bar it opened will end, if it opened one.
    pub(crate) fn update(&mut self, time_ns: TimeNs, price_ticks: i64, lots: i64) -> Option<TimeNs> {
        if let Some(bar) = &mut self.current {
            bar.high_ticks = bar.high_ticks.max(price_ticks);
            bar.low_ticks = bar.low_ticks.min(price_ticks);
            bar.close_ticks = price_ticks;
            bar.volume_lots = bar.volume_lots.saturating_add(lots);
            return None;
        }
        let open_time_ns = time_ns.saturating_sub(time_ns.rem_euclid(self.interval_ns));
        self.current = Some(Bar {
            open_time_ns,
            open_ticks: price_ticks,
            high_ticks: price_ticks,
            low_ticks: price_ticks,
            close_ticks: price_ticks,
            volume_lots: lots,
        });
        Some(open_time_ns.saturating_add(self.interval_ns))
    }

    /// Ends the current bar.
    pub(crate) fn close(&mut self) -> Option<Bar> {
        self.current.take()
    }

    /// Appends the canonical bytes of the bar being built.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        let Some(bar) = &self.current else { return };
        for value in [
            bar.open_time_ns,
            bar.open_ticks,
            bar.high_ticks,
            bar.low_ticks,
            bar.close_ticks,
            bar.volume_lots,
        ] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}
