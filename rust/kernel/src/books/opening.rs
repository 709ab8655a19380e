//! Events about the account itself: what it begins with, corrections, and money its owner brings or takes.

use tradecore_types::{
    AccountChange, AccountEvent, Balance, CommandKind, Event, EventBatch, EventBody, InstrumentId, Money,
    Opening, OpeningPrice, TimeNs, ValueError,
};

use crate::{Kernel, KernelError};

impl Kernel {
    /// Checks an event about the account before it is queued.
    pub(crate) fn check_account(
        &self,
        source: usize,
        batch: &EventBatch,
        event: &Event,
    ) -> Result<(), KernelError> {
        let EventBody::Account(place) = event.body else { return Ok(()) };
        match batch.account_event(place) {
            Some(AccountEvent::Opening(opening)) => {
                let is_first = batch.events.first().is_some_and(|first| first.body == event.body);
                if source != 0 || !is_first || !self.input.is_untouched() {
                    let rule = "an opening must be the first event that an engine is fed, by source 0";
                    return Err(ValueError::new("opening", event.time_ns, rule).into());
                }
                self.check_opening(opening, event.time_ns)
            }
            Some(AccountEvent::Adjustment(change) | AccountEvent::Transfer(change)) => {
                change.check()?;
                self.check_currency(&change.currency)
            }
            None => {
                let rule = format!("must be below {}", batch.account_events.len());
                Err(ValueError::new("account", place, rule).into())
            }
        }
    }

    fn check_currency(&self, currency: &str) -> Result<(), KernelError> {
        if currency == self.config.currency {
            return Ok(());
        }
        let rule =
            format!("must be {}: this account has a balance in no other currency", self.config.currency);
        Err(ValueError::new("currency", currency, rule).into())
    }

    fn check_opening(&self, opening: &Opening, time_ns: TimeNs) -> Result<(), KernelError> {
        opening.check(time_ns)?;
        if opening.cash.is_empty() {
            let rule = format!("must have the balance in {}", self.config.currency);
            return Err(ValueError::new("cash", "{}", rule).into());
        }
        for balance in &opening.cash {
            self.check_currency(&balance.currency)?;
        }
        let known = self.markets.len();
        let ids = opening.lots.iter().map(|lot| lot.instrument);
        if let Some(id) =
            ids.chain(opening.prices.iter().map(|price| price.instrument)).find(|id| id.index() >= known)
        {
            return Err(ValueError::new("instrument_id", id.0, format!("must be below {known}")).into());
        }
        if let Some(lot) = opening.lots.iter().find(|lot| lot.strategy.0 >= self.config.strategies) {
            let rule = format!("must be below {}", self.config.strategies);
            return Err(ValueError::new("strategy_id", lot.strategy.0, rule).into());
        }
        for guard in &opening.guards {
            self.books.scopes.check_guard(guard)?;
        }
        let opened = self.books.ledger.clone().open(cash_of(opening), opening.brought, &opening.lots);
        opened.map_err(|error| ValueError::new("lots", opening.lots.len(), error.to_string()).into())
    }

    /// Handles an event about the account at the head of a source.
    #[cold]
    pub(crate) fn handle_account(&mut self, source: usize, place: u32) -> Result<(), KernelError> {
        let said = self.input.peek(source).and_then(|(_, batch)| batch.account_event(place).cloned());
        let time_ns = self.input.peek(source).map_or(self.now_ns, |(event, _)| event.time_ns);
        self.input.consume(source);
        let Some(said) = said else { return Ok(()) };
        self.recorder.account(time_ns, &said)?;
        match &said {
            AccountEvent::Opening(opening) => self.on_opening(opening),
            AccountEvent::Adjustment(change) => self.on_adjustment(change),
            AccountEvent::Transfer(change) => self.on_transfer(change),
        }
    }

    /// Takes over cash and positions: all that follow fills learn of them, and no fill is told.
    fn on_opening(&mut self, opening: &Opening) -> Result<(), KernelError> {
        if self.books.counters.events != 1 {
            return Err(KernelError::Broken("an opening came after another event".into()));
        }
        self.books.ledger.open(cash_of(opening), opening.brought, &opening.lots)?;
        self.books.ledger.audit()?;
        self.last_order_id = opening.last_order_id;
        for price in &opening.prices {
            self.set_mark(price.instrument, price.price_ticks);
        }
        if let Some(account) = &mut self.books.account {
            account.note_opening(self.now_ns, &self.books.ledger)?;
            self.settle_account();
        }
        self.open_scopes(opening)
    }

    /// Tells the limits of strategies and of the account what is there, and what was lost before.
    fn open_scopes(&mut self, opening: &Opening) -> Result<(), KernelError> {
        if opening.guards.iter().any(|guard| guard.halt.is_some()) {
            // A halt ends by an operator's word alone, also where no limit is left that could have caused it.
            self.books.scopes.keep_on();
        }
        if self.books.scopes.is_on() {
            self.tell_scopes_all();
        } else {
            self.books.scopes.start_guards(self.books.ledger.cash());
        }
        opening.guards.iter().try_for_each(|guard| self.books.scopes.resume(guard))?;
        Ok(())
    }

    fn on_adjustment(&mut self, change: &AccountChange) -> Result<(), KernelError> {
        self.books.ledger.adjust(change.amount)?;
        self.books.ledger.check()?;
        if self.books.scopes.is_on() {
            self.books.scopes.note_adjustment(self.books.ledger.cash(), self.now_ns);
        }
        Ok(())
    }

    fn on_transfer(&mut self, change: &AccountChange) -> Result<(), KernelError> {
        self.books.ledger.transfer(change.amount)?;
        self.books.ledger.check()?;
        self.curve.note_transfer(self.now_ns, change.amount);
        if self.books.scopes.is_on() {
            self.books.scopes.note_transfer(change.amount, self.books.ledger.cash(), self.now_ns);
        }
        Ok(())
    }
}

impl Kernel {
    /// Returns what an account begins with that goes on from here: open orders are no part of it.
    #[must_use]
    pub fn opening(&self) -> Opening {
        let price = |(index, mark): (usize, &Option<i64>)| {
            let instrument = InstrumentId(u32::try_from(index).ok()?);
            mark.map(|price_ticks| OpeningPrice { instrument, price_ticks })
        };
        Opening {
            cash: vec![Balance { currency: self.config.currency.clone(), amount: self.books.ledger.cash() }],
            brought: Some(self.books.ledger.opening()),
            lots: self.books.ledger.opening_lots().collect(),
            prices: self.books.marks.iter().enumerate().filter_map(price).collect(),
            guards: if self.books.scopes.is_on() { self.books.scopes.guards() } else { Vec::new() },
            last_order_id: self.last_order_id,
            ..Opening::default()
        }
    }

    /// Returns the commands of operators that still hold, as they would be given again: pause, kill, limits and
    /// permissions.
    #[must_use]
    pub fn standing_commands(&self) -> Vec<CommandKind> {
        let lasts = |kind: &CommandKind| matches!(kind, CommandKind::SetLimit(_) | CommandKind::Permit(_));
        let changes = self.changes.iter().map(|(_, kind)| *kind).filter(lasts);
        let paused = self.switches.is_paused.then_some(CommandKind::Pause);
        let killed = self.switches.is_killed.then_some(CommandKind::Kill);
        changes.chain(paused).chain(killed).collect()
    }
}

/// Returns the balance of the account; that there is one, and no other, was checked.
fn cash_of(opening: &Opening) -> Money {
    opening.cash.iter().map(|balance| balance.amount).sum()
}
