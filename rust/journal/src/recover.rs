//! Opens a journal for its writer: lock, check, cut off what a crash left unfinished.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::folder::leftovers::remove_leftovers;
use crate::folder::lock::{lock, try_lock};
use crate::folder::names::{beside, file_id, free_name, resolved};
use crate::layout::{CELL, FileHeader};
use crate::scan::Step;
use crate::segment::Start;
use crate::storage::{options, sync_directory};
use crate::walk::Walk;
use crate::{FORMAT_VERSION, JournalError, Problem};

/// What a crash had left unfinished when the journal was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Bytes that were cut off.
    pub bytes: u64,
    /// File they are kept in.
    pub kept_in: PathBuf,
}

/// A journal ready to be appended to.
pub(crate) struct Recovered {
    /// Where its files lie: what the path leads to.
    pub place: PathBuf,
    pub lock: File,
    pub file: File,
    pub head: Head,
    pub frames: u64,
    /// Size of the newest segment.
    pub bytes: u64,
    /// Where that begins.
    pub start: Start,
    /// Head after the first frame of the journal.
    pub origin: Head,
    /// When the journal was created.
    pub created_ns: i64,
    /// Time of the first frame of the newest segment.
    pub first_time_ns: Option<i64>,
    pub torn: Option<TornTail>,
}

/// Opens or creates a journal; checks it from the segment on that has frame `from_seq`.
pub(crate) fn open(path: &Path, created_ns: i64, from_seq: u64) -> Result<Recovered, JournalError> {
    let failed = |operation| move |source| JournalError::io(path, operation, source);
    if path.is_dir() {
        return Err(JournalError::new(path, Problem::Directory));
    }
    let lock = lock(path)?;
    let place = resolved(path);
    remove_leftovers(&place)?;
    // Room that a process kept which was killed: a start on a full disk may need it.
    let reserve = beside(&place, "reserve");
    if reserve.exists() {
        drop(fs::remove_file(reserve));
    }
    let mut file = options().create(true).truncate(false).open(path).map_err(failed("open"))?;
    // Readers are not hindered by this lock, except on Windows; it holds when the lock file was removed.
    #[cfg(unix)]
    try_lock(path, &file)?;
    let found = file.metadata().map_err(failed("read"))?;
    let length = found.len();
    if file_id(&found) != file_id(&fs::metadata(path).map_err(failed("read"))?) {
        // A writer has gone on in another segment since the file was opened.
        return Err(JournalError::new(path, Problem::Locked));
    }

    let mut walk = if from_seq == 0 { Walk::open(path)? } else { Walk::open_late(path, from_seq)? };
    while let Step::Block { .. } = walk.step()? {}

    let end = walk.segment_end();
    let torn = if end < length && !tradecore_types::is_planted("torn_tail_not_kept") {
        Some(keep(path, &mut file, end, length)?)
    } else {
        None
    };
    let has_header = walk.has_header();
    let bytes = prepare(&mut file, end, torn.is_some(), has_header, created_ns).map_err(|source| {
        if length == 0 {
            // Half a header would be a torn tail to the next start.
            drop(file.set_len(0));
        }
        JournalError::io(path, "write", source)
    })?;
    if !has_header {
        sync_directory(&place).map_err(failed("sync the directory of"))?;
    }
    Ok(Recovered {
        place,
        lock,
        file,
        head: walk.head(),
        frames: walk.frames(),
        bytes,
        start: walk.start(),
        origin: walk.origin(),
        created_ns: walk.created_ns().unwrap_or(created_ns),
        first_time_ns: walk.first_time_ns(),
        torn,
    })
}

/// Cuts the file at the end of its last whole block and writes the header of a new one.
fn prepare(file: &mut File, end: u64, is_torn: bool, has_header: bool, created_ns: i64) -> io::Result<u64> {
    if is_torn {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    if !has_header {
        file.write_all(&FileHeader::to_bytes(FORMAT_VERSION, created_ns, 0))?;
    }
    // Also what an earlier process wrote and never synced becomes durable here, before anybody relies on it.
    file.sync_all()?;
    Ok(if has_header { end } else { u64::try_from(CELL).unwrap_or(0) })
}

/// Copies the bytes from `end` on into a new file beside the journal.
///
/// They get there under a name that the next attempt writes over, and their own name when they are all there: a
/// full disk or a crash in the middle leaves nothing behind that grows in number.
fn keep(path: &Path, file: &mut File, end: u64, length: u64) -> Result<TornTail, JournalError> {
    let unfinished = beside(path, "torn-unfinished");
    let written = copy_tail(file, end, &unfinished)
        .map_err(|source| JournalError::io(&unfinished, "write", source))
        .and_then(|()| {
            let kept_in = free_name(path, &format!("torn-{end}"));
            let renamed = fs::rename(&unfinished, &kept_in).and_then(|()| sync_directory(path));
            renamed.map_err(|source| JournalError::io(&kept_in, "write", source))?;
            Ok(kept_in)
        });
    match written {
        Ok(kept_in) => Ok(TornTail { bytes: length.saturating_sub(end), kept_in }),
        Err(error) => {
            // What is there is in the journal, too. When it cannot be removed the next attempt writes over it.
            drop(fs::remove_file(&unfinished));
            Err(error)
        }
    }
}

fn copy_tail(file: &mut File, end: u64, to: &Path) -> io::Result<()> {
    let mut side = options().create(true).truncate(true).open(to)?;
    file.seek(SeekFrom::Start(end))?;
    io::copy(file, &mut side)?;
    side.sync_all()
}
