//! Who may ask an engine for something: the thread that calls strategies, in the process that made the engine.
//!
//! What another thread asks for comes at a moment that no replay finds again. What the child of a fork asks for
//! would be known to two engines with one journal.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyCFunction;

use crate::errors::misuse;

/// How often this process and those it comes from have forked.
static FORKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Its place in memory tells the threads apart.
    static PLACE: u8 = const { 0 };
}

/// Counts the forks from now on.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let os = py.import("os")?;
    // Windows has no fork.
    if os.hasattr("register_at_fork")? {
        let count = PyCFunction::new_closure(py, Some(c"count_fork"), None, |_, _| {
            FORKS.fetch_add(1, Ordering::Relaxed);
        })?;
        let arguments = pyo3::types::PyDict::new(py);
        arguments.set_item("after_in_child", count)?;
        os.call_method("register_at_fork", (), Some(&arguments))?;
    }
    Ok(())
}

/// The process in which something was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process(u32);

impl Process {
    /// Returns the process that this is.
    #[inline]
    pub fn here() -> Self {
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Tells whether this still is that process, and no child of it.
    #[inline]
    pub fn is_here(self) -> bool {
        self == Self::here()
    }
}

/// A thread that strategies are called in; `None` when none are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller(Option<usize>);

impl Caller {
    /// Returns the thread that this is.
    #[inline]
    pub fn here() -> Self {
        Self(Some(PLACE.with(|place| ptr::from_ref(place).addr())))
    }

    /// Tells whether this is that thread.
    #[inline]
    pub fn is_here(self) -> bool {
        self == Self::here()
    }
}

/// Says why a request is not taken.
#[cold]
pub fn refusal(py: Python<'_>, caller: Caller, made_in: Process, strategy: &str) -> PyErr {
    let what = format!("strategy {strategy:?} asked for something");
    if !made_in.is_here() {
        return misuse(&format!(
            "{what} in a child process: the engine belongs to the process that made it, and a fork of it would \
             trade and write for two; make an engine of its own in each process"
        ));
    }
    if caller == Caller::default() {
        return misuse(&format!(
            "{what} while the engine calls nobody: orders, cancels and timers belong into a callback (on_start, \
             on_bar, on_timer and so on), not before the run or after it"
        ));
    }
    let thread = thread_name(py).unwrap_or_default();
    misuse(&format!(
        "{what} from thread {thread:?}: orders, cancels and timers belong into a callback, in the thread that runs \
         the engine; keep what the thread found and act on it in the next callback"
    ))
}

fn thread_name(py: Python<'_>) -> PyResult<String> {
    py.import("threading")?.call_method0("current_thread")?.getattr("name")?.extract()
}
