//! An expected "no": which rule, its limit and the value that broke it.

use std::fmt;

/// Rules that can refuse an order before it leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rule {
    /// The kill switch is engaged.
    KillLatch = 1,
    /// Trading is paused by the operator.
    Paused = 2,
    /// The book of the instrument is not provably right.
    BookInvalid = 3,
    /// There is no reference price yet.
    ReferenceMissing = 4,
    /// The reference price is older than allowed.
    ReferenceStale = 5,
    /// The price is further from the reference than allowed, in basis points.
    PriceCollar = 6,
    /// The size is above the limit, in lots.
    QuantityMax = 7,
    /// The value is above the limit, in money.
    NotionalMax = 8,
    /// The position could pass its limit, working orders included, in lots.
    PositionMax = 9,
    /// Too many orders are open.
    OpenOrdersMax = 10,
    /// Too many orders in the time window.
    OrderRateMax = 11,
    /// The order itself makes no sense (size, price or flags).
    InvalidOrder = 12,
    /// A reduce-only order would not bring the position nearer to flat.
    ReduceOnly = 13,
    /// The account cannot pay for it.
    BuyingPower = 14,
    /// A decision gate said no.
    DecisionGate = 15,
    /// The price is further from the reference at the window's start than allowed, in ppm.
    PriceDrift = 16,
    /// The exposures, long and short added, would be above the limit, in money.
    GrossMax = 17,
    /// The difference of long and short exposures would be above the limit, in money.
    NetMax = 18,
    /// Too many messages (new, amended, cancelled) in the time window.
    MessageRateMax = 19,
    /// The strategy may not trade this instrument.
    InstrumentNotAllowed = 20,
    /// An order just like it was sent too short a time ago, in nanoseconds.
    IdenticalOrder = 21,
    /// It would trade with an order of the account itself; limit and value are prices in ticks.
    SelfTrade = 22,
    /// Halted: the loss since the day began reached the limit, in money.
    DailyLossMax = 23,
    /// Halted: the fall from the highest equity reached the limit, in money.
    DrawdownMax = 24,
    /// Halted: the strategy had as many fills in the time window as it may have by itself.
    ExecutionsMax = 25,
    /// No session is known in which a day order could end: the last end that is known, and the time of the
    /// order.
    NoSession = 26,
    /// A price is not on the tick: the nearest price that is, and the next one on its other side, in ticks.
    OffTick = 27,
    /// A size is not a whole number of lots: the nearest size that is, and the next one on its other side, in
    /// lots.
    OffLot = 28,
    /// A price, a size or a share is not a number, or is infinite (1 or -1 in place of the value).
    NotANumber = 29,
    /// The venue said what cannot be true of the books: nothing new before they are compared.
    Unreconciled = 30,
}

impl Rule {
    /// Every rule, in the order of their codes.
    pub const ALL: [Self; 30] = [
        Self::KillLatch,
        Self::Paused,
        Self::BookInvalid,
        Self::ReferenceMissing,
        Self::ReferenceStale,
        Self::PriceCollar,
        Self::QuantityMax,
        Self::NotionalMax,
        Self::PositionMax,
        Self::OpenOrdersMax,
        Self::OrderRateMax,
        Self::InvalidOrder,
        Self::ReduceOnly,
        Self::BuyingPower,
        Self::DecisionGate,
        Self::PriceDrift,
        Self::GrossMax,
        Self::NetMax,
        Self::MessageRateMax,
        Self::InstrumentNotAllowed,
        Self::IdenticalOrder,
        Self::SelfTrade,
        Self::DailyLossMax,
        Self::DrawdownMax,
        Self::ExecutionsMax,
        Self::NoSession,
        Self::OffTick,
        Self::OffLot,
        Self::NotANumber,
        Self::Unreconciled,
    ];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the rule with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.code() == code)
    }

    /// Returns the rule of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KillLatch => "kill_latch",
            Self::Paused => "paused",
            Self::BookInvalid => "book_invalid",
            Self::ReferenceMissing => "reference_missing",
            Self::ReferenceStale => "reference_stale",
            Self::PriceCollar => "price_collar",
            Self::QuantityMax => "quantity_max",
            Self::NotionalMax => "notional_max",
            Self::PositionMax => "position_max",
            Self::OpenOrdersMax => "open_orders_max",
            Self::OrderRateMax => "order_rate_max",
            Self::InvalidOrder => "invalid_order",
            Self::ReduceOnly => "reduce_only",
            Self::BuyingPower => "buying_power",
            Self::DecisionGate => "decision_gate",
            Self::PriceDrift => "price_drift",
            Self::GrossMax => "gross_max",
            Self::NetMax => "net_max",
            Self::MessageRateMax => "message_rate_max",
            Self::InstrumentNotAllowed => "instrument_not_allowed",
            Self::IdenticalOrder => "identical_order",
            Self::SelfTrade => "self_trade",
            Self::DailyLossMax => "daily_loss_max",
            Self::DrawdownMax => "drawdown_max",
            Self::ExecutionsMax => "executions_max",
            Self::NoSession => "no_session",
            Self::OffTick => "off_tick",
            Self::OffLot => "off_lot",
            Self::NotANumber => "not_a_number",
            Self::Unreconciled => "unreconciled",
        }
    }
}

/// An order that was refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
