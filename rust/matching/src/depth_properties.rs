//! The depth matcher beside a slow plain reference, and what the reports may never say.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use tradecore_book::Depth;
use tradecore_types::{
    CancelReason, Level, Liquidity, OrderId, OrderIntent, OrderKind, RejectReason, Report, ReportBody, Side,
    Size, TimeInForce, Trade,
};

use crate::audit::Audit;
use crate::conditions::{awake, hit, told, trail};
use crate::depth_tests::PlainBook;
use crate::samples::{approved, instrument, limit};
use crate::{DepthMatcher, FeeSchedule};

/// One input.
#[derive(Clone, Debug)]
pub enum Input {
    /// A new order; its id is counted.
    Submit { side: Side, kind: OrderKind, time_in_force: TimeInForce, post_only: bool, lots: i64 },
    /// A cancel of one of the orders so far.
    Cancel { pick: u64 },
    /// An amendment of one of the orders so far.
    Replace { pick: Index, price_ticks: Option<i64>, lots: i64 },
    /// A trade of others.
    Trade { aggressor: Side, price_ticks: i64, lots: i64 },
    /// A new book.
    Book { bids: Vec<(i64, i64)>, asks: Vec<(i64, i64)> },
    /// The book is proven or not.
    Freeze(bool),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

/// Draws an order that waits for a price around 100, stops apart.
pub fn conditional() -> impl Strategy<Value = OrderKind> {
    let price = || 95i64..106;
    let activation = || prop_oneof![Just(0i64), 96i64..105];
    prop_oneof![
        (price(), price())
            .prop_map(|(trigger_ticks, price_ticks)| OrderKind::StopLimit { trigger_ticks, price_ticks }),
        price().prop_map(|trigger_ticks| OrderKind::MarketIfTouched { trigger_ticks }),
        (price(), price()).prop_map(|(trigger_ticks, price_ticks)| OrderKind::LimitIfTouched {
            trigger_ticks,
            price_ticks
        }),
        (1i64..5, activation()).prop_map(|(offset_ticks, activation_ticks)| OrderKind::TrailingStop {
            offset_ticks,
            activation_ticks
        }),
        (1i64..60_000, activation()).prop_map(|(offset_ppm, activation_ticks)| OrderKind::TrailingPercent {
            offset_ppm,
            activation_ticks
        }),
        (1i64..5, 0i64..3, activation()).prop_map(|(offset_ticks, limit_offset_ticks, activation_ticks)| {
            OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks }
        }),
    ]
}

/// Draws an order of any kind around 100.
pub fn submit() -> impl Strategy<Value = Input> {
    let kind = prop_oneof![
        4 => (95i64..106).prop_map(|price_ticks| OrderKind::Limit { price_ticks }),
        1 => Just(OrderKind::Market),
        1 => (93i64..108).prop_map(|trigger_ticks| OrderKind::Stop { trigger_ticks }),
        1 => Just(OrderKind::MarketToLimit),
        2 => (95i64..106, 1i64..6)
            .prop_map(|(price_ticks, display_lots)| OrderKind::Iceberg { price_ticks, display_lots }),
        3 => conditional(),
    ];
    let time_in_force =
        prop_oneof![4 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc), 1 => Just(TimeInForce::Fok)];
    (side(), kind, time_in_force, prop::bool::weighted(0.2), 1i64..15).prop_map(
        |(side, kind, time_in_force, post_only, lots)| Input::Submit {
            side,
            kind,
            time_in_force,
            post_only,
            lots,
        },
    )
}

/// Draws a cancel or an amendment.
pub fn amend() -> impl Strategy<Value = Input> {
    prop_oneof![
        any::<u64>().prop_map(|pick| Input::Cancel { pick }),
        (any::<Index>(), proptest::option::weighted(0.8, 95i64..106), 0i64..15)
            .prop_map(|(pick, price_ticks, lots)| Input::Replace { pick, price_ticks, lots }),
    ]
}

fn book() -> impl Strategy<Value = Input> {
    let side = || prop::collection::vec((1i64..4, 1i64..12), 0..4);
    (97i64..103, 1i64..4, side(), side()).prop_map(|(bid, spread, bids, asks)| {
        let (mut down, mut up) = (bid + 1, bid + spread - 1);
        Input::Book {
            bids: bids
                .into_iter()
                .map(|(step, lots)| {
                    down -= step;
                    (down, lots)
                })
                .collect(),
            asks: asks
                .into_iter()
                .map(|(step, lots)| {
                    up += step;
                    (up, lots)
                })
                .collect(),
        }
    })
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let trade = (side(), 95i64..106, 1i64..20).prop_map(|(aggressor, price_ticks, lots)| Input::Trade {
        aggressor,
        price_ticks,
        lots,
    });
    let input = prop_oneof![
        6 => submit(), 2 => amend(), 4 => trade, 5 => book(),
        1 => prop::bool::weighted(0.3).prop_map(Input::Freeze),
    ];
    prop::collection::vec(input, 1..60)
}

/// Makes the intent that an input stands for.
pub fn intent(id: u64, input: &Input) -> OrderIntent {
    let Input::Submit { side, kind, time_in_force, post_only, lots } = *input else { unreachable!() };
    OrderIntent { kind, time_in_force, post_only, ..limit(id, side, 0, lots) }
}

const CAPACITY: usize = 5;

/// An order of the reference, resting or dormant.
#[derive(Clone, Debug)]
struct PlainOrder {
    id: OrderId,
    side: Side,
    kind: OrderKind,
    time_in_force: TimeInForce,
    post_only: bool,
    /// What it shows.
    open: i64,
    ahead: Option<i64>,
    /// What it hides.
    hidden: i64,
    /// When it last came into the book as an iceberg.
    born: usize,
    /// Every price it has watched.
    seen: Vec<i64>,
}

/// The slow reference: sorts and searches again for every question.
#[derive(Debug, Default)]
struct Plain {
    book: PlainBook,
    frozen: bool,
    last_trade: Option<i64>,
    /// By arrival.
    orders: Vec<PlainOrder>,
    /// What we took of a level, and the size it had then.
    taken: BTreeMap<(i64, i64), (i64, i64)>,
    out: Vec<(u64, ReportBody)>,
    born: usize,
}

impl Plain {
    fn say(&mut self, id: OrderId, body: ReportBody) {
        self.out.push((id.0, body));
    }

    fn fill(&mut self, id: OrderId, price_ticks: i64, lots: i64, liquidity: Liquidity) {
        let fees = FeeSchedule { maker_ppb: -1_000, taker_ppb: 5_000 };
        let fee = fees.fee(&instrument("0.01", "1"), price_ticks, lots, liquidity).unwrap();
        self.say(id, ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: None });
    }

    /// Lists what an order of `side` could take, best first.
    fn offers(&self, side: Side, limit: Option<i64>) -> Vec<Level> {
        let levels = if side == Side::Buy { &self.book.asks } else { &self.book.bids };
        let reached = |price: i64| limit.is_none_or(|limit| side.sign() * (limit - price) >= 0);
        let left = |level: &Level| match self.taken.get(&(side.opposite().sign(), level.price_ticks)) {
            Some((seen, lots)) if *seen == level.lots => level.lots - lots,
            _ => level.lots,
        };
        let offered = levels.iter().filter(|level| reached(level.price_ticks));
        offered.map(|level| Level { price_ticks: level.price_ticks, lots: left(level) }).collect()
    }

    /// Takes from the offers and returns `(price, lots)` of what was taken.
    fn grab(&mut self, side: Side, limit: Option<i64>, lots: i64) -> Vec<(i64, i64)> {
        let (mut wanted, mut got) = (lots, Vec::new());
        for offer in self.offers(side, limit) {
            let part = offer.lots.min(wanted);
            if part > 0 {
                let seen = self.book.lots_at(side.opposite(), offer.price_ticks);
                let key = (side.opposite().sign(), offer.price_ticks);
                let entry = self.taken.entry(key).or_insert((seen, 0));
                *entry = if entry.0 == seen { (seen, entry.1 + part) } else { (seen, part) };
                wanted -= part;
                got.push((offer.price_ticks, part));
            }
        }
        got
    }

    fn best(&self, side: Side) -> Option<i64> {
        self.book.best(side).map(|level| level.price_ticks)
    }

    fn would_take(&self, side: Side, price: i64) -> bool {
        self.best(side.opposite()).is_some_and(|best| side.sign() * (price - best) >= 0)
    }

    fn submit(&mut self, intent: &OrderIntent) {
        let Size::Lots(lots) = intent.size else { unreachable!() };
        let (id, side) = (intent.order_id, intent.side);
        let offered = |plain: &Self, limit| plain.offers(side, limit).iter().map(|o| o.lots).sum::<i64>();
        let gtc = intent.time_in_force == TimeInForce::Gtc;
        let is_limit = matches!(intent.kind, OrderKind::Limit { .. } | OrderKind::Iceberg { .. });
        let must_wait = matches!(intent.kind, OrderKind::MarketToLimit | OrderKind::Iceberg { .. });
        let waits = intent.kind.is_conditional() || must_wait || (is_limit && gtc);
        let bad_flags = (intent.post_only && !(is_limit && gtc)) || (must_wait && !gtc);
        let whole = intent.time_in_force == TimeInForce::Fok;
        let rejected = if self.frozen {
            Some(RejectReason::NoLiquidity)
        } else if bad_flags || (waits && self.orders.len() >= CAPACITY) {
            Some(RejectReason::Unsupported)
        } else {
            match intent.kind {
                kind if kind.is_conditional() => None,
                OrderKind::Market | OrderKind::MarketToLimit if offered(self, None) == 0 => {
                    Some(RejectReason::NoLiquidity)
                }
                OrderKind::Limit { price_ticks } | OrderKind::Iceberg { price_ticks, .. }
                    if intent.post_only =>
                {
                    self.would_take(side, price_ticks).then_some(RejectReason::WouldTake)
                }
                kind => (whole && offered(self, kind.limit_ticks()) < lots)
                    .then_some(RejectReason::CannotFillWhole),
            }
        };
        if let Some(reason) = rejected {
            return self.say(id, ReportBody::Rejected(reason));
        }
        self.say(id, ReportBody::Accepted);
        let (kind, time_in_force, post_only) = (intent.kind, intent.time_in_force, intent.post_only);
        let (open, ahead, hidden, born, seen) = (lots, None, 0, 0, Vec::new());
        self.arrive(PlainOrder { id, side, kind, time_in_force, post_only, open, ahead, hidden, born, seen });
    }

    fn arrive(&mut self, mut order: PlainOrder) {
        if order.kind.is_conditional() {
            self.orders.push(order);
            return self.wake();
        }
        let to_limit = order.kind == OrderKind::MarketToLimit;
        if to_limit {
            let best = self.offers(order.side, None).into_iter().find(|offer| offer.lots > 0);
            order.kind = OrderKind::Limit { price_ticks: best.unwrap().price_ticks };
        }
        let limit = order.kind.limit_ticks();
        for (price, lots) in self.grab(order.side, limit, order.open) {
            order.open -= lots;
            self.fill(order.id, price, lots, Liquidity::Taker);
        }
        if order.open == 0 {
            return;
        }
        match limit {
            Some(price) if order.time_in_force == TimeInForce::Gtc => {
                if to_limit {
                    self.say(order.id, ReportBody::Restated { price_ticks: Some(price), lots: order.open });
                }
                self.born += 1;
                order.born = self.born;
                if let OrderKind::Iceberg { display_lots, .. } = order.kind {
                    let shown = order.open.min(display_lots);
                    (order.open, order.hidden) = (shown, order.open - shown);
                }
                order.ahead = self.seen_ahead(order.side, price);
                self.orders.push(order);
            }
            _ => self.say(order.id, ReportBody::Canceled(CancelReason::ImmediateOrCancel)),
        }
    }

    /// Lots at a price; nobody knows beyond the last level of a side.
    fn seen_ahead(&self, side: Side, price: i64) -> Option<i64> {
        let levels = if side == Side::Buy { &self.book.bids } else { &self.book.asks };
        let deepest = levels.last()?.price_ticks;
        (side.sign() * (price - deepest) >= 0).then(|| self.book.lots_at(side, price))
    }

    fn wake(&mut self) {
        let (last, bid, ask) = (self.last_trade, self.best(Side::Buy), self.best(Side::Sell));
        for order in self.orders.iter_mut().filter(|order| order.kind.is_conditional()) {
            order.seen.extend(last.or(if order.side == Side::Buy { ask } else { bid }));
        }
        loop {
            let hit = |order: &PlainOrder| hit(order.side, order.kind, &order.seen);
            let sleeps = |order: &PlainOrder| order.kind.is_conditional();
            let fired = self.orders.iter().position(|order| sleeps(order) && hit(order).is_some());
            let Some(index) = fired else { return };
            let order = self.orders.remove(index);
            let kind = awake(order.side, order.kind, hit(&order).unwrap());
            self.say(order.id, told(order.kind, kind));
            let offers = self.offers(order.side, kind.limit_ticks());
            let offered: i64 = offers.iter().map(|offer| offer.lots).sum();
            if order.time_in_force == TimeInForce::Fok && offered < order.open {
                self.say(order.id, ReportBody::Canceled(CancelReason::ImmediateOrCancel));
            } else {
                self.arrive(PlainOrder { kind, ..order });
            }
        }
    }

    /// Shows the next parts of icebergs, the ones that came first first; tells whether there were any.
    fn show_more(&mut self) -> bool {
        let (mut gone, kept): (Vec<_>, Vec<_>) = self.orders.drain(..).partition(|order| order.open == 0);
        self.orders = kept;
        gone.retain(|order| order.hidden > 0);
        gone.sort_by_key(|order| order.born);
        let any = !gone.is_empty();
        for mut order in gone {
            let OrderKind::Iceberg { price_ticks, display_lots } = order.kind else { unreachable!() };
            order.open = order.hidden.min(display_lots);
            order.hidden -= order.open;
            order.ahead = self.seen_ahead(order.side, price_ticks);
            self.orders.push(order);
        }
        any
    }

    /// Indices of the resting orders of a side, in price-time priority.
    fn priority(&self, side: Side) -> Vec<(usize, i64)> {
        let mut found: Vec<_> = self
            .orders
            .iter()
            .enumerate()
            .filter(|(_, order)| order.side == side)
            .filter(|(_, order)| !order.kind.is_conditional())
            .filter_map(|(index, order)| order.kind.limit_ticks().map(|price| (index, price)))
            .collect();
        found.sort_by_key(|(index, price)| (-side.sign() * price, *index));
        found
    }

    fn trade(&mut self, aggressor: Side, price: i64, volume: i64) {
        self.last_trade = Some(price);
        if self.frozen {
            return;
        }
        let side = aggressor.opposite();
        let mut left = volume;
        for (index, own) in self.priority(side) {
            let order = &mut self.orders[index];
            match side.sign() * (own - price) {
                better if better > 0 => order.ahead = Some(0),
                0 => {}
                _ => continue,
            }
            if let Some(ahead) = order.ahead {
                let lots = (left - ahead).clamp(0, order.open);
                order.ahead = Some((ahead - left).max(0));
                order.open -= lots;
                left -= lots;
                let id = order.id;
                if lots > 0 {
                    self.fill(id, own, lots, Liquidity::Maker);
                }
            }
        }
        self.show_more();
        self.wake();
    }

    fn depth(&mut self, book: PlainBook) {
        self.book = book;
        if self.frozen {
            return;
        }
        let kept: Vec<_> = self.taken.iter().map(|(key, value)| (*key, *value)).collect();
        for ((sign, price), (seen, _)) in kept {
            let side = if sign > 0 { Side::Buy } else { Side::Sell };
            if self.book.lots_at(side, price) != seen {
                self.taken.remove(&(sign, price));
            }
        }
        for index in 0..self.orders.len() {
            let kind = self.orders[index].kind;
            if let Some(price_ticks) = kind.limit_ticks().filter(|_| !kind.is_conditional()) {
                let seen = self.seen_ahead(self.orders[index].side, price_ticks);
                let ahead = self.orders[index].ahead;
                self.orders[index].ahead = match (ahead, seen) {
                    (Some(ahead), Some(seen)) => Some(ahead.min(seen)),
                    (ahead, seen) => ahead.or(seen),
                };
            }
        }
        loop {
            for side in [Side::Buy, Side::Sell] {
                for (index, own) in self.priority(side) {
                    let (id, open) = (self.orders[index].id, self.orders[index].open);
                    let lots = self.grab(side, Some(own), open).iter().map(|part| part.1).sum();
                    self.orders[index].open -= lots;
                    if lots > 0 {
                        self.fill(id, own, lots, Liquidity::Maker);
                    }
                }
            }
            if !self.show_more() {
                break;
            }
        }
        self.wake();
    }

    fn cancel(&mut self, id: OrderId) {
        let before = self.orders.len();
        self.orders.retain(|order| order.id != id);
        if self.orders.len() < before {
            self.say(id, ReportBody::Canceled(CancelReason::Requested));
        } else {
            self.say(id, ReportBody::CancelRejected(RejectReason::UnknownOrder));
        }
    }

    fn replace(&mut self, id: OrderId, price: Option<i64>, lots: i64) {
        let refused = |reason| ReportBody::ReplaceRejected(reason);
        let Some(index) = self.orders.iter().position(|order| order.id == id) else {
            return self.say(id, refused(RejectReason::UnknownOrder));
        };
        if lots <= 0 {
            return self.say(id, refused(RejectReason::Unsupported));
        }
        let order = self.orders[index].clone();
        let is_trailing = order.kind.price_ticks().is_none();
        if is_trailing && price.is_some() {
            return self.say(id, refused(RejectReason::Unsupported));
        }
        let kind = price.map_or(order.kind, |price| order.kind.with_price(price).unwrap());
        let stated = kind.price_ticks().or(trail(order.side, kind, &order.seen));
        let replaced = ReportBody::Replaced { price_ticks: stated, lots };
        if is_trailing {
            self.orders[index].open = lots;
            return self.say(id, replaced);
        }
        if order.kind == kind && lots <= order.open + order.hidden {
            self.orders[index].open = lots.min(order.open);
            self.orders[index].hidden = lots - lots.min(order.open);
            return self.say(id, replaced);
        }
        if self.frozen {
            return self.say(id, refused(RejectReason::NoLiquidity));
        }
        if order.post_only && stated.is_some_and(|stated| self.would_take(order.side, stated)) {
            return self.say(id, refused(RejectReason::WouldTake));
        }
        self.orders.remove(index);
        self.say(id, replaced);
        self.arrive(PlainOrder { kind, open: lots, ahead: None, hidden: 0, seen: Vec::new(), ..order });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_matcher_says_what_a_slow_plain_reference_says(inputs in inputs()) {
        let fees = FeeSchedule { maker_ppb: -1_000, taker_ppb: 5_000 };
        let mut matcher = DepthMatcher::new(instrument("0.01", "1"), fees, CAPACITY);
        let (mut plain, mut audit) = (Plain::default(), Audit::default());
        let (mut out, mut last_id): (Vec<Report>, u64) = (Vec::new(), 0);
        let mut volume_max;
        for input in &inputs {
            out.clear();
            plain.out.clear();
            volume_max = None;
            match input {
                Input::Submit { .. } => {
                    last_id += 1;
                    let intent = intent(last_id, input);
                    audit.sent(intent);
                    matcher.submit(&approved(intent), &plain.book, 7, &mut out);
                    plain.submit(&intent);
                }
                Input::Cancel { pick } if last_id > 0 => {
                    let id = OrderId(1 + pick % last_id);
                    matcher.cancel(id, 7, &mut out);
                    plain.cancel(id);
                }
                Input::Replace { pick, price_ticks, lots } if last_id > 0 => {
                    let open = audit.open_ids();
                    let id = if open.is_empty() { OrderId(1) } else { open[pick.index(open.len())] };
                    matcher.replace(id, *price_ticks, *lots, &plain.book, 7, &mut out);
                    plain.replace(id, *price_ticks, *lots);
                }
                Input::Trade { aggressor, price_ticks, lots } => {
                    let trade = Trade { price_ticks: *price_ticks, lots: *lots, aggressor: *aggressor, trade_id: 0 };
                    matcher.on_trade(&trade, &plain.book, 7, &mut out);
                    plain.trade(*aggressor, *price_ticks, *lots);
                    volume_max = Some(*lots);
                }
                Input::Book { bids, asks } => {
                    plain.depth(PlainBook::new(bids, asks));
                    matcher.on_depth(&plain.book, 7, &mut out);
                }
                Input::Freeze(frozen) => {
                    matcher.set_frozen(*frozen);
                    plain.frozen = *frozen;
                }
                Input::Cancel { .. } | Input::Replace { .. } => {}
            }
            let said: Vec<_> = out.iter().map(|report| (report.order_id.0, report.body)).collect();
            prop_assert_eq!(&said, &plain.out);
            let (made, taken) = audit.read(&out);
            prop_assert!(volume_max.is_none_or(|volume| made <= volume), "a trade was used twice");
            prop_assert!(!matcher.is_frozen() || made + taken == 0, "filled while frozen");
            audit.agrees_with(matcher.open_orders());
            let ahead: BTreeMap<_, _> = matcher.open_orders().map(|o| (o.order_id, o.ahead_lots)).collect();
            let plain_ahead = plain.orders.iter().map(|order| (order.id, order.ahead)).collect();
            prop_assert_eq!(ahead, plain_ahead);
        }
    }
}
