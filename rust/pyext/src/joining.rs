//! Several feeds, and what each strategy trades: what the engine is told of instruments that are numbered elsewhere.

use pyo3::prelude::*;
use tradecore_types::InstrumentId;

use crate::access::taken;
use crate::arguments::number;
use crate::batch::PyEventBatch;
use crate::errors::invalid_value;
use crate::kernel::{PyKernel, kernel_error};

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(join_events, module)?)?;
    module.add_function(wrap_pyfunction!(set_traders, module)?)
}

/// Gives the events of one feed the numbers that the engine has for its instruments, and times of at least
/// `from_ns`: nothing of it comes before what other feeds have brought.
///
/// `numbers` has the engine's number of each instrument of the feed, in the feed's own order.
#[pyfunction]
fn join_events(
    mut batch: PyRefMut<'_, PyEventBatch>,
    numbers: Vec<u32>,
    #[pyo3(from_py_with = number::time_ns)] from_ns: i64,
) -> PyResult<()> {
    let number_of = |instrument: InstrumentId| numbers.get(instrument.index()).copied();
    let unknown = batch.events().events.iter().find(|event| number_of(event.instrument).is_none());
    if let Some(event) = unknown {
        let rule = format!("must be below {}", numbers.len());
        return Err(invalid_value("instrument_id", &event.instrument.0.to_string(), &rule));
    }
    for event in &mut batch.filling().events {
        event.instrument = InstrumentId(number_of(event.instrument).unwrap_or(event.instrument.0));
        event.time_ns = event.time_ns.max(from_ns);
    }
    Ok(())
}

/// Tells an engine which instruments each strategy trades, in the order of their numbers.
#[pyfunction]
fn set_traders(kernel: &Bound<'_, PyKernel>, instruments: Vec<Vec<u32>>) -> PyResult<()> {
    let ids = instruments.into_iter().map(|known| known.into_iter().map(InstrumentId).collect()).collect();
    let mut this = taken(kernel.as_unbound(), kernel.py())?;
    this.kernel.set_traders(ids).map_err(|error| kernel_error(&error))
}
