//! A currency of an account beside the one in which it reports.

use tradecore_types::{AccountId, Decimal, InstrumentId, Money};

/// What says how much of the reporting currency a unit of a currency is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Conversion {
    /// A price that does not move.
    Constant(Decimal),
    /// The mark of an instrument: its price in the currency that it is settled in; of an inverse contract in the
    /// reporting one.
    Mark(InstrumentId),
}

/// A currency of the account beside the one in which it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencyConfig {
    /// The venue account that has it: the same currency at two of them is two of these.
    pub account: AccountId,
    /// Its name, such as `BTC`; at another account than the first with the name of that: `kraken:BTC`.
    pub name: String,
    /// What the account begins with.
    pub cash: Money,
    /// What a unit of it is worth.
    pub conversion: Conversion,
}
