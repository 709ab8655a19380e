//! Arrays that nobody can change while the interpreter lock is released.

use numpy::{Element, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyAnyMethods;

/// Tells whether an array stays as it is: it is read-only, and its memory is its own.
///
/// A read-only view tells nothing: what it looks at can be changed through the array that it is a view of.
pub fn is_still<T: Element>(array: &Bound<'_, PyArray1<T>>) -> bool {
    let is_writeable = || array.getattr("flags")?.getattr("writeable")?.extract::<bool>();
    let has_base = || array.getattr("base").map(|base| !base.is_none());
    !is_writeable().unwrap_or(true) && !has_base().unwrap_or(true)
}

/// Works while other threads run when the arrays stay as they are, and else keeps them waiting.
pub fn beside_others<T: Send>(py: Python<'_>, is_still: bool, work: impl FnOnce() -> T + Send) -> T {
    if is_still { py.detach(work) } else { work() }
}
