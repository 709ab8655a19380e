//! Python face of the tables of the feeds crate: delimited text in, columns out.

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use tradecore_feeds::{
    Column, ColumnKind, DateOrder, Scale, TableError, TableLayout, TimeFormat, choose_column_format,
    read_table,
};
use tradecore_types::Decimal;

use crate::errors::{data_error, invalid_value, value_error};

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(read_columns, module)?)?;
    module.add_function(wrap_pyfunction!(time_kind, module)?)
}

/// Read columns of delimited text as int64 arrays: times in nanoseconds, prices and sizes in steps.
///
/// `columns` are (name, position, kind, step): kind is time, a kind of time that `time_kind` names, clock, steps,
/// nearest, signed, id or flag; step is the step size of steps, nearest and signed as decimal text, the start in
/// nanoseconds of a time count, and empty otherwise. Times outside `time_range_ns` (first, end) are refused.
#[pyfunction]
#[pyo3(signature = (text, delimiter, header_lines, columns, time_range_ns=None))]
fn read_columns<'py>(
    py: Python<'py>,
    text: &[u8],
    delimiter: &str,
    header_lines: usize,
    columns: Vec<(String, usize, String, String)>,
    time_range_ns: Option<(i64, i64)>,
) -> PyResult<Vec<Bound<'py, PyArray1<i64>>>> {
    let columns: PyResult<Vec<_>> = columns
        .into_iter()
        .map(|(name, index, kind, step)| Ok(Column { name, index, kind: column_kind(&kind, &step)? }))
        .collect();
    let layout =
        TableLayout { delimiter: one_byte(delimiter)?, header_lines, columns: columns?, time_range_ns };
    let columns = py.detach(|| read_table(text, &layout)).map_err(|error| table_error(&error))?;
    Ok(columns.into_iter().map(|column| column.into_pyarray(py)).collect())
}

/// The kind for `read_columns` that fits all times of a column, and whether they are local: without an offset.
///
/// `order` is empty, or iso, day_first or month_first: the order that the parts of a date have.
///
/// Raises
/// ------
/// DataError
///     When nothing fits, or two readings do; it names both and the setting that chooses.
#[pyfunction]
fn time_kind(
    py: Python<'_>,
    text: &[u8],
    delimiter: &str,
    header_lines: usize,
    column: (String, usize),
    order: &str,
) -> PyResult<(String, bool)> {
    let order =
        match order {
            "" => None,
            _ => Some(date_order(order).ok_or_else(|| {
                invalid_value("order", order, "must be iso, day_first, month_first or empty")
            })?),
        };
    let delimiter = one_byte(delimiter)?;
    let layout = TableLayout { delimiter, header_lines, columns: Vec::new(), time_range_ns: None };
    let (name, index) = column;
    let column = Column { name, index, kind: ColumnKind::Time(TimeFormat::Auto) };
    let format = py
        .detach(|| choose_column_format(text, &layout, &column, order))
        .map_err(|error| table_error(&error))?;
    Ok(kind_of(format))
}

/// Reads a delimiter.
fn one_byte(delimiter: &str) -> PyResult<u8> {
    match delimiter.as_bytes() {
        &[byte] => Ok(byte),
        _ => Err(invalid_value("delimiter", delimiter, "must be one ASCII character")),
    }
}

fn table_error(error: &TableError) -> PyErr {
    let what = format!("{} {:?}: {}", error.column, error.value, error.rule);
    data_error(&format!("line {}", error.line), &what)
}

/// Reads the kind of a column.
fn column_kind(kind: &str, step: &str) -> PyResult<ColumnKind> {
    let scale = || {
        let step = Decimal::parse("step", step).and_then(|step| Scale::new("step", step));
        step.map_err(|error| value_error(&error))
    };
    let count = |unit_ns| {
        let start_ns = if step.is_empty() { Ok(0) } else { step.parse() };
        let start_ns = start_ns.map_err(|_| invalid_value("start", step, "must be nanoseconds"))?;
        Ok(ColumnKind::Time(TimeFormat::Count { unit_ns, start_ns }))
    };
    match kind {
        "time" => Ok(ColumnKind::Time(TimeFormat::Auto)),
        "time_s" => count(1_000_000_000),
        "time_ms" => count(1_000_000),
        "time_us" => count(1_000),
        "time_ns" => count(1),
        "time_digits" => Ok(ColumnKind::Time(TimeFormat::Digits)),
        "clock" => Ok(ColumnKind::Clock),
        "steps" => Ok(ColumnKind::Steps(scale()?)),
        "nearest" => Ok(ColumnKind::NearestSteps(scale()?)),
        "signed" => Ok(ColumnKind::SignedSteps(scale()?)),
        "id" => Ok(ColumnKind::Id),
        "flag" => Ok(ColumnKind::Flag),
        _ => {
            let calendar = calendar_format(kind).map(ColumnKind::Time);
            calendar.ok_or_else(|| invalid_value("kind", kind, "must be a kind of column"))
        }
    }
}

/// Reads `time_iso`, `time_day_first` or `time_month_first`, each with `_offset` behind it or without.
fn calendar_format(kind: &str) -> Option<TimeFormat> {
    let order = kind.strip_prefix("time_")?;
    let (order, has_offset) = match order.strip_suffix("_offset") {
        Some(order) => (order, true),
        None => (order, false),
    };
    Some(TimeFormat::Calendar { order: date_order(order)?, has_offset })
}

fn date_order(order: &str) -> Option<DateOrder> {
    match order {
        "iso" => Some(DateOrder::YearFirst),
        "day_first" => Some(DateOrder::DayFirst),
        "month_first" => Some(DateOrder::MonthFirst),
        _ => None,
    }
}

/// Names a format as `column_kind` reads it, and says whether its times lack an offset from UTC.
fn kind_of(format: TimeFormat) -> (String, bool) {
    match format {
        TimeFormat::Auto => ("time".to_owned(), false),
        TimeFormat::Digits => ("time_digits".to_owned(), true),
        TimeFormat::Count { unit_ns, .. } => {
            let unit = match unit_ns {
                1_000_000_000 => "s",
                1_000_000 => "ms",
                1_000 => "us",
                _ => "ns",
            };
            (format!("time_{unit}"), false)
        }
        TimeFormat::Calendar { order, has_offset } => {
            let order = match order {
                DateOrder::YearFirst => "iso",
                DateOrder::DayFirst => "day_first",
                DateOrder::MonthFirst => "month_first",
            };
            (format!("time_{order}{}", if has_offset { "_offset" } else { "" }), !has_offset)
        }
    }
}
