//! A file on disk, as the writer appends to it.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::path::Path;

use crate::Storage;
#[cfg(unix)]
use crate::folder::begin_segment;

impl Storage for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        self.seek(SeekFrom::Start(bytes)).map(drop)
    }

    #[cfg(unix)]
    fn rotate(&mut self, path: &Path, number: u64, header: &[u8]) -> io::Result<bool> {
        let Some(next) = begin_segment(path, number, header)? else { return Ok(false) };
        *self = next;
        Ok(true)
    }
}
