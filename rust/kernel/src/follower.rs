//! An account as the records of a journal say it, whatever strategies and whatever behaviour wrote them.

use std::collections::{BTreeMap, VecDeque};

use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_types::{
    CashFlow, CommandKind, Event, EventBatch, EventBody, Opening, OrderId, OrderIntent, Report, ReportBody,
    Size, ValueError,
};

use crate::books::{Booking, fill_of};
use crate::{Advance, Destination, Kernel, KernelConfig, KernelError};

/// Orders that have ended and are remembered.
const ENDED_MAX: usize = 1_024;

/// An order that the records leave open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FollowedOrder {
    /// The order as risk approved it.
    pub intent: OrderIntent,
    /// What is still open of it; `None` for a share of equity that has no size yet.
    pub open_lots: Option<i64>,
    has_filled: bool,
}

/// Follows a journal record by record: market events go through an engine without strategies, so that prices and
/// limits are known; what the engine of then made of them is booked as it was recorded.
///
/// **Invariant:** cash, positions, lots and cash flows are those of the records, to the last unit, and no order is
/// ever made. What loss limits count from is worked out again from fills and prices.
pub struct Follower {
    kernel: Kernel,
    open: BTreeMap<OrderId, FollowedOrder>,
    /// Orders that have ended, the oldest first: a venue outside may tell of a fill later.
    ended: VecDeque<OrderIntent>,
    waiting: EventBatch,
    market_events: u64,
}

impl Follower {
    /// Begins an account with the configuration that the journal names.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an instrument or a setting makes no sense.
    pub fn new(config: KernelConfig) -> Result<Self, ValueError> {
        let mut config = config;
        // What these cost is in the records.
        config.fee_tiers.clear();
        for instrument in &mut config.instruments {
            instrument.borrow_ppm = 0;
            instrument.margin = None;
        }
        config.destination = Destination::Nowhere;
        (config.is_recording, config.has_digest, config.has_equity_curve) = (false, false, false);
        Ok(Self {
            kernel: Kernel::new(config)?,
            open: BTreeMap::new(),
            ended: VecDeque::new(),
            waiting: EventBatch::default(),
            market_events: 0,
        })
    }

    /// Takes whole frames, in the order of the journal.
    ///
    /// # Errors
    ///
    /// [`KernelError`] when the bytes are no frames, or when a record does not fit those before it.
    pub fn take(&mut self, frames: &[u8]) -> Result<(), KernelError> {
        for frame in Frames::new(frames) {
            let frame = frame?;
            let record = decode(frame)?;
            if record.body.kind().is_event() {
                self.wait_for(frame, &record.body)?;
            } else {
                self.settle()?;
                self.book(&record.body)?;
            }
        }
        self.settle()
    }

    /// Queues an event; what it costs is in the records, and what it orders too.
    fn wait_for(&mut self, frame: &[u8], body: &RecordBody<'_>) -> Result<(), KernelError> {
        if matches!(body, RecordBody::Venue { .. }) {
            // What was booked of it is a record of its own.
            return Ok(());
        }
        if let RecordBody::Event { event, .. } = body {
            let is_market = !matches!(event.body, EventBody::Command(_) | EventBody::Clock);
            self.market_events += u64::from(is_market);
            let is_cost = matches!(event.body, EventBody::Funding(_));
            let is_order =
                matches!(event.body, EventBody::Command(command) if command.kind == CommandKind::Flatten);
            if is_cost || is_order {
                self.waiting.events.push(Event { body: EventBody::Clock, ..*event });
                return Ok(());
            }
        }
        tradecore_journal::collect_events(frame, &mut self.waiting)?;
        Ok(())
    }

    /// Lets the engine consume what waits.
    fn settle(&mut self) -> Result<(), KernelError> {
        if self.waiting.events.is_empty() {
            return Ok(());
        }
        let opening = self.waiting.account_events.iter().find_map(|event| match event {
            tradecore_types::AccountEvent::Opening(opening) => Some(opening.market_events),
            _ => None,
        });
        self.market_events += opening.unwrap_or(0);
        self.kernel.feed(0, std::mem::take(&mut self.waiting))?;
        while self.kernel.advance(usize::MAX)? != Advance::Idle {}
        Ok(())
    }

    /// Books what an engine made of its events.
    fn book(&mut self, body: &RecordBody<'_>) -> Result<(), KernelError> {
        match body {
            RecordBody::Order { intent, .. } => {
                self.kernel.last_order_id = self.kernel.last_order_id.max(intent.order_id.0);
                let open_lots = match intent.size {
                    Size::Lots(lots) => Some(lots),
                    Size::BuyingPowerPpm(_) => None,
                };
                self.open
                    .insert(intent.order_id, FollowedOrder { intent: *intent, open_lots, has_filled: false });
                Ok(())
            }
            RecordBody::Refused { intent, .. } => {
                self.kernel.last_order_id = self.kernel.last_order_id.max(intent.order_id.0);
                Ok(())
            }
            RecordBody::Sized { order_id, lots } => {
                if let Some(order) = self.open.get_mut(order_id) {
                    order.open_lots = Some(*lots);
                }
                Ok(())
            }
            RecordBody::Report(report) => self.take_report(report),
            RecordBody::CashFlow(flow) => self.kernel.follow_flow(flow),
            _ => Ok(()),
        }
    }

    fn take_report(&mut self, report: &Report) -> Result<(), KernelError> {
        let Some(order) = self.open.get_mut(&report.order_id) else { return self.take_late(report) };
        match report.body {
            ReportBody::Fill { lots, .. } => {
                let intent = order.intent;
                order.open_lots = order.open_lots.map(|open| open.saturating_sub(lots));
                // The first version did not say how large a share of equity was: as far as anybody can tell all of
                // it filled, and yet another fill may come.
                order.has_filled = true;
                if order.open_lots.is_some_and(|open| open <= 0) {
                    self.end(report.order_id);
                }
                self.kernel.follow_fill(&intent, report)
            }
            ReportBody::Rejected(_) | ReportBody::Canceled(_) | ReportBody::Expired => {
                self.end(report.order_id);
                Ok(())
            }
            ReportBody::Replaced { lots, .. } | ReportBody::Restated { lots, .. } => {
                order.open_lots = Some(lots);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes what is said of an order that has ended: only a fill is news.
    fn take_late(&mut self, report: &Report) -> Result<(), KernelError> {
        match self.ended.iter().find(|intent| intent.order_id == report.order_id).copied() {
            Some(intent) => self.kernel.follow_fill(&intent, report),
            None => Ok(()),
        }
    }

    fn end(&mut self, order_id: OrderId) {
        let Some(order) = self.open.remove(&order_id) else { return };
        if self.ended.len() == ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(order.intent);
    }

    /// Returns the orders that are open, by number.
    pub fn open_orders(&self) -> impl Iterator<Item = &FollowedOrder> {
        self.open.values().filter(|order| order.open_lots.is_some() || !order.has_filled)
    }

    /// Returns the engine that has the account: prices, positions and money, without strategies and orders.
    #[must_use]
    pub const fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Returns what an account begins with that goes on from here.
    #[must_use]
    pub fn opening(&self) -> Opening {
        Opening { market_events: self.market_events, ..self.kernel.opening() }
    }
}

impl Kernel {
    /// Books a fill that another engine has recorded.
    fn follow_fill(&mut self, intent: &OrderIntent, report: &Report) -> Result<(), KernelError> {
        let market = self.markets.get(intent.instrument.index());
        let Some((fill, market)) = fill_of(intent, report).zip(market) else { return Ok(()) };
        let at = Booking { instrument: &market.instrument, now_ns: self.now_ns, keeps_rests: false };
        self.books.book_fill(&fill, at).map(|_| ())
    }

    /// Books a cash flow that another engine has recorded.
    fn follow_flow(&mut self, flow: &CashFlow) -> Result<(), KernelError> {
        self.books.ledger.book(flow)?;
        if self.books.scopes.is_on() {
            self.books.scopes.note_flow(flow.strategy, flow.amount, self.books.ledger.cash(), self.now_ns);
        }
        Ok(())
    }
}
