//! Says whether a journal is whole.

use std::fs::File;
use std::path::Path;

use crate::chain::Head;
use crate::recover::scan_error;
use crate::scan::{Scan, ScanError, Step};
use crate::{Damage, JournalError, Problem};

/// What a check of a journal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the file is whole, torn at its end or damaged, and where.
    pub status: Status,
    /// Records that are whole and in order.
    pub records: u64,
    /// Head of the hash chain after those frames: equal runs have equal heads.
    pub head: Head,
    /// Bytes of the file up to there.
    pub bytes: u64,
    /// Size of the file in bytes, what is torn included.
    pub file_bytes: u64,
    /// When the journal was created; `None` when its header is not whole.
    pub created_ns: Option<i64>,
}

/// What a check of a whole journal can end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Every byte is the one that was written.
    Intact,
    /// A crash left a tail unfinished; nothing in it was ever acknowledged. The next writer cuts it off.
    Torn,
    /// Bytes were changed, lost, doubled or moved.
    Damaged(Damage),
}

/// Checks every byte of a journal; never changes it and takes no lock.
///
/// While a writer is at work the block it is just writing counts as torn.
///
/// # Errors
///
/// [`JournalError`] when the file cannot be read, is no journal, or is of a newer version.
pub fn verify(path: &Path) -> Result<Finding, JournalError> {
    let failed = |source| JournalError::io(path, "read", source);
    if path.is_dir() {
        return Err(JournalError::new(path, Problem::Directory));
    }
    let file = File::open(path).map_err(|source| JournalError::io(path, "open", source))?;
    let mut scan = Scan::new(file.try_clone().map_err(failed)?);
    let status = loop {
        match scan.step() {
            Ok(Step::Block { .. }) => {}
            Ok(Step::End) => break Status::Intact,
            Ok(Step::Torn) => break Status::Torn,
            Err(ScanError::Damaged(damage)) => break Status::Damaged(damage),
            Err(error) => return Err(scan_error(path, error)),
        }
    };
    Ok(Finding {
        status,
        records: scan.frames,
        head: scan.head,
        bytes: scan.end_offset(),
        file_bytes: file.metadata().map_err(failed)?.len(),
        created_ns: scan.created_ns,
    })
}
