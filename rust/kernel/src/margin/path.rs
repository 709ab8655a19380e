//! Margin on the way of the price through a bar: where it is used up, and what happens there.
//!
//! Orders and margin see one path: the walk of the matcher ([`tradecore_matching::BarMatcher`]) asks before each
//! order that the price comes to, and stops where the margin does not do. Then nothing waits for the rest of the
//! bar, because a liquidation cancels the orders of the instrument, and what is still held is followed on.

use tradecore_ledger::Ledger;
use tradecore_matching::Stop;
use tradecore_types::InstrumentId;

use crate::books::account::margin_mut;
use crate::margin::{Margin, MarginMode, overflow};
use crate::{Kernel, KernelError};

/// A straight piece of the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) instrument: InstrumentId,
    pub(crate) from_ticks: i64,
    pub(crate) to_ticks: i64,
}

impl Margin {
    /// Returns the first price on a piece of the path at which what is held of the instrument has not the margin it
    /// needs. The other instruments stand at their marks.
    pub(crate) fn first_breach(
        &mut self,
        ledger: &Ledger,
        marks: &[Option<i64>],
        leg: Leg,
    ) -> Result<Option<i64>, KernelError> {
        let position = ledger.position_total(leg.instrument);
        let is_against = leg.to_ticks.saturating_sub(leg.from_ticks).signum() == -position.signum();
        // Both sides need margin, and more of it as the price rises: it can run out on the way by which the net gains.
        let is_adverse = is_against || ledger.is_hedged(leg.instrument);
        if ledger.size_total(leg.instrument) == 0 || self.get(leg.instrument).is_none() {
            return Ok(None);
        }
        self.trim(ledger.balance_of(self.account).0);
        let found = self.search_breach(ledger, marks, leg, is_adverse);
        // What was looked at was a price that may come: the mark is looked at anew.
        self.watch.touch_price(leg.instrument);
        found
    }

    /// Looks at one piece after the other in which the same bracket holds: where one begins, the maintenance margin
    /// may make a step, whichever way the price goes.
    fn search_breach(
        &mut self,
        ledger: &Ledger,
        marks: &[Option<i64>],
        leg: Leg,
        is_adverse: bool,
    ) -> Result<Option<i64>, KernelError> {
        let Leg { instrument, to_ticks, .. } = leg;
        let mut from_ticks = leg.from_ticks;
        loop {
            let until_ticks = self.end_of_bracket(ledger, Leg { from_ticks, ..leg })?;
            let piece = Leg { instrument, from_ticks, to_ticks: until_ticks };
            let found = self.search_piece(ledger, marks, piece, is_adverse)?;
            if found.is_some() || until_ticks == to_ticks {
                return Ok(found);
            }
            from_ticks = until_ticks + (to_ticks - until_ticks).signum();
        }
    }

    /// Returns the last price on a way at which the bracket of its beginning holds.
    fn end_of_bracket(&self, ledger: &Ledger, leg: Leg) -> Result<i64, KernelError> {
        let Leg { instrument, from_ticks, to_ticks } = leg;
        let Some(margined) = self.get(instrument).filter(|known| known.rule.schedule.has_brackets()) else {
            return Ok(to_ticks);
        };
        let lots = ledger.margin_total(instrument);
        let bracket_at = |price_ticks| {
            let notional = margined.instrument.notional(price_ticks, lots)?;
            margined.rule.schedule.bracket_of(notional)
        };
        let first = bracket_at(from_ticks).ok_or_else(overflow)?;
        // The notional goes one way as long as the price keeps its sign.
        let to_ticks = if from_ticks.signum() * to_ticks.signum() < 0 { 0 } else { to_ticks };
        if bracket_at(to_ticks).ok_or_else(overflow)? == first {
            return Ok(to_ticks);
        }
        let (mut same, mut other) = (from_ticks, to_ticks);
        while same.abs_diff(other) > 1 {
            let middle = same.midpoint(other);
            if bracket_at(middle).ok_or_else(overflow)? == first {
                same = middle;
            } else {
                other = middle;
            }
        }
        Ok(same)
    }

    /// Halves the way until the price is found. Against a position the margin only ever gets less; in its favour it
    /// only gets more, and the beginning decides.
    fn search_piece(
        &mut self,
        ledger: &Ledger,
        marks: &[Option<i64>],
        leg: Leg,
        is_adverse: bool,
    ) -> Result<Option<i64>, KernelError> {
        let Leg { instrument, from_ticks, to_ticks } = leg;
        let mut is_breached = |price_ticks| self.is_breached(ledger, marks, instrument, price_ticks);
        if is_breached(from_ticks)? {
            return Ok(Some(from_ticks));
        }
        if !is_adverse || !is_breached(to_ticks)? {
            return Ok(None);
        }
        let (mut good, mut bad) = (from_ticks, to_ticks);
        while good.abs_diff(bad) > 1 {
            let middle = good.midpoint(bad);
            if is_breached(middle)? {
                bad = middle;
            } else {
                good = middle;
            }
        }
        Ok(Some(bad))
    }

    /// Tells whether the margin behind the position in an instrument is used up at a price.
    fn is_breached(
        &mut self,
        ledger: &Ledger,
        marks: &[Option<i64>],
        instrument: InstrumentId,
        price_ticks: i64,
    ) -> Result<bool, KernelError> {
        let Some(margined) = self.get(instrument) else { return Ok(false) };
        if margined.rule.mode == MarginMode::Isolated {
            let (equity, maintenance) = margined.isolated(ledger, price_ticks)?;
            return Ok(equity <= maintenance);
        }
        self.watch.touch_price(instrument);
        self.look_with(ledger, |id| {
            if id == instrument { Some(price_ticks) } else { marks.get(id.index()).copied().flatten() }
        })?;
        let (equity, maintenance) = self.cross(ledger.balance_of(self.account).0)?;
        Ok(maintenance > 0 && equity <= maintenance)
    }
}

impl Kernel {
    /// Closes by force where the walk through a bar has stopped, and follows what is left on the rest of the path.
    pub(crate) fn follow_stop(
        &mut self,
        instrument: InstrumentId,
        stop: Option<Stop>,
    ) -> Result<(), KernelError> {
        let Some(Stop { price_ticks, corners }) = stop else { return Ok(()) };
        self.force_at(instrument, price_ticks)?;
        let mut from_ticks = price_ticks;
        for to_ticks in corners {
            while let Some(price_ticks) = self.breach_on(Leg { instrument, from_ticks, to_ticks })? {
                self.force_at(instrument, price_ticks)?;
                if price_ticks == from_ticks {
                    break;
                }
                from_ticks = price_ticks;
            }
            from_ticks = to_ticks;
        }
        // The close values what is left.
        self.set_mark(instrument, from_ticks);
        Ok(())
    }

    fn force_at(&mut self, instrument: InstrumentId, price_ticks: i64) -> Result<(), KernelError> {
        self.set_mark(instrument, price_ticks);
        self.enforce_margin()
    }

    fn breach_on(&mut self, leg: Leg) -> Result<Option<i64>, KernelError> {
        let account = self.account_of(leg.instrument);
        match margin_mut(&mut self.books.accounts, account) {
            Some(margin) => margin.first_breach(&self.books.ledger, &self.books.marks, leg),
            None => Ok(None),
        }
    }
}
