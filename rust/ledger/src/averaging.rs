//! An account in which lots are closed at what their position cost on average.
//!
//! **Invariant:** its lots have no cost of their own. The cost is that of the position: what is closed takes its share of
//! it, so that all of it is taken when the position is flat.

use tradecore_types::{Instrument, Money, share_of};

use crate::error::must_equal;
use crate::ledger::{Cut, Holding};
use crate::{BrokenInvariant, Ledger, LedgerError};

const COST: LedgerError = LedgerError::Overflow { what: "the average cost" };

impl Ledger {
    /// Gives each part that a fill closes its share of the cost of the position.
    #[cold]
    pub(crate) fn average_cuts(&mut self, slot: usize) -> Result<(), LedgerError> {
        let Some(&Holding { position, cost, .. }) = self.holdings.get(slot) else { return Ok(()) };
        let mut share = Shares::of(cost, position);
        for cut in &mut self.cuts {
            cut.entry_value = share.next(cut.lots).ok_or(COST)?;
        }
        Ok(())
    }

    /// Checks what a position cost, whose lots cost so much by themselves.
    pub(crate) fn audit_average(held: &Holding, lots_cost: i128) -> Result<(), BrokenInvariant> {
        must_equal("the lots of an average position have no cost of their own", lots_cost, 0)?;
        let of_nothing = if held.position == 0 { held.cost } else { 0 };
        must_equal("a flat position costs nothing", of_nothing, 0)
    }
}

/// Hands out the cost of a position by lots; the last lot takes what rounding left.
pub(crate) struct Shares {
    cost: i128,
    held_lots: i128,
    told_lots: i128,
    told: i128,
}

impl Shares {
    /// Begins with all of a position.
    pub(crate) fn of(cost: i128, position: i64) -> Self {
        Self { cost, held_lots: i128::from(position).abs(), told_lots: 0, told: 0 }
    }

    /// Returns the share of the next lots; `None` when it does not fit.
    pub(crate) fn next(&mut self, lots: i64) -> Option<i128> {
        self.told_lots = self.told_lots.checked_add(i128::from(lots).abs())?;
        let until = share_of(self.cost, self.told_lots, self.held_lots)?;
        let share = until.checked_sub(self.told)?;
        self.told = until;
        Some(share)
    }
}

impl Cut {
    /// Returns the price at which the lots cost what they are closed at, rounded to a tick; that of the lot where it
    /// does not fit.
    #[cold]
    pub(crate) fn average_ticks(&self, instrument: Option<&Instrument>, own_ticks: i64) -> i64 {
        let average = instrument.and_then(|known| known.ticks_at(Money(self.entry_value), self.lots));
        average.unwrap_or(own_ticks)
    }
}
