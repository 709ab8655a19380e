//! Says whether a journal is whole.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::chain::Head;
use crate::folder::segments::start_of;
use crate::scan::Step;
use crate::walk::Walk;
use crate::{Damage, Frames, JournalError, Kind, Problem};

/// What a check of a journal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether the file is whole, torn at its end or damaged, and where.
    pub status: Status,
    /// Records that are whole and in order, those that a retention has dropped included.
    pub records: u64,
    /// Head of the hash chain after those frames: equal runs have equal heads.
    pub head: Head,
    /// Bytes up to there, as if all segments were one file as it was written.
    pub bytes: u64,
    /// Bytes of the whole journal, what is torn included, counted in the same way.
    pub file_bytes: u64,
    /// When the journal was created; `None` when its header is not whole.
    pub created_ns: Option<i64>,
    /// Number of the segment in which the whole part ends: how many segments there are, unless it is damaged.
    pub segments: u64,
    /// How many of the records a retention has dropped.
    pub dropped: u64,
    /// Hash of every order, refusal, cancel, amendment and link among them, as an engine has it of its own.
    pub orders_digest: [u8; 32],
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
    let mut walk = Walk::open(path)?;
    let mut orders = blake3::Hasher::new();
    let status = loop {
        match walk.step() {
            Ok(Step::Block { .. }) => {
                for frame in
                    Frames::new(walk.payload()).filter_map(Result::ok).filter(|frame| is_of_order(frame))
                {
                    orders.update(frame);
                }
            }
            Ok(Step::Gap) => {}
            Ok(Step::End) => break Status::Intact,
            Ok(Step::Torn) => break Status::Torn,
            Err(JournalError { problem: Problem::Damaged(damage), .. }) => break Status::Damaged(damage),
            Err(error) => return Err(error),
        }
    };
    Ok(Finding {
        status,
        records: walk.frames(),
        head: walk.head(),
        bytes: walk.end_offset(),
        file_bytes: journal_bytes(path).map_err(|source| JournalError::io(path, "read", source))?,
        created_ns: walk.created_ns(),
        segments: walk.start().number,
        dropped: walk.dropped(),
        orders_digest: *orders.finalize().as_bytes(),
    })
}

/// Tells whether a frame belongs to the digest of orders.
fn is_of_order(frame: &[u8]) -> bool {
    let kind = frame.get(4).copied().and_then(Kind::from_code);
    matches!(
        kind,
        Some(Kind::Order | Kind::Refused | Kind::CancelRequest | Kind::ReplaceRequest | Kind::Link)
    )
}

/// Returns the size of a journal, as if all segments were one file as it was written.
pub(crate) fn journal_bytes(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    Ok(start_of(&file)?.offset.saturating_add(file.metadata()?.len()))
}
