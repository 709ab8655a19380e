//! Accounts that were carried over: they go on as the account before would have.

use proptest::prelude::*;
use tradecore_types::{CurrencyId, InstrumentKind, Money, OpeningLot, OrderId, Side, StrategyId};

use super::instrument;
use crate::{FillInput, Ledger, LedgerError};

const STRATEGIES: usize = 2;

fn ledger(cash: i128) -> Ledger {
    let instruments = vec![
        instrument(0, "0.5", "1", InstrumentKind::Linear, "1"),
        instrument(1, "0.01", "0.1", InstrumentKind::Linear, "3"),
    ];
    Ledger::new(instruments, STRATEGIES, Money(cash), 16)
}

fn fill(order: u64, strategy: u16, instrument: u32, is_buy: bool, price_ticks: i64, lots: i64) -> FillInput {
    FillInput {
        order_id: OrderId(order),
        strategy: StrategyId(strategy),
        instrument: tradecore_types::InstrumentId(instrument),
        side: if is_buy { Side::Buy } else { Side::Sell },
        price_ticks,
        lots,
        fee: Money(7),
        venue_time_ns: i64::try_from(order).unwrap(),
        closes: None,
        fee_currency: None,
    }
}

proptest! {
    /// Whatever was traded before, cash, cost and later trades are those of an account that was never carried over.
    #[test]
    fn an_account_that_was_carried_over_goes_on_as_if_it_was_not(
        fills in prop::collection::vec((0..2u16, 0..2u32, any::<bool>(), 1..500i64, 1..20i64), 1..40),
        cut in 0..40usize,
    ) {
        let mut plain = ledger(1_000_000);
        let mut carried = ledger(5);
        let cut = cut.min(fills.len());
        let mut number = 0;
        let mut next = |(strategy, instrument, is_buy, price_ticks, lots)| {
            number += 1;
            fill(number, strategy, instrument, is_buy, price_ticks, lots)
        };
        for &each in &fills[..cut] {
            plain.apply_fill(&next(each)).unwrap();
        }
        let lots: Vec<OpeningLot> = plain.opening_lots().collect();
        carried.open(plain.cash(), Some(plain.opening()), &lots).unwrap();
        prop_assert_eq!(carried.opening_lots().collect::<Vec<_>>(), lots);
        let trades = plain.trades().count();
        for &each in &fills[cut..] {
            let each = next(each);
            plain.apply_fill(&each).unwrap();
            carried.apply_fill(&each).unwrap();
            prop_assert_eq!(carried.check(), Ok(()));
        }
        prop_assert_eq!(carried.audit(), Ok(()));
        prop_assert_eq!(carried.trades().collect::<Vec<_>>(), plain.trades().skip(trades).collect::<Vec<_>>());
        let worth = |ledger: &Ledger| {
            (ledger.cash(), ledger.inventory(), ledger.opening(), ledger.equity(&[Some(90), Some(80)]))
        };
        prop_assert_eq!(worth(&carried), worth(&plain));
    }
}

#[test]
fn without_what_the_owner_brought_profit_counts_from_the_opening() {
    let mut books = ledger(5);
    let mut before = ledger(1_000);
    before.apply_fill(&fill(1, 0, 0, true, 10, 2)).unwrap();
    let lots: Vec<OpeningLot> = before.opening_lots().collect();
    books.open(Money(40), None, &lots).unwrap();
    assert_eq!((books.balance(), books.adjusted()), (books.opening(), Money::ZERO));
    assert_eq!(books.fees(), Money::ZERO, "the fee of the entry was paid before");
}

#[test]
fn a_transfer_is_no_profit_and_an_adjustment_is() {
    let mut books = ledger(1_000);
    books.transfer(CurrencyId::REPORTING, Money(200)).unwrap();
    books.adjust(CurrencyId::REPORTING, Money(-30)).unwrap();
    books.transfer(CurrencyId::REPORTING, Money(-50)).unwrap();
    assert_eq!((books.cash(), books.opening(), books.adjusted()), (Money(1_120), Money(1_150), Money(-30)));
    assert_eq!(books.audit(), Ok(()));
    let before = books.clone();
    let overflow = |refused: Result<(), LedgerError>| matches!(refused, Err(LedgerError::Overflow { .. }));
    assert!(
        overflow(books.transfer(CurrencyId::REPORTING, Money(i128::MAX)))
            && overflow(books.adjust(CurrencyId::REPORTING, Money(i128::MAX)))
    );
    assert_eq!((books.cash(), books.adjusted()), (before.cash(), before.adjusted()));
}

#[test]
fn an_opening_that_cannot_be_changes_nothing() {
    let mut books = ledger(1_000);
    let lot = |strategy, instrument, entry_ticks, lots| OpeningLot {
        strategy: StrategyId(strategy),
        instrument: tradecore_types::InstrumentId(instrument),
        entry_order: OrderId(0),
        entry_time_ns: 0,
        entry_ticks,
        lots,
        fee: Money::ZERO,
        cost: None,
    };
    for lots in [
        vec![lot(2, 0, 1, 1)],
        vec![lot(0, 2, 1, 1)],
        vec![lot(0, 0, 1, 0)],
        vec![lot(0, 0, 1, 1), lot(0, 0, 1, -1)],
        vec![lot(0, 0, 1, i64::MAX), lot(1, 0, 1, 1)],
    ] {
        assert!(books.open(Money(1), None, &lots).is_err(), "{lots:?}");
    }
    assert!(books.open(Money(i128::MAX), None, &[lot(0, 0, 1, 1)]).is_err());
    assert_eq!((books.cash(), books.opening_lots().count(), books.audit()), (Money(1_000), 0, Ok(())));
}
