//! The simulated exchange and its book beside a slow plain reference, order by order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_book::Depth;
use tradecore_types::{
    CancelReason, Flow, Level, Liquidity, OrderId, OrderIntent, OrderKind, RejectReason, Report, ReportBody,
    Side, Size, TimeInForce, Trade,
};

use crate::audit::Audit;
use crate::depth_properties::{Input, amend, intent, submit};
use crate::samples::{approved, instrument};
use crate::{BookEvent, ExchangeMatcher, FeeSchedule, L3Book, MarketOut, RestError};

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

/// A resting order or a stop of the reference.
#[derive(Clone, Debug)]
struct Plain {
    /// Ours or an agent's number.
    id: Result<OrderId, u64>,
    side: Side,
    kind: OrderKind,
    time_in_force: TimeInForce,
    post_only: bool,
    lots: i64,
}

impl Plain {
    fn price(&self) -> Option<i64> {
        if let OrderKind::Limit { price_ticks } = self.kind { Some(price_ticks) } else { None }
    }
}

/// The slow reference: one list by arrival, searched anew for every trade.
#[derive(Debug, Default)]
struct PlainExchange {
    orders: Vec<Plain>,
    last_trade: Option<i64>,
    passed: Vec<i64>,
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
            self.say(id, ReportBody::Fill { price_ticks, lots, liquidity, fee });
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
        while left > 0 {
            let Some(index) = self.next_maker(side, limit) else { break };
            if let (Ok(_), Ok(own)) = (id, self.orders[index].id) {
                self.orders.remove(index);
                self.say(own, ReportBody::Canceled(CancelReason::Requested));
                continue;
            }
            let maker = &mut self.orders[index];
            let (part, price) = (maker.lots.min(left), maker.price().unwrap());
            maker.lots -= part;
            left -= part;
            let maker = maker.clone();
            if maker.lots == 0 {
                self.orders.remove(index);
            }
            self.trade_id += 1;
            self.trades.push(Trade {
                price_ticks: price,
                lots: part,
                aggressor: side,
                trade_id: self.trade_id,
            });
            self.passed.push(price);
            self.last_trade = Some(price);
            self.fill(maker.id, price, part, Liquidity::Maker);
            self.fill(id, price, part, Liquidity::Taker);
        }
        left
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
        let (is_stop, limit) = match intent.kind {
            OrderKind::Market => (false, None),
            OrderKind::Limit { price_ticks } => (false, Some(price_ticks)),
            OrderKind::Stop { .. } => (true, None),
        };
        let waits = is_stop || (limit.is_some() && gtc);
        let rejected = if (intent.post_only && !(gtc && limit.is_some()))
            || (waits && self.ours() >= OWN_CAPACITY)
        {
            Some(RejectReason::Unsupported)
        } else if intent.post_only && self.next_maker(side, limit).is_some() {
            Some(RejectReason::WouldTake)
        } else if !is_stop && limit.is_none() && self.offered(side, None) == 0 {
            Some(RejectReason::NoLiquidity)
        } else if !is_stop && intent.time_in_force == TimeInForce::Fok && self.offered(side, limit) < lots {
            Some(RejectReason::CannotFillWhole)
        } else {
            None
        };
        if let Some(reason) = rejected {
            return self.say(id, ReportBody::Rejected(reason));
        }
        self.say(id, ReportBody::Accepted);
        let OrderIntent { kind, time_in_force, post_only, .. } = *intent;
        self.arrive(id, Plain { id: Ok(id), side, kind, time_in_force, post_only, lots });
    }

    fn arrive(&mut self, id: OrderId, mut order: Plain) {
        if let OrderKind::Stop { trigger_ticks } = order.kind {
            let watched = self.last_trade.or_else(|| self.best(order.side.opposite()));
            if watched.is_some_and(|price| order.side.sign() * (price - trigger_ticks) >= 0) {
                return self.fire(id, &order);
            }
            return self.orders.push(order);
        }
        order.lots = self.take(order.id, order.side, order.price(), order.lots);
        if order.lots > 0 {
            if order.price().is_some() && order.time_in_force == TimeInForce::Gtc {
                self.orders.push(order);
            } else {
                self.say(id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
            }
        }
    }

    fn fire(&mut self, id: OrderId, stop: &Plain) {
        self.say(id, ReportBody::Triggered);
        if stop.time_in_force == TimeInForce::Fok && self.offered(stop.side, None) < stop.lots {
            return self.say(id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
        }
        self.arrive(id, Plain { kind: OrderKind::Market, ..stop.clone() });
    }

    /// Sets off the stops that the prices of this input reach.
    fn settle(&mut self) {
        loop {
            let fired = self.orders.iter().position(|order| {
                let OrderKind::Stop { trigger_ticks } = order.kind else { return false };
                let hit = |price: i64| order.side.sign() * (price - trigger_ticks) >= 0;
                match self.last_trade {
                    Some(_) => self.passed.iter().any(|price| hit(*price)),
                    None => self.best(order.side.opposite()).is_some_and(hit),
                }
            });
            let Some(index) = fired else { break };
            let stop = self.orders.remove(index);
            self.fire(stop.id.unwrap(), &stop);
        }
        self.passed.clear();
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

    fn replace(&mut self, id: OrderId, price: i64, lots: i64) {
        let Some(index) = self.orders.iter().position(|order| order.id == Ok(id)) else {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::UnknownOrder));
        };
        if lots <= 0 {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::Unsupported));
        }
        let order = self.orders[index].clone();
        let kind = match order.kind {
            OrderKind::Stop { .. } => OrderKind::Stop { trigger_ticks: price },
            _ => OrderKind::Limit { price_ticks: price },
        };
        let replaced = ReportBody::Replaced { price_ticks: price, lots };
        if order.kind == kind && lots <= order.lots {
            self.orders[index].lots = lots;
            return self.say(id, replaced);
        }
        if order.post_only && self.next_maker(order.side, Some(price)).is_some() {
            return self.say(id, ReportBody::ReplaceRejected(RejectReason::WouldTake));
        }
        self.orders.remove(index);
        self.say(id, replaced);
        self.arrive(id, Plain { kind, lots, ..order });
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
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_exchange_says_what_a_slow_plain_reference_says(inputs in inputs()) {
        let fees = FeeSchedule { maker_ppb: -1_000, taker_ppb: 5_000 };
        let mut exchange = ExchangeMatcher::new(instrument("0.01", "1"), fees, FLOW_CAPACITY, OWN_CAPACITY);
        let (mut plain, mut audit) = (PlainExchange::default(), Audit::default());
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
                    plain.settle();
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
