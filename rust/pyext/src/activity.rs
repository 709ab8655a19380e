//! What strategies and decision gates did, as plain Python values.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_kernel::{Kernel, RefusalCount};
use tradecore_types::{InstrumentId, StrategyId};

use crate::errors::invalid_value;

/// Time of the first refusal in UTC nanoseconds, instrument, rule, how often, limit and value of the first.
pub type RefusalRow = (i64, u32, &'static str, u64, i128, i128);

/// Name, how often it was asked and said no; time, limit and value of the first no.
pub type GateRow = (String, u64, u64, Option<(i64, f64, f64)>);

/// Returns what became of the orders of a strategy.
pub fn order_counts<'py>(py: Python<'py>, kernel: &Kernel, strategy_id: u16) -> PyResult<Bound<'py, PyDict>> {
    let strategy = StrategyId(strategy_id);
    let counts = kernel
        .order_counts(strategy)
        .ok_or_else(|| invalid_value("strategy_id", &strategy_id.to_string(), "must be a strategy"))?;
    let (canceled, rejected) = (PyDict::new(py), PyDict::new(py));
    for (reason, count) in counts.canceled() {
        canceled.set_item(reason.name(), count)?;
    }
    for (reason, count) in counts.rejected() {
        rejected.set_item(reason.name(), count)?;
    }
    let row = |known: &RefusalCount| -> RefusalRow {
        let first = known.first;
        (known.first_ns, known.instrument.0, first.rule.name(), known.count, first.limit, first.value)
    };
    let out = PyDict::new(py);
    out.set_item("filled", counts.filled)?;
    out.set_item("part_filled", counts.part_filled)?;
    out.set_item("expired", counts.expired)?;
    out.set_item("canceled", canceled)?;
    out.set_item("rejected", rejected)?;
    let open = kernel.orders().iter().filter(|order| order.intent.strategy == strategy).count();
    out.set_item("open", open)?;
    out.set_item("refused", counts.refused().iter().map(row).collect::<Vec<_>>())?;
    Ok(out)
}

/// Returns what the decision gates said.
pub fn gate_counts(kernel: &Kernel) -> Vec<GateRow> {
    let rows = kernel.gate_counts().iter();
    rows.map(|known| (known.gate.clone(), known.asked, known.refused, known.first)).collect()
}

/// Returns which kinds of market data an instrument has had.
pub fn seen(py: Python<'_>, kernel: &Kernel, instrument_id: u32) -> PyResult<Py<PyDict>> {
    let seen = kernel.seen(InstrumentId(instrument_id)).ok_or_else(|| {
        invalid_value("instrument_id", &instrument_id.to_string(), "must be in the instrument table")
    })?;
    let out = PyDict::new(py);
    out.set_item("bars", seen.bars)?;
    out.set_item("quotes", seen.quotes)?;
    out.set_item("trades", seen.trades)?;
    out.set_item("books", seen.books)?;
    Ok(out.unbind())
}
