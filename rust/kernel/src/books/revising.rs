//! A trade that a venue outside tells anew: it has other numbers, or it never happened.
//!
//! **Invariant:** of every trade the highest revision is booked, in whatever order and however often they come, so cash and
//! position are those of it alone. A revision is about money and position: it makes no order larger or smaller, ends none
//! and brings none back. What cannot be booked is said and halts new risk.

use tradecore_ledger::{ClosedOrder, FillInput, OpenOrder};
use tradecore_types::{
    BookedRevision, InstrumentId, Money, OrderId, Report, Side, SurpriseKind, TradeRevision, Traded,
    ValueError,
};

use crate::books::heard::TradedBy;
use crate::books::owner::Owner;
use crate::books::trades::Trade;
use crate::books::{Booking, Books};
use crate::calls::wake::WakeBody;
use crate::{Kernel, KernelError};

/// What a revision means for the books as they are now.
enum Reading {
    /// The trade is booked with other numbers, or not any more.
    Changed(Trade),
    /// Nothing was told of the trade before.
    First,
    /// It says nothing new: it was told before, or a later one was.
    Known,
    /// It cannot be booked.
    Surprise(SurpriseKind),
}

/// A trade of which nothing was told so far.
const UNTOLD: Trade = Trade { revision: 0, booked: None, filled_lots: 0, is_told_first: false };

impl Kernel {
    /// Checks a revision before it is queued.
    pub(crate) fn check_revision(&self, said: &TradeRevision) -> Result<(), ValueError> {
        match said.traded.and_then(|traded| traded.fee_currency) {
            Some(currency) if !self.books.ledger.has_currency(currency) => {
                Err(ValueError::new("fee_currency", currency.0, "must be a currency of the account"))
            }
            _ => Ok(()),
        }
    }

    /// Takes in a trade that is told anew.
    pub(crate) fn on_revision(
        &mut self,
        instrument: InstrumentId,
        said: &TradeRevision,
    ) -> Result<(), KernelError> {
        match self.read_revision(instrument, said) {
            Reading::Known => {
                self.books.counters.repeated_fills += 1;
                return Ok(());
            }
            Reading::Surprise(kind) => {
                self.note_surprise(instrument, said.order_id, kind);
                return Ok(());
            }
            Reading::First => self.book_first(instrument, said)?,
            Reading::Changed(trade) => {
                let is_booked = self.revise(instrument, said, trade.booked, said.traded)?;
                if is_booked {
                    self.note_revised(instrument, said, trade);
                }
            }
        }
        self.follow_reports()?;
        if !self.outgoing.watched.is_empty() {
            self.release_ready()?;
        }
        Ok(())
    }

    fn read_revision(&self, instrument: InstrumentId, said: &TradeRevision) -> Reading {
        let order_id = said.order_id;
        if order_id.0 == 0 || order_id.0 > self.outgoing.last_order_id {
            return Reading::Surprise(SurpriseKind::UnknownOrder);
        }
        let (heard, orders) = (&self.books.heard, &self.books.orders);
        let open = orders.get(order_id).map(|order| (order.intent.instrument, Some(order.filled_lots)));
        let closed = || orders.find_closed(order_id).map(|order| (order.instrument, Some(order.filled_lots)));
        // An order that has ended is forgotten before its trades are.
        let traded = || heard.traded_by(order_id).map(|by| (by.owner.instrument, None));
        let Some((known, filled_lots)) = open.or_else(closed).or_else(traded) else {
            return Reading::Surprise(SurpriseKind::ForgottenOrder);
        };
        if known != instrument || self.is_unsent(order_id) {
            return Reading::Surprise(SurpriseKind::Impossible);
        }
        match heard.trade(order_id, &said.trade_id) {
            Some(trade) if trade.revision > said.revision => Reading::Known,
            Some(trade) if trade.revision == said.revision && trade.booked == said.traded => Reading::Known,
            Some(trade) if trade.revision == said.revision => Reading::Surprise(SurpriseKind::Impossible),
            Some(trade) => Reading::Changed(trade),
            // What an order of others traded before it was taken over, nobody here knows.
            None if Some(heard.filled_lots(order_id)) == filled_lots
                && !heard.names().is_adopted(order_id) =>
            {
                Reading::First
            }
            None => Reading::Surprise(SurpriseKind::ForgottenTrade),
        }
    }

    /// Books a trade of which this is the first that is told: as a fill with its last numbers, or not at all.
    fn book_first(&mut self, instrument: InstrumentId, said: &TradeRevision) -> Result<(), KernelError> {
        let Some(traded) = said.traded else {
            self.note_revised(instrument, said, UNTOLD);
            return Ok(());
        };
        let first = self.as_told_first(said, traded);
        if self.book_as_fill(instrument, said.order_id, said.venue_time_ns, first)?
            && self.revise(instrument, said, Some(first), Some(traded))?
        {
            self.note_revised(instrument, said, Trade { filled_lots: first.lots, ..UNTOLD });
        }
        Ok(())
    }

    /// Returns a trade as it can have been told first: no larger than what was left of its order, nor than what had filled of
    /// that with it by the venue's word, for it may have been made larger since. What more it filled comes with its first
    /// telling. What does not fit into the books stays as it is, and is refused.
    fn as_told_first(&mut self, said: &TradeRevision, traded: Traded) -> Traded {
        let order_id = said.order_id;
        let whole = Report { venue_time_ns: said.venue_time_ns, order_id, body: traded.fill() };
        let orders = &self.books.orders;
        let open = orders.get(order_id);
        let closed = || orders.find_closed(order_id).map(|order| order.filled_lots);
        let known_lots = open.map(|order| order.filled_lots).or_else(closed).unwrap_or(0);
        // Where what is known has filled after it, nothing may have filled before it.
        let by_it = said.filled_lots.map(|with_it| match with_it.saturating_sub(known_lots) {
            lots if lots > 0 => lots,
            _ => with_it,
        });
        let left = open.map(OpenOrder::lots_at_stake);
        match [left, by_it].into_iter().flatten().filter(|lots| *lots > 0).min() {
            Some(most) if self.books.fits(&whole) => Traded { lots: traded.lots.min(most), ..traded },
            _ => traded,
        }
    }

    /// Books the first telling of a trade whose later one is known: its order has filled by as much more, and nothing of
    /// that is there any more. Returns whether that is so.
    pub(crate) fn book_overtaken(
        &mut self,
        instrument: InstrumentId,
        trade_id: &str,
        told: &Report,
        known: Trade,
    ) -> Result<bool, KernelError> {
        let Some(traded) = Traded::of(&told.body) else { return Ok(false) };
        let lots = traded.lots - known.filled_lots;
        let untold = Traded { lots, fee: Money::ZERO, fee_currency: None, ..known.booked.unwrap_or(traded) };
        let opened_before = self.opened_by_exit(told.order_id);
        // What it opens goes again at once, and is nothing to be closed.
        self.books.heard.is_taking_back = true;
        let is_booked = self.book_as_fill(instrument, told.order_id, told.venue_time_ns, untold)?;
        self.books.heard.is_taking_back = false;
        if !is_booked {
            return Ok(false);
        }
        let said = TradeRevision {
            venue_time_ns: told.venue_time_ns,
            order_id: told.order_id,
            trade_id: Box::from(trade_id),
            venue_order_id: None,
            revision: known.revision,
            traded: known.booked,
            filled_lots: None,
        };
        // With what was booked before it is one trade of one price now, with the fee that is known.
        let whole = known.booked.map_or(untold, |booked| Traded { lots: booked.lots + lots, ..booked });
        self.revise(instrument, &said, Some(whole), known.booked)?;
        self.note_revised(instrument, &said, Trade::told_first(traded));
        let opened = self.opened_by_exit(told.order_id);
        let surplus_lots = opened.saturating_sub(opened_before);
        let has_opened = surplus_lots != 0 && surplus_lots.signum() == opened.signum();
        if has_opened
            && let Some((owner, _)) = self.owner_of(told.order_id)
            && !self.is_killed_for(owner.strategy, instrument)
        {
            self.close_lots(owner.strategy, instrument, surplus_lots, Some(told.order_id))?;
        }
        Ok(true)
    }

    /// Returns the signed lots that an order which may only close has opened and nobody has closed; 0 for any other.
    fn opened_by_exit(&self, order_id: OrderId) -> i64 {
        let by = TradedBy::of(order_id, &self.books.orders).or_else(|| self.books.heard.traded_by(order_id));
        let exit = by.filter(|by| by.only_closes).map(|by| by.owner);
        exit.map_or(0, |exit| self.books.ledger.lots_of_entry(exit.strategy, exit.instrument, order_id))
    }

    /// Books a fill with these numbers; says so where it cannot be true, and returns whether it is booked.
    fn book_as_fill(
        &mut self,
        instrument: InstrumentId,
        order_id: OrderId,
        venue_time_ns: i64,
        traded: Traded,
    ) -> Result<bool, KernelError> {
        let fill = Report { venue_time_ns, order_id, body: traded.fill() };
        if self.books.fits(&fill) {
            return self.book_renewed(instrument, &fill);
        }
        self.note_surprise(instrument, order_id, SurpriseKind::Impossible);
        Ok(false)
    }

    /// Remembers a trade as it is told now; what of it came before stays.
    fn note_revised(&mut self, instrument: InstrumentId, said: &TradeRevision, before: Trade) {
        let account = self.account_of(instrument);
        let Books { heard, orders, .. } = &mut self.books;
        if let Some(name) = &said.venue_order_id {
            heard.note_name(said.order_id, account, name, orders);
        }
        let trade = Trade { revision: said.revision, booked: said.traded, ..before };
        heard.note_trade(said.order_id, &said.trade_id, trade, orders);
    }

    /// Takes back what is booked of a trade and books what it is from here on; returns whether that could be.
    fn revise(
        &mut self,
        instrument: InstrumentId,
        said: &TradeRevision,
        before: Option<Traded>,
        after: Option<Traded>,
    ) -> Result<bool, KernelError> {
        if before == after {
            return Ok(true);
        }
        let Some((owner, is_exit)) = self.owner_of(said.order_id) else {
            self.note_surprise(instrument, said.order_id, SurpriseKind::ForgottenOrder);
            return Ok(false);
        };
        let booked = BookedRevision {
            venue_time_ns: said.venue_time_ns,
            order_id: said.order_id,
            strategy: owner.strategy,
            instrument,
            side: owner.side,
            closes: owner.closes,
            trade_id: said.trade_id.clone(),
            revision: said.revision,
            before,
            after,
        };
        let Some(market) = self.markets.get(instrument.index()) else { return Ok(false) };
        let at = Booking::new(&market.instrument, self.now_ns);
        // What the trade was of: all that its strategy holds, or one ticket.
        let ticket =
            Some(owner.closes.unwrap_or(said.order_id)).filter(|_| self.books.ledger.is_hedged(instrument));
        let was = self.held_of(owner, ticket);
        if !self.books.revise(&booked, at)? {
            self.note_surprise(instrument, said.order_id, SurpriseKind::Impossible);
            return Ok(false);
        }
        self.books.counters.revisions += 1;
        let account = self.account_of(instrument);
        self.books.heard.count_revision(account);
        self.recorder.revision(self.now_ns, &booked)?;
        if self.books.accounts.is_some() {
            self.settle_account();
        }
        if self.books.orders.has_closing() || ticket.is_some() {
            self.note_orphans(owner.strategy, instrument);
        }
        self.wake_for(&booked);
        self.follow_reports()?;
        let is = self.held_of(owner, ticket);
        let has_grown = is.saturating_abs() > was.saturating_abs() || is.signum() * was.signum() < 0;
        if has_grown && is_exit {
            self.note_exit_missing(said.order_id, owner, is, ticket);
        }
        Ok(true)
    }

    fn held_of(&self, owner: Owner, ticket: Option<OrderId>) -> i64 {
        match ticket {
            Some(ticket) => self.books.ledger.lots_of_entry(owner.strategy, owner.instrument, ticket),
            None => self.books.ledger.position(owner.strategy, owner.instrument),
        }
    }

    /// Tells its strategy that a trade was told anew.
    fn wake_for(&mut self, booked: &BookedRevision) {
        let number = self.calls.note_revision(booked.clone());
        self.wake(booked.strategy, booked.instrument, WakeBody::Revision { number });
    }

    /// Returns whose an order is, and whether it is an exit or an entry that has exits.
    fn owner_of(&self, order_id: OrderId) -> Option<(Owner, bool)> {
        let by =
            TradedBy::of(order_id, &self.books.orders).or_else(|| self.books.heard.traded_by(order_id))?;
        let open = self.books.orders.get(order_id);
        let has_exits = self.books.heard.entry(order_id).is_some()
            || self.books.groups.has_children(order_id)
            || open.is_some_and(|order| !order.intent.bracket.is_empty());
        Some((by.owner, has_exits || by.only_closes))
    }

    /// Says that a position, or a ticket, has become larger than its exits, if it has, and none of them can follow.
    fn note_exit_missing(&mut self, order_id: OrderId, owner: Owner, position: i64, ticket: Option<OrderId>) {
        let Owner { strategy, instrument, .. } = owner;
        let side = if position > 0 { Side::Sell } else { Side::Buy };
        let is_closed_anyway =
            self.is_killed_for(strategy, instrument) || self.is_flattened(strategy, instrument);
        let exit_lots = self.exit_lots(strategy, instrument, side, ticket);
        if is_closed_anyway || exit_lots >= position.saturating_abs() {
            return;
        }
        if let Some(order) = self.books.orders.find_closed(order_id) {
            let exit = ClosedOrder { side, closes: ticket.or(order.closes), ..*order };
            self.books.heard.note_refused_exit(&exit);
        }
        self.note_surprise(instrument, order_id, SurpriseKind::ExitMissing);
    }
}

impl Books {
    /// Books a trade that is told anew; `false` when it does not fit, and then nothing is changed.
    pub(crate) fn revise(&mut self, booked: &BookedRevision, at: Booking<'_>) -> Result<bool, KernelError> {
        let owner = Owner {
            strategy: booked.strategy,
            instrument: booked.instrument,
            side: booked.side,
            closes: booked.closes,
        };
        let fill = |traded: Traded| owner.fill(&as_report(booked, traded));
        let (before, after) = (booked.before.and_then(fill), booked.after.and_then(fill));
        let (before, after): (Option<&FillInput>, Option<&FillInput>) = (before.as_ref(), after.as_ref());
        if self.ledger.check_revision(before, after).is_err() {
            return Ok(false);
        }
        let Owner { strategy, instrument, .. } = owner;
        // What comes back of the lots of an entry is that entry's again.
        let entry = booked.closes.unwrap_or(booked.order_id);
        let was_lots = self.ledger.lots_of_entry(strategy, instrument, entry).saturating_abs();
        let touched = self.ledger.revise(before, after, entry)?;
        if !self.groups.is_off() {
            for touched in touched {
                let lots = self.ledger.lots_of_entry(strategy, instrument, touched);
                self.groups.note_reduction(touched, lots);
            }
            let now_lots = self.ledger.lots_of_entry(strategy, instrument, entry).saturating_abs();
            self.groups.grant_again(entry, now_lots.saturating_sub(was_lots));
        }
        self.ledger.check()?;
        if let Some(accounts) = &mut self.accounts {
            accounts.note_revision(at.now_ns, at.instrument, before, after, &self.ledger)?;
        }
        if self.scopes.is_on() {
            self.tell_revision(at.instrument, before, after, at.now_ns);
        }
        Ok(true)
    }
}

/// Returns a revision as the fill that it is now.
const fn as_report(booked: &BookedRevision, traded: Traded) -> Report {
    Report { venue_time_ns: booked.venue_time_ns, order_id: booked.order_id, body: traded.fill() }
}
