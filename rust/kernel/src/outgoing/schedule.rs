//! Events of the engine's own making: venue reports, ends of orders, venue arrivals, bar closes and timers.
//!
//! **Invariant:** they come out in the order of (time, kind, order of arrival); a heap is used only
//! where times can fall, a queue where nothing overtakes what was sent to or by the same venue before it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use tradecore_journal::{encode_order, encode_replace_request, encode_report};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{InstrumentId, OrderId, Report, ReportBody, StrategyId, TimeNs};

use crate::VenueRequest;

/// Orders that have ended before their time and may be kept whatever the number of open ones.
const EXPIRIES_SPARE: usize = 64;

/// What becomes of an order that is to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelling {
    /// It was held back and has ended.
    Ended,
    /// The venue has to be asked.
    AtVenue(VenueRequest),
}

/// A report on its way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Delivery {
    /// The instrument that the order is for.
    pub(crate) instrument: InstrumentId,
    /// What the venue says.
    pub(crate) report: Report,
}

/// A timer of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
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

/// A span of time that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) enum End {
    /// A time bar.
    Bar {
        /// Index of the series of bars in the table of the kernel.
        series: usize,
    },
    /// The longest time a book may go without a message, counted from one of them.
    BookAge {
        /// The instrument.
        instrument: InstrumentId,
    },
    /// A time bar that is built from bars given as input. It is entered for the nanosecond after its end, and
    /// handled at its end: after everything that was fed for that moment.
    Merged {
        /// Index of the series of bars in the table of the kernel.
        series: usize,
    },
}

/// What kind of internal event comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// A report reaches the engine.
    Report,
    /// The time of an order is up at the venue.
    Expiry,
    /// A request reaches the venue.
    Arrival,
    /// A span ends: of a time bar, or of a book without a message.
    End,
    /// A timer rings.
    Timer,
}

/// Internal events not yet due.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Schedule {
    /// When the next of all is due, the end of time when there is none: most steps ask only this.
    next_ns: TimeNs,
    /// When the next end or timer is due: what comes and goes with every order leaves it as it is.
    plans_ns: TimeNs,
    reports: VecDeque<(TimeNs, Delivery)>,
    expiries: BinaryHeap<Reverse<(TimeNs, u64, u32)>>,
    arrivals: VecDeque<(TimeNs, VenueRequest)>,
    ends: BinaryHeap<Reverse<(TimeNs, End)>>,
    timers: BinaryHeap<Reverse<Timer>>,
    timers_set: u64,
    /// What has reached the venue so far, for tests.
    #[cfg(test)]
    pub(crate) arrived: Vec<VenueRequest>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            next_ns: TimeNs::MAX,
            plans_ns: TimeNs::MAX,
            reports: VecDeque::new(),
            expiries: BinaryHeap::new(),
            arrivals: VecDeque::new(),
            ends: BinaryHeap::new(),
            timers: BinaryHeap::new(),
            timers_set: 0,
            #[cfg(test)]
            arrived: Vec::new(),
        }
    }
}

impl Schedule {
    /// Tells whether all that is on its way has a number up to this one.
    pub(crate) fn are_numbered_by(&self, last_order_id: u64) -> bool {
        self.arrivals.iter().all(|(_, request)| request.sent().order_id.0 <= last_order_id)
            && self.reports.iter().all(|(_, delivery)| delivery.report.order_id.0 <= last_order_id)
    }

    /// Sends a report on its way; it does not overtake the one before.
    pub(crate) fn report(&mut self, time_ns: TimeNs, delivery: Delivery) {
        let time_ns = self.reports.back().map_or(time_ns, |entry| entry.0.max(time_ns));
        self.next_ns = self.next_ns.min(time_ns);
        self.reports.push_back((time_ns, delivery));
    }

    /// Plans when a request reaches the venue. It does not overtake the one before, unless its place is given:
    /// how many of those that are on their way it lets go first.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a request is copied into the queue, and nowhere else before")]
    pub(crate) fn arrival(&mut self, time_ns: TimeNs, place: Option<usize>, request: &VenueRequest) {
        if let Some(place) = place {
            return self.arrival_at(time_ns, place, request);
        }
        let time_ns = self.arrivals.back().map_or(time_ns, |entry| entry.0.max(time_ns));
        self.next_ns = self.next_ns.min(time_ns);
        self.arrivals.push_back((time_ns, *request));
    }

    #[cold]
    fn arrival_at(&mut self, time_ns: TimeNs, place: usize, request: &VenueRequest) {
        self.arrivals.insert(place.min(self.arrivals.len()), (time_ns, *request));
        self.look_ahead();
    }

    /// Sends a report on its way where there are several venues: it does not overtake the one before of the same
    /// venue, which trades the instruments that `is_its` names.
    #[cold]
    pub(crate) fn report_among(
        &mut self,
        time_ns: TimeNs,
        delivery: Delivery,
        is_its: impl Fn(InstrumentId) -> bool,
    ) {
        let before = self.reports.iter().rev().find(|(_, known)| is_its(known.instrument));
        let time_ns = before.map_or(time_ns, |entry| entry.0.max(time_ns));
        let place = self.reports.partition_point(|entry| entry.0 <= time_ns);
        self.reports.insert(place, (time_ns, delivery));
        self.next_ns = self.next_ns.min(time_ns);
    }

    /// Plans when a request reaches its venue where there are several: it does not overtake the one before to the
    /// same venue.
    #[cold]
    pub(crate) fn arrival_among(
        &mut self,
        time_ns: TimeNs,
        request: &VenueRequest,
        is_its: impl Fn(InstrumentId) -> bool,
    ) {
        let before = self.arrivals.iter().rev().find(|(_, known)| is_its(known.instrument()));
        let time_ns = before.map_or(time_ns, |entry| entry.0.max(time_ns));
        let place = self.arrivals.partition_point(|entry| entry.0 <= time_ns);
        self.arrival_at(time_ns, place, request);
    }

    /// Takes a new order back that has not reached the venue yet; `None` when it has.
    pub(crate) fn withdraw(&mut self, order_id: OrderId) -> Option<ApprovedOrder> {
        let is_it = |request: &VenueRequest| matches!(request, VenueRequest::Submit(order) if order.intent().order_id == order_id);
        let place = self.arrivals.iter().position(|(_, request)| is_it(request))?;
        let taken = self.arrivals.remove(place);
        self.look_ahead();
        match taken {
            Some((_, VenueRequest::Submit(order))) => Some(order),
            _ => None,
        }
    }

    /// Plans the end of an order. Orders that have ended before their time are forgotten once they are more
    /// than the `open` ones, so that memory stays bounded by the open orders.
    pub(crate) fn expiry(
        &mut self,
        time_ns: TimeNs,
        order_id: OrderId,
        instrument: InstrumentId,
        open: usize,
        is_open: impl Fn(OrderId) -> bool,
    ) {
        if self.expiries.len() > EXPIRIES_SPARE.saturating_add(open.saturating_mul(2)) {
            self.expiries.retain(|Reverse((_, order_id, _))| is_open(OrderId(*order_id)));
            self.look_at_plans();
        }
        self.plan(time_ns);
        self.expiries.push(Reverse((time_ns, order_id.0, instrument.0)));
    }

    /// Plans the end of a span.
    pub(crate) fn end(&mut self, time_ns: TimeNs, end: End) {
        self.plan(time_ns);
        self.ends.push(Reverse((time_ns, end)));
    }

    /// Plans the end of a time bar that is built from bars; it comes after everything fed for that moment.
    pub(crate) fn merged_end(&mut self, end_ns: TimeNs, series: usize) {
        self.end(end_ns.saturating_add(1), End::Merged { series });
    }

    /// Tells whether a time bar that is built from bars has ended by now.
    #[inline]
    pub(crate) fn has_merged_end(&self, now_ns: TimeNs) -> bool {
        self.plans_ns <= now_ns.saturating_add(1)
            && self.ends.peek().is_some_and(|Reverse((time_ns, end))| {
                *time_ns <= now_ns.saturating_add(1) && matches!(end, End::Merged { .. })
            })
    }

    /// Takes the next time bar that is built from bars and has ended by now.
    pub(crate) fn take_merged_end(&mut self, now_ns: TimeNs) -> Option<usize> {
        if !self.has_merged_end(now_ns) {
            return None;
        }
        match self.take_end() {
            Some(End::Merged { series }) => Some(series),
            _ => None,
        }
    }

    /// Takes the next time bar that is built from prints and ends now.
    pub(crate) fn take_bar_end(&mut self, now_ns: TimeNs) -> Option<usize> {
        let Reverse((_, End::Bar { series })) =
            *self.ends.peek().filter(|Reverse((time_ns, _))| *time_ns <= now_ns)?
        else {
            return None;
        };
        self.take_end();
        Some(series)
    }

    /// Sets a timer.
    pub(crate) fn timer(&mut self, time_ns: TimeNs, strategy: StrategyId, timer_id: u64) {
        self.plan(time_ns);
        self.timers_set += 1;
        self.timers.push(Reverse(Timer { time_ns, sequence: self.timers_set, strategy, number: timer_id }));
    }

    /// Tells what is due at or before `time_ns`, and when; reports come before ends of orders of the same
    /// time, then arrivals, then ends of spans, then timers.
    #[inline]
    pub(crate) fn due(&self, time_ns: TimeNs) -> Option<(TimeNs, Due)> {
        if self.next_ns > time_ns { None } else { self.next_due() }
    }

    fn next_due(&self) -> Option<(TimeNs, Due)> {
        let next_ns = self.next_ns;
        let is_next = |front_ns: Option<TimeNs>| front_ns == Some(next_ns);
        let due = if is_next(self.reports.front().map(|entry| entry.0)) {
            Due::Report
        } else if self.plans_ns > next_ns {
            Due::Arrival
        } else if is_next(self.expiries.peek().map(|entry| entry.0.0)) {
            Due::Expiry
        } else if is_next(self.arrivals.front().map(|entry| entry.0)) {
            Due::Arrival
        } else if let Some(Reverse((_, end))) = self.ends.peek().filter(|entry| entry.0.0 == next_ns) {
            if matches!(end, End::Merged { .. }) {
                return Some((next_ns - 1, Due::End));
            }
            Due::End
        } else {
            self.timers.peek().map(|_| Due::Timer)?
        };
        Some((next_ns, due))
    }

    /// Takes the next report, with its time.
    #[inline]
    pub(crate) fn take_report(&mut self) -> Option<(TimeNs, Delivery)> {
        let report = self.reports.pop_front();
        self.look_ahead();
        report
    }

    /// Tells whether another report reaches the engine at or before `time_ns`.
    pub(crate) fn has_report_by(&self, time_ns: TimeNs) -> bool {
        self.reports.front().is_some_and(|entry| entry.0 <= time_ns)
    }

    /// Returns what has filled of an order and is not known yet, and what is open of it at the venue when
    /// `open_lots` are known to be: the reports are on their way.
    pub(crate) fn unreported(&self, order_id: OrderId, open_lots: i64) -> (i64, i64) {
        let reports = self.reports.iter().map(|(_, delivery)| &delivery.report);
        let of_order = reports.filter(|report| report.order_id == order_id);
        of_order.fold((0, open_lots), |(filled, open), report| match report.body {
            ReportBody::Fill { lots, .. } => (filled.saturating_add(lots), open.saturating_sub(lots)),
            ReportBody::Replaced { lots, .. } | ReportBody::Restated { lots, .. } => (filled, lots),
            ReportBody::Canceled(_) | ReportBody::Expired | ReportBody::Rejected(_) => (filled, 0),
            _ => (filled, open),
        })
    }

    /// Takes the next order whose time is up, with its instrument.
    pub(crate) fn take_expiry(&mut self) -> Option<(OrderId, InstrumentId)> {
        let Reverse((_, order_id, instrument)) = self.expiries.pop()?;
        self.look_at_plans();
        Some((OrderId(order_id), InstrumentId(instrument)))
    }

    /// Takes the next request, with its time.
    #[inline]
    pub(crate) fn take_arrival(&mut self) -> Option<(TimeNs, VenueRequest)> {
        let request = self.arrivals.pop_front();
        #[cfg(test)]
        self.arrived.extend(request.as_ref().map(|entry| entry.1));
        self.look_ahead();
        request
    }

    /// Takes the next span that ends.
    pub(crate) fn take_end(&mut self) -> Option<End> {
        let Reverse((_, end)) = self.ends.pop()?;
        self.look_at_plans();
        Some(end)
    }

    /// Takes the next timer.
    pub(crate) fn take_timer(&mut self) -> Option<Timer> {
        let Reverse(timer) = self.timers.pop()?;
        self.look_at_plans();
        Some(timer)
    }

    /// Notes when an end or a timer is due.
    fn plan(&mut self, time_ns: TimeNs) {
        self.plans_ns = self.plans_ns.min(time_ns);
        self.next_ns = self.next_ns.min(time_ns);
    }

    /// Learns anew when the next end or timer is due.
    #[inline(never)]
    fn look_at_plans(&mut self) {
        let expiries = self.expiries.peek().map_or(TimeNs::MAX, |entry| entry.0.0);
        let ends = self.ends.peek().map_or(TimeNs::MAX, |entry| entry.0.0);
        let timers = self.timers.peek().map_or(TimeNs::MAX, |entry| entry.0.time_ns);
        self.plans_ns = expiries.min(ends).min(timers);
        self.look_ahead();
    }

    /// Learns anew when the next of all is due.
    #[inline]
    fn look_ahead(&mut self) {
        let reports = self.reports.front().map_or(TimeNs::MAX, |entry| entry.0);
        let arrivals = self.arrivals.front().map_or(TimeNs::MAX, |entry| entry.0);
        self.next_ns = reports.min(arrivals).min(self.plans_ns);
    }

    /// Appends the canonical bytes of what is on its way.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (time, delivery) in &self.reports {
            encode_report(out, *time, &delivery.report);
        }
        for (time, request) in &self.arrivals {
            match request {
                VenueRequest::Submit(order) => encode_order(out, *time, order.intent(), 0),
                VenueRequest::Cancel { order_id, reason, .. } => {
                    out.extend_from_slice(&time.to_le_bytes());
                    out.extend_from_slice(&order_id.0.to_le_bytes());
                    out.push(reason.code());
                }
                VenueRequest::Replace { order_id, price_ticks, lots, filled_lots, .. } => {
                    encode_replace_request(out, *time, *order_id, *price_ticks, *lots);
                    out.extend_from_slice(&filled_lots.to_le_bytes());
                }
            }
        }
        let mut expiries: Vec<(TimeNs, u64, u32)> = self.expiries.iter().map(|entry| entry.0).collect();
        expiries.sort_unstable();
        for (time_ns, order_id, _) in expiries {
            out.extend_from_slice(&time_ns.to_le_bytes());
            out.extend_from_slice(&order_id.to_le_bytes());
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
