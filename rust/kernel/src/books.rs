//! The books of account: the one place where an order is opened, and the one where a report is booked.
//!
//! **Invariant:** what a report changes is changed here and in one order: life cycle, ledger, groups, account, scopes.
//! So whoever looks between two reports sees books that agree with each other.

pub(crate) mod account;
pub(crate) mod account_set;
pub(crate) mod activity;
pub(crate) mod adopting;
pub(crate) mod borrow;
pub(crate) mod buy_and_hold;
pub(crate) mod buying_power;
pub(crate) mod conversions;
pub(crate) mod converting;
pub(crate) mod counters;
pub(crate) mod equity;
pub(crate) mod heard;
pub(crate) mod holdings;
pub(crate) mod names;
pub(crate) mod opening;
pub(crate) mod outside;
pub(crate) mod owned;
pub(crate) mod owner;
pub(crate) mod reports;
pub(crate) mod revising;
pub(crate) mod scoping;
pub(crate) mod tickets;
pub(crate) mod trades;
pub(crate) mod unreconciled;
pub(crate) mod venue_accounts;

use tradecore_ledger::{Answer, FillInput, Fills, Ledger, OpenOrder, OrderError, Orders};
use tradecore_risk::Scopes;
use tradecore_types::{Instrument, OrderIntent, Report, Side, StrategyId, TimeNs};

use crate::books::account::Accounts;
use crate::books::activity::Activity;
use crate::books::conversions::Conversions;
use crate::books::equity::Curve;
use crate::books::heard::Heard;
use crate::books::owner::Owner;
use crate::calls::wake::{OrderUpdate, WakeBody};
use crate::groups::to_close::{Rest, Ties};
use crate::groups::{Groups, Told};
use crate::recorder::Recorder;
use crate::{Counters, KernelError};

/// What is open, what is owned, and what follows from both.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Books {
    pub(crate) orders: Orders,
    pub(crate) ledger: Ledger,
    /// Last price of every instrument: what positions are valued at.
    pub(crate) marks: Vec<Option<i64>>,
    /// Orders that depend on others.
    pub(crate) groups: Groups,
    /// Limits of strategies and of the account.
    pub(crate) scopes: Scopes,
    /// Fee tiers, interest and margin of the accounts, when there is any of it.
    pub(crate) accounts: Option<Box<Accounts>>,
    /// What the currencies are worth, when there are several.
    pub(crate) conversions: Option<Box<Conversions>>,
    pub(crate) counters: Counters,
    pub(crate) activity: Activity,
    /// What the order of the last report has left undone, until it is taken.
    pub(crate) rest: Option<Rest>,
    /// What a venue outside has said and may say again.
    pub(crate) heard: Heard,
    pub(crate) curve: Curve,
    /// When the account has something to do by itself or its equity is to be sampled; the end of time when never.
    pub(crate) clock_due_ns: TimeNs,
}

/// Where and when something is booked.
#[derive(Clone, Copy)]
pub(crate) struct Booking<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) now_ns: TimeNs,
    /// Whether the engine goes on with what a closing order leaves undone; bars do that themselves.
    pub(crate) keeps_rests: bool,
    /// What a fill of all that is open means while an amendment is under way.
    pub(crate) fills: Fills,
}

impl<'a> Booking<'a> {
    /// Booking at a venue that tells in order, where the engine goes on with what is left undone.
    pub(crate) const fn new(instrument: &'a Instrument, now_ns: TimeNs) -> Self {
        Self { instrument, now_ns, keeps_rests: true, fills: Fills::EndAlways }
    }

    /// The same where the venue does that itself.
    pub(crate) const fn without_rests(self) -> Self {
        Self { keeps_rests: false, ..self }
    }
}

/// What became of a report.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// It is booked.
    Booked(Booked),
    /// It answers a request about an order that had ended: nothing changes.
    TooLate,
    /// Its order had ended: nothing is changed, and only a fill is news.
    Ended,
    /// It cannot be true of the books: nothing is changed.
    Surprise(OrderError),
}

impl Outcome {
    /// Returns what a simulated venue's report changed: what surprises in it is a fault of ours.
    #[inline]
    pub(crate) fn simulated(self, report: &Report) -> Result<Option<Booked>, KernelError> {
        match self {
            Self::Booked(booked) => Ok(Some(booked)),
            Self::TooLate => Ok(None),
            Self::Ended => Err(OrderError::NotOpen { order_id: report.order_id }.into()),
            Self::Surprise(error) => Err(error.into()),
        }
    }
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

    /// Books a report.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when a promise is broken; what cannot be true of the books is no error but
    /// [`Outcome::Surprise`], of which nothing is booked.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "its answer is taken apart at once: else it is written and read back"
    )]
    pub(crate) fn book(&mut self, report: &Report, at: Booking<'_>) -> Result<Outcome, KernelError> {
        let update = match self.orders.apply_by(report, at.fills) {
            Answer::Applied(update) => update,
            Answer::TooLate => return Ok(Outcome::TooLate),
            Answer::Ended => return Ok(Outcome::Ended),
            Answer::Surprise(error) => return Ok(Outcome::Surprise(error)),
        };
        let (order, before) = (update.order, update.before);
        self.activity.note_report(order, report);
        let intent = &order.intent;
        let (mut opened_lots, mut reductions) = (0, [].as_slice());
        let fill = Owner::of(intent).fill(report);
        if let Some(fill) = &fill {
            self.counters.count_fill(report);
            let applied = self.ledger.apply_fill(fill)?;
            (opened_lots, reductions) = (applied.opened_lots, applied.reductions);
        }
        let mut booked = Booked {
            strategy: intent.strategy,
            side: intent.side,
            open_lots: order.open_lots(),
            has_filled: fill.is_some(),
            surplus_lots: if intent.reduce_only { opened_lots } else { 0 },
            ties: Ties::none(report.order_id),
        };
        if at.keeps_rests {
            self.rest = None;
            if Rest::may_be_left(order, before) && !self.groups.is_to_end(report.order_id) {
                self.rest = Rest::of(order, &report.body);
            }
        } else {
            reductions = &[];
        }
        if !self.groups.is_off() {
            booked.ties = self.groups.ties_of(report.order_id);
            self.rest = self.groups.note(&Told::new(order, report, opened_lots).with_rest(self.rest));
            for reduction in reductions {
                self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
            }
        }
        if fill.is_some() {
            self.ledger.check()?;
        }
        if self.accounts.is_some() || self.scopes.is_on() {
            let order = *order;
            self.follow(&order, fill.as_ref(), at)?;
        }
        Ok(Outcome::Booked(booked))
    }

    /// Tells whether the ledger has room for a fill of an order that is known; nothing is changed.
    pub(crate) fn fits(&mut self, report: &Report) -> bool {
        let open = self.orders.get(report.order_id).map(|order| Owner::of(&order.intent));
        let owner = open.or_else(|| self.orders.find_closed(report.order_id).map(Owner::of_closed));
        let fill = owner.and_then(|owner| owner.fill(report));
        fill.is_none_or(|fill| self.ledger.check_fill(&fill).is_ok())
    }

    /// Books lots that filled of an order after its end; `None` when the order is not remembered or it is no fill.
    ///
    /// They may be a part of a fill that is counted, so the caller counts them.
    pub(crate) fn book_late(
        &mut self,
        report: &Report,
        at: Booking<'_>,
    ) -> Result<Option<Booked>, KernelError> {
        let Some(order) = self.orders.find_closed(report.order_id).copied() else { return Ok(None) };
        let Some(fill) = Owner::of_closed(&order).fill(report) else { return Ok(None) };
        let opened_lots = self.book_fill(&fill, at)?;
        self.orders.fill_closed(report.order_id, fill.lots);
        Ok(Some(Booked {
            strategy: fill.strategy,
            side: fill.side,
            open_lots: 0,
            has_filled: true,
            surplus_lots: if order.reduce_only { opened_lots } else { 0 },
            ties: Ties::none(report.order_id),
        }))
    }

    /// Books a fill of an order that is not open here; returns the lots that it opened, signed.
    pub(crate) fn book_fill(&mut self, fill: &FillInput, at: Booking<'_>) -> Result<i64, KernelError> {
        let applied = self.ledger.apply_fill(fill)?;
        let opened_lots = applied.opened_lots;
        if !self.groups.is_off() {
            self.groups.grant_late(fill.order_id, opened_lots.saturating_abs());
            for reduction in applied.reductions {
                self.groups.note_reduction(reduction.entry_order, reduction.remaining_lots);
            }
        }
        self.ledger.check()?;
        if let Some(accounts) = &mut self.accounts {
            accounts.note_fill(at.now_ns, at.instrument, fill, &self.ledger)?;
        }
        if self.scopes.is_on() {
            self.tell_late_fill(at.instrument, fill, at.now_ns);
        }
        Ok(opened_lots)
    }

    /// Tells those who are switched on of a report that is booked: account and scopes.
    fn follow(
        &mut self,
        order: &OpenOrder,
        fill: Option<&FillInput>,
        at: Booking<'_>,
    ) -> Result<(), KernelError> {
        if let (Some(accounts), Some(fill)) = (&mut self.accounts, fill) {
            accounts.note_fill(at.now_ns, at.instrument, fill, &self.ledger)?;
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

/// Returns the ledger's view of a fill of an order.
pub(crate) const fn fill_of(intent: &OrderIntent, report: &Report) -> Option<FillInput> {
    Owner::of(intent).fill(report)
}
