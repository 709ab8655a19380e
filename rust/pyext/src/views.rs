//! Views of the engine's own state: what a strategy keeps and reads again and again.

use numpy::PyArray3;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};
use tradecore_book::{Depth, QuoteDepth, analytics};
use tradecore_types::{InstrumentId, Level, Quote, Side};

use crate::access::looked_into;
use crate::kernel::PyKernel;
use crate::liquidity::{self, PyOwnLevels, VolumeTuple};

/// What an invalid book shows.
const NOTHING: QuoteDepth =
    QuoteDepth(Quote { bid_ticks: 0, bid_lots: 0, ask_ticks: 0, ask_lots: 0, update_id: 0 });

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBook>()?;
    module.add_class::<PyIndicator>()
}

/// The book of one instrument; reads the engine's own book, so keep what you need, not the object.
#[pyclass(name = "Book", module = "tradecore._core", frozen)]
pub struct PyBook {
    pub kernel: Py<PyKernel>,
    pub instrument: u32,
}

#[pymethods]
impl PyBook {
    /// Shows the garbage collector the engine, whose decision gates may lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.kernel)
    }

    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }

    /// Whether the book is known to be right; an invalid book shows nothing.
    #[getter]
    fn is_valid(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(looked_into(&self.kernel, py)?.kernel.book(InstrumentId(self.instrument)).is_some())
    }

    /// Highest bid in ticks, or None.
    #[getter]
    fn best_bid_ticks(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        Ok(looked_into(&self.kernel, py)?.kernel.best(InstrumentId(self.instrument)).0)
    }

    /// Lowest ask in ticks, or None.
    #[getter]
    fn best_ask_ticks(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        Ok(looked_into(&self.kernel, py)?.kernel.best(InstrumentId(self.instrument)).1)
    }

    /// The best `count` bids as (price_ticks, lots), best first.
    fn bids(&self, py: Python<'_>, count: usize) -> PyResult<Vec<(i64, i64)>> {
        self.side(py, Side::Buy, count)
    }

    /// The best `count` asks as (price_ticks, lots), best first.
    fn asks(&self, py: Python<'_>, count: usize) -> PyResult<Vec<(i64, i64)>> {
        self.side(py, Side::Sell, count)
    }

    /// The best `n` levels of both sides, best first; zeros where a side has fewer or the book is invalid.
    ///
    /// Parameters
    /// ----------
    /// n : int
    ///     Levels a side.
    /// out : numpy.ndarray, optional
    ///     int64 of shape (2, n, 2) to write into; a new one when it is left out.
    /// own : OwnLevels, optional
    ///     Own orders to leave out.
    ///
    /// Returns
    /// -------
    /// numpy.ndarray
    ///     int64 of shape (2, n, 2): side (bids, asks), level, price in ticks and size in lots.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When `out` has another shape or cannot be written to, or `n` is above 65,536.
    #[pyo3(signature = (n, out=None, own=None))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        out: Option<Bound<'py, PyArray3<i64>>>,
        own: Option<&PyOwnLevels>,
    ) -> PyResult<Bound<'py, PyArray3<i64>>> {
        self.seen(py, own, |depth| liquidity::write_top(py, depth, n, out))?
    }

    /// Size and value within some ticks of the best price of a side, that price included.
    ///
    /// Parameters
    /// ----------
    /// side : int
    ///     0 (bids) or 1 (asks).
    /// ticks : int
    ///     Distance from the best price of that side, in ticks.
    /// own : OwnLevels, optional
    ///     Own orders to leave out.
    ///
    /// Returns
    /// -------
    /// tuple[int, int, int, int]
    ///     Levels, lots, value in ticks times lots (exact), worst price in ticks; zeros for nothing.
    #[pyo3(signature = (side, ticks, own=None))]
    fn volume_within_ticks(
        &self,
        py: Python<'_>,
        side: u8,
        ticks: i64,
        own: Option<&PyOwnLevels>,
    ) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_within_ticks(depth, side, ticks);
        liquidity::volume_tuple(self.seen(py, own, look)?)
    }

    /// Size and value of a side within some basis points of the middle price; zeros when a side is empty.
    ///
    /// As `volume_within_ticks`, with `bps` an int: whole basis points, from 0 to 2**32 - 1.
    #[pyo3(signature = (side, bps, own=None))]
    fn volume_within_bps(
        &self,
        py: Python<'_>,
        side: u8,
        bps: u32,
        own: Option<&PyOwnLevels>,
    ) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_within_bps(depth, side, bps);
        liquidity::volume_tuple(self.seen(py, own, look)?)
    }

    /// What an order for `lots` would take from a side: 1 (asks) to buy, 0 (bids) to sell.
    ///
    /// As `volume_within_ticks`; the lots are fewer than asked for when the side does not hold them.
    #[pyo3(signature = (side, lots, own=None))]
    fn volume_to_size(
        &self,
        py: Python<'_>,
        side: u8,
        lots: i64,
        own: Option<&PyOwnLevels>,
    ) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_to_size(depth, side, lots);
        liquidity::volume_tuple(self.seen(py, own, look)?)
    }

    /// Average price in ticks (a float) of an order for `lots`; None when the side does not hold them.
    #[pyo3(signature = (side, lots, own=None))]
    fn vwap_ticks(
        &self,
        py: Python<'_>,
        side: u8,
        lots: i64,
        own: Option<&PyOwnLevels>,
    ) -> PyResult<Option<f64>> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_to_size(depth, side, lots);
        let volume = self.seen(py, own, look)?;
        liquidity::volume_tuple(volume)?;
        Ok(volume.filter(|taken| taken.lots == i128::from(lots)).and_then(|taken| taken.vwap_ticks()))
    }

    /// `(bids - asks) / (bids + asks)` of the lots of the best `n` levels a side, -1 to 1; None if empty.
    #[pyo3(signature = (n, own=None))]
    fn imbalance(&self, py: Python<'_>, n: usize, own: Option<&PyOwnLevels>) -> PyResult<Option<f64>> {
        let look = |depth: &dyn Depth| analytics::imbalance(depth, n);
        self.seen(py, own, look)
    }

    /// Middle of best bid and best ask in ticks, a float; None when a side is empty.
    #[pyo3(signature = (own=None))]
    fn mid_ticks(&self, py: Python<'_>, own: Option<&PyOwnLevels>) -> PyResult<Option<f64>> {
        self.seen(py, own, analytics::mid_ticks)
    }

    /// Middle in ticks weighted by the lots of the other side, a float; None when a side is empty.
    #[pyo3(signature = (own=None))]
    fn microprice_ticks(&self, py: Python<'_>, own: Option<&PyOwnLevels>) -> PyResult<Option<f64>> {
        self.seen(py, own, analytics::microprice_ticks)
    }
}

impl PyBook {
    /// Shows the levels of a valid book, and none of another.
    fn seen<T>(
        &self,
        py: Python<'_>,
        own: Option<&PyOwnLevels>,
        look: impl FnOnce(&dyn Depth) -> T,
    ) -> PyResult<T> {
        let kernel = looked_into(&self.kernel, py)?;
        Ok(match kernel.kernel.book(InstrumentId(self.instrument)) {
            Some(book) => liquidity::seen(book, own, look),
            None => look(&NOTHING),
        })
    }

    fn side(&self, py: Python<'_>, side: Side, count: usize) -> PyResult<Vec<(i64, i64)>> {
        let kernel = looked_into(&self.kernel, py)?;
        let Some(book) = kernel.kernel.book(InstrumentId(self.instrument)) else { return Ok(Vec::new()) };
        let mut levels = vec![Level::default(); count.min(tradecore_book::LEVELS_MAX)];
        let filled = book.top(side, &mut levels);
        Ok(levels.iter().take(filled).map(|level| (level.price_ticks, level.lots)).collect())
    }
}

/// An indicator that follows a series inside the engine; its values change from bar to bar.
#[pyclass(name = "Indicator", module = "tradecore._core", frozen)]
pub struct PyIndicator {
    pub kernel: Py<PyKernel>,
    pub series: usize,
    pub index: usize,
    pub outputs: usize,
}

impl PyIndicator {
    fn read(&self, py: Python<'_>) -> PyResult<([f64; 3], [f64; 3])> {
        let values = looked_into(&self.kernel, py)?.kernel.indicator(self.series, self.index);
        Ok(values.map_or(([f64::NAN; 3], [f64::NAN; 3]), |values| (values.now, values.previous)))
    }
}

#[pymethods]
impl PyIndicator {
    /// Shows the garbage collector the engine, whose decision gates may lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.kernel)
    }

    /// First output after the last bar; NaN until warm.
    #[getter]
    fn value(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.read(py)?.0[0])
    }

    /// First output one bar before; NaN until then warm.
    #[getter]
    fn previous(&self, py: Python<'_>) -> PyResult<f64> {
        Ok(self.read(py)?.1[0])
    }

    /// Every output after the last bar; NaN until warm.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (now, _) = self.read(py)?;
        PyTuple::new(py, now.iter().take(self.outputs))
    }

    /// Whether it has seen enough bars.
    #[getter]
    fn is_warm(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(looked_into(&self.kernel, py)?.kernel.is_warm(self.series, self.index))
    }

    /// Bars that it has seen.
    #[getter]
    fn bars_seen(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(looked_into(&self.kernel, py)?.kernel.bars_seen(self.series))
    }

    /// Bars that it needs before its first value.
    #[getter]
    fn bars_needed(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(looked_into(&self.kernel, py)?.kernel.bars_needed(self.series, self.index))
    }

    /// Whether it was below another indicator one bar before and is above it now; False until both are warm.
    fn crossed_above(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        let (mine, mine_before) = self.read(py)?;
        let (theirs, theirs_before) = other.read(py)?;
        Ok(mine_before[0] < theirs_before[0] && mine[0] > theirs[0])
    }
}
