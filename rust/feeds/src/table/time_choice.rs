//! How a whole column writes its times, or the question that its values leave open.

use super::calendar::{CalendarText, DateOrder, compact, shown};
use super::number::{decimal_count, looks_like_number};
use super::time_format::TimeFormat;

/// First nanosecond of 1980 and of 2101: what is outside is no time of a market that a number was meant for.
pub const PLAUSIBLE_NS: (i64, i64) = (315_532_800_000_000_000, 4_133_980_800_000_000_000);

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

const UNITS_NS: [i64; 4] = [1_000_000_000, 1_000_000, 1_000, 1];

/// What keeps the times of a column from being read: where, the value and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeQuestion {
    /// Line or number of the row, as the values came.
    pub line: usize,
    /// The text that does not fit, as it stands in the file.
    pub value: Vec<u8>,
    /// The rule it breaks, or the question it leaves open and the setting that answers it.
    pub rule: String,
}

impl TimeQuestion {
    fn new(line: usize, value: &[u8], rule: impl Into<String>) -> Self {
        Self { line, value: value.to_vec(), rule: rule.into() }
    }
}

/// Chooses the one format in which the values of a column are times.
///
/// A number is read in the unit, or as digits of a date, that makes it a time within 1980 and 2100; so 12 digits
/// `202601071230` are a date. Between day and month first decides a number above 12 anywhere in the column.
///
/// # Errors
///
/// [`TimeQuestion`] when no format fits the first value, and when the column fits two.
pub fn choose_time_format<'a, I>(values: I) -> Result<TimeFormat, TimeQuestion>
where
    I: Iterator<Item = (usize, &'a [u8])> + Clone,
{
    match values.clone().next() {
        None => Ok(TimeFormat::Calendar { order: DateOrder::YearFirst, has_offset: false }),
        Some((line, first)) if looks_like_number(first) => number_format(line, first, values),
        Some((line, first)) => calendar_format(line, first, values),
    }
}

/// Returns a calendar format of this order, with offsets if the first value has one.
pub fn calendar_in_order<'a>(
    order: DateOrder,
    mut values: impl Iterator<Item = (usize, &'a [u8])>,
) -> TimeFormat {
    let first = values.next().and_then(|(_, first)| CalendarText::cut(first));
    TimeFormat::Calendar { order, has_offset: first.is_some_and(|first| first.has_offset()) }
}

fn number_format<'a, I>(line: usize, first: &[u8], mut values: I) -> Result<TimeFormat, TimeQuestion>
where
    I: Iterator<Item = (usize, &'a [u8])> + Clone,
{
    let is_plausible = |time: &i64| (PLAUSIBLE_NS.0..PLAUSIBLE_NS.1).contains(time);
    let unit =
        UNITS_NS.into_iter().find(|unit| decimal_count(first, *unit).as_ref().is_some_and(is_plausible));
    let count = unit.map(|unit_ns| TimeFormat::Count { unit_ns, start_ns: 0 });
    let date = compact(first).filter(is_plausible);
    match (count, date) {
        (Some(count), None) => Ok(count),
        (None, Some(_)) => Ok(TimeFormat::Digits),
        (Some(count), Some(date)) => {
            // Seconds of 2032 to 2036 are digits of a date too, for a while.
            if values.any(|(_, value)| compact(value).is_none()) {
                return Ok(count);
            }
            let as_count = shown(unit.and_then(|unit| decimal_count(first, unit)).unwrap_or(0));
            let rule = format!(
                "is {as_count} as {count} and {} as YYYYMMDDhh; set data.time_format = \"s\" or \"digits\"",
                shown(date)
            );
            Err(TimeQuestion::new(line, first, rule))
        }
        (None, None) if is_time_of_day(values) => {
            let rule = "must be a date and time, and the column has numbers of a day alone, such as milliseconds since \
                        midnight in files of LEAN; set data.date = \"YYYY-MM-DD\" to the day of the file";
            Err(TimeQuestion::new(line, first, rule))
        }
        (None, None) => {
            let rule = "must be a date and time, and is none within 1980 and 2100, neither as seconds, milliseconds, \
                        microseconds or nanoseconds since 1970 nor as YYYYMMDD[hh[mm[ss]]]; set data.time_format if it is one";
            Err(TimeQuestion::new(line, first, rule))
        }
    }
}

fn is_time_of_day<'a>(mut values: impl Iterator<Item = (usize, &'a [u8])>) -> bool {
    // In thousandths of a unit, so that a fraction is no error.
    values.all(|(_, value)| decimal_count(value, 1_000_000).is_some_and(|count| count < DAY_MS * 1_000_000))
}

fn calendar_format<'a, I>(line: usize, first: &[u8], values: I) -> Result<TimeFormat, TimeQuestion>
where
    I: Iterator<Item = (usize, &'a [u8])>,
{
    let Some(calendar) = CalendarText::cut(first) else {
        let rule = "must be a date and time, such as 2024-08-31 23:54:13, 31.08.2024 or 08/31/2024 11:54 PM, \
                    or a number since 1970";
        return Err(TimeQuestion::new(line, first, rule));
    };
    let has_offset = calendar.has_offset();
    if let Some(order) = calendar.order() {
        return Ok(TimeFormat::Calendar { order, has_offset });
    }
    let Some((one, two)) = calendar.day_and_month() else {
        let rule = "must be a date and time with a year of four digits";
        return Err(TimeQuestion::new(line, first, rule));
    };
    for (_, value) in values {
        let order = match CalendarText::cut(value).and_then(|calendar| calendar.day_and_month()) {
            Some((13.., _)) => DateOrder::DayFirst,
            Some((_, 13..)) => DateOrder::MonthFirst,
            _ => continue,
        };
        return Ok(TimeFormat::Calendar { order, has_offset });
    }
    let rule = format!(
        "is day {one} of month {two}, or month {one} and day {two}, and nothing in the column decides; \
         set data.time_format = \"day_first\" or \"month_first\""
    );
    Err(TimeQuestion::new(line, first, rule))
}
