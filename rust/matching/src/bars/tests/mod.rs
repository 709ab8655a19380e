//! Tests of orders against bars.

mod account;
mod lifetime;
mod oracle;
mod path;
mod properties;
mod queue_policy;
mod slippage;
mod time_policy;
mod waking;

use tradecore_types::{Bar, OrderId, OrderIntent, Sessions};

use self::account::Account;
use crate::samples::{instrument, told};
use crate::{BarFill, BarMatcher, BarOrder, BarRules, FeeSchedule, Slippage};

/// Makes a bar from `[open, high, low, close]`.
fn bar(number: i64, [open_ticks, high_ticks, low_ticks, close_ticks]: [i64; 4]) -> Bar {
    Bar { open_time_ns: number * 10, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots: 1 }
}

/// A matcher with its account.
struct Desk {
    matcher: BarMatcher,
    account: Account,
    bars: i64,
}

impl Desk {
    fn new(fill: BarFill, order: BarOrder) -> Self {
        let fees = FeeSchedule::default();
        let rules = BarRules { fill, order, orders_max: 8, slippage: Slippage::default() };
        Self {
            matcher: BarMatcher::new(instrument("1", "1"), fees, rules, Sessions::always(0).unwrap()),
            account: Account::new(instrument("1", "1"), fees, 10_000, 1),
            bars: 0,
        }
    }

    fn send(&mut self, intent: OrderIntent) -> OrderId {
        let order = self.account.send(intent);
        self.matcher.submit(&order, self.bars * 10, &mut self.account).unwrap();
        order.intent().order_id
    }

    /// Lets fills cost something beyond the prices of the bars.
    fn slipping(fill: BarFill, order: BarOrder, slippage: Slippage) -> Self {
        let mut desk = Self::new(fill, order);
        desk.matcher.rules.slippage = slippage;
        desk
    }

    /// Processes a bar of this volume and returns what was reported, in short.
    fn bar_of(&mut self, prices: [i64; 4], volume_lots: i64) -> Vec<String> {
        self.account.reports.clear();
        self.bars += 1;
        let bar = Bar { volume_lots, ..bar(self.bars, prices) };
        let close_ns = bar.open_time_ns + 10;
        self.matcher.on_open(&bar, close_ns, &mut self.account).unwrap();
        self.matcher.on_bar(&bar, close_ns, &mut self.account).unwrap();
        told(&self.account.reports)
    }

    /// Processes a bar and returns what was reported, in short.
    fn bar(&mut self, prices: [i64; 4]) -> Vec<String> {
        self.bar_of(prices, 1)
    }
}
