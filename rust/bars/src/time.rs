//! Bars of equal time.

use tradecore_types::{Bar, Sessions, TimeNs, ValueError};

use crate::partial::{extend, opened, write_bar};
use crate::span::BarSpan;
use crate::{FinishedBar, FirstBar, Print};

/// Builds the bars of one length out of prints; [`BarSpan`] says where they begin and end.
///
/// A span without a print gives no bar, and a print outside the sessions is in none. A print at the very end of
/// a span belongs to the next. A bar ends with the first print after it, or when [`TimeBars::close_due`] says
/// that its time has come.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct TimeBars {
    span: BarSpan,
    sessions: Sessions,
    current: Option<Bar>,
    /// When the bar being built ends; of no meaning without one.
    end_ns: TimeNs,
    /// When the session of the last print in a session ends; the end of time for what trades all the time.
    open_until_ns: TimeNs,
    /// Whether the bar being built is shown when it ends.
    is_kept: bool,
    /// What becomes of the next bar if it is not whole: only the first one is looked at.
    first: FirstBar,
}

impl TimeBars {
    /// Makes a builder for what trades all the time.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the interval is not above 0.
    pub fn new(interval_ns: i64) -> Result<Self, ValueError> {
        Ok(Self::within(BarSpan::of_ns(interval_ns)?, Sessions::default(), FirstBar::Any))
    }

    /// Makes a builder for an instrument that trades in these sessions.
    #[must_use]
    pub const fn within(span: BarSpan, sessions: Sessions, first: FirstBar) -> Self {
        let open_until_ns = if sessions.is_always_open() { TimeNs::MAX } else { TimeNs::MIN };
        Self { span, sessions, current: None, end_ns: TimeNs::MIN, open_until_ns, is_kept: true, first }
    }

    /// Takes a print in; returns the bar that it comes after, if it is the first after it.
    #[inline]
    pub fn update(&mut self, print: &Print) -> Option<FinishedBar> {
        let finished = self.close_due(print.time_ns);
        if print.time_ns >= self.open_until_ns && !self.is_open(print.time_ns) {
            return finished;
        }
        if let Some(bar) = &mut self.current {
            extend(bar, print);
        } else {
            self.open(print);
        }
        finished
    }

    /// Tells whether a moment after the last session is in a session, which is the last one then.
    #[inline(never)]
    fn is_open(&mut self, at_ns: TimeNs) -> bool {
        if self.sessions.is_always_open() {
            return true;
        }
        let session = self.sessions.session_of(at_ns).filter(|session| session.start_ns <= at_ns);
        self.open_until_ns = session.map_or(self.open_until_ns, |session| session.end_ns);
        session.is_some()
    }

    /// Opens a bar with its first print.
    fn open(&mut self, print: &Print) {
        let Some(period) = self.span.period(print.time_ns, &self.sessions) else { return };
        self.is_kept = print.time_ns <= period.start_ns || self.first != FirstBar::Whole;
        self.first = FirstBar::Any;
        self.current = Some(opened(period.start_ns, print));
        self.end_ns = period.end_ns;
    }

    /// Returns when the bar being built ends.
    #[must_use]
    pub fn ends_ns(&self) -> Option<TimeNs> {
        self.current.map(|_| self.end_ns)
    }

    /// Ends the current bar if its time has come.
    #[inline]
    pub fn close_due(&mut self, now_ns: TimeNs) -> Option<FinishedBar> {
        if self.current.is_some() && self.end_ns <= now_ns { self.close() } else { None }
    }

    /// Ends the current bar as it is; one that is left out gives nothing.
    pub fn close(&mut self) -> Option<FinishedBar> {
        let bar = self.current.take()?;
        self.is_kept.then_some(FinishedBar { close_time_ns: self.end_ns, bar })
    }

    /// Appends the canonical bytes of the bar being built.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        if let Some(bar) = &self.current {
            write_bar(bar, out);
            if !self.is_kept {
                out.push(0);
            }
        }
    }
}
