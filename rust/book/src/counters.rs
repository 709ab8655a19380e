//! What a book has lived through.

/// Counts since the book was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BookCounters {
    /// Diffs applied, those kept for a snapshot included.
    pub applied: u64,
    /// Snapshots that became the book.
    pub snapshots: u64,
    /// Diffs kept because there was no valid book.
    pub buffered: u64,
    /// Messages left out because the book had all of it.
    pub ignored: u64,
    /// Diffs kept that had to give way to newer ones.
    pub overflowed: u64,
    /// Times the chain of update ids broke, or a checksum differed, and the book became INVALID.
    pub gaps: u64,
    /// Times the book became INVALID for whatever reason.
    pub faults: u64,
    /// Times an INVALID book became valid again.
    pub resyncs: u64,
    /// Quotes of the venue at the same update id, and its checksums, compared with the book.
    pub compared: u64,
    /// How many of those compared differed from the book, which made it INVALID.
    pub mismatches: u64,
}

impl BookCounters {
    /// Appends every count, so that a replay that counts otherwise is found.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for count in [
            self.applied,
            self.snapshots,
            self.buffered,
            self.ignored,
            self.overflowed,
            self.gaps,
            self.faults,
            self.resyncs,
            self.compared,
            self.mismatches,
        ] {
            out.extend_from_slice(&count.to_le_bytes());
        }
    }
}
