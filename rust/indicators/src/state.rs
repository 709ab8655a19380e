//! Writes state as canonical bytes, for hashing: little endian, one bit pattern for every `NaN`.

/// Appends a float.
pub(crate) fn write_f64(bytes: &mut Vec<u8>, value: f64) {
    let canonical = if value.is_nan() { f64::NAN } else { value };
    bytes.extend_from_slice(&canonical.to_bits().to_le_bytes());
}

/// Appends a count as 64 bits, on every machine.
pub(crate) fn write_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nan_has_the_same_bytes() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        write_f64(&mut one, f64::NAN);
        write_f64(&mut other, f64::from_bits(f64::NAN.to_bits() | 1 << 63 | 5));
        assert_eq!(one, other);
    }
}
