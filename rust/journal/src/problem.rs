//! Why a journal cannot be opened, read or written, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::segment::CONTINUED_VERSION;
use crate::{CodecError, Damage};

/// What went wrong with a journal file.
#[derive(Debug)]
pub struct JournalError {
    /// The file that the operation was about.
    pub path: PathBuf,
    /// What went wrong with it.
    pub problem: Problem,
}

/// Why a journal cannot be read or written: it decides who has to act.
#[derive(Debug)]
pub enum Problem {
    /// Another writer has the journal.
    Locked,
    /// Another process packs, copies or renames the older segments.
    Busy,
    /// There is a journal already where a copy of one was to be.
    Exists,
    /// The path is a directory.
    Directory,
    /// The file is not a journal.
    Foreign,
    /// The journal was written by a newer version.
    NewerVersion(u32),
    /// The segment of this number is not there.
    SegmentMissing(u64),
    /// A segment of a journal that is not there itself.
    Leftover(PathBuf),
    /// Bytes that were whole once are not what they were: nothing is written any more.
    Damaged(Damage),
    /// What was to be appended is no sequence of records.
    Refused(CodecError),
    /// An earlier write or sync failed; the writer does nothing any more.
    Stopped(String),
    /// The operating system said no.
    Io {
        /// What was tried, e.g. `write`.
        operation: &'static str,
        /// The answer.
        source: io::Error,
    },
}

impl JournalError {
    /// Names the file of a problem.
    pub(crate) fn new(path: &Path, problem: Problem) -> Self {
        Self { path: path.to_path_buf(), problem }
    }

    /// Names the file and the operation of an answer of the operating system.
    pub(crate) fn io(path: &Path, operation: &'static str, source: io::Error) -> Self {
        let problem = match source.kind() {
            io::ErrorKind::IsADirectory => Problem::Directory,
            _ => Problem::Io { operation, source },
        };
        Self::new(path, problem)
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for JournalError {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked => {
                write!(f, "another process writes this journal; stop it, or give each engine its own journal")
            }
            Self::Busy => {
                write!(
                    f,
                    "another process is at the older segments of this journal; try again when it has ended"
                )
            }
            Self::Exists => write!(f, "is there already and was left as it is; name another directory"),
            Self::Directory => write!(f, "is a directory; name a file"),
            Self::Foreign => {
                write!(f, "is not a tradecore journal and was left as it is; name another file")
            }
            Self::NewerVersion(version) => write!(
                f,
                "has format {version}, this program knows up to {CONTINUED_VERSION}; use the program that wrote it"
            ),
            Self::SegmentMissing(number) => write!(
                f,
                "segment {number} of this journal is not there; put its file back, with the name of the journal and \
                 .{number:06} behind it, or name the journal where this is one of its segments"
            ),
            Self::Leftover(segment) => write!(
                f,
                "a segment of another journal lies beside it: {}; put that journal back in its place, or move the \
                 segment away",
                segment.display()
            ),
            Self::Damaged(damage) => damage.fmt(f),
            Self::Refused(error) => write!(f, "not appended, because it is no sequence of records: {error}"),
            Self::Stopped(first) => write!(
                f,
                "writes nothing any more after its first failure ({first}); mend the cause and restart: \
                 what was acknowledged is on disk"
            ),
            Self::Io { operation, source } => {
                write!(f, "cannot {operation}: {source}; {}", advice(source))
            }
        }
    }
}

/// Says what to do about an answer of the operating system.
fn advice(error: &io::Error) -> &'static str {
    // The numbers of ENFILE and EMFILE on every Unix; the library has no kind for them.
    if cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)) {
        return "the disk is well: raise the limit of open files (`ulimit -n`) and restart";
    }
    match error.kind() {
        io::ErrorKind::NotFound => "check the path and create its directory",
        io::ErrorKind::PermissionDenied => "make file and directory writable for this user",
        io::ErrorKind::ReadOnlyFilesystem => "choose a path on a writable disk",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free space on this disk and restart",
        io::ErrorKind::FileTooLarge => "raise the file size limit or begin a new journal, and restart",
        _ => "check the disk and restart",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_the_system_is_told_with_what_to_do_about_it() {
        let told = |kind: io::ErrorKind| JournalError::io(Path::new("a/b"), "write", kind.into()).to_string();
        for (kind, way_out) in [
            (io::ErrorKind::NotFound, "check the path and create its directory"),
            (io::ErrorKind::PermissionDenied, "make file and directory writable for this user"),
            (io::ErrorKind::ReadOnlyFilesystem, "choose a path on a writable disk"),
            (io::ErrorKind::StorageFull, "free space on this disk and restart"),
            (io::ErrorKind::QuotaExceeded, "free space on this disk and restart"),
            (io::ErrorKind::FileTooLarge, "raise the file size limit or begin a new journal, and restart"),
            (io::ErrorKind::Other, "check the disk and restart"),
        ] {
            let said = told(kind);
            assert!(said.starts_with("a/b: cannot write: ") && said.ends_with(way_out), "{said}");
        }
        assert_eq!(told(io::ErrorKind::IsADirectory), "a/b: is a directory; name a file");
    }

    #[test]
    fn every_problem_says_what_it_is_about() {
        let newest = CONTINUED_VERSION.to_string();
        for (problem, parts) in [
            (Problem::Locked, ["another process writes", "stop it"]),
            (Problem::Foreign, ["is not a tradecore journal", "name another file"]),
            (Problem::NewerVersion(999), ["has format 999", newest.as_str()]),
            (Problem::Refused(CodecError::Truncated), ["no sequence of records", "cut short"]),
            (Problem::Stopped("cannot sync".into()), ["(cannot sync)", "mend the cause and restart"]),
        ] {
            let said = problem.to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn too_few_open_files_are_no_fault_of_the_disk() {
        for number in [23, 24] {
            let problem = Problem::Io { operation: "open", source: io::Error::from_raw_os_error(number) };
            assert!(problem.to_string().ends_with("raise the limit of open files (`ulimit -n`) and restart"));
        }
        let full = Problem::Io { operation: "write", source: io::Error::from_raw_os_error(28) };
        assert!(full.to_string().ends_with("free space on this disk and restart"));
    }
}
