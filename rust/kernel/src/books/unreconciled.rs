//! At which venue accounts the books may not be what the venue has, and what that stops.
//!
//! **Invariant:** what closes is never stopped by it. What adds risk is stopped at the account itself, and wherever a
//! limit adds up what is there with what is elsewhere: one of the portfolio, or of a strategy that trades at both.

use tradecore_risk::Switches;
use tradecore_types::{AccountId, InstrumentId, StrategyId};

use crate::books::account_set::Traders;
use crate::control::stops::Place;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Tells the kernel which instruments each strategy trades, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when there is no such strategy or instrument.
    pub fn set_traders(&mut self, of_strategies: Vec<Vec<InstrumentId>>) -> Result<(), KernelError> {
        let strategies = usize::from(self.config.strategies);
        if of_strategies.len() > strategies {
            let rule = format!("must be of {strategies} strategies");
            return Err(tradecore_types::ValueError::new("traders", of_strategies.len(), rule).into());
        }
        for instrument in of_strategies.iter().flatten() {
            self.market(*instrument)?;
        }
        self.control.traders = Traders::new(of_strategies);
        Ok(())
    }

    /// Tells whether the books may not be what the venue has at an account.
    #[must_use]
    pub const fn is_unreconciled(&self, account: AccountId) -> bool {
        self.control.unreconciled.has(account)
    }

    /// Notes that the books may not be what the venue of an instrument has, or that they are.
    pub(crate) fn note_unreconciled(&mut self, instrument: InstrumentId, is_unreconciled: bool) {
        let account = self.account_of(instrument);
        self.control.unreconciled.set(account, is_unreconciled);
        self.control.switches.is_unreconciled = !self.control.unreconciled.is_empty();
    }

    /// Returns the switches as an order of a strategy meets them.
    #[inline]
    pub(crate) fn switches_for(&self, strategy: StrategyId, instrument: InstrumentId) -> Switches {
        let mut switches = self.control.switches;
        if !self.control.stops.is_empty() {
            switches = self.control.stops.with(switches, self.place_of(strategy, instrument));
        }
        if !switches.is_unreconciled || self.config.accounts.is_empty() {
            return switches;
        }
        Switches { is_unreconciled: self.bears_on(strategy, instrument), ..switches }
    }

    /// Tells whether a kill is engaged that an order of a strategy meets: of everything, or of a part that it is in.
    #[inline]
    pub(crate) fn is_killed_for(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.control.switches.is_killed
            || !self.control.stops.is_empty()
                && self
                    .control
                    .stops
                    .with(self.control.switches, self.place_of(strategy, instrument))
                    .is_killed
    }

    /// Returns where a strategy's orders in an instrument are, as scopes see it.
    pub(crate) fn place_of(&self, strategy: StrategyId, instrument: InstrumentId) -> Place {
        Place { strategy, instrument, account: self.account_of(instrument) }
    }

    /// Tells whether the state of an account that is not known bears on an order.
    #[cold]
    fn bears_on(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        if self.is_unreconciled(self.account_of(instrument)) {
            return true;
        }
        let unknown =
            |market: &&crate::markets::market::Market| self.is_unreconciled(market.instrument.account());
        let trades_there = || {
            let mut there = self.markets.iter().filter(unknown);
            there.any(|market| self.control.traders.may_trade(strategy, market.instrument.id))
        };
        self.books.scopes.adds_up_all() || self.books.scopes.adds_up_of(strategy) && trades_there()
    }
}
