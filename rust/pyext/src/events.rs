//! What a strategy is handed: frozen values with exact ticks and lots, and floats for signals.

use std::sync::Arc;

use pyo3::prelude::*;
use tradecore_types::{Bar, Instrument, Quote, Side, Trade};

use crate::reused::Rewritten;
use crate::words::{Flag, Word};

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBar>()?;
    module.add_class::<PyQuote>()?;
    module.add_class::<PyTrade>()
}

/// The factors from ticks and lots to floats.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    tick: (f64, f64),
    lot: (f64, f64),
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "floats are for signals and display")]
impl Scale {
    /// Reads the factors of an instrument.
    pub fn of(instrument: &Instrument) -> Self {
        let factors =
            |step: tradecore_types::Decimal| (step.mantissa as f64, 10f64.powi(i32::from(step.decimals)));
        Self { tick: factors(instrument.spec.tick_size), lot: factors(instrument.spec.lot_size) }
    }

    /// Returns a price as the nearest float.
    pub fn price(self, ticks: i64) -> f64 {
        ticks as f64 * self.tick.0 / self.tick.1
    }

    /// Returns a size as the nearest float.
    pub fn quantity(self, lots: i64) -> f64 {
        lots as f64 * self.lot.0 / self.lot.1
    }
}

/// What a strategy is shown, with everything an event class needs to show it.
#[derive(Clone, Copy, Debug)]
pub struct Shown<T> {
    pub what: T,
    pub time_ns: i64,
    pub instrument: u32,
    pub scale: Scale,
}

/// A bar with the series that it is of.
#[derive(Clone, Copy, Debug)]
pub struct ShownBar<'a> {
    pub bar: Shown<Bar>,
    pub series: usize,
    /// What the series is called.
    pub timeframe: Option<&'a Arc<str>>,
}

/// Returns the word that Python has for a side: `buy` or `sell`.
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// Returns `buy` or `sell` by whether it is a purchase.
pub fn side_of(is_buy: &Flag) -> &'static str {
    side_name(if is_buy.get() { Side::Buy } else { Side::Sell })
}

/// A finished bar. Prices exist as exact ticks (`close_ticks`) and as floats (`close`).
#[pyclass(name = "Bar", module = "tradecore._core", frozen)]
pub struct PyBar {
    time_ns: Word,
    open_time_ns: Word,
    open_ticks: Word,
    high_ticks: Word,
    low_ticks: Word,
    close_ticks: Word,
    volume_lots: Word,
    instrument: u32,
    scale: Scale,
    series: usize,
    timeframe: Option<Arc<str>>,
}

impl Rewritten for PyBar {
    type From<'a> = ShownBar<'a>;

    fn made(of: &ShownBar<'_>) -> Self {
        let from = &of.bar;
        let Bar { open_time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots } = from.what;
        Self {
            time_ns: Word::new(from.time_ns),
            open_time_ns: Word::new(open_time_ns),
            open_ticks: Word::new(open_ticks),
            high_ticks: Word::new(high_ticks),
            low_ticks: Word::new(low_ticks),
            close_ticks: Word::new(close_ticks),
            volume_lots: Word::new(volume_lots),
            instrument: from.instrument,
            scale: from.scale,
            series: of.series,
            timeframe: of.timeframe.cloned(),
        }
    }

    fn rewrite(&self, of: &ShownBar<'_>) -> bool {
        let from = &of.bar;
        let bar = &from.what;
        self.time_ns.set(from.time_ns);
        self.open_time_ns.set(bar.open_time_ns);
        self.open_ticks.set(bar.open_ticks);
        self.high_ticks.set(bar.high_ticks);
        self.low_ticks.set(bar.low_ticks);
        self.close_ticks.set(bar.close_ticks);
        self.volume_lots.set(bar.volume_lots);
        self.series == of.series
    }
}

#[pymethods]
impl PyBar {
    /// Close of the bar, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns.get()
    }
    /// Opening time of the bar, UTC nanoseconds.
    #[getter]
    fn open_time_ns(&self) -> i64 {
        self.open_time_ns.get()
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Which of the strategy's `bars` it is, as written there: `5m`, `1h`, `input`.
    #[getter]
    fn timeframe(&self) -> &str {
        self.timeframe.as_deref().unwrap_or_default()
    }
    /// Price of the first trade, in ticks.
    #[getter]
    fn open_ticks(&self) -> i64 {
        self.open_ticks.get()
    }
    /// Highest price that was traded, in ticks.
    #[getter]
    fn high_ticks(&self) -> i64 {
        self.high_ticks.get()
    }
    /// Lowest price that was traded, in ticks.
    #[getter]
    fn low_ticks(&self) -> i64 {
        self.low_ticks.get()
    }
    /// Price of the last trade, in ticks.
    #[getter]
    fn close_ticks(&self) -> i64 {
        self.close_ticks.get()
    }
    /// How much was traded, in lots.
    #[getter]
    fn volume_lots(&self) -> i64 {
        self.volume_lots.get()
    }
    /// First price as a float.
    #[getter]
    fn open(&self) -> f64 {
        self.scale.price(self.open_ticks.get())
    }
    /// Highest price as a float.
    #[getter]
    fn high(&self) -> f64 {
        self.scale.price(self.high_ticks.get())
    }
    /// Lowest price as a float.
    #[getter]
    fn low(&self) -> f64 {
        self.scale.price(self.low_ticks.get())
    }
    /// Last price as a float.
    #[getter]
    fn close(&self) -> f64 {
        self.scale.price(self.close_ticks.get())
    }
    /// Traded size as a float.
    #[getter]
    fn volume(&self) -> f64 {
        self.scale.quantity(self.volume_lots.get())
    }
    fn __repr__(&self) -> String {
        format!(
            "Bar(timeframe={:?}, open_time_ns={}, open={}, high={}, low={}, close={}, volume={})",
            self.timeframe(),
            self.open_time_ns.get(),
            self.open(),
            self.high(),
            self.low(),
            self.close(),
            self.volume()
        )
    }
}

/// Best bid and ask. Prices exist as exact ticks (`bid_ticks`) and as floats (`bid`).
#[pyclass(name = "Quote", module = "tradecore._core", frozen)]
pub struct PyQuote {
    time_ns: Word,
    bid_ticks: Word,
    bid_lots: Word,
    ask_ticks: Word,
    ask_lots: Word,
    instrument: u32,
    scale: Scale,
}

impl Rewritten for PyQuote {
    type From<'a> = Shown<Quote>;

    fn made(from: &Shown<Quote>) -> Self {
        let Quote { bid_ticks, bid_lots, ask_ticks, ask_lots, .. } = from.what;
        Self {
            time_ns: Word::new(from.time_ns),
            bid_ticks: Word::new(bid_ticks),
            bid_lots: Word::new(bid_lots),
            ask_ticks: Word::new(ask_ticks),
            ask_lots: Word::new(ask_lots),
            instrument: from.instrument,
            scale: from.scale,
        }
    }

    fn rewrite(&self, from: &Shown<Quote>) -> bool {
        self.time_ns.set(from.time_ns);
        self.bid_ticks.set(from.what.bid_ticks);
        self.bid_lots.set(from.what.bid_lots);
        self.ask_ticks.set(from.what.ask_ticks);
        self.ask_lots.set(from.what.ask_lots);
        self.instrument == from.instrument
    }
}

#[pymethods]
impl PyQuote {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns.get()
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Highest price that somebody pays, in ticks.
    #[getter]
    fn bid_ticks(&self) -> i64 {
        self.bid_ticks.get()
    }
    /// Size at the best bid in lots.
    #[getter]
    fn bid_lots(&self) -> i64 {
        self.bid_lots.get()
    }
    /// Lowest price that somebody sells at, in ticks.
    #[getter]
    fn ask_ticks(&self) -> i64 {
        self.ask_ticks.get()
    }
    /// Size at the best ask in lots.
    #[getter]
    fn ask_lots(&self) -> i64 {
        self.ask_lots.get()
    }
    /// Best bid as a float.
    #[getter]
    fn bid(&self) -> f64 {
        self.scale.price(self.bid_ticks.get())
    }
    /// Best ask as a float.
    #[getter]
    fn ask(&self) -> f64 {
        self.scale.price(self.ask_ticks.get())
    }
    fn __repr__(&self) -> String {
        format!("Quote(time_ns={}, bid={}, ask={})", self.time_ns(), self.bid(), self.ask())
    }
}

/// A trade of others. The price exists as exact ticks (`price_ticks`) and as a float (`price`).
#[pyclass(name = "Trade", module = "tradecore._core", frozen)]
pub struct PyTrade {
    time_ns: Word,
    price_ticks: Word,
    lots: Word,
    is_buy: Flag,
    trade_id: Word,
    instrument: u32,
    scale: Scale,
}

impl Rewritten for PyTrade {
    type From<'a> = Shown<Trade>;

    fn made(from: &Shown<Trade>) -> Self {
        let Trade { price_ticks, lots, aggressor, trade_id } = from.what;
        Self {
            time_ns: Word::new(from.time_ns),
            price_ticks: Word::new(price_ticks),
            lots: Word::new(lots),
            is_buy: Flag::new(aggressor == Side::Buy),
            trade_id: Word::new(trade_id.cast_signed()),
            instrument: from.instrument,
            scale: from.scale,
        }
    }

    fn rewrite(&self, from: &Shown<Trade>) -> bool {
        self.time_ns.set(from.time_ns);
        self.price_ticks.set(from.what.price_ticks);
        self.lots.set(from.what.lots);
        self.is_buy.set(from.what.aggressor == Side::Buy);
        self.trade_id.set(from.what.trade_id.cast_signed());
        self.instrument == from.instrument
    }
}

#[pymethods]
impl PyTrade {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns.get()
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Price in whole ticks, so that no digit of it is rounded.
    #[getter]
    fn price_ticks(&self) -> i64 {
        self.price_ticks.get()
    }
    /// Size in whole lots, so that no digit of it is rounded.
    #[getter]
    fn lots(&self) -> i64 {
        self.lots.get()
    }
    /// Price as a number of the quote currency, for arithmetic that may round.
    #[getter]
    fn price(&self) -> f64 {
        self.scale.price(self.price_ticks.get())
    }
    /// Size as a number of units, for arithmetic that may round.
    #[getter]
    fn quantity(&self) -> f64 {
        self.scale.quantity(self.lots.get())
    }
    /// Side that took liquidity: `buy` or `sell`.
    #[getter]
    fn aggressor(&self) -> &'static str {
        side_of(&self.is_buy)
    }
    /// The venue's number of the trade; 0 when it gives none.
    #[getter]
    fn trade_id(&self) -> u64 {
        self.trade_id.get().cast_unsigned()
    }
    fn __repr__(&self) -> String {
        format!(
            "Trade(time_ns={}, price={}, quantity={}, aggressor={:?})",
            self.time_ns(),
            self.price(),
            self.quantity(),
            self.aggressor()
        )
    }
}
