//! Dates and times of day as people write them.

use tradecore_types::TimeNs;

use super::number::{decimal_count, digits};

const NANOSECONDS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// Furthest a zone lies from UTC, in hours.
const OFFSET_HOURS_MAX: i64 = 14;

/// In which order a date has its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// `2024-08-31`, `2024/8/31`, `2024.08.31` or `20240831`.
    YearFirst,
    /// The day comes first: `31.08.2024`, `31/08/2024` or `31-8-2024`.
    DayFirst,
    /// The month comes first: `08/31/2024`, `8-31-2024` or `08.31.2024`.
    MonthFirst,
}

/// Calendar text cut into its parts, not yet known to be a day that exists.
#[derive(Clone, Copy, Debug)]
pub(super) struct CalendarText<'a> {
    parts: [&'a [u8]; 3],
    separator: Option<u8>,
    clock: Option<Clock>,
}

/// A time of day and the offset from UTC that is written with it.
#[derive(Clone, Copy, Debug)]
struct Clock {
    of_day_ns: i64,
    offset_ns: Option<i64>,
}

impl<'a> CalendarText<'a> {
    /// Cuts a date, alone or followed by `T` or a blank and a time of day.
    pub(super) fn cut(text: &'a [u8]) -> Option<Self> {
        let (first, rest) = digit_run(text);
        let (parts, separator, rest) = if first.len() == 8 {
            ([first.get(..4)?, first.get(4..6)?, first.get(6..)?], None, rest)
        } else {
            let (&separator, rest) =
                rest.split_first().filter(|(byte, _)| matches!(byte, b'-' | b'/' | b'.'))?;
            let (second, rest) = digit_run(rest);
            let (third, rest) = digit_run(rest.strip_prefix(&[separator])?);
            ([first, second, third], Some(separator), rest)
        };
        let clock = match rest.split_first() {
            None => None,
            Some((b'T' | b' ', clock)) => Some(clock_with_offset(clock)?),
            Some(_) => return None,
        };
        Some(Self { parts, separator, clock })
    }

    /// Whether the text states how far it is from UTC.
    pub(super) fn has_offset(&self) -> bool {
        self.clock.is_some_and(|clock| clock.offset_ns.is_some())
    }

    /// The order that the text shows by itself: a year of four digits first, or points between the parts.
    pub(super) fn order(&self) -> Option<DateOrder> {
        match (self.parts.map(<[u8]>::len), self.separator) {
            ([4, _, _], _) => Some(DateOrder::YearFirst),
            ([_, _, 4], Some(b'.')) => Some(DateOrder::DayFirst),
            _ => None,
        }
    }

    /// The two numbers before a year of four digits; `None` without such a year.
    pub(super) fn day_and_month(&self) -> Option<(i64, i64)> {
        let [first, second, year] = self.parts;
        let is_short = |part: &[u8]| matches!(part.len(), 1 | 2);
        if !is_short(first) || !is_short(second) || year.len() != 4 {
            return None;
        }
        Some((digits(first)?, digits(second)?))
    }

    /// Returns the point in time in UTC, or as a clock on the wall shows it where there is no offset.
    pub(super) fn time_ns(&self, order: DateOrder) -> Option<TimeNs> {
        let [first, second, third] = self.parts;
        let (year, month, day) = match order {
            DateOrder::YearFirst => (first, second, third),
            DateOrder::DayFirst => (third, second, first),
            DateOrder::MonthFirst => (third, first, second),
        };
        if year.len() != 4 || !matches!(month.len(), 1 | 2) || !matches!(day.len(), 1 | 2) {
            return None;
        }
        let days = days_since_1970(digits(year)?, digits(month)?, digits(day)?)?;
        let of_day = self.clock.map_or(0, |clock| clock.of_day_ns - clock.offset_ns.unwrap_or(0));
        let time_ns = days.checked_mul(DAY_SECONDS * NANOSECONDS)?.checked_add(of_day)?;
        (time_ns >= 0).then_some(time_ns)
    }
}

/// Reads `YYYYMMDD`, `YYYYMMDDhh`, `YYYYMMDDhhmm` or `YYYYMMDDhhmmss`.
pub(super) fn compact(text: &[u8]) -> Option<TimeNs> {
    if !matches!(text.len(), 8 | 10 | 12 | 14) {
        return None;
    }
    let (date, clock) = text.split_at_checked(8)?;
    let date = CalendarText::cut(date).filter(|date| date.separator.is_none())?;
    let [hours, minutes, seconds] = [0, 2, 4].map(|at| clock.get(at..at + 2).map_or(Some(0), digits));
    date.time_ns(DateOrder::YearFirst)?.checked_add(of_day_ns(hours?, minutes?, seconds? * NANOSECONDS)?)
}

/// Reads a time of day as nanoseconds since midnight.
///
/// `9:05`, `09:05:00.25`, `0905`, `090500`, and each with ` AM` or ` PM` behind it where it has a colon.
pub(super) fn clock_ns(text: &[u8]) -> Option<i64> {
    let (text, half) = half_of_day(text);
    let (hours, rest) = digit_run(text);
    let (hours, minutes, seconds_ns) = match (hours.len(), rest) {
        (4, []) if half.is_none() => (digits(hours.get(..2)?)?, digits(hours.get(2..)?)?, 0),
        (6, [] | [b'.', ..]) if half.is_none() => {
            let (of_hour, seconds) = text.split_at_checked(4)?;
            (digits(of_hour.get(..2)?)?, digits(of_hour.get(2..)?)?, decimal_count(seconds, NANOSECONDS)?)
        }
        (1 | 2, [b':', rest @ ..]) => {
            let (minutes, rest) = rest.split_at_checked(2)?;
            (digits(hours)?, digits(minutes)?, seconds_ns(rest)?)
        }
        _ => return None,
    };
    let hours = match half {
        None => hours,
        Some(_) if !(1..=12).contains(&hours) => return None,
        Some(Half::Morning) => hours % 12,
        Some(Half::Afternoon) => hours % 12 + 12,
    };
    of_day_ns(hours, minutes, seconds_ns)
}

/// Half a day on a clock of twelve hours.
#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

/// Cuts `AM` or `PM` off, in any letter case and with or without a blank.
fn half_of_day(text: &[u8]) -> (&[u8], Option<Half>) {
    let Some((clock, mark)) = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)) else {
        return (text, None);
    };
    match mark.to_ascii_uppercase().as_slice() {
        b"AM" => (clock.trim_ascii_end(), Some(Half::Morning)),
        b"PM" => (clock.trim_ascii_end(), Some(Half::Afternoon)),
        _ => (text, None),
    }
}

/// Reads nothing, or `:SS[.fraction]`, as nanoseconds.
fn seconds_ns(text: &[u8]) -> Option<i64> {
    match text {
        [] => Some(0),
        [b':', seconds @ ..] if seconds.len() >= 2 && seconds.get(2).is_none_or(|&byte| byte == b'.') => {
            decimal_count(seconds, NANOSECONDS)
        }
        _ => None,
    }
}

fn of_day_ns(hours: i64, minutes: i64, seconds_ns: i64) -> Option<i64> {
    let is_right = hours <= 23 && minutes <= 59 && seconds_ns < 60 * NANOSECONDS;
    is_right.then_some((hours * 60 + minutes) * 60 * NANOSECONDS + seconds_ns)
}

/// Reads a time of day with an optional offset: `Z`, `UTC`, `GMT`, `+05:30`, `+0530` or `+05`.
fn clock_with_offset(text: &[u8]) -> Option<Clock> {
    if let Some(clock) = text.strip_suffix(b"UTC").or_else(|| text.strip_suffix(b"GMT")) {
        return Some(Clock { of_day_ns: clock_ns(clock.trim_ascii_end())?, offset_ns: Some(0) });
    }
    let end = text.iter().position(|byte| matches!(byte, b'Z' | b'z' | b'+' | b'-')).unwrap_or(text.len());
    let (clock, offset) = text.split_at_checked(end)?;
    let offset_ns = if offset.is_empty() { None } else { Some(offset_ns(offset)?) };
    let clock = if offset_ns.is_some() { clock.trim_ascii_end() } else { clock };
    Some(Clock { of_day_ns: clock_ns(clock)?, offset_ns })
}

fn offset_ns(text: &[u8]) -> Option<i64> {
    let [sign @ (b'+' | b'-'), h1, h2, rest @ ..] = text else {
        return matches!(text, b"Z" | b"z").then_some(0);
    };
    let hours = digits(&[*h1, *h2])?;
    let minutes = match rest {
        [] => 0,
        [b':', minutes @ ..] | minutes if minutes.len() == 2 => digits(minutes)?,
        _ => return None,
    };
    if hours > OFFSET_HOURS_MAX || minutes > 59 {
        return None;
    }
    let ns = (hours * 60 + minutes) * 60 * NANOSECONDS;
    Some(if *sign == b'-' { -ns } else { ns })
}

/// Cuts the digits off the beginning.
fn digit_run(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, &[]))
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

/// Writes a point in time since 1970 as `2024-08-08T23:54:13`, for messages (the inverse, same source).
pub(super) fn shown(time_ns: TimeNs) -> String {
    let seconds = time_ns.div_euclid(NANOSECONDS);
    let (days, of_day) = (seconds.div_euclid(DAY_SECONDS) + 719_468, seconds.rem_euclid(DAY_SECONDS));
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes, seconds) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}")
}
