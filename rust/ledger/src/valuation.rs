//! What the account is worth, and whether its promises hold.

use tradecore_types::{CurrencyId, Instrument, InstrumentId, Money, Rate, StrategyId};

use crate::accounts::Accounts;
use crate::error::must_equal;
use crate::ledger::Total;
use crate::{BrokenInvariant, Ledger, LedgerError};

/// The position of an account in one instrument.
#[derive(Clone, Copy, Debug)]
pub struct HeldPosition<'a> {
    /// The instrument that is held.
    pub instrument: &'a Instrument,
    /// Size, short is negative; 0 when the positions of strategies cancel out.
    pub lots: i64,
    /// Lots for which margin is asked, never negative, as [`Ledger::margin_total`] counts them.
    pub margin_lots: i64,
    /// What the open lots cost in the settlement currency of the instrument, signed.
    pub cost: Money,
}

impl Ledger {
    /// Returns the money at hand in the currency in which the account reports, positions paid in full (a short
    /// position adds what it sold for). Money in another currency counts at its price, and as nothing without one.
    #[must_use]
    #[inline]
    pub fn cash(&self) -> Money {
        self.with_purses(Accounts::cash)
    }

    #[inline]
    fn with_purses(&self, of: impl Fn(&Accounts) -> Money) -> Money {
        let own = of(&self.accounts);
        if self.has_currencies() { Money(own.0.saturating_add(self.in_purses(of))) } else { own }
    }

    /// Returns the settled balance: opening + realised - fees + cash flows, as a margin account shows it.
    #[must_use]
    pub fn balance(&self) -> Money {
        self.with_purses(|accounts| Money(accounts.cash().0.saturating_add(accounts.inventory().0)))
    }

    /// Returns what the open lots cost.
    #[must_use]
    pub fn inventory(&self) -> Money {
        self.with_purses(Accounts::inventory)
    }

    /// Returns the profit of all closed lots, before fees.
    #[must_use]
    pub fn realised(&self) -> Money {
        self.with_purses(Accounts::realised)
    }

    /// Returns the fees paid; negative when the rebates were more.
    #[must_use]
    pub fn fees(&self) -> Money {
        self.with_purses(Accounts::fees)
    }

    /// Returns what the owner has brought in all: what the account was opened with, and transfers since.
    #[must_use]
    pub fn opening(&self) -> Money {
        self.with_purses(Accounts::opening)
    }

    /// Returns the result that was carried over from the account before, and the corrections since.
    #[must_use]
    pub fn adjusted(&self) -> Money {
        let own = self.flows.as_ref().map_or(0, |flows| flows.adjusted);
        Money(own.saturating_add(self.adjusted_in_purses()))
    }

    /// Returns the profit of all open lots at these prices, by instrument; an instrument without a
    /// price counts at cost.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when the value does not fit.
    pub fn unrealised(&self, marks: &[Option<i64>]) -> Result<Money, LedgerError> {
        self.unrealised_by(|index| marks.get(index).copied().flatten())
    }

    fn unrealised_by(&self, mark_of: impl Fn(usize) -> Option<i64>) -> Result<Money, LedgerError> {
        self.unrealised_where(|_| true, mark_of)
    }

    /// Adds up the profit of the open lots in the instruments that are meant.
    #[inline]
    pub(crate) fn unrealised_where(
        &self,
        is_meant: impl Fn(&Instrument) -> bool,
        mark_of: impl Fn(usize) -> Option<i64>,
    ) -> Result<Money, LedgerError> {
        let mut sum: i128 = 0;
        for (index, instrument, total) in self.held().filter(|(_, instrument, _)| is_meant(instrument)) {
            if let Some(ticks) = mark_of(index) {
                let value = instrument.value(ticks, total.position).ok_or(VALUE)?;
                let profit = value.checked_sub(Money(total.cost)).ok_or(VALUE)?;
                sum = sum.checked_add(reported(instrument, profit)?.0).ok_or(VALUE)?;
            }
        }
        Ok(Money(sum))
    }

    /// Visits the positions of the account, those of all strategies together, by rising instrument id.
    pub fn held_positions(&self) -> impl Iterator<Item = HeldPosition<'_>> {
        self.held.iter().filter_map(|&index| self.held_position(self.instruments.get(index)?.id))
    }

    /// Returns the position of the account in an instrument; `None` when there is nothing to value.
    #[must_use]
    pub fn held_position(&self, instrument: InstrumentId) -> Option<HeldPosition<'_>> {
        let index = instrument.index();
        let total = self.totals.get(index).filter(|total| total.is_held() || self.is_held(index))?;
        let margin_lots = self.margin_total(instrument);
        let instrument = self.instruments.get(index)?;
        Some(HeldPosition { instrument, lots: total.position, margin_lots, cost: Money(total.cost) })
    }

    /// Returns what all open lots in an instrument cost, signed.
    #[must_use]
    pub fn cost_total(&self, instrument: InstrumentId) -> Money {
        Money(self.totals.get(instrument.index()).map_or(0, |total| total.cost))
    }

    /// Visits the instruments in which there are lots to value, by rising id.
    fn held(&self) -> impl Iterator<Item = (usize, &Instrument, &Total)> {
        self.held
            .iter()
            .filter_map(|&index| Some((index, self.instruments.get(index)?, self.totals.get(index)?)))
    }

    /// Returns what the account is worth at these prices: balance + unrealised profit.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when the value does not fit.
    pub fn equity(&self, marks: &[Option<i64>]) -> Result<Money, LedgerError> {
        self.balance().checked_add(self.unrealised(marks)?).ok_or(VALUE)
    }

    /// Returns what the account is worth at these prices but for one, in ticks, of an instrument.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when the value does not fit.
    pub fn equity_at(
        &self,
        marks: &[Option<i64>],
        instrument: InstrumentId,
        mark_ticks: i64,
    ) -> Result<Money, LedgerError> {
        let is_it = |index| index == instrument.index();
        let mark_of =
            |index| if is_it(index) { Some(mark_ticks) } else { marks.get(index).copied().flatten() };
        self.balance().checked_add(self.unrealised_by(mark_of)?).ok_or(VALUE)
    }

    /// Returns the value of every position at these prices, long and short alike, one instrument left
    /// out; a value that does not fit counts as the largest, a position without a price as nothing.
    ///
    /// Takes time by the number of positions, not of instruments.
    #[must_use]
    pub fn held_value(&self, marks: &[Option<i64>], but: Option<InstrumentId>) -> Money {
        self.held_value_where(|_| true, marks, but)
    }

    /// Adds up the value of the positions in the instruments that are meant.
    #[inline]
    pub(crate) fn held_value_where(
        &self,
        is_meant: impl Fn(&Instrument) -> bool,
        marks: &[Option<i64>],
        but: Option<InstrumentId>,
    ) -> Money {
        let value = |(index, instrument, total): (usize, &Instrument, &Total)| match marks
            .get(index)
            .copied()
            .flatten()
        {
            Some(ticks) if but.is_none_or(|but| but.index() != index) => {
                let lots = self.margin_lots(instrument.id, total.position);
                instrument.reported_notional(ticks, lots).map_or(i128::MAX, |money| money.0)
            }
            _ => 0,
        };
        let held = self.held().filter(|(_, instrument, _)| is_meant(instrument));
        Money(held.map(value).fold(0, i128::saturating_add))
    }

    /// Returns what one strategy's open lots in an instrument cost, signed.
    #[must_use]
    pub fn cost(&self, strategy: StrategyId, instrument: InstrumentId) -> Money {
        Money(self.holding(strategy, instrument).map_or(0, |holding| holding.cost))
    }

    /// Returns the size of all positions in money at these prices, long and short added, each
    /// strategy for itself: what margin is asked for. A position without a price counts at cost.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when the value does not fit.
    pub fn gross(&self, marks: &[Option<i64>]) -> Result<Money, LedgerError> {
        let mut sum: i128 = 0;
        for of_strategy in self.holdings.chunks(self.instruments.len().max(1)) {
            for (index, holding) in of_strategy.iter().enumerate().filter(|(_, held)| held.position != 0) {
                let mark = marks.get(index).copied().flatten();
                let value = match (mark, self.instruments.get(index)) {
                    (Some(ticks), Some(instrument)) => {
                        instrument.value(ticks, holding.position).ok_or(VALUE)?.0
                    }
                    _ => holding.cost,
                };
                let size = value.checked_abs().ok_or(VALUE)?;
                let size = match self.instruments.get(index) {
                    Some(instrument) => reported(instrument, Money(size))?.0,
                    None => size,
                };
                sum = sum.checked_add(size).ok_or(VALUE)?;
            }
        }
        Ok(Money(sum))
    }

    /// Checks the promises a fill could have broken: the position it touched against the sum of
    /// fills and the sum of lots, and all accounts. Takes a few nanoseconds.
    ///
    /// # Errors
    ///
    /// [`BrokenInvariant`] names the promise and both sides.
    pub fn check(&self) -> Result<(), BrokenInvariant> {
        if let Some(held) = self.holdings.get(self.last_slot) {
            let position = i128::from(held.position);
            must_equal("the position is the sum of fills", position, held.bought - held.sold)?;
            must_equal("the position is the sum of lots", position, held.lots)?;
            if self.hedges.is_some() {
                self.check_legs_of(self.last_slot, held)?;
            }
        }
        if let Some(flows) = &self.flows {
            flows.check(self.accounts.flows())?;
        }
        if self.has_currencies() {
            self.check_purses()?;
        }
        self.accounts.check(self.cost)
    }

    /// Checks everything from the lots up: walks every lot and every position.
    ///
    /// # Errors
    ///
    /// [`BrokenInvariant`] names the promise and both sides.
    pub fn audit(&self) -> Result<(), BrokenInvariant> {
        let (mut cost, mut positions) = (0, vec![0; self.totals.len()]);
        for of_strategy in self.holdings.chunks(self.instruments.len().max(1)) {
            for (held, sum) in of_strategy.iter().zip(&mut positions) {
                let position = i128::from(held.position);
                let (lots, lots_cost) = self
                    .lots
                    .iter(held.queue)
                    .fold((0, 0), |(lots, cost), lot| (lots + i128::from(lot.lots), cost + lot.value));
                must_equal("the position is the sum of fills", position, held.bought - held.sold)?;
                must_equal("the position is the sum of its lots", position, lots)?;
                if self.lots.is_average() {
                    Self::audit_average(held, lots_cost)?;
                } else {
                    must_equal("the cost of a position is that of its lots", held.cost, lots_cost)?;
                }
                cost += held.cost;
                *sum += position;
            }
        }
        for (total, sum) in self.totals.iter().zip(positions) {
            must_equal("the total position is the sum of positions", i128::from(total.position), sum)?;
        }
        for (index, total) in self.totals.iter().enumerate() {
            let is_held = self.held.binary_search(&index).is_ok();
            let has_lots = total.is_held() || self.is_held(index);
            must_equal("held is what has lots to value", i128::from(is_held), i128::from(has_lots))?;
        }
        let costs: i128 = self.totals.iter().map(|total| total.cost).sum();
        must_equal("the total cost is the sum of costs", costs, cost)?;
        let is_reported = |known: &Instrument| known.currencies.settlement == CurrencyId::REPORTING;
        let reported = self.instruments.iter().zip(&self.totals).filter(|(known, _)| is_reported(known));
        self.accounts.check(reported.map(|(_, total)| total.cost).sum())?;
        if let Some(flows) = &self.flows {
            self.audit_flows(flows, is_reported)?;
        }
        self.audit_purses()?;
        self.audit_legs()?;
        self.check()
    }
}

/// Returns what an amount in the settlement currency of an instrument is worth to the account; without a price nothing.
fn reported(instrument: &Instrument, amount: Money) -> Result<Money, LedgerError> {
    match instrument.rate {
        Rate::One => Ok(amount),
        Rate::Missing => Ok(Money::ZERO),
        rate @ Rate::Of(_) => rate.worth(amount).ok_or(VALUE),
    }
}

pub(crate) const VALUE: LedgerError = LedgerError::Overflow { what: "the value of a position" };
