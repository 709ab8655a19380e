//! How long a time bar is, and where it begins and ends.

use std::fmt;

use tradecore_types::{Session, Sessions, TimeNs, ValueError};

use crate::date::{first_day_of_month, month_of};
use crate::rule::above_zero;

pub(crate) const DAY_NS: i64 = 86_400_000_000_000;

/// How long a time bar is.
///
/// Bars shorter than a day are counted from the start of the session, and the last one ends with it; where
/// something trades all the time they are counted from 1970-01-01 00:00 UTC, which is how exchanges do it.
/// A day is a session: what trades all the time has one that ends each day at the same time. The date of a
/// session is the one on which it ends, in UTC. Weeks are of the sessions from Monday to Sunday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BarSpan(Length);

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Length {
    /// This many nanoseconds, above 0.
    Fixed(i64),
    /// This many days, above 0, counted from 1970-01-01.
    Days(i64),
    /// This many weeks, above 0, counted from the one of 1970-01-01.
    Weeks(i64),
    /// This many months, a part of a year: 1, 2, 3, 4, 6 or 12.
    Months(i64),
}

/// From when to when one bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Period {
    /// Its first moment, which belongs to it.
    pub start_ns: TimeNs,
    /// The moment after its last one.
    pub end_ns: TimeNs,
}

impl BarSpan {
    /// Makes a span of nanoseconds: whole weeks and days follow the calendar.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the length is not above 0.
    pub fn of_ns(interval_ns: i64) -> Result<Self, ValueError> {
        let interval_ns = above_zero("interval_ns", interval_ns)?;
        let days = interval_ns / DAY_NS;
        Ok(match (interval_ns % DAY_NS, days % 7) {
            (0, 0) => Self(Length::Weeks(days / 7)),
            (0, _) => Self(Length::Days(days)),
            _ => Self(Length::Fixed(interval_ns)),
        })
    }

    /// Makes a span of months.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a year is not a whole number of them.
    pub fn of_months(months: i64) -> Result<Self, ValueError> {
        if (1..=12).contains(&months) && 12 % months == 0 {
            return Ok(Self(Length::Months(months)));
        }
        Err(ValueError::new("bars", format!("{months}mo"), "must be 1, 2, 3, 4, 6 or 12 months"))
    }

    /// Returns the period that a moment is in; `None` when it is in none, outside the sessions that are known.
    #[must_use]
    pub fn period(self, at_ns: TimeNs, sessions: &Sessions) -> Option<Period> {
        if let (Length::Fixed(span_ns), true) = (self.0, sessions.is_always_open()) {
            let start_ns = at_ns.saturating_sub(at_ns.rem_euclid(span_ns));
            return Some(Period { start_ns, end_ns: start_ns.saturating_add(span_ns) });
        }
        let session = sessions.session_of(at_ns).filter(|session| session.start_ns <= at_ns)?;
        let Some((first_day, last_day)) = self.days(date_of(session)) else {
            return Some(self.part_of(session, at_ns));
        };
        let start_ns = start_of(first_day, sessions)?;
        Some(Period { start_ns, end_ns: end_of(last_day, sessions) })
    }

    /// Returns the part of a session that a moment in it is in.
    fn part_of(self, session: Session, at_ns: TimeNs) -> Period {
        let Length::Fixed(span_ns) = self.0 else {
            return Period { start_ns: session.start_ns, end_ns: session.end_ns };
        };
        let since_ns = at_ns.saturating_sub(session.start_ns);
        let start_ns = at_ns.saturating_sub(since_ns.rem_euclid(span_ns));
        Period { start_ns, end_ns: start_ns.saturating_add(span_ns).min(session.end_ns) }
    }

    /// Returns the first and the last date that belong together with a date, in days since 1970-01-01; `None`
    /// for what is shorter than a session.
    fn days(self, date: i64) -> Option<(i64, i64)> {
        // 1970-01-01 was a Thursday, three days after a Monday.
        const MONDAY: i64 = -3;
        let grid = |origin: i64, days: i64| {
            let first = date.saturating_sub(date.saturating_sub(origin).rem_euclid(days));
            (first, first.saturating_add(days - 1))
        };
        match self.0 {
            Length::Fixed(_) => None,
            Length::Days(days) => Some(grid(0, days)),
            Length::Weeks(weeks) => Some(grid(MONDAY, weeks.saturating_mul(7))),
            Length::Months(months) => {
                let month = month_of(date);
                let first = month - month.rem_euclid(months);
                Some((first_day_of_month(first), first_day_of_month(first + months) - 1))
            }
        }
    }
}

/// Returns the date of a session: the one of its last moment, in days since 1970-01-01.
const fn date_of(session: Session) -> i64 {
    (session.end_ns - 1).div_euclid(DAY_NS)
}

/// Returns when the first session begins that has this date or a later one. Before a table begins nobody knows:
/// then it is the beginning of the date.
fn start_of(first_day: i64, sessions: &Sessions) -> Option<TimeNs> {
    let midnight_ns = first_day.saturating_mul(DAY_NS);
    let first = sessions.session_of(midnight_ns)?;
    let is_known = date_of(first) == first_day || sessions.session_before(first.start_ns).is_some();
    Some(if is_known { first.start_ns } else { midnight_ns.min(first.start_ns) })
}

/// Returns when the last session ends that has this date or an earlier one. After a table has ended nobody
/// knows: then it is the end of the date.
fn end_of(last_day: i64, sessions: &Sessions) -> TimeNs {
    let midnight_ns = last_day.saturating_add(1).saturating_mul(DAY_NS);
    let next = sessions.session_of(midnight_ns);
    let last = sessions.session_before(next.map_or(midnight_ns, |session| session.start_ns));
    match last {
        Some(last) if next.is_some() || date_of(last) == last_day => last.end_ns,
        _ => midnight_ns,
    }
}

impl fmt::Display for BarSpan {
    /// Writes the span as settings have it: `5m`, `1h`, `1d`, `1w` or `1mo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 5] = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1, "ns"),
        ];
        match self.0 {
            Length::Fixed(span_ns) => {
                let unit = UNITS.iter().find(|(unit_ns, _)| span_ns % unit_ns == 0);
                let (unit_ns, name) = unit.copied().unwrap_or((1, "ns"));
                write!(f, "{}{name}", span_ns / unit_ns)
            }
            Length::Days(days) => write!(f, "{days}d"),
            Length::Weeks(weeks) => write!(f, "{weeks}w"),
            Length::Months(months) => write!(f, "{months}mo"),
        }
    }
}
