//! The bytes of a journal file around its frames.
//!
//! File = file header, then blocks. Block = header, frames, zeros up to a multiple of 32, chain head.
//! Everything starts at a multiple of 32, so no header and no head lies across two disk sectors: a sector
//! that a power cut lost shows as zeros over a whole header, a whole head or a whole sector.

use crate::FRAME_BYTES_MAX;

/// Size of the file header, of a block header, of a chain head, and of the grid they lie on.
pub(crate) const CELL: usize = 32;

/// Largest sum of the frames of one block.
pub(crate) const PAYLOAD_BYTES_MAX: usize = FRAME_BYTES_MAX;

const FILE_MAGIC: [u8; 8] = *b"TCJOURN\n";
const BLOCK_MAGIC: [u8; 4] = *b"TCBK";
const GAP_MAGIC: [u8; 4] = *b"TCGP";

/// What stands in front of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// How many bytes its frames have together.
    pub payload_bytes: u32,
    /// Number of its frames, above 0.
    pub frames: u32,
    /// Number of its first frame in the journal, counted from 0.
    pub first_seq: u64,
    /// How many frames of the journal were known to be on disk when this block was written.
    pub durable_frames: u64,
}

impl BlockHeader {
    /// Returns its bytes: magic, payload bytes, frames, CRC-32, first number, durable frames.
    pub(crate) fn to_bytes(self) -> [u8; CELL] {
        let mut bytes = [0; CELL];
        let fields: [&[u8]; 6] = [
            &BLOCK_MAGIC,
            &self.payload_bytes.to_le_bytes(),
            &self.frames.to_le_bytes(),
            &[0; 4],
            &self.first_seq.to_le_bytes(),
            &self.durable_frames.to_le_bytes(),
        ];
        fill(&mut bytes, &fields);
        let crc = crc_of(&bytes);
        put(&mut bytes, 12, crc);
        bytes
    }

    /// Reads a header; `None` when the bytes are none.
    pub(crate) fn from_bytes(bytes: &[u8; CELL]) -> Option<Self> {
        let mut rest = &bytes[..];
        let magic: [u8; 4] = take(&mut rest)?;
        let payload_bytes = u32::from_le_bytes(take(&mut rest)?);
        let frames = u32::from_le_bytes(take(&mut rest)?);
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let first_seq = u64::from_le_bytes(take(&mut rest)?);
        let durable_frames = u64::from_le_bytes(take(&mut rest)?);
        let mut unsigned = *bytes;
        put(&mut unsigned, 12, 0);
        let is_header = magic == BLOCK_MAGIC && crc == crc_of(&unsigned);
        is_header.then_some(Self { payload_bytes, frames, first_seq, durable_frames })
    }

    /// Returns the bytes of the whole block, or `None` when the header asks for an impossible one.
    pub(crate) fn block_bytes(&self) -> Option<usize> {
        let payload = usize::try_from(self.payload_bytes).ok()?;
        let is_possible = payload <= PAYLOAD_BYTES_MAX && self.frames > 0;
        is_possible.then(|| CELL + payload.next_multiple_of(CELL) + CELL)
    }
}

/// What stands in the place of frames that were dropped; the head after them follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Number of the first of them.
    pub first_seq: u64,
    /// How many they are, above 0.
    pub frames: u64,
}

impl Gap {
    /// Returns its bytes: magic, zeros, CRC-32, first number, frames.
    pub(crate) fn to_bytes(self) -> [u8; CELL] {
        let mut bytes = [0; CELL];
        let fields: [&[u8]; 5] =
            [&GAP_MAGIC, &[0; 8], &[0; 4], &self.first_seq.to_le_bytes(), &self.frames.to_le_bytes()];
        fill(&mut bytes, &fields);
        let crc = crc_of(&bytes);
        put(&mut bytes, 12, crc);
        bytes
    }

    /// Reads a gap; `None` when the bytes are none.
    pub(crate) fn from_bytes(bytes: &[u8; CELL]) -> Option<Self> {
        let mut rest = &bytes[..];
        let magic: [u8; 4] = take(&mut rest)?;
        let spare: [u8; 8] = take(&mut rest)?;
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let first_seq = u64::from_le_bytes(take(&mut rest)?);
        let frames = u64::from_le_bytes(take(&mut rest)?);
        let mut unsigned = *bytes;
        put(&mut unsigned, 12, 0);
        let is_gap = magic == GAP_MAGIC && spare == [0; 8] && crc == crc_of(&unsigned) && frames > 0;
        is_gap.then_some(Self { first_seq, frames })
    }
}

/// Tells whether bytes too short for a header may be the beginning of one.
pub(crate) fn may_begin_block(bytes: &[u8]) -> bool {
    is_zero(bytes) || bytes.iter().zip(&BLOCK_MAGIC).all(|(byte, magic)| byte == magic)
}

/// What the first bytes of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileHeader {
    /// A journal of this version, or a segment of one; `number` is 0 for what begins a journal.
    Journal { version: u32, created_ns: i64, number: u64 },
    /// A journal whose creation a crash cut short: nothing was ever written to it.
    Unfinished,
    /// A journal with a changed header.
    Damaged,
    /// Bytes that no journal begins with.
    Foreign,
}

impl FileHeader {
    /// Returns the bytes of a header: magic, version, CRC-32, creation time, number of the segment.
    pub(crate) fn to_bytes(version: u32, created_ns: i64, number: u64) -> [u8; CELL] {
        let mut bytes = [0; CELL];
        let fields: [&[u8]; 5] =
            [&FILE_MAGIC, &version.to_le_bytes(), &[0; 4], &created_ns.to_le_bytes(), &number.to_le_bytes()];
        fill(&mut bytes, &fields);
        let crc = crc_of(&bytes);
        put(&mut bytes, 12, crc);
        bytes
    }

    /// Judges the first bytes of a file: the header and as much of the first block header as there is.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let Some((header, rest)) = bytes.split_first_chunk::<CELL>() else {
            let is_begun = is_zero(bytes) || bytes.iter().zip(&FILE_MAGIC).all(|(byte, magic)| byte == magic);
            return if is_begun { Self::Unfinished } else { Self::Foreign };
        };
        if rest.is_empty() && is_zero(header) {
            return Self::Unfinished;
        }
        Self::parse(header).unwrap_or_else(|| {
            let has_block =
                rest.first_chunk::<CELL>().is_some_and(|cell| BlockHeader::from_bytes(cell).is_some());
            let is_ours = header.starts_with(&FILE_MAGIC) || has_block || is_one_flip(header);
            if is_ours { Self::Damaged } else { Self::Foreign }
        })
    }

    fn parse(header: &[u8; CELL]) -> Option<Self> {
        let mut rest = &header[..];
        let magic: [u8; 8] = take(&mut rest)?;
        let version = u32::from_le_bytes(take(&mut rest)?);
        let crc = u32::from_le_bytes(take(&mut rest)?);
        let created_ns = i64::from_le_bytes(take(&mut rest)?);
        let number = u64::from_le_bytes(take(&mut rest)?);
        let mut unsigned = *header;
        put(&mut unsigned, 12, 0);
        let is_header = magic == FILE_MAGIC && crc == crc_of(&unsigned) && version > 0;
        is_header.then_some(Self::Journal { version, created_ns, number })
    }
}

/// Tells whether the magic is ours but for one byte.
fn is_one_flip(header: &[u8; CELL]) -> bool {
    header.iter().zip(&FILE_MAGIC).filter(|(byte, magic)| byte != magic).count() == 1
}

/// Tells whether every byte is zero.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn crc_of(bytes: &[u8; CELL]) -> u32 {
    crc32fast::hash(bytes)
}

/// Copies fields one after the other.
fn fill(bytes: &mut [u8; CELL], fields: &[&[u8]]) {
    let values = fields.iter().flat_map(|field| field.iter());
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = *value;
    }
}

/// Overwrites four bytes.
fn put(bytes: &mut [u8; CELL], at: usize, value: u32) {
    if let Some(field) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        *field = value.to_le_bytes();
    }
}

/// Cuts a field off.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_and_no_changed_byte_goes_unseen() {
        let header = BlockHeader { payload_bytes: 100, frames: 3, first_seq: 1 << 40, durable_frames: 9 };
        let file = FileHeader::Journal { version: 1, created_ns: -5, number: 0 };
        let (block_bytes, file_bytes) = (header.to_bytes(), FileHeader::to_bytes(1, -5, 0));
        assert_eq!(BlockHeader::from_bytes(&block_bytes), Some(header));
        assert_eq!(FileHeader::from_bytes(&file_bytes), file);
        for at in 0..CELL {
            for flip in 1..=255u8 {
                let (mut block, mut file) = (block_bytes, file_bytes);
                block[at] ^= flip;
                file[at] ^= flip;
                assert_eq!(BlockHeader::from_bytes(&block), None);
                assert_eq!(FileHeader::from_bytes(&file), FileHeader::Damaged);
            }
        }
    }

    #[test]
    fn a_file_of_something_else_is_told_from_an_unfinished_one() {
        for unfinished in [&b""[..], b"TCJ", &[0; 5], &[0; CELL]] {
            assert_eq!(FileHeader::from_bytes(unfinished), FileHeader::Unfinished);
        }
        for foreign in [&b"hello"[..], b"SQLite format 3\0 and some more bytes after it"] {
            assert_eq!(FileHeader::from_bytes(foreign), FileHeader::Foreign);
        }
    }
}
