//! Columns of whole numbers that Python hands in, read as slices of one length.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::errors::invalid_value;

const COLUMN_RULE: &str = "must be a contiguous one-dimensional int64 array: prices in ticks, sizes in lots, \
    times in nanoseconds; EventBatch.from_frame takes decimal prices";

/// One column of 64-bit integers, or what was given in its place: only the one who reads it knows its name.
pub struct Column<'py>(Result<PyReadonlyArray1<'py, i64>, String>);

impl<'py> FromPyObject<'_, 'py> for Column<'py> {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let described = || {
            let class = value.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
            let part = |name: &str| value.getattr(name).map(|given| format!(" of {name} {given}"));
            format!("{class}{}{}", part("dtype").unwrap_or_default(), part("shape").unwrap_or_default())
        };
        Ok(Self(value.extract().map_err(|_| described())))
    }
}

/// Reads a column as a slice.
pub fn slice<'a>(name: &str, column: &'a Column<'_>) -> PyResult<&'a [i64]> {
    let array = column.0.as_ref().map_err(|given| invalid_value(name, given, COLUMN_RULE))?;
    array.as_slice().map_err(|_| invalid_value(name, "array that is not contiguous", COLUMN_RULE))
}

/// Returns the rows of columns that all have one length.
pub fn rows<const N: usize>(
    columns: [(&str, &[i64]); N],
) -> PyResult<impl ExactSizeIterator<Item = [i64; N]>> {
    let length = columns.first().map_or(0, |column| column.1.len());
    for (name, column) in &columns {
        if column.len() != length {
            let first = columns.first().map_or("", |column| column.0);
            let rule = format!("must have {length} elements, as {first} has");
            return Err(invalid_value(name, &format!("of {} elements", column.len()), &rule));
        }
    }
    let columns = columns.map(|column| column.1);
    Ok((0..length).map(move |row| {
        let mut values = [0; N];
        for (value, column) in values.iter_mut().zip(&columns) {
            // Every row is in every column: nothing is made up.
            *value = column.get(row).copied().unwrap_or_default();
        }
        values
    }))
}
