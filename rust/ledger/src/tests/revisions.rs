//! Trades that are corrected and busted, against a plain list of what each of them is now.

use proptest::prelude::*;
use tradecore_types::{
    CurrencyId, InstrumentId, InstrumentKind, LotMethod, Money, OrderId, Side, StrategyId,
};

use super::instrument;
use crate::{FillInput, Ledger};

const ANNA: StrategyId = StrategyId(0);
const GOLD: InstrumentId = InstrumentId(0);
const OPENING: Money = Money(1_000_000);

fn ledger(method: LotMethod) -> Ledger {
    let gold = instrument(0, "1", "1", InstrumentKind::Linear, "1");
    Ledger::new(vec![gold], 1, OPENING, 4).closing_by(method)
}

fn fill(order: u64, side: Side, lots: i64, price_ticks: i64) -> FillInput {
    FillInput {
        order_id: OrderId(order),
        strategy: ANNA,
        instrument: GOLD,
        side,
        price_ticks,
        lots,
        fee: Money(i128::from(order)),
        fee_currency: None,
        venue_time_ns: 1,
        closes: None,
    }
}

fn value(ledger: &Ledger, fill: &FillInput) -> i128 {
    ledger.instruments[0].value(fill.price_ticks, fill.side.sign() * fill.lots).unwrap().0
}

/// Books fills one after the other.
fn booked(method: LotMethod, fills: &[FillInput]) -> Ledger {
    let mut ledger = ledger(method);
    for fill in fills {
        ledger.apply_fill(fill).unwrap();
    }
    ledger
}

/// What matters of a ledger.
#[derive(Debug, PartialEq)]
struct Shown {
    /// Entry order, lots, price, value and fee.
    lots: Vec<(u64, i64, i64, i128, i128)>,
    /// Cash, what the lots cost, profit and fees.
    money: [Money; 4],
    trades: usize,
    fills: u64,
}

fn shown(ledger: &Ledger) -> Shown {
    let lots = ledger.open_lots(ANNA, GOLD);
    let lots = lots.map(|lot| (lot.entry_order.0, lot.lots, lot.entry_ticks, lot.value, lot.fee)).collect();
    let accounts = &ledger.accounts;
    let money = [accounts.cash(), accounts.inventory(), accounts.realised(), accounts.fees()];
    Shown { lots, money, trades: ledger.trades().count(), fills: ledger.fills() }
}

const METHODS: [LotMethod; 3] = [LotMethod::Fifo, LotMethod::Lifo, LotMethod::Average];

#[test]
fn what_is_open_is_corrected_where_it_stands_as_if_it_had_been_told_so_at_first() {
    let told = [fill(1, Side::Buy, 10, 100), fill(2, Side::Buy, 5, 110), fill(3, Side::Buy, 7, 120)];
    let is = FillInput { lots: 6, price_ticks: 111, fee: Money(40), ..told[1] };
    for method in METHODS {
        let mut ledger = booked(method, &told);
        ledger.check_revision(Some(&told[1]), Some(&is)).unwrap();
        assert_eq!(ledger.revise(Some(&told[1]), Some(&is), OrderId(2)), Ok(vec![OrderId(2)]));
        assert_eq!(shown(&ledger), shown(&booked(method, &[told[0], is, told[2]])), "{method:?}");
        assert_eq!(ledger.lots_of_entry(ANNA, GOLD, OrderId(2)), 6);
        ledger.revise(Some(&is), None, OrderId(2)).unwrap();
        assert_eq!(shown(&ledger), shown(&booked(method, &[told[0], told[2]])), "{method:?}");
        assert_eq!(ledger.lots_of_entry(ANNA, GOLD, OrderId(2)), 0);
    }
}

#[test]
fn one_of_several_fills_of_an_order_is_taken_out_from_between_the_others() {
    let told = [100, 110, 120].map(|price| fill(1, Side::Sell, 4, price));
    for method in METHODS {
        for place in 0..3 {
            let mut ledger = booked(method, &told);
            ledger.revise(Some(&told[place]), None, OrderId(1)).unwrap();
            let rest: Vec<FillInput> = (0..3).filter(|each| *each != place).map(|each| told[each]).collect();
            assert_eq!(shown(&ledger), shown(&booked(method, &rest)), "{method:?} {place}");
            // What is left closes as ever, and all of it.
            ledger.apply_fill(&FillInput { closes: Some(OrderId(1)), ..fill(9, Side::Buy, 8, 90) }).unwrap();
            assert_eq!((ledger.position(ANNA, GOLD), ledger.audit()), (0, Ok(())));
        }
    }
}

#[test]
fn a_busted_exit_brings_its_lots_back_under_the_entry_at_its_own_price() {
    let told = [fill(1, Side::Buy, 10, 100), fill(2, Side::Sell, 10, 130)];
    for method in METHODS {
        let mut ledger = booked(method, &told);
        assert_eq!(ledger.revise(Some(&told[1]), None, OrderId(1)), Ok(vec![OrderId(2), OrderId(1)]));
        assert_eq!(ledger.lots_of_entry(ANNA, GOLD, OrderId(1)), 10);
        assert_eq!(ledger.cash(), Money(OPENING.0 - value(&ledger, &told[0]) - 1), "{method:?}");
        // The profit stays realised; the lots cost as much more.
        let gain = value(&ledger, &fill(1, Side::Buy, 10, 30));
        assert_eq!(ledger.accounts.realised().0, gain);
        assert_eq!(ledger.accounts.inventory().0, value(&ledger, &told[0]) + gain);
        assert_eq!((ledger.accounts.fees(), ledger.fills()), (Money(1), 1));
    }
}

#[test]
fn a_corrected_exit_leaves_the_profit_of_its_new_price() {
    let told = [fill(1, Side::Buy, 10, 100), fill(2, Side::Sell, 10, 130)];
    let is = FillInput { price_ticks: 125, fee: Money(9), ..told[1] };
    for method in METHODS {
        let mut ledger = booked(method, &told);
        ledger.revise(Some(&told[1]), Some(&is), OrderId(1)).unwrap();
        let wanted = booked(method, &[told[0], is]);
        assert_eq!(ledger.accounts, wanted.accounts, "{method:?}");
        assert_eq!(ledger.trades().map(|trade| trade.pnl.0).sum::<i128>(), wanted.trade(0).unwrap().pnl.0);
    }
}

#[test]
fn what_is_closed_is_paid_anew_and_touches_nothing_that_is_held() {
    let told = [fill(1, Side::Buy, 10, 100), fill(2, Side::Sell, 10, 130), fill(3, Side::Buy, 5, 110)];
    for method in METHODS {
        for is in [
            FillInput { fee: Money(40), ..told[0] },
            FillInput { price_ticks: 90, ..told[0] },
            FillInput { price_ticks: 101, fee: Money(-3), ..told[0] },
        ] {
            let mut ledger = booked(method, &told);
            let was = shown(&ledger);
            assert_eq!(ledger.revise(Some(&told[0]), Some(&is), OrderId(1)), Ok(vec![OrderId(1)]));
            let wanted = booked(method, &[is, told[1], told[2]]);
            assert_eq!((shown(&ledger).lots, ledger.accounts), (was.lots, wanted.accounts), "{method:?}");
            let profit = |ledger: &Ledger| ledger.trades().map(|trade| trade.pnl.0).sum::<i128>();
            assert_eq!((profit(&ledger), ledger.audit()), (profit(&wanted), Ok(())));
        }
    }
}

#[test]
fn a_busted_entry_whose_lots_were_sold_is_a_short_at_its_own_price() {
    let told = [fill(1, Side::Buy, 10, 100), fill(2, Side::Sell, 10, 130)];
    for method in METHODS {
        let mut ledger = booked(method, &told);
        ledger.revise(Some(&told[0]), None, OrderId(1)).unwrap();
        assert_eq!(ledger.position(ANNA, GOLD), -10);
        assert_eq!(ledger.cash(), Money(OPENING.0 - value(&ledger, &told[1]) - 2), "{method:?}");
    }
}

#[test]
fn a_bust_that_is_taken_back_is_booked_again() {
    let told = fill(1, Side::Buy, 10, 100);
    let mut ledger = booked(LotMethod::Fifo, &[told]);
    let was = shown(&ledger);
    ledger.revise(Some(&told), None, OrderId(1)).unwrap();
    assert_eq!(shown(&ledger).money, [OPENING, Money(0), Money(0), Money(0)]);
    ledger.revise(None, Some(&told), OrderId(1)).unwrap();
    assert_eq!(shown(&ledger), was);
}

#[test]
fn a_fee_goes_back_to_the_currency_that_paid_it() {
    let mut ledger = ledger(LotMethod::Fifo);
    ledger.add_currency(Money(500));
    ledger.add_currency(Money(700));
    let told = FillInput { fee: Money(20), fee_currency: Some(CurrencyId(1)), ..fill(1, Side::Buy, 10, 100) };
    let is = FillInput { fee: Money(30), fee_currency: Some(CurrencyId(2)), ..told };
    let cash = |ledger: &Ledger| [0, 1, 2].map(|number| ledger.cash_in(CurrencyId(number)).0);
    ledger.apply_fill(&told).unwrap();
    let paid = OPENING.0 - value(&ledger, &told);
    assert_eq!(cash(&ledger), [paid, 480, 700]);
    ledger.revise(Some(&told), Some(&is), OrderId(1)).unwrap();
    assert_eq!(cash(&ledger), [paid, 500, 670]);
    ledger.revise(Some(&is), None, OrderId(1)).unwrap();
    assert_eq!(cash(&ledger), [OPENING.0, 500, 700]);
}

#[test]
fn what_does_not_fit_is_found_before_anything_changes() {
    let told = fill(1, Side::Buy, 10, 100);
    let mut ledger = booked(LotMethod::Fifo, &[told]);
    let was = shown(&ledger);
    let huge = FillInput { lots: i64::MAX, price_ticks: i64::MAX, ..told };
    assert!(ledger.check_revision(Some(&told), Some(&huge)).is_err());
    let unpayable = FillInput { fee: Money(i128::MIN), ..told };
    assert!(ledger.check_revision(Some(&unpayable), None).is_err());
    assert_eq!(shown(&ledger), was);
}

/// A random trade, or the next telling of an earlier one: which, side, lots (0 busts), price, fee.
type Step = (usize, bool, i64, i64, i128);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn cash_and_position_are_those_of_the_last_telling_of_each_trade(
        steps in prop::collection::vec((0usize..12, any::<bool>(), 0i64..9, 90i64..110, -5i128..9), 1..60),
        method in prop::sample::select(METHODS.as_slice()),
        has_groups in any::<bool>(),
    ) {
        let mut ledger = ledger(method);
        // What each trade is now, `None` where it is busted.
        let mut trades: Vec<(FillInput, bool)> = Vec::new();
        for (number, (which, is_buy, lots, price_ticks, fee)) in (0i64..).zip(steps) {
            let steps: Step = (which, is_buy, lots, price_ticks, fee);
            let known = trades.get(steps.0).copied();
            let Some((was, stands)) = known else {
                let side = if is_buy { Side::Buy } else { Side::Sell };
                // Several trades of one order, and orders that close what another one opened.
                let order = 1 + u64::try_from(trades.len()).unwrap() / 2;
                let closes = (has_groups && order > 2).then(|| OrderId(order - 2));
                let told = FillInput { fee: Money(fee), closes, venue_time_ns: number,
                    ..fill(order, side, lots.max(1), price_ticks) };
                ledger.apply_fill(&told).unwrap();
                trades.push((told, true));
                continue;
            };
            let is = FillInput { lots, price_ticks, fee: Money(fee), venue_time_ns: number, ..was };
            let (before, after) = (stands.then_some(&was), (lots > 0).then_some(&is));
            if before.is_none() && after.is_none() {
                continue;
            }
            ledger.check_revision(before, after).unwrap();
            let entry = was.closes.unwrap_or(was.order_id);
            ledger.revise(before, after, entry).unwrap();
            trades[which] = (if lots > 0 { is } else { was }, lots > 0);
            ledger.audit().unwrap();
            let standing = || trades.iter().filter(|trade| trade.1).map(|trade| &trade.0);
            let position: i64 = standing().map(|fill| fill.side.sign() * fill.lots).sum();
            let cash: i128 = standing().map(|fill| value(&ledger, fill) + fill.fee.0).sum();
            let fees: i128 = standing().map(|fill| fill.fee.0).sum();
            prop_assert_eq!(ledger.position(ANNA, GOLD), position);
            prop_assert_eq!(ledger.cash().0, OPENING.0 - cash);
            prop_assert_eq!(ledger.accounts.fees().0, fees);
            prop_assert_eq!(ledger.fills(), u64::try_from(standing().count()).unwrap());
        }
    }
}
