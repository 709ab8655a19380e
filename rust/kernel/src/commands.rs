//! What operators tell the engine.

use tradecore_types::{CancelReason, CommandKind, InstrumentId, OrderIntent, StrategyId};

use crate::{Kernel, KernelError};

impl Kernel {
    /// Carries out a command.
    pub(crate) fn on_command(&mut self, kind: CommandKind) -> Result<(), KernelError> {
        match kind {
            CommandKind::Pause => self.switches.is_paused = true,
            CommandKind::Resume => self.switches.is_paused = false,
            CommandKind::Kill => {
                self.switches.is_killed = true;
                self.cancel_everything(CancelReason::Killed);
            }
            CommandKind::ReleaseKill => self.switches.is_killed = false,
            CommandKind::Flatten => {
                self.cancel_everything(CancelReason::Requested);
                self.close_every_position()?;
            }
        }
        Ok(())
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
        let position_lots = self.ledger.position(strategy, instrument);
        if position_lots == 0 {
            return Ok(());
        }
        let order_id = self.next_order_id();
        let intent = OrderIntent::closing(order_id, strategy, instrument, position_lots, None, self.now_ns);
        let market = self.market(instrument)?;
        let reference_ticks = market.reference.map_or(0, |known| known.0);
        match market.gate.approve_flatten(&intent, position_lots) {
            Ok(order) => self.send(&order, reference_ticks),
            Err(refusal) => Err(KernelError::Broken(format!("a closing order was refused: {refusal}"))),
        }
    }
}
