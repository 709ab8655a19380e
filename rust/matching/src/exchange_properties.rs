//! The simulated exchange and its book beside a slow plain reference, order by order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_book::Depth;
use tradecore_types::{
    CancelReason, Flow, Level, Liquidity, OrderId, OrderIntent, OrderKind, RejectReason, Report, ReportBody,
    Side, Size, TimeInForce, Trade,
};

use crate::audit::Audit;
use crate::conditions::{awake, hit, told, trail};
use crate::depth_properties::{Input, amend, intent, submit};
use crate::samples::{approved, instrument};
use crate::{BookEvent, ExchangeMatcher, FeeSchedule, L3Book, MarketOut, RestError, SelfTradePrevention};

const OWN_CAPACITY: usize = 5;
const FLOW_CAPACITY: usize = 12;

/// An input of ours or of an agent.
#[derive(Clone, Debug)]
enum Either {
    Ours(Input),
    Agents(Flow),
}

fn flow() -> impl Strategy<Value = Flow> {
    let side = || prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    prop_oneof![
        6 => (1u64..40, side(), 96i64..105, 0i64..15)
            .prop_map(|(flow_id, side, price_ticks, lots)| Flow::Limit { flow_id, side, price_ticks, lots }),
        1 => (side(), 0i64..25).prop_map(|(side, lots)| Flow::Market { side, lots }),
        2 => (1u64..40).prop_map(|flow_id| Flow::Cancel { flow_id }),
    ]
}

fn inputs() -> impl Strategy<Value = Vec<Either>> {
    let input = prop_oneof![
        4 => submit().prop_map(Either::Ours),
        2 => amend().prop_map(Either::Ours),
        8 => flow().prop_map(Either::Agents),
    ];
    prop::collection::vec(input, 1..80)
}

/// A resting or dormant order of the reference.
#[derive(Clone, Debug)]
struct Plain {
    /// Ours or an agent's number.
    id: Result<OrderId, u64>,
    side: Side,
    kind: OrderKind,
    time_in_force: TimeInForce,
    post_only: bool,
    /// What it shows.
    lots: i64,
    /// What it hides.
    hidden: i64,
    /// Every price it has watched.
    seen: Vec<i64>,
}

impl Plain {
    fn price(&self) -> Option<i64> {
        self.kind.limit_ticks().filter(|_| !self.kind.is_conditional())
    }

    /// Takes lots away; `None` when nothing is left, else whether the next part is shown now.
    fn lose(&mut self, lots: i64) -> Option<bool> {
        self.lots -= lots;
        let is_new = self.lots == 0 && self.hidden > 0;
        if let (true, OrderKind::Iceberg { display_lots, .. }) = (is_new, self.kind) {
            self.lots = self.hidden.min(display_lots);
            self.hidden -= self.lots;
        }
        (self.lots > 0).then_some(is_new)
    }
}

/// The slow reference: one list by arrival, searched anew for every trade.
#[derive(Clone, Debug, Default)]
struct PlainExchange {
    orders: Vec<Plain>,
    self_trade: SelfTradePrevention,
    /// Whether the last taker met an order of its own and ended there.
    is_ended: bool,
    /// What the last taker lost against orders of its own.
    decremented: i64,
    last_trade: Option<i64>,
    out: Vec<(u64, ReportBody)>,
    trades: Vec<Trade>,
    trade_id: u64,
}

impl PlainExchange {
    fn say(&mut self, id: OrderId, body: ReportBody) {
        self.out.push((id.0, body));
    }

    fn fill(&mut self, id: Result<OrderId, u64>, price_ticks: i64, lots: i64, liquidity: Liquidity) {
        if let Ok(id) = id {
            let fees = FeeSchedule { maker_ppb: -1_000, taker_ppb: 5_000 };
            let fee = fees.fee(&instrument("0.01", "1"), price_ticks, lots, liquidity).unwrap();
            self.say(id, ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: None });
        }
    }

    /// Finds who trades next with an order of `side`.
    fn next_maker(&self, side: Side, limit: Option<i64>) -> Option<usize> {
        let reached = |price: i64| limit.is_none_or(|limit| side.sign() * (limit - price) >= 0);
        let makers = self.orders.iter().enumerate().filter(|(_, order)| order.side != side);
        let priced = makers.filter_map(|(index, order)| order.price().map(|price| (index, price)));
        let found = priced.filter(|(_, price)| reached(*price));
        found.min_by_key(|(index, price)| (side.sign() * price, *index)).map(|(index, _)| index)
    }

    fn take(&mut self, id: Result<OrderId, u64>, side: Side, limit: Option<i64>, lots: i64) -> i64 {
        let mut left = lots;
        (self.is_ended, self.decremented) = (false, 0);
        while left > 0 && !self.is_ended {
            let Some(index) = self.next_maker(side, limit) else { break };
            let maker = &mut self.orders[index];
            let (part, price, maker_id) = (maker.lots.min(left), maker.price().unwrap(), maker.id);
            if let (Ok(_), Ok(own)) = (id, maker_id) {
                let mode = self.self_trade;
                self.is_ended =
                    matches!(mode, SelfTradePrevention::CancelNewest | SelfTradePrevention::CancelBoth);
                if matches!(mode, SelfTradePrevention::CancelOldest | SelfTradePrevention::CancelBoth) {
                    self.orders.remove(index);
                    self.say(own, ReportBody::Canceled(CancelReason::SelfTrade));
                }
                if mode == SelfTradePrevention::Decrement {
                    left -= part;
                    self.decremented += part;
                    let after = self.lose(index, part);
                    let body = ReportBody::Restated { price_ticks: Some(price), lots: after };
                    let gone = ReportBody::Canceled(CancelReason::SelfTrade);
                    self.say(own, if after > 0 { body } else { gone });
                }
                continue;
            }
            left -= part;
            self.lose(index, part);
            self.trade_id += 1;
            self.trades.push(Trade {
                price_ticks: price,
                lots: part,
                aggressor: side,
                trade_id: self.trade_id,
            });
            self.orders.iter_mut().for_each(|order| order.seen.push(price));
            self.last_trade = Some(price);
            self.fill(maker_id, price, part, Liquidity::Maker);
            self.fill(id, price, part, Liquidity::Taker);
        }
        left
    }

    /// Takes lots from a resting order and returns all that it has left.
    fn lose(&mut self, index: usize, lots: i64) -> i64 {
        match self.orders[index].lose(lots) {
            None => {
                self.orders.remove(index);
                0
            }
            Some(is_new) => {
                let order = self.orders[index].clone();
                let left = order.lots + order.hidden;
                if is_new {
                    self.orders.remove(index);
                    self.orders.push(order);
                }
                left
            }
        }
    }

    /// Tells whether an order of ours would fill whole, by trying.
    fn fills_whole(&self, side: Side, limit: Option<i64>, lots: i64) -> bool {
        let mut copy = Self { out: Vec::new(), ..self.clone() };
        copy.take(Ok(OrderId(0)), side, limit, lots);
        let filled = copy.out.iter().filter(|(id, _)| *id == 0);
        let filled = filled.map(|(_, body)| match body {
            ReportBody::Fill { lots, .. } => *lots,
            _ => 0,
        });
        filled.sum::<i64>() == lots
    }

    fn best(&self, side: Side) -> Option<i64> {
        self.next_maker(side.opposite(), None).and_then(|index| self.orders[index].price())
    }

    fn offered(&self, side: Side, limit: Option<i64>) -> i64 {
        let mut copy = Self { orders: self.orders.clone(), ..Self::default() };
        copy.orders.retain(|order| order.id.is_err());
        1_000_000 - copy.take(Err(0), side, limit, 1_000_000)
    }

    fn ours(&self) -> usize {
        self.orders.iter().filter(|order| order.id.is_ok()).count()
    }

    fn submit(&mut self, intent: &OrderIntent) {
        let Size::Lots(lots) = intent.size else { unreachable!() };
        let (id, side) = (intent.order_id, intent.side);
        let gtc = intent.time_in_force == TimeInForce::Gtc;
        let whole = intent.time_in_force == TimeInForce::Fok;
        let (sleeps, limit) = (intent.kind.is_conditional(), intent.kind.limit_ticks());
        let must_wait = matches!(intent.kind, OrderKind::MarketToLimit | OrderKind::Iceberg { .. });
        let is_limit = limit.is_some() && !sleeps;
        let waits = sleeps || must_wait || (is_limit && gtc);
        let bad_flags = (intent.post_only && !(gtc && is_limit)) || (must_wait && !gtc);
        let rejected = if bad_flags || (waits && self.ours() >= OWN_CAPACITY) {
            Some(RejectReason::Unsupported)
        } else if intent.post_only && self.next_maker(side, limit).is_some() {
            Some(RejectReason::WouldTake)
        } else if !sleeps && limit.is_none() && self.offered(side, None) == 0 {
            Some(RejectReason::NoLiquidity)
        } else if !sleeps && whole && !self.fills_whole(side, limit, lots) {
            Some(RejectReason::CannotFillWhole)
        } else {
            None
        };
        if let Some(reason) = rejected {
            return self.say(id, ReportBody::Rejected(reason));
        }
        self.say(id, ReportBody::Accepted);
        let OrderIntent { kind, time_in_force, post_only, .. } = *intent;
        let seen = Vec::new();
        self.arrive(id, Plain { id: Ok(id), side, kind, time_in_force, post_only, lots, hidden: 0, seen });
        self.settle();
    }

    fn arrive(&mut self, id: OrderId, mut order: Plain) {
        if order.kind.is_conditional() {
            order.seen.extend(self.last_trade.or_else(|| self.best(order.side.opposite())));
            match hit(order.side, order.kind, &order.seen) {
                Some(_) => return self.fire(id, &order),
                None => return self.orders.push(order),
            }
        }
        let to_limit = order.kind == OrderKind::MarketToLimit;
        if to_limit {
            order.kind = OrderKind::Limit { price_ticks: self.best(order.side.opposite()).unwrap() };
        }
        let restated = |lots| ReportBody::Restated { price_ticks: order.price(), lots };
        let left = self.take(order.id, order.side, order.price(), order.lots);
        if self.is_ended || (left == 0 && self.decremented > 0) {
            return self.say(id, ReportBody::Canceled(CancelReason::SelfTrade));
        }
        if self.decremented > 0 {
            self.say(id, restated(left));
        }
        if left == 0 {
            return;
        }
        if order.price().is_none() || order.time_in_force != TimeInForce::Gtc {
            return self.say(id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        }
        if to_limit {
            self.say(id, restated(left));
        }
        let shown = match order.kind {
            OrderKind::Iceberg { display_lots, .. } => left.min(display_lots),
            _ => left,
        };
        (order.lots, order.hidden) = (shown, left - shown);
        self.orders.push(order);
    }

    fn fire(&mut self, id: OrderId, order: &Plain) {
        let trigger = hit(order.side, order.kind, &order.seen).unwrap();
        let kind = awake(order.side, order.kind, trigger);
        self.say(id, told(order.kind, kind));
        let whole = order.time_in_force == TimeInForce::Fok;
        if whole && !self.fills_whole(order.side, kind.limit_ticks(), order.lots) {
            return self.say(id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        }
        self.arrive(id, Plain { kind, ..order.clone() });
    }

    /// Sets off the dormant orders that the prices of this input reach.
    fn settle(&mut self) {
        loop {
            if self.last_trade.is_none() {
                let (bid, ask) = (self.best(Side::Buy), self.best(Side::Sell));
                for order in &mut self.orders {
                    order.seen.extend(if order.side == Side::Buy { ask } else { bid });
                }
            }
            let fired = self.orders.iter().position(|order| {
                order.kind.is_conditional() && hit(order.side, order.kind, &order.seen).is_some()
            });
            let Some(index) = fired else { break };
            let order = self.orders.remove(index);
            self.fire(order.id.unwrap(), &order);
        }
    }

    fn cancel(&mut self, id: OrderId) {
        let before = self.orders.len();
        self.orders.retain(|order| order.id != Ok(id));
        let body = if self.orders.len() < before {
            ReportBody::Canceled(CancelReason::Requested)
        } else {
            ReportBody::CancelRejected(RejectReason::UnknownOrder)
        };
        self.say(id, body);
    }

    fn replace(&mut self, id: OrderId, price: Option<i64>, lots: i64) {
        let Some(index) = self.orders.iter().position(|order| order.id == Ok(id)) else {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::UnknownOrder));
        };
        if lots <= 0 {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::Unsupported));
        }
        let order = self.orders[index].clone();
        let is_trailing = order.kind.price_ticks().is_none();
        if is_trailing && price.is_some() {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::Unsupported));
        }
        let kind = price.map_or(order.kind, |price| order.kind.with_price(price).unwrap());
        let stated = kind.price_ticks().or(trail(order.side, kind, &order.seen));
        let replaced = ReportBody::Replaced { price_ticks: stated, lots };
        if is_trailing || (order.kind == kind && lots <= order.lots + order.hidden) {
            let shown = if is_trailing { lots } else { lots.min(order.lots) };
            (self.orders[index].lots, self.orders[index].hidden) = (shown, lots - shown);
            return self.say(id, replaced);
        }
        if order.post_only && self.next_maker(order.side, stated).is_some() {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::WouldTake));
        }
        self.orders.remove(index);
        self.say(id, replaced);
        self.arrive(id, Plain { kind, lots, hidden: 0, seen: Vec::new(), ..order });
        self.settle();
    }

    fn flow(&mut self, flow: Flow) {
        match flow {
            Flow::Limit { flow_id, side, price_ticks, lots } => {
                if self.orders.iter().all(|order| order.id != Err(flow_id)) {
                    let left = self.take(Err(flow_id), side, Some(price_ticks), lots);
                    let agents = self.orders.iter().filter(|order| order.id.is_err()).count();
                    if left > 0 && agents < FLOW_CAPACITY {
                        let kind = OrderKind::Limit { price_ticks };
                        let time_in_force = TimeInForce::Gtc;
                        let id = Err(flow_id);
                        self.orders.push(Plain {
                            id,
                            side,
                            kind,
                            time_in_force,
                            post_only: false,
                            lots: left,
                            hidden: 0,
                            seen: Vec::new(),
                        });
                    }
                }
            }
            Flow::Market { side, lots } => {
                self.take(Err(0), side, None, lots);
            }
            Flow::Cancel { flow_id } => self.orders.retain(|order| order.id != Err(flow_id)),
        }
        self.settle();
    }

    /// Adds the orders up to levels.
    fn levels(&self) -> BTreeMap<(i64, i64), i64> {
        let mut levels = BTreeMap::new();
        for order in &self.orders {
            if let Some(price) = order.price() {
                *levels.entry((order.side.sign(), price)).or_insert(0) += order.lots;
            }
        }
        levels
    }

    /// Lists the resting orders of a side in priority: number, price, lots.
    fn queue(&self, side: Side) -> Vec<(u64, i64, i64)> {
        let resting = self.orders.iter().filter(|order| order.side == side);
        let mut queue: Vec<_> = resting
            .filter_map(|order| {
                let key = order.id.map_or_else(|agent| agent * 2, |own| own.0 * 2 + 1);
                order.price().map(|price| (key, price, order.lots))
            })
            .collect();
        queue.sort_by_key(|(_, price, _)| -side.sign() * price);
        queue
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_exchange_says_what_a_slow_plain_reference_says(
        inputs in inputs(),
        mode in prop::sample::select(SelfTradePrevention::ALL.as_slice()),
    ) {
        let fees = FeeSchedule { maker_ppb: -1_000, taker_ppb: 5_000 };
        let mut exchange = ExchangeMatcher::new(instrument("0.01", "1"), fees, FLOW_CAPACITY, OWN_CAPACITY);
        exchange.set_self_trade(mode);
        let (mut plain, mut audit) =
            (PlainExchange { self_trade: mode, ..PlainExchange::default() }, Audit::default());
        let (mut reports, mut market): (Vec<Report>, Vec<MarketOut>) = (Vec::new(), Vec::new());
        let mut mirror: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        let mut last_id = 0;
        for input in &inputs {
            reports.clear();
            market.clear();
            plain.out.clear();
            plain.trades.clear();
            match input {
                Either::Agents(flow) => {
                    exchange.flow(flow, 7, &mut reports, &mut market);
                    plain.flow(*flow);
                }
                Either::Ours(input @ Input::Submit { .. }) => {
                    last_id += 1;
                    let intent = intent(last_id, input);
                    audit.sent(intent);
                    exchange.submit(&approved(intent), 7, &mut reports, &mut market);
                    plain.submit(&intent);
                }
                Either::Ours(Input::Cancel { pick }) if last_id > 0 => {
                    let id = OrderId(1 + pick % last_id);
                    exchange.cancel(id, 7, &mut reports, &mut market);
                    plain.cancel(id);
                }
                Either::Ours(Input::Replace { pick, price_ticks, lots }) if last_id > 0 => {
                    let open = audit.open_ids();
                    let id = if open.is_empty() { OrderId(1) } else { open[pick.index(open.len())] };
                    exchange.replace(id, *price_ticks, *lots, 7, &mut reports, &mut market);
                    plain.replace(id, *price_ticks, *lots);
                }
                Either::Ours(_) => {}
            }
            let said: Vec<_> = reports.iter().map(|report| (report.order_id.0, report.body)).collect();
            prop_assert_eq!(&said, &plain.out);
            let mut trades = Vec::new();
            for out in &market {
                match *out {
                    MarketOut::Trade(trade) => trades.push(trade),
                    MarketOut::Level { side, level: Level { price_ticks, lots: 0 } } => {
                        mirror.remove(&(side.sign(), price_ticks));
                    }
                    MarketOut::Level { side, level } => {
                        mirror.insert((side.sign(), level.price_ticks), level.lots);
                    }
                }
            }
            prop_assert_eq!(&trades, &plain.trades);
            prop_assert_eq!(&mirror, &plain.levels(), "what is published is not the book");
            for side in [Side::Buy, Side::Sell] {
                let queue: Vec<_> = exchange.book().orders(side).collect();
                prop_assert_eq!(&queue, &plain.queue(side));
                prop_assert_eq!(exchange.book().level_count(side), mirror.keys().filter(|key| key.0 == side.sign()).count());
            }
            let best = (exchange.book().best_bid(), exchange.book().best_ask());
            prop_assert!(best.0.zip(best.1).is_none_or(|(bid, ask)| bid.price_ticks < ask.price_ticks));
            audit.read(&reports);
            audit.agrees_with(exchange.open_orders());
        }
    }

    #[test]
    fn no_lot_is_lost_in_the_book(operations in prop::collection::vec((0u64..30, any::<bool>(), 90i64..111, 1i64..50, 0u8..5), 1..300)) {
        let mut book = L3Book::new(16);
        let (mut ordered, mut traded, mut gone) = (0i64, 0i64, 0i64);
        for (key, buys, price_ticks, lots, what) in operations {
            let side = if buys { Side::Buy } else { Side::Sell };
            let mut hit = 0;
            match what {
                0 => gone += book.cancel(key).map_or(0, |order| order.lots),
                1 => {
                    let before = book.order(key).map_or(0, |order| order.lots);
                    gone += if book.reduce(key, lots) { before - lots } else { 0 };
                }
                2 => {
                    let before = book.order(key);
                    let left = book.replace(key, price_ticks, lots, |event| {
                        if let BookEvent::Traded { lots, .. } = event { hit += lots }
                    });
                    prop_assert_eq!(left, if before.is_some() { Ok(lots - hit) } else { Err(RestError::Unknown) });
                    if let Some(before) = before {
                        prop_assert_eq!(book.order(key).map(|order| order.lots), Some(lots - hit).filter(|left| *left > 0));
                        traded += 2 * hit;
                        ordered += lots;
                        gone += before.lots;
                    }
                }
                _ => {
                    let rests = book.limit(key, side, price_ticks, lots, |event| {
                        if let BookEvent::Traded { lots, .. } = event { hit += lots }
                    });
                    traded += 2 * hit;
                    ordered += lots;
                    match rests {
                        Ok(left) => prop_assert_eq!(left, lots - hit),
                        Err(RestError::Size) => unreachable!("sizes are above 0"),
                        Err(RestError::Full | RestError::Duplicate) => gone += lots - hit,
                        Err(RestError::Unknown) => unreachable!("only a replacement asks for an order"),
                    }
                }
            }
            let resting: i64 = [Side::Buy, Side::Sell].iter().flat_map(|side| book.orders(*side)).map(|order| order.2).sum();
            prop_assert_eq!(ordered, traded + gone + resting);
            prop_assert!(book.len() <= 16);
        }
    }
}
