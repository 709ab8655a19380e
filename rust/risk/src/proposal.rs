//! An intent with everything that it is judged by.

use tradecore_types::{Instrument, OrderIntent, TimeNs};

use crate::Exposure;

/// What the engine knows about prices when an order is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Reference price, `None` before the first one.
    pub price_ticks: Option<i64>,
    /// When it was learned, in UTC nanoseconds: a price that is too old is none.
    pub time_ns: TimeNs,
    /// Whether the book of the instrument is known to be wrong.
    pub is_book_invalid: bool,
}

/// What stops trading for every strategy: switched by operators, and by the engine itself when it must not go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Switches {
    /// The kill switch is engaged.
    pub is_killed: bool,
    /// Trading is paused: what adds risk is refused, what closes is not.
    pub is_paused: bool,
    /// The books may not be what the venue has.
    pub is_unreconciled: bool,
}

/// An intent and what is known when it is put before risk.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'i, 'm> {
    /// The order that is to be judged.
    pub intent: &'i OrderIntent,
    /// Its size in lots, or an estimate while it is a share of buying power.
    pub lots: i64,
    /// The instrument it is about.
    pub instrument: &'m Instrument,
    /// What is known about prices.
    pub reference: Reference,
    /// What is at stake without it; an order that it takes the place of is left out.
    pub exposure: Exposure,
    /// What operators have switched on.
    pub switches: Switches,
    /// Whether it takes the place of an open order.
    pub is_amendment: bool,
    /// What that order has traded already; 0 for a new one.
    pub filled_lots: i64,
}
