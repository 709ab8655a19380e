//! Python face of the feeds crate: venue messages in, events out.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tradecore_feeds::{
    BinanceDecoder, BookFormat, CaptureBounds, DecodeError, Decoded, Market, SymbolSpec, VenueBookEvents,
};
use tradecore_types::{
    AccountEvent, Decimal, Event, EventBody, FeedState, Flow, InstrumentId, Level, Side, ValueError,
};

use crate::batch::PyEventBatch;
use crate::errors::{data_error, invalid_value, value_error};
use crate::reports::put_said;

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBinanceDecoder>()?;
    module.add_class::<PyVenueBookDecoder>()?;
    module.add_function(wrap_pyfunction!(last_seen, module)?)?;
    module.add_function(wrap_pyfunction!(read_events, module)?)
}

/// Decoder of Binance public market data: live messages, REST snapshots and captures.
///
/// `market` is spot, usdm or coinm; `symbols` are (symbol, instrument_id, tick_size, lot_size) with
/// decimals as text. A message that names no symbol is about `default_symbol`, or the only symbol.
#[pyclass(name = "BinanceDecoder", module = "tradecore._core")]
pub struct PyBinanceDecoder {
    inner: BinanceDecoder,
}

#[pymethods]
impl PyBinanceDecoder {
    /// Make a decoder of these symbols.
    #[new]
    #[pyo3(signature = (market, symbols, default_symbol=None))]
    fn new(
        market: &str,
        symbols: Vec<(String, u32, String, String)>,
        default_symbol: Option<&str>,
    ) -> PyResult<Self> {
        let market = match market {
            "spot" => Market::Spot,
            "usdm" => Market::UsdM,
            "coinm" => Market::CoinM,
            _ => return Err(invalid_value("market", market, "must be spot, usdm or coinm")),
        };
        let inner =
            symbol_specs(symbols).and_then(|specs| BinanceDecoder::new(market, &specs, default_symbol));
        Ok(Self { inner: inner.map_err(|error| value_error(&error))? })
    }

    /// Read one message received at `time_ns`, add its event to the batch and say what became of it.
    ///
    /// Answers event, unknown_symbol, unknown_type, off_market, empty_side, below_lot or control.
    fn decode(&mut self, time_ns: i64, payload: &[u8], batch: &mut PyEventBatch) -> PyResult<&'static str> {
        self.inner
            .decode(time_ns, payload, batch.filling())
            .map(outcome)
            .map_err(|error| decode_error("message", &error))
    }

    /// Read a REST depth snapshot of `symbol` received at `time_ns`.
    fn decode_snapshot(
        &mut self,
        time_ns: i64,
        symbol: &str,
        payload: &[u8],
        batch: &mut PyEventBatch,
    ) -> PyResult<&'static str> {
        self.inner
            .decode_snapshot(time_ns, symbol, payload, batch.filling())
            .map(outcome)
            .map_err(|error| decode_error("message", &error))
    }

    /// Read whole lines `<receive_ns> <json>` of a piece of a capture; returns (bytes used, stopped at a limit).
    ///
    /// Stops at `events_max` events in the batch, or before the first line received after `until_ns`. The bytes after the last line end belong to the next
    /// piece, unless `is_last`. At a wrong line the events before it are in the batch.
    #[pyo3(signature = (piece, is_last, events_max, batch, until_ns=i64::MAX))]
    fn decode_capture(
        &mut self,
        py: Python<'_>,
        piece: &[u8],
        is_last: bool,
        events_max: usize,
        batch: &mut PyEventBatch,
        until_ns: i64,
    ) -> PyResult<(usize, bool)> {
        let bounds = CaptureBounds { events_max, until_ns };
        let (decoder, events) = (&mut self.inner, batch.filling());
        py.detach(|| decoder.decode_capture(piece, is_last, bounds, events))
            .map(|captured| (captured.consumed, captured.is_bounded))
            .map_err(|error| decode_error("line", &error))
    }

    /// Number of messages so far by outcome; `messages` counts all, the wrong ones included.
    #[getter]
    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.inner.counts();
        BTreeMap::from([
            ("messages", counts.messages),
            ("events", counts.events),
            ("unknown_symbols", counts.unknown_symbols),
            ("unknown_types", counts.unknown_types),
            ("off_market", counts.off_market),
            ("empty_sides", counts.empty_sides),
            ("below_lot", counts.below_lot),
            ("controls", counts.controls),
        ])
    }
}

/// Decoder of the book messages of Kraken and OKX, which state checksums.
///
/// `venue` is kraken (WebSocket v2), kraken_v1 or okx; `symbols` are (symbol, instrument_id, tick_size,
/// lot_size) with decimals as text.
#[pyclass(name = "VenueBookDecoder", module = "tradecore._core")]
pub struct PyVenueBookDecoder {
    inner: VenueBookEvents,
}

#[pymethods]
impl PyVenueBookDecoder {
    /// Make a decoder of these symbols.
    #[new]
    fn new(venue: &str, symbols: Vec<(String, u32, String, String)>) -> PyResult<Self> {
        let format = match venue {
            "kraken" => BookFormat::KrakenV2,
            "kraken_v1" => BookFormat::KrakenV1,
            "okx" => BookFormat::Okx,
            _ => return Err(invalid_value("venue", venue, "must be kraken, kraken_v1 or okx")),
        };
        let inner = symbol_specs(symbols).and_then(|specs| VenueBookEvents::new(format, &specs));
        Ok(Self { inner: inner.map_err(|error| value_error(&error))? })
    }

    /// Read one message received at `time_ns` and add its event to the batch; whether there is one.
    ///
    /// Raises
    /// ------
    /// DataError
    ///     When the message is malformed, a number is no whole step or the time falls.
    fn decode(&mut self, time_ns: i64, payload: &[u8], batch: &mut PyEventBatch) -> PyResult<bool> {
        self.inner.decode(time_ns, payload, batch.filling()).map_err(|error| decode_error("message", &error))
    }

    /// Number of messages so far, the wrong ones and those of other pairs included.
    #[getter]
    fn messages(&self) -> u64 {
        self.inner.messages()
    }
}

/// Reads (symbol, instrument_id, tick_size, lot_size).
fn symbol_specs(symbols: Vec<(String, u32, String, String)>) -> Result<Vec<SymbolSpec>, ValueError> {
    let spec = |(symbol, id, tick_size, lot_size): (String, u32, String, String)| {
        Ok(SymbolSpec {
            symbol,
            instrument: InstrumentId(id),
            tick_size: Decimal::parse("tick_size", &tick_size)?,
            lot_size: Decimal::parse("lot_size", &lot_size)?,
        })
    };
    symbols.into_iter().map(spec).collect()
}

/// Of each instrument in a batch, by its number, the number of its last trade; and when its last bar closed.
#[pyfunction]
fn last_seen(batch: &PyEventBatch) -> (BTreeMap<u32, u64>, BTreeMap<u32, i64>) {
    let (mut trades, mut bars) = (BTreeMap::new(), BTreeMap::new());
    for Event { instrument, time_ns, body } in &batch.events().events {
        match body {
            EventBody::Trade(trade) if trade.trade_id != 0 => {
                trades.insert(instrument.0, trade.trade_id);
            }
            EventBody::Bar(_) => {
                bars.insert(instrument.0, *time_ns);
            }
            _ => {}
        }
    }
    (trades, bars)
}

/// The events of a batch as tuples (kind, time_ns, instrument_id, values...), for tests and tools.
///
/// The values are those the method of the batch with the name of the kind takes; levels are lists of
/// (price_ticks, lots).
#[pyfunction]
fn read_events<'py>(py: Python<'py>, batch: &PyEventBatch) -> PyResult<Bound<'py, PyList>> {
    let pairs =
        |levels: &[Level]| levels.iter().map(|level| (level.price_ticks, level.lots)).collect::<Vec<_>>();
    let list = PyList::empty(py);
    for event in &batch.events().events {
        let (time, id) = (event.time_ns, event.instrument.0);
        match event.body {
            EventBody::Bar(bar) => {
                let prices = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks);
                list.append((
                    "bar",
                    time,
                    id,
                    bar.open_time_ns,
                    prices.0,
                    prices.1,
                    prices.2,
                    prices.3,
                    bar.volume_lots,
                ))?;
            }
            EventBody::Quote(quote) => {
                let (bid, ask) = ((quote.bid_ticks, quote.bid_lots), (quote.ask_ticks, quote.ask_lots));
                list.append(("quote", time, id, bid.0, bid.1, ask.0, ask.1, quote.update_id))?;
            }
            EventBody::Trade(trade) => {
                let is_buy = trade.aggressor == Side::Buy;
                list.append(("trade", time, id, trade.price_ticks, trade.lots, is_buy, trade.trade_id))?;
            }
            EventBody::Book(update) => {
                let (bids, asks) = batch.events().levels_of(&update);
                let is_snapshot = update.kind == tradecore_types::BookUpdateKind::Snapshot;
                let ids = (update.first_id, update.last_id, update.prev_id);
                let (bids, asks) = (pairs(bids), pairs(asks));
                match update.checksum {
                    Some(checksum) => list.append((
                        "book",
                        time,
                        id,
                        is_snapshot,
                        ids.0,
                        ids.1,
                        ids.2,
                        bids,
                        asks,
                        checksum,
                    ))?,
                    None => list.append(("book", time, id, is_snapshot, ids.0, ids.1, ids.2, bids, asks))?,
                }
            }
            EventBody::Flow(Flow::Limit { flow_id, side, price_ticks, lots }) => {
                list.append(("flow_limit", time, id, flow_id, side == Side::Buy, price_ticks, lots))?;
            }
            EventBody::Flow(Flow::Market { side, lots }) => {
                list.append(("flow_market", time, id, side == Side::Buy, lots))?;
            }
            EventBody::Flow(Flow::Cancel { flow_id }) => list.append(("flow_cancel", time, id, flow_id))?,
            EventBody::Feed(FeedState::Lost) => list.append(("feed_lost", time, id))?,
            EventBody::Feed(FeedState::Past) => list.append(("feed_past", time, id))?,
            EventBody::Command(command) => list.append(("command", time, id, command.kind.code()))?,
            EventBody::Mark(mark) => list.append(("mark", time, id, mark.price_ticks))?,
            EventBody::Funding(funding) => {
                list.append(("funding", time, id, funding.rate_ppb, funding.mark_ticks.unwrap_or(0)))?;
            }
            EventBody::Venue(place) => {
                let said = PyDict::new(py);
                if let Some(event) = batch.events().venue_event(place) {
                    put_said(&said, &event.borrowed())?;
                    list.append((event.name(), time, id, said))?;
                }
            }
            EventBody::Clock => list.append(("clock", time, id))?,
            EventBody::Account(place) => {
                let said = batch.events().account_event(place).map(AccountEvent::name);
                list.append((said.unwrap_or_default(), time, id))?;
            }
        }
    }
    Ok(list)
}

/// Names what became of a message.
const fn outcome(decoded: Decoded) -> &'static str {
    match decoded {
        Decoded::Event => "event",
        Decoded::UnknownSymbol => "unknown_symbol",
        Decoded::UnknownType => "unknown_type",
        Decoded::OffMarket => "off_market",
        Decoded::EmptySide => "empty_side",
        Decoded::BelowLot => "below_lot",
        Decoded::Control => "control",
    }
}

/// `DataError` naming the message or line, the field, its value and the broken rule.
fn decode_error(unit: &str, error: &DecodeError) -> PyErr {
    let what = format!("{} {:?}: {}", error.field, error.value, error.rule);
    data_error(&format!("{unit} {}", error.message), &what)
}
