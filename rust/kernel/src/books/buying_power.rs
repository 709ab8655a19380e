//! What the account can pay for.

use tradecore_matching::FeeSchedule;
use tradecore_types::{Instrument, Liquidity, Money};

use crate::Leverage;

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// Returns equity times leverage, never below 0.
pub(crate) fn total(equity: Money, leverage: Leverage) -> i128 {
    let scaled = equity.0.max(0).saturating_mul(i128::from(leverage.numerator));
    match leverage.denominator {
        ..=1 => scaled,
        denominator => scaled / i128::from(denominator),
    }
}

/// Returns how many lots a share of the free buying power pays for, taker fee included.
pub(crate) fn lots(
    free: i128,
    ppm: i64,
    instrument: &Instrument,
    fees: &FeeSchedule,
    price_ticks: i64,
) -> i64 {
    let price = instrument.notional(price_ticks, 1).map_or(0, |money| money.0);
    let taker_fee = fees.fee(instrument, price_ticks, 1, Liquidity::Taker).map_or(0, |money| money.0);
    let cost = price.saturating_add(taker_fee);
    if cost <= 0 || free <= 0 {
        return 0;
    }
    let share = match free.checked_mul(i128::from(ppm)) {
        Some(scaled) => scaled / PPM,
        None => (free / PPM).saturating_mul(i128::from(ppm)),
    };
    i64::try_from(share / cost).unwrap_or(i64::MAX)
}

/// Returns the largest fee that a purchase of some lots costs; `None` when it does not fit.
pub(crate) fn cost_of(
    instrument: &Instrument,
    fees: &FeeSchedule,
    price_ticks: i64,
    lots: i64,
) -> Option<i128> {
    let fee = fees.fee(instrument, price_ticks, lots, Liquidity::Taker)?.0.max(0);
    instrument.notional(price_ticks, lots)?.0.checked_add(fee)
}
