//! What a decision gate is asked and what it answers.

use std::borrow::Cow;

use tradecore_types::{InstrumentId, Side, StrategyId, TimeNs};

tradecore_types::named! {
    /// What kind of request is put before gates and risk.
    pub enum RequestKind {
        /// A strategy asks for a new order.
        New = "new";
        /// A strategy asks for another price or a larger size of an open order.
        Amend = "amend";
        /// An order that was approved to come after another one is sent, or a further order of it is.
        Arm = "arm";
        /// A working order that comes after another one grows with the fills of that one.
        Grow = "grow";
        /// A strategy makes an open order smaller, at the same price.
        Cut = "cut";
        /// A strategy closes its position, or asks for an exit of an order that is still open.
        Close = "close";
    }
}

impl RequestKind {
    /// Tells whether gates are asked: not about what takes risk away, whatever else happens.
    #[must_use]
    pub const fn is_asked(self) -> bool {
        !matches!(self, Self::Cut | Self::Close)
    }

    /// Tells whether the strategy made the request just now; the engine makes the others as fills arrive.
    #[must_use]
    pub const fn is_of_strategy(self) -> bool {
        !matches!(self, Self::Arm | Self::Grow)
    }
}

/// What a gate may look at.
///
/// An amendment is shown as the whole order that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionView {
    /// Time of the engine, in UTC nanoseconds: a gate has no other clock.
    pub now_ns: TimeNs,
    /// The strategy whose request is judged.
    pub strategy: StrategyId,
    /// What is to be traded.
    pub instrument: InstrumentId,
    /// What kind of request it is.
    pub request: RequestKind,
    /// Whether it buys or sells.
    pub side: Side,
    /// Open size of the order as it will be; an estimate when the size is a share of buying power.
    pub lots: i64,
    /// Limit of the order as it will be, else its trigger; `None` when it states no price.
    pub price_ticks: Option<i64>,
    /// The strategy's own position, short is negative.
    pub position_lots: i64,
    /// Whether the request can only bring that position nearer to flat, as `Stake::is_closing` tells.
    pub is_closing: bool,
    /// Best bid, `None` without one.
    pub best_bid_ticks: Option<i64>,
    /// Best ask, `None` without one.
    pub best_ask_ticks: Option<i64>,
    /// When this strategy last had a new order or an amendment approved that was not closing.
    pub last_entry_ns: Option<TimeNs>,
}

/// What one gate said of a request, for the trace and for the refusal.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GateVerdict {
    /// Name of the gate, by which settings and records call it.
    pub gate: Cow<'static, str>,
    /// The bound that the gate holds the value against.
    pub limit: f64,
    /// The value that the gate saw at that moment.
    pub value: f64,
    /// Whether it lets the request pass.
    pub passed: bool,
    /// Whether it would let the request pass also if that was not closing.
    pub may_open: bool,
}

/// A gate could not say anything; whoever made the gate knows why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateFailed;

/// One condition that a request must meet before risk sees it.
///
/// It is a function of the view: it keeps no state and calls nothing of the engine, which waits for it.
pub trait DecisionGate: Send + Sync {
    /// Judges a request. What it says about one that is closing holds nothing back.
    ///
    /// # Errors
    ///
    /// [`GateFailed`] ends the run: a gate that cannot judge lets nothing pass.
    fn check(&self, view: &DecisionView) -> Result<GateVerdict, GateFailed>;
}
