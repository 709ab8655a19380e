//! Indicators fed bar by bar.

use pyo3::prelude::*;
use tradecore_indicators::{Atr, Bollinger, Ema, Keltner, Macd, Rsi, Sma};

use super::{Period, seed_of};
use crate::errors::value_error;

/// Adds the classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StreamingSma>()?;
    module.add_class::<StreamingEma>()?;
    module.add_class::<StreamingRsi>()?;
    module.add_class::<StreamingAtr>()?;
    module.add_class::<StreamingBollinger>()?;
    module.add_class::<StreamingMacd>()?;
    module.add_class::<StreamingKeltner>()
}

/// Mean of the last `period` values, fed one by one.
///
/// Parameters
/// ----------
/// period : int
///     From 1 to 1,000,000.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
#[pyclass(module = "tradecore.strategy.indicators", name = "Sma")]
pub struct StreamingSma(Sma);

#[pymethods]
impl StreamingSma {
    #[new]
    #[pyo3(signature = (period))]
    fn new(period: Period) -> PyResult<Self> {
        Sma::new(period.named("period")?).map(Self).map_err(|error| value_error(&error))
    }

    /// Take a value and return the new value: NaN until warm, or when the value is skipped.
    ///
    /// A skipped value (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, value: f64) -> f64 {
        self.0.update(value)
    }

    /// Take a value and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, value: f64) {
        self.0.update(value);
    }

    /// The value after the last usable value; NaN until warm.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value()
    }

    /// Whether there is a value.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable values up to and including the first value: `period`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Exponential average with factor `2 / (period + 1)`, fed one by one.
///
/// Parameters
/// ----------
/// period : int
///     From 1 to 1,000,000.
/// seed : {"sma", "first"}, default "sma"
///     Start from the mean of the first `period` values, or from the first value.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
#[pyclass(module = "tradecore.strategy.indicators", name = "Ema")]
pub struct StreamingEma(Ema);

#[pymethods]
impl StreamingEma {
    #[new]
    #[pyo3(signature = (period, *, seed="sma"))]
    fn new(period: Period, seed: &str) -> PyResult<Self> {
        Ema::new(period.named("period")?, seed_of(seed)?).map(Self).map_err(|error| value_error(&error))
    }

    /// Take a value and return the new value: NaN until warm, or when the value is skipped.
    ///
    /// A skipped value (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, value: f64) -> f64 {
        self.0.update(value)
    }

    /// Take a value and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, value: f64) {
        self.0.update(value);
    }

    /// The value after the last usable value; NaN until warm.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value()
    }

    /// Whether there is a value.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable values up to and including the first value: `period`, or 1 with seed "first".
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Wilder's relative strength index, 0 to 100, fed one by one.
///
/// Parameters
/// ----------
/// period : int
///     From 1 to 1,000,000.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section VI.
#[pyclass(module = "tradecore.strategy.indicators", name = "Rsi")]
pub struct StreamingRsi(Rsi);

#[pymethods]
impl StreamingRsi {
    #[new]
    #[pyo3(signature = (period))]
    fn new(period: Period) -> PyResult<Self> {
        Rsi::new(period.named("period")?).map(Self).map_err(|error| value_error(&error))
    }

    /// Take a value and return the new value: NaN until warm, or when the value is skipped.
    ///
    /// A skipped value (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, value: f64) -> f64 {
        self.0.update(value)
    }

    /// Take a value and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, value: f64) {
        self.0.update(value);
    }

    /// The value after the last usable value; NaN until warm.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value()
    }

    /// Whether there is a value.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable values up to and including the first value: `period + 1`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Wilder's average true range, fed bar by bar.
///
/// Parameters
/// ----------
/// period : int
///     From 1 to 1,000,000.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section III.
#[pyclass(module = "tradecore.strategy.indicators", name = "Atr")]
pub struct StreamingAtr(Atr);

#[pymethods]
impl StreamingAtr {
    #[new]
    #[pyo3(signature = (period))]
    fn new(period: Period) -> PyResult<Self> {
        Atr::new(period.named("period")?).map(Self).map_err(|error| value_error(&error))
    }

    /// Take a bar and return the new value: NaN until warm, or when the bar is skipped.
    ///
    /// A skipped bar (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, high: f64, low: f64, close: f64) -> f64 {
        self.0.update(high, low, close)
    }

    /// Take a bar and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, high: f64, low: f64, close: f64) {
        self.0.update(high, low, close);
    }

    /// The value after the last usable bar; NaN until warm.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value()
    }

    /// Whether there is a value.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable bars up to and including the first value: `period + 1`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Bollinger bands around the mean of the last `period` values, fed one by one.
///
/// Parameters
/// ----------
/// period : int
///     From 1 to 1,000,000.
/// deviations : float, default 2.0
///     Distance of the bands from the middle, in population sigmas; finite and above 0.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Bollinger, "Bollinger on Bollinger Bands", 2001, chapter 7.
#[pyclass(module = "tradecore.strategy.indicators", name = "Bollinger")]
pub struct StreamingBollinger(Bollinger);

#[pymethods]
impl StreamingBollinger {
    #[new]
    #[pyo3(signature = (period, deviations=2.0))]
    fn new(period: Period, deviations: f64) -> PyResult<Self> {
        Bollinger::new(period.named("period")?, deviations).map(Self).map_err(|error| value_error(&error))
    }

    /// Take a value and return upper, middle and lower band: NaN until warm, or when the value is skipped.
    ///
    /// A skipped value (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, value: f64) -> (f64, f64, f64) {
        self.0.update(value).into()
    }

    /// Take a value and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, value: f64) {
        self.0.update(value);
    }

    /// Upper, middle and lower band after the last usable value; NaN until warm.
    #[getter]
    fn values(&self) -> (f64, f64, f64) {
        self.0.values().into()
    }

    /// Whether there are values.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable values up to and including the first values: `period`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Fast minus slow exponential average, its own average, and their difference, fed one by one.
///
/// Parameters
/// ----------
/// fast, slow, signal : int, default 12, 26, 9
///     Periods from 1 to 1,000,000; fast below slow.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// G. Appel, "Technical Analysis: Power Tools for Active Investors", 2005, chapter 8.
#[pyclass(module = "tradecore.strategy.indicators", name = "Macd")]
pub struct StreamingMacd(Macd);

#[pymethods]
impl StreamingMacd {
    #[new]
    #[pyo3(signature = (fast=Period(12), slow=Period(26), signal=Period(9)))]
    #[pyo3(text_signature = "(fast=12, slow=26, signal=9)")]
    fn new(fast: Period, slow: Period, signal: Period) -> PyResult<Self> {
        Macd::new(fast.named("fast")?, slow.named("slow")?, signal.named("signal")?)
            .map(Self)
            .map_err(|error| value_error(&error))
    }

    /// Take a value and return line, signal and histogram: NaN until warm, or when the value is skipped.
    ///
    /// A skipped value (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, value: f64) -> (f64, f64, f64) {
        self.0.update(value).into()
    }

    /// Take a value and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, value: f64) {
        self.0.update(value);
    }

    /// Line, signal and histogram after the last usable value; NaN until warm.
    #[getter]
    fn values(&self) -> (f64, f64, f64) {
        self.0.values().into()
    }

    /// Whether there are values.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable values up to and including the first values: `slow + signal - 1`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}

/// Exponential average of the close, and multiples of ATR around it, fed bar by bar.
///
/// Parameters
/// ----------
/// period, atr_period : int, default 20, 10
///     Periods of the average and of the ATR, from 1 to 1,000,000.
/// multiple : float, default 2.0
///     Distance of the bands from the middle, in ATRs; finite and above 0.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// stockcharts.com, "Keltner Channels" (the form of Linda Bradford Raschke).
#[pyclass(module = "tradecore.strategy.indicators", name = "Keltner")]
pub struct StreamingKeltner(Keltner);

#[pymethods]
impl StreamingKeltner {
    #[new]
    #[pyo3(signature = (period=Period(20), atr_period=Period(10), multiple=2.0))]
    #[pyo3(text_signature = "(period=20, atr_period=10, multiple=2.0)")]
    fn new(period: Period, atr_period: Period, multiple: f64) -> PyResult<Self> {
        Keltner::new(period.named("period")?, atr_period.named("atr_period")?, multiple)
            .map(Self)
            .map_err(|error| value_error(&error))
    }

    /// Take a bar and return upper, middle and lower band: NaN until warm, or when the bar is skipped.
    ///
    /// A skipped bar (NaN, infinite, beyond 1e100) changes nothing.
    fn update(&mut self, high: f64, low: f64, close: f64) -> (f64, f64, f64) {
        self.0.update(high, low, close).into()
    }

    /// Take a bar and return nothing: less work where the new value is asked for later, if at all.
    fn feed(&mut self, high: f64, low: f64, close: f64) {
        self.0.update(high, low, close);
    }

    /// Upper, middle and lower band after the last usable bar; NaN until warm.
    #[getter]
    fn values(&self) -> (f64, f64, f64) {
        self.0.values().into()
    }

    /// Whether there are values.
    #[getter]
    fn is_warm(&self) -> bool {
        self.0.is_warm()
    }

    /// Usable bars up to and including the first values: `max(period, atr_period + 1)`.
    #[getter]
    fn warm_up_bars(&self) -> usize {
        self.0.warm_up_bars()
    }
}
