use std::collections::BTreeMap;

use proptest::prelude::*;
use tradecore_types::{Bar, Bracket, OrderId, OrderIntent, ReportBody, Side, Size, StrategyId, TimeInForce};

use super::Desk;
use crate::samples::{limit, market, stop};
use crate::{BarAccount, BarFill, BarOrder};

/// One random order: (kind, is buy, size, distance, stop-loss, take-profit, entry to close, strategy, flags).
pub(super) type Wish = (u8, bool, i64, i64, Option<i64>, Option<i64>, Option<u64>, u16, u8);

pub(super) fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let exit = || proptest::option::of(-30i64..30);
    let entry = proptest::option::weighted(0.2, 1u64..20);
    let wish = (0u8..4, any::<bool>(), 1i64..20, -30i64..30, exit(), exit(), entry, 0u16..2, 0u8..8);
    proptest::collection::vec(wish, 0..3)
}

pub(super) fn bars() -> impl Strategy<Value = Vec<([i64; 4], Vec<Wish>)>> {
    let prices = (60i64..140, 60i64..140, 0i64..15, 0i64..15)
        .prop_map(|(open, close, up, down)| [open, open.max(close) + up, open.min(close) - down, close]);
    proptest::collection::vec((prices, wishes()), 1..25)
}

pub(super) fn order(wish: Wish, last: i64) -> OrderIntent {
    let (kind, is_buy, lots, away, stop_loss, profit, closes, strategy, flags) = wish;
    let side = if is_buy { Side::Buy } else { Side::Sell };
    let price = last + away;
    let order = match kind {
        0 => limit(0, side, price, lots),
        1 => stop(0, side, price, lots),
        2 => OrderIntent { size: Size::BuyingPowerPpm(lots * 50_000), ..market(0, side, 1) },
        _ => market(0, side, lots),
    };
    OrderIntent {
        strategy: StrategyId(strategy),
        bracket: Bracket::at(
            stop_loss.map(|distance| price + distance),
            profit.map(|distance| price + distance),
        ),
        closes: closes.map(OrderId),
        reduce_only: closes.is_none() && flags & 1 == 1,
        time_in_force: if flags == 2 { TimeInForce::Ioc } else { TimeInForce::Gtc },
        ..order
    }
}

/// Checks the reports of one bar and adds up the fills.
fn check_fills(desk: &Desk, bar: &Bar, filled: &mut BTreeMap<u64, i64>) -> Result<(), TestCaseError> {
    for report in &desk.account.reports {
        if let ReportBody::Fill { price_ticks, lots, .. } = report.body {
            prop_assert!((bar.low_ticks..=bar.high_ticks).contains(&price_ticks), "{report:?} {bar:?}");
            prop_assert!(lots > 0);
            *filled.entry(report.order_id.0).or_default() += lots;
        }
    }
    prop_assert_eq!(desk.account.ledger.audit(), Ok(()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Fills stay inside their bar, no order fills more than its size, exits never outlive or exceed
    /// what they close, and ledger and order store (which check every report) never object.
    #[test]
    fn every_fill_is_possible_and_every_report_is_legal(bars in bars(), policy in 0usize..2) {
        let policy = [BarOrder::Time, BarOrder::Queue][policy];
        let mut desk = Desk::new(BarFill::NextOpen, policy);
        let mut filled = BTreeMap::new();
        for (prices, wishes) in bars {
            desk.bar(prices);
            let bar = desk.matcher.last.unwrap();
            check_fills(&desk, &bar, &mut filled)?;
            for waiting in desk.matcher.orders() {
                let known = desk.account.orders.get(waiting.intent().order_id);
                prop_assert!(known.is_some(), "waits here, closed there");
            }
            prop_assert_eq!(desk.matcher.len(), desk.account.orders.len());
            for known in desk.account.orders.iter().filter(|order| order.intent.reduce_only) {
                let Some(entry) = known.intent.closes else { continue };
                prop_assert!(known.open_lots() <= desk.account.lots_of_entry(known.intent.strategy, entry).abs(), "{known:?}");
            }
            for wish in wishes {
                desk.send(order(wish, prices[3]));
            }
        }
        for closed in desk.account.orders.closed() {
            let sum = filled.get(&closed.order_id.0).copied().unwrap_or(0);
            prop_assert_eq!(sum, closed.filled_lots);
            prop_assert!(sum <= closed.lots);
        }
    }
}
