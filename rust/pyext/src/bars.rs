//! Reads where the bars of a series come from.

use pyo3::PyResult;
use tradecore_kernel::{BarRule, BarSource, Kernel};
use tradecore_types::InstrumentId;

use crate::errors::{invalid_value, value_error};

/// Reads `input`, `trades` or `quotes` (time bars), or a rule such as `100tick` for bars of trades.
pub fn source(kernel: &Kernel, instrument_id: u32, text: &str, interval_ns: i64) -> PyResult<BarSource> {
    match text {
        "input" => Ok(BarSource::Input),
        "trades" => Ok(BarSource::Trades(interval_ns)),
        "quotes" => Ok(BarSource::Quotes(interval_ns)),
        rule => {
            let instrument = kernel.instrument(InstrumentId(instrument_id)).ok_or_else(|| {
                invalid_value("instrument_id", &instrument_id.to_string(), "must be in the instrument table")
            })?;
            BarRule::parse(rule, instrument).map(BarSource::Rule).map_err(|error| value_error(&error))
        }
    }
}
