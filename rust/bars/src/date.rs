//! Days since 1970-01-01 as dates of the Gregorian calendar. Source: Hinnant, "chrono-compatible low-level date
//! algorithms" (2021), `civil_from_days` and `days_from_civil`.

use tradecore_types::TimeNs;

const DAYS_PER_ERA: i64 = 146_097;

/// Returns the year, month (1 to 12) and day of the month of a number of days since 1970-01-01.
pub(crate) const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, day)
}

/// Returns the number of the month that a date is in, counted from January of the year 0.
pub(crate) const fn month_of(days: i64) -> i64 {
    let (year, month, _) = civil(days);
    year.saturating_mul(12).saturating_add(month - 1)
}

/// Returns the first day of a month, in days since 1970-01-01.
pub(crate) const fn first_day_of_month(month: i64) -> i64 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5;
    era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Writes a time as people read it, in UTC to the second: `2026-01-05 14:30:00`.
#[must_use]
pub fn utc_text(time_ns: TimeNs) -> String {
    let seconds = time_ns.div_euclid(1_000_000_000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_a_thousand_years_is_the_day_after_the_one_before() {
        const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        assert_eq!(civil(0), (1970, 1, 1));
        let (mut year, mut month, mut day) = (1600, 1, 1);
        let first = first_day_of_month(1600 * 12);
        for days in first..first + 365 * 1000 {
            assert_eq!(civil(days), (year, month, day));
            if day == 1 {
                assert_eq!(first_day_of_month(year * 12 + month - 1), days);
            }
            let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let is_february = usize::from(month == 2 && is_leap);
            let length = LENGTHS[usize::try_from(month - 1).unwrap()] + i64::try_from(is_february).unwrap();
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn a_time_is_written_to_the_second() {
        assert_eq!(utc_text(0), "1970-01-01 00:00:00");
        assert_eq!(utc_text(1_795_870_800_000_000_000 + 1), "2026-11-28 13:00:00");
        assert_eq!(utc_text(-1), "1969-12-31 23:59:59");
    }
}
