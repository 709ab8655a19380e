//! What a venue lists once more: whoever feeds an engine may leave out what says nothing new.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::outside::{filled, one_order, outside, revised, surprises, tell, tell_about};
use common::{ANNA, GOLD, Rig, TIN, limit, quotes};
use proptest::prelude::*;
use tradecore_types::{OrderId, ReportBody, Side};

/// What an engine has after all that was told: whoever leaves out what is known must have the same.
fn books(rig: &Rig) -> impl PartialEq + std::fmt::Debug + use<> {
    let ledger = rig.kernel.ledger();
    let position = rig.position(ANNA, GOLD);
    (ledger.cash(), ledger.fills(), position, surprises(rig), rig.kernel.switches().is_unreconciled)
}

#[test]
fn a_trade_is_known_once_it_is_booked_and_in_its_own_numbers_alone() {
    let (mut rig, order) = one_order();
    let knows = |rig: &Rig, name: &str, terms| rig.kernel.knows_trade(GOLD, order, name, terms);
    assert!(!knows(&rig, "t1", (95, 4)));
    tell_about(&mut rig, order, filled(95, 4), Some("t1"));
    assert!(knows(&rig, "t1", (95, 4)));
    for (name, terms) in [("t1", (94, 4)), ("t1", (95, 3)), ("t2", (95, 4))] {
        assert!(!knows(&rig, name, terms), "{name} {terms:?}");
    }
    assert!(!rig.kernel.knows_trade(TIN, order, "t1", (95, 4)), "an order has one instrument");
    assert!(!rig.kernel.knows_trade(GOLD, OrderId(order.0 + 1), "t1", (95, 4)));

    tell_about(&mut rig, order, filled(95, 6), Some("t2"));
    assert!(knows(&rig, "t1", (95, 4)) && knows(&rig, "t2", (95, 6)), "of an order that has ended, too");
    assert!(!rig.kernel.knows_trade(TIN, order, "t1", (95, 4)));
    tell(&mut rig, revised(order, "t1", 1, Some((94, 4, 3))));
    assert!(!knows(&rig, "t1", (95, 4)), "what was told anew is for the engine to judge");
    assert!(!knows(&rig, "t1", (94, 4)));
}

#[test]
fn a_trade_that_was_told_anew_only_is_not_known_yet() {
    let (mut rig, order) = one_order();
    tell(&mut rig, revised(order, "t1", 1, Some((95, 4, 3))));
    assert!(!rig.kernel.knows_trade(GOLD, order, "t1", (95, 4)));
}

proptest! {
    /// Whatever is told in whatever order, and told again: to leave out what is known changes nothing in the books.
    #[test]
    fn who_leaves_out_what_is_known_has_the_same_books(
        told in prop::collection::vec((0..3_usize, 0..3_u8, 94..96_i64, 1..4_i64, 0..8_u8), 1..60),
    ) {
        let [mut all, mut some] = [(); 2].map(|()| Rig::new(outside()));
        let orders = [&mut all, &mut some].map(|rig| {
            rig.play(&quotes(100, 99));
            let three = [(); 3].map(|()| rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10)));
            rig.run(|_, _| {}).unwrap();
            three
        });
        prop_assert_eq!(orders[0], orders[1]);
        let mut left_out = 0;
        for (number, name, price, lots, what) in told {
            let (order, name) = (orders[0][number], format!("t{name}"));
            if what == 0 {
                for rig in [&mut all, &mut some] {
                    tell(rig, revised(order, &name, 1, Some((price, lots, 3))));
                }
            } else if what == 1 {
                for rig in [&mut all, &mut some] {
                    tell_about(rig, order, ReportBody::Expired, None);
                }
            } else {
                tell_about(&mut all, order, filled(price, lots), Some(&name));
                if some.kernel.knows_trade(GOLD, order, &name, (price, lots)) {
                    left_out += 1;
                } else {
                    tell_about(&mut some, order, filled(price, lots), Some(&name));
                }
            }
            prop_assert_eq!(books(&all), books(&some));
        }
        let repeated = [&all, &some].map(|rig| rig.kernel.counters().repeated_fills);
        prop_assert_eq!(repeated[0], repeated[1] + left_out);
    }
}
