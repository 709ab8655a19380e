//! Where decision gates are asked: the one place, before risk, that every request passes.
//!
//! Gates decide whether risk may be added. What is closing passes whatever they say, so no gate traps a position;
//! it then is bound to the position, so that it never becomes an order that a gate did not let pass.

pub(crate) mod asking;
pub(crate) mod built_in;
pub(crate) mod decision;
pub(crate) mod judging;
pub(crate) mod remembered;

use std::borrow::Cow;

use tradecore_journal::Gate as TracedGate;
use tradecore_ledger::OpenOrder;
use tradecore_risk::{Approval, Exposure};
use tradecore_types::{InstrumentId, OrderIntent, Refusal, Rule, StrategyId, TimeNs};

use crate::books::activity::GateCount;
use crate::gates::decision::{DecisionGate, DecisionView, GateFailed, GateVerdict, RequestKind};
use crate::gates::remembered::{GatesRead, GatesShown};
use crate::outgoing::orders::asked_side;
use crate::{Kernel, KernelError};

/// A decision that asks for something to be sent, as the journal counts them; 0 is the decision to hold.
const SUBMIT: u8 = 1;

/// What a strategy asks for, or what the engine does for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Occasion {
    pub(crate) kind: RequestKind,
    /// Whether just this was refused before: it is traced again only once it passes.
    pub(crate) is_again: bool,
}

impl Occasion {
    /// A request that is made for the first time.
    pub(crate) const fn first(kind: RequestKind) -> Self {
        Self { kind, is_again: false }
    }
}

/// The gates of an engine, and what is remembered for their next answer or trace.
///
/// **Invariant:** what only brings a position nearer to flat is never in their way; a trace names each that was
/// asked.
#[derive(Default)]
pub(crate) struct Gates {
    asked: Vec<Box<dyn DecisionGate>>,
    is_tracing: bool,
    has_failed: bool,
    /// When each strategy last had an entry approved.
    last_entry_ns: Vec<Option<TimeNs>>,
    /// What each strategy noted for the trace of its next decision.
    notes: Vec<Vec<GateVerdict>>,
    /// What was said about the request at hand; kept for its memory.
    verdicts: Vec<GateVerdict>,
    /// What each gate said so far.
    counts: Vec<GateCount>,
}

impl Gates {
    /// Asks every gate, also after one said no; tells whether the order is to be bound to the position, or that
    /// it is refused.
    fn ask(&mut self, view: &DecisionView, is_again: bool) -> Result<Result<bool, Refusal>, GateFailed> {
        if self.has_failed {
            return Err(GateFailed);
        }
        let (mut passed, mut may_open) = (true, true);
        for (index, gate) in self.asked.iter().enumerate() {
            // What a gate of a user's says about a closing request does not tell what it says about others.
            let verdict = gate.check(view).inspect_err(|GateFailed| self.has_failed = true)?;
            if !view.is_closing
                && !is_again
                && let Some(count) = self.counts.get_mut(index)
            {
                count.note(view.now_ns, &verdict.gate, verdict.limit, verdict.value, verdict.passed);
            }
            passed &= verdict.passed;
            may_open &= verdict.may_open;
            self.verdicts.push(verdict);
        }
        if !passed && !view.is_closing {
            return Ok(Err(Refusal { rule: Rule::DecisionGate, limit: 1, value: 0 }));
        }
        let is_bound = view.is_closing && !may_open;
        if is_bound {
            self.verdicts.push(GateVerdict {
                gate: Cow::Borrowed("closing"),
                limit: 1.0,
                value: 1.0,
                passed: true,
                may_open: false,
            });
        }
        Ok(Ok(is_bound))
    }

    /// Shows what is remembered, for a snapshot.
    pub(crate) fn shown(&self) -> GatesShown<'_> {
        // What is asked and whether it is traced is configured; verdicts are those of a request at hand.
        let Self { asked: _, is_tracing: _, has_failed: _, last_entry_ns, notes, verdicts: _, counts } = self;
        GatesShown { last_entry_ns, notes, counts }
    }

    /// Tells whether what was remembered is of as many gates and strategies.
    pub(crate) fn is_like(&self, read: &GatesRead) -> bool {
        self.counts.len() == read.counts.len()
            && self.notes.len() == read.notes.len()
            && self.last_entry_ns.len() == read.last_entry_ns.len()
    }

    /// Remembers what a snapshot says.
    pub(crate) fn go_on_from(&mut self, read: GatesRead) {
        let GatesRead { last_entry_ns, notes, counts } = read;
        (self.last_entry_ns, self.notes, self.counts) = (last_entry_ns, notes, counts);
    }

    /// Appends the canonical bytes of what decides later answers.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        if self.asked.is_empty() {
            return;
        }
        for last_ns in &self.last_entry_ns {
            out.extend_from_slice(&last_ns.unwrap_or(TimeNs::MIN).to_le_bytes());
        }
    }
}

impl Kernel {
    /// Sets the decision gates that every request has to pass before risk sees it, for all strategies. With
    /// `is_tracing` every decision leaves a frame, also where there are no gates.
    ///
    /// To be called before the first event: what was approved before counts as no entry.
    pub fn set_gates(&mut self, gates: Vec<Box<dyn DecisionGate>>, is_tracing: bool) {
        let strategies = usize::from(self.config.strategies);
        let is_on = is_tracing || !gates.is_empty();
        self.gates = is_on.then(|| {
            Box::new(Gates {
                counts: vec![GateCount::default(); gates.len()],
                asked: gates,
                is_tracing,
                has_failed: false,
                last_entry_ns: vec![None; strategies],
                notes: vec![Vec::new(); strategies],
                verdicts: Vec::new(),
            })
        });
    }

    /// Returns what every decision gate said so far, in the order in which they are asked.
    #[must_use]
    pub fn gate_counts(&self) -> &[GateCount] {
        self.gates.as_ref().map_or(&[], |gates| &gates.counts)
    }

    /// Keeps what the next decision of a strategy is based on, for the trace of that decision.
    pub fn note_for_trace(&mut self, strategy: StrategyId, name: &str, limit: f64, value: f64, passed: bool) {
        let Some(gates) = self.gates.as_mut().filter(|gates| gates.is_tracing) else { return };
        if let Some(notes) = gates.notes.get_mut(strategy.index()) {
            let gate = Cow::Owned(name.to_owned());
            notes.push(GateVerdict { gate, limit, value, passed, may_open: passed });
        }
    }

    /// Records a decision that puts nothing before gates and risk, with the notes of the strategy.
    ///
    /// # Errors
    ///
    /// [`KernelError::Codec`] when the texts do not fit a journal frame.
    pub fn trace(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        action: u8,
        reason: &str,
    ) -> Result<(), KernelError> {
        let Self { gates: Some(gates), recorder, now_ns, .. } = self else { return Ok(()) };
        if !gates.is_tracing {
            return Ok(());
        }
        let notes = gates.notes.get_mut(strategy.index()).map(std::mem::take).unwrap_or_default();
        let traced: Vec<TracedGate<'_>> = notes.iter().map(traced).collect();
        Ok(recorder.decision(*now_ns, strategy, instrument, action, reason, &traced)?)
    }

    /// Records what a strategy asks for that no gate is asked about.
    #[inline]
    pub(crate) fn trace_unasked(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        reason: &str,
    ) -> Result<(), KernelError> {
        if self.gates.is_none() {
            return Ok(());
        }
        self.trace(strategy, instrument, SUBMIT, reason)
    }

    /// Puts a request before the gates, if there are any, and then before risk.
    #[inline(never)]
    pub(crate) fn judge_gated<'a>(
        &mut self,
        intent: &'a OrderIntent,
        lots: i64,
        replaced: Option<&OpenOrder>,
        exposure: Exposure,
        occasion: Occasion,
    ) -> Result<Result<Approval<'a>, Refusal>, KernelError> {
        let is_closing = exposure.own.is_closing(intent, lots);
        let verdict = match self.pass_gates(intent, lots, is_closing, occasion)? {
            Err(refusal) => Err(refusal),
            Ok(is_bound) => self
                .judge_risk(intent, lots, replaced, exposure)?
                .map(|approval| if is_bound { approval.only_closing() } else { approval }),
        };
        self.trace_request(intent, occasion, verdict.is_ok())?;
        let is_entry = occasion.kind.is_asked() && occasion.kind.is_of_strategy() && !is_closing;
        if is_entry
            && verdict.is_ok()
            && let Some(gates) = &mut self.gates
            && let Some(last_ns) = gates.last_entry_ns.get_mut(intent.strategy.index())
        {
            *last_ns = Some(self.now_ns);
        }
        Ok(verdict)
    }

    /// Asks the gates about a request; tells whether the order is to be bound to the position.
    fn pass_gates(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        is_closing: bool,
        occasion: Occasion,
    ) -> Result<Result<bool, Refusal>, KernelError> {
        let (best_bid_ticks, best_ask_ticks) = self.best(intent.instrument);
        let Some(gates) = &mut self.gates else { return Ok(Ok(false)) };
        gates.verdicts.clear();
        if gates.asked.is_empty() || !occasion.kind.is_asked() {
            return Ok(Ok(false));
        }
        let view = DecisionView {
            now_ns: self.now_ns,
            strategy: intent.strategy,
            instrument: intent.instrument,
            request: occasion.kind,
            side: intent.side,
            lots,
            price_ticks: intent.kind.price_ticks(),
            position_lots: self.books.ledger.position(intent.strategy, intent.instrument),
            is_closing,
            best_bid_ticks,
            best_ask_ticks,
            last_entry_ns: gates.last_entry_ns.get(intent.strategy.index()).copied().flatten(),
        };
        gates.ask(&view, occasion.is_again).map_err(|GateFailed| KernelError::GateFailed)
    }

    /// Records what was said about a request: with the notes of the strategy if it made the request, once if
    /// the engine tries it again and again.
    fn trace_request(
        &mut self,
        intent: &OrderIntent,
        occasion: Occasion,
        has_passed: bool,
    ) -> Result<(), KernelError> {
        let Self { gates: Some(gates), recorder, now_ns, .. } = self else { return Ok(()) };
        let Gates { asked, is_tracing, notes, verdicts, .. } = &mut **gates;
        let is_of_strategy = occasion.kind.is_of_strategy();
        if !*is_tracing || (!is_of_strategy && (asked.is_empty() || (occasion.is_again && !has_passed))) {
            return Ok(());
        }
        let reason = match occasion.kind {
            RequestKind::New => asked_side(intent.side),
            // One decision for all the orders that close the parts of a position; it is recorded before them.
            RequestKind::Close => return Ok(()),
            kind => kind.name(),
        };
        let noted = if is_of_strategy { notes.get_mut(intent.strategy.index()) } else { None };
        let noted = noted.map(std::mem::take).unwrap_or_default();
        let traced: Vec<TracedGate<'_>> = noted.iter().chain(&*verdicts).map(traced).collect();
        Ok(recorder.decision(*now_ns, intent.strategy, intent.instrument, SUBMIT, reason, &traced)?)
    }
}

/// Shows a verdict as the journal has it.
fn traced(verdict: &GateVerdict) -> TracedGate<'_> {
    TracedGate { name: &verdict.gate, limit: verdict.limit, value: verdict.value, passed: verdict.passed }
}
