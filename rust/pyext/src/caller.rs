//! Who may ask an engine for something: the thread that calls strategies, in the process that made the engine.
//!
//! What another thread asks for comes at a moment that no replay finds again. What the child of a fork asks for
//! would be known to two engines with one journal.

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict};

use crate::errors::misuse;

/// What is said to those who run an engine from within its run.
pub const RUNNING: &str = "the engine is running already";

/// What is said to those who use an engine in a child of its process.
const OF_ITS_OWN: &str = "the engine belongs to the process that made it, and a fork of it would trade and write for \
                          two; make an engine of its own in each process";

/// How often this process and those it comes from have forked.
static FORKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Its place in memory tells the threads apart.
    static PLACE: u8 = const { 0 };
}

/// Counts the forks from now on.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    in_each_child(module.py(), || {
        FORKS.fetch_add(1, Ordering::Relaxed);
    })
}

/// Has something done at the beginning of each child that is forked from now on; systems without forks have none.
pub fn in_each_child(py: Python<'_>, work: fn()) -> PyResult<()> {
    let os = py.import("os")?;
    if os.hasattr("register_at_fork")? {
        let called = PyCFunction::new_closure(py, Some(c"in_child"), None, move |_, _| work())?;
        let arguments = PyDict::new(py);
        arguments.set_item("after_in_child", called)?;
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

/// A thread of this process, told from the others that live.
fn this_thread() -> usize {
    PLACE.with(|place| ptr::from_ref(place).addr())
}

/// Where an engine calls its strategies at this moment.
#[derive(Debug)]
pub struct Calling {
    /// The thread that does; `None` while nobody is called.
    thread: Option<usize>,
    /// It is a run: strategies hand in no events meanwhile, and no commands among them.
    is_running: bool,
    made_in: Process,
}

impl Calling {
    /// Starts without calls, in the process that makes the engine.
    pub fn new() -> Self {
        Self { thread: None, is_running: false, made_in: Process::here() }
    }

    /// From now on this thread calls strategies.
    ///
    /// # Errors
    ///
    /// `RuntimeError` when one does already, and in a child of the process that made the engine.
    pub fn begin(&mut self) -> PyResult<()> {
        if !self.made_in.is_here() {
            return Err(misuse(&format!("the engine was run in a child process: {OF_ITS_OWN}")));
        }
        if self.thread.is_some() {
            return Err(misuse(RUNNING));
        }
        self.thread = Some(this_thread());
        Ok(())
    }

    /// As `begin`, for a run.
    pub fn begin_run(&mut self) -> PyResult<()> {
        self.begin()?;
        self.is_running = true;
        Ok(())
    }

    /// Ends what `begin` or `begin_run` began.
    pub fn end(&mut self) {
        (self.thread, self.is_running) = (None, false);
    }

    /// Tells whether this is the thread that calls strategies.
    #[inline]
    pub fn is_here(&self) -> bool {
        self.thread == Some(this_thread()) && self.made_in.is_here()
    }

    /// Tells whether a run is under way.
    pub const fn is_running(&self) -> bool {
        self.is_running
    }

    /// Says why a request is not taken.
    #[cold]
    pub fn refusal(&self, py: Python<'_>, strategy: &str) -> PyErr {
        let thread = thread_name(py).unwrap_or_default();
        let what = format!("strategy {strategy:?} asked for something in thread {thread:?}");
        if !self.made_in.is_here() {
            return misuse(&format!("{what} of a child process: {OF_ITS_OWN}"));
        }
        if self.thread.is_none() {
            return misuse(&format!(
                "{what} while the engine calls nobody: orders, cancels and timers belong into a callback (on_start, \
                 on_bar, on_timer and so on), not before the run, between two callbacks or after the run"
            ));
        }
        misuse(&format!(
            "{what}: orders, cancels and timers belong into a callback, in the thread that runs the engine; keep \
             what the thread found and act on it in the next callback"
        ))
    }
}

fn thread_name(py: Python<'_>) -> PyResult<String> {
    py.import("threading")?.call_method0("current_thread")?.getattr("name")?.extract()
}
