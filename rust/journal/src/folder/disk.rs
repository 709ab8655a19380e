//! What is done to the files of a journal beside appending: one function for each step that a crash can follow.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::storage;

/// Writes to a file that nobody relies on yet.
pub(crate) fn write(mut file: &File, path: &Path, bytes: &[u8]) -> io::Result<()> {
    step(Step::Write(path, bytes))?;
    file.write_all(bytes)
}

/// Makes what was written to a file survive a power cut.
pub(crate) fn sync(file: &File, path: &Path) -> io::Result<()> {
    step(Step::Sync(path))?;
    file.sync_all()
}

/// Gives a file another name beside the one that it has.
pub(crate) fn link(path: &Path, to: &Path) -> io::Result<()> {
    step(Step::Link(path, to))?;
    fs::hard_link(path, to)
}

/// Gives a file another name; what had that is gone.
pub(crate) fn rename(path: &Path, to: &Path) -> io::Result<()> {
    step(Step::Rename(path, to))?;
    fs::rename(path, to)
}

/// Takes a name away.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step(Step::Remove(path))?;
    fs::remove_file(path)
}

/// Makes the names in the directory of a file survive a power cut.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    step(Step::SyncDirectory)?;
    storage::sync_directory(path)
}

/// A step, before it is taken.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "only a test that ends a process in its middle looks at it")
)]
pub(crate) enum Step<'a> {
    Write(&'a Path, &'a [u8]),
    Sync(&'a Path),
    Link(&'a Path, &'a Path),
    Rename(&'a Path, &'a Path),
    Remove(&'a Path),
    SyncDirectory,
}

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "a test lets a step fail")]
const fn step(_: Step<'_>) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use watched::step;
#[cfg(test)]
pub(crate) use watched::watch;

#[cfg(test)]
mod watched {
    use std::cell::RefCell;

    use super::{Step, io};

    type Watcher = Box<dyn FnMut(Step<'_>) -> io::Result<()>>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Lets a test see every step of this thread, and let it fail.
    pub(crate) fn watch(watcher: Option<Watcher>) {
        WATCHER.with(|place| *place.borrow_mut() = watcher);
    }

    pub(crate) fn step(step: Step<'_>) -> io::Result<()> {
        WATCHER.with(|place| place.borrow_mut().as_mut().map_or(Ok(()), |watcher| watcher(step)))
    }
}
