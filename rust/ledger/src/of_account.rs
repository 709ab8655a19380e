//! What is one venue account's, where an engine trades at several.
//!
//! **Invariant:** every balance and every instrument is of one account, so the sums of the accounts are those of all.

use tradecore_types::{AccountId, CurrencyId, InstrumentId, Money};

use crate::accounts::Accounts;
use crate::valuation::VALUE;
use crate::{HeldPosition, Ledger, LedgerError};

impl Ledger {
    /// Tells whether there are balances at another venue account than the first.
    #[must_use]
    #[inline]
    pub const fn has_accounts(&self) -> bool {
        self.has_accounts
    }

    /// Visits the venue accounts that have a balance, by number, from the first on.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> + use<> {
        let last = self.purses.iter().map(|purse| purse.account).max().unwrap_or_default();
        (0..=last.0).map(AccountId)
    }

    /// Returns the venue account that trades an instrument; the first where there is no such instrument.
    #[must_use]
    pub fn account_of(&self, instrument: InstrumentId) -> AccountId {
        self.instruments.get(instrument.index()).map_or(AccountId::FIRST, |known| known.currencies.account)
    }

    /// Returns the venue account that has a balance in a currency.
    #[must_use]
    pub fn account_with(&self, currency: CurrencyId) -> AccountId {
        let purse = currency.index().checked_sub(1).and_then(|index| self.purses.get(index));
        purse.map_or(AccountId::FIRST, |purse| purse.account)
    }

    /// Returns the money at hand at a venue account, as [`Ledger::cash`] counts it.
    #[must_use]
    pub fn cash_of(&self, account: AccountId) -> Money {
        if self.has_accounts { self.at(account, Accounts::cash) } else { self.cash() }
    }

    /// Returns the settled balance of a venue account, as [`Ledger::balance`] counts it.
    #[must_use]
    #[inline]
    pub fn balance_of(&self, account: AccountId) -> Money {
        if self.has_accounts { self.at(account, held_at_cost) } else { self.balance() }
    }

    /// Returns what a venue account is worth at these prices; `at` is the price in ticks of one instrument that counts
    /// in the place of its own.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when the value does not fit.
    #[inline]
    pub fn equity_of(
        &self,
        account: AccountId,
        marks: &[Option<i64>],
        at: Option<(InstrumentId, i64)>,
    ) -> Result<Money, LedgerError> {
        match at {
            None if !self.has_accounts => self.equity(marks),
            Some((instrument, ticks)) if !self.has_accounts => self.equity_at(marks, instrument, ticks),
            _ => self.equity_among(account, marks, at),
        }
    }

    #[cold]
    fn equity_among(
        &self,
        account: AccountId,
        marks: &[Option<i64>],
        at: Option<(InstrumentId, i64)>,
    ) -> Result<Money, LedgerError> {
        let mark_of = |index: usize| match at {
            Some((instrument, ticks)) if instrument.index() == index => Some(ticks),
            _ => marks.get(index).copied().flatten(),
        };
        let profit = self.unrealised_where(|known| known.currencies.account == account, mark_of)?;
        self.balance_of(account).checked_add(profit).ok_or(VALUE)
    }

    /// Returns the value of every position of a venue account, as [`Ledger::held_value`] counts it.
    #[must_use]
    #[inline]
    pub fn held_value_of(
        &self,
        account: AccountId,
        marks: &[Option<i64>],
        but: Option<InstrumentId>,
    ) -> Money {
        if self.has_accounts {
            self.held_value_where(|known| known.currencies.account == account, marks, but)
        } else {
            self.held_value(marks, but)
        }
    }

    /// Visits the positions of a venue account, by rising instrument id.
    pub fn held_positions_of(&self, account: AccountId) -> impl Iterator<Item = HeldPosition<'_>> {
        self.held_positions().filter(move |held| held.instrument.currencies.account == account)
    }

    /// Adds up what the balances of an account have, in the reporting currency; the first account has that one itself.
    /// What has no price, or does not fit, counts as nothing.
    fn at(&self, account: AccountId, of: impl Fn(&Accounts) -> Money) -> Money {
        let own = if account == AccountId::FIRST { of(&self.accounts).0 } else { 0 };
        let its = self.purses.iter().filter(|purse| purse.account == account);
        let worth = its.map(|purse| purse.rate.worth(of(&purse.accounts)).map_or(0, |money| money.0));
        Money(worth.fold(own, i128::saturating_add))
    }
}

fn held_at_cost(accounts: &Accounts) -> Money {
    Money(accounts.cash().0.saturating_add(accounts.inventory().0))
}
