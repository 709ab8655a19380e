//! Reads the wanted columns of delimited text.

use std::fmt;

use super::row::Fields;
use super::timestamp::{TimeFormat, clock_ns, parse_timestamp};
use crate::Scale;
use crate::error::Problem;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// A point in time, read as UTC nanoseconds.
    Time(TimeFormat),
    /// A time of day `HH:MM[:SS[.fraction]]`, read as nanoseconds since midnight.
    Clock,
    /// Decimal text, read as whole steps; anything between two steps is wrong.
    Steps(Scale),
    /// Decimal text, read as the nearest whole steps.
    NearestSteps(Scale),
    /// A rate of either sign as the nearest whole steps.
    SignedSteps(Scale),
    /// A whole number.
    Id,
    /// `true`, `1`, `buy` or `b` read as 1; `false`, `0`, `sell` or `s` as 0; letter case does not matter.
    Flag,
}

/// A wanted column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name to be used in errors.
    pub name: String,
    /// Position in the line, from 0.
    pub index: usize,
    /// What it holds.
    pub kind: ColumnKind,
}

/// How the text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// What stands between two fields, e.g. `b','`.
    pub delimiter: u8,
    /// Lines to pass over first: the header.
    pub header_lines: usize,
    /// The wanted columns.
    pub columns: Vec<Column>,
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
    /// The rule it breaks.
    pub rule: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} {:?}: {}", self.line, self.column, self.value, self.rule)
    }
}

impl std::error::Error for TableError {}

/// Reads the wanted columns, one vector each in the order of the layout; blank lines may only end the text.
///
/// # Errors
///
/// [`TableError`] for the first value that breaks a rule.
pub fn read_table(text: &[u8], layout: &TableLayout) -> Result<Vec<Vec<i64>>, TableError> {
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
            let value = read_value(field.trim_ascii(), column).map_err(|rule| TableError {
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
fn read_value(text: &[u8], column: &Column) -> Result<i64, String> {
    match column.kind {
        ColumnKind::Time(format) => parse_timestamp(text, format)
            .map_err(|_| "must be a date and time (ISO 8601 or epoch) between 1970 and 2262".to_owned()),
        ColumnKind::Clock => clock_ns(text).ok_or_else(|| "must be a time of day HH:MM[:SS]".to_owned()),
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
