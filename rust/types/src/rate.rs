//! What a unit of a currency is worth in the currency in which the account reports.

use crate::{MONEY_DECIMALS, Money, share_of};

/// Atto units in a unit.
const UNIT: i128 = 10i128.pow(18);

/// The price of a currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Rate {
    /// It is the currency in which the account reports.
    #[default]
    One,
    /// A unit is worth so many atto units, above 0.
    Of(i128),
    /// There is no price yet.
    Missing,
}

impl Rate {
    /// Makes the rate of a price: `mantissa / 10^decimals`; missing when it is not above 0 or does not fit.
    #[must_use]
    pub fn of_price(mantissa: i128, decimals: u8) -> Self {
        let scale = MONEY_DECIMALS.checked_sub(decimals).map(|digits| 10i128.pow(u32::from(digits)));
        match scale.and_then(|scale| mantissa.checked_mul(scale)).filter(|worth| *worth > 0) {
            Some(worth) => Self::Of(worth),
            None => Self::Missing,
        }
    }

    /// Returns the rate of a currency that has this price in another one, whose rate is `of_other`; rounded to one atto
    /// unit.
    #[must_use]
    pub fn through(self, of_other: Self) -> Self {
        match (self, of_other) {
            (rate, Self::One) | (Self::One, rate) => rate,
            (Self::Of(own), Self::Of(other)) => match share_of(own, other, UNIT).filter(|worth| *worth > 0) {
                Some(worth) => Self::Of(worth),
                None => Self::Missing,
            },
            (Self::Missing, _) | (_, Self::Missing) => Self::Missing,
        }
    }

    /// Tells whether there is a price.
    #[must_use]
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// Returns what an amount is worth, rounded half away from zero to one atto unit; `None` without a price, or when
    /// it does not fit.
    #[must_use]
    #[inline]
    pub fn worth(self, amount: Money) -> Option<Money> {
        match self {
            Self::One => Some(amount),
            Self::Of(_) | Self::Missing => self.converted(amount),
        }
    }

    #[cold]
    fn converted(self, amount: Money) -> Option<Money> {
        match self {
            Self::One => Some(amount),
            Self::Of(worth) => share_of(amount.0, worth, UNIT).map(Money),
            Self::Missing => (amount == Money::ZERO).then_some(amount),
        }
    }

    /// Returns the largest amount of the currency that is worth no more than this, which is not below 0; `None`
    /// without a price.
    #[must_use]
    pub fn bought_with(self, reported: Money) -> Option<Money> {
        let bought = match self {
            Self::One => return Some(reported),
            Self::Of(worth) => share_of(reported.0, UNIT, worth)?,
            Self::Missing => return None,
        };
        let is_dearer = self.worth(Money(bought)).is_none_or(|worth| worth > reported);
        Some(Money(bought.saturating_sub(i128::from(is_dearer))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_amount_is_worth_its_price() {
        let coin = Rate::of_price(6_000_050, 2);
        assert_eq!(coin.worth(Money(UNIT / 2)), Some(Money(30_000 * UNIT + UNIT / 4)));
        assert_eq!(coin.worth(Money(-1)), Some(Money(-60_001)), "a half is rounded away from zero");
        assert_eq!(Rate::One.worth(Money(7)), Some(Money(7)));
        assert_eq!(coin.through(Rate::One), coin);
        assert_eq!(Rate::of_price(5, 2).through(coin), Rate::Of(3_000 * UNIT + UNIT / 40));
    }

    #[test]
    fn without_a_price_only_nothing_has_a_worth() {
        for rate in [Rate::Missing, Rate::of_price(0, 2), Rate::of_price(-1, 2), Rate::of_price(i128::MAX, 0)]
        {
            assert_eq!(rate, Rate::Missing);
            assert_eq!((rate.worth(Money(1)), rate.worth(Money::ZERO)), (None, Some(Money::ZERO)));
            assert_eq!(rate.through(Rate::One).through(Rate::Of(UNIT)), Rate::Missing);
            assert_eq!(rate.bought_with(Money(1)), None);
        }
    }

    proptest! {
        /// What is bought is never worth more than what it was to cost, and one atto unit more would be.
        #[test]
        fn what_is_bought_is_paid_for(worth in 1i128..10i128.pow(30), reported in 0i128..10i128.pow(30)) {
            let rate = Rate::Of(worth);
            if let Some(bought) = rate.bought_with(Money(reported)) {
                prop_assert!(rate.worth(bought).unwrap().0 <= reported);
                // Half an atto unit of the worth is lost to rounding.
                let more = rate.worth(Money(bought.0 + 2)).unwrap().0;
                prop_assert!(more >= reported || worth < UNIT);
            }
        }
    }
}
