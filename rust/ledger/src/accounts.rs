//! Double-entry accounts: what one gives another takes, so that all balances sum to zero.

use tradecore_types::Money;

use crate::error::must_equal;
use crate::wire::Put;
use crate::{BrokenInvariant, LedgerError};

/// Balances in money units; assets and expenses are positive, sources negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Accounts {
    /// Money at hand, positions paid in full.
    cash: i128,
    /// Open lots at what they cost.
    inventory: i128,
    /// Profit made by closing lots, before fees; a profit is negative.
    realised: i128,
    /// Fees paid.
    fees: i128,
    /// What the owner brought; negative.
    opening: i128,
    /// Money received without a fill, in all; negative, as a source is. [`crate::flows`] has the details.
    flows: i128,
}

/// One transaction, account by account; balanced by construction in [`Accounts::posted`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Cost of the lots that were opened, signed.
    pub opened: i128,
    /// Cost of the lots that were closed, signed.
    pub closed_cost: i128,
    /// What the closed lots were worth at the exit, signed.
    pub closed_value: i128,
    /// Fee of the fill in atto units; a rebate is below 0.
    pub fee: i128,
}

impl Accounts {
    /// Opens the books with the owner's money.
    pub(crate) fn new(opening: Money) -> Self {
        Self { cash: opening.0, inventory: 0, realised: 0, fees: 0, opening: opening.negated().0, flows: 0 }
    }

    /// Opens the books of an account that was carried over: its cash, what its open lots cost, and what the owner
    /// had brought. What is there beyond that is the result so far, money that came without a fill.
    pub(crate) fn carried(cash: Money, inventory: i128, brought: Option<Money>) -> Option<Self> {
        let held = cash.0.checked_add(inventory)?;
        let brought = brought.map_or(held, |brought| brought.0);
        let (opening, flows) = (brought.checked_neg()?, brought.checked_sub(held)?);
        let books = Self { cash: cash.0, inventory, realised: 0, fees: 0, opening, flows };
        books.total().map(|_| books)
    }

    /// Returns the balances after a transaction, which takes from one account what it gives another.
    pub(crate) fn posted(&self, posting: &Posting) -> Result<Self, LedgerError> {
        let Posting { opened, closed_cost, closed_value, fee } = *posting;
        let sum = |sum: Option<i128>, what| sum.ok_or(LedgerError::Overflow { what });
        let cash = self.cash.checked_sub(opened).and_then(|cash| cash.checked_add(closed_value));
        let inventory = self.inventory.checked_add(opened).and_then(|cost| cost.checked_sub(closed_cost));
        let realised = self.realised.checked_add(closed_cost).and_then(|sum| sum.checked_sub(closed_value));
        let after = Self {
            cash: sum(cash.and_then(|cash| cash.checked_sub(fee)), "cash")?,
            inventory: sum(inventory, "inventory")?,
            realised: sum(realised, "realised profit")?,
            fees: sum(self.fees.checked_add(fee), "fees")?,
            opening: self.opening,
            flows: self.flows,
        };
        after.total().ok_or(LedgerError::Overflow { what: "the sum of all accounts" })?;
        Ok(after)
    }

    /// Returns the balances after the owner brought money, or took it when it is negative.
    pub(crate) fn transferred(&self, amount: Money) -> Result<Self, LedgerError> {
        let after = Self {
            cash: self.cash.checked_add(amount.0).ok_or(LedgerError::Overflow { what: "cash" })?,
            opening: self.opening.checked_sub(amount.0).ok_or(LedgerError::Overflow { what: "transfers" })?,
            ..*self
        };
        after.total().ok_or(LedgerError::Overflow { what: "the sum of all accounts" })?;
        Ok(after)
    }

    /// Returns the balances after money was received, or paid when it is negative.
    pub(crate) fn received(&self, amount: Money) -> Result<Self, LedgerError> {
        let after = Self {
            cash: self.cash.checked_add(amount.0).ok_or(LedgerError::Overflow { what: "cash" })?,
            flows: self.flows.checked_sub(amount.0).ok_or(LedgerError::Overflow { what: "cash flows" })?,
            ..*self
        };
        after.total().ok_or(LedgerError::Overflow { what: "the sum of all accounts" })?;
        Ok(after)
    }

    /// Returns what was received without a fill, in all.
    pub(crate) fn flows(&self) -> i128 {
        self.flows.saturating_neg()
    }

    /// Returns the money at hand.
    pub(crate) fn cash(&self) -> Money {
        Money(self.cash)
    }

    /// Returns the cost of all open lots.
    pub(crate) fn inventory(&self) -> Money {
        Money(self.inventory)
    }

    /// Returns the profit of all closed lots, before fees.
    pub(crate) fn realised(&self) -> Money {
        Money(self.realised).negated()
    }

    /// Returns the fees paid.
    pub(crate) fn fees(&self) -> Money {
        Money(self.fees)
    }

    /// Returns what the owner brought.
    pub(crate) fn opening(&self) -> Money {
        Money(self.opening).negated()
    }

    /// Checks that the accounts sum to zero and that inventory is what the lots cost.
    pub(crate) fn check(&self, lots_cost: i128) -> Result<(), BrokenInvariant> {
        must_equal("the sum of all accounts is 0", self.total().unwrap_or(i128::MAX), 0)?;
        must_equal("inventory is the cost of the open lots", self.inventory, lots_cost)?;
        // A sum that does not fit wraps alike on both sides: that there is one is the promise before this.
        let held = self.cash.wrapping_add(self.inventory).wrapping_add(self.fees);
        let source = self.opening.wrapping_add(self.realised).wrapping_add(self.flows).wrapping_neg();
        must_equal("cash + inventory + fees is opening + realised + cash flows", held, source)
    }

    /// Appends the balances.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for balance in [self.cash, self.inventory, self.realised, self.fees, self.opening] {
            balance.put(out);
        }
    }

    fn total(&self) -> Option<i128> {
        [self.inventory, self.realised, self.fees, self.opening, self.flows]
            .into_iter()
            .try_fold(self.cash, i128::checked_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_moves_the_profit_from_realised_to_cash() {
        let books = Accounts::new(Money(1_000));
        let bought = books.posted(&Posting { opened: 300, fee: 1, ..Posting::default() }).unwrap();
        let sold = bought
            .posted(&Posting { closed_cost: 300, closed_value: 350, fee: 2, ..Posting::default() })
            .unwrap();

        assert_eq!((bought.cash().0, bought.inventory().0), (699, 300));
        assert_eq!((sold.cash().0, sold.inventory().0, sold.realised().0, sold.fees().0), (1_047, 0, 50, 3));
        assert_eq!(sold.check(0), Ok(()));
    }

    #[test]
    fn a_balance_that_does_not_fit_is_an_error() {
        let books = Accounts::new(Money(i128::MAX));
        let posting = Posting { closed_value: 1, ..Posting::default() };
        assert_eq!(books.posted(&posting), Err(LedgerError::Overflow { what: "cash" }));
    }
}
