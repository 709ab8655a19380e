//! What a venue says about an order.

use crate::{CurrencyId, Money, OrderId, TimeNs};

/// Whether a fill provided liquidity or took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Liquidity {
    /// The order waited in the book.
    Maker,
    /// The order traded on arrival.
    Taker,
}

crate::coded! {
    /// Why a venue did not accept an order or an amendment.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum RejectReason {
        /// A post-only order would have traded at once.
        WouldTake = 1, "would_take";
        /// A fill-or-kill order could not fill whole.
        CannotFillWhole = 2, "cannot_fill_whole";
        /// Nobody is on the other side.
        NoLiquidity = 3, "no_liquidity";
        /// The account cannot pay for it.
        InsufficientMargin = 4, "insufficient_margin";
        /// The order is not known or not open.
        UnknownOrder = 5, "unknown_order";
        /// The venue does not offer this (kind, size or flag).
        Unsupported = 6, "unsupported";
        /// Risk refused it when its size became known, or when it was to be sent after the order that it waited for.
        RiskRefused = 7, "risk_refused";
        /// It is proved that the venue never had it.
        NeverArrived = 8, "never_arrived";
        /// The venue does not let us: its key, its signature or a right is missing or wrong.
        NotPermitted = 9, "not_permitted";
    }
}

crate::coded! {
    /// Why an order ended without filling whole.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum CancelReason {
        /// A strategy or an operator asked for it.
        Requested = 1, "requested";
        /// The rest of an immediate-or-cancel order.
        ImmediateOrCancel = 2, "immediate_or_cancel";
        /// The other exit of its bracket filled, or the trade it was to close is gone.
        Linked = 3, "linked";
        /// The account cannot pay for it.
        InsufficientMargin = 4, "insufficient_margin";
        /// The decision was recorded only (shadow mode).
        Shadow = 5, "shadow";
        /// The session or the data ended.
        EndOfData = 6, "end_of_data";
        /// The kill switch was engaged.
        Killed = 7, "killed";
        /// A limit of its strategy or of the account halted trading.
        Halted = 8, "halted";
        /// It would have traded with a newer order of the account itself.
        SelfTrade = 9, "self_trade";
        /// The margin was used up and the venue closes positions by force.
        Liquidation = 12, "liquidation";
        /// It was ended to be amended, and the venue did not take it anew.
        NotTakenAnew = 13, "not_taken_anew";
        /// It was ended to be amended, and it is proved that the venue never had it anew.
        NeverArrived = 14, "never_arrived";
    }
}

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
        /// The price of this fill alone, in ticks.
        price_ticks: i64,
        /// Size of this fill, above 0.
        lots: i64,
        /// Whether it waited in the book or traded on arrival, which decides the fee.
        liquidity: Liquidity,
        /// Fee of this fill; negative is a rebate.
        fee: Money,
        /// In which currency the fee is; `None` for the settlement currency of the instrument.
        fee_currency: Option<CurrencyId>,
    },
    /// The order is closed without (further) fill.
    Canceled(CancelReason),
    /// A cancel came too late or for an order the venue does not know.
    CancelRejected(RejectReason),
    /// An amendment that was asked for was taken: the order now has this price and open size.
    Replaced {
        /// New price: the limit, else the trigger; `None` where the order states none.
        price_ticks: Option<i64>,
        /// New size still open, above 0.
        lots: i64,
    },
    /// The order now has this price and open size though no amendment was asked for (FIX: Restated).
    Restated {
        /// New price: the limit, else the trigger; `None` where the order states none.
        price_ticks: Option<i64>,
        /// New size still open, above 0.
        lots: i64,
    },
    /// The amendment was not taken; the order stays as it was.
    ReplaceRejected(RejectReason),
    /// The time of the order ran out; it is closed without (further) fill.
    Expired,
}

/// One message of a venue about one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Report {
    /// Time at the venue; for a fill inside a bar, the opening time of the bar.
    pub venue_time_ns: TimeNs,
    /// The order it is about.
    pub order_id: OrderId,
    /// What happened to the order.
    pub body: ReportBody,
}
