//! What operators tell the engine.

use tradecore_types::{
    CancelReason, CommandKind, EventBatch, EventBody, InstrumentId, LimitChange, OrderId, Rule, Scope,
    StrategyId,
};

use crate::{Kernel, KernelError};

impl Kernel {
    /// Carries out a command.
    pub(crate) fn on_command(&mut self, kind: &CommandKind) -> Result<(), KernelError> {
        if matches!(kind, CommandKind::SetLimit(_) | CommandKind::Release(_) | CommandKind::Permit(_)) {
            self.control.changes.note(kind, self.now_ns);
        }
        match kind {
            CommandKind::Pause => self.control.switches.is_paused = true,
            CommandKind::Resume => self.control.switches.is_paused = false,
            CommandKind::Kill => {
                self.control.switches.is_killed = true;
                self.books.heard.note_all_to_end(OrderId(self.outgoing.last_order_id));
                self.books.groups.close_outs.clear();
                self.end_waiting(Rule::KillLatch);
                self.cancel_everything(CancelReason::Killed);
            }
            CommandKind::ReleaseKill => self.control.switches.is_killed = false,
            CommandKind::Flatten => {
                self.end_waiting(Rule::ApprovalRejected);
                self.books.heard.note_all_to_end(OrderId(self.outgoing.last_order_id));
                self.note_flattenings();
                self.cancel_everything(CancelReason::Requested);
                self.close_every_position()?;
                self.wait_for_orders_until(OrderId(self.outgoing.last_order_id));
            }
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
            CommandKind::Consent(_) => {}
            plain => debug_assert!(CommandKind::PLAIN.contains(plain), "it can always be carried out"),
        }
        Ok(())
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

    /// Cancels every open order, whoever's it is, in the order they were made.
    fn cancel_everything(&mut self, reason: CancelReason) {
        let mut open: Vec<OrderId> = self.books.orders.iter().map(|order| order.intent.order_id).collect();
        open.sort_unstable();
        for order_id in open {
            self.request_cancel(order_id, reason);
        }
    }

    /// Closes every position with a market order, whatever the limits.
    fn close_every_position(&mut self) -> Result<(), KernelError> {
        for index in 0..self.markets.len() {
            let instrument = InstrumentId(u32::try_from(index).unwrap_or(u32::MAX));
            for strategy in 0..self.config.strategies {
                self.close_position(StrategyId(strategy), instrument)?;
            }
        }
        Ok(())
    }

    fn close_position(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Result<(), KernelError> {
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
