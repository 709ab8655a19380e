//! What gates remember, as a snapshot has it.

use serde::{Deserialize, Serialize};
use tradecore_types::TimeNs;

use crate::books::activity::GateCount;
use crate::gates::decision::GateVerdict;

/// What gates remember, as it is written.
#[derive(Serialize)]
pub(crate) struct GatesShown<'a> {
    pub(crate) last_entry_ns: &'a [Option<TimeNs>],
    pub(crate) notes: &'a [Vec<GateVerdict>],
    pub(crate) counts: &'a [GateCount],
}

/// What gates remember, as it is read.
#[derive(Deserialize)]
pub(crate) struct GatesRead {
    pub(crate) last_entry_ns: Vec<Option<TimeNs>>,
    pub(crate) notes: Vec<Vec<GateVerdict>>,
    pub(crate) counts: Vec<GateCount>,
}
