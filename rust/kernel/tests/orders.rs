//! What strategies and operators may do, and that a refusal changes nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Item, Rig, TIN, bar, clock, command, config, diff, flow_limit, limit, lost, market,
    money, quote, snapshot, stop, trade,
};
use tradecore_kernel::{
    BarSource, BarSpan, Destination, FirstBar, Matching, OrderRequest, Verdict, WakeBody,
};
use tradecore_risk::Limits;
use tradecore_types::{
    Bracket, CancelReason, CommandKind, Liquidity, OrderId, RejectReason, ReportBody, Rule, Side, StrategyId,
};

/// A rig whose gold can be traded at 99 to 101, with these limits.
fn quoted(limits: Limits) -> Rig {
    let mut config = config(Matching::Quotes);
    config.instruments[0].limits = limits;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

/// Lets due answers come in.
fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn tight() -> Limits {
    Limits { order_rate_window_ns: 1_000, ..Limits::default() }
}

#[test]
fn every_refusal_names_its_rule_and_changes_nothing() {
    let buy = |lots| market(GOLD, Side::Buy, lots);
    let cases: Vec<(Rule, Limits, OrderRequest)> = vec![
        (Rule::QuantityMax, Limits { quantity_lots_max: Some(4), ..tight() }, buy(5)),
        (Rule::NotionalMax, Limits { notional_max: Some(money(499)), ..tight() }, buy(5)),
        (Rule::PositionMax, Limits { position_lots_max: Some(4), ..tight() }, buy(5)),
        (Rule::OpenOrdersMax, Limits { open_orders_max: Some(0), ..tight() }, buy(5)),
        (Rule::OrderRateMax, Limits { order_rate_max: Some(0), ..tight() }, buy(5)),
        (
            Rule::PriceCollar,
            Limits { price_collar_ppm: Some(1_000), ..tight() },
            limit(GOLD, Side::Buy, 90, 1),
        ),
        (Rule::ReferenceMissing, tight(), market(TIN, Side::Buy, 5)),
        (Rule::BuyingPower, tight(), buy(20_000)),
        (Rule::ReduceOnly, tight(), OrderRequest { reduce_only: true, ..buy(5) }),
        (Rule::InvalidOrder, tight(), buy(0)),
        (Rule::InvalidOrder, tight(), OrderRequest { post_only: true, ..buy(1) }),
    ];
    for (rule, limits, request) in cases {
        let mut rig = quoted(limits);
        let before = (rig.kernel.orders().len(), rig.kernel.ledger().fills(), rig.kernel.counters().orders);
        assert_eq!(rig.refused(ANNA, &request).rule, rule);
        settle(&mut rig);
        let after = (rig.kernel.orders().len(), rig.kernel.ledger().fills(), rig.kernel.counters().orders);
        assert_eq!(before, after, "{rule:?}");
        assert_eq!(rig.kernel.counters().refusals, 1);
        assert!(rig.wakes.is_empty(), "{rule:?}");
    }
}

#[test]
fn a_stale_reference_refuses_until_a_fresh_one_comes() {
    let mut rig = quoted(Limits { reference_age_ns_max: Some(10), ..tight() });
    rig.play(&[clock(111)]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::ReferenceStale);
    rig.play(&[quote(112, GOLD, (99, 50), (101, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn a_pause_lets_closing_orders_through_and_nothing_else() {
    let mut rig = quoted(tight());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.play(&[command(101, CommandKind::Pause)]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::Paused);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Sell, 6)).rule, Rule::Paused);
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
    settle(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    rig.play(&[command(102, CommandKind::Resume)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn a_position_above_its_limits_can_always_be_closed() {
    let limits = Limits { position_lots_max: Some(5), notional_max: Some(money(600)), ..tight() };
    let mut rig = quoted(limits);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    // The price has risen: the whole position is worth more than one order may be.
    rig.play(&[quote(101, GOLD, (199, 50), (201, 50))]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::PositionMax);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
    settle(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn kill_cancels_all_and_refuses_all_until_released() {
    let mut rig = quoted(tight());
    let resting = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    let waiting = rig.approved(BERT, &stop(GOLD, Side::Sell, 80, 1));
    rig.play(&[command(101, CommandKind::Kill)]);
    for order_id in [resting, waiting] {
        assert!(!rig.is_open(order_id));
        assert_eq!(rig.reports_of(order_id).last(), Some(&ReportBody::Canceled(CancelReason::Killed)));
    }
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::KillLatch);
    rig.play(&[command(102, CommandKind::ReleaseKill)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn an_order_against_bars_says_that_the_kill_cancelled_it() {
    let mut rig = Rig::new(config(Matching::Bars));
    rig.play(&[bar(0, 10, GOLD, [100, 100, 100, 100])]);
    let resting = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    rig.play(&[command(11, CommandKind::Kill)]);
    assert_eq!(rig.reports_of(resting).last(), Some(&ReportBody::Canceled(CancelReason::Killed)));
}

#[test]
fn a_killed_engine_arms_no_exit_of_a_fill_that_was_under_way() {
    let mut config = config(Matching::Quotes);
    config.venue.report_latency_ns = 5;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let bracket = Bracket::at(Some(90), Some(120));
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) });
    rig.play(&[clock(101), command(102, CommandKind::Kill), clock(120)]);
    assert_eq!(rig.position(ANNA, GOLD), 5);
    assert!(rig.kernel.orders().is_empty());
}

#[test]
fn flatten_reaches_flat_when_a_fill_was_still_under_way() {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (3, 5);
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    // It fills at 103 and the engine learns of it at 108: at 105 there is nothing to close yet.
    rig.play(&[clock(104), command(105, CommandKind::Flatten)]);
    for time_ns in [110, 120, 130, 140] {
        rig.play(&[quote(time_ns, GOLD, (99, 50), (101, 50))]);
    }
    assert_eq!(rig.position(ANNA, GOLD), 0);
    assert!(rig.kernel.orders().is_empty());
    assert_eq!(rig.kernel.ledger().fills(), 2);
}

#[test]
fn flatten_waits_for_a_market_and_then_closes_all() {
    let mut rig = Rig::new(config(Matching::Book));
    rig.play(&[snapshot(100, 10, &[(99, 50)], &[(101, 50)])]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.play(&[lost(101, GOLD), command(102, CommandKind::Flatten), clock(103)]);
    assert_eq!(rig.position(ANNA, GOLD), 5);
    rig.play(&[snapshot(104, 20, &[(99, 3)], &[(101, 50)])]);
    assert_eq!(rig.position(ANNA, GOLD), 2);
    rig.play(&[diff(105, 21, &[(98, 50)], &[])]);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    let orders = rig.kernel.counters().orders;
    rig.play(&[diff(106, 22, &[(97, 50)], &[]), clock(107)]);
    assert_eq!(rig.kernel.counters().orders, orders, "what is flat is left alone");
}

#[test]
fn flatten_reaches_flat_in_every_kind_of_market() {
    for matching in [Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange] {
        let mut rig = Rig::new(config(matching));
        let tick = |time_ns: i64| -> Vec<Item> {
            let id = u64::try_from(time_ns).unwrap();
            match matching {
                Matching::Bars => vec![bar(time_ns - 10, time_ns, GOLD, [100, 101, 99, 100])],
                Matching::Quotes => vec![quote(time_ns, GOLD, (99, 50), (101, 50))],
                Matching::Book => vec![snapshot(time_ns, id, &[(99, 50)], &[(101, 50)])],
                Matching::Exchange => vec![
                    flow_limit(time_ns, id, Side::Buy, 99, 50),
                    flow_limit(time_ns, id + 1, Side::Sell, 101, 50),
                ],
            }
        };
        rig.play(&tick(100));
        rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
        rig.approved(BERT, &market(GOLD, Side::Sell, 3));
        rig.play(&tick(110));
        rig.approved(BERT, &limit(GOLD, Side::Sell, 150, 3));
        assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, GOLD)), (5, -3), "{matching:?}");
        rig.play(&[command(110, CommandKind::Flatten)]);
        rig.play(&tick(120));
        assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, GOLD)), (0, 0), "{matching:?}");
        assert!(rig.kernel.orders().is_empty(), "{matching:?}");
    }
}

#[test]
fn an_amendment_is_judged_by_its_whole_size() {
    let mut rig = quoted(Limits { quantity_lots_max: Some(10), ..tight() });
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 8));
    settle(&mut rig);
    let verdict = rig.kernel.replace(ANNA, order_id, 90, 16).unwrap();
    assert!(matches!(verdict, Verdict::Refused(refusal) if refusal.rule == Rule::QuantityMax), "{verdict:?}");
    for lots in [0, -4, i64::MIN] {
        let verdict = rig.kernel.replace(ANNA, order_id, 90, lots).unwrap();
        assert!(matches!(verdict, Verdict::Refused(refusal) if refusal.rule == Rule::InvalidOrder));
    }
    assert_eq!(rig.kernel.replace(ANNA, order_id, 91, 10).unwrap(), Verdict::Approved(order_id));
}

#[test]
fn an_amendment_is_not_counted_beside_the_order_it_replaces() {
    let limits = Limits { open_orders_max: Some(1), position_lots_max: Some(10), ..tight() };
    let mut rig = quoted(limits);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 10));
    settle(&mut rig);
    assert_eq!(rig.kernel.replace(ANNA, order_id, 92, 10).unwrap(), Verdict::Approved(order_id));
    settle(&mut rig);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().price_ticks, Some(92));
}

#[test]
fn an_amendment_that_passes_only_because_it_closes_opens_nothing() {
    for matching in [Matching::Quotes, Matching::Exchange] {
        let mut config = config(matching);
        config.instruments[0].limits = Limits { quantity_lots_max: Some(5), ..tight() };
        let mut rig = Rig::new(config);
        rig.play(&match matching {
            Matching::Quotes => vec![quote(100, GOLD, (99, 50), (101, 50))],
            _ => vec![flow_limit(99, 1, Side::Sell, 101, 10), flow_limit(100, 2, Side::Buy, 99, 50)],
        });
        for _ in 0..2 {
            rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
            settle(&mut rig);
        }
        let take = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 1));
        settle(&mut rig);
        assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Sell, 111, 10)).rule, Rule::QuantityMax);
        assert_eq!(rig.kernel.replace(ANNA, take, None, 10).unwrap(), Verdict::Approved(take));
        settle(&mut rig);
        // Something else closes the position: what is left of the order would open another one.
        for left in [5, 0] {
            rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
            settle(&mut rig);
            assert_eq!(rig.position(ANNA, GOLD), left);
        }
        assert!(!rig.is_open(take), "{matching:?}");
        rig.play(&match matching {
            Matching::Quotes => vec![quote(101, GOLD, (111, 50), (113, 50))],
            _ => vec![flow_limit(101, 3, Side::Buy, 111, 50)],
        });
        assert_eq!(rig.position(ANNA, GOLD), 0, "{matching:?}");
    }
}

#[test]
fn a_reduce_only_order_can_be_given_a_new_price() {
    let mut rig = quoted(tight());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let order_id = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 110, 5) });
    settle(&mut rig);
    assert_eq!(rig.kernel.replace(ANNA, order_id, 105, 5).unwrap(), Verdict::Approved(order_id));
    settle(&mut rig);
    let verdict = rig.kernel.replace(ANNA, order_id, 105, 6).unwrap();
    assert!(matches!(verdict, Verdict::Refused(refusal) if refusal.rule == Rule::ReduceOnly));
}

#[test]
fn reduce_only_orders_that_would_turn_a_position_are_cut_and_end_with_it() {
    let mut rig = quoted(tight());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let order_id = rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 110, 5) });
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    settle(&mut rig);
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().open_lots(), 3);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    settle(&mut rig);
    assert!(!rig.is_open(order_id));
    assert_eq!(rig.reports_of(order_id).last(), Some(&ReportBody::Canceled(CancelReason::Linked)));
}

#[test]
fn a_cancel_is_asked_for_once_and_only_by_the_owner() {
    let mut config = config(Matching::Quotes);
    config.venue.order_latency_ns = 5;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    assert!(!rig.kernel.cancel(BERT, order_id));
    assert!(rig.kernel.cancel(ANNA, order_id));
    assert!(!rig.kernel.cancel(ANNA, order_id), "it is being cancelled");
    rig.play(&[clock(110)]);
    assert!(!rig.kernel.cancel(ANNA, order_id), "it is gone");
    assert_eq!(
        rig.reports_of(order_id),
        [ReportBody::Accepted, ReportBody::Canceled(CancelReason::Requested)]
    );
}

#[test]
fn latencies_add_up_and_what_is_due_comes_before_the_next_event() {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (7, 11);
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    // The order arrives at 107, before the quote of the same time is seen.
    rig.play(&[quote(107, GOLD, (199, 50), (201, 50)), clock(117)]);
    assert!(rig.reports().is_empty());
    rig.play(&[clock(500)]);
    let reports = rig.reports();
    assert_eq!(reports.len(), 2);
    for (time_ns, report) in &reports {
        assert_eq!((*time_ns, report.venue_time_ns), (118, 107));
    }
    assert!(matches!(
        reports[1].1.body,
        ReportBody::Fill { price_ticks: 101, liquidity: Liquidity::Taker, .. }
    ));
}

#[test]
fn timers_ring_at_their_time_in_the_order_they_were_set() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[clock(100)]);
    for (strategy, time_ns, timer_id) in [(ANNA, 110, 1), (BERT, 105, 2), (ANNA, 110, 3), (ANNA, 50, 4)] {
        rig.kernel.set_timer(strategy, time_ns, timer_id);
    }
    rig.play(&[clock(110)]);
    let rung: Vec<(i64, StrategyId, u64)> = rig
        .wakes
        .iter()
        .filter_map(|wake| match wake.body {
            WakeBody::Timer { timer_id } => Some((wake.time_ns, wake.strategy, timer_id)),
            _ => None,
        })
        .collect();
    assert_eq!(rung, [(100, ANNA, 4), (105, BERT, 2), (110, ANNA, 1), (110, ANNA, 3)]);
}

#[test]
fn time_bars_hold_their_bucket_and_the_clock_closes_them() {
    let mut rig = Rig::new(config(Matching::Quotes));
    let series = rig
        .kernel
        .add_series(GOLD, BarSource::Trades(BarSpan::of_ns(10).unwrap()), FirstBar::BySource, 0)
        .unwrap();
    rig.kernel.subscribe_bars(ANNA, series);
    rig.play(&[
        trade(103, GOLD, Side::Buy, 100, 2),
        trade(109, GOLD, Side::Buy, 97, 1),
        // The very end of a bucket belongs to the next; the bucket from 120 stays empty.
        trade(110, GOLD, Side::Sell, 104, 4),
        trade(131, GOLD, Side::Sell, 90, 1),
    ]);
    let bars = |rig: &Rig| -> Vec<(i64, i64, [i64; 5])> {
        let row = |wake: &tradecore_kernel::Wake| match wake.body {
            WakeBody::Bar { bar: b, .. } => Some((
                wake.time_ns,
                b.open_time_ns,
                [b.open_ticks, b.high_ticks, b.low_ticks, b.close_ticks, b.volume_lots],
            )),
            _ => None,
        };
        rig.wakes.iter().filter_map(row).collect()
    };
    let first = [(110, 100, [100, 100, 97, 97, 3]), (120, 110, [104, 104, 104, 104, 4])];
    assert_eq!(bars(&rig), first);
    rig.play(&[clock(139)]);
    assert_eq!(bars(&rig).len(), 2);
    rig.play(&[clock(140)]);
    assert_eq!(bars(&rig).last(), Some(&(140, 130, [90, 90, 90, 90, 1])));
}

#[test]
fn an_invalid_book_stops_strategies_and_fills_but_not_cancels() {
    let mut rig = Rig::new(config(Matching::Book));
    rig.kernel.subscribe_books(ANNA, GOLD);
    rig.play(&[snapshot(100, 10, &[(99, 5)], &[(101, 5)])]);
    let stays = rig.approved(ANNA, &limit(GOLD, Side::Buy, 99, 1));
    let goes = rig.approved(ANNA, &limit(GOLD, Side::Buy, 98, 1));
    settle(&mut rig);
    rig.wakes.clear();
    // An id is missing: everything after it is kept, and the trade through our order proves nothing.
    rig.play(&[
        diff(101, 12, &[(99, 7)], &[]),
        diff(102, 13, &[(99, 8)], &[]),
        trade(103, GOLD, Side::Sell, 90, 50),
    ]);
    assert!(rig.wakes.iter().all(|wake| wake.body != WakeBody::Book));
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::BookInvalid);
    assert!(rig.kernel.cancel(ANNA, goes));
    settle(&mut rig);
    assert!(!rig.is_open(goes));
    assert!(rig.is_open(stays));
    assert_eq!(rig.kernel.ledger().fills(), 0);
    assert_eq!(rig.kernel.best(GOLD), (None, None));
    assert!(rig.kernel.needs_snapshot(GOLD));

    rig.play(&[snapshot(104, 20, &[(99, 5)], &[(101, 5)]), trade(105, GOLD, Side::Sell, 90, 50)]);
    assert!(rig.wakes.iter().any(|wake| wake.body == WakeBody::Book));
    assert_eq!(rig.position(ANNA, GOLD), 1);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    let counts = rig.kernel.book_counts(GOLD);
    assert_eq!((counts.gaps, counts.resyncs), (1, 1));
}

#[test]
fn exits_arm_on_the_fill_follow_their_entry_and_withdraw_each_other() {
    let mut rig = quoted(tight());
    let bracket = Bracket::at(Some(90), Some(120));
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 10) });
    settle(&mut rig);
    let open = |rig: &Rig| -> Vec<(i64, i64)> {
        let mut rows: Vec<_> =
            rig.kernel.orders().iter().map(|order| (order.price_ticks.unwrap(), order.open_lots())).collect();
        rows.sort_unstable();
        rows
    };
    assert_eq!(open(&rig), [(90, 10), (120, 10)]);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
    settle(&mut rig);
    assert_eq!(open(&rig), [(90, 6), (120, 6)]);
    rig.play(&[quote(101, GOLD, (120, 50), (122, 50))]);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    assert!(rig.kernel.orders().is_empty());

    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 10) });
    settle(&mut rig);
    rig.kernel.close(ANNA, GOLD).unwrap();
    settle(&mut rig);
    assert!(rig.kernel.orders().is_empty(), "closed by hand, both exits go");
}

#[test]
fn shadow_orders_are_recorded_and_nothing_fills() {
    let mut config = config(Matching::Quotes);
    config.destination = Destination::Nowhere;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let order_id = rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    rig.play(&[quote(101, GOLD, (99, 50), (101, 50))]);
    assert_eq!(rig.reports_of(order_id), [ReportBody::Canceled(CancelReason::Shadow)]);
    assert_eq!((rig.kernel.counters().orders, rig.kernel.counters().fills), (1, 0));
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn an_account_with_nothing_left_is_closed_everywhere_and_stopped() {
    let mut config = config(Matching::Bars);
    config.cash = money(1_000);
    config.leverage.numerator = 10;
    let mut rig = Rig::new(config);
    let quiet = [100, 100, 100, 100];
    rig.play(&[bar(0, 10, GOLD, quiet), bar(0, 10, TIN, quiet)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 50));
    rig.approved(BERT, &market(TIN, Side::Buy, 20));
    rig.play(&[bar(10, 20, GOLD, quiet), bar(10, 20, TIN, quiet)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, TIN)), (50, 20));
    rig.play(&[bar(20, 30, GOLD, [100, 100, 70, 70])]);
    assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, TIN)), (0, 0));
    assert!(rig.kernel.switches().is_killed);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::KillLatch);
}

#[test]
fn a_bar_that_began_before_the_decision_does_not_fill_it() {
    let mut rig = Rig::new(config(Matching::Bars));
    let before = [bar(0, 10, GOLD, [100, 100, 100, 100]), bar(0, 10, TIN, [50, 50, 50, 50])];
    rig.play(&before);
    // Gold closes at 20 and that decides on tin, whose bar from 10 to 20 is read after it.
    rig.play(&[bar(10, 20, GOLD, [100, 130, 100, 130])]);
    let order_id = rig.approved(ANNA, &market(TIN, Side::Buy, 1));
    rig.play(&[bar(10, 20, TIN, [50, 65, 50, 65])]);
    assert_eq!(rig.position(ANNA, TIN), 0, "its open at 10 is past");
    rig.play(&[bar(20, 30, TIN, [66, 66, 66, 66])]);
    let is_next_open = |body: &ReportBody| matches!(body, ReportBody::Fill { price_ticks: 66, .. });
    assert!(rig.reports_of(order_id).iter().any(is_next_open));
}

#[test]
fn strategies_and_instruments_do_not_see_each_other() {
    let mut rig = quoted(tight());
    rig.play(&[quote(101, TIN, (49, 50), (51, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    rig.approved(BERT, &market(GOLD, Side::Sell, 2));
    rig.approved(BERT, &market(TIN, Side::Buy, 7));
    settle(&mut rig);
    let positions = [(ANNA, GOLD), (ANNA, TIN), (BERT, GOLD), (BERT, TIN)].map(|(s, i)| rig.position(s, i));
    assert_eq!(positions, [3, 0, -2, 7]);
    assert_eq!(rig.kernel.ledger().position_total(GOLD), 1);
    assert_eq!(
        rig.refused(BERT, &OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, 1) }).rule,
        Rule::ReduceOnly
    );
    let of = |strategy| rig.wakes.iter().filter(|wake| wake.strategy == strategy).count();
    assert_eq!((of(ANNA), of(BERT)), (2, 4));
}

#[test]
fn an_amendment_of_an_order_that_is_not_there_is_refused() {
    let mut rig = quoted(tight());
    let verdict = rig.kernel.replace(ANNA, OrderId(77), 100, 1).unwrap();
    assert!(matches!(verdict, Verdict::Refused(refusal) if refusal.rule == Rule::InvalidOrder));
    let rejected = rig.approved(ANNA, &OrderRequest { post_only: true, ..limit(GOLD, Side::Buy, 101, 1) });
    settle(&mut rig);
    assert_eq!(rig.reports_of(rejected), [ReportBody::Rejected(RejectReason::WouldTake)]);
}

#[test]
fn the_state_hash_tells_apart_what_the_next_order_would() {
    let hash = |items: &[Item], price_ticks: i64| {
        let mut config = config(Matching::Quotes);
        config.venue.order_latency_ns = 50;
        let mut rig = Rig::new(config);
        rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
        let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 5));
        rig.kernel.replace(ANNA, order_id, price_ticks, 5).unwrap();
        rig.play(items);
        rig.kernel.state_hash()
    };
    let same = hash(&[clock(110)], 91);
    assert_eq!(same, hash(&[clock(110)], 91));
    assert_ne!(same, hash(&[clock(110)], 92), "an amendment under way");
    assert_ne!(same, hash(&[quote(110, GOLD, (99, 50), (101, 50))], 91), "the age of the reference");
    assert_ne!(same, hash(&[quote(110, GOLD, (99, 50), (101, 49))], 91), "the size of the quote");
}

#[test]
fn two_exits_that_both_fill_leave_no_position_the_other_way() {
    let mut rig = Rig::new(config(Matching::Book));
    rig.play(&[snapshot(100, 10, &[(99, 50)], &[(101, 50)])]);
    let bracket = Bracket::at(Some(90), Some(110));
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) });
    // While the book is invalid the price falls through the stop-loss; when it is back it is above the
    // take-profit: the venue fills both before anybody could withdraw one.
    rig.play(&[lost(102, GOLD), trade(103, GOLD, Side::Sell, 85, 5)]);
    rig.play(&[snapshot(104, 20, &[(115, 50)], &[(116, 50)]), clock(110)]);
    assert_eq!(rig.kernel.ledger().fills(), 4);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    assert!(rig.kernel.orders().is_empty());
}
