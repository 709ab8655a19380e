//! The loop of the engine: what comes next, and what follows from every step.

use tradecore_types::{Event, EventBody, InstrumentId};

use crate::calls::wake::{Wake, WakeBody};
use crate::input::Head;
use crate::markets::market::Market;
use crate::outgoing::schedule::{Due, End};
use crate::{Kernel, KernelError};

/// Why [`Kernel::advance`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// A strategy is to be called.
    Wake(Wake),
    /// Everything fed is consumed.
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
        let Some(wake) = self.wakes.pop_front() else { return Ok(None) };
        if self.calls.count(wake.strategy, self.now_ns, self.books.counters.events) {
            return Ok(Some(wake));
        }
        let (strategy, time_ns, calls_max) = (wake.strategy, self.now_ns, self.calls.max());
        Err(KernelError::Runaway { strategy, time_ns, calls_max })
    }

    /// Handles what comes next; `false` when there is nothing.
    fn step(&mut self) -> Result<bool, KernelError> {
        // What is due now comes before whatever is fed: most steps of an order need no look at the input.
        if let Some((time_ns, due)) = self.schedule.due(self.now_ns) {
            self.set_now(time_ns)?;
            self.handle_due(due)?;
            return self.after_step();
        }
        let markets = &self.markets;
        // Without an open order no venue has one either, and no bar opens apart.
        let head = if self.config.venue.matching.traits().fills_at_open && !self.books.orders.is_empty() {
            self.input.head(|event| opens_apart(markets, event))
        } else {
            self.input.first()
        };
        // Without input nothing later than now is certain: an earlier event may still be fed.
        let Some(head) = head else { return Ok(false) };
        let certain_ns = head.time_ns().max(self.now_ns);
        if let Some((time_ns, due)) = self.schedule.due(certain_ns) {
            self.set_now(time_ns)?;
            self.handle_due(due)?;
            return self.after_step();
        }
        self.set_now(certain_ns)?;
        match head {
            Head::BarOpen { source, .. } => self.handle_bar_open(source)?,
            Head::Whole { source, .. } => self.handle_event(source)?,
        }
        self.after_step()
    }

    /// Looks at what every step can bring about.
    #[inline]
    fn after_step(&mut self) -> Result<bool, KernelError> {
        if self.has_margin || self.books.scopes.is_on() {
            self.enforce_limits()?;
        }
        Ok(true)
    }

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

    #[inline]
    fn handle_due(&mut self, due: Due) -> Result<(), KernelError> {
        match due {
            Due::Report => match self.schedule.take_report() {
                Some((_, delivery)) => {
                    self.apply_report(delivery.instrument, &delivery.report)?;
                    self.follow_reports()
                }
                None => Ok(()),
            },
            Due::Arrival => match self.schedule.take_arrival() {
                Some((_, request)) => self.arrive(&request),
                None => Ok(()),
            },
            Due::Expiry | Due::End | Due::Timer => self.handle_plan(due),
        }
    }

    /// Handles what was planned: the end of an order, the end of a span or a timer.
    fn handle_plan(&mut self, due: Due) -> Result<(), KernelError> {
        match due {
            Due::Report | Due::Arrival => Ok(()),
            Due::Expiry => self.expire_next(),
            Due::End => match self.schedule.take_end() {
                Some(End::Bar { series }) => {
                    self.close_time_bars(series);
                    Ok(())
                }
                Some(End::Merged { series }) => {
                    self.close_merged_bar(series);
                    self.close_merged();
                    Ok(())
                }
                Some(End::BookAge { instrument }) => self.on_book_age(instrument),
                None => Ok(()),
            },
            Due::Timer => {
                if let Some(timer) = self.schedule.take_timer() {
                    let body = WakeBody::Timer { timer_id: timer.number };
                    self.wake(timer.strategy, InstrumentId(0), body);
                }
                Ok(())
            }
        }
    }
}

/// Tells whether the opening of a bar can fill an order before the rest of the bar is looked at.
fn opens_apart(markets: &[Market], event: &Event) -> bool {
    matches!(event.body, EventBody::Bar(_))
        && markets.get(event.instrument.index()).is_some_and(|market| market.venue.waits_for_open())
}
