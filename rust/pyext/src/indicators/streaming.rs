//! Indicators fed bar by bar: a class for each row of the table.

use pyo3::prelude::*;
use tradecore_indicators::for_each_indicator;

use super::outputs::{one, three};
use super::parameters::{kind_words, period, raises, seed, source, width};
use crate::errors::value_error;

/// Makes a class that takes what its indicator is fed and shows what it gives.
macro_rules! class {
    (series one $($rest:tt)+) => { class_of! { [value] one value "value" "value" $($rest)+ } };
    (series three $($rest:tt)+) => { class_of! { [value] three values "value" "values" $($rest)+ } };
    (bars one $($rest:tt)+) => { class_of! { [high, low, close] one value "bar" "value" $($rest)+ } };
    (bars three $($rest:tt)+) => { class_of! { [high, low, close] three values "bar" "values" $($rest)+ } };
}

macro_rules! class_of {
    (
        [$($input:ident),+] $gives:ident $shows:ident $taken:literal $given:literal
        $class:ident [$about:literal $warm:literal $source:tt]
        { $($parameter:ident: $kind:ident $(= $default:tt)? $words:literal),+ }
        { $($keyword:ident: $keyword_kind:ident = $keyword_default:tt $keyword_words:literal),* }
    ) => {
        #[doc = concat!(
            $about, ", fed one by one.\n\nParameters\n----------\n",
            $(
                stringify!($parameter), " : ", kind_words!($kind), $(", default ", stringify!($default),)? "\n    ",
                $words, "\n",
            )+
            $(
                stringify!($keyword), " : ", kind_words!($keyword_kind), ", default ", stringify!($keyword_default),
                "\n    ", $keyword_words, "\n",
            )*
            raises!(), source!($source)
        )]
        #[pyclass(module = "tradecore.strategy.indicators")]
        pub struct $class(tradecore_indicators::$class);

        #[pymethods]
        impl $class {
            #[new]
            #[pyo3(signature = ($($parameter $(= $default)?,)+ *, $($keyword = $keyword_default,)*))]
            fn new(
                $(#[pyo3(from_py_with = $kind::given)] $parameter: $kind::Value,)+
                $(#[pyo3(from_py_with = $keyword_kind::given)] $keyword: $keyword_kind::Value,)*
            ) -> PyResult<Self> {
                tradecore_indicators::$class::new(
                    $($kind::named($parameter, stringify!($parameter))?,)+
                    $($keyword_kind::named($keyword, stringify!($keyword))?,)*
                )
                .map(Self)
                .map_err(|error| value_error(&error))
            }

            #[doc = concat!(
                "Take a ", $taken, " and return the new ", $given, ": NaN until warm, or when the ", $taken,
                " is skipped.\n\nA skipped ", $taken, " (NaN, infinite, beyond 1e100) changes nothing."
            )]
            fn update(&mut self, $($input: f64),+) -> $gives::Values {
                $gives::shown(self.0.update($($input),+))
            }

            #[doc = concat!(
                "Take a ", $taken, " and return nothing: less work where the new ", $given,
                " is asked for later, if at all."
            )]
            fn feed(&mut self, $($input: f64),+) {
                self.0.update($($input),+);
            }

            #[doc = concat!("What there is after the last usable ", $taken, "; NaN until warm.")]
            #[getter]
            fn $shows(&self) -> $gives::Values {
                $gives::shown(self.0.$shows())
            }

            #[doc = concat!("Whether it is warm: whether there is a ", $given, " yet.")]
            #[getter]
            fn is_warm(&self) -> bool {
                self.0.is_warm()
            }

            #[doc = concat!("Usable ", $taken, "s up to and including the first that gives one: ", $warm, ".")]
            #[getter]
            fn warm_up_bars(&self) -> usize {
                self.0.warm_up_bars()
            }
        }
    };
}

macro_rules! classes {
    ($(
        $about:literal $class:ident $name:ident = $tag:literal {
            of: $of:ident,
            gives: $gives:ident $outputs:tt,
            parameters: $parameters:tt,
            keywords: $keywords:tt,
            warm: $warm:literal,
            notes: $notes:tt,
            source: $source:tt,
        }
    )+) => {
        /// Adds the classes to the module.
        pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_class::<$class>()?;)+
            Ok(())
        }

        $(class! { $of $gives $class [$about $warm $source] $parameters $keywords })+
    };
}

for_each_indicator!(classes);
