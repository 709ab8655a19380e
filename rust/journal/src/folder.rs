//! The files that make up one journal, and what happens to them as files: their names, locks and renames.

pub(crate) mod lock;
pub(crate) mod names;

mod aside;
mod succeed;

pub use aside::set_aside;
pub use succeed::succeed;
