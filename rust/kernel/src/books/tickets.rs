//! Positions that hedge: what is at stake on both sides of an instrument.

use tradecore_ledger::{ClosedOrder, Ledger, Legs, Working};
use tradecore_risk::{Exposure, Stake, Stakes};
use tradecore_types::{Instrument, OrderIntent, Side, StrategyId};

use crate::books::Books;

/// Returns two sides as what is at stake, the one first that orders of a side add to.
pub(crate) fn stake(side: Side, legs: Legs, working: Working) -> Stake {
    Stake::hedged(side, (legs.long, legs.short), (working.buy_lots, working.sell_lots))
}

/// Returns what an order that has ended could close: its ticket where positions hedge, else the position.
pub(crate) fn held_for(ledger: &Ledger, order: &ClosedOrder) -> i64 {
    match order.closes.filter(|_| ledger.is_hedged(order.instrument)) {
        Some(ticket) => ledger.lots_of_entry(order.strategy, order.instrument, ticket),
        None => ledger.position(order.strategy, order.instrument),
    }
}

impl Books {
    /// Tells the scopes what a strategy and the account have on both sides of an instrument that hedges.
    #[cold]
    pub(crate) fn tell_sides(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        (own, account): (Working, Working),
    ) {
        let id = instrument.id;
        let stakes = Stakes {
            own: stake(Side::Buy, self.ledger.legs(strategy, id), own),
            account: stake(Side::Buy, self.ledger.legs_total(id), account),
        };
        let mark_ticks = self.marks.get(id.index()).copied().flatten();
        self.scopes.set_stakes(strategy, instrument, mark_ticks, stakes);
    }

    /// Counts what an order without a ticket adds to, orders that work left out.
    pub(crate) fn sides_without_orders(&self, intent: &OrderIntent) -> Exposure {
        let OrderIntent { strategy, instrument, side, .. } = *intent;
        let none = Working::default();
        Exposure {
            account: stake(side, self.ledger.legs_total(instrument), none),
            own: stake(side, self.ledger.legs(strategy, instrument), none),
            open_orders: 0,
        }
    }
}
