//! Whatever comes in, the kernel takes it or says one error: it never stops the process.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    ANNA, GOLD, Item, Rig, bar, batch, clock, config, limit, market, money, quote, subscribe, trade,
};
use proptest::collection::vec;
use proptest::prelude::*;
use tradecore_kernel::{BarSource, FirstBar, Kernel, KernelError, Matching, OrderRequest, Verdict};
use tradecore_types::{
    Bar, BookUpdate, BookUpdateKind, Bracket, Command, CommandKind, EventBody, FeedState, Flow, InstrumentId,
    Level, OrderId, OrderKind, Quote, Refusal, Rule, Side, Size, StrategyId, TimeInForce, Trade,
};

/// Numbers from everywhere, most of them where arithmetic ends.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 90..110i64,
        1 => -3..3i64,
        1 => any::<i64>(),
        1 => proptest::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX]),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    proptest::sample::select(vec![Side::Buy, Side::Sell])
}

fn id() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..20u64, 1 => any::<u64>()]
}

fn body() -> impl Strategy<Value = EventBody> {
    let ohlc = [number(), number(), number(), number()];
    let kind = proptest::sample::select(vec![BookUpdateKind::Snapshot, BookUpdateKind::Diff]);
    let flow = prop_oneof![
        (id(), side(), number(), number()).prop_map(|(flow_id, side, price_ticks, lots)| Flow::Limit {
            flow_id,
            side,
            price_ticks,
            lots
        }),
        (side(), number()).prop_map(|(side, lots)| Flow::Market { side, lots }),
        id().prop_map(|flow_id| Flow::Cancel { flow_id }),
    ];
    prop_oneof![
        (number(), ohlc, number()).prop_map(|(open_time_ns, [o, h, l, c], volume_lots)| EventBody::Bar(
            Bar { open_time_ns, open_ticks: o, high_ticks: h, low_ticks: l, close_ticks: c, volume_lots }
        )),
        (number(), number(), number(), number(), id()).prop_map(|(b, bl, a, al, update_id)| {
            EventBody::Quote(Quote { bid_ticks: b, bid_lots: bl, ask_ticks: a, ask_lots: al, update_id })
        }),
        (side(), number(), number()).prop_map(|(aggressor, price_ticks, lots)| {
            EventBody::Trade(Trade { price_ticks, lots, aggressor, trade_id: 0 })
        }),
        (kind, id(), id(), id(), [0..4u32, 0..4, 0..4]).prop_map(
            |(kind, first_id, last_id, prev_id, [s, b, a])| {
                EventBody::Book(BookUpdate {
                    kind,
                    first_id,
                    last_id,
                    prev_id,
                    levels_start: s,
                    bids: b,
                    asks: a,
                    checksum: None,
                })
            }
        ),
        flow.prop_map(EventBody::Flow),
        Just(EventBody::Feed(FeedState::Lost)),
        Just(EventBody::Feed(FeedState::Past)),
        proptest::sample::select(CommandKind::PLAIN.to_vec())
            .prop_map(|kind| EventBody::Command(Command { kind })),
        Just(EventBody::Clock),
    ]
}

fn request() -> impl Strategy<Value = OrderRequest> {
    let kind = prop_oneof![
        Just(OrderKind::Market),
        number().prop_map(|price_ticks| OrderKind::Limit { price_ticks }),
        number().prop_map(|trigger_ticks| OrderKind::Stop { trigger_ticks }),
        (number(), number()).prop_map(|(trigger_ticks, price_ticks)| OrderKind::LimitIfTouched {
            trigger_ticks,
            price_ticks
        }),
        (number(), number())
            .prop_map(|(price_ticks, display_lots)| OrderKind::Iceberg { price_ticks, display_lots }),
        (number(), number(), number()).prop_map(|(offset_ticks, limit_offset_ticks, activation_ticks)| {
            OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks }
        }),
        Just(OrderKind::MarketToLimit),
    ];
    let time = prop_oneof![
        proptest::sample::select(vec![TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]),
        number().prop_map(|expire_ns| TimeInForce::Gtd { expire_ns }),
    ];
    let size = prop_oneof![3 => number().prop_map(Size::Lots), 1 => number().prop_map(Size::BuyingPowerPpm)];
    let exit = || proptest::option::of(number());
    ((0..3u32, side(), kind, time), any::<(bool, bool)>(), size, (exit(), exit())).prop_map(
        |((instrument, side, kind, time_in_force), (post_only, reduce_only), size, (stop, profit))| {
            OrderRequest {
                instrument: InstrumentId(instrument),
                side,
                kind,
                time_in_force,
                post_only,
                reduce_only,
                size,
                bracket: Bracket::at(stop, profit),
            }
        },
    )
}

#[derive(Clone, Debug)]
enum Answer {
    Submit(OrderRequest),
    Cancel(u64),
    Replace(u64, i64, i64),
    Close(u32),
    Timer(i64),
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => request().prop_map(Answer::Submit),
        1 => (0..9u64).prop_map(Answer::Cancel),
        2 => (0..9u64, number(), number()).prop_map(|(id, price, lots)| Answer::Replace(id, price, lots)),
        1 => (0..3u32).prop_map(Answer::Close),
        1 => number().prop_map(Answer::Timer),
    ]
}

fn give(kernel: &mut Kernel, strategy: StrategyId, answer: &Answer) -> Result<(), KernelError> {
    match answer {
        Answer::Submit(request) => kernel.submit(strategy, request).map(drop),
        Answer::Cancel(id) => {
            kernel.cancel(strategy, OrderId(*id));
            Ok(())
        }
        Answer::Replace(id, price, lots) => kernel.replace(strategy, OrderId(*id), *price, *lots).map(drop),
        Answer::Close(instrument) => kernel.close(strategy, InstrumentId(*instrument)).map(drop),
        Answer::Timer(time_ns) => {
            kernel.set_timer(strategy, *time_ns, 1);
            Ok(())
        }
    }
}

/// Whether an error is one that the caller made; the kernel goes on after it.
fn is_callers(outcome: &Result<(), KernelError>) -> bool {
    matches!(outcome, Err(KernelError::Value(_)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn anything_is_taken_or_is_one_error(
        matching in proptest::sample::select(vec![
            Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange,
        ]),
        latencies in (0..4i64, prop_oneof![Just(0i64), Just(i64::MAX)]),
        events in vec((number(), 0..3u32, body()), 1..40),
        answers in vec(answer(), 1..20),
    ) {
        let mut config = config(matching);
        (config.venue.order_latency_ns, config.venue.report_latency_ns) = latencies;
        config.has_equity_curve = true;
        config.sample_ns = Some(1_000);
        let mut rig = Rig::new(config);
        subscribe(&mut rig.kernel);
        let mut answers = answers.iter().cycle();
        let levels = vec![Level { price_ticks: 99, lots: 5 }, Level { price_ticks: i64::MAX, lots: i64::MAX },
            Level { price_ticks: 101, lots: 5 }, Level { price_ticks: -1, lots: -5 }];
        for (time_ns, instrument, body) in events {
            let item = Item::new(time_ns, InstrumentId(instrument), body);
            let mut one = batch(&[item]);
            one.levels.clone_from(&levels);
            if let EventBody::Book(update) = body {
                one.events[0].body = EventBody::Book(update);
            }
            if rig.kernel.feed(0, one).is_err() {
                continue;
            }
            let mut broken = false;
            // A strategy that answers every answer would never let time go on.
            let mut left = 12;
            let outcome = rig.run(|kernel, wake| {
                left -= 1;
                if left < 0 {
                    return;
                }
                let outcome = give(kernel, wake.strategy, answers.next().unwrap());
                broken |= outcome.is_err() && !is_callers(&outcome);
            });
            if outcome.is_err() || broken {
                break;
            }
        }
        let _ = rig.kernel.state_hash();
        let _ = rig.kernel.equity();
    }
}

#[test]
fn a_time_that_falls_queues_nothing() {
    let mut rig = Rig::new(config(Matching::Quotes));
    let items = [quote(20, GOLD, (99, 1), (101, 1)), quote(19, GOLD, (98, 1), (101, 1))];
    assert!(
        matches!(rig.kernel.feed(0, batch(&items)), Err(KernelError::Value(error)) if error.field == "time_ns")
    );
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.kernel.counters().events, 0);
    rig.play(&[quote(1, GOLD, (99, 1), (101, 1))]);
    assert_eq!(rig.kernel.now_ns(), 1);
}

#[test]
fn a_bar_that_opens_after_it_closes_is_refused() {
    let mut rig = Rig::new(config(Matching::Bars));
    let error = rig.kernel.feed(0, batch(&[bar(21, 20, GOLD, [1, 1, 1, 1])])).unwrap_err();
    assert!(matches!(error, KernelError::Value(_)));
}

#[test]
fn an_instrument_outside_the_table_is_one_error_everywhere() {
    let mut rig = Rig::new(config(Matching::Quotes));
    let far = InstrumentId(2);
    let named =
        |error: KernelError| matches!(error, KernelError::Value(error) if error.field == "instrument_id");
    assert!(named(rig.kernel.feed(0, batch(&[quote(1, far, (1, 1), (2, 1))])).unwrap_err()));
    assert!(named(rig.kernel.submit(ANNA, &market(far, Side::Buy, 1)).unwrap_err()));
    assert!(named(rig.kernel.close(ANNA, far).unwrap_err()));
    assert!(named(rig.kernel.add_series(far, BarSource::Input, FirstBar::BySource, 0).unwrap_err()));
    assert_eq!(rig.kernel.counters().events, 0);
}

#[test]
fn negative_sizes_of_market_data_are_refused_before_anything_is_queued() {
    for bad in [
        trade(1, GOLD, Side::Buy, 100, -1),
        quote(1, GOLD, (99, -1), (101, 1)),
        quote(1, GOLD, (99, 1), (101, i64::MIN)),
    ] {
        let mut rig = Rig::new(config(Matching::Quotes));
        let items = [clock(1), bad];
        assert!(matches!(rig.kernel.feed(0, batch(&items)), Err(KernelError::Value(_))));
        rig.run(|_, _| {}).unwrap();
        assert_eq!(rig.kernel.counters().events, 0);
    }
}

#[test]
fn a_source_number_beyond_all_reason_is_refused_and_not_made_room_for() {
    let mut rig = Rig::new(config(Matching::Quotes));
    for source in [1 << 40, usize::MAX] {
        assert!(matches!(rig.kernel.feed(source, batch(&[clock(1)])), Err(KernelError::Value(_))));
    }
}

#[test]
fn a_size_beyond_all_reason_is_refused_and_not_a_broken_promise() {
    for matching in [Matching::Bars, Matching::Quotes] {
        let mut rig = Rig::new(config(matching));
        let first = match matching {
            Matching::Bars => bar(1, 2, GOLD, [100, 100, 100, 100]),
            _ => quote(2, GOLD, (99, 5), (101, 5)),
        };
        rig.play(&[first]);
        for lots in [i64::MIN, -1, 0] {
            assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Sell, lots)).rule, Rule::InvalidOrder);
        }
        let huge = limit(GOLD, Side::Buy, 1, i64::MAX);
        let answers: Vec<Verdict> = (0..3).map(|_| rig.kernel.submit(ANNA, &huge).unwrap()).collect();
        let is_refused = |verdict: &Verdict| matches!(verdict, Verdict::Refused(_));
        assert!(is_refused(&answers[2]) && is_refused(&answers[1]), "{answers:?}");
        rig.run(|_, _| {}).unwrap();
    }
}

#[test]
fn an_amendment_to_more_than_can_be_counted_with_what_has_filled_is_refused() {
    let mut config = config(Matching::Quotes);
    config.leverage.numerator = 1_000_000_000_000;
    config.cash = money(1_000_000_000_000);
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (99, 5), (101, 5))]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 101, 10));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.position(ANNA, GOLD), 5);

    let limit = i128::from(i64::MAX);
    let refusal = Refusal { rule: Rule::PositionMax, limit, value: limit + 5 };
    let replaced = rig.kernel.replace(ANNA, order_id, 1, i64::MAX).unwrap();
    assert_eq!(replaced, Verdict::Refused(refusal));
    let replaced = rig.kernel.replace(ANNA, order_id, 1, i64::MAX - 5).unwrap();
    assert_eq!(replaced, Verdict::Approved(order_id));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(rig.kernel.orders().get(order_id).unwrap().open_lots(), i64::MAX - 5);
}
