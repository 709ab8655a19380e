//! What the loss limits count from, kept when an account is carried over; and money that is of no strategy.

use tradecore_types::{AccountId, GuardState, Money, TimeNs, ValueError};

use crate::scope_checks::ScopeChecks;
use crate::{Halt, Scopes};

impl Scopes {
    /// Takes money that the owner brought to a venue account, or took when it is negative: no profit and no loss of
    /// it, nor of all together.
    pub fn note_transfer(
        &mut self,
        (account, amount): (AccountId, Money),
        account_cash: Money,
        now_ns: TimeNs,
    ) {
        self.note_brought(account, amount);
        self.guard_account(account_cash, now_ns);
    }

    /// Takes money that the owner brought and that is not valued yet: what it is worth is told next.
    pub fn note_brought(&mut self, account: AccountId, amount: Money) {
        for row in [self.account_row(account), self.whole_row()] {
            if let Some(checks) = self.checks.get_mut(row) {
                checks.guard.shift(amount.0);
            }
        }
    }

    /// Takes money that the account gained or lost for no position.
    pub fn note_adjustment(&mut self, account_cash: Money, now_ns: TimeNs) {
        self.guard_account(account_cash, now_ns);
    }

    /// Returns what the loss limits count from, where one asks for it, and every halt.
    #[must_use]
    pub fn guards(&self) -> Vec<GuardState> {
        let of_row = |(row, checks): (usize, &ScopeChecks)| {
            let (last, peak, day_start, day) = checks.guard.counted();
            let state = GuardState {
                scope: self.scope_of(row),
                cash: Money(self.cash_of(row)),
                last: Money(last),
                peak: Money(peak),
                day_start: Money(day_start),
                day,
                halt: checks.halt.map(|halt| (halt.rule, halt.limit, halt.value)),
            };
            (checks.limits.watches_losses() || checks.halt.is_some()).then_some(state)
        };
        self.checks.iter().enumerate().filter_map(of_row).collect()
    }

    /// Switches the checks on, because a halt is to be kept; tells whether they went on by that.
    pub fn keep_on(&mut self) -> bool {
        let goes_on = !self.is_on;
        if goes_on {
            self.switch_on();
        }
        goes_on
    }

    /// Goes on with what a scope had lost before, and with its halt; stakes and guards are told before.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is no such strategy.
    pub fn resume(&mut self, state: &GuardState) -> Result<(), ValueError> {
        let row = self.row_of(state.scope)?;
        let is_account = row >= self.strategies();
        if let Some(checks) = self.checks.get_mut(row) {
            if !is_account {
                checks.cash = state.cash.0;
            }
            checks.guard.resume(state.last.0, state.peak.0, state.day_start.0, state.day);
            let halt = state.halt.filter(|_| !tradecore_types::is_planted("halt_forgotten_by_a_new_journal"));
            checks.halt = halt.map(|(rule, limit, value)| Halt { rule, limit, value });
        }
        Ok(())
    }

    /// Checks that a scope can go on with what it had lost before.
    ///
    /// # Errors
    ///
    /// As [`Scopes::resume`].
    pub fn check_guard(&self, state: &GuardState) -> Result<(), ValueError> {
        self.row_of(state.scope).map(|_| ())
    }
}
