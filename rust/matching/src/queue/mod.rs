//! The place of our orders in the queues of a market that does not know of them.

mod fixed_log;
mod fixed_point;
mod model;
mod place;

#[cfg(test)]
mod tests;

pub use model::QueueModel;
pub(crate) use place::{QueuePlace, shown_lots};
