//! Packs older segments: every byte of them stays, in a fifth of the room.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::JournalError;
use crate::folder::disk;
use crate::folder::leftovers::segments_beside;
use crate::folder::lock::lock_segments;
use crate::folder::names::{beside, resolved};
use crate::folder::out::{Failed, Out, header_of, named};
use crate::folder::segments::{Form, segment_name, start_of};
use crate::packed::{PackWriter, Unpacked};
use crate::scan::{Scan, Step};
use crate::segment::Start;
use crate::storage::options;

/// What packing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PackedSegments {
    /// How many segments were packed.
    pub segments: u64,
    /// What they took on the disk.
    pub bytes_before: u64,
    /// What they take now.
    pub bytes_after: u64,
}

/// Packs all older segments of a journal that are not packed yet, the oldest first; a writer may be at work.
///
/// A packed segment is written beside the plain one, synced, read back and compared byte by byte; then it gets its
/// name, and then the plain one is removed. Whenever the process or the machine dies, one of them is whole.
///
/// # Errors
///
/// [`JournalError`] when another process is at the segments, one is damaged (it stays as it is), or the operating
/// system says no.
pub fn pack(path: &Path) -> Result<PackedSegments, JournalError> {
    pack_until(path, &AtomicBool::new(false))
}

/// Packs until there is nothing left to pack, or until it is told to stop: what is half done then is no harm.
pub(crate) fn pack_until(path: &Path, stop: &AtomicBool) -> Result<PackedSegments, JournalError> {
    let place = resolved(path);
    let newest = File::open(&place).and_then(|file| start_of(&file));
    let newest = newest.map_err(|source| JournalError::io(path, "open", source))?.number;
    let mut done = PackedSegments::default();
    let plain = |number| segment_name(&place, number, Form::Plain);
    let older = segments_beside(&place)
        .into_iter()
        .filter(|(number, name)| *number < newest && *name == plain(*number));
    let older: Vec<_> = older.collect();
    if older.is_empty() {
        return Ok(done);
    }
    let _lock = lock_segments(&place)?;
    for (number, name) in older {
        let Some((before, after)) =
            pack_segment(&place, number, stop).map_err(|error| named(&name, error))?
        else {
            break;
        };
        done.segments += 1;
        done.bytes_before += before;
        done.bytes_after += after;
    }
    Ok(done)
}

/// Packs one segment; returns its sizes before and after, `None` when it was told to stop.
fn pack_segment(path: &Path, number: u64, stop: &AtomicBool) -> Result<Option<(u64, u64)>, Failed> {
    let plain = segment_name(path, number, Form::Plain);
    let unfinished = beside(&plain, "unfinished");
    let packed = write_packed(&plain, number, &unfinished, stop);
    let Ok(Some(bytes_after)) = packed else {
        // The next attempt writes over it when it cannot be removed.
        drop(disk::remove(&unfinished));
        return packed.map(|_| None);
    };
    let bytes_before = std::fs::metadata(&plain)?.len();
    disk::rename(&unfinished, &segment_name(path, number, Form::Packed))?;
    disk::sync_directory(path)?;
    disk::remove(&plain)?;
    disk::sync_directory(path)?;
    Ok(Some((bytes_before, bytes_after)))
}

fn write_packed(
    plain: &Path,
    number: u64,
    unfinished: &Path,
    stop: &AtomicBool,
) -> Result<Option<u64>, Failed> {
    let mut source = File::open(plain)?;
    let start = Start { number, ..start_of(&source)? };
    let header = header_of(&mut source)?;
    let file = options().create(true).truncate(true).open(unfinished)?;
    let mut writer = PackWriter::new(Out { file, path: unfinished }, &header, start.head)?;
    let mut scan = Scan::new(source, start, false);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match scan.step().map_err(Failed::Scan)? {
            Step::Block { first_seq } => {
                writer.block(first_seq, scan.durable_frames, scan.payload(), scan.head)?;
            }
            Step::End => break,
            Step::Gap | Step::Torn => {
                let what = "a segment ends within a block";
                return Err(Failed::Scan(scan.damage(None, what)));
            }
        }
    }
    let out = writer.finish()?;
    disk::sync(&out.file, unfinished)?;
    let bytes = out.file.metadata()?.len();
    if !is_same(File::open(plain)?, Unpacked::new(File::open(unfinished)?), stop)? {
        return Err(Failed::NotTheSame);
    }
    Ok(if stop.load(Ordering::Relaxed) { None } else { Some(bytes) })
}

/// Tells whether two sources have the same bytes.
fn is_same(mut one: impl Read, mut other: impl Read, stop: &AtomicBool) -> io::Result<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        one.by_ref().take(1 << 18).read_to_end(&mut left)?;
        other.by_ref().take(1 << 18).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() || stop.load(Ordering::Relaxed) {
            return Ok(true);
        }
    }
}
