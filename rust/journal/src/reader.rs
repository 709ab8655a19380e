//! Reads a journal, also while another process writes it.

use std::path::Path;

use crate::JournalError;
use crate::chain::Head;
use crate::scan::Step;
use crate::walk::Walk;

/// Reads whole, checked blocks from the beginning on, all segments; never changes a file and takes no lock.
#[derive(Debug)]
pub struct Reader {
    walk: Walk,
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
        Ok(Self { walk: Walk::open(path)? })
    }

    /// Opens a journal to read it from the beginning of the segment that has this frame.
    ///
    /// What is before that segment is not checked: the header of the segment says where it begins.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when there is no file, or it cannot be opened.
    pub fn open_late(path: &Path, seq: u64) -> Result<Self, JournalError> {
        Ok(Self { walk: Walk::open_late(path, seq)? })
    }

    /// Returns the next whole block, or `None` when there is none yet; ask again to follow a writer.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the journal is damaged, no journal, of a newer version, or cannot be read.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, JournalError> {
        match self.walk.step()? {
            Step::Block { first_seq } => Ok(Some(Block { first_seq, frames: self.walk.payload() })),
            Step::End | Step::Torn | Step::Gap => Ok(None),
        }
    }

    /// Passes frames that were dropped before the next block, so that `records` and `head` are those before it.
    ///
    /// # Errors
    ///
    /// As for [`Reader::next_block`].
    pub fn settle(&mut self) -> Result<(), JournalError> {
        self.walk.settle()
    }

    /// Returns the head after the last block read.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.walk.head()
    }

    /// Returns the number of frames read, those that were dropped included.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.walk.frames()
    }

    /// Returns the position after the last block read, as if all segments were one file as it was written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.walk.end_offset()
    }
}
