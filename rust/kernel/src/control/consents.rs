//! Wishes that wait for a person's yes, which are no orders: the rules, and what waits.
//!
//! A *consent* is a person's answer to a wish.

use tradecore_journal::encode_order;
use tradecore_types::{Money, OrderId, OrderIntent, TimeNs};

/// Which wishes wait for a person, how long, and how far the market may go meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConsentRules {
    /// What an entry is worth at most that needs nobody; `None`: every entry waits.
    pub value_max: Option<Money>,
    /// How long a wish waits, in nanoseconds, above 0.
    pub timeout_ns: i64,
    /// How far the price may move from where it was, in parts per million.
    pub move_ppm_max: i64,
}

/// A wish that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Waiting {
    /// What was asked for, and when; its number is the name of the wish.
    pub intent: OrderIntent,
    /// Its size.
    pub lots: i64,
    /// The order that must fill before it leaves.
    pub after: Option<OrderId>,
    /// The order that cancels it and that it cancels.
    pub oco: Option<OrderId>,
    /// The price of the market when it was asked for.
    pub reference_ticks: i64,
    /// When it ends by itself.
    pub until_ns: TimeNs,
}

/// The rules, and what waits, oldest first.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Consents {
    pub(crate) rules: ConsentRules,
    pub(crate) waiting: Vec<Waiting>,
}

impl Consents {
    /// Returns when the first wish ends by itself.
    pub(crate) fn due_ns(&self) -> TimeNs {
        self.waiting.iter().map(|waiting| waiting.until_ns).min().unwrap_or(TimeNs::MAX)
    }

    /// Takes out the first wish that ended by itself.
    pub(crate) fn take_overdue(&mut self, now_ns: TimeNs) -> Option<Waiting> {
        let index = self.waiting.iter().position(|waiting| waiting.until_ns <= now_ns)?;
        Some(self.waiting.remove(index))
    }

    /// Takes out a wish.
    pub(crate) fn take(&mut self, order_id: OrderId) -> Option<Waiting> {
        let index = self.waiting.iter().position(|waiting| waiting.intent.order_id == order_id)?;
        Some(self.waiting.remove(index))
    }

    /// Appends the canonical bytes of what decides later answers.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for Waiting { intent, lots, after, oco, reference_ticks, until_ns } in &self.waiting {
            encode_order(out, intent.time_ns, intent, *reference_ticks);
            for number in [*lots, *until_ns] {
                out.extend_from_slice(&number.to_le_bytes());
            }
            for order_id in [after, oco] {
                out.extend_from_slice(&order_id.map_or(0, |order_id| order_id.0).to_le_bytes());
            }
        }
    }
}
