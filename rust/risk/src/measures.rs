//! By which price and value an order is judged, and how a check says no.

use tradecore_types::{Instrument, Money, OrderIntent, Rate, Refusal, Rule};

/// Returns the price an order is judged by: its own, or the market's.
pub(crate) fn order_price(intent: &OrderIntent, reference_ticks: i64) -> i64 {
    intent.kind.price_ticks().unwrap_or(reference_ticks)
}

/// Returns the value of an order in the currency in which the account reports; one that overflows, or of which no
/// price is known, is above every limit.
pub(crate) fn notional(instrument: &Instrument, price_ticks: i64, lots: i64) -> i128 {
    let size = instrument.notional(price_ticks, lots).map_or(i128::MAX, |money| money.0);
    if matches!(instrument.rate, Rate::One) { size } else { reported(instrument, size) }
}

#[cold]
fn reported(instrument: &Instrument, size: i128) -> i128 {
    instrument.rate.worth(Money(size)).map_or(i128::MAX, |money| money.0)
}

/// Makes a refusal.
pub(crate) fn refusal(rule: Rule, limit: i128, value: i128) -> Refusal {
    let value = if tradecore_types::is_planted("refusal_without_its_value") { limit } else { value };
    Refusal { rule, limit, value }
}
