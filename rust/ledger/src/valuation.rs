//! What the account is worth, and whether its promises hold.

use tradecore_types::{Instrument, InstrumentId, Money, StrategyId};

use crate::error::must_equal;
use crate::ledger::Total;
use crate::{BrokenInvariant, Ledger, LedgerError};

/// The position of an account in one instrument.
#[derive(Clone, Copy, Debug)]
pub struct HeldPosition<'a> {
    /// The instrument.
    pub instrument: &'a Instrument,
    /// Size, short is negative; 0 when the positions of strategies cancel out.
    pub lots: i64,
    /// What the open lots cost, signed.
    pub cost: Money,
}

impl Ledger {
    /// Returns the money at hand, positions paid in full (a short position adds what it sold for).
    #[must_use]
    pub fn cash(&self) -> Money {
        self.accounts.cash()
    }

    /// Returns the settled balance: opening + realised - fees + cash flows, as a margin account shows it.
    #[must_use]
    pub fn balance(&self) -> Money {
        Money(self.cash().0.saturating_add(self.inventory().0))
    }

    /// Returns what the open lots cost.
    #[must_use]
    pub fn inventory(&self) -> Money {
        self.accounts.inventory()
    }

    /// Returns the profit of all closed lots, before fees.
    #[must_use]
    pub fn realised(&self) -> Money {
        self.accounts.realised()
    }

    /// Returns the fees paid; negative when the rebates were more.
    #[must_use]
    pub fn fees(&self) -> Money {
        self.accounts.fees()
    }

    /// Returns what the owner has brought in all: what the account was opened with, and transfers since.
    #[must_use]
    pub fn opening(&self) -> Money {
        self.accounts.opening()
    }

    /// Returns the result that was carried over from the account before, and the corrections since.
    #[must_use]
    pub fn adjusted(&self) -> Money {
        Money(self.flows.as_ref().map_or(0, |flows| flows.adjusted))
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
        let mut sum: i128 = 0;
        for (index, instrument, total) in self.held() {
            if let Some(ticks) = mark_of(index) {
                let value = instrument.value(ticks, total.position).ok_or(VALUE)?;
                let profit = value.0.checked_sub(total.cost).ok_or(VALUE)?;
                sum = sum.checked_add(profit).ok_or(VALUE)?;
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
        let total = self.totals.get(instrument.index()).filter(|total| total.is_held())?;
        let instrument = self.instruments.get(instrument.index())?;
        Some(HeldPosition { instrument, lots: total.position, cost: Money(total.cost) })
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
        let value = |(index, instrument, total): (usize, &Instrument, &Total)| match marks
            .get(index)
            .copied()
            .flatten()
        {
            Some(ticks) if but.is_none_or(|but| but.index() != index) => {
                instrument.notional(ticks, total.position).map_or(i128::MAX, |money| money.0)
            }
            _ => 0,
        };
        Money(self.held().map(value).fold(0, i128::saturating_add))
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
        }
        if let Some(flows) = &self.flows {
            flows.check(self.accounts.flows())?;
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
                must_equal("the cost of a position is that of its lots", held.cost, lots_cost)?;
                cost += lots_cost;
                *sum += position;
            }
        }
        for (total, sum) in self.totals.iter().zip(positions) {
            must_equal("the total position is the sum of positions", i128::from(total.position), sum)?;
        }
        for (index, total) in self.totals.iter().enumerate() {
            let is_held = self.held.binary_search(&index).is_ok();
            must_equal("held is what has lots to value", i128::from(is_held), i128::from(total.is_held()))?;
        }
        let costs: i128 = self.totals.iter().map(|total| total.cost).sum();
        must_equal("the total cost is the sum of costs", costs, cost)?;
        self.accounts.check(cost)?;
        if let Some(flows) = &self.flows {
            flows.audit()?;
        }
        self.check()
    }
}

const VALUE: LedgerError = LedgerError::Overflow { what: "the value of a position" };
