//! Lets a journal go on in a new segment.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::folder::disk;
use crate::folder::lock::try_lock;
use crate::folder::names::{beside, is_same_file};
use crate::folder::segments::{Form, NUMBER_MAX, segment_name};
use crate::storage::options;

/// Puts a new segment with this header in the place of the one of this number, which gets a name of its own.
///
/// Both happen in one step: whenever the process or the machine dies, the journal is in its place, whole. Returns
/// the new segment, locked, or `None` when it could not be made: the journal goes on in the old one then.
///
/// # Errors
///
/// The answer of the operating system when it does not say that a new name is durable. A directory whose sync has
/// failed is not synced again: the system may have let go of what the first one was to keep.
pub(crate) fn begin_segment(path: &Path, number: u64, header: &[u8]) -> io::Result<Option<File>> {
    if number > NUMBER_MAX {
        return Ok(None);
    }
    let unfinished = beside(path, "segment-unfinished");
    let Ok(file) = prepare(path, number, header, &unfinished) else {
        // The next attempt writes over it when it cannot be removed.
        drop(disk::remove(&unfinished));
        return Ok(None);
    };
    // The old segment has its name before the journal's is another's.
    disk::sync_directory(path)?;
    if disk::rename(&unfinished, path).is_err() {
        drop(disk::remove(&unfinished));
        return Ok(None);
    }
    disk::sync_directory(path)?;
    Ok(Some(file))
}

fn prepare(path: &Path, number: u64, header: &[u8], unfinished: &Path) -> io::Result<File> {
    let file = options().create(true).truncate(true).open(unfinished)?;
    disk::write(&file, unfinished, header)?;
    disk::sync(&file, unfinished)?;
    try_lock(unfinished, &file).map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
    let kept = segment_name(path, number, Form::Plain);
    match disk::link(path, &kept) {
        // An attempt before this one came so far.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_same_file(path, &kept) => {}
        linked => linked?,
    }
    Ok(file)
}
