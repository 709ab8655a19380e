//! Tickets: positions of which a strategy may have several in one instrument, long and short at once.
//!
//! Where an instrument hedges, each entry order opens a ticket under its own number. A fill that names no ticket opens
//! lots, whatever is held of the other side; one that names a ticket closes lots of that and of no other.
//!
//! **Invariant:** what is long less what is short is the position, in each instrument and for each strategy.

use tradecore_types::{Instrument, InstrumentId, Money, OrderId, Side, StrategyId, TimeNs};

use crate::error::must_equal;
use crate::hedges::{Hedges, Legs};
use crate::ledger::Holding;
use crate::lots::{NONE, OpenLot};
use crate::wire::Put;
use crate::{BrokenInvariant, Ledger, LedgerError, Reduction};

/// What one entry order has opened and nobody has closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Number of the order that opened it: what closes it names that.
    pub entry_order: OrderId,
    /// Venue time of its first fill that is still open in part.
    pub entry_time_ns: TimeNs,
    /// What is open of it; short is negative.
    pub lots: i64,
    /// Its lots times the price at which each was opened, in ticks, whatever its side.
    pub tick_lots: i128,
    /// What is open of it cost at entry, signed.
    pub cost: Money,
    /// Entry fees of what is open.
    pub fees: Money,
    /// How many lots of it are closed, above 0 on either side.
    pub closed_lots: i64,
    /// Profit of these, after the fees of entry and exit.
    pub realised: Money,
}

impl Ledger {
    /// Tells whether a strategy may be long and short of an instrument at once.
    #[must_use]
    #[inline]
    pub fn is_hedged(&self, instrument: InstrumentId) -> bool {
        self.hedges.is_some() && self.is_among_hedged(instrument)
    }

    /// Answers where any instrument hedges; apart, so that nobody else carries it along.
    #[cold]
    #[inline(never)]
    fn is_among_hedged(&self, instrument: InstrumentId) -> bool {
        self.instruments.get(instrument.index()).is_some_and(Instrument::is_hedged)
    }

    /// Returns what a strategy holds of an instrument on both sides.
    #[must_use]
    pub fn legs(&self, strategy: StrategyId, instrument: InstrumentId) -> Legs {
        match (&self.hedges, self.slot(strategy, instrument)) {
            (Some(hedges), Some(slot)) if self.is_hedged(instrument) => hedges.legs(slot, 0).0,
            _ => Legs::of_position(self.position(strategy, instrument)),
        }
    }

    /// Returns what all strategies hold of an instrument on both sides; positions that are netted meet.
    #[must_use]
    pub fn legs_total(&self, instrument: InstrumentId) -> Legs {
        match &self.hedges {
            Some(hedges) if self.is_hedged(instrument) => hedges.legs(0, instrument.index()).1,
            _ => Legs::of_position(self.position_total(instrument)),
        }
    }

    /// Returns the size of what all strategies hold of an instrument, never negative. Both sides count where positions
    /// hedge.
    #[must_use]
    #[inline]
    pub fn size_total(&self, instrument: InstrumentId) -> i64 {
        if self.is_hedged(instrument) {
            self.legs_total(instrument).size()
        } else {
            self.position_total(instrument).saturating_abs()
        }
    }

    /// Returns the lots of what all strategies hold of an instrument for which margin is asked, never negative: where
    /// positions hedge, those of both sides or of the larger one, as the account has it.
    #[must_use]
    #[inline]
    pub fn margin_total(&self, instrument: InstrumentId) -> i64 {
        self.margin_lots(instrument, self.position_total(instrument)).saturating_abs()
    }

    /// Returns the lots for which a position of an instrument counts: those of its sides where it hedges.
    #[inline]
    pub(crate) fn margin_lots(&self, instrument: InstrumentId, position_lots: i64) -> i64 {
        if self.is_hedged(instrument) { self.margin_of_sides(instrument) } else { position_lots }
    }

    #[cold]
    fn margin_of_sides(&self, instrument: InstrumentId) -> i64 {
        self.margin_after(instrument, 0, 0)
    }

    /// Returns the lots for which margin is asked of both sides once orders have opened so many lots of each, whose sum
    /// counts as the largest number where it does not fit.
    #[must_use]
    pub fn margin_after(&self, instrument: InstrumentId, buy_lots: i64, sell_lots: i64) -> i64 {
        let Legs { long, short } = self.legs_total(instrument);
        let rule = self.instruments.get(instrument.index()).map(|known| known.hedged_margin);
        rule.unwrap_or_default().lots(long.saturating_add(buy_lots), short.saturating_add(sell_lots))
    }

    /// Visits the tickets of a strategy in an instrument, the oldest first; none where positions are netted.
    pub fn tickets(&self, strategy: StrategyId, instrument: InstrumentId) -> impl Iterator<Item = Ticket> {
        let slot = self.slot(strategy, instrument).filter(|_| self.is_hedged(instrument));
        slot.into_iter().flat_map(move |slot| {
            let queue = self.holdings.get(slot).map(|holding| holding.queue);
            let lots = queue.into_iter().flat_map(|queue| self.lots.iter(queue));
            let is_first = move |lot: &&OpenLot| {
                let first = self.lots.get(self.lots.first_of_entry(slot, lot.entry_order));
                first.is_some_and(|first| std::ptr::eq(first, *lot))
            };
            lots.filter(is_first).map(move |lot| self.ticket_of(slot, lot))
        })
    }

    /// Returns a ticket of a strategy; `None` when nothing of it is open.
    #[must_use]
    pub fn ticket(&self, strategy: StrategyId, instrument: InstrumentId, entry: OrderId) -> Option<Ticket> {
        let slot = self.slot(strategy, instrument).filter(|_| self.is_hedged(instrument))?;
        let first = self.lots.get(self.lots.first_of_entry(slot, entry))?;
        Some(self.ticket_of(slot, first))
    }

    fn ticket_of(&self, slot: usize, first: &OpenLot) -> Ticket {
        let entry_order = first.entry_order;
        let closed = self.hedges.as_ref().and_then(|hedges| hedges.closed.get(&(slot, entry_order)));
        let closed = closed.copied().unwrap_or_default();
        let mut ticket = Ticket {
            entry_order,
            entry_time_ns: first.entry_time_ns,
            lots: 0,
            tick_lots: 0,
            cost: Money::ZERO,
            fees: Money::ZERO,
            closed_lots: closed.lots,
            realised: Money(closed.pnl),
        };
        let (mut cost, mut fees) = (0_i128, 0_i128);
        for lot in self.lots.of_entry(first) {
            let size = i128::from(lot.lots.saturating_abs());
            ticket.lots = ticket.lots.saturating_add(lot.lots);
            ticket.tick_lots = ticket.tick_lots.saturating_add(i128::from(lot.entry_ticks) * size);
            (cost, fees) = (cost.saturating_add(lot.value), fees.saturating_add(lot.fee));
        }
        Ticket { cost: Money(cost), fees: Money(fees), ..ticket }
    }

    /// Returns the first lot of a ticket that a fill of this side closes: it is on the other side.
    pub(crate) fn first_to_close(&self, slot: usize, ticket: OrderId, side: Side) -> usize {
        let held_lots = self.lots.lots_of_entry(slot, ticket);
        if side.closable_lots(held_lots) > 0 { self.lots.first_of_entry(slot, ticket) } else { NONE }
    }

    /// Moves the leg of a side by signed lots of that side that were never traded, or came back.
    pub(crate) fn shift_leg(&mut self, slot: usize, index: usize, side: Side, lots: i64) {
        let Some(hedges) = &mut self.hedges else { return };
        let moved = |legs: Legs| match side {
            Side::Buy => Legs { long: legs.long.saturating_add(lots), ..legs },
            Side::Sell => Legs { short: legs.short.saturating_sub(lots), ..legs },
        };
        let (own, total) = hedges.legs(slot, index);
        hedges.set(slot, index, (moved(own), moved(total)));
    }

    /// Forgets what was closed of tickets of which nothing is left.
    pub(crate) fn drop_closed(&mut self, slot: usize, tickets: &[OrderId]) {
        let Self { hedges: Some(hedges), lots, .. } = self else { return };
        for ticket in tickets.iter().filter(|ticket| lots.lots_of_entry(slot, **ticket) == 0) {
            hedges.closed.remove(&(slot, *ticket));
        }
    }

    /// Checks that both sides fit once a fill has opened these signed lots.
    pub(crate) fn check_legs(&self, instrument: InstrumentId, opened_lots: i64) -> Result<(), LedgerError> {
        let Some(hedges) = &self.hedges else { return Ok(()) };
        // All strategies together have at least what each of them has.
        let total = hedges.legs(0, instrument.index()).1;
        total.with(opened_lots).map(|_| ()).ok_or(LedgerError::Overflow { what: "position" })
    }

    /// Moves the legs by what a fill closed and opened, and counts what was closed of which ticket.
    #[cold]
    pub(crate) fn move_legs(&mut self, slot: usize, instrument: InstrumentId, opened_lots: i64) {
        if !self.is_hedged(instrument) {
            return;
        }
        let Self { hedges: Some(hedges), cuts, reductions, .. } = self else { return };
        let (mut own, mut total) = hedges.legs(slot, instrument.index());
        for (cut, Reduction { entry_order, closed_lots, remaining_lots }) in
            cuts.iter().zip(reductions.iter())
        {
            (own, total) = (own.without(cut.lots), total.without(cut.lots));
            if *remaining_lots == 0 {
                hedges.closed.remove(&(slot, *entry_order));
            } else {
                let part = hedges.closed.entry((slot, *entry_order)).or_default();
                part.lots = part.lots.saturating_add(*closed_lots);
                part.pnl = part.pnl.saturating_add(cut.pnl().unwrap_or_default());
            }
        }
        let moved = (own.with(opened_lots).unwrap_or(own), total.with(opened_lots).unwrap_or(total));
        hedges.set(slot, instrument.index(), moved);
        let is_held = self.is_held(instrument.index());
        self.note_held(instrument.index(), is_held);
    }

    /// Adds a lot that was open when the books were.
    pub(crate) fn open_leg(
        &mut self,
        slot: usize,
        instrument: InstrumentId,
        lots: i64,
    ) -> Result<(), LedgerError> {
        self.check_legs(instrument, lots)?;
        if let Some(hedges) = &mut self.hedges {
            let (own, total) = hedges.legs(slot, instrument.index());
            let moved = (own.with(lots).unwrap_or(own), total.with(lots).unwrap_or(total));
            hedges.set(slot, instrument.index(), moved);
        }
        Ok(())
    }

    /// Tells whether there is anything to value of an instrument: both sides may be as large, and cost as much.
    pub(crate) fn is_held(&self, index: usize) -> bool {
        let is_hedged = |hedges: &Hedges| hedges.legs(0, index).1.size() != 0;
        self.totals.get(index).is_some_and(crate::ledger::Total::is_held)
            || self.hedges.as_deref().is_some_and(is_hedged)
    }

    /// Checks that the legs of the pair that a fill touched are its position.
    #[cold]
    pub(crate) fn check_legs_of(&self, slot: usize, held: &Holding) -> Result<(), BrokenInvariant> {
        let Some(hedges) = self.hedges.as_ref().filter(|_| self.is_hedged_at(slot)) else { return Ok(()) };
        let legs = hedges.legs(slot, 0).0;
        must_equal("long less short is the position", i128::from(legs.net()), i128::from(held.position))
    }

    /// Checks the legs of every pair, and those of all strategies, from the lots up.
    pub(crate) fn audit_legs(&self) -> Result<(), BrokenInvariant> {
        let Some(hedges) = &self.hedges else { return Ok(()) };
        let mut sums = vec![Legs::default(); hedges.totals.len()];
        for (slot, held) in self.holdings.iter().enumerate().filter(|(slot, _)| self.is_hedged_at(*slot)) {
            let legs = self
                .lots
                .iter(held.queue)
                .fold(Legs::default(), |legs, lot| legs.with(lot.lots).unwrap_or(legs));
            let known = hedges.legs(slot, 0).0;
            must_equal("long is the sum of long lots", i128::from(known.long), i128::from(legs.long))?;
            must_equal("short is the sum of short lots", i128::from(known.short), i128::from(legs.short))?;
            if let Some(sum) = sums.get_mut(slot % self.instruments.len().max(1)) {
                *sum = Legs { long: sum.long + legs.long, short: sum.short + legs.short };
            }
        }
        for (total, sum) in hedges.totals.iter().zip(&sums) {
            must_equal("all that is long is the sum of strategies", total.long.into(), sum.long.into())?;
            must_equal("all that is short is the sum of strategies", total.short.into(), sum.short.into())?;
        }
        Ok(())
    }

    fn is_hedged_at(&self, slot: usize) -> bool {
        let index = slot % self.instruments.len().max(1);
        self.instruments.get(index).is_some_and(Instrument::is_hedged)
    }

    /// Appends what was closed of tickets that are open, by strategy, instrument and ticket.
    pub(crate) fn write_tickets(&self, out: &mut Vec<u8>) {
        let Some(hedges) = &self.hedges else { return };
        let mut closed: Vec<_> = hedges.closed.iter().collect();
        closed.sort_unstable_by_key(|(key, _)| **key);
        for ((slot, entry), part) in closed {
            slot.put(out);
            entry.0.put(out);
            part.lots.put(out);
            part.pnl.put(out);
        }
    }
}
