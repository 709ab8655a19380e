//! Random cases against the trades that backtesting.py 0.6.6 made of them (`tests/bar_cases/generate.py`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tradecore_types::{
    Bar, Bracket, CancelReason, OrderId, OrderIntent, OrderKind, Sessions, Side, Size, StrategyId,
};

use super::account::Account;
use super::bar;
use crate::samples::{instrument, market};
use crate::{BarAccount, BarFill, BarMatcher, BarOrder, BarRules, FeeSchedule, Finalize, Slippage};

/// One case being replayed.
struct Replay {
    matcher: BarMatcher,
    account: Account,
    finalize: Finalize,
    order_of_tag: HashMap<u64, OrderId>,
    last: Bar,
    bars: i64,
    trades: usize,
}

impl Replay {
    fn new(words: &[&str]) -> Self {
        let [_, fill, leverage, bps, finalize, cash] = words else { panic!("{words:?}") };
        let fees = FeeSchedule::from_bps(bps, bps).unwrap();
        let fill = if *fill == "close" { BarFill::Close } else { BarFill::NextOpen };
        // There a stop may fill between the close before and the open, at a price that no bar has.
        let slippage = Slippage { may_leave_bar: true, ..Slippage::default() };
        let rules = BarRules { fill, order: BarOrder::Queue, orders_max: 1_000, slippage };
        Self {
            matcher: BarMatcher::new(instrument("1", "1"), fees, rules, Sessions::always(0).unwrap()),
            account: Account::new(
                instrument("1", "1"),
                fees,
                cash.parse().unwrap(),
                leverage.parse().unwrap(),
            ),
            finalize: if *finalize == "last_open" { Finalize::LastOpen } else { Finalize::None },
            order_of_tag: HashMap::new(),
            last: bar(0, [0; 4]),
            bars: 0,
            trades: 0,
        }
    }

    fn step(&mut self, words: &[&str]) {
        match words {
            ["B", prices @ ..] => {
                let prices: Vec<i64> = prices.iter().map(|price| price.parse().unwrap()).collect();
                self.last = bar(self.bars, prices.try_into().unwrap());
                self.bars += 1;
                let close_ns = self.last.open_time_ns + 10;
                self.matcher.on_open(&self.last, close_ns, &mut self.account).unwrap();
                self.matcher.on_bar(&self.last, close_ns, &mut self.account).unwrap();
            }
            ["O", tag, side, amount, unit, kind, price, loss, profit] => {
                let side = if *side == "buy" { Side::Buy } else { Side::Sell };
                let price = price.parse().unwrap();
                let amount = amount.parse().unwrap();
                let order = OrderIntent {
                    size: if *unit == "ppm" { Size::BuyingPowerPpm(amount) } else { Size::Lots(amount) },
                    kind: match *kind {
                        "L" => OrderKind::Limit { price_ticks: price },
                        "S" => OrderKind::Stop { trigger_ticks: price },
                        _ => OrderKind::Market,
                    },
                    bracket: Bracket::at(loss.parse().ok(), profit.parse().ok()),
                    ..market(0, side, 1)
                };
                let id = self.send(order);
                self.order_of_tag.insert(tag.parse().unwrap(), id);
            }
            ["X", tag, lots] => {
                let entry = self.order_of_tag[&tag.parse().unwrap()];
                let held = self.account.lots_of_entry(StrategyId(0), entry);
                let side = if held > 0 { Side::Sell } else { Side::Buy };
                self.send(OrderIntent { closes: Some(entry), ..market(0, side, lots.parse().unwrap()) });
            }
            ["C", tag] => {
                let id = self.order_of_tag[&tag.parse().unwrap()];
                self.matcher.cancel(id, CancelReason::Requested, self.bars, &mut self.account).unwrap();
            }
            ["T", expected @ ..] => self.compare(expected),
            ["E", equity] => {
                let equity: f64 = equity.parse().unwrap();
                let ours = self.account.ledger.equity(&[Some(self.last.close_ticks)]).unwrap().to_f64();
                assert!((ours - equity).abs() <= 1e-10 * equity.abs(), "equity {ours} {equity}");
            }
            _ => panic!("{words:?}"),
        }
    }

    fn send(&mut self, intent: OrderIntent) -> OrderId {
        let order = self.account.send(intent);
        self.matcher.submit(&order, self.bars, &mut self.account).unwrap();
        order.intent().order_id
    }

    /// Compares the next closed trade; the first time, the data have just ended.
    fn compare(&mut self, expected: &[&str]) {
        if self.trades == 0 {
            self.finish();
        }
        let trade = self.account.ledger.trade(self.trades).expect("a trade more");
        self.trades += 1;
        let [tag, size, entry_bar, exit_bar, entry, exit, pnl, commission] = expected else { panic!() };
        let number = |text: &&str| text.parse::<i64>().unwrap();
        assert_eq!(trade.entry_order, self.order_of_tag[&tag.parse().unwrap()], "{trade:?} {expected:?}");
        assert_eq!(trade.lots * trade.side.sign(), number(size), "{trade:?} {expected:?}");
        assert_eq!(trade.entry_time_ns / 10, number(entry_bar), "{trade:?} {expected:?}");
        assert_eq!(trade.exit_time_ns / 10, number(exit_bar), "{trade:?} {expected:?}");
        assert_eq!(
            (trade.entry_ticks, trade.exit_ticks),
            (number(entry), number(exit)),
            "{trade:?} {expected:?}"
        );
        let near = |ours: f64, text: &str| (ours - text.parse::<f64>().unwrap()).abs() < 1e-7;
        assert!(near(trade.pnl.to_f64(), pnl), "{trade:?} {expected:?}");
        assert!(near(trade.commission.to_f64(), commission), "{trade:?} {expected:?}");
    }

    fn finish(&mut self) {
        self.matcher.finalize(self.finalize, &self.last, &mut self.account).unwrap();
    }
}

fn replay(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mut replay = Replay::new(&lines.next().unwrap());
    lines.for_each(|words| replay.step(&words));
    assert_eq!(replay.account.ledger.trades().count(), replay.trades, "no trade more");
    assert_eq!(replay.account.ledger.audit(), Ok(()));
    replay.trades
}

/// `TRADECORE_BAR_CASES` names another folder of cases.
#[test]
fn random_cases_make_the_trades_that_backtesting_py_makes() {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bar_cases");
    let folder = std::env::var_os("TRADECORE_BAR_CASES").map_or(own, PathBuf::from);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let mut failures = Vec::new();
    let mut trades = 0;
    for path in &paths {
        match std::panic::catch_unwind(|| replay(path)) {
            Ok(count) => trades += count,
            Err(_) => failures.push(path),
        }
    }
    assert!(failures.is_empty(), "{} of {} cases differ: {failures:?}", failures.len(), paths.len());
    assert!(trades > 200, "only {trades} trades compared");
}
