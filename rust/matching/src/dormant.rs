//! Orders that wait for a price before they may trade: stops, touched and trailing orders.

use tradecore_types::{OrderId, OrderKind, ReportBody, Side};

use crate::mandate::{Mandate, reaches, sets_off};
use crate::state::{put, put_id};

/// An order that waits for a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Dormant {
    /// The order as it is.
    pub mandate: Mandate,
    /// Price that sets it off; `None` while a trailing stop is not active.
    trigger_ticks: Option<i64>,
    /// Whether it was set off and only waits for its turn.
    is_set_off: bool,
}

impl Dormant {
    /// Puts an order to sleep.
    pub const fn new(mandate: Mandate) -> Self {
        let trigger_ticks = match mandate.kind {
            OrderKind::Stop { trigger_ticks }
            | OrderKind::StopLimit { trigger_ticks, .. }
            | OrderKind::MarketIfTouched { trigger_ticks }
            | OrderKind::LimitIfTouched { trigger_ticks, .. } => Some(trigger_ticks),
            _ => None,
        };
        Self { mandate, trigger_ticks, is_set_off: false }
    }

    /// Puts an order to sleep whose trigger, if it trails, has already come to `trail_ticks`.
    pub fn trailed_to(mandate: Mandate, trail_ticks: Option<i64>) -> Self {
        let dormant = Self::new(mandate);
        Self { trigger_ticks: dormant.trigger_ticks.or(trail_ticks), ..dormant }
    }

    /// Shows it a price of the market; tells whether it is set off.
    ///
    /// A trailing stop first asks whether the price hits its trigger, and only then follows the price.
    pub fn see(&mut self, price_ticks: i64) -> bool {
        let side = self.mandate.side;
        if !self.is_set_off {
            self.is_set_off = self.trigger_ticks.is_some_and(|trigger| match self.mandate.kind {
                OrderKind::MarketIfTouched { .. } | OrderKind::LimitIfTouched { .. } => {
                    reaches(side, trigger, price_ticks)
                }
                _ => sets_off(side, trigger, price_ticks),
            });
            self.follow(price_ticks);
        }
        self.is_set_off
    }

    /// Moves the trigger of a trailing stop after the price, once it is active.
    fn follow(&mut self, price_ticks: i64) {
        let side = self.mandate.side;
        let (offset_ticks, activation_ticks) = match self.mandate.kind {
            OrderKind::TrailingStop { offset_ticks, activation_ticks }
            | OrderKind::TrailingStopLimit { offset_ticks, activation_ticks, .. } => {
                (offset_ticks, activation_ticks)
            }
            OrderKind::TrailingPercent { offset_ppm, activation_ticks } => {
                (share_ticks(price_ticks, offset_ppm), activation_ticks)
            }
            _ => return,
        };
        let is_active = self.trigger_ticks.is_some() || activation_ticks == 0;
        if self.is_set_off || !(is_active || reaches(side, activation_ticks, price_ticks)) {
            return;
        }
        let near = trailed(side, price_ticks, offset_ticks);
        self.trigger_ticks = Some(match (self.trigger_ticks, side) {
            (None, _) => near,
            (Some(trigger), Side::Buy) => trigger.min(near),
            (Some(trigger), Side::Sell) => trigger.max(near),
        });
    }

    /// Returns the price that sets it off; `None` while a trailing stop is not active.
    pub const fn trigger_ticks(&self) -> Option<i64> {
        self.trigger_ticks
    }

    /// Returns what it is once it is set off: a market or a limit order.
    pub fn awake(&self) -> Mandate {
        let kind = match (self.mandate.kind, self.trigger_ticks) {
            (OrderKind::StopLimit { price_ticks, .. } | OrderKind::LimitIfTouched { price_ticks, .. }, _) => {
                OrderKind::Limit { price_ticks }
            }
            (OrderKind::TrailingStopLimit { limit_offset_ticks, .. }, Some(trigger)) => {
                OrderKind::Limit { price_ticks: trailed(self.mandate.side, trigger, limit_offset_ticks) }
            }
            _ => OrderKind::Market,
        };
        Mandate { kind, ..self.mandate }
    }

    /// Returns what is said of it when it is set off: where only then its limit is known, that too.
    pub fn set_off(&self) -> ReportBody {
        match (self.mandate.kind, self.awake().kind) {
            (OrderKind::TrailingStopLimit { .. }, OrderKind::Limit { price_ticks }) => {
                ReportBody::TriggeredAt { price_ticks }
            }
            _ => ReportBody::Triggered,
        }
    }

    /// Gives it a new size and, where it states one, a new price (`None` keeps it). `Some(true)` when it keeps
    /// its turn; `None` when a price was given to an order that states none.
    pub fn amend(&mut self, price_ticks: Option<i64>, lots: i64) -> Option<bool> {
        let old = self.mandate;
        let kind = price_ticks.map_or(Some(old.kind), |new_ticks| old.kind.with_price(new_ticks))?;
        let mandate = Mandate { kind, lots, ..old };
        let is_trailing = kind.price_ticks().is_none();
        let keeps_turn = is_trailing || (kind == old.kind && lots <= old.lots);
        if keeps_turn {
            self.mandate = mandate;
        } else {
            *self = Self::new(mandate);
        }
        Some(keeps_turn)
    }

    /// Returns the price it states, else its trigger: what a report says of it. A trailing stop has neither
    /// before it is active.
    pub fn stated_ticks(&self) -> Option<i64> {
        self.mandate.kind.price_ticks().or(self.trigger_ticks)
    }
}

/// Returns the price at a distance behind another one, on the side on which a stop waits.
const fn trailed(side: Side, price_ticks: i64, offset_ticks: i64) -> i64 {
    match side {
        Side::Buy => price_ticks.saturating_add(offset_ticks),
        Side::Sell => price_ticks.saturating_sub(offset_ticks),
    }
}

/// Returns a share of a price in whole ticks, rounded down so that no more is lost, but at least one.
fn share_ticks(price_ticks: i64, ppm: i64) -> i64 {
    let share = i128::from(price_ticks.max(0)) * i128::from(ppm) / 1_000_000;
    i64::try_from(share).unwrap_or(i64::MAX).max(1)
}

/// Dormant orders by arrival.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct DormantOrders {
    orders: Vec<Dormant>,
}

impl DormantOrders {
    /// Makes an empty list with room for `capacity` orders.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { orders: Vec::with_capacity(capacity) }
    }

    /// Returns the orders by arrival.
    pub fn orders(&self) -> &[Dormant] {
        &self.orders
    }

    /// Adds an order behind the others.
    pub fn push(&mut self, order: Dormant) {
        self.orders.push(order);
    }

    /// Takes the order with this id out.
    pub fn remove(&mut self, order_id: OrderId) -> Option<Dormant> {
        let index = self.orders.iter().position(|order| order.mandate.order_id == order_id)?;
        Some(self.orders.remove(index))
    }

    /// Returns the order with this id.
    pub fn find(&mut self, order_id: OrderId) -> Option<&mut Dormant> {
        self.orders.iter_mut().find(|order| order.mandate.order_id == order_id)
    }

    /// Shows every order the price that orders of its side watch.
    pub fn watch(&mut self, price: impl Fn(Side) -> Option<i64>) {
        for order in &mut self.orders {
            if let Some(price_ticks) = price(order.mandate.side) {
                order.see(price_ticks);
            }
        }
    }

    /// Takes the oldest order out that was set off.
    pub fn next_set_off(&mut self) -> Option<Dormant> {
        let index = self.orders.iter().position(|order| order.is_set_off)?;
        Some(self.orders.remove(index))
    }

    /// Takes the youngest order out.
    pub fn pop(&mut self) -> Option<Dormant> {
        self.orders.pop()
    }

    /// Appends the canonical bytes of the orders.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        put(out, i64::try_from(self.orders.len()).unwrap_or(i64::MAX));
        for order in &self.orders {
            let mandate = &order.mandate;
            put_id(out, mandate.order_id.0);
            put(out, mandate.side.sign());
            put(out, order.trigger_ticks.unwrap_or(0));
            put(out, mandate.lots);
            out.push(mandate.state_code());
            match mandate.kind {
                OrderKind::StopLimit { price_ticks, .. } | OrderKind::LimitIfTouched { price_ticks, .. } => {
                    put(out, price_ticks);
                }
                OrderKind::TrailingStop { offset_ticks, activation_ticks } => {
                    put(out, offset_ticks);
                    put(out, activation_ticks);
                }
                OrderKind::TrailingPercent { offset_ppm, activation_ticks } => {
                    put(out, offset_ppm);
                    put(out, activation_ticks);
                }
                OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks } => {
                    put(out, offset_ticks);
                    put(out, limit_offset_ticks);
                    put(out, activation_ticks);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradecore_types::TimeInForce;

    fn trailing(side: Side, offset_ticks: i64, activation_ticks: i64) -> Dormant {
        let kind = OrderKind::TrailingStop { offset_ticks, activation_ticks };
        let order_id = OrderId(1);
        Dormant::new(Mandate {
            order_id,
            side,
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            lots: 1,
        })
    }

    #[test]
    fn a_trailing_stop_follows_the_best_price_and_never_turns_back() {
        let mut sell = trailing(Side::Sell, 5, 0);
        assert!([100, 98, 103, 99].into_iter().all(|price| !sell.see(price)));
        assert_eq!(sell.trigger_ticks(), Some(98));
        assert!(sell.see(98));
    }

    #[test]
    fn a_trailing_stop_with_an_activation_price_sleeps_until_it_is_reached() {
        let mut buy = trailing(Side::Buy, 2, 95);
        assert!([100, 110, 96].into_iter().all(|price| !buy.see(price)));
        assert_eq!(buy.trigger_ticks(), None);
        assert!(!buy.see(95));
        assert!(buy.see(97));
    }

    #[test]
    fn offsets_at_the_end_of_the_number_range_do_not_wrap() {
        let mut sell = trailing(Side::Sell, i64::MAX, 0);
        assert!(!sell.see(-5));
        assert_eq!(sell.trigger_ticks(), Some(i64::MIN));
    }
}
