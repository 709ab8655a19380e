//! Spot: what the account owns, and what of it an order may use.
//!
//! **Invariant:** what strategies sell without having bought it comes out of what the owner brought, so what another
//! strategy holds is there when it closes; and a purchase is paid from money that no other open order has reserved.

use tradecore_ledger::OpenOrder;
use tradecore_matching::FeeSchedule;
use tradecore_types::{
    CurrencyId, Instrument, InstrumentId, Money, OrderIntent, Refusal, Rule, Side, StrategyId,
};

use crate::books::Books;
use crate::books::buying_power::cost_of;

impl Books {
    /// Judges an order of a spot instrument by what the account owns, working orders included; `replaced` is the order
    /// that it takes the place of. What only closes is not judged.
    #[cold]
    pub(crate) fn check_owned(
        &self,
        (intent, lots): (&OrderIntent, i64),
        (instrument, base): (&Instrument, CurrencyId),
        price_ticks: i64,
        fees: &FeeSchedule,
        replaced: Option<&OpenOrder>,
    ) -> Result<(), Refusal> {
        match intent.side {
            Side::Sell => {
                let replaced_lots = replaced.map_or(0, OpenOrder::lots_at_stake);
                let change = (intent.strategy, instrument.id, lots.saturating_sub(replaced_lots));
                within(Rule::NotOwned, self.money_in(base), self.sold_short(base, change))
            }
            Side::Buy => {
                let settlement = instrument.currencies.settlement;
                let cost = cost_of(instrument, fees, price_ticks, lots).unwrap_or(i128::MAX);
                let needed = cost.saturating_add(self.reserved(settlement, fees, intent));
                // Limits and refusals are in the currency in which the account reports.
                let worth = |amount| instrument.rate.worth(Money(amount)).map_or(amount, |worth| worth.0);
                within(Rule::BuyingPower, self.money_in(settlement), needed).map_err(|said| Refusal {
                    limit: worth(said.limit),
                    value: worth(said.value),
                    ..said
                })
            }
        }
    }

    /// Returns the lots that a strategy can sell beyond its position at once; working orders are left out.
    pub(crate) fn room_to_sell(&self, instrument: &Instrument, base: CurrencyId) -> i64 {
        let lot = instrument.base_amount(1).map_or(i128::MAX, |lot| lot.0.max(1));
        let sold = self.short_positions(base, |_, _, position| position);
        let room = self.money_in(base).saturating_sub(sold).max(0);
        i64::try_from(room / lot).unwrap_or(i64::MAX)
    }

    /// Returns what the account has of a currency apart from what positions in spot instruments have added to it.
    pub(crate) fn money_in(&self, currency: CurrencyId) -> i128 {
        self.ledger.money_in(currency).0
    }

    /// Returns what strategies have sold of a currency, or may by their working orders, without having bought it;
    /// `change`: so many lots more of a strategy in an instrument.
    fn sold_short(&self, base: CurrencyId, change: (StrategyId, InstrumentId, i64)) -> i128 {
        self.short_positions(base, |strategy, instrument, position| {
            let working = self.orders.working(strategy, instrument).sell_lots;
            let more = if (change.0, change.1) == (strategy, instrument) { change.2 } else { 0 };
            position.saturating_sub(working).saturating_sub(more)
        })
    }

    /// Adds up the shorts of all strategies in the spot instruments of a base currency, each at what `worst` makes of
    /// its position.
    fn short_positions(
        &self,
        base: CurrencyId,
        worst: impl Fn(StrategyId, InstrumentId, i64) -> i64,
    ) -> i128 {
        let mut sum: i128 = 0;
        for instrument in self.ledger.instruments().filter(|known| known.currencies.base == Some(base)) {
            for strategy in self.ledger.strategies() {
                let position = worst(strategy, instrument.id, self.ledger.position(strategy, instrument.id));
                let short = instrument.base_amount(position.min(0).saturating_neg());
                sum = sum.saturating_add(short.map_or(i128::MAX, |amount| amount.0));
            }
        }
        sum
    }

    /// Returns what open purchases of spot instruments have reserved of a currency, those of `but` left out.
    fn reserved(&self, settlement: CurrencyId, fees: &FeeSchedule, but: &OrderIntent) -> i128 {
        let cost = |order: &OpenOrder| {
            let intent = &order.intent;
            let known = self.ledger.instrument(intent.instrument)?;
            let is_its = known.currencies.settlement == settlement && known.currencies.base.is_some();
            if intent.order_id == but.order_id || intent.side == Side::Sell || order.only_closes() || !is_its
            {
                return None;
            }
            let mark = self.marks.get(intent.instrument.index()).copied().flatten();
            let price_ticks = order.price_ticks.or(mark)?;
            Some(cost_of(known, fees, price_ticks, order.lots_at_stake()).unwrap_or(i128::MAX))
        };
        self.orders.iter().filter_map(cost).fold(0, i128::saturating_add)
    }
}

/// Refuses a value above its limit.
const fn within(rule: Rule, limit: i128, value: i128) -> Result<(), Refusal> {
    if value > limit { Err(Refusal { rule, limit, value }) } else { Ok(()) }
}

/// Returns a share of some lots, in parts per million, rounded down.
pub(crate) fn share_of_lots(lots: i64, ppm: i64) -> i64 {
    let share = i128::from(lots).saturating_mul(i128::from(ppm)) / 1_000_000;
    i64::try_from(share).unwrap_or(i64::MAX)
}
