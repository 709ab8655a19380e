//! However thin, empty or untrusted the market is: once it goes on offering, no position stays without its exits.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{
    ANNA, GOLD, Item, Rig, clock, config, diff, flow, flow_limit, limit, lost, market, quote, snapshot, stop,
};
use proptest::prelude::*;
use tradecore_kernel::{Links, Matching, OrderRequest, Verdict};
use tradecore_ledger::OpenOrder;
use tradecore_types::{Bracket, Flow, OrderId, OrderKind, ReportBody, Side};

const STOP_AT: i64 = 90;
const TAKE_AT: i64 = 110;

/// Nanoseconds of a millisecond, which is how far apart changes of the market are.
const MS: i64 = 1_000_000;

/// How every entry of a run gets its exits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `stop_loss` and `take_profit` of a market order.
    Bracket,
    /// A stop and a limit after a limit order; they cancel each other, or do not.
    After(bool),
    /// A reduce-only stop and limit that cancel each other, for a position that has none.
    Pair,
}

/// What the market shows: best bid, and the lots there and one above it.
#[derive(Clone, Copy, Debug)]
struct Shown {
    bid: i64,
    bid_lots: i64,
    ask_lots: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(i64),
    Close,
    /// Sells so many by a reduce-only market order.
    Reduce(i64),
    Show(Shown),
    /// The feed of a book is lost, until something is shown after the next step.
    Lose,
    Wait(i64),
}

fn shown() -> impl Strategy<Value = Shown> {
    let bid = prop_oneof![4 => Just(99), 2 => Just(92), 4 => Just(89), 1 => Just(80), 3 => Just(110), 1 => Just(113)];
    (bid, 0..5i64, 0..5i64).prop_map(|(bid, bid_lots, ask_lots)| Shown { bid, bid_lots, ask_lots })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..9i64).prop_map(Step::Enter),
        1 => Just(Step::Close),
        1 => (1..6i64).prop_map(Step::Reduce),
        12 => shown().prop_map(Step::Show),
        1 => Just(Step::Lose),
        2 => (1..20i64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

fn styles() -> impl Strategy<Value = Style> {
    prop_oneof![
        2 => Just(Style::Bracket),
        2 => Just(Style::After(true)),
        1 => Just(Style::After(false)),
        2 => Just(Style::Pair)
    ]
}

/// A market that is quotes, a book or an exchange, and shows one level a side.
struct World {
    rig: Rig,
    matching: Matching,
    style: Style,
    now: i64,
    last_id: u64,
    shown: Option<Shown>,
    is_lost: bool,
}

impl World {
    fn new(matching: Matching, style: Style, latency_ms: i64) -> Self {
        let mut config = config(matching);
        (config.venue.order_latency_ns, config.venue.report_latency_ns) = (latency_ms * MS, latency_ms * MS);
        config.venue.open_orders_max = 1_000;
        let (rig, now, last_id) = (Rig::new(config), MS, 10);
        let mut world = Self { rig, matching, style, now, last_id, shown: None, is_lost: true };
        world.show(Shown { bid: 99, bid_lots: 50, ask_lots: 50 });
        world
    }

    fn show(&mut self, shown: Shown) {
        self.now += MS;
        let Shown { bid, bid_lots, ask_lots } = shown;
        let (now, ask) = (self.now, bid + 1);
        let items: Vec<Item> = match self.matching {
            Matching::Quotes => vec![quote(now, GOLD, (bid, bid_lots), (ask, ask_lots))],
            Matching::Book => {
                self.last_id += 1;
                // What is not shown any more is shown as gone.
                let gone = self.shown.map_or((1, 2), |old| (old.bid, old.bid + 1));
                let mut rows = ([(gone.0, 0), (bid, bid_lots)], [(gone.1, 0), (ask, ask_lots)]);
                rows.0[0].1 = if gone.0 == bid { bid_lots } else { 0 };
                rows.1[0].1 = if gone.1 == ask { ask_lots } else { 0 };
                if self.is_lost {
                    let there = |row: (i64, i64)| Vec::from_iter((row.1 > 0).then_some(row));
                    let rows = (there((bid, bid_lots)), there((ask, ask_lots)));
                    vec![snapshot(now, self.last_id, &rows.0, &rows.1)]
                } else {
                    vec![diff(now, self.last_id, &rows.0, &rows.1)]
                }
            }
            _ => {
                let last = self.last_id;
                self.last_id += 2;
                let gone = [last - 1, last].map(|flow_id| flow(now, GOLD, Flow::Cancel { flow_id }));
                let there = [(last + 1, Side::Buy, bid, bid_lots), (last + 2, Side::Sell, ask, ask_lots)];
                let there = there.into_iter().filter(|row| row.3 > 0);
                let there = there.map(|(id, side, price, lots)| flow_limit(now, id, side, price, lots));
                gone.into_iter().chain(there).collect()
            }
        };
        self.rig.play(&items);
        (self.shown, self.is_lost) = (Some(shown), false);
    }

    fn send(&mut self, request: &OrderRequest, links: Links) -> Option<OrderId> {
        match self.rig.kernel.submit_linked(ANNA, request, links).unwrap() {
            Verdict::Approved(order_id) => Some(order_id),
            Verdict::Refused(_) => None,
        }
    }

    /// Sends a stop and a limit that close; the second cancels the first if both are to.
    fn send_exits(&mut self, after: Option<OrderId>, lots: i64, is_oco: bool) {
        let exit = |request| OrderRequest { reduce_only: true, ..request };
        let protection =
            self.send(&exit(stop(GOLD, Side::Sell, STOP_AT, lots)), Links { after, oco: None }).unwrap();
        let oco = is_oco.then_some(protection);
        self.send(&exit(limit(GOLD, Side::Sell, TAKE_AT, lots)), Links { after, oco }).unwrap();
    }

    fn enter(&mut self, lots: i64) {
        match self.style {
            Style::Bracket => {
                let bracket = Bracket::at(Some(STOP_AT), Some(TAKE_AT));
                let _ =
                    self.send(&OrderRequest { bracket, ..market(GOLD, Side::Buy, lots) }, Links::default());
            }
            Style::After(is_oco) => {
                let entry = self.send(&limit(GOLD, Side::Buy, 100, lots), Links::default());
                if entry.is_some() {
                    self.send_exits(entry, lots, is_oco);
                }
            }
            Style::Pair => {
                let position = self.rig.position(ANNA, GOLD);
                let is_quiet = self.rig.kernel.orders().is_empty();
                if position == 0 {
                    let _ = self.send(&market(GOLD, Side::Buy, lots), Links::default());
                } else if position > 0 && is_quiet && !self.is_lost {
                    self.send_exits(None, position, true);
                }
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Enter(lots) => self.enter(lots),
            Step::Close => drop(self.rig.kernel.close(ANNA, GOLD).unwrap()),
            Step::Reduce(lots) => {
                let request = OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, lots) };
                let _ = self.send(&request, Links::default());
            }
            Step::Show(shown) => self.show(shown),
            Step::Lose if self.matching == Matching::Book => {
                self.now += MS;
                self.rig.play(&[lost(self.now, GOLD)]);
                self.is_lost = true;
            }
            Step::Lose => {}
            Step::Wait(ms) => {
                self.now += ms * MS;
                self.rig.play(&[clock(self.now)]);
            }
        }
    }

    /// The market goes on offering a few lots, at prices that set nothing off.
    fn go_on(&mut self) {
        for round in 0..400 {
            let lots = 2 + round % 2;
            self.show(Shown { bid: 98 + round % 2, bid_lots: lots, ask_lots: lots });
        }
        self.now += 100 * MS;
        self.rig.play(&[clock(self.now)]);
    }

    fn open_lots(&self, of: impl Fn(&OpenOrder) -> bool) -> i64 {
        self.rig.kernel.orders().iter().filter(|order| of(order)).map(OpenOrder::open_lots).sum()
    }
}

fn is_stop(order: &OpenOrder) -> bool {
    matches!(order.intent.kind, OrderKind::Stop { .. })
}

fn is_target(order: &OpenOrder) -> bool {
    order.intent.side == Side::Sell && matches!(order.intent.kind, OrderKind::Limit { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// What was set off is closed, what was not keeps both its exits, and nobody is turned round.
    #[test]
    fn an_exit_is_not_given_up_while_there_is_something_to_close(
        matching in prop_oneof![Just(Matching::Quotes), Just(Matching::Book), Just(Matching::Exchange)],
        style in styles(),
        latency_ms in prop_oneof![2 => Just(0i64), 1 => Just(3), 1 => Just(10)],
        steps in steps(),
    ) {
        let mut world = World::new(matching, style, latency_ms);
        for step in steps {
            world.step(step);
        }
        world.go_on();
        let is_bare = style == Style::Pair && world.open_lots(|order| order.intent.reduce_only) == 0;
        let position = world.rig.position(ANNA, GOLD);
        prop_assert!(position >= 0, "turned round to {position}");
        let (stops, targets) = (world.open_lots(is_stop), world.open_lots(is_target));
        prop_assert_eq!(stops, targets, "stops and targets end together");
        // A position of a pair's style may not have been given its pair yet, or only for a part.
        if is_bare || style == Style::Pair {
            prop_assert!(stops <= position, "{stops} to close {position}");
        } else {
            prop_assert_eq!(stops, position, "what is left to be protected");
        }
        let market = world.open_lots(|order| order.intent.kind == OrderKind::Market);
        prop_assert_eq!(market, 0, "nothing is under way");
        common::assert_positions_are_sums_of_fills(&world.rig);
    }

    /// A pair that was set off closes all of what it was for.
    #[test]
    fn a_pair_that_was_set_off_leaves_nothing(
        matching in prop_oneof![Just(Matching::Quotes), Just(Matching::Book), Just(Matching::Exchange)],
        latency_ms in prop_oneof![2 => Just(0i64), 1 => Just(3), 1 => Just(10)],
        lots in 1..12i64,
        more in 0..5i64,
        shown in prop::collection::vec(shown(), 1..12),
    ) {
        // With latency both of a pair can fill, and what is more would hide it.
        let more = if latency_ms == 0 { more } else { 0 };
        let mut world = World::new(matching, Style::Pair, latency_ms);
        world.send(&market(GOLD, Side::Buy, lots + more), Links::default()).unwrap();
        world.step(Step::Wait(25));
        world.send_exits(None, lots, true);
        world.step(Step::Wait(25));
        for shown in shown {
            world.show(shown);
        }
        let is_set_off = world.rig.reports().iter().any(|row| row.1.body == ReportBody::Triggered);
        world.go_on();
        let (stops, targets) = (world.open_lots(is_stop), world.open_lots(is_target));
        prop_assert_eq!(stops, targets, "the pair ends together");
        prop_assert_eq!(stops + more, world.rig.position(ANNA, GOLD), "it closes what it was for and no more");
        prop_assert!(!is_set_off || stops == 0, "once it is set off it goes on");
    }
}

/// How many runs: `TRADECORE_EXITS_CASES`, else enough for every day.
fn cases() -> u32 {
    std::env::var("TRADECORE_EXITS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(256)
}
