//! The same events give the same bytes, however they are split; anything else is one error.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    GOLD, Item, Rig, Script, TIN, assert_positions_are_sums_of_fills, bar, book, clock, command, config,
    diff, flow, lost, quote, replayed, snapshot, subscribe, trade,
};
use proptest::collection::vec;
use proptest::prelude::*;
use tradecore_kernel::{Destination, KernelConfig, LatencySample, LatencySamples, Matching};
use tradecore_matching::{BarFill, BarOrder, QueueModel};
use tradecore_types::{
    BookUpdateKind, CommandKind, Flow, InstrumentId, OrderId, Scope, Side, Stop, StrategyId, Within,
};

/// What happens next, before it has a time and a place in a sequence.
#[derive(Clone, Debug)]
struct Happening {
    wait_ns: i64,
    is_tin: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Quote(i64, i64, i64, i64),
    Trade(bool, i64, i64),
    Bar(i64, [i64; 4]),
    Diff(Vec<(i64, i64)>, Vec<(i64, i64)>),
    Snapshot,
    Gap,
    Lost,
    Limit(bool, i64, i64),
    Market(bool, i64),
    CancelFlow(u64),
    Clock,
    Command(CommandKind),
}

fn lots() -> impl Strategy<Value = i64> {
    0..12i64
}

fn whats() -> impl Strategy<Value = What> {
    let bids = vec((92..=100i64, lots()), 0..3);
    let asks = vec((101..=108i64, lots()), 0..3);
    prop_oneof![
        4 => (94..=101i64, lots(), 1..4i64, lots()).prop_map(|(b, l, s, m)| What::Quote(b, l, b + s, m)),
        4 => (any::<bool>(), 94..=107i64, lots()).prop_map(|(s, p, l)| What::Trade(s, p, l)),
        4 => (0..6i64, [96..=104i64, 0..=3, 0..=3, 96..=104]).prop_map(|(w, [o, up, down, c])| {
            What::Bar(w, [o, o.max(c) + up, o.min(c) - down, c])
        }),
        6 => (bids, asks).prop_map(|(b, a)| What::Diff(b, a)),
        2 => Just(What::Snapshot),
        1 => Just(What::Gap),
        1 => Just(What::Lost),
        6 => (any::<bool>(), 94..=107i64, lots()).prop_map(|(s, p, l)| What::Limit(s, p, l)),
        2 => (any::<bool>(), lots()).prop_map(|(s, l)| What::Market(s, l)),
        1 => (0..40u64).prop_map(What::CancelFlow),
        1 => Just(What::Clock),
        1 => proptest::sample::select(CommandKind::PLAIN.to_vec()).prop_map(What::Command),
        1 => (proptest::sample::select(Stop::ALL.to_vec()), 0..2u16, any::<bool>()).prop_map(|(stop, id, whose)| {
            let of_strategy = Scope::Strategy(StrategyId(id));
            let scope = if whose { of_strategy } else { Scope::Instrument(InstrumentId(u32::from(id))) };
            What::Command(CommandKind::Within(Within { stop, scope }))
        }),
        1 => (1..30u64).prop_map(|id| What::Command(CommandKind::Cancel(OrderId(id)))),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    vec((0..4i64, any::<bool>(), whats()), 1..80).prop_map(|list| {
        list.into_iter().map(|(wait_ns, is_tin, what)| Happening { wait_ns, is_tin, what }).collect()
    })
}

/// Gives every happening a time and an update id.
fn items(happenings: &[Happening]) -> Vec<Item> {
    let mut time_ns = 100;
    let mut ids = [10u64, 10];
    let mut flow_id = 0;
    let mut out = Vec::new();
    for happening in happenings {
        time_ns += happening.wait_ns;
        let instrument = if happening.is_tin { TIN } else { GOLD };
        let id = &mut ids[instrument.index()];
        out.push(item(happening, time_ns, instrument, id, &mut flow_id));
    }
    out
}

fn item(
    happening: &Happening,
    time_ns: i64,
    instrument: InstrumentId,
    id: &mut u64,
    flow_id: &mut u64,
) -> Item {
    let side = |is_buy: bool| if is_buy { Side::Buy } else { Side::Sell };
    match &happening.what {
        What::Quote(bid, bid_lots, ask, ask_lots) => {
            quote(time_ns, instrument, (*bid, *bid_lots), (*ask, *ask_lots))
        }
        What::Trade(is_buy, price, lots) => trade(time_ns, instrument, side(*is_buy), *price, *lots),
        What::Bar(width, ohlc) => bar(time_ns - width, time_ns, instrument, *ohlc),
        What::Diff(bids, asks) => {
            *id += 1;
            Item {
                event: tradecore_types::Event { instrument, ..diff(time_ns, *id, bids, asks).event },
                ..diff(time_ns, *id, bids, asks)
            }
        }
        What::Snapshot => {
            *id += 1;
            book(
                time_ns,
                instrument,
                BookUpdateKind::Snapshot,
                (*id, *id),
                &[(99, 7), (98, 9)],
                &[(101, 8), (102, 5)],
            )
        }
        What::Gap => {
            *id += 2;
            book(time_ns, instrument, BookUpdateKind::Diff, (*id, *id), &[(97, 3)], &[])
        }
        What::Lost => lost(time_ns, instrument),
        What::Limit(is_buy, price_ticks, lots) => {
            *flow_id += 1;
            let limit = Flow::Limit {
                flow_id: *flow_id,
                side: side(*is_buy),
                price_ticks: *price_ticks,
                lots: *lots,
            };
            flow(time_ns, instrument, limit)
        }
        What::Market(is_buy, lots) => {
            flow(time_ns, instrument, Flow::Market { side: side(*is_buy), lots: *lots })
        }
        What::CancelFlow(flow_id) => flow(time_ns, instrument, Flow::Cancel { flow_id: *flow_id }),
        What::Clock => clock(time_ns),
        What::Command(kind) => command(time_ns, *kind),
    }
}

fn configs() -> impl Strategy<Value = KernelConfig> {
    let matching =
        proptest::sample::select(vec![Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange]);
    let queue = proptest::sample::select(vec![
        QueueModel::Conservative,
        QueueModel::Power { exponent: 2 },
        QueueModel::Log,
    ]);
    let samples = vec((1..9i64, 0..5i64, 0..5i64), 0..4);
    let age = proptest::option::of(1..9i64);
    (matching, 0..5i64, 0..5i64, any::<(bool, bool)>(), 0..8u8, queue, samples, age).prop_map(
        |(matching, order_ns, report_ns, (is_close, is_queue), shadow, queue, samples, age_ns_max)| {
            let mut config = config(matching);
            for instrument in &mut config.instruments {
                instrument.book.age_ns_max = age_ns_max;
            }
            config.venue.order_latency_ns = order_ns;
            config.venue.report_latency_ns = report_ns;
            config.venue.latency_samples = measured(&samples);
            config.venue.queue = queue;
            config.venue.bar_fill = if is_close { BarFill::Close } else { BarFill::NextOpen };
            config.venue.bar_order = if is_queue { BarOrder::Queue } else { BarOrder::Time };
            config.has_equity_curve = true;
            config.sample_ns = (report_ns > 0).then_some(7 * report_ns);
            config.destination = if shadow == 0 { Destination::Nowhere } else { Destination::Simulated };
            config
        },
    )
}

/// Makes measured latencies from gaps between requests and the two ways; none from none.
fn measured(steps: &[(i64, i64, i64)]) -> Option<LatencySamples> {
    let mut samples: Vec<LatencySample> = Vec::new();
    for (gap, order_ns, report_ns) in steps {
        let (sent, taken) = samples.last().map_or((90, 90), |last| (last.request_ns, last.venue_ns));
        let request_ns = sent + gap;
        let venue_ns = taken.max(request_ns + order_ns);
        samples.push(LatencySample { request_ns, venue_ns, response_ns: venue_ns + report_ns });
    }
    LatencySamples::new(samples).ok()
}

/// Plays the events in pieces that end at the cuts.
fn play(config: &KernelConfig, items: &[Item], cuts: &[bool], seed: u64) -> Rig {
    let mut rig = Rig::new(config.clone());
    subscribe(&mut rig.kernel);
    let mut script = Script::new(seed);
    let mut from = 0;
    for to in 1..=items.len() {
        if to == items.len() || cuts.get(to % cuts.len().max(1)).copied().unwrap_or(false) {
            rig.play_with(&items[from..to], |kernel, wake| script.act(kernel, wake)).unwrap();
            from = to;
        }
    }
    rig
}

/// Returns the equity over time as text, in which two values that are no numbers are the same.
fn curve(rig: &mut Rig) -> String {
    rig.kernel.sample_equity().unwrap();
    let curve = rig.kernel.lend_equity_curve();
    assert!(curve.time_ns.is_sorted_by(|before, after| before < after));
    format!("{curve:?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 192 } else { 1024 }))]

    #[test]
    fn the_split_into_batches_changes_no_byte(
        config in configs(), happenings in happenings(), cuts in vec(any::<bool>(), 1..9), seed in any::<u64>()
    ) {
        let items = items(&happenings);
        let mut whole = play(&config, &items, &[false], seed);
        for mut pieces in [play(&config, &items, &[true], seed), play(&config, &items, &cuts, seed)] {
            prop_assert_eq!(curve(&mut whole), curve(&mut pieces));
            prop_assert_eq!(&whole.frames, &pieces.frames);
            prop_assert_eq!(whole.kernel.state_hash(), pieces.kernel.state_hash());
            prop_assert_eq!(whole.kernel.orders_digest(), pieces.kernel.orders_digest());
            prop_assert_eq!(whole.kernel.counters(), pieces.kernel.counters());
            prop_assert_eq!(&whole.wakes, &pieces.wakes);
        }
        assert_positions_are_sums_of_fills(&whole);
    }

    #[test]
    fn a_journal_replayed_makes_itself_again(
        config in configs(), happenings in happenings(), seed in any::<u64>()
    ) {
        let first = play(&config, &items(&happenings), &[false, true], seed);
        let mut script = Script::new(seed);
        let again = replayed(config, &first.frames, |kernel, wake| script.act(kernel, wake));
        prop_assert_eq!(&first.frames, &again.frames);
        prop_assert_eq!(first.kernel.state_hash(), again.kernel.state_hash());
    }

    #[test]
    fn looking_at_the_equity_changes_nothing(config in configs(), happenings in happenings(), seed in any::<u64>()) {
        let items = items(&happenings);
        let blind = play(&KernelConfig { has_equity_curve: false, ..config.clone() }, &items, &[false], seed);
        let seen = play(&config, &items, &[false], seed);
        prop_assert_eq!(&blind.frames, &seen.frames);
        prop_assert_eq!(blind.kernel.state_hash(), seen.kernel.state_hash());
    }

    #[test]
    fn no_recording_changes_no_order(config in configs(), happenings in happenings(), seed in any::<u64>()) {
        let items = items(&happenings);
        let recorded = play(&config, &items, &[false], seed);
        let silent = play(&KernelConfig { is_recording: false, ..config }, &items, &[false], seed);
        prop_assert_eq!(recorded.kernel.orders_digest(), silent.kernel.orders_digest());
        prop_assert_eq!(recorded.kernel.state_hash(), silent.kernel.state_hash());
        prop_assert!(silent.frames.is_empty());
    }
}

#[test]
fn the_script_of_these_tests_trades_in_every_market() {
    // A property about orders that never fill would promise nothing.
    for matching in [Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange] {
        let mut items = vec![snapshot(100, 10, &[(99, 50)], &[(101, 50)])];
        for step in 0..200i64 {
            let time_ns = 101 + step * 3;
            items.push(match matching {
                Matching::Bars => bar(time_ns - 2, time_ns, GOLD, [100, 104, 96, 100 + step % 3]),
                Matching::Quotes => quote(time_ns, GOLD, (98 + step % 4, 20), (101 + step % 4, 20)),
                Matching::Book => diff(
                    time_ns,
                    11 + u64::try_from(step).unwrap(),
                    &[(99, 20 + step % 5)],
                    &[(101, 20 + step % 3)],
                ),
                Matching::Exchange => {
                    let side = if step % 2 == 0 { Side::Buy } else { Side::Sell };
                    let flow_id = u64::try_from(step).unwrap() + 1;
                    common::flow_limit(time_ns, flow_id, side, 100 - side.sign() + step % 3, 20)
                }
            });
        }
        let rig = play(&config(matching), &items, &[false], 11);
        let counters = rig.kernel.counters();
        assert!(counters.fills > 20 && counters.orders > 30, "{matching:?}: {counters:?}");
        assert_positions_are_sums_of_fills(&rig);
    }
}
