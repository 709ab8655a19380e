//! What parameters must be, in one place.

use tradecore_types::ValueError;

/// Longest period; bounds the memory of an indicator to a few times 8 MB.
pub const PERIOD_MAX: u32 = 1_000_000;

/// Checks a period and returns it as a length and as the number to divide by.
pub(crate) fn period(field: &'static str, period: u32) -> Result<(usize, f64), ValueError> {
    let rule = || ValueError::new(field, period, format!("must be from 1 to {PERIOD_MAX}"));
    if period == 0 || period > PERIOD_MAX {
        return Err(rule());
    }
    let length = usize::try_from(period).map_err(|_| rule())?;
    Ok((length, f64::from(period)))
}

/// Checks the width of a band.
pub(crate) fn width(field: &'static str, width: f64) -> Result<f64, ValueError> {
    if width.is_finite() && width > 0.0 {
        return Ok(width);
    }
    Err(ValueError::new(field, width, "must be finite and above 0"))
}

/// Checks that an output or a second input is as long as the first input.
pub(crate) fn same_length(field: &'static str, expected: usize, actual: usize) -> Result<(), ValueError> {
    if expected == actual {
        return Ok(());
    }
    Err(ValueError::new(field, actual, format!("must have as many values as the first input, {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_from_one_to_the_maximum() {
        assert_eq!(period("period", 1), Ok((1, 1.0)));
        assert!(period("period", PERIOD_MAX).is_ok());
        assert!(period("period", 0).is_err());
        assert!(period("period", PERIOD_MAX + 1).is_err());
    }

    #[test]
    fn a_width_is_finite_and_above_zero() {
        assert_eq!(width("deviations", 2.0), Ok(2.0));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(width("deviations", bad).is_err(), "{bad}");
        }
    }
}
