//! What the account can pay for.

use tradecore_ledger::Ledger;
use tradecore_matching::FeeSchedule;
use tradecore_types::{Instrument, InstrumentId, Liquidity, Money};

use crate::Leverage;
use crate::market::Market;

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// Returns equity times leverage, never below 0.
pub(crate) fn total(equity: Money, leverage: Leverage) -> i128 {
    let scaled = equity.0.max(0).saturating_mul(i128::from(leverage.numerator));
    scaled / i128::from(leverage.denominator).max(1)
}

/// Returns the value of every position at the last prices, long and short alike, one instrument left out.
pub(crate) fn held_value(
    markets: &[Market],
    ledger: &Ledger,
    marks: &[Option<i64>],
    but: Option<InstrumentId>,
) -> i128 {
    let value = |(market, mark): (&Market, &Option<i64>)| {
        let id = market.instrument.id;
        let lots = if but == Some(id) { 0 } else { ledger.position_total(id) };
        match mark {
            Some(ticks) if lots != 0 => {
                market.instrument.notional(*ticks, lots).map_or(i128::MAX, |money| money.0)
            }
            _ => 0,
        }
    };
    markets.iter().zip(marks).map(value).fold(0, i128::saturating_add)
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
