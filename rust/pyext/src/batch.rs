//! Python face of an event batch: columns in, events out.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};
use tradecore_journal::{collect_events, encode_events};
use tradecore_types::{
    Bar, BookUpdate, BookUpdateKind, Command, CurrencyId, Event, EventBatch, EventBody, FeedState, Flow,
    Funding, InstrumentId, Level, Mark, OrderId, Quote, SafetyPause, Said, Trade, VenueEvent,
};

use crate::account;
use crate::adoption::{self, AdoptedRow};
use crate::arguments::{self, flag, levels, maybe, number, optional, side, text};
use crate::columns::{Column, rows, slice};
use crate::errors::{data_error, invalid_value, value_error};
use crate::reports::{About, Terms, said};
use crate::risk;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyEventBatch>()
}

/// What a batch is made of in another process: its class, no arguments, and its state.
type Reduced<'py> = (Bound<'py, PyType>, Bound<'py, PyTuple>, Bound<'py, PyBytes>);

/// Events on their way into an engine, in the order they are added; times must not fall.
///
/// Prices are ticks and sizes lots of the instrument, times UTC nanoseconds.
/// Engines share the events and never change them: a batch can be fed to any number of engines.
#[pyclass(name = "EventBatch", module = "tradecore._core")]
#[derive(Default)]
pub struct PyEventBatch {
    inner: Arc<EventBatch>,
}

const fn event(time_ns: i64, instrument_id: u32, body: EventBody) -> Event {
    Event { time_ns, instrument: InstrumentId(instrument_id), body }
}

impl PyEventBatch {
    /// Returns the events, to read.
    pub fn events(&self) -> &EventBatch {
        &self.inner
    }

    /// Returns the events, to share: what is added to the batch later is not in them.
    pub fn shared(&self) -> Arc<EventBatch> {
        Arc::clone(&self.inner)
    }

    /// Returns the events, to change: the same memory, or a copy while an engine or another batch shares it.
    pub fn filling(&mut self) -> &mut EventBatch {
        Arc::make_mut(&mut self.inner)
    }

    /// Adds what a venue outside says, if it can be true of any order.
    fn push_said(&mut self, time_ns: i64, instrument_id: u32, said: VenueEvent) -> PyResult<()> {
        let instrument = InstrumentId(instrument_id);
        self.filling().push_venue(time_ns, instrument, said).map_err(|error| value_error(&error))
    }

    fn push(&mut self, time_ns: i64, instrument_id: u32, body: EventBody) {
        self.filling().events.push(event(time_ns, instrument_id, body));
    }
}

#[pymethods]
impl PyEventBatch {
    /// A batch without events, to which methods add.
    #[new]
    fn new() -> Self {
        Self::default()
    }

    fn __len__(&self) -> usize {
        self.inner.events.len()
    }

    /// Time of the first event in nanoseconds, or None when there is none.
    #[getter]
    fn first_time_ns(&self) -> Option<i64> {
        self.inner.events.first().map(|event| event.time_ns)
    }

    /// Time of the last event in nanoseconds, or None when there is none.
    #[getter]
    fn last_time_ns(&self) -> Option<i64> {
        self.inner.events.last().map(|event| event.time_ns)
    }

    /// Whether its first event is about the account.
    #[getter]
    fn begins_account(&self) -> bool {
        self.inner.events.first().is_some_and(|first| matches!(first.body, EventBody::Account(_)))
    }

    /// A batch with the same events that is filled and emptied by itself; costs memory once one of them is.
    fn copy(&self) -> Self {
        Self { inner: self.shared() }
    }

    fn __copy__(&self) -> Self {
        self.copy()
    }

    fn __deepcopy__(&self, _memo: &Bound<'_, PyAny>) -> Self {
        self.copy()
    }

    /// How a pool of processes gets it: an empty batch, and the events as frames of a journal.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        let py = slf.py();
        let this = slf.borrow();
        let mut frames = Vec::new();
        encode_events(&mut frames, &this.inner).map_err(|error| data_error("batch", &error.to_string()))?;
        Ok((slf.get_type(), PyTuple::empty(py), PyBytes::new(py, &frames)))
    }

    /// Takes over what `__reduce__` gave; a damaged frame is an error, and the batch is then as it was.
    fn __setstate__(&mut self, frames: PyBackedBytes) -> PyResult<()> {
        let mut events = EventBatch::default();
        collect_events(&frames, &mut events).map_err(|error| data_error("batch", &error.to_string()))?;
        self.inner = Arc::new(events);
        Ok(())
    }

    fn __repr__(&self) -> String {
        format!("<EventBatch of {} events>", self.inner.events.len())
    }

    /// Reads a table in memory: bars, trades or quotes with prices as decimal numbers.
    ///
    /// `frame` is a pandas or polars DataFrame, an Arrow table or anything with `__arrow_c_stream__`, or a structured
    /// numpy array; `instrument` an `InstrumentSpec`. `tradecore.frames.batch_of` does it and documents the rest.
    #[staticmethod]
    #[pyo3(
        signature = (
            frame, instrument, *, instrument_id=None, kind=None, columns=None, rounding=None, timezone=None,
            interval=None
        ),
        text_signature = "(frame, instrument, *, instrument_id=0, kind='auto', columns=None, \
            rounding='exact', timezone='UTC', interval=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the method as Python calls it")]
    fn from_frame<'py>(
        py: Python<'py>,
        frame: &Bound<'py, PyAny>,
        instrument: &Bound<'py, PyAny>,
        instrument_id: Option<&Bound<'py, PyAny>>,
        kind: Option<&Bound<'py, PyAny>>,
        columns: Option<&Bound<'py, PyAny>>,
        rounding: Option<&Bound<'py, PyAny>>,
        timezone: Option<&Bound<'py, PyAny>>,
        interval: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = PyDict::new(py);
        let given = [
            ("instrument_id", instrument_id),
            ("kind", kind),
            ("columns", columns),
            ("rounding", rounding),
            ("timezone", timezone),
            ("interval", interval),
        ];
        for (name, value) in given.into_iter().filter(|(_, value)| value.is_some()) {
            options.set_item(name, value)?;
        }
        py.import("tradecore.frames")?.getattr("batch_of")?.call((frame, instrument), Some(&options))
    }

    /// Empties the batch; its memory is used again unless an engine that has not run yet, or a copy, shares it.
    fn clear(&mut self) {
        match Arc::get_mut(&mut self.inner) {
            Some(events) => events.clear(),
            None => self.inner = Arc::default(),
        }
    }

    /// Removes the events that are before a time.
    fn skip_before(&mut self, #[pyo3(from_py_with = number::time_ns)] time_ns: i64) {
        let count = self.inner.events.partition_point(|event| event.time_ns < time_ns);
        if count > 0 {
            self.filling().events.drain(..count);
        }
    }

    /// Removes the first `count` events, or all of them.
    fn skip(&mut self, #[pyo3(from_py_with = number::count)] count: u64) {
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(self.inner.events.len());
        self.filling().events.drain(..count);
    }

    /// Adds a best bid and ask.
    #[pyo3(signature = (time_ns, instrument_id, bid_ticks, bid_lots, ask_ticks, ask_lots, update_id=0))]
    #[expect(clippy::too_many_arguments, reason = "the method as Python calls it")]
    fn quote(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::bid_ticks)] bid_ticks: i64,
        #[pyo3(from_py_with = number::bid_lots)] bid_lots: i64,
        #[pyo3(from_py_with = number::ask_ticks)] ask_ticks: i64,
        #[pyo3(from_py_with = number::ask_lots)] ask_lots: i64,
        #[pyo3(from_py_with = number::update_id)] update_id: u64,
    ) {
        let quote = Quote { bid_ticks, bid_lots, ask_ticks, ask_lots, update_id };
        self.push(time_ns, instrument_id, EventBody::Quote(quote));
    }

    /// Adds a trade of others.
    #[pyo3(signature = (time_ns, instrument_id, price_ticks, lots, buyer_is_aggressor, trade_id=0))]
    fn trade(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::price_ticks)] price_ticks: i64,
        #[pyo3(from_py_with = number::lots)] lots: i64,
        #[pyo3(from_py_with = flag::buyer_is_aggressor)] buyer_is_aggressor: bool,
        #[pyo3(from_py_with = number::trade_id)] trade_id: u64,
    ) {
        let trade = Trade { price_ticks, lots, aggressor: side(buyer_is_aggressor), trade_id };
        self.push(time_ns, instrument_id, EventBody::Trade(trade));
    }

    /// Adds a book message; bids and asks are lists of (price_ticks, lots).
    ///
    /// `checksum` is that of the book after the message, as an unsigned number of 32 bits, where the venue
    /// states one.
    #[pyo3(signature = (
        time_ns, instrument_id, is_snapshot, first_id, last_id, prev_id, bids, asks, checksum=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "the method as Python calls it")]
    fn book(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = flag::is_snapshot)] is_snapshot: bool,
        #[pyo3(from_py_with = number::first_id)] first_id: u64,
        #[pyo3(from_py_with = number::last_id)] last_id: u64,
        #[pyo3(from_py_with = number::prev_id)] prev_id: u64,
        #[pyo3(from_py_with = levels::bids)] bids: Vec<(i64, i64)>,
        #[pyo3(from_py_with = levels::asks)] asks: Vec<(i64, i64)>,
        #[pyo3(from_py_with = optional::checksum)] checksum: Option<u32>,
    ) -> PyResult<()> {
        let count = |values: &[(i64, i64)]| {
            u32::try_from(values.len())
                .map_err(|_| invalid_value("levels", &values.len().to_string(), "must be below 2^32"))
        };
        let levels_start = u32::try_from(self.inner.levels.len())
            .map_err(|_| invalid_value("levels", "batch", "a batch may have 2^32 levels in all"))?;
        let update = BookUpdate {
            kind: if is_snapshot { BookUpdateKind::Snapshot } else { BookUpdateKind::Diff },
            first_id,
            last_id,
            prev_id,
            levels_start,
            bids: count(&bids)?,
            asks: count(&asks)?,
            checksum,
        };
        let levels = bids.into_iter().chain(asks).map(|(price_ticks, lots)| Level { price_ticks, lots });
        self.filling().levels.extend(levels);
        self.push(time_ns, instrument_id, EventBody::Book(update));
        Ok(())
    }

    /// Adds bars from int64 columns of one length: times in nanoseconds, prices in ticks, volume in lots.
    #[expect(clippy::too_many_arguments, reason = "the method as Python calls it")]
    fn bars(
        &mut self,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        open_time_ns: Column<'_>,
        close_time_ns: Column<'_>,
        open: Column<'_>,
        high: Column<'_>,
        low: Column<'_>,
        close: Column<'_>,
        volume: Column<'_>,
    ) -> PyResult<()> {
        let rows = rows([
            ("open_time_ns", slice("open_time_ns", &open_time_ns)?),
            ("close_time_ns", slice("close_time_ns", &close_time_ns)?),
            ("open", slice("open", &open)?),
            ("high", slice("high", &high)?),
            ("low", slice("low", &low)?),
            ("close", slice("close", &close)?),
            ("volume", slice("volume", &volume)?),
        ])?;
        self.filling().events.extend(rows.map(|row| {
            let [open_time_ns, time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots] = row;
            let bar = Bar { open_time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots };
            event(time_ns, instrument_id, EventBody::Bar(bar))
        }));
        Ok(())
    }

    /// Adds quotes from int64 columns of one length: times in nanoseconds, prices in ticks, sizes in lots.
    fn quotes(
        &mut self,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        time_ns: Column<'_>,
        bid_ticks: Column<'_>,
        bid_lots: Column<'_>,
        ask_ticks: Column<'_>,
        ask_lots: Column<'_>,
    ) -> PyResult<()> {
        let rows = rows([
            ("time_ns", slice("time_ns", &time_ns)?),
            ("bid_ticks", slice("bid_ticks", &bid_ticks)?),
            ("bid_lots", slice("bid_lots", &bid_lots)?),
            ("ask_ticks", slice("ask_ticks", &ask_ticks)?),
            ("ask_lots", slice("ask_lots", &ask_lots)?),
        ])?;
        self.filling().events.extend(rows.map(|[time_ns, bid_ticks, bid_lots, ask_ticks, ask_lots]| {
            let quote = Quote { bid_ticks, bid_lots, ask_ticks, ask_lots, update_id: 0 };
            event(time_ns, instrument_id, EventBody::Quote(quote))
        }));
        Ok(())
    }

    /// Adds trades of others from int64 columns of one length: times in nanoseconds, prices in ticks, sizes in lots,
    /// 1 where the buyer took liquidity and 0 elsewhere, and the numbers of the trades at their venue, 0 for none.
    #[pyo3(signature = (instrument_id, time_ns, price_ticks, lots, buyer_is_aggressor, trade_id=None))]
    fn trades(
        &mut self,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        time_ns: Column<'_>,
        price_ticks: Column<'_>,
        lots: Column<'_>,
        buyer_is_aggressor: Column<'_>,
        trade_id: Option<Column<'_>>,
    ) -> PyResult<()> {
        let times = slice("time_ns", &time_ns)?;
        let none = vec![0; if trade_id.is_some() { 0 } else { times.len() }];
        let ids = trade_id.as_ref().map_or(Ok(none.as_slice()), |column| slice("trade_id", column))?;
        let rows = rows([
            ("time_ns", times),
            ("price_ticks", slice("price_ticks", &price_ticks)?),
            ("lots", slice("lots", &lots)?),
            ("buyer_is_aggressor", slice("buyer_is_aggressor", &buyer_is_aggressor)?),
            ("trade_id", ids),
        ])?;
        if let Some(wrong) = ids.iter().find(|id| **id < 0) {
            return Err(invalid_value("trade_id", &wrong.to_string(), "must not be negative"));
        }
        self.filling().events.extend(rows.map(|[time_ns, price_ticks, lots, is_buy, trade_id]| {
            let trade_id = u64::try_from(trade_id).unwrap_or_default();
            let trade = Trade { price_ticks, lots, aggressor: side(is_buy != 0), trade_id };
            event(time_ns, instrument_id, EventBody::Trade(trade))
        }));
        Ok(())
    }

    /// Adds a limit order of an agent of a simulated exchange.
    fn flow_limit(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::flow_id)] flow_id: u64,
        #[pyo3(from_py_with = flag::is_buy)] is_buy: bool,
        #[pyo3(from_py_with = number::price_ticks)] price_ticks: i64,
        #[pyo3(from_py_with = number::lots)] lots: i64,
    ) {
        let flow = Flow::Limit { flow_id, side: side(is_buy), price_ticks, lots };
        self.push(time_ns, instrument_id, EventBody::Flow(flow));
    }

    /// Adds a market order of an agent of a simulated exchange.
    fn flow_market(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = flag::is_buy)] is_buy: bool,
        #[pyo3(from_py_with = number::lots)] lots: i64,
    ) {
        self.push(time_ns, instrument_id, EventBody::Flow(Flow::Market { side: side(is_buy), lots }));
    }

    /// Adds the cancel of an agent's resting order.
    fn flow_cancel(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::flow_id)] flow_id: u64,
    ) {
        self.push(time_ns, instrument_id, EventBody::Flow(Flow::Cancel { flow_id }));
    }

    /// Adds the loss of an instrument's feed: its book is invalid until the next snapshot.
    fn feed_lost(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
    ) {
        self.push(time_ns, instrument_id, EventBody::Feed(FeedState::Lost));
    }

    /// Adds that what follows is of the past, up to the next loss of a feed: strategies are called and trade nothing.
    fn feed_past(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
    ) {
        self.push(time_ns, instrument_id, EventBody::Feed(FeedState::Past));
    }

    /// Adds an operator's command, with what it says beside its name.
    ///
    /// `scope` is account, strategy or instrument, `scope_id` its position in the engine's table; `value` is in
    /// the unit of the setting `limit`, None switches it off, and without a limit the number of a wish; `person` answers for it. What a command has no use
    /// for is not looked at.
    #[pyo3(signature = (
        time_ns, name, *, scope=None, scope_id=0, limit=None, value=None, instrument_id=None, person=None,
        order_id=None, within_bps=None, then_market_ns=None, safety=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "what any command may say, by keyword")]
    fn command(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = text::name)] name: &str,
        #[pyo3(from_py_with = maybe::scope)] scope: Option<String>,
        #[pyo3(from_py_with = number::scope_id)] scope_id: u32,
        #[pyo3(from_py_with = maybe::limit)] limit: Option<String>,
        #[pyo3(from_py_with = arguments::limit_value)] value: Option<String>,
        #[pyo3(from_py_with = optional::instrument_id)] instrument_id: Option<u32>,
        #[pyo3(from_py_with = maybe::person)] person: Option<String>,
        #[pyo3(from_py_with = optional::order_id)] order_id: Option<u64>,
        #[pyo3(from_py_with = optional::within_bps)] within_bps: Option<u32>,
        #[pyo3(from_py_with = optional::then_market_ns)] then_market_ns: Option<i64>,
        #[pyo3(from_py_with = risk::safety)] safety: Option<SafetyPause>,
    ) -> PyResult<()> {
        // Without a limit a value is the number of a wish.
        let wish = value.as_deref().filter(|_| limit.is_none()).map(risk::order_number).transpose()?;
        let said = Said {
            wish,
            scope: scope.map(|scope| risk::scope(&scope, scope_id)).transpose()?,
            limit: limit.map(|limit| risk::limit_value(&limit, value.as_deref())).transpose()?,
            instrument: instrument_id.map(InstrumentId),
            person: person.as_deref().map(risk::person).transpose()?,
            order: order_id.map(OrderId),
            by_limit: risk::by_limit(within_bps, then_market_ns)?,
            safety,
        };
        self.push(time_ns, 0, EventBody::Command(Command { kind: risk::command(name, &said)? }));
        Ok(())
    }

    /// Adds the mark price of a derivative: what its venue values positions at.
    fn mark(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::price_ticks)] price_ticks: i64,
    ) {
        self.push(time_ns, instrument_id, EventBody::Mark(Mark { price_ticks }));
    }

    /// Adds the funding of a perpetual: rate in parts per billion, paid by longs when above 0, on the
    /// position at `mark_ticks`, or at the mark price the engine knows when that is 0.
    #[pyo3(signature = (time_ns, instrument_id, rate_ppb, mark_ticks=0))]
    fn funding(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::rate_ppb)] rate_ppb: i64,
        #[pyo3(from_py_with = number::mark_ticks)] mark_ticks: i64,
    ) {
        self.push(
            time_ns,
            instrument_id,
            EventBody::Funding(Funding { rate_ppb, mark_ticks: (mark_ticks != 0).then_some(mark_ticks) }),
        );
    }

    /// Adds what an account begins with: an object with the fields of an `account` record, in whole units.
    ///
    /// `tradecore.engine` makes it of an `Opening`, with the names of an engine.
    fn opening(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = arguments::opening_rows)] rows: account::OpeningRows,
    ) -> PyResult<()> {
        let said = rows.event()?;
        self.filling().push_account(time_ns, said);
        Ok(())
    }

    /// Adds money, in atto units, that the account gained or lost without a fill; it counts as profit or loss.
    fn adjustment(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = text::currency)] currency: &str,
        #[pyo3(from_py_with = number::amount)] amount: i128,
        #[pyo3(from_py_with = text::reason)] reason: &str,
    ) {
        self.filling().push_account(time_ns, account::change(false, currency, amount, reason));
    }

    /// Adds money, in atto units, that the owner brought, or took when it is negative: no profit and no loss.
    fn transfer(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = text::currency)] currency: &str,
        #[pyo3(from_py_with = number::amount)] amount: i128,
        #[pyo3(from_py_with = text::reason)] reason: &str,
    ) {
        self.filling().push_account(time_ns, account::change(true, currency, amount, reason));
    }

    /// Adds cash that was changed from one currency into another: an object with the fields of `tradecore.Conversion`,
    /// amounts and rate in atto units. `tradecore.engine` makes it of a `Conversion`.
    fn conversion(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = arguments::conversion_row)] row: account::ConversionRow,
    ) -> PyResult<()> {
        self.filling().push_account(time_ns, row.event()?);
        Ok(())
    }

    /// Adds what a venue outside says about an order: `report` is the word that journals use for it.
    ///
    /// `filled_lots` is what had filled in all when the venue said it. A fill names its trade, and has a price, a size, a
    /// fee in atto units (1e-18), the number of its currency in `currency_names` (None: that of the instrument's
    /// settlement) and `liquidity`. Replaced and restated have the open size, and keep the price when they
    /// name none; restated with 0 is an order that has filled whole. `reason` goes with canceled, rejected, cancel_rejected and replace_rejected. The instrument is that of
    /// the order. A `revision` above 0 says that the venue tells a trade anew: a fill with other numbers, or `busted`. Then
    /// `filled_lots` is what had filled with that trade, as it was told first.
    #[pyo3(signature = (
        time_ns, instrument_id, order_id, report, *, venue_time_ns=None, venue_order_id=None, trade_id=None,
        filled_lots=None, price_ticks=None, lots=0, liquidity="taker", fee_atto=0, reason="",
        fee_currency=None, revision=0,
    ))]
    #[expect(clippy::too_many_arguments, reason = "a report has these fields")]
    fn venue_report(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::order_id)] order_id: u64,
        #[pyo3(from_py_with = text::report)] report: &str,
        #[pyo3(from_py_with = optional::venue_time_ns)] venue_time_ns: Option<i64>,
        #[pyo3(from_py_with = maybe::venue_order_id)] venue_order_id: Option<String>,
        #[pyo3(from_py_with = maybe::trade_id)] trade_id: Option<String>,
        #[pyo3(from_py_with = optional::filled_lots)] filled_lots: Option<i64>,
        #[pyo3(from_py_with = optional::price_ticks)] price_ticks: Option<i64>,
        #[pyo3(from_py_with = number::lots)] lots: i64,
        #[pyo3(from_py_with = text::liquidity)] liquidity: &str,
        #[pyo3(from_py_with = number::fee_atto)] fee_atto: i128,
        #[pyo3(from_py_with = text::reason)] reason: &str,
        #[pyo3(from_py_with = optional::fee_currency)] fee_currency: Option<u8>,
        #[pyo3(from_py_with = number::revision)] revision: u64,
    ) -> PyResult<()> {
        let fee_currency = fee_currency.map(CurrencyId);
        let terms = Terms { price_ticks, lots, liquidity, fee_atto, fee_currency, reason };
        let venue_time_ns = venue_time_ns.unwrap_or(time_ns);
        let about = About { venue_time_ns, order_id, venue_order_id, trade_id, filled_lots, revision };
        self.push_said(time_ns, instrument_id, said(report, &terms, about)?)
    }

    /// Adds that the outcome of a request about an order is lost: it counts as open until its venue says more.
    fn outcome_lost(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = number::order_id)] order_id: u64,
    ) -> PyResult<()> {
        self.push_said(time_ns, instrument_id, VenueEvent::OutcomeLost { order_id: OrderId(order_id) })
    }

    /// Adds whether the books agree with the venue of an instrument: from `False` on its account waits for `True`.
    fn agreement(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = flag::agrees)] agrees: bool,
    ) -> PyResult<()> {
        let said = if agrees { VenueEvent::Reconciled } else { VenueEvent::Reconciling };
        self.push_said(time_ns, instrument_id, said)
    }

    /// Adds that an order or a position that others made belongs to a strategy from here on: an object with the fields
    /// of an `adopted` record, its fee in atto units (1e-18).
    fn adopted(
        &mut self,
        #[pyo3(from_py_with = number::time_ns)] time_ns: i64,
        #[pyo3(from_py_with = number::instrument_id)] instrument_id: u32,
        #[pyo3(from_py_with = adoption::adopted)] found: AdoptedRow,
    ) -> PyResult<()> {
        self.push_said(time_ns, instrument_id, VenueEvent::Adopted(found.read()?))
    }

    /// Adds the passing of time and nothing else.
    fn clock(&mut self, #[pyo3(from_py_with = number::time_ns)] time_ns: i64) {
        self.push(time_ns, 0, EventBody::Clock);
    }
}
