//! Positions that hedge: what a trader works out by hand about tickets, on quotes and on bars.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Rig, bar, command, config, limit, market, money, quote, set_limit, stop, whole,
};
use tradecore_kernel::{
    Destination, KernelConfig, Links, MarginMode, MarginRule, Matching, OrderRequest, Verdict,
};
use tradecore_ledger::{Legs, MarginSchedule, MarginTier, Ticket};
use tradecore_risk::{ScopeLimits, ScopesConfig};
use tradecore_types::{
    Bracket, CancelReason, CommandKind, CurrencyId, LimitName, LotMethod, Money, OrderId, Positions,
    ReportBody, Rule, Scope, Side, Size, StrategyId,
};

fn hedging(matching: Matching) -> KernelConfig {
    let mut config = KernelConfig { positions: Positions::Hedging, ..config(matching) };
    config.venue.fees = tradecore_matching::FeeSchedule { maker_ppb: 0, taker_ppb: 0 };
    config
}

fn rig() -> Rig {
    let mut rig = Rig::new(hedging(Matching::Quotes));
    rig.play(&[quote(1, GOLD, (100, 50), (102, 50))]);
    rig
}

/// Moves the market and lets everything that is on its way arrive.
fn at(rig: &mut Rig, time_ns: i64, bid: i64) {
    rig.play(&[quote(time_ns, GOLD, (bid, 50), (bid + 2, 50))]);
}

fn tickets(rig: &Rig, strategy: StrategyId) -> Vec<(u64, i64)> {
    let rows = rig.kernel.ledger().tickets(strategy, GOLD);
    rows.map(|ticket| (ticket.entry_order.0, ticket.lots)).collect()
}

fn ticket(rig: &Rig, entry: OrderId) -> Ticket {
    rig.kernel.ledger().ticket(ANNA, GOLD, entry).unwrap()
}

fn legs(rig: &Rig) -> (i64, i64) {
    let Legs { long, short } = rig.kernel.ledger().legs(ANNA, GOLD);
    (long, short)
}

/// An order that only closes a ticket.
fn closing(request: OrderRequest, ticket: OrderId) -> (OrderRequest, Links) {
    (OrderRequest { reduce_only: true, ..request }, Links { after: Some(ticket), oco: None })
}

fn send(rig: &mut Rig, (request, links): (OrderRequest, Links)) -> Verdict {
    let verdict = rig.kernel.submit_linked(ANNA, &request, links).unwrap();
    rig.play(&[]);
    verdict
}

fn number(verdict: Verdict) -> OrderId {
    match verdict {
        Verdict::Approved(order_id) => order_id,
        Verdict::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

fn refusal(verdict: Verdict) -> (Rule, i128, i128) {
    match verdict {
        Verdict::Approved(order_id) => panic!("approved as {order_id:?}"),
        Verdict::Refused(refusal) => (refusal.rule, refusal.limit, refusal.value),
    }
}

fn opened(rig: &mut Rig, side: Side, lots: i64) -> OrderId {
    number(send(rig, (market(GOLD, side, lots), Links::default())))
}

#[test]
fn a_buy_and_a_sell_are_two_tickets_and_each_is_closed_by_its_name() {
    let mut rig = rig();
    let long = opened(&mut rig, Side::Buy, 10);
    let short = opened(&mut rig, Side::Sell, 4);
    assert_eq!(tickets(&rig, ANNA), [(long.0, 10), (short.0, -4)]);
    assert_eq!((rig.position(ANNA, GOLD), legs(&rig)), (6, (10, 4)));
    // Bought at 102, sold at 100: valued at 101 the long one lost 10 and the short one 4.
    assert_eq!(rig.kernel.equity().unwrap(), money(1_000_000 - 14));

    at(&mut rig, 2, 110);
    number(rig.kernel.close_ticket(ANNA, GOLD, long, Some(3)).unwrap());
    rig.play(&[]);
    let left = ticket(&rig, long);
    assert_eq!((left.lots, left.closed_lots, left.realised), (7, 3, money(3 * 8)));
    assert_eq!((ticket(&rig, short).realised, legs(&rig)), (money(0), (7, 4)));
    number(rig.kernel.close_ticket(ANNA, GOLD, short, None).unwrap());
    rig.play(&[]);
    assert_eq!((tickets(&rig, ANNA), rig.position(ANNA, GOLD)), (vec![(long.0, 7)], 7));
    let trades: Vec<_> = rig.kernel.ledger().trades().map(|trade| (trade.entry_order, trade.pnl)).collect();
    assert_eq!(trades, [(long, money(24)), (short, money(-48))]);
    rig.kernel.ledger().audit().unwrap();
}

#[test]
fn what_only_closes_must_name_an_open_ticket_of_the_other_side() {
    let mut rig = rig();
    let long = opened(&mut rig, Side::Buy, 5);
    let unnamed = OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, 5) };
    assert_eq!(refusal(send(&mut rig, (unnamed, Links::default()))), (Rule::TicketNotOpen, 0, 0));
    let same_side = closing(market(GOLD, Side::Buy, 5), long);
    assert_eq!(refusal(send(&mut rig, same_side)), (Rule::TicketNotOpen, 0, i128::from(long.0)));
    let too_many = closing(market(GOLD, Side::Sell, 6), long);
    assert_eq!(refusal(send(&mut rig, too_many)).0, Rule::ReduceOnly);
    let unknown = rig.kernel.close_ticket(ANNA, GOLD, OrderId(999), None).unwrap();
    assert_eq!(refusal(unknown), (Rule::TicketNotOpen, 0, 999));
    let share = OrderRequest { size: Size::BuyingPowerPpm(500_000), ..market(GOLD, Side::Sell, 1) };
    assert_eq!(refusal(send(&mut rig, closing(share, long))).0, Rule::InvalidOrder);
    // Another strategy cannot name it.
    let theirs = rig.kernel.close_ticket(BERT, GOLD, long, None).unwrap();
    assert_eq!(refusal(theirs).0, Rule::TicketNotOpen);
    assert_eq!(tickets(&rig, ANNA), [(long.0, 5)]);
    number(send(&mut rig, closing(market(GOLD, Side::Sell, 5), long)));
    assert_eq!(tickets(&rig, ANNA), []);
    let again = closing(market(GOLD, Side::Sell, 5), long);
    assert_eq!(refusal(send(&mut rig, again)).0, Rule::TicketNotOpen);
}

#[test]
fn orders_that_wait_to_close_a_ticket_share_what_it_has_and_no_other_ticket() {
    let mut rig = rig();
    let first = opened(&mut rig, Side::Buy, 10);
    let second = opened(&mut rig, Side::Buy, 10);
    let gain = number(send(&mut rig, closing(limit(GOLD, Side::Sell, 120, 6), first)));
    let loss = number(send(&mut rig, closing(stop(GOLD, Side::Sell, 90, 4), first)));
    let more = closing(limit(GOLD, Side::Sell, 130, 1), first);
    assert_eq!(refusal(send(&mut rig, more)).0, Rule::ReduceOnly);
    let other = number(send(&mut rig, closing(limit(GOLD, Side::Sell, 125, 10), second)));

    // Seven of the first are closed by hand: the newest that waits goes, the older one is cut to what is left.
    number(rig.kernel.close_ticket(ANNA, GOLD, first, Some(7)).unwrap());
    rig.play(&[]);
    at(&mut rig, 2, 100);
    assert!(!rig.is_open(loss));
    let open = |rig: &Rig, id: OrderId| rig.kernel.orders().get(id).unwrap().open_lots();
    assert_eq!((open(&rig, gain), open(&rig, other)), (3, 10));
    assert!(rig.reports_of(loss).contains(&ReportBody::Canceled(CancelReason::Linked)));
    at(&mut rig, 3, 121);
    assert_eq!(tickets(&rig, ANNA), [(second.0, 10)]);
}

#[test]
fn a_bracket_protects_its_own_ticket_alone() {
    let mut rig = rig();
    let bracket = Bracket::at(Some(90), Some(120));
    let long =
        number(send(&mut rig, (OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) }, Links::default())));
    let short = opened(&mut rig, Side::Sell, 8);
    at(&mut rig, 2, 88);
    at(&mut rig, 3, 88);
    assert_eq!(tickets(&rig, ANNA), [(short.0, -8)], "the stop closed {long:?} and left the other one");
    assert_eq!(rig.kernel.orders().iter().count(), 0, "the target went with the stop");
}

#[test]
fn an_exit_of_an_order_that_waits_follows_it_into_its_ticket() {
    let mut rig = rig();
    let short = opened(&mut rig, Side::Sell, 3);
    let entry = number(send(&mut rig, (limit(GOLD, Side::Buy, 95, 5), Links::default())));
    let exit = number(send(&mut rig, closing(stop(GOLD, Side::Sell, 90, 5), entry)));
    at(&mut rig, 2, 92);
    assert_eq!(tickets(&rig, ANNA), [(short.0, -3), (entry.0, 5)]);
    at(&mut rig, 3, 85);
    at(&mut rig, 4, 85);
    assert_eq!((tickets(&rig, ANNA), rig.is_open(exit)), (vec![(short.0, -3)], false));
}

#[test]
fn close_without_a_ticket_and_flatten_close_every_ticket() {
    for is_flatten in [false, true] {
        let mut rig = rig();
        for (side, lots) in [(Side::Buy, 3), (Side::Sell, 2), (Side::Buy, 1), (Side::Sell, 5)] {
            opened(&mut rig, side, lots);
        }
        assert_eq!((legs(&rig), tickets(&rig, ANNA).len()), ((4, 7), 4));
        if is_flatten {
            rig.play(&[command(2, CommandKind::Flatten)]);
        } else {
            rig.kernel.close(ANNA, GOLD).unwrap();
            rig.play(&[]);
        }
        at(&mut rig, 3, 100);
        assert_eq!((legs(&rig), tickets(&rig, ANNA)), ((0, 0), Vec::new()));
        assert_eq!(rig.kernel.ledger().trades().count(), 4);
        rig.kernel.ledger().audit().unwrap();
    }
}

#[test]
fn what_a_thin_market_leaves_of_a_ticket_is_closed_at_the_next_change() {
    let mut rig = rig();
    opened(&mut rig, Side::Buy, 30);
    opened(&mut rig, Side::Sell, 30);
    rig.play(&[quote(2, GOLD, (100, 10), (102, 4)), command(2, CommandKind::Flatten)]);
    assert_eq!(legs(&rig), (20, 26));
    rig.play(&[quote(3, GOLD, (99, 10), (101, 50))]);
    assert_eq!(legs(&rig), (10, 0));
    rig.play(&[quote(4, GOLD, (100, 50), (102, 50))]);
    assert_eq!((legs(&rig), rig.kernel.orders().iter().count()), ((0, 0), 0));
}

#[test]
fn a_limit_on_the_position_counts_each_side_with_what_works() {
    let mut config = hedging(Matching::Quotes);
    config.instruments[0].limits.position_lots_max = Some(10);
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (100, 50), (102, 50))]);
    let long = opened(&mut rig, Side::Buy, 8);
    // A short side of its own: the long one does not make room for it, nor take any.
    opened(&mut rig, Side::Sell, 7);
    send(&mut rig, (limit(GOLD, Side::Sell, 110, 2), Links::default()));
    assert_eq!(
        refusal(send(&mut rig, (market(GOLD, Side::Sell, 2), Links::default()))),
        (Rule::PositionMax, 10, 11)
    );
    assert_eq!(
        refusal(send(&mut rig, (market(GOLD, Side::Buy, 3), Links::default()))),
        (Rule::PositionMax, 10, 11)
    );
    opened(&mut rig, Side::Buy, 2);
    // A lower limit traps nothing.
    rig.play(&[command(2, set_limit(Scope::Instrument(GOLD), LimitName::Position, whole(1)))]);
    number(rig.kernel.close_ticket(ANNA, GOLD, long, None).unwrap());
    rig.play(&[]);
    assert_eq!(legs(&rig), (2, 7));
}

#[test]
fn gross_counts_both_sides_and_net_what_one_is_above_the_other() {
    let mut config = hedging(Matching::Quotes);
    let account =
        ScopeLimits { gross_max: Some(money(3_000)), net_max: Some(money(1_100)), ..ScopeLimits::default() };
    config.scopes = ScopesConfig { account, ..ScopesConfig::default() };
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (99, 50), (101, 50))]);
    opened(&mut rig, Side::Buy, 10);
    opened(&mut rig, Side::Sell, 10);
    assert_eq!(rig.kernel.scopes().exposure(Scope::ACCOUNT), Some((money(2_000), money(0))));
    let more = |side, lots| (market(GOLD, side, lots), Links::default());
    assert_eq!(refusal(send(&mut rig, more(Side::Buy, 12))).0, Rule::GrossMax);
    opened(&mut rig, Side::Buy, 9);
    assert_eq!(rig.kernel.scopes().exposure(Scope::ACCOUNT), Some((money(2_900), money(900))));
    assert_eq!(refusal(send(&mut rig, more(Side::Buy, 2))), (Rule::GrossMax, money(3_000).0, money(3_100).0));
    rig.play(&[command(2, set_limit(Scope::ACCOUNT, LimitName::Gross, None))]);
    assert_eq!(refusal(send(&mut rig, more(Side::Buy, 3))), (Rule::NetMax, money(1_100).0, money(1_200).0));
    opened(&mut rig, Side::Sell, 3);
}

#[test]
fn both_sides_are_carried_so_buying_power_counts_them_together() {
    let mut config = hedging(Matching::Quotes);
    config.cash = money(1_010);
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (99, 50), (101, 50))]);
    opened(&mut rig, Side::Buy, 6);
    let more = |lots| (market(GOLD, Side::Sell, lots), Links::default());
    assert_eq!(refusal(send(&mut rig, more(5))), (Rule::BuyingPower, money(1_004).0, money(1_100).0));
    opened(&mut rig, Side::Sell, 4);
    assert_eq!(legs(&rig), (6, 4));
}

fn margin(maintenance_ppm: i64) -> MarginRule {
    let tier = MarginTier { notional_max: None, maintenance_ppm, leverage_max: 100, amount: None };
    let schedule = MarginSchedule::new(10, 1, &[tier]).unwrap();
    MarginRule { mode: MarginMode::Cross, schedule, liquidation_fee_ppb: 0 }
}

#[test]
fn margin_is_asked_of_both_sides_and_a_liquidation_closes_every_ticket() {
    for matching in [Matching::Quotes, Matching::Bars] {
        let mut config = hedging(matching);
        // What the spread of quotes costs comes on top.
        config.cash = money(if matching == Matching::Bars { 300 } else { 329 });
        config.instruments[0].margin = Some(margin(50_000));
        let mut rig = Rig::new(config);
        let price = |rig: &mut Rig, hour: i64, price: i64| match matching {
            Matching::Bars => rig.play(&[bar(hour * 10, hour * 10 + 10, GOLD, [price; 4])]),
            _ => rig.play(&[quote(hour * 10, GOLD, (price - 1, 500), (price + 1, 500))]),
        };
        price(&mut rig, 1, 100);
        let order = |rig: &mut Rig, side, lots| send(rig, (market(GOLD, side, lots), Links::default()));
        number(order(&mut rig, Side::Buy, 20));
        number(order(&mut rig, Side::Sell, 9));
        price(&mut rig, 2, 100);
        assert_eq!(legs(&rig), (20, 9), "{matching:?}");
        // Ten times leverage: 290 of 300 are in use, and the sides do not set each other free.
        let refused = order(&mut rig, Side::Sell, 2);
        price(&mut rig, 3, 100);
        match matching {
            // Bars ask as the order fills.
            Matching::Bars => assert!(
                rig.reports_of(number(refused))
                    .contains(&ReportBody::Canceled(CancelReason::InsufficientMargin))
            ),
            _ => assert_eq!(refusal(refused).0, Rule::BuyingPower),
        }
        // Net eleven: each tick down costs 11, and both sides ask 1.45 less. At 84 there are 124 for 121.8.
        price(&mut rig, 4, 84);
        assert_eq!(legs(&rig), (20, 9), "{matching:?}");
        price(&mut rig, 5, 83);
        assert_eq!((legs(&rig), rig.kernel.orders().iter().count()), ((0, 0), 0), "{matching:?}");
        assert_eq!(rig.kernel.ledger().cash(), money(300 - 17 * 11), "{matching:?}");
        rig.kernel.ledger().audit().unwrap();
    }
}

#[test]
fn bars_open_a_ticket_for_each_entry_and_close_the_one_that_is_named() {
    let mut rig = Rig::new(hedging(Matching::Bars));
    let flat = |time: i64, price: i64| bar(time, time + 10, GOLD, [price; 4]);
    rig.play(&[flat(0, 100)]);
    let bracket = Bracket::at(Some(90), None);
    let long =
        number(send(&mut rig, (OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) }, Links::default())));
    let short = number(send(&mut rig, (market(GOLD, Side::Sell, 3), Links::default())));
    rig.play(&[flat(10, 101)]);
    assert_eq!(tickets(&rig, ANNA), [(long.0, 5), (short.0, -3)]);
    let gain = number(send(&mut rig, closing(limit(GOLD, Side::Buy, 95, 3), short)));
    number(rig.kernel.close_ticket(ANNA, GOLD, long, Some(2)).unwrap());
    rig.play(&[flat(20, 102)]);
    assert_eq!(tickets(&rig, ANNA), [(long.0, 3), (short.0, -3)]);
    // Down through the target of the short one at 95, then through the stop of the long one at 90.
    rig.play(&[bar(30, 40, GOLD, [100, 100, 88, 99])]);
    assert_eq!((tickets(&rig, ANNA), rig.is_open(gain)), (Vec::new(), false));
    let trades: Vec<_> =
        rig.kernel.ledger().trades().map(|trade| (trade.entry_order, trade.exit_ticks, trade.lots)).collect();
    assert_eq!(trades, [(long, 102, 2), (short, 95, 3), (long, 90, 3)]);
}

#[test]
fn a_halt_cancels_what_could_open_a_ticket_and_keeps_what_closes_one() {
    let mut config = hedging(Matching::Quotes);
    let account = ScopeLimits { drawdown_max: Some(money(50)), ..ScopeLimits::default() };
    config.scopes = ScopesConfig { account, ..ScopesConfig::default() };
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (100, 50), (102, 50))]);
    let long = opened(&mut rig, Side::Buy, 10);
    let adds = number(send(&mut rig, (limit(GOLD, Side::Sell, 130, 4), Links::default())));
    let closes = number(send(&mut rig, closing(stop(GOLD, Side::Sell, 50, 10), long)));
    at(&mut rig, 2, 95);
    at(&mut rig, 3, 95);
    assert_eq!((rig.is_open(adds), rig.is_open(closes)), (false, true));
    assert_eq!(refusal(send(&mut rig, (market(GOLD, Side::Sell, 1), Links::default()))).0, Rule::DrawdownMax);
    number(rig.kernel.close_ticket(ANNA, GOLD, long, None).unwrap());
}

#[test]
fn two_exits_of_a_ticket_that_fill_at_once_leave_no_other_side() {
    let mut config = hedging(Matching::Quotes);
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (5, 5);
    let mut rig = Rig::new(config);
    rig.play(&[quote(1, GOLD, (100, 50), (102, 50))]);
    let bracket = Bracket::at(None, Some(110));
    let long =
        number(send(&mut rig, (OrderRequest { bracket, ..market(GOLD, Side::Buy, 5) }, Links::default())));
    rig.play(&[quote(20, GOLD, (100, 50), (102, 50)), quote(40, GOLD, (100, 50), (102, 50))]);
    let other = number(send(&mut rig, closing(limit(GOLD, Side::Sell, 111, 5), long)));
    rig.play(&[quote(60, GOLD, (100, 50), (102, 50)), quote(80, GOLD, (115, 50), (117, 50))]);
    for time_ns in [81, 100, 120, 140] {
        rig.play(&[quote(time_ns, GOLD, (115, 50), (117, 50))]);
    }
    assert!(rig.reports_of(other).iter().any(|body| matches!(body, ReportBody::Fill { .. })));
    assert_eq!((tickets(&rig, ANNA), legs(&rig)), (Vec::new(), (0, 0)));
}

#[test]
fn what_does_not_know_tickets_is_refused_beside_positions_that_hedge() {
    let problem = |config: &KernelConfig| {
        config
            .problems()
            .iter()
            .map(|(path, error)| format!("{path}.{}: {}", error.field, error.rule))
            .collect::<Vec<_>>()
    };
    let plain = hedging(Matching::Quotes);
    assert_eq!(problem(&plain), Vec::<String>::new());
    let outside = KernelConfig { destination: Destination::Outside, ..plain.clone() };
    assert_eq!(problem(&outside), Vec::<String>::new(), "what closes names a ticket at a venue outside, too");
    let average = KernelConfig { lots: LotMethod::Average, ..plain.clone() };
    assert!(problem(&average)[0].starts_with("account.lots: must be fifo"));
    let mut isolated = plain.clone();
    isolated.instruments[0].margin = Some(MarginRule { mode: MarginMode::Isolated, ..margin(5_000) });
    assert!(problem(&isolated)[0].starts_with("instruments[0].margin.mode: must be cross"));
    let mut spot = plain;
    spot.instruments[0].currencies.base = Some(CurrencyId::REPORTING);
    assert!(problem(&spot).iter().any(|words| words.contains("cannot be long and short")));
}

#[test]
fn tickets_go_on_in_the_books_that_are_carried_over() {
    let mut rig = rig();
    let long = opened(&mut rig, Side::Buy, 4);
    let short = opened(&mut rig, Side::Sell, 4);
    let opening = rig.kernel.opening();
    assert_eq!(opening.lots.iter().map(|lot| lot.lots).collect::<Vec<_>>(), [4, -4]);
    let mut books =
        tradecore_ledger::Ledger::new(rig.kernel.ledger().instruments().cloned().collect(), 2, Money(0), 8);
    books.open(opening.cash[0].amount, opening.brought, &opening.lots).unwrap();
    let numbers: Vec<_> = books.tickets(ANNA, GOLD).map(|ticket| (ticket.entry_order, ticket.lots)).collect();
    assert_eq!(numbers, [(long, 4), (short, -4)]);
    assert_eq!(books.cash(), rig.kernel.ledger().cash());
    // Both sides cost the same: there is still something to value.
    assert_eq!(books.held_positions().count(), 1);
    let netted: Vec<_> = rig
        .kernel
        .ledger()
        .instruments()
        .map(|known| known.clone().with_positions(Positions::Netting))
        .collect();
    let mut netted = tradecore_ledger::Ledger::new(netted, 2, Money(0), 8);
    assert!(netted.open(opening.cash[0].amount, opening.brought, &opening.lots).is_err());
}
