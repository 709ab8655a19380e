//! Frames on their way into blocks: the part of the writer that touches no file.

use crate::chain::Head;
use crate::layout::{BlockHeader, CELL, PAYLOAD_BYTES_MAX};
use crate::{CodecError, Frames, decode};

/// Blocks not yet written, and where the chain stands after them.
#[derive(Debug)]
pub(crate) struct Group {
    bytes: Vec<u8>,
    /// Index in `bytes` of the header of the block that is still open.
    open: Option<usize>,
    /// Number of the first frame of that block.
    first_seq: u64,
    /// Head after the last frame taken.
    pub head: Head,
    /// Frames taken so far, counted from the beginning of the journal.
    pub frames: u64,
    /// Frames known to be on disk.
    pub durable_frames: u64,
    /// Head after the first frame of the journal: which journal it is.
    pub origin: Head,
    /// Times of the first and the last frame taken since the segment began.
    pub times_ns: Option<(i64, i64)>,
}

impl Group {
    /// Goes on after `frames` frames, all of them on disk.
    pub(crate) const fn new(head: Head, frames: u64) -> Self {
        Self {
            bytes: Vec::new(),
            open: None,
            first_seq: frames,
            head,
            frames,
            durable_frames: frames,
            origin: Head::START,
            times_ns: None,
        }
    }

    /// Takes frames; nothing is taken unless all are records.
    pub(crate) fn take(&mut self, frames: &[u8]) -> Result<(), CodecError> {
        let mut span = self.times_ns;
        for frame in Frames::new(frames) {
            let time_ns = decode(frame?)?.time_ns;
            span = Some((span.map_or(time_ns, |(first_ns, _)| first_ns), time_ns));
        }
        self.times_ns = span;
        for frame in Frames::new(frames) {
            self.push(frame?);
        }
        Ok(())
    }

    /// Closes the open block and returns everything not yet written.
    pub(crate) fn seal(&mut self) -> &[u8] {
        self.close_block();
        &self.bytes
    }

    /// Returns how many bytes wait.
    pub(crate) const fn waiting(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what was written and keeps its memory.
    pub(crate) fn written(&mut self) {
        debug_assert!(self.open.is_none());
        self.bytes.clear();
    }

    fn push(&mut self, frame: &[u8]) {
        if self.payload_bytes().saturating_add(frame.len()) > PAYLOAD_BYTES_MAX {
            self.close_block();
        }
        if self.open.is_none() {
            self.open = Some(self.bytes.len());
            self.first_seq = self.frames;
            self.bytes.extend_from_slice(&[0; CELL]);
        }
        self.bytes.extend_from_slice(frame);
        self.head = self.head.after(frame);
        if self.frames == 0 {
            self.origin = self.head;
        }
        self.frames = self.frames.saturating_add(1);
    }

    /// Bytes of the frames of the open block.
    fn payload_bytes(&self) -> usize {
        self.open.map_or(0, |start| self.bytes.len().saturating_sub(start).saturating_sub(CELL))
    }

    fn close_block(&mut self) {
        let payload = self.payload_bytes();
        let Some(start) = self.open.take() else { return };
        let header = BlockHeader {
            payload_bytes: u32::try_from(payload).unwrap_or(u32::MAX),
            frames: u32::try_from(self.frames.saturating_sub(self.first_seq)).unwrap_or(u32::MAX),
            first_seq: self.first_seq,
            durable_frames: self.durable_frames,
        };
        if let Some(place) = self.bytes.get_mut(start..).and_then(|block| block.first_chunk_mut::<CELL>()) {
            *place = header.to_bytes();
        }
        let padded = start.saturating_add(CELL).saturating_add(payload.next_multiple_of(CELL));
        self.bytes.resize(padded, 0);
        self.bytes.extend_from_slice(&self.head.0);
    }
}
