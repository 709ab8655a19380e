//! What an account has of one currency.

use tradecore_types::{CurrencyId, Money, Rate};

/// What an account has of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrencyBalance {
    /// Which currency it is.
    pub currency: CurrencyId,
    /// What a venue shows: money, and what spot purchases have added to it. Positions of derivatives count as settled.
    pub balance: Money,
    /// Money at hand, positions in instruments that are settled in it paid in full.
    pub cash: Money,
    /// Profit of the closed lots of instruments that are settled in it, before fees.
    pub realised: Money,
    /// Fees that were paid in it; negative when the rebates were more.
    pub fees: Money,
    /// What conversions of cash brought of it; below 0 when they took more.
    pub converted: Money,
    /// What a unit of it is worth in the currency in which the account reports.
    pub rate: Rate,
}
