//! The limits of every strategy and of the account, judged beside those of the instrument.

use tradecore_types::{
    AccountId, CurrencyId, Instrument, InstrumentId, LimitChange, LimitName, Money, OrderId, OrderIntent,
    Permission, Refusal, Rule, Scope, Side, StrategyId, TimeNs, ValueError,
};

use crate::canary::Canaries;
use crate::exposures::Exposures;
use crate::foreign_cash::ForeignCash;
use crate::measures::{order_price, refusal};
use crate::resting::{Resting, RestingOrders};
use crate::scope_checks::ScopeChecks;
use crate::{Halt, Proposal, ScopeLimits, ScopesConfig, SelfTrade, Stake};

/// A fill as the scopes see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The strategy that it belongs to.
    pub strategy: StrategyId,
    /// Whether it buys or sells.
    pub side: Side,
    /// The price at which it trades, in ticks.
    pub price_ticks: i64,
    /// How many lots, above 0 on either side.
    pub lots: i64,
    /// What it cost in fees; negative is a rebate.
    pub fee: Money,
    /// In which currency the fee is; `None` for the settlement currency of the instrument.
    pub fee_currency: Option<CurrencyId>,
}

/// The stakes of a strategy and of the account in one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stakes {
    /// What the strategy itself holds and has sent.
    pub own: Stake,
    /// What all strategies together hold and have sent.
    pub account: Stake,
}

/// Checks over instruments: one row for each strategy, then one for each venue account where there are several, and
/// the last for all together.
///
/// **Invariant:** while it is off nothing is followed and one look at [`Scopes::is_on`] is all it costs; once
/// on it stays on, and every order, fill and mark is followed.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Scopes {
    pub(crate) checks: Vec<ScopeChecks>,
    exposures: Exposures,
    resting: RestingOrders,
    canaries: Canaries,
    self_trade: SelfTrade,
    day_start_ns: i64,
    instruments: usize,
    /// Venue accounts that have a row of their own: none where there is one.
    pub(crate) accounts: usize,
    pub(crate) is_on: bool,
    has_tripped: bool,
    /// Where the account has several currencies.
    pub(crate) foreign: Option<Box<ForeignCash>>,
}

impl Scopes {
    /// Makes the checks of these numbers of strategies and instruments.
    #[must_use]
    pub fn new(config: &ScopesConfig, strategies: usize, instruments: usize) -> Self {
        let of_strategy = |index: usize| {
            let limits = config.strategies.get(index).cloned().unwrap_or_default();
            let allowed = limits
                .instruments
                .map(|ids| (0..instruments).map(|index| ids.iter().any(|id| id.index() == index)).collect());
            ScopeChecks::new(&limits.limits, allowed)
        };
        let account = ScopeChecks::new(&config.account, None);
        let accounts = config.accounts.iter().map(|limits| ScopeChecks::new(limits, None));
        let checks: Vec<ScopeChecks> =
            (0..strategies).map(of_strategy).chain(accounts).chain([account]).collect();
        let canaries = Canaries::new(&config.canaries, config.day_start_ns);
        let is_on = config.self_trade != SelfTrade::Allow
            || canaries.is_on()
            || checks.iter().any(ScopeChecks::is_on);
        let mut scopes = Self {
            exposures: Exposures::new(0, 0),
            resting: RestingOrders::default(),
            canaries,
            self_trade: config.self_trade,
            day_start_ns: config.day_start_ns,
            instruments,
            accounts: config.accounts.len(),
            is_on: false,
            has_tripped: false,
            foreign: None,
            checks,
        };
        if is_on {
            scopes.switch_on();
        }
        scopes
    }

    /// Tells whether anything is checked and followed.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Makes room for what is followed; orders and positions that are there already are told next, then
    /// [`Scopes::start_guards`] is called.
    pub(crate) fn switch_on(&mut self) {
        self.is_on = true;
        self.exposures = Exposures::new(self.checks.len(), self.instruments);
        self.resting = RestingOrders::new(self.instruments);
    }

    /// Counts losses from here: a strategy's from nothing, an account's from what it is worth. What each venue account
    /// has is told before, where there are several.
    pub fn start_guards(&mut self, account_cash: Money) {
        let (strategies, whole) = (self.strategies(), self.whole_row());
        for (row, checks) in self.checks.iter_mut().enumerate() {
            if let Some(foreign) = &mut self.foreign {
                foreign.clear(row);
            }
            let held = self.exposures.sums(row).held;
            if row == whole {
                checks.cash = account_cash.0;
            } else if row < strategies {
                checks.cash = held.saturating_neg();
            }
            checks.guard.restart(checks.cash.saturating_add(held));
        }
    }

    /// Checks that a limit can be set to a value.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no such strategy or limit or the value is out of its range.
    pub fn check_change(&self, change: &LimitChange) -> Result<(), ValueError> {
        let row = self.row_of(change.scope)?;
        if self.is_self_trade(change) {
            return SelfTrade::of_setting(change.value.get()).map(|_| ());
        }
        let mut limits = self.checks.get(row).map(|checks| checks.limits).unwrap_or_default();
        limits.set(change.scope, change.limit, change.value.get())
    }

    /// Checks that a permission can be given or taken.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no such strategy or instrument.
    pub fn check_permission(&self, permission: &Permission) -> Result<(), ValueError> {
        self.row_of(Scope::Strategy(permission.strategy))?;
        if permission.instrument.index() < self.instruments {
            return Ok(());
        }
        let rule = format!("must be below {}", self.instruments);
        Err(ValueError::new("instrument_id", permission.instrument.0, rule))
    }

    /// Lets a strategy trade an instrument, or no longer; tells whether the checks went on by that. What it
    /// has there can still be closed.
    pub fn permit(&mut self, permission: &Permission) -> bool {
        let instruments = self.instruments;
        let Some(checks) = self.checks.get_mut(permission.strategy.index()) else { return false };
        checks.permit(permission.instrument, permission.is_allowed, instruments);
        self.goes_on(permission.strategy.index())
    }

    /// Switches the checks on when a row has something to check now; tells whether they went on by that.
    fn goes_on(&mut self, row: usize) -> bool {
        let goes_on = !self.is_on && self.checks.get(row).is_some_and(ScopeChecks::is_on);
        if goes_on {
            self.switch_on();
        }
        goes_on
    }

    /// Checks that a halt of a scope can be released.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no such strategy, or the scope is an instrument.
    pub fn check_release(&self, scope: Scope) -> Result<(), ValueError> {
        self.row_of(scope).map(|_| ())
    }

    /// Gives a limit a new value; tells whether the checks went on by that.
    ///
    /// # Errors
    ///
    /// As [`Scopes::check_change`]; nothing is changed then.
    pub fn set(&mut self, change: &LimitChange) -> Result<bool, ValueError> {
        let row = self.row_of(change.scope)?;
        if self.is_self_trade(change) {
            self.self_trade = SelfTrade::of_setting(change.value.get())?;
            let goes_on = !self.is_on && self.prevents_self_trades();
            if goes_on {
                self.switch_on();
            }
            return Ok(goes_on);
        }
        let Some(checks) = self.checks.get_mut(row) else { return Ok(false) };
        let mut limits = checks.limits;
        limits.set(change.scope, change.limit, change.value.get())?;
        let was_watched = checks.limits.watches_losses();
        checks.set_limits(&limits);
        if !was_watched && limits.watches_losses() {
            // Losses count from here: nobody followed them before.
            let held = self.exposures.sums(row).held;
            let foreign = self.foreign.as_ref().map_or(0, |foreign| foreign.worth(row));
            checks.guard.restart(checks.cash.saturating_add(held).saturating_add(foreign));
        }
        Ok(self.goes_on(row))
    }

    /// Lets a halted scope trade again.
    pub fn release(&mut self, scope: Scope) {
        if let Some(checks) = self.row_of(scope).ok().and_then(|row| self.checks.get_mut(row)) {
            checks.release();
        }
    }

    /// Returns the limits of the account or a strategy.
    #[must_use]
    pub fn limits(&self, scope: Scope) -> Option<ScopeLimits> {
        self.checks.get(self.row_of(scope).ok()?).map(|checks| checks.limits)
    }

    /// Returns what is done about an order that would trade with another one of the account.
    #[must_use]
    pub const fn self_trade(&self) -> SelfTrade {
        self.self_trade
    }

    /// Tells whether a strategy may trade an instrument.
    #[must_use]
    pub fn is_allowed(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        self.checks.get(strategy.index()).is_none_or(|checks| checks.is_allowed(instrument))
    }

    /// Visits every halt, strategies first.
    pub fn halts(&self) -> impl Iterator<Item = (Scope, Halt)> {
        let halted =
            |(row, checks): (usize, &ScopeChecks)| checks.halt.map(|halt| (self.scope_of(row), halt));
        self.checks.iter().enumerate().filter_map(halted)
    }

    /// Tells whether anything was halted since this was last asked.
    pub fn take_tripped(&mut self) -> bool {
        std::mem::take(&mut self.has_tripped)
    }

    /// Tells whether orders of a strategy at a venue account that add risk are refused by a halt.
    #[must_use]
    pub fn is_halted(&self, strategy: StrategyId, account: AccountId) -> bool {
        self.rows(strategy, account)
            .into_iter()
            .any(|row| self.checks.get(row).is_some_and(|checks| checks.halt.is_some()))
    }

    /// Tells whether a limit adds up what all venue accounts together have.
    #[must_use]
    pub fn adds_up_all(&self) -> bool {
        self.checks.get(self.whole_row()).is_some_and(|checks| checks.limits.adds_up())
    }

    /// Tells whether a limit adds up what a strategy has in all its instruments.
    #[must_use]
    pub fn adds_up_of(&self, strategy: StrategyId) -> bool {
        self.checks.get(strategy.index()).is_some_and(|checks| checks.limits.adds_up())
    }

    /// Judges a proposal that the checks of its instrument let pass; `reduces`: it only closes.
    pub(crate) fn check(
        &self,
        proposal: &Proposal<'_, '_>,
        reference_ticks: i64,
        reduces: bool,
    ) -> Result<(), Refusal> {
        let price_ticks = order_price(proposal.intent, reference_ticks);
        for (row, stake) in self.stakes(proposal) {
            let Some(checks) = self.checks.get(row) else { continue };
            if !reduces {
                checks.check(proposal, proposal.intent.value_ticks(reference_ticks), stake)?;
                self.check_exposure(row, checks, proposal, reference_ticks, stake)?;
            }
            checks.check_messages(proposal.intent.time_ns, reduces)?;
        }
        if !reduces {
            self.canaries.check(proposal, reference_ticks)?;
        }
        if self.self_trade == SelfTrade::Block
            && !reduces
            && !tradecore_types::is_planted("own_orders_may_meet")
            && let Some((_, resting_ticks)) = self.resting.met_by(proposal.intent).next()
        {
            return Err(refusal(Rule::SelfTrade, i128::from(resting_ticks), i128::from(price_ticks)));
        }
        Ok(())
    }

    /// Judges the size of an order that was a share of buying power; everything else was judged before.
    pub(crate) fn check_sized(&self, proposal: &Proposal<'_, '_>, price_ticks: i64) -> Result<(), Refusal> {
        for (row, stake) in self.stakes(proposal) {
            if let Some(checks) = self.checks.get(row) {
                checks.check_size(proposal, price_ticks, stake)?;
                self.check_exposure(row, checks, proposal, price_ticks, stake)?;
            }
        }
        self.canaries.check_size(proposal, price_ticks, price_ticks)
    }

    fn check_exposure(
        &self,
        row: usize,
        checks: &ScopeChecks,
        proposal: &Proposal<'_, '_>,
        reference_ticks: i64,
        stake: Stake,
    ) -> Result<(), Refusal> {
        if checks.limits.gross_max.is_none() && checks.limits.net_max.is_none() {
            return Ok(());
        }
        let order = (proposal.intent.side, proposal.lots);
        let (gross, net) = self.exposures.with_order(row, proposal.instrument, reference_ticks, order, stake);
        let gross = if tradecore_types::is_planted("gross_not_added_up") { 0 } else { gross };
        if let Some(max) = checks.limits.gross_max.filter(|max| gross > max.0) {
            return Err(refusal(Rule::GrossMax, max.0, gross));
        }
        match checks.limits.net_max.filter(|max| net > max.0) {
            Some(max) => Err(refusal(Rule::NetMax, max.0, net)),
            None => Ok(()),
        }
    }

    /// Judges a strategy's wish to cancel.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the whole rate of messages is used up.
    pub fn check_cancel(
        &self,
        strategy: StrategyId,
        account: AccountId,
        now_ns: TimeNs,
    ) -> Result<(), Refusal> {
        for row in self.rows(strategy, account) {
            if let Some(checks) = self.checks.get(row) {
                checks.check_messages(now_ns, true)?;
            }
        }
        Ok(())
    }

    /// Remembers an approved new order.
    pub(crate) fn note_order(&mut self, intent: &OrderIntent) {
        if let Some(checks) = self.checks.get_mut(intent.strategy.index()) {
            checks.note_order(intent);
        }
        self.canaries.note_order(intent);
    }

    /// Counts a message on its way, whoever caused it.
    pub fn note_message(&mut self, strategy: StrategyId, account: AccountId, now_ns: TimeNs) {
        for row in self.rows(strategy, account) {
            if let Some(checks) = self.checks.get_mut(row) {
                checks.note_message(now_ns);
            }
        }
    }

    /// Counts a cancel or a closing order that a strategy asked for towards the reserve, beside
    /// [`Scopes::note_message`].
    pub fn note_urgent(&mut self, strategy: StrategyId, account: AccountId, now_ns: TimeNs) {
        for row in self.rows(strategy, account) {
            if let Some(checks) = self.checks.get_mut(row) {
                checks.note_urgent(now_ns);
            }
        }
    }

    /// Counts an order in or out.
    pub fn count_open(&mut self, strategy: StrategyId, account: AccountId, is_opened: bool) {
        for row in self.rows(strategy, account) {
            if let Some(checks) = self.checks.get_mut(row) {
                let open = checks.open_orders;
                checks.open_orders = if is_opened { open.saturating_add(1) } else { open.saturating_sub(1) };
            }
        }
    }

    /// Notes a limit order in the market at its price, and at that of an amendment on its way.
    pub fn put_resting(
        &mut self,
        intent: &OrderIntent,
        price_ticks: i64,
        amended_ticks: Option<i64>,
        is_leaving: bool,
    ) {
        let (order_id, side) = (intent.order_id, intent.side);
        let resting = Resting { order_id, side, price_ticks, amended_ticks, is_leaving };
        self.resting.put(intent.instrument, resting);
    }

    /// Notes that an order is no longer in the market.
    pub fn remove_resting(&mut self, instrument: InstrumentId, order_id: OrderId) {
        self.resting.remove(instrument, order_id);
    }

    /// Tells whether own orders are kept from trading with each other.
    #[must_use]
    pub fn prevents_self_trades(&self) -> bool {
        self.self_trade != SelfTrade::Allow
    }

    /// Visits the orders of the account that an approved one could trade with, oldest first.
    pub fn met_by<'a>(&'a self, intent: &'a OrderIntent) -> impl Iterator<Item = OrderId> + 'a {
        self.resting.met_by(intent).map(|(order_id, _)| order_id)
    }

    /// Takes the stakes in an instrument after an order or a position changed.
    pub fn set_stakes(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        mark_ticks: Option<i64>,
        stakes: Stakes,
    ) {
        self.exposures.set(strategy.index(), instrument, mark_ticks, stakes.own);
        self.exposures.set(self.whole_row(), instrument, mark_ticks, stakes.account);
        if self.accounts != 0 {
            let row = self.account_row(instrument.currencies.account);
            self.exposures.set(row, instrument, mark_ticks, stakes.account);
        }
    }

    /// Takes a fill: its money and one more execution. The stakes are set before.
    pub fn note_fill(
        &mut self,
        instrument: &Instrument,
        fill: &Execution,
        account_cash: Money,
        now_ns: TimeNs,
    ) {
        let row = fill.strategy.index();
        let lots = fill.lots.saturating_mul(fill.side.sign());
        let paid = instrument.value(fill.price_ticks, lots).map_or(0, |money| money.0);
        if self.foreign.is_some() {
            self.add_fill(row, instrument, fill, paid);
        } else if let Some(checks) = self.checks.get_mut(row) {
            checks.cash = checks.cash.saturating_sub(paid).saturating_sub(fill.fee.0);
        }
        if let Some(checks) = self.checks.get_mut(row)
            && let (Some(halt), None) = (checks.note_execution(now_ns), checks.halt)
        {
            checks.halt = Some(halt);
            self.has_tripped = true;
        }
        self.guard_losses(row, now_ns);
        self.guard_account(account_cash, now_ns);
    }

    /// Takes money that a strategy received without a fill, negative is what it paid.
    pub fn note_flow(
        &mut self,
        strategy: StrategyId,
        (amount, currency): (Money, CurrencyId),
        account_cash: Money,
        now_ns: TimeNs,
    ) {
        let row = strategy.index();
        self.add_cash(row, currency, amount.0);
        self.guard_losses(row, now_ns);
        self.guard_account(account_cash, now_ns);
    }

    /// Takes the money that a strategy received or paid because a trade was told anew. It is no execution; the stakes
    /// are set before, and limits look once at all of it.
    pub fn note_revision(
        &mut self,
        strategy: StrategyId,
        received: &[(Money, CurrencyId)],
        account_cash: Money,
        now_ns: TimeNs,
    ) {
        let row = strategy.index();
        for (amount, currency) in received {
            self.add_cash(row, *currency, amount.0);
        }
        self.guard_losses(row, now_ns);
        self.guard_account(account_cash, now_ns);
    }

    /// Takes a new price of an instrument.
    pub fn mark(&mut self, instrument: &Instrument, mark_ticks: i64, account_cash: Money, now_ns: TimeNs) {
        let strategies = self.strategies();
        let Self { exposures, checks, day_start_ns, has_tripped, foreign, .. } = self;
        exposures.mark(instrument, mark_ticks, |_| {});
        for (row, checks) in checks.iter_mut().enumerate().take(strategies) {
            let foreign = foreign.as_ref().map_or(0, |foreign| foreign.worth(row));
            let equity = checks.cash.saturating_add(exposures.sums(row).held).saturating_add(foreign);
            *has_tripped |= guard(checks, equity, now_ns, *day_start_ns);
        }
        self.guard_account(account_cash, now_ns);
    }

    /// Tells what a venue account has, where there are several; it counts with the next value of all together.
    pub fn set_account_cash(&mut self, account: AccountId, cash: Money) {
        let row = self.account_row(account);
        if let Some(checks) = self.checks.get_mut(row) {
            checks.cash = cash.0;
        }
    }

    pub(crate) fn guard_account(&mut self, cash: Money, now_ns: TimeNs) {
        let row = self.whole_row();
        for account in self.strategies()..row {
            self.guard_losses(account, now_ns);
        }
        if let Some(checks) = self.checks.get_mut(row) {
            checks.cash = cash.0;
        }
        self.guard_losses(row, now_ns);
    }

    fn guard_losses(&mut self, row: usize, now_ns: TimeNs) {
        let held = self.exposures.sums(row).held.saturating_add(self.foreign_worth(row));
        if let Some(checks) = self.checks.get_mut(row) {
            let equity = checks.cash.saturating_add(held);
            self.has_tripped |= guard(checks, equity, now_ns, self.day_start_ns);
        }
    }

    /// Returns gross and net exposure of a scope, in money at the last marks; net is that of the worse side.
    #[must_use]
    pub fn exposure(&self, scope: Scope) -> Option<(Money, Money)> {
        let sums = self.exposures.sums(self.row_of(scope).ok()?);
        Some((Money(sums.gross), Money(sums.long.saturating_abs().max(sums.short.saturating_abs()))))
    }

    /// Returns what a scope has lost since its day began, and its fall from the highest equity; `None` where no limit
    /// asks for it.
    #[must_use]
    pub fn losses(&self, scope: Scope) -> Option<(Money, Money)> {
        let checks = self.checks.get(self.row_of(scope).ok()?)?;
        checks.limits.watches_losses().then(|| checks.guard.losses())
    }

    /// Returns how many new orders a venue account has made in the day of this moment; `None` where no canary profile
    /// bounds it.
    #[must_use]
    pub fn canary_orders(&self, account: AccountId, now_ns: TimeNs) -> Option<u32> {
        self.canaries.orders_of_day(account, now_ns)
    }

    /// Appends the canonical bytes of everything that decides later checks; exposures and resting orders
    /// follow from orders, positions and marks.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        if self.is_on {
            out.push(self.self_trade.code());
            for checks in &self.checks {
                checks.write_state(out);
            }
            if let Some(foreign) = &self.foreign {
                foreign.write_state(out);
            }
            self.canaries.write_state(out);
        }
    }

    /// Tells whether a change is about what is done when own orders would meet.
    fn is_self_trade(&self, change: &LimitChange) -> bool {
        change.limit == LimitName::SelfTrade
            && self.row_of(change.scope).is_ok_and(|row| row == self.whole_row())
    }
}

/// Takes the equity of a scope; tells whether that halts it.
fn guard(checks: &mut ScopeChecks, equity: i128, now_ns: TimeNs, day_start_ns: i64) -> bool {
    if !checks.limits.watches_losses() {
        return false;
    }
    checks.guard.learn(equity, now_ns, day_start_ns);
    if checks.halt.is_some() {
        return false;
    }
    checks.halt = checks.guard.verdict(checks.limits.daily_loss_max, checks.limits.drawdown_max);
    checks.halt.is_some()
}
