//! A day order lives until its instrument's session ends, whatever calendars the other instruments have.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{ANNA, GOLD, Item, Rig, TIN, clock, config, limit, quote};
use proptest::prelude::*;
use tradecore_kernel::{Matching, OrderRequest, Verdict};
use tradecore_types::{
    InstrumentId, OrderId, Refusal, ReportBody, Rule, Session, Sessions, Side, TimeInForce,
};

/// The last time that a test looks at; every table ends before it.
const END_NS: i64 = 400;

/// A rig whose instruments trade in these sessions and are quoted at 99 to 101.
fn rig(gold: &[(i64, i64)], tin: &[(i64, i64)]) -> Rig {
    let mut config = config(Matching::Quotes);
    let table = |spans: &[(i64, i64)]| {
        let sessions =
            spans.iter().map(|(start_ns, end_ns)| Session { start_ns: *start_ns, end_ns: *end_ns });
        Sessions::table(sessions.collect()).unwrap()
    };
    config.instruments[0].sessions = table(gold);
    config.instruments[1].sessions = table(tin);
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (99, 50), (101, 50)), quote(1, TIN, (99, 50), (101, 50))]);
    rig
}

/// Sends a buy for the day that the market never comes to.
fn for_the_day(rig: &mut Rig, instrument: InstrumentId) -> Result<OrderId, Refusal> {
    let expire_ns = rig.kernel.session_end_ns(instrument).unwrap();
    let order =
        OrderRequest { time_in_force: TimeInForce::Day { expire_ns }, ..limit(instrument, Side::Buy, 50, 1) };
    match rig.kernel.submit(ANNA, &order).unwrap() {
        Verdict::Approved(order_id) => Ok(order_id),
        Verdict::Refused(refusal) => Err(refusal),
    }
}

/// Returns when an order expired.
fn expiry_of(rig: &Rig, order_id: OrderId) -> Option<i64> {
    let expired = rig
        .reports()
        .into_iter()
        .find(|(_, report)| report.order_id == order_id && matches!(report.body, ReportBody::Expired));
    expired.map(|(time_ns, _)| time_ns)
}

#[test]
fn a_day_order_lives_on_the_session_of_its_own_instrument() {
    let mut rig = rig(&[(0, 100), (150, 250)], &[(0, 60), (60, 300)]);
    let (gold, tin) = (for_the_day(&mut rig, GOLD).unwrap(), for_the_day(&mut rig, TIN).unwrap());
    rig.play(&[clock(60)]);
    let tin_at_its_end = for_the_day(&mut rig, TIN).unwrap();
    rig.play(&[clock(120)]);
    let gold_between_two = for_the_day(&mut rig, GOLD).unwrap();
    rig.play(&[clock(END_NS)]);
    let expiries = [gold, tin, tin_at_its_end, gold_between_two].map(|order_id| expiry_of(&rig, order_id));
    assert_eq!(expiries, [Some(100), Some(60), Some(300), Some(250)]);
}

#[test]
fn a_day_order_without_a_session_ahead_is_refused_and_other_orders_are_not() {
    let mut rig = rig(&[(0, 100)], &[(0, 300)]);
    rig.play(&[clock(99)]);
    for_the_day(&mut rig, GOLD).unwrap();
    rig.play(&[clock(100)]);
    let refusal = for_the_day(&mut rig, GOLD).unwrap_err();
    assert_eq!(refusal, Refusal { rule: Rule::NoSession, limit: 100, value: 100 });
    assert_eq!(
        rig.refused(
            ANNA,
            &OrderRequest {
                time_in_force: TimeInForce::Gtd { expire_ns: 100 },
                ..limit(GOLD, Side::Buy, 50, 1)
            }
        )
        .rule,
        Rule::InvalidOrder
    );
    for_the_day(&mut rig, TIN).unwrap();
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 50, 1));
}

/// Sessions of 1 and more with pauses of 0 and more, that all end before the last time.
fn tables() -> impl Strategy<Value = Vec<(i64, i64)>> {
    proptest::collection::vec((0i64..20, 1i64..30), 1..7).prop_map(|spans| {
        let mut at_ns = 0;
        let mut place = |pause_ns: i64, length_ns: i64| {
            at_ns += pause_ns + length_ns;
            (at_ns - length_ns, at_ns)
        };
        spans.into_iter().map(|(pause_ns, length_ns)| place(pause_ns, length_ns)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Held against a plain walk over the table of each instrument.
    #[test]
    fn every_day_order_expires_with_the_first_session_that_had_not_ended(
        gold in tables(), tin in tables(), gaps in proptest::collection::vec(1i64..25, 1..16)
    ) {
        let mut rig = rig(&gold, &tin);
        let mut orders = Vec::new();
        let mut now_ns = 1;
        for gap in gaps {
            now_ns += gap;
            rig.play(&[clock(now_ns)]);
            for (instrument, table) in [(GOLD, &gold), (TIN, &tin)] {
                let end_ns = table.iter().map(|session| session.1).find(|end_ns| *end_ns > now_ns);
                match (for_the_day(&mut rig, instrument), end_ns) {
                    (Ok(order_id), Some(end_ns)) => orders.push((order_id, end_ns)),
                    (Err(refusal), None) => prop_assert_eq!(refusal.rule, Rule::NoSession),
                    (answer, end_ns) => prop_assert!(false, "{:?} with an end at {:?}", answer, end_ns),
                }
            }
        }
        let last: Item = clock(END_NS + now_ns);
        rig.play(&[last]);
        for (order_id, end_ns) in orders {
            prop_assert_eq!(expiry_of(&rig, order_id), Some(end_ns));
        }
    }
}
