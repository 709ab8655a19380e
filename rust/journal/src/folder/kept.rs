//! Gives the older segments of a journal the names that go with another name of the journal.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::JournalError;
use crate::folder::disk;
use crate::folder::leftovers::segments_beside;
use crate::folder::lock::lock_segments;
use crate::folder::names::{beside, is_same_file};
use crate::folder::segments::start_of;

/// Takes the lock of the older segments of a journal, if it has any.
pub(crate) fn hold_segments(path: &Path) -> Result<Option<File>, JournalError> {
    if segments_beside(path).is_empty() { Ok(None) } else { lock_segments(path).map(Some) }
}

/// Gives every older segment its name beside `kept_in`, too; their names beside `path` stay until `forget`.
///
/// The journal itself gets the name in one step after that. Whenever that is cut short, the segments are found
/// beside whichever name the journal has.
pub(crate) fn name_segments(path: &Path, kept_in: &Path) -> io::Result<()> {
    for (suffix, segment) in older(path)? {
        let name = beside(kept_in, &suffix);
        match disk::link(&segment, &name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_same_file(&segment, &name) => {}
            linked => linked?,
        }
    }
    disk::sync_directory(path)
}

/// Takes the names beside `path` away of segments that have one beside `kept_in`.
///
/// What is left of them is no harm: the next writer in this place takes it away.
pub(crate) fn forget_segments(path: &Path, kept_in: &Path) {
    for (_, segment) in segments_beside(path) {
        let name = suffix_of(path, &segment).map(|suffix| beside(kept_in, &suffix));
        if name.is_some_and(|name| is_same_file(&segment, &name)) {
            drop(disk::remove(&segment));
        }
    }
}

/// Returns the older segments that the journal has, with what their names end with.
fn older(path: &Path) -> io::Result<Vec<(String, std::path::PathBuf)>> {
    let newest = start_of(&File::open(path)?)?.number;
    let older = segments_beside(path).into_iter().filter(|(number, _)| *number < newest);
    Ok(older.filter_map(|(_, segment)| Some((suffix_of(path, &segment)?, segment))).collect())
}

fn suffix_of(path: &Path, segment: &Path) -> Option<String> {
    let name = segment.file_name()?.to_str()?.strip_prefix(path.file_name()?.to_str()?)?;
    name.strip_prefix('.').map(String::from)
}
