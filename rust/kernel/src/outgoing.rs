//! Outgoing: from a wish to the one door, and what is on its way to a simulated venue and back.

pub(crate) mod arrivals;
pub(crate) mod dispatch;
pub(crate) mod expiry;
pub(crate) mod orders;
pub(crate) mod schedule;
