//! The names of the limits that can be set, in a configuration and while an engine runs.

/// A limit; its name is that of the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum LimitName {
    /// Largest size of one order, in units of the instrument.
    Quantity = 1,
    /// Largest value of one order, in money.
    Notional = 2,
    /// Largest position either way, working orders included, in units of the instrument.
    Position = 3,
    /// Largest number of open orders.
    OpenOrders = 4,
    /// Largest number of new orders in the window of the order rate.
    OrderRate = 5,
    /// Largest distance of a price from the reference, in basis points.
    PriceCollar = 6,
    /// Oldest reference price an order may be judged by, in nanoseconds.
    ReferenceAge = 7,
    /// Largest distance of a price from the reference at the window's start, in basis points.
    PriceDrift = 8,
    /// Largest sum of all exposures, long and short added, in money.
    Gross = 9,
    /// Largest difference of long and short exposures, in money.
    Net = 10,
    /// Largest number of new orders, amendments and cancels in the window of the message rate.
    MessageRate = 11,
    /// Messages of that rate that only cancels and closing orders may use.
    CancelReserve = 12,
    /// Largest loss since the day began, in money.
    DailyLoss = 13,
    /// Largest fall from the highest equity, in money.
    Drawdown = 14,
    /// Fills in the window of executions after which a strategy is halted.
    Executions = 15,
    /// Time within which an order like the one before is a mistake, in nanoseconds.
    IdenticalWindow = 16,
    /// Length of the window of the order rate, in nanoseconds.
    OrderRateWindow = 17,
    /// Length of the window of the price drift, in nanoseconds.
    PriceDriftWindow = 18,
    /// Length of the window of the message rate, in nanoseconds.
    MessageRateWindow = 19,
    /// Length of the window of executions, in nanoseconds.
    ExecutionsWindow = 20,
    /// What is done about an order that would trade with another one of the account: 0 nothing, 1 the newer
    /// one is refused, 2 the older ones are cancelled.
    SelfTrade = 21,
}

impl LimitName {
    /// Every name, in the order of their codes.
    pub const ALL: [Self; 21] = [
        Self::Quantity,
        Self::Notional,
        Self::Position,
        Self::OpenOrders,
        Self::OrderRate,
        Self::PriceCollar,
        Self::ReferenceAge,
        Self::PriceDrift,
        Self::Gross,
        Self::Net,
        Self::MessageRate,
        Self::CancelReserve,
        Self::DailyLoss,
        Self::Drawdown,
        Self::Executions,
        Self::IdenticalWindow,
        Self::OrderRateWindow,
        Self::PriceDriftWindow,
        Self::MessageRateWindow,
        Self::ExecutionsWindow,
        Self::SelfTrade,
    ];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the limit with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.code() == code)
    }

    /// Returns the name of the setting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quantity => "quantity_max",
            Self::Notional => "notional_max",
            Self::Position => "position_max",
            Self::OpenOrders => "open_orders_max",
            Self::OrderRate => "order_rate_max",
            Self::PriceCollar => "price_collar_bps",
            Self::ReferenceAge => "reference_age_max_ns",
            Self::PriceDrift => "price_drift_bps",
            Self::Gross => "gross_max",
            Self::Net => "net_max",
            Self::MessageRate => "message_rate_max",
            Self::CancelReserve => "cancel_reserve",
            Self::DailyLoss => "daily_loss_max",
            Self::Drawdown => "drawdown_max",
            Self::Executions => "executions_max",
            Self::IdenticalWindow => "identical_window_ns",
            Self::OrderRateWindow => "order_rate_window_ns",
            Self::PriceDriftWindow => "price_drift_window_ns",
            Self::MessageRateWindow => "message_rate_window_ns",
            Self::ExecutionsWindow => "executions_window_ns",
            Self::SelfTrade => "self_trade",
        }
    }

    /// Returns the limit with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_read_back_as_the_limit_they_stand_for() {
        for limit in LimitName::ALL {
            assert_eq!(LimitName::from_code(limit.code()), Some(limit));
            assert_eq!(LimitName::from_name(limit.name()), Some(limit));
        }
        assert_eq!(LimitName::from_code(0), None);
    }
}
