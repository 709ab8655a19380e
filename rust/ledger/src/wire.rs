//! State as bytes, for hashing: fixed-width little-endian numbers in a fixed order.

/// Something that can be appended to a state image.
pub(crate) trait Put {
    /// Appends the little-endian bytes.
    fn put(self, out: &mut Vec<u8>);
}

macro_rules! put_integers {
    ($($integer:ty),*) => {$(
        impl Put for $integer {
            fn put(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}

put_integers!(u8, u16, u32, u64, i64, i128);

impl Put for usize {
    /// Appends a length as 64 bits, so that the image is the same on every target.
    fn put(self, out: &mut Vec<u8>) {
        u64::try_from(self).unwrap_or(u64::MAX).put(out);
    }
}

impl Put for Option<i64> {
    fn put(self, out: &mut Vec<u8>) {
        u8::from(self.is_some()).put(out);
        self.unwrap_or(0).put(out);
    }
}
