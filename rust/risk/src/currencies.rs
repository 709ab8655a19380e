//! Limits of an account with several currencies: what a strategy has paid counts at the price of now.

use tradecore_types::{CurrencyId, Instrument, Rate};

use crate::foreign_cash::ForeignCash;
use crate::{Execution, Scopes};

impl Scopes {
    /// Makes room for the cash of strategies in so many other currencies than the one in which the account reports.
    pub fn add_currencies(&mut self, currencies: usize) {
        self.foreign = Some(Box::new(ForeignCash::new(self.strategies(), currencies)));
    }

    /// Says what a unit of a currency is worth from now on; stakes in instruments that are settled in it are to be
    /// marked anew.
    pub fn set_rate(&mut self, currency: CurrencyId, rate: Rate) {
        if let Some(foreign) = &mut self.foreign {
            foreign.set_rate(currency, rate);
        }
    }

    /// Returns what the fills of a strategy paid and took, and of the account all its cash.
    pub(crate) fn cash_of(&self, row: usize) -> i128 {
        let own = self.checks.get(row).map_or(0, |checks| checks.cash);
        own.saturating_add(self.foreign_worth(row))
    }

    #[inline]
    pub(crate) fn foreign_worth(&self, row: usize) -> i128 {
        self.foreign.as_ref().map_or(0, |foreign| foreign.worth(row))
    }

    /// Adds to the cash of a strategy.
    pub(crate) fn add_cash(&mut self, row: usize, currency: CurrencyId, amount: i128) {
        if self.foreign.as_mut().is_some_and(|foreign| foreign.add(row, currency, amount)) {
            return;
        }
        if let Some(checks) = self.checks.get_mut(row) {
            checks.cash = checks.cash.saturating_add(amount);
        }
    }

    /// Adds what a fill paid to the cash of its strategy, and its fee in the currency of that.
    pub(crate) fn add_fill(&mut self, row: usize, instrument: &Instrument, fill: &Execution, paid: i128) {
        let settlement = instrument.currencies.settlement;
        self.add_cash(row, settlement, paid.saturating_neg());
        self.add_cash(row, fill.fee_currency.unwrap_or(settlement), fill.fee.0.saturating_neg());
    }
}
