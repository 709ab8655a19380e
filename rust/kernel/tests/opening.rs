//! Accounts that begin with cash and positions, corrections and transfers, and accounts followed by their records.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Item, Rig, Script, TIN, bar, batch, clock, command, config, limit, market, money,
    quote, quotes, set_limit, subscribe, trade, whole,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, Kind, collect_events, decode};
use tradecore_kernel::{Follower, KernelConfig, KernelError, MarginMode, MarginRule, Matching, Verdict};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_risk::{ScopeLimits, ScopesConfig, StrategyLimits};
use tradecore_types::{
    AccountChange, AccountEvent, Balance, CommandKind, EventBatch, LimitName, Money, Opening, OpeningLot,
    OpeningPrice, OrderId, Rule, Scope, Side, StrategyId,
};

fn balance(units: i128) -> Vec<Balance> {
    vec![Balance { currency: "USD".into(), amount: money(units) }]
}

fn lot(strategy: StrategyId, lots: i64, entry_ticks: i64) -> OpeningLot {
    OpeningLot {
        strategy,
        instrument: GOLD,
        entry_order: OrderId(3),
        entry_time_ns: 5,
        entry_ticks,
        lots,
        fee: Money(11),
        cost: None,
    }
}

fn opening(lots: &[OpeningLot]) -> Opening {
    let prices = vec![OpeningPrice { instrument: GOLD, price_ticks: 100 }];
    Opening { cash: balance(500), lots: lots.to_vec(), prices, last_order_id: 7, ..Opening::default() }
}

fn fed(time_ns: i64, said: AccountEvent) -> EventBatch {
    let mut batch = EventBatch::default();
    batch.push_account(time_ns, said);
    batch
}

fn opened(config: KernelConfig, opening: &Opening) -> Rig {
    let mut rig = Rig::new(config);
    rig.kernel.feed(0, fed(50, AccountEvent::Opening(opening.clone()))).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig
}

fn limited(anna: &ScopeLimits, account: &ScopeLimits) -> KernelConfig {
    let mut config = config(Matching::Quotes);
    let anna = StrategyLimits { limits: *anna, instruments: None };
    config.scopes = ScopesConfig { account: *account, strategies: vec![anna], ..ScopesConfig::default() };
    config
}

fn kinds(frames: &[u8]) -> Vec<Kind> {
    Frames::new(frames).map(|frame| decode(frame.unwrap()).unwrap().body.kind()).collect()
}

#[test]
fn an_engine_starts_with_cash_and_positions_and_trades_on_with_the_right_entries() {
    let mut rig =
        opened(config(Matching::Quotes), &opening(&[lot(ANNA, 3, 90), lot(ANNA, 2, 95), lot(BERT, -1, 80)]));
    assert_eq!(kinds(&rig.frames), [Kind::Account], "no fill is told");
    assert!(rig.wakes.is_empty());
    assert_eq!((rig.position(ANNA, GOLD), rig.position(BERT, GOLD)), (5, -1));
    let ledger = rig.kernel.ledger();
    assert_eq!((ledger.cash(), ledger.fills()), (money(500), 0));
    // 500 at hand and 4 lots at the last price, with nothing earned yet but by the price.
    assert_eq!(rig.kernel.equity().unwrap(), money(500 + 4 * 100));

    rig.play(&quotes(100, 99));
    let order = rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
    assert_eq!(order, OrderId(8), "numbers go on");
    rig.run(|_, _| {}).unwrap();
    let trades: Vec<_> = rig.kernel.ledger().trades().collect();
    let entries: Vec<_> = trades
        .iter()
        .map(|trade| (trade.entry_order, trade.entry_time_ns, trade.entry_ticks, trade.lots))
        .collect();
    assert_eq!(entries, [(OrderId(3), 5, 90, 3), (OrderId(3), 5, 95, 1)]);
    assert!(trades[0].commission.0 > 11, "the fee of the entry is a part of its trade");
    rig.kernel.ledger().audit().unwrap();
}

#[test]
fn profit_goes_on_from_what_the_owner_brought_or_begins_with_the_opening() {
    let lots = [lot(ANNA, 2, 90)];
    let begun = opened(config(Matching::Quotes), &opening(&lots));
    assert_eq!(begun.kernel.ledger().opening(), money(500 + 180));
    let gone_on = opened(config(Matching::Quotes), &Opening { brought: Some(money(600)), ..opening(&lots) });
    let ledger = gone_on.kernel.ledger();
    assert_eq!((ledger.opening(), ledger.adjusted()), (money(600), money(80)));
    assert_eq!((ledger.realised(), ledger.fees()), (Money::ZERO, Money::ZERO));
}

fn refused(result: Result<(), KernelError>) -> (&'static str, String, String) {
    match result {
        Err(KernelError::Value(error)) => (error.field, error.value, error.rule),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_opening_is_the_first_event_and_the_only_one_and_nothing_else_is_queued() {
    let first = || fed(50, AccountEvent::Opening(opening(&[])));
    let late = |rig: &mut Rig, source: usize, batch: EventBatch| {
        let (field, value, rule) = refused(rig.kernel.feed(source, batch));
        assert_eq!((field, value.as_str()), ("opening", "50"), "{rule}");
        rig.run(|_, _| {}).unwrap();
    };
    let mut after_a_clock = Rig::new(config(Matching::Quotes));
    after_a_clock.kernel.feed(3, batch(&[clock(60)])).unwrap();
    late(&mut after_a_clock, 0, first());
    assert_eq!(kinds(&after_a_clock.frames), [Kind::Clock]);
    let mut second = opened(config(Matching::Quotes), &opening(&[]));
    late(&mut second, 0, first());
    assert_eq!(kinds(&second.frames), [Kind::Account]);
    let mut behind = Rig::new(config(Matching::Quotes));
    let mut both = batch(&[clock(50)]);
    both.push_account(50, AccountEvent::Opening(opening(&[])));
    late(&mut behind, 0, both);
    late(&mut Rig::new(config(Matching::Quotes)), 1, first());
    let mut twice = first();
    twice.push_account(50, AccountEvent::Opening(opening(&[])));
    late(&mut Rig::new(config(Matching::Quotes)), 0, twice);

    let mut early = Rig::new(config(Matching::Quotes));
    early.kernel.feed(0, first()).unwrap();
    let (field, value, rule) = refused(early.kernel.feed(1, batch(&[clock(49)])));
    assert_eq!((field, value.as_str()), ("time_ns", "49"), "{rule}");
}

#[test]
fn what_the_account_has_no_room_for_is_refused_by_field_value_and_rule() {
    let good = opening(&[lot(ANNA, 1, 90)]);
    let with = |change: &dyn Fn(&mut Opening)| {
        let mut changed = good.clone();
        change(&mut changed);
        let mut rig = Rig::new(config(Matching::Quotes));
        let said = refused(rig.kernel.feed(0, fed(50, AccountEvent::Opening(changed))));
        rig.kernel.feed(0, fed(50, AccountEvent::Opening(good.clone()))).unwrap();
        said
    };
    let euros = with(&|opening| {
        opening.cash.push(Balance { currency: "EUR".into(), amount: money(1) });
    });
    assert_eq!((euros.0, euros.1.as_str()), ("currency", "EUR"));
    assert!(euros.2.contains("must be USD"), "{}", euros.2);
    assert_eq!(with(&|opening| opening.cash.clear()).0, "cash");
    assert_eq!(with(&|opening| opening.lots[0].instrument.0 = 2).0, "instrument_id");
    assert_eq!(with(&|opening| opening.prices[0].instrument.0 = 2).0, "instrument_id");
    assert_eq!(with(&|opening| opening.lots[0].strategy.0 = 2).0, "strategy_id");
    assert_eq!(with(&|opening| opening.lots[0].entry_time_ns = 51).0, "entry_time_ns");
    assert_eq!(with(&|opening| opening.lots[0].lots = i64::MAX).0, "lots");
    assert_eq!(with(&|opening| opening.guards = vec![guard(Scope::Strategy(StrategyId(2)))]).0, "scope");
    let mut rig = Rig::new(config(Matching::Quotes));
    let change =
        |currency: &str| AccountChange { currency: currency.into(), amount: money(1), reason: "x".into() };
    assert_eq!(refused(rig.kernel.feed(0, fed(50, AccountEvent::Transfer(change("EUR"))))).0, "currency");
    let mut missing = fed(50, AccountEvent::Transfer(change("USD")));
    missing.account_events.clear();
    assert_eq!(refused(rig.kernel.feed(0, missing)).0, "account");
}

fn guard(scope: Scope) -> tradecore_types::GuardState {
    tradecore_types::GuardState {
        scope,
        cash: money(0),
        last: money(900),
        peak: money(1_000),
        day_start: money(950),
        day: Some(0),
        halt: None,
    }
}

#[test]
fn a_deposit_is_no_profit_and_no_reason_to_halt_and_a_correction_is_both() {
    let limits = ScopeLimits { drawdown_max: Some(money(100)), ..ScopeLimits::default() };
    let mut rig = opened(limited(&ScopeLimits::default(), &limits), &opening(&[lot(ANNA, 2, 100)]));
    let change =
        |units| AccountChange { currency: "USD".into(), amount: money(units), reason: "bank".into() };
    let worth = |rig: &Rig| (rig.kernel.equity().unwrap(), rig.kernel.ledger().opening());
    assert_eq!(worth(&rig), (money(700), money(700)));
    rig.kernel.feed(0, fed(60, AccountEvent::Transfer(change(-400)))).unwrap();
    rig.kernel.feed(0, fed(61, AccountEvent::Transfer(change(250)))).unwrap();
    rig.run(|_, _| {}).unwrap();
    assert_eq!(worth(&rig), (money(550), money(550)));
    assert_eq!(rig.kernel.transfers(), [(60, money(-400)), (61, money(250))]);
    assert_eq!(rig.kernel.scopes().losses(Scope::ACCOUNT), Some((Money::ZERO, Money::ZERO)));
    assert_eq!(rig.kernel.scopes().halts().count(), 0);
    rig.kernel.feed(0, fed(62, AccountEvent::Adjustment(change(-101)))).unwrap();
    rig.run(|_, _| {}).unwrap();
    assert_eq!(worth(&rig), (money(449), money(550)));
    assert_eq!(rig.kernel.scopes().halts().next().unwrap().1.rule, Rule::DrawdownMax);
    assert_eq!(rig.kernel.ledger().adjusted(), money(-101));
    assert_eq!(kinds(&rig.frames), [Kind::Account; 4]);
}

#[test]
fn limits_know_of_positions_and_losses_of_before() {
    let limits =
        ScopeLimits { position_max: whole(6), drawdown_max: Some(money(200)), ..ScopeLimits::default() };
    let mut begun = opening(&[lot(ANNA, 5, 100)]);
    begun.guards = vec![guard(Scope::ACCOUNT)];
    let mut rig = opened(limited(&limits, &limits), &begun);
    rig.play(&quotes(100, 99));
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 2)).rule, Rule::PositionMax);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 1));
    // 1,000 at its highest before: 100 of the 200 that may be lost are gone.
    let fall = rig.kernel.scopes().losses(Scope::ACCOUNT).unwrap().1;
    assert_eq!(fall, money(0), "the account has 1,000 now");
    rig.play(&quotes(101, 55));
    assert_eq!(rig.kernel.scopes().halts().count(), 2);
}

#[test]
fn a_halt_of_before_holds_where_no_limit_is_left() {
    let mut begun = opening(&[lot(ANNA, 5, 100)]);
    let halt = Some((Rule::DailyLossMax, 10, 11));
    begun.guards = vec![tradecore_types::GuardState { halt, ..guard(Scope::Strategy(ANNA)) }];
    let mut rig = opened(config(Matching::Quotes), &begun);
    rig.play(&quotes(100, 99));
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::DailyLossMax);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
    rig.approved(BERT, &market(GOLD, Side::Buy, 1));
}

#[test]
fn the_margin_of_a_position_is_that_of_its_entry() {
    let mut config = config(Matching::Quotes);
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    let rule = |mode| MarginRule {
        mode,
        schedule: MarginSchedule::new(5, 1, &[tier]).unwrap(),
        liquidation_fee_ppb: 0,
    };
    config.instruments[0].margin = Some(rule(MarginMode::Isolated));
    let rig = opened(config, &opening(&[lot(ANNA, 4, 100), lot(ANNA, 1, 110)]));
    assert_eq!(rig.kernel.set_aside(GOLD), money(102));
}

/// Events, and a strategy that does something else at each of them.
fn played(config: KernelConfig, seed: u64, steps: usize) -> Rig {
    let mut rig = Rig::new(config);
    subscribe(&mut rig.kernel);
    let mut script = Script::new(seed);
    let mut state = seed;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((state >> 33) % below).unwrap()
    };
    let is_of_bars = rig.kernel.instrument(GOLD).is_some() && seed.is_multiple_of(2);
    let mut items: Vec<Item> = Vec::new();
    for step in 0..i64::try_from(steps).unwrap() {
        let (time_ns, instrument) = (100 + 10 * step, if next(3) == 0 { TIN } else { GOLD });
        let price = 96 + next(9);
        items.push(match next(8) {
            0 => trade(time_ns, instrument, Side::Buy, price, 1 + next(5)),
            1 if next(9) == 0 => command(time_ns, CommandKind::Pause),
            2 => command(time_ns, CommandKind::Resume),
            3 if next(9) == 0 => command(time_ns, CommandKind::Flatten),
            4 if next(5) == 0 => command(time_ns, set_limit(Scope::ACCOUNT, LimitName::Position, whole(40))),
            _ if is_of_bars => {
                bar(time_ns - 9, time_ns, instrument, [price, price + 2, price - 2, price + 1])
            }
            _ => quote(time_ns, instrument, (price, 9), (price + 2, 9)),
        });
    }
    rig.play_with(&items, |kernel, wake| script.act(kernel, wake)).unwrap();
    rig
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Cash, lots, prices, orders and commands that hold: what the records say is what their engine says, and an
    /// account that is opened with it is the same account.
    #[test]
    fn an_account_that_is_followed_is_that_of_its_engine(seed: u64, steps in 1..120usize) {
        let limits = ScopeLimits { drawdown_max: Some(money(900_000)), ..ScopeLimits::default() };
        let mut settings = limited(&limits, &limits);
        settings.venue.matching = if seed.is_multiple_of(2) { Matching::Bars } else { Matching::Quotes };
        settings.venue.report_latency_ns = 3;
        let rig = played(settings.clone(), seed, steps);
        let mut follower = Follower::new(settings.clone()).unwrap();
        for part in Frames::new(&rig.frames) {
            follower.take(part.unwrap()).unwrap();
        }
        let (followed, own) = (follower.opening(), rig.kernel.opening());
        let is_market = |kind: &Kind| kind.is_event() && !matches!(kind, Kind::Command | Kind::Clock);
        let market_events = kinds(&rig.frames).iter().filter(|kind| is_market(kind)).count();
        prop_assert_eq!(followed.market_events, u64::try_from(market_events).unwrap());
        prop_assert_eq!((&followed.cash, followed.brought), (&own.cash, own.brought));
        prop_assert_eq!((&followed.lots, &followed.prices), (&own.lots, &own.prices));
        prop_assert_eq!(followed.last_order_id, own.last_order_id);
        let open = |(id, lots): (OrderId, Option<i64>)| (id.0, lots.unwrap_or(0));
        let mut known: Vec<_> = rig
            .kernel
            .orders()
            .iter()
            .map(|order| open((order.intent.order_id, Some(order.open_lots()))))
            .collect();
        known.sort_unstable();
        let said = follower.open_orders().map(|order| open((order.intent.order_id, order.open_lots)));
        prop_assert_eq!(said.collect::<Vec<_>>(), known);
        prop_assert_eq!(follower.kernel().standing_commands(), rig.kernel.standing_commands());

        let again = opened_at(settings, &followed, rig.kernel.now_ns());
        let carried = again.kernel.opening();
        prop_assert_eq!(again.kernel.equity().unwrap(), rig.kernel.equity().unwrap());
        prop_assert_eq!(&carried.guards, &followed.guards);
        prop_assert_eq!(Opening { market_events: followed.market_events, ..carried }, followed);
        if seed % 2 == 1 {
            prop_assert_eq!(&again.kernel.opening().guards, &own.guards);
        }
    }
}

fn opened_at(config: KernelConfig, opening: &Opening, time_ns: i64) -> Rig {
    let mut rig = Rig::new(config);
    rig.kernel.feed(0, fed(time_ns, AccountEvent::Opening(opening.clone()))).unwrap();
    rig.run(|_, _| {}).unwrap();
    rig
}

#[test]
fn a_replay_of_an_opened_account_gives_the_same_bytes() {
    let begun = Opening { brought: Some(money(1)), ..opening(&[lot(ANNA, 3, 90)]) };
    let play = |rig: &mut Rig| {
        rig.play_with(&quotes(100, 99), |_, _| {}).unwrap();
        rig.approved(ANNA, &market(GOLD, Side::Sell, 2));
        rig.kernel
            .submit(BERT, &limit(GOLD, Side::Buy, 90, 1))
            .map(|verdict| matches!(verdict, Verdict::Approved(_)))
            .unwrap();
        rig.run(|_, _| {}).unwrap();
    };
    let mut rig = opened(config(Matching::Quotes), &begun);
    play(&mut rig);
    let mut events = EventBatch::default();
    collect_events(&rig.frames, &mut events).unwrap();
    assert_eq!(events.account_events, [AccountEvent::Opening(begun.clone())]);
    let mut again = opened(config(Matching::Quotes), &begun);
    play(&mut again);
    assert_eq!(again.frames, rig.frames);
    assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    let other = opened(config(Matching::Quotes), &opening(&[lot(ANNA, 3, 90)]));
    assert_ne!(other.kernel.state_hash(), opened(config(Matching::Quotes), &begun).kernel.state_hash());
}
