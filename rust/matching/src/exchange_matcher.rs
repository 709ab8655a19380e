//! A simulated exchange: our orders and the flow of agents meet in the same queues.

mod trading;

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    CancelReason, Flow, Instrument, OrderId, OrderKind, RejectReason, Report, ReportBody, Side, TimeNs,
};

use self::trading::Taker;
use crate::dormant::DormantOrders;
use crate::l3_book::L3Book;
use crate::market_out::{MarketOut, Tape};
use crate::open_order::OpenOrder;
use crate::state::{put, put_id};
use crate::{FeeSchedule, SelfTradePrevention};

/// One of our orders in the book.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct OwnOrder {
    order_id: OrderId,
    side: Side,
    post_only: bool,
}

/// The simulated exchange of one instrument.
///
/// - Price-time priority over agents and own orders alike; every kind, time in force and post-only.
/// - Own orders do not trade with each other; [`SelfTradePrevention`] says what happens instead.
/// - A dormant order (stop, touched, trailing) watches every trade, one after the other; before the first
///   one, the best opposite price. Those that are set off arrive at once, oldest first, and may set off more.
/// - An iceberg shows one part at a time, and each new part joins the end of the queue at its price.
/// - A market-to-limit order takes the best price only and waits there with the rest.
/// - A flow event that makes no sense (size not above 0, number used already, more orders than there is
///   room for) changes nothing.
///
/// **Invariant:** the book is never crossed; at most `own_capacity` orders of ours are open; the reports
/// and the market output of one input say everything that changed, in the order of the changes.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct ExchangeMatcher {
    instrument: Instrument,
    fees: FeeSchedule,
    own_capacity: usize,
    flow_capacity: usize,
    book: L3Book,
    own: Vec<OwnOrder>,
    dormant: DormantOrders,
    self_trade: SelfTradePrevention,
    last_trade_ticks: Option<i64>,
    trades: u64,
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
            dormant: DormantOrders::with_capacity(own_capacity),
            self_trade: SelfTradePrevention::default(),
            last_trade_ticks: None,
            trades: 0,
        }
    }

    /// Sets what happens when two orders of ours meet.
    pub const fn set_self_trade(&mut self, mode: SelfTradePrevention) {
        self.self_trade = mode;
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
                if let Some(key) = flow_key(flow_id).filter(|key| self.book.order(*key).is_none()) {
                    let taker = Taker { order_id: None, side, limit: Some(price_ticks), lots };
                    let left = self.take(&taker, tape).left;
                    if left > 0 && self.book.len() - self.own.len() < self.flow_capacity {
                        self.rest(key, side, price_ticks, left, tape);
                    }
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
        self.wake_dormant(tape);
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
            Ok(mandate) => {
                tape.tell(order_id, ReportBody::Accepted);
                self.accept(&mandate, tape);
                self.wake_dormant(tape);
            }
        }
    }

    /// Takes an open order of ours out on request. Orders that wait for a price look at the market again when
    /// it next moves, not now: what is withdrawn sets nothing off.
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
        let gone = self.withdraw(own_key(order_id), tape) || self.dormant.remove(order_id).is_some();
        self.own.retain(|own| own.order_id != order_id);
        let body = if gone {
            ReportBody::Canceled(reason)
        } else {
            ReportBody::CancelRejected(RejectReason::UnknownOrder)
        };
        tape.tell(order_id, body);
    }

    /// Takes an order of ours out whose time ran out; says nothing when it is not open.
    pub fn expire(
        &mut self,
        order_id: OrderId,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        if self.is_open(order_id) {
            let place = reports.len();
            self.cancel_because(order_id, CancelReason::Requested, now_ns, reports, market);
            if let Some(told) = reports.get_mut(place) {
                told.body = ReportBody::Expired;
            }
        }
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

    /// Gives an open order of ours a new stated price (limit, else trigger; none keeps it) and a new open size.
    ///
    /// The place in the queue is kept only when nothing but the size falls; what an iceberg hides falls
    /// first. A limit that now crosses takes; a post-only one that would take is refused and stays as it
    /// was. An order that states no price keeps what it has and takes a new size only.
    pub fn replace(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        now_ns: TimeNs,
        reports: &mut Vec<Report>,
        market: &mut Vec<MarketOut>,
    ) {
        let tape = &mut Tape { now_ns, reports, market };
        match self.amend(order_id, price_ticks, lots, tape) {
            Err(reason) => tape.tell(order_id, ReportBody::ReplaceRejected(reason)),
            Ok((price_ticks, requeued)) => {
                tape.tell(order_id, ReportBody::Replaced { price_ticks, lots });
                if let Some(mandate) = requeued {
                    self.accept(&mandate, tape);
                    self.wake_dormant(tape);
                }
            }
        }
    }

    /// Returns the book: agents' and own orders.
    #[must_use]
    pub const fn book(&self) -> &L3Book {
        &self.book
    }

    /// Visits our open orders: limits by arrival, then dormant ones by arrival.
    pub fn open_orders(&self) -> impl Iterator<Item = OpenOrder> + '_ {
        let limits = self.own.iter().filter_map(|own| {
            let key = own_key(own.order_id);
            let order = self.book.order(key)?;
            let price_ticks = order.price_ticks;
            let limit = OrderKind::Limit { price_ticks };
            let display = self.book.display_lots(key);
            Some(OpenOrder {
                order_id: own.order_id,
                side: own.side,
                kind: display.map_or(limit, |display_lots| OrderKind::Iceberg { price_ticks, display_lots }),
                open_lots: order.lots.saturating_add(order.hidden_lots),
                ahead_lots: self.book.ahead_lots(key),
            })
        });
        limits.chain(self.dormant.orders().iter().map(OpenOrder::of_dormant))
    }

    /// Counts our orders that may still trade; those of agents are not among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.own.len() + self.dormant.orders().len()
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
        self.dormant.write_state(out);
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
