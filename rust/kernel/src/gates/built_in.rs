//! The decision gates that come with tradecore.

use std::borrow::Cow;

use tradecore_types::TimeNs;

use crate::gates::decision::{DecisionGate, DecisionView, GateFailed, GateVerdict, RequestKind};

/// Nanoseconds of a second.
const SECOND_NS: f64 = 1e9;

/// Nanoseconds of an hour.
const HOUR_NS: f64 = 3_600e9;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// A gate that needs nothing but its settings and the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BuiltInGate {
    /// No entry while the spread is wider, or while there is no two-sided quote.
    MaxSpread {
        /// Largest spread.
        ticks: i64,
    },
    /// No entry within so many seconds of the last one of the same strategy.
    ///
    /// A new order and an amendment that adds risk are entries. What the engine sends of an approved order as
    /// fills arrive is none: that order was counted when it was asked for.
    Cooldown {
        /// Least time between two entries.
        seconds: f64,
    },
    /// Entries only from `start` to before `end`, as hours of the day in UTC; may pass midnight.
    TradingHours {
        /// First hour.
        start: f64,
        /// Hour at which it is over.
        end: f64,
    },
}

impl BuiltInGate {
    /// Returns what it says about a request; every one of them lets pass what is closing.
    #[must_use]
    pub fn verdict(&self, view: &DecisionView) -> GateVerdict {
        let (name, limit, value, may_open) = match *self {
            Self::MaxSpread { ticks } => {
                let spread = view.best_bid_ticks.zip(view.best_ask_ticks);
                let spread = spread.map(|(bid, ask)| ask.saturating_sub(bid));
                let is_narrow = spread.is_some_and(|spread| spread <= ticks);
                ("max_spread", number(ticks), spread.map_or(f64::INFINITY, number), is_narrow)
            }
            Self::Cooldown { seconds } => {
                let waited = view.last_entry_ns.map_or(f64::INFINITY, |last_ns| since(view.now_ns, last_ns));
                let is_counted = matches!(view.request, RequestKind::Arm | RequestKind::Grow);
                ("cooldown", seconds, waited, is_counted || waited >= seconds)
            }
            Self::TradingHours { start, end } => {
                let hour = number(view.now_ns.rem_euclid(DAY_NS)) / HOUR_NS;
                let is_inside =
                    if start <= end { start <= hour && hour < end } else { hour >= start || hour < end };
                ("trading_hours", start, hour, is_inside)
            }
        };
        let passed = view.is_closing || may_open;
        GateVerdict { gate: Cow::Borrowed(name), limit, value, passed, may_open }
    }
}

impl DecisionGate for BuiltInGate {
    fn check(&self, view: &DecisionView) -> Result<GateVerdict, GateFailed> {
        Ok(self.verdict(view))
    }
}

/// Returns the seconds between two times.
fn since(now_ns: TimeNs, then_ns: TimeNs) -> f64 {
    number(now_ns.saturating_sub(then_ns)) / SECOND_NS
}

/// Shows a whole number as a float; beyond 2^53 it is the nearest one.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "traces show floats; the nearest one is meant"
)]
const fn number(whole: i64) -> f64 {
    whole as f64
}
