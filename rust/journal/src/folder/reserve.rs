//! Room on the disk that is kept for the time when there is no other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::folder::names::beside;
use crate::folder::{disk, out::Out};
use crate::storage::options;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 1 << 18;

/// A file beside a journal that is removed when the disk is full, so that the journal goes on in its room.
///
/// All clones are of the one reserve. To make it anew takes as long as the disk does: whoever does so holds nobody.
#[derive(Clone, Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    is_held: Arc<AtomicBool>,
    is_spent: Arc<AtomicBool>,
}

impl Reserve {
    /// Names the reserve of a journal; nothing is on the disk yet.
    pub(crate) fn beside(path: &Path, bytes: u64) -> Self {
        Self { path: beside(path, "reserve"), bytes, is_held: Arc::default(), is_spent: Arc::default() }
    }

    /// Returns its size.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Tells whether the room is there.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.is_held.load(Ordering::Acquire)
    }

    /// Tells whether the journal has gone on in its room, and it was not made anew since.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Acquire)
    }

    /// Takes the room, durably.
    ///
    /// # Errors
    ///
    /// The answer of the operating system; no room is taken then.
    pub fn make(&self) -> io::Result<()> {
        if self.is_held() {
            return Ok(());
        }
        let made = self.write();
        if made.is_err() {
            drop(disk::remove(&self.path));
        }
        if made.is_ok() {
            self.is_spent.store(false, Ordering::Release);
            self.is_held.store(true, Ordering::Release);
        }
        made
    }

    /// Gives the room free for what is to be written now; `false` when there was none.
    pub(crate) fn spend(&self) -> bool {
        let is_free = self.end();
        if is_free {
            self.is_spent.store(true, Ordering::Release);
        }
        is_free
    }

    /// Gives the room free, since nobody writes the journal any more; `false` when there was none.
    pub(crate) fn end(&self) -> bool {
        self.is_held.swap(false, Ordering::AcqRel) && disk::remove(&self.path).is_ok()
    }

    fn write(&self) -> io::Result<()> {
        let file = options().create(true).truncate(true).open(&self.path)?;
        let mut out = Out { file, path: &self.path };
        // A file system that compresses, or keeps no zeros, keeps these bytes.
        let (mut bytes, mut piece) = (blake3::Hasher::new().finalize_xof(), vec![0; PIECE_BYTES]);
        let mut left = self.bytes;
        while left > 0 {
            bytes.fill(&mut piece);
            let count = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
            io::Write::write_all(&mut out, piece.get(..count).unwrap_or_default())?;
            left = left.saturating_sub(u64::try_from(count).unwrap_or(left));
        }
        disk::sync(&out.file, &self.path)
    }
}
