//! A venue outside: requests come out as records, reports go in as events - twice, late, out of order or untrue.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::outside::{about, filled, one_order, outside, said, sent, state, surprises, tell, tell_about};
use common::{
    ANNA, BERT, GOLD, Rig, Script, TIN, assert_positions_are_sums_of_fills, batch, command, config, limit,
    market, money, quotes, recounted, replayed, subscribe, whole,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_kernel::{Destination, KernelConfig, MarginMode, MarginRule, Matching, Verdict};
use tradecore_ledger::{MarginSchedule, MarginTier, OrderState};
use tradecore_risk::{ScopeLimits, ScopesConfig, SelfTrade, StrategyLimits};
use tradecore_types::{
    CancelReason, Command, CommandKind, Event, EventBatch, EventBody, InstrumentId, Money, OrderId,
    OrderIntent, RejectReason, Report, ReportBody, Rule, Scope, Sent, SentBody, Side, SurpriseKind,
    VenueEvent, VenueReport,
};

#[test]
fn a_report_is_an_event_and_a_fill_is_booked_once() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    assert_eq!(state(&rig, order_id), Some(OrderState::New));
    for _ in 0..3 {
        tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    }
    assert_eq!((rig.position(ANNA, GOLD), rig.kernel.counters().repeated_fills), (4, 2));
    assert_eq!(state(&rig, order_id), Some(OrderState::PartiallyFilled));
    tell_about(&mut rig, order_id, filled(94, 6), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), state(&rig, order_id)), (10, None));
    assert_eq!(rig.kernel.ledger().cash(), Money(money(1_000_000 - 4 * 95 - 6 * 94).0 - 6));
    assert_eq!(rig.reports_of(order_id).len(), 3, "the strategy hears of each once");
    assert_eq!((surprises(&rig), rig.kernel.switches().is_unreconciled), (vec![], false));
}

#[test]
fn the_same_trade_id_in_another_instrument_is_another_trade() {
    let (mut rig, gold) = one_order();
    let tin = rig.approved(ANNA, &limit(TIN, Side::Buy, 95, 10));
    for order_id in [gold, tin] {
        tell_about(&mut rig, order_id, filled(95, 4), Some("1"));
    }
    assert_eq!((rig.position(ANNA, GOLD), rig.position(ANNA, TIN)), (4, 4));
}

#[test]
fn a_late_acknowledgement_resurrects_nothing() {
    let ends: [(ReportBody, Option<&str>); 4] = [
        (filled(95, 10), Some("t1")),
        (ReportBody::Canceled(CancelReason::Requested), None),
        (ReportBody::Expired, None),
        (ReportBody::Rejected(RejectReason::Unsupported), None),
    ];
    for (end, trade_id) in ends {
        let (mut rig, order_id) = one_order();
        tell_about(&mut rig, order_id, end, trade_id);
        let closed = rig.kernel.orders().find_closed(order_id).copied();
        let late = [
            ReportBody::Accepted,
            ReportBody::Triggered,
            ReportBody::Canceled(CancelReason::Requested),
            ReportBody::Expired,
            ReportBody::CancelRejected(RejectReason::UnknownOrder),
            ReportBody::ReplaceRejected(RejectReason::UnknownOrder),
            ReportBody::Replaced { price_ticks: Some(90), lots: 3 },
            ReportBody::Restated { price_ticks: Some(90), lots: 3 },
        ];
        for body in late {
            tell_about(&mut rig, order_id, body, None);
        }
        assert_eq!(rig.kernel.orders().find_closed(order_id).copied(), closed, "{end:?}");
        assert!(rig.kernel.orders().is_empty() && surprises(&rig).is_empty(), "{end:?}");
    }
}

#[test]
fn a_late_fill_after_a_cancel_is_booked_and_said() {
    let (mut rig, order_id) = one_order();
    assert!(rig.kernel.cancel(ANNA, order_id));
    tell_about(&mut rig, order_id, ReportBody::Canceled(CancelReason::Requested), None);
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    assert_eq!(rig.position(ANNA, GOLD), 4);
    assert_eq!(rig.kernel.orders().find_closed(order_id).unwrap().filled_lots, 4);
    assert_eq!(surprises(&rig), [SurpriseKind::LateFill]);
    assert_eq!(rig.reports_of(order_id).last(), Some(&filled(95, 4)), "its strategy hears of it");
    assert!(!rig.kernel.switches().is_unreconciled, "venues do that: the books know all of it");
}

#[test]
fn what_cannot_be_true_changes_no_order_halts_new_risk_and_waits_for_a_comparison() {
    let cases: [(u64, ReportBody, Option<&str>, SurpriseKind); 5] = [
        (99, ReportBody::Accepted, None, SurpriseKind::UnknownOrder),
        (99, filled(95, 1), Some("x"), SurpriseKind::UnknownOrder),
        (0, ReportBody::Accepted, None, SurpriseKind::UnknownOrder),
        (1, ReportBody::Rejected(RejectReason::Unsupported), None, SurpriseKind::Impossible),
        (1, ReportBody::Replaced { price_ticks: Some(94), lots: i64::MAX }, None, SurpriseKind::Impossible),
    ];
    for (number, body, trade_id, kind) in cases {
        let (mut rig, order_id) = one_order();
        tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
        let before = *rig.kernel.orders().get(order_id).unwrap();
        tell_about(&mut rig, OrderId(number), body, trade_id);
        assert_eq!(rig.kernel.orders().get(order_id), Some(&before), "{body:?}");
        assert_eq!((surprises(&rig), rig.position(ANNA, GOLD)), (vec![kind], 4), "{body:?}");
        assert_eq!(rig.refused(BERT, &market(GOLD, Side::Buy, 1)).rule, Rule::Unreconciled);
        // What brings the position nearer to flat is never in doubt.
        rig.approved(ANNA, &market(GOLD, Side::Sell, 4));
        assert!(rig.kernel.cancel(ANNA, order_id));
        tell(&mut rig, VenueEvent::Reconciled);
        rig.approved(BERT, &market(GOLD, Side::Buy, 1));
    }
}

#[test]
fn a_fill_beyond_the_order_is_booked_whole_and_halts() {
    let (mut rig, order_id) = one_order();
    tell_about(&mut rig, order_id, filled(95, 8), Some("t1"));
    tell_about(&mut rig, order_id, filled(95, 5), Some("t2"));
    assert_eq!((rig.position(ANNA, GOLD), state(&rig, order_id)), (13, None));
    assert_eq!(rig.kernel.ledger().cash(), Money(money(1_000_000 - 13 * 95).0 - 6), "each fee once");
    let fills = Frames::new(&rig.frames).filter_map(|frame| match decode(frame.unwrap()).unwrap().body {
        RecordBody::Report(Report { body: ReportBody::Fill { lots, .. }, .. }) => Some(lots),
        _ => None,
    });
    assert_eq!(fills.collect::<Vec<_>>(), [8, 5], "a trade is one fill");
    assert_eq!(surprises(&rig), [SurpriseKind::Overfill]);
    assert!(rig.kernel.switches().is_unreconciled);
}

#[test]
fn a_fill_that_an_amendment_under_way_allows_is_no_surprise() {
    let (mut rig, order_id) = one_order();
    let verdict = rig.kernel.replace(ANNA, order_id, 96, 20).unwrap();
    assert_eq!(verdict, Verdict::Approved(order_id));
    tell_about(&mut rig, order_id, filled(96, 15), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (15, vec![]));
    let order = rig.kernel.orders().get(order_id).unwrap();
    assert_eq!((order.open_lots(), order.price_ticks), (5, Some(96)));
}

#[test]
fn a_fill_of_an_order_that_is_forgotten_is_not_booked_and_halts() {
    let (mut rig, first) = one_order();
    tell_about(&mut rig, first, ReportBody::Expired, None);
    for _ in 0..1_100 {
        let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 1));
        tell_about(&mut rig, order_id, ReportBody::Expired, None);
    }
    tell_about(&mut rig, first, filled(95, 4), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (0, vec![SurpriseKind::ForgottenOrder]));
    assert!(rig.kernel.switches().is_unreconciled);
}

#[test]
fn a_lost_answer_is_unknown_and_counts_in_full_until_the_venue_says_more() {
    let mut limits = outside();
    limits.instruments[0].limits.position_lots_max = Some(10);
    let mut rig = Rig::new(limits);
    rig.play(&quotes(100, 99));
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.run(|_, _| {}).unwrap();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    assert_eq!(state(&rig, order_id), Some(OrderState::Unknown));
    assert_eq!(rig.refused(BERT, &market(GOLD, Side::Buy, 1)).rule, Rule::PositionMax);
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    assert_eq!(state(&rig, order_id), Some(OrderState::Unknown), "a part says nothing of the rest");
    tell_about(&mut rig, order_id, ReportBody::Canceled(CancelReason::Requested), None);
    rig.approved(BERT, &market(GOLD, Side::Buy, 6));
    assert_eq!(surprises(&rig), []);
    // One that has ended has ended, and a number that was never given is none of ours.
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    assert_eq!((state(&rig, order_id), surprises(&rig)), (None, vec![]));
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: OrderId(77) });
    assert_eq!(surprises(&rig), [SurpriseKind::UnknownOrder]);
}

#[test]
fn nobody_can_have_said_anything_of_an_order_that_was_never_sent() {
    let (mut rig, entry) = one_order();
    let links = tradecore_kernel::Links { after: Some(entry), oco: None };
    let Verdict::Approved(held) =
        rig.kernel.submit_linked(ANNA, &limit(GOLD, Side::Buy, 80, 10), links).unwrap()
    else {
        panic!("refused")
    };
    tell_about(&mut rig, held, filled(80, 1), Some("t1"));
    assert_eq!((rig.position(ANNA, GOLD), surprises(&rig)), (0, vec![SurpriseKind::Impossible]));
    assert!(rig.is_open(held));
}

#[test]
fn what_a_venue_cannot_say_is_refused_before_it_is_queued() {
    let (mut rig, order_id) = one_order();
    let refused =
        |rig: &mut Rig, message| rig.kernel.feed(1, said(200, GOLD, message)).unwrap_err().to_string();
    let no_trade = refused(&mut rig, about(order_id, filled(95, 1), None));
    assert!(no_trade.contains("trade_id") && no_trade.contains("must name its trade"), "{no_trade}");
    let nothing = refused(&mut rig, about(order_id, filled(95, 0), Some("t")));
    assert!(nothing.contains("lots"), "{nothing}");
    let long = "x".repeat(129);
    assert!(refused(&mut rig, about(order_id, filled(95, 1), Some(&long))).contains("trade_id"));
    let mut lost = said(200, GOLD, about(order_id, ReportBody::Accepted, None));
    lost.venue_events.clear();
    assert!(rig.kernel.feed(1, lost).unwrap_err().to_string().contains("table"));
    let mut simulated = Rig::new(config(Matching::Quotes));
    let error = simulated.kernel.feed(1, said(200, GOLD, VenueEvent::Reconciled)).unwrap_err().to_string();
    assert!(error.contains("venue outside"), "{error}");
    for matching in [Matching::Bars, Matching::Exchange] {
        let config = KernelConfig { destination: Destination::Outside, ..config(matching) };
        assert!(tradecore_kernel::Kernel::new(config).is_err());
    }
}

#[test]
fn an_event_is_no_larger_for_the_texts_of_venues() {
    // A command is the largest of what stands in an event itself.
    assert!(size_of::<EventBody>() <= size_of::<Command>() + size_of::<u64>());
    assert!(size_of::<VenueEvent>() > 64, "so it would have been by far the largest");
}

/// An order as the venue has it.
#[derive(Clone, Debug)]
struct Theirs {
    intent: OrderIntent,
    /// What is open.
    open_lots: i64,
    /// What has filled.
    filled_lots: i64,
}

/// A venue that takes what was sent, trades when it likes, and whose messages travel as chance has it.
struct Fake {
    /// Bytes of the journal it has read: it sees nothing that is not in a record.
    read: usize,
    intents: BTreeMap<u64, OrderIntent>,
    open: BTreeMap<u64, Theirs>,
    /// Messages on their way: how many steps they take, and what they say.
    under_way: Vec<(usize, VenueEvent)>,
    /// Signed lots by strategy and instrument, and the money they cost.
    positions: BTreeMap<(u16, u32), i64>,
    paid: i128,
    trades: u64,
    news: u64,
    said: i64,
}

impl Fake {
    fn new() -> Self {
        Self {
            read: 0,
            intents: BTreeMap::new(),
            open: BTreeMap::new(),
            under_way: Vec::new(),
            positions: BTreeMap::new(),
            paid: 0,
            trades: 0,
            news: 0,
            said: 0,
        }
    }

    /// Takes in what was recorded as sent since it last looked.
    fn read(&mut self, frames: &[u8], dice: &mut Dice) {
        let new = frames[self.read..].to_vec();
        self.read = frames.len();
        for frame in Frames::new(&new) {
            match decode(frame.unwrap()).unwrap().body {
                RecordBody::Order { intent, .. } => {
                    self.intents.insert(intent.order_id.0, intent);
                }
                RecordBody::Sent(sent) => self.take(sent, dice),
                _ => {}
            }
        }
    }

    fn take(&mut self, sent: Sent, dice: &mut Dice) {
        let order_id = sent.order_id;
        match sent.body {
            SentBody::New { lots } => {
                self.news += 1;
                assert!(!self.open.contains_key(&order_id.0), "an order is sent once");
                let intent = self.intents[&order_id.0];
                if dice.one_in(8) {
                    let reason = RejectReason::InsufficientMargin;
                    return self.say(order_id, ReportBody::Rejected(reason), None, dice);
                }
                self.open.insert(order_id.0, Theirs { intent, open_lots: lots.unwrap(), filled_lots: 0 });
                self.say(order_id, ReportBody::Accepted, None, dice);
            }
            SentBody::Cancel => {
                let body = match self.open.remove(&order_id.0) {
                    Some(_) => ReportBody::Canceled(CancelReason::Requested),
                    None => ReportBody::CancelRejected(RejectReason::UnknownOrder),
                };
                self.say(order_id, body, None, dice);
            }
            SentBody::Replace { price_ticks, lots } => match self.open.get_mut(&order_id.0) {
                Some(order) if dice.one_in(2) => {
                    order.open_lots = lots;
                    let price_ticks = price_ticks.or(Some(90));
                    self.say(order_id, ReportBody::Replaced { price_ticks, lots }, None, dice);
                }
                _ => {
                    let no = ReportBody::ReplaceRejected(RejectReason::Unsupported);
                    self.say(order_id, no, None, dice);
                }
            },
        }
    }

    /// Trades some of what is open, and ends some of it.
    fn trade(&mut self, dice: &mut Dice) {
        let open: Vec<u64> = self.open.keys().copied().collect();
        for number in open.into_iter().filter(|_| dice.one_in(3)).collect::<Vec<_>>() {
            let order = self.open.get_mut(&number).unwrap();
            let (intent, lots) = (order.intent, 1 + dice.below(order.open_lots));
            let price_ticks = 90 + dice.below(20);
            (order.open_lots, order.filled_lots) = (order.open_lots - lots, order.filled_lots + lots);
            if order.open_lots == 0 {
                self.open.remove(&number);
            }
            *self.positions.entry((intent.strategy.0, intent.instrument.0)).or_default() +=
                lots * intent.side.sign();
            self.paid += i128::from(lots * price_ticks * intent.side.sign()) * money(1).0 + 3;
            self.trades += 1;
            let trade_id = format!("T{}", self.trades);
            self.say(OrderId(number), filled(price_ticks, lots), Some(&trade_id), dice);
        }
    }

    fn say(&mut self, order_id: OrderId, body: ReportBody, trade_id: Option<&str>, dice: &mut Dice) {
        let mut message = about(order_id, body, trade_id);
        if let VenueEvent::Report(report) = &mut message {
            self.said += 1;
            report.report.venue_time_ns = self.said;
            report.filled_lots = self.open.get(&order_id.0).map(|order| order.filled_lots);
        }
        if dice.one_in(4) {
            self.under_way.push((dice.delay(), message.clone()));
        }
        if dice.one_in(10) {
            self.under_way.push((dice.delay(), VenueEvent::OutcomeLost { order_id }));
        }
        self.under_way.push((dice.delay(), message));
    }

    /// The instrument of the order that a message is about.
    fn instrument_of(&self, message: &VenueEvent) -> InstrumentId {
        match message {
            VenueEvent::Report(said) => self.intents[&said.report.order_id.0].instrument,
            VenueEvent::OutcomeLost { order_id } => self.intents[&order_id.0].instrument,
            VenueEvent::Revision(said) => self.intents[&said.order_id.0].instrument,
            VenueEvent::Reconciling | VenueEvent::Reconciled | VenueEvent::Adopted(_) => GOLD,
        }
    }

    /// Takes the messages that arrive now, in the order they were sent where they travel equally long.
    fn arriving(&mut self) -> Vec<VenueEvent> {
        for (steps, _) in &mut self.under_way {
            *steps = steps.saturating_sub(1);
        }
        let (now, later) =
            std::mem::take(&mut self.under_way).into_iter().partition(|(steps, _)| *steps == 0);
        self.under_way = later;
        let now: Vec<(usize, VenueEvent)> = now;
        now.into_iter().map(|(_, message)| message).collect()
    }
}

/// Chance from a seed.
struct Dice {
    state: u64,
    /// Whether messages overtake each other.
    reorders: bool,
}

impl Dice {
    fn below(&mut self, bound: i64) -> i64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.state >> 34).unwrap() % bound.max(1)
    }

    fn one_in(&mut self, bound: i64) -> bool {
        self.below(bound) == 0
    }

    fn delay(&mut self) -> usize {
        if self.reorders { usize::try_from(1 + self.below(6)).unwrap() } else { 2 }
    }
}

/// Runs a strategy that does something of everything against the fake venue until nothing is on its way.
fn played(seed: u64, reorders: bool) -> (Rig, Fake) {
    played_in(outside(), seed, reorders, |_| {})
}

fn played_in(config: KernelConfig, seed: u64, reorders: bool, mut after: impl FnMut(&Rig)) -> (Rig, Fake) {
    let mut rig = Rig::new(config);
    subscribe(&mut rig.kernel);
    let (mut fake, mut dice) = (Fake::new(), Dice { state: seed, reorders });
    let mut script = Script::new(seed);
    let mut time_ns = 100;
    for step in 0..200 {
        let is_over = step >= 20;
        let mut events = EventBatch::default();
        time_ns += 10;
        if !is_over {
            events = batch(&quotes(time_ns, 95 + dice.below(9)));
            fake.trade(&mut dice);
        }
        for message in fake.arriving() {
            let place = u32::try_from(events.venue_events.len()).unwrap();
            let instrument = fake.instrument_of(&message);
            events.venue_events.push(message);
            events.events.push(Event { time_ns, instrument, body: EventBody::Venue(place) });
        }
        rig.kernel.feed(0, events).unwrap();
        rig.run(|kernel, wake| {
            if !is_over {
                script.act(kernel, wake);
            }
        })
        .unwrap();
        after(&rig);
        let frames = rig.frames.clone();
        fake.read(&frames, &mut dice);
        if is_over && fake.under_way.is_empty() {
            return (rig, fake);
        }
    }
    panic!("it does not come to an end");
}

/// Limits on everything, gold with the margin of the whole account and tin with one of its own.
fn with_limits_and_margin() -> KernelConfig {
    let limits = ScopeLimits {
        position_max: whole(60),
        open_orders_max: Some(20),
        gross_max: Some(money(20_000)),
        net_max: Some(money(10_000)),
        daily_loss_max: Some(money(500)),
        drawdown_max: Some(money(800)),
        executions_max: Some(30),
        executions_window_ns: 100,
        ..ScopeLimits::default()
    };
    let of = |limits| StrategyLimits { limits, instruments: None };
    let mut config = outside();
    config.scopes = ScopesConfig {
        account: limits,
        strategies: vec![of(limits), of(limits)],
        self_trade: SelfTrade::CancelOldest,
        ..ScopesConfig::default()
    };
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    for (instrument, mode) in config.instruments.iter_mut().zip([MarginMode::Cross, MarginMode::Isolated]) {
        let schedule = MarginSchedule::new(5, 1, &[tier]).unwrap();
        instrument.margin = Some(MarginRule { mode, schedule, liquidation_fee_ppb: 1_000_000 });
    }
    config
}

fn assert_same_books(rig: &Rig, fake: &Fake) {
    for strategy in [ANNA, BERT] {
        for instrument in [GOLD, TIN] {
            let theirs = fake.positions.get(&(strategy.0, instrument.0)).copied().unwrap_or(0);
            assert_eq!(rig.position(strategy, instrument), theirs, "{strategy:?} {instrument:?}");
        }
    }
    assert_eq!(rig.kernel.ledger().cash().0, money(1_000_000).0 - fake.paid, "each trade is paid once");
    assert_eq!(rig.kernel.counters().fills, fake.trades);
    // Whoever reads the records of what was booked comes to the same positions.
    assert_positions_are_sums_of_fills(rig);
}

/// Open orders by number, with what is open of them; those that were never sent are left out.
fn open(rig: &Rig, fake: &Fake) -> BTreeMap<u64, i64> {
    let sent: BTreeSet<u64> = sent_numbers(rig);
    assert_eq!(u64::try_from(sent.len()).unwrap(), fake.news);
    let orders = rig.kernel.orders().iter();
    let of_venue = orders.filter(|order| sent.contains(&order.intent.order_id.0));
    of_venue.map(|order| (order.intent.order_id.0, order.open_lots())).collect()
}

fn sent_numbers(rig: &Rig) -> BTreeSet<u64> {
    let news = |sent: &Sent| matches!(sent.body, SentBody::New { .. }).then_some(sent.order_id.0);
    sent(rig).iter().filter_map(news).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Late and doubled messages of a venue end in its books: positions, money and open orders.
    #[test]
    fn late_and_doubled_messages_end_in_the_same_books(seed: u64) {
        let (rig, fake) = played(seed, false);
        assert_same_books(&rig, &fake);
        let theirs: BTreeMap<u64, i64> =
            fake.open.iter().map(|(number, order)| (*number, order.open_lots)).collect();
        prop_assert_eq!(open(&rig, &fake), theirs);
        prop_assert!(surprises(&rig).iter().all(|kind| !kind.halts()), "{:?}", surprises(&rig));
    }

    /// Messages that overtake each other end in the same positions and money, and in no order that the venue has
    /// ended; where an amendment was overtaken, the books may ask for a comparison.
    #[test]
    fn messages_in_any_order_end_in_the_same_positions_and_money(seed: u64) {
        let (rig, fake) = played(seed, true);
        assert_same_books(&rig, &fake);
        for number in open(&rig, &fake).keys() {
            let is_open = fake.open.contains_key(number);
            prop_assert!(is_open || rig.kernel.switches().is_unreconciled, "{number} has ended");
        }
    }

    /// A replay makes the same of what was recorded: nothing has to be sent again to know what was.
    #[test]
    fn a_replay_makes_the_same_records(seed in 0..50u64) {
        let (rig, _) = played(seed, true);
        let mut script = Script::new(seed);
        let mut quotes_seen = 0;
        let again = replayed(outside(), &rig.frames, |kernel, wake| {
            quotes_seen += 1;
            if wake.time_ns <= 300 {
                script.act(kernel, wake);
            }
        });
        prop_assert!(quotes_seen > 0);
        prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
        prop_assert!(again.frames == rig.frames);
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Limits count every fill once, late ones and those beyond an order too, and every order as long as it is open.
    #[test]
    fn limits_see_what_a_recount_sees(seed in 0..200u64) {
        let (rig, fake) = played_in(with_limits_and_margin(), seed, true, |rig| {
            for of in [None, Some(ANNA), Some(BERT)] {
                let scope = of.map_or(Scope::ACCOUNT, Scope::Strategy);
                assert_eq!(rig.kernel.scopes().exposure(scope), Some(recounted(rig, of)), "{of:?}");
            }
        });
        assert_same_books(&rig, &fake);
    }
}

#[test]
fn what_a_killed_engine_finds_open_is_taken_back_once_more() {
    let (mut rig, order_id) = one_order();
    let cancels = |rig: &Rig| sent(rig).iter().filter(|request| request.body == SentBody::Cancel).count();
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::Kill)]);
    assert_eq!((state(&rig, order_id), cancels(&rig)), (Some(OrderState::PendingCancel), 1));
    // What fills meanwhile is no reason to ask again: the request is on its way.
    tell_about(&mut rig, order_id, filled(95, 4), Some("t1"));
    assert_eq!(cancels(&rig), 1);
    // Another time of the venue: a refusal that is repeated is none.
    let refused = |venue_time_ns| {
        let body = ReportBody::CancelRejected(RejectReason::UnknownOrder);
        let report = Report { venue_time_ns, order_id, body };
        VenueEvent::Report(VenueReport { report, venue_order_id: None, trade_id: None, filled_lots: None })
    };
    for (count, venue_time_ns) in [(2, 10), (3, 11), (3, 11), (4, 12)] {
        tell(&mut rig, refused(venue_time_ns));
        assert_eq!((state(&rig, order_id), cancels(&rig)), (Some(OrderState::PendingCancel), count));
    }
    // A crash: nobody knows whether the request left, and then the venue shows the order.
    tell(&mut rig, VenueEvent::OutcomeLost { order_id });
    assert_eq!((state(&rig, order_id), cancels(&rig)), (Some(OrderState::Unknown), 4));
    tell_about(&mut rig, order_id, ReportBody::Accepted, None);
    assert_eq!((state(&rig, order_id), cancels(&rig)), (Some(OrderState::PendingCancel), 5));
    rig.play(&[command(rig.kernel.now_ns() + 1, CommandKind::ReleaseKill)]);
    tell(&mut rig, refused(13));
    assert_eq!((state(&rig, order_id), cancels(&rig)), (Some(OrderState::PartiallyFilled), 5));
}
