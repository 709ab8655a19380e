//! What a strategy is called by.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use crate::words::Word;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCallback>()
}

/// A callable of a strategy; a bound method is taken apart, so that no call binds it anew.
#[pyclass(name = "Callback", module = "tradecore._core", frozen)]
pub struct PyCallback {
    function: Py<PyAny>,
    /// The strategy, when the callable is a method of it.
    receiver: Option<Py<PyAny>>,
    calls: Word,
}

#[pymethods]
impl PyCallback {
    /// Takes a callable of two arguments: the context, and what happened.
    #[new]
    fn new(callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        let method = callable.py().import("types")?.getattr("MethodType")?;
        // Exactly: a class derived from it may call otherwise.
        if !callable.get_type().is(&method) {
            return Ok(Self { function: callable.clone().unbind(), receiver: None, calls: Word::new(0) });
        }
        let (function, receiver) = (callable.getattr("__func__")?, callable.getattr("__self__")?);
        let receiver = Some(receiver.unbind());
        Ok(Self { function: function.unbind(), receiver, calls: Word::new(0) })
    }

    /// How often the engine has called it.
    #[getter]
    fn calls(&self) -> i64 {
        self.calls.get()
    }

    /// Shows the garbage collector what the strategy may lead back from.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.receiver)
    }
}

impl PyCallback {
    /// Calls the strategy about what happened.
    pub fn call<T>(&self, context: &Bound<'_, PyAny>, what: &Bound<'_, T>) -> PyResult<()> {
        self.calls.set(self.calls.get().wrapping_add(1));
        let (function, what) = (self.function.bind(context.py()), what.as_any());
        match &self.receiver {
            Some(receiver) => function.call1((receiver, context, what)),
            None => function.call1((context, what)),
        }
        .map(drop)
    }
}
