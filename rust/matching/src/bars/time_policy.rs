//! [`super::BarOrder::Time`]: what executes at the open, then what the range reaches, the worse first.

use tradecore_types::{Bar, CancelReason, OrderKind, ReportBody, TimeNs};

use super::BarAccount;
use super::execution::{Execution, tell};
use super::matcher::BarMatcher;
use super::queue::{Armed, Waiting};
use super::queue_policy::liquidity;

/// Groups of orders, tried one after the other inside a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Stops that close a named entry.
    StopLoss,
    /// All other stops.
    Stop,
    /// Limits that close a named entry.
    TakeProfit,
    /// All other limits.
    Limit,
}

/// Worse first: losses before entries before profits. Losses again after entries, because an entry
/// inside the bar can be stopped out inside the same bar; profits of entry limits wait for the next bar,
/// because the high or low may have been before the entry.
const STAGES: [Stage; 6] =
    [Stage::StopLoss, Stage::Stop, Stage::StopLoss, Stage::TakeProfit, Stage::Limit, Stage::StopLoss];

impl BarMatcher {
    /// Fills everything that executes at the open: first what closes a named entry, then by arrival,
    /// then exits of new entries that the open is already through.
    pub(super) fn fill_open<A: BarAccount>(
        &mut self,
        time_ns: TimeNs,
        open_ticks: i64,
        account: &mut A,
    ) -> Result<(), A::Error> {
        self.wake_at_open(time_ns, open_ticks, account)?;
        self.pass_open(true, time_ns, open_ticks, account)?;
        self.pass_open(false, time_ns, open_ticks, account)?;
        self.pass_open(true, time_ns, open_ticks, account)?;
        for place in 0..self.queue.begin_pass() {
            if self.queue.in_time(place, time_ns).is_some_and(|waiting| waiting.is_immediate())
                && let Some(waiting) = self.queue.take(place)
            {
                let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
                tell(&waiting, time_ns, body, account)?;
            }
        }
        self.relink(time_ns, None, account)
    }

    fn pass_open<A: BarAccount>(
        &mut self,
        closing: bool,
        time_ns: TimeNs,
        open_ticks: i64,
        account: &mut A,
    ) -> Result<(), A::Error> {
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.in_time(place, time_ns) else { continue };
            if waiting.closes().is_some() == closing && waiting.is_met(open_ticks) {
                let liquidity = liquidity(&waiting, open_ticks);
                let at = Execution::new(open_ticks, open_ticks, time_ns, liquidity, Armed::Open);
                self.execute(place, at, account)?;
            }
        }
        Ok(())
    }

    /// Fills what the range of the bar reaches, stage by stage.
    pub(super) fn fill_range<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        for stage in STAGES {
            for place in 0..self.queue.begin_pass() {
                let Some(waiting) = self.queue.in_time(place, bar.open_time_ns) else { continue };
                if stage_of(&waiting) != Some(stage) || waiting.armed == Armed::Later {
                    continue;
                }
                if waiting.is_dormant() {
                    self.wake_inside(place, waiting, bar, None, account)?;
                    continue;
                }
                if let Some(price_ticks) = price_in(&waiting, bar) {
                    let armed = match stage {
                        Stage::Stop => Armed::Stop(price_ticks),
                        _ => Armed::Limit(price_ticks),
                    };
                    let liquidity = liquidity(&waiting, bar.open_ticks);
                    let at = Execution::new(price_ticks, price_ticks, bar.open_time_ns, liquidity, armed);
                    self.execute(place, at, account)?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the stage of an order; market orders wait for an open.
fn stage_of(waiting: &Waiting) -> Option<Stage> {
    match (waiting.kind, waiting.closes()) {
        (OrderKind::Market | OrderKind::MarketToLimit, _) => None,
        (
            OrderKind::Limit { .. }
            | OrderKind::Iceberg { .. }
            | OrderKind::MarketIfTouched { .. }
            | OrderKind::LimitIfTouched { .. },
            closes,
        ) => Some(if closes.is_some() { Stage::TakeProfit } else { Stage::Limit }),
        (_, closes) => Some(if closes.is_some() { Stage::StopLoss } else { Stage::Stop }),
    }
}

/// Returns the price at which the bar fills an order, or `None` when it does not.
fn price_in(waiting: &Waiting, bar: &Bar) -> Option<i64> {
    let is_reached = waiting.is_met(bar.low_ticks) || waiting.is_met(bar.high_ticks);
    match waiting.armed {
        Armed::Later => None,
        Armed::Open => is_reached.then(|| waiting.price(bar.open_ticks)),
        Armed::Limit(entry) | Armed::Stop(entry) if waiting.is_met(entry) => Some(entry),
        Armed::Limit(entry) => is_reached.then(|| waiting.price(entry)),
        Armed::Stop(entry) => {
            // The bar began beyond the stop-loss of an entry it only reached later: that part of its
            // range was before the entry, and only the close can show that the price came back.
            let is_stop = matches!(waiting.kind, OrderKind::Stop { .. });
            let began_beyond = is_stop && waiting.is_met(bar.open_ticks);
            let reached = if began_beyond { waiting.is_met(bar.close_ticks) } else { is_reached };
            reached.then(|| waiting.price(entry))
        }
    }
}
