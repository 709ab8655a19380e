//! A binary logarithm without floats.

use crate::queue::fixed_point::BITS;

/// Returns the binary logarithm of a number of at least 1, both in units of 2^-32, too small by less than
/// 2^-31; 0 below 1.
///
/// Each squaring of the mantissa gives one more bit (Knuth, The Art of Computer Programming 1, section 1.2.2).
pub(crate) fn log2(value: u128) -> u128 {
    let Some(whole) = value.checked_ilog2().and_then(|top| top.checked_sub(BITS)) else { return 0 };
    // The mantissa from 1 to below 2, in units of 2^-63.
    let top = whole + BITS;
    let mut mantissa = if top > 63 { value >> (top - 63) } else { value << (63 - top) };
    let mut bits = u128::from(whole);
    for _ in 0..BITS {
        mantissa = (mantissa * mantissa) >> 63;
        let carry = mantissa >> 64;
        mantissa >>= carry;
        bits = (bits << 1) | carry;
    }
    bits
}
