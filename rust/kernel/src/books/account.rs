//! What the account does beyond positions: its fee tier, the interest on its shorts and its margin.

use tradecore_ledger::{FillInput, Ledger};
use tradecore_types::{Instrument, InstrumentId, Side, TimeNs, ValueError};
use tradecore_venue::{Borrow, FeeTiers};

use crate::margin::Margin;
use crate::{Kernel, KernelConfig, KernelError};

/// The parts that are switched on; a kernel without any has no account of this kind.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) tiers: Option<FeeTiers>,
    pub(crate) borrow: Option<Borrow>,
    pub(crate) margin: Option<Margin>,
}

impl Account {
    /// Makes what a configuration asks for; `None` when that is nothing.
    pub(crate) fn of(
        config: &KernelConfig,
        instruments: &[Instrument],
    ) -> Result<Option<Box<Self>>, ValueError> {
        let tiers = match &config.fee_tiers {
            tiers if tiers.is_empty() => None,
            tiers => Some(FeeTiers::new(config.venue.fees, tiers.clone(), config.fee_window)?),
        };
        let rates_ppm = config.instruments.iter().map(|instrument| instrument.borrow_ppm).collect();
        let borrow = Borrow::new(rates_ppm, config.strategies);
        let margin = Margin::of(config, instruments);
        let is_plain = tiers.is_none() && borrow.is_none() && margin.is_none();
        Ok((!is_plain).then(|| Box::new(Self { tiers, borrow, margin })))
    }

    /// Notes a fill that the ledger has booked.
    pub(crate) fn note_fill(
        &mut self,
        now_ns: TimeNs,
        instrument: &Instrument,
        fill: &FillInput,
        ledger: &Ledger,
    ) -> Result<(), KernelError> {
        if let Some(tiers) = &mut self.tiers
            && let Some(notional) = instrument.notional(fill.price_ticks, fill.lots)
        {
            tiers.note(now_ns, notional);
        }
        if let Some(borrow) = &mut self.borrow {
            let position_lots = ledger.position(fill.strategy, fill.instrument);
            borrow.note(now_ns, fill.strategy, fill.instrument, position_lots);
        }
        match &mut self.margin {
            Some(margin) => margin.note_fill(fill, ledger.position_total(instrument.id)),
            None => Ok(()),
        }
    }

    /// Notes the positions of an account that was carried over: interest counts from now, and the margin of isolated
    /// positions is the initial one at the prices of their entries.
    pub(crate) fn note_opening(&mut self, now_ns: TimeNs, ledger: &Ledger) -> Result<(), KernelError> {
        let mut positions: Vec<(InstrumentId, i64)> = Vec::new();
        for lot in ledger.opening_lots() {
            if let Some(borrow) = &mut self.borrow {
                let position_lots = ledger.position(lot.strategy, lot.instrument);
                borrow.note(now_ns, lot.strategy, lot.instrument, position_lots);
            }
            let Some(margin) = &mut self.margin else { continue };
            let known = positions.iter_mut().find(|known| known.0 == lot.instrument);
            let after = known.as_ref().map_or(0, |known| known.1).saturating_add(lot.lots);
            match known {
                Some(known) => known.1 = after,
                None => positions.push((lot.instrument, after)),
            }
            let fill = FillInput {
                order_id: lot.entry_order,
                strategy: lot.strategy,
                instrument: lot.instrument,
                side: if lot.lots > 0 { Side::Buy } else { Side::Sell },
                price_ticks: lot.entry_ticks,
                lots: lot.lots.saturating_abs(),
                fee: lot.fee,
                venue_time_ns: lot.entry_time_ns,
                closes: None,
            };
            margin.note_fill(&fill, after)?;
        }
        if let Some(margin) = &mut self.margin {
            margin.watch.touch_all();
        }
        Ok(())
    }

    /// Returns when there is something to do that no fill brings; the end of time when never.
    pub(crate) fn due_ns(&self) -> TimeNs {
        let tiers = self.tiers.as_ref().map_or(TimeNs::MAX, FeeTiers::next_roll_ns);
        let borrow = self.borrow.as_ref().map_or(TimeNs::MAX, Borrow::due_ns);
        tiers.min(borrow)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        if let Some(tiers) = &self.tiers {
            tiers.write_state(out);
        }
        if let Some(borrow) = &self.borrow {
            borrow.write_state(out);
        }
        if let Some(margin) = &self.margin {
            margin.write_state(out);
        }
    }
}

impl Kernel {
    /// Moves the time of the engine, and does what is due by it.
    #[inline]
    pub(crate) fn set_now(&mut self, time_ns: TimeNs) -> Result<(), KernelError> {
        self.now_ns = self.now_ns.max(time_ns);
        if self.now_ns < self.clock_due_ns { Ok(()) } else { self.keep_time() }
    }

    /// Does what is due by the clock alone, the earlier first: a sample of the equity, the end of a day.
    #[inline(never)]
    fn keep_time(&mut self) -> Result<(), KernelError> {
        let day_ns = day_due(self.books.account.as_deref());
        if self.curve.due_ns() <= day_ns {
            self.sample_due()?;
        }
        if self.now_ns >= day_ns {
            self.book_borrow(false)?;
            if let Some(tiers) = self.books.account.as_mut().and_then(|account| account.tiers.as_mut()) {
                tiers.roll(self.now_ns);
            }
            self.settle_account();
            self.sample_due()?;
        }
        self.clock_due_ns = day_due(self.books.account.as_deref()).min(self.curve.due_ns());
        Ok(())
    }

    /// Hands the rates of the fee tier to every venue and plans the next end of a day.
    pub(crate) fn settle_account(&mut self) {
        let Some(account) = &self.books.account else { return };
        self.clock_due_ns = account.due_ns().min(self.curve.due_ns());
        let Some(rates) = account.tiers.as_ref().map(FeeTiers::rates) else { return };
        if rates == self.config.venue.fees {
            return;
        }
        self.config.venue.fees = rates;
        for market in &mut self.markets {
            market.venue.set_fees(rates);
        }
    }
}

/// Returns when the account has something to do that no fill brings; the end of time when never.
fn day_due(account: Option<&Account>) -> TimeNs {
    account.map_or(TimeNs::MAX, Account::due_ns)
}
