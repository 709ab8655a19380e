//! Everything that is wrong with settings, each with the path of its key, raised as one error.

use pyo3::prelude::*;
use tradecore_types::ValueError;

use crate::errors::{invalid_spec, is_invalid_value, located};

/// What was refused so far.
#[derive(Default)]
pub struct Problems {
    found: Vec<PyErr>,
}

impl Problems {
    /// Returns what was read, or notes why it was refused: a field of what stands at `path`.
    ///
    /// An error of any other kind than a refused value is passed on.
    pub fn take<T>(&mut self, path: &str, read: PyResult<T>) -> PyResult<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_invalid_value(&error)? => {
                let located = located(path, &error)?;
                // A limit of all instruments is read for each of them, and is wrong once.
                if self.found.iter().all(|known| known.to_string() != located.to_string()) {
                    self.found.push(located);
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Notes why a value was refused.
    pub fn note(&mut self, path: &str, error: &ValueError) -> PyResult<()> {
        let refused = Err::<(), _>(crate::errors::value_error(error));
        self.take(path, refused).map(|_| ())
    }

    /// Raises everything that was noted; nothing when all is well.
    pub fn raise_any(&mut self) -> PyResult<()> {
        if self.found.is_empty() { Ok(()) } else { Err(invalid_spec(std::mem::take(&mut self.found))) }
    }
}
