//! Points in time as files write them, to UTC nanoseconds.

use tradecore_types::TimeNs;

const NANOSECONDS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// How a file writes a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Calendar text, or a number whose size tells its unit: 8 digits are a date, up to 11 seconds,
    /// 14 milliseconds, 17 microseconds, 19 nanoseconds.
    Auto,
    /// A number of units of this many nanoseconds, counted from a start in nanoseconds.
    Count {
        /// Nanoseconds of one unit.
        unit_ns: i64,
        /// What the count starts at, e.g. midnight of the day a file is about.
        start_ns: i64,
    },
}

/// A text that is no point in time between 1970 and 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError;

/// Reads a point in time; calendar text without an offset is UTC.
///
/// Calendar text is `2024-08-08`, `20240808` or either followed by `T` or a blank and
/// `23:54[:13[.937085768]]`, then nothing, `Z` or an offset such as `+05:30`.
///
/// # Errors
///
/// [`TimestampError`] for anything else.
pub fn parse_timestamp(text: &[u8], format: TimeFormat) -> Result<TimeNs, TimestampError> {
    match format {
        TimeFormat::Count { unit_ns, start_ns } => {
            let count = decimal_count(text, unit_ns).ok_or(TimestampError)?;
            start_ns.checked_add(count).ok_or(TimestampError)
        }
        TimeFormat::Auto if text.len() != 8 && looks_like_number(text) => {
            let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let unit_ns = match digits {
                1..=11 => NANOSECONDS,
                12..=14 => 1_000_000,
                15..=17 => 1_000,
                _ => 1,
            };
            decimal_count(text, unit_ns).ok_or(TimestampError)
        }
        TimeFormat::Auto => calendar(text).ok_or(TimestampError),
    }
}

fn looks_like_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// Reads `count[.fraction]` units as nanoseconds; digits finer than a nanosecond must be 0.
fn decimal_count(text: &[u8], unit_ns: i64) -> Option<i64> {
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

fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0i64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(i64::from(digit))
    })
}

fn calendar(text: &[u8]) -> Option<TimeNs> {
    let (date, rest) = if text.get(4) == Some(&b'-') {
        let (date, rest) = text.split_at_checked(10)?;
        if date.get(7) != Some(&b'-') {
            return None;
        }
        ((digits(date.get(..4)?)?, digits(date.get(5..7)?)?, digits(date.get(8..)?)?), rest)
    } else {
        let (date, rest) = text.split_at_checked(8)?;
        ((digits(date.get(..4)?)?, digits(date.get(4..6)?)?, digits(date.get(6..)?)?), rest)
    };
    let days = days_since_1970(date.0, date.1, date.2)?;
    let of_day = match rest.split_first() {
        None => 0,
        Some((b'T' | b' ', time)) => clock_with_offset(time)?,
        Some(_) => return None,
    };
    let time_ns = days.checked_mul(DAY_SECONDS * NANOSECONDS)?.checked_add(of_day)?;
    (time_ns >= 0).then_some(time_ns)
}

/// Reads `HH:MM[:SS[.fraction]]` with an optional offset, as nanoseconds to add to UTC midnight.
fn clock_with_offset(text: &[u8]) -> Option<i64> {
    let end = text.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')).unwrap_or(text.len());
    let (clock, offset) = text.split_at_checked(end)?;
    let offset_ns = match offset {
        [] | b"Z" | b"z" => 0,
        [sign, h1, h2, rest @ ..] => {
            let minutes = match rest {
                [] => 0,
                [b':', minutes @ ..] | minutes if minutes.len() == 2 => digits(minutes)?,
                _ => return None,
            };
            let ns = (digits(&[*h1, *h2])? * 60 + minutes) * 60 * NANOSECONDS;
            if *sign == b'-' { -ns } else { ns }
        }
        _ => return None,
    };
    clock_ns(clock)?.checked_sub(offset_ns)
}

/// Reads `HH:MM[:SS[.fraction]]` as nanoseconds since midnight.
pub(super) fn clock_ns(text: &[u8]) -> Option<i64> {
    if text.get(2) != Some(&b':') {
        return None;
    }
    let (hours, minutes) = (digits(text.get(..2)?)?, digits(text.get(3..5)?)?);
    let seconds_ns = match text.get(5..)? {
        [] => 0,
        [b':', seconds @ ..] if seconds.len() >= 2 && seconds.get(2).is_none_or(|&byte| byte == b'.') => {
            decimal_count(seconds, NANOSECONDS)?
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 || seconds_ns >= 60 * NANOSECONDS {
        return None;
    }
    Some((hours * 60 + minutes) * 60 * NANOSECONDS + seconds_ns)
}

/// Counts the days from 1970-01-01 (Howard Hinnant, chrono-compatible low-level date algorithms, 2013).
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(is_leap),
        _ => return None,
    };
    if !(1..=days).contains(&day) || !(1970..=2262).contains(&year) {
        return None;
    }
    // Years count from March, so that the leap day is the last of them.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}
