//! Decimal text with an exponent as the same number without one.

/// Zeros that are written out beyond the digits at most: more than any number here can hold.
const ZEROS_MAX: usize = 64;

/// Returns `1.2e-05` as `.000012`; `None` when the text is no digits followed by `e` or `E` and a whole number.
///
/// Every digit is kept. An exponent beyond what any number here can hold is cut, which leaves such a number
/// too large, or too fine, as it was: the result has at most twice the length of the text and 130 bytes.
#[must_use]
pub fn plain_text(text: &[u8]) -> Option<Vec<u8>> {
    let mark = text.iter().position(|byte| matches!(byte, b'e' | b'E'))?;
    let (number, exponent) = text.split_at_checked(mark)?;
    let exponent = whole(exponent.get(1..)?)?;
    let (sign, number) = match number.split_first() {
        Some((b'-' | b'+', rest)) => number.split_at_checked(number.len() - rest.len())?,
        _ => (&[][..], number),
    };
    let point = number.iter().position(|&byte| byte == b'.').unwrap_or(number.len());
    let (before, after) = number.split_at_checked(point)?;
    let after = after.get(1..).unwrap_or(&[]);
    let digits = || before.iter().chain(after).copied();
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }

    // Places the point moves, to the left or to the right; zeros fill what it passes beside the digits.
    let count = before.len() + after.len();
    let shift = exponent.magnitude.min(count + ZEROS_MAX);
    let mut plain = sign.to_vec();
    if exponent.is_negative {
        let whole = before.len().saturating_sub(shift);
        plain.extend(digits().take(whole));
        plain.push(b'.');
        plain.extend(std::iter::repeat_n(b'0', shift.saturating_sub(before.len())));
        plain.extend(digits().skip(whole));
    } else {
        plain.extend_from_slice(before);
        plain.extend(after.iter().copied().chain(std::iter::repeat(b'0')).take(shift));
        plain.push(b'.');
        plain.extend(after.iter().skip(shift));
    }
    Some(plain)
}

/// The size and the sign of a whole number.
struct Whole {
    magnitude: usize,
    is_negative: bool,
}

/// Reads a whole number of any length; what does not fit is as large as can be.
fn whole(text: &[u8]) -> Option<Whole> {
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |value: usize, byte: &u8| value.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
    Some(Whole { magnitude: digits.iter().fold(0, add), is_negative })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        plain_text(text.as_bytes()).map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn the_point_moves_by_the_exponent() {
        for (text, shown) in [
            ("1.2e-05", ".000012"),
            ("1E+6", "1000000."),
            ("12.5e1", "125."),
            ("12.5e-1", "1.25"),
            ("12.5e0", "12.5"),
            ("0e2", "000."),
            ("-1e-2", "-.01"),
            ("+.5e1", "+5."),
            ("5.e-1", ".5"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_with_an_exponent_is_none() {
        for text in
            ["", "e", "1e", "e5", ".e5", "1e5.0", "1e--5", "1 e5", "1e5e5", "x1e5", "1.2.3e4", "-e1", "12"]
        {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn a_huge_exponent_costs_nothing() {
        for text in ["1e999999999999999999999999", "1e-999999999999999999999999", "0e999999999"] {
            assert!(plain(text).unwrap().len() <= 130 + 2 * text.len(), "{text}");
        }
    }
}
