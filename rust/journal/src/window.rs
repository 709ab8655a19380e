//! A file read front to back through one buffer.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes asked for at once.
const CHUNK: usize = 256 * 1024;

/// The bytes of a file from a position on, as far as they were needed.
#[derive(Debug)]
pub(crate) struct Window<R> {
    source: R,
    /// Position in the file of the first byte not yet passed.
    offset: u64,
    buffer: Vec<u8>,
    /// Index in the buffer of that byte.
    start: usize,
}

impl<R: Read + Seek> Window<R> {
    /// Starts at the first byte of a source that stands there.
    pub(crate) const fn new(source: R) -> Self {
        Self { source, offset: 0, buffer: Vec::new(), start: 0 }
    }

    /// Returns the position in the file.
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns what is known of the bytes from the position on.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads until at least `wanted` bytes are known or the file ends; returns what is known.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        let known = self.buffer.len().saturating_sub(self.start);
        if known < wanted {
            self.buffer.drain(..self.start);
            self.start = 0;
            let missing = wanted.max(CHUNK).saturating_sub(known);
            let most = u64::try_from(missing).unwrap_or(u64::MAX);
            self.source.by_ref().take(most).read_to_end(&mut self.buffer)?;
        }
        Ok(self.bytes())
    }

    /// Passes over bytes that are known.
    pub(crate) fn pass(&mut self, count: usize) {
        debug_assert!(count <= self.bytes().len());
        self.start = self.start.saturating_add(count).min(self.buffer.len());
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Forgets what was read ahead, since a writer may still change it.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.go_back(self.offset)
    }

    /// Moves to an earlier position.
    pub(crate) fn go_back(&mut self, offset: u64) -> io::Result<()> {
        self.buffer.clear();
        (self.start, self.offset) = (0, offset);
        self.source.seek(SeekFrom::Start(offset)).map(drop)
    }
}
