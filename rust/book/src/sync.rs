//! Decides from update ids alone whether a book is provably the venue's.

use tradecore_types::{BookUpdate, Level};

use crate::backlog::Backlog;
use crate::rule::{Bridge, SequenceRule};
use crate::{BookCounters, Fault};

/// Whether a book may be traded on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SyncState {
    /// There was no snapshot yet.
    Waiting,
    /// The book is the venue's, as of the last message.
    Valid,
    /// The book is not provably right, and why.
    Invalid(Fault),
}

/// How much a book remembers while it is not valid; all of it is allocated at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncCapacity {
    /// Diffs kept for the next snapshot.
    pub updates: usize,
    /// How many levels those diffs may have together.
    pub levels: usize,
    /// Quotes kept until the book has reached their update id.
    pub quotes: usize,
}

impl Default for SyncCapacity {
    fn default() -> Self {
        Self { updates: 4096, levels: 65_536, quotes: 1024 }
    }
}

/// What is to be done with a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffOutcome {
    /// It is the next one: apply it.
    Apply,
    /// The snapshot has all of it: leave it out.
    Old,
    /// There is no valid book: it was kept for the next snapshot.
    Buffered,
    /// It breaks the chain: a book that was valid is INVALID from this message on.
    Broken(Fault),
}

/// The synchronisation of one book: a state machine without a book, a socket or a clock.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct BookSync {
    rule: SequenceRule,
    state: SyncState,
    /// Id the book stands at.
    applied_id: u64,
    /// Whether a diff has joined the snapshot; before that, older ones are left out.
    joined: bool,
    /// Last id of the last diff seen, applied or not; the stream itself has no holes either.
    stream_id: Option<u64>,
    backlog: Backlog,
    pub(crate) counters: BookCounters,
}

impl BookSync {
    /// Starts without a snapshot: diffs are kept until one comes that they join.
    #[must_use]
    pub fn new(rule: SequenceRule, capacity: SyncCapacity) -> Self {
        Self {
            rule,
            state: SyncState::Waiting,
            applied_id: 0,
            joined: false,
            stream_id: None,
            backlog: Backlog::new(capacity.updates, capacity.levels),
            counters: BookCounters::default(),
        }
    }

    /// Returns whether the book is proven right, waits for a snapshot, or is wrong and why.
    #[must_use]
    pub const fn state(&self) -> SyncState {
        self.state
    }

    /// Tells whether the book may be traded on.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        matches!(self.state, SyncState::Valid)
    }

    /// Tells whether somebody has to fetch a snapshot.
    #[must_use]
    pub const fn needs_snapshot(&self) -> bool {
        !self.is_valid()
    }

    /// Returns the update id the book stands at; 0 before the first snapshot.
    #[must_use]
    pub const fn applied_id(&self) -> u64 {
        self.applied_id
    }

    /// Returns what was counted so far.
    #[must_use]
    pub const fn counters(&self) -> BookCounters {
        self.counters
    }

    /// Takes note of a diff and says what is to be done with it; when it is applied, [`BookSync::applied`] follows.
    pub fn on_diff(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> DiffOutcome {
        if let Err(fault) = self.rule.check_range(update) {
            self.invalidate(fault);
            return DiffOutcome::Broken(fault);
        }
        if !self.is_valid() {
            return self.before_snapshot(update, bids, asks);
        }
        match self.relate(update) {
            Ok(true) => DiffOutcome::Apply,
            Ok(false) => {
                self.stream_id = Some(update.last_id);
                self.counters.ignored += 1;
                DiffOutcome::Old
            }
            Err(fault) => {
                self.invalidate(fault);
                self.keep(update, bids, asks);
                DiffOutcome::Broken(fault)
            }
        }
    }

    /// Takes note that the diff was applied to the book.
    pub fn applied(&mut self, update: &BookUpdate) {
        self.applied_id = update.last_id;
        self.stream_id = Some(update.last_id);
        self.joined = true;
        self.counters.applied += 1;
    }

    /// Tells whether a snapshot can be used: it is not older than the book, and the diffs kept lead on from it.
    pub fn takes_snapshot(&mut self, snapshot_id: u64) -> bool {
        if self.rule == SequenceRule::None {
            return true;
        }
        if self.is_valid() {
            snapshot_id >= self.applied_id
        } else {
            self.backlog.leads_on_from(self.rule, snapshot_id)
        }
    }

    /// Takes note that a snapshot was applied; the diffs kept come next, through [`BookSync::next_kept`].
    pub fn snapshot_applied(&mut self, snapshot_id: u64) {
        self.state = SyncState::Valid;
        self.applied_id = snapshot_id;
        self.joined = false;
        self.counters.snapshots += 1;
    }

    /// Returns the next diff kept that follows the snapshot; [`BookSync::drop_kept`] makes way for the one after.
    pub fn next_kept(&mut self) -> Option<(BookUpdate, &[Level], &[Level])> {
        while !self.joined {
            let (update, ..) = self.backlog.front()?;
            if self.rule.bridge(self.applied_id, &update) != Bridge::Old {
                break;
            }
            self.backlog.pop();
            self.counters.ignored += 1;
        }
        self.backlog.front()
    }

    /// Forgets the diff that [`BookSync::next_kept`] returned.
    pub fn drop_kept(&mut self) {
        self.backlog.pop();
    }

    /// Declares the book INVALID; the first reason stays until it is valid again.
    pub fn invalidate(&mut self, fault: Fault) {
        // The message at fault may be missing from what is kept: the next one cannot be held against it.
        self.stream_id = None;
        if self.is_valid() {
            self.state = SyncState::Invalid(fault);
            self.counters.faults += 1;
            self.counters.gaps += u64::from(fault.is_gap());
        }
    }

    /// Takes note that the feed was lost: what was kept belongs to a stream that has ended.
    pub fn on_feed_lost(&mut self) {
        self.invalidate(Fault::FeedLost);
        self.backlog.clear();
    }

    /// Appends the state as canonical bytes: equal states have equal bytes.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        let (code, (first, second)) = match self.state {
            SyncState::Waiting => (0, (0, 0)),
            SyncState::Valid => (u8::MAX, (0, 0)),
            SyncState::Invalid(fault) => (fault.code(), fault.values()),
        };
        out.push(code);
        out.extend_from_slice(&first.to_le_bytes());
        out.extend_from_slice(&second.to_le_bytes());
        out.extend_from_slice(&self.applied_id.to_le_bytes());
        out.extend_from_slice(&[u8::from(self.joined), u8::from(self.stream_id.is_some())]);
        out.extend_from_slice(&self.stream_id.unwrap_or(0).to_le_bytes());
        self.counters.write_state(out);
        self.backlog.write_state(out);
    }

    /// Checks a diff of a valid book: is it the next one (`true`), or one that the snapshot has?
    fn relate(&self, update: &BookUpdate) -> Result<bool, Fault> {
        if self.joined {
            return self.rule.check_follows(self.applied_id, update).map(|()| true);
        }
        if let Some(stream_id) = self.stream_id {
            self.rule.check_follows(stream_id, update)?;
        }
        match self.rule.bridge(self.applied_id, update) {
            Bridge::Joins => Ok(true),
            Bridge::Old => Ok(false),
            Bridge::Gap(fault) => Err(fault),
        }
    }

    /// Keeps a diff that has no book to stand on; without ids it could never be placed.
    fn before_snapshot(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) -> DiffOutcome {
        if self.rule == SequenceRule::None {
            self.counters.ignored += 1;
            return DiffOutcome::Old;
        }
        self.keep(update, bids, asks);
        DiffOutcome::Buffered
    }

    /// Keeps a diff for the next snapshot.
    fn keep(&mut self, update: &BookUpdate, bids: &[Level], asks: &[Level]) {
        self.stream_id = Some(update.last_id);
        self.counters.buffered += 1;
        self.counters.overflowed += self.backlog.push(update, bids, asks);
    }
}
