//! Canonical bytes of a matcher's state, from which the state hash is made.

/// Appends one number, little-endian.
pub(crate) fn put(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends one id, little-endian.
pub(crate) fn put_id(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
