//! Keeps a journal under another name, so that a new one can begin in its place.

use std::path::{Path, PathBuf};

use crate::folder::disk;
use crate::folder::kept::{forget_segments, hold_segments, name_segments};
use crate::folder::lock::lock;
#[cfg(unix)]
use crate::folder::lock::try_lock;
use crate::folder::names::free_name;
#[cfg(unix)]
use crate::storage::options;
use crate::{JournalError, Problem, Reader};

/// Gives a journal the first free one of the names `<path>.<suffix>`, `<path>.<suffix>-2` and so on; returns it.
///
/// Returns `None` when there is nothing at the path. A damaged journal is set aside as well.
///
/// # Errors
///
/// [`JournalError`] when another process writes the journal, when it is none, or when it cannot be renamed: it
/// then stays as it is. Also when the disk does not say that the new name is durable.
pub fn set_aside(path: &Path, suffix: &str) -> Result<Option<PathBuf>, JournalError> {
    let failed = |source| JournalError::io(path, "set aside", source);
    if !path.try_exists().map_err(failed)? {
        return Ok(None);
    }
    check_is_journal(path)?;
    let _lock = lock(path)?;
    #[cfg(unix)]
    let file = options().open(path).map_err(failed)?;
    #[cfg(unix)]
    try_lock(path, &file)?;
    let kept_in = free_name(path, suffix);
    let _segments = hold_segments(path)?;
    name_segments(path, &kept_in).map_err(failed)?;
    disk::rename(path, &kept_in).map_err(failed)?;
    disk::sync_directory(path).map_err(|source| JournalError::io(path, "sync the directory of", source))?;
    forget_segments(path, &kept_in);
    Ok(Some(kept_in))
}

/// Refuses what something else has made, before a lock file is made beside it.
pub(super) fn check_is_journal(path: &Path) -> Result<(), JournalError> {
    if !path.is_file() && !path.is_dir() {
        // A pipe, say, which nobody may ever write to: it is not read.
        return Err(JournalError::new(path, Problem::Foreign));
    }
    match Reader::open(path)?.next_block() {
        Err(error) if matches!(error.problem, Problem::Foreign) => Err(error),
        _ => Ok(()),
    }
}
