//! Fills of our orders against a market that is data: a replayed or live book that our orders do not change.

use tradecore_book::Depth;
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    CancelReason, Instrument, Liquidity, OrderId, OrderKind, RejectReason, Report, ReportBody, Side,
    TimeInForce, TimeNs, Trade,
};

use crate::dormant::{Dormant, DormantOrders};
use crate::mandate::{Mandate, fill, reaches, report};
use crate::open_order::OpenOrder;
use crate::own_queue::{OwnQueue, Resting};
use crate::queue::QueuePlace;
use crate::reserves::{Reserve, Reserves};
use crate::state::put;
use crate::taken::TakenDepth;
use crate::{FeeSchedule, MarketRest, QueueModel};

/// Levels a side that can be remembered as taken by us.
const TAKEN_LEVELS_MAX: usize = 256;

/// The simulated venue of one instrument whose market is replayed: L2 books, quotes and trades.
///
/// - Market orders and crossing limits take the visible depth level by level; what we took is not
///   offered again until the feed changes that level.
///   What is left of a market order is cancelled, or trades as [`MarketRest`] says.
/// - A resting order waits behind the lots that were at its price. Trades at the price eat the lots
///   ahead, then fill it; a trade or the other side's best price through it fills it; a level that
///   shrinks by more than was traded moves it up as the [`QueueModel`] says.
///   A feed that shows a level before the trade that made it smaller lets that trade count twice here.
/// - A dormant order (stop, touched, trailing) watches trades; as long as no trade was ever seen, the
///   best opposite price. Set off, it is a market or a limit order that arrives then.
/// - An iceberg shows one part at a time. The next part waits behind what the feed then shows at the
///   price, so that one trade fills no more than one part.
/// - A market-to-limit order takes the best price that is left and waits there with the rest.
/// - Own orders never trade with each other, and `reduce_only` is the business of the caller.
///
/// **Invariant:** the volume of a trade and the lots of a level fill at most as many lots of ours;
/// at most `capacity` orders are open; nothing allocates after construction but a caller's full `out`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct DepthMatcher {
    instrument: Instrument,
    fees: FeeSchedule,
    queue_model: QueueModel,
    market_rest: MarketRest,
    capacity: usize,
    frozen: bool,
    /// Whether what is set off leaves instead of trading here.
    only_watches: bool,
    last_trade_ticks: Option<i64>,
    bids: OwnQueue,
    asks: OwnQueue,
    dormant: DormantOrders,
    reserves: Reserves,
    taken: TakenDepth,
}

impl DepthMatcher {
    /// Makes the venue of an instrument with room for `capacity` open orders.
    #[must_use]
    pub fn new(instrument: Instrument, fees: FeeSchedule, capacity: usize) -> Self {
        Self {
            instrument,
            fees,
            queue_model: QueueModel::default(),
            market_rest: MarketRest::default(),
            capacity,
            frozen: false,
            only_watches: false,
            last_trade_ticks: None,
            bids: OwnQueue::with_capacity(Side::Buy, capacity),
            asks: OwnQueue::with_capacity(Side::Sell, capacity),
            dormant: DormantOrders::with_capacity(capacity),
            reserves: Reserves::with_capacity(capacity),
            taken: TakenDepth::with_capacity(TAKEN_LEVELS_MAX),
        }
    }

    /// Sets how positions in queues are followed; [`QueueModel::Conservative`] unless it is called.
    #[must_use]
    pub const fn with_queue(mut self, model: QueueModel) -> Self {
        self.queue_model = model;
        self
    }

    /// Sets what becomes of the rest of a market order; [`MarketRest::Cancel`] unless it is called.
    #[must_use]
    pub const fn with_market_rest(mut self, market_rest: MarketRest) -> Self {
        self.market_rest = market_rest;
        self
    }

    /// Lets it watch dormant orders for a venue that has none: one that is set off is said to be, and gone. It takes
    /// them while the book is not right, too, and looks at them once it is.
    #[must_use]
    pub const fn only_watching(mut self) -> Self {
        self.only_watches = true;
        self
    }

    /// Sets the rates that the next fill pays.
    pub const fn set_fees(&mut self, fees: FeeSchedule) {
        self.fees = fees;
    }

    /// Takes an order and reports what becomes of it at once.
    ///
    /// `NoLiquidity` rejects everything while frozen and a market order that meets nobody;
    /// `Unsupported` rejects an order without a size in lots, with flags that contradict each other,
    /// or beyond the capacity.
    pub fn submit(
        &mut self,
        order: &ApprovedOrder,
        depth: &impl Depth,
        now_ns: TimeNs,
        out: &mut Vec<Report>,
    ) {
        let order_id = order.intent().order_id;
        let mut tell = |body| out.push(report(order_id, now_ns, body));
        match self.check(order, depth) {
            Err(reason) => tell(ReportBody::Rejected(reason)),
            Ok(mandate) => {
                tell(ReportBody::Accepted);
                self.accept(&mandate, depth, now_ns, out);
            }
        }
    }

    /// Takes an open order out on request.
    pub fn cancel(&mut self, order_id: OrderId, now_ns: TimeNs, out: &mut Vec<Report>) {
        self.cancel_because(order_id, CancelReason::Requested, now_ns, out);
    }

    /// Takes an open order out and reports this reason.
    pub fn cancel_because(
        &mut self,
        order_id: OrderId,
        reason: CancelReason,
        now_ns: TimeNs,
        out: &mut Vec<Report>,
    ) {
        let gone = self.bids.remove(order_id).is_some()
            || self.asks.remove(order_id).is_some()
            || self.dormant.remove(order_id).is_some();
        self.reserves.remove(order_id);
        let body = if gone {
            ReportBody::Canceled(reason)
        } else {
            ReportBody::CancelRejected(RejectReason::UnknownOrder)
        };
        out.push(report(order_id, now_ns, body));
    }

    /// Takes an order out whose time ran out; says nothing when it is not open.
    pub fn expire(&mut self, order_id: OrderId, now_ns: TimeNs, out: &mut Vec<Report>) {
        if self.open_orders().any(|order| order.order_id == order_id) {
            let place = out.len();
            self.cancel_because(order_id, CancelReason::Requested, now_ns, out);
            if let Some(told) = out.get_mut(place) {
                told.body = ReportBody::Expired;
            }
        }
    }

    /// Takes every open order out, in the order of [`DepthMatcher::open_orders`].
    pub fn cancel_all(&mut self, reason: CancelReason, now_ns: TimeNs, out: &mut Vec<Report>) {
        let body = ReportBody::Canceled(reason);
        for order in self.open_orders() {
            out.push(report(order.order_id, now_ns, body));
        }
        while self.bids.pop().is_some() || self.asks.pop().is_some() || self.dormant.pop().is_some() {}
        self.reserves.clear();
    }

    /// Gives an open order a new stated price (limit, else trigger; none keeps it) and a new open size.
    ///
    /// The place in the queue is kept only when nothing but the size falls; what an iceberg hides falls
    /// first. A limit that now crosses takes; a post-only one that would take is refused and stays as it
    /// was. An order that states no price keeps what it has and takes a new size only.
    pub fn replace(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        depth: &impl Depth,
        now_ns: TimeNs,
        out: &mut Vec<Report>,
    ) {
        let mut tell = |body| out.push(report(order_id, now_ns, body));
        match self.amend(order_id, price_ticks, lots, depth) {
            Err(reason) => tell(ReportBody::ReplaceRejected(reason)),
            Ok((price_ticks, requeued)) => {
                tell(ReportBody::Replaced { price_ticks, lots });
                if let Some(mandate) = requeued {
                    self.accept(&mandate, depth, now_ns, out);
                }
            }
        }
    }

    /// Lets a trade of others fill what it reaches, then set off stops.
    pub fn on_trade(&mut self, trade: &Trade, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) {
        self.last_trade_ticks = Some(trade.price_ticks);
        if self.frozen || self.is_empty() {
            return;
        }
        let (fees, instrument) = (self.fees, &self.instrument);
        let queue = match trade.aggressor {
            Side::Sell => &mut self.bids,
            Side::Buy => &mut self.asks,
        };
        queue.pass_trade(trade, |order, lots| {
            out.push(fill(
                &fees,
                instrument,
                order.order_id,
                order.price_ticks,
                lots,
                Liquidity::Maker,
                now_ns,
            ));
        });
        self.show_more(depth);
        self.wake_dormant(depth, now_ns, out);
    }

    /// Follows a change of the book or the quote; call it after every one.
    pub fn on_depth(&mut self, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) {
        if self.frozen {
            return;
        }
        self.taken.refresh(depth);
        if self.is_empty() {
            return;
        }
        self.bids.follow(self.queue_model, depth);
        self.asks.follow(self.queue_model, depth);
        self.meet(Side::Buy, depth, now_ns, out);
        self.meet(Side::Sell, depth, now_ns, out);
        while self.show_more(depth) {
            self.meet(Side::Buy, depth, now_ns, out);
            self.meet(Side::Sell, depth, now_ns, out);
        }
        self.wake_dormant(depth, now_ns, out);
    }

    /// Freezes the venue while the book is not provably right: nothing fills, every submit and every
    /// replace but a smaller size is refused, cancels work. Dormant orders are looked at again after it ends.
    pub const fn set_frozen(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// Tells whether the venue is frozen.
    #[must_use]
    pub const fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Visits the open orders: bids and asks in price-time priority, then dormant ones by arrival.
    pub fn open_orders(&self) -> impl Iterator<Item = OpenOrder> + '_ {
        let resting = |side| {
            move |order: &Resting| {
                let reserve = self.reserves.get(order.order_id);
                let limit = OrderKind::Limit { price_ticks: order.price_ticks };
                OpenOrder {
                    order_id: order.order_id,
                    side,
                    kind: reserve.map_or(limit, Reserve::kind),
                    open_lots: order.open_lots.saturating_add(reserve.map_or(0, |known| known.hidden_lots)),
                    ahead_lots: order.place.is_known().then_some(order.place.ahead_lots),
                }
            }
        };
        let bids = self.bids.orders().iter().map(resting(Side::Buy));
        let asks = self.asks.orders().iter().map(resting(Side::Sell));
        bids.chain(asks).chain(self.dormant.orders().iter().map(OpenOrder::of_dormant))
    }

    /// Counts the orders that may still trade.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bids.orders().len() + self.asks.orders().len() + self.dormant.orders().len()
    }

    /// Tells whether no order is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the canonical bytes of everything that decides what happens next.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.frozen));
        out.push(u8::from(self.last_trade_ticks.is_some()));
        put(out, self.last_trade_ticks.unwrap_or(0));
        self.bids.write_state(self.queue_model, out);
        self.asks.write_state(self.queue_model, out);
        self.dormant.write_state(out);
        self.taken.write_state(out);
        self.reserves.write_state(out);
    }

    /// Says whether the order can be taken, before anything changes.
    fn check(&self, order: &ApprovedOrder, depth: &impl Depth) -> Result<Mandate, RejectReason> {
        if self.frozen && !self.only_watches {
            return Err(RejectReason::NoLiquidity);
        }
        let mandate = Mandate::read(order)?;
        if mandate.may_wait() && self.len() >= self.capacity {
            return Err(RejectReason::Unsupported);
        }
        if mandate.kind.is_conditional() {
            return Ok(mandate);
        }
        if mandate.post_only && would_take(&mandate, depth) {
            return Err(RejectReason::WouldTake);
        }
        let is_market = mandate.limit_ticks().is_none();
        let whole = mandate.time_in_force == TimeInForce::Fok;
        if is_market || whole {
            let offered = self.offered(&mandate, depth);
            if is_market && offered == 0 {
                return Err(RejectReason::NoLiquidity);
            }
            if whole && offered < mandate.lots {
                return Err(RejectReason::CannotFillWhole);
            }
        }
        Ok(mandate)
    }

    /// Lets an accepted order sleep, or take what it can.
    fn accept(&mut self, mandate: &Mandate, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) {
        if mandate.kind.is_conditional() {
            self.dormant.push(Dormant::new(*mandate));
            self.wake_dormant(depth, now_ns, out);
            return;
        }
        if mandate.kind == OrderKind::MarketToLimit {
            let Some(price_ticks) = self.taken.best_offer(depth, mandate.side) else { return };
            let mandate = Mandate { kind: OrderKind::Limit { price_ticks }, ..*mandate };
            let left = self.arrive(&mandate, depth, now_ns, out);
            if left > 0 {
                let body = ReportBody::Restated { price_ticks: Some(price_ticks), lots: left };
                out.push(report(mandate.order_id, now_ns, body));
            }
            return;
        }
        self.arrive(mandate, depth, now_ns, out);
    }

    /// Lets an order take what it can; the rest waits or is cancelled. Returns what waits.
    fn arrive(
        &mut self,
        mandate: &Mandate,
        depth: &impl Depth,
        now_ns: TimeNs,
        out: &mut Vec<Report>,
    ) -> i64 {
        let left = self.take(mandate, depth, now_ns, out);
        match mandate.limit_ticks() {
            _ if left == 0 => 0,
            Some(price_ticks) if mandate.may_rest() => {
                self.rest(mandate, price_ticks, left, depth);
                left
            }
            _ => {
                out.push(canceled(mandate.order_id, now_ns));
                0
            }
        }
    }

    /// Puts the rest of an order behind what the feed shows at its price; an iceberg shows a part of it.
    fn rest(&mut self, mandate: &Mandate, price_ticks: i64, lots: i64, depth: &impl Depth) {
        let Mandate { order_id, side, post_only, .. } = *mandate;
        let open_lots = match mandate.kind {
            OrderKind::Iceberg { display_lots, .. } => {
                let mut reserve =
                    Reserve { order_id, side, price_ticks, display_lots, hidden_lots: lots, post_only };
                let part = reserve.next_part();
                self.reserves.push(reserve);
                part
            }
            _ => lots,
        };
        let place = QueuePlace::at_end(depth, side, price_ticks);
        self.queue_mut(side).insert(Resting { order_id, price_ticks, open_lots, place, post_only });
    }

    /// Shows the next part of every iceberg whose part is gone; tells whether there was any.
    fn show_more(&mut self, depth: &impl Depth) -> bool {
        let (mut shown, mut index) = (false, 0);
        while let Some(reserve) = self.reserves.at(index).copied() {
            let Reserve { order_id, side, price_ticks, post_only, .. } = reserve;
            if self.queue_mut(side).find(order_id).is_some() {
                index += 1;
                continue;
            }
            let open_lots = self.reserves.at(index).map_or(0, Reserve::next_part);
            if open_lots == 0 {
                self.reserves.remove(order_id);
                continue;
            }
            let place = QueuePlace::at_end(depth, side, price_ticks);
            self.queue_mut(side).insert(Resting { order_id, price_ticks, open_lots, place, post_only });
            shown = true;
            index += 1;
        }
        shown
    }

    /// Changes an open order; returns the price it states now and, if it lost its place, what arrives anew.
    fn amend(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
        depth: &impl Depth,
    ) -> Result<(Option<i64>, Option<Mandate>), RejectReason> {
        if self.dormant.find(order_id).is_some() {
            return self.amend_dormant(order_id, price_ticks, lots);
        }
        let frozen = self.frozen;
        let refuse_if = |is_bad: bool, reason| if is_bad { Err(reason) } else { Ok(()) };
        let side = if self.bids.find(order_id).is_some() { Side::Buy } else { Side::Sell };
        let order = *self.queue_mut(side).find(order_id).ok_or(RejectReason::UnknownOrder)?;
        refuse_if(lots <= 0, RejectReason::Unsupported)?;
        let price_ticks = price_ticks.unwrap_or(order.price_ticks);
        let hidden = self.reserves.get(order_id).map_or(0, |reserve| reserve.hidden_lots);
        if price_ticks == order.price_ticks && lots <= order.open_lots.saturating_add(hidden) {
            self.reduce(side, order_id, lots);
            return Ok((Some(price_ticks), None));
        }
        refuse_if(frozen, RejectReason::NoLiquidity)?;
        let kind = match self.reserves.get(order_id) {
            Some(reserve) => OrderKind::Iceberg { price_ticks, display_lots: reserve.display_lots },
            None => OrderKind::Limit { price_ticks },
        };
        let Resting { post_only, .. } = order;
        let mandate = Mandate { order_id, side, kind, time_in_force: TimeInForce::Gtc, post_only, lots };
        refuse_if(post_only && would_take(&mandate, depth), RejectReason::WouldTake)?;
        self.queue_mut(side).remove(order_id);
        self.reserves.remove(order_id);
        Ok((Some(price_ticks), Some(mandate)))
    }

    fn amend_dormant(
        &mut self,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
    ) -> Result<(Option<i64>, Option<Mandate>), RejectReason> {
        let known = self.dormant.find(order_id).ok_or(RejectReason::UnknownOrder)?;
        let mut amended = *known;
        let keeps_turn = amended.amend(price_ticks, lots).filter(|_| lots > 0);
        let keeps_turn = keeps_turn.ok_or(RejectReason::Unsupported)?;
        if keeps_turn {
            *known = amended;
            return Ok((amended.stated_ticks(), None));
        }
        if self.frozen && !self.only_watches {
            return Err(RejectReason::NoLiquidity);
        }
        self.dormant.remove(order_id);
        Ok((amended.stated_ticks(), Some(amended.mandate)))
    }

    /// Makes a resting order smaller; what it hides falls first.
    fn reduce(&mut self, side: Side, order_id: OrderId, lots: i64) {
        let Some(order) = self.queue_mut(side).find(order_id) else { return };
        order.open_lots = order.open_lots.min(lots);
        let shown = order.open_lots;
        if let Some(reserve) = self.reserves.find(order_id) {
            reserve.hidden_lots = lots - shown;
        }
    }

    /// Fills our resting orders of one side that the other side's book has run into, at our price.
    fn meet(&mut self, side: Side, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) {
        let Some(best) = depth.best(side.opposite()) else { return };
        let (fees, instrument, taken) = (self.fees, &self.instrument, &mut self.taken);
        let queue = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        queue.pass_market(
            best.price_ticks,
            |limit_ticks, wanted| taken.take(depth, side, Some(limit_ticks), wanted, |_, _| {}),
            |order, lots| {
                let maker = Liquidity::Maker;
                out.push(fill(&fees, instrument, order.order_id, order.price_ticks, lots, maker, now_ns));
            },
        );
    }

    /// Shows the market to the dormant orders and lets those that it sets off arrive, oldest first.
    fn wake_dormant(&mut self, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) {
        if self.dormant.orders().is_empty() || self.frozen {
            return;
        }
        let last = self.last_trade_ticks;
        self.dormant.watch(|side| watched_ticks(last, depth, side));
        while let Some(dormant) = self.dormant.next_set_off() {
            let mandate = dormant.awake();
            out.push(report(mandate.order_id, now_ns, dormant.set_off()));
            if self.only_watches {
                continue;
            }
            let whole = mandate.time_in_force == TimeInForce::Fok;
            if whole && self.offered(&mandate, depth) < mandate.lots {
                out.push(canceled(mandate.order_id, now_ns));
            } else {
                self.arrive(&mandate, depth, now_ns, out);
            }
        }
    }

    /// Counts what an order could trade now, up to its size.
    fn offered(&self, mandate: &Mandate, depth: &impl Depth) -> i64 {
        match self.rest_ticks(mandate, depth) {
            Some(_) => mandate.lots,
            None => self.taken.offered(depth, mandate.side, mandate.limit_ticks(), mandate.lots),
        }
    }

    /// Returns the price at which the rest of an order trades that takes more than is shown.
    fn rest_ticks(&self, mandate: &Mandate, depth: &impl Depth) -> Option<i64> {
        if mandate.kind != OrderKind::Market || self.market_rest == MarketRest::Cancel {
            return None;
        }
        let best = depth.best(mandate.side.opposite())?;
        self.market_rest.price_ticks(mandate.side, best.price_ticks)
    }

    /// Takes visible depth, one fill a level, and returns what is left to take.
    fn take(&mut self, mandate: &Mandate, depth: &impl Depth, now_ns: TimeNs, out: &mut Vec<Report>) -> i64 {
        let (fees, instrument, id) = (self.fees, &self.instrument, mandate.order_id);
        let taken =
            self.taken.take(depth, mandate.side, mandate.limit_ticks(), mandate.lots, |price_ticks, lots| {
                out.push(fill(&fees, instrument, id, price_ticks, lots, Liquidity::Taker, now_ns));
            });
        let left = mandate.lots - taken;
        match self.rest_ticks(mandate, depth).filter(|_| left > 0) {
            Some(price_ticks) => {
                out.push(fill(&fees, &self.instrument, id, price_ticks, left, Liquidity::Taker, now_ns));
                0
            }
            None => left,
        }
    }

    const fn queue_mut(&mut self, side: Side) -> &mut OwnQueue {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }
}

/// Tells whether the order would trade at once, by what the feed shows: also where we took it all.
fn would_take(mandate: &Mandate, depth: &impl Depth) -> bool {
    let best = depth.best(mandate.side.opposite());
    match (mandate.limit_ticks(), best) {
        (Some(limit_ticks), Some(best)) => reaches(mandate.side, limit_ticks, best.price_ticks),
        _ => false,
    }
}

/// Returns the price a dormant order watches: the last trade, or the best opposite price if there never was one.
fn watched_ticks(last_trade_ticks: Option<i64>, depth: &impl Depth, side: Side) -> Option<i64> {
    last_trade_ticks.or_else(|| depth.best(side.opposite()).map(|level| level.price_ticks))
}

/// Returns the report that the rest of an order that may not wait is cancelled.
const fn canceled(order_id: OrderId, now_ns: TimeNs) -> Report {
    report(order_id, now_ns, ReportBody::Canceled(CancelReason::ImmediateOrCancel))
}
