//! What a strategy is called by.

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

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
}

#[pymethods]
impl PyCallback {
    /// Takes a callable of two arguments: the context, and what happened.
    #[new]
    fn new(callable: &Bound<'_, PyAny>) -> PyResult<Self> {
        let method = callable.py().import("types")?.getattr("MethodType")?;
        // Exactly: a class derived from it may call otherwise.
        if !callable.get_type().is(&method) {
            return Ok(Self { function: callable.clone().unbind(), receiver: None });
        }
        let (function, receiver) = (callable.getattr("__func__")?, callable.getattr("__self__")?);
        Ok(Self { function: function.unbind(), receiver: Some(receiver.unbind()) })
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
        let (function, what) = (self.function.bind(context.py()), what.as_any());
        match &self.receiver {
            Some(receiver) => function.call1((receiver, context, what)),
            None => function.call1((context, what)),
        }
        .map(drop)
    }
}
