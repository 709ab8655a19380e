//! What goes wrong with a journal, as Python is told it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::PyErr;
use tradecore_journal::JournalError;

use crate::errors::storage_error;

/// Makes the exception of an error.
pub(super) fn storage(error: &JournalError) -> PyErr {
    storage_error(&error.path.display().to_string(), &error.problem.to_string())
}

/// Takes a lock; a panic of its last holder changes nothing, since every state is checked on disk.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
