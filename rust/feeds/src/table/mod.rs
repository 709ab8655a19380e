//! Columns of whole numbers out of delimited text: times, prices in ticks, sizes in lots.

mod read;
mod row;
mod timestamp;

#[cfg(test)]
mod tests;

pub use read::{Column, ColumnKind, TableError, TableLayout, read_table};
pub use timestamp::{TimeFormat, TimestampError, parse_timestamp};
