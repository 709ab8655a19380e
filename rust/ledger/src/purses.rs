//! The books of an account in more than one currency: one set of accounts for each, and what a unit of each is worth.
//!
//! Those of the currency in which the account reports are the ledger's own; those of the others are kept here, and
//! change places with them while something in their currency is booked. So there is one way to book, and an account
//! with one currency has nothing of this.

use tradecore_types::{
    AccountId, CashFlowKind, CurrencyId, Instrument, InstrumentId, Money, Rate, StrategyId,
};

use crate::accounts::{Accounts, Posting};
use crate::currency_balance::CurrencyBalance;
use crate::flow_sums::Flows;
use crate::purse::Purse;
use crate::{BrokenInvariant, FillInput, Ledger, LedgerError};

impl Ledger {
    /// Adds a balance in another currency to the first account. To be called before the first fill, in the order of
    /// their numbers.
    pub fn add_currency(&mut self, opening: Money) {
        self.add_balance(AccountId::FIRST, opening);
    }

    /// Adds a balance to a venue account: in another currency, or in the same one at another venue. To be called
    /// before the first fill, in the order of the numbers of the currencies.
    pub fn add_balance(&mut self, account: AccountId, opening: Money) {
        let accounts = Accounts::new(opening);
        self.has_accounts |= account != AccountId::FIRST;
        self.purses.push(Purse { account, accounts, cost: 0, flows: None, rate: Rate::Missing });
    }

    /// Tells whether there is more than one currency.
    #[must_use]
    #[inline]
    pub fn has_currencies(&self) -> bool {
        !self.purses.is_empty()
    }

    /// Says what a unit of a currency is worth from now on.
    pub fn set_rate(&mut self, currency: CurrencyId, rate: Rate) {
        if let Some(purse) = purse_index(currency).and_then(|index| self.purses.get_mut(index)) {
            purse.rate = rate;
            for instrument in &mut self.instruments {
                if instrument.currencies.settlement == currency {
                    instrument.rate = rate;
                }
            }
        }
    }

    /// Returns what a unit of a currency is worth; missing for one that the account does not have.
    #[must_use]
    pub fn rate(&self, currency: CurrencyId) -> Rate {
        match purse_index(currency) {
            None => Rate::One,
            Some(index) => self.purses.get(index).map_or(Rate::Missing, |purse| purse.rate),
        }
    }

    /// Visits every currency with what the account has of it, by number.
    pub fn balances(&self) -> impl Iterator<Item = CurrencyBalance> + '_ {
        let count = u8::try_from(self.purses.len()).unwrap_or(u8::MAX);
        (0..=count).filter_map(|number| {
            let currency = CurrencyId(number);
            let accounts = self.accounts_of(currency)?;
            Some(CurrencyBalance {
                currency,
                balance: self.balance_in(currency),
                cash: accounts.cash(),
                realised: accounts.realised(),
                fees: accounts.fees(),
                converted: Money(self.flows_in(currency).map_or(0, |flows| flows.converted)),
                rate: self.rate(currency),
            })
        })
    }

    /// Returns what a venue shows of a currency: the money in it, positions of derivatives as if they were settled,
    /// and what spot purchases have added.
    #[must_use]
    pub fn balance_in(&self, currency: CurrencyId) -> Money {
        let mut sum = self.money_in(currency).0;
        for (instrument, total) in self.instruments.iter().zip(&self.totals) {
            if instrument.currencies.base == Some(currency) {
                let owned = instrument.base_amount(total.position).map_or(0, |owned| owned.0);
                sum = sum.saturating_add(owned);
            }
        }
        Money(sum)
    }

    /// Returns the money in a currency, positions of derivatives as if they were settled; what spot purchases have
    /// added is no part of it.
    #[must_use]
    pub fn money_in(&self, currency: CurrencyId) -> Money {
        let mut sum = self.cash_in(currency).0;
        for (instrument, total) in self.instruments.iter().zip(&self.totals) {
            let currencies = instrument.currencies;
            if currencies.settlement == currency && currencies.base.is_none() {
                sum = sum.saturating_add(total.cost);
            }
        }
        Money(sum)
    }

    /// Visits every currency with what is there at cost, cash and open lots, and what a unit of it is worth.
    pub fn holdings_at_cost(&self) -> impl Iterator<Item = (CurrencyId, Money, Rate)> + '_ {
        self.balances().filter_map(|balance| {
            let accounts = self.accounts_of(balance.currency)?;
            let held = accounts.cash().0.saturating_add(accounts.inventory().0);
            Some((balance.currency, Money(held), balance.rate))
        })
    }

    /// Returns an instrument, with the rate of its settlement currency.
    #[must_use]
    pub fn instrument(&self, instrument: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(instrument.index())
    }

    /// Visits the instruments, by id.
    pub fn instruments(&self) -> impl Iterator<Item = &Instrument> {
        self.instruments.iter()
    }

    /// Visits the numbers of the strategies.
    pub fn strategies(&self) -> impl Iterator<Item = StrategyId> + use<> {
        let count = self.holdings.len() / self.instruments.len().max(1);
        (0..u16::try_from(count).unwrap_or(u16::MAX)).map(StrategyId)
    }

    /// Returns the money at hand in a currency, positions in instruments that are settled in it paid in full.
    #[must_use]
    pub fn cash_in(&self, currency: CurrencyId) -> Money {
        self.accounts_of(currency).map_or(Money::ZERO, Accounts::cash)
    }

    /// Returns what the account received in a currency for a reason; negative is what it paid.
    #[must_use]
    pub fn received_in(&self, currency: CurrencyId, kind: CashFlowKind) -> Money {
        Money(self.flows_in(currency).map_or(0, |flows| flows.of_kind(kind)))
    }

    pub(crate) fn flows_in(&self, currency: CurrencyId) -> Option<&Flows> {
        match purse_index(currency) {
            None => self.flows.as_deref(),
            Some(index) => self.purses.get(index).and_then(|purse| purse.flows.as_deref()),
        }
    }

    /// Returns what was of no position in every other currency, in the one in which the account reports.
    pub(crate) fn adjusted_in_purses(&self) -> i128 {
        let adjusted = |purse: &Purse| {
            let amount = purse.flows.as_ref().map_or(0, |flows| flows.adjusted);
            purse.rate.worth(Money(amount)).map_or(0, |money| money.0)
        };
        self.purses.iter().map(adjusted).fold(0, i128::saturating_add)
    }

    /// Adds up what each currency has of something in the currency in which the account reports, that one itself
    /// left out. What has no price, or does not fit, counts as nothing.
    pub(crate) fn in_purses(&self, of: impl Fn(&Accounts) -> Money) -> i128 {
        let worth = |purse: &Purse| purse.rate.worth(of(&purse.accounts)).map_or(0, |money| money.0);
        self.purses.iter().map(worth).fold(0, i128::saturating_add)
    }

    /// Books a fill of an account with several currencies.
    ///
    /// # Errors
    ///
    /// As [`Ledger::apply_fill`]; [`LedgerError::Overflow`] also for a fee in a currency that the account does not
    /// have.
    #[cold]
    pub(crate) fn apply_in_currencies(&mut self, fill: &FillInput) -> Result<i64, LedgerError> {
        let Some(settlement) = self.settlement(fill.instrument) else {
            return Err(LedgerError::OutOfTable { strategy: fill.strategy, instrument: fill.instrument });
        };
        let (own, fee) = self.split_fee(fill, settlement)?;
        let opened_lots =
            self.within(settlement, |ledger| ledger.apply_fill(&own).map(|done| done.opened_lots))?;
        if let Some((currency, after)) = fee
            && let Some(accounts) = self.accounts_mut(currency)
        {
            *accounts = after;
        }
        debug_assert_eq!(self.check(), Ok(()));
        Ok(opened_lots)
    }

    /// Checks that a fill can be booked; nothing is changed.
    #[cold]
    pub(crate) fn check_in_currencies(&mut self, fill: &FillInput) -> Result<(), LedgerError> {
        let Some(settlement) = self.settlement(fill.instrument) else {
            return Err(LedgerError::OutOfTable { strategy: fill.strategy, instrument: fill.instrument });
        };
        let (own, _) = self.split_fee(fill, settlement)?;
        self.within(settlement, |ledger| ledger.check_fill(&own))
    }

    /// Takes a fee in another currency than the settlement's out of a fill; returns the fill without it, and the
    /// accounts that have paid it.
    fn split_fee(
        &self,
        fill: &FillInput,
        settlement: CurrencyId,
    ) -> Result<(FillInput, Option<(CurrencyId, Accounts)>), LedgerError> {
        let Some(currency) = fill.fee_currency.filter(|currency| *currency != settlement) else {
            return Ok((*fill, None));
        };
        let unknown = LedgerError::Overflow { what: "a fee in a currency that the account does not have" };
        let accounts = self.accounts_of(currency).ok_or(unknown)?;
        let paid = accounts.posted(&Posting { fee: fill.fee.0, ..Posting::default() })?;
        Ok((FillInput { fee: Money::ZERO, fee_currency: None, ..*fill }, Some((currency, paid))))
    }

    /// Books a fee, or takes one back, in a currency of the account.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when it does not fit, or the account does not have the currency; nothing is changed.
    pub(crate) fn post_fee(&mut self, currency: CurrencyId, fee: i128) -> Result<(), LedgerError> {
        let unknown = LedgerError::Overflow { what: "a fee in a currency that the account does not have" };
        let accounts = self.accounts_mut(currency).ok_or(unknown)?;
        *accounts = accounts.posted(&Posting { fee, ..Posting::default() })?;
        Ok(())
    }

    /// Does something with the books of a currency in the place of those in which the account reports: meanwhile they
    /// are all that there is.
    pub(crate) fn within<T>(
        &mut self,
        currency: CurrencyId,
        act: impl FnOnce(&mut Self) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut purses = std::mem::take(&mut self.purses);
        self.exchange(currency, &mut purses);
        let done = act(self);
        self.exchange(currency, &mut purses);
        self.purses = purses;
        done
    }

    fn exchange(&mut self, currency: CurrencyId, purses: &mut [Purse]) {
        if let Some(purse) = purse_index(currency).and_then(|index| purses.get_mut(index)) {
            std::mem::swap(&mut self.accounts, &mut purse.accounts);
            std::mem::swap(&mut self.cost, &mut purse.cost);
            std::mem::swap(&mut self.flows, &mut purse.flows);
        }
    }

    /// Tells whether the account has a currency.
    #[must_use]
    pub fn has_currency(&self, currency: CurrencyId) -> bool {
        purse_index(currency).is_none_or(|index| index < self.purses.len())
    }

    pub(crate) fn settlement(&self, instrument: InstrumentId) -> Option<CurrencyId> {
        self.instruments.get(instrument.index()).map(|known| known.currencies.settlement)
    }

    pub(crate) fn accounts_of(&self, currency: CurrencyId) -> Option<&Accounts> {
        match purse_index(currency) {
            None => Some(&self.accounts),
            Some(index) => self.purses.get(index).map(|purse| &purse.accounts),
        }
    }

    fn accounts_mut(&mut self, currency: CurrencyId) -> Option<&mut Accounts> {
        match purse_index(currency) {
            None => Some(&mut self.accounts),
            Some(index) => self.purses.get_mut(index).map(|purse| &mut purse.accounts),
        }
    }

    /// Checks the promises of every currency but the one in which the account reports.
    pub(crate) fn check_purses(&self) -> Result<(), BrokenInvariant> {
        for purse in &self.purses {
            purse.accounts.check(purse.cost)?;
            if let Some(flows) = &purse.flows {
                flows.check(purse.accounts.flows())?;
            }
        }
        Ok(())
    }

    /// Checks the purses from what instruments cost, and the flows of each currency from the rows.
    pub(crate) fn audit_purses(&self) -> Result<(), BrokenInvariant> {
        for (index, purse) in self.purses.iter().enumerate() {
            let is_its =
                |instrument: &Instrument| purse_index(instrument.currencies.settlement) == Some(index);
            let costs = self.instruments.iter().zip(&self.totals).filter(|(known, _)| is_its(known));
            let cost = costs.fold(0i128, |sum, (_, total)| sum.saturating_add(total.cost));
            crate::error::must_equal("the cost of a currency is that of its positions", purse.cost, cost)?;
            if let Some(flows) = &purse.flows {
                self.audit_flows(flows, |instrument| is_its(instrument))?;
            }
        }
        self.check_purses()
    }

    /// Appends the books of every other currency.
    pub(crate) fn write_purses(&self, out: &mut Vec<u8>) {
        for purse in &self.purses {
            purse.accounts.write_state(out);
            if let Some(flows) = &purse.flows {
                flows.write_state(out);
            }
        }
    }
}

/// Returns where the books of a currency are among the purses; `None` for the one in which the account reports.
fn purse_index(currency: CurrencyId) -> Option<usize> {
    currency.index().checked_sub(1)
}
