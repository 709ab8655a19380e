//! What a venue outside has said and may say again, and what has ended that it may still speak of.
//!
//! **Invariant:** everything here is bounded, the oldest goes first, and only what was booked is remembered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tradecore_journal::encode_report;
use tradecore_ledger::Orders;
use tradecore_types::{OrderId, OrderIntent, Report, ReportBody, VenueReport};

/// Trades that are remembered by name. A venue repeats what is minutes old, after a reconnection; an order that
/// ended longer ago is not remembered either.
const TRADES_MAX: usize = 1 << 16;

/// Orders whose answers are remembered, and may be, beside those that are open.
const ANSWERED_SPARE: usize = 256;

/// Answers that are remembered of one order.
const ANSWERS_MAX: usize = 16;

/// Entries that have ended, and orders that ended unsent: as many as orders that have ended are remembered.
const ENDED_MAX: usize = crate::kernel::CLOSED_ORDERS_MAX;

/// What a venue has said and may say again.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Trades by order and name. Two orders of ours that trade with each other have one trade of one name.
    trades: BTreeMap<OrderId, BTreeMap<Arc<str>, Traded>>,
    oldest_first: VecDeque<(OrderId, Arc<str>)>,
    answers: BTreeMap<OrderId, Answers>,
    /// Entries with a bracket that have ended: what fills of one later is to have its exits.
    entries: VecDeque<OrderIntent>,
    /// Orders that ended here before any venue saw them.
    unsent: VecDeque<OrderId>,
}

/// The numbers of a trade. The fee may come later than the trade, and is no part of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traded {
    pub(crate) price_ticks: i64,
    pub(crate) lots: i64,
}

/// What a venue has said about requests for an order, and of its terms.
#[derive(Debug, Default)]
struct Answers {
    /// The newest, as they came.
    last: VecDeque<Report>,
    /// The report of the order's newest terms.
    terms: Option<Report>,
}

impl Heard {
    /// Remembers what was booked.
    pub(crate) fn note(&mut self, said: &VenueReport, orders: &Orders) {
        let report = &said.report;
        match (report.body, &said.trade_id) {
            (ReportBody::Fill { price_ticks, lots, .. }, Some(trade_id)) => {
                self.note_trade(report.order_id, trade_id, Traded { price_ticks, lots });
            }
            _ if is_answer(&report.body) => self.note_answer(report, orders),
            _ => {}
        }
    }

    fn note_trade(&mut self, order_id: OrderId, trade_id: &str, traded: Traded) {
        let name: Arc<str> = Arc::from(trade_id);
        if self.trades.entry(order_id).or_default().insert(Arc::clone(&name), traded).is_some() {
            return;
        }
        self.oldest_first.push_back((order_id, name));
        if self.oldest_first.len() > TRADES_MAX
            && let Some((order_id, name)) = self.oldest_first.pop_front()
            && let Some(of_order) = self.trades.get_mut(&order_id)
        {
            of_order.remove(&name);
            if of_order.is_empty() {
                self.trades.remove(&order_id);
            }
        }
    }

    /// Returns a trade of an order that is known.
    pub(crate) fn trade(&self, order_id: OrderId, trade_id: &str) -> Option<Traded> {
        self.trades.get(&order_id)?.get(trade_id).copied()
    }

    fn note_answer(&mut self, report: &Report, orders: &Orders) {
        if self.answers.len() >= orders.len().saturating_add(ANSWERED_SPARE) {
            self.answers.retain(|order_id, _| orders.get(*order_id).is_some());
        }
        let is_overtaken = self.is_overtaken(report);
        let of_order = self.answers.entry(report.order_id).or_default();
        if of_order.last.len() == ANSWERS_MAX {
            of_order.last.pop_front();
        }
        of_order.last.push_back(*report);
        if states_terms(&report.body) && !is_overtaken {
            of_order.terms = Some(*report);
        }
    }

    /// Tells whether a report is an answer that was booked before: word for word, of the same time.
    pub(crate) fn is_repeated(&self, report: &Report) -> bool {
        is_answer(&report.body)
            && self.answers.get(&report.order_id).is_some_and(|of_order| of_order.last.contains(report))
    }

    /// Tells whether a report was made before that of the newest terms of its order.
    pub(crate) fn is_overtaken(&self, report: &Report) -> bool {
        let terms = self.answers.get(&report.order_id).and_then(|of_order| of_order.terms);
        terms.is_some_and(|terms| report.venue_time_ns < terms.venue_time_ns)
    }

    /// Remembers an entry that has ended.
    pub(crate) fn note_entry(&mut self, entry: OrderIntent) {
        if self.entries.len() == ENDED_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Returns an entry with a bracket that has ended.
    pub(crate) fn entry(&self, order_id: OrderId) -> Option<OrderIntent> {
        self.entries.iter().rev().find(|entry| entry.order_id == order_id).copied()
    }

    /// Remembers an order that ended before it was sent.
    pub(crate) fn note_unsent(&mut self, order_id: OrderId) {
        if self.unsent.len() == ENDED_MAX {
            self.unsent.pop_front();
        }
        self.unsent.push_back(order_id);
    }

    /// Tells whether an order ended before it was sent.
    pub(crate) fn is_unsent(&self, order_id: OrderId) -> bool {
        self.unsent.contains(&order_id)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (order_id, name) in &self.oldest_first {
            out.extend_from_slice(&order_id.0.to_le_bytes());
            out.extend_from_slice(&name.len().to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            if let Some(Traded { price_ticks, lots }) = self.trade(*order_id, name) {
                out.extend_from_slice(&price_ticks.to_le_bytes());
                out.extend_from_slice(&lots.to_le_bytes());
            }
        }
        for Answers { last, terms } in self.answers.values() {
            for report in last.iter().chain(terms) {
                encode_report(out, 0, report);
            }
        }
        for order_id in self.entries.iter().map(|entry| entry.order_id).chain(self.unsent.iter().copied()) {
            out.extend_from_slice(&order_id.0.to_le_bytes());
        }
    }
}

/// Tells whether a report answers a request about an open order, or states its terms.
const fn is_answer(body: &ReportBody) -> bool {
    states_terms(body) || matches!(body, ReportBody::ReplaceRejected(_) | ReportBody::CancelRejected(_))
}

/// Tells whether a report states price and open size of an order.
const fn states_terms(body: &ReportBody) -> bool {
    matches!(body, ReportBody::Replaced { .. } | ReportBody::Restated { .. })
}
