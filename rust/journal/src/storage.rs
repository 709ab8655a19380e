//! What the writer needs from a file.

use std::fs::File;
use std::io::{self, Write};

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
}

impl Storage for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
