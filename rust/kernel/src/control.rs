//! Control: what operators tell the engine, and what they changed.

pub(crate) mod changes;
pub(crate) mod commands;
pub(crate) mod consents;
pub(crate) mod stops;

use tradecore_risk::Switches;
use tradecore_types::{SafetyPause, TimeNs};

use crate::books::account_set::{AccountSet, Traders};
use crate::control::changes::Changes;
use crate::control::consents::Consents;
use crate::control::stops::Stops;

/// What operators have decided.
///
/// **Invariant:** a kill ends by an operator's word alone; who changed a limit last is known.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Control {
    /// `is_unreconciled` is of any account; [`crate::Kernel::switches_for`] says what an order meets.
    pub(crate) switches: Switches,
    /// Why the engine has paused itself, and when; a resume ends it.
    pub(crate) paused_by: Option<(TimeNs, SafetyPause)>,
    /// What is stopped in a part of trading alone.
    pub(crate) stops: Stops,
    pub(crate) unreconciled: AccountSet,
    pub(crate) traders: Traders,
    pub(crate) changes: Changes,
    /// What waits for a person's yes, where that is asked for.
    pub(crate) consents: Option<Box<Consents>>,
}
