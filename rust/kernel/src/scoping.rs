//! Keeps the limits of strategies and the account told of every order, fill and mark.

use tradecore_ledger::{FillInput, Ledger, OpenOrder, OrderState, Orders};
use tradecore_risk::{Execution, Scopes, Stake, Stakes};
use tradecore_types::{CancelReason, Instrument, InstrumentId, OrderIntent, StrategyId, TimeNs};

use crate::Kernel;

/// The books of account from which the scopes are told.
#[derive(Clone, Copy)]
pub(crate) struct Books<'a> {
    pub(crate) orders: &'a Orders,
    pub(crate) ledger: &'a Ledger,
    pub(crate) marks: &'a [Option<i64>],
}

impl Books<'_> {
    /// Tells the stakes of a strategy and the account in an instrument.
    fn tell_stakes(self, scopes: &mut Scopes, strategy: StrategyId, instrument: &Instrument) {
        let id = instrument.id;
        let own = self.orders.working(strategy, id);
        let account = self.orders.working_total(id);
        let stakes = Stakes {
            own: Stake {
                position_lots: self.ledger.position(strategy, id),
                working_buy_lots: own.buy_lots,
                working_sell_lots: own.sell_lots,
            },
            account: Stake {
                position_lots: self.ledger.position_total(id),
                working_buy_lots: account.buy_lots,
                working_sell_lots: account.sell_lots,
            },
        };
        let mark_ticks = self.marks.get(id.index()).copied().flatten();
        scopes.set_stakes(strategy, instrument, mark_ticks, stakes);
    }

    /// Tells of a new order.
    pub(crate) fn tell_opened(self, scopes: &mut Scopes, intent: &OrderIntent, instrument: &Instrument) {
        scopes.count_open(intent.strategy, true);
        self.tell_changed(scopes, intent, instrument);
    }

    /// Tells of an order that was asked to change.
    pub(crate) fn tell_changed(self, scopes: &mut Scopes, intent: &OrderIntent, instrument: &Instrument) {
        if let Some(order) = self.orders.get(intent.order_id) {
            tell_resting(scopes, order);
        }
        self.tell_stakes(scopes, intent.strategy, instrument);
    }

    /// Tells of a report that is booked.
    pub(crate) fn tell_report(
        self,
        scopes: &mut Scopes,
        order: &OpenOrder,
        instrument: &Instrument,
        fill: Option<&FillInput>,
        now_ns: TimeNs,
    ) {
        let intent = &order.intent;
        if order.state.is_terminal() {
            scopes.count_open(intent.strategy, false);
            scopes.remove_resting(intent.instrument, intent.order_id);
        } else {
            tell_resting(scopes, order);
        }
        self.tell_stakes(scopes, intent.strategy, instrument);
        if let Some(fill) = fill {
            let execution = Execution {
                strategy: intent.strategy,
                side: fill.side,
                price_ticks: fill.price_ticks,
                lots: fill.lots,
                fee: fill.fee,
            };
            scopes.note_fill(instrument, &execution, self.ledger.cash(), now_ns);
        }
    }
}

/// Notes where a limit order stands in the market.
fn tell_resting(scopes: &mut Scopes, order: &OpenOrder) {
    if let (true, true, Some(price_ticks)) =
        (scopes.prevents_self_trades(), order.may_rest(), order.price_ticks)
    {
        let is_leaving = order.state == OrderState::PendingCancel;
        scopes.put_resting(&order.intent, price_ticks, order.amending.price_ticks, is_leaving);
    }
}

impl Kernel {
    /// Tells the scopes of an order that was sent or asked to change.
    pub(crate) fn tell_scopes(&mut self, intent: &OrderIntent, is_new: bool) {
        let Some(market) = self.markets.get(intent.instrument.index()) else { return };
        let books = Books { orders: &self.orders, ledger: &self.ledger, marks: &self.marks };
        if is_new {
            books.tell_opened(&mut self.scopes, intent, &market.instrument);
        } else {
            books.tell_changed(&mut self.scopes, intent, &market.instrument);
        }
        self.scopes.note_message(intent.strategy, self.now_ns);
    }

    /// Tells the scopes everything there is: they were switched on while the engine ran.
    pub(crate) fn tell_scopes_all(&mut self) {
        let books = Books { orders: &self.orders, ledger: &self.ledger, marks: &self.marks };
        for market in &self.markets {
            for strategy in (0..self.config.strategies).map(StrategyId) {
                books.tell_stakes(&mut self.scopes, strategy, &market.instrument);
            }
        }
        for order in self.orders.iter() {
            self.scopes.count_open(order.intent.strategy, true);
        }
        self.tell_resting_all();
        self.scopes.start_guards(self.ledger.cash());
    }

    /// Tells the scopes which limit orders are in the market, where nobody followed them before.
    pub(crate) fn tell_resting_all(&mut self) {
        for order in self.orders.iter() {
            tell_resting(&mut self.scopes, order);
        }
    }

    /// Tells the scopes a new price.
    pub(crate) fn tell_mark(&mut self, instrument: InstrumentId, price_ticks: i64) {
        if let Some(market) = self.markets.get(instrument.index()) {
            self.scopes.mark(&market.instrument, price_ticks, self.ledger.cash(), self.now_ns);
        }
    }

    /// Cancels the own orders that an approved one could trade with: they leave before it arrives.
    pub(crate) fn withdraw_met(&mut self, intent: &OrderIntent) {
        if !self.scopes.prevents_self_trades() {
            return;
        }
        let mut met = std::mem::take(&mut self.met);
        met.extend(self.scopes.met_by(intent));
        for order_id in met.drain(..) {
            self.request_cancel(order_id, CancelReason::SelfTrade);
        }
        self.met = met;
    }
}
