//! What a venue reads from an order before it looks at its book.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Instrument, Liquidity, Money, OrderId, OrderKind, RejectReason, Report, ReportBody, Side, TimeInForce,
    TimeNs,
};

use crate::FeeSchedule;

/// The part of an approved order that a matcher works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub order_id: OrderId,
    pub side: Side,
    pub kind: OrderKind,
    pub time_in_force: TimeInForce,
    pub post_only: bool,
    pub lots: i64,
}

impl Ticket {
    /// Reads an order; one whose size is not known, or that contradicts itself, is not offered here.
    pub fn read(order: &ApprovedOrder) -> Result<Self, RejectReason> {
        let intent = order.intent();
        let lots = order.lots().filter(|lots| *lots > 0).ok_or(RejectReason::Unsupported)?;
        let can_wait = intent.time_in_force == TimeInForce::Gtc;
        let is_limit = matches!(intent.kind, OrderKind::Limit { .. });
        if intent.post_only && !(can_wait && is_limit) {
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
            OrderKind::Limit { price_ticks } => Some(price_ticks),
            OrderKind::Market | OrderKind::Stop { .. } => None,
        }
    }

    /// Tells whether what does not trade on arrival waits in the book.
    pub const fn may_rest(&self) -> bool {
        matches!((self.kind, self.time_in_force), (OrderKind::Limit { .. }, TimeInForce::Gtc))
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
    report(order_id, now_ns, ReportBody::Fill { price_ticks, lots, liquidity, fee })
}
