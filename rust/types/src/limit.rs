//! The names of the limits that can be set, in a configuration and while an engine runs.

crate::coded! {
    /// A limit; its name is that of the setting.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum LimitName {
        /// Largest size of one order, in units of the instrument.
        Quantity = 1, "quantity_max";
        /// Largest value of one order, in money.
        Notional = 2, "notional_max";
        /// Largest position either way, working orders included, in units of the instrument.
        Position = 3, "position_max";
        /// Largest number of open orders.
        OpenOrders = 4, "open_orders_max";
        /// Largest number of new orders in the window of the order rate.
        OrderRate = 5, "order_rate_max";
        /// Largest distance of a price from the reference, in basis points.
        PriceCollar = 6, "price_collar_bps";
        /// Oldest reference price an order may be judged by, in nanoseconds.
        ReferenceAge = 7, "reference_age_max_ns";
        /// Largest distance of a price from the reference at the window's start, in basis points.
        PriceDrift = 8, "price_drift_bps";
        /// Largest sum of all exposures, long and short added, in money.
        Gross = 9, "gross_max";
        /// Largest difference of long and short exposures, in money.
        Net = 10, "net_max";
        /// Largest number of new orders, amendments and cancels in the window of the message rate.
        MessageRate = 11, "message_rate_max";
        /// Messages of that rate that only cancels and closing orders may use.
        CancelReserve = 12, "cancel_reserve";
        /// Largest loss since the day began, in money.
        DailyLoss = 13, "daily_loss_max";
        /// Largest fall from the highest equity, in money.
        Drawdown = 14, "drawdown_max";
        /// Fills in the window of executions after which a strategy is halted.
        Executions = 15, "executions_max";
        /// Time within which an order like the one before is a mistake, in nanoseconds.
        IdenticalWindow = 16, "identical_window_ns";
        /// Length of the window of the order rate, in nanoseconds.
        OrderRateWindow = 17, "order_rate_window_ns";
        /// Length of the window of the price drift, in nanoseconds.
        PriceDriftWindow = 18, "price_drift_window_ns";
        /// Length of the window of the message rate, in nanoseconds.
        MessageRateWindow = 19, "message_rate_window_ns";
        /// Length of the window of executions, in nanoseconds.
        ExecutionsWindow = 20, "executions_window_ns";
        /// What is done about an order that would trade with another one of the account: 0 nothing, 1 the newer
        /// one is refused, 2 the older ones are cancelled.
        SelfTrade = 21, "self_trade";
    }
}

/// What can have limits of its own in a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitOwner {
    /// One instrument, or all that state none.
    Instrument,
    /// The account.
    Account,
    /// One strategy.
    Strategy,
}

impl LimitName {
    /// Returns whose limit it can be, where a configuration may leave it out.
    ///
    /// Windows and what is done about a trade with oneself have a value always, so they are nobody's here.
    #[must_use]
    pub const fn owners(self) -> &'static [LimitOwner] {
        use LimitOwner::{Account, Instrument, Strategy};
        match self {
            Self::Quantity | Self::Notional | Self::Position | Self::OpenOrders => {
                &[Instrument, Account, Strategy]
            }
            Self::OrderRate | Self::PriceCollar | Self::ReferenceAge | Self::PriceDrift => &[Instrument],
            Self::Gross
            | Self::Net
            | Self::MessageRate
            | Self::CancelReserve
            | Self::DailyLoss
            | Self::Drawdown => &[Account, Strategy],
            Self::Executions | Self::IdenticalWindow => &[Strategy],
            Self::OrderRateWindow
            | Self::PriceDriftWindow
            | Self::MessageRateWindow
            | Self::ExecutionsWindow
            | Self::SelfTrade => &[],
        }
    }

    /// Returns the limits of an owner, in the order of their codes.
    pub fn of(owner: LimitOwner) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |limit| limit.owners().contains(&owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_has_all_that_a_strategy_has_but_its_rhythm() {
        let only_of_a_strategy: Vec<_> = LimitName::of(LimitOwner::Strategy)
            .filter(|limit| !limit.owners().contains(&LimitOwner::Account))
            .collect();
        assert_eq!(only_of_a_strategy, [LimitName::Executions, LimitName::IdenticalWindow]);
        assert_eq!(LimitName::of(LimitOwner::Account).count(), 10);
        assert_eq!(LimitName::of(LimitOwner::Instrument).count(), 8);
    }
}
