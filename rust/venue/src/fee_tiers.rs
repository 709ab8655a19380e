//! Fee rates that follow the traded volume, as venues publish them: from a volume on, these rates.

use tradecore_matching::FeeSchedule;
use tradecore_types::{Money, TimeNs, ValueError};

/// Days that the trailing volume is summed over, today included.
const WINDOW_DAYS: usize = 30;

/// One day in nanoseconds.
const DAY_NS: i64 = 86_400_000_000_000;

/// Rates from a volume on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeTier {
    /// Volume in money from which the rates hold, that volume included.
    pub volume: Money,
    /// What a fill costs in this tier.
    pub rates: FeeSchedule,
}

/// Which volume decides the tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FeeWindow {
    /// That of today and the 29 days before, days in UTC.
    #[default]
    Days30,
    /// Everything since the engine started.
    Total,
}

/// The volume of an account and the rates it has earned.
///
/// **Invariant:** the rates are those of the highest tier whose volume is reached. A fill pays the rates
/// from before it: [`FeeTiers::note`] counts it afterwards.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeTiers {
    base: FeeSchedule,
    tiers: Vec<FeeTier>,
    window: FeeWindow,
    /// Volume of each day of the window, at the number of the day modulo the window.
    days: [i128; WINDOW_DAYS],
    /// Number of the last day seen, since 1970.
    today: i64,
    volume: i128,
}

impl FeeTiers {
    /// Checks that volumes rise from above 0, tier by tier.
    pub fn checks(tiers: &[FeeTier]) -> impl Iterator<Item = Result<(), ValueError>> {
        let before = std::iter::once(Money::ZERO).chain(tiers.iter().map(|tier| tier.volume));
        tiers.iter().zip(before).map(|(tier, last)| {
            if tier.volume > last {
                return Ok(());
            }
            let rule = "must be above 0 and above the volume of the tier before";
            Err(ValueError::new("volume_min", tier.volume, rule))
        })
    }

    /// Starts with no volume and the rates `base`.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the volumes of the tiers do not rise from above 0.
    pub fn new(base: FeeSchedule, tiers: Vec<FeeTier>, window: FeeWindow) -> Result<Self, ValueError> {
        Self::checks(&tiers).collect::<Result<(), _>>()?;
        Ok(Self { base, tiers, window, days: [0; WINDOW_DAYS], today: i64::MIN, volume: 0 })
    }

    /// Returns the rates of the next fill.
    #[must_use]
    pub fn rates(&self) -> FeeSchedule {
        let reached = self.tiers.iter().rev().find(|tier| tier.volume.0 <= self.volume);
        reached.map_or(self.base, |tier| tier.rates)
    }

    /// Returns the volume that decides the tier.
    #[must_use]
    pub const fn volume(&self) -> Money {
        Money(self.volume)
    }

    /// Counts a fill of this notional; a volume that does not fit stays the largest there is.
    pub fn note(&mut self, now_ns: TimeNs, notional: Money) {
        self.roll(now_ns);
        self.volume = self.volume.saturating_add(notional.0);
        if let Some(day) = self.days.get_mut(place_of(self.today)) {
            *day = day.saturating_add(notional.0);
        }
    }

    /// Lets the days that have left the window go.
    pub fn roll(&mut self, now_ns: TimeNs) {
        let today = now_ns.div_euclid(DAY_NS);
        if today <= self.today || self.window == FeeWindow::Total {
            return;
        }
        let gone = usize::try_from(today.saturating_sub(self.today)).unwrap_or(WINDOW_DAYS).min(WINDOW_DAYS);
        for day in (0..gone).filter_map(|back| today.checked_sub(i64::try_from(back).ok()?)) {
            if let Some(volume) = self.days.get_mut(place_of(day)) {
                *volume = 0;
            }
        }
        self.volume = self.days.iter().fold(0, |sum, day| sum.saturating_add(*day));
        self.today = today;
    }

    /// Returns when the next day leaves the window; the end of time when none with a volume can.
    #[must_use]
    pub fn next_roll_ns(&self) -> TimeNs {
        if self.window == FeeWindow::Total || self.volume == 0 {
            return TimeNs::MAX;
        }
        self.today.saturating_add(1).saturating_mul(DAY_NS)
    }

    /// Appends everything that decides later rates, in a fixed order.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.volume.to_le_bytes());
        out.extend_from_slice(&self.today.to_le_bytes());
        for day in &self.days {
            out.extend_from_slice(&day.to_le_bytes());
        }
    }
}

/// Returns where the volume of a day is kept.
fn place_of(day: i64) -> usize {
    let days = i64::try_from(WINDOW_DAYS).unwrap_or(i64::MAX);
    usize::try_from(day.rem_euclid(days)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const fn rates(ppb: i64) -> FeeSchedule {
        FeeSchedule { maker_ppb: -ppb, taker_ppb: ppb }
    }

    fn tiers(window: FeeWindow) -> FeeTiers {
        let tier = |volume, ppb| FeeTier { volume: Money(volume), rates: rates(ppb) };
        FeeTiers::new(rates(9), vec![tier(100, 5), tier(250, 1)], window).unwrap()
    }

    #[test]
    fn a_tier_begins_exactly_at_its_volume() {
        let mut fees = tiers(FeeWindow::Total);
        for (notional, expected) in [(0, 9), (99, 9), (1, 5), (149, 5), (1, 1), (1_000, 1)] {
            fees.note(0, Money(notional));
            assert_eq!(fees.rates(), rates(expected), "{notional}");
        }
    }

    #[test]
    fn a_volume_counts_for_thirty_days() {
        let mut fees = tiers(FeeWindow::Days30);
        fees.note(5 * DAY_NS + 1, Money(100));
        assert_eq!((fees.rates(), fees.next_roll_ns()), (rates(5), 6 * DAY_NS));
        fees.roll(35 * DAY_NS - 1);
        assert_eq!(fees.rates(), rates(5));
        fees.roll(35 * DAY_NS);
        assert_eq!((fees.rates(), fees.next_roll_ns()), (rates(9), TimeNs::MAX));
    }

    #[test]
    fn volumes_that_do_not_rise_are_refused() {
        let tier = |volume| FeeTier { volume: Money(volume), rates: rates(1) };
        for tiers in [vec![tier(0)], vec![tier(5), tier(5)], vec![tier(5), tier(4)]] {
            assert!(FeeTiers::new(rates(9), tiers, FeeWindow::Total).is_err());
        }
    }

    proptest! {
        /// The volume is what a list of all fills gives when it is summed anew each time.
        #[test]
        fn the_volume_is_the_sum_over_the_window(
            fills in prop::collection::vec((0..12 * DAY_NS, 0..200i128), 1..80),
        ) {
            let mut fees = tiers(FeeWindow::Days30);
            let mut by_day = BTreeMap::new();
            let mut now_ns = -40 * DAY_NS;
            for (gap_ns, notional) in fills {
                now_ns += gap_ns;
                let day = now_ns.div_euclid(DAY_NS);
                *by_day.entry(day).or_insert(0) += notional;
                fees.note(now_ns, Money(notional));
                let sum: i128 = by_day.range(day - 29..=day).map(|entry| entry.1).sum();
                prop_assert_eq!(fees.volume(), Money(sum));
            }
        }
    }
}
