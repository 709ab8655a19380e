//! Everything that is put to risk about an order: what is at stake, what the account can pay, the verdict.

use tradecore_ledger::OpenOrder;
use tradecore_risk::{Approval, ApprovedOrder, Exposure, Proposal, Stake};
use tradecore_types::{AccountId, Instrument, Money, OrderId, OrderIntent, Refusal, Rule, Side};

use crate::books::buying_power;
use crate::gates::Occasion;
use crate::kernel::ENTRIES_MAX;
use crate::markets::market::Market;
use crate::{Kernel, KernelError};

/// Open orders at which a strategy's closing orders are refused: the rest is kept for what the engine
/// itself sends, which are exits of open entries and forced closes.
const CLOSING_MAX: usize = 2 * ENTRIES_MAX;

impl Kernel {
    /// Puts a request before the decision gates, then before risk; `replaced` is the order it takes the place of.
    ///
    /// Everything that may add risk comes here: new orders, amendments, what is armed and what grows.
    #[inline(never)]
    pub(crate) fn judge<'a>(
        &mut self,
        intent: &'a OrderIntent,
        lots: i64,
        replaced: Option<&OpenOrder>,
        occasion: Occasion,
    ) -> Result<Result<Approval<'a>, Refusal>, KernelError> {
        let exposure = self.exposure(intent, replaced);
        if self.control.consents.is_some() {
            let is_closing = exposure.own.is_closing(intent, lots);
            if let Err(refusal) = self.check_consented(intent, lots, occasion.kind, is_closing) {
                return Ok(Err(refusal));
            }
        }
        if self.gates.is_some() {
            return self.judge_gated(intent, lots, replaced, exposure, occasion);
        }
        self.judge_risk(intent, lots, replaced, exposure)
    }

    /// Puts an intent before every check that risk has.
    ///
    /// One that is closing passes room, countability and buying power too, whatever other strategies hold; it is
    /// then approved as reduce-only.
    pub(crate) fn judge_risk<'a>(
        &mut self,
        intent: &'a OrderIntent,
        lots: i64,
        replaced: Option<&OpenOrder>,
        exposure: Exposure,
    ) -> Result<Result<Approval<'a>, Refusal>, KernelError> {
        let only_closes = exposure.own.is_closing(intent, lots);
        let mut has_rates = true;
        if self.books.conversions.is_some() {
            match self.books.check_rates(intent.instrument) {
                Err(refusal) if !only_closes => return Ok(Err(refusal)),
                checked => has_rates = checked.is_ok(),
            }
        }
        let is_counted = match self.check_fits(intent, lots, exposure, replaced) {
            // An order that can only close is not counted, so it needs no room among those that are.
            Err(_) if only_closes && replaced.is_none() => {
                if let Err(refusal) = self.check_room(CLOSING_MAX) {
                    return Ok(Err(refusal));
                }
                false
            }
            Err(refusal) => return Ok(Err(refusal)),
            Ok(()) => true,
        };
        let Some(market) = self.markets.get(intent.instrument.index()) else {
            return Err(KernelError::Broken("an order for an instrument that is not in the table".into()));
        };
        let proposal = Proposal {
            intent,
            lots,
            instrument: &market.instrument,
            reference: market.reference(),
            exposure,
            switches: self.switches_for(intent.strategy, intent.instrument),
            is_amendment: replaced.is_some(),
            filled_lots: replaced.map_or(0, |order| order.filled_lots),
        };
        let scopes = self.books.scopes.is_on().then_some(&self.books.scopes);
        let approval = match market.checks.check(&proposal, scopes) {
            Ok(approval) => approval,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let is_affordable = match self.has_buying_power(intent, lots, exposure.account, replaced)? {
            Err(refusal) if !only_closes => return Ok(Err(refusal)),
            verdict => verdict.is_ok(),
        };
        let approval =
            if is_counted && is_affordable && has_rates { approval } else { approval.only_closing() };
        if let Some(market) = self.markets.get_mut(intent.instrument.index()) {
            let scopes = self.books.scopes.is_on().then_some(&mut self.books.scopes);
            market.checks.note(approval, replaced.is_some(), scopes);
        }
        if only_closes && self.books.scopes.is_on() {
            let account = self.account_of(intent.instrument);
            self.books.scopes.note_urgent(intent.strategy, account, self.now_ns);
        }
        Ok(Ok(approval))
    }

    /// Puts an exit of an order that has not filled yet before risk: it can only close what that one opens.
    pub(crate) fn judge_exit(
        &self,
        intent: &OrderIntent,
        lots: i64,
        entry: OrderId,
    ) -> Result<Result<ApprovedOrder, Refusal>, KernelError> {
        if let Err(refusal) = self.check_room(CLOSING_MAX) {
            return Ok(Err(refusal));
        }
        let Some(entry) = self.books.orders.get(entry) else {
            return Err(KernelError::Broken("an exit of an order that is not open".into()));
        };
        let entry_lots = entry.lots.unwrap_or(i64::MAX);
        let checks = &self.market(intent.instrument)?.checks;
        Ok(checks.check_exit(
            &entry.intent,
            entry_lots,
            intent,
            lots,
            self.switches_for(intent.strategy, intent.instrument),
        ))
    }

    /// Checks that an order, of any kind, fits among those that are open and counted.
    fn check_fits(
        &self,
        intent: &OrderIntent,
        lots: i64,
        exposure: Exposure,
        replaced: Option<&OpenOrder>,
    ) -> Result<(), Refusal> {
        match replaced {
            // What of it has filled counts towards its whole size.
            Some(order) => check_whole(order.filled_lots, lots)?,
            None => self.check_room(if intent.reduce_only { CLOSING_MAX } else { ENTRIES_MAX })?,
        }
        check_countable(intent, lots, exposure)
    }

    /// Checks that fewer than `orders_max` orders are open.
    fn check_room(&self, orders_max: usize) -> Result<(), Refusal> {
        let count = |orders: usize| i128::try_from(orders).unwrap_or(i128::MAX);
        let open = self.books.orders.len();
        if open < orders_max {
            return Ok(());
        }
        Err(Refusal { rule: Rule::OpenOrdersMax, limit: count(orders_max), value: count(open) + 1 })
    }

    /// Counts what is at stake in the instrument of an order, the order that it replaces left out.
    #[inline]
    pub(crate) fn exposure(&self, intent: &OrderIntent, replaced: Option<&OpenOrder>) -> Exposure {
        let (strategy, instrument) = (intent.strategy, intent.instrument);
        let mut account = self.books.orders.working_total(instrument);
        let mut own = self.books.orders.working(strategy, instrument);
        let replaced_lots = replaced.map_or(0, OpenOrder::lots_at_stake);
        account.open_orders = account.open_orders.saturating_sub(u32::from(replaced.is_some()));
        if replaced.is_some_and(|order| !order.only_closes()) {
            for working in [&mut account, &mut own] {
                let lots = match intent.side {
                    Side::Buy => &mut working.buy_lots,
                    Side::Sell => &mut working.sell_lots,
                };
                *lots = lots.saturating_sub(replaced_lots);
            }
        }
        if self.books.ledger.is_hedged(instrument) {
            return self.exposure_of_sides(intent, (own, account), replaced);
        }
        let mut own_stake = Stake {
            position_lots: self.books.ledger.position(strategy, instrument),
            hedge_lots: 0,
            working_buy_lots: own.buy_lots,
            working_sell_lots: own.sell_lots,
        };
        // What closing orders close already, no other order closes. An exit of a bracket is not among them,
        // and neither is it taken out of them.
        let is_counted = replaced.is_some_and(|order| order.intent.is_bound_to_position());
        let closing = self.closing_lots(intent);
        let closing = closing.saturating_sub(if is_counted { replaced_lots } else { 0 });
        match intent.side {
            Side::Buy => own_stake.working_buy_lots = own_stake.working_buy_lots.saturating_add(closing),
            Side::Sell => own_stake.working_sell_lots = own_stake.working_sell_lots.saturating_add(closing),
        }
        Exposure {
            account: Stake {
                position_lots: self.books.ledger.position_total(instrument),
                hedge_lots: 0,
                working_buy_lots: account.buy_lots,
                working_sell_lots: account.sell_lots,
            },
            own: own_stake,
            open_orders: account.open_orders,
        }
    }

    /// Tells whether the account can carry an order; some venues ask at the fill instead.
    fn has_buying_power(
        &self,
        intent: &OrderIntent,
        lots: i64,
        stake: Stake,
        replaced: Option<&OpenOrder>,
    ) -> Result<Result<(), Refusal>, KernelError> {
        let market = self.market(intent.instrument)?;
        if market.venue.traits().asks_buying_power_at_fill || intent.reduce_only {
            return Ok(Ok(()));
        }
        let price_ticks = intent.value_ticks(market.reference.map_or(0, |known| known.0));
        if self.books.conversions.is_some()
            && let Some(verdict) = self.check_spot((intent, lots), price_ticks, replaced)
        {
            return Ok(verdict);
        }
        let working_lots = stake.working_lots(intent.side);
        let mut position = stake.position_lots.saturating_mul(intent.side.sign());
        let mut after = position.saturating_add(working_lots).saturating_add(lots);
        if market.instrument.is_hedged() {
            (position, after) = sides_for_margin(&market.instrument, stake.with_order(intent.side, lots));
        }
        if after.unsigned_abs() <= position.unsigned_abs() {
            return Ok(Ok(()));
        }
        if self.has_margin
            && let Some(verdict) = self.margin_verdict(intent.instrument, price_ticks, stake, after)?
        {
            return Ok(verdict);
        }
        let needed =
            market.instrument.reported_notional(price_ticks, after).map_or(i128::MAX, |money| money.0);
        let account = market.instrument.account();
        let others = self.books.ledger.held_value_of(account, &self.books.marks, Some(intent.instrument)).0;
        let power = self.power(account)?;
        let needed = needed.saturating_add(others);
        if needed > power {
            return Ok(Err(Refusal { rule: Rule::BuyingPower, limit: power, value: needed }));
        }
        Ok(Ok(()))
    }

    /// Judges an order by what the account owns; `None` where its instrument is no spot.
    #[cold]
    fn check_spot(
        &self,
        order: (&OrderIntent, i64),
        price_ticks: i64,
        replaced: Option<&OpenOrder>,
    ) -> Option<Result<(), Refusal>> {
        let instrument = self.instrument(order.0.instrument)?;
        let base = instrument.currencies.base?;
        let fees = &self.venue_for(instrument.id).fees;
        Some(self.books.check_owned(order, (instrument, base), price_ticks, fees, replaced))
    }

    /// Returns how many lots a share of the free buying power pays for at the reference price, fee included: none
    /// before a price is known.
    pub(crate) fn affordable_lots(&self, market: &Market, ppm: i64) -> Result<i64, KernelError> {
        let Some((price_ticks, _)) = market.reference else { return Ok(0) };
        let (account, fees) = (market.instrument.account(), &self.venue_for(market.instrument.id).fees);
        if market.instrument.currencies.base.is_some() {
            let free = self.books.money_in(market.instrument.currencies.settlement);
            return Ok(buying_power::lots(free, ppm, &market.instrument, fees, price_ticks));
        }
        if self.has_margin
            && let Some(free) = self.margin_free(market.instrument.id, price_ticks)?
        {
            return Ok(buying_power::lots(free, ppm, &market.instrument, fees, price_ticks));
        }
        let held = self.books.ledger.held_value_of(account, &self.books.marks, None).0;
        let power = self.power(account)?;
        let free = market.instrument.rate.bought_with(Money(power.saturating_sub(held).max(0)));
        let free = free.map_or(0, |money| money.0);
        Ok(buying_power::lots(free, ppm, &market.instrument, fees, price_ticks))
    }

    /// Returns the buying power of a venue account, used or not.
    #[inline]
    fn power(&self, account: AccountId) -> Result<i128, KernelError> {
        let equity = self.books.ledger.equity_of(account, &self.books.marks, None)?;
        Ok(buying_power::total(equity, self.config.leverage_of(account)))
    }
}

/// Returns the lots for which margin is asked of sides that do not meet: now, and once all that works has filled.
#[cold]
fn sides_for_margin(instrument: &Instrument, stake: Stake) -> (i64, i64) {
    let lots = |(long, short)| instrument.hedged_margin.lots(long, short);
    (lots(stake.held_sides()), lots(stake.worst_sides()))
}

/// Refuses an amendment to an open size that cannot be counted with what has filled already.
fn check_whole(filled_lots: i64, lots: i64) -> Result<(), Refusal> {
    match filled_lots.checked_add(lots) {
        Some(_) => Ok(()),
        None => Err(uncountable(i128::from(filled_lots) + i128::from(lots))),
    }
}

/// Refuses an order whose lots, together with those that work already, cannot be counted.
fn check_countable(intent: &OrderIntent, lots: i64, exposure: Exposure) -> Result<(), Refusal> {
    let is_countable = [exposure.account, exposure.own]
        .into_iter()
        .all(|stake| stake.working_lots(intent.side).checked_add(lots).is_some());
    if is_countable {
        return Ok(());
    }
    Err(uncountable(i128::from(exposure.account.working_lots(intent.side)) + i128::from(lots)))
}

/// Refuses more lots than can be counted.
fn uncountable(value: i128) -> Refusal {
    Refusal { rule: Rule::PositionMax, limit: i128::from(i64::MAX), value }
}
