//! How much of everything there was.

use tradecore_types::{Liquidity, Report, ReportBody};

/// How much of everything there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Events that were fed and consumed.
    pub events: u64,
    /// Orders that risk approved, whether they were sent or held.
    pub orders: u64,
    /// Orders, amendments and cancels that a gate or risk refused.
    pub refusals: u64,
    /// Fills of our orders, partial ones included.
    pub fills: u64,
    /// Those of them that waited in the book, and paid the fee of a maker.
    pub maker_fills: u64,
    /// Fills that a venue outside told again, and that were booked before.
    pub repeated_fills: u64,
    /// Trades that a venue outside told anew, busted or with other numbers, each time that it was booked.
    pub revisions: u64,
    /// What a venue outside said that was not expected.
    pub surprises: u64,
}

impl Counters {
    /// Counts a report if it is a fill.
    pub(crate) fn count_fill(&mut self, report: &Report) {
        if let ReportBody::Fill { liquidity, .. } = report.body {
            self.fills += 1;
            self.maker_fills += u64::from(liquidity == Liquidity::Maker);
        }
    }
}

/// What the book of an instrument went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookCounts {
    /// Quotes of the venue at the same update id, and its checksums, compared with the book.
    pub compared: u64,
    /// How many of those compared differed from the book, which made it INVALID.
    pub mismatches: u64,
    /// Times messages were found missing, doubled or changed: by their numbers or by a checksum.
    pub gaps: u64,
    /// Times no message came for longer than the book may go without one.
    pub stale: u64,
    /// Times the book became valid again after a fault or a silence.
    pub resyncs: u64,
}
