//! Asks an engine that is not at work. While it is, it answers nobody: neither the decision gate that it waits for
//! nor another thread.

use pyo3::prelude::*;
use tradecore_types::StrategyId;

use crate::errors::misuse;
use crate::kernel::PyKernel;

/// What is said to those who come while it is at work.
pub const BUSY: &str = "the engine is at work and answers nothing meanwhile: let a decision gate judge by its view \
                    alone, and use an engine from one thread at a time";

/// Looks into an engine that is not at work.
///
/// # Errors
///
/// `RuntimeError` when it is at work.
#[inline]
pub fn looked_into<'py>(kernel: &'py Py<PyKernel>, py: Python<'py>) -> PyResult<PyRef<'py, PyKernel>> {
    kernel.try_borrow(py).map_err(|_| misuse(BUSY))
}

/// Takes an engine that is calling a strategy, for a request of that strategy.
///
/// # Errors
///
/// `RuntimeError` when it is at work, or calls nobody in this thread and process.
#[inline]
pub fn asked<'py>(
    kernel: &'py Py<PyKernel>,
    py: Python<'py>,
    strategy: StrategyId,
) -> PyResult<PyRefMut<'py, PyKernel>> {
    let this = kernel.try_borrow_mut(py).map_err(|_| misuse(BUSY))?;
    this.hear(py, strategy)?;
    Ok(this)
}
