//! Examples of our orders among agents, with numbers worked out by hand.

use tradecore_types::{CancelReason, Flow, OrderId, OrderIntent, Report, Side, TimeInForce};

use crate::samples::{approved, instrument, limit, market, stop, told};
use crate::{ExchangeMatcher, FeeSchedule, MarketOut, SelfTradePrevention};

/// An exchange with what it said last.
struct Desk {
    exchange: ExchangeMatcher,
    reports: Vec<Report>,
    market: Vec<MarketOut>,
}

impl Desk {
    /// Bids 99: 4 (id 1) then 6 (id 2); asks 101: 5 (id 3), 102: 7 (id 4).
    fn new() -> Self {
        let fees = FeeSchedule::from_bps("1", "5").unwrap();
        let exchange = ExchangeMatcher::new(instrument("0.01", "1"), fees, 16, 4);
        let mut desk = Self { exchange, reports: Vec::new(), market: Vec::new() };
        for (id, side, price, lots) in
            [(1, Side::Buy, 99, 4), (2, Side::Buy, 99, 6), (3, Side::Sell, 101, 5), (4, Side::Sell, 102, 7)]
        {
            desk.agent(id, side, price, lots);
        }
        desk.market.clear();
        desk
    }

    fn said(&mut self) -> Vec<String> {
        told(&std::mem::take(&mut self.reports))
    }

    fn shown(&mut self) -> Vec<String> {
        let text = |out: &MarketOut| match out {
            MarketOut::Trade(trade) => format!("{:?} {}@{}", trade.aggressor, trade.lots, trade.price_ticks),
            MarketOut::Level { side, level } => {
                format!("{side:?} level {}@{}", level.lots, level.price_ticks)
            }
        };
        std::mem::take(&mut self.market).iter().map(text).collect()
    }

    fn flow(&mut self, flow: Flow) -> Vec<String> {
        self.exchange.flow(&flow, 1, &mut self.reports, &mut self.market);
        self.said()
    }

    fn agent(&mut self, flow_id: u64, side: Side, price_ticks: i64, lots: i64) -> Vec<String> {
        self.flow(Flow::Limit { flow_id, side, price_ticks, lots })
    }

    fn submit(&mut self, intent: OrderIntent) -> Vec<String> {
        self.exchange.submit(&approved(intent), 2, &mut self.reports, &mut self.market);
        self.said()
    }

    fn replace(&mut self, id: u64, price_ticks: i64, lots: i64) -> Vec<String> {
        self.exchange.replace(OrderId(id), Some(price_ticks), lots, 3, &mut self.reports, &mut self.market);
        self.said()
    }

    fn ahead(&self, id: u64) -> Option<i64> {
        self.exchange.open_orders().find(|order| order.order_id.0 == id).unwrap().ahead_lots
    }
}

#[test]
fn our_order_waits_behind_the_agents_that_came_first() {
    let mut desk = Desk::new();
    assert_eq!(desk.submit(limit(1, Side::Buy, 99, 3)), ["1 Accepted"]);
    assert_eq!(desk.shown(), ["Buy level 13@99"]);
    desk.agent(9, Side::Buy, 99, 8);
    assert_eq!(desk.ahead(1), Some(10));
    desk.flow(Flow::Cancel { flow_id: 1 });
    assert_eq!(desk.ahead(1), Some(6));
    desk.market.clear();
    assert_eq!(desk.flow(Flow::Market { side: Side::Sell, lots: 8 }), ["1 fill 2@99 Maker"]);
    assert_eq!(desk.shown(), ["Sell 6@99", "Sell 2@99", "Buy level 9@99"]);
    assert_eq!(desk.flow(Flow::Market { side: Side::Sell, lots: 3 }), ["1 fill 1@99 Maker"]);
    assert!(desk.exchange.is_empty());
}

#[test]
fn our_market_order_moves_the_market_for_everybody() {
    let mut desk = Desk::new();
    assert_eq!(
        desk.submit(market(1, Side::Buy, 8)),
        ["1 Accepted", "1 fill 5@101 Taker", "1 fill 3@102 Taker"]
    );
    assert_eq!(desk.shown(), ["Buy 5@101", "Sell level 0@101", "Buy 3@102", "Sell level 4@102"]);
    assert_eq!(
        desk.submit(market(2, Side::Buy, 8))[1..],
        ["2 fill 4@102 Taker", "2 Canceled(ImmediateOrCancel)"]
    );
    assert_eq!(desk.submit(market(3, Side::Buy, 8)), ["3 Rejected(NoLiquidity)"]);
}

#[test]
fn our_orders_never_trade_with_each_other() {
    let mut desk = Desk::new();
    desk.submit(limit(1, Side::Sell, 101, 2));
    assert_eq!(
        desk.submit(limit(2, Side::Buy, 102, 9)),
        ["2 Accepted", "2 fill 5@101 Taker", "1 Canceled(SelfTrade)", "2 fill 4@102 Taker"]
    );
    // Reached by time priority only: the agent's 3 lots are enough, ours stays.
    desk.submit(limit(3, Side::Sell, 102, 2));
    assert_eq!(desk.submit(market(4, Side::Buy, 3)), ["4 Accepted", "4 fill 3@102 Taker"]);
    assert_eq!(desk.exchange.len(), 1);
    assert_eq!(desk.submit(market(5, Side::Buy, 1)), ["5 Rejected(NoLiquidity)"]);
}

#[test]
fn fill_or_kill_does_not_count_our_own_lots() {
    let mut desk = Desk::new();
    desk.submit(limit(1, Side::Sell, 101, 2));
    let whole = |id, lots| OrderIntent { time_in_force: TimeInForce::Fok, ..limit(id, Side::Buy, 102, lots) };
    assert_eq!(desk.submit(whole(2, 13)), ["2 Rejected(CannotFillWhole)"]);
    assert_eq!(desk.exchange.len(), 1);
    assert_eq!(desk.submit(whole(3, 12)).len(), 4);
}

#[test]
fn a_post_only_order_never_takes() {
    let mut desk = Desk::new();
    let post_only = |price| OrderIntent { post_only: true, ..limit(1, Side::Buy, price, 2) };
    assert_eq!(desk.submit(post_only(101)), ["1 Rejected(WouldTake)"]);
    assert_eq!(desk.submit(post_only(100)), ["1 Accepted"]);
    assert_eq!(desk.replace(1, 101, 2), ["1 ReplaceRejected(WouldTake)"]);
    assert_eq!(desk.ahead(1), Some(0));
}

#[test]
fn a_smaller_size_keeps_the_place_and_a_new_price_loses_it() {
    let mut desk = Desk::new();
    desk.submit(limit(1, Side::Buy, 99, 3));
    desk.agent(9, Side::Buy, 99, 8);
    assert_eq!(desk.replace(1, 99, 2), ["1 replaced 2@99"]);
    assert_eq!(desk.ahead(1), Some(10));
    assert_eq!(desk.replace(1, 99, 3), ["1 replaced 3@99"]);
    assert_eq!(desk.ahead(1), Some(18));
    assert_eq!(desk.replace(1, 101, 6), ["1 replaced 6@101", "1 fill 5@101 Taker"]);
    assert_eq!(desk.ahead(1), Some(0));
    assert_eq!(desk.replace(7, 101, 6), ["7 ReplaceRejected(UnknownOrder)"]);
}

#[test]
fn stops_set_each_other_off_oldest_first() {
    let mut desk = Desk::new();
    desk.agent(8, Side::Buy, 90, 50);
    desk.flow(Flow::Market { side: Side::Buy, lots: 1 });
    desk.submit(stop(1, Side::Sell, 99, 2));
    desk.submit(stop(2, Side::Sell, 90, 1));
    desk.submit(stop(3, Side::Sell, 80, 1));
    // The agent leaves 1 lot at 99; the first stop takes it and one at 90, which sets off the second.
    assert_eq!(
        desk.flow(Flow::Market { side: Side::Sell, lots: 9 }),
        ["1 Triggered", "1 fill 1@99 Taker", "1 fill 1@90 Taker", "2 Triggered", "2 fill 1@90 Taker"]
    );
    assert_eq!(desk.exchange.len(), 1);
}

#[test]
fn a_stop_sees_every_price_of_a_sweep() {
    let mut desk = Desk::new();
    desk.flow(Flow::Market { side: Side::Sell, lots: 1 });
    desk.flow(Flow::Market { side: Side::Buy, lots: 1 });
    desk.submit(stop(1, Side::Buy, 102, 1));
    assert_eq!(desk.submit(stop(2, Side::Sell, 100, 1)), ["2 Accepted"]);
    let said = desk.flow(Flow::Market { side: Side::Buy, lots: 5 });
    assert_eq!(said, ["1 Triggered", "1 fill 1@102 Taker"]);
    assert_eq!(desk.flow(Flow::Market { side: Side::Sell, lots: 1 }), ["2 Triggered", "2 fill 1@99 Taker"]);
}

#[test]
fn whatever_happens_next_sets_off_a_stop_whose_price_our_own_cancel_has_shown() {
    let mut desk = Desk::new();
    assert_eq!(desk.submit(limit(1, Side::Sell, 100, 1)), ["1 Accepted"]);
    assert_eq!(desk.submit(stop(2, Side::Buy, 101, 2)), ["2 Accepted"]);
    desk.exchange.cancel(OrderId(1), 3, &mut desk.reports, &mut desk.market);
    assert_eq!(desk.said(), ["1 Canceled(Requested)"]);
    // A number in use changes nothing in the book, but it is an event.
    assert_eq!(desk.agent(3, Side::Sell, 105, 1), ["2 Triggered", "2 fill 2@101 Taker"]);
}

#[test]
fn flow_that_makes_no_sense_changes_nothing() {
    let mut desk = Desk::new();
    let mut before = Vec::new();
    desk.exchange.write_state(&mut before);
    for flow in [
        Flow::Limit { flow_id: 1, side: Side::Buy, price_ticks: 105, lots: 4 },
        Flow::Limit { flow_id: 7, side: Side::Buy, price_ticks: 105, lots: 0 },
        Flow::Limit { flow_id: u64::MAX, side: Side::Buy, price_ticks: 105, lots: 4 },
        Flow::Market { side: Side::Buy, lots: -3 },
        Flow::Cancel { flow_id: 77 },
        Flow::Cancel { flow_id: u64::MAX },
    ] {
        desk.flow(flow);
    }
    let mut after = Vec::new();
    desk.exchange.write_state(&mut after);
    assert_eq!((before, desk.shown()), (after, Vec::new()));
}

#[test]
fn agents_cannot_take_the_room_of_our_orders() {
    let mut desk = Desk::new();
    for id in 10..40 {
        desk.agent(id, Side::Buy, 50, 1);
    }
    assert_eq!(desk.exchange.book().len(), 16);
    for id in 1..=4 {
        assert_eq!(desk.submit(limit(id, Side::Buy, 50, 1)), [format!("{id} Accepted")]);
    }
    assert_eq!(desk.submit(limit(5, Side::Buy, 50, 1)), ["5 Rejected(Unsupported)"]);
    assert_eq!(desk.submit(limit(4, Side::Buy, 50, 1)), ["4 Rejected(Unsupported)"]);
}

#[test]
fn cancel_all_empties_our_side_of_the_book_only() {
    let mut desk = Desk::new();
    desk.submit(limit(1, Side::Buy, 98, 3));
    desk.submit(stop(2, Side::Sell, 80, 1));
    desk.shown();
    desk.exchange.cancel_all(CancelReason::Killed, 5, &mut desk.reports, &mut desk.market);
    assert_eq!(desk.said(), ["1 Canceled(Killed)", "2 Canceled(Killed)"]);
    assert_eq!(desk.shown(), ["Buy level 0@98"]);
    assert_eq!(desk.exchange.book().len(), 4);
    desk.exchange.cancel(OrderId(1), 6, &mut desk.reports, &mut desk.market);
    assert_eq!(desk.said(), ["1 CancelRejected(UnknownOrder)"]);
}

#[test]
fn the_state_says_everything_that_decides_what_happens_next() {
    let bytes = |desk: &Desk| {
        let mut out = Vec::new();
        desk.exchange.write_state(&mut out);
        out
    };
    let mut desk = Desk::new();
    let mut seen = vec![bytes(&desk)];
    desk.agent(5, Side::Buy, 98, 1);
    seen.push(bytes(&desk));
    desk.submit(limit(1, Side::Buy, 97, 3));
    seen.push(bytes(&desk));
    desk.submit(stop(2, Side::Sell, 80, 1));
    seen.push(bytes(&desk));
    desk.flow(Flow::Market { side: Side::Sell, lots: 4 });
    seen.push(bytes(&desk));
    assert!((1..seen.len()).all(|later| !seen[..later].contains(&seen[later])));

    // The same book and the same orders, with and without a last price that a stop would look at.
    let mut other = Desk::new();
    other.agent(5, Side::Buy, 98, 1);
    other.submit(limit(1, Side::Buy, 97, 3));
    other.submit(stop(2, Side::Sell, 80, 1));
    other.flow(Flow::Cancel { flow_id: 1 });
    assert_ne!(bytes(&other), bytes(&desk));
}

#[test]
fn every_way_to_prevent_a_trade_with_oneself_is_known_by_its_name() {
    let names = SelfTradePrevention::ALL.map(SelfTradePrevention::name);
    assert_eq!(names, ["cancel_oldest", "cancel_newest", "cancel_both", "decrement"]);
    for mode in SelfTradePrevention::ALL {
        assert_eq!(SelfTradePrevention::from_name(mode.name()), Some(mode));
    }
    assert_eq!(SelfTradePrevention::from_name("cancel"), None);
}
