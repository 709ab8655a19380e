//! A trade that a venue told anew, as a strategy hears of it.

use pyo3::prelude::*;
use tradecore_types::{BookedRevision, Money, Side, Traded};

use crate::events::{Scale, side_name};

/// A trade of one of the strategy's orders that the venue corrected, busted, or restored after that. What it was is taken
/// back, and what it is from here on is booked: position and cash are those of that alone.
#[pyclass(name = "Revision", module = "tradecore._core", frozen)]
pub struct PyRevision {
    pub booked: BookedRevision,
    pub time_ns: i64,
    pub scale: Scale,
}

impl PyRevision {
    fn sign(&self) -> i64 {
        if self.booked.side == Side::Buy { 1 } else { -1 }
    }
}

fn lots_of(traded: Option<&Traded>) -> i64 {
    traded.map_or(0, |traded| traded.lots)
}

fn fee_of(traded: Option<&Traded>) -> i128 {
    traded.map_or(0, |traded| traded.fee.0)
}

#[pymethods]
impl PyRevision {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.booked.instrument.0
    }
    /// Number of the order that traded.
    #[getter]
    fn order_id(&self) -> u64 {
        self.booked.order_id.0
    }
    /// Whether the order was to `buy` or to `sell`.
    #[getter]
    fn side(&self) -> &'static str {
        side_name(self.booked.side)
    }
    /// The venue's own name of the trade.
    #[getter]
    fn trade_id(&self) -> &str {
        &self.booked.trade_id
    }
    /// `corrected`, `busted`, or `restored`: it had been busted, and has happened after all.
    #[getter]
    fn what(&self) -> &'static str {
        self.booked.name()
    }
    /// Price that the trade had in whole ticks; None for one that had been busted.
    #[getter]
    fn was_price_ticks(&self) -> Option<i64> {
        self.booked.before.map(|traded| traded.price_ticks)
    }
    /// Lots that the trade had; 0 for one that had been busted.
    #[getter]
    fn was_lots(&self) -> i64 {
        lots_of(self.booked.before.as_ref())
    }
    /// Fee that the trade had, in atto units (1e-18) of its currency.
    #[getter]
    fn was_fee_atto(&self) -> i128 {
        fee_of(self.booked.before.as_ref())
    }
    /// Price of the trade in whole ticks from here on; None for one that is busted.
    #[getter]
    fn price_ticks(&self) -> Option<i64> {
        self.booked.after.map(|traded| traded.price_ticks)
    }
    /// Price of the trade from here on, for arithmetic that may round; None for one that is busted.
    #[getter]
    fn price(&self) -> Option<f64> {
        self.booked.after.map(|traded| self.scale.price(traded.price_ticks))
    }
    /// Lots of the trade from here on; 0 for one that is busted.
    #[getter]
    fn lots(&self) -> i64 {
        lots_of(self.booked.after.as_ref())
    }
    /// Fee of the trade from here on, in atto units (1e-18) of its currency; negative is a rebate.
    #[getter]
    fn fee_atto(&self) -> i128 {
        fee_of(self.booked.after.as_ref())
    }
    /// Fee of the trade from here on as a float, in its currency.
    #[getter]
    fn fee(&self) -> f64 {
        Money(self.fee_atto()).to_f64()
    }
    /// What the position changed by in lots; below 0 when it became shorter.
    #[getter]
    fn changed_lots(&self) -> i64 {
        self.sign() * (self.lots() - self.was_lots())
    }
    fn __repr__(&self) -> String {
        format!(
            "Revision(order_id={}, trade_id={:?}, what={:?}, was_lots={}, lots={})",
            self.order_id(),
            self.trade_id(),
            self.what(),
            self.was_lots(),
            self.lots()
        )
    }
}
