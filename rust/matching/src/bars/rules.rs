//! The choices a bar leaves open.

/// When a market order fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BarFill {
    /// At the open of the next bar.
    #[default]
    NextOpen,
    /// At the first close, or open, of its instrument at or after the moment it was sent: of an order that
    /// is sent when bars of several instruments close, that is the close of its own bar, whichever of them is
    /// told first. Exits of brackets are no market orders: they fill at the open or at their own price.
    Close,
}

/// In which order the orders of one bar are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BarOrder {
    /// At the open first everything that fills at the open price, closing orders before others; then what
    /// the path meets: from the open to the extreme that is worse for what is at stake, to the other extreme, to
    /// the close, one path for all orders.
    #[default]
    Time,
    /// One pass in queue order against the whole bar, orders that close a named entry first
    /// (take-profits apart), as backtesting.py 0.6.6 does. Whole bar at once: the account is valued
    /// at the close while orders fill at the open. While an order of a kind waits that it does not know (all
    /// but market, limit and stop), the bar has the path of [`BarOrder::Time`] after its open.
    Queue,
}

/// What happens to open positions when the data end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Finalize {
    /// They stay open, and their value at the last close counts.
    #[default]
    None,
    /// Orders are cancelled and every lot is closed at the last close, oldest first.
    Close,
    /// Every lot gets a closing order and the last bar is processed once more, as backtesting.py
    /// does with `finalize_trades=True`.
    LastOpen,
}

/// What a [`crate::BarMatcher`] assumes where a bar does not tell what happened inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BarRules {
    /// When a market order fills.
    pub fill: BarFill,
    /// In which order orders are tried.
    pub order: BarOrder,
    /// How many orders may wait; one more is rejected. Exits of brackets are always taken.
    pub orders_max: usize,
    /// What fills cost beyond the prices of the bars.
    pub slippage: super::Slippage,
}
