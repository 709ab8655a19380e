//! What is at stake in an instrument.

use tradecore_types::{OrderIntent, Side, Size};

/// A position and the orders that may change it, in lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stake {
    /// Lots that are held; short is negative. Where positions hedge, the side that an order can add to.
    pub position_lots: i64,
    /// Lots that are held on the other side where positions hedge, with the opposite sign; 0 where they are netted.
    pub hedge_lots: i64,
    /// Open buy orders: in flight, working and unknown ones.
    pub working_buy_lots: i64,
    /// Open sell orders: in flight, working and unknown ones.
    pub working_sell_lots: i64,
}

impl Stake {
    /// Returns what works on a side.
    #[must_use]
    pub const fn working_lots(self, side: Side) -> i64 {
        match side {
            Side::Buy => self.working_buy_lots,
            Side::Sell => self.working_sell_lots,
        }
    }

    /// Returns the stake with one more order; lots that do not fit count as the largest number.
    #[must_use]
    pub const fn with_order(self, side: Side, lots: i64) -> Self {
        match side {
            Side::Buy => Self { working_buy_lots: self.working_buy_lots.saturating_add(lots), ..self },
            Side::Sell => Self { working_sell_lots: self.working_sell_lots.saturating_add(lots), ..self },
        }
    }

    /// Returns the stake of two sides that do not meet, the one first that orders of a side add to.
    #[must_use]
    pub const fn hedged(side: Side, (long_lots, short_lots): (i64, i64), working: (i64, i64)) -> Self {
        let (position_lots, hedge_lots) = match side {
            Side::Buy => (long_lots, short_lots.saturating_neg()),
            Side::Sell => (short_lots.saturating_neg(), long_lots),
        };
        Self { position_lots, hedge_lots, working_buy_lots: working.0, working_sell_lots: working.1 }
    }

    /// Returns the position if every working buy order filled.
    pub(crate) fn longest(self) -> i128 {
        i128::from(self.position_lots) + i128::from(self.working_buy_lots)
    }

    /// Returns the position if every working sell order filled.
    pub(crate) fn shortest(self) -> i128 {
        i128::from(self.position_lots) - i128::from(self.working_sell_lots)
    }

    /// Returns the largest position an order could lead to on its side; where positions hedge, that is the side that
    /// it adds to.
    pub(crate) fn worst_position(self, side: Side, lots: i64) -> i128 {
        let worst = match side {
            _ if tradecore_types::is_planted("orders_under_way_not_counted") => {
                i128::from(self.position_lots * side.sign())
            }
            Side::Buy => self.longest(),
            Side::Sell => -self.shortest(),
        };
        worst + i128::from(lots)
    }

    /// Returns what is held long and what is held short where positions hedge, neither of them negative.
    #[must_use]
    pub fn held_sides(self) -> (i64, i64) {
        // One of the two is not below 0, the other one not above.
        let (long, short) =
            (self.position_lots.max(self.hedge_lots), self.position_lots.min(self.hedge_lots));
        (long, short.saturating_neg())
    }

    /// Returns what each side could become if every working order filled, long first; more than fits counts as the
    /// largest number.
    #[must_use]
    pub fn worst_sides(self) -> (i64, i64) {
        let (long, short) = self.held_sides();
        (long.saturating_add(self.working_buy_lots), short.saturating_add(self.working_sell_lots))
    }

    /// Returns what both sides together could become if every working order filled: those that do not meet add up.
    pub(crate) fn both_sides(self) -> i128 {
        let held = i128::from(self.position_lots).abs() + i128::from(self.hedge_lots).abs();
        held + i128::from(self.working_buy_lots) + i128::from(self.working_sell_lots)
    }

    /// Tells whether an order of so many lots is *closing*: it can only bring the position nearer to flat.
    ///
    /// It can, when it never turns the position even if every working order on its side fills first: of a
    /// position of +5 a sell of 5 is closing, one of 9 is not, and one of 3 is not while a sell of 3 works.
    /// An order whose size is a share of buying power gets its size later, so it is closing only when it is
    /// reduce-only. An amendment is closing if the whole order is, as it will be.
    ///
    /// This is the one meaning of the word: decision checks, risk and the kernel ask here.
    #[must_use]
    pub fn is_closing(self, intent: &OrderIntent, lots: i64) -> bool {
        let is_sized = intent.reduce_only || matches!(intent.size, Size::Lots(_));
        let closable = intent.side.closable_lots(self.position_lots);
        let working_lots = if tradecore_types::is_planted("exits_not_added_up") {
            0
        } else {
            self.working_lots(intent.side)
        };
        let in_all = i128::from(lots) + i128::from(working_lots);
        is_sized && lots > 0 && in_all <= i128::from(closable)
    }
}

/// What is at stake in an instrument already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Of the whole account: what the limits of the instrument are about.
    pub account: Stake,
    /// Of the strategy alone: what decides whether its order only closes.
    pub own: Stake,
    /// Open orders of the account in the instrument.
    pub open_orders: u32,
}
