//! Best prices of a book as Python sees them.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tradecore_book::Depth;

/// Best bid price, its size, best ask price, its size; 0 and 0 for an empty side.
type Prices = (i64, i64, i64, i64);

/// Tells a book's best prices, with the same tuple again while they stay.
///
/// Making the tuple and its four integers costs more than the rest of the call, and most changes of a book are
/// not to its best level.
pub struct Best {
    told: Option<(Prices, Py<PyTuple>)>,
}

impl Best {
    /// Makes one that has told nothing yet.
    pub const fn new() -> Self {
        Self { told: None }
    }

    /// Tells the best prices of a book.
    pub fn tell<'py>(&mut self, py: Python<'py>, book: &impl Depth) -> PyResult<Bound<'py, PyTuple>> {
        let bid = book.best_bid().unwrap_or_default();
        let ask = book.best_ask().unwrap_or_default();
        let prices = (bid.price_ticks, bid.lots, ask.price_ticks, ask.lots);
        if let Some((told, tuple)) = &self.told
            && *told == prices
        {
            return Ok(tuple.bind(py).clone());
        }
        let tuple = prices.into_pyobject(py)?;
        self.told = Some((prices, tuple.clone().unbind()));
        Ok(tuple)
    }
}
