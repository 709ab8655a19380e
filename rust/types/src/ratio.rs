//! An amount times a fraction, exactly, rounded once.

/// Returns `value * numerator / denominator`, rounded half away from zero.
///
/// The product is kept in 256 bits, so only the result must fit. `None` when it does not, or when the
/// denominator is not above 0.
#[must_use]
pub fn share_of(value: i128, numerator: i128, denominator: i128) -> Option<i128> {
    if denominator <= 0 {
        return None;
    }
    let is_negative = (value < 0) != (numerator < 0);
    let divisor = denominator.unsigned_abs();
    let (high, low) = wide_product(value.unsigned_abs(), numerator.unsigned_abs());
    let (quotient, rest) = match (high, low.checked_div(divisor)) {
        (0, Some(quotient)) => (quotient, low - quotient * divisor),
        _ => wide_quotient(high, low, divisor)?,
    };
    let rounded = quotient.checked_add(u128::from(rest >= divisor - rest))?;
    let size = i128::try_from(rounded).ok()?;
    Some(if is_negative { -size } else { size })
}

/// Multiplies two numbers into the high and the low half of 256 bits.
fn wide_product(left: u128, right: u128) -> (u128, u128) {
    const HALF: u32 = 64;
    const MASK: u128 = (1 << HALF) - 1;
    let (left_high, left_low) = (left >> HALF, left & MASK);
    let (right_high, right_low) = (right >> HALF, right & MASK);
    let low = left_low * right_low;
    let middle = left_high * right_low + (low >> HALF);
    let cross = left_low * right_high + (middle & MASK);
    (left_high * right_high + (middle >> HALF) + (cross >> HALF), (cross << HALF) | (low & MASK))
}

/// Divides 256 bits by a number below 2^127, bit by bit; `None` when the quotient does not fit 128 bits.
fn wide_quotient(high: u128, low: u128, divisor: u128) -> Option<(u128, u128)> {
    if high >= divisor {
        return None;
    }
    let (mut rest, mut quotient) = (high, 0u128);
    for bit in (0..128).rev() {
        rest = (rest << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if rest >= divisor {
            rest -= divisor;
            quotient |= 1;
        }
    }
    Some((quotient, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_away_from_zero_on_both_sides() {
        let table = [
            (5, 1, 2, 3),
            (-5, 1, 2, -3),
            (5, -1, 2, -3),
            (4, 1, 3, 1),
            (5, 1, 3, 2),
            (0, 7, 9, 0),
            (7, 3, 1, 21),
        ];
        for (value, numerator, denominator, expected) in table {
            assert_eq!(share_of(value, numerator, denominator), Some(expected));
        }
    }

    #[test]
    fn a_product_beyond_128_bits_is_divided_exactly() {
        let large = 10i128.pow(37);
        assert_eq!(share_of(large, 3 * large, 3 * large), Some(large));
        assert_eq!(share_of(-large, large, large - 1), Some(-large - 1));
        assert_eq!(share_of(i128::MAX, i128::MAX, i128::MAX), Some(i128::MAX));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        assert_eq!(share_of(i128::MAX, 2, 1), None);
        assert_eq!(share_of(1, 1, 0), None);
        assert_eq!(share_of(1, 1, -1), None);
        assert_eq!(share_of(i128::MAX, i128::MAX, 1), None);
    }
}
