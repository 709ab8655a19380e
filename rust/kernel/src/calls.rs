//! Calls of strategies: what they want to hear, which are due, and how many there may be.

pub(crate) mod wake;

use std::collections::VecDeque;

use tradecore_types::{BookedRevision, StrategyId, TimeNs};

use crate::calls::wake::{Hearing, Wake};

/// Revisions that are kept for calls that are due; calls follow at once.
const REVISIONS_MAX: usize = 4_096;

/// How often a strategy was called at the last moment at which it was.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
struct Moment {
    time_ns: TimeNs,
    events: u64,
    calls: u32,
}

/// Calls of strategies.
///
/// **Invariant:** who is called is in the table of strategies. Between two events that were fed and at one time
/// there are so many calls of each, and no more: else it answers its own orders or timers for ever.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Calls {
    /// Those that are due, in order. None while a snapshot is made.
    #[serde(skip)]
    pub(crate) wakes: VecDeque<Wake>,
    /// What every strategy wants to be told about its orders.
    pub(crate) hearing: Vec<Hearing>,
    /// Trades that were told anew, the last ones: a call has the number of its own. They are larger than all else that a
    /// call can be about, and as rare.
    revisions: VecDeque<BookedRevision>,
    /// How many came before them.
    revisions_before: u64,
    max: u32,
    by_strategy: Vec<Moment>,
}

impl Calls {
    /// Allows `max` calls of each strategy.
    pub(crate) fn new(max: u32, strategies: usize) -> Self {
        let (hearing, by_strategy) =
            (vec![Hearing::default(); strategies], vec![Moment::default(); strategies]);
        let revisions = VecDeque::new();
        Self { wakes: VecDeque::new(), hearing, revisions, revisions_before: 0, max, by_strategy }
    }

    /// Keeps a revision for the call about it; returns its number.
    pub(crate) fn note_revision(&mut self, booked: BookedRevision) -> u64 {
        if self.revisions.len() == REVISIONS_MAX {
            self.revisions.pop_front();
            self.revisions_before += 1;
        }
        self.revisions.push_back(booked);
        self.revisions_before.saturating_add(u64::try_from(self.revisions.len()).unwrap_or(u64::MAX))
    }

    /// Returns a revision by its number, while it is kept.
    pub(crate) fn revision(&self, number: u64) -> Option<&BookedRevision> {
        let place = number.checked_sub(self.revisions_before)?.checked_sub(1)?;
        self.revisions.get(usize::try_from(place).ok()?)
    }

    /// Tells whether it is for as many strategies, which are to be told the same.
    pub(crate) fn is_for_those_of(&self, other: &Self) -> bool {
        self.hearing == other.hearing && self.by_strategy.len() == other.by_strategy.len()
    }

    /// Goes on as another left off; who is told what, and how often at most, stays as it is here.
    pub(crate) fn go_on_from(&mut self, other: Self) {
        let Self { wakes: _, hearing: _, revisions, revisions_before, max: _, by_strategy } = other;
        (self.revisions, self.revisions_before, self.by_strategy) =
            (revisions, revisions_before, by_strategy);
    }

    /// Returns how many calls are allowed.
    pub(crate) const fn max(&self) -> u32 {
        self.max
    }

    /// Tells whether what it promises holds.
    pub(crate) fn is_sound(&self) -> bool {
        let is_known = |wake: &Wake| wake.strategy.index() < self.by_strategy.len();
        self.hearing.len() == self.by_strategy.len() && self.wakes.iter().all(is_known)
    }

    /// Counts a call after so many events; `false` when it is one too many.
    pub(crate) fn count(&mut self, strategy: StrategyId, time_ns: TimeNs, events: u64) -> bool {
        let Some(moment) = self.by_strategy.get_mut(strategy.index()) else { return true };
        if (moment.time_ns, moment.events) != (time_ns, events) {
            *moment = Moment { time_ns, events, calls: 0 };
        }
        moment.calls = moment.calls.saturating_add(1);
        moment.calls <= self.max
    }

    /// Appends the canonical bytes of the state: the calls of the moment that `time_ns` and `events` are.
    pub(crate) fn write_state(&self, time_ns: TimeNs, events: u64, out: &mut Vec<u8>) {
        for moment in &self.by_strategy {
            let is_now = (moment.time_ns, moment.events) == (time_ns, events);
            out.extend_from_slice(&(if is_now { moment.calls } else { 0 }).to_le_bytes());
        }
    }
}
