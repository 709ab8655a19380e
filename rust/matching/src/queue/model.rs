//! How a level that shrinks without a trade moves our order up.

use crate::queue::fixed_log::log2;
use crate::queue::fixed_point::{ONE, ratio, scale};

/// Largest exponent of [`QueueModel::Power`].
const EXPONENT_MAX: u8 = 16;

/// What is believed about a cancel at our price: that it stood behind us, or with which probability.
///
/// The probabilistic models are those of Rigtorp (2013, "Estimating order queue position"): lots that leave
/// a level without a trade were behind us with `f(behind) / (f(behind) + f(ahead))`, and the estimate moves
/// by the expected value, so nothing is drawn at random. All of it is integers in units of 2^-32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum QueueModel {
    /// Every cancel was behind us, as far as there was anybody.
    #[default]
    Conservative,
    /// `f(x) = x^exponent`; 1 takes each lot of the level for equally likely to leave.
    Power {
        /// From 1 to 16: the larger, the more surely a cancel is taken to be where more lots wait.
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
