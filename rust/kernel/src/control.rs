//! Control: what operators tell the engine, and what they changed.

pub(crate) mod changes;
pub(crate) mod commands;

use tradecore_risk::Switches;

use crate::control::changes::Changes;

/// What operators have decided.
///
/// **Invariant:** a kill ends by an operator's word alone; who changed a limit last is known.
#[derive(Default)]
pub(crate) struct Control {
    pub(crate) switches: Switches,
    pub(crate) changes: Changes,
}
