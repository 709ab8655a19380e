//! The formats of points in time, and what people call them.

use std::fmt;

use super::calendar::DateOrder;

/// How a file writes a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// What [`super::choose_time_format`] finds for the whole column.
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
