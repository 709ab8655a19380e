//! What a segment begins with that goes on where another one ended.

use crate::chain::Head;
use crate::layout::{CELL, FileHeader, take};

/// Version of the header of such a segment; programs that know none of them refuse it by this number.
pub(crate) const CONTINUED_VERSION: u32 = 2;

/// Bytes of that header.
pub(crate) const START_BYTES: usize = 4 * CELL;

const SEGMENT_MAGIC: [u8; 4] = *b"TCSG";

/// Where in its journal a segment begins.
///
/// The first segment has the plain header of a journal and begins at [`Start::FIRST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// Number of the segment, counted from 1.
    pub number: u64,
    /// Number of its first frame.
    pub first_seq: u64,
    /// Bytes of all segments before it, as they were written.
    pub offset: u64,
    /// Head of the chain at which it begins: that at which the segment before it ends.
    pub head: Head,
    /// Head after the first frame of the journal: which journal it is of.
    pub origin: Head,
}

impl Start {
    /// Where a journal begins.
    pub(crate) const FIRST: Self =
        Self { number: 1, first_seq: 0, offset: 0, head: Head::START, origin: Head::START };

    /// Returns the header of a segment that begins here.
    pub(crate) fn to_bytes(self, created_ns: i64) -> Vec<u8> {
        let mut bytes = FileHeader::to_bytes(CONTINUED_VERSION, created_ns, self.number).to_vec();
        let mut cells = [
            &SEGMENT_MAGIC[..],
            &[0; 8],
            &[0; 4],
            &self.first_seq.to_le_bytes(),
            &self.offset.to_le_bytes(),
            &self.head.0,
            &self.origin.0,
        ]
        .concat();
        let crc = crc32fast::hash(&cells);
        if let Some(field) = cells.get_mut(12..16) {
            field.copy_from_slice(&crc.to_le_bytes());
        }
        bytes.extend_from_slice(&cells);
        bytes
    }

    /// Reads where a segment begins from its first bytes; `None` when they say nothing that can be.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (first, cells) = bytes.split_first_chunk::<CELL>()?;
        let FileHeader::Journal { version: CONTINUED_VERSION, number, .. } = FileHeader::from_bytes(first)
        else {
            return None;
        };
        let mut unsigned = *cells.first_chunk::<{ 3 * CELL }>()?;
        let mut rest = cells;
        let magic: [u8; 4] = take(&mut rest)?;
        let spare: [u8; 8] = take(&mut rest)?;
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let first_seq = u64::from_le_bytes(take(&mut rest)?);
        let offset = u64::from_le_bytes(take(&mut rest)?);
        let (head, origin) = (Head(take(&mut rest)?), Head(take(&mut rest)?));
        if let Some(field) = unsigned.get_mut(12..16) {
            field.fill(0);
        }
        let is_start = magic == SEGMENT_MAGIC && spare == [0; 8] && crc == crc32fast::hash(&unsigned);
        (is_start && number > 1 && first_seq > 0).then_some(Self { number, first_seq, offset, head, origin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_comes_back_and_no_changed_byte_goes_unseen() {
        let start =
            Start { number: 7, first_seq: 1 << 40, offset: 12, head: Head([3; 32]), origin: Head([9; 32]) };
        let bytes = start.to_bytes(-5);
        assert_eq!(bytes.len(), START_BYTES);
        assert_eq!(Start::from_bytes(&bytes), Some(start));
        for at in 0..bytes.len() {
            for flip in [1, 0x80, bytes[at]] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(changed == bytes || Start::from_bytes(&changed).is_none(), "byte {at}");
            }
            assert_eq!(Start::from_bytes(&bytes[..at]), None);
        }
    }
}
