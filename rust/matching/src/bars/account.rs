//! What the matcher asks of the account while it fills.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Bracket, OrderId, OrderIntent, OrderKind, RejectReason, Report, Size, StrategyId, TimeInForce, TimeNs,
};

/// What is left of one entry order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenPosition {
    /// The strategy that holds it.
    pub strategy: StrategyId,
    /// Number of the order that opened it.
    pub entry: OrderId,
    /// How many lots are held; short is negative.
    pub lots: i64,
}

/// The account of one instrument as a [`crate::BarMatcher`] sees it.
///
/// A bar holds many fills and each changes what the next may do, so the matcher reports as it goes:
/// [`BarAccount::report`] must apply a report before it returns, and all other answers must already
/// count it.
pub trait BarAccount {
    /// Why a report could not be applied; ends the bar at once.
    type Error;

    /// Sizes an order that is a share of buying power, at the price it is about to fill at, and remembers the
    /// size as the order's. Open positions are to be valued at `mark_ticks`.
    ///
    /// # Errors
    ///
    /// The reason to reject it with: `InsufficientMargin` when not one lot is affordable, or
    /// `RiskRefused`.
    fn sized_lots(
        &mut self,
        order: &ApprovedOrder,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> Result<i64, RejectReason>;

    /// Tells whether the account can carry `lots` more of this order, its fee included; open positions
    /// are to be valued at `mark_ticks`. Asked after what the order closes is already closed.
    fn can_afford(&self, order: &ApprovedOrder, lots: i64, price_ticks: i64, mark_ticks: i64) -> bool;

    /// Tells the same of an order that first closes lots of the other side, and has not closed them yet.
    fn can_turn(
        &self,
        order: &ApprovedOrder,
        closing_lots: i64,
        opening_lots: i64,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> bool;

    /// Returns the position of a strategy that an order without a name for what it closes would close first, short is
    /// negative; 0 where positions hedge.
    fn position(&self, strategy: StrategyId) -> i64;

    /// Returns what a strategy has left of an entry order, short is negative; 0 when nothing, also for
    /// an order of another strategy.
    fn lots_of_entry(&self, strategy: StrategyId, entry: OrderId) -> i64;

    /// Appends what is left of every entry order, oldest first.
    fn open_positions(&self, into: &mut Vec<OpenPosition>);

    /// Makes an exit of a bracket, under a new number, for `lots` that its entry has just opened
    /// ([`exit_intent`] says what it must look like). `None` when it must not exist.
    ///
    /// # Errors
    ///
    /// Whatever stops the engine.
    fn exit(
        &mut self,
        entry: &ApprovedOrder,
        kind: OrderKind,
        lots: i64,
    ) -> Result<Option<ApprovedOrder>, Self::Error>;

    /// Makes a market order, under a new number, that closes an open position because the data end.
    ///
    /// # Errors
    ///
    /// Whatever stops the engine.
    fn close(&mut self, position: OpenPosition) -> Result<Option<ApprovedOrder>, Self::Error>;

    /// Tells whether what is held needs margin that is measured at the prices of these bars.
    fn is_margined(&self) -> bool {
        false
    }

    /// Returns the first price on the way from one price to another, both of them included, at which what is held
    /// has not the margin it needs; `None` when it has it all the way, or needs none.
    ///
    /// # Errors
    ///
    /// Whatever stops the engine.
    fn first_breach(&mut self, _from_ticks: i64, _to_ticks: i64) -> Result<Option<i64>, Self::Error> {
        Ok(None)
    }

    /// Returns the next order that another one has cancelled (0) or made no larger than this, because of
    /// what was reported. None where orders do not depend on each other.
    fn next_cut(&mut self) -> Option<(OrderId, i64)> {
        None
    }

    /// Takes one of these back: the order does not wait here.
    fn put_off(&mut self, _order_id: OrderId, _lots: i64) {}

    /// Applies a report to order, ledger and journal, at once.
    ///
    /// # Errors
    ///
    /// Whatever stops the engine; the report is then not applied.
    fn report(&mut self, report: Report) -> Result<(), Self::Error>;
}

/// Returns the intent of a bracket exit: it closes what `entry` opened and can do nothing else.
#[must_use]
pub fn exit_intent(
    entry: &OrderIntent,
    order_id: OrderId,
    kind: OrderKind,
    lots: i64,
    time_ns: TimeNs,
) -> OrderIntent {
    OrderIntent {
        order_id,
        side: entry.side.opposite(),
        kind,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: true,
        size: Size::Lots(lots),
        bracket: Bracket::default(),
        closes: Some(entry.order_id),
        time_ns,
        ..*entry
    }
}
