//! Places in queues beside the same in real numbers.

#![expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the reference is in floats")]

use proptest::prelude::*;

use crate::queue::fixed_point::ONE;
use crate::queue::{QueueModel, QueuePlace};

/// What happens at the price of an order.
#[derive(Clone, Copy, Debug)]
enum Step {
    Trade(i64),
    Level(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(1..60i64).prop_map(Step::Trade), (0..400i64).prop_map(Step::Level)];
    prop::collection::vec(step, 1..40)
}

fn models() -> impl Strategy<Value = QueueModel> {
    prop_oneof![
        Just(QueueModel::Conservative),
        (1..17u8).prop_map(|exponent| QueueModel::Power { exponent }),
        Just(QueueModel::Log),
    ]
}

fn begin(lots: i64) -> QueuePlace {
    QueuePlace { ahead_lots: lots, rounded: 0, level_lots: lots, traded_lots: 0 }
}

fn walk(place: &mut QueuePlace, model: QueueModel, step: Step) {
    match step {
        Step::Trade(lots) => {
            place.pass_trade(lots, lots);
        }
        Step::Level(lots) if place.ahead_lots > 0 => place.follow(model, lots),
        Step::Level(_) => {}
    }
}

/// The same in real numbers, written as in the literature.
struct Real {
    ahead: f64,
    level: i64,
    traded: i64,
}

impl Real {
    fn walk(&mut self, model: QueueModel, step: Step) {
        match step {
            Step::Trade(lots) => {
                self.ahead = (self.ahead - lots as f64).max(0.0);
                self.traded += lots;
            }
            Step::Level(lots) if lots != self.level => {
                let gone = (self.level - lots - self.traded) as f64;
                if gone > 0.0 && self.ahead > 0.0 {
                    let behind = self.level as f64 - self.ahead;
                    let share = Self::behind(model, self.ahead, behind);
                    self.ahead -= gone - (share * gone).min(behind);
                }
                self.ahead = self.ahead.min(lots as f64).max(0.0);
                (self.level, self.traded) = (lots, 0);
            }
            Step::Level(_) => {}
        }
    }

    fn behind(model: QueueModel, ahead: f64, behind: f64) -> f64 {
        let f = |x: f64| match model {
            QueueModel::Power { exponent } => x.powi(i32::from(exponent)),
            _ => x.ln_1p(),
        };
        f(behind) / (f(behind) + f(ahead))
    }
}

proptest! {
    /// The estimate in integers is the estimate in real numbers, to a thousandth of a lot.
    #[test]
    fn an_estimate_is_that_of_real_numbers(
        lots in 1..400i64, steps in steps(), exponent in 1..17u8, is_log: bool,
    ) {
        let model = if is_log { QueueModel::Log } else { QueueModel::Power { exponent } };
        let mut place = begin(lots);
        let mut real = Real { ahead: lots as f64, level: lots, traded: 0 };
        for step in steps {
            walk(&mut place, model, step);
            real.walk(model, step);
            let ours = place.ahead_lots as f64 - f64::from(place.rounded) / ONE as f64;
            prop_assert!((ours.max(0.0) - real.ahead).abs() < 1e-3, "{step:?} {place:?} {}", real.ahead);
            if ours <= 0.0 || real.ahead <= 0.0 {
                break;
            }
        }
    }

    /// Whatever the model, an order never falls back and never stands behind the conservative place.
    #[test]
    fn an_order_never_falls_back(lots in 1..400i64, steps in steps(), model in models()) {
        let (mut place, mut conservative) = (begin(lots), begin(lots));
        for step in steps {
            let before = place.ahead_lots;
            walk(&mut place, model, step);
            walk(&mut conservative, QueueModel::Conservative, step);
            prop_assert!(place.ahead_lots <= before.min(conservative.ahead_lots));
            prop_assert!(place.ahead_lots >= 0);
        }
    }

    /// Sizes at the ends of the range neither overflow nor leave it.
    #[test]
    fn the_largest_sizes_do_not_overflow(
        lots in 1..i64::MAX, next in 0..i64::MAX, traded in 0..i64::MAX, model in models(),
    ) {
        let mut place = begin(lots);
        place.pass_trade(traded, traded);
        place.follow(model, next);
        prop_assert!((0..=lots).contains(&place.ahead_lots));
    }
}

#[test]
fn cancels_are_divided_between_those_ahead_and_those_behind() {
    let after = |model| {
        // 30 ahead and 10 behind, then 8 lots are cancelled.
        let mut place = begin(30);
        place.follow(model, 40);
        place.follow(model, 32);
        place.ahead_lots as f64 - f64::from(place.rounded) / ONE as f64
    };
    let is_near = |model, lots: f64| (after(model) - lots).abs() < 1e-7;
    assert!(is_near(QueueModel::Conservative, 30.0));
    // A quarter of the level is behind, and so are 2 of 8; with squares a tenth, 0.8 of 8.
    assert!(is_near(QueueModel::Power { exponent: 1 }, 24.0));
    assert!(is_near(QueueModel::Power { exponent: 2 }, 22.8));
    assert!(is_near(QueueModel::Log, 22.0 + 8.0 * 11f64.ln() / (11f64.ln() + 31f64.ln())));
}

#[test]
fn lots_that_were_traded_are_not_cancels_too() {
    let mut place = begin(30);
    place.follow(QueueModel::Log, 40);
    assert_eq!(place.pass_trade(8, 8), 0);
    place.follow(QueueModel::Log, 32);
    assert_eq!(place.ahead_lots, 22);
}
