//! Snapshots of an engine: its whole state as bytes, and an engine that goes on from them.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradecore_kernel::SnapshotError;

use crate::access::taken;
use crate::errors::{data_error, misuse};
use crate::kernel::PyKernel;

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(snapshot_of, module)?)?;
    module.add_function(wrap_pyfunction!(restore, module)?)
}

/// The whole state of an engine, as bytes: `MessagePack` with named values.
///
/// Raises `RuntimeError` while it has events or frames that nobody has taken.
#[pyfunction]
fn snapshot_of<'py>(kernel: &Bound<'py, PyKernel>) -> PyResult<Bound<'py, PyBytes>> {
    let py = kernel.py();
    let this = taken(kernel.as_unbound(), py)?;
    let kernel = &this.kernel;
    let bytes = py.detach(|| kernel.snapshot()).map_err(|error| refused(&error))?;
    Ok(PyBytes::new(py, &bytes))
}

/// Let a fresh engine with the same configuration, bars and subscriptions go on from a snapshot.
///
/// Its indicators are there already: who asks for one gets that. Digests of orders are kept no more. Raises
/// `DataError` when the snapshot is not one that this engine can go on from; the engine is of no more use then.
///
/// A snapshot of another version of behaviour (`is_foreign`) is read by the names of its values alone.
#[pyfunction]
fn restore(kernel: &Bound<'_, PyKernel>, snapshot: &[u8], is_foreign: bool) -> PyResult<()> {
    let mut this = taken(kernel.as_unbound(), kernel.py())?;
    this.kernel.restore(snapshot, is_foreign).map_err(|error| refused(&error))
}

fn refused(error: &SnapshotError) -> PyErr {
    match error {
        SnapshotError::Busy | SnapshotError::NotFresh => misuse(&error.to_string()),
        SnapshotError::Unreadable(_) | SnapshotError::Different(_) | SnapshotError::StateHash => {
            data_error("snapshot", &error.to_string())
        }
    }
}
