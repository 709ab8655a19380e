//! Longer bars made of shorter ones.

use std::fmt;

use tradecore_types::{Bar, Sessions, TimeNs};

use crate::date::utc_text;
use crate::partial::write_bar;
use crate::span::{BarSpan, Period};
use crate::{FinishedBar, FirstBar};

/// Builds bars of one length out of the bars that close one after another.
///
/// A bar counts by the hours in which the instrument trades: what is closed at its beginning and at its end is
/// passed over, so a bar of a calendar day is one of the session in it. A longer bar ends with the bar that
/// reaches its end. Where that one is missing it ends by [`MergedBars::close_due`], when its time has come: at its
/// end if a bar can close then, else once the bar that goes on beyond it must have closed. The open time of a longer bar is the start of its period, whatever the first bar in it is.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct MergedBars {
    span: BarSpan,
    sessions: Sessions,
    current: Option<Current>,
    /// When the last period ended that was finished.
    done_ns: TimeNs,
    /// What becomes of the next bar if it is not whole: only the first one is looked at.
    first: FirstBar,
    left_out: u64,
}

/// The bar being built.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Current {
    bar: Bar,
    period: Period,
    /// When no bar can come any more that belongs to it.
    due_ns: TimeNs,
    is_kept: bool,
}

/// What a bar brought about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Merged {
    /// The longer bar that it came after, whose end had not come before.
    pub before: Option<FinishedBar>,
    /// The longer bar that it was the last one of.
    pub finished: Option<FinishedBar>,
}

/// A bar that belongs to two longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Length of the longer ones.
    pub span: BarSpan,
    /// First moment of the span that the bar covers, in UTC nanoseconds.
    pub open_time_ns: TimeNs,
    /// First moment after that span, at which the bar is told.
    pub close_time_ns: TimeNs,
    /// When the first of the longer ones ends.
    pub end_ns: TimeNs,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [open, close, end] = [self.open_time_ns, self.close_time_ns, self.end_ns].map(utc_text);
        write!(
            f,
            "the bar given as input from {open} to {close} UTC would be in two bars of {span}, the first of which \
             ends at {end}; choose a multiple of the length of the input, or the calendar (or \
             venue.day_end_ns) by which its days end",
            span = self.span,
        )
    }
}

impl MergedBars {
    /// Makes a builder for an instrument that trades in these sessions.
    #[must_use]
    pub const fn new(span: BarSpan, sessions: Sessions, first: FirstBar) -> Self {
        Self { span, sessions, current: None, done_ns: TimeNs::MIN, first, left_out: 0 }
    }

    /// Takes a bar in that closes now.
    ///
    /// A bar is left out when it lies outside the sessions, or when its period has ended already.
    ///
    /// # Errors
    ///
    /// [`Misfit`] when it reaches beyond the end of the period that it begins in; nothing has changed then.
    pub fn update(&mut self, bar: &Bar, close_time_ns: TimeNs) -> Result<Merged, Misfit> {
        let Some((from_ns, to_ns)) = self.sessions.open_part(bar.open_time_ns, close_time_ns) else {
            self.left_out += 1;
            return Ok(Merged::default());
        };
        let known = self.current.map(|current| current.period);
        let is_known = known.is_some_and(|period| (period.start_ns..period.end_ns).contains(&from_ns));
        let own = if is_known { known } else { self.span.period(from_ns, &self.sessions) };
        let Some(period) = own else {
            self.left_out += 1;
            return Ok(Merged::default());
        };
        if to_ns > period.end_ns {
            let (span, open_time_ns) = (self.span, bar.open_time_ns);
            return Err(Misfit { span, open_time_ns, close_time_ns, end_ns: period.end_ns });
        }
        if from_ns < self.done_ns || known.is_some_and(|known| period.start_ns < known.start_ns) {
            self.left_out += 1;
            return Ok(Merged::default());
        }
        let before = if is_known { None } else { self.close() };
        self.add(bar, from_ns, close_time_ns, period);
        let finished = if to_ns >= period.end_ns { self.close() } else { None };
        Ok(Merged { before, finished })
    }

    /// Adds a bar to the one being built, which it opens if there is none.
    fn add(&mut self, bar: &Bar, from_ns: TimeNs, close_time_ns: TimeNs, period: Period) {
        if let Some(Current { bar: whole, .. }) = &mut self.current {
            whole.high_ticks = whole.high_ticks.max(bar.high_ticks);
            whole.low_ticks = whole.low_ticks.min(bar.low_ticks);
            whole.close_ticks = bar.close_ticks;
            whole.volume_lots = whole.volume_lots.saturating_add(bar.volume_lots);
        } else {
            let is_kept = from_ns <= period.start_ns || self.first == FirstBar::Any;
            self.first = FirstBar::Any;
            let due_ns = due_ns(period.end_ns, close_time_ns, bar);
            let bar = Bar { open_time_ns: period.start_ns, ..*bar };
            self.current = Some(Current { bar, period, due_ns, is_kept });
        }
        debug_assert!(self.current.is_some_and(|current| current.bar.low_ticks <= bar.low_ticks));
    }

    /// Returns when the bar being built ends by itself.
    #[must_use]
    pub fn due_ns(&self) -> Option<TimeNs> {
        self.current.map(|current| current.due_ns)
    }

    /// Ends the current bar if its time has come.
    pub fn close_due(&mut self, now_ns: TimeNs) -> Option<FinishedBar> {
        if self.due_ns()? <= now_ns { self.close() } else { None }
    }

    /// Ends the current bar; one that is left out gives nothing.
    fn close(&mut self) -> Option<FinishedBar> {
        let current = self.current.take()?;
        self.done_ns = current.period.end_ns;
        current.is_kept.then_some(FinishedBar { close_time_ns: current.period.end_ns, bar: current.bar })
    }

    /// Returns how many bars were left out: outside the sessions, or too late.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Tells whether no bar was taken in yet.
    #[must_use]
    pub const fn is_untouched(&self) -> bool {
        self.current.is_none() && self.done_ns == TimeNs::MIN
    }

    /// Appends the canonical bytes of all that decides the next bars.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.done_ns.to_le_bytes());
        out.extend_from_slice(&self.left_out.to_le_bytes());
        out.push(u8::from(self.first == FirstBar::Any));
        if let Some(current) = &self.current {
            write_bar(&current.bar, out);
            out.push(u8::from(current.is_kept));
        }
    }
}

/// Returns when the last bar of a period must have closed, going by one bar of it: at the end of the period if
/// bars of its length close then. Bars of calendar days go on after the session in them: then it is one length
/// after the close of the bar that holds the end, for days are not all equally long.
fn due_ns(end_ns: TimeNs, close_time_ns: TimeNs, bar: &Bar) -> TimeNs {
    let length_ns = close_time_ns.saturating_sub(bar.open_time_ns).max(1);
    match end_ns.saturating_sub(close_time_ns).rem_euclid(length_ns) {
        0 => end_ns,
        beyond_ns => end_ns.saturating_add(length_ns - beyond_ns).saturating_add(length_ns),
    }
}
