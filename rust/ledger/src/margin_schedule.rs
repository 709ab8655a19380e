//! How much margin a position needs: brackets of its notional, as venues publish them.

use tradecore_types::{Money, ValueError, share_of};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// One bracket as a venue states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginTier {
    /// Largest notional of the bracket; `None` for the last one, which has no end.
    pub notional_max: Option<Money>,
    /// Maintenance margin in parts per million of the notional.
    pub maintenance_ppm: i64,
    /// Largest leverage in the bracket.
    pub leverage_max: i64,
    /// What is taken off the maintenance margin; `None` for what makes the brackets join without a step.
    pub amount: Option<Money>,
}

/// The brackets of one instrument and the leverage that was chosen for it.
///
/// Maintenance margin = notional times rate less amount; initial margin = notional over the lower of the
/// chosen and the largest leverage. Each is rounded half away from zero to one money unit.
///
/// Source: the brackets (`notionalCap`, `maintMarginRatio`, `cum`, `initialLeverage`) of Binance USD-M futures.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MarginSchedule {
    numerator: i64,
    denominator: i64,
    tiers: Vec<Bracket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Bracket {
    notional_max: i128,
    maintenance_ppm: i64,
    leverage_max: i64,
    amount: i128,
}

impl MarginSchedule {
    /// Makes the schedule of a leverage (`numerator / denominator`) and brackets in rising order.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no bracket, one does not rise, or a number is out of its bounds.
    pub fn new(numerator: i64, denominator: i64, tiers: &[MarginTier]) -> Result<Self, ValueError> {
        if numerator < denominator || denominator <= 0 {
            return Err(ValueError::new("leverage", numerator, "must be at least 1"));
        }
        let mut brackets: Vec<Bracket> = Vec::with_capacity(tiers.len());
        for tier in tiers {
            brackets.push(bracket(tier, brackets.last())?);
        }
        match brackets.last() {
            Some(last) if last.notional_max == i128::MAX => {}
            _ => return Err(ValueError::new("tiers", tiers.len(), "the last one must have no notional_max")),
        }
        Ok(Self { numerator, denominator, tiers: brackets })
    }

    /// Returns the margin below which a position of this notional is liquidated; `None` on overflow.
    #[must_use]
    pub fn maintenance(&self, notional: Money) -> Option<Money> {
        let tier = self.tier(notional)?;
        let asked = share_of(notional.0, i128::from(tier.maintenance_ppm), PPM)?;
        Some(Money(asked.checked_sub(tier.amount)?.max(0)))
    }

    /// Returns the margin that opening a position of this notional needs; `None` on overflow.
    #[must_use]
    pub fn initial(&self, notional: Money) -> Option<Money> {
        let tier = self.tier(notional)?;
        let chosen = i128::from(self.numerator);
        let largest = i128::from(tier.leverage_max) * i128::from(self.denominator);
        let (numerator, denominator) = if chosen <= largest {
            (i128::from(self.denominator), chosen)
        } else {
            (1, i128::from(tier.leverage_max))
        };
        share_of(notional.0, numerator, denominator).map(Money)
    }

    /// Returns the notional that a margin opens at the chosen leverage.
    #[must_use]
    pub fn notional_of(&self, margin: Money) -> Money {
        let notional = share_of(margin.0, i128::from(self.numerator), i128::from(self.denominator));
        Money(notional.unwrap_or(i128::MAX))
    }

    /// Tells whether there is more than one bracket.
    #[must_use]
    pub fn has_brackets(&self) -> bool {
        self.tiers.len() > 1
    }

    /// Returns which bracket a notional falls into, the smallest being 0.
    #[must_use]
    pub fn bracket_of(&self, notional: Money) -> Option<usize> {
        self.tiers.iter().position(|tier| notional.0 <= tier.notional_max)
    }

    fn tier(&self, notional: Money) -> Option<&Bracket> {
        self.tiers.iter().find(|tier| notional.0 <= tier.notional_max)
    }
}

/// Checks a bracket and works out the amount that joins it to the one before.
fn bracket(tier: &MarginTier, before: Option<&Bracket>) -> Result<Bracket, ValueError> {
    let start = before.map_or(0, |before| before.notional_max);
    let notional_max = tier.notional_max.map_or(i128::MAX, |money| money.0);
    if notional_max <= start {
        return Err(ValueError::new("notional_max", Money(notional_max), "must be above the one before"));
    }
    if !(1..=1_000_000).contains(&tier.maintenance_ppm) {
        return Err(ValueError::new("maintenance_ppm", tier.maintenance_ppm, "must be from 1 to 1000000"));
    }
    if tier.leverage_max < 1 {
        return Err(ValueError::new("leverage_max", tier.leverage_max, "must be at least 1"));
    }
    let step = tier.maintenance_ppm.saturating_sub(before.map_or(0, |before| before.maintenance_ppm));
    let joined = share_of(start, i128::from(step), PPM)
        .and_then(|rise| rise.checked_add(before.map_or(0, |before| before.amount)))
        .ok_or_else(|| ValueError::new("notional_max", Money(start), "must fit 128 bits of money"))?;
    let amount = tier.amount.map_or(joined, |money| money.0);
    let (maintenance_ppm, leverage_max) = (tier.maintenance_ppm, tier.leverage_max);
    Ok(Bracket { notional_max, maintenance_ppm, leverage_max, amount })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(amount: i128) -> Money {
        Money(amount * 10i128.pow(18))
    }

    /// The first brackets of BTCUSDT as Binance has published them: cap, rate, leverage, amount.
    const PUBLISHED: [(i128, i64, i64, i128); 4] = [
        (50_000, 4_000, 125, 0),
        (500_000, 5_000, 100, 50),
        (10_000_000, 10_000, 50, 2_550),
        (80_000_000, 25_000, 20, 152_550),
    ];

    fn tiers(has_amounts: bool) -> Vec<MarginTier> {
        let mut tiers: Vec<MarginTier> = PUBLISHED
            .iter()
            .map(|&(cap, maintenance_ppm, leverage_max, amount)| MarginTier {
                notional_max: Some(units(cap)),
                maintenance_ppm,
                leverage_max,
                amount: has_amounts.then(|| units(amount)),
            })
            .collect();
        tiers.push(MarginTier {
            notional_max: None,
            maintenance_ppm: 50_000,
            leverage_max: 10,
            amount: has_amounts.then(|| units(2_152_550)),
        });
        tiers
    }

    #[test]
    fn the_amounts_that_join_the_brackets_are_those_that_venues_publish() {
        let given = MarginSchedule::new(20, 1, &tiers(true)).unwrap();
        assert_eq!(MarginSchedule::new(20, 1, &tiers(false)).unwrap(), given);
    }

    #[test]
    fn maintenance_is_notional_times_rate_less_amount() {
        let schedule = MarginSchedule::new(20, 1, &tiers(false)).unwrap();
        let table = [
            (0, 0),
            (50_000, 200),
            (100_000, 450),
            (500_000, 2_450),
            (1_000_000, 7_450),
            (20_000_000, 347_450),
        ];
        for (notional, maintenance) in table {
            assert_eq!(schedule.maintenance(units(notional)), Some(units(maintenance)), "{notional}");
        }
    }

    #[test]
    fn initial_margin_follows_the_lower_leverage() {
        let schedule = MarginSchedule::new(75, 1, &tiers(false)).unwrap();
        assert_eq!(schedule.initial(units(7_500)), Some(units(100)));
        assert_eq!(schedule.initial(units(1_000_000)), Some(units(20_000)));
        let half = MarginSchedule::new(25, 10, &tiers(false)).unwrap();
        assert_eq!(half.initial(units(1_000)), Some(units(400)));
        assert_eq!(half.notional_of(units(400)), units(1_000));
    }

    #[test]
    fn brackets_that_make_no_sense_are_refused() {
        let open = MarginTier { notional_max: None, maintenance_ppm: 1, leverage_max: 1, amount: None };
        let closed = MarginTier { notional_max: Some(units(5)), ..open };
        for tiers in [vec![], vec![closed], vec![closed, closed, open], vec![open, open]] {
            assert!(MarginSchedule::new(1, 1, &tiers).is_err());
        }
        for bad in [MarginTier { maintenance_ppm: 0, ..open }, MarginTier { leverage_max: 0, ..open }] {
            assert!(MarginSchedule::new(1, 1, &[bad]).is_err());
        }
        assert!(MarginSchedule::new(1, 2, &[open]).is_err());
    }
}
