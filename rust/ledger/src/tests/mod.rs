//! Tests of the whole crate, by noun.

mod broken;
mod currencies;
mod ledger;
mod methods;
mod opening;
mod orders;
mod revisions;

use tradecore_types::{Decimal, Instrument, InstrumentId, InstrumentKind, InstrumentSpec};

/// Makes an instrument from decimal text.
fn instrument(id: u32, tick: &str, lot: &str, kind: InstrumentKind, multiplier: &str) -> Instrument {
    let decimal = |text| Decimal::parse("test", text).unwrap();
    let spec = InstrumentSpec {
        symbol: format!("TEST{id}"),
        tick_size: decimal(tick),
        lot_size: decimal(lot),
        kind,
        multiplier: decimal(multiplier),
    };
    Instrument::new(InstrumentId(id), spec).unwrap()
}
