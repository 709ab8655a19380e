//! An expected "no": which rule, its limit and the value that broke it.

use std::fmt;

crate::coded! {
    /// Rules that can refuse an order before it leaves.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum Rule {
        /// The kill switch is engaged.
        KillLatch = 1, "kill_latch";
        /// Trading is paused by the operator.
        Paused = 2, "paused";
        /// The book of the instrument is not provably right.
        BookInvalid = 3, "book_invalid";
        /// There is no reference price yet.
        ReferenceMissing = 4, "reference_missing";
        /// The reference price is older than allowed.
        ReferenceStale = 5, "reference_stale";
        /// The price is further from the reference than allowed, in basis points.
        PriceCollar = 6, "price_collar";
        /// The size is above the limit, in lots.
        QuantityMax = 7, "quantity_max";
        /// The value is above the limit, in money.
        NotionalMax = 8, "notional_max";
        /// The position could pass its limit, working orders included, in lots.
        PositionMax = 9, "position_max";
        /// Too many orders are open.
        OpenOrdersMax = 10, "open_orders_max";
        /// Too many orders in the time window.
        OrderRateMax = 11, "order_rate_max";
        /// The order itself makes no sense (size, price or flags).
        InvalidOrder = 12, "invalid_order";
        /// A reduce-only order would not bring the position nearer to flat.
        ReduceOnly = 13, "reduce_only";
        /// The account cannot pay for it.
        BuyingPower = 14, "buying_power";
        /// A decision gate said no.
        DecisionGate = 15, "decision_gate";
        /// The price is further from the reference at the window's start than allowed, in ppm.
        PriceDrift = 16, "price_drift";
        /// The exposures, long and short added, would be above the limit, in money.
        GrossMax = 17, "gross_max";
        /// The difference of long and short exposures would be above the limit, in money.
        NetMax = 18, "net_max";
        /// Too many messages (new, amended, cancelled) in the time window.
        MessageRateMax = 19, "message_rate_max";
        /// The strategy may not trade this instrument.
        InstrumentNotAllowed = 20, "instrument_not_allowed";
        /// An order just like it was sent too short a time ago, in nanoseconds.
        IdenticalOrder = 21, "identical_order";
        /// It would trade with an order of the account itself; limit and value are prices in ticks.
        SelfTrade = 22, "self_trade";
        /// Halted: the loss since the day began reached the limit, in money.
        DailyLossMax = 23, "daily_loss_max";
        /// Halted: the fall from the highest equity reached the limit, in money.
        DrawdownMax = 24, "drawdown_max";
        /// Halted: the strategy had as many fills in the time window as it may have by itself.
        ExecutionsMax = 25, "executions_max";
        /// No session is known in which a day order could end: the last end that is known, and the time of the
        /// order.
        NoSession = 26, "no_session";
        /// A price is not on the tick: the nearest price that is, and the next one on its other side, in ticks.
        OffTick = 27, "off_tick";
        /// A size is not a whole number of lots: the nearest size that is, and the next one on its other side, in
        /// lots.
        OffLot = 28, "off_lot";
        /// A price, a size or a share is not a number, or is infinite (1 or -1 in place of the value).
        NotANumber = 29, "not_a_number";
        /// The books may be wrong: nothing new before they are compared with what the venue has.
        Unreconciled = 30, "unreconciled";
        /// There is no price yet that converts a currency that the account has or would have; the value is its number.
        ConversionMissing = 31, "conversion_missing";
        /// The account does not own so much of the base currency: what it may sell, and what it would, in money of
        /// that currency.
        NotOwned = 32, "not_owned";
        /// What happens is of the past: it warms up what is computed, and nothing is sent on it.
        WarmingUp = 33, "warming_up";
        /// Where positions hedge, what only closes must name an open ticket of the other side; the value is the
        /// number that it names, 0 for none.
        TicketNotOpen = 34, "ticket_not_open";
        /// An order was amended as often as its venue has names for it: it is ended and sent anew each time.
        AmendmentsMax = 35, "amendments_max";
        /// The canary profile of the account does not name the instrument.
        CanaryInstrument = 36, "canary_instrument";
        /// The value is above what the canary profile of the account allows one order, in money.
        CanaryOrderValue = 37, "canary_order_value";
        /// The canary profile of the account allows no more new orders on this day.
        CanaryOrdersADay = 38, "canary_orders_a_day";
        /// The position could become worth more than the canary profile of the account allows, in money.
        CanaryPositionValue = 39, "canary_position_value";
        /// It waits for a person's yes so many nanoseconds; the value is the number of the wish that waits.
        AwaitingApproval = 40, "awaiting_approval";
        /// Nobody said yes in time: how long it may wait and how old it became, in nanoseconds.
        ApprovalExpired = 41, "approval_expired";
        /// The price has moved further than allowed since it was asked for, in ppm.
        ApprovalPriceMoved = 42, "approval_price_moved";
        /// A person said no.
        ApprovalRejected = 43, "approval_rejected";
        /// An amendment makes more of an entry than a person said yes to: what needs nobody, and its value, in money.
        ApprovalNeeded = 44, "approval_needed";
    }
}

/// An order that was refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusal {
    /// The rule that said no.
    pub rule: Rule,
    /// Its limit, in the unit of the rule.
    pub limit: i128,
    /// The value that broke it, in the same unit.
    pub value: i128,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: limit {}, value {}", self.rule.name(), self.limit, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_as_the_rule_they_stand_for() {
        for rule in Rule::ALL {
            assert_eq!(Rule::from_code(rule.code()), Some(rule));
        }
        assert_eq!(Rule::from_code(0), None);
    }
}
