//! Order books: levels by price, and the proof that they are the venue's.

#![forbid(unsafe_code)]

mod depth;
mod fault;

pub use depth::{Depth, QuoteDepth};
pub use fault::Fault;
