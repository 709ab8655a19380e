//! Copies a journal while it is written.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::folder::disk;
use crate::folder::leftovers::segments_beside;
use crate::folder::names::{beside, resolved};
use crate::folder::out::{Failed, Out, header_of, named};
use crate::folder::segments::{Form, open_segment, segment_name, start_of};
use crate::scan::{Scan, Step};
use crate::segment::Start;
use crate::storage::options;
use crate::{Finding, JournalError, Problem, Status, verify};

/// A copy of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// What its verification found.
    pub finding: Finding,
}

/// Copies a journal into a directory, up to a moment after the call; a writer may be at work.
///
/// The copy is whole: every record up to that moment, in order, as verified after it was synced. The file that has
/// the name of the journal comes last, so a copy that was cut short is no journal, and what is left of one is
/// replaced.
///
/// # Errors
///
/// [`JournalError`] when there is a journal of this name already, or a segment that this one does not have, when the
/// journal is damaged, or the operating system says no.
pub fn backup(path: &Path, directory: &Path) -> Result<Backup, JournalError> {
    let place = resolved(path);
    let name = place.file_name().ok_or_else(|| JournalError::new(path, Problem::Foreign))?;
    let target = directory.join(name);
    if fs::symlink_metadata(&target).is_ok() {
        return Err(JournalError::new(&target, Problem::Exists));
    }
    let file = File::open(&place).map_err(|source| JournalError::io(path, "open", source))?;
    let newest = start_of(&file).map_err(|source| JournalError::io(path, "read", source))?;
    if let Some((_, other)) =
        segments_beside(&target).into_iter().find(|(number, _)| *number >= newest.number)
    {
        return Err(JournalError::new(&target, Problem::Leftover(other)));
    }
    for number in 1..newest.number {
        let found = open_segment(&place, number).map_err(|source| JournalError::io(path, "open", source))?;
        let Some((file, form)) = found else {
            return Err(JournalError::new(path, Problem::SegmentMissing(number)));
        };
        let to = segment_name(&target, number, form);
        copy(file, &to, u64::MAX)
            .and_then(|()| remove_other_forms(&target, number, form))
            .map_err(|source| JournalError::io(&to, "write", source))?;
    }
    let end = if tradecore_types::is_planted("backup_ends_anywhere") {
        file.metadata().map_or(0, |found| found.len().saturating_sub(7))
    } else {
        whole_bytes(&file, newest).map_err(|error| named(path, error))?
    };
    disk::sync_directory(&target)
        .and_then(|()| copy(file, &target, end))
        .and_then(|()| disk::sync_directory(&target))
        .map_err(|source| JournalError::io(&target, "write", source))?;
    let finding = verify(&target)?;
    match finding.status {
        Status::Intact => Ok(Backup { path: target, finding }),
        Status::Damaged(damage) => Err(JournalError::new(&target, Problem::Damaged(damage))),
        Status::Torn => {
            let source = io::Error::other("the copy ends within a block");
            Err(JournalError::io(&target, "verify", source))
        }
    }
}

/// Returns how many bytes of the newest segment are whole blocks now; more may come.
fn whole_bytes(file: &File, start: Start) -> Result<u64, Failed> {
    let mut source = file.try_clone()?;
    header_of(&mut source)?;
    let mut scan = Scan::new(source, start, false);
    loop {
        match scan.step().map_err(Failed::Scan)? {
            Step::Block { .. } | Step::Gap => {}
            Step::End | Step::Torn => return Ok(scan.end_offset()),
        }
    }
}

/// Copies the first bytes of a file into a new one, which gets its name once it is whole and synced.
///
/// Nothing is written into what lies there: that may be a link, or another name of a file that somebody relies on,
/// such as a segment of this very journal.
fn copy(mut from: File, to: &Path, bytes: u64) -> io::Result<()> {
    from.rewind()?;
    let unfinished = beside(to, "unfinished");
    remove_if_there(&unfinished)?;
    let file = options().create_new(true).open(&unfinished)?;
    io::copy(&mut from.take(bytes), &mut Out { file: file.try_clone()?, path: &unfinished })?;
    disk::sync(&file, &unfinished)?;
    disk::rename(&unfinished, to)
}

/// Removes what a copy that was cut short has left of a segment that had another form then.
fn remove_other_forms(target: &Path, number: u64, form: Form) -> io::Result<()> {
    let others = Form::IN_ORDER.into_iter().filter(|other| *other != form);
    others.map(|other| segment_name(target, number, other)).try_for_each(|name| remove_if_there(&name))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match disk::remove(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
