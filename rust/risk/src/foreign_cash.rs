//! What the fills of strategies paid and took in other currencies than the one in which the account reports.

use tradecore_types::{CurrencyId, Money, Rate};

/// Cash of every strategy by currency, kept as it is: what it is worth moves with the price of the currency.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct ForeignCash {
    rates: Vec<Rate>,
    /// By strategy, then by currency from the number 1 on.
    cash: Vec<Vec<i128>>,
}

impl ForeignCash {
    /// Makes room for so many strategies and other currencies.
    pub(crate) fn new(strategies: usize, currencies: usize) -> Self {
        Self { rates: vec![Rate::Missing; currencies], cash: vec![vec![0; currencies]; strategies] }
    }

    /// Says what a unit of a currency is worth from now on.
    pub(crate) fn set_rate(&mut self, currency: CurrencyId, rate: Rate) {
        if let Some(known) = currency.index().checked_sub(1).and_then(|index| self.rates.get_mut(index)) {
            *known = rate;
        }
    }

    /// Adds to the cash of a strategy; tells whether the currency is one of these.
    pub(crate) fn add(&mut self, row: usize, currency: CurrencyId, amount: i128) -> bool {
        let Some(index) = currency.index().checked_sub(1) else { return false };
        match self.cash.get_mut(row).and_then(|cash| cash.get_mut(index)) {
            Some(known) => {
                *known = known.saturating_add(amount);
                true
            }
            None => false,
        }
    }

    /// Returns what the cash of a strategy is worth; without a price it counts as nothing.
    pub(crate) fn worth(&self, row: usize) -> i128 {
        let cash = self.cash.get(row).map_or(&[][..], Vec::as_slice);
        let worth = |(amount, rate): (&i128, &Rate)| rate.worth(Money(*amount)).map_or(0, |money| money.0);
        cash.iter().zip(&self.rates).map(worth).fold(0, i128::saturating_add)
    }

    /// Forgets what was paid and taken.
    pub(crate) fn clear(&mut self, row: usize) {
        self.cash.get_mut(row).into_iter().flatten().for_each(|amount| *amount = 0);
    }

    /// Appends the amounts.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for amount in self.cash.iter().flatten() {
            out.extend_from_slice(&amount.to_le_bytes());
        }
    }
}
