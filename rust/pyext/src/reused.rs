//! Events that are handed out again: one object and one tuple of arguments for many calls of a strategy.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::PyTuple;

/// An event class whose objects can become the next event of their kind.
pub trait Rewritten: PyClass<Frozen = True> + Into<PyClassInitializer<Self>> + Sync {
    /// What an object is made from.
    type From;

    /// Makes an object.
    fn made(from: &Self::From) -> Self;

    /// Turns the object into another event; `false` when only a new object can be that.
    fn rewrite(&self, from: &Self::From) -> bool;
}

/// The arguments of the last call, kept for the next one.
pub struct Reused<T> {
    last: Option<(Py<PyTuple>, Py<T>)>,
}

impl<T> Default for Reused<T> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<T: Rewritten> Reused<T> {
    /// Calls a strategy with its context and an event.
    ///
    /// **Invariant:** an object that anybody but us refers to is never rewritten: a strategy that keeps an event
    /// keeps what it saw.
    pub fn call(
        &mut self,
        callback: &Bound<'_, PyAny>,
        context: &Bound<'_, PyAny>,
        from: &T::From,
    ) -> PyResult<()> {
        let py = callback.py();
        let arguments = match &self.last {
            Some((arguments, event))
                if references(py, arguments) == 1
                    && references(py, event) == 2
                    && event.get().rewrite(from) =>
            {
                arguments.bind(py)
            }
            _ => {
                let event = Py::new(py, T::made(from))?;
                let arguments = PyTuple::new(py, [context, event.bind(py).as_any()])?;
                self.last.insert((arguments.unbind(), event)).0.bind(py)
            }
        };
        callback.call1(arguments)?;
        Ok(())
    }
}

/// Counts who refers to an object.
#[expect(deprecated, reason = "what is meant to replace it is unsafe, which this project does without")]
fn references<T>(py: Python<'_>, object: &Py<T>) -> usize {
    object.get_refcnt(py).unsigned_abs()
}
