//! Asks an engine that is not at work. While it is, it answers nobody: neither the decision gate that it waits for
//! nor another thread.

use pyo3::prelude::*;

use crate::errors::misuse;
use crate::kernel::PyKernel;

/// What is said to those who come while it is at work.
const BUSY: &str = "the engine is at work and answers nothing meanwhile: let a decision gate judge by its view \
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

/// Takes an engine that is not at work, to change it.
///
/// # Errors
///
/// `RuntimeError` when it is at work.
#[inline]
pub fn taken<'py>(kernel: &'py Py<PyKernel>, py: Python<'py>) -> PyResult<PyRefMut<'py, PyKernel>> {
    kernel.try_borrow_mut(py).map_err(|_| misuse(BUSY))
}
