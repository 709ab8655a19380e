//! Columns of whole numbers out of delimited text: times, prices in ticks, sizes in lots.

mod calendar;
mod number;
mod read;
mod row;
mod time_choice;
mod time_format;
mod timestamp;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod time_tests;

pub use calendar::DateOrder;
pub use read::{Column, ColumnKind, TableError, TableLayout, choose_column_format, read_table};
pub use time_choice::{PLAUSIBLE_NS, TimeQuestion, choose_time_format};
pub use time_format::TimeFormat;
pub use timestamp::{TimestampError, parse_timestamp};
