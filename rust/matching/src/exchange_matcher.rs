//! A simulated exchange: our orders and the flow of agents meet in the same queues.

mod execution;

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    CancelReason, Flow, Instrument, OrderId, OrderKind, RejectReason, Report, ReportBody, Side, TimeNs,
};

use self::execution::Taker;
use crate::FeeSchedule;
use crate::l3_book::L3Book;
use crate::market_out::{MarketOut, Tape};
use crate::open_order::OpenOrder;
use crate::state::{put, put_id};
use crate::stops::Stops;

/// One of our orders in the book.
#[derive(Clone, Copy, Debug)]
struct OwnOrder {
    order_id: OrderId,
    side: Side,
    post_only: bool,
}

/// The simulated exchange of one instrument.
///
/// - Price-time priority over agents and own orders alike; every kind, time in force and post-only.
/// - Own orders do not trade with each other: one that rests is cancelled (`Requested`) when another of
///   ours reaches it.
/// - A stop watches every trade; before the first one, the best opposite price. Stops that are set off
///   trade at once, oldest first, and may set off more.
/// - A flow event that makes no sense (size not above 0, number used already, more orders than there is
///   room for) changes nothing.
///
/// **Invariant:** the book is never crossed; at most `own_capacity` orders of ours are open; the reports
/// and the market output of one input say everything that changed, in the order of the changes.
#[derive(Debug)]
pub struct ExchangeMatcher {
    instrument: Instrument,
    fees: FeeSchedule,
    own_capacity: usize,
    flow_capacity: usize,
    book: L3Book,
    own: Vec<OwnOrder>,
    stops: Stops,
    last_trade_ticks: Option<i64>,
    trades: u64,
    /// Lowest and highest price traded at while one input is worked off: what stops watch.
    traded_ticks: Option<(i64, i64)>,
}

impl ExchangeMatcher {
    /// Makes the exchange of an instrument with room for `flow_capacity` resting orders of agents and
    /// `own_capacity` open orders of ours.
    #[must_use]
    pub fn new(instrument: Instrument, fees: FeeSchedule, flow_capacity: usize, own_capacity: usize) -> Self {
        Self {
            instrument,
            fees,
            own_capacity,
            flow_capacity,
            book: L3Book::new(flow_capacity.saturating_add(own_capacity)),
            own: Vec::with_capacity(own_capacity),
            stops: Stops::with_capacity(own_capacity),
            last_trade_ticks: None,
            trades: 0,
            traded_ticks: None,
        }
    }

    /// Sets the rates that the next fill pays.
    pub const fn set_fees(&mut self, fees: FeeSchedule) {
        self.fees = fees;
    }

    /// Works off what an agent does.
    pub fn flow(
        &mut self,
        flow: &Flow,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        let tape = &mut Tape { now_ns, reports, market };
        match *flow {
            Flow::Limit { flow_id, side, price_ticks, lots } => {
                let Some(key) = flow_key(flow_id).filter(|key| self.book.order(*key).is_none()) else {
                    return;
                };
                let taker = Taker { order_id: None, side, limit: Some(price_ticks), lots };
                let left = self.take(&taker, tape);
                if left > 0 && self.book.len() - self.own.len() < self.flow_capacity {
                    self.rest(key, side, price_ticks, left, tape);
                }
            }
            Flow::Market { side, lots } => {
                self.take(&Taker { order_id: None, side, limit: None, lots }, tape);
            }
            Flow::Cancel { flow_id } => {
                if let Some(key) = flow_key(flow_id) {
                    self.withdraw(key, tape);
                }
            }
        }
        self.fire_stops(tape);
    }

    /// Takes an order of ours and reports what becomes of it at once.
    ///
    /// `NoLiquidity` rejects a market order that meets nobody; `Unsupported` one without a size in lots,
    /// with flags that contradict each other, with a number in use, or beyond the capacity.
    pub fn submit(
        &mut self,
        order: &ApprovedOrder,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        let tape = &mut Tape { now_ns, reports, market };
        let order_id = order.intent().order_id;
        match self.check(order) {
            Err(reason) => tape.tell(order_id, ReportBody::Rejected(reason)),
            Ok(ticket) => {
                tape.tell(order_id, ReportBody::Accepted);
                self.accept(&ticket, tape);
                self.fire_stops(tape);
            }
        }
    }

    /// Takes an open order of ours out on request.
    pub fn cancel(
        &mut self,
        order_id: OrderId,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        self.cancel_because(order_id, CancelReason::Requested, now_ns, reports, market);
    }

    /// Takes an open order of ours out and reports this reason.
    pub fn cancel_because(
        &mut self,
        order_id: OrderId,
        reason: CancelReason,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        let tape = &mut Tape { now_ns, reports, market };
        let gone = self.withdraw(own_key(order_id), tape) || self.stops.remove(order_id).is_some();
        self.own.retain(|own| own.order_id != order_id);
        let body = if gone {
            ReportBody::Canceled(reason)
        } else {
            ReportBody::CancelRejected(RejectReason::UnknownOrder)
        };
        tape.tell(order_id, body);
    }

    /// Takes every open order of ours out, in the order of [`ExchangeMatcher::open_orders`].
    pub fn cancel_all(
        &mut self,
        reason: CancelReason,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        while let Some(order_id) = self.first_open() {
            self.cancel_because(order_id, reason, now_ns, reports, market);
        }
    }

    /// Gives an open order of ours a new price (limit) or trigger (stop) and a new open size.
    ///
    /// The place in the queue is kept only when nothing but the size falls. A limit that now crosses
    /// takes; a post-only one that would take is refused and stays as it was.
    pub fn replace(
        &mut self,
        order_id: OrderId,
        price_ticks: i64,
        lots: i64,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        let tape = &mut Tape { now_ns, reports, market };
        match self.amend(order_id, price_ticks, lots, tape) {
            Err(reason) => tape.tell(order_id, ReportBody::ReplaceRejected(reason)),
            Ok(requeued) => {
                tape.tell(order_id, ReportBody::Replaced { price_ticks, lots });
                if let Some(ticket) = requeued {
                    self.accept(&ticket, tape);
                    self.fire_stops(tape);
                }
            }
        }
    }

    /// Returns the book: agents' and own orders.
    #[must_use]
    pub const fn book(&self) -> &L3Book {
        &self.book
    }

    /// Visits our open orders: limits by arrival, then stops by arrival.
    pub fn open_orders(&self) -> impl Iterator<Item = OpenOrder> + '_ {
        let limits = self.own.iter().filter_map(|own| {
            let key = own_key(own.order_id);
            let order = self.book.order(key)?;
            Some(OpenOrder {
                order_id: own.order_id,
                side: own.side,
                kind: OrderKind::Limit { price_ticks: order.price_ticks },
                open_lots: order.lots,
                ahead_lots: self.book.ahead_lots(key),
            })
        });
        limits.chain(self.stops.orders().iter().map(OpenOrder::of_stop))
    }

    /// Counts our open orders.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.len() + self.stops.orders().len()
    }

    /// Tells whether no order of ours is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the canonical bytes of everything that decides what happens next.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.book.write_state(out);
        put(out, i64::try_from(self.own.len()).unwrap_or(i64::MAX));
        for own in &self.own {
            put_id(out, own.order_id.0);
            out.push(u8::from(own.post_only));
        }
        self.stops.write_state(out);
        out.push(u8::from(self.last_trade_ticks.is_some()));
        put(out, self.last_trade_ticks.unwrap_or(0));
        put_id(out, self.trades);
    }
}

/// Returns the book's key of an agent's order: even numbers; `None` for a number of 2^63 or more.
fn flow_key(flow_id: u64) -> Option<u64> {
    flow_id.checked_mul(2)
}

/// Returns the book's key of an order of ours: odd numbers. Ids count from 1 and never come near 2^63.
const fn own_key(order_id: OrderId) -> u64 {
    (order_id.0 << 1) | 1
}

/// Returns the order of ours behind a key of the book.
fn own_id(key: u64) -> Option<OrderId> {
    (key & 1 == 1).then_some(OrderId(key >> 1))
}
