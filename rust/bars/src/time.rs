//! Bars of equal time.

use tradecore_types::{Bar, TimeNs, ValueError};

use crate::partial::{extend, opened, write_bar};
use crate::rule::above_zero;
use crate::{FinishedBar, Print};

/// Builds the bars of one interval; they open at whole multiples of it since 1970.
///
/// A span without a print gives no bar. A print at the very end of a span belongs to the next. A bar ends
/// with the first print after it, or when [`TimeBars::close_due`] says that its time has come.
#[derive(Clone, Debug)]
pub struct TimeBars {
    interval_ns: i64,
    current: Option<Bar>,
}

impl TimeBars {
    /// Makes a builder.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the interval is not above 0.
    pub fn new(interval_ns: i64) -> Result<Self, ValueError> {
        Ok(Self { interval_ns: above_zero("interval_ns", interval_ns)?, current: None })
    }

    /// Takes a print in; returns the bar that it comes after, if it is the first after it.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        let finished = self.close_due(print.time_ns);
        if let Some(bar) = &mut self.current {
            extend(bar, print);
        } else {
            let open_time_ns = print.time_ns.saturating_sub(print.time_ns.rem_euclid(self.interval_ns));
            self.current = Some(opened(open_time_ns, print));
        }
        finished
    }

    /// Returns when the bar being built ends.
    #[must_use]
    pub fn ends_ns(&self) -> Option<TimeNs> {
        self.current.map(|bar| bar.open_time_ns.saturating_add(self.interval_ns))
    }

    /// Ends the current bar if its time has come.
    #[inline]
    pub fn close_due(&mut self, now_ns: TimeNs) -> Option<FinishedBar> {
        if self.ends_ns()? <= now_ns { self.close() } else { None }
    }

    /// Ends the current bar as it is.
    pub fn close(&mut self) -> Option<FinishedBar> {
        let close_time_ns = self.ends_ns()?;
        self.current.take().map(|bar| FinishedBar { close_time_ns, bar })
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        if let Some(bar) = &self.current {
            write_bar(bar, out);
        }
    }
}
