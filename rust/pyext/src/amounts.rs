//! Reads amounts of money.

use pyo3::prelude::*;
use tradecore_types::{Decimal, Money};

use crate::errors::value_error;

/// Reads decimal text as money.
pub fn money(name: &'static str, value: &str) -> PyResult<Money> {
    Decimal::parse(name, value)
        .and_then(|amount| Money::of(name, amount))
        .map_err(|error| value_error(&error))
}
