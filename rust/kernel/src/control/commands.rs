//! What operators tell the engine.

use tradecore_types::{
    ByLimit, CancelReason, CommandKind, EventBatch, EventBody, FlattenByLimit, InstrumentId, LimitChange,
    OrderId, OrderIntent, Rule, SafetyPause, Scope, Stop, StrategyId, TimeNs, ValueError, Within,
};

use crate::control::stops::whole_of;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Carries out a command.
    pub(crate) fn on_command(&mut self, kind: &CommandKind) -> Result<(), KernelError> {
        if matches!(kind, CommandKind::SetLimit(_) | CommandKind::Release(_) | CommandKind::Permit(_)) {
            self.control.changes.note(kind, self.now_ns);
        }
        match kind {
            CommandKind::Pause => self.control.switches.is_paused = true,
            CommandKind::Resume => {
                if tradecore_types::is_planted("resume_releases_a_kill") {
                    self.control.switches.is_killed = false;
                }
                self.control.switches.is_paused = false;
                self.control.paused_by = None;
            }
            CommandKind::SafetyPause(pause) => {
                self.control.switches.is_paused = true;
                self.control.paused_by = Some((self.now_ns, *pause));
            }
            CommandKind::Kill => {
                self.control.switches.is_killed = true;
                self.books.heard.note_all_to_end(OrderId(self.outgoing.last_order_id));
                self.forget_close_outs(None);
                self.end_waiting(Rule::KillLatch, None);
                if !tradecore_types::is_planted("kill_leaves_orders_open") {
                    self.cancel_everything(CancelReason::Killed, None);
                }
            }
            CommandKind::ReleaseKill => self.control.switches.is_killed = false,
            CommandKind::Flatten => self.flatten_everything(None)?,
            CommandKind::FlattenByLimit(FlattenByLimit { scope: None, by }) => {
                self.flatten_everything(Some(*by))?;
            }
            CommandKind::FlattenByLimit(FlattenByLimit { scope: Some(scope), by }) => {
                self.stop_within(Within { stop: Stop::Flatten, scope: *scope }, Some(*by))?;
            }
            CommandKind::CancelAll => {
                self.books.heard.note_all_to_end(OrderId(self.outgoing.last_order_id));
                self.cancel_all(None);
            }
            CommandKind::Within(within) => self.stop_within(*within, None)?,
            CommandKind::Cancel(order_id) => self.cancel_for_operator(*order_id),
            CommandKind::SetLimit(change) => self.set_limit(change)?,
            CommandKind::Release(release) => self.books.scopes.release(release.scope),
            CommandKind::Consent(consent) => self.on_consent(consent)?,
            CommandKind::Permit(permission) => {
                if self.books.scopes.permit(permission) {
                    self.tell_scopes_all();
                }
            }
        }
        Ok(())
    }

    /// Checks that the commands of a batch can be carried out; nothing is queued.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] names the field, the value and the rule of the first that cannot.
    pub fn check_commands(&self, batch: &EventBatch) -> Result<(), KernelError> {
        batch.events.iter().try_for_each(|event| match &event.body {
            EventBody::Command(command) => match &command.kind {
                // What waits changes from event to event: only who is about to give a command can be told.
                CommandKind::Consent(consent) => Ok(self.check_consent(consent)?),
                CommandKind::Cancel(order_id) => self.check_order(*order_id),
                kind => self.check_command(kind),
            },
            EventBody::Account(_) => self.check_account(0, batch, event),
            _ => Ok(()),
        })
    }

    /// Checks that a command can be carried out, before it is queued.
    pub(crate) fn check_command(&self, kind: &CommandKind) -> Result<(), KernelError> {
        match kind {
            CommandKind::SetLimit(LimitChange { scope: Scope::Instrument(id), limit, value, .. }) => {
                let market = self.market(*id)?;
                market.checks.check_change(*limit, value.get(), market.instrument.spec.lot_size)?;
            }
            CommandKind::SetLimit(change) => self.books.scopes.check_change(change)?,
            CommandKind::Release(release) => self.books.scopes.check_release(release.scope)?,
            CommandKind::Permit(permission) => self.books.scopes.check_permission(permission)?,
            CommandKind::Within(within) => self.check_scope(within.scope)?,
            CommandKind::FlattenByLimit(FlattenByLimit { scope: Some(scope), .. }) => {
                self.check_scope(*scope)?;
            }
            // Whether it is open, or waits, is not known yet: events that are fed before it decide that.
            CommandKind::Cancel(_)
            | CommandKind::Consent(_)
            | CommandKind::SafetyPause(_)
            | CommandKind::FlattenByLimit(FlattenByLimit { scope: None, .. }) => {}
            plain => debug_assert!(CommandKind::PLAIN.contains(plain), "it can always be carried out"),
        }
        Ok(())
    }

    /// Checks that there is what a stop is about.
    fn check_scope(&self, scope: Scope) -> Result<(), KernelError> {
        match scope {
            Scope::Instrument(id) => self.market(id).map(|_| ()),
            other => Ok(self.books.scopes.check_release(other)?),
        }
    }

    /// Checks that an order is open, or that something of it is still to be done.
    fn check_order(&self, order_id: OrderId) -> Result<(), KernelError> {
        let is_known = self.books.orders.get(order_id).is_some()
            || self.books.groups.rests().any(|(_, _, known)| known == order_id);
        if is_known {
            return Ok(());
        }
        Err(ValueError::new("order", order_id.0, "is not open: `tradecore status` names those that are")
            .into())
    }

    /// Gives a limit a new value, from the next order on.
    fn set_limit(&mut self, change: &LimitChange) -> Result<(), KernelError> {
        let Scope::Instrument(id) = change.scope else {
            let was_preventing = self.books.scopes.prevents_self_trades();
            if self.books.scopes.set(change)? {
                self.tell_scopes_all();
            } else if !was_preventing {
                self.tell_resting_all();
            }
            return Ok(());
        };
        if let Some(market) = self.markets.get_mut(id.index()) {
            market.checks.set(change.limit, change.value.get(), market.instrument.spec.lot_size)?;
            if let Some((price_ticks, time_ns)) = market.reference {
                // A drift that is followed from now on begins with what is known.
                market.checks.learn(price_ticks, time_ns);
            }
        }
        Ok(())
    }

    /// Returns why the engine has paused itself, and when, until a resume.
    #[must_use]
    pub const fn paused_by(&self) -> Option<(TimeNs, SafetyPause)> {
        self.control.paused_by
    }

    /// Visits what operators have stopped in parts of trading.
    pub fn stops(&self) -> impl Iterator<Item = Within> + '_ {
        self.control.stops.standing()
    }

    /// Returns the number that was given to an order last; 0 before the first.
    #[must_use]
    pub const fn last_order_id(&self) -> OrderId {
        OrderId(self.outgoing.last_order_id)
    }

    /// Visits the open orders whose end an operator wants.
    pub fn ordered_to_end(&self) -> impl Iterator<Item = OrderId> + '_ {
        let open = self.books.orders.iter().map(|order| order.intent.order_id);
        open.filter(|order_id| self.is_ordered_to_end(*order_id))
    }

    /// Stops a part of trading, or lets it go on; nothing outside of it is touched.
    fn stop_within(&mut self, within: Within, by: Option<ByLimit>) -> Result<(), KernelError> {
        if let Some(whole) = whole_of(within, !self.config.accounts.is_empty()) {
            return if by.is_some() { self.flatten_everything(by) } else { self.on_command(&whole) };
        }
        let Within { stop, scope } = within;
        self.control.stops.note(within, OrderId(self.outgoing.last_order_id));
        match stop {
            Stop::Pause | Stop::Resume | Stop::ReleaseKill => {}
            Stop::Kill => {
                self.forget_close_outs(Some(scope));
                self.end_waiting(Rule::KillLatch, Some(scope));
                self.cancel_everything(CancelReason::Killed, Some(scope));
            }
            Stop::Flatten => {
                self.end_waiting(Rule::ApprovalRejected, Some(scope));
                self.flatten(Some(scope), by)?;
            }
            Stop::CancelAll => self.cancel_all(Some(scope)),
        }
        Ok(())
    }

    /// Cancels every order and closes every position: by limit orders first, or at the market.
    fn flatten_everything(&mut self, by: Option<ByLimit>) -> Result<(), KernelError> {
        self.end_waiting(Rule::ApprovalRejected, None);
        self.books.heard.note_all_to_end(OrderId(self.outgoing.last_order_id));
        self.flatten(None, by)
    }

    /// Cancels every order and closes every position, within a scope or all of them.
    ///
    /// By limit orders it begins once all others have ended: it has time, and closes nothing twice.
    fn flatten(&mut self, within: Option<Scope>, by: Option<ByLimit>) -> Result<(), KernelError> {
        self.note_flattenings(within, by);
        self.cancel_everything(CancelReason::Requested, within);
        if by.is_none() {
            self.close_every_position(within)?;
        }
        self.wait_for_orders_until(OrderId(self.outgoing.last_order_id), within);
        if by.is_some() { self.begin_closing() } else { Ok(()) }
    }

    /// Cancels every order, also what a closing order has left undone and would be sent again. What an operator
    /// flattens is closed further.
    fn cancel_all(&mut self, within: Option<Scope>) {
        let rests: Vec<_> = self.books.groups.rests().collect();
        for (strategy, instrument, order_id) in rests {
            if within.is_none_or(|scope| self.place_of(strategy, instrument).is_within(scope)) {
                self.give_up_rest(strategy, order_id);
            }
        }
        self.cancel_everything(CancelReason::Requested, within);
    }

    /// Cancels one order, whoever's it is, and whatever rate of messages is used up.
    fn cancel_for_operator(&mut self, order_id: OrderId) {
        let orders = &self.books.orders;
        self.control.stops.note_order(order_id, |known| orders.get(known).is_some());
        let rest = self.books.groups.rests().find(|(_, _, of)| *of == order_id);
        if let Some((strategy, _, _)) = rest {
            self.give_up_rest(strategy, order_id);
        }
        self.request_cancel(order_id, CancelReason::Requested);
    }

    /// Cancels every open order within a scope, or all of them, whoever's they are, in the order they were made.
    fn cancel_everything(&mut self, reason: CancelReason, within: Option<Scope>) {
        let is_meant = |intent: &OrderIntent| {
            within.is_none_or(|scope| self.place_of(intent.strategy, intent.instrument).is_within(scope))
        };
        let intents = self.books.orders.iter().map(|order| &order.intent);
        let mut open: Vec<OrderId> =
            intents.filter(|intent| is_meant(intent)).map(|intent| intent.order_id).collect();
        open.sort_unstable();
        for order_id in open {
            self.request_cancel(order_id, reason);
        }
    }

    /// Closes every position within a scope, or all of them, with a market order, whatever the limits.
    fn close_every_position(&mut self, within: Option<Scope>) -> Result<(), KernelError> {
        for index in 0..self.markets.len() {
            let instrument = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            for strategy in (0..self.config.strategies).map(StrategyId) {
                if within.is_none_or(|scope| self.place_of(strategy, instrument).is_within(scope)) {
                    self.close_position(strategy, instrument)?;
                }
            }
        }
        Ok(())
    }

    fn close_position(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.rests_to_close(strategy, instrument) && self.is_flattened(strategy, instrument) {
            // The limit order of a flatten before this one closes the same: it is followed as soon as that has ended.
            return Ok(());
        }
        if self.books.ledger.is_hedged(instrument) {
            for (lots, ticket) in self.known_tickets(strategy, instrument) {
                self.close_lots(strategy, instrument, lots, ticket)?;
            }
            return Ok(());
        }
        match self.known_to_be_open(strategy, instrument) {
            0 => Ok(()),
            lots => self.close_lots(strategy, instrument, lots, None),
        }
    }
}
