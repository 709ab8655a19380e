//! Reads where the bars of a series come from.

use std::sync::Arc;

use pyo3::prelude::*;
use tradecore_kernel::{BarRule, BarSource, BarSpan, Column, FirstBar, Kernel};
use tradecore_types::InstrumentId;

use crate::errors::{invalid_value, value_error};
use crate::kernel::kernel_error;

/// What the series of an engine are called, by their number.
pub type Timeframes = Arc<Vec<Arc<str>>>;

/// Notes what the next series is called.
pub fn push_name(timeframes: &mut Timeframes, name: &str) {
    Arc::make_mut(timeframes).push(name.into());
}

/// A `BarSource`: the bars that a strategy wants.
#[derive(FromPyObject)]
pub struct Wanted {
    interval_ns: i64,
    months: i64,
    prices: String,
    rule: String,
}

impl Wanted {
    /// Reads a length and what the bars are built from, a rule such as `100tick`, or neither for bars given as
    /// input.
    fn source(&self, kernel: &Kernel, instrument: InstrumentId) -> PyResult<BarSource> {
        if !self.rule.is_empty() {
            let instrument = kernel.instrument(instrument).ok_or_else(|| {
                invalid_value("instrument_id", &instrument.0.to_string(), "must be in the instrument table")
            })?;
            let rule = BarRule::parse(&self.rule, instrument).map_err(|error| value_error(&error))?;
            return Ok(BarSource::Rule(rule));
        }
        let span = match (self.interval_ns, self.months) {
            (0, 0) => return Ok(BarSource::Input),
            (0, months) => BarSpan::of_months(months),
            (interval_ns, _) => BarSpan::of_ns(interval_ns),
        };
        let span = span.map_err(|error| value_error(&error))?;
        match self.prices.as_str() {
            "" => Ok(BarSource::BarsOrTrades(span)),
            "bars" => Ok(BarSource::Bars(span)),
            "trades" => Ok(BarSource::Trades(span)),
            "quotes" => Ok(BarSource::Quotes(span)),
            other => Err(invalid_value(
                "prices",
                other,
                "must be bars, trades or quotes, or empty for bars or trades",
            )),
        }
    }
}

/// Adds a series of bars.
pub fn add(
    kernel: &mut Kernel,
    instrument: InstrumentId,
    wanted: &Wanted,
    first_bar: Option<&str>,
    history: usize,
) -> PyResult<usize> {
    let first = match first_bar {
        None => FirstBar::BySource,
        Some("whole") => FirstBar::Whole,
        Some("any") => FirstBar::Any,
        Some(other) => return Err(invalid_value("first_bar", other, "must be whole or any, or absent")),
    };
    let source = wanted.source(kernel, instrument)?;
    kernel.add_series(instrument, source, first, history).map_err(|error| kernel_error(&error))
}

/// Reads the name of a column.
pub fn column(name: &str) -> PyResult<Column> {
    match name {
        "open" => Ok(Column::Open),
        "high" => Ok(Column::High),
        "low" => Ok(Column::Low),
        "close" => Ok(Column::Close),
        "volume" => Ok(Column::Volume),
        other => Err(invalid_value("column", other, "must be open, high, low, close or volume")),
    }
}
