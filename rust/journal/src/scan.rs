//! Walks through a journal block by block and believes nothing it has not checked.

use std::io::{self, Read, Seek};

use crate::chain::Head;
use crate::layout::{BlockHeader, CELL, FileHeader, PAYLOAD_BYTES_MAX, is_zero, may_begin_block};
use crate::torn::{has_lost_sector, rest_of_sector};
use crate::window::Window;
use crate::{Damage, FORMAT_VERSION, Frames};

/// What the walk met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next whole block; its frames are in [`Scan::payload`].
    Block {
        /// Number of its first frame.
        first_seq: u64,
    },
    /// The file ends here.
    End,
    /// Bytes that a crash (or a writer at work) explains; nothing behind them was ever durable.
    Torn,
}

/// Why the walk cannot go on.
#[derive(Debug)]
pub(crate) enum ScanError {
    /// The file cannot be read.
    Io(io::Error),
    /// No journal.
    Foreign,
    /// A journal of a newer version.
    NewerVersion(u32),
    /// Bytes that no crash explains.
    Damaged(Damage),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A walk through a journal.
#[derive(Debug)]
pub(crate) struct Scan<R> {
    window: Window<R>,
    /// Bytes of the current block, to be passed by the next step.
    current: usize,
    payload_bytes: usize,
    /// When the journal was created; `None` before its header was read.
    pub created_ns: Option<i64>,
    /// Head after the last whole block.
    pub head: Head,
    /// Number of frames up to there.
    pub frames: u64,
}

/// What the bytes at the position are.
enum Found {
    Block {
        bytes: usize,
        payload_bytes: usize,
        frames: u64,
        head: Head,
    },
    End,
    /// Cut off, or nothing written yet.
    Unfinished,
    /// Wrong, but perhaps by a lost sector in so many bytes.
    Suspect {
        bytes: usize,
        last_seq: Option<u64>,
        what: &'static str,
    },
    /// Wrong for sure.
    Wrong {
        last_seq: Option<u64>,
        what: &'static str,
    },
}

impl<R: Read + Seek> Scan<R> {
    /// Starts at the beginning of a file.
    pub(crate) const fn new(source: R) -> Self {
        Self {
            window: Window::new(source),
            current: 0,
            payload_bytes: 0,
            created_ns: None,
            head: Head::START,
            frames: 0,
        }
    }

    /// Returns the position after the last whole block.
    pub(crate) fn end_offset(&self) -> u64 {
        self.window.offset().saturating_add(u64::try_from(self.current).unwrap_or(0))
    }

    /// Returns the frames of the block of the last step.
    pub(crate) fn payload(&self) -> &[u8] {
        let bytes = self.window.bytes().get(CELL..).unwrap_or_default();
        bytes.get(..self.payload_bytes).unwrap_or_default()
    }

    /// Takes the next step. After [`Step::End`] and [`Step::Torn`] it can be taken again, later, to follow a
    /// writer.
    pub(crate) fn step(&mut self) -> Result<Step, ScanError> {
        self.window.pass(self.current);
        (self.current, self.payload_bytes) = (0, 0);
        if self.created_ns.is_none() && !self.read_file_header()? {
            return self.pause();
        }
        match self.look()? {
            Found::Block { bytes, payload_bytes, frames, head } => {
                let first_seq = self.frames;
                (self.current, self.payload_bytes) = (bytes, payload_bytes);
                self.frames = self.frames.saturating_add(frames);
                self.head = head;
                Ok(Step::Block { first_seq })
            }
            Found::End => {
                self.window.forget()?;
                Ok(Step::End)
            }
            Found::Unfinished => self.pause(),
            Found::Wrong { last_seq, what } => Err(self.damage(last_seq, what)),
            Found::Suspect { bytes, last_seq, what } => {
                let known = self.window.bytes();
                let block = known.get(..bytes).unwrap_or(known);
                if has_lost_sector(self.window.offset(), block) && !self.was_durable()? {
                    return self.pause();
                }
                Err(self.damage(last_seq, what))
            }
        }
    }

    /// Reads the file header; `false` while it is not whole.
    fn read_file_header(&mut self) -> Result<bool, ScanError> {
        let bytes = self.window.fill(2 * CELL)?;
        match FileHeader::from_bytes(bytes.get(..2 * CELL).unwrap_or(bytes)) {
            FileHeader::Unfinished => Ok(false),
            FileHeader::Foreign => Err(ScanError::Foreign),
            FileHeader::Damaged => Err(self.damage(None, "the file header is changed")),
            FileHeader::Journal { version, .. } if version > FORMAT_VERSION => {
                Err(ScanError::NewerVersion(version))
            }
            FileHeader::Journal { created_ns, .. } => {
                self.created_ns = Some(created_ns);
                self.window.pass(CELL);
                Ok(true)
            }
        }
    }

    /// Judges the bytes at the position.
    fn look(&mut self) -> io::Result<Found> {
        let bytes = self.window.fill(CELL)?;
        if bytes.is_empty() {
            return Ok(Found::End);
        }
        let Some(cell) = bytes.first_chunk::<CELL>() else {
            return Ok(if may_begin_block(bytes) {
                Found::Unfinished
            } else {
                Found::Wrong { last_seq: None, what: "bytes that are no block" }
            });
        };
        let Some(header) = BlockHeader::from_bytes(cell) else {
            let what = "the block header is changed";
            return Ok(if is_zero(cell) {
                Found::Suspect { bytes: rest_of_sector(self.window.offset()), last_seq: None, what }
            } else {
                Found::Wrong { last_seq: None, what }
            });
        };
        let last_seq = header.first_seq.saturating_add(u64::from(header.frames)).saturating_sub(1);
        let last_seq = Some(last_seq);
        if header.first_seq != self.frames || header.durable_frames > header.first_seq {
            return Ok(Found::Wrong { last_seq, what: "a block is missing, doubled or in the wrong place" });
        }
        let Some(block_bytes) = header.block_bytes() else {
            return Ok(Found::Wrong { last_seq, what: "the block header is impossible" });
        };
        let Some(block) = self.window.fill(block_bytes)?.get(..block_bytes) else {
            return Ok(Found::Unfinished);
        };
        Ok(match check_block(&self.head, &header, block) {
            Ok((payload_bytes, head)) => {
                Found::Block { bytes: block_bytes, payload_bytes, frames: u64::from(header.frames), head }
            }
            Err(what) => Found::Suspect { bytes: block_bytes, last_seq, what },
        })
    }

    /// Tells whether a later block says that the frame at the position was on disk before it.
    fn was_durable(&mut self) -> io::Result<bool> {
        let start = self.window.offset();
        let was_durable = loop {
            let Some(cell) = self.window.fill(CELL)?.first_chunk::<CELL>() else { break false };
            let later = BlockHeader::from_bytes(cell);
            if later.is_some_and(|later| later.durable_frames > self.frames) {
                break true;
            }
            self.window.pass(CELL);
        };
        self.window.go_back(start)?;
        Ok(was_durable)
    }

    /// Stops for now; the next step reads these bytes anew.
    fn pause(&mut self) -> Result<Step, ScanError> {
        self.window.forget()?;
        Ok(Step::Torn)
    }

    fn damage(&self, last_seq: Option<u64>, what: &'static str) -> ScanError {
        let first_seq = self.frames;
        ScanError::Damaged(Damage { offset: self.window.offset(), first_seq, last_seq, what })
    }
}

/// Checks a whole block and returns the bytes of its frames and the head after them.
fn check_block(head: &Head, header: &BlockHeader, block: &[u8]) -> Result<(usize, Head), &'static str> {
    let payload_bytes = usize::try_from(header.payload_bytes).unwrap_or(PAYLOAD_BYTES_MAX);
    let (_, rest) = block.split_at_checked(CELL).unwrap_or_default();
    let (payload, rest) = rest.split_at_checked(payload_bytes).unwrap_or_default();
    let (padding, stored) = rest.split_last_chunk::<CELL>().ok_or("the block is cut short")?;
    if !is_zero(padding) {
        return Err("the padding of a block is changed");
    }
    let (mut head, mut count) = (*head, 0u32);
    for frame in Frames::new(payload) {
        let frame = frame.map_err(|_| "the frames of a block are changed")?;
        head = head.after(frame);
        count = count.saturating_add(1);
    }
    if count != header.frames || head.0 != *stored {
        return Err("the frames of a block do not give its hash");
    }
    Ok((payload_bytes, head))
}
