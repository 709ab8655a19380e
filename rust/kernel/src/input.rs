//! Fed events, merged over their sources by (time, source number, order of arrival).
//!
//! **Invariant:** each event is handed out once, and the times of one source never fall.

pub(crate) mod tournament;

use std::collections::VecDeque;
use std::sync::Arc;

use tradecore_types::{Event, EventBatch, EventBody, Funding, TimeNs, ValueError};

use crate::input::tournament::Tournament;

/// Sources there can be: a number beyond is a mistake, and room is made for every number below.
const SOURCES_MAX: usize = 4_096;

/// Batches of one source.
#[derive(Debug, Default)]
struct Source {
    /// The batch that is partly consumed: here, and not in a queue, so that its events are one step away.
    front: Arc<EventBatch>,
    /// Batches after it; none while it is used up.
    later: VecDeque<Arc<EventBatch>>,
    /// Index of the next event in the front batch.
    cursor: usize,
    /// Time of the last event fed.
    last_time_ns: Option<TimeNs>,
    /// Whether the opening of the bar at the cursor was already handed out.
    is_bar_opened: bool,
}

impl Source {
    /// Returns the next event.
    fn next(&self) -> Option<&Event> {
        self.front.events.get(self.cursor)
    }
}

/// What comes next from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The opening of the bar that the next event holds.
    BarOpen {
        /// When the bar opens, in UTC nanoseconds.
        time_ns: TimeNs,
        /// Number of the source that the event came from.
        source: usize,
    },
    /// The next event itself, all of it at once.
    Whole {
        /// When it happens, in UTC nanoseconds.
        time_ns: TimeNs,
        /// Number of the source that the event came from.
        source: usize,
    },
}

impl Head {
    /// Returns when it happens.
    pub(crate) const fn time_ns(self) -> TimeNs {
        match self {
            Self::BarOpen { time_ns, .. } | Self::Whole { time_ns, .. } => time_ns,
        }
    }
}

/// Every event fed and not yet consumed. Batches are shared with whoever fed them: they are read and never
/// changed here, and let go of as soon as they are used up.
#[derive(Debug, Default)]
pub(crate) struct Input {
    sources: Vec<Source>,
    /// When the next event of every source is.
    next: Tournament,
    /// What stands in the place of a batch that is used up.
    empty: Arc<EventBatch>,
}

impl Input {
    /// Tells whether what it promises holds: no source has handed out more than it was given.
    pub(crate) fn is_sound(&self) -> bool {
        self.sources.iter().all(|source| source.cursor <= source.front.events.len())
    }

    /// Queues a batch of a source.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a time falls, a size is negative or there cannot be so many sources; nothing
    /// of the batch is queued then.
    pub(crate) fn feed(&mut self, source: usize, batch: Arc<EventBatch>) -> Result<(), ValueError> {
        if source >= SOURCES_MAX {
            return Err(ValueError::new("source", source, format!("must be below {SOURCES_MAX}")));
        }
        if self.sources.len() <= source {
            self.sources.resize_with(source + 1, Source::default);
            self.next.make_room(source + 1);
        }
        let Some(queue) = self.sources.get_mut(source) else { return Ok(()) };
        let mut last = queue.last_time_ns.unwrap_or(TimeNs::MIN);
        for (at, event) in batch.events.iter().enumerate() {
            if event.time_ns < last {
                return Err(falling_time(event.time_ns, last, at));
            }
            check_body(event)?;
            last = event.time_ns;
        }
        if !batch.events.is_empty() {
            queue.last_time_ns = Some(last);
            if queue.next().is_some() {
                queue.later.push_back(batch);
            } else {
                self.next.set(source, batch.events.first().map(|first| first.time_ns));
                (queue.front, queue.cursor) = (batch, 0);
            }
        }
        Ok(())
    }

    /// Tells whether everything that was fed is consumed.
    pub(crate) fn is_drained(&self) -> bool {
        self.sources.iter().all(|source| source.next().is_none() && !source.is_bar_opened)
    }

    /// Returns until when each source was fed.
    pub(crate) fn fed_until_ns(&self) -> Vec<Option<TimeNs>> {
        self.sources.iter().map(|source| source.last_time_ns).collect()
    }

    /// Goes on as if each source had been fed until then, and all of it were consumed.
    pub(crate) fn go_on_after(&mut self, fed_until_ns: &[Option<TimeNs>]) {
        let source = |&last_time_ns: &Option<TimeNs>| Source { last_time_ns, ..Source::default() };
        self.sources = fed_until_ns.iter().take(SOURCES_MAX).map(source).collect();
        self.next.make_room(self.sources.len());
    }

    /// Tells whether nothing was ever fed.
    pub(crate) fn is_untouched(&self) -> bool {
        self.sources.iter().all(|source| source.last_time_ns.is_none())
    }

    /// Returns what comes next when no opening of a bar comes apart; takes the same time for any number of
    /// sources.
    pub(crate) fn first(&self) -> Option<Head> {
        self.next.first().map(|(time_ns, source)| Head::Whole { time_ns, source })
    }

    /// Returns what comes next; `splits` says for an event whether the opening of its bar comes apart. Looks
    /// at every source. Of one moment the bars that close come before the ones that open: what is bought at
    /// an open is no part of what another instrument's close values.
    pub(crate) fn head(&self, splits: impl Fn(&Event) -> bool) -> Option<Head> {
        let mut best: Option<Head> = None;
        for (source, queue) in self.sources.iter().enumerate() {
            let Some(event) = queue.next() else { continue };
            let head = match event.body {
                EventBody::Bar(bar) if !queue.is_bar_opened && splits(event) => {
                    Head::BarOpen { time_ns: bar.open_time_ns, source }
                }
                _ => Head::Whole { time_ns: event.time_ns, source },
            };
            let closes_first = |known: Head| {
                matches!(known, Head::BarOpen { .. })
                    && matches!(head, Head::Whole { .. })
                    && matches!(event.body, EventBody::Bar(_))
                    && head.time_ns() == known.time_ns()
            };
            if best.is_none_or(|known| head.time_ns() < known.time_ns() || closes_first(known)) {
                best = Some(head);
            }
        }
        best
    }

    /// Returns the next event of a source together with the batch that holds its levels.
    pub(crate) fn peek(&self, source: usize) -> Option<(Event, &EventBatch)> {
        let queue = self.sources.get(source)?;
        queue.next().map(|event| (*event, queue.front.as_ref()))
    }

    /// Notes that the opening of the bar at the head of a source was handed out.
    pub(crate) fn open_bar(&mut self, source: usize) {
        if let Some(queue) = self.sources.get_mut(source) {
            queue.is_bar_opened = true;
        }
    }

    /// Tells whether the opening of the bar at the head of a source was handed out.
    pub(crate) fn is_bar_opened(&self, source: usize) -> bool {
        self.sources.get(source).is_some_and(|queue| queue.is_bar_opened)
    }

    /// Leaves the next event of a source behind, which was the next of all.
    pub(crate) fn consume(&mut self, source: usize) {
        let Some(queue) = self.sources.get_mut(source) else { return };
        queue.cursor += 1;
        queue.is_bar_opened = false;
        let mut next_ns = queue.next().map(|event| event.time_ns);
        if next_ns.is_none() {
            queue.cursor = 0;
            queue.front = queue.later.pop_front().unwrap_or_else(|| Arc::clone(&self.empty));
            next_ns = queue.next().map(|event| event.time_ns);
        }
        self.next.set(source, next_ns);
    }
}

/// Returns the error of an event, number `at` of its batch, that is earlier than the one before it.
#[cold]
fn falling_time(time_ns: TimeNs, last_ns: TimeNs, at: usize) -> ValueError {
    let by_ns = last_ns.saturating_sub(time_ns);
    let rule = format!("times must not fall; the event before it is {by_ns} ns later");
    let advice = "that one was fed before: clear() a batch before it is filled again";
    ValueError::new("time_ns", time_ns, if at == 0 { format!("{rule}; {advice}") } else { rule })
}

/// Checks what an event says by itself. Prices are free: a spread may trade at or below 0.
fn check_body(event: &Event) -> Result<(), ValueError> {
    let sizes = match event.body {
        EventBody::Bar(bar) if bar.open_time_ns > event.time_ns => {
            let by_ns = bar.open_time_ns.saturating_sub(event.time_ns);
            let rule = format!("a bar must not open after its close, which is {by_ns} ns before it");
            return Err(ValueError::new("open_time_ns", bar.open_time_ns, rule));
        }
        EventBody::Bar(bar) => [bar.volume_lots, 0],
        EventBody::Quote(quote) => [quote.bid_lots, quote.ask_lots],
        EventBody::Trade(trade) => [trade.lots, 0],
        EventBody::Mark(mark) if mark.price_ticks <= 0 => {
            return Err(ValueError::new("price_ticks", mark.price_ticks, "a mark price must be above 0"));
        }
        EventBody::Funding(funding) => return check_funding(&funding),
        _ => return Ok(()),
    };
    match sizes.into_iter().find(|&lots| lots < 0) {
        Some(lots) => Err(ValueError::new("lots", lots, "a size of market data must not be negative")),
        None => Ok(()),
    }
}

/// Checks a funding: at most the whole notional is paid, at a price that can be.
fn check_funding(funding: &Funding) -> Result<(), ValueError> {
    if funding.rate_ppb.unsigned_abs() > 1_000_000_000 {
        return Err(ValueError::new("rate_ppb", funding.rate_ppb, "must be within -10^9 and 10^9"));
    }
    if let Some(mark_ticks) = funding.mark_ticks.filter(|&ticks| ticks <= 0) {
        return Err(ValueError::new("mark_ticks", mark_ticks, "must be above 0, or 0 for the known one"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tradecore_types::{Bar, InstrumentId, Mark, Quote, Side, Trade};

    use super::*;

    fn batch(times: &[TimeNs]) -> EventBatch {
        let event = |&time_ns| Event { time_ns, instrument: InstrumentId(0), body: EventBody::Clock };
        EventBatch { events: times.iter().map(event).collect(), ..EventBatch::default() }
    }

    const CLOSE_NS: TimeNs = 60;

    fn bar(open_time_ns: TimeNs, volume_lots: i64) -> EventBody {
        let (open_ticks, high_ticks, low_ticks, close_ticks) = (-4, -1, -9, -2);
        EventBody::Bar(Bar { open_time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots })
    }

    fn quote(bid_lots: i64, ask_lots: i64) -> EventBody {
        EventBody::Quote(Quote { bid_ticks: -1, bid_lots, ask_ticks: 0, ask_lots, update_id: 0 })
    }

    fn trade(lots: i64) -> EventBody {
        EventBody::Trade(Trade { price_ticks: 0, lots, aggressor: Side::Buy, trade_id: 0 })
    }

    fn funding(rate_ppb: i64, mark_ticks: Option<i64>) -> EventBody {
        EventBody::Funding(Funding { rate_ppb, mark_ticks })
    }

    /// What one event says is taken up to the last value that its rule allows, and refused from the next one on.
    #[test]
    fn each_value_of_an_event_is_checked_at_the_edge_of_its_rule() {
        let mark = |price_ticks| EventBody::Mark(Mark { price_ticks });
        let size = "a size of market data must not be negative";
        let rate = "must be within -10^9 and 10^9";
        let after = "a bar must not open after its close, which is 1 ns before it";
        let cases = [
            (bar(CLOSE_NS, 0), bar(CLOSE_NS + 1, 0), "open_time_ns", after),
            (bar(0, 0), bar(0, -1), "lots", size),
            (quote(0, 0), quote(-1, 0), "lots", size),
            (quote(0, 0), quote(0, -1), "lots", size),
            (trade(0), trade(-1), "lots", size),
            (mark(1), mark(0), "price_ticks", "a mark price must be above 0"),
            (funding(1_000_000_000, None), funding(1_000_000_001, None), "rate_ppb", rate),
            (funding(-1_000_000_000, None), funding(-1_000_000_001, None), "rate_ppb", rate),
            (
                funding(0, Some(1)),
                funding(0, Some(0)),
                "mark_ticks",
                "must be above 0, or 0 for the known one",
            ),
        ];
        for (good, bad, field, rule) in cases {
            let event = |body| Event { time_ns: CLOSE_NS, instrument: InstrumentId(0), body };
            assert_eq!(check_body(&event(good)), Ok(()));
            let refused = check_body(&event(bad)).unwrap_err();
            assert_eq!((refused.field, refused.rule.as_str()), (field, rule));
        }
    }

    proptest! {
        /// What comes first is what a look at every source finds, whenever and in whatever parts they are fed.
        #[test]
        fn the_first_is_the_earliest_of_all_sources(
            steps in prop::collection::vec((0..6usize, prop::collection::vec(0..4i64, 0..5), 0..6usize), 1..30),
        ) {
            let mut input = Input::default();
            let mut clocks = [0; 6];
            for (source, gaps, consumed) in steps {
                let mut times = Vec::new();
                for gap in gaps {
                    clocks[source] += gap;
                    times.push(clocks[source]);
                }
                input.feed(source, batch(&times).into()).unwrap();
                for _ in 0..consumed {
                    let head = input.first();
                    prop_assert_eq!(head, input.head(|_| true));
                    let Some(Head::Whole { source, .. }) = head else { break };
                    input.consume(source);
                }
            }
        }
    }
}
