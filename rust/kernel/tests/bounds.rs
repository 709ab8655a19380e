//! Orders at their worst: bad prices, amendments that fills overtake, closing orders that race, and floods.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use std::collections::{HashMap, HashSet};

use common::{
    ANNA, BERT, GOLD, Rig, Script, TIN, config, limit, market, money, quote, quotes, release, replayed, stop,
    subscribe, trade,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{KernelConfig, Matching, OrderRequest, Verdict};
use tradecore_risk::{Limits, ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    AccountId, Bracket, CancelReason, CommandKind, InstrumentId, OrderId, OrderKind, Refusal, ReportBody,
    Rule, Scope, Side, StrategyId, TimeInForce,
};

/// Gold and tin at 99 to 101, with these limits on gold.
fn quoted(limits: Limits) -> Rig {
    let mut config = config(Matching::Quotes);
    config.instruments[0].limits = limits;
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    rig
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

#[test]
fn an_order_that_trades_at_the_market_whatever_it_says_counts_at_the_market() {
    let touched =
        OrderRequest { kind: OrderKind::MarketIfTouched { trigger_ticks: 1 }, ..market(GOLD, Side::Sell, 6) };
    for request in [limit(GOLD, Side::Sell, 1, 6), stop(GOLD, Side::Buy, 1, 6), touched] {
        let mut rig = quoted(Limits { notional_max: Some(money(500)), ..Limits::default() });
        let over = (Rule::NotionalMax, money(500).0, money(600).0);
        assert_eq!(named(rig.refused(ANNA, &request)), over, "{request:?}");

        let mut poor = config(Matching::Quotes);
        poor.cash = money(500);
        let mut rig = Rig::new(poor);
        rig.play(&quotes(100, 99));
        assert_eq!(rig.refused(ANNA, &request).rule, Rule::BuyingPower, "{request:?}");
    }
    // A buy never pays more than its limit, and a sell above the market no less than its own.
    let mut rig = quoted(Limits { notional_max: Some(money(500)), ..Limits::default() });
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 50, 10));
    let over = (Rule::NotionalMax, money(500).0, money(600).0);
    assert_eq!(named(rig.refused(ANNA, &limit(GOLD, Side::Sell, 200, 3))), over);
}

/// An order for ten lots at 95 of which six fill while an amendment to `lots` at 96 is on its way.
fn overtaken(lots: i64, matching: Matching) -> Rig {
    let mut config = config(matching);
    config.instruments[0].limits = Limits { position_lots_max: Some(10), ..Limits::default() };
    config.venue.order_latency_ns = 10;
    config.venue.report_latency_ns = 5;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (94, 50), (101, 50))]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.play(&[quote(120, GOLD, (94, 50), (101, 50))]);
    assert_eq!(rig.kernel.replace(ANNA, order_id, 96, lots).unwrap(), Verdict::Approved(order_id));
    // The report of these six is still on its way when the amendment arrives.
    rig.play(&[trade(128, GOLD, Side::Sell, 95, 6), quote(140, GOLD, (94, 50), (101, 50))]);
    assert_eq!(rig.position(ANNA, GOLD), 6);
    rig.play(&[trade(150, GOLD, Side::Sell, 90, 99), quote(160, GOLD, (94, 50), (101, 50))]);
    rig
}

#[test]
fn what_fills_while_an_amendment_is_on_its_way_counts_towards_it() {
    let rig = overtaken(10, Matching::Quotes);
    assert_eq!(rig.position(ANNA, GOLD), 10);
    assert!(rig.kernel.orders().is_empty());
    assert_eq!(overtaken(7, Matching::Quotes).position(ANNA, GOLD), 7);
}

#[test]
fn an_amendment_to_less_than_has_filled_ends_the_order() {
    for lots in [6, 5, 1] {
        let rig = overtaken(lots, Matching::Quotes);
        assert_eq!(rig.position(ANNA, GOLD), 6, "{lots}");
        let last = rig.reports().last().unwrap().1.body;
        assert_eq!(last, ReportBody::Canceled(CancelReason::Requested), "{lots}");
        assert!(rig.kernel.orders().is_empty());
    }
}

#[test]
fn fills_count_towards_an_amendment_also_while_another_one_is_not_answered() {
    let mut config = config(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (10, 30);
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (94, 50), (101, 50))]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 3));
    rig.play(&[quote(150, GOLD, (94, 50), (101, 50))]);
    rig.kernel.replace(ANNA, order_id, 95, 6).unwrap();
    rig.play(&[common::clock(155)]);
    rig.kernel.replace(ANNA, order_id, 95, 5).unwrap();
    // Of the six, three fill before the engine knows that there are six.
    rig.play(&[trade(162, GOLD, Side::Sell, 94, 3), trade(200, GOLD, Side::Sell, 94, 9), common::clock(300)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (5, 0));
}

#[test]
fn a_flood_of_closing_orders_is_refused_and_the_engine_goes_on() {
    let mut rich = config(Matching::Quotes);
    rich.cash = money(10_000_000);
    let mut rig = Rig::new(rich);
    rig.play(&[quote(100, GOLD, (99, 50_000), (101, 50_000))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 20_000));
    settle(&mut rig);
    let closing = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 200, 1) };
    let sent = (0..20_000)
        .take_while(|_| matches!(rig.kernel.submit(ANNA, &closing).unwrap(), Verdict::Approved(_)))
        .count();
    assert_eq!(sent, 8_192);
    assert_eq!(named(rig.refused(ANNA, &closing)), (Rule::OpenOrdersMax, 8_192, 8_193));
    // An operator still closes everything.
    rig.play(&[common::command(101, CommandKind::Flatten), quote(102, GOLD, (99, 50_000), (101, 50_000))]);
    rig.play(&[quote(103, GOLD, (99, 50_000), (101, 50_000))]);
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn exit_prices_that_make_no_sense_are_refused_with_the_price() {
    let cases = [
        (Side::Buy, Some(-5), None, (1, -5)),
        (Side::Buy, None, Some(0), (1, 0)),
        (Side::Buy, Some(110), Some(105), (105, 110)),
        (Side::Buy, Some(105), Some(105), (105, 105)),
        (Side::Sell, Some(90), Some(95), (95, 90)),
    ];
    for (side, stop_loss_ticks, take_profit_ticks, (limit, value)) in cases {
        let bracket = Bracket::at(stop_loss_ticks, take_profit_ticks);
        let mut rig = quoted(Limits::default());
        let refused = rig.refused(ANNA, &OrderRequest { bracket, ..market(GOLD, side, 1) });
        assert_eq!(named(refused), (Rule::InvalidOrder, limit, value));
    }
}

/// Strategies whose losses and executions halt them soon; nothing takes any time, so that no two closing
/// orders race.
fn nervous() -> KernelConfig {
    let limits = ScopeLimits {
        drawdown_max: Some(money(60)),
        executions_max: Some(60),
        executions_window_ns: 1_000_000,
        ..ScopeLimits::default()
    };
    let mut config = config(Matching::Quotes);
    let strategies = vec![StrategyLimits { limits, instruments: None }; 2];
    config.scopes = ScopesConfig { strategies, ..ScopesConfig::default() };
    config
}

#[test]
fn a_release_of_executions_does_not_forgive_losses() {
    let mut nervous = nervous();
    nervous.scopes.strategies[0].limits.executions_max = Some(1);
    let mut rig = Rig::new(nervous);
    rig.play(&quotes(100, 99));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    settle(&mut rig);
    // 101 paid, 96 in the middle: 50 of the 60 are lost.
    rig.play(&quotes(101, 95));
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::ExecutionsMax);
    rig.play(&[common::command(102, release(Scope::Strategy(ANNA)))]);
    rig.approved(ANNA, &limit(TIN, Side::Buy, 50, 1));
    rig.play(&quotes(103, 93));
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 1)).rule, Rule::DrawdownMax);
}

#[test]
fn an_order_that_passes_a_pause_because_it_closes_ends_with_the_position() {
    let mut rig = quoted(Limits::default());
    let bracket = Bracket::at(Some(90), None);
    rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) });
    rig.play(&[common::command(101, CommandKind::Pause)]);
    let plain = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 5));
    settle(&mut rig);
    assert!(rig.kernel.orders().get(plain).unwrap().intent.reduce_only);
    // What it closes already, a second one does not close.
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Sell, 111, 1)).rule, Rule::Paused);
    rig.play(&[quote(102, GOLD, (88, 50), (90, 50)), quote(103, GOLD, (120, 50), (122, 50))]);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(plain)), (0, false));

    // Where nothing stands in its way it stays what it was.
    let mut rig = quoted(Limits::default());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let plain = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 5));
    assert!(!rig.kernel.orders().get(plain).unwrap().intent.reduce_only);
}

/// Four lots of gold, three of them closed by this order and all by `close()`, at one moment: how many fills that took.
fn closed_beside(request: &OrderRequest) -> usize {
    let mut rig = quoted(Limits::default());
    rig.approved(ANNA, &market(GOLD, Side::Buy, 4));
    settle(&mut rig);
    let told = rig.reports().len();
    rig.approved(ANNA, &OrderRequest { reduce_only: true, ..*request });
    rig.kernel.close(ANNA, GOLD).unwrap();
    settle(&mut rig);
    assert_eq!(rig.position(ANNA, GOLD), 0, "{request:?}");
    rig.reports()[told..].iter().filter(|(_, report)| matches!(report.body, ReportBody::Fill { .. })).count()
}

#[test]
fn what_trades_at_the_market_is_left_out_of_a_close_beside_it() {
    let to_limit = OrderRequest { kind: OrderKind::MarketToLimit, ..market(GOLD, Side::Sell, 3) };
    for request in [market(GOLD, Side::Sell, 3), to_limit] {
        assert_eq!(closed_beside(&request), 2, "{request:?}");
    }
    // A price may not be reached: a close counts on no order that has one, and takes back what is too much.
    assert_eq!(closed_beside(&limit(GOLD, Side::Sell, 90, 3)), 3);
    // Nothing of it trades, and the close closes all.
    let never = OrderRequest { time_in_force: TimeInForce::Fok, ..limit(GOLD, Side::Sell, 110, 3) };
    assert_eq!(closed_beside(&never), 1);
}

#[test]
fn what_a_market_to_limit_order_leaves_is_closed_by_a_close() {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 4));
    settle(&mut rig);
    rig.play(&[quote(101, GOLD, (99, 1), (101, 50))]);
    let request =
        OrderRequest { kind: OrderKind::MarketToLimit, reduce_only: true, ..market(GOLD, Side::Sell, 3) };
    let to_limit = rig.approved(ANNA, &request);
    settle(&mut rig);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(to_limit)), (3, true));
    rig.kernel.close(ANNA, GOLD).unwrap();
    rig.play(&[quote(102, GOLD, (98, 50), (101, 50))]);
    assert_eq!((rig.position(ANNA, GOLD), rig.is_open(to_limit)), (0, false));
}

/// Positions of both strategies in both instruments.
fn positions(rig: &Rig) -> Vec<(StrategyId, InstrumentId, i64)> {
    let pairs = [ANNA, BERT].into_iter().flat_map(|who| [(who, GOLD), (who, TIN)]);
    pairs.map(|(who, what)| (who, what, rig.position(who, what))).collect()
}

type Owner = (StrategyId, InstrumentId);

/// What these frames tell of surpluses: whose order with a price traded, or was set off, and who closes with a market
/// order what a named order opened. `orders` knows those of before.
fn surpluses(
    frames: &[u8],
    orders: &mut HashMap<OrderId, (Owner, OrderKind)>,
) -> (HashSet<Owner>, HashSet<Owner>) {
    let (mut priced, mut taken_back) = (HashSet::new(), HashSet::new());
    for frame in Frames::new(frames) {
        match decode(frame.unwrap()).unwrap().body {
            RecordBody::Order { intent, .. } => {
                let owner = (intent.strategy, intent.instrument);
                orders.insert(intent.order_id, (owner, intent.kind));
                if intent.reduce_only && intent.kind == OrderKind::Market && intent.closes.is_some() {
                    taken_back.insert(owner);
                }
            }
            RecordBody::Report(report)
                if matches!(report.body, ReportBody::Triggered | ReportBody::Fill { .. }) =>
            {
                let known = orders.get(&report.order_id).copied();
                let at_market = [OrderKind::Market, OrderKind::MarketToLimit];
                priced.extend(known.filter(|(_, kind)| !at_market.contains(kind)).map(|(owner, _)| owner));
            }
            _ => {}
        }
    }
    (priced, taken_back)
}

/// Once it is halted, positions only go to flat, whatever is tried. An order with a price may trade at the moment at
/// which the strategy closes, before the engine hears of it: what both sell is a surplus, and the engine takes it back.
fn opens_nothing_once_halted(steps: &[(i64, i64)], seed: u64) -> Result<(), TestCaseError> {
    let mut rig = Rig::new(nervous());
    subscribe(&mut rig.kernel);
    let mut script = Script::new(seed);
    let (mut time_ns, mut before) = (100, Vec::new());
    let (mut halted, mut orders, mut told) = (Vec::new(), HashMap::new(), 0);
    for &(gap, bid) in steps {
        time_ns += gap;
        rig.play_with(&quotes(time_ns, bid), |kernel, wake| script.act(kernel, wake)).unwrap();
        let after = positions(&rig);
        let news = &rig.frames[told..];
        let (priced, taken_back) = surpluses(news, &mut orders);
        for ((who, what, was), (_, _, is)) in std::iter::zip(&before, &after) {
            let is_smaller = i64::abs(*is) <= i64::abs(*was);
            let is_nearer: bool = was * is >= 0 && is_smaller;
            let owner = (*who, *what);
            let is_surplus = priced.contains(&owner) && taken_back.contains(&owner) && is_smaller;
            prop_assert!(
                !halted.contains(who) || is_nearer || is_surplus,
                "{who:?} {what:?} from {was} to {is} at {time_ns}, by {:?}",
                Frames::new(news).map(|frame| decode(frame.unwrap()).unwrap().body).collect::<Vec<_>>()
            );
        }
        told = rig.frames.len();
        halted.extend(
            [ANNA, BERT].into_iter().filter(|who| rig.kernel.scopes().is_halted(*who, AccountId::FIRST)),
        );
        before = after;
    }
    let mut script = Script::new(seed);
    let again = replayed(nervous(), &rig.frames, |kernel, wake| script.act(kernel, wake));
    prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_halted_strategy_opens_nothing(
        steps in prop::collection::vec((1..6i64, 92..105i64), 30..120), seed in any::<u64>(),
    ) {
        opens_nothing_once_halted(&steps, seed)?;
    }
}

#[test]
fn a_stop_and_a_close_on_one_quote_leave_a_surplus_and_no_more() {
    let start = [(1, 92), (5, 92), (5, 92), (1, 92), (4, 92), (1, 92), (4, 98), (2, 103)];
    let steps: Vec<(i64, i64)> = start.into_iter().chain([(1, 92); 22]).collect();
    opens_nothing_once_halted(&steps, 2_476_722_516_904_635_883).unwrap();
}

#[test]
fn a_market_to_limit_order_and_a_close_of_one_moment_leave_no_surplus() {
    let start = [
        (1, 92),
        (2, 92),
        (2, 101),
        (3, 92),
        (2, 92),
        (4, 92),
        (3, 93),
        (1, 92),
        (1, 92),
        (5, 92),
        (5, 92),
        (5, 92),
        (5, 92),
        (1, 92),
        (4, 92),
        (4, 92),
        (4, 92),
        (1, 92),
        (4, 92),
        (2, 92),
        (5, 92),
        (1, 92),
        (3, 102),
        (3, 96),
        (2, 96),
        (1, 92),
        (1, 92),
        (1, 92),
        (1, 92),
        (1, 92),
    ];
    opens_nothing_once_halted(&start, 917_847_127_774_817_638).unwrap();
}
