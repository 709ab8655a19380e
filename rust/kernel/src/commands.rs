//! What operators tell the engine.

use tradecore_types::{
    CancelReason, CommandKind, EventBatch, EventBody, InstrumentId, LimitChange, OrderId, OrderIntent, Scope,
    StrategyId,
};

use crate::market::Venue;
use crate::{Kernel, KernelError};

/// A position that an operator wants closed and that is not flat yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flattening {
    strategy: StrategyId,
    instrument: InstrumentId,
    /// Last order from before: until it and all before it are done, nothing is sent. Exits that such an order
    /// arms later rest beside the flatten; they are cut as it closes what they protect.
    last_order_id: OrderId,
}

impl Flattening {
    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.strategy.0.to_le_bytes());
        out.extend_from_slice(&self.instrument.0.to_le_bytes());
        out.extend_from_slice(&self.last_order_id.0.to_le_bytes());
    }
}

impl Kernel {
    /// Carries out a command.
    pub(crate) fn on_command(&mut self, kind: &CommandKind) -> Result<(), KernelError> {
        if matches!(kind, CommandKind::SetLimit(_) | CommandKind::Release(_) | CommandKind::Permit(_)) {
            self.changes.note(kind, self.now_ns);
        }
        match kind {
            CommandKind::Pause => self.switches.is_paused = true,
            CommandKind::Resume => self.switches.is_paused = false,
            CommandKind::Kill => {
                self.switches.is_killed = true;
                self.flattenings.clear();
                self.surpluses.clear();
                self.cancel_everything(CancelReason::Killed);
            }
            CommandKind::ReleaseKill => self.switches.is_killed = false,
            CommandKind::Flatten => {
                self.note_flattenings();
                self.cancel_everything(CancelReason::Requested);
                self.close_every_position()?;
                let last_order_id = OrderId(self.last_order_id);
                for flattening in &mut self.flattenings {
                    flattening.last_order_id = last_order_id;
                }
            }
            CommandKind::SetLimit(change) => self.set_limit(change)?,
            CommandKind::Release(release) => self.scopes.release(release.scope),
            CommandKind::Permit(permission) => {
                if self.scopes.permit(permission) {
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
            EventBody::Command(command) => self.check_command(&command.kind),
            _ => Ok(()),
        })
    }

    /// Checks that a command can be carried out, before it is queued.
    pub(crate) fn check_command(&self, kind: &CommandKind) -> Result<(), KernelError> {
        match kind {
            CommandKind::SetLimit(LimitChange { scope: Scope::Instrument(id), limit, value, .. }) => {
                let market = self.market(*id)?;
                market.gate.check_change(*limit, value.get(), market.instrument.spec.lot_size)?;
            }
            CommandKind::SetLimit(change) => self.scopes.check_change(change)?,
            CommandKind::Release(release) => self.scopes.check_release(release.scope)?,
            CommandKind::Permit(permission) => self.scopes.check_permission(permission)?,
            CommandKind::Pause
            | CommandKind::Resume
            | CommandKind::Flatten
            | CommandKind::Kill
            | CommandKind::ReleaseKill => {}
        }
        Ok(())
    }

    /// Gives a limit a new value, from the next order on.
    fn set_limit(&mut self, change: &LimitChange) -> Result<(), KernelError> {
        let Scope::Instrument(id) = change.scope else {
            let was_preventing = self.scopes.prevents_self_trades();
            if self.scopes.set(change)? {
                self.tell_scopes_all();
            } else if !was_preventing {
                self.tell_resting_all();
            }
            return Ok(());
        };
        if let Some(market) = self.markets.get_mut(id.index()) {
            market.gate.set(change.limit, change.value.get(), market.instrument.spec.lot_size)?;
            if let Some((price_ticks, time_ns)) = market.reference {
                // A drift that is followed from now on begins with what is known.
                market.gate.learn(price_ticks, time_ns);
            }
        }
        Ok(())
    }

    /// Notes every position, and every one that an order under way may still open.
    ///
    /// Against bars a cancel is certain and a market order always fills, so nothing is left to follow.
    fn note_flattenings(&mut self) {
        self.flattenings.clear();
        for market in self.markets.iter().filter(|market| !matches!(market.venue, Venue::Bars(_))) {
            let instrument = market.instrument.id;
            for strategy in (0..self.config.strategies).map(StrategyId) {
                let has_orders = self.orders.working(strategy, instrument).open_orders > 0;
                if has_orders || self.ledger.position(strategy, instrument) != 0 {
                    let last_order_id = OrderId(0);
                    self.flattenings.push(Flattening { strategy, instrument, last_order_id });
                }
            }
        }
    }

    /// The market of an instrument has moved: closes again what a flatten has not closed yet.
    ///
    /// A fill that was under way, a book that was invalid or too little depth can leave a position; it
    /// is tried once per change of the market until it is flat.
    pub(crate) fn go_on_flattening(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let mut next = 0;
        while let Some(flattening) = self.flattenings.get(next).copied() {
            if flattening.instrument != instrument || self.is_under_way(&flattening) {
                next += 1;
            } else if self.ledger.position(flattening.strategy, instrument) == 0 {
                self.flattenings.remove(next);
            } else {
                self.close_position(flattening.strategy, instrument)?;
                next += 1;
            }
        }
        Ok(())
    }

    /// Tells whether an order from before, or one that closes at once, may still change the position.
    ///
    /// What takes back a surplus is one of the latter: to close beside it would open the other side.
    fn is_under_way(&self, flattening: &Flattening) -> bool {
        let Flattening { strategy, instrument, last_order_id } = *flattening;
        let is_from_before = |intent: &OrderIntent| {
            (intent.strategy, intent.instrument) == (strategy, instrument) && intent.order_id <= last_order_id
        };
        self.orders.iter().any(|order| is_from_before(&order.intent))
            || self.is_closing_now(strategy, instrument)
    }

    /// Cancels every open order, whoever's it is, in the order they were made.
    fn cancel_everything(&mut self, reason: CancelReason) {
        let mut open: Vec<OrderId> = self.orders.iter().map(|order| order.intent.order_id).collect();
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
        match self.ledger.position(strategy, instrument) {
            0 => Ok(()),
            lots => self.close_lots(strategy, instrument, lots, None),
        }
    }

    /// Closes signed lots of a position, those of an entry first, with a market order, whatever the limits.
    pub(crate) fn close_lots(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        lots: i64,
        entry: Option<OrderId>,
    ) -> Result<(), KernelError> {
        let position_lots = self.ledger.position(strategy, instrument);
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(order_id, strategy, instrument, lots, entry, self.now_ns);
        let market = self.market(instrument)?;
        let reference_ticks = market.reference.map_or(0, |known| known.0);
        match market.gate.approve_flatten(&intent, position_lots) {
            Ok(order) => self.send(&order, reference_ticks),
            Err(refusal) => Err(KernelError::Broken(format!("a closing order was refused: {refusal}"))),
        }
    }
}
