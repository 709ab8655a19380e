//! Whatever the bytes are: each function takes some and breaks off when a promise of the engine does not hold.
//!
//! They are the bodies of the fuzz targets in `fuzz/` and of the bounded property tests in `tests/`, so that
//! both try the same entry points. [`TARGETS`] lists them by name, each with seeds to start from.

#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says what does not hold")]

mod book;
mod bytes;
mod journal;
mod matching;
mod order_book;
mod parsers;
mod seeds;
mod sync;

pub use book::book;
pub use journal::{journal_file, journal_frames};
pub use matching::matching;
pub use order_book::order_book;
pub use parsers::{binance, csv, databento, kraken, okx, times};
pub use seeds::{mutated, seeds};
pub use sync::sync;

/// A target: its name and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, in the order of the way through the house.
pub const TARGETS: [Target; 12] = [
    ("binance", binance),
    ("kraken", kraken),
    ("okx", okx),
    ("databento", databento),
    ("csv", csv),
    ("times", times),
    ("book", book),
    ("order_book", order_book),
    ("sync", sync),
    ("matching", matching),
    ("journal_frames", journal_frames),
    ("journal_file", journal_file),
];
