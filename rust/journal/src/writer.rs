//! The one writer of a journal.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::folder::names::file_id;
use crate::group::Group;
use crate::packing::Packing;
use crate::recover::{self, Recovered, TornTail};
use crate::rotation::Rotation;
use crate::segment::{START_BYTES, Start};
use crate::{JournalError, Problem, Reserve, Storage};

/// Bytes that may wait in memory before they are written without a commit.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// Appends records to a journal: one writer per journal, one write per commit.
///
/// After the first write or sync that fails every `append` and `commit` fails too: a sync is never tried
/// again, and nothing is acknowledged on a disk that has said no once.
#[derive(Debug)]
pub struct Writer<S: Storage = File> {
    path: PathBuf,
    storage: S,
    group: Group,
    /// Where the newest segment begins.
    start: Start,
    /// Size of that segment.
    bytes: u64,
    /// When the journal was created.
    created_ns: i64,
    rotation: Rotation,
    /// Size at which a rotation that could not be done is tried again.
    retry_bytes: u64,
    packing: Option<Packing>,
    pub(crate) reserve: Option<Reserve>,
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
        Self::open_late(path, created_ns, 0)
    }

    /// Opens a journal as [`Writer::open`] does, and checks it from the segment on that has frame `from_seq`.
    ///
    /// For a start that goes on from a snapshot, whose time must not grow with the journal.
    ///
    /// # Errors
    ///
    /// As for [`Writer::open`].
    pub fn open_late(path: &Path, created_ns: i64, from_seq: u64) -> Result<Self, JournalError> {
        let found = recover::open(path, created_ns, from_seq)?;
        let Recovered { place, lock, file, head, frames, bytes, start, origin, .. } = found;
        let times_ns = found.first_time_ns.map(|first_ns| (first_ns, first_ns));
        let mut group = Group::new(head, frames);
        (group.origin, group.times_ns) = (origin, times_ns);
        let writer = Self::over(place, file, group, bytes);
        Ok(Self { torn: found.torn, created_ns: found.created_ns, start, _lock: Some(lock), ..writer })
    }

    /// Lets the journal go on in a new segment whenever one is as long as it shall be.
    ///
    /// With `is_packing` older segments are packed, by a thread beside the writer.
    #[must_use]
    pub fn with_rotation(mut self, rotation: Rotation, is_packing: bool) -> Self {
        self.rotation = rotation;
        if is_packing {
            let packing = self.packing.insert(Packing::default());
            packing.begin(&self.path, self.start.number);
        }
        self
    }

    /// Keeps so many bytes of the disk for when it is full; 0 for none. It is made by [`Reserve::make`].
    #[must_use]
    pub fn with_reserve(mut self, bytes: u64) -> Self {
        self.reserve = (bytes > 0).then(|| Reserve::beside(&self.path, bytes));
        self
    }

    /// Returns which file on disk the newest segment is, where the operating system says it.
    #[must_use]
    pub fn file_id(&self) -> Option<(u64, u64)> {
        self.storage.metadata().ok().as_ref().and_then(file_id)
    }
}

impl<S: Storage> Writer<S> {
    /// Makes a writer that goes on after what a storage holds.
    pub(crate) const fn over(path: PathBuf, storage: S, group: Group, bytes: u64) -> Self {
        Self {
            path,
            storage,
            group,
            start: Start::FIRST,
            bytes,
            created_ns: 0,
            rotation: Rotation::NEVER,
            retry_bytes: 0,
            packing: None,
            reserve: None,
            is_unsynced: false,
            stopped: None,
            torn: None,
            _lock: None,
        }
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
            if !tradecore_types::is_planted("acknowledged_before_the_sync")
                && let Err(source) = self.storage.sync()
            {
                return Err(self.stop("sync", source));
            }
            self.is_unsynced = false;
            self.group.durable_frames = self.group.frames;
        }
        if self.is_rotation_due(is_durable) { self.rotate() } else { Ok(()) }
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

    /// Returns the size of the journal, as if all segments were one file as it was written.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.start.offset.saturating_add(self.bytes)
    }

    /// Returns the number of the newest segment, counted from 1.
    #[must_use]
    pub const fn segment(&self) -> u64 {
        self.start.number
    }

    /// Ends what is beside the writer: the room that it keeps, and the thread that packs, which stops soon.
    pub fn end_company(&mut self) {
        if let Some(reserve) = self.reserve.take() {
            reserve.end();
        }
        if let Some(packing) = self.packing.take() {
            packing.end();
        }
    }

    /// Returns the room that is kept for when the disk is full.
    #[must_use]
    pub const fn reserve(&self) -> Option<&Reserve> {
        self.reserve.as_ref()
    }

    /// Returns why older segments are not packed, empty when they are.
    #[must_use]
    pub fn packing_problem(&self) -> String {
        self.packing.as_ref().map(Packing::problem).unwrap_or_default()
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
        if let Err(source) = append(&mut self.storage, bytes, self.bytes, self.reserve.as_ref()) {
            return Err(self.stop("write", source));
        }
        self.group.written();
        self.bytes = self.bytes.saturating_add(count);
        Ok(())
    }

    /// Tells whether the newest segment is as long as it shall be, and now is the moment to begin another.
    fn is_rotation_due(&self, is_durable: bool) -> bool {
        let span_ns = self.group.times_ns.map_or(0, |(first_ns, last_ns)| last_ns.saturating_sub(first_ns));
        let has_records = self.group.times_ns.is_some();
        has_records && self.bytes >= self.retry_bytes && self.rotation.is_due(self.bytes, span_ns, is_durable)
    }

    /// Goes on in a new segment; where none can be made, in the old one.
    fn rotate(&mut self) -> Result<(), JournalError> {
        debug_assert!(self.group.waiting() == 0, "a segment ends with whole blocks");
        if self.is_unsynced {
            // What is closed is durable: nobody ever cuts a closed segment.
            if let Err(source) = self.storage.sync() {
                return Err(self.stop("sync", source));
            }
            self.is_unsynced = false;
            self.group.durable_frames = self.group.frames;
        }
        let number = self.start.number;
        let next = Start {
            number: number.saturating_add(1),
            first_seq: self.group.frames,
            offset: self.bytes(),
            head: self.group.head,
            origin: self.group.origin,
        };
        match self.storage.rotate(&self.path, number, &next.to_bytes(self.created_ns)) {
            Ok(true) => {
                (self.start, self.bytes) = (next, u64::try_from(START_BYTES).unwrap_or(0));
                (self.retry_bytes, self.group.times_ns) = (0, None);
                if let Some(packing) = &mut self.packing {
                    packing.begin(&self.path, next.number);
                }
                Ok(())
            }
            Ok(false) => {
                self.retry_bytes = self.bytes.saturating_add(self.rotation.retry_after_bytes());
                Ok(())
            }
            Err(source) => Err(self.stop("begin a segment of", source)),
        }
    }

    fn check_running(&self) -> Result<(), JournalError> {
        match &self.stopped {
            Some(first) if !tradecore_types::is_planted("on_after_a_failed_write") => {
                Err(self.error(Problem::Stopped(first.clone())))
            }
            _ => Ok(()),
        }
    }

    fn stop(&mut self, operation: &'static str, source: io::Error) -> JournalError {
        self.stopped = Some(format!("cannot {operation}: {source}"));
        JournalError::io(&self.path, operation, source)
    }

    fn error(&self, problem: Problem) -> JournalError {
        JournalError::new(&self.path, problem)
    }
}

/// Appends to a file of so many bytes; on a full disk, once, in the room of the reserve.
///
/// A write that fails for want of room has changed nothing that was durable: what it left is cut off first. A sync
/// that fails, for whatever reason, is never tried again.
fn append<S: Storage>(storage: &mut S, bytes: &[u8], at: u64, reserve: Option<&Reserve>) -> io::Result<()> {
    match (storage.append(bytes), reserve) {
        (Err(error), Some(reserve))
            if is_full(&error) && !tradecore_types::is_planted("reserve_never_spent") && reserve.spend() =>
        {
            storage.cut(at)?;
            storage.append(bytes)
        }
        (written, _) => written,
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
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
