//! Indicators over whole arrays.
//!
//! Other threads run meanwhile where the inputs are read-only arrays with memory of their own and the output is a new
//! one. Else the interpreter lock is held, so that no Python code changes them; what numpy itself writes in another
//! thread, which holds no lock, is the caller's to keep apart.

use numpy::PyArray1;
use pyo3::prelude::*;
use tradecore_indicators::{Atr, Bollinger, Ema, Keltner, Macd, Rsi, Sma};

use super::arrays::{Series, ThreeArrays, fill_one, fill_three};
use super::{Period, seed_of};
use crate::errors::value_error;

type Any<'py> = Bound<'py, PyAny>;
type Array<'py> = Bound<'py, PyArray1<f64>>;

/// Adds the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sma, module)?)?;
    module.add_function(wrap_pyfunction!(ema, module)?)?;
    module.add_function(wrap_pyfunction!(rsi, module)?)?;
    module.add_function(wrap_pyfunction!(atr, module)?)?;
    module.add_function(wrap_pyfunction!(bollinger, module)?)?;
    module.add_function(wrap_pyfunction!(macd, module)?)?;
    module.add_function(wrap_pyfunction!(keltner, module)?)
}

/// Return the mean of the last `period` values, for each value.
///
/// Parameters
/// ----------
/// values : numpy.ndarray
///     One-dimensional float64; a strided array is copied. NaN, infinite and values beyond 1e100 are skipped.
/// period : int
///     From 1 to 1,000,000.
/// out : numpy.ndarray, optional
///     Contiguous float64 array of the same length to write to; shares no memory with an input.
///
/// Returns
/// -------
/// numpy.ndarray
///     `out`, or a new array: NaN until `period` values were seen, and where a value was skipped.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
#[pyfunction]
#[pyo3(signature = (values, period, *, out=None))]
fn sma<'py>(
    py: Python<'py>,
    values: &Any<'py>,
    period: Period,
    out: Option<&Any<'py>>,
) -> PyResult<Array<'py>> {
    let mut sma = Sma::new(period.named("period")?).map_err(|error| value_error(&error))?;
    let series = Series::of("values", values)?;
    let values = series.as_slice();
    fill_one(py, series.is_still(), values.len(), out, |out| sma.run(values, out))
}

/// Return the exponential average with factor `2 / (period + 1)`, for each value.
///
/// Parameters
/// ----------
/// values : numpy.ndarray
///     One-dimensional float64; a strided array is copied. NaN, infinite and values beyond 1e100 are skipped.
/// period : int
///     From 1 to 1,000,000.
/// seed : {"sma", "first"}, default "sma"
///     Start from the mean of the first `period` values (TA-Lib), or from the first value (pandas
///     `ewm(span=period, adjust=False)`).
/// out : numpy.ndarray, optional
///     Contiguous float64 array of the same length to write to; shares no memory with an input.
///
/// Returns
/// -------
/// numpy.ndarray
///     `out`, or a new array: NaN until `period` values were seen (one value with seed "first"), and
///     where a value was skipped.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
#[pyfunction]
#[pyo3(signature = (values, period, *, seed="sma", out=None))]
fn ema<'py>(
    py: Python<'py>,
    values: &Any<'py>,
    period: Period,
    seed: &str,
    out: Option<&Any<'py>>,
) -> PyResult<Array<'py>> {
    let mut ema = Ema::new(period.named("period")?, seed_of(seed)?).map_err(|error| value_error(&error))?;
    let series = Series::of("values", values)?;
    let values = series.as_slice();
    fill_one(py, series.is_still(), values.len(), out, |out| ema.run(values, out))
}

/// Return Wilder's relative strength index, 0 to 100, for each value.
///
/// Parameters
/// ----------
/// values : numpy.ndarray
///     One-dimensional float64; a strided array is copied. NaN, infinite and values beyond 1e100 are skipped.
/// period : int
///     From 1 to 1,000,000.
/// out : numpy.ndarray, optional
///     Contiguous float64 array of the same length to write to; shares no memory with an input.
///
/// Returns
/// -------
/// numpy.ndarray
///     `out`, or a new array: NaN until `period + 1` values were seen, and where a value was skipped. A
///     series that never moved gives 0, as in TA-Lib.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section VI.
#[pyfunction]
#[pyo3(signature = (values, period, *, out=None))]
fn rsi<'py>(
    py: Python<'py>,
    values: &Any<'py>,
    period: Period,
    out: Option<&Any<'py>>,
) -> PyResult<Array<'py>> {
    let mut rsi = Rsi::new(period.named("period")?).map_err(|error| value_error(&error))?;
    let series = Series::of("values", values)?;
    let values = series.as_slice();
    fill_one(py, series.is_still(), values.len(), out, |out| rsi.run(values, out))
}

/// Return Wilder's average true range, in units of price, for each bar.
///
/// Parameters
/// ----------
/// high, low, close : numpy.ndarray
///     One-dimensional float64 of one length; strided arrays are copied. A bar with a NaN, an infinite
///     value or one beyond 1e100 is skipped.
/// period : int
///     From 1 to 1,000,000.
/// out : numpy.ndarray, optional
///     Contiguous float64 array of the same length to write to; shares no memory with an input.
///
/// Returns
/// -------
/// numpy.ndarray
///     `out`, or a new array: NaN until `period + 1` bars were seen, and where a bar was skipped.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Welles Wilder, "New Concepts in Technical Trading Systems", 1978, section III.
#[pyfunction]
#[pyo3(signature = (high, low, close, period, *, out=None))]
fn atr<'py>(
    py: Python<'py>,
    high: &Any<'py>,
    low: &Any<'py>,
    close: &Any<'py>,
    period: Period,
    out: Option<&Any<'py>>,
) -> PyResult<Array<'py>> {
    let mut atr = Atr::new(period.named("period")?).map_err(|error| value_error(&error))?;
    let (high, low, close) =
        (Series::of("high", high)?, Series::of("low", low)?, Series::of("close", close)?);
    let is_still = high.is_still() && low.is_still() && close.is_still();
    let (high, low, close) = (high.as_slice(), low.as_slice(), close.as_slice());
    fill_one(py, is_still, high.len(), out, |out| atr.run(high, low, close, out))
}

/// Return Bollinger bands: the mean of the last `period` values, and population sigmas around it.
///
/// Parameters
/// ----------
/// values : numpy.ndarray
///     One-dimensional float64; a strided array is copied. NaN, infinite and values beyond 1e100 are skipped.
/// period : int
///     From 1 to 1,000,000.
/// deviations : float, default 2.0
///     Distance of the bands from the middle, in population sigmas; finite and above 0.
/// out : tuple of three numpy.ndarray, optional
///     Contiguous float64 arrays of the same length to write to; share no memory with an input or each other.
///
/// Returns
/// -------
/// tuple of three numpy.ndarray
///     Upper, middle and lower band: NaN until `period` values were seen, and where a value was skipped.
///     The middle equals `sma` in every bit.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// J. Bollinger, "Bollinger on Bollinger Bands", 2001, chapter 7.
#[pyfunction]
#[pyo3(signature = (values, period, deviations=2.0, *, out=None))]
fn bollinger<'py>(
    py: Python<'py>,
    values: &Any<'py>,
    period: Period,
    deviations: f64,
    out: Option<&Any<'py>>,
) -> PyResult<ThreeArrays<'py>> {
    let mut bollinger =
        Bollinger::new(period.named("period")?, deviations).map_err(|error| value_error(&error))?;
    let series = Series::of("values", values)?;
    let values = series.as_slice();
    fill_three(py, series.is_still(), values.len(), out, |outs| bollinger.run(values, outs))
}

/// Return MACD: fast minus slow exponential average, its own average, and their difference.
///
/// Parameters
/// ----------
/// values : numpy.ndarray
///     One-dimensional float64; a strided array is copied. NaN, infinite and values beyond 1e100 are skipped.
/// fast, slow, signal : int, default 12, 26, 9
///     Periods from 1 to 1,000,000; fast below slow.
/// out : tuple of three numpy.ndarray, optional
///     Contiguous float64 arrays of the same length to write to; share no memory with an input or each other.
///
/// Returns
/// -------
/// tuple of three numpy.ndarray
///     Line, signal and histogram: NaN until `slow + signal - 1` values were seen, and where a value was
///     skipped. Both averages start on the same bar, as in TA-Lib.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// G. Appel, "Technical Analysis: Power Tools for Active Investors", 2005, chapter 8.
#[pyfunction]
#[pyo3(
    signature = (values, fast=Period(12), slow=Period(26), signal=Period(9), *, out=None),
    text_signature = "(values, fast=12, slow=26, signal=9, *, out=None)"
)]
fn macd<'py>(
    py: Python<'py>,
    values: &Any<'py>,
    fast: Period,
    slow: Period,
    signal: Period,
    out: Option<&Any<'py>>,
) -> PyResult<ThreeArrays<'py>> {
    let (fast, slow, signal) = (fast.named("fast")?, slow.named("slow")?, signal.named("signal")?);
    let mut macd = Macd::new(fast, slow, signal).map_err(|error| value_error(&error))?;
    let series = Series::of("values", values)?;
    let values = series.as_slice();
    fill_three(py, series.is_still(), values.len(), out, |outs| macd.run(values, outs))
}

/// Return Keltner's channel: the exponential average of the close, and multiples of ATR around it.
///
/// Parameters
/// ----------
/// high, low, close : numpy.ndarray
///     One-dimensional float64 of one length; strided arrays are copied. A bar with a NaN, an infinite
///     value or one beyond 1e100 is skipped.
/// period, atr_period : int, default 20, 10
///     Periods of the average and of the ATR, from 1 to 1,000,000.
/// multiple : float, default 2.0
///     Distance of the bands from the middle, in ATRs; finite and above 0.
/// out : tuple of three numpy.ndarray, optional
///     Contiguous float64 arrays of the same length to write to; share no memory with an input or each other.
///
/// Returns
/// -------
/// tuple of three numpy.ndarray
///     Upper, middle and lower band: NaN until `max(period, atr_period + 1)` bars were seen, and where a bar
///     was skipped.
///
/// Raises
/// ------
/// InvalidValueError
///     When an argument breaks one of the rules above.
///
/// Source
/// ------
/// stockcharts.com, "Keltner Channels" (the form of Linda Bradford Raschke).
#[pyfunction]
#[pyo3(
    signature = (high, low, close, period=Period(20), atr_period=Period(10), multiple=2.0, *, out=None),
    text_signature = "(high, low, close, period=20, atr_period=10, multiple=2.0, *, out=None)"
)]
#[expect(clippy::too_many_arguments, reason = "they are the keywords of the Python function")]
fn keltner<'py>(
    py: Python<'py>,
    high: &Any<'py>,
    low: &Any<'py>,
    close: &Any<'py>,
    period: Period,
    atr_period: Period,
    multiple: f64,
    out: Option<&Any<'py>>,
) -> PyResult<ThreeArrays<'py>> {
    let (period, atr_period) = (period.named("period")?, atr_period.named("atr_period")?);
    let mut keltner = Keltner::new(period, atr_period, multiple).map_err(|error| value_error(&error))?;
    let (high, low, close) =
        (Series::of("high", high)?, Series::of("low", low)?, Series::of("close", close)?);
    let is_still = high.is_still() && low.is_still() && close.is_still();
    let (high, low, close) = (high.as_slice(), low.as_slice(), close.as_slice());
    fill_three(py, is_still, high.len(), out, |outs| keltner.run(high, low, close, outs))
}
