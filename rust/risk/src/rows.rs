//! Which row of the checks is whose: strategies, then venue accounts where there are several, then all together.

use tradecore_types::{AccountId, Scope, StrategyId, ValueError};

use crate::{Proposal, Scopes, Stake};

/// The row of a venue account that has none of its own: no table is so long.
const NO_ROW: usize = usize::MAX;

impl Scopes {
    /// Tells whether there are several venue accounts, each with limits of its own.
    #[must_use]
    #[inline]
    pub const fn has_accounts(&self) -> bool {
        self.accounts != 0
    }

    /// Returns the row of all together: of the one account, or of the portfolio.
    #[inline]
    pub(crate) const fn whole_row(&self) -> usize {
        self.checks.len().saturating_sub(1)
    }

    /// Returns how many rows are those of strategies.
    #[inline]
    pub(crate) const fn strategies(&self) -> usize {
        self.whole_row().saturating_sub(self.accounts)
    }

    /// Returns the row of a venue account; one without a row where there is one account.
    #[inline]
    pub(crate) fn account_row(&self, account: AccountId) -> usize {
        if account.index() < self.accounts { self.strategies() + account.index() } else { NO_ROW }
    }

    /// Returns the rows in which an order of a strategy at a venue account counts.
    #[inline]
    pub(crate) fn rows(&self, strategy: StrategyId, account: AccountId) -> [usize; 3] {
        [strategy.index(), self.account_row(account), self.whole_row()]
    }

    /// Returns these rows for a proposal, with what is at stake in its instrument: an account has all of an instrument.
    #[inline]
    pub(crate) fn stakes(&self, proposal: &Proposal<'_, '_>) -> [(usize, Stake); 3] {
        let [own, account, whole] =
            self.rows(proposal.intent.strategy, proposal.instrument.currencies.account);
        let of_account = proposal.exposure.account;
        [(own, proposal.exposure.own), (account, of_account), (whole, of_account)]
    }

    pub(crate) fn row_of(&self, scope: Scope) -> Result<usize, ValueError> {
        let (strategies, whole) = (self.strategies(), self.whole_row());
        match scope {
            Scope::Account(AccountId::FIRST) if self.accounts == 0 => Ok(whole),
            Scope::Account(account) if account.index() < self.accounts => Ok(strategies + account.index()),
            Scope::Account(account) => {
                let rule = format!("must be a venue account below {}", self.accounts.max(1));
                Err(ValueError::new("scope", account.0, rule))
            }
            Scope::Portfolio if self.accounts != 0 => Ok(whole),
            Scope::Portfolio => {
                let rule = "must be account: this engine has one, which is the whole portfolio";
                Err(ValueError::new("scope", "portfolio", rule))
            }
            Scope::Strategy(strategy) if strategy.index() < strategies => Ok(strategy.index()),
            Scope::Strategy(strategy) => {
                Err(ValueError::new("scope", strategy.0, format!("must be a strategy below {strategies}")))
            }
            Scope::Instrument(instrument) => {
                Err(ValueError::new("scope", instrument.0, "must be the account or a strategy"))
            }
        }
    }

    pub(crate) fn scope_of(&self, row: usize) -> Scope {
        let account = row.checked_sub(self.strategies()).filter(|index| *index < self.accounts);
        match (u16::try_from(row), account.map(u8::try_from)) {
            (_, Some(Ok(account))) => Scope::Account(AccountId(account)),
            (Ok(strategy), _) if row < self.strategies() => Scope::Strategy(StrategyId(strategy)),
            _ if self.accounts != 0 => Scope::Portfolio,
            _ => Scope::ACCOUNT,
        }
    }
}
