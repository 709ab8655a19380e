//! Python face of the indicators crate: batches over arrays, and classes fed bar by bar.

mod arrays;
mod batch;
mod streaming;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use tradecore_indicators::{IndicatorSpec, PERIOD_MAX, Seed};

use crate::errors::invalid_value;

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    batch::register(module)?;
    streaming::register(module)
}

/// A whole number from Python, meant as a period; what is too large for 64 bits is capped, and refused later.
#[derive(Clone, Copy)]
struct Period(i64);

impl Period {
    /// Returns the period, or the error that names the argument.
    fn named(self, field: &str) -> PyResult<u32> {
        u32::try_from(self.0).map_err(|_| {
            let rule = format!("must be from 1 to {PERIOD_MAX}");
            invalid_value(field, &self.0.to_string(), &rule)
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for Period {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.extract::<i64>() {
            Ok(period) => Ok(Self(period)),
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(Self(i64::MAX)),
            Err(error) => Err(error),
        }
    }
}

/// Reads an indicator that follows bars: its name, its periods in the order of `ctx`, and its factor.
pub fn spec(name: &str, periods: [u32; 3], factor: f64, seed_first: bool) -> PyResult<IndicatorSpec> {
    let [period, slow, signal] = periods;
    let seed = if seed_first { Seed::First } else { Seed::Sma };
    Ok(match name {
        "sma" => IndicatorSpec::Sma { period },
        "ema" => IndicatorSpec::Ema { period, seed },
        "rsi" => IndicatorSpec::Rsi { period },
        "atr" => IndicatorSpec::Atr { period },
        "bollinger" => IndicatorSpec::Bollinger { period, deviations: factor },
        "macd" => IndicatorSpec::Macd { fast: period, slow, signal },
        "keltner" => IndicatorSpec::Keltner { period, atr_period: slow, multiple: factor },
        other => return Err(invalid_value("indicator", other, "is not known")),
    })
}

/// Reads what an exponential average starts from.
fn seed_of(seed: &str) -> PyResult<Seed> {
    match seed {
        "sma" => Ok(Seed::Sma),
        "first" => Ok(Seed::First),
        _ => Err(invalid_value("seed", seed, "must be \"sma\" or \"first\"")),
    }
}
