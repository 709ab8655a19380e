//! What a venue says about an order.

use crate::{Money, OrderId, TimeNs};

/// Whether a fill provided liquidity or took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liquidity {
    /// The order waited in the book.
    Maker,
    /// The order traded on arrival.
    Taker,
}

/// Why a venue did not accept an order or an amendment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RejectReason {
    /// A post-only order would have traded at once.
    WouldTake = 1,
    /// A fill-or-kill order could not fill whole.
    CannotFillWhole = 2,
    /// Nobody is on the other side.
    NoLiquidity = 3,
    /// The account cannot pay for it.
    InsufficientMargin = 4,
    /// The order is not known or not open.
    UnknownOrder = 5,
    /// The venue does not offer this (kind, size or flag).
    Unsupported = 6,
    /// Risk refused it when its size became known, or when it was to be sent after the order that it waited for.
    RiskRefused = 7,
}

impl RejectReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::WouldTake,
        Self::CannotFillWhole,
        Self::NoLiquidity,
        Self::InsufficientMargin,
        Self::UnknownOrder,
        Self::Unsupported,
        Self::RiskRefused,
    ];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the reason with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WouldTake => "would_take",
            Self::CannotFillWhole => "cannot_fill_whole",
            Self::NoLiquidity => "no_liquidity",
            Self::InsufficientMargin => "insufficient_margin",
            Self::UnknownOrder => "unknown_order",
            Self::Unsupported => "unsupported",
            Self::RiskRefused => "risk_refused",
        }
    }
}

/// Why an order ended without filling whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested = 1,
    /// The rest of an immediate-or-cancel order.
    ImmediateOrCancel = 2,
    /// The other exit of its bracket filled, or the trade it was to close is gone.
    Linked = 3,
    /// The account cannot pay for it.
    InsufficientMargin = 4,
    /// The decision was recorded only (shadow mode).
    Shadow = 5,
    /// The session or the data ended.
    EndOfData = 6,
    /// The kill switch was engaged.
    Killed = 7,
    /// A limit of its strategy or of the account halted trading.
    Halted = 8,
    /// It would have traded with a newer order of the account itself.
    SelfTrade = 9,
    /// The margin was used up and the venue closes positions by force.
    Liquidation = 12,
}

impl CancelReason {
    /// Every reason, in the order of their codes.
    pub const ALL: [Self; 10] = [
        Self::Requested,
        Self::ImmediateOrCancel,
        Self::Linked,
        Self::InsufficientMargin,
        Self::Shadow,
        Self::EndOfData,
        Self::Killed,
        Self::Halted,
        Self::SelfTrade,
        Self::Liquidation,
    ];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the reason with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::ImmediateOrCancel => "immediate_or_cancel",
            Self::Linked => "linked",
            Self::InsufficientMargin => "insufficient_margin",
            Self::Shadow => "shadow",
            Self::EndOfData => "end_of_data",
            Self::Killed => "killed",
            Self::Halted => "halted",
            Self::SelfTrade => "self_trade",
            Self::Liquidation => "liquidation",
        }
    }
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportBody {
    /// The venue has the order.
    Accepted,
    /// The venue does not take the order; it is closed.
    Rejected(RejectReason),
    /// A dormant order was set off and is now a market or a limit order.
    Triggered,
    /// A trailing stop-limit was set off: only now its limit is known.
    TriggeredAt {
        /// The limit it has from now on.
        price_ticks: i64,
    },
    /// Part or all of the order traded.
    Fill {
        /// Price of this fill.
        price_ticks: i64,
        /// Size of this fill, above 0.
        lots: i64,
        /// Maker or taker.
        liquidity: Liquidity,
        /// Fee of this fill; negative is a rebate.
        fee: Money,
    },
    /// The order is closed without (further) fill.
    Canceled(CancelReason),
    /// A cancel came too late or for an order the venue does not know.
    CancelRejected(RejectReason),
    /// An amendment that was asked for was taken: the order now has this price and open size.
    Replaced {
        /// New price: the limit, else the trigger; 0 where there is none.
        price_ticks: i64,
        /// New size still open, above 0.
        lots: i64,
    },
    /// The order now has this price and open size though no amendment was asked for (FIX: Restated).
    Restated {
        /// New price: the limit, else the trigger; 0 where there is none.
        price_ticks: i64,
        /// New size still open, above 0.
        lots: i64,
    },
    /// The amendment was not taken; the order stays as it was.
    ReplaceRejected(RejectReason),
    /// The time of the order ran out; it is closed without (further) fill.
    Expired,
}

/// One message of a venue about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Time at the venue; for a fill inside a bar, the opening time of the bar.
    pub venue_time_ns: TimeNs,
    /// The order it is about.
    pub order_id: OrderId,
    /// What happened.
    pub body: ReportBody,
}
