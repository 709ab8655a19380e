//! The end of the process, when its time is up: held by a thread that needs neither Python nor a disk.
//!
//! Python hears of a signal only between two of its own steps. A callback in C code, a thread that holds the
//! interpreter or an `atexit` that sleeps keep it from that for as long as they like. So a thread of our own waits
//! for the same signals and ends the process at the deadline. It writes nothing before: a full pipe would keep it.

use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::errors::{invalid_value, misuse};

/// The longest time that can be given: a day.
const SECONDS_MAX: f64 = 86_400.0;

/// The last number of a signal on any system that is known.
const SIGNAL_MAX: i32 = 64;

/// Exit code at the deadline.
static CODE: AtomicI32 = AtomicI32::new(1);

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(end_on_signals, module)?)?;
    module.add_function(wrap_pyfunction!(end_within, module)?)?;
    module.add_function(wrap_pyfunction!(end_with, module)?)
}

/// From the first of these signals on the process lives no longer than this.
///
/// To be called once, after Python's own handlers are installed: they are called as before.
#[pyfunction]
#[pyo3(signature = (signals, seconds, /))]
fn end_on_signals(signals: Vec<i32>, seconds: f64) -> PyResult<()> {
    let span = span(seconds)?;
    if let Some(other) = signals.iter().find(|signal| !(1..=SIGNAL_MAX).contains(*signal)) {
        return Err(invalid_value("signals", &other.to_string(), &format!("must be from 1 to {SIGNAL_MAX}")));
    }
    if signals.is_empty() {
        return Err(invalid_value("signals", "[]", "must name at least one"));
    }
    wait_for(signals, span)
}

/// Starts the thread that waits.
#[cfg(unix)]
fn wait_for(signals: Vec<i32>, span: Duration) -> PyResult<()> {
    use signal_hook::consts::FORBIDDEN;
    use signal_hook::iterator::Signals;

    if let Some(forbidden) = signals.iter().find(|signal| FORBIDDEN.contains(signal)) {
        return Err(invalid_value("signals", &forbidden.to_string(), "cannot be waited for"));
    }
    let refused =
        |error: std::io::Error| invalid_value("signals", &format!("{signals:?}"), &error.to_string());
    let mut waited_for = Signals::new(&signals).map_err(refused)?;
    in_a_thread(move || {
        if waited_for.forever().next().is_some() {
            end_at(Instant::now() + span);
        }
    })
}

/// Other systems have nothing to wait for; what Python hears of begins the time with `end_within`.
#[cfg(not(unix))]
fn wait_for(_signals: Vec<i32>, _span: Duration) -> PyResult<()> {
    Ok(())
}

/// Let the process live no longer than this from now on; the earliest deadline holds.
#[pyfunction]
#[pyo3(signature = (seconds, /))]
fn end_within(seconds: f64) -> PyResult<()> {
    let span = span(seconds)?;
    let deadline = Instant::now() + span;
    in_a_thread(move || end_at(deadline))
}

/// Set the exit code of an end at the deadline.
#[pyfunction]
#[pyo3(signature = (code, /))]
fn end_with(code: i32) {
    CODE.store(code, Ordering::Relaxed);
}

fn in_a_thread(work: impl FnOnce() + Send + 'static) -> PyResult<()> {
    let started = thread::Builder::new().name("tradecore-deadline".into()).spawn(work);
    started.map(drop).map_err(|error| misuse(&format!("no thread could be started: {error}")))
}

fn span(seconds: f64) -> PyResult<Duration> {
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        let rule = format!("must be a number from 0 to {SECONDS_MAX}");
        return Err(invalid_value("seconds", &seconds.to_string(), &rule));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Ends the process at its deadline, unless it has ended before, by itself or at an earlier one.
fn end_at(deadline: Instant) {
    thread::sleep(deadline.saturating_duration_since(Instant::now()));
    signal_hook::low_level::exit(CODE.load(Ordering::Relaxed));
}
