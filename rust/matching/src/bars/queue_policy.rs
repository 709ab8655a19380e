//! [`super::BarOrder::Queue`]: every order against the whole bar, in queue order.
//!
//! Source: the semantics (not the code) of `backtesting` 0.6.6, `_Broker._process_orders`. It knows market,
//! limit and stop orders. While an order of another kind waits, or the margin of the instrument can be used up, the
//! bar is walked instead: first what fills at the open, in queue order, then what the path meets
//! ([`super::path`]), because only a path says what the price comes to first.

use tradecore_types::{Bar, CancelReason, ExitPrice, Liquidity, OrderKind, PaidPrice, ReportBody, Side};

use super::filling::{FillTerms, tell};
use super::matcher::BarMatcher;
use super::path::{Stop, liquidity};
use super::queue::Waiting;
use super::{BarAccount, BarFill};

impl BarMatcher {
    /// Tries all orders, and again as long as an entry armed exits that this bar may reach.
    pub(super) fn fill_queue<A: BarAccount>(
        &mut self,
        bar: &Bar,
        account: &mut A,
    ) -> Result<Option<Stop>, A::Error> {
        if self.queue.has_dormant() || account.is_margined() {
            return self.walk_queue(bar, account);
        }
        while self.try_queue(bar, account)? {}
        Ok(None)
    }

    /// Tries all orders at the open and lets the price walk through the bar.
    fn walk_queue<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<Option<Stop>, A::Error> {
        self.wake_at_open(bar, account)?;
        // A second time for the exits that the first has armed.
        for _ in 0..2 {
            for place in 0..self.queue.begin_pass() {
                let Some(waiting) = self.queue.in_time(place, bar) else { continue };
                if waiting.is_met(bar.open_ticks) {
                    self.fill_place(place, self.fill_terms(&waiting, bar), account)?;
                }
            }
        }
        self.end_immediate(bar, account)?;
        self.walk(bar, Some(bar.close_ticks), account)
    }

    /// Tries all orders once; tells whether the bar must be tried again for exits armed meanwhile.
    fn try_queue<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<bool, A::Error> {
        let mut again = false;
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.in_time(place, bar) else { continue };
            if !self.is_reached(&waiting, bar) {
                if waiting.is_immediate() && waiting.is_new {
                    self.queue.take(place);
                    let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
                    tell(&waiting, bar.open_time_ns, body, account)?;
                }
                continue;
            }
            let at = self.fill_terms(&waiting, bar);
            let opened = self.fill_place(place, at, account)?;
            again |= opened && exits_may_follow(&waiting, at.price_ticks, bar);
        }
        Ok(again)
    }

    /// Tells whether the range of the bar reaches an order; one that may not wait, or whose time is up inside
    /// the bar, sees the open only.
    fn is_reached(&self, waiting: &Waiting, bar: &Bar) -> bool {
        if waiting.is_immediate() || !self.takes_part(waiting, bar) {
            return waiting.is_met(bar.open_ticks);
        }
        waiting.is_met(bar.low_ticks) || waiting.is_met(bar.high_ticks)
    }

    /// Returns price and time of a fill: the open or the price it waited for, or, with
    /// [`BarFill::Close`], the close before for all but limits and exits of brackets.
    fn fill_terms(&self, waiting: &Waiting, bar: &Bar) -> FillTerms {
        let is_market = waiting.kind == OrderKind::Market;
        let is_exit = waiting.closes().is_some() && !is_market;
        let is_limit = matches!(waiting.kind, OrderKind::Limit { .. });
        // The bar itself is the last one by now. No order gets a close that was before it came; a stop that the close
        // was not through starts at the open, unless prices may leave the bar: then it starts at the close, as in
        // backtesting.py, and may fill at a price between the two that no bar has.
        let may_leave_bar = self.rules.slippage.may_leave_bar;
        let before = self.before_last.filter(|before| {
            let is_by_close = self.rules.fill == BarFill::Close && !is_exit && !is_limit;
            let was_there = waiting.arrived_ns.max(waiting.amended_ns) <= self.before_close_ns;
            is_by_close && was_there && (may_leave_bar || waiting.is_met(before.close_ticks))
        });
        let from_ticks = before.map_or(bar.open_ticks, |before| before.close_ticks);
        let stamp = before.filter(|_| is_market || !may_leave_bar).unwrap_or(*bar);
        let price_ticks = waiting.price_in(from_ticks, bar);
        // The price comes to a limit that the open was not through: it made.
        let takes = is_limit && waiting.is_new && waiting.is_met(bar.open_ticks);
        let liquidity =
            if is_limit { liquidity(&Waiting { is_new: takes, ..*waiting }) } else { Liquidity::Taker };
        let range_ticks = [stamp.low_ticks, stamp.high_ticks];
        FillTerms::new(price_ticks, bar.close_ticks, stamp.open_time_ns, liquidity, range_ticks)
    }
}

/// Tells whether exits armed by this entry are tried in the same bar: after a market order always;
/// after a stop only when the take-profit was reached and the stop-loss was not, because both lie in
/// the direction the price was going.
fn exits_may_follow(entry: &Waiting, paid_ticks: i64, bar: &Bar) -> bool {
    let bracket = entry.order.intent().bracket;
    if bracket.is_empty() {
        return false;
    }
    let bracket = bracket.from_paid(entry.side(), PaidPrice::of_one(paid_ticks));
    let [take_profit, stop_loss] =
        [bracket.take_profit, bracket.stop_loss].map(|exit| exit.and_then(ExitPrice::ticks));
    match (entry.kind, take_profit, entry.side()) {
        (OrderKind::Market, ..) => true,
        (OrderKind::Stop { .. }, Some(profit), Side::Buy) => {
            profit <= bar.high_ticks && stop_loss.is_none_or(|loss| loss < bar.low_ticks)
        }
        (OrderKind::Stop { .. }, Some(profit), Side::Sell) => {
            profit >= bar.low_ticks && stop_loss.is_none_or(|loss| loss > bar.high_ticks)
        }
        _ => false,
    }
}
