//! The one writer of a journal.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::group::Group;
use crate::recover::{self, Recovered, TornTail};
use crate::{JournalError, Problem, Storage};

/// Bytes that may wait in memory before they are written without a commit.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// Appends records to a journal file: one writer per file, one write per commit.
///
/// After the first write or sync that fails every `append` and `commit` fails too: a sync is never tried
/// again, and nothing is acknowledged on a disk that has said no once.
#[derive(Debug)]
pub struct Writer<S: Storage = File> {
    path: PathBuf,
    storage: S,
    group: Group,
    /// Size of the file.
    bytes: u64,
    /// Something was written since the last sync.
    is_unsynced: bool,
    stopped: Option<String>,
    torn: Option<TornTail>,
    /// Held as long as the writer lives.
    _lock: Option<File>,
}

impl Writer<File> {
    /// Opens a journal to append to it, or creates it with `created_ns` as its creation time.
    ///
    /// Checks everything that is there. A tail that a crash left unfinished is cut off and kept in a file
    /// `<name>.torn-<offset>` beside the journal. `<name>.lock` holds the lock of the one writer.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when another process writes it, it is damaged, of a newer version or no journal, or
    /// the operating system says no; the file is then as it was.
    pub fn open(path: &Path, created_ns: i64) -> Result<Self, JournalError> {
        let Recovered { lock, file, head, frames, bytes, torn } = recover::open(path, created_ns)?;
        let writer = Self::over(path.to_path_buf(), file, Group::new(head, frames), bytes);
        Ok(Self { torn, _lock: Some(lock), ..writer })
    }
}

impl<S: Storage> Writer<S> {
    /// Makes a writer that goes on after what a storage holds.
    pub(crate) const fn over(path: PathBuf, storage: S, group: Group, bytes: u64) -> Self {
        Self { path, storage, group, bytes, is_unsynced: false, stopped: None, torn: None, _lock: None }
    }

    /// Takes frames in order; they wait in memory until the next commit, or until 4 MiB wait.
    ///
    /// # Errors
    ///
    /// [`Problem::Refused`] when the bytes are not whole records (nothing is taken then),
    /// [`Problem::Stopped`] after an earlier failure, [`Problem::Io`] when the disk says no.
    pub fn append(&mut self, frames: &[u8]) -> Result<(), JournalError> {
        self.check_running()?;
        self.group.take(frames).map_err(|error| self.error(Problem::Refused(error)))?;
        if self.group.waiting() >= WAITING_BYTES_MAX {
            self.write()?;
        }
        Ok(())
    }

    /// Writes what waits, in one piece; with `is_durable` it survives a power cut on return.
    ///
    /// # Errors
    ///
    /// [`Problem::Stopped`] after an earlier failure, [`Problem::Io`] when the disk says no.
    pub fn commit(&mut self, is_durable: bool) -> Result<(), JournalError> {
        self.check_running()?;
        self.write()?;
        if is_durable && self.is_unsynced {
            if let Err(source) = self.storage.sync() {
                return Err(self.stop("sync", source));
            }
            self.is_unsynced = false;
            self.group.durable_frames = self.group.frames;
        }
        Ok(())
    }

    /// Returns the head after the last frame taken.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.group.head
    }

    /// Returns the number of frames taken since the journal was created.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.group.frames
    }

    /// Returns how many of them are known to survive a power cut.
    #[must_use]
    pub const fn durable_records(&self) -> u64 {
        self.group.durable_frames
    }

    /// Returns the size of the file.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns what was cut off when the journal was opened.
    #[must_use]
    pub const fn torn(&self) -> Option<&TornTail> {
        self.torn.as_ref()
    }

    fn write(&mut self) -> Result<(), JournalError> {
        let bytes = self.group.seal();
        if bytes.is_empty() {
            return Ok(());
        }
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        // From here on the file may be longer than it was, whatever the answer.
        self.is_unsynced = true;
        if let Err(source) = self.storage.append(bytes) {
            return Err(self.stop("write", source));
        }
        self.group.written();
        self.bytes = self.bytes.saturating_add(count);
        Ok(())
    }

    fn check_running(&self) -> Result<(), JournalError> {
        match &self.stopped {
            Some(first) => Err(self.error(Problem::Stopped(first.clone()))),
            None => Ok(()),
        }
    }

    fn stop(&mut self, operation: &'static str, source: std::io::Error) -> JournalError {
        self.stopped = Some(format!("cannot {operation}: {source}"));
        JournalError::io(&self.path, operation, source)
    }

    fn error(&self, problem: Problem) -> JournalError {
        JournalError::new(&self.path, problem)
    }
}

#[cfg(test)]
impl<S: Storage> Writer<S> {
    /// Ends the writer and returns what it wrote to.
    pub(crate) fn into_storage(self) -> S {
        self.storage
    }

    /// Returns what it writes to.
    pub(crate) const fn storage(&self) -> &S {
        &self.storage
    }
}
