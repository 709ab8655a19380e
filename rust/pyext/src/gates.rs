//! Decision gates as Python states them: settings of built-in ones, and callables for those of a user.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBool;
use pyo3::{PyTraverseError, PyVisit};
use tradecore_kernel::{
    BuiltInGate, DecisionGate, DecisionView, GateFailed, GateVerdict, KernelError, RequestKind,
};
use tradecore_types::{InstrumentId, Side, StrategyId};

use crate::access::asking_a_gate;
use crate::errors::{broken_invariant, invalid_value};
use crate::numbers::fitting;

/// What one gate said: its name, its limit, the value it saw and whether that passed.
type Said = (String, f64, f64, bool);

/// Adds this part's functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(gate_verdict, module)?)
}

/// What a built-in gate says about a `DecisionView`: name, limit, value and whether it passes.
#[pyfunction]
fn gate_verdict(gate: &Bound<'_, PyAny>, view: &Bound<'_, PyAny>) -> PyResult<Said> {
    let built_in = built_in(gate)?
        .ok_or_else(|| invalid_value("gate", &gate.to_string(), "must be one that comes with tradecore"))?;
    let is_buy: bool = view.getattr("is_buy")?.extract()?;
    let name: String = view.getattr("request")?.extract()?;
    let known = [RequestKind::New, RequestKind::Amend, RequestKind::Arm, RequestKind::Grow];
    let request = known.into_iter().find(|kind| kind.name() == name);
    let verdict = built_in.verdict(&DecisionView {
        now_ns: view.getattr("now_ns")?.extract()?,
        strategy: StrategyId(0),
        instrument: InstrumentId(view.getattr("instrument_id")?.extract()?),
        request: request.ok_or_else(|| invalid_value("request", &name, "must be new, amend, arm or grow"))?,
        side: if is_buy { Side::Buy } else { Side::Sell },
        lots: view.getattr("quantity_lots")?.extract()?,
        price_ticks: view.getattr("price_ticks")?.extract()?,
        position_lots: view.getattr("position_lots")?.extract()?,
        is_closing: view.getattr("is_closing")?.extract()?,
        best_bid_ticks: view.getattr("best_bid_ticks")?.extract()?,
        best_ask_ticks: view.getattr("best_ask_ticks")?.extract()?,
        last_entry_ns: view.getattr("last_entry_ns")?.extract()?,
    });
    Ok((verdict.gate.into_owned(), verdict.limit, verdict.value, verdict.passed))
}

/// Reads the settings of a built-in gate; `None` when it is a gate of somebody else, a subclass among them.
fn built_in(gate: &Bound<'_, PyAny>) -> PyResult<Option<BuiltInGate>> {
    let name = gate.get_type().fully_qualified_name()?;
    Ok(Some(match name.to_str()? {
        "tradecore.decision.gates.MaxSpread" => {
            BuiltInGate::MaxSpread { ticks: fitting("ticks", &gate.getattr("ticks")?)? }
        }
        "tradecore.decision.gates.Cooldown" => {
            BuiltInGate::Cooldown { seconds: gate.getattr("seconds")?.extract()? }
        }
        "tradecore.decision.gates.TradingHours" => BuiltInGate::TradingHours {
            start: gate.getattr("start")?.extract()?,
            end: gate.getattr("end")?.extract()?,
        },
        _ => return Ok(None),
    }))
}

/// What the first gate raised that failed.
type Raised = Arc<Mutex<Option<PyErr>>>;

/// The gates of an engine that Python has to be called for, and what one of them raised.
#[derive(Default)]
pub struct UserGates {
    callables: Vec<Arc<Py<PyAny>>>,
    raised: Raised,
}

impl UserGates {
    /// Reads gates: built-in ones by their settings, everything else is called with the parts of a view.
    pub fn read(gates: &[Bound<'_, PyAny>]) -> PyResult<(Self, Vec<Box<dyn DecisionGate>>)> {
        let mut read: Vec<Box<dyn DecisionGate>> = Vec::with_capacity(gates.len());
        let mut own = Self::default();
        for gate in gates {
            if let Some(built_in) = built_in(gate)? {
                read.push(Box::new(built_in));
                continue;
            }
            let callable = Arc::new(gate.clone().unbind());
            own.callables.push(Arc::clone(&callable));
            read.push(Box::new(UserGate { callable, raised: Arc::clone(&own.raised) }));
        }
        Ok((own, read))
    }

    /// Shows the garbage collector the gates, which may lead back to the engine.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.callables.iter().try_for_each(|callable| visit.call(&**callable))
    }

    /// Returns what a gate raised, if one did.
    #[inline]
    pub fn failure(&self, py: Python<'_>) -> Option<PyErr> {
        if self.callables.is_empty() { None } else { self.raised(py) }
    }

    #[inline(never)]
    fn raised(&self, py: Python<'_>) -> Option<PyErr> {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        raised.as_ref().map(|error| error.clone_ref(py))
    }

    /// Returns what the gate raised of which the kernel only knows that it failed.
    pub fn failure_or_broken(&self, py: Python<'_>) -> PyErr {
        self.failure(py).unwrap_or_else(|| broken_invariant(&KernelError::GateFailed.to_string()))
    }
}

/// A gate of a user, called with the parts of a view while the engine waits.
struct UserGate {
    callable: Arc<Py<PyAny>>,
    raised: Raised,
}

impl UserGate {
    fn ask(&self, py: Python<'_>, view: &DecisionView) -> PyResult<Said> {
        let parts = (
            view.now_ns,
            view.strategy.0,
            view.instrument.0,
            view.request.name(),
            PyBool::new(py, view.side == Side::Buy).to_owned(),
            view.lots,
            view.price_ticks,
            view.position_lots,
            PyBool::new(py, view.is_closing).to_owned(),
            view.best_bid_ticks,
            view.best_ask_ticks,
            view.last_entry_ns,
        );
        self.callable.bind(py).call1(parts)?.extract()
    }
}

impl DecisionGate for UserGate {
    fn check(&self, view: &DecisionView) -> Result<GateVerdict, GateFailed> {
        let said = asking_a_gate(|| Python::attach(|py| self.ask(py, view)));
        match said {
            Ok((gate, limit, value, passed)) => {
                // A yes to a closing request may be a yes to closing alone.
                let may_open = passed && !view.is_closing;
                Ok(GateVerdict { gate: Cow::Owned(gate), limit, value, passed, may_open })
            }
            Err(error) => {
                let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
                raised.get_or_insert(error);
                Err(GateFailed)
            }
        }
    }
}
