//! Names of the files that lie beside a journal and belong to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Returns the first free one of the names `<path>.<suffix>`, `<path>.<suffix>-2`, and so on.
///
/// Names are taken one after the other, so that a few looks tell the first free one of any number. Nobody else takes
/// one meanwhile: the lock is held.
pub(crate) fn free_name(path: &Path, suffix: &str) -> PathBuf {
    let name = |number: u64| match number {
        1 => beside(path, suffix),
        _ => beside(path, &format!("{suffix}-{number}")),
    };
    // What cannot be looked at counts as taken, a link that leads nowhere among it.
    let is_free = |number: u64| {
        fs::symlink_metadata(name(number)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    };
    let (mut taken, mut free) = (0, 1);
    while !is_free(free) && free < u64::MAX / 2 {
        (taken, free) = (free, free * 2);
    }
    while free - taken > 1 {
        let middle = u64::midpoint(taken, free);
        if is_free(middle) { free = middle } else { taken = middle }
    }
    name(free)
}

/// Returns the path of a file beside the journal, `<name>.<suffix>`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
