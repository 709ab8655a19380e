//! Reads the wanted columns of delimited text.

use std::fmt;

use tradecore_types::TimeNs;

use super::calendar::{DateOrder, clock_ns, shown};
use super::row::Fields;
use super::time_choice::{calendar_in_order, choose_time_format};
use super::time_format::TimeFormat;
use super::timestamp::parse_timestamp;
use crate::Scale;
use crate::error::Problem;

/// What a column holds, which decides how its text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A point in time, read as UTC nanoseconds.
    Time(TimeFormat),
    /// A time of day such as `09:05`, `090500` or `9:05:00 AM`, read as nanoseconds since midnight.
    Clock,
    /// Decimal text, read as whole steps; anything between two steps is wrong.
    Steps(Scale),
    /// Decimal text, read as the nearest whole steps.
    NearestSteps(Scale),
    /// A rate of either sign as the nearest whole steps.
    SignedSteps(Scale),
    /// A whole number that names something, such as a trade.
    Id,
    /// `true`, `1`, `buy` or `b` read as 1; `false`, `0`, `sell` or `s` as 0; letter case does not matter.
    Flag,
}

/// A column of a table that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name to be used in errors.
    pub name: String,
    /// Position in the line, from 0.
    pub index: usize,
    /// How its text is read.
    pub kind: ColumnKind,
}

/// How the text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// What stands between two fields, e.g. `b','`.
    pub delimiter: u8,
    /// Lines to pass over first: the header.
    pub header_lines: usize,
    /// The columns that are read; others are skipped without a look.
    pub columns: Vec<Column>,
    /// Times before the first or from the second on are wrong; `None` takes any from 1970 to 2262.
    pub time_range_ns: Option<(TimeNs, TimeNs)>,
}

/// A row that cannot be used: which line, which column, its value and the rule it breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// Line of the text, counted from 1, header included.
    pub line: usize,
    /// Name of the column; `row` when the line as a whole is wrong.
    pub column: String,
    /// The value as it stands there, cut when long.
    pub value: String,
    /// The rule that the value breaks, in words for whoever has to mend the input.
    pub rule: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} {:?}: {}", self.line, self.column, self.value, self.rule)
    }
}

impl std::error::Error for TableError {}

/// Chooses how the times of a column are written; an order of the parts of dates may be given.
///
/// # Errors
///
/// [`TableError`] where [`choose_time_format`] has a question.
pub fn choose_column_format(
    text: &[u8],
    layout: &TableLayout,
    column: &Column,
    order: Option<DateOrder>,
) -> Result<TimeFormat, TableError> {
    let lines = text.split(|&byte| byte == b'\n').enumerate().skip(layout.header_lines);
    let values = lines.filter_map(|(number, line)| {
        let field = Fields::new(line.trim_ascii_end(), layout.delimiter).nth(column.index)?;
        (!field.is_empty() || column.index > 0).then(|| (number + 1, field.trim_ascii()))
    });
    if let Some(order) = order {
        return Ok(calendar_in_order(order, values));
    }
    choose_time_format(values).map_err(|question| TableError {
        line: question.line,
        column: column.name.clone(),
        value: Problem::bytes("", &question.value, "").value,
        rule: question.rule,
    })
}

/// Reads the wanted columns, one vector each in the order of the layout; blank lines may only end the text.
///
/// # Errors
///
/// [`TableError`] for the first value that breaks a rule.
pub fn read_table(text: &[u8], layout: &TableLayout) -> Result<Vec<Vec<i64>>, TableError> {
    let mut layout = layout.clone();
    for at in 0..layout.columns.len() {
        let Some(column) = layout.columns.get(at).filter(|column| column.kind == AUTO) else { continue };
        let format = choose_column_format(text, &layout, column, None)?;
        if let Some(column) = layout.columns.get_mut(at) {
            column.kind = ColumnKind::Time(format);
        }
    }
    read_rows(text, &layout)
}

const AUTO: ColumnKind = ColumnKind::Time(TimeFormat::Auto);

fn read_rows(text: &[u8], layout: &TableLayout) -> Result<Vec<Vec<i64>>, TableError> {
    let rows_about = text.len() / 32;
    let mut columns: Vec<Vec<i64>> = layout.columns.iter().map(|_| Vec::with_capacity(rows_about)).collect();
    let mut fields: Vec<&[u8]> = Vec::with_capacity(32);
    let mut blank_line = None;
    for (number, line) in text.split(|&byte| byte == b'\n').enumerate().skip(layout.header_lines) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            blank_line.get_or_insert(number + 1);
            continue;
        }
        if let Some(line) = blank_line {
            return Err(row_error(line, b"", "a blank line may only end the file"));
        }
        fields.clear();
        fields.extend(Fields::new(line, layout.delimiter));
        for (column, values) in layout.columns.iter().zip(&mut columns) {
            let Some(field) = fields.get(column.index) else {
                let rule = format!("has {} columns and none for {}", fields.len(), column.name);
                return Err(row_error(number + 1, line, &rule));
            };
            let value =
                read_value(field.trim_ascii(), column, layout.time_range_ns).map_err(|rule| TableError {
                    line: number + 1,
                    column: column.name.clone(),
                    value: Problem::bytes("", field, "").value,
                    rule,
                })?;
            values.push(value);
        }
    }
    Ok(columns)
}

fn row_error(line: usize, text: &[u8], rule: &str) -> TableError {
    let value = Problem::bytes("", text, "").value;
    TableError { line, column: "row".to_owned(), value, rule: rule.to_owned() }
}

#[inline]
fn read_value(text: &[u8], column: &Column, range_ns: Option<(TimeNs, TimeNs)>) -> Result<i64, String> {
    match column.kind {
        ColumnKind::Time(format) => {
            let time_ns = parse_timestamp(text, format)
                .map_err(|_| format!("must be {format} between 1970 and 2262, as the first row has it"))?;
            match range_ns {
                Some((first, end)) if !(first..end).contains(&time_ns) => Err(outside(time_ns, format)),
                _ => Ok(time_ns),
            }
        }
        ColumnKind::Clock => clock_ns(text)
            .ok_or_else(|| "must be a time of day, such as 09:05, 09:05:30 or 9:05 AM".to_owned()),
        ColumnKind::Steps(scale) => scale.steps(text).map_err(|flaw| scale.rule(flaw)),
        ColumnKind::NearestSteps(scale) => scale.nearest(text).map_err(|flaw| scale.rule(flaw)),
        ColumnKind::SignedSteps(scale) => match text.split_first() {
            Some((b'-', size)) => scale.nearest(size).map(|steps| -steps).map_err(|flaw| scale.rule(flaw)),
            _ => scale.nearest(text).map_err(|flaw| scale.rule(flaw)),
        },
        ColumnKind::Id => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .filter(|id| *id >= 0)
            .ok_or_else(|| "must be a whole number of at most 63 bits".to_owned()),
        ColumnKind::Flag => match text.to_ascii_lowercase().as_slice() {
            b"true" | b"1" | b"buy" | b"b" => Ok(1),
            b"false" | b"0" | b"sell" | b"s" => Ok(0),
            _ => Err("must be true or false, buy or sell, 1 or 0".to_owned()),
        },
    }
}

/// Says what a time was read as and how to have it read otherwise.
#[cold]
fn outside(time_ns: TimeNs, format: TimeFormat) -> String {
    let (what, time) = (format.to_string(), shown(time_ns));
    format!(
        "is {time} as {what}, which is not within 1980 and 2100; say how times are written in data.time_format"
    )
}
