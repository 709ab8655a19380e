//! The segments of a journal: their names, and which of them are there.
//!
//! The newest one is the journal's own file, so that a journal of one segment is one file. An older one has the
//! number behind its name, `<path>.000001`; what was packed ends with `.packed`, and what has lost its market
//! events with `.archive`. The names sort as the segments follow one another. How many there are, the newest one
//! says: what lies beside them with another number is none of the journal.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::folder::names::beside;
use crate::segment::{START_BYTES, Start};

/// How an older segment lies on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it was written.
    Plain,
    /// Every byte of it, compressed.
    Packed,
    /// Compressed, and without its market events.
    Archive,
}

impl Form {
    /// In this order one takes the place of another: who looks for them in this order finds one.
    pub(crate) const IN_ORDER: [Self; 3] = [Self::Plain, Self::Packed, Self::Archive];

    const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Packed => ".packed",
            Self::Archive => ".archive",
        }
    }
}

/// The last number that a name of six digits has.
pub(crate) const NUMBER_MAX: u64 = 999_999;

/// Returns the name of an older segment.
pub(crate) fn segment_name(path: &Path, number: u64, form: Form) -> PathBuf {
    beside(path, &format!("{number:06}{}", form.suffix()))
}

/// Opens an older segment as it lies there, `None` when it does not.
pub(crate) fn open_segment(path: &Path, number: u64) -> io::Result<Option<(File, Form)>> {
    for form in Form::IN_ORDER {
        match File::open(segment_name(path, number, form)) {
            Ok(file) => return Ok(Some((file, form))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Reads where the segment in an open file begins, and leaves the file at its first byte again.
///
/// A journal's first segment says nothing, and neither do bytes that are no header.
pub(crate) fn start_of(mut file: &File) -> io::Result<Start> {
    let mut bytes = Vec::with_capacity(START_BYTES);
    file.take(u64::try_from(START_BYTES).unwrap_or(0)).read_to_end(&mut bytes)?;
    file.rewind()?;
    Ok(Start::from_bytes(&bytes).unwrap_or(Start::FIRST))
}

/// Returns the number in the name of an older segment of the journal; `None` for any other name.
pub(crate) fn number_of(path: &Path, name: &OsStr) -> Option<u64> {
    let rest = name.to_str()?.strip_prefix(path.file_name()?.to_str()?)?.strip_prefix('.')?;
    let digits = Form::IN_ORDER.into_iter().rev().find_map(|form| rest.strip_suffix(form.suffix()))?;
    let is_number = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}
