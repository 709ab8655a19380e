//! A run: strategies are called until everything fed is consumed.

use std::thread;

use pyo3::prelude::*;
use tradecore_kernel::{Advance, KernelError, Wake};

use crate::access::taken;
use crate::calls::{Books, Handlers, Last, call};
use crate::kernel::PyKernel;

/// Steps made before the GIL is released.
const STEPS_ATTACHED: usize = 512;

/// Steps made between two looks at pending signals.
const STEPS_DETACHED: usize = 1 << 18;

/// Strategy calls between two looks at pending signals.
const CALLS_PER_SIGNAL_CHECK: u32 = 4096;

/// Consumes every event fed and calls strategies; returns how many events were consumed.
pub fn run(kernel: &Bound<'_, PyKernel>, handlers: &[Handlers<'_>]) -> PyResult<u64> {
    let py = kernel.py();
    let before = {
        let mut this = taken(kernel.as_unbound(), py)?;
        this.calling.begin_run()?;
        this.kernel.counters().events
    };
    let outcome = run_all(kernel, handlers);
    let mut this = held(kernel);
    this.calling.end();
    outcome.map(|()| this.kernel.counters().events - before)
}

/// Takes an engine that this thread runs, however long another thread looks into it.
#[inline]
pub fn held<'py>(kernel: &Bound<'py, PyKernel>) -> PyRefMut<'py, PyKernel> {
    match kernel.try_borrow_mut() {
        Ok(this) => this,
        Err(_) => held_after_a_look(kernel),
    }
}

/// Waits until another thread has done with the engine.
#[cold]
#[inline(never)]
fn held_after_a_look<'py>(kernel: &Bound<'py, PyKernel>) -> PyRefMut<'py, PyKernel> {
    loop {
        kernel.py().detach(thread::yield_now);
        if let Ok(this) = kernel.try_borrow_mut() {
            return this;
        }
    }
}

/// Calls strategies until everything fed is consumed.
fn run_all(kernel: &Bound<'_, PyKernel>, handlers: &[Handlers<'_>]) -> PyResult<()> {
    let py = kernel.py();
    let mut books = Books::new(kernel);
    let mut last: Vec<Last> = handlers.iter().map(|_| Last::default()).collect();
    let mut calls: u32 = 0;
    let timeframes = held(kernel).timeframes.clone();
    loop {
        let mut this = held(kernel);
        if let Some(error) = this.gates.failure(py) {
            return Err(error);
        }
        let wake = match this.kernel.advance(STEPS_ATTACHED) {
            Ok(Advance::Wake(wake)) => wake,
            outcome => match next_wake(&mut this, py, outcome)? {
                Some(wake) => wake,
                None => return Ok(()),
            },
        };
        let scale = this.scale(wake.instrument.0)?;
        drop(this);
        call(py, &wake, scale, handlers, &mut last, &mut books, &timeframes)?;
        calls = calls.wrapping_add(1);
        if calls.is_multiple_of(CALLS_PER_SIGNAL_CHECK) {
            py.check_signals()?;
        }
    }
}

/// Goes on after some steps without a call: the GIL is released when the next one takes long.
#[cold]
fn next_wake(
    this: &mut PyKernel,
    py: Python<'_>,
    mut outcome: Result<Advance, KernelError>,
) -> PyResult<Option<Wake>> {
    loop {
        match outcome.map_err(|error| this.blame(py, &error))? {
            Advance::Wake(wake) => return Ok(Some(wake)),
            Advance::Idle => return Ok(None),
            Advance::Working => py.check_signals()?,
        }
        let kernel = &mut this.kernel;
        outcome = py.detach(|| kernel.advance(STEPS_DETACHED));
    }
}

/// Says what a strategy did that never comes to an end, and what to do about it.
pub fn runaway(calls_max: u32) -> String {
    format!(
        "called more than {calls_max} times at one moment with nothing new (risk.calls_max): it answers its \
         own orders or timers without end; let it wait for the market, or for a timer later than now"
    )
}
