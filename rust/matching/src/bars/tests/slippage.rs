use proptest::prelude::*;
use tradecore_types::{OrderId, OrderKind, ReportBody, Side, TimeInForce};

use super::Desk;
use super::properties::{bars, order};
use crate::samples::{limit, market, stop};
use crate::{BarFill, BarOrder, Slippage};

const NONE: Slippage =
    Slippage { ticks: 0, ppm: 0, range_ppm: 0, impact_ppm: 0, volume_ppm: None, may_leave_bar: false };

fn prices_of(desk: &Desk) -> Vec<(OrderId, i64, i64)> {
    let fill = |report: &tradecore_types::Report| match report.body {
        ReportBody::Fill { price_ticks, lots, .. } => Some((report.order_id, price_ticks, lots)),
        _ => None,
    };
    desk.account.reports.iter().filter_map(fill).collect()
}

#[test]
fn each_part_of_slippage_costs_what_it_says() {
    // The bar before has a range of 40 and a volume of 200; the open is 1,000.
    let cases = [
        (NONE, 1_000),
        (Slippage { ticks: 3, ..NONE }, 1_003),
        (Slippage { ppm: 2_500, ..NONE }, 1_003),
        (Slippage { range_ppm: 100_000, ..NONE }, 1_004),
        (Slippage { impact_ppm: 400_000, ..NONE }, 1_002),
        (Slippage { ticks: 3, ppm: 2_500, range_ppm: 100_000, impact_ppm: 400_000, ..NONE }, 1_012),
    ];
    for (slippage, expected) in cases {
        for (side, sign) in [(Side::Buy, 1), (Side::Sell, -1)] {
            let mut desk = Desk::slipping(BarFill::NextOpen, BarOrder::Time, slippage);
            desk.bar_of([1_000, 1_020, 980, 1_000], 200);
            desk.send(market(0, side, 1));
            desk.bar_of([1_000, 1_300, 700, 1_000], 9);
            assert_eq!(prices_of(&desk)[0].1, 1_000 + (expected - 1_000) * sign, "{slippage:?}");
        }
    }
}

#[test]
fn a_bar_fills_no_more_than_its_share_and_the_rest_waits() {
    let slippage = Slippage { volume_ppm: Some(250_000), ..NONE };
    let mut desk = Desk::slipping(BarFill::NextOpen, BarOrder::Time, slippage);
    desk.bar_of([100, 100, 100, 100], 17);
    desk.send(market(0, Side::Buy, 10));
    desk.bar_of([100, 100, 100, 100], 8);
    assert_eq!(prices_of(&desk), [(OrderId(1), 100, 4)]);
    desk.bar_of([101, 101, 101, 101], 0);
    assert_eq!(prices_of(&desk), [(OrderId(1), 101, 2)]);
    desk.bar_of([102, 102, 102, 102], 100);
    assert_eq!(prices_of(&desk), []);
    desk.bar_of([103, 103, 103, 103], 100);
    assert_eq!(prices_of(&desk), [(OrderId(1), 103, 4)]);
    assert!(desk.matcher.is_empty());
}

#[test]
fn a_stop_that_was_set_off_fills_its_rest_at_the_next_open() {
    let slippage = Slippage { ticks: 1, volume_ppm: Some(500_000), ..NONE };
    let mut desk = Desk::slipping(BarFill::NextOpen, BarOrder::Time, slippage);
    desk.bar_of([100, 100, 100, 100], 100);
    desk.send(stop(0, Side::Buy, 105, 5));
    desk.bar_of([100, 110, 100, 90], 6);
    assert_eq!(prices_of(&desk), [(OrderId(1), 106, 3)]);
    // The share of that bar is used up: its volume is offered once.
    desk.bar_of([90, 90, 90, 90], 6);
    assert_eq!(prices_of(&desk), []);
    desk.bar_of([91, 93, 91, 91], 6);
    assert_eq!(prices_of(&desk), [(OrderId(1), 92, 2)]);
}

/// Nobody traded outside the bar, so neither does slippage: at the open, inside, at the close and at the end.
#[test]
fn slippage_stays_within_the_bar_unless_it_is_asked_to_leave_it() {
    for (may_leave_bar, at_open, inside) in [(false, 101, 110), (true, 105, 110)] {
        for policy in [BarOrder::Time, BarOrder::Queue] {
            let slippage = Slippage { ticks: 5, may_leave_bar, ..NONE };
            let mut desk = Desk::slipping(BarFill::NextOpen, policy, slippage);
            desk.bar([100, 100, 100, 100]);
            desk.send(market(0, Side::Buy, 1));
            desk.bar([100, 101, 99, 100]);
            assert_eq!(prices_of(&desk), [(OrderId(1), at_open, 1)], "{policy:?}");
            desk.send(stop(0, Side::Buy, 105, 1));
            desk.bar([100, 110, 99, 100]);
            assert_eq!(prices_of(&desk), [(OrderId(2), inside, 1)], "{policy:?}");
        }
    }
    let mut desk = Desk::slipping(BarFill::Close, BarOrder::Time, Slippage { ticks: 5, ..NONE });
    desk.bar([100, 103, 97, 102]);
    desk.send(market(0, Side::Buy, 1));
    desk.account.reports.clear();
    let last = desk.matcher.last.unwrap();
    desk.matcher.on_close_fill(&last, &mut desk.account).unwrap();
    assert_eq!(prices_of(&desk), [(OrderId(1), 103, 1)]);
}

#[test]
fn an_order_that_may_not_wait_ends_with_what_the_bar_gave() {
    let slippage = Slippage { volume_ppm: Some(500_000), ..NONE };
    for (time_in_force, filled) in [(TimeInForce::Ioc, 3), (TimeInForce::Fok, 0)] {
        let mut desk = Desk::slipping(BarFill::NextOpen, BarOrder::Time, slippage);
        desk.bar_of([100, 100, 100, 100], 6);
        desk.send(tradecore_types::OrderIntent { time_in_force, ..limit(0, Side::Buy, 100, 5) });
        desk.bar_of([100, 100, 100, 100], 6);
        assert_eq!(prices_of(&desk).iter().map(|fill| fill.2).sum::<i64>(), filled);
        assert!(desk.matcher.is_empty() && desk.account.orders.is_empty());
    }
}

#[test]
fn parts_that_make_no_sense_are_refused() {
    let wrong = [
        Slippage { ticks: -1, ..NONE },
        Slippage { ppm: 1_000_001, ..NONE },
        Slippage { volume_ppm: Some(0), ..NONE },
    ];
    assert!(wrong.iter().all(|slippage| slippage.check().is_err()));
    assert_eq!(NONE.check(), Ok(()));
}

fn slippages() -> impl Strategy<Value = Slippage> {
    let share = proptest::option::of(1i64..=1_000_000);
    (0i64..4, 0i64..50_000, 0i64..400_000, 0i64..400_000, share, any::<bool>()).prop_map(
        |(ticks, ppm, range_ppm, impact_ppm, volume_ppm, may_leave_bar)| Slippage {
            ticks,
            ppm,
            range_ppm,
            impact_ppm,
            volume_ppm,
            may_leave_bar,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the slippage: a limit is never worse than its limit, other fills are never better than the
    /// bar nor worse than the largest slippage, bars give no more than their share, and ledger and order
    /// store (which check every report) never object.
    #[test]
    fn slippage_only_ever_costs(
        bars in bars(),
        volumes in proptest::collection::vec(0i64..60, 25),
        policy in 0usize..2,
        slippage in slippages(),
    ) {
        let policy = [BarOrder::Time, BarOrder::Queue][policy];
        let mut desk = Desk::slipping(BarFill::NextOpen, policy, slippage);
        let (mut taken, mut offered, mut before) = (0, 0, None);
        for ((prices, wishes), volume) in bars.into_iter().zip(volumes) {
            let kinds: std::collections::BTreeMap<u64, (OrderKind, Side)> = desk
                .account
                .orders
                .iter()
                .map(|order| (order.intent.order_id.0, (order.intent.kind, order.intent.side)))
                .collect();
            desk.bar_of(prices, volume);
            let bar = desk.matcher.last.unwrap();
            offered += slippage.volume_ppm.map_or(i64::MAX / 64, |ppm| volume * ppm / 1_000_000);
            for (id, price, lots) in prices_of(&desk) {
                taken += lots;
                if !slippage.may_leave_bar {
                    prop_assert!((bar.low_ticks..=bar.high_ticks).contains(&price), "outside the bar");
                }
                // Exits that were armed in this bar are not known from before it.
                let Some(&(kind, side)) = kinds.get(&id.0) else { continue };
                let sign = side.sign();
                let worst = [before, Some(bar)].into_iter().flatten().map(|seen| {
                    let from = if sign > 0 { bar.high_ticks } else { bar.low_ticks };
                    slippage.price(side, from, Some(&seen), i64::MAX) * sign
                });
                let best = if sign > 0 { bar.low_ticks } else { bar.high_ticks };
                prop_assert!(price * sign >= best * sign, "better than the bar");
                prop_assert!(price * sign <= worst.max().unwrap().max(best * sign), "worse than slippage");
                if let OrderKind::Limit { price_ticks } = kind {
                    prop_assert!(price * sign <= price_ticks * sign, "worse than its limit");
                    prop_assert!((bar.low_ticks..=bar.high_ticks).contains(&price));
                }
            }
            prop_assert!(taken <= offered, "{taken} of {offered}");
            prop_assert_eq!(desk.account.ledger.audit(), Ok(()));
            prop_assert_eq!(desk.matcher.len(), desk.account.orders.len());
            before = Some(bar);
            for wish in wishes {
                desk.send(order(wish, prices[3]));
            }
        }
    }
}
