//! The bytes of one segment, whether it lies there as it was written or packed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::packed::Unpacked;

/// Where the bytes of a segment come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file as it was written.
    Plain(File),
    /// A packed file; its bytes are made again.
    Packed(Unpacked<File>),
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Packed(packed) => packed.read(buffer),
        }
    }
}

impl Seek for Source {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Plain(file) => file.seek(to),
            Self::Packed(packed) => packed.seek(to),
        }
    }
}
