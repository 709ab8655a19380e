//! Tickets at a venue outside: it counts what closes one as a part of it, in whatever order it tells of what traded.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::collections::BTreeMap;

use common::outside::{filled, outside, revised, sent, surprises, tell, tell_about};
use common::{ANNA, BERT, GOLD, Rig, command, limit, money, quotes};
use proptest::prelude::*;
use tradecore_kernel::{KernelConfig, Links, OrderRequest, Verdict};
use tradecore_types::{
    AccountId, CancelReason, CommandKind, InstrumentId, Money, OrderId, Positions, RejectReason, ReportBody,
    Scope, SentBody, Side, Stop, SurpriseKind, VenueEvent, Within,
};

const ENTRY: OrderId = OrderId(1);

fn rig() -> Rig {
    let mut rig = Rig::new(KernelConfig { positions: Positions::Hedging, ..outside() });
    rig.play(&quotes(100, 99));
    rig
}

/// Sends an order and lets it leave; its number.
fn send(rig: &mut Rig, side: Side, price_ticks: i64, lots: i64) -> OrderId {
    let order_id = rig.approved(ANNA, &limit(GOLD, side, price_ticks, lots));
    rig.run(|_, _| {}).unwrap();
    order_id
}

/// Asks to close so much of a ticket; the number of the order.
fn close(rig: &mut Rig, ticket: OrderId, lots: i64) -> Option<OrderId> {
    let verdict = rig.kernel.close_ticket(ANNA, GOLD, ticket, Some(lots)).unwrap();
    rig.run(|_, _| {}).unwrap();
    match verdict {
        Verdict::Approved(order_id) => Some(order_id),
        Verdict::Refused(_) => None,
    }
}

/// A long ticket of ten beside a short one of eight.
fn both() -> Rig {
    let mut rig = rig();
    for (number, side, price_ticks, lots) in [(1, Side::Buy, 95, 10), (2, Side::Sell, 105, 8)] {
        let order_id = send(&mut rig, side, price_ticks, lots);
        assert_eq!(order_id, OrderId(number));
        tell_about(&mut rig, order_id, filled(price_ticks, lots), Some(&format!("t{number}")));
    }
    rig
}

fn tickets(rig: &Rig) -> Vec<(u64, i64)> {
    rig.kernel.tickets_at_venue().into_iter().map(|((_, ticket), lots)| (ticket.0, lots)).collect()
}

#[test]
fn what_a_bust_brings_back_is_of_the_ticket_that_it_was_of() {
    let mut rig = both();
    let closing = close(&mut rig, ENTRY, 4).unwrap();
    tell_about(&mut rig, closing, filled(99, 4), Some("t3"));
    assert_eq!(tickets(&rig), [(1, 6), (2, -8)]);
    tell(&mut rig, revised(closing, "t3", 1, None));
    let missing = vec![SurpriseKind::ExitMissing];
    assert_eq!((tickets(&rig), surprises(&rig)), (vec![(1, 10), (2, -8)], missing.clone()));
    tell(&mut rig, revised(OrderId(2), "t2", 1, Some((104, 5, 3))));
    assert_eq!((tickets(&rig), surprises(&rig)), (vec![(1, 10), (2, -5)], missing));
}

#[test]
fn an_entry_that_is_busted_before_the_trade_that_closed_it_is_told_ends_as_after_it() {
    let told = |is_bust_first: bool| {
        let mut rig = both();
        let closing = close(&mut rig, ENTRY, 10).unwrap();
        for is_bust in [is_bust_first, !is_bust_first] {
            if is_bust {
                tell(&mut rig, revised(ENTRY, "t1", 1, Some((95, 4, 3))));
            } else {
                tell_about(&mut rig, closing, filled(99, 10), Some("t3"));
            }
        }
        rig
    };
    let marks = [Some(99), None];
    let (bust_first, bust_last) = (told(true), told(false));
    assert_eq!(tickets(&bust_first), [(1, -6), (2, -8)]);
    assert_eq!(tickets(&bust_last), [(1, -6), (2, -8)]);
    assert_eq!(bust_first.kernel.ledger().equity(&marks), bust_last.kernel.ledger().equity(&marks));
    // What is open too much under the closing order's number is closed at once, and there that is ticket 1.
    let back =
        bust_first.kernel.orders().iter().map(|order| order.intent).find(|intent| intent.side == Side::Buy);
    let back = back.unwrap();
    assert_eq!((back.closes, bust_first.kernel.ticket_at_venue(back.order_id)), (Some(OrderId(3)), ENTRY));
}

#[test]
fn a_flatten_leaves_out_of_each_ticket_what_an_order_in_doubt_may_close() {
    let mut rig = both();
    let closing = close(&mut rig, ENTRY, 4).unwrap();
    tell(&mut rig, VenueEvent::OutcomeLost { order_id: closing });
    let now_ns = rig.kernel.now_ns();
    rig.play(&[command(now_ns + 1, CommandKind::Flatten)]);
    let news = |rig: &Rig| -> Vec<(u64, i64)> {
        let of = |sent: &tradecore_types::Sent| match sent.body {
            SentBody::New { lots } => Some((sent.order_id.0, lots.unwrap())),
            _ => None,
        };
        sent(rig).iter().filter_map(of).collect()
    };
    assert_eq!(news(&rig)[3..], [(4, 6), (5, 8)]);
    for (order_id, lots, trade) in [(4, 6, "t4"), (5, 8, "t5")] {
        tell_about(&mut rig, OrderId(order_id), filled(99, lots), Some(trade));
    }
    tell_about(&mut rig, closing, ReportBody::Rejected(RejectReason::NeverArrived), None);
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 10, 99));
    assert_eq!((tickets(&rig), news(&rig)[5..].to_vec()), (vec![(1, 4)], vec![(6, 4)]));
}

#[test]
fn a_flatten_of_a_part_closes_each_of_its_tickets_by_one_order_and_no_other() {
    for (scope, closed) in
        [(Scope::Strategy(ANNA), [true, true, false]), (Scope::Instrument(GOLD), [true; 3])]
    {
        let mut rig = both();
        let other = rig.approved(BERT, &limit(GOLD, Side::Buy, 95, 7));
        rig.run(|_, _| {}).unwrap();
        tell_about(&mut rig, other, filled(95, 7), Some("o1"));
        let before = sent(&rig).len();
        let flatten = CommandKind::Within(Within { stop: Stop::Flatten, scope });
        rig.play(&[command(rig.kernel.now_ns() + 1, flatten)]);
        for _ in 0..3 {
            // What is on its way already is not sent again.
            let now_ns = rig.kernel.now_ns();
            rig.play(&quotes(now_ns + 10, 99));
        }
        let closing: Vec<(Option<OrderId>, i64)> = sent(&rig)[before..]
            .iter()
            .map(|sent| rig.kernel.orders().get(sent.order_id).unwrap())
            .map(|order| (order.intent.closes, order.open_lots()))
            .collect();
        let all = [(Some(ENTRY), 10), (Some(OrderId(2)), 8), (Some(other), 7)];
        let expected = all.iter().zip(closed).filter(|(_, is_closed)| *is_closed).map(|(ticket, _)| *ticket);
        assert_eq!(closing, expected.collect::<Vec<_>>(), "{scope:?}");
    }
}

#[test]
fn a_flatten_asks_for_the_end_of_an_exit_before_it_closes_the_ticket_again() {
    let mut rig = both();
    let exit = OrderRequest { reduce_only: true, ..limit(GOLD, Side::Sell, 120, 10) };
    let links = Links { after: Some(ENTRY), ..Links::default() };
    let Ok(Verdict::Approved(exit)) = rig.kernel.submit_linked(ANNA, &exit, links) else { panic!("refused") };
    rig.run(|_, _| {}).unwrap();
    tell_about(&mut rig, exit, ReportBody::Accepted, None);
    let now_ns = rig.kernel.now_ns();
    rig.play(&[command(now_ns + 1, CommandKind::Flatten)]);
    for order_id in [4, 5] {
        let refused = ReportBody::Rejected(RejectReason::Unsupported);
        tell_about(&mut rig, OrderId(order_id), refused, None);
    }
    let asked = sent(&rig).len();
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 10, 99));
    assert_eq!(sent(&rig).len(), asked, "the exit may still rest there");
    tell_about(&mut rig, exit, ReportBody::Canceled(CancelReason::Requested), None);
    let now_ns = rig.kernel.now_ns();
    rig.play(&quotes(now_ns + 10, 99));
    let closing = sent(&rig)[asked..].iter().map(|sent| sent.order_id.0).collect::<Vec<_>>();
    assert_eq!((closing, surprises(&rig)), (vec![6, 7], vec![]));
}

#[test]
fn an_exit_that_is_refused_leaves_its_own_ticket_bare_and_no_other() {
    let mut rig = both();
    let closing = close(&mut rig, ENTRY, 10).unwrap();
    tell_about(&mut rig, closing, ReportBody::Rejected(RejectReason::UnknownOrder), None);
    assert_eq!(surprises(&rig), [SurpriseKind::ExitRefused]);
    let bare = |rig: &Rig| rig.kernel.refused_exits(AccountId(0)).collect::<Vec<_>>();
    assert_eq!(bare(&rig), [closing]);
    // What closes the other ticket is no exit of this one.
    close(&mut rig, OrderId(2), 8).unwrap();
    assert_eq!(bare(&rig), [closing]);
    close(&mut rig, ENTRY, 10).unwrap();
    assert_eq!(bare(&rig), []);
}

/// What a plain walk knows of a trade: order, side, price, lots and fee.
type Traded = (OrderId, Side, i64, i64, i128);

/// All trades as they were told last, and the ticket of each order.
#[derive(Default)]
struct Plain {
    trades: BTreeMap<String, (Traded, u64)>,
    tickets: BTreeMap<OrderId, OrderId>,
}

impl Plain {
    /// Looks at orders that are new: each belongs to the ticket that it closes, or opens its own.
    fn look(&mut self, rig: &Rig) {
        let mut open: Vec<_> = rig.kernel.orders().iter().map(|order| order.intent).collect();
        open.sort_by_key(|intent| intent.order_id);
        for intent in open {
            let closed = intent.closes.map(|closes| *self.tickets.get(&closes).unwrap_or(&closes));
            self.tickets.entry(intent.order_id).or_insert(closed.unwrap_or(intent.order_id));
        }
    }

    fn lots(&self) -> BTreeMap<(InstrumentId, OrderId), i64> {
        let mut lots = BTreeMap::new();
        for ((order_id, side, _, traded, _), _) in self.trades.values() {
            *lots.entry((GOLD, self.tickets[order_id])).or_default() += side.sign() * traded;
        }
        lots.retain(|_, lots| *lots != 0);
        lots
    }

    fn cash(&self) -> Money {
        let paid = self.trades.values().map(|((_, side, price, lots, fee), _)| {
            money(i128::from(side.sign() * price * lots)).0 + if *lots == 0 { 0 } else { *fee }
        });
        Money(money(1_000_000).0 - paid.sum::<i128>())
    }
}

fn step(rig: &mut Rig, plain: &mut Plain, (what, which, lots, price): (u8, usize, i64, i64)) {
    match what {
        0 | 1 => {
            let (side, price_ticks) = if what == 0 { (Side::Buy, 95) } else { (Side::Sell, 105) };
            let request = limit(GOLD, side, price_ticks, 10);
            let _ = rig.kernel.submit(ANNA, &request).unwrap();
            rig.run(|_, _| {}).unwrap();
        }
        2 | 3 => {
            let open: Vec<_> = rig.kernel.ledger().tickets(ANNA, GOLD).collect();
            if let Some(ticket) = open.get(which % open.len().max(1)) {
                let lots = lots.min(ticket.lots.abs());
                close(rig, ticket.entry_order, lots);
            }
        }
        4..=6 => {
            let mut open: Vec<_> = rig.kernel.orders().iter().copied().collect();
            open.sort_by_key(|order| order.intent.order_id);
            if let Some(order) = open.get(which % open.len().max(1)) {
                let (order_id, lots) = (order.intent.order_id, lots.min(order.open_lots()));
                let name = format!("t{}", plain.trades.len());
                plain.trades.insert(name.clone(), ((order_id, order.intent.side, price, lots, 3), 0));
                tell_about(rig, order_id, filled(price, lots), Some(&name));
            }
        }
        _ => {
            let names: Vec<_> = plain.trades.keys().cloned().collect();
            if let Some(name) = names.get(which % names.len().max(1)) {
                let ((order_id, _, ticks, traded, fee), revision) = plain.trades.get_mut(name).unwrap();
                (*ticks, *traded, *fee, *revision) = (price, lots % 8, 5, *revision + 1);
                let now = (*traded > 0).then_some((*ticks, *traded, *fee));
                let (order_id, revision) = (*order_id, *revision);
                tell(rig, revised(order_id, name, revision, now));
            }
        }
    }
    plain.look(rig);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ticket_is_the_sum_of_what_its_entry_and_what_closes_it_have_traded(
        steps in prop::collection::vec((0u8..9, 0usize..50, 1i64..12, 90i64..110), 1..60)
    ) {
        let (mut rig, mut plain) = (rig(), Plain::default());
        for next in steps {
            step(&mut rig, &mut plain, next);
            prop_assert_eq!(rig.kernel.tickets_at_venue(), plain.lots());
            prop_assert_eq!(rig.kernel.ledger().cash(), plain.cash());
            let net: i64 = plain.lots().values().sum();
            prop_assert_eq!(rig.position(ANNA, GOLD), net);
            prop_assert_eq!(rig.kernel.ledger().legs(ANNA, GOLD).net(), net);
        }
    }
}
