//! What a fill costs: a rate of its notional, apart for makers and takers.

use tradecore_types::{Decimal, Instrument, Liquidity, Money, ValueError};

/// One whole in the unit of the rates: 10^9 parts per billion.
const PPB_PER_UNIT: u64 = 1_000_000_000;

/// The step of a rate given in basis points: 1 bp is 100,000 parts per billion.
const BPS_STEP: Decimal = Decimal { mantissa: 1, decimals: 5 };

/// Fee rates in parts per billion of the notional; a negative rate is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FeeSchedule {
    /// Rate of a fill that waited in the book.
    pub maker_ppb: i64,
    /// Rate of a fill that traded on arrival.
    pub taker_ppb: i64,
}

impl FeeSchedule {
    /// Reads rates from decimal text in basis points, e.g. `"-0.5"` and `"4"`.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a text is no decimal number, is finer than 0.00001 bps, or is beyond
    /// 10,000 bps either way.
    pub fn from_bps(maker_bps: &str, taker_bps: &str) -> Result<Self, ValueError> {
        Ok(Self { maker_ppb: ppb("maker_bps", maker_bps)?, taker_ppb: ppb("taker_bps", taker_bps)? })
    }

    /// Returns the fee of one fill, rounded half away from zero to one money unit, the only rounding.
    ///
    /// `None` when the notional or the fee does not fit 128 bits of money.
    #[must_use]
    pub fn fee(
        &self,
        instrument: &Instrument,
        price_ticks: i64,
        lots: i64,
        liquidity: Liquidity,
    ) -> Option<Money> {
        let rate = match liquidity {
            Liquidity::Maker => self.maker_ppb,
            Liquidity::Taker => self.taker_ppb,
        };
        if rate == 0 {
            return Some(Money::ZERO);
        }
        let (whole, part) = in_wholes(instrument.notional(price_ticks, lots)?.0.unsigned_abs());
        // Whole and part apart, so that the product of a large notional and a rate does not overflow.
        let of_whole = match i64::try_from(whole) {
            Ok(whole) => i128::from(whole) * i128::from(rate),
            Err(_) => i128::try_from(whole).ok()?.checked_mul(i128::from(rate))?,
        };
        of_whole.checked_add(share(part, rate)).map(Money)
    }
}

/// Reads one rate.
fn ppb(field: &'static str, text: &str) -> Result<i64, ValueError> {
    let steps = Decimal::parse(field, text)?.in_steps_of(BPS_STEP, field)?;
    if steps.unsigned_abs() > PPB_PER_UNIT {
        return Err(ValueError::new(field, text, "must be within -10000 and 10000 basis points"));
    }
    Ok(steps)
}

/// Divides an amount by one whole of the rate unit: quotient and rest.
///
/// By hand in three steps of 64 bits, each by a constant: a division of 128 bits is a loop in the runtime.
fn in_wholes(amount: u128) -> (u128, u64) {
    let low_64 = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
    let (high, low) = (low_64(amount >> 64), low_64(amount));
    let middle = ((high % PPB_PER_UNIT) << 32) | (low >> 32);
    let last = ((middle % PPB_PER_UNIT) << 32) | (low & u64::from(u32::MAX));
    let quotients = [high, middle, last].map(|bits| u128::from(bits / PPB_PER_UNIT));
    let quotient = quotients.into_iter().fold(0, |sum, part| (sum << 32) + part);
    (quotient, last % PPB_PER_UNIT)
}

/// Returns the rate's share of less than one whole of the rate unit, rounded half away from zero.
fn share(part: u64, rate: i64) -> i128 {
    let size = rate.unsigned_abs();
    let (quotient, rest) = match part.checked_mul(size) {
        Some(product) => (u128::from(product / PPB_PER_UNIT), product % PPB_PER_UNIT),
        None => in_wholes(u128::from(part) * u128::from(size)),
    };
    let rounds_up = rest * 2 >= PPB_PER_UNIT && !tradecore_types::is_planted("fee_rounded_down");
    let rounded = quotient + u128::from(rounds_up);
    let rounded = i128::try_from(rounded).unwrap_or(i128::MAX);
    if rate < 0 { -rounded } else { rounded }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::samples::instrument;

    #[test]
    fn basis_points_become_parts_per_billion() {
        let fees = FeeSchedule::from_bps("-0.5", "4.25").unwrap();
        assert_eq!(fees, FeeSchedule { maker_ppb: -50_000, taker_ppb: 425_000 });
    }

    #[test]
    fn rates_that_are_no_rates_are_refused() {
        for text in ["", "x", "0.000001", "10000.1", "-10001"] {
            assert!(FeeSchedule::from_bps(text, "0").is_err(), "{text}");
        }
    }

    #[test]
    fn takers_pay_and_makers_may_be_paid() {
        let fees = FeeSchedule::from_bps("-1", "4").unwrap();
        let fee = |liquidity| fees.fee(&instrument("0.01", "0.001"), 6_000_000, 500, liquidity).unwrap();
        // 60,000.00 x 0.5 = 30,000: 4 bp is 12, 1 bp is 3.
        assert_eq!(fee(Liquidity::Taker).to_string(), "12");
        assert_eq!(fee(Liquidity::Maker).to_string(), "-3");
    }

    #[test]
    fn a_half_of_the_money_unit_rounds_away_from_zero() {
        let smallest = instrument("0.000000001", "0.000000001");
        let fee = |ppb, lots| {
            let fees = FeeSchedule { maker_ppb: ppb, taker_ppb: -ppb };
            (
                fees.fee(&smallest, 1, lots, Liquidity::Maker).unwrap().0,
                fees.fee(&smallest, 1, lots, Liquidity::Taker).unwrap().0,
            )
        };
        assert_eq!(fee(500_000_000, 1), (1, -1));
        assert_eq!(fee(499_999_999, 1), (0, 0));
        assert_eq!(fee(500_000_000, 3), (2, -2));
    }

    proptest! {
        /// Division by hand is division: for small, large and largest amounts and rates of either sign.
        #[test]
        fn fees_are_those_of_plain_division(bits in any::<u128>(), shift in 0u32..128, rate in any::<i64>()) {
            let (amount, whole) = (bits >> shift, i128::from(PPB_PER_UNIT));
            let divisor = u128::from(PPB_PER_UNIT);
            prop_assert_eq!(in_wholes(amount), (amount / divisor, u64::try_from(amount % divisor).unwrap()));
            let part = u64::try_from(amount % divisor).unwrap();
            for rate in [rate, rate % 1_000_000_000, rate % 1_000] {
                let product = i128::from(part) * i128::from(rate);
                let is_up = (product % whole).abs() * 2 >= whole;
                let plain = product / whole + i128::from(is_up) * product.signum();
                prop_assert_eq!(share(part, rate), plain);
            }
        }
    }

    #[test]
    fn a_fee_that_does_not_fit_is_none() {
        let fees = FeeSchedule { maker_ppb: 1, taker_ppb: 1 };
        assert_eq!(fees.fee(&instrument("1", "1"), i64::MAX, i64::MAX, Liquidity::Maker), None);
    }
}
