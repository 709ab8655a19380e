//! Bounds how often a strategy is called before the engine comes any further.

pub(crate) mod wake;

use tradecore_types::{StrategyId, TimeNs};

/// How often a strategy was called at the last moment at which it was.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    time_ns: TimeNs,
    events: u64,
    calls: u32,
}

/// The calls of every strategy between two events that were fed and at one time: more than so many, and it
/// answers its own orders or timers for ever.
#[derive(Debug)]
pub(crate) struct Calls {
    max: u32,
    by_strategy: Vec<Moment>,
}

impl Calls {
    /// Allows `max` calls of each strategy.
    pub(crate) fn new(max: u32, strategies: usize) -> Self {
        Self { max, by_strategy: vec![Moment::default(); strategies] }
    }

    /// Returns how many calls are allowed.
    pub(crate) const fn max(&self) -> u32 {
        self.max
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
