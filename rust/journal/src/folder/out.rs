//! A file that is written beside a journal, and why that may fail.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::folder::disk;
use crate::layout::{CELL, FileHeader};
use crate::scan::ScanError;
use crate::segment::{CONTINUED_VERSION, START_BYTES};
use crate::{JournalError, Problem};

/// A file that is written in steps that a test can see.
pub(crate) struct Out<'a> {
    pub file: File,
    pub path: &'a Path,
}

impl Write for Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        disk::write(&self.file, self.path, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a segment was not written anew.
pub(crate) enum Failed {
    Io(io::Error),
    Scan(ScanError),
    NotTheSame,
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Names the file of a failure.
pub(crate) fn named(path: &Path, error: Failed) -> JournalError {
    match error {
        Failed::Io(source) | Failed::Scan(ScanError::Io(source)) => JournalError::io(path, "rewrite", source),
        Failed::Scan(ScanError::Damaged(damage)) => JournalError::new(path, Problem::Damaged(damage)),
        Failed::Scan(ScanError::NewerVersion(version)) => {
            JournalError::new(path, Problem::NewerVersion(version))
        }
        Failed::Scan(ScanError::Foreign) => JournalError::new(path, Problem::Foreign),
        Failed::NotTheSame => {
            let source = io::Error::other("what was written does not read back as it was");
            JournalError::io(path, "rewrite", source)
        }
    }
}

/// Reads the header of a segment and leaves the source at its first byte again.
pub(crate) fn header_of(source: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let mut header = vec![0; CELL];
    source.read_exact(&mut header)?;
    if let FileHeader::Journal { version: CONTINUED_VERSION, .. } = FileHeader::from_bytes(&header) {
        header.resize(START_BYTES, 0);
        source.read_exact(header.get_mut(CELL..).unwrap_or_default())?;
    }
    source.seek(SeekFrom::Start(0))?;
    Ok(header)
}
