//! Wishes that wait for a person's yes, before gates and risk see them.
//!
//! A *consent* is a person's answer to a wish. A wish that waits is no order: nothing of it counts, and the strategy is
//! told that it was refused for now. When the yes comes in time, and the market is where it was, gates and risk judge the
//! wish as if it were made then.
//!
//! A yes that cannot be judged, because books and venue are being compared or the feed still brings the past, uses nothing up:
//! the wish goes on waiting, and whoever said it is told to say it again.
//!
//! **Invariant:** what only closes never waits; of a strategy one wish waits on each side of an instrument; a wish ends
//! by a consent, by the clock or by a kill or a flatten of a part that it is in, and each end is recorded.

use tradecore_types::{Consent, OrderIntent, Refusal, Rule, Scope, TimeNs, ValueError};

use crate::control::consents::{ConsentRules, Consents, Waiting};
use crate::gates::decision::RequestKind;
use crate::outgoing::orders::asked_side;
use crate::{Kernel, KernelError, Links, Verdict};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

impl Kernel {
    /// Sets which wishes wait for a person. To be called before the first event.
    pub fn set_consents(&mut self, rules: ConsentRules) {
        self.control.consents = Some(Box::new(Consents { rules, waiting: Vec::new() }));
    }

    /// Returns the wishes that wait for a person, oldest first.
    #[must_use]
    pub fn waiting(&self) -> &[Waiting] {
        self.control.consents.as_ref().map_or(&[], |consents| &consents.waiting)
    }

    /// Returns when the first wish that waits ends by itself.
    pub(crate) fn consents_due_ns(&self) -> TimeNs {
        self.control.consents.as_ref().map_or(TimeNs::MAX, |consents| consents.due_ns())
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
        if tradecore_types::is_planted("person_not_asked") {
            return Ok(None);
        }
        let Some(reference_ticks) = self.needs_consent(intent, lots)? else { return Ok(None) };
        let Some(consents) = &mut self.control.consents else { return Ok(None) };
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
            consents.waiting.push(Waiting {
                intent: *intent,
                lots,
                after: links.after,
                oco: links.oco,
                reference_ticks,
                until_ns,
            });
            self.books.clock_due_ns = self.books.clock_due_ns.min(until_ns);
        }
        self.trace_unasked(intent.strategy, intent.instrument, asked_side(intent.side))?;
        let (limit, value) = (i128::from(timeout_ns), i128::from(number.0));
        Ok(Some(self.refused(intent, Refusal { rule: Rule::AwaitingApproval, limit, value })))
    }

    /// Returns the price of the market where a wish needs a person's yes.
    fn needs_consent(&self, intent: &OrderIntent, lots: i64) -> Result<Option<i64>, KernelError> {
        // What is reduce-only opens nothing, whatever else is on its way.
        let Some(consents) = self.control.consents.as_ref().filter(|_| !intent.reduce_only) else {
            return Ok(None);
        };
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
        let Some(consents) = self.control.consents.as_ref().filter(|_| adds) else { return Ok(()) };
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
        if let Some(waiting) =
            self.waiting().iter().find(|waiting| waiting.intent.order_id == consent.order_id)
        {
            let why = self.why_not_judged(waiting).filter(|_| consent.is_given);
            return why.map_or(Ok(()), |why| {
                let rule =
                    format!("is not judged now, because {why}; it still waits: say it again in a moment");
                Err(ValueError::new("value", consent.order_id.0, rule))
            });
        }
        let known: Vec<String> =
            self.waiting().iter().map(|waiting| waiting.intent.order_id.0.to_string()).collect();
        let known = if known.is_empty() { "none does".to_owned() } else { known.join(", ") };
        let rule = format!("must be the number of a wish that waits for approval: {known}");
        Err(ValueError::new("value", consent.order_id.0, rule))
    }

    /// Says why a yes cannot be judged now, which passes by itself: it would be refused whatever it is about.
    fn why_not_judged(&self, waiting: &Waiting) -> Option<&'static str> {
        if self.is_warming_up() {
            // The prices are of the past, and nothing is sent on them.
            return Some("the feed still brings the past");
        }
        let OrderIntent { strategy, instrument, .. } = waiting.intent;
        let is_unreconciled = self.switches_for(strategy, instrument).is_unreconciled;
        is_unreconciled.then_some("books and venue are being compared")
    }

    /// Does what a person said of a wish: after a yes it is put before gates and risk, with a number of its own.
    pub(crate) fn on_consent(&mut self, consent: &Consent) -> Result<(), KernelError> {
        let wish = self.waiting().iter().find(|waiting| waiting.intent.order_id == consent.order_id);
        if consent.is_given && wish.is_some_and(|waiting| self.why_not_judged(waiting).is_some()) {
            // What made it so came with the answer: the wish goes on waiting for another one.
            return Ok(());
        }
        let Some(consents) = &mut self.control.consents else { return Ok(()) };
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
        let links = Links { after: waiting.after, oco: waiting.oco };
        if links != Links::default()
            && let Err(refusal) = self.check_links(&intent, links)
        {
            self.refused(&intent, refusal);
            return Ok(());
        }
        self.put_forward(&intent, waiting.lots, links, RequestKind::New).map(|_| ())
    }

    /// Ends every wish whose time is over.
    pub(crate) fn end_overdue(&mut self) {
        while let Some(waiting) =
            self.control.consents.as_mut().and_then(|consents| consents.take_overdue(self.now_ns))
        {
            let limit = i128::from(waiting.until_ns) - i128::from(waiting.intent.time_ns);
            let value = i128::from(self.now_ns) - i128::from(waiting.intent.time_ns);
            self.refused(&waiting.intent, Refusal { rule: Rule::ApprovalExpired, limit, value });
        }
    }

    /// Ends every wish that waits within a scope, or all of them, because everything there ends.
    pub(crate) fn end_waiting(&mut self, rule: Rule, within: Option<Scope>) {
        let Some(consents) = &mut self.control.consents else { return };
        let waiting = std::mem::take(&mut consents.waiting);
        let (ended, stay): (Vec<Waiting>, Vec<Waiting>) = waiting.into_iter().partition(|waiting| {
            let place = self.place_of(waiting.intent.strategy, waiting.intent.instrument);
            within.is_none_or(|scope| place.is_within(scope))
        });
        if let Some(consents) = &mut self.control.consents {
            consents.waiting = stay;
        }
        for waiting in ended {
            self.refused(&waiting.intent, Refusal { rule, limit: 0, value: 1 });
        }
    }
}
