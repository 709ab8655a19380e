//! Limits of strategies and of the account: each at its boundary, and what holds whatever happens.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::large_types_passed_by_value,
    reason = "test code"
)]

mod common;

use common::{
    ANNA, BERT, GOLD, Item, Rig, TIN, clock, command, config, limit, market, money, permit, quotes, release,
    set_limit, stop, whole,
};
use tradecore_kernel::{KernelConfig, Matching, OrderRequest, Verdict};
use tradecore_risk::{ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    CancelReason, EventBody, Funding, InstrumentId, LimitName, Mark, Money, OrderId, Refusal, ReportBody,
    Rule, Scope, Side, StrategyId,
};

const DAY_NS: i64 = 86_400 * 1_000_000_000;

/// Two strategies in two instruments at 99 to 101, with limits on Anna and on the account.
fn configured(anna: ScopeLimits, account: ScopeLimits) -> KernelConfig {
    let mut config = config(Matching::Quotes);
    let anna = StrategyLimits { limits: anna, instruments: None };
    config.scopes = ScopesConfig { account, strategies: vec![anna], ..ScopesConfig::default() };
    config
}

fn rig(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    rig
}

/// Limits of a strategy, and those of an account.
fn levels(limits: ScopeLimits) -> [KernelConfig; 2] {
    [configured(limits, ScopeLimits::default()), configured(ScopeLimits::default(), limits)]
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn named(refusal: Refusal) -> (Rule, i128, i128) {
    (refusal.rule, refusal.limit, refusal.value)
}

#[test]
fn the_quantity_of_one_order_is_limited_for_a_strategy_and_for_the_account() {
    for config in levels(ScopeLimits { quantity_max: whole(5), ..ScopeLimits::default() }) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
        assert_eq!(named(rig.refused(ANNA, &market(TIN, Side::Buy, 6))), (Rule::QuantityMax, 5, 6));
    }
}

#[test]
fn the_value_of_one_order_is_limited_to_the_last_atto() {
    for (max, passes) in [(money(500), true), (Money(money(500).0 - 1), false)] {
        for config in levels(ScopeLimits { notional_max: Some(max), ..ScopeLimits::default() }) {
            let mut rig = rig(config);
            let verdict = rig.kernel.submit(ANNA, &market(GOLD, Side::Buy, 5)).unwrap();
            match verdict {
                Verdict::Approved(_) => assert!(passes),
                Verdict::Refused(no) => {
                    assert_eq!(named(no), (Rule::NotionalMax, max.0, money(500).0));
                    assert!(!passes);
                }
            }
        }
    }
}

#[test]
fn the_position_of_a_strategy_is_its_own_and_that_of_the_account_is_of_all() {
    let limits = ScopeLimits { position_max: whole(5), ..ScopeLimits::default() };
    let [of_anna, of_account] = levels(limits);
    let mut own = rig(of_anna);
    own.approved(BERT, &market(GOLD, Side::Buy, 9));
    own.approved(ANNA, &limit(GOLD, Side::Buy, 90, 3));
    own.approved(ANNA, &market(GOLD, Side::Buy, 2));
    assert_eq!(named(own.refused(ANNA, &market(GOLD, Side::Buy, 1))), (Rule::PositionMax, 5, 6));
    own.approved(ANNA, &market(TIN, Side::Buy, 5));

    let mut all = rig(of_account);
    all.approved(BERT, &market(GOLD, Side::Buy, 3));
    all.approved(ANNA, &market(GOLD, Side::Buy, 2));
    assert_eq!(named(all.refused(ANNA, &market(GOLD, Side::Buy, 1))), (Rule::PositionMax, 5, 6));
}

#[test]
fn open_orders_are_counted_over_instruments() {
    for config in levels(ScopeLimits { open_orders_max: Some(2), ..ScopeLimits::default() }) {
        let mut rig = rig(config);
        let first = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
        rig.approved(ANNA, &limit(TIN, Side::Buy, 90, 1));
        assert_eq!(named(rig.refused(ANNA, &limit(TIN, Side::Buy, 91, 1))), (Rule::OpenOrdersMax, 2, 3));
        // An amendment opens none, and one that is gone makes room.
        let answer = rig.kernel.replace(ANNA, first, 91, 1).unwrap();
        assert_eq!(answer, Verdict::Approved(first));
        assert!(rig.kernel.cancel(ANNA, first));
        settle(&mut rig);
        rig.approved(ANNA, &limit(TIN, Side::Buy, 92, 1));
    }
}

#[test]
fn gross_exposure_adds_long_and_short_and_net_takes_them_from_each_other() {
    // The middle is 100: ten lots are worth 1,000.
    let gross = ScopeLimits { gross_max: Some(money(1_000)), ..ScopeLimits::default() };
    for config in levels(gross) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 6));
        rig.approved(ANNA, &limit(TIN, Side::Sell, 110, 4));
        let over = (Rule::GrossMax, money(1_000).0, money(1_100).0);
        assert_eq!(named(rig.refused(ANNA, &limit(TIN, Side::Sell, 111, 1))), over);
        settle(&mut rig);
        assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), over);
        // The other side of what is there first takes away.
        rig.approved(ANNA, &market(GOLD, Side::Sell, 6));
    }
    let net = ScopeLimits { net_max: Some(money(300)), ..ScopeLimits::default() };
    for config in levels(net) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 3));
        settle(&mut rig);
        let over = (Rule::NetMax, money(300).0, money(400).0);
        assert_eq!(named(rig.refused(ANNA, &market(TIN, Side::Buy, 1))), over);
        rig.approved(ANNA, &market(TIN, Side::Sell, 6));
        settle(&mut rig);
        assert_eq!(named(rig.refused(ANNA, &market(TIN, Side::Sell, 1))), over);
        rig.approved(ANNA, &market(TIN, Side::Buy, 1));
    }
}

#[test]
fn an_amendment_on_its_way_counts_at_its_larger_size() {
    let limits = ScopeLimits { gross_max: Some(money(1_000)), ..ScopeLimits::default() };
    let mut config = configured(limits, ScopeLimits::default());
    config.venue.order_latency_ns = 1_000;
    let mut rig = rig(config);
    let order = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 2));
    assert_eq!(rig.kernel.replace(ANNA, order, 90, 9).unwrap(), Verdict::Approved(order));
    let refusal = rig.refused(ANNA, &limit(TIN, Side::Buy, 90, 2));
    assert_eq!(named(refusal), (Rule::GrossMax, money(1_000).0, money(1_100).0));
    rig.approved(ANNA, &limit(TIN, Side::Buy, 90, 1));
}

#[test]
fn a_strategy_trades_only_what_it_is_allowed() {
    let mut config = config(Matching::Quotes);
    let tin_only = StrategyLimits { instruments: Some(vec![TIN]), ..StrategyLimits::default() };
    config.scopes.strategies = vec![tin_only];
    let mut rig = rig(config);
    rig.approved(ANNA, &market(TIN, Side::Buy, 1));
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), (Rule::InstrumentNotAllowed, 1, 0));
    rig.approved(BERT, &market(GOLD, Side::Buy, 1));
}

#[test]
fn an_identical_order_is_refused_until_the_window_has_passed() {
    let limits = ScopeLimits { identical_window_ns: Some(50), ..ScopeLimits::default() };
    let mut rig = rig(configured(limits, ScopeLimits::default()));
    let order = limit(GOLD, Side::Buy, 90, 2);
    rig.approved(ANNA, &order);
    assert_eq!(named(rig.refused(ANNA, &order)), (Rule::IdenticalOrder, 50, 0));
    let different = [
        limit(GOLD, Side::Buy, 91, 2),
        limit(GOLD, Side::Buy, 90, 3),
        limit(TIN, Side::Buy, 90, 2),
        stop(GOLD, Side::Buy, 110, 2),
        limit(GOLD, Side::Sell, 120, 2),
    ];
    for other in different {
        rig.approved(ANNA, &other);
    }
    rig.approved(BERT, &order);
    rig.play(&[clock(149)]);
    assert_eq!(named(rig.refused(ANNA, &order)), (Rule::IdenticalOrder, 50, 49));
    rig.play(&[clock(150)]);
    rig.approved(ANNA, &order);
}

/// Sends twice as many messages as the rate allows and returns which of them went out.
fn burst(rig: &mut Rig) -> (usize, usize) {
    let resting: Vec<OrderId> = rig.kernel.orders().iter().map(|order| order.intent.order_id).collect();
    let new = (0..20)
        .filter(|price| {
            let order = limit(GOLD, Side::Buy, 60 + price, 1);
            matches!(rig.kernel.submit(ANNA, &order).unwrap(), Verdict::Approved(_))
        })
        .count();
    let cancelled = resting.into_iter().filter(|&order_id| rig.kernel.cancel(ANNA, order_id)).count();
    (new, cancelled)
}

#[test]
fn cancels_have_a_reserve_that_new_orders_cannot_use_up() {
    let limits = ScopeLimits {
        message_rate_max: Some(10),
        cancel_reserve: Some(4),
        message_rate_window_ns: 1_000,
        ..ScopeLimits::default()
    };
    for config in levels(limits) {
        let mut rig = rig(config);
        for price in 80..86 {
            rig.approved(ANNA, &limit(GOLD, Side::Buy, price, 1));
        }
        assert_eq!(named(rig.refused(ANNA, &limit(GOLD, Side::Buy, 86, 1))), (Rule::MessageRateMax, 6, 7));
        // No new order passes at twice the rate, four cancels do, and a runaway of cancels ends at the rate.
        assert_eq!(burst(&mut rig), (0, 4));
        rig.play(&[clock(1_100)]);
        assert_eq!(burst(&mut rig), (6, 2));
    }
}

#[test]
fn an_amendment_is_a_message_and_a_closing_order_may_use_the_reserve() {
    let limits = ScopeLimits {
        message_rate_max: Some(4),
        cancel_reserve: Some(1),
        message_rate_window_ns: 1_000,
        ..ScopeLimits::default()
    };
    let mut rig = rig(configured(limits, ScopeLimits::default()));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    let order = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
    settle(&mut rig);
    assert_eq!(rig.kernel.replace(ANNA, order, 91, 1).unwrap(), Verdict::Approved(order));
    let Verdict::Refused(no) = rig.kernel.replace(ANNA, order, 92, 1).unwrap() else { panic!("amended") };
    assert_eq!(named(no), (Rule::MessageRateMax, 3, 4));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 1));
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Sell, 1))), (Rule::MessageRateMax, 4, 5));
}

#[test]
fn what_the_engine_itself_sends_leaves_the_reserve_to_cancels_and_closing_orders() {
    let limits = ScopeLimits {
        message_rate_max: Some(10),
        cancel_reserve: Some(2),
        message_rate_window_ns: 1_000,
        drawdown_max: Some(money(50)),
        ..ScopeLimits::default()
    };
    for config in levels(limits) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 9));
        for price in 50..57 {
            rig.approved(ANNA, &limit(GOLD, Side::Buy, price, 1));
        }
        // Seven cancels of a halt: the rate is used up.
        rig.play(&quotes(101, 80));
        assert!(rig.kernel.orders().is_empty());
        rig.approved(ANNA, &limit(GOLD, Side::Sell, 200, 1));
        let order = rig.approved(ANNA, &limit(GOLD, Side::Sell, 201, 1));
        assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Sell, 1))), (Rule::MessageRateMax, 10, 11));
        assert!(!rig.kernel.cancel(ANNA, order));
        rig.play(&[clock(1_101)]);
        assert!(rig.kernel.cancel(ANNA, order));
        rig.approved(ANNA, &market(GOLD, Side::Sell, 1));
    }
}

#[test]
fn a_rate_that_leaves_no_reserve_is_refused_and_one_of_two_keeps_one() {
    for (limit, value) in
        [(LimitName::MessageRate, 0), (LimitName::MessageRate, 1), (LimitName::CancelReserve, 0)]
    {
        let error = ScopeLimits::default().set(Scope::ACCOUNT, limit, whole(value)).unwrap_err();
        assert_eq!(error.field, limit.name());
    }
    for config in levels(ScopeLimits { message_rate_max: Some(2), ..ScopeLimits::default() }) {
        let mut rig = rig(config);
        let order = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
        assert_eq!(named(rig.refused(ANNA, &limit(GOLD, Side::Buy, 91, 1))), (Rule::MessageRateMax, 1, 2));
        assert!(rig.kernel.cancel(ANNA, order));
    }
}

#[test]
fn an_order_that_only_closes_passes_every_limit() {
    let none = ScopeLimits {
        quantity_max: whole(0),
        notional_max: Some(Money(0)),
        position_max: whole(0),
        open_orders_max: Some(0),
        gross_max: Some(Money(0)),
        net_max: Some(Money(0)),
        message_rate_max: Some(9),
        cancel_reserve: Some(9),
        daily_loss_max: Some(Money(0)),
        drawdown_max: Some(Money(0)),
        ..ScopeLimits::default()
    };
    let mut rig = rig(configured(ScopeLimits::default(), ScopeLimits::default()));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    for scope in [Scope::ACCOUNT, Scope::Strategy(ANNA)] {
        for (name, value) in [
            (LimitName::Quantity, 0),
            (LimitName::Notional, 0),
            (LimitName::Position, 0),
            (LimitName::OpenOrders, 0),
            (LimitName::Gross, 0),
            (LimitName::Net, 0),
            (LimitName::MessageRate, 9),
            (LimitName::CancelReserve, 9),
            (LimitName::DailyLoss, 0),
            (LimitName::Drawdown, 0),
        ] {
            rig.play(&[command(100, set_limit(scope, name, whole(value)))]);
        }
        assert_eq!(rig.kernel.scopes().limits(scope), Some(none));
    }
    for name in [LimitName::Quantity, LimitName::Notional, LimitName::Position, LimitName::OpenOrders] {
        rig.play(&[command(100, set_limit(Scope::Instrument(GOLD), name, whole(0)))]);
    }
    rig.play(&[command(100, set_limit(Scope::Instrument(GOLD), LimitName::OrderRate, whole(0)))]);
    rig.play(&quotes(101, 80));
    assert_eq!(rig.kernel.scopes().halts().count(), 2);
    rig.refused(ANNA, &market(GOLD, Side::Buy, 1));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    rig.approved(ANNA, &OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 90, 3) });
    rig.refused(ANNA, &market(GOLD, Side::Sell, 4));
}

#[test]
fn a_drawdown_halts_cancels_what_adds_risk_and_ends_only_by_release() {
    let limits = ScopeLimits { drawdown_max: Some(money(50)), ..ScopeLimits::default() };
    for (config, scope) in levels(limits).into_iter().zip([Scope::Strategy(ANNA), Scope::ACCOUNT]) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
        let entry = rig.approved(ANNA, &limit(TIN, Side::Buy, 60, 1));
        rig.play(&quotes(101, 109));
        // Bought at 101 with a fee of 0.02 in all: the highest is 44.98 at 110, the limit is met at 100.
        rig.play(&quotes(102, 99));
        assert_eq!(rig.kernel.scopes().halts().count(), 0);
        rig.play(&quotes(103, 98));
        let halts: Vec<_> = rig.kernel.scopes().halts().collect();
        assert_eq!((halts.len(), halts[0].0, halts[0].1.rule), (1, scope, Rule::DrawdownMax));
        assert_eq!((halts[0].1.limit, halts[0].1.value), (money(50).0, money(55).0));
        assert_eq!(rig.reports_of(entry).last(), Some(&ReportBody::Canceled(CancelReason::Halted)));
        let no = (Rule::DrawdownMax, money(50).0, money(55).0);
        assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), no);
        // A higher price does not release it, and closing is always possible.
        rig.play(&quotes(104, 150));
        assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), no);
        rig.approved(ANNA, &market(GOLD, Side::Sell, 1));
        rig.play(&[command(105, release(scope))]);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    }
}

#[test]
fn a_daily_loss_counts_from_the_start_of_the_day() {
    let limits = ScopeLimits { daily_loss_max: Some(money(50)), ..ScopeLimits::default() };
    for mut config in levels(limits) {
        config.scopes.day_start_ns = 200;
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
        rig.play(&quotes(150, 96));
        // Forty and the fee are lost; the next day allows fifty again.
        rig.play(&quotes(200, 92));
        assert_eq!(rig.kernel.scopes().halts().count(), 0);
        rig.play(&quotes(DAY_NS + 198, 91));
        assert_eq!(rig.kernel.scopes().halts().count(), 0);
        rig.play(&quotes(DAY_NS + 199, 90));
        let halt = rig.kernel.scopes().halts().next().unwrap().1;
        assert_eq!((halt.rule, halt.limit, halt.value), (Rule::DailyLossMax, money(50).0, money(60).0));
        assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 1)).rule, Rule::DailyLossMax);
        rig.play(&quotes(2 * DAY_NS + 200, 120));
        assert_eq!(rig.refused(ANNA, &market(TIN, Side::Buy, 1)).rule, Rule::DailyLossMax);
    }
}

#[test]
fn a_strategy_is_disabled_after_its_executions_until_a_person_releases_it() {
    let limits =
        ScopeLimits { executions_max: Some(3), executions_window_ns: 1_000, ..ScopeLimits::default() };
    let mut rig = rig(configured(limits, ScopeLimits::default()));
    for time_ns in [600, 1_100, 1_100] {
        rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
        rig.play(&[clock(time_ns)]);
    }
    // The first of the three, at 100, left the window when the third came.
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    settle(&mut rig);
    let no = (Rule::ExecutionsMax, 3, 4);
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), no);
    rig.approved(BERT, &market(GOLD, Side::Buy, 1));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 1));
    rig.play(&[clock(1_000_000)]);
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), no);
    rig.play(&[command(1_000_001, release(Scope::Strategy(ANNA)))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn the_price_is_held_against_the_market_when_the_window_began() {
    let mut config = config(Matching::Quotes);
    config.instruments[0].limits.price_drift_ppm = Some(100_000);
    config.instruments[0].limits.price_drift_window_ns = 320;
    let mut rig = rig(config);
    rig.play(&quotes(200, 109));
    // From 100 to 110 is ten per cent: one tick more is too far, for a market order too.
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    let refusal = rig.refused(ANNA, &limit(GOLD, Side::Buy, 111, 1));
    assert_eq!(named(refusal), (Rule::PriceDrift, 100_000, 110_000));
    settle(&mut rig);
    rig.play(&quotes(300, 110));
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::PriceDrift);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 1));
    rig.approved(ANNA, &market(TIN, Side::Buy, 1));
    // A window later the market of then is what counts.
    rig.play(&[clock(520)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn a_window_that_is_changed_counts_what_happened_before() {
    let limits =
        ScopeLimits { message_rate_max: Some(2), message_rate_window_ns: 1_000, ..ScopeLimits::default() };
    let scopes = [Scope::Strategy(ANNA), Scope::ACCOUNT];
    for (config, scope) in levels(limits).into_iter().zip(scopes) {
        let mut rig = rig(config);
        rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
        let change = |window_ns| set_limit(scope, LimitName::MessageRateWindow, whole(window_ns));
        rig.play(&[clock(150), command(150, change(50))]);
        rig.approved(ANNA, &limit(GOLD, Side::Buy, 91, 1));
        rig.play(&[clock(250)]);
        rig.approved(ANNA, &limit(GOLD, Side::Buy, 92, 1));
        rig.play(&[clock(320), command(320, change(100))]);
        assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 93, 1)).rule, Rule::MessageRateMax);
    }
    let mut config = config(Matching::Quotes);
    config.instruments[0].limits.order_rate_max = Some(1);
    let mut rig = rig(config);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    rig.play(&[clock(200)]);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::OrderRateMax);
    let change = set_limit(Scope::Instrument(GOLD), LimitName::OrderRateWindow, whole(100));
    rig.play(&[command(200, change)]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
}

#[test]
fn what_a_strategy_may_not_trade_any_more_it_can_still_close() {
    let mut rig = rig(config(Matching::Quotes));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    rig.play(&[command(101, permit(ANNA, GOLD, false))]);
    assert_eq!(named(rig.refused(ANNA, &market(GOLD, Side::Buy, 1))), (Rule::InstrumentNotAllowed, 1, 0));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
    rig.approved(BERT, &market(GOLD, Side::Buy, 1));
    rig.approved(ANNA, &market(TIN, Side::Buy, 1));
    rig.play(&[command(102, permit(ANNA, GOLD, true))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    let before = rig.kernel.state_hash();
    let unknown = rig.kernel.feed(1, common::batch(&[command(103, permit(ANNA, InstrumentId(9), true))]));
    assert!(unknown.is_err());
    assert_eq!(rig.kernel.state_hash(), before);
}

#[test]
fn a_limit_that_is_changed_counts_from_the_next_order_on() {
    let mut rig = rig(config(Matching::Quotes));
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 6));
    assert!(!rig.kernel.scopes().is_on());
    rig.play(&[command(101, set_limit(Scope::ACCOUNT, LimitName::Gross, whole(1_000)))]);
    // What works already is counted although nothing was followed before.
    let refusal = rig.refused(BERT, &limit(TIN, Side::Buy, 90, 5));
    assert_eq!(named(refusal), (Rule::GrossMax, money(1_000).0, money(1_100).0));
    rig.approved(BERT, &limit(TIN, Side::Buy, 90, 4));
    rig.play(&[command(102, set_limit(Scope::ACCOUNT, LimitName::Gross, None))]);
    rig.approved(BERT, &limit(TIN, Side::Buy, 90, 5));
    rig.play(&[command(103, set_limit(Scope::Instrument(TIN), LimitName::Quantity, whole(2)))]);
    assert_eq!(named(rig.refused(BERT, &limit(TIN, Side::Buy, 90, 3))), (Rule::QuantityMax, 2, 3));
    rig.approved(BERT, &limit(GOLD, Side::Buy, 90, 3));
}

#[test]
fn a_command_that_cannot_be_carried_out_is_not_taken() {
    let mut rig = rig(config(Matching::Quotes));
    let before = rig.kernel.state_hash();
    let strategy = |id| Scope::Strategy(StrategyId(id));
    let bad = [
        (set_limit(strategy(2), LimitName::Gross, whole(1)), "scope"),
        (set_limit(Scope::Instrument(InstrumentId(2)), LimitName::Quantity, whole(1)), "instrument_id"),
        (set_limit(Scope::Instrument(GOLD), LimitName::Gross, whole(1)), "limit"),
        (set_limit(Scope::ACCOUNT, LimitName::PriceCollar, whole(1)), "limit"),
        (set_limit(Scope::ACCOUNT, LimitName::Executions, whole(1)), "limit"),
        (set_limit(Scope::ACCOUNT, LimitName::Gross, whole(-1)), "gross_max"),
        (set_limit(Scope::ACCOUNT, LimitName::MessageRate, whole(10_000_001)), "message_rate_max"),
        (set_limit(strategy(0), LimitName::IdenticalWindow, whole(0)), "identical_window_ns"),
        (release(Scope::Instrument(GOLD)), "scope"),
    ];
    for (kind, field) in bad {
        match rig.kernel.feed(0, common::batch(&[command(101, kind)])) {
            Err(tradecore_kernel::KernelError::Value(error)) => assert_eq!(error.field, field, "{kind:?}"),
            other => panic!("{kind:?}: {other:?}"),
        }
    }
    assert_eq!(rig.kernel.state_hash(), before);
}

#[test]
fn funding_and_the_mark_of_the_venue_count_as_losses() {
    let limits = ScopeLimits { daily_loss_max: Some(money(59)), ..ScopeLimits::default() };
    let mark = |time_ns, price_ticks| Item::new(time_ns, GOLD, EventBody::Mark(Mark { price_ticks }));
    for config in levels(limits) {
        let mut rig = rig(config);
        rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
        // Ten bought at 101 with a fee of 0.0404 are worth 960 at 96.
        rig.play(&[mark(101, 96)]);
        assert_eq!(rig.kernel.scopes().halts().count(), 0);
        let funding = Funding { rate_ppb: 10_000_000, mark_ticks: None };
        rig.play(&[Item::new(102, GOLD, EventBody::Funding(funding))]);
        let halt = rig.kernel.scopes().halts().next().unwrap().1;
        let fee = money(404).0 / 10_000;
        assert_eq!((halt.rule, halt.value), (Rule::DailyLossMax, money(50).0 + money(96).0 / 10 + fee));
    }
}
