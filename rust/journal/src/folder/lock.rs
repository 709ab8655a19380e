//! The locks that keep a journal to one writer.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::folder::names::{beside, resolved};
use crate::storage::options;
use crate::{JournalError, Problem};

/// Takes the lock of the one writer; it ends with the process, however that ends.
pub(crate) fn lock(path: &Path) -> Result<File, JournalError> {
    // A link and its target have one lock.
    let target = resolved(path);
    let file = options()
        .create(true)
        .truncate(false)
        .open(beside(&target, "lock"))
        .map_err(|source| JournalError::io(path, "create the lock file of", source))?;
    try_lock(path, &file)?;
    Ok(file)
}

/// Takes the lock of those who pack, copy or rename older segments; it ends with the process.
pub(crate) fn lock_segments(path: &Path) -> Result<File, JournalError> {
    let file = options()
        .create(true)
        .truncate(false)
        .open(beside(path, "segments-lock"))
        .map_err(|source| JournalError::io(path, "create the lock file of", source))?;
    try_lock(path, &file).map_err(|error| match error.problem {
        Problem::Locked => JournalError::new(path, Problem::Busy),
        _ => error,
    })?;
    Ok(file)
}

/// Takes the lock on an open file of a journal.
pub(crate) fn try_lock(path: &Path, file: &File) -> Result<(), JournalError> {
    if tradecore_types::is_planted("journal_not_locked") {
        return Ok(());
    }
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::new(path, Problem::Locked),
        TryLockError::Error(source) => JournalError::io(path, "lock", source),
    })
}
