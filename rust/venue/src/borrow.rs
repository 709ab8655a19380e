//! Interest on what short positions borrow.
//!
//! A short of `n` lots held for `t` costs `n * t` times the last mark price times the yearly rate; a year
//! has 365 days. It is booked at 00:00 UTC for the time since the last booking, and at the end of the data,
//! each time rounded once.

use tradecore_types::{InstrumentId, InstrumentKind, Money, StrategyId, TimeNs, ValueError, share_of};

/// One day in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

/// One year in nanoseconds, times a million: the divisor of a yearly rate in parts per million.
const YEAR_NS_PPM: i128 = 365 * 86_400_000_000_000 * 1_000_000;

/// What a strategy has borrowed of an instrument and not paid for yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Borrowed {
    /// The strategy that is short, and pays.
    pub strategy: StrategyId,
    /// The instrument that is borrowed.
    pub instrument: InstrumentId,
    /// Lots times the nanoseconds that they were held.
    pub lot_ns: i128,
}

/// The short of one strategy in one instrument.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Borrow {
    /// Yearly rates in parts per million, by instrument.
    rates_ppm: Vec<i64>,
    /// By strategy, then instrument.
    shorts: Vec<Short>,
    due_ns: TimeNs,
}

impl Borrow {
    /// Checks the yearly rate of an instrument, in parts per million.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it is negative, or above 0 for an inverse contract, which borrows nothing.
    pub fn check(rate_ppm: i64, kind: InstrumentKind) -> Result<(), ValueError> {
        if rate_ppm < 0 {
            return Err(ValueError::new("borrow_ppm", rate_ppm, "must not be negative"));
        }
        if rate_ppm > 0 && kind == InstrumentKind::Inverse {
            let rule = "must be 0: an inverse contract borrows nothing";
            return Err(ValueError::new("borrow_ppm", rate_ppm, rule));
        }
        Ok(())
    }

    /// Makes the books of what is borrowed, with the yearly rate of each instrument in parts per million; `None`
    /// when none asks for interest.
    #[must_use]
    pub fn new(rates_ppm: Vec<i64>, strategies: u16) -> Option<Self> {
        if rates_ppm.iter().all(|rate| *rate == 0) {
            return None;
        }
        let shorts = vec![Short::default(); rates_ppm.len().saturating_mul(usize::from(strategies))];
        Some(Self { rates_ppm, shorts, due_ns: TimeNs::MAX })
    }

    /// Notes the position after a fill.
    pub fn note(
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
    #[must_use]
    pub const fn due_ns(&self) -> TimeNs {
        self.due_ns
    }

    /// Takes what is due: up to the last midnight, or up to now because the data end. Returns until when it is
    /// counted, and who has borrowed what for how long.
    pub fn take_due(&mut self, now_ns: TimeNs, is_final: bool) -> (TimeNs, Vec<Borrowed>) {
        if !is_final && now_ns < self.due_ns {
            return (now_ns, Vec::new());
        }
        let until_ns = if is_final { now_ns } else { next_midnight(now_ns).saturating_sub(DAY_NS) };
        (until_ns, self.take(until_ns))
    }

    /// Returns what a time of borrowing costs, negative, when one lot is worth `unit`; `None` when it does not fit.
    #[must_use]
    pub fn interest(&self, borrowed: &Borrowed, unit: Money) -> Option<Money> {
        let rate = self.rates_ppm.get(borrowed.instrument.index()).copied().unwrap_or(0);
        let time = borrowed.lot_ns.checked_mul(i128::from(rate))?;
        Some(Money(share_of(unit.0, time, YEAR_NS_PPM)?).negated())
    }

    fn take(&mut self, until_ns: TimeNs) -> Vec<Borrowed> {
        let instruments = self.rates_ppm.len().max(1);
        let mut due = Vec::new();
        for (slot, short) in self.shorts.iter_mut().enumerate() {
            short.count(until_ns);
            let ids = (u16::try_from(slot / instruments), u32::try_from(slot % instruments));
            if let (Ok(strategy), Ok(instrument), true) = (ids.0, ids.1, short.lot_ns > 0) {
                let (strategy, instrument) = (StrategyId(strategy), InstrumentId(instrument));
                due.push(Borrowed { strategy, instrument, lot_ns: std::mem::take(&mut short.lot_ns) });
            }
        }
        let is_short = self.shorts.iter().any(|short| short.lots > 0);
        self.due_ns = if is_short { next_midnight(until_ns) } else { TimeNs::MAX };
        due
    }

    /// Appends the canonical bytes of the state.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        for short in &self.shorts {
            out.extend_from_slice(&short.lots.to_le_bytes());
            out.extend_from_slice(&short.lot_ns.to_le_bytes());
            out.extend_from_slice(&short.counted_ns.to_le_bytes());
        }
    }
}

/// Returns the end of the day that a time is in, in UTC.
const fn next_midnight(time_ns: TimeNs) -> TimeNs {
    time_ns.div_euclid(DAY_NS).saturating_add(1).saturating_mul(DAY_NS)
}
