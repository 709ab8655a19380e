//! The book of one instrument together with the proof that it is right.

use tradecore_types::{BookUpdate, BookUpdateKind, Level, Quote, Side};

use crate::l2::check_levels;
use crate::quotes::{RecentQuotes, agree};
use crate::{BookCounters, BookRules, BookSync, Depth, DiffOutcome, Fault, L2Book, SyncCapacity, SyncState};

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

/// What a quote said about the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuoteCheck {
    /// The book is not valid, or does not stand at the update id of the quote (yet).
    NotCompared,
    /// Best prices and sizes are equal.
    Equal,
    /// They differ: the book is INVALID.
    BecameInvalid(Fault),
}

/// An [`L2Book`] that knows whether it is the venue's.
///
/// **Invariant:** while [`InstrumentBook::is_valid`], every message since the snapshot was applied exactly
/// once and in order, the book is not crossed, it agreed with every quote at the same update id and had every
/// checksum that came with a message, and nobody called it stale since the last message. An INVALID book
/// keeps its last levels for people to look at; nobody may trade on them.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct InstrumentBook {
    rules: BookRules,
    sync: BookSync,
    book: L2Book,
    quotes: RecentQuotes,
    /// Whether no message came for too long; what was applied before is still right.
    is_stale: bool,
    /// How often no message came for longer than the book may go without one.
    stale: u64,
}

impl InstrumentBook {
    /// Makes an empty book that waits for a snapshot.
    #[must_use]
    pub fn new(rules: impl Into<BookRules>, capacity: SyncCapacity) -> Self {
        let rules = rules.into();
        Self {
            rules,
            sync: BookSync::new(rules.sequence, capacity),
            book: L2Book::default(),
            quotes: RecentQuotes::new(capacity.quotes),
            is_stale: false,
            stale: 0,
        }
    }

    /// Returns what it takes for the book to be right.
    #[must_use]
    pub const fn rules(&self) -> &BookRules {
        &self.rules
    }

    /// Returns the levels; only those of a valid book may be traded on.
    #[must_use]
    pub const fn book(&self) -> &L2Book {
        &self.book
    }

    /// Returns whether the book may be traded on, and if not, why.
    #[must_use]
    pub const fn state(&self) -> SyncState {
        match (self.sync.state(), self.rules.age_ns_max) {
            (SyncState::Valid, Some(age_ns_max)) if self.is_stale => {
                SyncState::Invalid(Fault::Stale { age_ns_max })
            }
            (state, _) => state,
        }
    }

    /// Tells whether the book may be traded on.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.sync.is_valid() && !self.is_stale
    }

    /// Tells whether somebody has to fetch a snapshot; a book that is only stale waits for any message.
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

    /// Returns how often the book became stale.
    #[must_use]
    pub const fn stale_count(&self) -> u64 {
        self.stale
    }

    /// Takes a book message with its levels.
    pub fn on_update(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        let change = self.on_message(update, bids, asks);
        if self.is_stale { self.end_silence(change) } else { change }
    }

    /// Takes note that no message came for too long: INVALID until the next message that proves it right.
    pub fn on_silence(&mut self) -> BookChange {
        let Some(age_ns_max) = self.rules.age_ns_max.filter(|_| self.is_valid()) else {
            return BookChange::Ignored;
        };
        self.is_stale = !tradecore_types::is_planted("old_book_stays_valid");
        self.stale += 1;
        self.sync.counters.faults += 1;
        BookChange::BecameInvalid(Fault::Stale { age_ns_max })
    }

    /// Takes a quote of the venue and compares it with the book when both stand at the same update id.
    ///
    /// A quote that is ahead is kept until the book has come so far.
    pub fn on_quote(&mut self, quote: &Quote) -> QuoteCheck {
        if quote.update_id == 0 {
            return QuoteCheck::NotCompared;
        }
        if self.sync.is_valid() && quote.update_id == self.applied_id() {
            return match self.compare(quote) {
                Ok(()) => QuoteCheck::Equal,
                Err(fault) => QuoteCheck::BecameInvalid(fault),
            };
        }
        if !self.sync.is_valid() || quote.update_id > self.applied_id() {
            self.quotes.push(*quote);
        }
        QuoteCheck::NotCompared
    }

    /// Takes note that the feed was lost or restarted: INVALID until the next snapshot.
    pub fn on_feed_lost(&mut self) -> BookChange {
        let was_valid = self.is_valid();
        self.sync.on_feed_lost();
        self.is_stale = false;
        self.quotes.clear();
        if was_valid { BookChange::BecameInvalid(Fault::FeedLost) } else { BookChange::Ignored }
    }

    /// Appends the canonical state: levels, synchronisation, what is kept, and the counts.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.book.write_state(out);
        self.sync.write_state(out);
        self.quotes.write_state(out);
        if self.rules.age_ns_max.is_some() {
            out.push(u8::from(self.is_stale));
            out.extend_from_slice(&self.stale.to_le_bytes());
        }
    }

    fn on_message(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        if let Err(fault) = check_message(update, bids, asks) {
            return self.refuse(fault);
        }
        match update.kind {
            BookUpdateKind::Snapshot => self.on_snapshot(update, bids, asks),
            BookUpdateKind::Diff => self.on_diff(update, bids, asks),
        }
    }

    /// Takes note that a message came after a silence: the book is valid again unless the message broke it.
    #[cold]
    fn end_silence(&mut self, change: BookChange) -> BookChange {
        self.is_stale = false;
        if !self.sync.is_valid() {
            return change;
        }
        self.sync.counters.resyncs += 1;
        BookChange::BecameValid
    }

    fn on_diff(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        let was_valid = self.sync.is_valid();
        match self.sync.on_diff(update, bids, asks) {
            DiffOutcome::Apply => match self.apply(update, bids, asks) {
                Ok(()) => BookChange::Applied,
                Err(fault) => BookChange::BecameInvalid(fault),
            },
            DiffOutcome::Old => BookChange::Ignored,
            DiffOutcome::Buffered => BookChange::Buffered,
            DiffOutcome::Broken(fault) if was_valid => BookChange::BecameInvalid(fault),
            DiffOutcome::Broken(fault) => BookChange::Refused(fault),
        }
    }

    fn on_snapshot(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> BookChange {
        let before = self.sync.state();
        if !self.sync.takes_snapshot(update.last_id) {
            if !self.sync.is_valid() {
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
        self.prove(applied, update)?;
        while let Some((update, bids, asks)) = self.sync.next_kept() {
            let applied = self.book.apply(bids, asks);
            self.sync.drop_kept();
            self.sync.applied(&update);
            self.prove(applied, &update)?;
        }
        Ok(())
    }

    /// Applies the diff that is next.
    fn apply(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> Result<(), Fault> {
        let applied = self.book.apply(bids, asks);
        self.sync.applied(update);
        self.prove(applied, update)
    }

    /// Checks the book after a message: it was applied, is not crossed, has the checksum that the message
    /// states, and agrees with the quotes at its id.
    fn prove(&mut self, applied: Result<(), Fault>, update: &BookUpdate) -> Result<(), Fault> {
        let crossed =
            self.book.crossed().map(|(bid_ticks, ask_ticks)| Fault::Crossed { bid_ticks, ask_ticks });
        if let Some(fault) = applied.err().or(crossed) {
            self.sync.invalidate(fault);
            return Err(fault);
        }
        if let Some(levels) = self.rules.levels_max {
            self.book.keep_best(Side::Buy, levels);
            self.book.keep_best(Side::Sell, levels);
        }
        if let Some(stated) = update.checksum {
            self.compare_checksum(stated)?;
        }
        while let Some(quote) = self.quotes.take_at(self.sync.applied_id()) {
            self.compare(&quote)?;
        }
        Ok(())
    }

    /// Compares the checksum that came with a message with that of the book.
    fn compare_checksum(&mut self, stated: u32) -> Result<(), Fault> {
        let Some(rule) = &self.rules.checksum else { return Ok(()) };
        self.sync.counters.compared += 1;
        let found = rule.sum(&self.book);
        if found == stated || tradecore_types::is_planted("checksum_not_compared") {
            return Ok(());
        }
        let fault = Fault::Checksum { stated, found };
        self.sync.counters.mismatches += 1;
        self.sync.invalidate(fault);
        Err(fault)
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
        let was_valid = self.sync.is_valid();
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
