//! Views of the engine's own state: what a strategy keeps and reads again and again.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use tradecore_types::{InstrumentId, Level, Side};

use crate::kernel::PyKernel;

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
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }

    /// Whether the book is known to be right; an invalid book shows nothing.
    #[getter]
    fn is_valid(&self, py: Python<'_>) -> bool {
        self.kernel.borrow(py).kernel.book(InstrumentId(self.instrument)).is_some()
    }

    /// Highest bid in ticks, or None.
    #[getter]
    fn best_bid_ticks(&self, py: Python<'_>) -> Option<i64> {
        self.kernel.borrow(py).kernel.best(InstrumentId(self.instrument)).0
    }

    /// Lowest ask in ticks, or None.
    #[getter]
    fn best_ask_ticks(&self, py: Python<'_>) -> Option<i64> {
        self.kernel.borrow(py).kernel.best(InstrumentId(self.instrument)).1
    }

    /// The best `count` bids as (price_ticks, lots), best first.
    fn bids(&self, py: Python<'_>, count: usize) -> Vec<(i64, i64)> {
        self.side(py, Side::Buy, count)
    }

    /// The best `count` asks as (price_ticks, lots), best first.
    fn asks(&self, py: Python<'_>, count: usize) -> Vec<(i64, i64)> {
        self.side(py, Side::Sell, count)
    }
}

impl PyBook {
    fn side(&self, py: Python<'_>, side: Side, count: usize) -> Vec<(i64, i64)> {
        let kernel = self.kernel.borrow(py);
        let Some(book) = kernel.kernel.book(InstrumentId(self.instrument)) else { return Vec::new() };
        let mut levels = vec![Level::default(); count.min(tradecore_book::LEVELS_MAX)];
        let filled = book.top(side, &mut levels);
        levels.iter().take(filled).map(|level| (level.price_ticks, level.lots)).collect()
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
    fn read(&self, py: Python<'_>) -> ([f64; 3], [f64; 3]) {
        let values = self.kernel.borrow(py).kernel.indicator(self.series, self.index);
        values.map_or(([f64::NAN; 3], [f64::NAN; 3]), |values| (values.now, values.previous))
    }
}

#[pymethods]
impl PyIndicator {
    /// First output after the last bar; NaN until warm.
    #[getter]
    fn value(&self, py: Python<'_>) -> f64 {
        self.read(py).0[0]
    }

    /// First output one bar before; NaN until then warm.
    #[getter]
    fn previous(&self, py: Python<'_>) -> f64 {
        self.read(py).1[0]
    }

    /// Every output after the last bar; NaN until warm.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (now, _) = self.read(py);
        PyTuple::new(py, now.iter().take(self.outputs))
    }

    /// Whether it has seen enough bars.
    #[getter]
    fn is_warm(&self, py: Python<'_>) -> bool {
        self.kernel.borrow(py).kernel.is_warm(self.series, self.index)
    }

    /// Whether it was below another indicator one bar before and is above it now; False until both are warm.
    fn crossed_above(&self, py: Python<'_>, other: &Self) -> bool {
        let (mine, mine_before) = self.read(py);
        let (theirs, theirs_before) = other.read(py);
        mine_before[0] < theirs_before[0] && mine[0] > theirs[0]
    }
}
