//! What an instrument may do to the account.

use tradecore_types::{Decimal, InstrumentId, LimitName, Money, Scope, ValueError};

use crate::rate_window::check_rate;
use crate::setting::{count, lots, money, not_of_scope, ppm, span, window};

/// Pre-trade limits of one instrument; `None` switches a limit off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Largest size of one order, in lots.
    pub quantity_lots_max: Option<i64>,
    /// Largest value of one order, in money.
    pub notional_max: Option<Money>,
    /// Largest position either way, working orders included, in lots.
    pub position_lots_max: Option<i64>,
    /// Largest number of open orders.
    pub open_orders_max: Option<u32>,
    /// Largest number of new orders within `order_rate_window_ns`.
    pub order_rate_max: Option<u32>,
    /// Length of the order-rate window, in nanoseconds.
    pub order_rate_window_ns: i64,
    /// Largest distance of a price from the reference, in hundredths of a basis point (1e-6).
    pub price_collar_ppm: Option<i64>,
    /// Largest distance of a price from the reference when the window began, in the same unit.
    pub price_drift_ppm: Option<i64>,
    /// Length of the price-drift window, in nanoseconds.
    pub price_drift_window_ns: i64,
    /// Oldest reference price an order may be judged by, in nanoseconds.
    pub reference_age_ns_max: Option<i64>,
}

impl Limits {
    /// Gives a limit a value, in the unit of the setting of its name.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an instrument has no such limit or the value is out of its range; nothing is
    /// changed.
    pub fn set(
        &mut self,
        limit: LimitName,
        value: Option<Decimal>,
        lot_size: Decimal,
    ) -> Result<(), ValueError> {
        let name = limit.name();
        match limit {
            LimitName::Quantity => self.quantity_lots_max = lots(name, value, lot_size)?,
            LimitName::Notional => self.notional_max = money(name, value)?,
            LimitName::Position => self.position_lots_max = lots(name, value, lot_size)?,
            LimitName::OpenOrders => self.open_orders_max = count(name, value)?,
            LimitName::OrderRate => {
                let max = count(name, value)?;
                check_rate(name, max)?;
                self.order_rate_max = max;
            }
            LimitName::OrderRateWindow => self.order_rate_window_ns = window(name, value)?,
            LimitName::PriceDriftWindow => self.price_drift_window_ns = window(name, value)?,
            LimitName::PriceCollar => self.price_collar_ppm = ppm(name, value)?,
            LimitName::PriceDrift => self.price_drift_ppm = ppm(name, value)?,
            LimitName::ReferenceAge => self.reference_age_ns_max = span(name, value)?,
            LimitName::Gross
            | LimitName::Net
            | LimitName::MessageRate
            | LimitName::CancelReserve
            | LimitName::DailyLoss
            | LimitName::Drawdown
            | LimitName::Executions
            | LimitName::IdenticalWindow
            | LimitName::MessageRateWindow
            | LimitName::ExecutionsWindow
            | LimitName::SelfTrade => {
                return Err(not_of_scope(Scope::Instrument(InstrumentId(0)), limit));
            }
        }
        Ok(())
    }

    /// Appends the canonical bytes of the limits.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.notional_max.map_or(-1, |money| money.0).to_le_bytes());
        let whole = [
            self.quantity_lots_max.unwrap_or(-1),
            self.position_lots_max.unwrap_or(-1),
            self.open_orders_max.map_or(-1, i64::from),
            self.order_rate_max.map_or(-1, i64::from),
            self.order_rate_window_ns,
            self.price_collar_ppm.unwrap_or(-1),
            self.price_drift_ppm.unwrap_or(-1),
            self.price_drift_window_ns,
            self.reference_age_ns_max.unwrap_or(-1),
        ];
        for value in whole {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}
