//! Cash that is changed from one currency into another.

use tradecore_types::{CurrencyId, Money};

use crate::accounts::{Accounts, Posting};
use crate::{Ledger, LedgerError};

/// What a conversion does to one currency.
struct Moved {
    currency: CurrencyId,
    accounts: Accounts,
    converted: i128,
}

impl Ledger {
    /// Books cash that was given in one currency and received in another, and what that cost: a fee, in any of them.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when something does not fit, or the account does not have a currency; nothing is
    /// changed.
    pub fn convert(
        &mut self,
        given: (CurrencyId, Money),
        received: (CurrencyId, Money),
        fee: (CurrencyId, Money),
    ) -> Result<(), LedgerError> {
        let mut touched = vec![given.0, received.0, fee.0];
        touched.sort_unstable();
        touched.dedup();
        let of = |side: (CurrencyId, Money), currency| if side.0 == currency { side.1 } else { Money::ZERO };
        let moved = |currency| {
            let change = of(received, currency).checked_sub(of(given, currency));
            let change = change.ok_or(LedgerError::Overflow { what: "a conversion" })?;
            self.moved(currency, change, of(fee, currency))
        };
        let planned = touched.into_iter().map(moved).collect::<Result<Vec<_>, _>>()?;
        for Moved { currency, accounts, converted } in planned {
            self.within(currency, |ledger| {
                ledger.accounts = accounts;
                ledger.flows_mut().converted = converted;
                Ok(())
            })?;
        }
        debug_assert_eq!(self.check(), Ok(()));
        Ok(())
    }

    /// Returns the books of a currency after a conversion changed them by so much and cost so much.
    fn moved(&self, currency: CurrencyId, change: Money, fee: Money) -> Result<Moved, LedgerError> {
        let overflow = LedgerError::Overflow { what: "the sum of conversions" };
        let accounts = self.accounts_of(currency).ok_or(overflow)?.received(change)?;
        let accounts = accounts.posted(&Posting { fee: fee.0, ..Posting::default() })?;
        let before = self.flows_in(currency).map_or(0, |flows| flows.converted);
        let converted = before.checked_add(change.0).ok_or(overflow)?;
        Ok(Moved { currency, accounts, converted })
    }
}
