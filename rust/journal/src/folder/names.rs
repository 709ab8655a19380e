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

/// Links that are followed from one to the next; a system follows no more.
const LINKS_MAX: usize = 40;

/// Returns where a journal lies whose path may be a symbolic link: its other files lie beside it there.
///
/// Also where nothing lies there yet: a journal that begins at the end of a link has its files there from the first.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let is_link = |place: &Path| fs::symlink_metadata(place).is_ok_and(|found| found.is_symlink());
    if !is_link(path) {
        return path.to_path_buf();
    }
    if let Ok(target) = fs::canonicalize(path) {
        return target;
    }
    let mut place = path.to_path_buf();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&place) {
            // A target without a root is meant from the directory of its link.
            Ok(target) => place = place.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => break,
        }
    }
    // Links that lead in a circle lead nowhere: the system says so when the file is opened.
    if is_link(&place) { path.to_path_buf() } else { place }
}

/// Returns which file on disk has a name or is open: its device and its number there.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems do not say")]
pub(crate) fn file_id(found: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    Some((found.dev(), found.ino()))
}

/// Other systems do not say.
#[cfg(not(unix))]
pub(crate) fn file_id(_found: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

/// Returns which file on disk a name is of; `None` where the operating system does not say it.
///
/// # Errors
///
/// The answer of the operating system, which also says that there is none.
pub fn file_id_of(path: &Path) -> io::Result<Option<(u64, u64)>> {
    fs::metadata(path).map(|found| file_id(&found))
}

/// Tells whether two names are of one file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| file_id_of(path).ok().flatten();
    id(one).is_some_and(|found| id(other) == Some(found))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_says_where_a_journal_lies_also_where_none_lies_yet() {
        let place = std::env::temp_dir().join(format!("tradecore-links-{}", std::process::id()));
        drop(fs::remove_dir_all(&place));
        fs::create_dir_all(&place).unwrap();
        let named = |name: &str| place.join(name);
        for (target, link) in
            [("below/main", "near"), ("near", "far"), ("around", "circle"), ("circle", "around")]
        {
            symlink(target, named(link)).unwrap();
        }
        symlink(named("elsewhere"), named("whole")).unwrap();
        for (path, lies) in [
            ("near", "below/main"),
            ("far", "below/main"),
            ("whole", "elsewhere"),
            ("circle", "circle"),
            ("plain", "plain"),
        ] {
            assert_eq!(resolved(&named(path)), named(lies), "{path}");
        }
        fs::create_dir(named("below")).unwrap();
        fs::write(named("below/main"), []).unwrap();
        let found = fs::canonicalize(named("below/main")).unwrap();
        assert_eq!(resolved(&named("far")), found);
        fs::remove_dir_all(&place).unwrap();
    }
}
