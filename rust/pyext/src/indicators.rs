//! Python face of the indicators crate, made from its table: functions over arrays, and classes fed bar by bar.

mod arrays;
mod batch;
mod outputs;
mod parameters;
mod streaming;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_indicators::{INDICATORS, IndicatorSpec, for_each_indicator};

use crate::errors::invalid_value;
use parameters::read;

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    batch::register(module)?;
    streaming::register(module)?;
    module.add_function(wrap_pyfunction!(indicator_table, module)?)
}

/// A parameter as Python sees it: name, kind, default as it is written, words, and whether it goes by keyword alone.
type Parameter = (&'static str, &'static str, Option<&'static str>, &'static str, bool);

/// An indicator as Python sees it: name, class, words, inputs, outputs and parameters.
type Row = (&'static str, &'static str, &'static str, Vec<&'static str>, Vec<&'static str>, Vec<Parameter>);

/// Every indicator: name, class, what it is, inputs, outputs, and its parameters as (name, kind, default, what it
/// means, whether it goes by keyword alone). Stubs and the methods of a context are written from it.
#[pyfunction]
fn indicator_table() -> Vec<Row> {
    let rows = INDICATORS.iter().map(|info| {
        let parameters = info.parameters.iter();
        let parameters = parameters.map(|one| (one.name, one.kind, one.default, one.about, one.is_keyword));
        (info.name, info.class, info.about, info.inputs.to_vec(), info.outputs.to_vec(), parameters.collect())
    });
    rows.collect()
}

macro_rules! spec_reader {
    ($(
        $about:literal $class:ident $name:ident = $tag:literal {
            of: $of:ident,
            gives: $gives:ident $outputs:tt,
            parameters: { $($parameter:ident: $kind:ident $(= $default:tt)? $words:literal),+ },
            keywords: { $($keyword:ident: $keyword_kind:ident = $keyword_default:tt $keyword_words:literal),* },
            warm: $warm:literal,
            notes: $notes:literal,
            source: $source:literal,
        }
    )+) => {
        /// Reads an indicator that follows bars: its name, and its parameters by theirs.
        ///
        /// # Errors
        ///
        /// `InvalidValueError` for an unknown indicator and a parameter that is missing or of another kind.
        pub fn spec(name: &str, given: &Bound<'_, PyDict>) -> PyResult<IndicatorSpec> {
            Ok(match name {
                $(stringify!($name) => IndicatorSpec::$class {
                    $($parameter: read::$kind(given, stringify!($parameter))?,)+
                    $($keyword: read::$keyword_kind(given, stringify!($keyword))?,)*
                },)+
                other => return Err(invalid_value("indicator", other, "is not known")),
            })
        }
    };
}

for_each_indicator!(spec_reader);
