//! Packed segments: every byte of a segment can be made again from them.
//!
//! What follows from the frames is left out: heads, checksums and padding of blocks are a third of a live journal
//! and do not compress. File = header, the segment's own header, chunks, end. Chunk = header, hash, head after it,
//! compressed bytes. A chunk is believed when its hash is right, so no changed byte is given out.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::chain::Head;
use crate::cursor::Cursor;
use crate::frames::Frames;
use crate::layout::{BlockHeader, CELL, FileHeader, Gap, PAYLOAD_BYTES_MAX};
use crate::segment::{CONTINUED_VERSION, START_BYTES, Start};

const PACKED_MAGIC: [u8; 8] = *b"TCPACKD\n";
const CHUNK_MAGIC: [u8; 4] = *b"TCPC";
const END_MAGIC: [u8; 4] = *b"TCPE";
/// Version of the format of packed segments.
const PACKED_VERSION: u32 = 1;

/// Bytes that are compressed together: more compress no better, and each chunk is taken into memory whole.
const CHUNK_BYTES: usize = 1 << 20;

/// Most that a chunk may say it has: a chunk is closed with the block that reaches the size above.
const RAW_BYTES_MAX: usize = 4 * CHUNK_BYTES;

/// How hard is compressed: harder costs five times the time for 8% less.
const LEVEL: i32 = 3;

const BLOCK: u8 = 0;
const GAP: u8 = 1;

/// Writes a packed segment.
#[derive(Debug)]
pub(crate) struct PackWriter<W> {
    out: W,
    /// What the chunk has, in order.
    entries: Vec<u8>,
    /// The frames of its blocks.
    payload: Vec<u8>,
    plain_bytes: u64,
    head: Head,
}

impl<W: Write> PackWriter<W> {
    /// Begins with the segment's own header; `head` is that at which it begins.
    pub(crate) fn new(mut out: W, header: &[u8], head: Head) -> io::Result<Self> {
        out.write_all(&cell([&PACKED_MAGIC, &PACKED_VERSION.to_le_bytes()], [count(header.len()), 0]))?;
        out.write_all(header)?;
        Ok(Self { out, entries: Vec::new(), payload: Vec::new(), plain_bytes: count(header.len()), head })
    }

    /// Takes the next block.
    pub(crate) fn block(
        &mut self,
        first_seq: u64,
        durable: u64,
        frames: &[u8],
        after: Head,
    ) -> io::Result<()> {
        self.entries.push(BLOCK);
        self.entries.extend_from_slice(&u32::try_from(frames.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.entries.extend_from_slice(&first_seq.saturating_sub(durable).to_le_bytes());
        self.payload.extend_from_slice(frames);
        self.plain_bytes += count(CELL + frames.len().next_multiple_of(CELL) + CELL);
        self.head = after;
        if self.payload.len() + self.entries.len() >= CHUNK_BYTES { self.flush() } else { Ok(()) }
    }

    /// Takes frames that are dropped.
    pub(crate) fn gap(&mut self, frames: u64, after: Head) {
        self.entries.push(GAP);
        self.entries.extend_from_slice(&frames.to_le_bytes());
        self.entries.extend_from_slice(&after.0);
        self.plain_bytes += count(2 * CELL);
        self.head = after;
    }

    /// Writes the end and returns what was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        self.out.write_all(&cell([&END_MAGIC, &[0; 8]], [self.plain_bytes, 0]))?;
        Ok(self.out)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let mut raw = u32::try_from(self.entries.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
        raw.extend_from_slice(&self.entries);
        raw.extend_from_slice(&self.payload);
        let packed = zstd::bulk::compress(&raw, LEVEL)?;
        let header = cell([&CHUNK_MAGIC, &[0; 8]], [count(packed.len()), count(raw.len())]);
        let hash = chunk_hash(&header, &self.head, &packed);
        for part in [&header[..], &hash, &self.head.0, &packed] {
            self.out.write_all(part)?;
        }
        self.entries.clear();
        self.payload.clear();
        Ok(())
    }
}

/// Gives the bytes of a packed segment as they were written, and as if they were a file.
///
/// Bytes that are not what was packed are an error of the kind `InvalidData`.
#[derive(Debug)]
pub(crate) struct Unpacked<R> {
    source: R,
    /// The bytes from `offset` on that are known.
    plain: Vec<u8>,
    used: usize,
    offset: u64,
    chain: Option<(Head, u64)>,
    is_at_end: bool,
}

impl<R: Read + Seek> Unpacked<R> {
    /// Starts at the first byte of a source that stands there.
    pub(crate) const fn new(source: R) -> Self {
        Self { source, plain: Vec::new(), used: 0, offset: 0, chain: None, is_at_end: false }
    }

    fn position(&self) -> u64 {
        self.offset + count(self.used)
    }

    /// Makes the next bytes; there are none at the end.
    fn load(&mut self) -> io::Result<()> {
        self.offset = self.position();
        self.used = 0;
        self.plain.clear();
        let Some((head, frames)) = self.chain else { return self.load_header() };
        if self.is_at_end {
            return Ok(());
        }
        let header = self.cell()?;
        let (magic, [packed_bytes, raw_bytes]) = fields(&header)?;
        if magic == [&END_MAGIC[..], &[0; 8]].concat() {
            let has_more = self.source.read(&mut [0])? > 0;
            if has_more || packed_bytes != self.offset || raw_bytes != 0 {
                return Err(changed());
            }
            self.is_at_end = true;
            return Ok(());
        }
        let bounds =
            |bytes| usize::try_from(bytes).ok().filter(|bytes| *bytes <= RAW_BYTES_MAX).ok_or_else(changed);
        let (packed_bytes, raw_bytes) = (bounds(packed_bytes)?, bounds(raw_bytes)?);
        let (hash, after) = (self.cell()?, Head(self.cell()?));
        let mut packed = vec![0; packed_bytes];
        self.read_exact_of(&mut packed)?;
        if magic != [&CHUNK_MAGIC[..], &[0; 8]].concat() || chunk_hash(&header, &after, &packed) != hash {
            return Err(changed());
        }
        let raw = zstd::bulk::decompress(&packed, raw_bytes).map_err(|_| changed())?;
        let (head, frames) = self.unfold(&raw, head, frames).ok_or_else(changed)?;
        if head != after {
            return Err(changed());
        }
        self.chain = Some((head, frames));
        Ok(())
    }

    fn load_header(&mut self) -> io::Result<()> {
        let header = self.cell()?;
        let (magic, [header_bytes, _]) = fields(&header)?;
        if magic != [&PACKED_MAGIC[..], &PACKED_VERSION.to_le_bytes()].concat() {
            return Err(changed());
        }
        let header_bytes = usize::try_from(header_bytes).ok().filter(|bytes| *bytes <= START_BYTES);
        let mut plain = vec![0; header_bytes.ok_or_else(changed)?];
        self.read_exact_of(&mut plain)?;
        let start = match FileHeader::from_bytes(&plain) {
            FileHeader::Journal { version: CONTINUED_VERSION, .. } => {
                Start::from_bytes(&plain).ok_or_else(changed)?
            }
            FileHeader::Journal { .. } if plain.len() == CELL => Start::FIRST,
            _ => return Err(changed()),
        };
        self.plain = plain;
        self.chain = Some((start.head, start.first_seq));
        Ok(())
    }

    /// Makes the blocks and gaps of a chunk again; `None` when it says what cannot be.
    fn unfold(&mut self, raw: &[u8], mut head: Head, mut frames: u64) -> Option<(Head, u64)> {
        let mut cursor = Cursor::new(raw);
        let entries_bytes = usize::try_from(cursor.u32().ok()?).ok()?;
        let mut entries = Cursor::new(cursor.take(entries_bytes).ok()?);
        while !entries.rest().is_empty() {
            match entries.u8().ok()? {
                BLOCK => {
                    let payload_bytes = entries.u32().ok()?;
                    let lag = entries.u64().ok()?;
                    let payload = cursor.take(usize::try_from(payload_bytes).ok()?).ok()?;
                    let mut found = 0u32;
                    for frame in Frames::new(payload) {
                        head = head.after(frame.ok()?);
                        found = found.checked_add(1)?;
                    }
                    if payload.len() > PAYLOAD_BYTES_MAX {
                        return None;
                    }
                    let durable_frames = frames.checked_sub(lag)?;
                    let header =
                        BlockHeader { payload_bytes, frames: found, first_seq: frames, durable_frames };
                    self.plain.extend_from_slice(&header.to_bytes());
                    let end = self.plain.len() + payload.len().next_multiple_of(CELL);
                    self.plain.extend_from_slice(payload);
                    self.plain.resize(end, 0);
                    frames = frames.checked_add(u64::from(found))?;
                }
                GAP => {
                    let gap = Gap { first_seq: frames, frames: entries.u64().ok()? };
                    head = Head(entries.array().ok()?);
                    self.plain.extend_from_slice(&gap.to_bytes());
                    frames = frames.checked_add(gap.frames)?;
                }
                _ => return None,
            }
            self.plain.extend_from_slice(&head.0);
        }
        cursor.rest().is_empty().then_some((head, frames))
    }

    fn cell(&mut self) -> io::Result<[u8; CELL]> {
        let mut cell = [0; CELL];
        self.read_exact_of(&mut cell)?;
        Ok(cell)
    }

    /// Reads from the packed bytes; that they end too early is a change of them.
    fn read_exact_of(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.source.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => changed(),
            _ => error,
        })
    }
}

impl<R: Read + Seek> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.plain.len() {
            self.load()?;
        }
        let known = self.plain.get(self.used..).unwrap_or_default();
        let taken = known.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(known) {
            *to = *from;
        }
        self.used += taken;
        Ok(taken)
    }
}

impl<R: Read + Seek> Seek for Unpacked<R> {
    /// Goes to a place counted from the start: at once to where it is, else by making all before it again.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(to) = to else { return Err(io::ErrorKind::Unsupported.into()) };
        if to < self.position() {
            self.source.seek(SeekFrom::Start(0))?;
            self.plain.clear();
            (self.used, self.offset, self.chain, self.is_at_end) = (0, 0, None, false);
        }
        while self.position() < to {
            if self.used == self.plain.len() {
                self.load()?;
                if self.plain.is_empty() {
                    break;
                }
            }
            let left = to - self.position();
            let known = self.plain.len() - self.used;
            self.used += usize::try_from(left).unwrap_or(known).min(known);
        }
        Ok(self.position())
    }
}

/// Returns a header of magic, checksum and two numbers.
fn cell(magic: [&[u8]; 2], numbers: [u64; 2]) -> [u8; CELL] {
    let [first, second] = numbers.map(u64::to_le_bytes);
    let mut bytes = [0; CELL];
    let parts = [magic.concat(), vec![0; 4], first.to_vec(), second.to_vec()].concat();
    for (to, from) in bytes.iter_mut().zip(parts) {
        *to = from;
    }
    let crc = crc32fast::hash(&bytes).to_le_bytes();
    if let Some(field) = bytes.get_mut(12..16) {
        field.copy_from_slice(&crc);
    }
    bytes
}

/// Returns magic and numbers of a header; an error when its checksum is wrong.
fn fields(bytes: &[u8; CELL]) -> io::Result<(Vec<u8>, [u64; 2])> {
    let mut cursor = Cursor::new(bytes);
    let read = |cursor: &mut Cursor<'_>| -> Result<_, crate::CodecError> {
        let magic: [u8; 12] = cursor.array()?;
        cursor.u32()?;
        Ok((magic, [cursor.u64()?, cursor.u64()?]))
    };
    let (magic, numbers) = read(&mut cursor).map_err(|_| changed())?;
    if cell([&magic, &[]], numbers) != *bytes {
        return Err(changed());
    }
    Ok((magic.to_vec(), numbers))
}

fn chunk_hash(header: &[u8; CELL], after: &Head, packed: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(header).update(&after.0).update(packed).finalize().as_bytes()
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the packed bytes are changed")
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
