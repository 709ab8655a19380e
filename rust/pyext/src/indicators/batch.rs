//! Indicators over whole arrays: a function for each row of the table.
//!
//! Other threads run meanwhile where the inputs are read-only arrays with memory of their own and the output is a new
//! one. Else the interpreter lock is held, so that no Python code changes them; what numpy itself writes in another
//! thread, which holds no lock, is the caller's to keep apart.

#![expect(clippy::too_many_arguments, reason = "they are the keywords of the Python functions")]

use pyo3::prelude::*;
use tradecore_indicators::for_each_indicator;

use super::arrays::Series;
use super::outputs::{one, three};
use super::parameters::{kind_words, period, raises, seed, source, width};
use crate::errors::value_error;

type Any<'py> = Bound<'py, PyAny>;

/// Says what a function takes, by what its indicator is fed.
macro_rules! input_words {
    (series) => {
        "values : numpy.ndarray\n    One-dimensional float64; a strided array is copied. NaN, infinite and values beyond \
         1e100 are skipped.\n"
    };
    (bars) => {
        "high, low, close : numpy.ndarray\n    One-dimensional float64 of one length; strided arrays are copied. A bar \
         with a NaN, an infinite\n    value or one beyond 1e100 is skipped.\n"
    };
}

/// Says what a function writes to and returns.
macro_rules! output_words {
    (one) => {
        "out : numpy.ndarray, optional\n    Contiguous float64 array of the same length to write to; shares no memory \
         with an input.\n\nReturns\n-------\nnumpy.ndarray\n    `out`, or a new array"
    };
    (three) => {
        "out : tuple of three numpy.ndarray, optional\n    Contiguous float64 arrays of the same length to write to; \
         share no memory with an input or each other.\n\nReturns\n-------\ntuple of three numpy.ndarray\n    `out`, or \
         new arrays"
    };
}

/// Writes what else is to be known of an indicator.
macro_rules! notes {
    ("") => {
        ""
    };
    ($notes:tt) => {
        concat!("    ", $notes, "\n")
    };
}

/// Makes a function with the inputs that its indicator is fed.
macro_rules! function {
    (series $($rest:tt)+) => { function_of! { [values] series $($rest)+ } };
    (bars $($rest:tt)+) => { function_of! { [high, low, close] bars $($rest)+ } };
}

macro_rules! function_of {
    (
        [$first:ident $(, $input:ident)*] $of:ident $gives:ident $name:ident $class:ident $docs:tt
        { $($parameter:ident: $kind:ident $(= $default:tt)? $words:literal),+ }
        { $($keyword:ident: $keyword_kind:ident = $keyword_default:tt $keyword_words:literal),* }
    ) => {
        #[doc = function_docs! {
            $docs $of $gives
            [$($parameter $kind [$($default)?] $words)+ $($keyword $keyword_kind [$keyword_default] $keyword_words)*]
        }]
        #[pyfunction]
        #[pyo3(signature = (
            $first, $($input,)* $($parameter $(= $default)?,)+ *, $($keyword = $keyword_default,)* out=None
        ))]
        fn $name<'py>(
            py: Python<'py>,
            $first: &Any<'py>,
            $($input: &Any<'py>,)*
            $(#[pyo3(from_py_with = $kind::given)] $parameter: $kind::Value,)+
            $(#[pyo3(from_py_with = $keyword_kind::given)] $keyword: $keyword_kind::Value,)*
            out: Option<&Any<'py>>,
        ) -> PyResult<$gives::Arrays<'py>> {
            $(let $parameter = $kind::named($parameter, stringify!($parameter))?;)+
            $(let $keyword = $keyword_kind::named($keyword, stringify!($keyword))?;)*
            let mut indicator = tradecore_indicators::$class::new($($parameter,)+ $($keyword,)*)
                .map_err(|error| value_error(&error))?;
            let $first = Series::of(stringify!($first), $first)?;
            $(let $input = Series::of(stringify!($input), $input)?;)*
            let is_still = $first.is_still() $(&& $input.is_still())*;
            let $first = $first.as_slice();
            $(let $input = $input.as_slice();)*
            $gives::fill(py, is_still, $first.len(), out, |out| indicator.run($first, $($input,)* out))
        }
    };
}

/// Writes the docstring of a function.
macro_rules! function_docs {
    (
        [$about:literal $warm:literal $notes:tt $source:tt] $of:ident $gives:ident
        [$($parameter:ident $kind:ident [$($default:tt)?] $words:literal)+]
    ) => {
        concat!(
            $about, ", for each place of an array.\n\nParameters\n----------\n", input_words!($of),
            $(
                stringify!($parameter), " : ", kind_words!($kind), $(", default ", stringify!($default),)? "\n    ",
                $words, "\n",
            )+
            output_words!($gives), ": NaN before the first value, and where an input was skipped.\n    Usable inputs up \
            to and including the first value: ", $warm, ".\n", notes!($notes), raises!(), source!($source)
        )
    };
}

macro_rules! functions {
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
        /// Adds the functions to the module.
        pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            $(module.add_function(wrap_pyfunction!($name, module)?)?;)+
            Ok(())
        }

        $(function! { $of $gives $name $class [$about $warm $notes $source] $parameters $keywords })+
    };
}

for_each_indicator!(functions);
