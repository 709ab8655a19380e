//! Who may ask an engine for something: the thread that calls strategies, in the process that made the engine.
//!
//! What another thread asks for comes at a moment that no replay finds again. What the child of a fork asks for
//! would be known to two engines with one journal.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyDict, PyTuple};

use crate::errors::misuse;

/// What is said to those who run an engine from within its run.
pub const RUNNING: &str = "the engine is running already";

/// What is said to those who use an engine in a child of its process.
const OF_ITS_OWN: &str = "the engine belongs to the process that made it, and a fork of it would trade and write for \
                          two; make an engine of its own in each process";

/// How often this process and those it comes from have forked.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// What is said to those who run an engine within `call_apart`.
const APART_RUN: &str =
    "a signal handler runs no engine: it may interrupt a callback of another one anywhere";

/// Stands for a thread that has called nobody yet; no place in memory has this number.
const NOBODY: usize = 0;

/// Stands for a thread that is in `call_apart`; no place in memory has this number.
const APART: usize = usize::MAX;

thread_local! {
    /// Tells the threads apart once they call strategies: its own place in memory.
    static CALLER: Cell<usize> = const { Cell::new(NOBODY) };
}

/// Counts the forks from now on.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(call_apart, module)?)?;
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

/// Call a function whose requests are not those of the callback that it interrupts, and return what it returns.
///
/// A signal handler runs between any two steps of a callback: what it asks an engine for is refused, because no
/// replay finds that moment again.
#[pyfunction]
#[pyo3(signature = (function, /, *arguments))]
fn call_apart<'py>(
    function: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let _apart = Apart { before: CALLER.replace(APART) };
    function.call1(arguments.clone())
}

/// Lets the thread call strategies again as before, however the call ended.
struct Apart {
    before: usize,
}

impl Drop for Apart {
    fn drop(&mut self) {
        CALLER.set(self.before);
    }
}

/// Returns what this thread is told from the others by; `None` in `call_apart`.
fn named_thread() -> Option<usize> {
    CALLER.with(|caller| {
        if caller.get() == NOBODY {
            caller.set(ptr::from_ref(caller).addr());
        }
        Some(caller.get()).filter(|name| *name != APART)
    })
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
        self.thread = Some(named_thread().ok_or_else(|| misuse(APART_RUN))?);
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
        self.thread == Some(CALLER.get()) && self.made_in.is_here()
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
        if CALLER.get() == APART {
            return misuse(&format!(
                "{what} in a signal handler, which may interrupt a callback anywhere: no replay would find that \
                 moment again. The journal knows no signals; use a command, such as `tradecore pause` or \
                 `tradecore flatten`, which is in it"
            ));
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
