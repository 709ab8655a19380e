//! Values of arrays that stay as they are while other threads run.

use std::borrow::Cow;

use numpy::{Element, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyAnyMethods;

use crate::errors::invalid_value;

/// Up to here a copy takes less time than the question whether one is needed.
const COPIED_ANYWAY: usize = 4_096;

/// Returns the values of a contiguous array: where they are when nobody can change them, else a copy.
///
/// What is checked is then what is used, whatever another thread writes meanwhile; numpy releases the interpreter
/// lock while it writes.
pub fn still<'a, T: Element + Copy>(
    name: &str,
    array: &'a PyReadonlyArray1<'_, T>,
) -> PyResult<Cow<'a, [T]>> {
    let values = array.as_slice().map_err(|_| invalid_value(name, "array", "must be contiguous"))?;
    if values.len() > COPIED_ANYWAY && is_still(array) {
        return Ok(Cow::Borrowed(values));
    }
    Ok(Cow::Owned(values.to_vec()))
}

/// Tells whether an array stays as it is: it is read-only, and its memory is its own.
///
/// A read-only view tells nothing: what it looks at can be changed through the array that it is a view of.
pub fn is_still<T: Element>(array: &Bound<'_, PyArray1<T>>) -> bool {
    let is_writeable = || array.getattr("flags")?.getattr("writeable")?.extract::<bool>();
    let has_base = || array.getattr("base").map(|base| !base.is_none());
    !is_writeable().unwrap_or(true) && !has_base().unwrap_or(true)
}
