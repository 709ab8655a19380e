//! What venue accounts do beyond positions: fee tiers, the interest on shorts and margin.

use tradecore_ledger::{FillInput, Ledger};
use tradecore_matching::FeeSchedule;
use tradecore_types::{AccountId, Instrument, InstrumentId, Side, TimeNs, ValueError};
use tradecore_venue::{Borrow, FeeTier, FeeTiers, FeeWindow};

use crate::books::Books;
use crate::margin::Margin;
use crate::{Kernel, KernelConfig, KernelError};

/// What one venue account has of its own.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) tiers: Option<FeeTiers>,
    pub(crate) margin: Option<Margin>,
}

/// The parts that are switched on; a kernel without any has no accounts of this kind.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Accounts {
    /// Interest is by instrument, so by account too.
    pub(crate) borrow: Option<Borrow>,
    /// By the number of the account.
    each: Vec<Account>,
}

impl Account {
    fn of(config: &KernelConfig, instruments: &[Instrument], id: AccountId) -> Result<Self, ValueError> {
        let (rates, tiers, window) = fees_of(config, id);
        let tiers = match tiers {
            [] => None,
            tiers => Some(FeeTiers::new(rates, tiers.to_vec(), window)?),
        };
        Ok(Self { tiers, margin: Margin::of(config, instruments, id) })
    }
}

/// Returns the fees of an account: what everybody pays, the tiers and their window.
fn fees_of(config: &KernelConfig, id: AccountId) -> (FeeSchedule, &[FeeTier], FeeWindow) {
    match config.other(id) {
        Some(other) => (other.venue.fees, &other.fee_tiers, other.fee_window),
        None => (config.venue.fees, &config.fee_tiers, config.fee_window),
    }
}

impl Accounts {
    /// Makes what a configuration asks for; `None` when that is nothing.
    pub(crate) fn of(
        config: &KernelConfig,
        instruments: &[Instrument],
    ) -> Result<Option<Box<Self>>, ValueError> {
        let rates_ppm = config.instruments.iter().map(|instrument| instrument.borrow_ppm).collect();
        let borrow = Borrow::new(rates_ppm, config.strategies);
        let each: Vec<Account> =
            config.account_ids().map(|id| Account::of(config, instruments, id)).collect::<Result<_, _>>()?;
        let is_plain = borrow.is_none() && each.iter().all(|own| own.tiers.is_none() && own.margin.is_none());
        Ok((!is_plain).then(|| Box::new(Self { borrow, each })))
    }

    /// Returns the margin of an account; `None` where no instrument of it has rules.
    #[inline]
    pub(crate) fn margin(&self, id: AccountId) -> Option<&Margin> {
        self.each.get(id.index()).and_then(|own| own.margin.as_ref())
    }

    /// Returns the margin of an account to change it.
    #[inline]
    pub(crate) fn margin_mut(&mut self, id: AccountId) -> Option<&mut Margin> {
        self.each.get_mut(id.index()).and_then(|own| own.margin.as_mut())
    }

    /// Visits the margin of every account that has any.
    pub(crate) fn margins_mut(&mut self) -> impl Iterator<Item = &mut Margin> {
        self.each.iter_mut().filter_map(|own| own.margin.as_mut())
    }

    /// Tells whether any instrument has margin rules.
    pub(crate) fn has_margin(&self) -> bool {
        self.each.iter().any(|own| own.margin.is_some())
    }

    /// Notes a fill that the ledger has booked.
    pub(crate) fn note_fill(
        &mut self,
        now_ns: TimeNs,
        instrument: &Instrument,
        fill: &FillInput,
        ledger: &Ledger,
    ) -> Result<(), KernelError> {
        let Some(own) = self.each.get_mut(instrument.account().index()) else { return Ok(()) };
        if let Some(tiers) = &mut own.tiers
            && let Some(notional) = instrument.reported_notional(fill.price_ticks, fill.lots)
        {
            tiers.note(now_ns, notional);
        }
        if let Some(borrow) = &mut self.borrow {
            let short_lots = ledger.legs(fill.strategy, fill.instrument).short;
            borrow.note(now_ns, fill.strategy, fill.instrument, short_lots.saturating_neg());
        }
        match &mut own.margin {
            Some(margin) => margin.note_fill(fill, ledger.position_total(instrument.id)),
            None => Ok(()),
        }
    }

    /// Notes a trade that the ledger has taken back and booked with other numbers. It is no volume of a fee tier.
    pub(crate) fn note_revision(
        &mut self,
        now_ns: TimeNs,
        instrument: &Instrument,
        before: Option<&FillInput>,
        after: Option<&FillInput>,
        ledger: &Ledger,
    ) -> Result<(), KernelError> {
        let Some(told) = before.or(after) else { return Ok(()) };
        if let Some(borrow) = &mut self.borrow {
            let short_lots = ledger.legs(told.strategy, told.instrument).short;
            borrow.note(now_ns, told.strategy, told.instrument, short_lots.saturating_neg());
        }
        let Some(margin) = self.margin_mut(instrument.account()) else { return Ok(()) };
        let position_lots = ledger.position_total(instrument.id);
        if let Some(before) = before {
            let again = after.map_or(0, |after| after.lots.saturating_mul(after.side.sign()));
            let back = FillInput { side: before.side.opposite(), ..*before };
            margin.note_fill(&back, position_lots.saturating_sub(again))?;
        }
        after.map_or(Ok(()), |after| margin.note_fill(after, position_lots))
    }

    /// Notes the positions of an account that was carried over: interest counts from now, and the margin of isolated
    /// positions is the initial one at the prices of their entries.
    pub(crate) fn note_opening(&mut self, now_ns: TimeNs, ledger: &Ledger) -> Result<(), KernelError> {
        let mut positions: Vec<(InstrumentId, i64)> = Vec::new();
        for lot in ledger.opening_lots() {
            if let Some(borrow) = &mut self.borrow {
                let short_lots = ledger.legs(lot.strategy, lot.instrument).short;
                borrow.note(now_ns, lot.strategy, lot.instrument, short_lots.saturating_neg());
            }
            let id = ledger.instrument(lot.instrument).map(Instrument::account).unwrap_or_default();
            let Some(margin) = self.margin_mut(id) else { continue };
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
                fee_currency: None,
            };
            margin.note_fill(&fill, after)?;
        }
        self.margins_mut().for_each(|margin| margin.watch.touch_all());
        Ok(())
    }

    /// Returns when there is something to do that no fill brings; the end of time when never.
    pub(crate) fn due_ns(&self) -> TimeNs {
        let tiers = self.each.iter().filter_map(|own| own.tiers.as_ref()).map(FeeTiers::next_roll_ns);
        let borrow = self.borrow.as_ref().map_or(TimeNs::MAX, Borrow::due_ns);
        tiers.fold(borrow, TimeNs::min)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        let mut borrow = self.borrow.as_ref();
        for own in &self.each {
            if let Some(tiers) = &own.tiers {
                tiers.write_state(out);
            }
            if let Some(borrow) = borrow.take() {
                borrow.write_state(out);
            }
            if let Some(margin) = &own.margin {
                margin.write_state(out);
            }
        }
    }
}

/// Returns the margin of an account to change it, while other parts of the books are read.
#[inline]
pub(crate) fn margin_mut(accounts: &mut Option<Box<Accounts>>, id: AccountId) -> Option<&mut Margin> {
    accounts.as_mut().and_then(|accounts| accounts.margin_mut(id))
}

impl Books {
    /// Returns the margin of an account; `None` where no instrument of it has rules.
    #[inline]
    pub(crate) fn margin_of(&self, id: AccountId) -> Option<&Margin> {
        self.accounts.as_ref().and_then(|accounts| accounts.margin(id))
    }
}

impl Kernel {
    /// Moves the time of the engine, and does what is due by it.
    #[inline]
    pub(crate) fn set_now(&mut self, time_ns: TimeNs) -> Result<(), KernelError> {
        self.now_ns = self.now_ns.max(time_ns);
        if self.now_ns < self.books.clock_due_ns { Ok(()) } else { self.keep_time() }
    }

    /// Does what is due by the clock alone, the earlier first: a sample of the equity, the end of a day.
    #[inline(never)]
    fn keep_time(&mut self) -> Result<(), KernelError> {
        let day_ns = day_due(self.books.accounts.as_deref());
        if self.books.curve.due_ns() <= day_ns {
            self.sample_due()?;
        }
        if self.now_ns >= day_ns {
            self.book_borrow(false)?;
            let each = self.books.accounts.as_mut().map(|accounts| accounts.each.iter_mut());
            for tiers in each.into_iter().flatten().filter_map(|own| own.tiers.as_mut()) {
                tiers.roll(self.now_ns);
            }
            self.settle_account();
            self.sample_due()?;
        }
        self.end_overdue();
        let due_ns = day_due(self.books.accounts.as_deref()).min(self.books.curve.due_ns());
        self.books.clock_due_ns = due_ns.min(self.consents_due_ns()).min(self.closing_due_ns());
        if self.books.groups.close_outs.is_empty() { Ok(()) } else { self.end_limit_times() }
    }

    /// Hands the rates of the fee tiers to every venue and plans the next end of a day.
    pub(crate) fn settle_account(&mut self) {
        let Some(accounts) = &self.books.accounts else { return };
        let due_ns = accounts.due_ns().min(self.books.curve.due_ns());
        self.books.clock_due_ns = due_ns.min(self.consents_due_ns()).min(self.closing_due_ns());
        for (id, own) in self.config.account_ids().zip(&accounts.each) {
            let Some(rates) = own.tiers.as_ref().map(FeeTiers::rates) else { continue };
            let fees = self.config.fees_mut(id);
            if rates == *fees {
                continue;
            }
            *fees = rates;
            for market in self.markets.iter_mut() {
                if market.instrument.account() == id {
                    market.venue.set_fees(rates);
                }
            }
        }
    }
}

/// Returns when the account has something to do that no fill brings; the end of time when never.
fn day_due(accounts: Option<&Accounts>) -> TimeNs {
    accounts.map_or(TimeNs::MAX, Accounts::due_ns)
}
