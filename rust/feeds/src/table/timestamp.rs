//! Points in time as files write them, to UTC nanoseconds.

use std::fmt;

use tradecore_types::TimeNs;

use super::calendar::{CalendarText, DateOrder, compact};
use super::number::decimal_count;
use super::time_choice::choose_time_format;

/// How a file writes a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// What [`choose_time_format`] finds for the whole column.
    Auto,
    /// A date with a time of day or without.
    Calendar {
        /// In which order the date has its parts.
        order: DateOrder,
        /// Whether every time states how far it is from UTC; else none does.
        has_offset: bool,
    },
    /// `YYYYMMDD`, `YYYYMMDDhh`, `YYYYMMDDhhmm` or `YYYYMMDDhhmmss`.
    Digits,
    /// A number of units of this many nanoseconds, counted from a start in nanoseconds.
    Count {
        /// Nanoseconds of one unit.
        unit_ns: i64,
        /// What the count starts at, e.g. midnight of the day a file is about.
        start_ns: i64,
    },
}

impl fmt::Display for TimeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("a date and time (ISO 8601 or epoch)"),
            Self::Calendar { order, has_offset } => {
                f.write_str(match order {
                    DateOrder::YearFirst => "a date and time (year, month, day)",
                    DateOrder::DayFirst => "a date and time (day, month, year)",
                    DateOrder::MonthFirst => "a date and time (month, day, year)",
                })?;
                f.write_str(if *has_offset {
                    " with an offset from UTC"
                } else {
                    " without an offset from UTC"
                })
            }
            Self::Digits => f.write_str("a date and time YYYYMMDD[hh[mm[ss]]]"),
            Self::Count { unit_ns, start_ns } => {
                f.write_str(match unit_ns {
                    1_000_000_000 => "seconds since ",
                    1_000_000 => "milliseconds since ",
                    1_000 => "microseconds since ",
                    _ => "nanoseconds since ",
                })?;
                f.write_str(if *start_ns == 0 { "1970" } else { "midnight" })
            }
        }
    }
}

/// A text that is no point in time of the format between 1970 and 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampError;

/// Reads a point in time; calendar text without an offset is as a clock on the wall shows it.
///
/// Calendar text is a date, alone or followed by `T` or a blank and `9:54[:13[.937085768]]`, `0954[13]` or a time with
/// ` AM` or ` PM`, then nothing, `Z`, `UTC` or an offset such as `+05:30`. A number may have an exponent.
///
/// # Errors
///
/// [`TimestampError`] for anything else.
pub fn parse_timestamp(text: &[u8], format: TimeFormat) -> Result<TimeNs, TimestampError> {
    match format {
        TimeFormat::Auto => {
            let format = choose_time_format(std::iter::once((1, text))).map_err(|_| TimestampError)?;
            parse_timestamp(text, format)
        }
        TimeFormat::Calendar { order, has_offset } => CalendarText::cut(text)
            .filter(|calendar| calendar.has_offset() == has_offset)
            .and_then(|calendar| calendar.time_ns(order))
            .ok_or(TimestampError),
        TimeFormat::Digits => compact(text).ok_or(TimestampError),
        TimeFormat::Count { unit_ns, start_ns } => {
            let count = decimal_count(text, unit_ns).ok_or(TimestampError)?;
            start_ns.checked_add(count).ok_or(TimestampError)
        }
    }
}
