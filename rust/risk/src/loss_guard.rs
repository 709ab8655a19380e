//! Watches the profit of a scope: since the day began, and below its highest.

use tradecore_types::{Money, Rule, TimeNs};

use crate::Halt;

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// Returns the number of a day that begins `day_start_ns` after midnight UTC.
pub(crate) const fn day_of(now_ns: TimeNs, day_start_ns: i64) -> i64 {
    now_ns.saturating_sub(day_start_ns).div_euclid(DAY_NS)
}

/// The equity of a scope, its highest, and what it was when the day began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct LossGuard {
    last: i128,
    peak: i128,
    day_start: i128,
    /// Number of the day, `None` before the first value.
    day: Option<i64>,
}

impl LossGuard {
    /// Starts at an equity: the highest so far, and that of the day's beginning.
    pub(crate) fn restart(&mut self, equity: i128) {
        *self = Self { last: equity, peak: equity, day_start: equity, day: self.day };
    }

    /// Goes on from what was counted before.
    pub(crate) fn resume(&mut self, last: i128, peak: i128, day_start: i128, day: Option<i64>) {
        let day_start =
            if tradecore_types::is_planted("loss_of_the_day_forgotten") { last } else { day_start };
        *self = Self { last, peak, day_start, day };
    }

    /// Returns the last equity, the highest, that of the day's beginning, and the number of the day.
    pub(crate) const fn counted(&self) -> (i128, i128, i128, Option<i64>) {
        (self.last, self.peak, self.day_start, self.day)
    }

    /// Leaves money out of account that is neither gained nor lost.
    pub(crate) const fn shift(&mut self, amount: i128) {
        self.last = self.last.saturating_add(amount);
        self.peak = self.peak.saturating_add(amount);
        self.day_start = self.day_start.saturating_add(amount);
    }

    /// Takes the equity of now; a day begins at `day_start_ns` after midnight UTC with the last equity
    /// before it.
    pub(crate) fn learn(&mut self, equity: i128, now_ns: TimeNs, day_start_ns: i64) {
        let begins_ns = if tradecore_types::is_planted("day_begins_at_midnight") { 0 } else { day_start_ns };
        let day = day_of(now_ns, begins_ns);
        if self.day.is_some_and(|known| known != day) {
            self.day_start = self.last;
        }
        self.day = Some(day);
        self.last = equity;
        self.peak = self.peak.max(equity);
    }

    /// Returns the halt that the last equity asks for.
    pub(crate) fn verdict(&self, daily_loss_max: Option<Money>, drawdown_max: Option<Money>) -> Option<Halt> {
        let over = |rule, max: Option<Money>, from: i128| {
            let value = from.saturating_sub(self.last);
            max.filter(|max| value > max.0).map(|max| Halt { rule, limit: max.0, value })
        };
        over(Rule::DailyLossMax, daily_loss_max, self.day_start)
            .or_else(|| over(Rule::DrawdownMax, drawdown_max, self.peak))
    }

    /// Returns the last equity.
    pub(crate) const fn last(&self) -> i128 {
        self.last
    }

    /// Returns the loss since the day began and the fall from the highest equity; a gain is negative.
    pub(crate) fn losses(&self) -> (Money, Money) {
        (Money(self.day_start.saturating_sub(self.last)), Money(self.peak.saturating_sub(self.last)))
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for value in [self.last, self.peak, self.day_start] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&self.day.unwrap_or(i64::MIN).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_limits_are_the_last_losses_that_pass() {
        let mut guard = LossGuard::default();
        guard.restart(1_000);
        let rule = |guard: &LossGuard, day, drawdown| {
            guard.verdict(day, drawdown).map(|halt| (halt.rule, halt.limit, halt.value))
        };
        guard.learn(900, 5, 0);
        assert_eq!(rule(&guard, Some(Money(100)), Some(Money(100))), None);
        guard.learn(899, 6, 0);
        assert_eq!(rule(&guard, Some(Money(100)), None), Some((Rule::DailyLossMax, 100, 101)));
        assert_eq!(rule(&guard, None, Some(Money(100))), Some((Rule::DrawdownMax, 100, 101)));
    }

    #[test]
    fn a_day_begins_with_the_last_equity_of_the_day_before_and_the_peak_stays() {
        let mut guard = LossGuard::default();
        guard.restart(1_000);
        let hour = DAY_NS / 24;
        guard.learn(1_200, 10 * hour, 22 * hour);
        guard.learn(1_100, 21 * hour, 22 * hour);
        // 22:00 is the next day: what is lost over the boundary belongs to it.
        guard.learn(1_050, 22 * hour, 22 * hour);
        let halt = guard.verdict(Some(Money(49)), None).unwrap();
        assert_eq!((halt.rule, halt.value), (Rule::DailyLossMax, 50));
        assert_eq!(guard.verdict(None, Some(Money(149))).unwrap().value, 150);
        assert_eq!(guard.verdict(Some(Money(50)), Some(Money(150))), None);
    }

    #[test]
    fn the_state_says_what_a_loss_is_counted_from() {
        let state = |equities: &[(i128, TimeNs)]| {
            let mut guard = LossGuard::default();
            guard.restart(1_000);
            for &(equity, now_ns) in equities {
                guard.learn(equity, now_ns, 0);
            }
            let mut out = Vec::new();
            guard.write_state(&mut out);
            out
        };
        let states = [
            state(&[]),
            state(&[(900, 5)]),
            state(&[(800, 5)]),
            state(&[(1_100, 5), (900, 5)]),
            state(&[(900, 5), (900, DAY_NS)]),
            state(&[(900, 5), (900, 2 * DAY_NS)]),
        ];
        assert!((1..states.len()).all(|later| !states[..later].contains(&states[later])));
    }
}
