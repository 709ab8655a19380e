//! Exits protect what has filled, from the first fill on, and through halts; they never close more than there is.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{ANNA, GOLD, Rig, bar, clock, command, config, limit, market, money, quote, stop, trade};
use tradecore_kernel::{KernelConfig, Links, Matching, OrderRequest, Verdict};
use tradecore_risk::{ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    AccountId, Bracket, CancelReason, CommandKind, OrderId, OrderKind, ReportBody, Rule, Side, TimeInForce,
};

/// Gold is quoted at 99 to 101 and nobody trades.
fn quoted(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

fn plain() -> Rig {
    quoted(config(Matching::Quotes))
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

/// Others sell this much at 94, so that as much of a buy order of ours at 95 fills.
fn sold(rig: &mut Rig, time_ns: i64, lots: i64) {
    rig.play(&[trade(time_ns, GOLD, Side::Sell, 94, lots)]);
}

fn exits() -> Bracket {
    Bracket::at(Some(90), Some(120))
}

/// A buy of ten lots at 95 with both exits.
fn entry() -> OrderRequest {
    OrderRequest { bracket: exits(), ..limit(GOLD, Side::Buy, 95, 10) }
}

/// Stated price and open lots of every order on the sell side, by price.
fn sells(rig: &Rig) -> Vec<(i64, i64)> {
    let of_side = rig.kernel.orders().iter().filter(|order| order.intent.side == Side::Sell);
    let mut rows: Vec<_> = of_side.map(|order| (order.price_ticks.unwrap_or(0), order.open_lots())).collect();
    rows.sort_unstable();
    rows
}

fn after(rig: &mut Rig, request: OrderRequest, entry: OrderId, oco: Option<OrderId>) -> OrderId {
    let links = Links { after: Some(entry), oco };
    match rig.kernel.submit_linked(ANNA, &request, links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

fn closing(request: OrderRequest) -> OrderRequest {
    OrderRequest { reduce_only: true, ..request }
}

#[test]
fn exits_are_armed_at_the_first_fill_of_their_entry_and_grow_with_every_other_one() {
    let mut rig = plain();
    let entry = rig.approved(ANNA, &entry());
    settle(&mut rig);
    assert_eq!(sells(&rig), []);
    sold(&mut rig, 101, 3);
    assert_eq!(sells(&rig), [(90, 3), (120, 3)]);
    let exits: Vec<OrderId> = rig.kernel.orders().iter().map(|order| order.intent.order_id).collect();
    sold(&mut rig, 102, 4);
    assert_eq!(sells(&rig), [(90, 7), (120, 7)]);
    assert!(exits.into_iter().all(|exit| rig.is_open(exit)), "the same orders, amended");
    assert!(rig.kernel.cancel(ANNA, entry));
    settle(&mut rig);
    assert_eq!(sells(&rig), [(90, 7), (120, 7)], "what has filled stays protected");
    rig.play(&[quote(103, GOLD, (85, 50), (86, 50)), trade(104, GOLD, Side::Sell, 85, 1)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

#[test]
fn exits_follow_the_fills_of_every_kind_of_depth() {
    for matching in [Matching::Quotes, Matching::Book, Matching::Exchange] {
        let mut rig = Rig::new(config(matching));
        let flow = |time_ns, id, side, price, lots| common::flow_limit(time_ns, id, side, price, lots);
        match matching {
            Matching::Quotes => rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]),
            Matching::Book => rig.play(&[common::snapshot(100, 10, &[(99, 50)], &[(101, 50)])]),
            _ => rig.play(&[flow(100, 1, Side::Buy, 80, 50), flow(100, 2, Side::Sell, 101, 50)]),
        }
        rig.approved(ANNA, &entry());
        settle(&mut rig);
        for (time_ns, lots, all) in [(101, 3, 3), (102, 2, 5)] {
            match matching {
                Matching::Exchange => {
                    let id = u64::try_from(time_ns).unwrap();
                    rig.play(&[flow(time_ns, id, Side::Sell, 95, lots)]);
                }
                _ => sold(&mut rig, time_ns, lots),
            }
            assert_eq!(
                sells(&rig).into_iter().filter(|row| row.0 != 101).collect::<Vec<_>>(),
                [(90, all), (120, all)]
            );
        }
    }
}

#[test]
fn what_fills_at_one_moment_arms_one_order() {
    let mut rig = Rig::new(config(Matching::Book));
    rig.play(&[common::snapshot(100, 10, &[(99, 50)], &[(101, 3), (102, 4), (103, 50)])]);
    rig.approved(ANNA, &OrderRequest { bracket: exits(), ..market(GOLD, Side::Buy, 10) });
    settle(&mut rig);
    assert_eq!(rig.kernel.counters().fills, 3);
    assert_eq!(sells(&rig), [(90, 10), (120, 10)]);
    assert!(rig.reports().iter().all(|(_, report)| !matches!(report.body, ReportBody::Replaced { .. })));
}

#[test]
fn exits_of_an_entry_that_never_fills_are_never_sent() {
    let mut rig = plain();
    let bought = rig.approved(ANNA, &entry());
    let loss = after(&mut rig, closing(stop(GOLD, Side::Sell, 91, 10)), bought, None);
    settle(&mut rig);
    assert!(rig.kernel.cancel(ANNA, bought));
    settle(&mut rig);
    assert!(rig.kernel.orders().is_empty());
    assert_eq!(rig.reports_of(loss), [ReportBody::Canceled(CancelReason::Linked)]);
    assert_eq!(rig.kernel.counters().orders, 2);
}

#[test]
fn an_exit_that_fills_takes_its_lots_off_the_other_one() {
    let mut rig = plain();
    rig.approved(ANNA, &entry());
    settle(&mut rig);
    sold(&mut rig, 101, 6);
    rig.play(&[trade(102, GOLD, Side::Buy, 121, 2)]);
    assert_eq!(sells(&rig), [(90, 4), (120, 4)]);
    sold(&mut rig, 103, 1);
    assert_eq!(sells(&rig), [(90, 5), (120, 5)]);
}

#[test]
fn what_fills_after_an_exit_has_closed_the_rest_is_protected_by_further_exits() {
    let mut rig = plain();
    rig.approved(ANNA, &entry());
    settle(&mut rig);
    sold(&mut rig, 101, 6);
    rig.play(&[trade(102, GOLD, Side::Buy, 125, 6)]);
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (0, vec![]));
    sold(&mut rig, 103, 3);
    assert_eq!(sells(&rig), [(90, 3), (120, 3)]);
}

#[test]
fn a_strategy_amends_and_cancels_exits_while_their_entry_fills() {
    let mut rig = plain();
    rig.approved(ANNA, &entry());
    settle(&mut rig);
    sold(&mut rig, 101, 4);
    let at = |rig: &Rig, price| {
        let found = rig.kernel.orders().iter().find(|order| order.price_ticks == Some(price));
        found.map(|order| order.intent.order_id).unwrap()
    };
    let (loss, gain) = (at(&rig, 90), at(&rig, 120));
    assert_eq!(rig.kernel.replace(ANNA, loss, 92, 4).unwrap(), Verdict::Approved(loss));
    assert!(rig.kernel.cancel(ANNA, gain));
    settle(&mut rig);
    sold(&mut rig, 102, 2);
    assert_eq!(sells(&rig), [(92, 6)], "the stop grows where it is, the other one is gone for good");
    assert_eq!(rig.kernel.replace(ANNA, loss, 92, 3).unwrap(), Verdict::Approved(loss));
    settle(&mut rig);
    sold(&mut rig, 103, 1);
    assert_eq!(sells(&rig), [(92, 4)], "a later fill adds to the size that the strategy gave it");
}

#[test]
fn an_order_that_adds_risk_grows_only_as_far_as_risk_lets_it() {
    let mut config = config(Matching::Quotes);
    config.instruments[0].limits.position_lots_max = Some(14);
    let mut rig = quoted(config);
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 6));
    let more = after(&mut rig, limit(GOLD, Side::Buy, 80, 6), bought, None);
    settle(&mut rig);
    sold(&mut rig, 101, 3);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 70, 4));
    let refusals = rig.kernel.counters().refusals;
    sold(&mut rig, 102, 3);
    assert_eq!(rig.kernel.orders().get(more).unwrap().open_lots(), 3);
    assert_eq!(rig.kernel.counters().refusals, refusals + 1);
}

#[test]
fn an_order_after_one_that_filled_in_part_already_is_sent_at_once() {
    let mut rig = plain();
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    settle(&mut rig);
    sold(&mut rig, 101, 4);
    after(&mut rig, closing(stop(GOLD, Side::Sell, 90, 10)), bought, None);
    settle(&mut rig);
    assert_eq!(sells(&rig), [(90, 4)]);
}

#[test]
fn against_bars_an_order_after_another_one_follows_its_fills_too() {
    let mut config = config(Matching::Bars);
    config.venue.bar_slippage.volume_ppm = Some(1_000_000);
    let mut rig = Rig::new(config);
    let quiet = |n: i64| bar(n * 10, n * 10 + 10, GOLD, [100, 101, 99, 100]);
    rig.play(&[quiet(0)]);
    let bought = rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    let loss = after(&mut rig, closing(stop(GOLD, Side::Sell, 90, 3)), bought, None);
    let open = |rig: &Rig| rig.kernel.orders().get(loss).map(|order| (order.state, order.open_lots()));
    rig.play(&[quiet(1)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig).unwrap().1), (1, 1));
    rig.play(&[quiet(2)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig).unwrap().1), (2, 2));
}

/// A strategy that is halted once it has lost 50.
fn nervous(matching: Matching) -> KernelConfig {
    let limits = ScopeLimits { drawdown_max: Some(money(50)), ..ScopeLimits::default() };
    let mut config = config(matching);
    let strategies = vec![StrategyLimits { limits, instruments: None }];
    config.scopes = ScopesConfig { strategies, ..ScopesConfig::default() };
    config
}

#[test]
fn a_halt_leaves_what_closes_the_position_and_no_more_of_it() {
    let mut rig = quoted(nervous(Matching::Quotes));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    let gain = rig.approved(ANNA, &limit(GOLD, Side::Sell, 130, 6));
    let loss = rig.approved(ANNA, &stop(GOLD, Side::Sell, 80, 7));
    let more = rig.approved(ANNA, &limit(GOLD, Side::Buy, 70, 1));
    settle(&mut rig);
    rig.play(&[quote(101, GOLD, (94, 50), (95, 50))]);
    assert!(rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST));
    assert_eq!(sells(&rig), [(80, 7), (130, 3)], "the stop first, the rest for the other one");
    assert_eq!(rig.reports_of(more).last(), Some(&ReportBody::Canceled(CancelReason::Halted)));
    assert_eq!(rig.reports_of(gain).last(), Some(&ReportBody::Replaced { price_ticks: Some(130), lots: 3 }));
    rig.play(&[trade(102, GOLD, Side::Sell, 79, 1), quote(103, GOLD, (129, 50), (131, 50))]);
    assert!(!rig.is_open(loss));
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (3, vec![(130, 3)]));
    rig.play(&[quote(104, GOLD, (131, 50), (133, 50))]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

#[test]
fn a_halt_leaves_exits_and_cancels_what_would_close_the_same_once_more() {
    let mut rig = quoted(nervous(Matching::Quotes));
    rig.approved(ANNA, &OrderRequest { bracket: exits(), ..market(GOLD, Side::Buy, 10) });
    let twice = rig.approved(ANNA, &stop(GOLD, Side::Sell, 85, 10));
    settle(&mut rig);
    rig.play(&[quote(101, GOLD, (94, 50), (95, 50))]);
    assert!(rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST));
    assert_eq!(sells(&rig), [(90, 10), (120, 10)]);
    assert_eq!(rig.reports_of(twice).last(), Some(&ReportBody::Canceled(CancelReason::Halted)));
}

#[test]
fn a_stop_that_survives_a_halt_opens_nothing_in_any_market() {
    for matching in [Matching::Bars, Matching::Quotes] {
        let mut rig = Rig::new(nervous(matching));
        let at = |time_ns: i64, price: i64| match matching {
            Matching::Bars => bar(time_ns - 10, time_ns, GOLD, [price; 4]),
            _ => quote(time_ns, GOLD, (price - 1, 50), (price + 1, 50)),
        };
        rig.play(&[at(100, 100)]);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
        rig.play(&[at(110, 100)]);
        rig.approved(ANNA, &stop(GOLD, Side::Sell, 80, 10));
        rig.play(&[at(120, 93)]);
        assert_eq!(
            (rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST), sells(&rig)),
            (true, vec![(80, 10)]),
            "{matching:?}"
        );
        rig.kernel.close(ANNA, GOLD).unwrap();
        rig.play(&[at(130, 93), at(140, 75), at(150, 75)]);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0), "{matching:?}");
    }
}

#[test]
fn a_partial_close_cuts_the_newest_reduce_only_order_and_keeps_the_oldest() {
    let mut rig = plain();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    let sent = [(110, 4), (111, 4), (112, 2)]
        .map(|(price, lots)| rig.approved(ANNA, &closing(limit(GOLD, Side::Sell, price, lots))));
    settle(&mut rig);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    settle(&mut rig);
    assert_eq!(sells(&rig), [(110, 4), (111, 3)]);
    assert_eq!(rig.reports_of(sent[2]).last(), Some(&ReportBody::Canceled(CancelReason::Linked)));
    assert_eq!(rig.reports_of(sent[0]), [ReportBody::Accepted], "the oldest is left alone");
}

#[test]
fn reduce_only_orders_that_cancel_each_other_are_cut_together() {
    let mut rig = plain();
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    let loss = rig.approved(ANNA, &closing(stop(GOLD, Side::Sell, 90, 10)));
    let gain = Links { after: None, oco: Some(loss) };
    rig.kernel.submit_linked(ANNA, &closing(limit(GOLD, Side::Sell, 120, 10)), gain).unwrap();
    settle(&mut rig);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 3));
    settle(&mut rig);
    assert_eq!(sells(&rig), [(90, 7), (120, 7)]);
}

#[test]
fn a_cut_under_way_is_not_cut_again() {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (20, 20);
    let mut rig = quoted(config);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[clock(150)]);
    rig.approved(ANNA, &closing(limit(GOLD, Side::Sell, 110, 10)));
    rig.play(&[clock(200)]);
    for time_ns in [200, 205] {
        rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
        rig.play(&[clock(time_ns + 5)]);
    }
    rig.play(&[clock(400)]);
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (6, vec![(110, 6)]));
}

#[test]
fn a_market_to_limit_order_is_restated_and_an_amendment_is_answered() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[quote(100, GOLD, (99, 50), (101, 4))]);
    let kind = OrderKind::MarketToLimit;
    let order_id = rig.approved(ANNA, &OrderRequest { kind, ..market(GOLD, Side::Buy, 10) });
    settle(&mut rig);
    assert_eq!(
        rig.reports_of(order_id).last(),
        Some(&ReportBody::Restated { price_ticks: Some(101), lots: 6 })
    );
    rig.kernel.replace(ANNA, order_id, None, 5).unwrap();
    settle(&mut rig);
    assert_eq!(
        rig.reports_of(order_id).last(),
        Some(&ReportBody::Replaced { price_ticks: Some(101), lots: 5 })
    );
}

#[test]
fn immediate_children_are_sent_once_for_every_fill() {
    let mut rig = plain();
    let bought = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 6));
    let ioc = OrderRequest { time_in_force: TimeInForce::Ioc, ..limit(GOLD, Side::Sell, 99, 6) };
    after(&mut rig, closing(ioc), bought, None);
    settle(&mut rig);
    sold(&mut rig, 101, 2);
    assert_eq!(rig.position(ANNA, GOLD), 0);
    sold(&mut rig, 102, 3);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.ledger().fills()), (0, 4));
}

#[test]
fn a_reduce_only_order_counts_and_is_cut_also_where_it_is_to_cancel_one_that_adds() {
    for request in [stop(GOLD, Side::Buy, 110, 10), limit(GOLD, Side::Buy, 60, 10)] {
        let mut rig = plain();
        rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
        settle(&mut rig);
        let adds = rig.approved(ANNA, &request);
        let links = Links { after: None, oco: Some(adds) };
        let loss = rig.kernel.submit_linked(ANNA, &closing(stop(GOLD, Side::Sell, 95, 10)), links).unwrap();
        assert!(matches!(loss, Verdict::Approved(_)), "{loss:?}");
        settle(&mut rig);
        let further = rig.refused(ANNA, &closing(limit(GOLD, Side::Sell, 120, 1)));
        assert_eq!(further.rule, Rule::ReduceOnly, "the stop closes it all");
        rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
        settle(&mut rig);
        assert_eq!(sells(&rig), [(95, 6)], "it is cut to what is left");
        rig.play(&[quote(102, GOLD, (90, 50), (92, 50)), clock(110)]);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
        assert_eq!(rig.kernel.counters().orders, 4, "there was no surplus");
    }
}

#[test]
fn a_close_beside_resting_closing_orders_is_not_refused_and_its_fill_cuts_them() {
    let mut late = config(Matching::Quotes);
    late.venue.order_latency_ns = 10;
    let mut rig = quoted(late);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.play(&[quote(120, GOLD, (99, 4), (101, 50))]);
    let loss = rig.approved(ANNA, &closing(stop(GOLD, Side::Sell, 90, 10)));
    rig.play(&[quote(140, GOLD, (99, 4), (101, 50))]);
    // Limit orders are not in a hurry: they close what nothing else closes.
    assert_eq!(rig.refused(ANNA, &closing(limit(GOLD, Side::Sell, 120, 1))).rule, Rule::ReduceOnly);
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
    let twice = rig.kernel.close(ANNA, GOLD).unwrap();
    assert!(matches!(twice, Some(Verdict::Refused(_))), "what is on its way closes it all");
    assert_eq!(sells(&rig), [(0, 10), (90, 10)]);
    rig.play(&[quote(160, GOLD, (99, 4), (101, 50)), clock(180)]);
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (6, vec![(90, 6)]), "the rest stays protected");
    rig.approved(ANNA, &closing(market(GOLD, Side::Sell, 6)));
    rig.play(&[quote(185, GOLD, (99, 50), (101, 50)), clock(220)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(loss)), (0, false));
}

#[test]
fn after_a_halt_a_close_passes_beside_the_orders_that_stayed() {
    let limits = ScopeLimits { drawdown_max: Some(money(50)), ..ScopeLimits::default() };
    let mut nervous = config(Matching::Quotes);
    nervous.scopes = ScopesConfig {
        strategies: vec![StrategyLimits { limits, instruments: None }; 2],
        ..ScopesConfig::default()
    };
    let mut rig = quoted(nervous);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    let target = rig.approved(ANNA, &limit(GOLD, Side::Sell, 200, 10));
    rig.play(&[quote(101, GOLD, (90, 50), (92, 50))]);
    assert!(rig.kernel.scopes().is_halted(ANNA, AccountId::FIRST) && rig.is_open(target));
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
    settle(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

/// Anna is short of five: both exits of her five bought filled, the second before its cancel arrived. Of what
/// is offered at 96 after that, `depth` can be had. Orders take five.
fn short_by_both_exits(depth: i64) -> Rig {
    let mut late = config(Matching::Quotes);
    late.venue.order_latency_ns = 5;
    let mut rig = quoted(late);
    let bracket = Bracket::at(Some(95), Some(105));
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) });
    rig.play(&[quote(120, GOLD, (99, 50), (101, 50)), quote(130, GOLD, (105, 50), (107, 50))]);
    rig.play(&[quote(131, GOLD, (94, 50), (96, depth))]);
    assert_eq!(rig.position(ANNA, GOLD), -5);
    rig
}

#[test]
fn a_surplus_is_closed_again_until_nothing_is_left_of_it() {
    for depth in [2, 0] {
        let mut rig = short_by_both_exits(depth);
        rig.play(&[clock(139)]);
        assert_eq!(rig.position(ANNA, GOLD), depth - 5, "as far as there is anything to be had");
        // What is on its way is not sent twice.
        rig.play(&[quote(140, GOLD, (94, 50), (96, 0)), quote(141, GOLD, (94, 50), (96, 0)), clock(150)]);
        let orders = rig.kernel.counters().orders;
        rig.play(&[quote(200, GOLD, (94, 50), (96, 50)), quote(202, GOLD, (94, 50), (96, 50)), clock(220)]);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0), "{depth}");
        rig.play(&[quote(230, GOLD, (94, 50), (96, 50)), clock(250)]);
        assert_eq!(rig.kernel.counters().orders, orders + 1, "one order closed it, and then it was flat");
    }
}

#[test]
fn a_killed_engine_leaves_a_surplus_also_when_it_is_released() {
    let mut rig = short_by_both_exits(0);
    rig.play(&[clock(139), command(140, CommandKind::Kill), command(141, CommandKind::ReleaseKill)]);
    rig.play(&[quote(200, GOLD, (94, 50), (96, 50)), clock(220)]);
    assert_eq!(rig.position(ANNA, GOLD), -5);
}

#[test]
fn what_closes_a_surplus_does_not_take_what_another_entry_has_opened() {
    let mut rig = short_by_both_exits(0);
    // Eight bought close the five and open three before the order for the five arrives.
    let other = OrderRequest { bracket: Bracket::at(Some(80), None), ..limit(GOLD, Side::Buy, 97, 8) };
    rig.play(&[clock(150)]);
    rig.approved(ANNA, &other);
    rig.play(&[clock(152), quote(153, GOLD, (94, 50), (98, 50)), quote(156, GOLD, (94, 50), (97, 50))]);
    rig.play(&[clock(200)]);
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (3, vec![(80, 3)]), "it keeps its stop");
}

#[test]
fn a_flatten_goes_on_beside_an_exit_that_was_armed_after_it_began() {
    let mut late = config(Matching::Quotes);
    late.venue.report_latency_ns = 5;
    let mut rig = quoted(late);
    let bracket = Bracket::at(Some(90), None);
    rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 100, 10) });
    rig.play(&[quote(110, GOLD, (99, 1), (100, 4)), quote(111, GOLD, (99, 1), (101, 50))]);
    rig.play(&[command(112, CommandKind::Flatten), clock(116)]);
    assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (4, vec![(90, 4)]), "the fill was on its way back");
    // One lot is bid for, each time at another price: what was taken is not offered again.
    for (time_ns, bid, left_lots) in [(120, 98, 3), (140, 97, 2), (160, 98, 1), (180, 97, 0)] {
        rig.play(&[quote(time_ns, GOLD, (bid, 1), (101, 50)), clock(time_ns + 12)]);
        let stop = (left_lots > 0).then_some((90, left_lots));
        assert_eq!((rig.position(ANNA, GOLD), sells(&rig)), (left_lots, Vec::from_iter(stop)));
    }
    rig.play(&[clock(200)]);
    assert!(rig.kernel.orders().is_empty());
}
