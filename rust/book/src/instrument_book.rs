//! The book of one instrument together with the proof that it is right.

use tradecore_types::{BookUpdate, BookUpdateKind, Level, Quote, Side};

use crate::l2::check_levels;
use crate::quotes::{RecentQuotes, agree};
use crate::{
    BookCounters, BookSync, ChecksumRule, Depth, DiffVerdict, Fault, L2Book, SequenceRule, SyncCapacity,
    SyncState,
};

/// What a message did to the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookChange {
    /// The book changed and is still valid.
    Applied,
    /// The book is not valid; the message was kept for the next snapshot.
    Buffered,
    /// The book has all of it already, or the message can never be placed; nothing changed.
    Ignored,
    /// The book is valid now; it was not before.
    BecameValid,
    /// The book was valid, or about to be, and this message proves it wrong.
    BecameInvalid(Fault),
    /// The diffs kept do not lead on from this snapshot: fetch a newer one.
    SnapshotTooOld,
    /// The message is of no use, and the book was not valid anyway.
    Refused(Fault),
}

/// What a quote, or a checksum, said about the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteCheck {
    /// The book is not valid, or does not stand at the update id of the quote (yet).
    NotCompared,
    /// Best prices and sizes, or the sums, are equal.
    Equal,
    /// They differ: the book is INVALID.
    BecameInvalid(Fault),
}

/// An [`L2Book`] that knows whether it is the venue's.
///
/// **Invariant:** while [`InstrumentBook::is_valid`], every message since the snapshot was applied exactly
/// once and in order, the book is not crossed, and it agreed with every quote at the same update id. An
/// INVALID book keeps its last levels for people to look at; nobody may trade on them.
#[derive(Clone, Debug)]
pub struct InstrumentBook {
    sync: BookSync,
    book: L2Book,
    quotes: RecentQuotes,
}

impl InstrumentBook {
    /// Makes an empty book that waits for a snapshot.
    #[must_use]
    pub fn new(rule: SequenceRule, capacity: SyncCapacity) -> Self {
        let quotes = RecentQuotes::new(capacity.quotes);
        Self { sync: BookSync::new(rule, capacity), book: L2Book::default(), quotes }
    }

    /// Returns the levels; only those of a valid book may be traded on.
    #[must_use]
    pub const fn book(&self) -> &L2Book {
        &self.book
    }

    /// Returns the state of the synchronisation.
    #[must_use]
    pub const fn state(&self) -> SyncState {
        self.sync.state()
    }

    /// Tells whether the book may be traded on.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.sync.is_valid()
    }

    /// Tells whether somebody has to fetch a snapshot.
    #[must_use]
    pub const fn needs_snapshot(&self) -> bool {
        self.sync.needs_snapshot()
    }

    /// Returns the update id the book stands at; 0 before the first snapshot.
    #[must_use]
    pub const fn applied_id(&self) -> u64 {
        self.sync.applied_id()
    }

    /// Returns what was counted so far.
    #[must_use]
    pub const fn counters(&self) -> BookCounters {
        self.sync.counters()
    }

    /// Takes a book message with its levels.
    pub fn on_update(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        if let Err(fault) = check_message(update, bids, asks) {
            return self.refuse(fault);
        }
        match update.kind {
            BookUpdateKind::Snapshot => self.on_snapshot(update, bids, asks),
            BookUpdateKind::Diff => self.on_diff(update, bids, asks),
        }
    }

    /// Takes a quote of the venue and compares it with the book when both stand at the same update id.
    ///
    /// A quote that is ahead is kept until the book has come so far.
    pub fn on_quote(&mut self, quote: &Quote) -> QuoteCheck {
        if quote.update_id == 0 {
            return QuoteCheck::NotCompared;
        }
        if self.is_valid() && quote.update_id == self.applied_id() {
            return match self.compare(quote) {
                Ok(()) => QuoteCheck::Equal,
                Err(fault) => QuoteCheck::BecameInvalid(fault),
            };
        }
        if !self.is_valid() || quote.update_id > self.applied_id() {
            self.quotes.push(*quote);
        }
        QuoteCheck::NotCompared
    }

    /// Takes the checksum that came with the message applied last and compares it with that of the book.
    pub fn on_checksum(&mut self, rule: &ChecksumRule, stated: u32) -> QuoteCheck {
        if !self.is_valid() {
            return QuoteCheck::NotCompared;
        }
        self.sync.counters.compared += 1;
        let found = rule.sum(&self.book);
        if found == stated {
            return QuoteCheck::Equal;
        }
        let fault = Fault::Checksum { stated, found };
        self.sync.counters.mismatches += 1;
        self.sync.invalidate(fault);
        QuoteCheck::BecameInvalid(fault)
    }

    /// Takes out the levels beyond the best `levels` a side, for venues that announce changes within so many.
    pub fn keep_best(&mut self, levels: usize) {
        self.book.keep_best(Side::Buy, levels);
        self.book.keep_best(Side::Sell, levels);
    }

    /// Takes note that the feed was lost or restarted: INVALID until the next snapshot.
    pub fn on_feed_lost(&mut self) -> BookChange {
        let was_valid = self.is_valid();
        self.sync.on_feed_lost();
        self.quotes.clear();
        if was_valid { BookChange::BecameInvalid(Fault::FeedLost) } else { BookChange::Ignored }
    }

    /// Appends the canonical state: levels, synchronisation, what is kept, and the counts.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.book.write_state(out);
        self.sync.write_state(out);
        self.quotes.write_state(out);
    }

    fn on_diff(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        let was_valid = self.is_valid();
        match self.sync.on_diff(update, bids, asks) {
            DiffVerdict::Apply => match self.apply(update, bids, asks) {
                Ok(()) => BookChange::Applied,
                Err(fault) => BookChange::BecameInvalid(fault),
            },
            DiffVerdict::Old => BookChange::Ignored,
            DiffVerdict::Buffered => BookChange::Buffered,
            DiffVerdict::Broken(fault) if was_valid => BookChange::BecameInvalid(fault),
            DiffVerdict::Broken(fault) => BookChange::Refused(fault),
        }
    }

    fn on_snapshot(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        let before = self.state();
        if !self.sync.takes_snapshot(update.last_id) {
            if !self.is_valid() {
                return BookChange::SnapshotTooOld;
            }
            self.sync.counters.ignored += 1;
            return BookChange::Ignored;
        }
        if let Err(fault) = self.rebuild(update, bids, asks) {
            return BookChange::BecameInvalid(fault);
        }
        match before {
            SyncState::Valid => return BookChange::Applied,
            SyncState::Invalid(_) => self.sync.counters.resyncs += 1,
            SyncState::Waiting => {}
        }
        BookChange::BecameValid
    }

    /// Replaces the book by a snapshot and catches up with the diffs kept.
    fn rebuild(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> Result<(), Fault> {
        self.sync.snapshot_applied(update.last_id);
        self.book.clear();
        let applied = self.book.apply(bids, asks);
        self.prove(applied)?;
        while let Some((update, bids, asks)) = self.sync.next_kept() {
            let applied = self.book.apply(bids, asks);
            self.sync.drop_kept();
            self.sync.applied(&update);
            self.prove(applied)?;
        }
        Ok(())
    }

    /// Applies the diff that is next.
    fn apply(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> Result<(), Fault> {
        let applied = self.book.apply(bids, asks);
        self.sync.applied(update);
        self.prove(applied)
    }

    /// Checks the book after a message: it was applied, is not crossed, and agrees with the quotes at its id.
    fn prove(&mut self, applied: Result<(), Fault>) -> Result<(), Fault> {
        let crossed =
            self.book.crossed().map(|(bid_ticks, ask_ticks)| Fault::Crossed { bid_ticks, ask_ticks });
        if let Some(fault) = applied.err().or(crossed) {
            self.sync.invalidate(fault);
            return Err(fault);
        }
        while let Some(quote) = self.quotes.take_at(self.sync.applied_id()) {
            self.compare(&quote)?;
        }
        Ok(())
    }

    fn compare(&mut self, quote: &Quote) -> Result<(), Fault> {
        self.sync.counters.compared += 1;
        if agree(quote, &self.book) {
            return Ok(());
        }
        let fault = Fault::QuoteMismatch { update_id: quote.update_id };
        self.sync.counters.mismatches += 1;
        self.sync.invalidate(fault);
        Err(fault)
    }

    fn refuse(&mut self, fault: Fault) -> BookChange {
        let was_valid = self.is_valid();
        self.sync.invalidate(fault);
        if was_valid { BookChange::BecameInvalid(fault) } else { BookChange::Refused(fault) }
    }
}

impl Depth for InstrumentBook {
    fn best_bid(&self) -> Option<Level> {
        self.book.best_bid()
    }

    fn best_ask(&self) -> Option<Level> {
        self.book.best_ask()
    }

    fn lots_at(&self, side: Side, price_ticks: i64) -> i64 {
        self.book.lots_at(side, price_ticks)
    }

    fn walk(&self, side: Side, visit: &mut dyn FnMut(Level) -> bool) {
        Depth::walk(&self.book, side, visit);
    }
}

/// Checks what a message says by itself: all its levels are there and each can be.
fn check_message(update: &BookUpdate, bids: &[Level], asks: &[Level]) -> Result<(), Fault> {
    let announced = u64::from(update.bids) + u64::from(update.asks);
    let found = u64::try_from(bids.len() + asks.len()).unwrap_or(u64::MAX);
    if u64::try_from(bids.len()) != Ok(u64::from(update.bids)) || found != announced {
        return Err(Fault::LevelsMissing { announced, found });
    }
    check_levels(bids)?;
    check_levels(asks)
}
