//! Events of the engine's own making: venue arrivals, venue reports, bar closes and timers.
//!
//! **Invariant:** they come out in the order of (time, kind, order of arrival); a heap is used only
//! where times can fall, a queue where nothing overtakes what was sent before it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tradecore_journal::{encode_order, encode_replace_request, encode_report};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{CancelReason, InstrumentId, OrderId, Report, StrategyId, TimeNs};

/// What is on its way to the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A new order.
    Submit(ApprovedOrder),
    /// Cancel an order.
    Cancel {
        /// The order.
        order_id: OrderId,
        /// Instrument of the order.
        instrument: InstrumentId,
        /// Why.
        reason: CancelReason,
    },
    /// Amend an order.
    Replace {
        /// The order.
        order_id: OrderId,
        /// Instrument of the order.
        instrument: InstrumentId,
        /// New price or trigger.
        price_ticks: i64,
        /// New open size.
        lots: i64,
    },
}

/// A report on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// Instrument of the order.
    pub(crate) instrument: InstrumentId,
    /// What the venue says.
    pub(crate) report: Report,
}

/// A timer of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timer {
    /// When it rings.
    pub(crate) time_ns: TimeNs,
    /// Order in which it was set.
    pub(crate) sequence: u64,
    /// Whose it is.
    pub(crate) strategy: StrategyId,
    /// The strategy's own number for it.
    pub(crate) number: u64,
}

/// The next internal event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A report reaches the engine.
    Report(Delivery),
    /// A request reaches the venue.
    Arrival(Request),
    /// A time bar ends.
    BarClose {
        /// Index of the series.
        series: usize,
    },
    /// A timer rings.
    Timer(Timer),
}

/// Internal events not yet due.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    reports: VecDeque<(TimeNs, Delivery)>,
    arrivals: VecDeque<(TimeNs, Request)>,
    bar_closes: BinaryHeap<Reverse<(TimeNs, usize)>>,
    timers: BinaryHeap<Reverse<Timer>>,
    timers_set: u64,
}

impl Schedule {
    /// Sends a report on its way; it does not overtake the one before.
    pub(crate) fn report(&mut self, time_ns: TimeNs, delivery: Delivery) {
        let last_ns = self.reports.back().map_or(time_ns, |entry| entry.0);
        self.reports.push_back((time_ns.max(last_ns), delivery));
    }

    /// Sends a request on its way; it does not overtake the one before.
    pub(crate) fn arrival(&mut self, time_ns: TimeNs, request: Request) {
        let last_ns = self.arrivals.back().map_or(time_ns, |entry| entry.0);
        self.arrivals.push_back((time_ns.max(last_ns), request));
    }

    /// Plans the end of a time bar.
    pub(crate) fn bar_close(&mut self, time_ns: TimeNs, series: usize) {
        self.bar_closes.push(Reverse((time_ns, series)));
    }

    /// Sets a timer.
    pub(crate) fn timer(&mut self, time_ns: TimeNs, strategy: StrategyId, timer_id: u64) {
        self.timers_set += 1;
        self.timers.push(Reverse(Timer { time_ns, sequence: self.timers_set, strategy, number: timer_id }));
    }

    /// Returns when the next internal event is due.
    pub(crate) fn next_time_ns(&self) -> Option<TimeNs> {
        let reports = self.reports.front().map(|entry| entry.0);
        let arrivals = self.arrivals.front().map(|entry| entry.0);
        let bar_closes = self.bar_closes.peek().map(|entry| entry.0.0);
        let timers = self.timers.peek().map(|entry| entry.0.time_ns);
        [reports, arrivals, bar_closes, timers].into_iter().flatten().min()
    }

    /// Takes the next internal event that is due at or before `time_ns`.
    pub(crate) fn pop_due(&mut self, time_ns: TimeNs) -> Option<(TimeNs, Due)> {
        let next = self.next_time_ns().filter(|&next| next <= time_ns)?;
        if self.reports.front().is_some_and(|entry| entry.0 == next) {
            return self.reports.pop_front().map(|(time, delivery)| (time, Due::Report(delivery)));
        }
        if self.arrivals.front().is_some_and(|entry| entry.0 == next) {
            return self.arrivals.pop_front().map(|(time, request)| (time, Due::Arrival(request)));
        }
        if self.bar_closes.peek().is_some_and(|entry| entry.0.0 == next) {
            return self.bar_closes.pop().map(|Reverse((time, series))| (time, Due::BarClose { series }));
        }
        self.timers.pop().map(|Reverse(timer)| (timer.time_ns, Due::Timer(timer)))
    }

    /// Appends the canonical bytes of what is on its way.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (time, delivery) in &self.reports {
            encode_report(out, *time, &delivery.report);
        }
        for (time, request) in &self.arrivals {
            match request {
                Request::Submit(order) => encode_order(out, *time, order.intent(), 0),
                Request::Cancel { order_id, reason, .. } => {
                    out.extend_from_slice(&time.to_le_bytes());
                    out.extend_from_slice(&order_id.0.to_le_bytes());
                    out.push(reason.code());
                }
                Request::Replace { order_id, price_ticks, lots, .. } => {
                    encode_replace_request(out, *time, *order_id, *price_ticks, *lots);
                }
            }
        }
        let mut timers: Vec<Timer> = self.timers.iter().map(|entry| entry.0).collect();
        timers.sort_unstable();
        for timer in timers {
            out.extend_from_slice(&timer.time_ns.to_le_bytes());
            out.extend_from_slice(&timer.strategy.0.to_le_bytes());
            out.extend_from_slice(&timer.number.to_le_bytes());
        }
    }
}
