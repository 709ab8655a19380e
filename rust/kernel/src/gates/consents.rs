//! Wishes that wait for a person's yes, before gates and risk see them.
//!
//! A *consent* is a person's answer to a wish. A wish that waits is no order: nothing of it counts, and the strategy is
//! told that it was refused for now. When the yes comes in time, and the market is where it was, gates and risk judge the
//! wish as if it were made then.
//!
//! **Invariant:** what only closes never waits; of a strategy one wish waits on each side of an instrument; a wish ends
//! by a consent, by the clock or by an operator who ends everything, and each end is recorded.

use tradecore_types::{Consent, Money, OrderId, OrderIntent, Refusal, Rule, TimeNs, ValueError};

use crate::gates::decision::RequestKind;
use crate::outgoing::orders::asked_side;
use crate::{Kernel, KernelError, Links, Verdict};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// Which wishes wait for a person, how long, and how far the market may go meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentRules {
    /// What an entry is worth at most that needs nobody; `None`: every entry waits.
    pub value_max: Option<Money>,
    /// How long a wish waits, in nanoseconds, above 0.
    pub timeout_ns: i64,
    /// How far the price may move from where it was, in parts per million.
    pub move_ppm_max: i64,
}

/// A wish that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// What was asked for, and when; its number is the name of the wish.
    pub intent: OrderIntent,
    /// Its size.
    pub lots: i64,
    /// What it is tied to.
    pub links: Links,
    /// The price of the market when it was asked for.
    pub reference_ticks: i64,
    /// When it ends by itself.
    pub until_ns: TimeNs,
}

/// The rules, and what waits, oldest first.
#[derive(Debug)]
pub(crate) struct Consents {
    rules: ConsentRules,
    waiting: Vec<Waiting>,
}

impl Consents {
    /// Returns when the first wish ends by itself.
    fn due_ns(&self) -> TimeNs {
        self.waiting.iter().map(|waiting| waiting.until_ns).min().unwrap_or(TimeNs::MAX)
    }

    /// Takes out the first wish that ended by itself.
    fn take_overdue(&mut self, now_ns: TimeNs) -> Option<Waiting> {
        let index = self.waiting.iter().position(|waiting| waiting.until_ns <= now_ns)?;
        Some(self.waiting.remove(index))
    }

    fn take(&mut self, order_id: OrderId) -> Option<Waiting> {
        let index = self.waiting.iter().position(|waiting| waiting.intent.order_id == order_id)?;
        Some(self.waiting.remove(index))
    }

    /// Appends the canonical bytes of what decides later answers.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for Waiting { intent, lots, links, reference_ticks, until_ns } in &self.waiting {
            out.extend_from_slice(&intent.order_id.0.to_le_bytes());
            out.extend_from_slice(&intent.strategy.0.to_le_bytes());
            out.extend_from_slice(&intent.instrument.0.to_le_bytes());
            out.extend_from_slice(&intent.side.sign().to_le_bytes());
            out.extend_from_slice(&intent.kind.price_ticks().unwrap_or(i64::MIN).to_le_bytes());
            for number in [*lots, *reference_ticks, *until_ns, intent.time_ns] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            for order_id in [links.after, links.oco] {
                out.extend_from_slice(&order_id.map_or(0, |order_id| order_id.0).to_le_bytes());
            }
        }
    }
}

impl Kernel {
    /// Sets which wishes wait for a person. To be called before the first event.
    pub fn set_consents(&mut self, rules: ConsentRules) {
        self.consents = Some(Box::new(Consents { rules, waiting: Vec::new() }));
    }

    /// Returns the wishes that wait for a person, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        self.consents.as_ref().map_or(&[], |consents| &consents.waiting)
    }

    /// Returns when the first wish that waits ends by itself.
    pub(crate) fn consents_due_ns(&self) -> TimeNs {
        self.consents.as_ref().map_or(TimeNs::MAX, |consents| consents.due_ns())
    }

    /// Lets a wish wait for a person if it needs one; returns the answer of now, or `None` for one that goes on to
    /// gates and risk, also because these refuse it anyhow.
    #[cold]
    pub(crate) fn ask_person(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        links: Links,
    ) -> Result<Option<Verdict>, KernelError> {
        let Some(reference_ticks) = self.needs_consent(intent, lots)? else { return Ok(None) };
        let Some(consents) = &mut self.consents else { return Ok(None) };
        let timeout_ns = consents.rules.timeout_ns;
        let is_same = |waiting: &&Waiting| {
            let other = &waiting.intent;
            (other.strategy, other.instrument, other.side)
                == (intent.strategy, intent.instrument, intent.side)
        };
        let known = consents.waiting.iter().find(is_same).map(|waiting| waiting.intent.order_id);
        let number = known.unwrap_or(intent.order_id);
        if known.is_none() {
            let until_ns = self.now_ns.saturating_add(timeout_ns);
            consents.waiting.push(Waiting { intent: *intent, lots, links, reference_ticks, until_ns });
            self.books.clock_due_ns = self.books.clock_due_ns.min(until_ns);
        }
        self.trace_unasked(intent.strategy, intent.instrument, asked_side(intent.side))?;
        let (limit, value) = (i128::from(timeout_ns), i128::from(number.0));
        Ok(Some(self.refused(intent, Refusal { rule: Rule::AwaitingApproval, limit, value })))
    }

    /// Returns the price of the market where a wish needs a person's yes.
    fn needs_consent(&self, intent: &OrderIntent, lots: i64) -> Result<Option<i64>, KernelError> {
        // What is reduce-only opens nothing, whatever else is on its way.
        let Some(consents) = self.consents.as_ref().filter(|_| !intent.reduce_only) else { return Ok(None) };
        let switches = self.switches_for(intent.strategy, intent.instrument);
        if switches.is_killed || switches.is_paused || switches.is_unreconciled {
            return Ok(None);
        }
        let market = self.market(intent.instrument)?;
        let reference = market.reference();
        let Some(reference_ticks) = reference.price_ticks.filter(|ticks| *ticks > 0) else { return Ok(None) };
        if reference.is_book_invalid || self.exposure(intent, None).own.is_closing(intent, lots) {
            return Ok(None);
        }
        let value_ticks = intent.value_ticks(reference_ticks);
        // What is worth more than can be counted is worth more than any bound.
        let value = market.instrument.reported_notional(value_ticks, lots).map_or(i128::MAX, |value| value.0);
        let is_small = consents.rules.value_max.is_some_and(|max| value <= max.0);
        Ok((!is_small).then_some(reference_ticks))
    }

    /// Refuses an amendment of an entry that makes more of it, or another price: a yes was to what was asked for.
    pub(crate) fn check_consented(
        &self,
        intent: &OrderIntent,
        lots: i64,
        kind: RequestKind,
        is_closing: bool,
    ) -> Result<(), Refusal> {
        let adds = kind == RequestKind::Amend && !is_closing && !intent.reduce_only;
        let Some(consents) = self.consents.as_ref().filter(|_| adds) else { return Ok(()) };
        let market = self.markets.get(intent.instrument.index());
        let reference_ticks = market.and_then(|market| market.reference).map_or(0, |known| known.0);
        let value = market.and_then(|market| {
            market.instrument.reported_notional(intent.value_ticks(reference_ticks), lots)
        });
        let (value, max) =
            (value.map_or(i128::MAX, |value| value.0), consents.rules.value_max.map_or(0, |max| max.0));
        if consents.rules.value_max.is_some() && value <= max {
            return Ok(());
        }
        Err(Refusal { rule: Rule::ApprovalNeeded, limit: max, value })
    }

    /// Checks that a person can answer a wish.
    pub(crate) fn check_consent(&self, consent: &Consent) -> Result<(), ValueError> {
        if self.waiting().iter().any(|waiting| waiting.intent.order_id == consent.order_id) {
            return Ok(());
        }
        let known: Vec<String> =
            self.waiting().iter().map(|waiting| waiting.intent.order_id.0.to_string()).collect();
        let known = if known.is_empty() { "none does".to_owned() } else { known.join(", ") };
        let rule = format!("must be the number of a wish that waits for approval: {known}");
        Err(ValueError::new("value", consent.order_id.0, rule))
    }

    /// Does what a person said of a wish: after a yes it is put before gates and risk, with a number of its own.
    pub(crate) fn on_consent(&mut self, consent: &Consent) -> Result<(), KernelError> {
        let Some(consents) = &mut self.consents else { return Ok(()) };
        let move_ppm_max = consents.rules.move_ppm_max;
        // One that has ended since the answer was given was told of.
        let Some(waiting) = consents.take(consent.order_id) else { return Ok(()) };
        if !consent.is_given {
            self.refused(&waiting.intent, Refusal { rule: Rule::ApprovalRejected, limit: 1, value: 0 });
            return Ok(());
        }
        let now_ticks = self.market(waiting.intent.instrument)?.reference.map(|known| known.0);
        if let Some(now_ticks) = now_ticks {
            let then = i128::from(waiting.reference_ticks);
            let distance = (i128::from(now_ticks) - then).abs() * PPM;
            // Compared without division, so that a distance a hair above the bound is not rounded onto it.
            if distance > i128::from(move_ppm_max) * then {
                let (limit, value) = (i128::from(move_ppm_max), distance / then);
                self.refused(&waiting.intent, Refusal { rule: Rule::ApprovalPriceMoved, limit, value });
                return Ok(());
            }
        }
        let order_id = self.next_order_id();
        let intent = OrderIntent { order_id, time_ns: self.now_ns, ..waiting.intent };
        if waiting.links != Links::default()
            && let Err(refusal) = self.check_links(&intent, waiting.links)
        {
            self.refused(&intent, refusal);
            return Ok(());
        }
        self.put_forward(&intent, waiting.lots, waiting.links, RequestKind::New).map(|_| ())
    }

    /// Ends every wish whose time is over.
    pub(crate) fn end_overdue(&mut self) {
        while let Some(waiting) =
            self.consents.as_mut().and_then(|consents| consents.take_overdue(self.now_ns))
        {
            let limit = i128::from(waiting.until_ns) - i128::from(waiting.intent.time_ns);
            let value = i128::from(self.now_ns) - i128::from(waiting.intent.time_ns);
            self.refused(&waiting.intent, Refusal { rule: Rule::ApprovalExpired, limit, value });
        }
    }

    /// Ends every wish that waits, because an operator ends everything.
    pub(crate) fn end_waiting(&mut self, rule: Rule) {
        let waiting = self.consents.as_mut().map(|consents| std::mem::take(&mut consents.waiting));
        for waiting in waiting.into_iter().flatten() {
            self.refused(&waiting.intent, Refusal { rule, limit: 0, value: 1 });
        }
    }
}
