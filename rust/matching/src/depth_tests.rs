//! Examples of fills against replayed depth, with numbers worked out by hand.

use tradecore_book::{Depth, QuoteDepth};
use tradecore_types::{
    CancelReason, Level, OrderIntent, OrderKind, Quote, Report, Side, Size, TimeInForce, Trade,
};

use crate::samples::{approved, instrument, limit, market, stop, told};
use crate::{DepthMatcher, FeeSchedule, MarketRest};

/// A plain book for tests.
#[derive(Clone, Debug, Default)]
pub struct PlainBook {
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

impl PlainBook {
    pub fn new(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Self {
        let levels = |side: &[(i64, i64)]| {
            side.iter().map(|&(price_ticks, lots)| Level { price_ticks, lots }).collect()
        };
        Self { bids: levels(bids), asks: levels(asks) }
    }

    fn side(&self, side: Side) -> &[Level] {
        if side == Side::Buy { &self.bids } else { &self.asks }
    }
}

impl Depth for PlainBook {
    fn best_bid(&self) -> Option<Level> {
        self.bids.first().copied()
    }

    fn best_ask(&self) -> Option<Level> {
        self.asks.first().copied()
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        self.side(side).iter().find(|level| level.price_ticks == price_ticks).map_or(0, |level| level.lots)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        for level in self.side(side) {
            if !visit(*level) {
                return;
            }
        }
    }
}

/// A matcher with what it said last.
struct Desk {
    matcher: DepthMatcher,
    book: PlainBook,
    out: Vec<Report>,
}

impl Desk {
    fn new(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Self {
        let fees = FeeSchedule::from_bps("1", "5").unwrap();
        let matcher = DepthMatcher::new(instrument("0.01", "1"), fees, 8);
        Self { matcher, book: PlainBook::new(bids, asks), out: Vec::new() }
    }

    fn said(&mut self) -> Vec<String> {
        told(&std::mem::take(&mut self.out))
    }

    fn submit(&mut self, intent: OrderIntent) -> Vec<String> {
        self.matcher.submit(&approved(intent), &self.book, 1, &mut self.out);
        self.said()
    }

    fn trade(&mut self, aggressor: Side, price_ticks: i64, lots: i64) -> Vec<String> {
        let trade = Trade { price_ticks, lots, aggressor, trade_id: 0 };
        self.matcher.on_trade(&trade, &self.book, 2, &mut self.out);
        self.said()
    }

    fn depth(&mut self, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Vec<String> {
        self.book = PlainBook::new(bids, asks);
        self.matcher.on_depth(&self.book, 3, &mut self.out);
        self.said()
    }

    fn replace(&mut self, id: u64, price_ticks: i64, lots: i64) -> Vec<String> {
        let id = tradecore_types::OrderId(id);
        self.matcher.replace(id, Some(price_ticks), lots, &self.book, 4, &mut self.out);
        self.said()
    }

    fn ahead(&self, id: u64) -> Option<i64> {
        self.matcher.open_orders().find(|order| order.order_id.0 == id).unwrap().ahead_lots
    }
}

const BIDS: &[(i64, i64)] = &[(99, 10), (98, 20)];
const ASKS: &[(i64, i64)] = &[(101, 5), (102, 7), (103, 9)];

fn ioc(intent: OrderIntent) -> OrderIntent {
    OrderIntent { time_in_force: TimeInForce::Ioc, ..intent }
}

fn fok(intent: OrderIntent) -> OrderIntent {
    OrderIntent { time_in_force: TimeInForce::Fok, ..intent }
}

fn post_only(intent: OrderIntent) -> OrderIntent {
    OrderIntent { post_only: true, ..intent }
}

#[test]
fn a_market_order_takes_level_by_level() {
    let mut desk = Desk::new(BIDS, ASKS);
    assert_eq!(
        desk.submit(market(1, Side::Buy, 8)),
        ["1 Accepted", "1 fill 5@101 Taker", "1 fill 3@102 Taker"]
    );
}

#[test]
fn the_rest_of_a_market_order_is_cancelled_when_the_depth_ends() {
    let mut desk = Desk::new(BIDS, &[(101, 5)]);
    assert_eq!(
        desk.submit(market(1, Side::Buy, 8)),
        ["1 Accepted", "1 fill 5@101 Taker", "1 Canceled(ImmediateOrCancel)"]
    );
    assert_eq!(desk.submit(market(2, Side::Buy, 1)), ["2 Rejected(NoLiquidity)"]);
}

#[test]
fn taken_depth_is_offered_again_only_after_the_feed_changed_it() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(market(1, Side::Buy, 4));
    assert_eq!(desk.submit(market(2, Side::Buy, 2))[1..], ["2 fill 1@101 Taker", "2 fill 1@102 Taker"]);
    desk.depth(BIDS, &[(101, 6), (102, 7)]);
    assert_eq!(desk.submit(market(3, Side::Buy, 7))[1..], ["3 fill 6@101 Taker", "3 fill 1@102 Taker"]);
}

#[test]
fn a_crossing_limit_takes_up_to_its_price_and_rests() {
    let mut desk = Desk::new(BIDS, ASKS);
    assert_eq!(
        desk.submit(limit(1, Side::Buy, 102, 15)),
        ["1 Accepted", "1 fill 5@101 Taker", "1 fill 7@102 Taker"]
    );
    assert_eq!(desk.ahead(1), Some(0));
    assert_eq!(desk.matcher.open_orders().next().unwrap().open_lots, 3);
    // The asks it took are still shown: they fill nothing until they change.
    assert!(desk.depth(BIDS, ASKS).is_empty());
    assert_eq!(desk.depth(BIDS, &[(102, 8), (103, 9)]), ["1 fill 3@102 Maker"]);
}

#[test]
fn immediate_or_cancel_never_rests_and_fill_or_kill_is_all_or_nothing() {
    let mut desk = Desk::new(BIDS, ASKS);
    assert_eq!(desk.submit(fok(limit(1, Side::Buy, 102, 13))), ["1 Rejected(CannotFillWhole)"]);
    assert_eq!(desk.submit(fok(limit(2, Side::Buy, 102, 12))).len(), 3);
    assert_eq!(desk.submit(ioc(limit(3, Side::Buy, 102, 1)))[1..], ["3 Canceled(ImmediateOrCancel)"]);
    assert!(desk.matcher.is_empty());
}

#[test]
fn a_post_only_order_that_would_take_is_refused() {
    let mut desk = Desk::new(BIDS, ASKS);
    assert_eq!(desk.submit(post_only(limit(1, Side::Sell, 99, 1))), ["1 Rejected(WouldTake)"]);
    assert_eq!(desk.submit(post_only(limit(2, Side::Sell, 100, 1))), ["2 Accepted"]);
    assert_eq!(desk.replace(2, 99, 1), ["2 ReplaceRejected(WouldTake)"]);
    assert_eq!(desk.matcher.len(), 1);
}

#[test]
fn trades_eat_the_queue_ahead_before_they_fill_us() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    assert_eq!(desk.ahead(1), Some(10));
    assert!(desk.trade(Side::Sell, 99, 7).is_empty());
    assert_eq!(desk.ahead(1), Some(3));
    assert!(desk.trade(Side::Buy, 99, 50).is_empty());
    assert_eq!(desk.trade(Side::Sell, 99, 5), ["1 fill 2@99 Maker"]);
    assert_eq!(desk.trade(Side::Sell, 99, 5), ["1 fill 2@99 Maker"]);
}

#[test]
fn one_trade_is_shared_by_price_then_time_and_used_once() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    desk.depth(&[(99, 15), (98, 20)], ASKS);
    desk.submit(limit(2, Side::Buy, 99, 6));
    desk.submit(limit(3, Side::Buy, 100, 2));
    assert_eq!((desk.ahead(1), desk.ahead(2), desk.ahead(3)), (Some(10), Some(15), Some(0)));
    // 23 lots: 2 to the better price, then 10 others, 4 of ours, 5 others, 2 of ours.
    assert_eq!(
        desk.trade(Side::Sell, 99, 23),
        ["3 fill 2@100 Maker", "1 fill 4@99 Maker", "2 fill 2@99 Maker"]
    );
}

#[test]
fn a_shrinking_level_moves_us_up_and_a_growing_one_does_not_move_us_back() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    desk.depth(&[(99, 30)], ASKS);
    assert_eq!(desk.ahead(1), Some(10));
    desk.depth(&[(99, 6)], ASKS);
    assert_eq!(desk.ahead(1), Some(6));
    desk.depth(&[(98, 6)], ASKS);
    assert_eq!(desk.ahead(1), Some(0));
}

#[test]
fn a_market_that_moves_through_us_fills_at_our_price() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    desk.submit(limit(2, Side::Buy, 98, 4));
    assert_eq!(desk.depth(&[(96, 1)], &[(97, 2), (98, 3)]), ["1 fill 4@99 Maker", "2 fill 1@98 Maker"]);
}

#[test]
fn the_queue_at_a_price_deeper_than_a_quote_shows_is_unknown_until_it_shows() {
    let quote = |bid_ticks, bid_lots| {
        QuoteDepth(Quote { bid_ticks, bid_lots, ask_ticks: 101, ask_lots: 5, update_id: 0 })
    };
    let mut matcher = DepthMatcher::new(instrument("1", "1"), FeeSchedule::default(), 8);
    let mut out = Vec::new();
    matcher.submit(&approved(limit(1, Side::Buy, 98, 4)), &quote(99, 10), 1, &mut out);
    matcher.submit(&approved(limit(2, Side::Buy, 99, 4)), &quote(99, 10), 1, &mut out);
    matcher.submit(&approved(limit(3, Side::Buy, 100, 4)), &quote(99, 10), 1, &mut out);
    let ahead =
        |matcher: &DepthMatcher| matcher.open_orders().map(|order| order.ahead_lots).collect::<Vec<_>>();
    assert_eq!(ahead(&matcher), [Some(0), Some(10), None]);
    out.clear();
    let trade = Trade { price_ticks: 98, lots: 9, aggressor: Side::Sell, trade_id: 0 };
    matcher.on_trade(&trade, &quote(99, 10), 2, &mut out);
    assert_eq!(told(&out), ["3 fill 4@100 Maker", "2 fill 4@99 Maker"]);
    matcher.on_depth(&quote(98, 30), 3, &mut out);
    assert_eq!(ahead(&matcher), [Some(30)]);
    matcher.on_depth(&quote(99, 1), 3, &mut out);
    assert_eq!(ahead(&matcher), [Some(30)]);
}

#[test]
fn a_stop_watches_trades_and_takes_depth_when_set_off() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.trade(Side::Buy, 100, 1);
    assert_eq!(desk.submit(stop(1, Side::Sell, 99, 12)), ["1 Accepted"]);
    assert!(desk.depth(&[(98, 20)], ASKS).is_empty());
    assert_eq!(desk.trade(Side::Sell, 99, 1), ["1 Triggered", "1 fill 12@98 Taker"]);
}

#[test]
fn a_stop_without_any_trade_watches_the_best_opposite_price() {
    let mut desk = Desk::new(BIDS, ASKS);
    assert_eq!(desk.submit(stop(1, Side::Buy, 102, 3)), ["1 Accepted"]);
    assert_eq!(desk.depth(BIDS, &[(103, 2)])[..2], ["1 Triggered", "1 fill 2@103 Taker"]);
    let at_once = desk.submit(stop(2, Side::Buy, 103, 3));
    assert_eq!(at_once, ["2 Accepted", "2 Triggered", "2 Canceled(ImmediateOrCancel)"]);
}

#[test]
fn nothing_fills_while_frozen_and_cancels_work() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    desk.submit(limit(2, Side::Buy, 98, 4));
    desk.matcher.set_frozen(true);
    assert_eq!(desk.submit(market(3, Side::Buy, 1)), ["3 Rejected(NoLiquidity)"]);
    assert_eq!(desk.replace(1, 100, 4), ["1 ReplaceRejected(NoLiquidity)"]);
    assert_eq!(desk.replace(1, 99, 3), ["1 replaced 3@99"]);
    assert!(desk.trade(Side::Sell, 90, 100).is_empty());
    assert!(desk.depth(&[(90, 1)], &[(91, 100)]).is_empty());
    desk.matcher.cancel(tradecore_types::OrderId(1), 5, &mut desk.out);
    assert_eq!(desk.said(), ["1 Canceled(Requested)"]);
    desk.matcher.set_frozen(false);
    assert_eq!(desk.depth(&[(90, 1)], &[(91, 100)]), ["2 fill 4@98 Maker"]);
}

#[test]
fn a_smaller_size_keeps_the_place_and_anything_else_loses_it() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    desk.trade(Side::Sell, 99, 6);
    assert_eq!(desk.replace(1, 99, 3), ["1 replaced 3@99"]);
    assert_eq!(desk.ahead(1), Some(4));
    assert_eq!(desk.replace(1, 99, 5), ["1 replaced 5@99"]);
    assert_eq!(desk.ahead(1), Some(10));
    assert_eq!(desk.replace(1, 101, 5), ["1 replaced 5@101", "1 fill 5@101 Taker"]);
    assert_eq!(desk.replace(1, 99, 5), ["1 ReplaceRejected(UnknownOrder)"]);
}

#[test]
fn an_order_the_venue_cannot_read_is_unsupported() {
    let mut desk = Desk::new(BIDS, ASKS);
    let share = OrderIntent { size: Size::BuyingPowerPpm(500_000), ..market(1, Side::Buy, 1) };
    for intent in [
        share,
        limit(1, Side::Buy, 99, 0),
        post_only(ioc(limit(1, Side::Buy, 99, 1))),
        post_only(market(1, Side::Buy, 1)),
    ] {
        assert_eq!(desk.submit(intent), ["1 Rejected(Unsupported)"]);
    }
}

#[test]
fn open_orders_are_bounded() {
    let mut desk = Desk::new(BIDS, ASKS);
    for id in 1..=8 {
        assert_eq!(desk.submit(limit(id, Side::Buy, 90, 1)).len(), 1);
    }
    assert_eq!(desk.submit(limit(9, Side::Buy, 90, 1)), ["9 Rejected(Unsupported)"]);
    assert_eq!(desk.submit(stop(9, Side::Buy, 190, 1)), ["9 Rejected(Unsupported)"]);
    assert_eq!(desk.submit(market(9, Side::Buy, 1)).len(), 2);
}

#[test]
fn cancel_all_tells_each_order_once_in_a_fixed_order() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(stop(1, Side::Buy, 190, 1));
    desk.submit(limit(2, Side::Sell, 104, 1));
    desk.submit(limit(3, Side::Buy, 97, 1));
    desk.submit(limit(4, Side::Buy, 98, 1));
    desk.matcher.cancel_all(CancelReason::Killed, 9, &mut desk.out);
    assert_eq!(
        desk.said(),
        ["4 Canceled(Killed)", "3 Canceled(Killed)", "2 Canceled(Killed)", "1 Canceled(Killed)"]
    );
    assert!(desk.matcher.is_empty());
    assert_eq!(desk.replace(1, 190, 1), ["1 ReplaceRejected(UnknownOrder)"]);
}

#[test]
fn an_open_stop_can_be_moved_and_fires_where_it_is_moved_to() {
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(stop(1, Side::Sell, 95, 2));
    assert_eq!(desk.replace(1, 96, 2), ["1 replaced 2@96"]);
    let kind = desk.matcher.open_orders().next().unwrap().kind;
    assert_eq!(kind, OrderKind::Stop { trigger_ticks: 96 });
    assert_eq!(desk.replace(1, 99, 2), ["1 replaced 2@99", "1 Triggered", "1 fill 2@99 Taker"]);
}

#[test]
fn the_state_says_everything_that_decides_what_happens_next() {
    let bytes = |desk: &Desk| {
        let mut out = Vec::new();
        desk.matcher.write_state(&mut out);
        out
    };
    let mut seen = vec![bytes(&Desk::new(BIDS, ASKS))];
    let mut desk = Desk::new(BIDS, ASKS);
    desk.submit(limit(1, Side::Buy, 99, 4));
    seen.push(bytes(&desk));
    desk.trade(Side::Sell, 99, 1);
    seen.push(bytes(&desk));
    desk.submit(market(2, Side::Buy, 1));
    seen.push(bytes(&desk));
    desk.matcher.set_frozen(true);
    seen.push(bytes(&desk));
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[test]
fn an_order_takes_no_more_levels_than_can_be_remembered() {
    let asks: Vec<_> = (0..300).map(|level| (101 + level, 1)).collect();
    let mut desk = Desk::new(BIDS, &asks);
    let said = desk.submit(market(1, Side::Buy, 300));
    assert_eq!((said.len(), said[256].as_str()), (258, "1 fill 1@356 Taker"));
    assert_eq!(said[257], "1 Canceled(ImmediateOrCancel)");
    // What was taken stays taken: there is no room for more until the feed changes a level.
    assert_eq!(desk.submit(limit(2, Side::Buy, 356, 1)), ["2 Accepted"]);
}

#[test]
fn cancel_all_leaves_nothing_whatever_is_open() {
    let (bid, ask, sleeping) =
        (limit(1, Side::Buy, 98, 1), limit(2, Side::Sell, 103, 1), stop(3, Side::Sell, 80, 1));
    for (bids, asks, dormant) in [(0, 0, 3), (0, 3, 0), (3, 0, 0), (1, 3, 2), (2, 1, 3), (3, 2, 1)] {
        let mut desk = Desk::new(BIDS, ASKS);
        let mut id = 0;
        for (intent, count) in [(&bid, bids), (&ask, asks), (&sleeping, dormant)] {
            for _ in 0..count {
                id += 1;
                desk.submit(OrderIntent { order_id: tradecore_types::OrderId(id), ..*intent });
            }
        }
        assert_eq!(desk.matcher.len(), bids + asks + dormant);
        desk.matcher.cancel_all(CancelReason::Killed, 5, &mut desk.out);
        assert_eq!((desk.said().len(), desk.matcher.len()), (bids + asks + dormant, 0));
    }
}

/// A desk at a quote of 99 with three lots and 101 with two, where the rest trades one tick worse.
fn one_tick_worse() -> Desk {
    let mut desk = Desk::new(&[(99, 3)], &[(101, 2)]);
    let fees = FeeSchedule::from_bps("1", "5").unwrap();
    let matcher = DepthMatcher::new(instrument("0.01", "1"), fees, 8);
    desk.matcher = matcher.with_market_rest(MarketRest::OneTickWorse);
    desk
}

#[test]
fn with_the_setting_the_rest_of_a_market_order_trades_one_tick_worse() {
    let mut desk = one_tick_worse();
    assert_eq!(
        desk.submit(market(1, Side::Buy, 5)),
        ["1 Accepted", "1 fill 2@101 Taker", "1 fill 3@102 Taker"]
    );
    // What we took is not offered again, and what comes after it still is.
    assert_eq!(desk.submit(market(2, Side::Buy, 4)), ["2 Accepted", "2 fill 4@102 Taker"]);
    let whole = OrderIntent { time_in_force: TimeInForce::Fok, ..market(3, Side::Sell, 9) };
    assert_eq!(desk.submit(whole), ["3 Accepted", "3 fill 3@99 Taker", "3 fill 6@98 Taker"]);
}

#[test]
fn with_the_setting_limits_keep_their_price_and_an_empty_side_gives_nothing() {
    let mut desk = one_tick_worse();
    assert_eq!(desk.submit(limit(1, Side::Buy, 102, 5)), ["1 Accepted", "1 fill 2@101 Taker"]);
    let mut desk = one_tick_worse();
    desk.book.bids.clear();
    assert_eq!(desk.submit(market(1, Side::Sell, 5)), ["1 Rejected(NoLiquidity)"]);
    // There is no price below one tick.
    desk.book.bids = vec![Level { price_ticks: 1, lots: 1 }];
    assert_eq!(desk.submit(market(2, Side::Sell, 2)), ["2 Accepted", "2 fill 1@1 Taker", "2 fill 1@1 Taker"]);
}
