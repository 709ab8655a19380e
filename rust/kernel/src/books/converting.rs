//! Keeps everybody who values something told of what currencies are worth, and asks for prices before risk is taken.

use tradecore_types::{CurrencyId, InstrumentId, Money, Rate, Refusal, Report, ReportBody, Rule};

use crate::Kernel;
use crate::books::Books;

impl Books {
    /// Refuses an order that may add risk while a currency has no price that the account has, or would have by it.
    #[cold]
    pub(crate) fn check_rates(&self, instrument: InstrumentId) -> Result<(), Refusal> {
        let currencies = self.ledger.instrument(instrument).map(|known| known.currencies).unwrap_or_default();
        let traded = [Some(currencies.settlement), currencies.base];
        for balance in self.ledger.balances().filter(|balance| !balance.rate.is_known()) {
            if balance.balance != Money::ZERO || traded.contains(&Some(balance.currency)) {
                let value = i128::from(balance.currency.0);
                return Err(Refusal { rule: Rule::ConversionMissing, limit: 1, value });
            }
        }
        Ok(())
    }

    /// Returns a report of a simulated venue with its fee in the currency in which that asks for fees, while the account
    /// has enough of it; else the fee stays in the settlement currency, as venues do it.
    #[cold]
    pub(crate) fn with_fee_in(
        &self,
        currency: CurrencyId,
        instrument: InstrumentId,
        report: Report,
    ) -> Report {
        let ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: None } = report.body else {
            return report;
        };
        let Some(known) = self.ledger.instrument(instrument) else { return report };
        let size = Money(fee.0.saturating_abs());
        let worth = self.ledger.rate(known.currencies.settlement).worth(size);
        let Some(paid) = worth.and_then(|worth| self.ledger.rate(currency).bought_with(worth)) else {
            return report;
        };
        let is_owed = fee.0 > 0;
        if known.currencies.settlement == currency || is_owed && self.ledger.balance_in(currency) < paid {
            return report;
        }
        let fee = if is_owed { paid } else { paid.negated() };
        let body = ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency: Some(currency) };
        Report { body, ..report }
    }
}

impl Kernel {
    /// Returns a report of a simulated venue with its fee in the currency that this venue asks for.
    #[inline]
    pub(crate) fn with_fee(&self, instrument: InstrumentId, report: Report) -> Report {
        match self.config.fee_currency_of(self.account_of(instrument)) {
            Some(currency) => self.books.with_fee_in(currency, instrument, report),
            None => report,
        }
    }

    /// Returns the number of a currency of the account.
    #[must_use]
    pub fn currency_named(&self, name: &str) -> Option<CurrencyId> {
        let others = self.config.currencies.iter().map(|currency| currency.name.as_str());
        let found =
            std::iter::once(self.config.currency.as_str()).chain(others).position(|known| known == name);
        found.and_then(|index| u8::try_from(index).ok()).map(CurrencyId)
    }

    /// Returns the name of a currency of the account.
    #[must_use]
    pub fn currency_name(&self, currency: CurrencyId) -> Option<&str> {
        match currency.index().checked_sub(1) {
            None => Some(&self.config.currency),
            Some(index) => self.config.currencies.get(index).map(|known| known.name.as_str()),
        }
    }

    /// Returns what the owner has brought in all, in the reporting currency: each amount at the price of its time.
    #[must_use]
    pub fn brought(&self) -> Money {
        match &self.books.conversions {
            Some(conversions) => Money(conversions.brought),
            None => self.books.ledger.opening(),
        }
    }

    /// Notes money that the owner brought, or took when it is negative; returns what it is worth.
    pub(crate) fn note_transfer(&mut self, currency: CurrencyId, amount: Money) -> Money {
        let rate = self.books.ledger.rate(currency);
        match &mut self.books.conversions {
            Some(conversions) => conversions.note_brought(currency, amount, rate),
            None => amount,
        }
    }

    /// Returns what is neither profit nor loss of a conversion of cash: nothing where both currencies have a price, so
    /// that what the rate was worse by than these prices is a loss. Where one has none, the other one says what it is worth.
    pub(crate) fn note_conversion(
        &mut self,
        given: (CurrencyId, Money),
        received: (CurrencyId, Money),
    ) -> Money {
        let rates = [given, received].map(|(currency, _)| self.books.ledger.rate(currency));
        match &mut self.books.conversions {
            Some(conversions) if !rates.iter().all(|rate| rate.is_known()) => {
                let [of_given, of_received] = rates;
                let left = conversions.note_brought(given.0, given.1.negated(), of_given);
                let came = conversions.note_brought(received.0, received.1, of_received);
                Money(left.0.saturating_add(came.0))
            }
            _ => Money::ZERO,
        }
    }

    /// Begins anew to count what was brought: so much in all, or what there is.
    pub(crate) fn open_conversions(&mut self, brought: Option<Money>) {
        let Some(conversions) = &mut self.books.conversions else { return };
        conversions.unpriced.fill(0);
        conversions.brought = brought.map_or(0, |brought| brought.0);
        if brought.is_none() {
            for (currency, held, rate) in self.books.ledger.holdings_at_cost() {
                conversions.note_brought(currency, held, rate);
            }
        }
    }

    /// Takes the rates of conversions that need no market, before the first event.
    pub(crate) fn convert_first(&mut self) {
        if self.books.conversions.is_some() {
            self.convert_all();
            // What the accounts begin with is no profit, also where a constant says what it is worth.
            self.start_guards();
        }
    }

    /// An instrument has another mark: what it converts is worth something else.
    #[cold]
    pub(crate) fn convert_anew(&mut self, instrument: InstrumentId) {
        if self.books.conversions.as_ref().is_some_and(|conversions| conversions.is_converter(instrument)) {
            self.convert_all();
        }
    }

    fn convert_all(&mut self) {
        let count = self.config.currencies.len();
        for currency in (1..=count).filter_map(|number| u8::try_from(number).ok()).map(CurrencyId) {
            let Some(conversions) = &self.books.conversions else { return };
            let rate = conversions.rate(currency, &self.books.ledger, &self.books.marks);
            let before = self.books.ledger.rate(currency);
            if rate != before {
                // Before anybody values it: what was brought is no gain, not even for a moment.
                if !before.is_known() {
                    self.price_first(currency, rate);
                }
                self.set_rate(currency, rate);
            }
        }
    }

    /// Tells everybody who values something in a currency what a unit of it is worth.
    fn set_rate(&mut self, currency: CurrencyId, rate: Rate) {
        self.books.ledger.set_rate(currency, rate);
        self.books.scopes.set_rate(currency, rate);
        if let Some(accounts) = &mut self.books.accounts {
            accounts.margins_mut().for_each(|margin| margin.set_rate(currency, rate));
        }
        let is_on = self.books.scopes.is_on();
        let cash = if is_on { self.books.tell_cash() } else { Money::ZERO };
        for market in self.markets.iter_mut() {
            if market.instrument.currencies.settlement != currency {
                continue;
            }
            market.instrument.rate = rate;
            let mark = self.books.marks.get(market.instrument.id.index()).copied().flatten();
            if let Some(mark_ticks) = mark.filter(|_| is_on) {
                self.books.scopes.mark(&market.instrument, mark_ticks, cash, self.now_ns);
            }
        }
        if is_on {
            self.books.scopes.note_adjustment(cash, self.now_ns);
        }
    }

    /// What was brought of a currency counts from its first price on: it is no profit.
    fn price_first(&mut self, currency: CurrencyId, rate: Rate) {
        let index = currency.index().saturating_sub(1);
        let Some(conversions) = &mut self.books.conversions else { return };
        let waiting = conversions.unpriced.get_mut(index).map(std::mem::take).unwrap_or_default();
        let worth = rate.worth(Money(waiting)).unwrap_or_default();
        if worth == Money::ZERO {
            return;
        }
        conversions.brought = conversions.brought.saturating_add(worth.0);
        if self.books.counters.events == 0 {
            return;
        }
        self.books.curve.note_transfer(self.now_ns, worth);
        if self.books.scopes.is_on() {
            let account = self.books.ledger.account_with(currency);
            self.books.scopes.note_brought(account, worth);
        }
    }

    /// Tells the equity over time, and loss limits, of money that was moved; so much of it is neither profit nor loss.
    pub(crate) fn note_moved(&mut self, currency: CurrencyId, worth: Money) {
        if worth != Money::ZERO {
            self.books.curve.note_transfer(self.now_ns, worth);
        }
        if self.books.scopes.is_on() {
            let cash = self.books.tell_cash();
            let account = self.books.ledger.account_with(currency);
            self.books.scopes.note_transfer((account, worth), cash, self.now_ns);
        }
    }
}
