//! The funding of perpetuals.

use tradecore_types::{Instrument, Money, share_of};

/// One whole in the unit of funding rates: 10^9 parts per billion.
const PPB_PER_UNIT: i128 = 1_000_000_000;

/// Returns what a position of signed lots gets at a funding: longs pay shorts, or shorts longs when the rate is
/// negative. `None` when it does not fit.
#[must_use]
pub fn funding(instrument: &Instrument, rate_ppb: i64, mark_ticks: i64, lots: i64) -> Option<Money> {
    let notional = instrument.notional(mark_ticks, lots)?;
    let paid = share_of(notional.0, i128::from(rate_ppb) * i128::from(lots.signum()), PPB_PER_UNIT)?;
    Some(Money(paid).negated())
}
