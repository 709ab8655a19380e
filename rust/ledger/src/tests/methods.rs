//! Lots closed by each method, against a plain list of lots.

use proptest::prelude::*;
use tradecore_types::{
    Instrument, InstrumentId, InstrumentKind, LotMethod, Money, OpeningLot, OrderId, Side, StrategyId,
    share_of,
};

use super::instrument;
use crate::{FillInput, Ledger};

const ANNA: StrategyId = StrategyId(0);
const GOLD: InstrumentId = InstrumentId(0);

/// One random fill: bought or sold, lots, price, and which earlier order to close first.
type Step = (bool, i64, i64, Option<u64>);

fn known(is_inverse: bool) -> Instrument {
    let kind = if is_inverse { InstrumentKind::Inverse } else { InstrumentKind::Linear };
    instrument(0, "0.5", "0.1", kind, "7")
}

fn ledger(known: &Instrument, method: LotMethod) -> Ledger {
    Ledger::new(vec![known.clone()], 1, Money(1_000), 4).closing_by(method)
}

fn fill(order: u64, &(is_buy, lots, price_ticks, closes): &Step) -> FillInput {
    FillInput {
        order_id: OrderId(order),
        strategy: ANNA,
        instrument: GOLD,
        side: if is_buy { Side::Buy } else { Side::Sell },
        price_ticks,
        lots,
        fee: Money(i128::from(order)),
        venue_time_ns: 1,
        closes: closes.map(OrderId),
        fee_currency: None,
    }
}

/// Open lots as (order, lots, price), the one that is closed first in front; and what they cost together.
struct Plain {
    method: LotMethod,
    lots: Vec<(u64, i64, i64)>,
    cost: i128,
    realised: i128,
}

impl Plain {
    /// Closes what the fill reaches, each part at its cost; returns the cost of each closed part.
    fn fill(&mut self, known: &Instrument, order: u64, step: &Step) -> Vec<i128> {
        let &(is_buy, lots, price, named) = step;
        let value = |price, lots| known.value(price, lots).unwrap().0;
        let sign = if is_buy { 1 } else { -1 };
        let (mut left, mut costs) = (lots, Vec::new());
        let (whole, held) = (self.cost, self.lots.iter().map(|lot| lot.1.abs()).sum::<i64>());
        let (mut closed, mut told) = (0, 0);
        while left > 0 && self.lots.first().is_some_and(|lot| lot.1.signum() != sign) {
            let place = self.lots.iter().position(|lot| Some(lot.0) == named).unwrap_or(0);
            let (entry, size, entry_price) = self.lots[place];
            let part = size.abs().min(left) * size.signum();
            closed += part.abs();
            let cost = if self.method == LotMethod::Average {
                let until = share_of(whole, closed.into(), held.into()).unwrap();
                until - std::mem::replace(&mut told, until)
            } else {
                value(entry_price, part)
            };
            self.cost -= cost;
            self.realised += value(price, part) - cost;
            costs.push(cost);
            left -= part.abs();
            if part == size {
                self.lots.remove(place);
            } else {
                self.lots[place] = (entry, size - part, entry_price);
            }
        }
        if left > 0 {
            self.cost += value(price, left * sign);
            let place = if self.method == LotMethod::Lifo { 0 } else { self.lots.len() };
            self.lots.insert(place, (order, left * sign, price));
        }
        costs
    }

    /// Returns the open lots in the order in which they were opened.
    fn opened(&self) -> Vec<(u64, i64, i64)> {
        let mut lots = self.lots.clone();
        if self.method == LotMethod::Lifo {
            lots.reverse();
        }
        lots
    }
}

fn open_of(ledger: &Ledger) -> Vec<(u64, i64, i64)> {
    ledger.open_lots(ANNA, GOLD).map(|lot| (lot.entry_order.0, lot.lots, lot.entry_ticks)).collect()
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (any::<bool>(), 1i64..30, 1i64..400, proptest::option::of(0u64..30));
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(debug_assertions) { 64 } else { 512 }, ..ProptestConfig::default() })]

    /// Realised profit, open lots, what they cost and each closed trade are those of a plain list, for every method.
    #[test]
    fn every_method_is_that_of_a_plain_list(steps in steps()) {
        let known = known(false);
        for method in LotMethod::ALL {
            let mut books = ledger(&known, method);
            let mut plain = Plain { method, lots: Vec::new(), cost: 0, realised: 0 };
            let mut costs = Vec::new();
            for (order, step) in (0..).zip(&steps) {
                books.apply_fill(&fill(order, step)).unwrap();
                costs.extend(plain.fill(&known, order, step));
                books.audit().unwrap();
                prop_assert_eq!(books.realised().0, plain.realised);
                prop_assert_eq!(books.inventory().0, plain.cost);
                prop_assert_eq!(open_of(&books), plain.opened());
            }
            let told: Vec<i128> = books
                .trades()
                .map(|trade| {
                    let lots = trade.lots * trade.side.sign();
                    known.value(trade.exit_ticks, lots).unwrap().0 - trade.pnl.0 - trade.commission.0
                })
                .collect();
            prop_assert_eq!(told, costs);
        }
    }

    /// What is realised and what is not add up to the same, whichever the method; equity too.
    #[test]
    fn the_sum_of_realised_and_unrealised_is_one_for_all_methods(
        steps in steps(), mark in 1i64..400, is_inverse in any::<bool>()
    ) {
        let known = known(is_inverse);
        let mut told = Vec::new();
        for method in LotMethod::ALL {
            let mut books = ledger(&known, method);
            for (order, step) in (0..).zip(&steps) {
                books.apply_fill(&fill(order, step)).unwrap();
            }
            books.audit().unwrap();
            let unrealised = books.unrealised(&[Some(mark)]).unwrap().0;
            told.push((books.realised().0 + unrealised, books.equity(&[Some(mark)]).unwrap(), books.fees()));
        }
        let spread = |of: fn(&(i128, Money, Money)) -> i128| {
            told.iter().map(of).max().unwrap() - told.iter().map(of).min().unwrap()
        };
        // Each value of an inverse contract is rounded by itself.
        let rounded = if is_inverse { 4 * i128::try_from(steps.len()).unwrap() * 30 } else { 0 };
        prop_assert!(spread(|row| row.0) <= rounded);
        prop_assert!(spread(|row| row.1.0) <= rounded);
        prop_assert_eq!(spread(|row| row.2.0), 0);
    }

    /// An account that goes on in new books closes later lots as the old ones would.
    #[test]
    fn books_that_are_carried_over_go_on_alike(steps in steps(), cut in 0usize..60) {
        let known = known(false);
        let (before, after) = steps.split_at(cut.min(steps.len()));
        for method in LotMethod::ALL {
            let mut old = ledger(&known, method);
            for (order, step) in (0..).zip(before) {
                old.apply_fill(&fill(order, step)).unwrap();
            }
            let mut new = ledger(&known, method);
            let lots: Vec<OpeningLot> = old.opening_lots().collect();
            new.open(old.cash(), None, &lots).unwrap();
            prop_assert_eq!(new.cost(ANNA, GOLD), old.cost(ANNA, GOLD));
            let realised = old.realised().0;
            for (order, step) in (100..).zip(after) {
                old.apply_fill(&fill(order, step)).unwrap();
                new.apply_fill(&fill(order, step)).unwrap();
                new.audit().unwrap();
                prop_assert_eq!(new.realised().0, old.realised().0 - realised);
            }
            prop_assert_eq!(open_of(&new), open_of(&old));
        }
    }
}

#[test]
fn the_entry_price_of_an_average_trade_is_the_average_rounded_to_a_tick() {
    let steps = [(true, 10, 100, None), (true, 20, 201, None), (false, 15, 150, None)];
    for (is_inverse, average) in [(false, 167), (true, 150)] {
        let mut books = ledger(&known(is_inverse), LotMethod::Average);
        for (order, step) in (0..).zip(&steps) {
            books.apply_fill(&fill(order, step)).unwrap();
        }
        let told: Vec<_> = books.trades().map(|trade| (trade.entry_ticks, trade.lots)).collect();
        assert_eq!(told, [(average, 10), (average, 5)]);
    }
}

#[test]
fn the_newest_lot_is_closed_first_by_name_too() {
    let mut books = ledger(&known(false), LotMethod::Lifo);
    for (order, step) in [
        (1, (true, 2, 10, None)),
        (2, (true, 3, 20, None)),
        (1, (true, 4, 30, None)),
        (3, (true, 5, 40, None)),
    ] {
        books.apply_fill(&fill(order, &step)).unwrap();
    }
    // Of order 1 its newer lot first; then the newest of all.
    let applied = books.apply_fill(&fill(4, &(false, 5, 50, Some(1)))).unwrap();
    let told: Vec<_> = applied.reductions.iter().map(|of| (of.entry_order.0, of.remaining_lots)).collect();
    assert_eq!(told, [(1, 2), (1, 1)]);
    books.apply_fill(&fill(5, &(false, 7, 50, None))).unwrap();
    assert_eq!(open_of(&books), [(1, 1, 10), (2, 1, 20)]);
    books.audit().unwrap();
}
