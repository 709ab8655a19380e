//! What an end in the middle of a rotation, or of setting a journal aside, has left of its segments.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::folder::disk;
use crate::folder::segments::{number_of, start_of};
use crate::{JournalError, Problem};

/// Removes names of segments that the journal in this place does not have (yet, or any more).
///
/// The lock is held. Only a name is removed, never the last one of a file: what was being set aside has its other
/// name, and what the rotation had named is still in its place.
///
/// # Errors
///
/// [`Problem::Leftover`] for a segment with no other name: whoever removed the journal before it has to say what
/// is to become of it.
pub(crate) fn remove_leftovers(path: &Path) -> Result<(), JournalError> {
    if path.exists() && !path.is_file() {
        // A pipe, say, would be waited for.
        return Ok(());
    }
    let newest = match File::open(path).and_then(|file| start_of(&file)) {
        Ok(start) => start.number,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(source) => return Err(JournalError::io(path, "open", source)),
    };
    for (number, segment) in segments_beside(path) {
        if number < newest {
            continue;
        }
        if !has_other_name(&segment) {
            return Err(JournalError::new(path, Problem::Leftover(segment)));
        }
        disk::remove(&segment).map_err(|source| JournalError::io(&segment, "remove", source))?;
    }
    Ok(())
}

/// Returns the older segments that lie beside a journal, with their numbers; none when nobody can look.
pub(crate) fn segments_beside(path: &Path) -> Vec<(u64, PathBuf)> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Ok(entries) = fs::read_dir(directory.unwrap_or(Path::new("."))) else { return Vec::new() };
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            Some((number_of(path, &name)?, path.with_file_name(name)))
        })
        .collect();
    found.sort();
    found
}

#[cfg(unix)]
fn has_other_name(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    fs::metadata(path).is_ok_and(|found| found.nlink() > 1)
}

/// Other systems do not say, and do not rotate.
#[cfg(not(unix))]
fn has_other_name(_path: &Path) -> bool {
    false
}
