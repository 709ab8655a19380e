//! Shares of cancels beside the formulas in real numbers.

#![expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the reference is in floats")]

use proptest::prelude::*;

use crate::queue::QueueModel;
use crate::queue::fixed_point::ONE;

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
