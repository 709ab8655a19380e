//! What only closes is tried on at every change of the market until there is nothing left to close.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Rig, bar, clock, command, config, diff, flow_limit, limit, lost, market, quote,
    snapshot, stop,
};
use tradecore_kernel::{KernelConfig, Links, Matching, OrderRequest, Verdict};
use tradecore_matching::{MarketRest, SelfTradePrevention};
use tradecore_types::{
    Bracket, CancelReason, CommandKind, Liquidity, OrderId, OrderKind, RejectReason, ReportBody, Side,
    TimeInForce,
};

/// Anna has bought ten at 100.
fn long(config: KernelConfig) -> Rig {
    long_with(config, Bracket::default())
}

fn long_with(config: KernelConfig, bracket: Bracket) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (100, 50))]);
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 10) });
    rig.play(&[clock(150)]);
    assert_eq!(rig.position(ANNA, GOLD), 10);
    rig
}

fn closing(request: OrderRequest) -> OrderRequest {
    OrderRequest { reduce_only: true, ..request }
}

/// Sends a reduce-only stop at 90 and a limit at 110 that cancel each other.
fn pair(rig: &mut Rig, lots: i64) -> (OrderId, OrderId) {
    let first = rig.approved(ANNA, &closing(stop(GOLD, Side::Sell, 90, lots)));
    let links = Links { after: None, oco: Some(first) };
    let second = rig.kernel.submit_linked(ANNA, &closing(limit(GOLD, Side::Sell, 110, lots)), links).unwrap();
    let Verdict::Approved(second) = second else { panic!("refused") };
    rig.run(|_, _| {}).unwrap();
    (first, second)
}

/// Gold is quoted at 89 to 90, with so many lots bid for.
fn thin(rig: &mut Rig, time_ns: i64, lots: i64) {
    rig.play(&[quote(time_ns, GOLD, (89, lots), (90, 50))]);
}

fn open(rig: &Rig, order_id: OrderId) -> i64 {
    rig.kernel.orders().get(order_id).map_or(0, tradecore_ledger::OpenOrder::open_lots)
}

fn last(rig: &Rig, order_id: OrderId) -> ReportBody {
    *rig.reports_of(order_id).last().unwrap()
}

const IOC: ReportBody = ReportBody::Canceled(CancelReason::ImmediateOrCancel);

#[test]
fn a_stop_that_finds_three_of_ten_goes_on_and_its_partner_protects_the_seven() {
    let mut rig = long(config(Matching::Quotes));
    let (loss, gain) = pair(&mut rig, 10);
    thin(&mut rig, 200, 3);
    assert_eq!((rig.position(ANNA, GOLD), last(&rig, loss), open(&rig, gain)), (7, IOC, 7));
    thin(&mut rig, 210, 4);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig, gain)), (3, 3));
    // Nobody bids: nothing is sent in vain.
    let orders = rig.kernel.counters().orders;
    thin(&mut rig, 220, 0);
    assert_eq!((rig.kernel.counters().orders, open(&rig, gain)), (orders, 3));
    thin(&mut rig, 230, 9);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
    assert_eq!(last(&rig, gain), ReportBody::Canceled(CancelReason::Linked));
    thin(&mut rig, 240, 9);
    assert_eq!(rig.position(ANNA, GOLD), 0, "it is done");
}

#[test]
fn both_exits_of_a_bracket_and_what_close_sends_are_tried_on() {
    let bracket = Bracket::at(Some(90), Some(110));
    let mut rig = long_with(config(Matching::Quotes), bracket);
    thin(&mut rig, 200, 3);
    let sells: Vec<_> =
        rig.kernel.orders().iter().map(|order| (order.price_ticks, order.open_lots())).collect();
    assert_eq!((rig.position(ANNA, GOLD), sells), (7, vec![(Some(110), 7)]));
    thin(&mut rig, 210, 8);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));

    let mut rig = long_with(config(Matching::Quotes), bracket);
    rig.play(&[quote(200, GOLD, (99, 3), (100, 50))]);
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
    rig.play(&[clock(201)]);
    assert_eq!(rig.position(ANNA, GOLD), 7);
    rig.play(&[quote(210, GOLD, (98, 7), (100, 50))]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

#[test]
fn every_kind_that_trades_at_any_price_is_tried_on_and_a_limit_just_waits() {
    let touched = OrderKind::MarketIfTouched { trigger_ticks: 105 };
    let trailing = OrderKind::TrailingStop { offset_ticks: 5, activation_ticks: 0 };
    for (kind, bids) in [(touched, [106, 105]), (trailing, [94, 93]), (OrderKind::Market, [99, 98])] {
        let mut rig = long(config(Matching::Quotes));
        rig.play(&[quote(180, GOLD, (99, 3), (100, 50))]);
        rig.approved(ANNA, &closing(OrderRequest { kind, ..market(GOLD, Side::Sell, 10) }));
        rig.play(&[clock(190), quote(200, GOLD, (bids[0], 3), (120, 50))]);
        rig.play(&[quote(210, GOLD, (bids[1], 10), (120, 50))]);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0), "{kind:?}");
    }
    let mut rig = long(config(Matching::Quotes));
    let kind = OrderKind::StopLimit { trigger_ticks: 90, price_ticks: 88 };
    let exit = rig.approved(ANNA, &closing(OrderRequest { kind, ..market(GOLD, Side::Sell, 10) }));
    rig.play(&[clock(190)]);
    thin(&mut rig, 200, 3);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig, exit), rig.kernel.counters().orders), (7, 7, 2));
}

#[test]
fn who_asks_for_immediate_or_cancel_or_for_what_may_open_gets_no_more() {
    let ioc = OrderRequest { time_in_force: TimeInForce::Ioc, ..market(GOLD, Side::Sell, 10) };
    for request in [closing(ioc), market(GOLD, Side::Sell, 10), stop(GOLD, Side::Sell, 99, 10)] {
        let mut rig = long(config(Matching::Quotes));
        rig.play(&[quote(200, GOLD, (99, 3), (100, 50))]);
        let order_id = rig.approved(ANNA, &request);
        rig.play(&[clock(201), quote(210, GOLD, (98, 50), (100, 50)), quote(220, GOLD, (98, 60), (100, 50))]);
        assert_eq!((rig.position(ANNA, GOLD), last(&rig, order_id)), (7, IOC), "{request:?}");
    }
}

#[test]
fn a_kill_a_cancel_and_a_position_that_is_gone_end_it() {
    let set_off = || {
        let mut rig = long(config(Matching::Quotes));
        let (loss, gain) = pair(&mut rig, 10);
        thin(&mut rig, 200, 3);
        (rig, loss, gain)
    };
    let (mut rig, ..) = set_off();
    rig.play(&[command(201, CommandKind::Kill), command(202, CommandKind::ReleaseKill)]);
    thin(&mut rig, 210, 50);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (7, 0), "killed");

    // By the number of the exit, or of the order that it cancels: they go together.
    for by_partner in [false, true] {
        let (mut rig, loss, gain) = set_off();
        assert!(!rig.kernel.cancel(BERT, loss), "it is Anna's");
        assert!(rig.kernel.cancel(ANNA, if by_partner { gain } else { loss }));
        rig.play(&[clock(205)]);
        assert!(!rig.kernel.cancel(ANNA, loss), "there is nothing left to cancel");
        thin(&mut rig, 210, 50);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (7, 0), "{by_partner}");
    }

    let (mut rig, ..) = set_off();
    rig.play(&[quote(205, GOLD, (89, 0), (90, 50))]);
    rig.approved(ANNA, &limit(GOLD, Side::Sell, 95, 7));
    rig.play(&[clock(206), common::trade(207, GOLD, Side::Buy, 96, 7)]);
    let orders = rig.kernel.counters().orders;
    thin(&mut rig, 210, 50);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0), "gone");
    assert_eq!(rig.kernel.counters().orders, orders);
}

#[test]
fn what_a_partner_closes_meanwhile_is_not_closed_again() {
    let mut rig = long(config(Matching::Quotes));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.play(&[clock(160)]);
    let (_, gain) = pair(&mut rig, 10);
    thin(&mut rig, 200, 3);
    assert_eq!(open(&rig, gain), 7);
    // The limit fills five of the seven before the market order is sent.
    rig.play(&[quote(210, GOLD, (111, 5), (112, 50)), quote(220, GOLD, (95, 50), (96, 50))]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (5, 0), "five are not theirs");
}

#[test]
fn one_order_is_on_its_way_at_a_time() {
    let mut late = config(Matching::Quotes);
    (late.venue.order_latency_ns, late.venue.report_latency_ns) = (10, 10);
    let mut rig = long(late);
    let (_, gain) = pair(&mut rig, 10);
    rig.play(&[clock(180)]);
    thin(&mut rig, 200, 3);
    let orders = rig.kernel.counters().orders;
    for time_ns in [211, 212, 213, 214] {
        thin(&mut rig, time_ns, time_ns - 209);
    }
    assert_eq!(rig.kernel.counters().orders, orders + 1);
    rig.play(&[clock(255)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig, gain)), (2, 2));
    thin(&mut rig, 260, 6);
    rig.play(&[clock(300)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

#[test]
fn an_exit_that_reaches_a_book_that_is_not_to_be_trusted_is_sent_again() {
    let mut late = config(Matching::Book);
    late.venue.order_latency_ns = 10;
    let mut rig = Rig::new(late);
    rig.play(&[snapshot(100, 10, &[(99, 50)], &[(100, 50)])]);
    let bracket = Bracket::at(Some(90), Some(110));
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) });
    rig.play(&[diff(110, 11, &[(98, 50)], &[]), lost(111, GOLD), clock(125)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (5, 0), "both exits were rejected");
    let orders = rig.kernel.counters().orders;
    rig.play(&[diff(130, 13, &[(98, 40)], &[]), diff(131, 14, &[(98, 40)], &[]), clock(145)]);
    assert_eq!(rig.kernel.counters().orders, orders, "nothing is sent while the book is invalid");
    rig.play(&[snapshot(150, 20, &[(99, 50)], &[(100, 50)]), clock(170)]);
    let mut exits: Vec<_> =
        rig.kernel.orders().iter().map(|order| (order.price_ticks.unwrap(), order.open_lots())).collect();
    exits.sort_unstable();
    assert_eq!(exits, [(90, 5), (110, 5)]);

    // So are orders without an entry, and what cancels each other stays together.
    let mut rig = Rig::new(rig_config());
    rig.play(&[snapshot(100, 10, &[(99, 50)], &[(100, 50)])]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.play(&[diff(120, 11, &[(98, 50)], &[])]);
    let (loss, gain) = pair(&mut rig, 5);
    rig.play(&[lost(125, GOLD), clock(140)]);
    for order_id in [loss, gain] {
        assert_eq!(last(&rig, order_id), ReportBody::Rejected(RejectReason::NoLiquidity));
    }
    rig.play(&[snapshot(150, 20, &[(99, 50)], &[(100, 50)]), clock(170)]);
    assert_eq!(rig.kernel.orders().len(), 2);
    rig.play(&[snapshot(180, 30, &[(89, 50)], &[(90, 50)]), clock(200)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}

fn rig_config() -> KernelConfig {
    let mut late = config(Matching::Book);
    late.venue.order_latency_ns = 10;
    late
}

#[test]
fn an_order_of_another_strategy_does_not_strip_a_pair() {
    let mut exchange = config(Matching::Exchange);
    exchange.venue.self_trade = SelfTradePrevention::CancelOldest;
    let mut rig = Rig::new(exchange);
    rig.play(&[flow_limit(100, 1, Side::Buy, 99, 50), flow_limit(100, 2, Side::Sell, 100, 5)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    rig.run(|_, _| {}).unwrap();
    let (loss, gain) = pair(&mut rig, 5);
    // Bert buys what Anna offers: her limit is cancelled in favour of his order.
    rig.approved(BERT, &limit(GOLD, Side::Buy, 110, 3));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(last(&rig, gain), ReportBody::Canceled(CancelReason::SelfTrade));
    assert_eq!(open(&rig, loss), 5, "she still has her stop");
    rig.play(&[flow_limit(110, 3, Side::Sell, 110, 3), flow_limit(111, 4, Side::Sell, 120, 1)]);
    let targets = rig.kernel.orders().iter().filter(|order| order.price_ticks == Some(110));
    assert_eq!(targets.map(tradecore_ledger::OpenOrder::open_lots).sum::<i64>(), 5, "and her limit again");
}

#[test]
fn with_the_setting_a_quote_gives_the_rest_one_tick_worse() {
    let mut deep = config(Matching::Quotes);
    deep.venue.market_rest = MarketRest::OneTickWorse;
    let mut rig = long(deep);
    let (loss, gain) = pair(&mut rig, 10);
    thin(&mut rig, 200, 3);
    let fills: Vec<_> = rig
        .reports_of(loss)
        .into_iter()
        .filter_map(|body| match body {
            ReportBody::Fill { price_ticks, lots, liquidity, .. } => Some((price_ticks, lots, liquidity)),
            _ => None,
        })
        .collect();
    assert_eq!(fills, [(89, 3, Liquidity::Taker), (88, 7, Liquidity::Taker)]);
    assert_eq!((rig.position(ANNA, GOLD), open(&rig, gain), rig.kernel.counters().orders), (0, 0, 3));
    // A book shows what comes next, and there it is taken at its word.
    let mut book = config(Matching::Book);
    book.venue.market_rest = MarketRest::OneTickWorse;
    let mut rig = Rig::new(book);
    rig.play(&[snapshot(100, 10, &[(99, 3)], &[(100, 4)])]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.position(ANNA, GOLD), 4);
}

#[test]
fn against_bars_the_rest_of_an_exit_waits_for_the_next_bar_and_its_partner_with_it() {
    let mut thin = config(Matching::Bars);
    thin.venue.bar_slippage.volume_ppm = Some(1_000_000);
    let mut rig = Rig::new(thin);
    let at = |n: i64, price: i64| bar(n * 10, n * 10 + 10, GOLD, [price; 4]);
    rig.play(&[at(0, 100)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
    // A bar trades one lot.
    rig.play(&[at(1, 100), at(2, 100), at(3, 100)]);
    let (loss, gain) = pair(&mut rig, 3);
    for (n, left) in [(4, 2), (5, 1)] {
        rig.play(&[at(n, 89)]);
        assert_eq!((rig.position(ANNA, GOLD), open(&rig, loss), open(&rig, gain)), (left, left, left));
    }
    rig.play(&[at(6, 89)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (0, 0));
}
