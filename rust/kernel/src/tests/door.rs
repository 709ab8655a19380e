//! What is sent is what arrives, for orders of every kind in every market, and what never left has no record.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_types::{
    CancelReason, CommandKind, Flow, Money, OrderId, Report, ReportBody, Sent, SentBody, Side, TimeInForce,
    TimeNs,
};

use super::common::{
    ANNA, GOLD, Item, Rig, Script, bar, clock, command, config, flow, limit, market, money, quote, snapshot,
    subscribe, trade,
};
use crate::{Destination, KernelConfig, Links, MarginMode, MarginRule, Matching, OrderRequest, Verdict};

/// Bodies of the records of a run.
fn records(frames: &[u8]) -> Vec<(TimeNs, RecordBody<'_>)> {
    let decoded = Frames::new(frames).map(|frame| decode(frame.unwrap()).unwrap());
    decoded.map(|record| (record.time_ns, record.body)).collect()
}

/// What a run sent, with the times.
fn sent(rig: &Rig) -> Vec<(TimeNs, Sent)> {
    let of = |(time_ns, body)| match body {
        RecordBody::Sent(sent) => Some((time_ns, sent)),
        _ => None,
    };
    records(&rig.frames).into_iter().filter_map(of).collect()
}

fn sent_of(rig: &Rig, order_id: OrderId) -> Vec<(TimeNs, SentBody)> {
    let of_order = sent(rig).into_iter().filter(|(_, sent)| sent.order_id == order_id);
    of_order.map(|(time_ns, sent)| (time_ns, sent.body)).collect()
}

/// What the venue has seen.
fn seen(rig: &Rig) -> Vec<Sent> {
    rig.kernel.outgoing.schedule.arrived.iter().map(crate::VenueRequest::sent).collect()
}

fn approved_ns(rig: &Rig, order_id: OrderId) -> Option<TimeNs> {
    let of = |(time_ns, body): (TimeNs, RecordBody<'_>)| match body {
        RecordBody::Order { intent, .. } if intent.order_id == order_id => Some(time_ns),
        _ => None,
    };
    records(&rig.frames).into_iter().find_map(of)
}

/// A step of a market that goes a little up and down.
fn step(matching: Matching, time_ns: TimeNs, mid: i64, lots: i64) -> Vec<Item> {
    let id = u64::try_from(time_ns).unwrap();
    match matching {
        Matching::Bars => vec![bar(time_ns - 3, time_ns, GOLD, [mid, mid + 3, mid - 3, mid])],
        Matching::Quotes => vec![
            quote(time_ns, GOLD, (mid - 1, lots), (mid + 1, lots)),
            trade(time_ns, GOLD, if lots % 2 == 0 { Side::Buy } else { Side::Sell }, mid, lots),
        ],
        Matching::Book => vec![snapshot(
            time_ns,
            id,
            &[(mid - 1, lots), (mid - 2, lots)],
            &[(mid + 1, lots), (mid + 2, lots)],
        )],
        Matching::Exchange => {
            let quote = |side, flow_id, price_ticks| Flow::Limit { flow_id, side, price_ticks, lots };
            vec![
                flow(time_ns, GOLD, quote(Side::Buy, 2 * id, mid - 1)),
                flow(time_ns, GOLD, quote(Side::Sell, 2 * id + 1, mid + 1)),
                flow(time_ns, GOLD, Flow::Market { side: Side::Buy, lots: lots / 2 + 1 }),
            ]
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_sent_is_what_arrives_in_the_same_order(
        seed: u64,
        matching in prop::sample::select(vec![
            Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange,
        ]),
        latency_ns in 0..9i64,
        moves in prop::collection::vec((-3..=3i64, 1..9i64), 5..20),
        ends_flat: bool,
    ) {
        let mut config = config(matching);
        (config.venue.order_latency_ns, config.venue.report_latency_ns) = (latency_ns, latency_ns);
        let mut rig = Rig::new(config);
        subscribe(&mut rig.kernel);
        let mut script = Script::new(seed);
        let (mut time_ns, mut mid) = (100, 100);
        for (change, lots) in moves {
            (time_ns, mid) = (time_ns + 4, (mid + change).max(50));
            rig.play_with(&step(matching, time_ns, mid, lots), |kernel, wake| script.act(kernel, wake))
                .unwrap();
        }
        if ends_flat {
            rig.play(&[command(time_ns, CommandKind::Flatten)]);
        }
        // Long enough for all that is on its way.
        rig.play(&[clock(time_ns + 1_000_000)]);
        let left: Vec<Sent> = sent(&rig).into_iter().map(|(_, sent)| sent).collect();
        prop_assert_eq!(seen(&rig), left);
        assert_each_is_new_once_after_its_approval(&rig, matching);
    }
}

fn assert_each_is_new_once_after_its_approval(rig: &Rig, matching: Matching) {
    let (mut approved, mut new, mut made_there) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (_, body) in records(&rig.frames) {
        match body {
            RecordBody::Order { intent, .. } => {
                approved.insert(intent.order_id.0);
                // The exits of a bracket live at the venue there: it makes them, and they can be cancelled.
                if matching == Matching::Bars && intent.closes.is_some() {
                    made_there.insert(intent.order_id.0);
                }
            }
            RecordBody::Sent(Sent { order_id, body }) => {
                assert!(approved.contains(&order_id.0), "{order_id:?} is sent before it is approved");
                let is_well = match body {
                    SentBody::New { .. } => new.insert(order_id.0),
                    _ => new.contains(&order_id.0) || made_there.contains(&order_id.0),
                };
                assert!(is_well, "new once, before all else: {:?}", of_order(rig, order_id));
            }
            _ => {}
        }
    }
}

/// What the journal says of an order, for the message of a test that fails.
fn of_order(rig: &Rig, order_id: OrderId) -> Vec<(TimeNs, RecordBody<'_>)> {
    let is_about = |body: &RecordBody<'_>| match body {
        RecordBody::Order { intent, .. } | RecordBody::Refused { intent, .. } => intent.order_id == order_id,
        RecordBody::CancelRequest { order_id: of, .. }
        | RecordBody::ReplaceRequest { order_id: of, .. }
        | RecordBody::Link { order_id: of, .. }
        | RecordBody::Sent(Sent { order_id: of, .. })
        | RecordBody::Report(Report { order_id: of, .. }) => *of == order_id,
        _ => false,
    };
    records(&rig.frames).into_iter().filter(|(_, body)| is_about(body)).collect()
}

/// Gold is quoted at 99 to 101.
fn plain(destination: Destination) -> Rig {
    let mut rig = Rig::new(KernelConfig { destination, ..config(Matching::Quotes) });
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    rig
}

/// An entry at 95 and a buy at 80 that waits for it.
fn pair(rig: &mut Rig) -> (OrderId, OrderId) {
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let links = Links { after: Some(entry), oco: None };
    let held = rig.kernel.submit_linked(ANNA, &limit(GOLD, Side::Buy, 80, 10), links).unwrap();
    rig.run(|_, _| {}).unwrap();
    match held {
        Verdict::Approved(held) => (entry, held),
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

#[test]
fn a_held_order_is_approved_at_once_and_sent_when_its_entry_fills() {
    let mut rig = plain(Destination::Simulated);
    let (entry, held) = pair(&mut rig);
    assert_eq!(sent_of(&rig, entry), [(100, SentBody::New { lots: Some(10) })]);
    assert_eq!((approved_ns(&rig, held), sent_of(&rig, held)), (Some(100), vec![]));
    rig.play(&[trade(200, GOLD, Side::Sell, 94, 4)]);
    assert_eq!(sent_of(&rig, held), [(200, SentBody::New { lots: Some(4) })], "as much as has filled");
    rig.play(&[trade(300, GOLD, Side::Sell, 94, 6)]);
    let grown = (300, SentBody::Replace { price_ticks: None, lots: 10 });
    assert_eq!(sent_of(&rig, held), [(200, SentBody::New { lots: Some(4) }), grown]);
}

#[test]
fn a_cancel_of_a_held_order_is_not_sent() {
    let mut rig = plain(Destination::Simulated);
    let (entry, held) = pair(&mut rig);
    assert!(rig.kernel.cancel(ANNA, held));
    assert!(rig.kernel.cancel(ANNA, entry));
    rig.run(|_, _| {}).unwrap();
    assert_eq!(sent_of(&rig, held), []);
    assert_eq!(sent_of(&rig, entry), [(100, SentBody::New { lots: Some(10) }), (100, SentBody::Cancel)]);
    assert_eq!(rig.reports_of(held), [ReportBody::Canceled(CancelReason::Requested)]);
}

#[test]
fn in_shadow_nothing_is_sent_and_nothing_arrives() {
    let mut rig = plain(Destination::Nowhere);
    let first = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    rig.approved(ANNA, &market(GOLD, Side::Sell, 5));
    rig.kernel.replace(ANNA, first, 94, 9).unwrap();
    assert!(rig.kernel.cancel(ANNA, first));
    rig.play(&[command(200, CommandKind::Flatten), clock(300)]);
    assert_eq!((sent(&rig), seen(&rig)), (vec![], vec![]));
    assert_eq!(rig.reports_of(first), [ReportBody::Canceled(CancelReason::Shadow)]);
    assert!(rig.kernel.orders().is_empty());
}

#[test]
fn what_goes_outside_is_recorded_and_nothing_is_planned_in_here() {
    let mut rig = plain(Destination::Outside);
    let (entry, held) = pair(&mut rig);
    rig.kernel.replace(ANNA, entry, 94, 8).unwrap();
    assert!(rig.kernel.cancel(ANNA, entry));
    rig.play(&[quote(200, GOLD, (89, 50), (91, 50)), clock(1_000)]);
    let bodies: Vec<SentBody> = sent_of(&rig, entry).into_iter().map(|(_, body)| body).collect();
    let replace = SentBody::Replace { price_ticks: Some(94), lots: 8 };
    assert_eq!(bodies, [SentBody::New { lots: Some(10) }, replace, SentBody::Cancel]);
    assert_eq!((sent_of(&rig, held), seen(&rig)), (vec![], vec![]));
    assert!(rig.is_open(entry) && rig.reports().is_empty(), "only the venue's word changes it");
}

/// Gold with a margin of its own that a fall from 100 to 60 uses up.
fn margined() -> KernelConfig {
    let mut config = config(Matching::Quotes);
    let tier =
        MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 10, amount: Some(Money(0)) };
    let schedule = MarginSchedule::new(5, 1, &[tier]).unwrap();
    config.instruments[0].margin =
        Some(MarginRule { mode: MarginMode::Isolated, schedule, liquidation_fee_ppb: 1_000_000 });
    (config.cash, config.venue.order_latency_ns) = (money(5_000), 50);
    config
}

#[test]
fn a_liquidation_takes_back_what_is_on_its_way_and_cancels_the_rest_at_once() {
    let mut rig = Rig::new(margined());
    rig.play(&[quote(100, GOLD, (99, 500), (100, 500))]);
    rig.approved(ANNA, &market(GOLD, Side::Buy, 50));
    let waits = rig.approved(ANNA, &limit(GOLD, Side::Buy, 50, 1));
    rig.play(&[clock(200)]);
    let under_way = rig.approved(ANNA, &limit(GOLD, Side::Buy, 51, 1));
    rig.play(&[quote(210, GOLD, (60, 500), (61, 500)), clock(400)]);
    let new = SentBody::New { lots: Some(1) };
    assert_eq!(sent_of(&rig, waits), [(100, new), (210, SentBody::Cancel)]);
    assert_eq!(sent_of(&rig, under_way), [(200, new)]);
    assert!(seen(&rig).iter().all(|sent| sent.order_id != under_way), "it never came to the venue");
    for order_id in [waits, under_way] {
        let reports = rig.reports();
        let last = reports.iter().rev().find(|(_, report)| report.order_id == order_id);
        let ended = ReportBody::Canceled(CancelReason::Liquidation);
        assert_eq!(last, Some(&(210, Report { venue_time_ns: 210, order_id, body: ended })));
    }
}

#[test]
fn an_order_that_ended_while_it_was_held_can_be_neither_cancelled_nor_amended() {
    let mut config = config(Matching::Quotes);
    config.venue.report_latency_ns = 10;
    let mut rig = Rig::new(config);
    rig.play(&[quote(100, GOLD, (99, 50), (101, 50))]);
    let entry = rig.approved(ANNA, &limit(GOLD, Side::Buy, 95, 10));
    let links = Links { after: Some(entry), oco: None };
    let time_in_force = TimeInForce::Gtd { expire_ns: 150 };
    let request = OrderRequest { time_in_force, ..limit(GOLD, Side::Buy, 80, 10) };
    let Verdict::Approved(held) = rig.kernel.submit_linked(ANNA, &request, links).unwrap() else {
        panic!("refused")
    };
    rig.play(&[clock(145)]);
    // Its report is not overtaken by the word that the held order has ended.
    rig.approved(ANNA, &limit(GOLD, Side::Buy, 94, 1));
    rig.play(&[clock(152)]);
    assert!(rig.is_open(held) && rig.reports_of(held).is_empty());
    assert!(!rig.kernel.has_been_sent(held));
    assert!(!rig.kernel.cancel(ANNA, held));
    let answer = rig.kernel.replace(ANNA, held, 81, 9).unwrap();
    assert!(matches!(answer, Verdict::Refused(_)), "{answer:?}");
    rig.play(&[clock(300)]);
    assert_eq!((sent_of(&rig, held), rig.reports_of(held)), (vec![], vec![ReportBody::Expired]));
}
