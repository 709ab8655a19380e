//! Walks through a journal block by block and believes nothing it has not checked.

use std::io::{self, Read, Seek};

use crate::chain::Head;
use crate::frames::LENGTH_BYTES;
use crate::layout::{BlockHeader, CELL, FileHeader, Gap, PAYLOAD_BYTES_MAX, is_zero, may_begin_block};
use crate::segment::{CONTINUED_VERSION, START_BYTES, Start};
use crate::torn::{has_lost_sector, rest_of_sector};
use crate::window::Window;
use crate::{Damage, Frames};

/// What the walk met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next whole block; its frames are in [`Scan::payload`].
    Block {
        /// Number of its first frame.
        first_seq: u64,
    },
    /// Frames that were dropped: number and head are those after them.
    Gap,
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

/// A walk through one segment of a journal.
#[derive(Debug)]
pub(crate) struct Scan<R> {
    window: Window<R>,
    /// Where the segment has to begin.
    start: Start,
    /// Frames may have been dropped from it.
    may_have_gaps: bool,
    /// Bytes of the current block, to be passed by the next step.
    current: usize,
    payload_bytes: usize,
    /// When the journal was created; `None` before the header was read.
    pub created_ns: Option<i64>,
    /// Bytes of the segments before it.
    pub offset_before: u64,
    /// How many frames were known to be on disk when the block of the last step was written.
    pub durable_frames: u64,
    /// Time of its first frame.
    pub first_time_ns: Option<i64>,
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
    Gap {
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
    /// Starts at the beginning of a segment that begins at `start`.
    pub(crate) const fn new(source: R, start: Start, may_have_gaps: bool) -> Self {
        Self {
            window: Window::new(source),
            start,
            may_have_gaps,
            current: 0,
            payload_bytes: 0,
            created_ns: None,
            offset_before: start.offset,
            durable_frames: 0,
            first_time_ns: None,
            head: start.head,
            frames: start.first_seq,
        }
    }

    /// Returns the number of the segment.
    pub(crate) const fn number(&self) -> u64 {
        self.start.number
    }

    /// Returns where in the journal the segment begins.
    pub(crate) const fn start(&self) -> Start {
        Start { offset: self.offset_before, ..self.start }
    }

    /// Tells whether no block follows the last step; its frames are let go.
    pub(crate) fn is_before_gap_or_end(&mut self) -> Result<bool, ScanError> {
        let found = self.look_ahead();
        self.judged(found)
    }

    fn look_ahead(&mut self) -> Result<bool, ScanError> {
        self.window.pass(self.current);
        (self.current, self.payload_bytes) = (0, 0);
        if self.created_ns.is_none() && !self.read_file_header()? {
            return Ok(false);
        }
        let may_have_gaps = self.may_have_gaps;
        let bytes = self.window.fill(CELL)?;
        let gap = bytes.first_chunk::<CELL>().filter(|_| may_have_gaps).and_then(Gap::from_bytes);
        Ok(bytes.is_empty() || gap.is_some())
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
        let taken = self.try_step();
        self.judged(taken)
    }

    /// Packed bytes that are not what was packed are damage, and no answer of the operating system.
    fn judged<T>(&self, taken: Result<T, ScanError>) -> Result<T, ScanError> {
        match taken {
            Err(ScanError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                Err(self.damage(None, "the packed bytes are changed"))
            }
            taken => taken,
        }
    }

    fn try_step(&mut self) -> Result<Step, ScanError> {
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
                if self.first_time_ns.is_none() {
                    self.first_time_ns = time_of_first(self.payload());
                }
                Ok(Step::Block { first_seq })
            }
            Found::Gap { frames, head } => {
                self.current = 2 * CELL;
                self.frames = self.frames.saturating_add(frames);
                self.head = head;
                Ok(Step::Gap)
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
                if tradecore_types::is_planted("damage_taken_for_a_torn_tail")
                    || (has_lost_sector(self.window.offset(), block) && !self.was_durable()?)
                {
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
            FileHeader::Journal { version, .. } if version > CONTINUED_VERSION => {
                Err(ScanError::NewerVersion(version))
            }
            FileHeader::Journal { version: CONTINUED_VERSION, created_ns, .. } => {
                let found = Start::from_bytes(self.window.fill(START_BYTES)?);
                // The bytes before it are not counted anew: some of them may have been dropped since.
                match found {
                    None => Err(self.damage(None, "the header of the segment is changed")),
                    Some(found) if (Start { offset: self.start.offset, ..found }) != self.start => {
                        Err(self.damage(None, NOT_JOINED))
                    }
                    Some(found) => {
                        self.offset_before = found.offset;
                        self.begin(created_ns, START_BYTES);
                        Ok(true)
                    }
                }
            }
            FileHeader::Journal { .. } if self.start.number > 1 => Err(self.damage(None, NOT_JOINED)),
            FileHeader::Journal { created_ns, .. } => {
                self.begin(created_ns, CELL);
                Ok(true)
            }
        }
    }

    fn begin(&mut self, created_ns: i64, header_bytes: usize) {
        self.created_ns = Some(created_ns);
        self.window.pass(header_bytes);
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
        if self.may_have_gaps
            && let Some(gap) = Gap::from_bytes(cell)
        {
            return self.look_at_gap(gap);
        }
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
                self.durable_frames = header.durable_frames;
                Found::Block { bytes: block_bytes, payload_bytes, frames: u64::from(header.frames), head }
            }
            Err(what) => Found::Suspect { bytes: block_bytes, last_seq, what },
        })
    }

    /// Judges a gap: it is followed by the head after the frames that were dropped.
    fn look_at_gap(&mut self, gap: Gap) -> io::Result<Found> {
        let last_seq = Some(gap.first_seq.saturating_add(gap.frames).saturating_sub(1));
        if gap.first_seq != self.frames {
            return Ok(Found::Wrong { last_seq, what: "a gap is missing, doubled or in the wrong place" });
        }
        let bytes = self.window.fill(2 * CELL)?;
        let head = bytes.get(CELL..).and_then(|rest| rest.first_chunk::<CELL>()).copied();
        Ok(head.map_or(Found::Unfinished, |head| Found::Gap { frames: gap.frames, head: Head(head) }))
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

    /// Names the place of a damage.
    pub(crate) fn damage(&self, last_seq: Option<u64>, what: &'static str) -> ScanError {
        let first_seq = self.frames;
        let (segment, offset) = (self.start.number, self.window.offset());
        ScanError::Damaged(Damage { segment, offset, first_seq, last_seq, what })
    }
}

/// What is said of a segment that is another one than the chain needs.
const NOT_JOINED: &str = "the segment does not join the one before it";

/// Returns the time of the first of some frames.
fn time_of_first(frames: &[u8]) -> Option<i64> {
    let time = frames.get(LENGTH_BYTES + 1..).and_then(|rest| rest.first_chunk::<8>());
    time.map(|time| i64::from_le_bytes(*time))
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
    if count != header.frames || (head.0 != *stored && !tradecore_types::is_planted("hash_chain_not_checked"))
    {
        return Err("the frames of a block do not give its hash");
    }
    Ok((payload_bytes, head))
}
