//! Points in time as files write them, to UTC nanoseconds.

use tradecore_types::TimeNs;

use super::calendar::{CalendarText, compact};
use super::number::decimal_count;
use super::time_choice::choose_time_format;
use super::time_format::TimeFormat;

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
