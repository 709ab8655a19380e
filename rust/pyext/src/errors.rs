//! Rust errors become the exceptions of `tradecore.domain.errors`, one to one.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use tradecore_types::ValueError;

static INVALID_VALUE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static OFF_GRID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static INVALID_SPEC: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static DATA: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STORAGE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static STRATEGY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static BROKEN_INVARIANT: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Builds an exception of `tradecore.domain.errors` with these arguments.
fn exception<A>(cell: &'static PyOnceLock<Py<PyType>>, name: &str, arguments: A) -> PyErr
where
    A: for<'py> pyo3::call::PyCallArgs<'py>,
{
    Python::attach(|py| {
        let class = cell.import(py, "tradecore.domain.errors", name);
        match class.and_then(|class| class.call1(arguments)) {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    })
}

/// `InvalidValueError`: the caller gave a value that cannot be accepted.
pub fn invalid_value(field: &str, value: &str, rule: &str) -> PyErr {
    exception(&INVALID_VALUE, "InvalidValueError", (field.to_owned(), value.to_owned(), rule.to_owned()))
}

/// `InvalidValueError` about an argument as the caller gave it.
#[cold]
pub fn invalid_argument(name: &str, given: &Bound<'_, PyAny>, rule: &str) -> PyErr {
    exception(&INVALID_VALUE, "InvalidValueError", (name.to_owned(), given.clone().unbind(), rule.to_owned()))
}

/// `InvalidValueError` from a value error of the pure crates.
pub fn value_error(error: &ValueError) -> PyErr {
    invalid_value(error.field, &error.value, &error.rule)
}

/// `InvalidSpecError`: everything that is wrong with settings; at least one problem.
pub fn invalid_spec(problems: Vec<PyErr>) -> PyErr {
    let problems: Vec<Py<PyAny>> =
        Python::attach(|py| problems.into_iter().map(|problem| problem.into_value(py).into_any()).collect());
    exception(&INVALID_SPEC, "InvalidSpecError", (problems,))
}

/// Tells whether an error says that a value cannot be accepted.
pub fn is_invalid_value(error: &PyErr) -> PyResult<bool> {
    Python::attach(|py| {
        let class = INVALID_VALUE.import(py, "tradecore.domain.errors", "InvalidValueError")?;
        Ok(error.is_instance(py, class))
    })
}

/// Returns the path of something below a path.
pub fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// An `InvalidValueError` whose field is the path of its key, below another path.
pub fn located(path: &str, error: &PyErr) -> PyResult<PyErr> {
    Python::attach(|py| {
        let value = error.value(py);
        let text = |name: &str| value.getattr(name)?.str()?.extract::<String>();
        Ok(invalid_value(&below(path, &text("field")?), &text("value")?, &text("rule")?))
    })
}

/// Reads an `OffGridError`: rule, limit and value of the refusal, and what is wrong in words; `None` when the
/// error is any other.
pub fn off_grid(py: Python<'_>, error: &PyErr) -> PyResult<Option<(String, i128, i128, String)>> {
    let class = OFF_GRID.import(py, "tradecore.domain.errors", "OffGridError")?;
    if !error.is_instance(py, class) {
        return Ok(None);
    }
    let value = error.value(py);
    let number = |name: &str| value.getattr(name)?.extract::<i128>();
    let refused: String = value.getattr("refusal")?.extract()?;
    Ok(Some((refused, number("limit")?, number("actual")?, value.str()?.extract()?)))
}

/// `DataError`: input data cannot be used.
pub fn data_error(location: &str, what: &str) -> PyErr {
    exception(&DATA, "DataError", (location.to_owned(), what.to_owned()))
}

/// Makes a `StorageError`: a disk failed, and nothing after that is durable.
pub fn storage_error(path: &str, message: &str) -> PyErr {
    exception(&STORAGE, "StorageError", (path.to_owned(), message.to_owned()))
}

/// `StrategyError`: a strategy failed in a callback, at a time of the engine.
pub fn strategy_error(strategy: &str, callback: &str, time_ns: i64, what: &str) -> PyErr {
    let arguments = (strategy.to_owned(), callback.to_owned(), time_ns, what.to_owned());
    exception(&STRATEGY, "StrategyError", arguments)
}

/// `BrokenInvariantError`: a promise of ours is broken.
pub fn broken_invariant(message: &str) -> PyErr {
    exception(&BROKEN_INVARIANT, "BrokenInvariantError", (message.to_owned(),))
}

/// `RuntimeError` for a misuse of the binding itself.
pub fn misuse(message: &str) -> PyErr {
    PyRuntimeError::new_err(message.to_owned())
}
