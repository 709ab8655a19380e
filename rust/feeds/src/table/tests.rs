//! Tests of the table reader: formats, refusals and properties.

use proptest::prelude::*;
use tradecore_types::Decimal;

use super::calendar::clock_ns;
use super::*;
use crate::Scale;

fn auto(text: &str) -> Option<i64> {
    parse_timestamp(text.as_bytes(), TimeFormat::Auto).ok()
}

fn layout() -> TableLayout {
    let scale = |step: &str| Scale::new("step", Decimal::parse("step", step).unwrap()).unwrap();
    let column = |index, name: &str, kind| Column { name: name.to_owned(), index, kind };
    TableLayout {
        delimiter: b',',
        header_lines: 1,
        time_range_ns: None,
        columns: vec![
            column(0, "time", ColumnKind::Time(TimeFormat::Auto)),
            column(2, "close", ColumnKind::Steps(scale("0.01"))),
            column(1, "volume", ColumnKind::NearestSteps(scale("1"))),
        ],
    }
}

#[test]
fn the_ways_to_write_a_time_agree() {
    let at = 1_723_161_253_000_000_000;
    for text in [
        "2024-08-08 23:54:13",
        "2024-08-08T23:54:13Z",
        "2024-08-08T23:54:13.000000000+00:00",
        "20240808 23:54:13",
        "2024-08-09T05:24:13+05:30",
        "2024-08-08T19:54:13-0400",
        "2024-08-08T19:54:13-04",
        "1723161253",
        "1723161253.0",
        "1723161253000",
        "1723161253000000",
        "1723161253000000000",
    ] {
        assert_eq!(auto(text), Some(at), "{text}");
    }
    assert_eq!(auto("2024-08-08 23:54:13.937085768"), Some(at + 937_085_768));
    for text in [
        "2024-08-08 11:54:13 PM",
        "2024/8/8 23:54:13",
        "20240808235413",
        "20240808 235413",
        "08.08.2024 23:54:13",
        "2024.08.08 11:54:13pm",
        "2024-08-08 23:54:13 UTC",
        "1.723161253e9",
        "1723161253e3",
    ] {
        assert_eq!(auto(text), Some(at), "{text}");
    }
    assert_eq!((auto("1970-01-01"), auto("20040819")), (Some(0), Some(1_092_873_600_000_000_000)));
    let count = TimeFormat::Count { unit_ns: 1_000_000, start_ns: at };
    assert_eq!(parse_timestamp(b"1500", count), Ok(at + 1_500_000_000));
    assert_eq!(clock_ns(b"09:05:00.5"), Some(32_700_500_000_000));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "x",
        "2024-13-01",
        "2023-02-29",
        "2024-08-08 24:00",
        "2024-08-08 23:60",
        "2024-08-08 23:54:60",
        "2024-08-08x",
        "2024-08-08T",
        "1969-12-31",
        "2263-01-01",
        "99999999999999999999",
        "-5",
        "1.2.3",
        "nan",
        "1/3/2026 6:49",
        "1/31/26",
        "13/13/2026",
        "01.31.2026",
        "5",
        "1",
        "2033010112",
        "99999999",
        "202613011230",
        "2024-08-08 13:54 PM",
        "2024-08-08 0:54 AM",
        "2024-08-08 23:54+15:00",
        "2024-08/08",
        "2024-08-08 23:54:1",
        "2024-08-08 23:54+5",
    ] {
        assert_eq!(auto(text), None, "{text}");
    }
    assert_eq!(auto("2024-02-29"), Some(1_709_164_800_000_000_000));
}

#[test]
fn wanted_columns_are_read_in_the_order_asked_for() {
    let text = b"t,v,c\r\n2024-08-08,\"1.6\",100.25\r\n2024-08-09, 2 ,\"101\"\r\n\r\n";
    let columns = read_table(text, &layout()).unwrap();
    assert_eq!(columns[1..], [vec![10_025, 10_100], vec![2, 2]]);
    assert_eq!(columns[0][1] - columns[0][0], 86_400_000_000_000);
}

#[test]
fn a_wrong_value_is_named_by_line_and_column() {
    for (row, column, part_of_rule) in [
        ("x,1,1.00", "time", "date and time"),
        ("2024-08-08,1,1.005", "close", "multiple of 0.01"),
        ("2024-08-08,1,-1", "close", "negative"),
        ("2024-08-08,1,nan", "close", "decimal"),
        ("2024-08-08,,1.00", "volume", "decimal"),
        ("2024-08-08,1", "row", "none for close"),
        ("\n2024-08-08,1,1", "row", "blank"),
    ] {
        let text = format!("t,v,c\n2024-08-07,1,1.00\n{row}\n");
        let error = read_table(text.as_bytes(), &layout()).unwrap_err();
        assert_eq!((error.line, error.column.as_str()), (3, column), "{error}");
        assert!(error.rule.contains(part_of_rule), "{error}");
    }
}

proptest! {
    #[test]
    fn every_second_from_1980_on_reads_back(seconds in 315_532_800i64..4_133_980_800) {
        // Ten digits may be YYYYMMDDhh too.
        prop_assume!(!(1_980_010_100..=2_100_123_123).contains(&seconds));
        prop_assert_eq!(auto(&seconds.to_string()), Some(seconds * 1_000_000_000));
    }

    #[test]
    fn days_follow_each_other(day in 0i64..106_000) {
        // 146,097 days make 400 years: an independent walk through the calendar.
        let (mut year, mut left) = (1970, day);
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
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
        let text = format!("{year:04}-{:02}-{:02}", month + 1, left + 1);
        prop_assert_eq!(auto(&text), Some(day * 86_400_000_000_000), "{}", text);
    }

    #[test]
    fn any_bytes_are_accepted_or_refused(text in prop::collection::vec(any::<u8>(), 0..120), line in "[0-9T:.,+\"Z -]{0,40}") {
        for bytes in [text.as_slice(), line.as_bytes(), format!("h\n{line}\n{line}").as_bytes()] {
            if let Ok(columns) = read_table(bytes, &layout()) {
                prop_assert!(columns.iter().all(|column| column.len() == columns[0].len()));
            }
            let _ = parse_timestamp(bytes, TimeFormat::Auto);
        }
    }
}
