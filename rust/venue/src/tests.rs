//! What each kind of venue does by itself, and that it does it.
#![allow(clippy::unwrap_used, reason = "test code")]

use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, MarketRest, QueueModel, SelfTradePrevention, Slippage,
};
use tradecore_risk::testkit::approve_unseen;
use tradecore_types::{
    Bracket, CancelReason, Decimal, Flow, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, OrderId,
    OrderIntent, OrderKind, Quote, RejectReason, Report, ReportBody, Sent, SentBody, Sessions, Side, Size,
    StrategyId, TimeInForce,
};

use crate::{Matching, Shown, SimulatedVenue, VenueConfig, VenueOut, VenueRequest, VenueTraits};

const ALL: [Matching; 4] = [Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange];
const QUOTE: Quote = Quote { bid_ticks: 99, bid_lots: 50, ask_ticks: 101, ask_lots: 50, update_id: 0 };
const NOTHING: Shown<'static> = Shown { quote: None, book: None };

fn instrument() -> Instrument {
    let one = Decimal::parse("one", "1").unwrap();
    let spec = InstrumentSpec {
        symbol: "GOLD".into(),
        tick_size: one,
        lot_size: one,
        kind: InstrumentKind::Linear,
        multiplier: one,
    };
    Instrument::new(InstrumentId(0), spec).unwrap()
}

fn config(matching: Matching) -> VenueConfig {
    VenueConfig {
        matching,
        order_latency_ns: 7,
        report_latency_ns: 9,
        latency_samples: None,
        queue: QueueModel::Conservative,
        market_rest: MarketRest::default(),
        bar_fill: BarFill::NextOpen,
        bar_order: BarOrder::Time,
        self_trade: SelfTradePrevention::default(),
        bar_slippage: Slippage::default(),
        fees: FeeSchedule::default(),
        open_orders_max: 8,
    }
}

fn venue(matching: Matching) -> SimulatedVenue {
    SimulatedVenue::new(&instrument(), &Sessions::default(), &config(matching))
}

fn buy(order_id: u64, kind: OrderKind) -> VenueRequest {
    VenueRequest::Submit(approve_unseen(OrderIntent {
        order_id: OrderId(order_id),
        strategy: StrategyId(0),
        instrument: InstrumentId(0),
        side: Side::Buy,
        kind,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        size: Size::Lots(5),
        bracket: Bracket::default(),
        closes: None,
        time_ns: 1,
    }))
}

fn bodies(out: &VenueOut) -> Vec<ReportBody> {
    out.reports.iter().map(|report: &Report| report.body).collect()
}

#[test]
fn a_venue_needs_the_account_exactly_if_it_asks_at_the_fill() {
    for matching in ALL {
        let mut venue = venue(matching);
        let traits = *venue.traits();
        assert_eq!(venue.with_account().is_some(), traits.asks_buying_power_at_fill, "{matching:?}");
        assert_eq!(traits.reports_at_once, traits.asks_buying_power_at_fill, "{matching:?}");
        assert!(!venue.waits_for_open(), "it has no order yet");
    }
}

#[test]
fn each_venue_has_one_market_to_fill_against() {
    let markets = |traits: &VenueTraits| {
        [traits.reports_at_once, traits.fills_at_quotes, traits.needs_book, traits.publishes_book]
    };
    for (matching, is_its) in ALL.into_iter().zip(0..) {
        let found = markets(venue(matching).traits());
        assert_eq!(found.map(usize::from).iter().sum::<usize>(), 1, "{matching:?}");
        assert!(found.get(is_its).is_some_and(|has| *has), "{matching:?}");
    }
}

#[test]
fn a_venue_that_needs_a_book_fills_nothing_before_the_book_is_right() {
    let (mut venue, mut out) = (venue(Matching::Book), VenueOut::default());
    let mut book = tradecore_book::L2Book::default();
    book.set(Side::Sell, 101, 50).unwrap();
    let shown = Shown { quote: None, book: Some(&book) };
    venue.take(&buy(1, OrderKind::Market), shown, 10, &mut out);
    assert_eq!(bodies(&out), [ReportBody::Rejected(RejectReason::NoLiquidity)]);
    out.reports.clear();
    venue.set_frozen(false);
    venue.take(&buy(2, OrderKind::Market), shown, 11, &mut out);
    assert!(
        bodies(&out).iter().any(|body| matches!(body, ReportBody::Fill { price_ticks: 101, lots: 5, .. }))
    );
}

#[test]
fn requests_are_answered_and_an_order_ends_at_its_time() {
    let limit = OrderKind::Limit { price_ticks: 95 };
    for matching in [Matching::Quotes, Matching::Exchange] {
        let (mut venue, mut out) = (venue(matching), VenueOut::default());
        let shown = Shown { quote: Some(QUOTE), ..NOTHING };
        let instrument = InstrumentId(0);
        venue.take(&buy(1, limit), shown, 10, &mut out);
        let replace = VenueRequest::Replace {
            order_id: OrderId(1),
            instrument,
            price_ticks: Some(94),
            lots: 3,
            filled_lots: 0,
        };
        venue.take(&replace, shown, 11, &mut out);
        let reason = CancelReason::Requested;
        venue.take(&VenueRequest::Cancel { order_id: OrderId(1), instrument, reason }, shown, 12, &mut out);
        venue.take(&buy(2, limit), shown, 13, &mut out);
        venue.expire(OrderId(2), 20, &mut out);
        let replaced = ReportBody::Replaced { price_ticks: Some(94), lots: 3 };
        let canceled = ReportBody::Canceled(reason);
        let expected = [ReportBody::Accepted, replaced, canceled, ReportBody::Accepted, ReportBody::Expired];
        assert_eq!(bodies(&out), expected, "{matching:?}");
    }
}

#[test]
fn only_an_exchange_publishes() {
    for matching in ALL {
        let (mut venue, mut out) = (venue(matching), VenueOut::default());
        venue.on_flow(&Flow::Limit { flow_id: 1, side: Side::Buy, price_ticks: 99, lots: 5 }, 10, &mut out);
        venue.on_quote(QUOTE, 11, &mut out);
        assert_eq!(!out.published.is_empty(), venue.traits().publishes_book, "{matching:?}");
        assert!(out.reports.is_empty());
    }
}

#[test]
fn what_is_sent_of_a_request_is_what_it_asks_for() {
    let sent = |request: &VenueRequest| request.sent();
    assert_eq!(
        sent(&buy(3, OrderKind::Market)),
        Sent { order_id: OrderId(3), body: SentBody::New { lots: Some(5) } }
    );
    let (order_id, instrument) = (OrderId(4), InstrumentId(0));
    let cancel = VenueRequest::Cancel { order_id, instrument, reason: CancelReason::Killed };
    assert_eq!(sent(&cancel), Sent { order_id, body: SentBody::Cancel });
    let replace = VenueRequest::Replace { order_id, instrument, price_ticks: None, lots: 2, filled_lots: 1 };
    assert_eq!(sent(&replace), Sent { order_id, body: SentBody::Replace { price_ticks: None, lots: 2 } });
}

#[test]
fn a_request_and_a_report_take_the_time_that_is_set() {
    let config = config(Matching::Quotes);
    assert_eq!((config.at_venue_ns(100), config.at_engine_ns(100)), (107, 109));
}

#[test]
fn an_order_ends_at_its_time_and_comes_too_late_from_then_on() {
    let VenueRequest::Submit(order) = buy(1, OrderKind::Market) else { return };
    let gtd = OrderIntent { time_in_force: TimeInForce::Gtd { expire_ns: 50 }, ..*order.intent() };
    let gtd = approve_unseen(gtd);
    assert_eq!((crate::too_late(&order, i64::MAX), crate::too_late(&gtd, 49)), (None, None));
    let report = Report { venue_time_ns: 50, order_id: OrderId(1), body: ReportBody::Expired };
    assert_eq!(crate::too_late(&gtd, 50), Some(report));
    // A bar that closes at 50 was before 50.
    assert_eq!(ALL.map(|matching| matching.traits().end_ns(50)), [51, 50, 50, 50]);
}
