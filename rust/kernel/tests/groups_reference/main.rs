//! Orders that depend on each other, order by order equal to a slow, plain model of engine, venue and the way between.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::struct_excessive_bools,
    reason = "test code"
)]

#[path = "../common/mod.rs"]
mod common;
mod model;

use common::{ANNA, GOLD, Rig, clock, config, limit, market, quote, stop, trade};
use model::{BUY_AT, Kind, Model, STOP_AT, TAKE_AT};
use proptest::prelude::*;
use tradecore_kernel::{Kernel, Links, Matching, OrderRequest, Verdict};
use tradecore_types::{Bracket, LotMethod, OrderId, Side, TimeInForce};

/// What a strategy does, or the market.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Buys with a bracket.
    Bracket(i64),
    /// Buys with two exits after it that cancel each other, or do not.
    Exits(i64, bool),
    /// Buys, and buys lower once that fills.
    Ladder(i64),
    /// Buys good till a time, with a bracket.
    Until(i64, i64),
    Cancel(u64),
    /// Makes an order smaller by so much.
    Shrink(u64, i64),
    Sell(i64),
    /// Others trade at a price.
    Trade(i64, i64),
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lots = || 1..9i64;
    let step = prop_oneof![
        2 => lots().prop_map(Step::Bracket),
        2 => (lots(), any::<bool>()).prop_map(|(lots, oco)| Step::Exits(lots, oco)),
        1 => lots().prop_map(Step::Ladder),
        1 => (lots(), 1..60i64).prop_map(|(lots, ns)| Step::Until(lots, ns)),
        2 => (0..8u64).prop_map(Step::Cancel),
        2 => (0..8u64, 1..4i64).prop_map(|(back, lots)| Step::Shrink(back, lots)),
        1 => lots().prop_map(Step::Sell),
        8 => (prop_oneof![6 => Just(94), 3 => Just(121), 2 => Just(89), 1 => Just(79), 1 => Just(100)], 1..7i64)
            .prop_map(|(price, lots)| Step::Trade(price, lots)),
        1 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 1..40)
}

/// The engine and its model side by side.
struct Pair {
    rig: Rig,
    model: Model,
}

fn approved(kernel: &mut Kernel, request: &OrderRequest, links: Links) -> u64 {
    match kernel.submit_linked(ANNA, request, links).unwrap() {
        Verdict::Approved(order_id) => order_id.0,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

impl Pair {
    fn new(lots: LotMethod, order_latency: i64, report_latency: i64) -> Self {
        let mut config = config(Matching::Quotes);
        config.lots = lots;
        (config.venue.order_latency_ns, config.venue.report_latency_ns) = (order_latency, report_latency);
        config.venue.open_orders_max = 1_000;
        let mut rig = Rig::new(config);
        rig.play(&[quote(100, GOLD, (99, 1 << 40), (101, 1 << 40))]);
        let mut model = Model::new(100, order_latency, report_latency);
        model.is_newest_first = lots == LotMethod::Lifo;
        Self { rig, model }
    }

    fn step(&mut self, step: Step) {
        let (kernel, model) = (&mut self.rig.kernel, &mut self.model);
        let none = Links::default();
        let buy = |lots| limit(GOLD, Side::Buy, BUY_AT, lots);
        let bracket = Bracket::at(Some(STOP_AT), Some(TAKE_AT));
        match step {
            Step::Bracket(lots) => {
                let id = approved(kernel, &OrderRequest { bracket, ..buy(lots) }, none);
                model.send(id, true, Kind::Limit(BUY_AT), lots);
                model.bracket(id);
            }
            Step::Until(lots, after_ns) => {
                let expire_ns = kernel.now_ns() + after_ns;
                let time_in_force = TimeInForce::Gtd { expire_ns };
                let id = approved(kernel, &OrderRequest { bracket, time_in_force, ..buy(lots) }, none);
                model.send(id, true, Kind::Limit(BUY_AT), lots);
                model.bracket(id);
                model.expiries.push((expire_ns, id));
            }
            Step::Exits(lots, is_oco) => {
                let entry = approved(kernel, &buy(lots), none);
                model.send(entry, true, Kind::Limit(BUY_AT), lots);
                let exit = |request| OrderRequest { reduce_only: true, ..request };
                let after = Links { after: Some(OrderId(entry)), oco: None };
                let first = approved(kernel, &exit(stop(GOLD, Side::Sell, STOP_AT, lots)), after);
                model.child(first, entry, false, Kind::Stop(STOP_AT), lots);
                let oco = is_oco.then_some(OrderId(first));
                let take =
                    approved(kernel, &exit(limit(GOLD, Side::Sell, TAKE_AT, lots)), Links { oco, ..after });
                model.child(take, entry, false, Kind::Limit(TAKE_AT), lots);
                if is_oco {
                    model.join(first, take);
                }
            }
            Step::Ladder(lots) => {
                let entry = approved(kernel, &buy(lots), none);
                model.send(entry, true, Kind::Limit(BUY_AT), lots);
                let after = Links { after: Some(OrderId(entry)), oco: None };
                let id = approved(kernel, &limit(GOLD, Side::Buy, 80, lots), after);
                model.child(id, entry, true, Kind::Limit(80), lots);
            }
            Step::Cancel(back) => {
                let id = model.last_id.saturating_sub(back);
                if kernel.cancel(ANNA, OrderId(id)) {
                    model.cancel(id, false);
                }
            }
            Step::Shrink(back, by) => {
                let id = model.last_id.saturating_sub(back);
                let open = kernel.orders().get(OrderId(id)).map_or(0, tradecore_ledger::OpenOrder::open_lots);
                if open > by
                    && kernel.replace(ANNA, OrderId(id), None, open - by).unwrap()
                        == Verdict::Approved(OrderId(id))
                {
                    model.replace(id, open - by, 0);
                }
            }
            Step::Sell(lots) => {
                let id = approved(kernel, &market(GOLD, Side::Sell, lots), none);
                model.send(id, false, Kind::Market, lots);
            }
            Step::Trade(..) | Step::Wait => {}
        }
    }

    /// Lets ten nanoseconds pass and the market do what it does.
    fn pass(&mut self, step: Step) {
        let time = self.model.now + 10;
        self.model.run_to(time);
        match step {
            Step::Trade(price, lots) => {
                let side = if price < 100 { Side::Sell } else { Side::Buy };
                self.rig.play(&[trade(time, GOLD, side, price, lots)]);
                self.model.trade(price, lots);
                self.model.run_to(time);
            }
            _ => self.rig.play(&[clock(time)]),
        }
    }

    /// Says how they differ.
    fn check(&self) -> Result<(), TestCaseError> {
        let orders = self.rig.kernel.orders();
        let mut real: Vec<_> = orders
            .iter()
            .map(|order| (order.intent.order_id.0, order.open_lots(), order.filled_lots, order.meant_lots()))
            .collect();
        real.sort_unstable();
        let plain: Vec<_> = self
            .model
            .orders
            .iter()
            .map(|order| (order.id, order.open, order.filled, order.meant()))
            .collect();
        prop_assert_eq!(real, plain, "number, open, filled and meant lots, the model second");
        prop_assert_eq!(self.rig.position(ANNA, GOLD), self.model.position());
        Ok(())
    }
}

/// Does the steps on both sides, whichever lots a fill closes first, with so many nanoseconds to the venue and back.
fn compare(steps: &[Step], (order_latency, report_latency): (i64, i64)) -> Result<(), TestCaseError> {
    for lots in LotMethod::ALL {
        let mut pair = Pair::new(lots, order_latency, report_latency);
        for step in steps {
            pair.step(*step);
            pair.pass(*step);
            pair.check()?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever fills, is cancelled, amended or expires, and however late everybody hears of it.
    #[test]
    fn groups_do_what_a_plain_model_of_them_says(
        steps in steps(),
        latency in prop_oneof![3 => Just((0, 0)), 1 => Just((4, 3)), 2 => (0..40i64, 0..40i64)],
    ) {
        // What fails is said as a line of a test, so that it can be kept as one of those below.
        compare(&steps, latency)
            .map_err(|error| TestCaseError::fail(format!("{error}\n    compare(&{steps:?}, {latency:?}).unwrap();\n")))?;
    }
}

/// How many runs: `TRADECORE_GROUPS_CASES`, else enough for every day.
fn cases() -> u32 {
    std::env::var("TRADECORE_GROUPS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(512)
}

/// The entry ends first, which ends both of its exits before a venue has seen them; only then is the end of the other
/// one heard of, which cancels nothing any more.
#[test]
fn an_exit_that_has_ended_while_it_was_held_is_not_cancelled_by_the_other_one() {
    use Step::{Bracket, Cancel, Exits, Wait};
    let steps = [Exits(1, true), Cancel(2), Bracket(1), Cancel(1), Bracket(1), Wait];
    compare(&steps, (0, 31)).unwrap();
}

/// The venue takes a growth; then the strategy makes the order so small that it has filled. What it grew by went with it.
#[test]
fn what_an_order_grew_by_is_not_sent_again_when_it_was_made_smaller_after_that() {
    use Step::{Ladder, Shrink, Trade, Wait};
    let steps =
        [Ladder(4), Trade(94, 3), Trade(94, 1), Wait, Trade(79, 1), Wait, Shrink(0, 2), Wait, Shrink(0, 1)];
    compare(&steps, (0, 21)).unwrap();
}
