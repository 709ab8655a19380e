//! What a venue outside has said and may say again, and what has ended that it may still speak of.
//!
//! **Invariant:** everything here is bounded, the oldest goes first, and only what was booked is remembered.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tradecore_journal::encode_report;
use tradecore_ledger::{ClosedOrder, Orders};
use tradecore_types::{AccountId, Adopted, OrderId, OrderIntent, Report, ReportBody, Traded, VenueReport};

use crate::books::account_set::AccountSet;
use crate::books::names::{Names, reserve_little};
use crate::books::owner::Owner;
use crate::books::trades::{Trade, Trades};

/// Trades that are remembered by name once their orders are forgotten; those of orders that are open, or have ended and
/// are remembered, all are. A venue repeats what is minutes old, after a reconnection.
const TRADES_MAX: usize = 1 << 16;

/// Orders whose answers are remembered, and may be, beside those that are open.
const ANSWERED_SPARE: usize = 256;

/// Answers that are remembered of one order.
const ANSWERS_MAX: usize = 16;

/// Entries that have ended, and orders that ended unsent: as many as orders that have ended are remembered.
const ENDED_MAX: usize = crate::kernel::CLOSED_ORDERS_MAX;

/// Orders bound to close that are remembered until those that have ended are forgotten; all that are open stay.
const BOUND_MAX: usize = 1 << 13;

/// Exits that were refused, of which people are told while their positions are open.
const REFUSED_EXITS_MAX: usize = 64;

/// What a venue has said and may say again.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Heard {
    /// Trades by order and name. Two orders of ours that trade with each other have one trade of one name.
    trades: BTreeMap<OrderId, Trades>,
    /// Whose the orders of those trades are: they are known for longer than orders that have ended.
    owners: BTreeMap<OrderId, TradedBy>,
    oldest_first: VecDeque<(OrderId, Arc<str>)>,
    answers: BTreeMap<OrderId, Answers>,
    /// Entries with a bracket that have ended: what fills of one later is to have its exits.
    entries: VecDeque<OrderIntent>,
    /// Orders that ended here before any venue saw them.
    unsent: VecDeque<OrderId>,
    names: Names,
    /// Whether what is booked just now is taken back at once: nothing is sent because of it.
    pub(crate) is_taking_back: bool,
    /// Accounts whose books and venue have agreed since the journal began.
    have_agreed: AccountSet,
    /// Last order of which an operator wants an end, with all before it: no refusal is the last word.
    to_end: Option<OrderId>,
    /// Exits that the venue did not take, the newest last.
    refused_exits: VecDeque<ClosedOrder>,
    /// Orders that may only close because of when they were sent, the newest last.
    bound: VecDeque<OrderId>,
    /// How often a trade of an account was booked anew.
    revisions: BTreeMap<AccountId, u64>,
}

/// Whose an order is that has traded, and what it did to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TradedBy {
    pub(crate) owner: Owner,
    /// Whether it could only close.
    pub(crate) only_closes: bool,
}

impl TradedBy {
    /// Reads an order that is open or has ended; `None` for one that is not remembered.
    pub(crate) fn of(order_id: OrderId, orders: &Orders) -> Option<Self> {
        if let Some(order) = orders.get(order_id) {
            return Some(Self { owner: Owner::of(&order.intent), only_closes: order.only_closes() });
        }
        let order = orders.find_closed(order_id)?;
        let only_closes = order.reduce_only || order.closes.is_some();
        Some(Self { owner: Owner::of_closed(order), only_closes })
    }
}

/// What a venue has said about requests for an order, and of its terms.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Answers {
    /// The newest, as they came.
    last: VecDeque<Report>,
    /// The report of the order's newest terms.
    terms: Option<Report>,
}

impl Heard {
    /// Remembers what was booked.
    pub(crate) fn note(&mut self, said: &VenueReport, account: AccountId, orders: &Orders) {
        let report = &said.report;
        if let Some(name) = &said.venue_order_id {
            self.names.note(report.order_id, account, name, orders);
        }
        match (Traded::of(&report.body), &said.trade_id) {
            (Some(traded), Some(trade_id)) => {
                self.note_trade(report.order_id, trade_id, Trade::told_first(traded), orders);
            }
            _ if is_answer(&report.body) => self.note_answer(report, orders),
            _ => {}
        }
    }

    /// Names the trades of an order that were told first: those whose first telling may still come are left out.
    pub(crate) fn trades_of(&self, order_id: OrderId) -> impl Iterator<Item = &str> {
        let trades = self.trades.get(&order_id).into_iter().flat_map(Trades::iter);
        trades.filter(|(_, trade)| trade.is_told_first).map(|(name, _)| &**name)
    }

    /// Visits the trades of an order whose first telling may still come, with the last revision and what of the order
    /// they have filled.
    pub(crate) fn untold_first_of(&self, order_id: OrderId) -> impl Iterator<Item = (&str, u64, i64)> {
        let trades = self.trades.get(&order_id).into_iter().flat_map(Trades::iter);
        let untold = trades.filter(|(_, trade)| !trade.is_told_first);
        untold.map(|(name, trade)| (&**name, trade.revision, trade.filled_lots))
    }

    /// Remembers that a trade was told first, after it was told anew.
    pub(crate) fn note_first(&mut self, order_id: OrderId, trade_id: &str) {
        let trade = self.trades.get_mut(&order_id).and_then(|of_order| of_order.get_mut(trade_id));
        if let Some(trade) = trade {
            trade.is_told_first = true;
        }
    }

    /// Remembers an order that others made.
    pub(crate) fn note_adopted(
        &mut self,
        order_id: OrderId,
        account: AccountId,
        found: &Adopted,
        orders: &Orders,
    ) {
        self.names.note_adopted(order_id, account, found, orders);
    }

    /// Remembers that an order leaves anew, under a name that the venue is yet to give it.
    pub(crate) fn note_renewed(&mut self, order_id: OrderId) {
        self.names.note_renewed(order_id);
    }

    /// Returns how the venue calls orders.
    pub(crate) const fn names(&self) -> &Names {
        &self.names
    }

    /// Remembers that the books and the venue of an account agree.
    pub(crate) const fn note_agreed(&mut self, account: AccountId) {
        self.have_agreed.set(account, true);
    }

    /// Tells whether the books and the venue of an account have agreed since the journal began.
    pub(crate) const fn has_agreed(&self, account: AccountId) -> bool {
        self.have_agreed.has(account)
    }

    /// Remembers that an operator wants the end of all orders up to this one.
    pub(crate) fn note_all_to_end(&mut self, last: OrderId) {
        self.to_end = Some(last);
    }

    /// Returns the last order of which an operator wants an end, with all before it.
    pub(crate) const fn to_end(&self) -> Option<OrderId> {
        self.to_end
    }

    /// Remembers an exit that the venue did not take.
    pub(crate) fn note_refused_exit(&mut self, order: &ClosedOrder) {
        if self.refused_exits.len() == REFUSED_EXITS_MAX {
            self.refused_exits.pop_front();
        }
        self.refused_exits.push_back(*order);
    }

    /// Keeps of the exits that the venue did not take those that are still needed.
    pub(crate) fn keep_refused_exits(&mut self, is_needed: impl Fn(&ClosedOrder) -> bool) {
        self.refused_exits.retain(is_needed);
    }

    /// Counts a trade of an account that was booked anew.
    pub(crate) fn count_revision(&mut self, account: AccountId) {
        *self.revisions.entry(account).or_default() += 1;
    }

    /// Returns how often a trade of an account was booked anew.
    pub(crate) fn revisions(&self, account: AccountId) -> u64 {
        self.revisions.get(&account).copied().unwrap_or_default()
    }

    /// Remembers an order that may only close because nothing else was allowed when it was sent.
    pub(crate) fn note_bound(&mut self, order_id: OrderId, orders: &Orders) {
        if self.bound.len() >= BOUND_MAX {
            self.bound.retain(|order_id| orders.get(*order_id).is_some());
        }
        self.bound.push_back(order_id);
    }

    /// Tells whether an order may only close because nothing else was allowed when it was sent.
    pub(crate) fn is_bound(&self, order_id: OrderId) -> bool {
        self.bound.contains(&order_id)
    }

    /// Visits the exits that the venue did not take.
    pub(crate) fn refused_exits(&self) -> impl Iterator<Item = &ClosedOrder> {
        self.refused_exits.iter()
    }

    /// Remembers a trade as it was told last.
    pub(crate) fn note_trade(&mut self, order_id: OrderId, trade_id: &str, trade: Trade, orders: &Orders) {
        let name: Arc<str> = Arc::from(trade_id);
        if let Some(of_order) = self.trades.get_mut(&order_id) {
            if of_order.put(&name, trade) {
                return;
            }
        } else {
            if let Some(traded_by) = TradedBy::of(order_id, orders) {
                self.owners.insert(order_id, traded_by);
            }
            self.trades.insert(order_id, Trades::One(Arc::clone(&name), trade));
        }
        reserve_little(&mut self.oldest_first, TRADES_MAX);
        self.oldest_first.push_back((order_id, name));
        // Two for one: so what open orders keep beyond the bound goes once they have ended.
        for _ in 0..2 {
            if self.oldest_first.len() > TRADES_MAX
                && let Some((order_id, name)) = self.oldest_first.pop_front()
            {
                self.let_go(order_id, name, orders);
            }
        }
    }

    /// Forgets a trade; one of an order that is remembered comes back to the end of those that may go: told again, it
    /// would be booked again.
    fn let_go(&mut self, order_id: OrderId, name: Arc<str>, orders: &Orders) {
        if orders.get(order_id).is_some() || orders.find_closed(order_id).is_some() {
            self.oldest_first.push_back((order_id, name));
        } else if self.trades.get_mut(&order_id).is_some_and(|of_order| of_order.forget(&name)) {
            self.trades.remove(&order_id);
            self.owners.remove(&order_id);
        }
    }

    /// Returns a trade of an order that is known.
    pub(crate) fn trade(&self, order_id: OrderId, trade_id: &str) -> Option<Trade> {
        self.trades.get(&order_id)?.get(trade_id).copied()
    }

    /// Returns whose an order is that has traded, while any of its trades is known.
    pub(crate) fn traded_by(&self, order_id: OrderId) -> Option<TradedBy> {
        self.owners.get(&order_id).copied()
    }

    /// Returns what the trades of an order that are known have filled of it.
    pub(crate) fn filled_lots(&self, order_id: OrderId) -> i64 {
        let trades = self.trades.get(&order_id).into_iter().flat_map(Trades::iter);
        trades.map(|(_, trade)| trade.filled_lots).fold(0, i64::saturating_add)
    }

    /// Remembers the name that a venue gave an order.
    pub(crate) fn note_name(&mut self, order_id: OrderId, account: AccountId, name: &str, orders: &Orders) {
        self.names.note(order_id, account, name, orders);
    }

    fn note_answer(&mut self, report: &Report, orders: &Orders) {
        if self.answers.len() >= orders.len().saturating_add(ANSWERED_SPARE) {
            self.answers.retain(|order_id, _| orders.get(*order_id).is_some());
        }
        let is_overtaken = self.is_overtaken(report);
        let of_order = self.answers.entry(report.order_id).or_default();
        if of_order.last.len() == ANSWERS_MAX {
            of_order.last.pop_front();
        }
        of_order.last.push_back(*report);
        if states_terms(&report.body) && !is_overtaken {
            of_order.terms = Some(*report);
        }
    }

    /// Tells whether a report is an answer that was booked before: word for word, of the same time.
    pub(crate) fn is_repeated(&self, report: &Report) -> bool {
        is_answer(&report.body)
            && self.answers.get(&report.order_id).is_some_and(|of_order| of_order.last.contains(report))
    }

    /// Tells whether a report was made before that of the newest terms of its order.
    pub(crate) fn is_overtaken(&self, report: &Report) -> bool {
        let terms = self.answers.get(&report.order_id).and_then(|of_order| of_order.terms);
        terms.is_some_and(|terms| report.venue_time_ns < terms.venue_time_ns)
    }

    /// Remembers an entry that has ended.
    pub(crate) fn note_entry(&mut self, entry: OrderIntent) {
        if self.entries.len() == ENDED_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Returns an entry with a bracket that has ended.
    pub(crate) fn entry(&self, order_id: OrderId) -> Option<OrderIntent> {
        self.entries.iter().rev().find(|entry| entry.order_id == order_id).copied()
    }

    /// Remembers an order that ended before it was sent.
    pub(crate) fn note_unsent(&mut self, order_id: OrderId) {
        if self.unsent.len() == ENDED_MAX {
            self.unsent.pop_front();
        }
        self.unsent.push_back(order_id);
    }

    /// Tells whether an order ended before it was sent.
    pub(crate) fn is_unsent(&self, order_id: OrderId) -> bool {
        self.unsent.contains(&order_id)
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for (order_id, name) in &self.oldest_first {
            out.extend_from_slice(&order_id.0.to_le_bytes());
            out.extend_from_slice(&name.len().to_le_bytes());
            out.extend_from_slice(name.as_bytes());
            let Some(trade) = self.trade(*order_id, name) else { continue };
            if let Some(Traded { price_ticks, lots, fee, .. }) = trade.booked {
                out.extend_from_slice(&price_ticks.to_le_bytes());
                out.extend_from_slice(&lots.to_le_bytes());
                out.extend_from_slice(&fee.0.to_le_bytes());
            }
            out.extend_from_slice(&trade.revision.to_le_bytes());
            out.extend_from_slice(&trade.filled_lots.to_le_bytes());
            out.push(u8::from(trade.is_told_first));
        }
        for Answers { last, terms } in self.answers.values() {
            for report in last.iter().chain(terms) {
                encode_report(out, 0, report);
            }
        }
        let ended = self.entries.iter().map(|entry| entry.order_id).chain(self.unsent.iter().copied());
        let refused = self.refused_exits.iter().map(|exit| exit.order_id);
        for order_id in ended.chain(self.bound.iter().copied()).chain(refused).chain(self.to_end) {
            out.extend_from_slice(&order_id.0.to_le_bytes());
        }
        out.extend_from_slice(&self.have_agreed.to_le_bytes());
        self.names.write_state(out);
    }
}

/// Tells whether a report answers a request about an open order, or states its terms.
const fn is_answer(body: &ReportBody) -> bool {
    states_terms(body) || matches!(body, ReportBody::ReplaceRejected(_) | ReportBody::CancelRejected(_))
}

/// Tells whether a report states price and open size of an order.
const fn states_terms(body: &ReportBody) -> bool {
    matches!(body, ReportBody::Replaced { .. } | ReportBody::Restated { .. })
}

#[cfg(test)]
mod tests {
    use tradecore_ledger::Orders;
    use tradecore_types::{Liquidity, Money, OrderId, Traded};

    use crate::books::heard::{Heard, TRADES_MAX};
    use crate::books::trades::Trade;

    #[test]
    fn what_is_remembered_takes_no_more_memory_once_it_is_full() {
        let liquidity = Liquidity::Taker;
        let traded = Traded { price_ticks: 1, lots: 1, liquidity, fee: Money(0), fee_currency: None };
        let (mut heard, orders) = (Heard::default(), Orders::new(1, 1, 1, 1));
        for order_id in (1..).take(3 * TRADES_MAX) {
            heard.note_trade(OrderId(order_id), "T", Trade::told_first(traded), &orders);
        }
        assert_eq!((heard.trades.len(), heard.oldest_first.len()), (TRADES_MAX, TRADES_MAX));
        let room = heard.oldest_first.capacity();
        assert!(room <= TRADES_MAX + TRADES_MAX / 8, "{room}");
    }
}
