//! The books of account: the one place where an order is opened, and the one where a report is booked.
//!
//! **Invariant:** what a report changes is changed here and in one order: life cycle, ledger, groups, account, scopes.
//! So whoever looks between two reports sees books that agree with each other.

use tradecore_ledger::{FillInput, Ledger, OpenOrder, Orders, Reduction};
use tradecore_risk::Scopes;
use tradecore_types::{Instrument, OrderIntent, Report, ReportBody, Side, StrategyId, TimeNs};

use crate::account::Account;
use crate::activity::Activity;
use crate::close_out::{Rest, Ties};
use crate::groups::{Groups, Told};
use crate::recorder::Recorder;
use crate::wake::{OrderUpdate, WakeBody};
use crate::{Counters, KernelError};

/// What is open, what is owned, and what follows from both.
pub(crate) struct Books {
    pub(crate) orders: Orders,
    pub(crate) ledger: Ledger,
    /// Last price of every instrument: what positions are valued at.
    pub(crate) marks: Vec<Option<i64>>,
    /// Orders that depend on others.
    pub(crate) groups: Groups,
    /// Limits of strategies and of the account.
    pub(crate) scopes: Scopes,
    /// Fee tier, interest and margin of the account, when there is any of it.
    pub(crate) account: Option<Box<Account>>,
    pub(crate) counters: Counters,
    pub(crate) activity: Activity,
}

/// Where and when something is booked.
#[derive(Clone, Copy)]
pub(crate) struct Booking<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) now_ns: TimeNs,
    /// Whether the engine goes on with what a closing order leaves undone; bars do that themselves.
    pub(crate) keeps_rests: bool,
}

/// What a report changed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booked {
    pub(crate) strategy: StrategyId,
    pub(crate) side: Side,
    /// What is still open of the order.
    pub(crate) open_lots: i64,
    /// Whether it is a fill.
    pub(crate) has_filled: bool,
    /// Signed lots that the fill of a reduce-only order opened; 0 when there are none.
    pub(crate) surplus_lots: i64,
    /// What a closing order has left undone.
    pub(crate) rest: Option<Rest>,
    /// What the order depended on before the report.
    pub(crate) ties: Ties,
}

impl Books {
    /// Opens an order that risk approved: it is in the journal, counts as working, and its scopes know of it.
    pub(crate) fn open(
        &mut self,
        intent: &OrderIntent,
        reference_ticks: i64,
        at: Booking<'_>,
        recorder: &mut Recorder,
    ) -> Result<(), KernelError> {
        self.orders.add(intent)?;
        self.counters.orders += 1;
        recorder.order(at.now_ns, intent, reference_ticks);
        if self.scopes.is_on() {
            self.tell_opened(intent, at.instrument);
        }
        Ok(())
    }

    /// Books a report; `None` when it is an answer that came after the end of its order and changes nothing.
    #[inline]
    pub(crate) fn book(&mut self, report: &Report, at: Booking<'_>) -> Result<Option<Booked>, KernelError> {
        let Some(update) = self.orders.apply(report)? else { return Ok(None) };
        let (order, before) = (update.order, update.before);
        self.activity.note_report(order, report);
        let intent = &order.intent;
        let (mut opened_lots, mut reductions) = (0, [].as_slice());
        let fill = fill_of(intent, report);
        if let Some(fill) = &fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(*fill)?;
            (opened_lots, reductions) = (applied.opened_lots, applied.reductions);
        }
        let mut booked = Booked {
            strategy: intent.strategy,
            side: intent.side,
            open_lots: order.open_lots(),
            has_filled: fill.is_some(),
            surplus_lots: if intent.reduce_only { opened_lots } else { 0 },
            rest: None,
            ties: Ties::none(report.order_id),
        };
        if at.keeps_rests {
            booked.rest = Rest::of(order, before, &report.body);
        } else {
            reductions = &[];
        }
        if !self.groups.is_off() {
            note_groups(&mut self.groups, &mut booked, Told::new(order, report, opened_lots), reductions);
        }
        if fill.is_some() {
            self.ledger.check()?;
        }
        if self.account.is_some() || self.scopes.is_on() {
            let order = *order;
            self.follow(&order, report, fill.as_ref(), at)?;
        }
        Ok(Some(booked))
    }

    /// Tells those who are switched on of a report that is booked: account and scopes.
    fn follow(
        &mut self,
        order: &OpenOrder,
        report: &Report,
        fill: Option<&FillInput>,
        at: Booking<'_>,
    ) -> Result<(), KernelError> {
        if let (Some(account), Some(_)) = (&mut self.account, fill) {
            account.note_fill(at.now_ns, at.instrument, &order.intent, report, &self.ledger)?;
        }
        if self.scopes.is_on() {
            self.tell_report(order, at.instrument, fill, at.now_ns);
        }
        Ok(())
    }
}

impl Booked {
    /// What its strategy is told.
    pub(crate) const fn told(&self, report: &Report) -> WakeBody {
        WakeBody::Order(OrderUpdate {
            order_id: report.order_id,
            side: self.side,
            open_lots: self.open_lots,
            report: *report,
        })
    }
}

/// Tells the orders that depend on this one, which may have left its rest to them.
fn note_groups(groups: &mut Groups, booked: &mut Booked, told: Told<'_>, reductions: &[Reduction]) {
    booked.ties = groups.ties_of(booked.ties.line);
    booked.rest = groups.note(&told.with_rest(booked.rest));
    for reduction in reductions {
        groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
    }
}

/// Returns the ledger's view of a fill.
fn fill_of(intent: &OrderIntent, report: &Report) -> Option<FillInput> {
    let ReportBody::Fill { price_ticks, lots, fee, .. } = report.body else { return None };
    Some(FillInput {
        order_id: report.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        price_ticks,
        lots,
        fee,
        venue_time_ns: report.venue_time_ns,
        closes: intent.closes,
    })
}
