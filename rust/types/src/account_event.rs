//! What an account is told of itself: what it begins with, corrections, conversions, and money its owner brings or
//! takes.

use std::collections::BTreeMap;

use crate::balance::{check_currency, check_reason};
use crate::{
    Balance, CashConversion, InstrumentId, Money, OrderId, Rule, Scope, StrategyId, TimeNs, ValueError,
};

/// An event about the account itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// What the account begins with; only the first event of an engine can be one.
    Opening(Opening),
    /// Money that the account gained or lost without a fill: it counts as profit or loss.
    Adjustment(AccountChange),
    /// Money that the owner brought, or took when it is negative: no profit and no loss.
    Transfer(AccountChange),
    /// Cash that was changed from one currency into another.
    Conversion(CashConversion),
}

impl AccountEvent {
    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Opening(_) => "opening",
            Self::Adjustment(_) => "adjustment",
            Self::Transfer(_) => "transfer",
            Self::Conversion(_) => "conversion",
        }
    }
}

/// An amount in a currency, and why it came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Name of the currency, such as `USDT`.
    pub currency: String,
    /// What came; negative is what went.
    pub amount: Money,
    /// Why it came or went, in words that people will read.
    pub reason: String,
}

/// A lot that is open when the account begins: what one fill opened and nobody has closed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningLot {
    /// The strategy that it belongs to.
    pub strategy: StrategyId,
    /// The instrument that is held.
    pub instrument: InstrumentId,
    /// Order that opened it; 0 when nobody knows.
    pub entry_order: OrderId,
    /// Venue time of the entry.
    pub entry_time_ns: TimeNs,
    /// Price at which it was opened, in ticks.
    pub entry_ticks: i64,
    /// Size: above 0 is long, below 0 short.
    pub lots: i64,
    /// Fee of the entry, paid before: a part of the result of the trade, and not paid again.
    pub fee: Money,
    /// What it cost, where that is a share of what its position cost (average); else it is its size at its price.
    pub cost: Option<Money>,
}

/// The last price of an instrument, by which positions are valued until there is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningPrice {
    /// The instrument whose price it is.
    pub instrument: InstrumentId,
    /// The price in ticks, above 0.
    pub price_ticks: i64,
}

/// What a scope had lost and gained when it was carried over, and whether it was halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardState {
    /// The account or a strategy.
    pub scope: Scope,
    /// What its fills paid and took, fees included; of the account all its cash.
    pub cash: Money,
    /// The equity that was seen last: a loss of the day is counted against it.
    pub last: Money,
    /// Its highest equity: what a drawdown is counted from.
    pub peak: Money,
    /// Its equity when the day began: what a daily loss is counted from.
    pub day_start: Money,
    /// Number of that day since 1970; `None` before the first price.
    pub day: Option<i64>,
    /// The rule that halted it, its limit and the value that passed it.
    pub halt: Option<(Rule, i128, i128)>,
}

/// What an account begins with.
///
/// Carried from the account before: cash, open lots with their entries, the last prices, the number of the last
/// order, what the owner had brought (so that profit goes on), and what the loss limits count from, with the halts.
/// What begins anew: sums of fees and funding, closed trades, counts of orders and fills, rates of messages and
/// executions, the volume behind a fee tier, interest that was not booked yet, and the margin set aside for an
/// isolated position, which is the initial margin at its entry prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// Money at hand, by currency.
    pub cash: Vec<Balance>,
    /// What the owner has brought so far; profit counts from there. Without it profit counts from this opening.
    pub brought: Option<Money>,
    /// Open lots, in the order in which they were opened.
    pub lots: Vec<OpeningLot>,
    /// The last price of each instrument that has one.
    pub prices: Vec<OpeningPrice>,
    /// What the loss limits count from.
    pub guards: Vec<GuardState>,
    /// Number of the last order before; the next one has the number after it.
    pub last_order_id: u64,
    /// Events of the feed that the account before has consumed: a feed that begins again leaves them out.
    pub market_events: u64,
    /// Head of the chain of the journal before.
    pub before: Option<[u8; 32]>,
    /// What is different from the account before, in words.
    pub changed: String,
}

impl Opening {
    /// Open lots there may be: they fit one frame of a journal.
    pub const LOTS_MAX: usize = 8_192;

    /// Checks what an opening says by itself; whether ids are known is for whoever has the tables.
    ///
    /// # Errors
    ///
    /// [`ValueError`] names the field, the value and the rule.
    pub fn check(&self, time_ns: TimeNs) -> Result<(), ValueError> {
        for (index, balance) in self.cash.iter().enumerate() {
            check_currency(&balance.currency)?;
            if self.cash.iter().take(index).any(|known| known.currency == balance.currency) {
                return Err(ValueError::new("cash", &balance.currency, "names a currency twice"));
            }
        }
        if self.lots.len() > Self::LOTS_MAX {
            let rule = format!("an opening has at most {} open lots", Self::LOTS_MAX);
            return Err(ValueError::new("lots", self.lots.len(), rule));
        }
        self.lots.iter().try_for_each(|lot| self.check_lot(lot, time_ns))
    }

    fn check_lot(&self, lot: &OpeningLot, time_ns: TimeNs) -> Result<(), ValueError> {
        if lot.lots == 0 || lot.lots == i64::MIN {
            return Err(ValueError::new("lots", lot.lots, "an open lot must have a size"));
        }
        if lot.entry_time_ns > time_ns {
            let rule = "an open lot must not be entered after the opening";
            return Err(ValueError::new("entry_time_ns", lot.entry_time_ns, rule));
        }
        if lot.entry_order.0 > self.last_order_id {
            let rule = format!("must not be above last_order_id, {}", self.last_order_id);
            return Err(ValueError::new("entry_order", lot.entry_order.0, rule));
        }
        Ok(())
    }

    /// Checks that lots which are one position are all long or all short: those of a strategy in an instrument, or where
    /// that hedges those of one ticket.
    ///
    /// # Errors
    ///
    /// [`ValueError`] names the first lot that is on the other side.
    pub fn check_sides(&self, is_hedged: impl Fn(InstrumentId) -> bool) -> Result<(), ValueError> {
        let mut sides: BTreeMap<(StrategyId, InstrumentId, Option<OrderId>), i64> = BTreeMap::new();
        for lot in &self.lots {
            let ticket = is_hedged(lot.instrument).then_some(lot.entry_order);
            let side = lot.lots.signum();
            if *sides.entry((lot.strategy, lot.instrument, ticket)).or_insert(side) != side {
                let rule = match ticket {
                    Some(_) => "open lots of a ticket are all long or all short",
                    None => "open lots of a strategy in an instrument are all long or all short",
                };
                return Err(ValueError::new("lots", lot.lots, rule));
            }
        }
        Ok(())
    }
}

impl AccountChange {
    /// Checks what a change says by itself.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the amount is 0, or the currency or the reason is no text.
    pub fn check(&self) -> Result<(), ValueError> {
        check_currency(&self.currency)?;
        if self.amount == Money::ZERO {
            return Err(ValueError::new("amount", self.amount, "must not be 0"));
        }
        check_reason(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(lots: i64) -> OpeningLot {
        OpeningLot {
            strategy: StrategyId(0),
            instrument: InstrumentId(0),
            entry_order: OrderId(2),
            entry_time_ns: 5,
            entry_ticks: 7,
            lots,
            fee: Money::ZERO,
            cost: None,
        }
    }

    fn opening(lots: &[OpeningLot]) -> Opening {
        let cash = vec![Balance { currency: "USD".into(), amount: Money(1) }];
        Opening { cash, lots: lots.to_vec(), last_order_id: 2, ..Opening::default() }
    }

    #[test]
    fn what_an_opening_cannot_be_is_refused_by_field() {
        assert_eq!(opening(&[lot(3), lot(4)]).check(5), Ok(()));
        let refused = |opening: &Opening| opening.check(5).unwrap_err().field;
        let mut twice = opening(&[]);
        twice.cash.extend_from_within(..);
        assert_eq!(refused(&twice), "cash");
        let mut nameless = opening(&[]);
        nameless.cash[0].currency = " ".into();
        assert_eq!(refused(&nameless), "currency");
        assert_eq!(refused(&opening(&[lot(0)])), "lots");
        assert_eq!(refused(&opening(&[OpeningLot { entry_time_ns: 6, ..lot(1) }])), "entry_time_ns");
        assert_eq!(refused(&opening(&[OpeningLot { entry_order: OrderId(3), ..lot(1) }])), "entry_order");
        assert_eq!(refused(&opening(&vec![lot(1); Opening::LOTS_MAX + 1])), "lots");
    }

    #[test]
    fn lots_of_one_position_are_on_one_side() {
        let refused = |lots: &[OpeningLot], is_hedged: bool| {
            opening(lots).check_sides(|_| is_hedged).err().map(|error| (error.field, error.rule))
        };
        let of_strategy = "open lots of a strategy in an instrument are all long or all short";
        assert_eq!(refused(&[lot(3), lot(4)], false), None);
        assert_eq!(refused(&[lot(3), lot(-1)], false), Some(("lots", of_strategy.into())));
        let other = OpeningLot { strategy: StrategyId(1), ..lot(-1) };
        assert_eq!(refused(&[lot(3), other], false), None, "each strategy holds its own");

        let second = OpeningLot { entry_order: OrderId(1), ..lot(-1) };
        assert_eq!(refused(&[lot(3), second], true), None, "each ticket has a side");
        assert_eq!(refused(&[lot(3), second], false), Some(("lots", of_strategy.into())));
        let of_ticket = "open lots of a ticket are all long or all short";
        assert_eq!(refused(&[lot(3), lot(-1)], true), Some(("lots", of_ticket.into())));
    }

    #[test]
    fn a_change_says_how_much_and_why() {
        let change = AccountChange { currency: "USD".into(), amount: Money(1), reason: "deposit".into() };
        assert_eq!(change.check(), Ok(()));
        for (bad, field) in [
            (AccountChange { amount: Money::ZERO, ..change.clone() }, "amount"),
            (AccountChange { reason: "\n".into(), ..change.clone() }, "reason"),
            (AccountChange { currency: "x".repeat(33), ..change }, "currency"),
        ] {
            assert_eq!(bad.check().unwrap_err().field, field);
        }
    }
}
