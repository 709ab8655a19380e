//! What the writer needs from a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A file that only grows. Fault injection stands in for it.
pub trait Storage {
    /// Writes everything at the end.
    ///
    /// # Errors
    ///
    /// The answer of the operating system; some of the bytes may then be written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything written survives a power cut.
    ///
    /// # Errors
    ///
    /// The answer of the operating system; what was written since the last success may then be lost.
    fn sync(&mut self) -> io::Result<()>;

    /// Takes away what was written after so many bytes, as a write has left it that failed.
    ///
    /// # Errors
    ///
    /// The answer of the operating system.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;

    /// Goes on in a new segment that begins with this header; the one of this number gets a name of its own.
    ///
    /// Everything is synced before. `false` when nothing was changed: the old segment goes on.
    ///
    /// # Errors
    ///
    /// The answer of the operating system; it is not known then which segment a power cut leaves in place.
    fn rotate(&mut self, path: &Path, number: u64, header: &[u8]) -> io::Result<bool> {
        let _ = (path, number, header);
        Ok(false)
    }
}

/// Read and write, for this user alone.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the name of a new file survive a power cut.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Other systems have no way to ask for it.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
