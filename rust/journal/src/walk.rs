//! Walks through all segments of a journal as if they were one file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::folder::names::resolved;
use crate::folder::segments::{Form, open_segment, segment_name, start_of};
use crate::frames::Frames;
use crate::packed::Unpacked;
use crate::scan::{Scan, ScanError, Step};
use crate::segment::{START_BYTES, Start};
use crate::source::Source;
use crate::{Damage, JournalError, Problem};

/// How often a segment is looked for whose name changes just now.
const LOOKS_MAX: u32 = 5;

/// A walk through a journal, also while it is written, rotated and packed.
///
/// **Invariant:** a frame is met once: the next segment is entered when the writer has left this one for it, and
/// what was appended before that has been read.
#[derive(Debug)]
pub(crate) struct Walk {
    path: PathBuf,
    scan: Scan<Source>,
    /// Another segment follows this one: its end is final.
    is_closed: bool,
    /// Head after the first frame of the journal, once that was met.
    origin: Option<Head>,
    /// When the journal was created.
    created_ns: Option<i64>,
    /// How many frames up to here were dropped.
    dropped: u64,
}

/// A segment that was found.
struct Found {
    source: Source,
    is_closed: bool,
    may_have_gaps: bool,
}

impl Walk {
    /// Opens a journal at its first frame.
    pub(crate) fn open(path: &Path) -> Result<Self, JournalError> {
        if path.is_dir() {
            return Err(JournalError::new(path, Problem::Directory));
        }
        let path = resolved(path);
        let Some(Found { source, is_closed, may_have_gaps }) = find(&path, 1)? else {
            return Err(JournalError::new(&path, Problem::SegmentMissing(1)));
        };
        let scan = Scan::new(source, Start::FIRST, may_have_gaps);
        Ok(Self { path, scan, is_closed, origin: None, created_ns: None, dropped: 0 })
    }

    /// Opens a journal at the beginning of the last segment that begins at this frame or before it.
    ///
    /// What is before that segment is taken from its header, which says where it begins, and is not checked.
    pub(crate) fn open_late(path: &Path, seq: u64) -> Result<Self, JournalError> {
        if path.is_dir() {
            return Err(JournalError::new(path, Problem::Directory));
        }
        let place = resolved(path);
        let Some(start) = last_start(&place, seq)? else { return Self::open(path) };
        let Some(Found { source, is_closed, may_have_gaps }) = find(&place, start.number)? else {
            return Self::open(path);
        };
        let scan = Scan::new(source, start, may_have_gaps);
        Ok(Self { path: place, scan, is_closed, origin: Some(start.origin), created_ns: None, dropped: 0 })
    }

    /// Takes the next step of the segment.
    fn scan_on(&mut self) -> Result<Step, JournalError> {
        let before = self.scan.frames;
        let step = self.scan.step().map_err(|error| self.error(error))?;
        if step == Step::Gap {
            self.dropped = self.dropped.saturating_add(self.scan.frames.saturating_sub(before));
        }
        Ok(step)
    }

    /// Takes the next step; after [`Step::End`] and [`Step::Torn`] it can be taken again, to follow a writer.
    ///
    /// Gaps are passed by.
    pub(crate) fn step(&mut self) -> Result<Step, JournalError> {
        loop {
            match self.scan_on()? {
                Step::Block { first_seq } => {
                    self.note_first(first_seq);
                    return Ok(Step::Block { first_seq });
                }
                Step::Gap => {}
                end @ (Step::End | Step::Torn) => {
                    if !self.go_on(end)? {
                        return Ok(end);
                    }
                }
            }
        }
    }

    /// Passes the end of a segment that is read to its end, and frames that were dropped, so that number and head
    /// are those before the next frame. The frames of the last step are let go.
    pub(crate) fn settle(&mut self) -> Result<(), JournalError> {
        while self.is_closed && self.scan.is_before_gap_or_end().map_err(|error| self.error(error))? {
            match self.scan_on()? {
                Step::Gap => {}
                end @ (Step::End | Step::Torn) if self.go_on(end)? => {}
                Step::Block { .. } | Step::End | Step::Torn => return Ok(()),
            }
        }
        Ok(())
    }

    /// Returns the frames of the block of the last step.
    pub(crate) fn payload(&self) -> &[u8] {
        self.scan.payload()
    }

    /// Returns the head after the last step.
    pub(crate) const fn head(&self) -> Head {
        self.scan.head
    }

    /// Returns the number of frames up to there, dropped ones included.
    pub(crate) const fn frames(&self) -> u64 {
        self.scan.frames
    }

    /// Returns how many of them were dropped.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Returns the position in the segment after the last whole block.
    pub(crate) fn segment_end(&self) -> u64 {
        self.scan.end_offset()
    }

    /// Returns the position after the last whole block, as if all segments were one file as it was written.
    pub(crate) fn end_offset(&self) -> u64 {
        self.scan.offset_before.saturating_add(self.scan.end_offset())
    }

    /// Returns where in the journal the segment begins; its origin is known from the first frame on.
    pub(crate) fn start(&self) -> Start {
        self.scan.start()
    }

    /// Returns the head after the first frame of the journal; that of nothing before there is one.
    pub(crate) fn origin(&self) -> Head {
        self.origin.unwrap_or(Head::START)
    }

    /// Tells whether the header of the segment was whole.
    pub(crate) const fn has_header(&self) -> bool {
        self.scan.created_ns.is_some()
    }

    /// Returns the time of the first frame of the segment.
    pub(crate) const fn first_time_ns(&self) -> Option<i64> {
        self.scan.first_time_ns
    }

    /// Returns when the journal was created; `None` when its header is not whole.
    pub(crate) fn created_ns(&self) -> Option<i64> {
        self.created_ns.or(self.scan.created_ns)
    }

    /// Enters the next segment when there is one; `false` where the journal ends.
    fn go_on(&mut self, end: Step) -> Result<bool, JournalError> {
        if !self.is_closed {
            // Once it is known that the writer has left it, what it wrote last is read first.
            self.is_closed = self.is_left()?;
            return Ok(self.is_closed);
        }
        if end == Step::Torn {
            return Err(self.damaged("a segment ends within a block"));
        }
        let number = self.scan.number().saturating_add(1);
        let Some(Found { source, is_closed, may_have_gaps }) = find(&self.path, number)? else {
            return Ok(false);
        };
        let start = Start {
            number,
            first_seq: self.scan.frames,
            offset: self.end_offset(),
            head: self.scan.head,
            origin: self.origin(),
        };
        self.created_ns = self.created_ns();
        self.scan = Scan::new(source, start, may_have_gaps);
        self.is_closed = is_closed;
        Ok(true)
    }

    /// Tells whether the writer has gone on in a later segment of this very journal.
    fn is_left(&self) -> Result<bool, JournalError> {
        let Some(origin) = self.origin else { return Ok(false) };
        let newest = match File::open(&self.path).and_then(|file| start_of(&file)) {
            Ok(newest) => newest,
            // It was moved away; who has it open reads it to its end all the same.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(JournalError::io(&self.path, "open", source)),
        };
        Ok(newest.number > self.scan.number() && newest.origin == origin)
    }

    fn note_first(&mut self, first_seq: u64) {
        if first_seq == 0 && self.origin.is_none() {
            let first = Frames::new(self.scan.payload()).next().and_then(Result::ok);
            self.origin = first.map(|frame| Head::START.after(frame));
        }
    }

    fn damaged(&self, what: &'static str) -> JournalError {
        self.error(self.scan.damage(None, what))
    }

    /// Names the file of an error.
    fn error(&self, error: ScanError) -> JournalError {
        let number = self.scan.number();
        let is_one_file = number == 1 && !self.is_closed;
        let path = if self.is_closed {
            // Its plain name stands for the segment, however it lies there now.
            segment_name(&self.path, number, Form::Plain)
        } else {
            self.path.clone()
        };
        match error {
            ScanError::Io(source) => JournalError::io(&path, "read", source),
            ScanError::Foreign => JournalError::new(&path, Problem::Foreign),
            ScanError::NewerVersion(version) => JournalError::new(&path, Problem::NewerVersion(version)),
            ScanError::Damaged(damage) => {
                let segment = if is_one_file { 0 } else { damage.segment };
                JournalError::new(&self.path, Problem::Damaged(Damage { segment, ..damage }))
            }
        }
    }
}

/// Returns where the last segment begins that begins at a frame or before it; `None` for the first one, or where a header
/// on the way to it does not say where its segment begins.
fn last_start(path: &Path, seq: u64) -> Result<Option<Start>, JournalError> {
    let unreadable = |source| JournalError::io(path, "read", source);
    let file = File::open(path).map_err(|source| JournalError::io(path, "open", source))?;
    let mut start = start_of(&file).map_err(unreadable)?;
    while start.number > 1 && start.first_seq > seq {
        let number = start.number.saturating_sub(1);
        let Some(Found { mut source, .. }) = find(path, number)? else { return Ok(None) };
        let mut bytes = Vec::with_capacity(START_BYTES);
        let read = source.by_ref().take(u64::try_from(START_BYTES).unwrap_or(0)).read_to_end(&mut bytes);
        match (read, Start::from_bytes(&bytes)) {
            (Ok(_), Some(before)) if before.number == number => start = before,
            _ => return Ok(None),
        }
    }
    Ok((start.number > 1).then_some(start))
}

/// Finds a segment, `None` when the journal has not come to it (any more).
fn find(path: &Path, number: u64) -> Result<Option<Found>, JournalError> {
    for _ in 0..LOOKS_MAX {
        let file = File::open(path).map_err(|source| JournalError::io(path, "open", source))?;
        let newest = start_of(&file).map_err(|source| JournalError::io(path, "read", source))?;
        if newest.number == number {
            let source = Source::Plain(file);
            return Ok(Some(Found { source, is_closed: false, may_have_gaps: false }));
        }
        if newest.number < number {
            return Ok(None);
        }
        let failed = |source| JournalError::io(&segment_name(path, number, Form::Plain), "open", source);
        if let Some((file, form)) = open_segment(path, number).map_err(failed)? {
            let source = match form {
                Form::Plain => Source::Plain(file),
                Form::Packed | Form::Archive => Source::Packed(Unpacked::new(file)),
            };
            return Ok(Some(Found { source, is_closed: true, may_have_gaps: form == Form::Archive }));
        }
    }
    Err(JournalError::new(path, Problem::SegmentMissing(number)))
}
