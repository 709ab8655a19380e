//! Margin by both sides and by the larger one, held against a plain sum of tickets and open orders.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{filled, outside, tell_about};
use common::{ANNA, BERT, GOLD, Rig, TIN, bar, config, limit, market, money, quote, quotes};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{KernelConfig, Leverage, Links, MarginMode, MarginRule, Matching, Verdict};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::FeeSchedule;
use tradecore_types::{
    HedgedMargin, InstrumentId, Liquidation, OrderId, Positions, Refusal, Rule, Side, StrategyId,
};

const BOTH: [StrategyId; 2] = [ANNA, BERT];
/// Ten times leverage, and a twentieth of the notional that has to stay.
const LEVERAGE: i128 = 10;
const MAINTENANCE_PPM: i64 = 50_000;
const PPM: i128 = 1_000_000;

fn hedging(matching: Matching, hedged_margin: HedgedMargin, cash: i128) -> KernelConfig {
    let positions = Positions::Hedging;
    let mut config = KernelConfig { positions, hedged_margin, cash: money(cash), ..config(matching) };
    config.venue.fees = FeeSchedule { maker_ppb: 0, taker_ppb: 0 };
    config
}

/// Gives both instruments margin rules.
fn with_rules(mut config: KernelConfig) -> KernelConfig {
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: MAINTENANCE_PPM, leverage_max: 100, amount: None };
    let schedule = MarginSchedule::new(10, 1, &[tier]).unwrap();
    let rule = MarginRule { mode: MarginMode::Cross, schedule, liquidation_fee_ppb: 0 };
    for instrument in &mut config.instruments {
        instrument.margin = Some(rule.clone());
    }
    config
}

/// What a plain reader of tickets and orders knows of an instrument: what is held and what works, long or buying first.
#[derive(Clone, Copy, Debug, Default)]
struct Sides {
    held: [i128; 2],
    working: [i128; 2],
}

impl Sides {
    fn of(rig: &Rig, instrument: InstrumentId) -> Self {
        let mut sides = Self::default();
        for strategy in BOTH {
            for ticket in rig.kernel.ledger().tickets(strategy, instrument) {
                sides.held[usize::from(ticket.lots < 0)] += i128::from(ticket.lots.abs());
            }
        }
        for order in rig.kernel.orders().iter() {
            if order.intent.instrument == instrument && order.intent.closes.is_none() {
                sides.working[usize::from(order.intent.side == Side::Sell)] += i128::from(order.open_lots());
            }
        }
        sides
    }

    /// The lots for which margin is asked of what is held.
    fn now(self, rule: HedgedMargin) -> i128 {
        by(rule, self.held)
    }

    /// The same once one more order, and all that works, has filled.
    fn after(mut self, rule: HedgedMargin, side: Side, lots: i64) -> i128 {
        self.working[usize::from(side == Side::Sell)] += i128::from(lots);
        by(rule, [self.held[0] + self.working[0], self.held[1] + self.working[1]])
    }
}

fn by(rule: HedgedMargin, [long, short]: [i128; 2]) -> i128 {
    match rule {
        HedgedMargin::Both => long + short,
        HedgedMargin::Larger => long.max(short),
    }
}

/// A rule, and whether instruments have margin rules or the leverage of the account carries them.
#[derive(Clone, Copy, Debug)]
struct Case {
    rule: HedgedMargin,
    has_rules: bool,
}

impl Case {
    fn rig(self) -> Rig {
        let config = hedging(Matching::Quotes, self.rule, 600);
        let leverage = Leverage { numerator: 3, denominator: 1 };
        Rig::new(if self.has_rules { with_rules(config) } else { KernelConfig { leverage, ..config } })
    }

    /// What the account has for margin, and what it needs once an order has filled; `None` where the order needs no more
    /// than what is held.
    fn expected(
        self,
        rig: &Rig,
        instrument: InstrumentId,
        order: (Side, i64),
        price: i64,
    ) -> Option<(i128, i128)> {
        let other = if instrument == GOLD { TIN } else { GOLD };
        let (own, others) = (Sides::of(rig, instrument), Sides::of(rig, other));
        let after = own.after(self.rule, order.0, order.1);
        if after <= own.now(self.rule) {
            return None;
        }
        let mark = |of| rig.kernel.mark(of).map_or(0, i128::from);
        // A sell may trade at the market, which may be above its limit.
        let price = i128::from(price).max(if order.0 == Side::Sell { mark(instrument) } else { 0 });
        let worth: i128 = [GOLD, TIN]
            .iter()
            .map(|of| {
                let held = Sides::of(rig, *of).held;
                (held[0] - held[1]) * mark(*of)
            })
            .sum();
        let equity = rig.kernel.ledger().cash().0 + money(worth).0;
        if self.has_rules {
            let rest = others.after(self.rule, Side::Buy, 0) * mark(other);
            return Some((equity, money(after * price + rest).0 / LEVERAGE));
        }
        let rest = others.now(self.rule) * mark(other);
        Some((equity.max(0) * 3, money(after * price + rest).0))
    }

    /// What has to stay for what is held.
    fn maintenance(self, rig: &Rig) -> i128 {
        let needs = |of: &InstrumentId| {
            Sides::of(rig, *of).now(self.rule) * rig.kernel.mark(*of).map_or(0, i128::from)
        };
        let sum: i128 = [GOLD, TIN].iter().map(needs).sum();
        money(sum).0 * i128::from(MAINTENANCE_PPM) / PPM
    }
}

fn liquidations(rig: &Rig) -> Vec<Liquidation> {
    let bodies = Frames::new(&rig.frames).map(|frame| decode(frame.unwrap()).unwrap().body);
    bodies
        .filter_map(|body| match body {
            RecordBody::Liquidation(liquidation) => Some(liquidation),
            _ => None,
        })
        .collect()
}

/// What was counted while a case was played.
#[derive(Debug, Default)]
struct Seen {
    approved: usize,
    spared: usize,
    refused: usize,
    liquidated: usize,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    what: u8,
    is_gold: bool,
    is_buy: bool,
    price: i64,
    lots: i64,
    drawn: usize,
}

fn step() -> impl Strategy<Value = Step> {
    (0..10_u8, any::<bool>(), any::<bool>(), 90..112_i64, 1..30_i64, 0..9_usize).prop_map(
        |(what, is_gold, is_buy, price, lots, drawn)| Step { what, is_gold, is_buy, price, lots, drawn },
    )
}

fn played(case: Case, steps: &[Step]) -> Seen {
    let mut rig = case.rig();
    rig.play(&quotes(10, 99));
    let mut seen = Seen::default();
    for (number, step) in steps.iter().enumerate() {
        let time_ns = 20 + 10 * i64::try_from(number).unwrap();
        let instrument = if step.is_gold { GOLD } else { TIN };
        let strategy = BOTH[step.drawn % 2];
        match step.what {
            // The price of one instrument moves; what is too little is closed then, and nothing else.
            0..=2 => {
                let (forced, is_alone) = (liquidations(&rig).len(), rig.kernel.orders().iter().count() == 0);
                let before = [Sides::of(&rig, GOLD), Sides::of(&rig, TIN)];
                rig.play(&[quote(time_ns, instrument, (step.price, 90), (step.price + 2, 90))]);
                let now = liquidations(&rig);
                seen.liquidated += now.len() - forced;
                if let Some(first) = now.get(forced).filter(|_| is_alone) {
                    assert!(first.equity <= first.maintenance);
                    let needs = |place: usize| {
                        let mark = rig.kernel.mark([GOLD, TIN][place]).map_or(0, i128::from);
                        before[place].now(case.rule) * mark
                    };
                    let whole = money(needs(0) + needs(1)).0 * i128::from(MAINTENANCE_PPM) / PPM;
                    assert_eq!(first.maintenance.0, whole, "step {number}");
                }
            }
            3 => {
                let tickets: Vec<_> = rig.kernel.ledger().tickets(strategy, instrument).collect();
                if let Some(ticket) = tickets.get(step.drawn % tickets.len().max(1)) {
                    rig.kernel
                        .close_ticket(strategy, instrument, ticket.entry_order, Some(step.lots))
                        .unwrap();
                    rig.run(|_, _| {}).unwrap();
                }
            }
            4 => {
                let open: Vec<_> = rig
                    .kernel
                    .orders()
                    .iter()
                    .map(|order| (order.intent.strategy, order.intent.order_id))
                    .collect();
                if let Some(&(owner, order_id)) = open.get(step.drawn % open.len().max(1)) {
                    rig.kernel.cancel(owner, order_id);
                    rig.run(|_, _| {}).unwrap();
                }
            }
            _ => {
                let side = if step.is_buy { Side::Buy } else { Side::Sell };
                let expected = case.expected(&rig, instrument, (side, step.lots), step.price);
                let wish = limit(instrument, side, step.price, step.lots);
                let verdict = rig.kernel.submit_linked(strategy, &wish, Links::default()).unwrap();
                rig.run(|_, _| {}).unwrap();
                match (verdict, expected) {
                    (Verdict::Approved(_), None) => seen.spared += 1,
                    (Verdict::Approved(_), Some((has, needs))) => {
                        assert!(needs <= has, "step {number}: {needs} of {has}");
                        seen.approved += 1;
                    }
                    (Verdict::Refused(refusal), Some((limit, value))) => {
                        assert_eq!(
                            refusal,
                            Refusal { rule: Rule::BuyingPower, limit, value },
                            "step {number}"
                        );
                        assert!(value > limit);
                        seen.refused += 1;
                    }
                    (Verdict::Refused(refusal), None) => panic!("step {number}: refused: {refusal}"),
                }
            }
        }
        if case.has_rules {
            let marks = [rig.kernel.mark(GOLD), rig.kernel.mark(TIN)];
            let (equity, needs) = (rig.kernel.ledger().equity(&marks).unwrap().0, case.maintenance(&rig));
            assert!(needs == 0 || equity > needs, "step {number}: {equity} for {needs}");
        }
        rig.kernel.ledger().audit().unwrap();
    }
    seen
}

const CASES: [Case; 4] = [
    Case { rule: HedgedMargin::Both, has_rules: true },
    Case { rule: HedgedMargin::Larger, has_rules: true },
    Case { rule: HedgedMargin::Both, has_rules: false },
    Case { rule: HedgedMargin::Larger, has_rules: false },
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// An order passes exactly when the plain sum says so, a refusal has its two numbers, and nothing is left that has
    /// less than what must stay.
    #[test]
    fn margin_of_two_sides_is_that_of_a_plain_sum(
        kind in 0..CASES.len(),
        steps in prop::collection::vec(step(), 20..120),
    ) {
        played(CASES[kind], &steps);
    }
}

/// What the property is about does happen: else it would hold of nothing.
#[test]
fn random_steps_spare_the_smaller_side_refuse_and_liquidate() {
    for case in CASES {
        let (mut seen, mut state) = (Seen::default(), 7_u64);
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            i64::try_from((state >> 33) % below).unwrap()
        };
        for _ in 0..40 {
            let steps: Vec<Step> = (0..100)
                .map(|_| Step {
                    what: u8::try_from(next(10)).unwrap(),
                    is_gold: next(2) == 0,
                    is_buy: next(2) == 0,
                    price: 90 + next(22),
                    lots: 1 + next(29),
                    drawn: usize::try_from(next(9)).unwrap(),
                })
                .collect();
            let Seen { approved, spared, refused, liquidated } = played(case, &steps);
            seen.approved += approved;
            seen.spared += spared;
            seen.refused += refused;
            seen.liquidated += liquidated;
        }
        assert!(seen.approved > 50 && seen.refused > 50, "{case:?}: {seen:?}");
        assert_eq!(seen.spared > 20, case.rule == HedgedMargin::Larger, "{case:?}: {seen:?}");
        assert_eq!(seen.liquidated > 0, case.has_rules, "{case:?}: {seen:?}");
    }
}

/// Twenty long and nine short with ten times leverage: what bars let fill is what margin is asked for, and so is the price
/// at which it is used up.
#[test]
fn bars_ask_for_the_larger_side_as_they_fill() {
    for (rule, shorts) in [(HedgedMargin::Both, 0), (HedgedMargin::Larger, 20)] {
        for has_rules in [true, false] {
            // 200 of 250 for the long side, by either way.
            let config = hedging(Matching::Bars, rule, 250);
            let leverage = Leverage { numerator: 10, denominator: 1 };
            let config = if has_rules { with_rules(config) } else { KernelConfig { leverage, ..config } };
            let mut rig = Rig::new(config);
            let flat = |rig: &mut Rig, hour: i64, price: i64| {
                rig.play(&[bar(hour * 10, hour * 10 + 10, GOLD, [price; 4])]);
            };
            flat(&mut rig, 1, 100);
            rig.approved(ANNA, &market(GOLD, Side::Buy, 20));
            flat(&mut rig, 2, 100);
            // As large as the long side: free by the larger one, too much by both.
            rig.approved(ANNA, &market(GOLD, Side::Sell, 20));
            flat(&mut rig, 3, 100);
            let legs = rig.kernel.ledger().legs_total(GOLD);
            assert_eq!((legs.long, legs.short), (20, shorts), "{rule:?} {has_rules}");
            // Six more are 260 by the larger side; five are 250.
            for (hour, lots) in [(4, 6), (5, 5)] {
                rig.approved(ANNA, &market(GOLD, Side::Sell, lots));
                flat(&mut rig, hour, 100);
            }
            let short = rig.kernel.ledger().legs_total(GOLD).short;
            assert_eq!(short, shorts + 5, "{rule:?} {has_rules}");
        }
    }
}

#[test]
fn inside_a_bar_margin_is_used_up_where_the_larger_side_needs_it() {
    // Twenty long, five short, 250 of cash: at a price of p there are 15p - 1250, for p of the larger side, or 1.25p.
    for (rule, breach) in [(HedgedMargin::Both, 90), (HedgedMargin::Larger, 89)] {
        for low in [breach + 1, breach, 80] {
            let mut rig = Rig::new(with_rules(hedging(Matching::Bars, rule, 250)));
            rig.play(&[bar(0, 10, GOLD, [100; 4])]);
            rig.approved(ANNA, &market(GOLD, Side::Buy, 20));
            rig.approved(BERT, &market(GOLD, Side::Sell, 5));
            rig.play(&[bar(10, 20, GOLD, [100; 4]), bar(20, 30, GOLD, [100, 100, low, 100])]);
            let legs = rig.kernel.ledger().legs_total(GOLD);
            let (left, cash) =
                if low > breach { ((20, 5), 250 - 1_500) } else { ((0, 0), 250 - 15 * (100 - breach)) };
            assert_eq!((legs.long, legs.short), left, "{rule:?} {low}");
            assert_eq!(rig.kernel.ledger().cash(), money(i128::from(cash)), "{rule:?} {low}");
        }
    }
}

#[test]
fn an_order_for_a_venue_outside_counts_the_larger_side() {
    for (hedged_margin, is_refused) in [(HedgedMargin::Both, true), (HedgedMargin::Larger, false)] {
        let cash = money(1_000);
        let mut rig =
            Rig::new(KernelConfig { positions: Positions::Hedging, hedged_margin, cash, ..outside() });
        rig.play(&quotes(100, 99));
        let long = rig.approved(ANNA, &limit(GOLD, Side::Buy, 99, 9));
        rig.run(|_, _| {}).unwrap();
        tell_about(&mut rig, long, filled(99, 9), Some("t1"));
        let verdict = rig.kernel.submit(BERT, &limit(GOLD, Side::Sell, 100, 9)).unwrap();
        match verdict {
            Verdict::Refused(refusal) => {
                assert!(is_refused);
                assert_eq!((refusal.rule, refusal.value), (Rule::BuyingPower, money(1_800).0));
            }
            Verdict::Approved(order_id) => assert_eq!((is_refused, order_id), (false, OrderId(2))),
        }
        rig.run(|_, _| {}).unwrap();
        // Twice as much on the short side is more than there is by either rule.
        let refused = rig.refused(ANNA, &limit(GOLD, Side::Sell, 100, 18));
        assert_eq!(refused.rule, Rule::BuyingPower);
    }
}

#[test]
fn a_margin_for_two_sides_is_refused_where_positions_are_netted() {
    let netted = KernelConfig { hedged_margin: HedgedMargin::Larger, ..config(Matching::Quotes) };
    let (path, error) = netted.problems().remove(0);
    assert_eq!((path.as_str(), error.field), ("account", "hedged_margin"));
    assert!(error.rule.starts_with("must be both where positions are netted"), "{}", error.rule);
}
