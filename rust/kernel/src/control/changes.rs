//! What operators changed about limits while the engine ran, and who: for readers, it decides nothing.

use tradecore_types::{CommandKind, TimeNs};

/// The last command about every limit, permission and halt.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Changes {
    last: Vec<(TimeNs, CommandKind)>,
}

impl Changes {
    /// Notes a command in the place of the one before about the same.
    pub(crate) fn note(&mut self, kind: &CommandKind, now_ns: TimeNs) {
        self.last.retain(|(_, known)| !is_about_the_same(known, kind));
        self.last.push((now_ns, *kind));
    }

    /// Visits the commands, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(TimeNs, CommandKind)> {
        self.last.iter()
    }
}

fn is_about_the_same(known: &CommandKind, kind: &CommandKind) -> bool {
    match (known, kind) {
        (CommandKind::SetLimit(known), CommandKind::SetLimit(change)) => {
            (known.scope, known.limit) == (change.scope, change.limit)
        }
        (CommandKind::Permit(known), CommandKind::Permit(permission)) => {
            (known.strategy, known.instrument) == (permission.strategy, permission.instrument)
        }
        (CommandKind::Release(known), CommandKind::Release(release)) => known.scope == release.scope,
        _ => false,
    }
}
