//! Interest on what short positions borrow.
//!
//! A short of `n` lots held for `t` costs `n * t` times the last mark price times the yearly rate; a year
//! has 365 days. It is booked at 00:00 UTC for the time since the last booking, and at the end of the data,
//! each time rounded once.

use tradecore_types::{
    CashFlow, CashFlowKind, InstrumentId, InstrumentKind, Money, StrategyId, TimeNs, ValueError, share_of,
};

use crate::{InstrumentConfig, Kernel, KernelConfig, KernelError};

/// One day in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

/// One year in nanoseconds, times a million: the divisor of a yearly rate in parts per million.
const YEAR_NS_PPM: i128 = 365 * 86_400_000_000_000 * 1_000_000;

/// The short of one strategy in one instrument.
#[derive(Clone, Copy, Debug, Default)]
struct Short {
    /// Size, never negative.
    lots: i64,
    /// Lots times nanoseconds that are not booked yet.
    lot_ns: i128,
    /// Until when they are counted.
    counted_ns: TimeNs,
}

impl Short {
    /// Counts the time up to now.
    fn count(&mut self, now_ns: TimeNs) {
        let held_ns = i128::from(now_ns) - i128::from(self.counted_ns);
        self.lot_ns = self.lot_ns.saturating_add(i128::from(self.lots) * held_ns.max(0));
        self.counted_ns = self.counted_ns.max(now_ns);
    }
}

/// What is borrowed, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Borrow {
    /// Yearly rates in parts per million, by instrument.
    rates_ppm: Vec<i64>,
    /// By strategy, then instrument.
    shorts: Vec<Short>,
    due_ns: TimeNs,
}

impl Borrow {
    /// Makes the books of what is borrowed; `None` when no instrument asks for interest.
    pub(crate) fn of(config: &KernelConfig) -> Option<Self> {
        let rates_ppm: Vec<i64> = config.instruments.iter().map(|instrument| instrument.borrow_ppm).collect();
        if rates_ppm.iter().all(|rate| *rate == 0) {
            return None;
        }
        let shorts = vec![Short::default(); rates_ppm.len().saturating_mul(usize::from(config.strategies))];
        Some(Self { rates_ppm, shorts, due_ns: TimeNs::MAX })
    }

    /// Notes the position after a fill.
    pub(crate) fn note(
        &mut self,
        now_ns: TimeNs,
        strategy: StrategyId,
        instrument: InstrumentId,
        position_lots: i64,
    ) {
        if self.rates_ppm.get(instrument.index()).is_none_or(|rate| *rate == 0) {
            return;
        }
        let slot = strategy.index().saturating_mul(self.rates_ppm.len()).saturating_add(instrument.index());
        let Some(short) = self.shorts.get_mut(slot) else { return };
        short.count(now_ns);
        short.counted_ns = now_ns;
        short.lots = position_lots.saturating_neg().max(0);
        if short.lots > 0 || short.lot_ns > 0 {
            self.due_ns = self.due_ns.min(next_midnight(now_ns));
        }
    }

    /// Returns when the next interest is booked; the end of time when nothing is borrowed.
    pub(crate) const fn due_ns(&self) -> TimeNs {
        self.due_ns
    }

    /// Takes what is to be booked: lots times nanoseconds with their strategy and instrument.
    fn take(&mut self, until_ns: TimeNs) -> Vec<(StrategyId, InstrumentId, i128)> {
        let instruments = self.rates_ppm.len().max(1);
        let mut due = Vec::new();
        for (slot, short) in self.shorts.iter_mut().enumerate() {
            short.count(until_ns);
            let ids = (u16::try_from(slot / instruments), u32::try_from(slot % instruments));
            if let (Ok(strategy), Ok(instrument), true) = (ids.0, ids.1, short.lot_ns > 0) {
                due.push((StrategyId(strategy), InstrumentId(instrument), std::mem::take(&mut short.lot_ns)));
            }
        }
        let is_short = self.shorts.iter().any(|short| short.lots > 0);
        self.due_ns = if is_short { next_midnight(until_ns) } else { TimeNs::MAX };
        due
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for short in &self.shorts {
            out.extend_from_slice(&short.lots.to_le_bytes());
            out.extend_from_slice(&short.lot_ns.to_le_bytes());
            out.extend_from_slice(&short.counted_ns.to_le_bytes());
        }
    }
}

impl Kernel {
    /// Books the interest up to the last midnight, or up to now because the data end.
    pub(crate) fn book_borrow(&mut self, is_final: bool) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        let Some(borrow) = self.account.as_mut().and_then(|account| account.borrow.as_mut()) else {
            return Ok(());
        };
        if !is_final && now_ns < borrow.due_ns {
            return Ok(());
        }
        let time_ns = if is_final { now_ns } else { next_midnight(now_ns).saturating_sub(DAY_NS) };
        for (strategy, instrument, lot_ns) in borrow.take(time_ns) {
            let Some(amount) = self.interest(instrument, lot_ns)? else { continue };
            let kind = CashFlowKind::Borrow;
            self.book_flow(&CashFlow { time_ns, strategy, instrument, kind, amount })?;
        }
        Ok(())
    }

    /// Returns what a time of borrowing costs, negative; `None` while the instrument has no price.
    fn interest(&self, instrument: InstrumentId, lot_ns: i128) -> Result<Option<Money>, KernelError> {
        let Some(price_ticks) = self.mark(instrument) else { return Ok(None) };
        let market = self.market(instrument)?;
        let rate = self.config.instruments.get(instrument.index()).map_or(0, |known| known.borrow_ppm);
        let cost = market.instrument.notional(price_ticks, 1).zip(lot_ns.checked_mul(i128::from(rate)));
        let cost = cost.and_then(|(unit, time)| share_of(unit.0, time, YEAR_NS_PPM));
        match cost {
            Some(cost) => Ok(Some(Money(cost).negated())),
            None => Err(KernelError::Broken("the interest on a short does not fit 128 bits of money".into())),
        }
    }
}

/// Returns the end of the day that a time is in, in UTC.
const fn next_midnight(time_ns: TimeNs) -> TimeNs {
    time_ns.div_euclid(DAY_NS).saturating_add(1).saturating_mul(DAY_NS)
}

/// Checks the interest on shorts of an instrument.
pub(crate) fn check(instrument: &InstrumentConfig) -> Result<(), ValueError> {
    let rate = instrument.borrow_ppm;
    if rate < 0 {
        return Err(ValueError::new("borrow_ppm", rate, "must not be negative"));
    }
    if rate > 0 && instrument.spec.kind == InstrumentKind::Inverse {
        return Err(ValueError::new("borrow_ppm", rate, "must be 0: an inverse contract borrows nothing"));
    }
    Ok(())
}
