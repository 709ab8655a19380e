//! The logarithm beside that of floats.

#![expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the reference is in floats")]

use proptest::prelude::*;

use crate::queue::fixed_log::log2;
use crate::queue::fixed_point::ONE;

proptest! {
    /// Too small by less than 2^-31, as far as a float of 53 bits can say.
    #[test]
    fn the_logarithm_is_that_of_real_numbers(bits in 0..1u128 << 96, shift in 0..64u32) {
        let value = (bits >> shift).max(ONE);
        let wanted = (value as f64 / ONE as f64).log2();
        let found = log2(value) as f64 / ONE as f64;
        let error = wanted - found;
        prop_assert!((-1e-13..0.5f64.powi(31) + 1e-13).contains(&error), "{value} {wanted} {found}");
    }

    /// A larger number never has a smaller logarithm.
    #[test]
    fn the_logarithm_never_falls(value in ONE..1u128 << 90, more in 0..1u128 << 40) {
        prop_assert!(log2(value) <= log2(value + more));
    }
}

#[test]
fn powers_of_two_are_exact() {
    for exponent in 0..64u32 {
        assert_eq!(log2(ONE << exponent), u128::from(exponent) * ONE);
    }
    assert_eq!((log2(0), log2(ONE - 1)), (0, 0));
}
