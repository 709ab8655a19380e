//! Both sides of positions that hedge, and what was closed of tickets.

use rustc_hash::FxHashMap;
use tradecore_types::{Instrument, OrderId, Side};

/// What is held on both sides, in lots; neither is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Legs {
    /// What was bought and is not closed.
    pub long: i64,
    /// What was sold and is not closed.
    pub short: i64,
}

impl Legs {
    /// Returns the legs of a position that is netted.
    #[must_use]
    pub const fn of_position(position_lots: i64) -> Self {
        if position_lots < 0 {
            Self { long: 0, short: position_lots.saturating_neg() }
        } else {
            Self { long: position_lots, short: 0 }
        }
    }

    /// Returns what both sides are together.
    #[must_use]
    pub const fn size(self) -> i64 {
        self.long.saturating_add(self.short)
    }

    /// Returns what is long less what is short.
    #[must_use]
    pub const fn net(self) -> i64 {
        self.long.saturating_sub(self.short)
    }

    /// Returns the leg that orders on this side open.
    #[must_use]
    pub const fn opened_by(self, side: Side) -> i64 {
        match side {
            Side::Buy => self.long,
            Side::Sell => self.short,
        }
    }

    /// Adds signed lots to their side; `None` when both sides together do not fit.
    pub(crate) fn with(self, lots: i64) -> Option<Self> {
        let legs = if lots < 0 {
            Self { short: self.short.checked_sub(lots)?, ..self }
        } else {
            Self { long: self.long.checked_add(lots)?, ..self }
        };
        legs.long.checked_add(legs.short).map(|_| legs)
    }

    /// Takes signed lots that are closed off their side.
    pub(crate) const fn without(self, lots: i64) -> Self {
        if lots < 0 {
            Self { short: self.short.saturating_add(lots), ..self }
        } else {
            Self { long: self.long.saturating_sub(lots), ..self }
        }
    }
}

/// What was closed of a ticket that is still open.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct ClosedPart {
    pub(crate) lots: i64,
    pub(crate) pnl: i128,
}

/// What the ledger knows beside lots where any instrument hedges.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Hedges {
    /// By strategy, then instrument.
    slots: Vec<Legs>,
    /// By instrument.
    pub(crate) totals: Vec<Legs>,
    /// Of tickets that are open in part, by slot and entry.
    pub(crate) closed: FxHashMap<(usize, OrderId), ClosedPart>,
}

impl Hedges {
    /// Makes the legs; `None` when no instrument hedges.
    pub(crate) fn of(instruments: &[Instrument], slots: usize) -> Option<Box<Self>> {
        let makes = || {
            Box::new(Self {
                slots: vec![Legs::default(); slots],
                totals: vec![Legs::default(); instruments.len()],
                closed: FxHashMap::default(),
            })
        };
        instruments.iter().any(Instrument::is_hedged).then(makes)
    }

    pub(crate) fn legs(&self, slot: usize, index: usize) -> (Legs, Legs) {
        let of = |legs: &[Legs], place: usize| legs.get(place).copied().unwrap_or_default();
        (of(&self.slots, slot), of(&self.totals, index))
    }

    pub(crate) fn set(&mut self, slot: usize, index: usize, (own, total): (Legs, Legs)) {
        if let (Some(known), Some(sum)) = (self.slots.get_mut(slot), self.totals.get_mut(index)) {
            (*known, *sum) = (own, total);
        }
    }
}
