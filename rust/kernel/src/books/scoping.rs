//! Keeps the limits of strategies and the account told of every order, fill and mark.

use tradecore_ledger::{FillInput, OpenOrder, OrderState};
use tradecore_risk::{Execution, Scopes, Stake, Stakes};
use tradecore_types::{CancelReason, Instrument, InstrumentId, Money, OrderIntent, StrategyId, TimeNs};

use crate::Kernel;
use crate::books::Books;

impl Books {
    /// Tells the stakes of a strategy and the account in an instrument.
    fn tell_stakes(&mut self, strategy: StrategyId, instrument: &Instrument) {
        let id = instrument.id;
        let own = self.orders.working(strategy, id);
        let account = self.orders.working_total(id);
        if self.ledger.is_hedged(id) {
            self.tell_sides(strategy, instrument, (own, account));
            return;
        }
        let stakes = Stakes {
            own: Stake {
                position_lots: self.ledger.position(strategy, id),
                hedge_lots: 0,
                working_buy_lots: own.buy_lots,
                working_sell_lots: own.sell_lots,
            },
            account: Stake {
                position_lots: self.ledger.position_total(id),
                hedge_lots: 0,
                working_buy_lots: account.buy_lots,
                working_sell_lots: account.sell_lots,
            },
        };
        let mark_ticks = self.marks.get(id.index()).copied().flatten();
        self.scopes.set_stakes(strategy, instrument, mark_ticks, stakes);
    }

    /// Tells of a new order.
    pub(crate) fn tell_opened(&mut self, intent: &OrderIntent, instrument: &Instrument) {
        self.scopes.count_open(intent.strategy, instrument.account(), true);
        self.tell_changed(intent, instrument);
    }

    /// Tells of an order that was asked to change.
    pub(crate) fn tell_changed(&mut self, intent: &OrderIntent, instrument: &Instrument) {
        if let Some(order) = self.orders.get(intent.order_id) {
            tell_resting(&mut self.scopes, order);
        }
        self.tell_stakes(intent.strategy, instrument);
    }

    /// Tells of a report that is booked.
    pub(crate) fn tell_report(
        &mut self,
        order: &OpenOrder,
        instrument: &Instrument,
        fill: Option<&FillInput>,
        now_ns: TimeNs,
    ) {
        let intent = &order.intent;
        if order.state.is_terminal() {
            self.scopes.count_open(intent.strategy, instrument.account(), false);
            self.scopes.remove_resting(intent.instrument, intent.order_id);
        } else {
            tell_resting(&mut self.scopes, order);
        }
        self.tell_stakes(intent.strategy, instrument);
        if let Some(fill) = fill {
            self.tell_fill(instrument, fill, now_ns);
        }
    }

    /// Tells of a fill of an order that had ended before it.
    pub(crate) fn tell_late_fill(&mut self, instrument: &Instrument, fill: &FillInput, now_ns: TimeNs) {
        self.tell_stakes(fill.strategy, instrument);
        self.tell_fill(instrument, fill, now_ns);
    }

    /// Tells of a trade that was taken back and booked with other numbers.
    pub(crate) fn tell_revision(
        &mut self,
        instrument: &Instrument,
        before: Option<&FillInput>,
        after: Option<&FillInput>,
        now_ns: TimeNs,
    ) {
        let Some(told) = before.or(after) else { return };
        self.tell_stakes(told.strategy, instrument);
        let settlement = instrument.currencies.settlement;
        let mut received = Vec::with_capacity(4);
        for (fill, sign) in before.map(|fill| (fill, 1)).into_iter().chain(after.map(|fill| (fill, -1))) {
            let lots = fill.lots.saturating_mul(fill.side.sign());
            let paid = instrument.value(fill.price_ticks, lots).map_or(0, |money| money.0);
            received.push((Money(paid.saturating_mul(sign)), settlement));
            received.push((Money(fill.fee.0.saturating_mul(sign)), fill.fee_currency.unwrap_or(settlement)));
        }
        let cash = self.tell_cash();
        self.scopes.note_revision(told.strategy, &received, cash, now_ns);
    }

    fn tell_fill(&mut self, instrument: &Instrument, fill: &FillInput, now_ns: TimeNs) {
        let execution = Execution {
            strategy: fill.strategy,
            side: fill.side,
            price_ticks: fill.price_ticks,
            lots: fill.lots,
            fee: fill.fee,
            fee_currency: fill.fee_currency,
        };
        let cash = self.tell_cash();
        self.scopes.note_fill(instrument, &execution, cash, now_ns);
    }

    /// Tells the limits what each venue account has, where there are several; returns the cash of all.
    #[inline]
    pub(crate) fn tell_cash(&mut self) -> Money {
        if self.scopes.has_accounts() {
            self.tell_cash_of_each();
        }
        self.ledger.cash()
    }

    #[cold]
    fn tell_cash_of_each(&mut self) {
        for account in self.ledger.accounts() {
            self.scopes.set_account_cash(account, self.ledger.cash_of(account));
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
    /// Tells the scopes of an order that was asked to change.
    pub(crate) fn tell_scopes(&mut self, intent: &OrderIntent) {
        let Some(market) = self.markets.get(intent.instrument.index()) else { return };
        self.books.tell_changed(intent, &market.instrument);
        let account = market.instrument.account();
        self.books.scopes.note_message(intent.strategy, account, self.now_ns);
    }

    /// Tells the scopes everything there is: they were switched on while the engine ran.
    pub(crate) fn tell_scopes_all(&mut self) {
        for market in self.markets.iter() {
            for strategy in (0..self.config.strategies).map(StrategyId) {
                self.books.tell_stakes(strategy, &market.instrument);
            }
        }
        for order in self.books.orders.iter() {
            let account = self.markets.get(order.intent.instrument.index());
            let account = account.map(|market| market.instrument.account()).unwrap_or_default();
            self.books.scopes.count_open(order.intent.strategy, account, true);
        }
        self.tell_resting_all();
        self.start_guards();
    }

    /// Counts losses from what is there now.
    pub(crate) fn start_guards(&mut self) {
        let cash = self.books.tell_cash();
        self.books.scopes.start_guards(cash);
    }

    /// Tells the scopes which limit orders are in the market, where nobody followed them before.
    pub(crate) fn tell_resting_all(&mut self) {
        for order in self.books.orders.iter() {
            tell_resting(&mut self.books.scopes, order);
        }
    }

    /// Tells the scopes a new price.
    pub(crate) fn tell_mark(&mut self, instrument: InstrumentId, price_ticks: i64) {
        if let Some(market) = self.markets.get(instrument.index()) {
            let cash = self.books.tell_cash();
            self.books.scopes.mark(&market.instrument, price_ticks, cash, self.now_ns);
        }
    }

    /// Cancels the own orders that an approved one could trade with: they leave before it arrives.
    pub(crate) fn withdraw_met(&mut self, intent: &OrderIntent) {
        if !self.books.scopes.prevents_self_trades() {
            return;
        }
        let mut met = std::mem::take(&mut self.outgoing.met);
        met.extend(self.books.scopes.met_by(intent));
        for order_id in met.drain(..) {
            // What others made is ended by a kill or on request only.
            if !self.books.heard.names().is_adopted(order_id) {
                self.request_cancel(order_id, CancelReason::SelfTrade);
            }
        }
        self.outgoing.met = met;
    }
}
