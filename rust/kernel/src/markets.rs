//! Markets: what is known of every instrument, and market data on its way through the house.

pub(crate) mod bar_desk;
pub(crate) mod bar_series;
pub(crate) mod bars;
pub(crate) mod build;
pub(crate) mod events;
pub(crate) mod funding;
pub(crate) mod market;
pub(crate) mod series;
