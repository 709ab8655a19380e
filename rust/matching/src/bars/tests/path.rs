//! All orders of a bar, beside a walk through it tick by tick: every kind, side, way of arriving and bar order.

use proptest::prelude::*;
use tradecore_types::{OrderId, OrderIntent, OrderKind, Side, TimeInForce, TimeNs};

use super::{Desk, bar};
use crate::conditions::{awake, hit, told};
use crate::samples::{self, market};
use crate::{BarFill, BarMatcher, BarOrder};

/// When an order reaches the venue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    /// Before the bar opens.
    Before,
    /// At the time of the open, after the open was looked at: sent because of what filled there.
    AtOpen,
    /// Inside the bar.
    Inside,
}

/// One random order.
#[derive(Clone, Debug)]
struct Wish {
    side: Side,
    kind: OrderKind,
    arrival: Arrival,
    is_immediate: bool,
    is_post_only: bool,
    /// After how many halves of a bar, counted from the open of its own, its time is up; even: with a close.
    halves: Option<i64>,
    /// Whether it and the order before it cancel each other.
    is_linked: bool,
}

/// An order of the walk.
#[derive(Clone, Debug)]
struct Plain {
    id: u64,
    wish: Wish,
    kind: OrderKind,
    arrived_ns: TimeNs,
    expire_ns: TimeNs,
    has_seen: bool,
    /// Best price since a trailing stop is active.
    best: Option<i64>,
    /// Set off in this bar without a trade: it waits for the next one.
    is_resting: bool,
    is_gone: bool,
}

impl Plain {
    fn is_asleep(&self) -> bool {
        self.kind.is_conditional() && !matches!(self.kind, OrderKind::Stop { .. })
    }

    fn is_met(&self, price: i64) -> bool {
        let sign = self.wish.side.sign();
        match self.kind {
            OrderKind::Market => true,
            OrderKind::Limit { price_ticks } => sign * (price_ticks - price) >= 0,
            OrderKind::Stop { trigger_ticks } => sign * (price - trigger_ticks) >= 0,
            _ => false,
        }
    }

    fn is_in(&self, open_ns: TimeNs) -> bool {
        !self.is_gone && self.arrived_ns <= open_ns && self.expire_ns > open_ns
    }

    /// Shows a price to a dormant order; returns the trigger that it has hit.
    fn hit(&mut self, price: i64) -> Option<i64> {
        let (offset_ticks, offset_ppm, activation_ticks) = match self.kind {
            OrderKind::TrailingStop { offset_ticks, activation_ticks }
            | OrderKind::TrailingStopLimit { offset_ticks, activation_ticks, .. } => {
                (offset_ticks, 0, activation_ticks)
            }
            OrderKind::TrailingPercent { offset_ppm, activation_ticks } => (1, offset_ppm, activation_ticks),
            _ => return hit(self.wish.side, self.kind, &[price]),
        };
        let sign = self.wish.side.sign();
        let Some(best) = self.best else {
            let is_active = activation_ticks == 0 || sign * (activation_ticks - price) >= 0;
            self.best = is_active.then_some(price);
            return None;
        };
        let trigger = best + sign * offset_ticks.max(best * offset_ppm / 1_000_000);
        self.best = Some(sign * (sign * best).min(sign * price));
        (sign * (price - trigger) >= 0).then_some(trigger)
    }

    /// Stops before limits.
    fn rank(&self) -> u8 {
        let touched = [
            OrderKind::MarketIfTouched { trigger_ticks: 0 },
            OrderKind::LimitIfTouched { trigger_ticks: 0, price_ticks: 0 },
        ];
        let is_touched =
            touched.iter().any(|kind| std::mem::discriminant(kind) == std::mem::discriminant(&self.kind));
        u8::from(is_touched || matches!(self.kind, OrderKind::Limit { .. }))
    }
}

/// The plain walk.
#[derive(Default)]
struct Walk {
    orders: Vec<Plain>,
    position: i64,
    said: Vec<String>,
    /// As in the account.
    breaches: Option<[i64; 2]>,
    /// Where margin was used up.
    stop: Option<i64>,
}

impl Walk {
    fn say(&mut self, index: usize, what: &str) {
        self.said.push(format!("{} {what}", self.orders[index].id));
    }

    fn end(&mut self, index: usize, what: &str) {
        self.orders[index].is_gone = true;
        self.say(index, what);
    }

    fn fill(&mut self, index: usize, price: i64, liquidity: &str) {
        if matches!(self.orders[index].kind, OrderKind::Stop { .. }) {
            self.say(index, "Triggered");
        }
        self.position += self.orders[index].wish.side.sign();
        self.end(index, &format!("fill 1@{price} {liquidity}"));
        let partner = index.checked_sub(1).filter(|_| self.orders[index].wish.is_linked);
        let follower = self.orders.get(index + 1).filter(|next| next.wish.is_linked).map(|_| index + 1);
        for other in [partner, follower].into_iter().flatten() {
            if other > 0 && !self.orders[other].is_gone {
                self.end(other, "Canceled(Linked)");
            }
        }
    }

    /// An order sees a price; tells whether it has done something.
    fn see(&mut self, index: usize, price: i64, is_open: bool, [low, high]: [i64; 2]) -> bool {
        let order = &mut self.orders[index];
        let mut takes = !std::mem::replace(&mut order.has_seen, true);
        if order.is_asleep() {
            let Some(trigger) = order.hit(price) else { return false };
            let kind = awake(order.wish.side, order.kind, trigger);
            let said = format!("{:?}", told(order.kind, kind));
            order.kind = kind;
            takes = true;
            self.say(index, &said);
            let order = &mut self.orders[index];
            if !order.is_met(price) && !is_open {
                order.is_resting = true;
                if order.wish.is_immediate && matches!(kind, OrderKind::Limit { .. }) {
                    self.end(index, "Canceled(ImmediateOrCancel)");
                }
                return true;
            }
        }
        let order = &self.orders[index];
        if order.kind == OrderKind::Market && !takes && !is_open || !order.is_met(price) {
            return false;
        }
        match order.kind {
            OrderKind::Limit { price_ticks } if order.wish.is_post_only => {
                self.fill(index, price_ticks.max(low).min(high), "Maker");
            }
            OrderKind::Limit { .. } if !takes => self.fill(index, price, "Maker"),
            _ => self.fill(index, price, "Taker"),
        }
        true
    }

    fn open(&mut self, ours: impl Fn(&Plain) -> bool, price: i64, range: [i64; 2]) {
        let met: Vec<usize> = (0..self.orders.len()).filter(|&index| ours(&self.orders[index])).collect();
        // What the open sets off is told first; then all fill by arrival.
        for &index in &met {
            let order = &mut self.orders[index];
            if order.is_asleep()
                && let Some(trigger) = order.hit(price)
            {
                let kind = awake(order.wish.side, order.kind, trigger);
                let said = format!("{:?}", told(order.kind, kind));
                (order.kind, order.has_seen) = (kind, false);
                self.say(index, &said);
            }
        }
        for &index in &met {
            if !self.orders[index].is_gone && !self.orders[index].is_asleep() {
                self.see(index, price, true, range);
            }
        }
        for &index in &met {
            let order = &self.orders[index];
            if !order.is_gone && order.wish.is_immediate && matches!(order.kind, OrderKind::Limit { .. }) {
                self.end(index, "Canceled(ImmediateOrCancel)");
            }
        }
    }

    fn corners(&self, open_ns: TimeNs, [_, high, low, close]: [i64; 4]) -> [i64; 3] {
        let waiting: Vec<&Plain> = self
            .orders
            .iter()
            .filter(|order| order.is_in(open_ns) && order.kind != OrderKind::Market)
            .collect();
        let closing = |side: Side| {
            self.position * side.sign() < 0 && waiting.iter().any(|order| order.wish.side == side)
        };
        let side = match (closing(Side::Buy), closing(Side::Sell)) {
            (true, false) => Side::Buy,
            (false, true) => Side::Sell,
            _ => waiting.first().map_or(Side::Sell, |order| order.wish.side),
        };
        if side == Side::Sell { [low, high, close] } else { [high, low, close] }
    }

    fn range(&mut self, open_ns: TimeNs, prices: [i64; 4]) {
        let [mut price, high, low, _] = prices;
        self.look_at_margin(price);
        for corner in self.corners(open_ns, prices) {
            while price != corner && self.stop.is_none() {
                price += (corner - price).signum();
                let mut turn: Vec<usize> = (0..self.orders.len()).collect();
                turn.sort_by_key(|&index| self.orders[index].rank());
                for index in turn {
                    let order = &self.orders[index];
                    if order.is_in(open_ns) && !order.is_resting {
                        self.see(index, price, false, [low, high]);
                    }
                }
                self.look_at_margin(price);
            }
        }
        self.orders.iter_mut().for_each(|order| order.is_resting = false);
    }

    /// Orders trade at a price first, and then the margin is looked at.
    fn look_at_margin(&mut self, price: i64) {
        let is_breached = self.breaches.is_some_and(|[low, high]| {
            self.position > 0 && price <= low || self.position < 0 && price >= high
        });
        self.stop = is_breached.then_some(price);
    }

    fn expire(&mut self, until_ns: TimeNs) {
        for index in 0..self.orders.len() {
            if !self.orders[index].is_gone && self.orders[index].expire_ns <= until_ns {
                self.end(index, "Expired");
            }
        }
    }
}

/// The venue and the walk beside it.
struct Both {
    desk: Desk,
    walk: Walk,
}

impl Both {
    fn send(&mut self, wish: &Wish, number: i64, last: i64) {
        let open_ns = number * 10;
        let arrived_ns = match wish.arrival {
            Arrival::Before => open_ns - 1,
            Arrival::AtOpen => open_ns,
            Arrival::Inside => open_ns + 1,
        };
        let expire_ns = wish.halves.map_or(TimeNs::MAX, |halves| open_ns + 5 * halves);
        let time_in_force = match wish.halves {
            Some(_) => TimeInForce::Gtd { expire_ns },
            None if wish.is_immediate => TimeInForce::Ioc,
            None => TimeInForce::Gtc,
        };
        let intent = OrderIntent {
            kind: wish.kind,
            time_in_force,
            post_only: wish.is_post_only,
            ..market(0, wish.side, 1)
        };
        let order = self.desk.account.send(intent);
        let id = order.intent().order_id;
        let Desk { matcher, account, .. } = &mut self.desk;
        if wish.is_linked && id.0 > 2 {
            account.linked.push((OrderId(id.0 - 1), id));
        }
        let is_rejected = {
            matcher.submit(&order, arrived_ns, account).unwrap();
            account.orders.get(id).is_none()
                && account.reports.iter().any(|report| {
                    report.order_id == id && matches!(report.body, tradecore_types::ReportBody::Rejected(_))
                })
        };
        self.walk.orders.push(Plain {
            id: id.0,
            wish: Wish { is_immediate: time_in_force == TimeInForce::Ioc, ..wish.clone() },
            kind: wish.kind,
            arrived_ns,
            expire_ns,
            has_seen: false,
            best: None,
            is_resting: false,
            is_gone: is_rejected,
        });
        // A post-only order is refused by the last price, and by nothing else.
        let would_take = wish.is_post_only && self.walk.orders.last().unwrap().is_met(last);
        assert_eq!(is_rejected, would_take, "{wish:?} {last}");
    }

    /// Goes through a bar; returns where margin was used up, at the venue and in the walk.
    fn bar(&mut self, number: i64, prices: [i64; 4], wishes: &[Wish], last: Option<i64>) -> [Option<i64>; 2] {
        let [open, high, low, _] = prices;
        let (open_ns, close_ns, range) = (number * 10, number * 10 + 10, [low, high]);
        let of = |arrival| wishes.iter().filter(move |wish| wish.arrival == arrival);
        self.desk.account.reports.clear();
        self.walk.said.clear();
        let is_queue = self.desk.matcher.rules.order == BarOrder::Queue;
        let bar = bar(number, prices);
        for wish in of(Arrival::Before) {
            self.send(wish, number, last.unwrap_or(if wish.side == Side::Buy { i64::MAX / 2 } else { 0 }));
        }
        self.desk.matcher.on_open(&bar, close_ns, &mut self.desk.account).unwrap();
        if !is_queue {
            self.walk.open(|order| order.is_in(open_ns), open, range);
        }
        for wish in of(Arrival::AtOpen) {
            self.send(wish, number, open);
            let id = self.walk.orders.last().unwrap().id;
            if !is_queue {
                self.walk.open(|order| order.id == id && order.is_in(open_ns), open, range);
            }
        }
        for wish in of(Arrival::Inside) {
            self.send(wish, number, last.unwrap_or(if wish.side == Side::Buy { i64::MAX / 2 } else { 0 }));
        }
        if is_queue {
            // The whole bar at once: what is up inside it saw the open, and nothing later.
            self.expire_inside(open_ns, close_ns);
            self.walk.open(|order| order.is_in(open_ns), open, range);
        } else {
            self.expire_inside(open_ns, close_ns);
        }
        let Desk { matcher, account, .. } = &mut self.desk;
        let stop = matcher.on_bar(&bar, close_ns, account).unwrap();
        self.walk.range(open_ns, prices);
        self.walk.expire(close_ns);
        [stop.map(|stop| stop.price_ticks), self.walk.stop]
    }

    fn expire_inside(&mut self, open_ns: TimeNs, close_ns: TimeNs) {
        let Desk { matcher, account, .. }: &mut Desk = &mut self.desk;
        for expire_ns in open_ns..close_ns {
            for order in &self.walk.orders {
                if order.expire_ns == expire_ns {
                    BarMatcher::expire(matcher, OrderId(order.id), expire_ns, account).unwrap();
                }
            }
            self.walk.expire(expire_ns);
        }
    }
}

fn kinds() -> impl Strategy<Value = OrderKind> {
    let price = || 70i64..130;
    let activation = || prop_oneof![Just(0i64), price()];
    prop_oneof![
        1 => Just(OrderKind::Market),
        3 => price().prop_map(|price_ticks| OrderKind::Limit { price_ticks }),
        2 => price().prop_map(|trigger_ticks| OrderKind::Stop { trigger_ticks }),
        1 => (price(), price())
            .prop_map(|(trigger_ticks, price_ticks)| OrderKind::StopLimit { trigger_ticks, price_ticks }),
        1 => price().prop_map(|trigger_ticks| OrderKind::MarketIfTouched { trigger_ticks }),
        1 => (price(), price())
            .prop_map(|(trigger_ticks, price_ticks)| OrderKind::LimitIfTouched { trigger_ticks, price_ticks }),
        2 => (1i64..25, activation()).prop_map(|(offset_ticks, activation_ticks)| {
            OrderKind::TrailingStop { offset_ticks, activation_ticks }
        }),
        2 => (1i64..250_000, activation()).prop_map(|(offset_ppm, activation_ticks)| {
            OrderKind::TrailingPercent { offset_ppm, activation_ticks }
        }),
        1 => (1i64..25, 0i64..8, activation()).prop_map(
            |(offset_ticks, limit_offset_ticks, activation_ticks)| OrderKind::TrailingStopLimit {
                offset_ticks,
                limit_offset_ticks,
                activation_ticks
            }
        ),
    ]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let arrivals = vec![Arrival::Before, Arrival::AtOpen, Arrival::Inside];
    let wish = (
        any::<bool>(),
        kinds(),
        prop::sample::select(arrivals),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.3),
        prop::option::weighted(0.3, 1i64..8),
        prop::bool::weighted(0.3),
    );
    let wish = wish.prop_map(|(is_buy, kind, arrival, is_immediate, is_post_only, halves, is_linked)| Wish {
        side: if is_buy { Side::Buy } else { Side::Sell },
        kind,
        arrival,
        is_immediate,
        is_post_only: is_post_only && !is_immediate && matches!(kind, OrderKind::Limit { .. }),
        halves: halves.filter(|_| !is_immediate),
        is_linked,
    });
    prop::collection::vec(wish, 0..4)
}

fn bars() -> impl Strategy<Value = Vec<([i64; 4], Vec<Wish>)>> {
    let prices = (80i64..120, 80i64..120, 0i64..12, 0i64..12)
        .prop_map(|(open, close, up, down)| [open, open.max(close) + up, open.min(close) - down, close]);
    prop::collection::vec((prices, wishes()), 1..10)
}

/// A trailing stop that never becomes active: while it waits, [`BarOrder::Queue`] walks the bar too.
fn far_away() -> Wish {
    Wish {
        side: Side::Sell,
        kind: OrderKind::TrailingStop { offset_ticks: 1, activation_ticks: 1_000_000 },
        arrival: Arrival::Before,
        is_immediate: false,
        is_post_only: false,
        halves: None,
        is_linked: false,
    }
}

// Order 1 is the one far away; one that is linked in the first bar would take it along.
proptest! {
    #![proptest_config(ProptestConfig { cases: 1_024, failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    /// Whatever waits, and however it came: the bar does with it what a walk along the documented path does.
    #[test]
    fn a_bar_does_what_a_walk_tick_by_tick_does(
        policy in prop::sample::select(vec![BarOrder::Time, BarOrder::Queue]),
        bars in bars(),
        breaches in prop::option::of((65i64..105, 95i64..135).prop_map(|(low, high)| [low, high])),
    ) {
        let mut desk = Desk::new(BarFill::NextOpen, policy);
        desk.matcher.rules.orders_max = 1_000;
        desk.account = super::Account::new(samples::instrument("1", "1"), crate::FeeSchedule::default(), 1_000_000, 10);
        desk.account.breaches = breaches;
        let mut both = Both { desk, walk: Walk { breaches, ..Walk::default() } };
        let mut last = None;
        for (number, (prices, wishes)) in (1i64..).zip(bars) {
            let mut wishes = wishes;
            if number == 1 {
                for wish in &mut wishes {
                    wish.is_linked = false;
                }
                wishes.insert(0, far_away());
            }
            let [stop, expected] = both.bar(number, prices, &wishes, last);
            last = Some(prices[3]);
            let mut said = samples::told(&both.desk.account.reports);
            said.retain(|line| !line.ends_with("Accepted") && !line.ends_with("Rejected(WouldTake)"));
            prop_assert_eq!(said, both.walk.said.clone(), "{:?} {:?}", prices, wishes);
            prop_assert_eq!(stop, expected, "{:?} {:?}", prices, wishes);
            if stop.is_some() {
                // The rest is the account's affair: what waits is cancelled there.
                break;
            }
        }
    }
}
