//! The account behind a venue that is bars: reports are applied the moment they are made.

use tradecore_matching::{BarAccount, FeeSchedule, OpenPosition, exit_intent};
use tradecore_risk::{ApprovedOrder, Exposure, InstrumentChecks, Proposal, Reference, Stake, Switches};
use tradecore_types::{
    AccountId, CurrencyId, Instrument, InstrumentId, Liquidity, Money, OrderId, OrderIntent, OrderKind,
    RejectReason, Report, Side, Size, StrategyId, TimeNs,
};

use crate::books::account::margin_mut;
use crate::books::buying_power::{self, cost_of};
use crate::books::owned::share_of_lots;
use crate::books::{Booking, Books};
use crate::calls::wake::{Hearing, Wake};
use crate::control::stops::{Place, Stops};
use crate::margin::path::Leg;
use crate::margin::{MarginMode, Margined, Standing, free_notional, verdict};
use crate::recorder::Recorder;
use crate::{KernelError, Leverage};

/// Everything of the kernel that one instrument's bars may touch.
pub(crate) struct BarDesk<'a> {
    pub(crate) instrument: &'a Instrument,
    pub(crate) checks: &'a InstrumentChecks,
    pub(crate) books: &'a mut Books,
    pub(crate) switches: Switches,
    pub(crate) stops: &'a Stops,
    pub(crate) recorder: &'a mut Recorder,
    pub(crate) wakes: &'a mut std::collections::VecDeque<Wake>,
    pub(crate) hearing: &'a [Hearing],
    pub(crate) last_order_id: &'a mut u64,
    pub(crate) leverage: Leverage,
    pub(crate) fees: FeeSchedule,
    /// The currency in which the venue takes them, where it is another one.
    pub(crate) fee_currency: Option<CurrencyId>,
    pub(crate) strategies: u16,
    /// Whether a venue's mark prices value positions, and not these bars.
    pub(crate) is_marked: bool,
    pub(crate) now_ns: TimeNs,
}

/// An order that closes the whole position of its strategy and opens the other side.
#[derive(Clone, Copy, Debug)]
struct Turn {
    strategy: StrategyId,
    side: Side,
    closing_lots: i64,
    opening_lots: i64,
    price_ticks: i64,
    mark_ticks: i64,
}

impl<'a> BarDesk<'a> {
    /// Returns the venue account of the instrument.
    const fn account(&self) -> AccountId {
        self.instrument.account()
    }

    /// Returns the margin rules of the instrument and how the account stands, positions in it valued at
    /// `mark_ticks`; `None` where there are no rules.
    fn margined(&self, mark_ticks: i64) -> Result<Option<(&Margined, Standing)>, KernelError> {
        let id = self.instrument.id;
        let margin = self.books.margin_of(self.account());
        let Some((margin, margined)) = margin.and_then(|margin| Some((margin, margin.get(id)?))) else {
            return Ok(None);
        };
        let mark_of = |of: InstrumentId| {
            if of == id { Some(mark_ticks) } else { self.books.marks.get(of.index()).copied().flatten() }
        };
        Ok(Some((margined, margin.standing(&self.books.ledger, &self.books.orders, mark_of, Some(id))?)))
    }

    /// Tells whether the margin that is free carries `lots` more of an order; `None` without margin rules.
    fn has_margin_for(
        &self,
        order: &ApprovedOrder,
        lots: i64,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> Result<Option<bool>, KernelError> {
        let Some((margined, standing)) = self.margined(mark_ticks)? else { return Ok(None) };
        let position = self.books.ledger.position_total(self.instrument.id);
        let change = lots.saturating_mul(order.intent().side.sign());
        let after = if self.instrument.is_hedged() {
            self.sides_after(order, lots)
        } else {
            position.saturating_add(change).saturating_abs()
        };
        let fee = self.fees.fee(self.instrument, price_ticks, lots, Liquidity::Taker);
        let fee = fee.map_or(i128::MAX, |money| money.0);
        verdict(margined, standing, price_ticks, position, after, fee).map(|verdict| Some(verdict.is_ok()))
    }

    /// Returns the lots for which margin is asked of both sides once so many lots of an order have filled.
    #[cold]
    fn sides_after(&self, order: &ApprovedOrder, lots: i64) -> i64 {
        let (buy_lots, sell_lots) = match order.intent().side {
            Side::Buy => (lots, 0),
            Side::Sell => (0, lots),
        };
        self.books.ledger.margin_after(self.instrument.id, buy_lots, sell_lots)
    }

    /// Returns the buying power not in use, positions valued at `mark_ticks`, in the settlement currency.
    fn free(&self, mark_ticks: i64) -> Result<i128, KernelError> {
        let id = self.instrument.id;
        if self.instrument.currencies.base.is_some() {
            return Ok(self.books.money_in(self.instrument.currencies.settlement).max(0));
        }
        if let Some((margined, standing)) = self.margined(mark_ticks)? {
            let size = self.books.ledger.margin_total(id);
            let used = margined.needed(mark_ticks, size, size)?;
            return Ok(free_notional(margined, standing, used));
        }
        let equity =
            self.books.ledger.equity_of(self.account(), &self.books.marks, Some((id, mark_ticks)))?;
        let held = match self.books.ledger.margin_total(id) {
            0 => 0,
            lots => self.instrument.reported_notional(mark_ticks, lots).map_or(i128::MAX, |money| money.0),
        };
        let power = buying_power::total(equity, self.leverage);
        let others_held = self.books.ledger.held_value_of(self.account(), &self.books.marks, Some(id)).0;
        let free = power.saturating_sub(held).saturating_sub(others_held).max(0);
        Ok(self.instrument.rate.bought_with(Money(free)).map_or(0, |money| money.0))
    }

    /// Tells whether a spot account can fill so many lots that open a position, and as many that close one; `None`
    /// where the instrument is no spot.
    fn owns(&self, side: Side, (closing_lots, opening_lots): (i64, i64), price_ticks: i64) -> Option<bool> {
        let base = self.instrument.currencies.base?;
        Some(match side {
            Side::Sell => opening_lots <= self.books.room_to_sell(self.instrument, base),
            Side::Buy => {
                let lots = closing_lots.checked_add(opening_lots)?;
                let cost = cost_of(self.instrument, &self.fees, price_ticks, lots);
                cost.is_some_and(|cost| cost <= self.books.money_in(self.instrument.currencies.settlement))
            }
        })
    }

    /// Tells whether an order that turns a position can be paid once it has closed that; `None` when a sum does not
    /// fit.
    fn affords(&self, turn: Turn) -> Option<bool> {
        let Turn { strategy, side, closing_lots, opening_lots, price_ticks, mark_ticks } = turn;
        let (id, instrument) = (self.instrument.id, self.instrument);
        if let Some(owns) = self.owns(side, (closing_lots, opening_lots), price_ticks) {
            return Some(owns);
        }
        let worth = |amount: i128| instrument.rate.worth(Money(amount)).map(|money| money.0);
        let fee = |lots| self.fees.fee(instrument, price_ticks, lots, Liquidity::Taker).map(|fee| fee.0);
        let total = self.books.ledger.position_total(id);
        // Of the position's sign.
        let closed = closing_lots.checked_mul(-side.sign())?;
        let left = total.checked_sub(closed)?;
        let closed_value = instrument.value(price_ticks, closed)?.0;
        let gain = closed_value
            .checked_sub(instrument.value(mark_ticks, closed)?.0)?
            .checked_sub(fee(closing_lots)?)?;
        let Some((margined, mut standing)) = self.margined(mark_ticks).ok()? else {
            let equity = self
                .books
                .ledger
                .equity_of(self.account(), &self.books.marks, Some((id, mark_ticks)))
                .ok()?
                .checked_add(Money(worth(gain)?))?;
            let held = instrument.reported_notional(mark_ticks, left)?.0;
            let others = self.books.ledger.held_value_of(self.account(), &self.books.marks, Some(id)).0;
            let unused = buying_power::total(equity, self.leverage).checked_sub(held)?.checked_sub(others)?;
            let needed =
                instrument.notional(price_ticks, opening_lots)?.0.checked_add(fee(opening_lots)?.max(0))?;
            return Some(worth(needed)? <= unused);
        };
        let freed = match margined.rule.mode {
            MarginMode::Cross => gain,
            // The profit of its strategy comes in. Its margin comes back, or, where it stood against others, there is
            // more to be set aside.
            MarginMode::Isolated => {
                let profit = self.books.ledger.unrealised_of(strategy, id, price_ticks)?.0;
                let set_aside = margined.set_aside_after(price_ticks, total, left).ok()?;
                let returned = margined.set_aside.checked_sub(set_aside)?;
                profit.checked_add(returned)?.checked_sub(fee(closing_lots)?)?
            }
        };
        standing.equity = standing.equity.checked_add(worth(freed)?)?;
        let after = left.checked_add(opening_lots.checked_mul(side.sign())?)?.checked_abs()?;
        verdict(margined, standing, price_ticks, left, after, fee(opening_lots)?)
            .ok()
            .map(|verdict| verdict.is_ok())
    }

    /// Puts an order under a new number into the books.
    fn open(&mut self, order: ApprovedOrder) -> Result<Option<ApprovedOrder>, KernelError> {
        let reference = self.books.marks.get(self.instrument.id.index()).copied().flatten();
        let at = self.booking();
        self.books.open(order.intent(), reference.unwrap_or(0), at, self.recorder)?;
        Ok(Some(order))
    }

    /// Where and when this account books.
    const fn booking(&self) -> Booking<'a> {
        Booking::new(self.instrument, self.now_ns).without_rests()
    }

    fn next_order_id(&mut self) -> OrderId {
        *self.last_order_id += 1;
        OrderId(*self.last_order_id)
    }

    /// Judges the size of an order that was approved as a share of buying power.
    fn judge_size(&mut self, order: &ApprovedOrder, lots: i64, price_ticks: i64) -> Result<(), RejectReason> {
        let intent = *order.intent();
        let id = self.instrument.id;
        let exposure = if self.instrument.is_hedged() {
            self.books.sides_without_orders(&intent)
        } else {
            let stake = |position_lots| Stake { position_lots, ..Stake::default() };
            Exposure {
                account: stake(self.books.ledger.position_total(id)),
                own: stake(self.books.ledger.position(intent.strategy, id)),
                open_orders: 0,
            }
        };
        let place = Place { strategy: intent.strategy, instrument: id, account: self.instrument.account() };
        let proposal = Proposal {
            intent: &intent,
            lots,
            instrument: self.instrument,
            reference: Reference { price_ticks: Some(price_ticks), ..Reference::default() },
            exposure,
            switches: if self.stops.is_empty() {
                self.switches
            } else {
                self.stops.with(self.switches, place)
            },
            is_amendment: false,
            filled_lots: 0,
        };
        let scopes = self.books.scopes.is_on().then_some(&self.books.scopes);
        match self.checks.size(order, &proposal, scopes) {
            Ok(_) => Ok(()),
            Err(refusal) => {
                self.books.counters.refusals += 1;
                self.books.activity.note_refusal(self.now_ns, &intent, &refusal);
                self.recorder.refused(self.now_ns, &intent, &refusal);
                Err(RejectReason::RiskRefused)
            }
        }
    }
}

impl BarAccount for BarDesk<'_> {
    type Error = KernelError;

    fn sized_lots(
        &mut self,
        order: &ApprovedOrder,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> Result<i64, RejectReason> {
        let Size::BuyingPowerPpm(ppm) = order.intent().size else { return Err(RejectReason::Unsupported) };
        let free = self.free(mark_ticks).map_err(|_| RejectReason::InsufficientMargin)?;
        let lots = match (self.instrument.currencies.base, order.intent().side) {
            (Some(base), Side::Sell) => share_of_lots(self.books.room_to_sell(self.instrument, base), ppm),
            _ => buying_power::lots(free, ppm, self.instrument, &self.fees, price_ticks),
        };
        if lots <= 0 {
            return Err(RejectReason::InsufficientMargin);
        }
        self.judge_size(order, lots, price_ticks)?;
        self.books.orders.set_size(order.intent().order_id, lots).map_err(|_| RejectReason::Unsupported)?;
        self.recorder.sized(self.now_ns, order.intent().order_id, lots);
        if self.books.scopes.is_on() {
            self.books.tell_changed(order.intent(), self.instrument);
        }
        Ok(lots)
    }

    fn can_afford(&self, order: &ApprovedOrder, lots: i64, price_ticks: i64, mark_ticks: i64) -> bool {
        if let Some(owns) = self.owns(order.intent().side, (0, lots), price_ticks) {
            return owns;
        }
        match self.has_margin_for(order, lots, price_ticks, mark_ticks) {
            Ok(None) => {}
            Ok(Some(is_enough)) => return is_enough,
            Err(_) => return false,
        }
        let carried = if self.instrument.is_hedged() {
            self.sides_after(order, lots).saturating_sub(self.books.ledger.margin_total(self.instrument.id))
        } else {
            lots
        };
        let needed = self.instrument.notional(price_ticks, carried).and_then(|notional| {
            let fee = self.fees.fee(self.instrument, price_ticks, lots, Liquidity::Taker)?;
            notional.checked_add(Money(fee.0.max(0)))
        });
        matches!((needed, self.free(mark_ticks)), (Some(needed), Ok(free)) if needed.0 <= free)
    }

    fn can_turn(
        &self,
        order: &ApprovedOrder,
        closing_lots: i64,
        opening_lots: i64,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> bool {
        let OrderIntent { strategy, side, .. } = *order.intent();
        let turn = Turn { strategy, side, closing_lots, opening_lots, price_ticks, mark_ticks };
        self.affords(turn).is_some_and(|affords| affords)
    }

    fn position(&self, strategy: StrategyId) -> i64 {
        if self.instrument.is_hedged() {
            // What names no ticket closes nothing.
            return 0;
        }
        self.books.ledger.position(strategy, self.instrument.id)
    }

    fn lots_of_entry(&self, strategy: StrategyId, entry: OrderId) -> i64 {
        self.books.ledger.lots_of_entry(strategy, self.instrument.id, entry)
    }

    fn open_positions(&self, into: &mut Vec<OpenPosition>) {
        for strategy in (0..self.strategies).map(StrategyId) {
            for lot in self.books.ledger.open_lots(strategy, self.instrument.id) {
                match into.last_mut() {
                    Some(last) if last.entry == lot.entry_order => last.lots += lot.lots,
                    _ => into.push(OpenPosition { strategy, entry: lot.entry_order, lots: lot.lots }),
                }
            }
        }
    }

    fn exit(
        &mut self,
        entry: &ApprovedOrder,
        kind: OrderKind,
        lots: i64,
    ) -> Result<Option<ApprovedOrder>, KernelError> {
        let order_id = self.next_order_id();
        let exit = exit_intent(entry.intent(), order_id, kind, lots, self.now_ns);
        match self.checks.approve_exit(entry.intent(), exit) {
            Some(order) => self.open(order),
            None => Err(KernelError::Broken("an exit that does not belong to its entry".into())),
        }
    }

    fn close(&mut self, position: OpenPosition) -> Result<Option<ApprovedOrder>, KernelError> {
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(
            order_id,
            position.strategy,
            self.instrument.id,
            position.lots,
            Some(position.entry),
            self.now_ns,
        );
        match self.checks.approve_flatten(&intent, position.lots) {
            Ok(order) => self.open(order),
            Err(refusal) => Err(KernelError::Broken(format!("a closing order was refused: {refusal}"))),
        }
    }

    fn is_margined(&self) -> bool {
        let margin = self.books.margin_of(self.account());
        !self.is_marked && margin.is_some_and(|margin| margin.get(self.instrument.id).is_some())
    }

    fn first_breach(&mut self, from_ticks: i64, to_ticks: i64) -> Result<Option<i64>, KernelError> {
        if self.is_marked {
            return Ok(None);
        }
        let account = self.account();
        match margin_mut(&mut self.books.accounts, account) {
            // It knows whether the instrument has rules.
            Some(margin) => {
                let leg = Leg { instrument: self.instrument.id, from_ticks, to_ticks };
                margin.first_breach(&self.books.ledger, &self.books.marks, leg)
            }
            None => Ok(None),
        }
    }

    fn next_cut(&mut self) -> Option<(OrderId, i64)> {
        loop {
            let cut = self.books.groups.next_cut()?;
            let order = self.books.orders.get(cut.order_id);
            if let Some(lots) = order.and_then(|order| self.books.groups.apply(cut, order)) {
                return Some((cut.order_id, lots));
            }
        }
    }

    fn put_off(&mut self, order_id: OrderId, lots: i64) {
        self.books.groups.put_off(order_id, lots);
    }

    fn report(&mut self, report: Report) -> Result<(), KernelError> {
        let report = match self.fee_currency {
            Some(currency) => self.books.with_fee_in(currency, self.instrument.id, report),
            None => report,
        };
        self.recorder.report(self.now_ns, &report);
        let outcome = self.books.book(&report, self.booking())?;
        let Some(booked) = outcome.simulated(&report)? else { return Ok(()) };
        if self.hearing.get(booked.strategy.index()).is_some_and(|hearing| hearing.is_about(&report)) {
            let (time_ns, strategy, instrument) = (self.now_ns, booked.strategy, self.instrument.id);
            self.wakes.push_back(Wake { time_ns, strategy, instrument, body: booked.told(&report) });
        }
        Ok(())
    }
}
