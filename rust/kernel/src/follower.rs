//! An account as the records of a journal say it, whatever strategies and whatever behaviour wrote them.

use std::collections::{BTreeMap, VecDeque};

use tradecore_journal::{Frames, RecordBody, decode};
use tradecore_types::{
    BookedRevision, CashFlow, CommandKind, Event, EventBatch, EventBody, FlattenByLimit, InstrumentId, Money,
    Opening, OrderId, OrderIntent, Report, ReportBody, Scope, Size, Stop, TimeNs, ValueError, Within,
};

use crate::books::{Booking, fill_of};
use crate::control::stops::{Place, whole_of};
use crate::{Advance, Destination, Kernel, KernelConfig, KernelError};

/// Orders that have ended and are remembered.
const ENDED_MAX: usize = 1_024;
/// A point of the account over time is told for each of these in which anything happened: an hour.
const SPAN_NS: i64 = 3_600_000_000_000;
/// The same for each of these in which money or a position changed: a minute.
const MOVED_SPAN_NS: i64 = 60_000_000_000;

/// An order that the records leave open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FollowedOrder {
    /// The order as risk approved it.
    pub intent: OrderIntent,
    /// What is still open of it; `None` for a share of buying power that has no size yet.
    pub open_lots: Option<i64>,
    has_filled: bool,
}

/// An account at a moment of its journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPoint {
    /// How many records of the journal it counts; the last one of them is the last of its span.
    pub records: u64,
    /// Time of the last thing that happened until then.
    pub time_ns: TimeNs,
    /// Money at hand.
    pub cash: Money,
    /// What the account is worth at the last prices.
    pub equity: Money,
    /// What its positions are worth at the last prices, long and short alike; strategies of one instrument net.
    pub exposure: Money,
    /// What the owner has brought so far, less what was taken.
    pub brought: Money,
    /// What each venue account is worth, by their numbers; empty where there is one.
    pub accounts: Vec<Money>,
}

/// When points of the account over time are due.
///
/// **Invariant:** they follow from the records alone, however these are cut into parts; there are never more than
/// spans in which something happened, and one for each session that ends.
#[derive(Debug, Default)]
struct Points {
    told: Vec<AccountPoint>,
    /// Records so far.
    records: u64,
    /// Time of the newest event or of what was made of it.
    last_ns: Option<TimeNs>,
    /// Whether neither money nor a position changed since the last point; the beginning is a change.
    is_still: bool,
    /// Whether nothing happened since the last point.
    is_told: bool,
}

impl Points {
    /// Tells whether what happened before this time is a span that has ended.
    fn is_due(&self, time_ns: TimeNs) -> bool {
        let span_ns = if self.is_still { SPAN_NS } else { MOVED_SPAN_NS };
        let ends = |last: TimeNs| time_ns.div_euclid(span_ns) > last.div_euclid(span_ns);
        !self.is_told && self.last_ns.is_some_and(ends)
    }

    /// Counts a record; marks of sessions are no news of the account.
    fn note(&mut self, time_ns: TimeNs, body: &RecordBody<'_>) {
        self.records = self.records.saturating_add(1);
        if matches!(
            body,
            RecordBody::Session { .. } | RecordBody::SessionEnd { .. } | RecordBody::StateHash(_)
        ) {
            return;
        }
        let is_fill =
            matches!(body, RecordBody::Report(report) if matches!(report.body, ReportBody::Fill { .. }));
        let moves = is_fill
            || matches!(body, RecordBody::CashFlow(_) | RecordBody::Account(_) | RecordBody::Revision(_));
        self.last_ns = Some(self.last_ns.map_or(time_ns, |last| last.max(time_ns)));
        self.is_told = false;
        self.is_still &= !moves;
    }
}

/// What an operator flattened, until all of it is closed.
struct Flattened {
    /// A part; `None` for everything.
    within: Option<Scope>,
    /// Number of the last order before; what it and those before it opened is to be closed.
    last: u64,
    /// Parts that were killed later: a kill takes the place of a flatten there, and closes nothing.
    killed: Vec<Scope>,
}

/// What is open at a place, and the number of the first order that opened some of it.
struct Held {
    place: Place,
    entry: u64,
}

impl Flattened {
    fn is_in(&self, place: Place) -> bool {
        self.within.is_none_or(|scope| place.is_within(scope))
    }

    fn is_killed(&self, place: Place) -> bool {
        self.killed.iter().any(|scope| place.is_within(*scope))
    }

    fn is_about(&self, place: Place) -> bool {
        self.is_in(place) && !self.is_killed(place)
    }

    fn is_to_close(&self, held: &Held) -> bool {
        held.entry <= self.last && self.is_about(held.place)
    }

    /// Returns the command that closes what is open at a place, as it would be given again, and nothing that was killed
    /// later.
    ///
    /// That is the flatten itself, or one of the strategy or the instrument there. Where each of them would close
    /// what it must not, there is none: the kill was the last word.
    fn again_at(&self, place: Place, held: &[Held]) -> Option<CommandKind> {
        let flatten = |scope| CommandKind::Within(Within { stop: Stop::Flatten, scope });
        if !held.iter().any(|other| self.is_in(other.place) && self.is_killed(other.place)) {
            return Some(self.within.map_or(CommandKind::Flatten, flatten));
        }
        let parts = [Scope::Strategy(place.strategy), Scope::Instrument(place.instrument)];
        let is_clean = |scope: &Scope| {
            held.iter().all(|other| !other.place.is_within(*scope) || self.is_about(other.place))
        };
        parts.into_iter().find(is_clean).map(flatten)
    }
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
    flattened: Vec<Flattened>,
    points: Points,
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
        config.accounts.iter_mut().for_each(|account| account.fee_tiers.clear());
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
            flattened: Vec::new(),
            points: Points::default(),
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
            let is_mark = matches!(record.body, RecordBody::Session { .. });
            if !is_mark && self.points.is_due(record.time_ns) {
                self.tell_point()?;
            }
            if record.body.kind().is_event() {
                self.wait_for(frame, &record.body)?;
            } else {
                self.settle()?;
                self.book(&record.body)?;
            }
            self.points.note(record.time_ns, &record.body);
            if matches!(record.body, RecordBody::SessionEnd { .. }) && !self.points.is_told {
                self.tell_point()?;
            }
        }
        self.settle()
    }

    /// Returns the points of the account over time since the last call, the oldest first.
    pub fn take_points(&mut self) -> Vec<AccountPoint> {
        std::mem::take(&mut self.points.told)
    }

    /// Notes the account as it is after all records so far; an account that nothing happened to has no point.
    fn tell_point(&mut self) -> Result<(), KernelError> {
        self.settle()?;
        let Some(time_ns) = self.points.last_ns else { return Ok(()) };
        let ledger = &self.kernel.books.ledger;
        let several = self.kernel.config.account_ids().filter(|_| !self.kernel.config.accounts.is_empty());
        let accounts = several.map(|account| self.kernel.equity_of(account)).collect::<Result<_, _>>()?;
        let point = AccountPoint {
            records: self.points.records,
            time_ns,
            cash: ledger.cash(),
            equity: self.kernel.equity()?,
            exposure: self.kernel.worth_held()?,
            brought: self.kernel.brought(),
            accounts,
        };
        debug_assert!(self.points.told.last().is_none_or(|last| last.records < point.records));
        self.points.told.push(point);
        (self.points.is_still, self.points.is_told) = (true, true);
        Ok(())
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
            let kind = if let EventBody::Command(command) = event.body { Some(command.kind) } else { None };
            let is_order = match kind {
                Some(kind) => self.note_stop(kind)?,
                None => false,
            };
            if is_cost || is_order {
                self.waiting.events.push(Event { body: EventBody::Clock, ..*event });
                return Ok(());
            }
        }
        tradecore_journal::collect_events(frame, &mut self.waiting)?;
        Ok(())
    }

    /// Takes in what a command says of what is to be closed; tells whether it is a flatten.
    fn note_stop(&mut self, kind: CommandKind) -> Result<bool, KernelError> {
        let has_accounts = !self.kernel.config.accounts.is_empty();
        // What is left of it when a journal goes on goes at the market.
        let kind = match kind {
            CommandKind::FlattenByLimit(FlattenByLimit { scope: None, .. }) => CommandKind::Flatten,
            CommandKind::FlattenByLimit(FlattenByLimit { scope: Some(scope), .. }) => {
                CommandKind::Within(Within { stop: Stop::Flatten, scope })
            }
            known => known,
        };
        let kind = match kind {
            CommandKind::Within(within) => whole_of(within, has_accounts).unwrap_or(kind),
            whole => whole,
        };
        match kind {
            CommandKind::Flatten => self.note_flatten(None)?,
            CommandKind::Within(Within { stop: Stop::Flatten, scope }) => self.note_flatten(Some(scope))?,
            CommandKind::Kill => self.flattened.clear(),
            CommandKind::Within(Within { stop: Stop::Kill, scope }) => {
                self.flattened.retain(|known| known.within != Some(scope));
                self.flattened.iter_mut().for_each(|known| known.killed.push(scope));
            }
            _ => {}
        }
        Ok(matches!(kind, CommandKind::Flatten | CommandKind::Within(Within { stop: Stop::Flatten, .. })))
    }

    fn note_flatten(&mut self, within: Option<Scope>) -> Result<(), KernelError> {
        // An opening that waits says which order was the last one.
        self.settle()?;
        self.flattened.retain(|known| within.is_some() && known.within != within);
        let last = self.kernel.outgoing.last_order_id;
        self.flattened.push(Flattened { within, last, killed: Vec::new() });
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
                self.kernel.outgoing.last_order_id =
                    self.kernel.outgoing.last_order_id.max(intent.order_id.0);
                let open_lots = match intent.size {
                    Size::Lots(lots) => Some(lots),
                    Size::BuyingPowerPpm(_) => None,
                };
                self.open
                    .insert(intent.order_id, FollowedOrder { intent: *intent, open_lots, has_filled: false });
                Ok(())
            }
            RecordBody::Refused { intent, .. } => {
                self.kernel.outgoing.last_order_id =
                    self.kernel.outgoing.last_order_id.max(intent.order_id.0);
                Ok(())
            }
            RecordBody::Sized { order_id, lots } => {
                if let Some(order) = self.open.get_mut(order_id) {
                    order.open_lots = Some(*lots);
                }
                Ok(())
            }
            RecordBody::Report(report) => self.follow_report(report),
            RecordBody::CashFlow(flow) => self.kernel.follow_flow(flow),
            RecordBody::Revision(booked) => {
                self.kernel.follow_revision(&booked.named(booked.trade_id.into()))
            }
            _ => Ok(()),
        }
    }

    fn follow_report(&mut self, report: &Report) -> Result<(), KernelError> {
        let Some(order) = self.open.get_mut(&report.order_id) else { return self.follow_late(report) };
        match report.body {
            ReportBody::Fill { lots, .. } => {
                let intent = order.intent;
                order.open_lots = order.open_lots.map(|open| open.saturating_sub(lots));
                // The first version did not say how large a share of buying power was: as far as anybody can tell all of
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

    /// Takes what is said of an order that has ended: a fill is news, and that it had become larger before it filled.
    fn follow_late(&mut self, report: &Report) -> Result<(), KernelError> {
        let place = self.ended.iter().position(|intent| intent.order_id == report.order_id);
        let Some((place, intent)) = place.and_then(|place| Some((place, *self.ended.get(place)?))) else {
            return Ok(());
        };
        if let ReportBody::Replaced { lots, .. } | ReportBody::Restated { lots, .. } = report.body {
            self.ended.remove(place);
            let again = FollowedOrder { intent, open_lots: Some(lots), has_filled: true };
            self.open.insert(intent.order_id, again);
            return Ok(());
        }
        self.kernel.follow_fill(&intent, report)
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

    /// Returns the commands of operators that still hold, as they would be given again: a flatten too, while a
    /// lot is open that it has to close.
    #[must_use]
    pub fn standing_commands(&self) -> Vec<CommandKind> {
        let mut commands = self.kernel.standing_commands();
        let held = if self.flattened.is_empty() { Vec::new() } else { self.held() };
        for flattened in &self.flattened {
            for to_close in held.iter().filter(|held| flattened.is_to_close(held)) {
                if let Some(again) = flattened.again_at(to_close.place, &held)
                    && !commands.contains(&again)
                {
                    commands.push(again);
                }
            }
        }
        commands
    }

    fn held(&self) -> Vec<Held> {
        let mut oldest = BTreeMap::new();
        for lot in self.kernel.books.ledger.opening_lots() {
            let entry = oldest.entry((lot.strategy, lot.instrument)).or_insert(lot.entry_order.0);
            *entry = lot.entry_order.0.min(*entry);
        }
        let held = |((strategy, instrument), entry)| Held {
            place: self.kernel.place_of(strategy, instrument),
            entry,
        };
        oldest.into_iter().map(held).collect()
    }

    /// Returns what an account begins with that goes on from here.
    #[must_use]
    pub fn opening(&self) -> Opening {
        Opening { market_events: self.market_events, ..self.kernel.opening() }
    }
}

impl Kernel {
    /// Returns what all positions are worth at the last prices, long and short alike.
    fn worth_held(&self) -> Result<Money, KernelError> {
        let mut sum: i128 = 0;
        for (index, market) in self.markets.iter().enumerate() {
            let Ok(id) = u32::try_from(index) else { continue };
            let instrument = InstrumentId(id);
            let lots = self.books.ledger.size_total(instrument);
            let Some(mark) = self.mark(instrument).filter(|_| lots != 0) else { continue };
            let instrument = &market.instrument;
            let worth = if instrument.rate.is_known() {
                instrument.reported_notional(mark, lots)
            } else {
                Some(Money::ZERO)
            };
            let whole = worth.and_then(|worth| sum.checked_add(worth.0.checked_abs()?));
            sum = whole.ok_or_else(|| KernelError::Broken("the exposure does not fit 128 bits".into()))?;
        }
        Ok(Money(sum))
    }

    /// Books a fill that another engine has recorded.
    fn follow_fill(&mut self, intent: &OrderIntent, report: &Report) -> Result<(), KernelError> {
        let market = self.markets.get(intent.instrument.index());
        let Some((fill, market)) = fill_of(intent, report).zip(market) else { return Ok(()) };
        let at = Booking::new(&market.instrument, self.now_ns).without_rests();
        self.books.book_fill(&fill, at).map(|_| ())
    }

    /// Books a trade that was told anew, as another engine has recorded it.
    fn follow_revision(&mut self, booked: &BookedRevision) -> Result<(), KernelError> {
        let Some(market) = self.markets.get(booked.instrument.index()) else { return Ok(()) };
        let at = Booking::new(&market.instrument, self.now_ns).without_rests();
        if self.books.revise(booked, at)? {
            return Ok(());
        }
        Err(KernelError::Broken("a trade that was told anew does not fit".into()))
    }

    /// Books a cash flow that another engine has recorded.
    fn follow_flow(&mut self, flow: &CashFlow) -> Result<(), KernelError> {
        self.books.ledger.book(flow)?;
        if self.books.scopes.is_on() {
            let currency =
                self.books.ledger.instrument(flow.instrument).map(|known| known.currencies.settlement);
            let received = (flow.amount, currency.unwrap_or_default());
            let cash = self.books.tell_cash();
            self.books.scopes.note_flow(flow.strategy, received, cash, self.now_ns);
        }
        Ok(())
    }
}
