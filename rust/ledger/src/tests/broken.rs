//! Books that are wrong: each promise is broken once, and the check that watches it says so by its name.

use tradecore_types::{
    CashFlow, CashFlowKind, InstrumentId, InstrumentKind, Money, OrderId, Side, StrategyId,
};

use super::instrument;
use crate::{FillInput, Ledger};

const UNIT: i128 = 10i128.pow(18);

/// Two strategies that hold one instrument of two, with cash flows of two kinds.
fn books() -> Ledger {
    let instruments = [0, 1].map(|id| instrument(id, "1", "1", InstrumentKind::Linear, "1"));
    let mut ledger = Ledger::new(instruments.to_vec(), 2, Money(1_000 * UNIT), 16);
    for (order, strategy, side, lots) in [(1, 0, Side::Buy, 5), (2, 1, Side::Sell, 2), (3, 0, Side::Sell, 1)]
    {
        let fill = FillInput {
            order_id: OrderId(order),
            strategy: StrategyId(strategy),
            instrument: InstrumentId(0),
            side,
            price_ticks: 100,
            lots,
            fee: Money(3),
            venue_time_ns: 10,
            closes: None,
            fee_currency: None,
        };
        ledger.apply_fill(&fill).unwrap();
    }
    for (kind, amount) in [(CashFlowKind::ALL[0], 7), (CashFlowKind::ALL[1], -4), (CashFlowKind::ALL[0], 1)] {
        let (strategy, instrument) = (StrategyId(0), InstrumentId(0));
        ledger.book(&CashFlow { time_ns: 20, strategy, instrument, kind, amount: Money(amount) }).unwrap();
    }
    ledger
}

/// What both checks say of books after a change, by the name of the promise.
fn said(change: impl Fn(&mut Ledger)) -> (Option<&'static str>, Option<&'static str>) {
    let mut ledger = books();
    change(&mut ledger);
    let name = |check: Result<(), crate::BrokenInvariant>| check.err().map(|broken| broken.promise);
    (name(ledger.check()), name(ledger.audit()))
}

#[test]
fn books_that_nobody_touched_pass_both_checks() {
    assert_eq!(said(|_| {}), (None, None));
}

#[test]
fn a_position_that_is_not_its_fills_or_its_lots_is_found() {
    let fills = Some("the position is the sum of fills");
    assert_eq!(said(|books| books.holdings[0].position += 1), (fills, fills));
    assert_eq!(said(|books| books.holdings[0].bought += 1), (fills, fills));
    assert_eq!(said(|books| books.holdings[0].sold += 1), (fills, fills));
    assert_eq!(said(|books| books.holdings[0].lots += 1).0, Some("the position is the sum of lots"));
    // A position that no fill touched last is found by the whole audit alone.
    assert_eq!(said(|books| books.holdings[2].position += 1), (None, fills));
    let lots = Some("the position is the sum of its lots");
    let both = |books: &mut Ledger| {
        books.holdings[2].position += 1;
        books.holdings[2].bought += 1;
    };
    assert_eq!(said(both), (None, lots));
}

#[test]
fn a_cost_that_is_not_that_of_the_lots_is_found() {
    assert_eq!(
        said(|books| books.holdings[2].cost += 1),
        (None, Some("the cost of a position is that of its lots"))
    );
    assert_eq!(said(|books| books.totals[0].cost += 1), (None, Some("the total cost is the sum of costs")));
    assert_eq!(said(|books| books.cost += 1).0, Some("inventory is the cost of the open lots"));
}

#[test]
fn a_total_that_is_not_the_sum_of_its_parts_is_found() {
    let total = Some("the total position is the sum of positions");
    assert_eq!(said(|books| books.totals[0].position += 1), (None, total));
    let held = Some("held is what has lots to value");
    assert_eq!(said(|books| books.held.clear()), (None, held));
    assert_eq!(said(|books| books.held.push(1)), (None, held));
}

#[test]
fn accounts_that_do_not_sum_to_zero_are_found() {
    // Opening a lot moves cash and inventory alike, so the sum stays 0 and inventory parts from the lots.
    let opened = |books: &mut Ledger| {
        let posting = crate::accounts::Posting { opened: 9, ..Default::default() };
        books.accounts = books.accounts.posted(&posting).unwrap();
    };
    let inventory = Some("inventory is the cost of the open lots");
    assert_eq!(said(opened), (inventory, inventory));
    // Money that no flow explains moves cash and its source alike, so only the flows part from their account.
    let received = |books: &mut Ledger| books.accounts = books.accounts.received(Money(9)).unwrap();
    assert_eq!(said(received).0, Some("cash flows by kind are the account of cash flows"));
    assert_eq!(said(received).1, Some("cash flows by kind are the account of cash flows"));
}
