//! How a level that shrinks without a trade moves our order up.

use crate::fixed_log::log2;
use crate::fixed_point::{ONE, ratio, scale};

/// Largest exponent of [`QueueModel::Power`].
const EXPONENT_MAX: u8 = 16;

/// What is believed about a cancel at our price: that it stood behind us, or with which probability.
///
/// The probabilistic models are those of Rigtorp (2013, "Estimating order queue position"): lots that leave
/// a level without a trade were behind us with `f(behind) / (f(behind) + f(ahead))`, and the estimate moves
/// by the expected value, so nothing is drawn at random. All of it is integers in units of 2^-32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueModel {
    /// Every cancel was behind us, as far as there was anybody.
    #[default]
    Conservative,
    /// `f(x) = x^exponent`; 1 takes each lot of the level for equally likely to leave.
    Power {
        /// From 1 to 16.
        exponent: u8,
    },
    /// `f(x) = log(1 + x)`, x in lots.
    Log,
}

impl QueueModel {
    /// Makes the power model; `None` when the exponent is not from 1 to 16.
    #[must_use]
    pub const fn power(exponent: u8) -> Option<Self> {
        if exponent == 0 || exponent > EXPONENT_MAX { None } else { Some(Self::Power { exponent }) }
    }

    /// Tells whether the position in the queue is an estimate.
    #[must_use]
    pub const fn is_estimate(self) -> bool {
        !matches!(self, Self::Conservative)
    }

    /// Returns the probability that a cancel was behind us, in units of 2^-32, from the lots ahead and behind
    /// in the same units.
    ///
    /// It is off by less than (2 exponent + 2) 2^-32 (power) and 2^-28 (log, of a level of at least
    /// one lot) from the formula in real numbers.
    pub(crate) fn behind(self, ahead: u128, behind: u128) -> u128 {
        match self {
            Self::Conservative => ONE,
            Self::Power { exponent } => {
                let smaller = power(ratio(ahead.min(behind), ahead.max(behind)), exponent);
                let share = ratio(smaller, ONE + smaller);
                if ahead < behind { ONE - share } else { share }
            }
            Self::Log => {
                let (ahead, behind) = (log2(ONE + ahead), log2(ONE + behind));
                ratio(behind, ahead + behind)
            }
        }
    }
}

/// Raises a number from 0 to 1 to a whole power.
fn power(base: u128, exponent: u8) -> u128 {
    (1..exponent).fold(base, |product, _| scale(product, base))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the reference is in floats")]

    use proptest::prelude::*;

    use super::*;

    fn real(value: u128) -> f64 {
        value as f64 / ONE as f64
    }

    /// The formula as it is written in the literature.
    fn formula(model: QueueModel, ahead: f64, behind: f64) -> f64 {
        let f = |x: f64| match model {
            QueueModel::Power { exponent } => x.powi(i32::from(exponent)),
            _ => x.ln_1p(),
        };
        f(behind) / (f(behind) + f(ahead))
    }

    fn amount() -> impl Strategy<Value = u128> {
        (0..(1u128 << 63), 0..63u32).prop_map(|(bits, shift)| bits >> shift)
    }

    proptest! {
        /// The integers stay as near to the formula as the documentation says.
        #[test]
        fn the_integer_form_is_the_formula(ahead in amount(), behind in amount(), exponent in 1..17u8) {
            prop_assume!(ahead + behind > 0);
            let power = QueueModel::power(exponent).unwrap();
            let bounds = [
                (power, (2.0 * f64::from(exponent) + 2.0) / ONE as f64),
                (QueueModel::Log, 0.5f64.powi(28)),
            ];
            for (model, bound) in bounds {
                let ours = real(model.behind(ahead, behind));
                let wanted = formula(model, real(ahead), real(behind));
                let is_defined = wanted.is_finite() && !(model == QueueModel::Log && ahead + behind < ONE);
                prop_assert!(!is_defined || (ours - wanted).abs() <= bound, "{model:?} {ours} {wanted}");
            }
        }

        /// A probability is never below 0 or above 1, also at the ends of the range.
        #[test]
        fn a_probability_is_one(ahead in 0..=1u128 << 95, behind in 0..=1u128 << 95, exponent in 1..17u8) {
            for model in [QueueModel::Power { exponent }, QueueModel::Log] {
                prop_assert!(model.behind(ahead, behind) <= ONE);
            }
        }
    }

    #[test]
    fn an_exponent_is_from_1_to_16() {
        assert_eq!(QueueModel::power(0), None);
        assert_eq!(QueueModel::power(17), None);
        assert_eq!(QueueModel::power(3), Some(QueueModel::Power { exponent: 3 }));
    }

    #[test]
    fn the_middle_of_a_level_is_a_fair_coin_and_its_ends_are_certain() {
        for model in [QueueModel::Power { exponent: 3 }, QueueModel::Log] {
            assert_eq!(model.behind(7 * ONE, 7 * ONE), ONE / 2);
            assert_eq!(model.behind(0, 7 * ONE), ONE);
            assert_eq!(model.behind(7 * ONE, 0), 0);
        }
    }
}
