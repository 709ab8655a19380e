//! Asks an engine that is not at work. While it is, it answers nobody: neither the decision gate that it waits for
//! nor another thread.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use tradecore_types::StrategyId;

use crate::errors::misuse;
use crate::kernel::PyKernel;

/// How long a request waits for another thread that looks into the engine.
const WAIT: Duration = Duration::from_secs(1);

thread_local! {
    /// How many gates of users this thread is asking: their engines wait for them.
    static GATES_ASKED: Cell<u32> = const { Cell::new(0) };
}

/// What is said to those who come while it is at work.
pub const BUSY: &str = "the engine is at work and answers nothing meanwhile: let a decision gate judge by its view \
                    alone, and use an engine from one thread at a time";

/// Looks into an engine that is not at work; when another thread is just using it, this waits until that is done.
///
/// # Errors
///
/// `RuntimeError` when it is at work.
#[inline]
pub fn looked_into<'py>(kernel: &'py Py<PyKernel>, py: Python<'py>) -> PyResult<PyRef<'py, PyKernel>> {
    match kernel.try_borrow(py) {
        Ok(this) => Ok(this),
        Err(_) => waited_for(py, || kernel.try_borrow(py).ok()).ok_or_else(|| misuse(BUSY)),
    }
}

/// Takes an engine; when another thread is just looking into it, this waits until that is done.
///
/// A look takes microseconds, but the thread that looks can lose the GIL in the middle.
///
/// # Errors
///
/// `RuntimeError` when the engine is at work.
#[inline]
pub fn taken<'py>(kernel: &'py Py<PyKernel>, py: Python<'py>) -> PyResult<PyRefMut<'py, PyKernel>> {
    match kernel.try_borrow_mut(py) {
        Ok(this) => Ok(this),
        Err(_) => waited_for(py, || kernel.try_borrow_mut(py).ok()).ok_or_else(|| misuse(BUSY)),
    }
}

/// Takes an engine that is calling a strategy, for a request of that strategy.
///
/// # Errors
///
/// `RuntimeError` when it is at work, or calls nobody in this thread and process.
#[inline]
pub fn asked<'py>(
    kernel: &'py Py<PyKernel>,
    py: Python<'py>,
    strategy: StrategyId,
) -> PyResult<PyRefMut<'py, PyKernel>> {
    let this = taken(kernel, py)?;
    this.hear(py, strategy)?;
    Ok(this)
}

/// Asks a gate of a user, whose engine answers nothing meanwhile.
pub fn asking_a_gate<T>(ask: impl FnOnce() -> T) -> T {
    GATES_ASKED.with(|asked| asked.set(asked.get().saturating_add(1)));
    let said = ask();
    GATES_ASKED.with(|asked| asked.set(asked.get().saturating_sub(1)));
    said
}

/// Tries again until another thread has done with the engine; `None` when it keeps it.
#[cold]
fn waited_for<T>(py: Python<'_>, mut again: impl FnMut() -> Option<T>) -> Option<T> {
    // It would wait for itself.
    if GATES_ASKED.with(Cell::get) > 0 {
        return None;
    }
    let end = Instant::now() + WAIT;
    while Instant::now() < end {
        py.detach(thread::yield_now);
        if let Some(got) = again() {
            return Some(got);
        }
    }
    None
}
