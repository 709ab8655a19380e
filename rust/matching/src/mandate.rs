//! What a venue reads from an order before it looks at its book.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Instrument, Liquidity, Money, OrderId, OrderKind, RejectReason, Report, ReportBody, Side, TimeInForce,
    TimeNs,
};

use crate::FeeSchedule;

/// The part of an approved order that a matcher works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Mandate {
    pub order_id: OrderId,
    pub side: Side,
    pub kind: OrderKind,
    pub time_in_force: TimeInForce,
    pub post_only: bool,
    pub lots: i64,
}

impl Mandate {
    /// Reads an order; one whose size is not known, or that contradicts itself, is not offered here.
    pub fn read(order: &ApprovedOrder) -> Result<Self, RejectReason> {
        let intent = order.intent();
        let lots = order.lots().filter(|lots| *lots > 0).ok_or(RejectReason::Unsupported)?;
        let can_wait = intent.time_in_force.may_wait();
        let is_limit = matches!(intent.kind, OrderKind::Limit { .. } | OrderKind::Iceberg { .. });
        let must_wait = matches!(intent.kind, OrderKind::MarketToLimit | OrderKind::Iceberg { .. });
        if (intent.post_only && !(can_wait && is_limit)) || (must_wait && !can_wait) {
            return Err(RejectReason::Unsupported);
        }
        Ok(Self {
            order_id: intent.order_id,
            side: intent.side,
            kind: intent.kind,
            time_in_force: intent.time_in_force,
            post_only: intent.post_only,
            lots,
        })
    }

    /// Returns the worst price the order may trade at on arrival; `None` is any price.
    pub const fn limit_ticks(&self) -> Option<i64> {
        match self.kind {
            OrderKind::Limit { price_ticks } | OrderKind::Iceberg { price_ticks, .. } => Some(price_ticks),
            _ => None,
        }
    }

    /// Tells whether what does not trade on arrival waits in the book.
    pub const fn may_rest(&self) -> bool {
        let rests = matches!(
            self.kind,
            OrderKind::Limit { .. } | OrderKind::Iceberg { .. } | OrderKind::MarketToLimit
        );
        rests && self.time_in_force.may_wait()
    }

    /// Tells whether the order takes up room at the venue.
    pub const fn may_wait(&self) -> bool {
        self.may_rest() || self.kind.is_conditional()
    }

    /// Returns kind and time in force in one byte of the state; of a stop, whether it is fill-or-kill.
    pub const fn state_code(&self) -> u8 {
        let kind = match self.kind {
            OrderKind::Stop { .. } => 0,
            OrderKind::StopLimit { .. } => 1,
            OrderKind::MarketIfTouched { .. } => 2,
            OrderKind::LimitIfTouched { .. } => 3,
            OrderKind::TrailingStop { .. } => 4,
            OrderKind::TrailingStopLimit { .. } => 5,
            OrderKind::Market
            | OrderKind::Limit { .. }
            | OrderKind::MarketToLimit
            | OrderKind::Iceberg { .. } => 6,
            OrderKind::TrailingPercent { .. } => 7,
        };
        let time_in_force = match self.time_in_force {
            TimeInForce::Fok => 1,
            TimeInForce::Ioc if kind != 0 => 2,
            _ => 0,
        };
        kind * 4 + time_in_force
    }
}

/// Tells whether an order of `side` with this limit trades at this price of the other side.
pub(crate) const fn reaches(side: Side, limit_ticks: i64, price_ticks: i64) -> bool {
    match side {
        Side::Buy => price_ticks <= limit_ticks,
        Side::Sell => price_ticks >= limit_ticks,
    }
}

/// Tells whether a market at this price sets off a stop of `side`.
pub(crate) const fn sets_off(side: Side, trigger_ticks: i64, price_ticks: i64) -> bool {
    match side {
        Side::Buy => price_ticks >= trigger_ticks,
        Side::Sell => price_ticks <= trigger_ticks,
    }
}

/// Makes a report.
pub(crate) const fn report(order_id: OrderId, now_ns: TimeNs, body: ReportBody) -> Report {
    Report { venue_time_ns: now_ns, order_id, body }
}

/// Makes the report of a fill.
///
/// A fee that does not fit is reported as the largest amount there is, which no ledger accepts.
pub(crate) fn fill(
    fees: &FeeSchedule,
    instrument: &Instrument,
    order_id: OrderId,
    price_ticks: i64,
    lots: i64,
    liquidity: Liquidity,
    now_ns: TimeNs,
) -> Report {
    let fee = fees.fee(instrument, price_ticks, lots, liquidity).unwrap_or(Money(i128::MAX));
    report(order_id, now_ns, ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: None })
}
