//! Parameters of indicators by their kind: how Python gives them, and what they are here.

/// A number of bars or values.
pub mod period {
    use pyo3::exceptions::PyOverflowError;
    use pyo3::prelude::*;
    use tradecore_indicators::PERIOD_MAX;

    use crate::errors::invalid_value;

    /// The type in which Python gives it, before it is checked.
    pub type Value = i64;

    /// Takes a whole number; what is too large for 64 bits is capped, and refused later.
    pub fn given(value: &Bound<'_, PyAny>) -> PyResult<Value> {
        match value.extract::<Value>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(value.py()) => Ok(Value::MAX),
            taken => taken,
        }
    }

    /// Returns the period, or the error that names the argument.
    pub fn named(value: Value, field: &str) -> PyResult<u32> {
        u32::try_from(value).map_err(|_| {
            let rule = format!("must be from 1 to {PERIOD_MAX}");
            invalid_value(field, &value.to_string(), &rule)
        })
    }
}

/// A distance, counted in deviations or ranges.
pub mod width {
    use pyo3::prelude::*;

    /// The type in which Python gives it, before it is checked.
    pub type Value = f64;

    /// Reads a number; a yes or no is none.
    pub fn given(value: &Bound<'_, PyAny>) -> PyResult<Value> {
        value.extract()
    }

    /// Returns it; the indicator itself knows its bounds.
    #[expect(clippy::unnecessary_wraps, reason = "as the other kinds, some of which may refuse")]
    pub fn named(value: Value, _field: &str) -> PyResult<f64> {
        Ok(value)
    }
}

/// What a recursive average starts from.
pub mod seed {
    use pyo3::prelude::*;
    use tradecore_indicators::Seed;

    use crate::errors::invalid_argument;

    /// The type in which Python gives it, before it is checked.
    pub type Value = &'static str;

    /// Takes one of two words.
    pub fn given(value: &Bound<'_, PyAny>) -> PyResult<Value> {
        match value.extract() {
            Ok("sma") => Ok("sma"),
            Ok("first") => Ok("first"),
            _ => Err(invalid_argument("seed", value, "must be \"sma\" or \"first\"")),
        }
    }

    /// Returns what the word means.
    #[expect(clippy::unnecessary_wraps, reason = "as the other kinds, some of which may refuse")]
    pub fn named(value: Value, _field: &str) -> PyResult<Seed> {
        Ok(if value == "first" { Seed::First } else { Seed::Sma })
    }
}

/// Readers of parameters that are given by their names, for an indicator that follows bars.
pub mod read {
    use pyo3::prelude::*;
    use pyo3::types::{PyBool, PyDict};
    use tradecore_indicators::{PERIOD_MAX, Seed};

    use super::seed;
    use crate::errors::{invalid_argument, invalid_value};

    fn found<'py>(given: &Bound<'py, PyDict>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        given.get_item(name)?.ok_or_else(|| invalid_value(name, "None", "must be given"))
    }

    /// Reads a number of bars, and no yes or no.
    pub fn period(given: &Bound<'_, PyDict>, name: &str) -> PyResult<u32> {
        let value = found(given, name)?;
        let number = if value.is_exact_instance_of::<PyBool>() { None } else { value.extract().ok() };
        let number = number.filter(|number| (1..=PERIOD_MAX).contains(number));
        let rule = format!("must be a whole number from 1 to {PERIOD_MAX}");
        number.ok_or_else(|| invalid_argument(name, &value, &rule))
    }

    /// Reads a distance, and no yes or no.
    pub fn width(given: &Bound<'_, PyDict>, name: &str) -> PyResult<f64> {
        let value = found(given, name)?;
        let number = if value.is_exact_instance_of::<PyBool>() { None } else { value.extract().ok() };
        number.ok_or_else(|| invalid_argument(name, &value, "must be a finite number above 0"))
    }

    /// Reads what an average starts from.
    pub fn seed(given: &Bound<'_, PyDict>, name: &str) -> PyResult<Seed> {
        seed::named(seed::given(&found(given, name)?)?, name)
    }
}

/// Names a kind of parameter as docstrings do.
macro_rules! kind_words {
    (period) => {
        "int"
    };
    (width) => {
        "float"
    };
    (seed) => {
        "{\"sma\", \"first\"}"
    };
}
pub(super) use kind_words;

/// Says what a wrong argument brings about.
macro_rules! raises {
    () => {
        "\nRaises\n------\nInvalidValueError\n    When an argument breaks one of the rules above.\n"
    };
}
pub(super) use raises;

/// Says who described an indicator, where somebody did.
macro_rules! source {
    ("") => {
        ""
    };
    ($source:tt) => {
        concat!("\nSource\n------\n", $source, "\n")
    };
}
pub(super) use source;
