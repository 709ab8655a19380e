//! Which inputs count.

/// Largest magnitude of an input; sums and squares of such values cannot overflow.
pub const MAGNITUDE_MAX: f64 = 1e100;

/// Says whether an input counts: finite and at most [`MAGNITUDE_MAX`] in magnitude.
#[inline]
#[must_use]
pub fn is_usable(value: f64) -> bool {
    value.abs() <= MAGNITUDE_MAX
}

/// Says whether every value counts. Looks at all of them, so that it compiles to vector instructions.
#[inline]
pub(crate) fn all_usable(values: &[f64]) -> bool {
    values.iter().fold(true, |usable, &value| usable & is_usable(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_or_could_overflow_does_not_count() {
        assert!(all_usable(&[0.0, -0.0, 1e-300, -1e100, 1e100]));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.1e100, f64::MIN] {
            assert!(!all_usable(&[1.0, value, 1.0]), "{value}");
        }
    }
}
