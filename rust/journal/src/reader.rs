//! Reads a journal, also while another process writes it.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::recover::scan_error;
use crate::scan::{Scan, Step};
use crate::{JournalError, Problem};

/// Reads whole, checked blocks from the beginning on; never changes the file and takes no lock.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    scan: Scan<File>,
}

/// The frames of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Number of the first frame in the journal, counted from 0.
    pub first_seq: u64,
    /// The frames, one after the other.
    pub frames: &'a [u8],
}

impl Reader {
    /// Opens a journal to read it.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when there is no file, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if path.is_dir() {
            return Err(JournalError::new(path, Problem::Directory));
        }
        let file = File::open(path).map_err(|source| JournalError::io(path, "open", source))?;
        Ok(Self { path: path.to_path_buf(), scan: Scan::new(file) })
    }

    /// Returns the next whole block, or `None` when there is none yet; ask again to follow a writer.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the file is damaged, no journal, of a newer version, or cannot be read.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, JournalError> {
        match self.scan.step() {
            Ok(Step::Block { first_seq }) => Ok(Some(Block { first_seq, frames: self.scan.payload() })),
            Ok(Step::End | Step::Torn) => Ok(None),
            Err(error) => Err(scan_error(&self.path, error)),
        }
    }

    /// Returns the head after the last block read.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.scan.head
    }

    /// Returns the number of frames read.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.scan.frames
    }

    /// Returns the position in the file after the last block read.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.scan.end_offset()
    }
}
