//! What an end in the middle of a rotation, or of setting a journal aside, has left of its segments.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::folder::disk;
#[cfg(unix)]
use crate::folder::names::file_id;
use crate::folder::segments::{number_of, start_of};
use crate::{JournalError, Problem};

/// Removes names of segments that the journal in this place does not have (yet, or any more).
///
/// The lock is held. Only a name is removed of a file that has another one in this directory: what was being set
/// aside has its other name, and what the rotation had named is still in its place. A name elsewhere counts for
/// nothing: a copy of the directory may be made of links.
///
/// # Errors
///
/// [`Problem::Leftover`] for a segment with no other name here: whoever removed the journal before it has to say what
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

/// Returns a directory by a name that can be opened: of a bare file name it is empty.
fn directory_of(parent: &Path) -> &Path {
    if parent.as_os_str().is_empty() { Path::new(".") } else { parent }
}

/// Returns the older segments that lie beside a journal, with their numbers; none when nobody can look.
pub(crate) fn segments_beside(path: &Path) -> Vec<(u64, PathBuf)> {
    let Some(Ok(entries)) = path.parent().map(|parent| fs::read_dir(directory_of(parent))) else {
        return Vec::new();
    };
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
    let Ok(own) = fs::metadata(path) else { return false };
    let entries = path.parent().and_then(|parent| fs::read_dir(directory_of(parent)).ok());
    entries.into_iter().flatten().flatten().any(|entry| {
        // A symbolic link has a number of its own.
        let is_other = Some(entry.file_name().as_os_str()) != path.file_name();
        is_other && entry.metadata().is_ok_and(|found| file_id(&found) == file_id(&own))
    })
}

/// Other systems do not say, and do not rotate.
#[cfg(not(unix))]
fn has_other_name(_path: &Path) -> bool {
    false
}
