//! Order books: levels by price, and the proof that they are the venue's.
//!
//! [`L2Book`] keeps the levels, [`BookSync`] decides from update ids alone whether they are right, and
//! [`InstrumentBook`] is the two together. [`OrderBook`] keeps every order of a venue that shows them.
//! Whoever trades against a book sees it as [`Depth`];
//! [`analytics`] says what liquidity is in it, and [`WithoutOwn`] leaves out our own orders.

#![forbid(unsafe_code)]

pub mod analytics;
mod backlog;
mod book_rules;
mod checksum;
mod counters;
mod depth;
mod fault;
mod form;
mod instrument_book;
mod l2;
mod ladder;
mod order_book;
mod own;
mod quotes;
mod rule;
mod sync;

pub use book_rules::BookRules;
pub use checksum::{ChecksumRule, StepText};
pub use counters::BookCounters;
pub use depth::{Depth, QuoteDepth};
pub use fault::Fault;
pub use form::BookForm;
pub use instrument_book::{BookChange, InstrumentBook, QuoteCheck};
pub use l2::{L2Book, LEVELS_MAX, PRICE_TICKS_MAX};
pub use order_book::{OrderBook, OrderChange, OrderFault, QueuePosition, RestingOrder};
pub use own::{OwnFault, OwnLevels, WithoutOwn};
pub use rule::SequenceRule;
pub use sync::{BookSync, DiffOutcome, SyncCapacity, SyncState};
