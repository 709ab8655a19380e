//! The bounds of a careful start with money: they are written down before the engine starts, and no command of an
//! operator changes them while it runs.
//!
//! **Invariant:** what only closes is never held against them, as it is against no other limit.

use tradecore_types::{AccountId, InstrumentId, Money, OrderIntent, Refusal, Rule, TimeNs};

use crate::Proposal;
use crate::loss_guard::day_of;
use crate::measures::{notional, refusal};

/// What a venue account may do at most, whatever its other limits are set to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CanaryLimits {
    /// The account that it bounds.
    pub account: AccountId,
    /// Instruments that it may open anything in.
    pub instruments: Vec<InstrumentId>,
    /// Largest value of one order, with what it has traded.
    pub order_value_max: Money,
    /// Largest number of new orders in a day.
    pub orders_a_day_max: u32,
    /// Largest value of the position in one instrument either way, working orders included, at the last price.
    pub position_value_max: Money,
}

/// The bounds of one account, and the orders of its day.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct Canary {
    limits: CanaryLimits,
    /// Number of the day of its last order; `None` before the first one.
    day: Option<i64>,
    /// New orders of that day.
    orders: u32,
}

impl Canary {
    fn orders_of(&self, day: i64) -> u32 {
        if self.day == Some(day) { self.orders } else { 0 }
    }

    fn has(&self, instrument: InstrumentId) -> bool {
        self.limits.instruments.contains(&instrument)
    }
}

/// The bounds of every account that has some.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Canaries {
    of_accounts: Vec<Canary>,
    day_start_ns: i64,
}

impl Canaries {
    pub(crate) fn new(limits: &[CanaryLimits], day_start_ns: i64) -> Self {
        let canary = |limits: &CanaryLimits| Canary { limits: limits.clone(), day: None, orders: 0 };
        Self { of_accounts: limits.iter().map(canary).collect(), day_start_ns }
    }

    /// Tells whether any account has bounds.
    pub(crate) const fn is_on(&self) -> bool {
        !self.of_accounts.is_empty()
    }

    /// Judges a proposal that may add to a position.
    pub(crate) fn check(&self, proposal: &Proposal<'_, '_>, reference_ticks: i64) -> Result<(), Refusal> {
        let Some(canary) = self.of(proposal.instrument.currencies.account) else { return Ok(()) };
        if !canary.has(proposal.intent.instrument) {
            return Err(refusal(Rule::CanaryInstrument, 1, 0));
        }
        let value_ticks = proposal.intent.value_ticks(reference_ticks);
        self.check_size(proposal, value_ticks, reference_ticks)?;
        let orders = canary.orders_of(day_of(proposal.intent.time_ns, self.day_start_ns));
        let max = canary.limits.orders_a_day_max;
        let spare = u32::from(tradecore_types::is_planted("canary_orders_off_by_one"));
        if orders >= max.saturating_add(spare) && !proposal.is_amendment {
            return Err(refusal(Rule::CanaryOrdersADay, i128::from(max), i128::from(orders) + 1));
        }
        Ok(())
    }

    /// Judges the value of a proposal, and of the position that it could lead to.
    pub(crate) fn check_size(
        &self,
        proposal: &Proposal<'_, '_>,
        value_ticks: i64,
        reference_ticks: i64,
    ) -> Result<(), Refusal> {
        let Proposal { intent, lots, instrument, exposure, filled_lots, .. } = *proposal;
        let Some(canary) = self.of(instrument.currencies.account) else { return Ok(()) };
        let max = canary.limits.order_value_max;
        // An order is all that it trades: what was filled and is asked for anew makes it larger.
        let value = notional(instrument, value_ticks, lots.saturating_add(filled_lots));
        if value - i128::from(tradecore_types::is_planted("canary_value_off_by_one")) > max.0 {
            return Err(refusal(Rule::CanaryOrderValue, max.0, value));
        }
        // More lots than fit are worth more than any bound; a position of the other side is bounded by its own orders.
        let worst = exposure.account.worst_position(intent.side, lots).max(0);
        let worst = i64::try_from(worst).unwrap_or(i64::MAX);
        let max = canary.limits.position_value_max;
        let value = notional(instrument, reference_ticks, worst);
        if value > max.0 {
            return Err(refusal(Rule::CanaryPositionValue, max.0, value));
        }
        Ok(())
    }

    /// Counts an approved new order.
    pub(crate) fn note_order(&mut self, intent: &OrderIntent) {
        let day = day_of(intent.time_ns, self.day_start_ns);
        if let Some(canary) = self.of_accounts.iter_mut().find(|canary| canary.has(intent.instrument)) {
            canary.orders = canary.orders_of(day).saturating_add(1);
            canary.day = Some(day);
        }
    }

    /// Returns how many new orders an account has made in the day of this moment; `None` where it has no bounds.
    pub(crate) fn orders_of_day(&self, account: AccountId, now_ns: TimeNs) -> Option<u32> {
        Some(self.of(account)?.orders_of(day_of(now_ns, self.day_start_ns)))
    }

    /// Appends the canonical bytes of what decides later checks; nothing where no account has bounds.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for canary in &self.of_accounts {
            out.extend_from_slice(&canary.day.unwrap_or(i64::MIN).to_le_bytes());
            out.extend_from_slice(&canary.orders.to_le_bytes());
        }
    }

    fn of(&self, account: AccountId) -> Option<&Canary> {
        self.of_accounts.iter().find(|canary| canary.limits.account == account)
    }
}
