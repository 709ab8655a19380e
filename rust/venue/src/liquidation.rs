//! What a venue does about a position whose margin is used up.

use tradecore_types::{Liquidity, Money, OrderId, Report, ReportBody, TimeNs, share_of};

/// One whole in the unit of fees: 10^9 parts per billion.
const PPB_PER_UNIT: i128 = 1_000_000_000;

/// Returns the fee on a position that is closed by force, in atto units; `None` when it does not fit.
#[must_use]
pub fn liquidation_fee(notional: Money, rate_ppb: i64) -> Option<i128> {
    share_of(notional.0, i128::from(rate_ppb), PPB_PER_UNIT)
}

/// Returns the fill by which a position is closed by force, whole and at once, at the price at which the margin was used up.
#[must_use]
pub const fn forced_fill(order_id: OrderId, price_ticks: i64, lots: i64, now_ns: TimeNs) -> Report {
    let (liquidity, fee) = (Liquidity::Taker, Money::ZERO);
    let body =
        ReportBody::Fill { price_ticks, lots: lots.saturating_abs(), liquidity, fee, fee_currency: None };
    Report { venue_time_ns: now_ns, order_id, body }
}
