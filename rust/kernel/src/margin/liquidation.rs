//! Positions whose margin is used up are closed by force.
//!
//! Judged after every event at the mark price, and inside a bar on the path that its orders see
//! ([`crate::margin_path`]). First the open orders are cancelled: those of the instrument (isolated) or all (cross). An isolated
//! position is closed at once; cross positions one after the other, the largest loss first, until the
//! account's equity is above the maintenance margin of what is left. Fills are at the price that was looked at;
//! a fee on what is closed goes to the venue, and a loss beyond the margin (isolated) or the whole account
//! (cross) is borne by its insurance fund, so that a liquidation never leaves a debt.

use tradecore_ledger::OrderState;
use tradecore_types::{
    AccountId, CancelReason, CashFlow, CashFlowKind, InstrumentId, Liquidation, Money, OrderId, OrderIntent,
    Rate, ReportBody, StrategyId,
};
use tradecore_venue::{forced_fill, liquidation_fee};

use crate::books::account::margin_mut;
use crate::calls::wake::WakeBody;
use crate::margin::{Margin, MarginMode, overflow, worth};
use crate::outgoing::schedule::Cancelling;
use crate::{Kernel, KernelError, VenueRequest};

/// What was found to be too little.
#[derive(Clone, Copy, Debug)]
struct Breach {
    equity: i128,
    maintenance: i128,
}

impl Kernel {
    /// Returns the margin of the account that trades an instrument; `None` where no instrument of it has rules.
    pub(crate) fn margin_for(&self, instrument: InstrumentId) -> Option<&Margin> {
        self.books.accounts.as_ref().and_then(|accounts| accounts.margin(self.account_of(instrument)))
    }

    /// Returns that margin to change it.
    pub(crate) fn margin_for_mut(&mut self, instrument: InstrumentId) -> Option<&mut Margin> {
        let account = self.account_of(instrument);
        margin_mut(&mut self.books.accounts, account)
    }

    /// Closes by force whatever does not have the margin it needs.
    pub(crate) fn enforce_margin(&mut self) -> Result<(), KernelError> {
        // A venue outside does so itself.
        if !self.config.destination.is_simulated() || self.books.ledger.held_positions().next().is_none() {
            return Ok(());
        }
        for account in self.config.account_ids() {
            self.enforce_margin_of(account)?;
        }
        debug_assert!(
            self.markets.iter().all(|market| matches!(self.isolated_breach(market.instrument.id), Ok(None))),
            "those that were not looked at have the margin they need",
        );
        Ok(())
    }

    /// Closes by force what does not have the margin it needs at one account: the others have nothing to do with it.
    fn enforce_margin_of(&mut self, account: AccountId) -> Result<(), KernelError> {
        let balance = self.books.ledger.balance_of(account).0;
        let Some(margin) = margin_mut(&mut self.books.accounts, account) else { return Ok(()) };
        margin.trim(balance);
        self.look_at_margin(account)?;
        self.enforce_isolated(account)?;
        if let Some(breach) = self.cross_breach(account)? {
            self.liquidate_cross(account, breach)?;
        }
        Ok(())
    }

    /// Judges the isolated positions that were looked at anew: the others stand as they stood.
    fn enforce_isolated(&mut self, account: AccountId) -> Result<(), KernelError> {
        let margin = margin_mut(&mut self.books.accounts, account);
        let taken = margin.map(|margin| std::mem::take(&mut margin.watch.changed));
        let Some(mut changed) = taken.filter(|changed| !changed.is_empty()) else { return Ok(()) };
        changed.sort_unstable();
        changed.dedup();
        for instrument in changed.drain(..) {
            if let Some(breach) = self.isolated_breach(instrument)? {
                self.liquidate_isolated(instrument, breach)?;
            }
        }
        if let Some(margin) = margin_mut(&mut self.books.accounts, account) {
            // Kept for its memory; what the liquidations changed is noted when it is looked at.
            margin.watch.changed = changed;
        }
        Ok(())
    }

    fn look_at_margin(&mut self, account: AccountId) -> Result<(), KernelError> {
        match margin_mut(&mut self.books.accounts, account) {
            Some(margin) => margin.look(&self.books.ledger, &self.books.marks),
            None => Ok(()),
        }
    }

    fn isolated_breach(&self, instrument: InstrumentId) -> Result<Option<Breach>, KernelError> {
        let margin = self.margin_for(instrument);
        let found = margin.and_then(|margin| margin.get(instrument)).zip(self.mark(instrument));
        let Some((margined, mark_ticks)) = found else { return Ok(None) };
        if margined.rule.mode != MarginMode::Isolated || self.books.ledger.position_total(instrument) == 0 {
            return Ok(None);
        }
        let (equity, maintenance) = margined.isolated(&self.books.ledger, mark_ticks)?;
        Ok((equity <= maintenance).then_some(Breach { equity, maintenance }))
    }

    fn cross_breach(&mut self, account: AccountId) -> Result<Option<Breach>, KernelError> {
        self.look_at_margin(account)?;
        let Some(margin) = self.books.margin_of(account) else { return Ok(None) };
        let (equity, maintenance) = margin.cross(self.books.ledger.balance_of(account).0)?;
        debug_assert_eq!(
            margin
                .standing(&self.books.ledger, &self.books.orders, |id| self.mark(id), None)
                .map_err(|_| ())
                .map(|standing| (standing.equity, standing.maintenance)),
            Ok((equity, maintenance)),
            "what is kept is what a look at everything finds",
        );
        let is_breached = maintenance > 0 && equity <= maintenance;
        Ok(is_breached.then_some(Breach { equity, maintenance }))
    }

    fn liquidate_isolated(&mut self, instrument: InstrumentId, breach: Breach) -> Result<(), KernelError> {
        self.cancel_for_margin(|its| its == instrument);
        let payer = self.main_holder(instrument);
        let fee = self.force_out(instrument, breach)?;
        // The margin pays the fee as far as it goes, and never turns negative.
        let fee = fee.min(breach.equity.max(0));
        self.flow(payer, instrument, CashFlowKind::LiquidationFee, -fee)?;
        self.flow(payer, instrument, CashFlowKind::Insurance, breach.equity.min(0).saturating_neg())
    }

    fn liquidate_cross(&mut self, account: AccountId, breach: Breach) -> Result<(), KernelError> {
        let its: Vec<InstrumentId> = self.instruments_of(account).collect();
        self.cancel_for_margin(|instrument| its.contains(&instrument));
        let mut breach = Some(breach);
        while let Some(found) = breach {
            let Some(instrument) = self.largest_loss(account)? else { break };
            let payer = self.main_holder(instrument);
            let fee = self.force_out(instrument, found)?;
            self.flow(payer, instrument, CashFlowKind::LiquidationFee, -fee)?;
            breach = self.cross_breach(account)?;
            if breach.is_none() {
                let margin = self.books.margin_of(account).ok_or_else(overflow)?;
                let standing =
                    margin.standing(&self.books.ledger, &self.books.orders, |id| self.mark(id), None)?;
                if standing.maintenance == 0 && standing.equity < 0 {
                    let missing = Money(standing.equity.saturating_neg());
                    let rate = margin.get(instrument).map_or(Rate::One, |known| known.instrument.rate);
                    let paid = rate.bought_with(missing).unwrap_or_default();
                    let is_short = rate.worth(paid).is_some_and(|worth| worth < missing);
                    let paid = paid.0.saturating_add(i128::from(is_short));
                    self.flow(payer, instrument, CashFlowKind::Insurance, paid)?;
                }
            }
        }
        Ok(())
    }

    /// Returns the cross position that has lost most, the first of equals.
    fn largest_loss(&self, account: AccountId) -> Result<Option<InstrumentId>, KernelError> {
        let Some(margin) = self.books.margin_of(account) else { return Ok(None) };
        let mut worst: Option<(i128, InstrumentId)> = None;
        for margined in margin.iter().filter(|known| known.rule.mode == MarginMode::Cross) {
            let id = margined.instrument.id;
            let lots = self.books.ledger.position_total(id);
            let is_open = self.books.ledger.size_total(id) != 0;
            let Some(mark_ticks) = self.mark(id).filter(|_| is_open) else { continue };
            let value = margined.instrument.value(mark_ticks, lots).ok_or_else(overflow)?;
            let profit =
                worth(&margined.instrument, value.0.checked_sub(self.books.ledger.cost_total(id).0))?;
            if worst.is_none_or(|known| profit < known.0) {
                worst = Some((profit, id));
            }
        }
        Ok(worst.map(|known| known.1))
    }

    /// Cancels open orders because the margin behind them is used up.
    ///
    /// The venue does that itself, so it takes no time on the way, and an order that is still on its way finds
    /// nothing that could carry it.
    fn cancel_for_margin(&mut self, is_meant: impl Fn(InstrumentId) -> bool) {
        let intents = self.books.orders.iter().map(|order| order.intent);
        let intents = intents.filter(|intent| is_meant(intent.instrument));
        let mut found: Vec<(OrderId, InstrumentId)> =
            intents.map(|intent| (intent.order_id, intent.instrument)).collect();
        found.sort_unstable();
        let reason = CancelReason::Liquidation;
        let mut requests: Vec<VenueRequest> = Vec::with_capacity(found.len());
        for (order_id, instrument) in found {
            if self.books.groups.is_dropped(order_id) {
                continue;
            }
            // Of one that is being cancelled already, the request is on its way.
            let is_asked =
                self.books.orders.get(order_id).is_some_and(|order| order.state == OrderState::PendingCancel);
            if !is_asked && !matches!(self.note_cancel(order_id, reason), Some(Cancelling::AtVenue(_))) {
                continue;
            }
            match self.outgoing.schedule.withdraw(order_id) {
                Some(order) => self.tell_held(&order, ReportBody::Canceled(reason)),
                None => requests.push(VenueRequest::Cancel { order_id, instrument, reason }),
            }
        }
        self.dispatch_first(requests.into_iter());
    }

    /// Returns the strategy that holds most of an instrument's position: fees and insurance are booked to it.
    fn main_holder(&self, instrument: InstrumentId) -> StrategyId {
        let sign = self.books.ledger.position_total(instrument).signum();
        let is_hedged = self.books.ledger.is_hedged(instrument);
        let held = |strategy: &StrategyId| {
            if is_hedged {
                self.books.ledger.legs(*strategy, instrument).size()
            } else {
                self.books.ledger.position(*strategy, instrument).saturating_mul(sign)
            }
        };
        let strategies = (0..self.config.strategies).map(StrategyId);
        // The first of equals: `max_by_key` would take the last.
        strategies.rev().max_by_key(held).unwrap_or(StrategyId(0))
    }

    /// Closes every strategy's position in an instrument at the mark price, ticket by ticket where it hedges; returns
    /// the fee that is due.
    fn force_out(&mut self, instrument: InstrumentId, breach: Breach) -> Result<i128, KernelError> {
        let closed_lots = self.books.ledger.size_total(instrument);
        let price_ticks = self.mark(instrument).ok_or_else(overflow)?;
        for strategy in (0..self.config.strategies).map(StrategyId) {
            if self.books.ledger.is_hedged(instrument) {
                for part in self.ticket_parts(strategy, instrument) {
                    self.force_close(strategy, instrument, part, (price_ticks, breach))?;
                }
            } else {
                let lots = self.books.ledger.position(strategy, instrument);
                self.force_close(strategy, instrument, (lots, None), (price_ticks, breach))?;
            }
        }
        let margin = self.margin_for(instrument);
        let margined = margin.and_then(|margin| margin.get(instrument)).ok_or_else(overflow)?;
        let notional = margined.instrument.notional(price_ticks, closed_lots).ok_or_else(overflow)?;
        liquidation_fee(notional, margined.rule.liquidation_fee_ppb).ok_or_else(overflow)
    }

    /// Closes signed lots of one strategy by force, those of a ticket where one is named, under an order number of
    /// their own.
    fn force_close(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        (lots, ticket): (i64, Option<OrderId>),
        (price_ticks, breach): (i64, Breach),
    ) -> Result<(), KernelError> {
        if lots == 0 {
            return Ok(());
        }
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(order_id, strategy, instrument, lots, ticket, self.now_ns);
        self.open_order(&intent, price_ticks)?;
        let (equity, maintenance) = (Money(breach.equity), Money(breach.maintenance));
        let liquidation =
            Liquidation { strategy, instrument, order_id, price_ticks, lots, equity, maintenance };
        self.recorder.liquidation(self.now_ns, &liquidation);
        self.wake(strategy, instrument, WakeBody::Liquidation(liquidation));
        let report = forced_fill(order_id, price_ticks, lots, self.now_ns);
        if self.market(instrument)?.venue.traits().reports_at_once {
            self.report_to_bars(instrument, report)
        } else {
            self.apply_report(instrument, &report)?;
            self.follow_reports()
        }
    }

    fn flow(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        kind: CashFlowKind,
        amount: i128,
    ) -> Result<(), KernelError> {
        let (time_ns, amount) = (self.now_ns, Money(amount));
        self.book_flow(&CashFlow { time_ns, strategy, instrument, kind, amount })
    }
}
