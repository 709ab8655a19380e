//! Frames, one after the other, in a slice of bytes.

use crate::CodecError;

/// Largest frame, its length field included; one block holds at least one.
pub const FRAME_BYTES_MAX: usize = 1 << 20;

/// Smallest frame: length, kind and time without a payload.
pub const FRAME_BYTES_MIN: usize = LENGTH_BYTES + 1 + 8;

/// Bytes of the length field; it counts the bytes that follow it.
pub(crate) const LENGTH_BYTES: usize = 4;

/// Cuts a slice of bytes into frames, each with its length field.
///
/// Ends after the last whole frame; bytes that are no frame give one error and then the end.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns what was not yet cut into frames.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn cut(&mut self) -> Result<&'a [u8], CodecError> {
        let (length, _) = self.rest.split_first_chunk::<LENGTH_BYTES>().ok_or(CodecError::Truncated)?;
        let length = u32::from_le_bytes(*length);
        let bytes = usize::try_from(length)
            .ok()
            .and_then(|length| length.checked_add(LENGTH_BYTES))
            .filter(|bytes| (FRAME_BYTES_MIN..=FRAME_BYTES_MAX).contains(bytes))
            .ok_or(CodecError::Length(u64::from(length)))?;
        let (frame, rest) = self.rest.split_at_checked(bytes).ok_or(CodecError::Truncated)?;
        self.rest = rest;
        Ok(frame)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a [u8], CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.cut();
        if frame.is_err() {
            self.rest = &[];
        }
        Some(frame)
    }
}
