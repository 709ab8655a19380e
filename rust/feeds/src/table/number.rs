//! Whole numbers and counts of time units as text.

use tradecore_types::plain_text;

/// Reads digits alone as a number that fits 64 bits.
pub(super) fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0i64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

/// Whether the text is a number of either form: `1723161253`, `1723161253.5` or `1.723161253e9`.
pub(super) fn looks_like_number(text: &[u8]) -> bool {
    let is_point = |byte: &u8| *byte == b'.';
    let is_plain = text.iter().all(|byte| byte.is_ascii_digit() || is_point(byte));
    let has_one_point = text.iter().position(is_point) == text.iter().rposition(is_point);
    let has_digits = text.iter().any(u8::is_ascii_digit);
    (is_plain && has_one_point && has_digits)
        || plain_text(text).is_some_and(|text| text.first() != Some(&b'-'))
}

/// Reads `count[.fraction]`, perhaps with an exponent, as nanoseconds; what is finer must be 0.
pub(super) fn decimal_count(text: &[u8], unit_ns: i64) -> Option<i64> {
    if text.iter().any(|byte| matches!(byte, b'e' | b'E')) {
        return plain_count(&plain_text(text)?, unit_ns);
    }
    plain_count(text, unit_ns)
}

fn plain_count(text: &[u8], unit_ns: i64) -> Option<i64> {
    let point = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(point)?;
    let mut value = digits(whole)?.checked_mul(unit_ns)?;
    let mut unit = unit_ns;
    for &byte in fraction.iter().skip(1) {
        let digit = i64::from(byte.checked_sub(b'0').filter(|digit| *digit <= 9)?);
        unit /= 10;
        if unit == 0 && digit != 0 {
            return None;
        }
        value = value.checked_add(digit.checked_mul(unit)?)?;
    }
    Some(value)
}
