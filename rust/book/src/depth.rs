//! What anybody who trades against a book needs to see of it.

use tradecore_types::{Level, Quote, Side};

/// Visible liquidity of one instrument; `Side::Buy` is the bid side, `Side::Sell` the ask side.
///
/// **Invariant:** every level seen here has a size above 0, and a walk meets prices from the best outward.
pub trait Depth {
    /// Returns the highest bid, if there is one.
    fn best_bid(&self) -> Option<Level>;

    /// Returns the lowest ask, if there is one.
    fn best_ask(&self) -> Option<Level>;

    /// Returns the size at one price of one side, in lots; 0 when nobody is there.
    fn lots_at(&self, side: Side, price_ticks: i64) -> i64;

    /// Visits the levels of one side from the best outward until `visit` returns `false`.
    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool);

    /// Returns the best level of one side.
    fn best(&self, side: Side) -> Option<Level> {
        match side {
            Side::Buy => self.best_bid(),
            Side::Sell => self.best_ask(),
        }
    }
}

/// The depth that a quote shows: at most one level a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteDepth(pub Quote);

impl Depth for QuoteDepth {
    fn best_bid(&self) -> Option<Level> {
        visible(self.0.bid_ticks, self.0.bid_lots)
    }

    fn best_ask(&self) -> Option<Level> {
        visible(self.0.ask_ticks, self.0.ask_lots)
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        self.best(side).filter(|level| level.price_ticks == price_ticks).map_or(0, |level| level.lots)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        if let Some(level) = self.best(side) {
            visit(level);
        }
    }
}

/// Returns the level when there is anything to trade at it.
fn visible(price_ticks: i64, lots: i64) -> Option<Level> {
    (price_ticks > 0 && lots > 0).then_some(Level { price_ticks, lots })
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTE: Quote = Quote { bid_ticks: 99, bid_lots: 5, ask_ticks: 101, ask_lots: 0, update_id: 0 };

    #[test]
    fn a_quote_shows_one_level_a_side() {
        let depth = QuoteDepth(QUOTE);
        let mut seen = Vec::new();
        depth.walk(Side::Buy, &mut |level| {
            seen.push(level);
            true
        });
        assert_eq!(seen, [Level { price_ticks: 99, lots: 5 }]);
        assert_eq!((depth.lots_at(Side::Buy, 99), depth.lots_at(Side::Buy, 98)), (5, 0));
    }

    #[test]
    fn a_side_without_size_is_not_visible() {
        let depth = QuoteDepth(QUOTE);
        assert_eq!((depth.best_ask(), depth.lots_at(Side::Sell, 101)), (None, 0));
    }
}
