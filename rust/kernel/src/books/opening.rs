//! Events about the account itself: what it begins with, corrections, conversions, and money its owner brings or takes.

use tradecore_ledger::CurrencyBalance;
use tradecore_types::{
    AccountChange, AccountEvent, Balance, CashConversion, CommandKind, CurrencyId, Event, EventBatch,
    EventBody, InstrumentId, Money, Opening, OpeningPrice, TimeNs, ValueError,
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
                self.check_currency(&change.currency)?;
                let booked =
                    self.books.ledger.check_change(self.currency_of(&change.currency), change.amount);
                booked.map_err(|error| ValueError::new("amount", change.amount, error.to_string()).into())
            }
            Some(AccountEvent::Conversion(said)) => {
                said.check()?;
                let sides = [&said.given, &said.received, &said.fee];
                sides.into_iter().try_for_each(|side| self.check_currency(&side.currency))?;
                let account_of =
                    |side: &Balance| self.books.ledger.account_with(self.currency_of(&side.currency));
                let is_elsewhere = |side: &&Balance| {
                    side.amount != Money::ZERO && account_of(side) != account_of(&said.given)
                };
                if sides.iter().any(is_elsewhere) {
                    let rule = "must be of one account: what goes to another one is two transfers";
                    return Err(ValueError::new("into", &said.received.currency, rule).into());
                }
                Ok(())
            }
            None => {
                let rule = format!("must be below {}", batch.account_events.len());
                Err(ValueError::new("account", place, rule).into())
            }
        }
    }

    fn check_currency(&self, currency: &str) -> Result<(), KernelError> {
        if self.currency_named(currency).is_some() {
            return Ok(());
        }
        let others = self.config.currencies.iter().map(|known| known.name.as_str());
        let known: Vec<&str> = std::iter::once(self.config.currency.as_str()).chain(others).collect();
        let rule = match known.as_slice() {
            [only] => format!("must be {only}: this account has a balance in no other currency"),
            several => format!("must be one of the account's currencies: {}", several.join(", ")),
        };
        Err(ValueError::new("currency", currency, rule).into())
    }

    fn check_opening(&self, opening: &Opening, time_ns: TimeNs) -> Result<(), KernelError> {
        opening.check(time_ns)?;
        opening.check_sides(|id| self.books.ledger.is_hedged(id))?;
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
        let (cash, brought) = (self.cash_of(opening), self.brought_before(opening));
        let opened = self.books.ledger.clone().open_in_currencies(&cash, brought, &opening.lots);
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
            AccountEvent::Conversion(said) => self.on_conversion(said),
        }
    }

    /// Takes over cash and positions: all that follow fills learn of them, and no fill is told.
    fn on_opening(&mut self, opening: &Opening) -> Result<(), KernelError> {
        if self.books.counters.events != 1 {
            return Err(KernelError::Broken("an opening came after another event".into()));
        }
        let (cash, brought) = (self.cash_of(opening), self.brought_before(opening));
        self.books.ledger.open_in_currencies(&cash, brought, &opening.lots)?;
        self.books.ledger.audit()?;
        // Nothing is brought before the prices are known by which it counts.
        self.open_conversions(Some(Money::ZERO));
        for price in &opening.prices {
            self.set_mark(price.instrument, price.price_ticks);
        }
        self.open_conversions(opening.brought);
        self.outgoing.last_order_id = opening.last_order_id;
        if let Some(accounts) = &mut self.books.accounts {
            accounts.note_opening(self.now_ns, &self.books.ledger)?;
            self.settle_account();
        }
        self.open_scopes(opening)
    }

    /// Returns the balances of an opening by the number of their currency; that each is known was checked.
    fn cash_of(&self, opening: &Opening) -> Vec<Money> {
        let mut cash = vec![Money::ZERO; self.config.currencies.len().saturating_add(1)];
        for balance in &opening.cash {
            let currency = self.currency_named(&balance.currency).unwrap_or_default();
            if let Some(amount) = cash.get_mut(currency.index()) {
                *amount = balance.amount;
            }
        }
        cash
    }

    /// Returns what the owner had brought as the ledger counts it: with several currencies it is counted beside it.
    fn brought_before(&self, opening: &Opening) -> Option<Money> {
        opening.brought.filter(|_| self.books.conversions.is_none())
    }

    /// Returns a currency by its name; that it is known was checked.
    fn currency_of(&self, name: &str) -> CurrencyId {
        self.currency_named(name).unwrap_or_default()
    }

    /// Returns what is at hand of each currency, positions paid in full.
    fn balances_at_hand(&self) -> Vec<Balance> {
        let of = |balance: CurrencyBalance| {
            let currency = self.currency_name(balance.currency)?.to_owned();
            Some(Balance { currency, amount: balance.cash })
        };
        self.books.ledger.balances().filter_map(of).collect()
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
            self.start_guards();
        }
        opening.guards.iter().try_for_each(|guard| self.books.scopes.resume(guard))?;
        Ok(())
    }

    fn on_adjustment(&mut self, change: &AccountChange) -> Result<(), KernelError> {
        self.books.ledger.adjust(self.currency_of(&change.currency), change.amount)?;
        self.books.ledger.check()?;
        if self.books.scopes.is_on() {
            let cash = self.books.tell_cash();
            self.books.scopes.note_adjustment(cash, self.now_ns);
        }
        Ok(())
    }

    fn on_transfer(&mut self, change: &AccountChange) -> Result<(), KernelError> {
        let currency = self.currency_of(&change.currency);
        self.books.ledger.transfer(currency, change.amount)?;
        self.books.ledger.check()?;
        let worth = self.note_transfer(currency, change.amount);
        self.note_moved(currency, worth);
        Ok(())
    }

    /// Books cash that was changed from one currency into another, and tells who counts profit what it was.
    fn on_conversion(&mut self, said: &CashConversion) -> Result<(), KernelError> {
        let of = |side: &Balance| (self.currency_of(&side.currency), side.amount);
        let (given, received, fee) = (of(&said.given), of(&said.received), of(&said.fee));
        self.books.ledger.convert(given, received, fee)?;
        self.books.ledger.check()?;
        let worth = self.note_conversion(given, received);
        self.note_moved(given.0, worth);
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
            cash: self.balances_at_hand(),
            brought: Some(self.brought()),
            lots: self.books.ledger.opening_lots().collect(),
            prices: self.books.marks.iter().enumerate().filter_map(price).collect(),
            guards: if self.books.scopes.is_on() { self.books.scopes.guards() } else { Vec::new() },
            last_order_id: self.outgoing.last_order_id,
            ..Opening::default()
        }
    }

    /// Returns the commands of operators that still hold, as they would be given again: pause and kill, of
    /// everything or of parts, limits and permissions.
    #[must_use]
    pub fn standing_commands(&self) -> Vec<CommandKind> {
        let lasts = |kind: &CommandKind| matches!(kind, CommandKind::SetLimit(_) | CommandKind::Permit(_));
        let changes = self.control.changes.iter().map(|(_, kind)| *kind).filter(lasts);
        let why = self.control.paused_by.map(|(_, pause)| CommandKind::SafetyPause(pause));
        let paused = self.control.switches.is_paused.then_some(why.unwrap_or(CommandKind::Pause));
        let killed = self.control.switches.is_killed.then_some(CommandKind::Kill);
        let parts = self.control.stops.standing().map(CommandKind::Within);
        changes.chain(paused).chain(killed).chain(parts).collect()
    }
}
