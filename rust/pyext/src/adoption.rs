//! What others made at the account, as Python hands it in and as a record shows it.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_types::{Adopted, AdoptedBody, CurrencyId, Money, Side, StrategyId};

use crate::errors::{invalid_argument, invalid_value};
use crate::events::side_name;

/// An order or a position that is taken over: an object with the fields of an `adopted` record.
#[derive(FromPyObject)]
pub struct AdoptedRow {
    strategy: u16,
    side: String,
    lots: i64,
    venue_time_ns: i64,
    adopted: String,
    price_ticks: Option<i64>,
    fee_atto: i128,
    fee_currency: Option<u8>,
    venue_order_id: Option<String>,
    client_order_id: Option<String>,
}

impl AdoptedRow {
    /// Returns what was read.
    pub fn read(self) -> PyResult<Adopted> {
        let side = match self.side.as_str() {
            "buy" => Side::Buy,
            "sell" => Side::Sell,
            other => return Err(invalid_value("side", other, "must be buy or sell")),
        };
        let body = match self.adopted.as_str() {
            "order" => AdoptedBody::Order { price_ticks: self.price_ticks },
            "position" => {
                let rule = "a position must have a price";
                let price_ticks =
                    self.price_ticks.ok_or_else(|| invalid_value("price_ticks", "none", rule))?;
                let fee_currency = self.fee_currency.map(CurrencyId);
                AdoptedBody::Position { price_ticks, fee: Money(self.fee_atto), fee_currency }
            }
            other => return Err(invalid_value("adopted", other, "must be order or position")),
        };
        Ok(Adopted {
            strategy: StrategyId(self.strategy),
            side,
            lots: self.lots,
            venue_time_ns: self.venue_time_ns,
            body,
            venue_order_id: self.venue_order_id.map(String::into_boxed_str),
            client_order_id: self.client_order_id.map(String::into_boxed_str),
        })
    }
}

/// Reads an order or a position that is taken over.
pub fn adopted(given: &Bound<'_, PyAny>) -> PyResult<AdoptedRow> {
    let rule =
        "must have the fields of an `adopted` record, as `tradecore.runtime.live.words.Adopt` has them";
    given.extract().map_err(|_| invalid_argument("found", given, rule))
}

/// Puts what was taken over.
pub fn put_adopted(dict: &Bound<'_, PyDict>, found: &Adopted<&str>) -> PyResult<()> {
    dict.set_item("strategy", found.strategy.0)?;
    dict.set_item("side", side_name(found.side))?;
    dict.set_item("lots", found.lots)?;
    dict.set_item("venue_time_ns", found.venue_time_ns)?;
    dict.set_item("adopted", found.body.name())?;
    match found.body {
        AdoptedBody::Order { price_ticks: None } => {}
        AdoptedBody::Order { price_ticks: Some(price_ticks) } => dict.set_item("price_ticks", price_ticks)?,
        AdoptedBody::Position { price_ticks, fee, fee_currency } => {
            dict.set_item("price_ticks", price_ticks)?;
            dict.set_item("fee", fee.0)?;
            if let Some(currency) = fee_currency {
                dict.set_item("fee_currency", currency.0)?;
            }
        }
    }
    let names = [("venue_order_id", found.venue_order_id), ("client_order_id", found.client_order_id)];
    for (key, name) in names {
        if let Some(name) = name {
            dict.set_item(key, name)?;
        }
    }
    Ok(())
}
