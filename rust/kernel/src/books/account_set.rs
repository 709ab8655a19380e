//! Sets of venue accounts, and which instruments each strategy trades.

use tradecore_types::{AccountId, InstrumentId, StrategyId};

/// Venue accounts, by their numbers: an engine has at most as many as there are bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct AccountSet(u16);

impl AccountSet {
    pub(crate) const fn has(self, account: AccountId) -> bool {
        self.0 & Self::bit(account) != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn set(&mut self, account: AccountId, is_in: bool) {
        if is_in {
            self.0 |= Self::bit(account);
        } else {
            self.0 &= !Self::bit(account);
        }
    }

    pub(crate) const fn to_le_bytes(self) -> [u8; 2] {
        self.0.to_le_bytes()
    }

    const fn bit(account: AccountId) -> u16 {
        1 << (account.0 & 15)
    }
}

/// Which instruments each strategy trades, as far as the engine was told: those that are missing trade all.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Traders {
    of_strategies: Vec<Vec<InstrumentId>>,
}

impl Traders {
    pub(crate) const fn new(of_strategies: Vec<Vec<InstrumentId>>) -> Self {
        Self { of_strategies }
    }

    pub(crate) fn may_trade(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.of_strategies.get(strategy.index()).is_none_or(|known| known.contains(&instrument))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_is_in_the_set_by_itself() {
        for number in 0..16 {
            let mut set = AccountSet::default();
            set.set(AccountId(number), true);
            assert_eq!((0..16).filter(|other| set.has(AccountId(*other))).collect::<Vec<_>>(), [number]);
            set.set(AccountId(number), false);
            assert!(set.is_empty());
        }
    }
}
