//! Puts a journal that was written beside another one in its place.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::folder::aside::check_is_journal;
use crate::folder::disk;
use crate::folder::kept::{forget_segments, hold_segments, name_segments};
use crate::folder::lock::lock;
#[cfg(unix)]
use crate::folder::lock::try_lock;
use crate::folder::names::{beside, free_name};
use crate::storage::options;
use crate::verify::journal_bytes;
use crate::{JournalError, Problem};

/// Keeps a journal under the first free one of the names `<path>.<suffix>`, `<path>.<suffix>-2` and so on, and puts
/// its successor in its place in one step; returns the name.
///
/// Whenever the process or the machine dies, either the journal is in its place, or its successor is and the journal
/// has the other name. Trying again after that uses the name that the journal has already.
///
/// # Errors
///
/// [`JournalError`] when another process writes the journal or has changed it since it had `file_bytes` bytes, when
/// one of the two is no journal, or when the operating system says no; the journal is then in its place.
pub fn succeed(
    path: &Path,
    successor: &Path,
    suffix: &str,
    file_bytes: u64,
) -> Result<PathBuf, JournalError> {
    check_is_journal(path)?;
    check_is_journal(successor)?;
    let _lock = lock(path)?;
    let failed = |operation| move |source| JournalError::io(path, operation, source);
    let file = options().open(path).map_err(failed("open"))?;
    #[cfg(unix)]
    try_lock(path, &file)?;
    if journal_bytes(path).map_err(failed("look at"))? != file_bytes {
        return Err(JournalError::new(path, Problem::Locked));
    }
    let _segments = hold_segments(path)?;
    let known = known_name(path, suffix, &file);
    let kept_in = known.clone().unwrap_or_else(|| free_name(path, suffix));
    // The older segments first: whoever finds the journal under its other name finds it whole.
    name_segments(path, &kept_in).map_err(failed("keep a copy of"))?;
    if known.is_none() {
        keep(path, &kept_in).map_err(failed("keep a copy of"))?;
    }
    disk::sync_directory(path).map_err(failed("sync the directory of"))?;
    disk::rename(successor, path).map_err(failed("replace"))?;
    disk::sync_directory(path).map_err(failed("sync the directory of"))?;
    forget_segments(path, &kept_in);
    Ok(kept_in)
}

/// Gives a file a second name; where the file system has one name for each, a copy gets it.
fn keep(path: &Path, kept_in: &Path) -> io::Result<()> {
    if disk::link(path, kept_in).is_ok() {
        return Ok(());
    }
    let unfinished = beside(kept_in, "unfinished");
    fs::copy(path, &unfinished)?;
    File::open(&unfinished)?.sync_all()?;
    disk::rename(&unfinished, kept_in)
}

/// Returns the name that an attempt before this one gave the journal, if it came so far.
#[cfg(unix)]
fn known_name(path: &Path, suffix: &str, file: &File) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;

    let known = beside(path, suffix);
    let (ours, theirs) = (file.metadata().ok()?, fs::metadata(&known).ok()?);
    ((ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())).then_some(known)
}

/// Other systems do not say which file a name is of: another attempt leaves another name.
#[cfg(not(unix))]
fn known_name(_path: &Path, _suffix: &str, _file: &File) -> Option<PathBuf> {
    None
}
