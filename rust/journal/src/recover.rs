//! Opens a journal for its writer: lock, check, cut off what a crash left unfinished.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::chain::Head;
use crate::folder::lock::{lock, try_lock};
use crate::folder::names::{beside, free_name};
use crate::layout::{CELL, FileHeader};
use crate::scan::{Scan, ScanError, Step};
use crate::storage::{options, sync_directory};
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
    pub lock: File,
    pub file: File,
    pub head: Head,
    pub frames: u64,
    pub bytes: u64,
    pub torn: Option<TornTail>,
}

/// Opens or creates a journal.
pub(crate) fn open(path: &Path, created_ns: i64) -> Result<Recovered, JournalError> {
    let failed = |operation| move |source| JournalError::io(path, operation, source);
    if path.is_dir() {
        return Err(JournalError::new(path, Problem::Directory));
    }
    let lock = lock(path)?;
    let mut file = options().create(true).truncate(false).open(path).map_err(failed("open"))?;
    // Readers are not hindered by this lock, except on Windows; it holds when the lock file was removed.
    #[cfg(unix)]
    try_lock(path, &file)?;
    let length = file.metadata().map_err(failed("read"))?.len();

    let copy = file.try_clone().map_err(failed("read"))?;
    let mut scan = Scan::new(copy);
    while let Step::Block { .. } = scan.step().map_err(|error| scan_error(path, error))? {}

    let end = scan.end_offset();
    let torn = if end < length { Some(keep(path, &mut file, end, length)?) } else { None };
    let has_header = scan.created_ns.is_some();
    let bytes = prepare(&mut file, end, torn.is_some(), has_header, created_ns).map_err(|source| {
        if length == 0 {
            // Half a header would be a torn tail to the next start.
            drop(file.set_len(0));
        }
        JournalError::io(path, "write", source)
    })?;
    if !has_header {
        sync_directory(path).map_err(failed("sync the directory of"))?;
    }
    Ok(Recovered { lock, file, head: scan.head, frames: scan.frames, bytes, torn })
}

/// Turns the end of a walk into an error of this file.
pub(crate) fn scan_error(path: &Path, error: ScanError) -> JournalError {
    match error {
        ScanError::Io(source) => JournalError::io(path, "read", source),
        ScanError::Foreign => JournalError::new(path, Problem::Foreign),
        ScanError::NewerVersion(version) => JournalError::new(path, Problem::NewerVersion(version)),
        ScanError::Damaged(damage) => JournalError::new(path, Problem::Damaged(damage)),
    }
}

/// Cuts the file at the end of its last whole block and writes the header of a new one.
fn prepare(file: &mut File, end: u64, is_torn: bool, has_header: bool, created_ns: i64) -> io::Result<u64> {
    if is_torn {
        file.set_len(end)?;
    }
    file.seek(SeekFrom::Start(end))?;
    if !has_header {
        file.write_all(&FileHeader::to_bytes(FORMAT_VERSION, created_ns))?;
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
