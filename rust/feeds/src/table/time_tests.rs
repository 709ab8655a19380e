//! Tests of how a column's times are recognised: every way to write them, held against plain arithmetic.

use proptest::prelude::*;

use super::*;

fn choose(values: &[&str]) -> Result<TimeFormat, TimeQuestion> {
    choose_time_format(values.iter().enumerate().map(|(at, value)| (at + 1, value.as_bytes())))
}

fn read(values: &[String]) -> Result<Vec<i64>, TableError> {
    let column = Column { name: "time".to_owned(), index: 0, kind: ColumnKind::Time(TimeFormat::Auto) };
    let layout = TableLayout {
        delimiter: b';',
        header_lines: 0,
        columns: vec![column],
        time_range_ns: Some(PLAUSIBLE_NS),
    };
    Ok(read_table(values.join("\n").as_bytes(), &layout)?.remove(0))
}

/// Civil parts of a second since 1970, by walking through the calendar; a slow oracle.
fn civil(seconds: i64) -> [i64; 6] {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut year, mut left, of_day) = (1970, seconds / 86_400, seconds % 86_400);
    while left >= 365 + i64::from(leap(year)) {
        left -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    [year, i64::try_from(month).unwrap() + 1, left + 1, of_day / 3600, of_day / 60 % 60, of_day % 60]
}

/// The ways to write a second; those with day and month need a day above 12 somewhere in the column.
const WAYS: usize = 17;

fn written(way: usize, seconds: i64) -> String {
    let [y, m, d, hour, min, sec] = civil(seconds);
    let (half, twelve) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
    match way {
        0 => format!("{y}-{m:02}-{d:02} {hour:02}:{min:02}:{sec:02}"),
        1 => format!("{y}-{m:02}-{d:02}T{hour:02}:{min:02}:{sec:02}Z"),
        2 => {
            let [y, m, d, hour, min, sec] = civil(seconds + 19_800);
            format!("{y}-{m:02}-{d:02}T{hour:02}:{min:02}:{sec:02}.000+05:30")
        }
        3 => format!("{y}/{m}/{d} {hour}:{min:02}:{sec:02}"),
        4 => format!("{y}.{m:02}.{d:02} {hour:02}:{min:02}:{sec:02}"),
        5 => format!("{y}{m:02}{d:02} {hour:02}:{min:02}:{sec:02}"),
        6 => format!("{y}{m:02}{d:02}{hour:02}{min:02}{sec:02}"),
        7 => format!("{d:02}.{m:02}.{y} {hour:02}:{min:02}:{sec:02}"),
        8 => format!("{d}/{m}/{y} {hour:02}:{min:02}:{sec:02}"),
        9 => format!("{m}/{d}/{y} {twelve}:{min:02}:{sec:02} {half}"),
        10 => format!("{m:02}-{d:02}-{y} {hour:02}{min:02}{sec:02}"),
        11 => format!("{y}-{m:02}-{d:02} {twelve:02}:{min:02}:{sec:02}{}", half.to_lowercase()),
        12 => seconds.to_string(),
        13 => format!("{seconds}.000000"),
        14 => format!("{seconds}000"),
        15 => format!("{seconds}000000"),
        _ => format!("{seconds}000000000"),
    }
}

#[test]
fn twelve_digits_are_a_date_and_never_1976() {
    assert_eq!(choose(&["202601071230", "202601071231"]), Ok(TimeFormat::Digits));
    let values: Vec<_> = ["202601071230", "202601071231"].map(String::from).into();
    assert_eq!(read(&values).unwrap(), [1_767_789_000_000_000_000, 1_767_789_060_000_000_000]);
}

#[test]
fn a_question_names_both_readings_and_the_setting() {
    for (values, parts) in [
        (&["2033010112", "2033010113"][..], &["2034-06-04", "2033-01-01T12", "\"s\" or \"digits\""][..]),
        (&["01/02/2026", "01/03/2026"], &["day 1 of month 2", "month 1 and day 2", "day_first"]),
        (&["0", "60000", "86340000"], &["milliseconds since", "data.date"]),
        (&["14400000", "79200000", "14.5"], &["milliseconds since", "data.date"]),
        (&["01/03/17"], &["four digits"]),
        (&["86400000", "86460000"], &["none within 1980 and 2100", "data.time_format"]),
    ] {
        let rule = choose(values).unwrap_err().rule;
        assert!(parts.iter().all(|part| rule.contains(part)), "{values:?}: {rule}");
    }
    assert_eq!(choose(&["2033010112", "2033010172"]).unwrap(), choose(&["1723161253"]).unwrap());
}

#[test]
fn a_row_unlike_the_first_is_refused_with_its_line() {
    for (first, second, part) in [
        ("1723161253", "1723161254000", "must be seconds since 1970"),
        ("1723161253", "60", "1970-01-01T00:01:00 as seconds since 1970"),
        ("2024-08-08", "08/09/2024", "year, month, day"),
        ("13/08/2024", "08/14/2024", "day, month, year"),
        ("2024-08-08 10:00", "2024-08-08 10:00Z", "without an offset"),
        ("2024-08-08 10:00Z", "2024-08-08 10:00", "with an offset"),
        ("2024-08-08", "1975-08-08", "1975-08-08T00:00:00"),
        ("20240808", "20240832", "YYYYMMDD"),
    ] {
        let error = read(&[first.to_owned(), second.to_owned()]).unwrap_err();
        assert!(error.line == 2 && error.value == second && error.rule.contains(part), "{error}");
    }
}

proptest! {
    #[test]
    fn every_way_to_write_a_second_reads_back(
        way in 0..WAYS,
        seconds in prop::collection::vec(315_576_000i64..4_102_000_000, 1..6),
    ) {
        // Ten digits that are all dates, and days that may be months, are questions; see above.
        let texts: Vec<String> = seconds.iter().map(|seconds| written(way, *seconds)).collect();
        let wanted: Vec<i64> = seconds.iter().map(|seconds| seconds * 1_000_000_000).collect();
        match read(&texts) {
            Ok(times) => prop_assert_eq!(times, wanted, "{:?}", texts),
            Err(error) => {
                let is_open = seconds.iter().all(|seconds| civil(*seconds)[2] <= 12);
                let may_ask = (8..=10).contains(&way) && is_open || way == 12;
                prop_assert!(may_ask && error.rule.contains("set data.time_format"), "{:?} {}", texts, error);
            }
        }
    }
}
