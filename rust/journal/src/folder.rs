//! The files that make up one journal, and what happens to them as files: their names, locks and renames.

pub(crate) mod disk;
pub(crate) mod leftovers;
pub(crate) mod lock;
pub(crate) mod names;
pub(crate) mod segments;

mod aside;
mod backup;
mod kept;
mod out;
mod pack;
mod reserve;
mod retain;
#[cfg(unix)]
mod rotate;
mod succeed;

pub use aside::set_aside;
pub use backup::{Backup, backup};
pub use names::file_id_of;
pub(crate) use pack::pack_until;
pub use pack::{PackedSegments, pack};
pub use reserve::Reserve;
pub use retain::{Archived, archives, drop_market_events, is_droppable};
#[cfg(unix)]
pub(crate) use rotate::begin_segment;
pub use succeed::succeed;
