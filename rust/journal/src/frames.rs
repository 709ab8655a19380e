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

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame that says that `length` bytes follow its length field, and has them.
    fn stated(length: usize) -> Vec<u8> {
        let mut bytes = u32::try_from(length).unwrap().to_le_bytes().to_vec();
        bytes.resize(LENGTH_BYTES + length, 7);
        bytes
    }

    #[test]
    fn a_frame_is_as_long_as_it_may_be_and_no_shorter_or_longer() {
        // Kind and time follow the length of the shortest.
        assert_eq!((FRAME_BYTES_MIN, FRAME_BYTES_MAX), (13, 1_048_576));
        for (length, is_frame) in
            [(0, false), (8, false), (9, true), (10, true), (1_048_572, true), (1_048_573, false)]
        {
            let bytes = stated(length);
            let cut: Vec<_> = Frames::new(&bytes).collect();
            let refused = Err(CodecError::Length(u64::try_from(length).unwrap()));
            assert_eq!(cut, [if is_frame { Ok(bytes.as_slice()) } else { refused }], "{length}");
        }
    }

    #[test]
    fn what_ends_too_early_is_told_after_the_frames_before_it() {
        let whole = [stated(9), stated(30)].concat();
        for (end, frames) in [(0, 0), (13, 1), (47, 2)] {
            assert!(Frames::new(&whole[..end]).all(|frame| frame.is_ok()));
            assert_eq!(Frames::new(&whole[..end]).count(), frames);
        }
        for end in (1..13).chain(14..47) {
            let cut: Vec<_> = Frames::new(&whole[..end]).collect();
            assert_eq!(cut.last(), Some(&Err(CodecError::Truncated)), "{end}");
            assert_eq!(cut.len(), if end < 13 { 1 } else { 2 });
        }
    }

    #[test]
    fn what_is_not_cut_yet_is_the_rest() {
        let whole = [stated(9), stated(30)].concat();
        let mut frames = Frames::new(&whole);
        assert_eq!(frames.rest(), whole);
        assert_eq!(frames.next(), Some(Ok(&whole[..13])));
        assert_eq!(frames.rest(), &whole[13..]);
    }
}
