//! The loop of the engine: what comes next, and what follows from it.
//!
//! The engine makes one *step* after another, and a step handles one thing. There are two places from which things
//! come: the *input* holds the events that were fed, and the *schedule* holds what the engine made itself and what is
//! to happen later (reports, arrivals at the venue, ends of orders and of bars, timers). A step chooses between them:
//!
//! 1. What the schedule has for now comes first.
//! 2. Else the first event of the input says how far time goes on. Without one the engine stops: nothing later than
//!    now is certain, because an earlier event may still be fed.
//! 3. What the schedule has for the time up to that event comes before it, each at its own time.
//! 4. Then it is the turn of the event.
//!
//! So with an event of 100 in the input and a report planned for 90, the report is handled first, at 90; with a report
//! planned for 100 it still is, because the engine's own events come first at equal times. A report planned for 101
//! waits until an event of 101 or later is fed. This is why it does not matter in which batches events are fed.

use tradecore_types::{Event, EventBody, InstrumentId, TimeNs};

use crate::calls::wake::{Wake, WakeBody};
use crate::input::Head;
use crate::markets::Markets;
use crate::outgoing::schedule::{Due, End};
use crate::{Kernel, KernelError};

/// Why [`Kernel::advance`] came back, and with that what its caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// A strategy is to be called.
    Wake(Wake),
    /// Everything fed is consumed, and nothing later is certain.
    Idle,
    /// The budget of steps is used up and there is more to do.
    Working,
}

impl Kernel {
    /// Consumes events until a strategy is to be called, everything is consumed or `steps_max` steps were made.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when a promise is broken; the kernel must not be used any further.
    pub fn advance(&mut self, steps_max: usize) -> Result<Advance, KernelError> {
        for _ in 0..steps_max {
            if let Some(wake) = self.next_wake()? {
                return Ok(Advance::Wake(wake));
            }
            if !self.step()? {
                return Ok(Advance::Idle);
            }
        }
        Ok(self.next_wake()?.map_or(Advance::Working, Advance::Wake))
    }

    /// Takes the next call out of the queue, unless its strategy was called too often with nothing new.
    fn next_wake(&mut self) -> Result<Option<Wake>, KernelError> {
        let Some(wake) = self.calls.wakes.pop_front() else { return Ok(None) };
        if self.calls.count(wake.strategy, self.now_ns, self.books.counters.events) {
            return Ok(Some(wake));
        }
        let (strategy, time_ns, calls_max) = (wake.strategy, self.now_ns, self.calls.max());
        Err(KernelError::Runaway { strategy, time_ns, calls_max })
    }

    /// Handles what comes next, as the module says in four rules; `false` when there is nothing.
    fn step(&mut self) -> Result<bool, KernelError> {
        // Most steps of an order end here: what is due now needs no look at the input.
        if let Some(scheduled) = self.outgoing.schedule.due(self.now_ns) {
            return self.step_on_schedule(scheduled);
        }
        let Some(head) = self.first_of_input() else { return Ok(false) };
        // An event that was fed late has an earlier time than now, and time never goes back.
        let certain_ns = head.time_ns().max(self.now_ns);
        if let Some(scheduled) = self.outgoing.schedule.due(certain_ns) {
            return self.step_on_schedule(scheduled);
        }
        self.set_now(certain_ns)?;
        match head {
            Head::BarOpen { source, .. } => self.handle_bar_open(source)?,
            Head::Whole { source, .. } => self.handle_event(source)?,
        }
        self.after_step()
    }

    /// Handles what the schedule has, at the time for which it is planned.
    #[inline]
    fn step_on_schedule(&mut self, (time_ns, due): (TimeNs, Due)) -> Result<bool, KernelError> {
        self.set_now(time_ns)?;
        self.handle_due(due)?;
        self.after_step()
    }

    /// Returns what comes next from the input.
    ///
    /// A bar that is fed was open before it closed. Where an order can fill at its opening, that is an event of its own
    /// and comes at its own time. Without an open order there is none at a venue either, and nobody need look.
    #[inline]
    fn first_of_input(&self) -> Option<Head> {
        let may_fill_at_open =
            self.config.venue.matching.traits().fills_at_open && !self.books.orders.is_empty();
        if !may_fill_at_open {
            return self.input.first();
        }
        let markets = &self.markets;
        self.input.head(|event| opens_apart(markets, event))
    }

    /// Looks at what any step can bring about: margin that is used up, and limits that halt trading. Says that there
    /// may be more to do.
    #[inline]
    fn after_step(&mut self) -> Result<bool, KernelError> {
        debug_assert!(self.are_parts_sound());
        if self.has_margin || self.books.scopes.is_on() {
            self.enforce_limits()?;
        }
        Ok(true)
    }

    /// Tells whether every part keeps what it promises.
    fn are_parts_sound(&self) -> bool {
        self.markets.is_sound() && self.outgoing.is_sound() && self.calls.is_sound() && self.input.is_sound()
    }

    /// Closes by force what has lost its margin, and withdraws the orders of what was halted.
    #[inline(never)]
    fn enforce_limits(&mut self) -> Result<(), KernelError> {
        if self.has_margin {
            self.enforce_margin()?;
        }
        if self.books.scopes.is_on() {
            self.withdraw_halted()?;
        }
        Ok(())
    }

    /// Takes the first of a kind out of the schedule and handles it.
    #[inline]
    fn handle_due(&mut self, due: Due) -> Result<(), KernelError> {
        match due {
            Due::Report => match self.outgoing.schedule.take_report() {
                Some((_, delivery)) => {
                    if self.outgoing.watched.is_empty() {
                        self.apply_report(delivery.instrument, &delivery.report)?;
                    } else {
                        self.apply_watched(delivery.instrument, &delivery.report)?;
                    }
                    self.follow_reports()
                }
                None => Ok(()),
            },
            Due::Arrival => match self.outgoing.schedule.take_arrival() {
                Some((_, request)) => self.arrive(&request),
                None => Ok(()),
            },
            Due::Expiry => self.expire_next(),
            Due::End => self.end_span(),
            Due::Timer => {
                self.ring_timer();
                Ok(())
            }
        }
    }

    /// Ends a span of time: a bar that is built here closes, or a book has had no message for too long.
    fn end_span(&mut self) -> Result<(), KernelError> {
        match self.outgoing.schedule.take_end() {
            Some(End::Bar { series }) => self.close_time_bars(series),
            Some(End::Merged { series }) => {
                self.close_merged_bar(series);
                // Others that have ended by now close with it, so that a strategy sees all of one moment.
                self.close_merged();
            }
            Some(End::BookAge { instrument }) => return self.on_book_age(instrument),
            None => {}
        }
        Ok(())
    }

    /// Queues the call for which a strategy set a timer. A timer is about no instrument, so its call names the first.
    fn ring_timer(&mut self) {
        if let Some(timer) = self.outgoing.schedule.take_timer() {
            let body = WakeBody::Timer { timer_id: timer.number };
            self.wake(timer.strategy, InstrumentId(0), body);
        }
    }
}

/// Tells whether the opening of a bar can fill an order before the rest of the bar is looked at.
fn opens_apart(markets: &Markets, event: &Event) -> bool {
    matches!(event.body, EventBody::Bar(_))
        && markets.get(event.instrument.index()).is_some_and(|market| market.venue.waits_for_open())
}
