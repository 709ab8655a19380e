//! A place in a journal that no crash explains.

use std::fmt;

/// Where a journal is damaged and what is wrong there; everything before it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Number of the segment that is wrong, from 1; 0 for a journal of one file.
    pub segment: u64,
    /// First byte of the block (or of the file header, 0) that is wrong, in its file before that was packed.
    pub offset: u64,
    /// First record that cannot be trusted, counted from 0.
    pub first_seq: u64,
    /// Last record of the block, when its header is whole.
    pub last_seq: Option<u64>,
    /// Which promise of the format does not hold there.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { segment, offset, first_seq, last_seq, what } = self;
        write!(f, "damaged at byte {offset}")?;
        if *segment > 0 {
            write!(f, " of segment {segment}")?;
        }
        match last_seq {
            Some(last_seq) => write!(f, ", records {first_seq} to {last_seq} and later: {what}")?,
            None => write!(f, ", from record {first_seq} on: {what}")?,
        }
        write!(
            f,
            "; nothing was changed: keep this file, put back a copy of it, or begin a new journal and \
             reconcile with the venue"
        )
    }
}
