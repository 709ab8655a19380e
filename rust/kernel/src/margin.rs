//! Margin of derivatives: what positions and orders need, and what there is.

pub(crate) mod liquidation;
pub(crate) mod path;
pub(crate) mod watch;

use tradecore_ledger::{FillInput, Ledger, MarginSchedule, Orders};
use tradecore_risk::Stake;
use tradecore_types::{
    AccountId, CurrencyId, Instrument, InstrumentId, Money, Rate, Refusal, Rule, StrategyId, ValueError,
    share_of,
};

use crate::margin::watch::MarginWatch;
use crate::{Kernel, KernelConfig, KernelError, Leverage};

/// Whose money stands behind a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MarginMode {
    /// The whole account answers for every position.
    #[default]
    Cross,
    /// The margin that was set aside for it, and nothing else.
    Isolated,
}

/// The margin rules of one instrument.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct MarginRule {
    /// Whose money stands behind its position.
    pub mode: MarginMode,
    /// How much margin a position of what size needs.
    pub schedule: MarginSchedule,
    /// What a liquidation costs, in parts per billion of the notional that is closed.
    pub liquidation_fee_ppb: i64,
}

impl MarginRule {
    /// Checks what a liquidation costs.
    pub(crate) fn check(&self) -> Result<(), ValueError> {
        match self.liquidation_fee_ppb {
            0..=1_000_000_000 => Ok(()),
            fee => Err(ValueError::new("liquidation_fee_bps", fee, "must be from 0 to 10000")),
        }
    }
}

/// An instrument with its rules.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Margined {
    pub(crate) instrument: Instrument,
    pub(crate) rule: MarginRule,
    /// Margin set aside for its position, when it is isolated.
    pub(crate) set_aside: i128,
}

/// What stands behind cross positions, and what is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Balance and unrealised profit, without what is set aside and what isolated positions are up.
    pub(crate) equity: i128,
    /// Maintenance margin of all cross positions.
    pub(crate) maintenance: i128,
    /// Initial margin of positions and working orders, one instrument left out.
    pub(crate) used: i128,
}

/// The margin of a venue account.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Margin {
    pub(crate) account: AccountId,
    /// By instrument; `None` for what is paid in full.
    rules: Vec<Option<Margined>>,
    leverage: Leverage,
    /// Sum of what is set aside.
    set_aside: i128,
    pub(crate) watch: MarginWatch,
}

impl Margin {
    /// Makes the rules of an account; `None` when no instrument of it has any.
    pub(crate) fn of(config: &KernelConfig, instruments: &[Instrument], account: AccountId) -> Option<Self> {
        let mut rules = Vec::with_capacity(instruments.len());
        for (instrument, known) in instruments.iter().zip(&config.instruments) {
            let own = known.margin.clone().filter(|_| instrument.account() == account);
            let margined = own.map(|rule| {
                let instrument = instrument.clone();
                Margined { instrument, rule, set_aside: 0 }
            });
            rules.push(margined);
        }
        let has_any = rules.iter().any(Option::is_some);
        let (leverage, watch) = (config.leverage_of(account), MarginWatch::with_room(instruments.len()));
        has_any.then_some(Self { account, rules, leverage, set_aside: 0, watch })
    }

    /// Returns an instrument with its rules.
    pub(crate) fn get(&self, instrument: InstrumentId) -> Option<&Margined> {
        self.rules.get(instrument.index()).and_then(Option::as_ref)
    }

    /// Visits the instruments that have rules.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Margined> {
        self.rules.iter().flatten()
    }

    /// Says what a unit of a currency is worth from now on.
    pub(crate) fn set_rate(&mut self, currency: CurrencyId, rate: Rate) {
        for margined in self.rules.iter_mut().flatten() {
            if margined.instrument.currencies.settlement == currency {
                margined.instrument.rate = rate;
            }
        }
        self.watch.touch_all();
    }

    /// Sets margin aside for what a fill opened, and sets free that of what it closed, in proportion.
    pub(crate) fn note_fill(&mut self, fill: &FillInput, position_lots: i64) -> Result<(), KernelError> {
        let known = self.rules.get_mut(fill.instrument.index()).and_then(Option::as_mut);
        let Some(margined) = known.filter(|known| known.rule.mode == MarginMode::Isolated) else {
            return Ok(());
        };
        let set_aside_before = margined.set_aside;
        let before = position_lots.saturating_sub(fill.lots.saturating_mul(fill.side.sign()));
        margined.set_aside = margined.set_aside_after(fill.price_ticks, before, position_lots)?;
        let change = margined.set_aside.saturating_sub(set_aside_before);
        self.set_aside = self.set_aside.saturating_add(change);
        self.watch.touch_all();
        Ok(())
    }

    /// Takes back what is set aside beyond the balance: an account cannot put up what it does not have,
    /// because losses or funding have used it before a resting order filled.
    pub(crate) fn trim(&mut self, balance: i128) {
        let mut beyond = self.set_aside.saturating_sub(balance.max(0));
        if beyond <= 0 {
            return;
        }
        self.watch.touch_all();
        for known in self.rules.iter_mut().flatten() {
            let taken = beyond.clamp(0, known.set_aside.max(0));
            known.set_aside = known.set_aside.saturating_sub(taken);
            self.set_aside = self.set_aside.saturating_sub(taken);
            beyond = beyond.saturating_sub(taken);
        }
    }

    /// Adds to what is set aside for an isolated position, or takes from it.
    pub(crate) fn set_aside(&mut self, instrument: InstrumentId, amount: i128) {
        if let Some(margined) = self.rules.get_mut(instrument.index()).and_then(Option::as_mut) {
            margined.set_aside = margined.set_aside.saturating_add(amount);
            self.set_aside = self.set_aside.saturating_add(amount);
            self.watch.touch_all();
        }
    }

    /// Looks at every position whose price, size, cost or margin is another than when it was looked at last.
    pub(crate) fn look(&mut self, ledger: &Ledger, marks: &[Option<i64>]) -> Result<(), KernelError> {
        self.look_with(ledger, |id| marks.get(id.index()).copied().flatten())
    }

    /// Looks at them with these prices.
    pub(crate) fn look_with(
        &mut self,
        ledger: &Ledger,
        mark_of: impl Fn(InstrumentId) -> Option<i64>,
    ) -> Result<(), KernelError> {
        let Self { account, rules, watch, .. } = self;
        watch.look((ledger, *account), |id| (rules.get(id.index()).and_then(Option::as_ref), mark_of(id)))
    }

    /// Returns what stands behind the cross positions that were looked at, and the margin they need.
    pub(crate) fn cross(&self, balance: i128) -> Result<(i128, i128), KernelError> {
        let (profit, maintenance) = self.watch.sums();
        let equity = balance.checked_add(profit).and_then(|sum| sum.checked_sub(self.set_aside));
        Ok((equity.ok_or_else(overflow)?, maintenance))
    }

    /// Adds up what there is and what is in use; the use of the instrument `but` is left out.
    pub(crate) fn standing(
        &self,
        ledger: &Ledger,
        orders: &Orders,
        mark_of: impl Fn(InstrumentId) -> Option<i64>,
        but: Option<InstrumentId>,
    ) -> Result<Standing, KernelError> {
        let mut standing = Standing { equity: ledger.balance_of(self.account).0, ..Standing::default() };
        for held in ledger.held_positions_of(self.account) {
            let id = held.instrument.id;
            let margined = self.get(id);
            if margined.is_some_and(|known| known.rule.mode == MarginMode::Isolated) {
                continue;
            }
            let Some(mark_ticks) = mark_of(id) else { continue };
            let value = held.instrument.value(mark_ticks, held.lots).ok_or_else(overflow)?;
            let profit = worth(held.instrument, value.0.checked_sub(held.cost.0))?;
            standing.equity = standing.equity.checked_add(profit).ok_or_else(overflow)?;
            let notional = held.instrument.notional(mark_ticks, held.margin_lots).ok_or_else(overflow)?;
            match margined {
                Some(margined) => {
                    let asked = margined.rule.schedule.maintenance(notional).map(|money| money.0);
                    let asked = worth(held.instrument, asked)?;
                    standing.maintenance = standing.maintenance.checked_add(asked).ok_or_else(overflow)?;
                }
                None if but != Some(id) => {
                    let (whole, part) =
                        (i128::from(self.leverage.numerator), i128::from(self.leverage.denominator));
                    let used = worth(held.instrument, share_of(notional.0, part, whole))?;
                    standing.used = standing.used.saturating_add(used);
                }
                None => {}
            }
        }
        for margined in self.iter() {
            let id = margined.instrument.id;
            standing.equity = standing.equity.checked_sub(margined.set_aside).ok_or_else(overflow)?;
            let Some(mark_ticks) = mark_of(id).filter(|_| but != Some(id)) else { continue };
            let position = ledger.position_total(id);
            let worst = worst_of(ledger, orders, id);
            let used = worth_or_most(&margined.instrument, margined.needed(mark_ticks, position, worst)?);
            standing.used = standing.used.saturating_add(used);
        }
        Ok(standing)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for margined in self.iter() {
            out.extend_from_slice(&margined.set_aside.to_le_bytes());
        }
    }
}

impl Margined {
    /// Returns the initial margin of `lots` while `position` is held, beyond what is set aside for that.
    pub(crate) fn needed(&self, price_ticks: i64, position: i64, lots: i64) -> Result<i128, KernelError> {
        let initial = |lots: i64| {
            let notional = self.instrument.notional(price_ticks, lots)?;
            self.rule.schedule.initial(notional)
        };
        let whole = initial(lots).map_or(i128::MAX, |money| money.0);
        match self.rule.mode {
            MarginMode::Cross => Ok(whole),
            MarginMode::Isolated => {
                let own = initial(position).ok_or_else(overflow)?;
                Ok(whole.saturating_sub(own.0).max(0))
            }
        }
    }

    /// Returns what is set aside once a fill has changed an isolated position: more for what it opens, less in
    /// proportion for what it closes.
    pub(crate) fn set_aside_after(
        &self,
        price_ticks: i64,
        before: i64,
        after: i64,
    ) -> Result<i128, KernelError> {
        let is_turned = before.signum() != after.signum();
        let kept = if is_turned { 0 } else { before.saturating_abs().min(after.saturating_abs()) };
        let opened = after.saturating_abs().saturating_sub(kept);
        let left = if before == 0 {
            0
        } else {
            share_of(self.set_aside, i128::from(kept), i128::from(before).abs()).ok_or_else(overflow)?
        };
        if opened == 0 {
            return Ok(left);
        }
        let notional = self.instrument.notional(price_ticks, opened).ok_or_else(overflow)?;
        let initial = self.rule.schedule.initial(notional).ok_or_else(overflow)?;
        left.checked_add(initial.0).ok_or_else(overflow)
    }

    /// Returns what stands behind an isolated position and the maintenance margin it needs, at a price.
    pub(crate) fn isolated(&self, ledger: &Ledger, mark_ticks: i64) -> Result<(i128, i128), KernelError> {
        let id = self.instrument.id;
        let lots = ledger.position_total(id);
        let value = self.instrument.value(mark_ticks, lots).ok_or_else(overflow)?;
        let profit = value.0.checked_sub(ledger.cost_total(id).0).ok_or_else(overflow)?;
        let equity = self.set_aside.checked_add(profit).ok_or_else(overflow)?;
        let notional = self.instrument.notional(mark_ticks, lots).ok_or_else(overflow)?;
        let maintenance = self.rule.schedule.maintenance(notional).ok_or_else(overflow)?;
        Ok((equity, maintenance.0))
    }
}

/// Returns the largest position of all strategies that working orders can lead to; where positions hedge, the lots for
/// which margin is asked of what both sides can become.
fn worst_of(ledger: &Ledger, orders: &Orders, instrument: InstrumentId) -> i64 {
    let working = orders.working_total(instrument);
    if ledger.is_hedged(instrument) {
        return ledger.margin_after(instrument, working.buy_lots, working.sell_lots);
    }
    worst_lots(ledger.position_total(instrument), working.buy_lots, working.sell_lots)
}

/// Returns the largest position that working orders can lead to.
pub(crate) fn worst_lots(position: i64, buy_lots: i64, sell_lots: i64) -> i64 {
    let bought = position.saturating_add(buy_lots).saturating_abs();
    let sold = position.saturating_sub(sell_lots).saturating_abs();
    bought.max(sold).max(position.saturating_abs())
}

/// Judges whether the margin that is free carries an order: `after_lots` is the largest position it leads to.
///
/// The fee is in the settlement currency of the instrument, what stands behind it in the reporting one.
pub(crate) fn verdict(
    margined: &Margined,
    standing: Standing,
    price_ticks: i64,
    position: i64,
    after_lots: i64,
    fee: i128,
) -> Result<Result<(), Refusal>, KernelError> {
    let own = margined.needed(price_ticks, position, after_lots)?;
    let own = worth_or_most(&margined.instrument, own.saturating_add(fee.max(0)));
    let value = standing.used.saturating_add(own);
    if value > standing.equity {
        return Ok(Err(Refusal { rule: Rule::BuyingPower, limit: standing.equity, value }));
    }
    Ok(Ok(()))
}

/// Returns the notional that the free margin opens at the leverage of an instrument, in its settlement currency.
pub(crate) fn free_notional(margined: &Margined, standing: Standing, used_by_it: i128) -> i128 {
    let used = worth_or_most(&margined.instrument, used_by_it);
    let free = standing.equity.saturating_sub(standing.used).saturating_sub(used).max(0);
    let free = margined.instrument.rate.bought_with(Money(free)).unwrap_or_default();
    margined.rule.schedule.notional_of(free).0
}

/// Returns what an amount in the settlement currency of an instrument is worth to the account; as nothing counts what
/// has no price, of which there can be no position.
pub(crate) fn worth(instrument: &Instrument, amount: Option<i128>) -> Result<i128, KernelError> {
    let amount = amount.ok_or_else(overflow)?;
    match instrument.rate {
        Rate::One => Ok(amount),
        Rate::Missing => Ok(0),
        rate @ Rate::Of(_) => rate.worth(Money(amount)).map(|money| money.0).ok_or_else(overflow),
    }
}

/// Returns what a need is worth; one without a price, or that does not fit, is larger than anything.
pub(crate) fn worth_or_most(instrument: &Instrument, amount: i128) -> i128 {
    instrument.rate.worth(Money(amount)).map_or(i128::MAX, |money| money.0)
}

impl Kernel {
    /// Judges an order by the margin of its instrument, working orders included: `after` is the position it
    /// leads to on its side. `None` where there are no rules.
    pub(crate) fn margin_verdict(
        &self,
        instrument: InstrumentId,
        price_ticks: i64,
        stake: Stake,
        after: i64,
    ) -> Result<Option<Result<(), Refusal>>, KernelError> {
        let Some((margined, standing)) = self.margined(instrument)? else { return Ok(None) };
        let position = stake.position_lots;
        let worst = worst_lots(position, stake.working_buy_lots, stake.working_sell_lots);
        let worst = worst.max(after.saturating_abs());
        verdict(margined, standing, price_ticks, position, worst, 0).map(Some)
    }

    /// Returns the notional that the free margin opens in an instrument; `None` where there are no rules.
    pub(crate) fn margin_free(
        &self,
        instrument: InstrumentId,
        price_ticks: i64,
    ) -> Result<Option<i128>, KernelError> {
        let Some((margined, standing)) = self.margined(instrument)? else { return Ok(None) };
        let position = self.books.ledger.position_total(instrument);
        let worst = worst_of(&self.books.ledger, &self.books.orders, instrument);
        let used = margined.needed(price_ticks, position, worst)?;
        Ok(Some(free_notional(margined, standing, used)))
    }

    fn margined(&self, instrument: InstrumentId) -> Result<Option<(&Margined, Standing)>, KernelError> {
        let found = self.margin_for(instrument).and_then(|margin| Some((margin, margin.get(instrument)?)));
        let Some((margin, margined)) = found else { return Ok(None) };
        let mark_of = |id| self.mark(id);
        Ok(Some((
            margined,
            margin.standing(&self.books.ledger, &self.books.orders, mark_of, Some(instrument))?,
        )))
    }

    /// Moves money of the account to the margin of an isolated position, or back when it is negative.
    ///
    /// Refused when the account does not have it, when the position would have less than its initial margin,
    /// and where there is no isolated position.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when an amount does not fit 128 bits.
    pub fn adjust_margin(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        amount: Money,
    ) -> Result<Result<(), Refusal>, KernelError> {
        let unknown = Refusal { rule: Rule::InvalidOrder, limit: 1, value: 0 };
        let found = self.margined(instrument)?.zip(self.mark(instrument));
        let Some(((margined, standing), mark_ticks)) = found else { return Ok(Err(unknown)) };
        let lots = self.books.ledger.position_total(instrument);
        if margined.rule.mode != MarginMode::Isolated || lots == 0 {
            return Ok(Err(unknown));
        }
        let free = standing.equity.saturating_sub(standing.used);
        if amount.0 > free.max(0) {
            return Ok(Err(Refusal { rule: Rule::BuyingPower, limit: free, value: amount.0 }));
        }
        let (equity, _) = margined.isolated(&self.books.ledger, mark_ticks)?;
        let notional = margined.instrument.notional(mark_ticks, lots).ok_or_else(overflow)?;
        let initial = margined.rule.schedule.initial(notional).ok_or_else(overflow)?;
        let after = equity.saturating_add(amount.0);
        if amount.0 < 0 && (after < initial.0 || margined.set_aside.saturating_add(amount.0) < 0) {
            return Ok(Err(Refusal { rule: Rule::BuyingPower, limit: initial.0, value: after }));
        }
        if let Some(margin) = self.margin_for_mut(instrument) {
            margin.set_aside(instrument, amount.0);
        }
        self.recorder.margin(self.now_ns, strategy, instrument, amount);
        Ok(Ok(()))
    }

    /// Returns the margin set aside for the isolated position in an instrument.
    #[must_use]
    pub fn set_aside(&self, instrument: InstrumentId) -> Money {
        let margined = self.margin_for(instrument).and_then(|margin| margin.get(instrument));
        Money(margined.map_or(0, |known| known.set_aside))
    }
}

pub(crate) fn overflow() -> KernelError {
    KernelError::Broken("the margin of a position does not fit 128 bits of money".into())
}
