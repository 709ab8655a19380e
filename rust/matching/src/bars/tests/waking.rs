//! Orders that wait for a price, beside a walk through every bar tick by tick.

use proptest::prelude::*;
use tradecore_types::{CancelReason, OrderIntent, OrderKind, ReportBody, Side, TimeInForce};

use super::Desk;
use crate::conditions::{awake, hit, told};
use crate::samples::market;
use crate::{BarFill, BarOrder};

/// What the walk knows of one order.
struct Walk {
    side: Side,
    kind: OrderKind,
    is_immediate: bool,
    seen: Vec<i64>,
    /// Limit that it has rested with since a bar before.
    rests: Option<i64>,
    is_done: bool,
    said: Vec<String>,
}

impl Walk {
    fn is_met(&self, limit: i64, price: i64) -> bool {
        self.side.sign() * (limit - price) >= 0
    }

    fn fill(&mut self, price: i64, liquidity: &str) {
        self.said.push(format!("1 fill 3@{price} {liquidity}"));
        self.is_done = true;
    }

    fn cancel(&mut self) {
        self.said.push("1 Canceled(ImmediateOrCancel)".into());
        self.is_done = true;
    }

    /// The market is at a price, tick by tick; returns what the order is if that set it off.
    fn step(&mut self, price: i64) -> Option<OrderKind> {
        self.seen.push(price);
        let trigger = hit(self.side, self.kind, &self.seen)?;
        let kind = awake(self.side, self.kind, trigger);
        self.said.push(format!("1 {:?}", told(self.kind, kind)));
        Some(kind)
    }

    fn bar(&mut self, [open, high, low, close]: [i64; 4]) {
        if self.is_done {
            return;
        }
        let is_buy = self.side == Side::Buy;
        let best = if is_buy { low } else { high };
        if let Some(limit) = self.rests {
            if self.is_met(limit, open) {
                self.fill(open, "Maker");
            } else if self.is_met(limit, best) {
                self.fill(limit, "Maker");
            }
            return;
        }
        match self.step(open).map(OrderKind::limit_ticks) {
            None => self.inside([open, high, low, close]),
            Some(None) => self.fill(open, "Taker"),
            Some(Some(limit)) if self.is_met(limit, open) => self.fill(open, "Taker"),
            Some(Some(_)) if self.is_immediate => self.cancel(),
            Some(Some(limit)) if self.is_met(limit, best) => self.fill(limit, "Maker"),
            Some(limit) => self.rests = limit,
        }
    }

    fn inside(&mut self, [open, high, low, close]: [i64; 4]) {
        let is_touched =
            matches!(self.kind, OrderKind::MarketIfTouched { .. } | OrderKind::LimitIfTouched { .. });
        let corners = match (self.side, is_touched) {
            (Side::Buy, true) => vec![open, low],
            (Side::Sell, true) => vec![open, high],
            (Side::Buy, false) => vec![open, high, low, close],
            (Side::Sell, false) => vec![open, low, high, close],
        };
        for leg in corners.windows(2) {
            let mut price = leg[0];
            while price != leg[1] {
                price += (leg[1] - price).signum();
                match self.step(price).map(OrderKind::limit_ticks) {
                    None => continue,
                    Some(None) => self.fill(price, "Taker"),
                    Some(Some(limit)) if self.is_met(limit, price) => self.fill(price, "Taker"),
                    Some(Some(_)) if self.is_immediate => self.cancel(),
                    Some(limit) => self.rests = limit,
                }
                return;
            }
        }
    }
}

fn kind() -> impl Strategy<Value = OrderKind> {
    let price = || 60i64..140;
    let activation = || prop_oneof![Just(0i64), price()];
    prop_oneof![
        (price(), price())
            .prop_map(|(trigger_ticks, price_ticks)| OrderKind::StopLimit { trigger_ticks, price_ticks }),
        price().prop_map(|trigger_ticks| OrderKind::MarketIfTouched { trigger_ticks }),
        (price(), price()).prop_map(|(trigger_ticks, price_ticks)| OrderKind::LimitIfTouched {
            trigger_ticks,
            price_ticks
        }),
        (1i64..30, activation()).prop_map(|(offset_ticks, activation_ticks)| OrderKind::TrailingStop {
            offset_ticks,
            activation_ticks
        }),
        (1i64..30, 0i64..10, activation()).prop_map(
            |(offset_ticks, limit_offset_ticks, activation_ticks)| {
                OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks }
            }
        ),
    ]
}

fn bars() -> impl Strategy<Value = Vec<[i64; 4]>> {
    let bar = (70i64..130, 70i64..130, 0i64..12, 0i64..12)
        .prop_map(|(open, close, up, down)| [open, open.max(close) + up, open.min(close) - down, close]);
    prop::collection::vec(bar, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    /// Both policies say, bar by bar, what a walk through the bar tick by tick says.
    #[test]
    fn an_order_that_waits_for_a_price_does_what_a_walk_tick_by_tick_says(
        kind in kind(),
        is_buy in any::<bool>(),
        time in prop::sample::select(vec![TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]),
        policy in prop::sample::select(vec![BarOrder::Time, BarOrder::Queue]),
        bars in bars(),
    ) {
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let mut desk = Desk::new(BarFill::NextOpen, policy);
        desk.send(OrderIntent { kind, time_in_force: time, ..market(0, side, 3) });
        let is_immediate = !time.may_wait();
        let mut walk =
            Walk { side, kind, is_immediate, seen: vec![], rests: None, is_done: false, said: vec![] };
        for prices in bars {
            walk.said.clear();
            walk.bar(prices);
            prop_assert_eq!(&desk.bar(prices), &walk.said, "{:?}", prices);
        }
    }
}

/// An order without a queue in sight is a plain one: whole at the open, whole at its limit.
#[test]
fn market_to_limit_and_iceberg_orders_fill_whole_against_bars() {
    let mut desk = Desk::new(BarFill::NextOpen, BarOrder::Time);
    desk.send(OrderIntent { kind: OrderKind::MarketToLimit, ..market(0, Side::Buy, 3) });
    desk.send(OrderIntent {
        kind: OrderKind::Iceberg { price_ticks: 95, display_lots: 1 },
        ..market(0, Side::Buy, 4)
    });
    assert_eq!(desk.bar([100, 101, 94, 96]), ["1 fill 3@100 Taker", "2 fill 4@95 Maker"]);
}

/// An expired order is gone with its own word; one that is gone already says nothing.
#[test]
fn an_order_expires_once() {
    let mut desk = Desk::new(BarFill::NextOpen, BarOrder::Time);
    let id = desk.send(OrderIntent { kind: OrderKind::Limit { price_ticks: 50 }, ..market(0, Side::Buy, 3) });
    desk.account.reports.clear();
    desk.matcher.expire(id, 5, &mut desk.account).unwrap();
    desk.matcher.expire(id, 5, &mut desk.account).unwrap();
    let said: Vec<_> = desk.account.reports.iter().map(|report| report.body).collect();
    assert_eq!(said, [ReportBody::Expired]);
    desk.matcher.cancel(id, CancelReason::Requested, 6, &mut desk.account).unwrap();
    assert!(desk.matcher.is_empty());
}
