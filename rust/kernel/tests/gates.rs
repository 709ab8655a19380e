//! Decision gates: asked at one place about everything that may add risk, and never in the way of what closes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod common;

use std::borrow::Cow;

use common::{ANNA, GOLD, Rig, command, config, limit, market, quote, stop, trade};
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{
    BuiltInGate, DecisionGate, DecisionView, GateFailed, GateVerdict, KernelError, Links, Matching,
    OrderRequest, Verdict,
};
use tradecore_ledger::OpenOrder;
use tradecore_types::{Bracket, CommandKind, OrderId, OrderKind, RejectReason, ReportBody, Rule, Side, Size};

const HOUR_NS: i64 = 3_600_000_000_000;
/// Within the hours of [`hours`], and after them.
const MORNING: i64 = 9 * HOUR_NS;
const EVENING: i64 = 20 * HOUR_NS;
const NEXT_MORNING: i64 = 33 * HOUR_NS;

/// A gate of a user's: lets pass what a function of the view lets pass, and fails where that says nothing.
struct Says(fn(&DecisionView) -> Option<bool>);

impl DecisionGate for Says {
    fn check(&self, view: &DecisionView) -> Result<GateVerdict, GateFailed> {
        let passed = (self.0)(view).ok_or(GateFailed)?;
        let may_open = passed && !view.is_closing;
        Ok(GateVerdict { gate: Cow::Borrowed("says"), limit: 1.0, value: 0.0, passed, may_open })
    }
}

fn hours() -> Box<dyn DecisionGate> {
    Box::new(BuiltInGate::TradingHours { start: 8.0, end: 17.0 })
}

fn cooldown(seconds: f64) -> Box<dyn DecisionGate> {
    Box::new(BuiltInGate::Cooldown { seconds })
}

/// Gold is quoted at 99 to 101 in the morning.
fn gated(gates: Vec<Box<dyn DecisionGate>>) -> Rig {
    let mut rig = Rig::new(config(Matching::Quotes));
    rig.kernel.set_gates(gates, true);
    quoted(&mut rig, MORNING);
    rig
}

fn quoted(rig: &mut Rig, time_ns: i64) {
    rig.play(&[quote(time_ns, GOLD, (99, 50), (101, 50))]);
}

/// Others sell this much at 94, so that as much of a buy order of ours at 95 fills.
fn sold(rig: &mut Rig, time_ns: i64, lots: i64) {
    rig.play(&[trade(time_ns, GOLD, Side::Sell, 94, lots)]);
}

fn settle(rig: &mut Rig) {
    rig.run(|_, _| {}).unwrap();
}

fn replaced(rig: &mut Rig, order_id: OrderId, price_ticks: Option<i64>, lots: i64) -> Result<OrderId, Rule> {
    match rig.kernel.replace(ANNA, order_id, price_ticks, lots).unwrap() {
        Verdict::Approved(order_id) => Ok(order_id),
        Verdict::Refused(refusal) => Err(refusal.rule),
    }
}

fn after(rig: &mut Rig, request: OrderRequest, entry: OrderId) -> OrderId {
    let links = Links { after: Some(entry), oco: None };
    match rig.kernel.submit_linked(ANNA, &request, links).unwrap() {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

fn is_reduce_only(rig: &Rig, order_id: OrderId) -> Option<bool> {
    rig.kernel.orders().get(order_id).map(|order| order.intent.reduce_only)
}

/// Every decision in the journal: its reason, and what was said with whether it passed.
fn decisions(rig: &Rig) -> Vec<(String, Vec<(String, bool)>)> {
    let body = |frame| match decode(frame).unwrap().body {
        RecordBody::Decision(decision) => {
            let said = decision.gates.iter();
            let said = said.map(|gate| (gate.name.to_owned(), gate.passed)).collect();
            Some((decision.reason.to_owned(), said))
        }
        _ => None,
    };
    Frames::new(&rig.frames).filter_map(|frame| body(frame.unwrap())).collect()
}

fn reasons(rig: &Rig) -> Vec<String> {
    decisions(rig).into_iter().map(|(reason, _)| reason).collect()
}

#[test]
fn an_amendment_that_adds_risk_passes_the_gates_like_a_new_order() {
    let mut rig = gated(vec![hours()]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 4));
    settle(&mut rig);
    quoted(&mut rig, EVENING);
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Buy, 90, 1)).rule, Rule::DecisionGate);
    assert_eq!(replaced(&mut rig, order_id, Some(102), 500), Err(Rule::DecisionGate));
    assert_eq!(replaced(&mut rig, order_id, None, 5), Err(Rule::DecisionGate), "larger");
    assert_eq!(replaced(&mut rig, order_id, Some(91), 4), Err(Rule::DecisionGate), "at another price");
    assert_eq!(replaced(&mut rig, order_id, Some(90), 3), Ok(order_id), "smaller takes risk away");
    assert_eq!(replaced(&mut rig, order_id, None, 4), Err(Rule::DecisionGate), "and does not give it back");
    settle(&mut rig);
    assert_eq!(rig.kernel.orders().get(order_id).map(OpenOrder::open_lots), Some(3));
    quoted(&mut rig, NEXT_MORNING);
    assert_eq!(replaced(&mut rig, order_id, Some(91), 500), Ok(order_id));
}

#[test]
fn a_smaller_size_does_not_bring_back_the_price_of_before_another_amendment() {
    let mut rig = gated(vec![hours()]);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 4));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    settle(&mut rig);
    assert_eq!(replaced(&mut rig, order_id, Some(80), 4), Ok(order_id));
    rig.kernel.feed(0, common::batch(&[quote(EVENING, GOLD, (99, 50), (101, 50))])).unwrap();
    while rig.kernel.now_ns() < EVENING {
        rig.kernel.advance(1).unwrap();
    }
    assert_eq!(replaced(&mut rig, order_id, Some(95), 4), Err(Rule::DecisionGate));
}

#[test]
fn an_order_that_turns_a_position_is_not_closing() {
    for (lots, is_closing) in [(5, true), (9, false), (10, false), (1, true)] {
        for (side, other) in [(Side::Buy, Side::Sell), (Side::Sell, Side::Buy)] {
            let mut rig = gated(vec![hours()]);
            rig.approved(ANNA, &market(GOLD, side, 5));
            settle(&mut rig);
            quoted(&mut rig, EVENING);
            let verdict = rig.kernel.submit(ANNA, &market(GOLD, other, lots)).unwrap();
            assert_eq!(matches!(verdict, Verdict::Approved(_)), is_closing, "{other:?} {lots}");
            settle(&mut rig);
            let left = if is_closing { 5 - lots } else { 5 };
            assert_eq!(rig.position(ANNA, GOLD), left * side.sign());
        }
    }
}

#[test]
fn what_closing_orders_close_already_no_other_order_closes() {
    let mut rig = gated(vec![hours()]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    quoted(&mut rig, EVENING);
    let first = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 3));
    assert_eq!(is_reduce_only(&rig, first), Some(true), "it passed only because it closes");
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Sell, 110, 3)).rule, Rule::DecisionGate);
    assert_eq!(replaced(&mut rig, first, None, 6), Err(Rule::DecisionGate), "the whole order is judged");
    assert_eq!(replaced(&mut rig, first, None, 5), Ok(first));
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Sell, 110, 1)).rule, Rule::DecisionGate);
}

#[test]
fn a_closing_order_that_the_gates_would_let_open_stays_as_it_is() {
    let mut rig = gated(vec![hours()]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 5));
    assert_eq!(is_reduce_only(&rig, order_id), Some(false));
    // A gate of a user's was told that it is closing: nobody knows what it would have said otherwise.
    let mut rig = gated(vec![Box::new(Says(|_| Some(true)))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 5));
    assert_eq!(is_reduce_only(&rig, order_id), Some(true));
}

#[test]
fn a_closing_order_is_bound_by_an_amendment_that_passes_for_that_alone() {
    let mut rig = gated(vec![hours()]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 5));
    settle(&mut rig);
    quoted(&mut rig, EVENING);
    assert_eq!(replaced(&mut rig, order_id, Some(108), 5), Ok(order_id));
    assert_eq!(is_reduce_only(&rig, order_id), Some(true));
}

#[test]
fn no_gate_holds_back_what_takes_risk_away() {
    // It lets every entry of the morning pass and cannot say anything later on: not even asking it may matter.
    let in_the_morning = Says(|view| (view.now_ns < EVENING).then_some(true));
    for end in ["close", "flatten", "cancel"] {
        let mut rig = gated(vec![Box::new(Says(in_the_morning.0))]);
        let bracket = Bracket::at(Some(90), Some(120));
        rig.approved(ANNA, &OrderRequest { bracket, ..limit(GOLD, Side::Buy, 95, 10) });
        settle(&mut rig);
        sold(&mut rig, EVENING, 4);
        assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (4, 3), "two exits are armed");
        sold(&mut rig, EVENING + 1, 2);
        let exits = rig.kernel.orders().iter().filter(|order| order.intent.closes.is_some());
        assert_eq!(exits.map(OpenOrder::open_lots).collect::<Vec<_>>(), [6, 6], "they grow");
        match end {
            "close" => assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_)))),
            "flatten" => rig.play(&[command(EVENING + 2, CommandKind::Flatten)]),
            _ => assert!(rig.kernel.cancel(ANNA, OrderId(1))),
        }
        quoted(&mut rig, EVENING + 3);
        assert_eq!(rig.position(ANNA, GOLD), if end == "cancel" { 6 } else { 0 }, "{end}");
    }
}

#[test]
fn an_exit_asked_for_while_its_entry_is_open_is_armed_after_hours() {
    let mut rig = gated(vec![hours()]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    settle(&mut rig);
    quoted(&mut rig, EVENING);
    let exit = OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 80, 10) };
    let exit = after(&mut rig, exit, entry);
    sold(&mut rig, EVENING + 1, 4);
    assert_eq!(rig.kernel.orders().get(exit).map(OpenOrder::open_lots), Some(4));
    sold(&mut rig, EVENING + 2, 6);
    assert_eq!(rig.kernel.orders().get(exit).map(OpenOrder::open_lots), Some(10));
}

#[test]
fn a_held_entry_waits_for_the_hours_in_which_it_may_be_sent_and_grow() {
    let mut rig = gated(vec![hours()]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let child = after(&mut rig, limit(GOLD, Side::Buy, 80, 10), entry);
    settle(&mut rig);
    sold(&mut rig, MORNING + 1, 2);
    let open = |rig: &Rig| rig.kernel.orders().get(child).map(OpenOrder::open_lots);
    assert_eq!(open(&rig), Some(2), "sent within the hours");
    for more in 1..4 {
        sold(&mut rig, EVENING + 10 * more, 1);
        quoted(&mut rig, EVENING + 10 * more + 5);
    }
    assert_eq!(open(&rig), Some(2), "and does not grow after them");
    let traces = reasons(&rig);
    assert_eq!(traces.iter().filter(|reason| *reason == "grow").count(), 3, "{traces:?}: one for each fill");
    assert_eq!(rig.kernel.counters().refusals, 3);
    quoted(&mut rig, NEXT_MORNING);
    assert_eq!(open(&rig), Some(5), "it catches up when they begin");
    assert_eq!(decisions(&rig).last(), Some(&("grow".to_owned(), vec![("trading_hours".to_owned(), true)])));
}

#[test]
fn a_held_entry_is_not_sent_after_hours_and_ends_with_its_entry() {
    let mut rig = gated(vec![hours()]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let child = after(&mut rig, limit(GOLD, Side::Buy, 80, 10), entry);
    settle(&mut rig);
    sold(&mut rig, EVENING, 10);
    assert_eq!(rig.reports_of(child), [ReportBody::Rejected(RejectReason::RiskRefused)]);
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.orders().len()), (10, 0));
    assert!(reasons(&rig).contains(&"arm".to_owned()));
}

#[test]
fn a_cooldown_counts_new_orders_and_amendments_and_what_they_let_follow_once() {
    let mut rig = gated(vec![cooldown(60.0)]);
    let second = 1_000_000_000;
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    settle(&mut rig);
    assert_eq!(replaced(&mut rig, entry, Some(96), 10), Err(Rule::DecisionGate), "it just had an entry");
    quoted(&mut rig, MORNING + 60 * second);
    assert_eq!(replaced(&mut rig, entry, Some(95), 12), Ok(entry));
    settle(&mut rig);
    quoted(&mut rig, MORNING + 61 * second);
    assert_eq!(rig.refused(ANNA, &market(GOLD, Side::Buy, 1)).rule, Rule::DecisionGate, "that was an entry");
    quoted(&mut rig, MORNING + 120 * second);
    let child = after(&mut rig, limit(GOLD, Side::Buy, 80, 10), entry);
    settle(&mut rig);
    sold(&mut rig, MORNING + 121 * second, 4);
    sold(&mut rig, MORNING + 122 * second, 2);
    assert_eq!(rig.kernel.orders().get(child).map(OpenOrder::open_lots), Some(6), "counted when asked for");
    let closing = rig.approved(ANNA, &limit(GOLD, Side::Sell, 110, 3));
    assert_eq!(is_reduce_only(&rig, closing), Some(true), "what closes need not wait");
    quoted(&mut rig, MORNING + 180 * second);
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 1));
}

#[test]
fn a_wide_spread_stops_amendments_too() {
    let mut rig = gated(vec![Box::new(BuiltInGate::MaxSpread { ticks: 2 })]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 4));
    settle(&mut rig);
    rig.play(&[quote(MORNING + 1, GOLD, (98, 50), (101, 50))]);
    assert_eq!(replaced(&mut rig, order_id, Some(95), 4), Err(Rule::DecisionGate));
    quoted(&mut rig, MORNING + 2);
    assert_eq!(replaced(&mut rig, order_id, Some(95), 4), Ok(order_id));
}

#[test]
fn a_gate_sees_an_amendment_as_the_whole_order_it_makes() {
    let mut rig = gated(vec![Box::new(Says(|view| {
        let is_small = view.lots <= 5 && view.price_ticks.is_some_and(|at| at <= 95);
        Some(is_small && view.side == Side::Buy && view.position_lots == 0 && !view.is_closing)
    }))]);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 90, 4));
    settle(&mut rig);
    assert_eq!(replaced(&mut rig, order_id, Some(96), 4), Err(Rule::DecisionGate));
    assert_eq!(replaced(&mut rig, order_id, None, 6), Err(Rule::DecisionGate));
    assert_eq!(replaced(&mut rig, order_id, Some(95), 5), Ok(order_id));
}

#[test]
fn every_request_of_a_strategy_leaves_one_trace() {
    let mut rig = gated(vec![hours(), Box::new(BuiltInGate::MaxSpread { ticks: 2 })]);
    rig.kernel.note_for_trace(ANNA, "momentum", 2.0, 1.0, false);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 4));
    after(&mut rig, OrderRequest { reduce_only: true, ..stop(GOLD, Side::Sell, 80, 4) }, entry);
    settle(&mut rig);
    replaced(&mut rig, entry, Some(94), 4).unwrap();
    replaced(&mut rig, entry, None, 3).unwrap();
    settle(&mut rig);
    rig.kernel.trace(ANNA, GOLD, 0, "waiting").unwrap();
    rig.kernel.close(ANNA, GOLD).unwrap();
    quoted(&mut rig, EVENING);
    rig.refused(ANNA, &market(GOLD, Side::Sell, 1));
    settle(&mut rig);
    let said = |names: &[(&str, bool)]| names.iter().map(|(name, is)| ((*name).to_owned(), *is)).collect();
    let both: Vec<_> = said(&[("trading_hours", true), ("max_spread", true)]);
    assert_eq!(
        decisions(&rig),
        [
            ("buy".to_owned(), said(&[("momentum", false), ("trading_hours", true), ("max_spread", true)])),
            ("sell".to_owned(), Vec::new()),
            ("amend".to_owned(), both),
            ("cut".to_owned(), Vec::new()),
            ("waiting".to_owned(), Vec::new()),
            ("close".to_owned(), Vec::new()),
            ("sell".to_owned(), said(&[("trading_hours", false), ("max_spread", true)])),
        ]
    );
}

#[test]
fn a_trace_says_what_passed_because_it_is_closing() {
    let mut rig = gated(vec![Box::new(Says(|view| Some(view.side == Side::Buy)))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 5));
    settle(&mut rig);
    rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
    settle(&mut rig);
    let said = vec![("says".to_owned(), false), ("closing".to_owned(), true)];
    assert_eq!(decisions(&rig).last(), Some(&("sell".to_owned(), said)));
    assert_eq!(rig.position(ANNA, GOLD), 0);
}

#[test]
fn a_gate_that_fails_lets_nothing_pass_any_more() {
    let mut rig = gated(vec![Box::new(Says(|view| (view.lots < 5).then_some(true)))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 2));
    let failed = |error: KernelError| assert_eq!(error, KernelError::GateFailed);
    failed(rig.kernel.submit(ANNA, &market(GOLD, Side::Buy, 5)).unwrap_err());
    failed(rig.kernel.submit(ANNA, &market(GOLD, Side::Buy, 1)).unwrap_err());
    settle(&mut rig);
    assert!(matches!(rig.kernel.close(ANNA, GOLD).unwrap(), Some(Verdict::Approved(_))));
}

#[test]
fn without_gates_nothing_is_traced_and_nothing_is_kept() {
    let mut plain = Rig::new(config(Matching::Quotes));
    quoted(&mut plain, MORNING);
    plain.kernel.note_for_trace(ANNA, "momentum", 2.0, 1.0, true);
    plain.approved(ANNA, &market(GOLD, Side::Buy, 1));
    settle(&mut plain);
    assert!(decisions(&plain).is_empty());
    // Traces alone change no state either.
    let mut traced = gated(Vec::new());
    traced.kernel.note_for_trace(ANNA, "momentum", 2.0, 1.0, true);
    traced.approved(ANNA, &market(GOLD, Side::Buy, 1));
    settle(&mut traced);
    assert_eq!(reasons(&traced), ["buy"]);
    assert_eq!(traced.kernel.state_hash(), plain.kernel.state_hash());
}

/// Requests of every kind, one after the other the same for the same seed.
struct Requests(u64);

impl Requests {
    fn next(&mut self, below: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % below).unwrap()
    }

    fn older(&mut self, rig: &Rig) -> Option<OrderId> {
        let mut open: Vec<_> = rig.kernel.orders().iter().map(|order| order.intent.order_id).collect();
        open.sort_unstable();
        let place = self.next(u64::try_from(open.len().max(1)).unwrap());
        open.get(usize::try_from(place).unwrap()).copied()
    }

    fn submit(&mut self, rig: &mut Rig) {
        let side = if self.next(2) == 0 { Side::Buy } else { Side::Sell };
        let (price_ticks, trigger_ticks) = (94 + self.next(13), 94 + self.next(13));
        let kind = match self.next(6) {
            0 | 1 => OrderKind::Market,
            2 => OrderKind::Stop { trigger_ticks },
            3 => OrderKind::TrailingStop { offset_ticks: 1 + self.next(4), activation_ticks: 0 },
            4 => OrderKind::MarketIfTouched { trigger_ticks },
            _ => OrderKind::Limit { price_ticks },
        };
        let lots = Size::Lots(1 + self.next(12));
        let size_of = if self.next(6) == 0 { Size::BuyingPowerPpm(100) } else { lots };
        let reduce_only = self.next(4) == 0;
        let request = OrderRequest { kind, size: size_of, reduce_only, ..market(GOLD, side, 1) };
        let entry = if self.next(5) == 0 { self.older(rig) } else { None };
        let links = Links { after: entry, oco: None };
        rig.kernel.submit_linked(ANNA, &request, links).unwrap();
    }

    fn act(&mut self, rig: &mut Rig) {
        match self.next(8) {
            0..5 => self.submit(rig),
            5 => {
                if let Some(order_id) = self.older(rig) {
                    let price = (self.next(2) == 0).then_some(94 + self.next(13));
                    rig.kernel.replace(ANNA, order_id, price, 1 + self.next(14)).unwrap();
                }
            }
            6 => {
                if let Some(order_id) = self.older(rig) {
                    rig.kernel.cancel(ANNA, order_id);
                }
            }
            _ => {
                rig.kernel.close(ANNA, GOLD).unwrap();
            }
        }
    }
}

#[test]
fn while_gates_say_no_a_position_only_comes_nearer_to_flat() {
    let no = || -> Vec<Box<dyn DecisionGate>> {
        vec![Box::new(BuiltInGate::MaxSpread { ticks: 0 }), Box::new(Says(|_| Some(false)))]
    };
    let (mut approved, mut closed) = (0, 0);
    for seed in 0..400 {
        let mut requests = Requests(seed);
        let matching = if seed % 2 == 0 { Matching::Quotes } else { Matching::Bars };
        let mut rig = Rig::new(config(matching));
        let step = |rig: &mut Rig, time_ns: i64, bid: i64| match matching {
            Matching::Bars => {
                let ohlc = [bid, bid + 2, bid - 2, bid + 1];
                rig.play(&[common::bar(time_ns, time_ns + 10, GOLD, ohlc)]);
            }
            _ => rig.play(&[quote(time_ns, GOLD, (bid, 9), (bid + 1, 9))]),
        };
        step(&mut rig, 100, 100);
        let side = if requests.next(2) == 0 { Side::Buy } else { Side::Sell };
        rig.approved(ANNA, &market(GOLD, side, 1 + requests.next(9)));
        step(&mut rig, 200, 100);
        let mut held = rig.position(ANNA, GOLD);
        assert_ne!(held, 0, "seed {seed}");
        let orders = rig.kernel.counters().orders;
        rig.kernel.set_gates(no(), true);
        for number in 3..60 {
            requests.act(&mut rig);
            let bid = 97 + requests.next(7);
            step(&mut rig, 100 * number, bid);
            let now = rig.position(ANNA, GOLD);
            assert!(now * held.signum() >= 0 && now.abs() <= held.abs(), "seed {seed}: {held} then {now}");
            closed += held.abs() - now.abs();
            held = now;
        }
        approved += rig.kernel.counters().orders - orders;
    }
    assert!(approved > 500 && closed > 800, "the test is about something: {approved} {closed}");
}
