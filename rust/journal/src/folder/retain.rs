//! Drops market events of old segments: what an engine or a person did stays, and the chain stays whole.
//!
//! Where frames were dropped, the archive says how many they were and the head after them, so that what follows is
//! still proved by the chain. The last event of each kind and instrument in a segment stays: positions are valued
//! at it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::chain::Head;
use crate::folder::disk;
use crate::folder::leftovers::segments_beside;
use crate::folder::lock::lock_segments;
use crate::folder::names::{beside, resolved};
use crate::folder::out::{Failed, Out, header_of, named};
use crate::folder::segments::{Form, open_segment, segment_name, start_of};
use crate::frames::Frames;
use crate::packed::{PackWriter, Unpacked};
use crate::scan::{Scan, Step};
use crate::segment::Start;
use crate::source::Source;
use crate::storage::options;
use crate::{Damage, JournalError, Kind, Problem, RecordBody, decode};

/// What a retention did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Archived {
    /// How many segments became archives.
    pub segments: u64,
    /// How many frames were dropped from them.
    pub dropped: u64,
    /// What the segments took on the disk.
    pub bytes_before: u64,
    /// What the archives take now.
    pub bytes_after: u64,
}

/// Tells whether a retention may drop records of a kind: market data, of which most of a journal is, and time.
///
/// A feed that was lost, and funding, which is why money was paid, are few and stay.
#[must_use]
pub const fn is_droppable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Bar
            | Kind::Quote
            | Kind::Trade
            | Kind::Book
            | Kind::CheckedBook
            | Kind::Flow
            | Kind::Mark
            | Kind::Clock
    )
}

/// Drops the market events of every older segment all of whose records are from before `before_ns`, oldest first.
///
/// An archive is written beside the segment, synced and read back; then it gets its name, and then the segment is
/// removed. Whenever the process or the machine dies, one of them is whole.
///
/// # Errors
///
/// [`JournalError`] when another process is at the segments, one is damaged (it stays as it is), or the operating
/// system says no.
pub fn drop_market_events(path: &Path, before_ns: i64) -> Result<Archived, JournalError> {
    let place = resolved(path);
    let failed = |source| JournalError::io(path, "read", source);
    let newest = start_of(&File::open(&place).map_err(failed)?).map_err(failed)?.number;
    let mut done = Archived::default();
    if newest < 2 {
        return Ok(done);
    }
    let _lock = lock_segments(&place)?;
    for number in 1..newest {
        let name = segment_name(&place, number, Form::Plain);
        let took = archive(&place, number, newest, before_ns).map_err(|error| named(&name, error))?;
        match took {
            Took::Archive(one) => {
                done.segments += 1;
                done.dropped += one.dropped;
                done.bytes_before += one.bytes_before;
                done.bytes_after += one.bytes_after;
            }
            Took::IsOne => {}
            Took::TooYoung => break,
            Took::Missing => return Err(JournalError::new(path, Problem::SegmentMissing(number))),
        }
    }
    Ok(done)
}

/// Returns how many older segments of a journal have lost their market events.
///
/// # Errors
///
/// [`JournalError`] when the journal cannot be opened.
pub fn archives(path: &Path) -> Result<u64, JournalError> {
    let place = resolved(path);
    let failed = |source| JournalError::io(path, "read", source);
    let newest = start_of(&File::open(&place).map_err(failed)?).map_err(failed)?.number;
    let is_archive = |(number, name): &(u64, std::path::PathBuf)| {
        *number < newest && *name == segment_name(&place, *number, Form::Archive)
    };
    // One that lies beside the whole segment is of a retention that was cut short: nothing was dropped.
    let is_alone = |number: u64| {
        let other = [Form::Plain, Form::Packed].map(|form| segment_name(&place, number, form));
        !other.iter().any(|name| name.exists())
    };
    let found = segments_beside(&place).into_iter().filter(|entry| is_archive(entry) && is_alone(entry.0));
    Ok(u64::try_from(found.count()).unwrap_or(u64::MAX))
}

enum Took {
    Archive(Archived),
    /// It is an archive already.
    IsOne,
    /// Some of its records may be too young.
    TooYoung,
    Missing,
}

/// A segment to read, from its first byte.
struct Segment {
    scan: Scan<Source>,
    header: Vec<u8>,
    head: Head,
}

fn archive(path: &Path, number: u64, newest: u64, before_ns: i64) -> Result<Took, Failed> {
    let Some((_, form)) = open_segment(path, number)? else { return Ok(Took::Missing) };
    if form == Form::Archive {
        return Ok(Took::IsOne);
    }
    // The next one begins after all records of this one.
    match first_time(path, number + 1, newest)? {
        Some(time_ns) if time_ns < before_ns => {}
        _ => return Ok(Took::TooYoung),
    }
    let bytes_before = fs::metadata(segment_name(path, number, form))?.len();
    let unfinished = beside(&segment_name(path, number, Form::Plain), "unfinished");
    let written = write_archive(path, number, &unfinished);
    let Ok((dropped, bytes_after)) = written else {
        // The next attempt writes over it when it cannot be removed.
        drop(disk::remove(&unfinished));
        return written.map(|_| Took::Missing);
    };
    disk::rename(&unfinished, &segment_name(path, number, Form::Archive))?;
    disk::sync_directory(path)?;
    for form in [Form::Plain, Form::Packed] {
        match disk::remove(&segment_name(path, number, form)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed?,
        }
    }
    disk::sync_directory(path)?;
    Ok(Took::Archive(Archived { segments: 1, dropped, bytes_before, bytes_after }))
}

/// Returns the time of the first record of a segment.
fn first_time(path: &Path, number: u64, newest: u64) -> Result<Option<i64>, Failed> {
    let source = if number == newest {
        Source::Plain(File::open(path)?)
    } else {
        match open_segment(path, number)? {
            None => return Ok(None),
            Some((file, Form::Plain)) => Source::Plain(file),
            Some((file, Form::Packed | Form::Archive)) => Source::Packed(Unpacked::new(file)),
        }
    };
    let mut segment = Segment::begin(source, number, true)?;
    while segment.scan.first_time_ns.is_none() {
        match segment.scan.step().map_err(Failed::Scan)? {
            Step::Block { .. } | Step::Gap => {}
            Step::End | Step::Torn => break,
        }
    }
    Ok(segment.scan.first_time_ns)
}

impl Segment {
    /// Reads the header of a segment, and begins at it.
    fn begin(mut source: Source, number: u64, may_have_gaps: bool) -> Result<Self, Failed> {
        let header = header_of(&mut source)?;
        let start = Start { number, ..Start::from_bytes(&header).unwrap_or(Start::FIRST) };
        Ok(Self { scan: Scan::new(source, start, may_have_gaps), header, head: start.head })
    }

    fn open(path: &Path, number: u64) -> Result<Self, Failed> {
        match open_segment(path, number)? {
            None => Err(Failed::Io(io::ErrorKind::NotFound.into())),
            Some((file, Form::Plain)) => Self::begin(Source::Plain(file), number, false),
            Some((file, form)) => {
                Self::begin(Source::Packed(Unpacked::new(file)), number, form == Form::Archive)
            }
        }
    }

    /// Calls `take` with number and bytes of each frame, in order.
    fn each(&mut self, mut take: impl FnMut(u64, &[u8]) -> Result<(), Failed>) -> Result<(), Failed> {
        loop {
            match self.scan.step().map_err(Failed::Scan)? {
                Step::Block { first_seq } => {
                    for (seq, frame) in (first_seq..).zip(Frames::new(self.scan.payload())) {
                        take(seq, frame.map_err(|_| self.broken())?)?;
                    }
                }
                Step::Gap => {}
                Step::End => return Ok(()),
                Step::Torn => {
                    return Err(Failed::Scan(self.scan.damage(None, "a segment ends within a block")));
                }
            }
        }
    }

    fn broken(&self) -> Failed {
        Failed::Scan(self.scan.damage(None, "the frames of a block are changed"))
    }
}

/// Writes the archive of a segment and reads it back; returns how many frames were dropped, and its size.
fn write_archive(path: &Path, number: u64, unfinished: &Path) -> Result<(u64, u64), Failed> {
    let mut last = HashMap::new();
    Segment::open(path, number)?.each(|seq, frame| {
        if let Some(key) = dropped_as(frame)? {
            last.insert(key, seq);
        }
        Ok(())
    })?;

    let mut segment = Segment::open(path, number)?;
    let file = options().create(true).truncate(true).open(unfinished)?;
    let out = PackWriter::new(Out { file, path: unfinished }, &segment.header, segment.head)?;
    let mut archive =
        Archive { out, head: segment.head, block: Vec::new(), block_seq: 0, gap: 0, dropped: 0 };
    let mut kept = blake3::Hasher::new();
    segment.each(|seq, frame| {
        let is_kept = match dropped_as(frame)? {
            None => true,
            // The last one of its kind and instrument stays; time alone says nothing.
            Some(key) => key.0 != Kind::Clock.code() && last.get(&key) == Some(&seq),
        };
        if is_kept {
            note(&mut kept, seq, frame);
        }
        Ok(archive.take(seq, frame, is_kept)?)
    })?;
    let end = (segment.scan.frames, segment.scan.head, kept.finalize());
    let (out, dropped) = archive.finish()?;
    disk::sync(&out.file, unfinished)?;
    let bytes = out.file.metadata()?.len();

    let read = File::open(unfinished)?;
    let mut again = Segment::begin(Source::Packed(Unpacked::new(read)), number, true)?;
    let mut kept = blake3::Hasher::new();
    again.each(|seq, frame| {
        note(&mut kept, seq, frame);
        Ok(())
    })?;
    if (again.scan.frames, again.scan.head, kept.finalize()) != end {
        return Err(Failed::NotTheSame);
    }
    Ok((dropped, bytes))
}

fn note(kept: &mut blake3::Hasher, seq: u64, frame: &[u8]) {
    kept.update(&seq.to_le_bytes()).update(frame);
}

/// Returns kind and instrument of a frame that may be dropped.
fn dropped_as(frame: &[u8]) -> Result<Option<(u8, u32)>, Failed> {
    let broken =
        Damage { segment: 0, offset: 0, first_seq: 0, last_seq: None, what: "a record cannot be read" };
    let record = decode(frame).map_err(|_| Failed::Scan(crate::scan::ScanError::Damaged(broken)))?;
    let kind = record.body.kind();
    Ok(match record.body {
        RecordBody::Event { event, .. } if is_droppable(kind) => Some((kind.code(), event.instrument.0)),
        _ => None,
    })
}

/// An archive that is written.
struct Archive<'a> {
    out: PackWriter<Out<'a>>,
    head: Head,
    /// Kept frames that follow one another.
    block: Vec<u8>,
    block_seq: u64,
    /// Dropped frames that follow one another.
    gap: u64,
    dropped: u64,
}

/// Largest sum of kept frames that are one block.
const BLOCK_BYTES: usize = 1 << 16;

impl<'a> Archive<'a> {
    fn take(&mut self, seq: u64, frame: &[u8], is_kept: bool) -> io::Result<()> {
        if is_kept {
            self.end_gap();
            if self.block.len() + frame.len() > BLOCK_BYTES {
                self.end_block()?;
            }
            if self.block.is_empty() {
                self.block_seq = seq;
            }
            self.block.extend_from_slice(frame);
        } else {
            self.end_block()?;
            self.gap += 1;
            self.dropped += 1;
        }
        self.head = self.head.after(frame);
        Ok(())
    }

    fn end_gap(&mut self) {
        let frames = std::mem::take(&mut self.gap);
        if frames > 0 {
            self.out.gap(frames, self.head);
        }
    }

    fn end_block(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        // Everything in a closed segment is durable.
        if block.is_empty() {
            Ok(())
        } else {
            self.out.block(self.block_seq, self.block_seq, &block, self.head)
        }
    }

    fn finish(mut self) -> io::Result<(Out<'a>, u64)> {
        self.end_gap();
        self.end_block()?;
        Ok((self.out.finish()?, self.dropped))
    }
}
