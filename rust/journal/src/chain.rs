//! The hash chain over frames.

use std::fmt;

/// Head of the chain: a hash of every frame so far and of their order.
///
/// `head_n = blake3(head_n-1 || frame_n)`, from 32 zero bytes on. It depends on the frames alone: not on the
/// file, its blocks, or when they were written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head(pub [u8; 32]);

/// Frames up to this size are hashed in one piece, which is faster than in two.
const SHORT: usize = 256;

impl Head {
    /// Head before the first frame.
    pub const START: Self = Self([0; 32]);

    /// Returns the head after one more frame.
    #[must_use]
    pub fn after(&self, frame: &[u8]) -> Self {
        let mut joined = [0u8; 32 + SHORT];
        let end = frame.len().saturating_add(32);
        if let Some(piece) = joined.get_mut(..end) {
            let (head, rest) = piece.split_at_mut(32);
            head.copy_from_slice(&self.0);
            rest.copy_from_slice(frame);
            return Self(*blake3::hash(piece).as_bytes());
        }
        Self(*blake3::Hasher::new().update(&self.0).update(frame).finalize().as_bytes())
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Head({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_the_hash_of_the_old_head_and_the_frame() {
        for length in [13, 255, 256, 257, 5_000] {
            let frame = vec![7; length];
            let joined = [&Head::START.0[..], &frame].concat();
            assert_eq!(Head::START.after(&frame).0, *blake3::hash(&joined).as_bytes(), "{length}");
        }
    }
}
