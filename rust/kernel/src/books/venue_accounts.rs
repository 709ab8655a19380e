//! Which venue account an instrument is traded at, and what that means for the engine.

use tradecore_types::{AccountId, Instrument, InstrumentId, Money};
use tradecore_venue::VenueConfig;

use crate::{Kernel, KernelError};

impl Kernel {
    /// Returns what a venue account is worth at the last prices, in the reporting currency.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when it does not fit 128 bits.
    pub fn equity_of(&self, account: AccountId) -> Result<Money, KernelError> {
        Ok(self.books.ledger.equity_of(account, &self.books.marks, None)?)
    }

    /// Visits the instruments that a venue account trades.
    pub(crate) fn instruments_of(&self, account: AccountId) -> impl Iterator<Item = InstrumentId> + '_ {
        let instruments = self.markets.iter().map(|market| &market.instrument);
        instruments.filter(move |known| known.account() == account).map(|known| known.id)
    }

    /// Returns the venue account that trades an instrument; the first where there is no such instrument.
    #[inline]
    pub(crate) fn account_of(&self, instrument: InstrumentId) -> AccountId {
        self.instrument(instrument).map_or(AccountId::FIRST, Instrument::account)
    }

    /// Returns the simulated venue that trades an instrument.
    #[inline]
    pub(crate) fn venue_for(&self, instrument: InstrumentId) -> &VenueConfig {
        if self.config.accounts.is_empty() {
            return &self.config.venue;
        }
        self.config.venue_of(self.account_of(instrument))
    }
}
