//! [`super::BarOrder::Queue`]: every order against the whole bar, in queue order.
//!
//! Source: the semantics (not the code) of `backtesting` 0.6.6, `_Broker._process_orders`.

use tradecore_types::{Bar, CancelReason, Liquidity, OrderKind, ReportBody, Side};

use super::execution::{Execution, tell};
use super::matcher::BarMatcher;
use super::queue::{Armed, Waiting};
use super::{BarAccount, BarFill};

impl BarMatcher {
    /// Tries all orders, and again as long as an entry armed exits that this bar may reach.
    pub(super) fn fill_queue<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        while self.try_queue(bar, account)? {}
        Ok(())
    }

    /// Tries all orders once; tells whether the bar must be tried again for exits armed meanwhile.
    fn try_queue<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<bool, A::Error> {
        let mut again = false;
        for place in 0..self.queue.begin_pass() {
            let Some(mut waiting) = self.queue.in_time(place, bar.open_time_ns) else { continue };
            if waiting.armed == Armed::Later {
                continue;
            }
            if waiting.is_dormant() {
                if !self.look(place, waiting, bar.open_ticks, bar.open_time_ns, account)? {
                    let Some(waiting) = self.queue.at(place) else { continue };
                    let opened = self.wake_inside(place, waiting, bar, Some(bar.close_ticks), account)?;
                    again |= opened && exits_may_follow(&waiting, bar);
                    continue;
                }
                let Some(woken) = self.queue.at(place) else { continue };
                waiting = woken;
            }
            if !is_reached(&waiting, bar) {
                if waiting.is_immediate() && waiting.is_new {
                    self.queue.take(place);
                    let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
                    tell(&waiting, bar.open_time_ns, body, account)?;
                }
                continue;
            }
            let opened = self.execute(place, self.execution(&waiting, bar), account)?;
            again |= opened && exits_may_follow(&waiting, bar);
        }
        Ok(again)
    }

    /// Returns price and time of a fill: the open or the price it waited for, or, with
    /// [`BarFill::Close`], the close before for all but limits and exits of brackets.
    fn execution(&self, waiting: &Waiting, bar: &Bar) -> Execution {
        let is_market = waiting.kind == OrderKind::Market;
        let is_exit = waiting.closes().is_some() && !is_market;
        let is_limit = matches!(waiting.kind, OrderKind::Limit { .. });
        // The bar itself is the last one by now.
        let before = self.before_last.filter(|_| self.rules.fill == BarFill::Close && !is_exit && !is_limit);
        let from_ticks = before.map_or(bar.open_ticks, |before| before.close_ticks);
        let stamp = before.filter(|_| is_market).unwrap_or(*bar);
        let price_ticks = waiting.price(from_ticks);
        let liquidity = liquidity(waiting, bar.open_ticks);
        Execution::new(price_ticks, bar.close_ticks, stamp.open_time_ns, liquidity, Armed::Open)
    }
}

/// Returns whether a fill takes: a limit makes, unless it could trade at the first open it saw.
pub(super) fn liquidity(waiting: &Waiting, open_ticks: i64) -> Liquidity {
    let is_limit = matches!(waiting.kind, OrderKind::Limit { .. });
    let takes = waiting.is_new && waiting.is_met(open_ticks) && waiting.closes().is_none();
    if is_limit && !takes { Liquidity::Maker } else { Liquidity::Taker }
}

/// Tells whether the range of the bar reaches an order; one that may not wait sees the open only.
fn is_reached(waiting: &Waiting, bar: &Bar) -> bool {
    if waiting.is_immediate() {
        return waiting.is_met(bar.open_ticks);
    }
    waiting.is_met(bar.low_ticks) || waiting.is_met(bar.high_ticks)
}

/// Tells whether exits armed by this entry are tried in the same bar: after a market order always;
/// after a stop only when the take-profit was reached and the stop-loss was not, because both lie in
/// the direction the price was going.
fn exits_may_follow(entry: &Waiting, bar: &Bar) -> bool {
    let bracket = entry.order.intent().bracket;
    if bracket.is_empty() {
        return false;
    }
    match (entry.kind, bracket.take_profit_ticks, entry.side()) {
        (OrderKind::Market, ..) => true,
        (OrderKind::Stop { .. }, Some(profit), Side::Buy) => {
            profit <= bar.high_ticks && bracket.stop_loss_ticks.is_none_or(|loss| loss < bar.low_ticks)
        }
        (OrderKind::Stop { .. }, Some(profit), Side::Sell) => {
            profit >= bar.low_ticks && bracket.stop_loss_ticks.is_none_or(|loss| loss > bar.high_ticks)
        }
        _ => false,
    }
}
