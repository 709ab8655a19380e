//! Pre-trade checks of one strategy, or of the account as a whole.

use tradecore_types::{Decimal, InstrumentId, OrderIntent, Refusal, Rule, TimeNs};

use crate::loss_guard::LossGuard;
use crate::measures::{notional, refusal};
use crate::rate_window::RateWindow;
use crate::recent_orders::RecentOrders;
use crate::{Halt, Proposal, ScopeLimits, Stake};

/// The limits of a scope and what they count.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct ScopeChecks {
    pub(crate) limits: ScopeLimits,
    /// Instruments it may trade, by id; `None`: every one.
    pub(crate) allowed: Option<Vec<bool>>,
    pub(crate) guard: LossGuard,
    pub(crate) halt: Option<Halt>,
    pub(crate) open_orders: u32,
    /// What its fills paid and took, fees included.
    pub(crate) cash: i128,
    messages: RateWindow,
    /// Of the messages the cancels and closing orders that a strategy asked for.
    urgent: RateWindow,
    executions: RateWindow,
    recent: RecentOrders,
}

impl ScopeChecks {
    /// Makes a checks with these limits.
    pub(crate) fn new(limits: &ScopeLimits, allowed: Option<Vec<bool>>) -> Self {
        Self {
            messages: RateWindow::new(limits.message_rate_max),
            urgent: RateWindow::new(limits.reserve()),
            executions: RateWindow::new(limits.executions_max),
            limits: *limits,
            allowed,
            ..Self::default()
        }
    }

    /// Tells whether it checks anything.
    pub(crate) fn is_on(&self) -> bool {
        self.limits.is_on() || self.allowed.is_some()
    }

    /// Takes new limits; what was counted is kept as far as the new limits need it.
    pub(crate) fn set_limits(&mut self, limits: &ScopeLimits) {
        if limits.message_rate_max != self.limits.message_rate_max {
            self.messages.resize(limits.message_rate_max);
        }
        if limits.reserve() != self.limits.reserve() {
            self.urgent.resize(limits.reserve());
        }
        if limits.executions_max != self.limits.executions_max {
            self.executions.resize(limits.executions_max);
        }
        if limits.identical_window_ns.is_none() {
            self.recent.clear();
        }
        self.limits = *limits;
    }

    /// Ends a halt: executions are counted anew, and losses from the equity of now if they were its cause.
    pub(crate) fn release(&mut self) {
        self.executions.clear();
        if self.halt.take().is_some_and(|halt| halt.rule != Rule::ExecutionsMax) {
            self.guard.restart(self.guard.last());
        }
    }

    /// Judges an order that may add to a position; `stake` is that of the scope.
    pub(crate) fn check(
        &self,
        proposal: &Proposal<'_, '_>,
        price_ticks: i64,
        stake: Stake,
    ) -> Result<(), Refusal> {
        if let Some(halt) = self.halt.filter(|_| !tradecore_types::is_planted("halt_passed_over")) {
            return Err(Refusal { rule: halt.rule, limit: halt.limit, value: halt.value });
        }
        self.check_allowed(proposal.intent.instrument)?;
        self.check_size(proposal, price_ticks, stake)?;
        match self.limits.open_orders_max {
            Some(max) if self.open_orders >= max && !proposal.is_amendment => {
                let value = i128::from(self.open_orders) + 1;
                return Err(refusal(Rule::OpenOrdersMax, i128::from(max), value));
            }
            _ => {}
        }
        self.check_identical(proposal)
    }

    /// Tells whether it may trade an instrument.
    pub(crate) fn is_allowed(&self, instrument: InstrumentId) -> bool {
        match &self.allowed {
            Some(allowed) => allowed.get(instrument.index()).is_some_and(|is_allowed| *is_allowed),
            None => true,
        }
    }

    /// Lets it trade an instrument of so many, or no longer.
    pub(crate) fn permit(&mut self, instrument: InstrumentId, is_allowed: bool, instruments: usize) {
        if self.is_allowed(instrument) == is_allowed {
            return;
        }
        let allowed = self.allowed.get_or_insert_with(|| vec![true; instruments]);
        if let Some(known) = allowed.get_mut(instrument.index()) {
            *known = is_allowed;
        }
    }

    fn check_allowed(&self, instrument: InstrumentId) -> Result<(), Refusal> {
        let is_allowed = self.is_allowed(instrument) || tradecore_types::is_planted("permission_not_asked");
        if is_allowed { Ok(()) } else { Err(refusal(Rule::InstrumentNotAllowed, 1, 0)) }
    }

    /// Judges size, value and the position it could lead to.
    pub(crate) fn check_size(
        &self,
        proposal: &Proposal<'_, '_>,
        price_ticks: i64,
        stake: Stake,
    ) -> Result<(), Refusal> {
        let lots_of = |amount: Decimal| {
            let lots = amount.whole_steps(proposal.instrument.spec.lot_size);
            // So large that no order reaches it.
            i128::from(lots.unwrap_or(i64::MAX))
        };
        if let Some(max) =
            self.limits.quantity_max.map(lots_of).filter(|max| i128::from(proposal.lots) > *max)
        {
            return Err(refusal(Rule::QuantityMax, max, i128::from(proposal.lots)));
        }
        if let Some(max) = self.limits.notional_max {
            let value = notional(proposal.instrument, price_ticks, proposal.lots);
            if value > max.0 {
                return Err(refusal(Rule::NotionalMax, max.0, value));
            }
        }
        if let Some(max) = self.limits.position_max.map(lots_of) {
            let worst = stake.worst_position(proposal.intent.side, proposal.lots);
            if worst > max {
                return Err(refusal(Rule::PositionMax, max, worst));
            }
        }
        Ok(())
    }

    fn check_identical(&self, proposal: &Proposal<'_, '_>) -> Result<(), Refusal> {
        match self.limits.identical_window_ns {
            Some(window_ns) if !proposal.is_amendment => match self.recent.age_ns(proposal.intent, window_ns)
            {
                Some(age_ns) => Err(refusal(Rule::IdenticalOrder, i128::from(window_ns), i128::from(age_ns))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Judges the rate of messages. Cancels and closing orders (`is_urgent`) may use the whole rate, and the
    /// reserve is theirs even when the engine's own cancels and exits have used up the rate.
    pub(crate) fn check_messages(&self, now_ns: TimeNs, is_urgent: bool) -> Result<(), Refusal> {
        let Some(rate_max) = self.limits.message_rate_max else { return Ok(()) };
        let reserve = self.limits.reserve_of(rate_max);
        let is_urgent = is_urgent || tradecore_types::is_planted("reserve_for_everybody");
        let max = if is_urgent { rate_max } else { rate_max.saturating_sub(reserve) };
        let window_ns = self.limits.message_rate_window_ns;
        if self.messages.has_room(max, now_ns, window_ns)
            || (is_urgent && self.urgent.has_room(reserve, now_ns, window_ns))
        {
            return Ok(());
        }
        Err(refusal(Rule::MessageRateMax, i128::from(max), i128::from(max) + 1))
    }

    /// Counts a message on its way.
    pub(crate) fn note_message(&mut self, now_ns: TimeNs) {
        self.messages.record(now_ns);
    }

    /// Counts a message towards the reserve, beside [`ScopeChecks::note_message`].
    pub(crate) fn note_urgent(&mut self, now_ns: TimeNs) {
        self.urgent.record(now_ns);
    }

    /// Remembers a new order.
    pub(crate) fn note_order(&mut self, intent: &OrderIntent) {
        if let Some(window_ns) = self.limits.identical_window_ns {
            self.recent.record(intent, window_ns);
        }
    }

    /// Counts a fill; the last one a strategy may have by itself halts it.
    pub(crate) fn note_execution(&mut self, now_ns: TimeNs) -> Option<Halt> {
        let max = self.limits.executions_max?;
        self.executions.record(now_ns);
        let is_full = !tradecore_types::is_planted("executions_never_halt")
            && !self.executions.has_room(max, now_ns, self.limits.executions_window_ns);
        let (limit, value) = (i128::from(max), i128::from(max) + 1);
        is_full.then_some(Halt { rule: Rule::ExecutionsMax, limit, value })
    }

    /// Appends the canonical bytes of everything that decides later checks.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        self.limits.write_state(out);
        self.guard.write_state(out);
        let halt = self.halt.map_or((0, 0, 0), |halt| (halt.rule.code(), halt.limit, halt.value));
        out.push(halt.0);
        for value in [halt.1, halt.2, self.cash] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out.extend_from_slice(&self.open_orders.to_le_bytes());
        self.messages.write_state(out);
        self.urgent.write_state(out);
        self.executions.write_state(out);
        self.recent.write_state(out);
        for is_allowed in self.allowed.iter().flatten() {
            out.push(u8::from(*is_allowed));
        }
    }
}
