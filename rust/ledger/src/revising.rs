//! Trades that a venue has told anew: what was booked of one is taken back, and its new numbers take its place.
//!
//! **Invariant:** position and cash are those of the new numbers alone, whatever happened in between. What a trade opened
//! and nobody has closed is corrected where it stands, as if it had been told so at first. What was closed since then stays
//! closed: another price or fee of it is money alone, and touches nothing that is held. What of it never happened is taken
//! back by its opposite at its own price, so what was realised and what the open lots cost differ from that, and their
//! sum does not.

use tradecore_types::{CurrencyId, Money, OrderId};

use crate::accounts::Posting;
use crate::ledger::{Rest, overflow, value};
use crate::{ClosedTrade, FillInput, Ledger, LedgerError};

/// What is taken out of an open lot.
#[derive(Clone, Copy, Debug)]
struct Part {
    lot: usize,
    /// Signed as the lot is.
    lots: i64,
    value: i128,
    fee: i128,
}

impl Ledger {
    /// Takes back what was booked of a trade and books what it is from here on; at least one of both is there. What comes
    /// back of lots that the trade had closed stands under `entry`. Returns the entry orders whose lots have changed.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an amount does not fit; [`Ledger::check_revision`] says so before anything is changed.
    pub fn revise(
        &mut self,
        before: Option<&FillInput>,
        after: Option<&FillInput>,
        entry: OrderId,
    ) -> Result<Vec<OrderId>, LedgerError> {
        let fills = self.fills;
        let mut touched = Vec::new();
        match (before, after) {
            (Some(before), after) => {
                let fees = [self.other_fee(before, -1), after.and_then(|after| self.other_fee(after, 1))];
                let (own, own_after) =
                    (self.without_other_fee(before), after.map(|after| self.without_other_fee(after)));
                let currency = self.settlement(before.instrument).unwrap_or_default();
                let revise =
                    |ledger: &mut Self| ledger.revise_in(&own, own_after.as_ref(), entry, &mut touched);
                self.within(currency, revise)?;
                for (currency, fee) in fees.into_iter().flatten() {
                    self.post_fee(currency, fee)?;
                }
            }
            (None, Some(after)) => {
                let applied = self.apply_fill(after)?;
                touched.extend(applied.reductions.iter().map(|reduction| reduction.entry_order));
            }
            (None, None) => {}
        }
        // It is the same trade, or none any more.
        self.fills = match (before, after) {
            (Some(_), None) => fills.saturating_sub(1),
            (Some(_), Some(_)) => fills,
            (None, _) => self.fills,
        };
        if let Some(slot) = before.or(after).and_then(|fill| self.slot(fill.strategy, fill.instrument)) {
            self.drop_closed(slot, &touched);
        }
        debug_assert_eq!(self.audit(), Ok(()));
        Ok(touched)
    }

    /// Checks that a revision can be booked; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an id is not in the tables, a size is not above 0 or an amount does not fit.
    pub fn check_revision(
        &mut self,
        before: Option<&FillInput>,
        after: Option<&FillInput>,
    ) -> Result<(), LedgerError> {
        if let Some(before) = before {
            self.check_fill(&opposite(before, before.order_id)?)?;
        }
        after.map_or(Ok(()), |after| self.check_fill(after))
    }

    /// Revises a trade in the currency whose books are in place.
    fn revise_in(
        &mut self,
        before: &FillInput,
        after: Option<&FillInput>,
        entry: OrderId,
        touched: &mut Vec<OrderId>,
    ) -> Result<(), LedgerError> {
        let slot = self.slot(before.strategy, before.instrument);
        let slot =
            slot.ok_or(LedgerError::OutOfTable { strategy: before.strategy, instrument: before.instrument })?;
        touched.push(before.order_id);
        if let Some(after) = after
            && let Some(lot) = self.whole_lot(slot, before)
        {
            return self.correct_lot(slot, lot, before, after);
        }
        let rest = self.undo(slot, before)?;
        let kept_lots = after.map_or(0, |after| after.lots.min(rest.lots));
        let (kept, gone) = rest.split(kept_lots);
        if gone.lots > 0 {
            let gone = FillInput { lots: gone.lots, fee: Money(gone.fee), ..*before };
            let applied = self.apply_fill(&opposite(&gone, entry)?)?;
            touched.extend(applied.reductions.iter().map(|reduction| reduction.entry_order));
            touched.push(entry);
        }
        if let Some(after) = after {
            let (paid, more) = Rest { lots: after.lots, fee: after.fee.0 }.split(kept_lots);
            if kept_lots > 0 {
                let of = |fill: &FillInput, part: Rest| FillInput {
                    lots: kept_lots,
                    fee: Money(part.fee),
                    ..*fill
                };
                self.pay_anew(slot, &of(before, kept), &of(after, paid), entry)?;
            }
            if more.lots > 0 {
                let more = FillInput { lots: more.lots, fee: Money(more.fee), ..*after };
                let applied = self.apply_fill(&more)?;
                touched.extend(applied.reductions.iter().map(|reduction| reduction.entry_order));
            }
        }
        Ok(())
    }

    /// Books that lots which are closed were traded at another price, or for another fee: as profit or loss, and as a
    /// closed trade from the one price to the other.
    fn pay_anew(
        &mut self,
        slot: usize,
        before: &FillInput,
        after: &FillInput,
        entry: OrderId,
    ) -> Result<(), LedgerError> {
        let Some(instrument) = self.instruments.get(before.instrument.index()) else { return Ok(()) };
        let back = before.side.opposite();
        let was = value(instrument, before.price_ticks, back.sign() * before.lots)?;
        let is = value(instrument, after.price_ticks, back.sign() * before.lots)?;
        let fee = after.fee.0.checked_sub(before.fee.0).ok_or(overflow("fees"))?;
        let pnl = is.checked_sub(was).and_then(|gain| gain.checked_sub(fee)).ok_or(overflow("profit"))?;
        if (is, fee) == (was, 0) {
            return Ok(());
        }
        self.accounts =
            self.accounts.posted(&Posting { opened: was, closed_cost: was, closed_value: is, fee })?;
        self.last_slot = slot;
        self.trades.push(ClosedTrade {
            pnl: Money(pnl),
            commission: Money(fee),
            entry_time_ns: before.venue_time_ns,
            exit_time_ns: after.venue_time_ns,
            entry_order: entry,
            exit_order: after.order_id,
            entry_ticks: before.price_ticks,
            exit_ticks: after.price_ticks,
            lots: before.lots,
            instrument: before.instrument,
            strategy: before.strategy,
            side: back,
        });
        Ok(())
    }

    /// Returns the lot that a trade opened, if nothing of it is closed.
    fn whole_lot(&self, slot: usize, fill: &FillInput) -> Option<usize> {
        self.lots_of_trade(slot, fill).find(|&(_, lots)| lots == fill.lots).map(|(lot, _)| lot)
    }

    /// Visits the open lots of the order of a trade that came at its price, with their sizes.
    fn lots_of_trade(&self, slot: usize, fill: &FillInput) -> impl Iterator<Item = (usize, i64)> {
        let (price_ticks, sign) = (fill.price_ticks, fill.side.sign());
        let mut index = self.lots.first_of_entry(slot, fill.order_id);
        let lots_of_order = std::iter::from_fn(move || {
            let (found, lot) = (index, self.lots.get(index)?);
            index = lot.next_of_entry;
            Some((found, lot))
        });
        let of_trade =
            lots_of_order.filter(move |(_, lot)| lot.entry_ticks == price_ticks && lot.lots.signum() == sign);
        of_trade.map(|(index, lot)| (index, lot.lots.saturating_abs()))
    }

    /// Gives a lot of which nothing is closed the numbers that its trade has from here on, in its place.
    fn correct_lot(
        &mut self,
        slot: usize,
        index: usize,
        before: &FillInput,
        after: &FillInput,
    ) -> Result<(), LedgerError> {
        let sign = before.side.sign();
        let instrument = self.instruments.get(before.instrument.index());
        let Some(instrument) = instrument else { return Ok(()) };
        let was = value(instrument, before.price_ticks, sign * before.lots)?;
        let is = value(instrument, after.price_ticks, sign * after.lots)?;
        let cost = is.checked_sub(was).ok_or(overflow("cost"))?;
        let fee = after.fee.0.checked_sub(before.fee.0).ok_or(overflow("fees"))?;
        let more = after.lots - before.lots;
        self.shift(slot, before, sign * more, Posting { opened: cost, fee, ..Posting::default() })?;
        if let Some(holding) = self.holdings.get(slot) {
            let is = if self.lots.is_average() { 0 } else { is };
            self.lots.correct(holding.queue, index, sign * after.lots, after.price_ticks, is, after.fee.0);
        }
        Ok(())
    }

    /// Takes what a trade opened and nobody has closed out of the books, as if it had never been there; returns what is
    /// left of the trade.
    fn undo(&mut self, slot: usize, fill: &FillInput) -> Result<Rest, LedgerError> {
        let mut rest = Rest { lots: fill.lots, fee: fill.fee.0 };
        let mut parts: Vec<Part> = Vec::new();
        let (mut worth, mut fee) = (0i128, 0i128);
        for (index, held_lots) in self.lots_of_trade(slot, fill) {
            let (Some(lot), Some(instrument)) =
                (self.lots.get(index), self.instruments.get(fill.instrument.index()))
            else {
                continue;
            };
            let lots = held_lots.min(rest.lots);
            if lots == 0 {
                break;
            }
            let signed = lots * lot.lots.signum();
            let is_whole = lots == held_lots && !self.lots.is_average();
            let part = Part {
                lot: index,
                lots: signed,
                // The last part takes whatever rounding left, so that the parts sum to the whole.
                value: if is_whole { lot.value } else { value(instrument, fill.price_ticks, signed)? },
                fee: Rest { lots: held_lots, fee: lot.fee }.share(lots),
            };
            let back = rest.share(lots);
            worth = worth.checked_add(part.value).ok_or(overflow("value"))?;
            fee = fee.checked_add(back).ok_or(overflow("fees"))?;
            rest = Rest { lots: rest.lots - lots, fee: rest.fee - back };
            parts.push(part);
        }
        if parts.is_empty() || self.leaves_a_cost(slot, fill.lots - rest.lots, worth) {
            return Ok(Rest { lots: fill.lots, fee: fill.fee.0 });
        }
        let lots = fill.side.sign() * (rest.lots - fill.lots);
        self.shift(slot, fill, lots, Posting { opened: -worth, fee: -fee, ..Posting::default() })?;
        for part in parts {
            if let Some(holding) = self.holdings.get_mut(slot) {
                self.lots.cut_from(&mut holding.queue, part.lot, part.lots, part.value, part.fee);
            }
        }
        Ok(rest)
    }

    /// Tells whether a position of an average cost would be flat after so many lots are undone, and still cost something:
    /// what was closed of it since then took its share of a cost that was another.
    fn leaves_a_cost(&self, slot: usize, lots: i64, worth: i128) -> bool {
        self.holdings.get(slot).is_some_and(|held| {
            self.lots.is_average() && held.position.saturating_abs() == lots && held.cost != worth
        })
    }

    /// Changes a position by signed lots that were never traded, or traded at another price, and what follows from it.
    fn shift(
        &mut self,
        slot: usize,
        fill: &FillInput,
        lots: i64,
        posting: Posting,
    ) -> Result<(), LedgerError> {
        let accounts = self.accounts.posted(&posting)?;
        let (Some(holding), Some(total)) =
            (self.holdings.get_mut(slot), self.totals.get_mut(fill.instrument.index()))
        else {
            return Ok(());
        };
        let after = (moved_by(holding.position, lots)?, moved_by(total.position, lots)?);
        let cost = posting.opened;
        for known in [self.cost, holding.cost, total.cost] {
            known.checked_add(cost).ok_or(overflow("cost"))?;
        }
        let traded = if fill.side.sign() > 0 { &mut holding.bought } else { &mut holding.sold };
        *traded += i128::from(lots) * i128::from(fill.side.sign());
        let was_held = total.is_held();
        (holding.position, total.position) = after;
        holding.lots += i128::from(lots);
        holding.cost += cost;
        total.cost += cost;
        self.cost += cost;
        let is_held = total.is_held();
        self.accounts = accounts;
        self.last_slot = slot;
        if self.is_hedged(fill.instrument) {
            self.shift_leg(slot, fill.instrument.index(), fill.side, lots);
            self.note_held(fill.instrument.index(), self.is_held(fill.instrument.index()));
        } else if was_held != is_held {
            self.note_held(fill.instrument.index(), is_held);
        }
        Ok(())
    }

    /// Returns a fee that is in another currency than the settlement's, with a sign.
    fn other_fee(&self, fill: &FillInput, sign: i128) -> Option<(CurrencyId, i128)> {
        let currency = fill.fee_currency.filter(|_| self.has_currencies())?;
        let is_other = self.settlement(fill.instrument) != Some(currency);
        is_other.then(|| (currency, fill.fee.0.saturating_mul(sign)))
    }

    /// Returns a fill without a fee in another currency than the settlement's.
    fn without_other_fee(&self, fill: &FillInput) -> FillInput {
        match self.other_fee(fill, 1) {
            Some(_) => FillInput { fee: Money::ZERO, fee_currency: None, ..*fill },
            None => *fill,
        }
    }
}

/// Returns a position after it has changed by signed lots.
fn moved_by(position: i64, lots: i64) -> Result<i64, LedgerError> {
    let after = position.checked_add(lots);
    // The most negative position has no opposite: it could not be closed by one fill.
    after.filter(|&after| after != i64::MIN).ok_or(overflow("position"))
}

/// Returns the fill that takes another one back at its own price, its fee too. It closes what that one opened first, and
/// what it opens stands under `entry`.
fn opposite(fill: &FillInput, entry: OrderId) -> Result<FillInput, LedgerError> {
    Ok(FillInput {
        order_id: entry,
        side: fill.side.opposite(),
        fee: Money(fill.fee.0.checked_neg().ok_or(overflow("fees"))?),
        closes: Some(fill.order_id),
        ..*fill
    })
}
