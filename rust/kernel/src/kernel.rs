//! The kernel: events in, wake-ups and frames out.

use std::sync::Arc;

use tradecore_bars::FirstBar;
use tradecore_indicators::IndicatorSpec;
use tradecore_ledger::{CashFlowColumns, Ledger, Orders, TradeColumns};
use tradecore_risk::{Scopes, Switches};
use tradecore_types::{
    CommandKind, EventBatch, EventBody, FeedState, Instrument, InstrumentId, Money, OrderId, StrategyId,
    TimeNs, ValueError,
};

use crate::books::Books;
use crate::books::account::Accounts;
use crate::books::activity::{Activity, OrderCounts, Seen};
use crate::books::conversions::Conversions;
use crate::books::heard::Heard;
use crate::calls::Calls;
use crate::calls::wake::{Wake, WakeBody};
use crate::control::Control;
use crate::groups::Groups;
use crate::input::Input;
use crate::markets::Markets;
use crate::markets::build::build_market;
use crate::markets::market::{Book, Market};
use crate::markets::series::{BarSource, Column, IndicatorValues, Series};
use crate::outgoing::Outgoing;
use crate::recorder::Recorder;
use crate::{BookCounts, Counters, KernelConfig, KernelError};

/// Orders that can be open at once. The last three quarters are kept for exits and closing orders.
const ORDERS_MAX: usize = 1 << 14;

/// Open orders at which new entries are refused.
pub(crate) const ENTRIES_MAX: usize = ORDERS_MAX / 4;

/// Open lots and closed trades that fit before memory grows.
const LOTS: usize = 1024;

/// Closed trades that are kept at least where no venue is simulated; twice as many at most.
const CLOSED_TRADES_MAX: usize = 1 << 12;

/// Closed orders kept for questions about the recent past.
pub(crate) const CLOSED_ORDERS_MAX: usize = 1024;

/// One deterministic engine: the same events give the same wake-ups, orders and frames.
///
/// It is made of parts, each of which keeps what it promises; what is written here knows only their order.
pub struct Kernel {
    pub(crate) config: KernelConfig,
    pub(crate) input: Input,
    pub(crate) markets: Markets,
    pub(crate) books: Books,
    /// Decision gates and traces, when there are any.
    pub(crate) gates: Option<Box<crate::gates::Gates>>,
    pub(crate) outgoing: Outgoing,
    pub(crate) control: Control,
    pub(crate) calls: Calls,
    pub(crate) recorder: Recorder,
    pub(crate) now_ns: TimeNs,
    /// When the account was opened, where an event did that; nothing can be fed that is earlier.
    pub(crate) opened_ns: TimeNs,
    /// Whether any instrument has margin rules.
    pub(crate) has_margin: bool,
}

impl Kernel {
    /// Builds a kernel.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an instrument or a setting makes no sense.
    pub fn new(config: KernelConfig) -> Result<Self, ValueError> {
        if let Some((_, error)) = config.problems().into_iter().next() {
            return Err(error);
        }
        let mut markets = Vec::with_capacity(config.instruments.len());
        for (index, instrument) in config.instruments.iter().enumerate() {
            let id = u32::try_from(index)
                .map_err(|_| ValueError::new("instruments", index, "must be fewer than 2^32"))?;
            markets.push(build_market(InstrumentId(id), instrument, &config)?);
        }
        let instruments: Vec<Instrument> = markets.iter().map(|market| market.instrument.clone()).collect();
        let accounts = Accounts::of(&config, &instruments)?;
        let curve = crate::books::equity::Curve::new(&config);
        let has_margin = accounts.as_ref().is_some_and(|accounts| accounts.has_margin());
        let strategies = usize::from(config.strategies);
        let orders = Orders::new(strategies, instruments.len(), ORDERS_MAX, CLOSED_ORDERS_MAX);
        let mut scopes = Scopes::new(&config.scopes, strategies, instruments.len());
        let conversions = Conversions::of(config.cash, &config.currencies);
        if conversions.is_some() {
            scopes.add_currencies(config.currencies.len());
        }
        scopes.start_guards(config.cash);
        let ledger = Ledger::new(instruments.clone(), strategies, config.cash, LOTS);
        let mut ledger = ledger.closing_by(config.lots);
        if !config.destination.is_simulated() {
            // The journal has them all, and `tradecore trades` reads them there; a follower of it is asked for none.
            ledger = ledger.keeping_trades(CLOSED_TRADES_MAX);
        }
        for currency in &config.currencies {
            ledger.add_balance(currency.account, currency.cash);
        }
        let books = Books {
            orders,
            marks: vec![None; instruments.len()],
            ledger,
            groups: Groups::default(),
            scopes,
            accounts,
            conversions,
            counters: Counters::default(),
            activity: Activity::new(strategies),
            rest: None,
            heard: Heard::default(),
            clock_due_ns: curve.due_ns(),
            curve,
        };
        let follows_marks = has_margin || books.conversions.is_some();
        let mut kernel = Self {
            input: Input::default(),
            markets: Markets::new(markets, follows_marks),
            books,
            gates: None,
            outgoing: Outgoing::default(),
            control: Control::default(),
            calls: Calls::new(config.calls_max, strategies),
            recorder: Recorder::new(config.is_recording, config.has_digest),
            now_ns: 0,
            opened_ns: TimeNs::MIN,
            has_margin,
            config,
        };
        kernel.convert_first();
        Ok(kernel)
    }

    /// Queues events of a source; sources are merged by (time, source number).
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when a time falls, a size is negative, an instrument is not in the table, a command
    /// cannot be carried out or an event about the account is not possible; nothing is queued then.
    pub fn feed(&mut self, source: usize, batch: impl Into<Arc<EventBatch>>) -> Result<(), KernelError> {
        let batch = batch.into();
        let known = self.markets.len();
        if let Some(first) = batch.events.first().filter(|first| first.time_ns < self.opened_ns) {
            let rule = format!("must not be before the opening of the account at {}", self.opened_ns);
            return Err(ValueError::new("time_ns", first.time_ns, rule).into());
        }
        for event in &batch.events {
            if event.instrument.index() >= known {
                let rule = format!("must be below {known}");
                return Err(ValueError::new("instrument_id", event.instrument.0, rule).into());
            }
            match &event.body {
                EventBody::Command(command) => self.check_command(&command.kind)?,
                EventBody::Account(_) => self.check_account(source, &batch, event)?,
                EventBody::Venue(place) => self.check_venue_event(batch.venue_event(*place))?,
                _ => {}
            }
        }
        let opening = batch.events.first().filter(|first| matches!(first.body, EventBody::Account(_)));
        let opened_ns = opening.filter(|_| self.input.is_untouched()).map(|first| first.time_ns);
        self.input.feed(source, batch)?;
        self.opened_ns = opened_ns.unwrap_or(self.opened_ns);
        Ok(())
    }

    /// Queues a call of a strategy.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what is told is made in its place in the queue: else it is copied"
    )]
    pub(crate) fn wake(&mut self, strategy: StrategyId, instrument: InstrumentId, body: WakeBody) {
        self.calls.wakes.push_back(Wake { time_ns: self.now_ns, strategy, instrument, body });
    }

    /// Returns the market of an instrument.
    pub(crate) fn market(&self, instrument: InstrumentId) -> Result<&Market, KernelError> {
        self.markets.get(instrument.index()).ok_or_else(|| {
            ValueError::new("instrument_id", instrument.0, "must be in the instrument table").into()
        })
    }

    /// Adds a series of bars that keeps the last `history` of them.
    ///
    /// Of bars that end at one moment those of the series that was added first come first: add the longer one
    /// of two lengths first, so that it is known when the shorter one wakes a strategy.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table, a threshold is not above 0, or `history` is
    /// above [`HISTORY_MAX`](crate::HISTORY_MAX) or more than the memory holds.
    pub fn add_series(
        &mut self,
        instrument: InstrumentId,
        source: BarSource,
        first: FirstBar,
        history: usize,
    ) -> Result<usize, KernelError> {
        let index = self.markets.series.len();
        let Some(market) = self.markets.get_mut(instrument.index()) else {
            return Err(
                ValueError::new("instrument_id", instrument.0, "must be in the instrument table").into()
            );
        };
        let builders = source.builders(&market.instrument, &market.sessions, first)?;
        let made = Series::new(instrument, builders, history)?;
        let series = &mut market.series;
        match source {
            BarSource::Input => series.input.push(index),
            BarSource::Bars(_) => series.merged.push(index),
            BarSource::Trades(_) | BarSource::Rule(_) => series.trades.push(index),
            BarSource::Quotes(_) => series.quotes.push(index),
            BarSource::BarsOrTrades(_) => {
                series.merged.push(index);
                series.trades.push(index);
            }
        }
        self.markets.series.push(made);
        Ok(index)
    }

    /// Lets an indicator follow a series and returns its index there; in an engine that went on from a snapshot the
    /// index of the one that follows it already.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when there is no such series or the indicator makes no sense.
    pub fn add_indicator(&mut self, series: usize, spec: IndicatorSpec) -> Result<usize, KernelError> {
        let indicator = spec.build()?;
        let Some(series) = self.markets.series.get_mut(series) else {
            return Err(ValueError::new("series", series, "there is no such series").into());
        };
        if self.markets.has_kept_indicators {
            let rule = "the snapshot of this engine has no such indicator";
            return series
                .find(&spec)
                .ok_or_else(|| ValueError::new("indicator", format!("{spec:?}"), rule).into());
        }
        Ok(series.follow(spec, indicator))
    }

    /// Returns how many bars given as input a series has left out: outside the sessions of the instrument, or
    /// too late.
    #[must_use]
    pub fn bars_left_out(&self, series: usize) -> u64 {
        let bars = self.markets.series.get(series).and_then(|series| series.builders.bars.as_ref());
        bars.map_or(0, |bars| bars.left_out())
    }

    /// Wakes a strategy at every bar of a series.
    ///
    /// Once one strategy has bars of several lengths, all that end at one moment are known before any strategy is
    /// called about them.
    pub fn subscribe_bars(&mut self, strategy: StrategyId, series: usize) {
        let Some(instrument) = self.markets.series.get(series).map(|series| series.instrument) else {
            return;
        };
        self.markets.has_timeframes |=
            self.markets.series.iter().any(|other| other.is_of(instrument, strategy));
        if let Some(series) = self.markets.series.get_mut(series) {
            series.subscribers.push(strategy);
        }
    }

    /// Wakes a strategy at every quote of an instrument.
    pub fn subscribe_quotes(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.subscribers.quotes.push(strategy);
        }
    }

    /// Wakes a strategy at every change of the valid book of an instrument.
    pub fn subscribe_books(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.subscribers.books.push(strategy);
        }
    }

    /// Wakes a strategy at every trade of an instrument.
    pub fn subscribe_trades(&mut self, strategy: StrategyId, instrument: InstrumentId) {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.subscribers.trades.push(strategy);
        }
    }

    /// Wakes a strategy at every fill of one of its orders.
    pub fn subscribe_fills(&mut self, strategy: StrategyId) {
        if let Some(hearing) = self.calls.hearing.get_mut(strategy.index()) {
            hearing.fills = true;
        }
    }

    /// Wakes a strategy at every change of one of its orders but fills.
    pub fn subscribe_orders(&mut self, strategy: StrategyId) {
        if let Some(hearing) = self.calls.hearing.get_mut(strategy.index()) {
            hearing.changes = true;
        }
    }

    /// Sets a timer of a strategy; a time that has passed rings at the next step.
    pub fn set_timer(&mut self, strategy: StrategyId, time_ns: TimeNs, timer_id: u64) {
        self.outgoing.schedule.timer(time_ns.max(self.now_ns), strategy, timer_id);
    }

    /// Returns the time of the engine: of the last event it saw.
    #[must_use]
    pub const fn now_ns(&self) -> TimeNs {
        self.now_ns
    }

    /// Moves the journal frames since the last call to the end of `out`.
    pub fn take_frames(&mut self, out: &mut Vec<u8>) {
        self.recorder.take_frames(out);
    }

    /// Returns the hash of every order, refusal, cancel and amendment so far, if orders are hashed.
    #[must_use]
    pub fn orders_digest(&self) -> Option<[u8; 32]> {
        self.recorder.digest()
    }

    /// Returns how much of everything there was.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.books.counters
    }

    /// Returns what became of the orders of a strategy; `None` when there is no such strategy.
    #[must_use]
    pub fn order_counts(&self, strategy: StrategyId) -> Option<&OrderCounts> {
        self.books.activity.of(strategy)
    }

    /// Returns which kinds of market data an instrument has had; `None` when it is not in the table.
    #[must_use]
    pub fn seen(&self, instrument: InstrumentId) -> Option<Seen> {
        self.markets.get(instrument.index()).map(Market::seen)
    }

    /// Returns what the book of an instrument went through.
    #[must_use]
    pub fn book_counts(&self, instrument: InstrumentId) -> BookCounts {
        match self.markets.get(instrument.index()).map(|market| &market.book) {
            Some(Book::Synced(book)) => {
                let counts = book.counters();
                BookCounts {
                    compared: counts.compared,
                    mismatches: counts.mismatches,
                    gaps: counts.gaps,
                    stale: book.stale_count(),
                    resyncs: counts.resyncs,
                }
            }
            _ => BookCounts::default(),
        }
    }

    /// Tells whether the book of an instrument waits for a snapshot.
    #[must_use]
    pub fn needs_snapshot(&self, instrument: InstrumentId) -> bool {
        match self.markets.get(instrument.index()).map(|market| (&market.book, &market.venue)) {
            Some((Book::Synced(book), venue)) if venue.traits().needs_book => book.needs_snapshot(),
            _ => false,
        }
    }

    /// Returns whether operators have paused trading or engaged the kill switch.
    #[must_use]
    pub const fn switches(&self) -> Switches {
        self.control.switches
    }

    /// Tells whether what is fed is of the past, so that nothing is sent on it.
    #[must_use]
    pub const fn is_warming_up(&self) -> bool {
        matches!(self.markets.feed_state, FeedState::Past)
    }

    /// Returns the limits of strategies and of the account, and what they count.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.books.scopes
    }

    /// Visits the last command about every limit, permission and halt, oldest first.
    pub fn changes(&self) -> impl Iterator<Item = &(TimeNs, CommandKind)> {
        self.control.changes.iter()
    }

    /// Returns the limits of an instrument.
    #[must_use]
    pub fn limits(&self, instrument: InstrumentId) -> Option<tradecore_risk::Limits> {
        self.markets.get(instrument.index()).map(|market| market.checks.limits())
    }

    /// Returns positions and money, as the fills so far have made them.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.books.ledger
    }

    /// Returns the orders that may still trade, and those that ended lately.
    #[must_use]
    pub const fn orders(&self) -> &Orders {
        &self.books.orders
    }

    /// Lends the closed trades as they are now, oldest first; columns that nobody keeps are not copied. While
    /// they are kept, later trades come into one copy.
    pub fn lend_trades(&mut self) -> Arc<TradeColumns> {
        self.books.ledger.lend_trades()
    }

    /// Lends the cash flows as they are now, oldest first, as [`Kernel::lend_trades`] does.
    pub fn lend_cash_flows(&mut self) -> Arc<CashFlowColumns> {
        self.books.ledger.lend_cash_flows()
    }

    /// Returns the equity at the last prices.
    ///
    /// # Errors
    ///
    /// [`KernelError::Broken`] when it does not fit 128 bits.
    pub fn equity(&self) -> Result<Money, KernelError> {
        Ok(self.books.ledger.equity(&self.books.marks)?)
    }

    /// Returns the instrument with this id.
    #[must_use]
    pub fn instrument(&self, instrument: InstrumentId) -> Option<&Instrument> {
        self.markets.get(instrument.index()).map(|market| &market.instrument)
    }

    /// Returns the number of instruments.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.markets.len()
    }

    /// Returns the last price of an instrument, in ticks.
    #[must_use]
    pub fn mark(&self, instrument: InstrumentId) -> Option<i64> {
        self.books.marks.get(instrument.index()).copied().flatten()
    }

    /// Returns the best bid and ask of an instrument, in ticks.
    #[must_use]
    pub fn best(&self, instrument: InstrumentId) -> (Option<i64>, Option<i64>) {
        self.markets.get(instrument.index()).map_or((None, None), Market::best)
    }

    /// Returns the levels of an instrument's book when they are known to be right.
    #[must_use]
    pub fn book(&self, instrument: InstrumentId) -> Option<&tradecore_book::L2Book> {
        self.markets.get(instrument.index()).and_then(|market| market.book.valid())
    }

    /// Returns the values of an indicator of a series.
    #[must_use]
    pub fn indicator(&self, series: usize, indicator: usize) -> Option<IndicatorValues> {
        self.markets.series.get(series).and_then(|series| series.values(indicator))
    }

    /// Tells whether an indicator of a series has seen enough bars.
    #[must_use]
    pub fn is_warm(&self, series: usize, indicator: usize) -> bool {
        self.markets.series.get(series).is_some_and(|series| series.is_warm(indicator))
    }

    /// Returns how many bars a series has had.
    #[must_use]
    pub fn bars_seen(&self, series: usize) -> u64 {
        self.markets.series.get(series).map_or(0, Series::bars_seen)
    }

    /// Returns how many bars an indicator of a series needs before its first value.
    #[must_use]
    pub fn bars_needed(&self, series: usize, indicator: usize) -> usize {
        self.markets.series.get(series).map_or(0, |series| series.bars_needed(indicator))
    }

    /// Returns how many bars the slowest indicator needs before its first value.
    #[must_use]
    pub fn warm_up_bars(&self) -> usize {
        self.markets.series.iter().map(Series::warm_up_bars).max().unwrap_or(0)
    }

    /// Returns the last `count` values of a column of a series, newest last.
    #[must_use]
    pub fn column(&self, series: usize, column: Column, count: usize) -> &[f64] {
        self.markets.series.get(series).map_or(&[], |series| series.column(column, count))
    }

    /// Returns the hash of the whole state: equal after equal events, different after a different one.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        let mut state = Vec::with_capacity(64 * 1024);
        state.extend_from_slice(&self.now_ns.to_le_bytes());
        state.extend_from_slice(&self.outgoing.last_order_id.to_le_bytes());
        state.push(u8::from(self.control.switches.is_killed));
        state.push(u8::from(self.control.switches.is_paused));
        if let Some((time_ns, pause)) = self.control.paused_by {
            for number in [time_ns, i64::from(pause.cause.code()), pause.value, pause.bound] {
                state.extend_from_slice(&number.to_le_bytes());
            }
        }
        self.control.stops.write_state(&mut state);
        for market in self.markets.iter() {
            market.write_prices(&mut state);
            market.book.write_state(&mut state);
            market.checks.write_state(&mut state);
            market.venue.write_state(&mut state);
        }
        self.books.scopes.write_state(&mut state);
        if let Some(gates) = &self.gates {
            gates.write_state(&mut state);
        }
        if let Some(consents) = &self.control.consents {
            consents.write_state(&mut state);
        }
        for series in &self.markets.series {
            series.write_state(&mut state);
        }
        for mark in &self.books.marks {
            state.extend_from_slice(&mark.unwrap_or(i64::MIN).to_le_bytes());
        }
        self.books.orders.write_state(&mut state);
        self.books.ledger.write_state(&mut state);
        self.books.groups.write_state(&mut state);
        for close_out in &self.books.groups.close_outs {
            close_out.write_state(&mut state);
        }
        for instrument in &self.outgoing.changed {
            state.extend_from_slice(&instrument.0.to_le_bytes());
        }
        self.outgoing.schedule.write_state(&mut state);
        self.calls.write_state(self.now_ns, self.books.counters.events, &mut state);
        if let Some(accounts) = &self.books.accounts {
            accounts.write_state(&mut state);
        }
        if self.is_warming_up() {
            state.push(1);
        }
        self.outgoing.watched.write_state(&mut state);
        self.outgoing.renewals.write_state(&mut state);
        if self.config.destination.is_outside() {
            state.push(u8::from(self.control.switches.is_unreconciled));
            if !self.config.accounts.is_empty() {
                state.extend_from_slice(&self.control.unreconciled.to_le_bytes());
            }
            self.books.heard.write_state(&mut state);
        }
        *blake3::hash(&state).as_bytes()
    }

    /// Returns the next order number.
    pub(crate) fn next_order_id(&mut self) -> OrderId {
        self.outgoing.next_order_id()
    }
}
