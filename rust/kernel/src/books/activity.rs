//! What became of the orders that each strategy asked for, and what the decision gates said to them.
//!
//! This is for people who ask why a run has no trades. It decides nothing, so it is no part of the engine's state
//! and of no journal: a replay counts the same.

use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{
    CancelReason, InstrumentId, OrderIntent, Refusal, RejectReason, Report, ReportBody, Rule, StrategyId,
    TimeNs,
};

/// What became of the orders of one strategy; those that are still open are not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OrderCounts {
    /// Orders that were filled whole, and not in part only.
    pub filled: u64,
    /// Those that ended, in whatever way, with a part of them filled.
    pub part_filled: u64,
    /// Those whose time ran out, unfilled or in part.
    pub expired: u64,
    canceled: [u64; CancelReason::CODES],
    rejected: [u64; RejectReason::CODES],
    refused: Vec<RefusalCount>,
}

/// How often one rule refused a strategy, and the first time that it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefusalCount {
    /// How often it did, for whatever order.
    pub count: u64,
    /// When it did for the first time.
    pub first_ns: TimeNs,
    /// Instrument of the first order that it refused.
    pub instrument: InstrumentId,
    /// What it said to that one: rule, limit and value.
    pub first: Refusal,
}

/// How often a decision gate was asked, and how often it said no.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GateCount {
    /// Its name; empty before it was asked.
    pub gate: String,
    /// How often it was asked about a request that adds risk.
    pub asked: u64,
    /// How often it said no to one.
    pub refused: u64,
    /// Time, limit and value of the first no.
    pub first: Option<(TimeNs, f64, f64)>,
}

/// What became of the orders of all strategies.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Activity {
    by_strategy: Vec<OrderCounts>,
}

impl OrderCounts {
    /// Visits the reasons for which orders were cancelled, with how many.
    pub fn canceled(&self) -> impl Iterator<Item = (CancelReason, u64)> {
        let count = |reason: CancelReason| self.canceled.get(usize::from(reason.code())).copied();
        let all = CancelReason::ALL.into_iter();
        all.map(move |reason| (reason, count(reason).unwrap_or(0))).filter(|found| found.1 > 0)
    }

    /// Visits the reasons for which a venue did not take orders, with how many.
    pub fn rejected(&self) -> impl Iterator<Item = (RejectReason, u64)> {
        let count = |reason: RejectReason| self.rejected.get(usize::from(reason.code())).copied();
        let all = RejectReason::ALL.into_iter();
        all.map(move |reason| (reason, count(reason).unwrap_or(0))).filter(|found| found.1 > 0)
    }

    /// Returns the rules that refused something, in the order in which they first did.
    #[must_use]
    pub fn refused(&self) -> &[RefusalCount] {
        &self.refused
    }

    fn of_rule(&mut self, rule: Rule) -> Option<&mut RefusalCount> {
        self.refused.iter_mut().find(|known| known.first.rule == rule)
    }
}

impl Activity {
    /// Starts with nothing for so many strategies.
    pub(crate) fn new(strategies: usize) -> Self {
        Self { by_strategy: vec![OrderCounts::default(); strategies] }
    }

    /// Returns what became of the orders of a strategy.
    pub(crate) fn of(&self, strategy: StrategyId) -> Option<&OrderCounts> {
        self.by_strategy.get(strategy.index())
    }

    /// Counts an order if this report has ended it; `order` is as it is after the report.
    #[inline]
    pub(crate) fn note_report(&mut self, order: &OpenOrder, report: &Report) {
        if order.state.is_terminal() {
            self.note_end(order, report);
        }
    }

    fn note_end(&mut self, order: &OpenOrder, report: &Report) {
        let Some(counts) = self.by_strategy.get_mut(order.intent.strategy.index()) else { return };
        if order.state == OrderState::Filled {
            counts.filled += 1;
            return;
        }
        counts.part_filled += u64::from(order.filled_lots > 0);
        let ended = match report.body {
            ReportBody::Canceled(reason) => counts.canceled.get_mut(usize::from(reason.code())),
            ReportBody::Rejected(reason) => counts.rejected.get_mut(usize::from(reason.code())),
            _ => Some(&mut counts.expired),
        };
        if let Some(ended) = ended {
            *ended += 1;
        }
    }

    /// Counts a refusal.
    pub(crate) fn note_refusal(&mut self, time_ns: TimeNs, intent: &OrderIntent, refusal: &Refusal) {
        let Some(counts) = self.by_strategy.get_mut(intent.strategy.index()) else { return };
        match counts.of_rule(refusal.rule) {
            Some(known) => known.count += 1,
            None => counts.refused.push(RefusalCount {
                count: 1,
                first_ns: time_ns,
                instrument: intent.instrument,
                first: *refusal,
            }),
        }
    }
}

impl GateCount {
    /// Counts what a gate said to a request that adds risk.
    pub(crate) fn note(&mut self, time_ns: TimeNs, gate: &str, limit: f64, value: f64, passed: bool) {
        if self.asked == 0 {
            gate.clone_into(&mut self.gate);
        }
        self.asked += 1;
        if !passed {
            self.refused += 1;
            self.first.get_or_insert((time_ns, limit, value));
        }
    }
}

/// Which kinds of market data an instrument has had so far.
#[expect(clippy::struct_excessive_bools, reason = "four answers that have nothing to do with each other")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Bars were given as input.
    pub bars: bool,
    /// Quotes of best bid and ask came.
    pub quotes: bool,
    /// Trades between others came.
    pub trades: bool,
    /// Messages about the order book came.
    pub books: bool,
}
