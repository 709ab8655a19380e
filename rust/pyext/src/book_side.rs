//! One side of a book as a mapping from price to size.

use pyo3::prelude::*;
use tradecore_book::Depth;
use tradecore_types::Side;

use crate::book::PyL2Book;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBookSide>()
}

/// One side of an `L2Book`: lots by price in ticks, as `bids` and `asks` of the book give it.
///
/// It shows the book and holds nothing of its own. Keep it where many single changes are made: `side[price] = lots`
/// takes about 0.6 of the time of `L2Book.set`, because Python hands two values over and packs no arguments.
#[pyclass(name = "BookSide", module = "tradecore._core", frozen, mapping)]
pub struct PyBookSide {
    book: Py<PyL2Book>,
    side: Side,
}

#[pymethods]
impl PyBookSide {
    /// Replaces the size at one price, in lots; 0 takes the level out. Raises as `L2Book.set`.
    fn __setitem__(&self, py: Python<'_>, price_ticks: i64, lots: i64) -> PyResult<()> {
        self.book.bind(py).try_borrow_mut()?.change(self.side, price_ticks, lots)
    }

    /// Takes the level at one price out; nothing happens when nobody is there. Raises as `L2Book.set`.
    fn __delitem__(&self, py: Python<'_>, price_ticks: i64) -> PyResult<()> {
        self.__setitem__(py, price_ticks, 0)
    }

    /// Size at one price, in lots; 0 when nobody is there.
    fn __getitem__(&self, py: Python<'_>, price_ticks: i64) -> PyResult<i64> {
        Ok(self.book.bind(py).try_borrow()?.inner().lots_at(self.side, price_ticks))
    }

    /// How many prices have a size on this side.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.book.bind(py).try_borrow()?.inner().level_count(self.side))
    }
}

impl PyBookSide {
    /// Shows a side of a book.
    pub const fn of(book: Py<PyL2Book>, side: Side) -> Self {
        Self { book, side }
    }
}
