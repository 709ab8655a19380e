//! Events that are handed out again: one object for many calls of a strategy.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;

use crate::callback::PyCallback;

/// An event class whose objects can become the next event of their kind.
pub trait Rewritten: PyClass<Frozen = True> + Into<PyClassInitializer<Self>> + Sync {
    /// What an object is made from.
    type From<'a>;

    /// Makes an object.
    fn made(from: &Self::From<'_>) -> Self;

    /// Turns the object into another event; `false` when only a new object can be that.
    fn rewrite(&self, from: &Self::From<'_>) -> bool;
}

/// The event of the last call, kept for the next one.
pub struct Reused<T> {
    last: Option<Py<T>>,
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
        callback: &PyCallback,
        context: &Bound<'_, PyAny>,
        from: &T::From<'_>,
    ) -> PyResult<()> {
        let py = context.py();
        let event = match &self.last {
            Some(event) if references(py, event) == 1 && event.get().rewrite(from) => event,
            _ => self.last.insert(Py::new(py, T::made(from))?),
        };
        callback.call(context, event.bind(py))
    }
}

/// Counts who refers to an object.
#[expect(deprecated, reason = "what is meant to replace it is unsafe, which needs a better reason")]
fn references<T>(py: Python<'_>, object: &Py<T>) -> usize {
    object.get_refcnt(py).unsigned_abs()
}
