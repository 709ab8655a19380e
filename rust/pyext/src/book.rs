//! Python face of the book crate.

use numpy::{PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use tradecore_book::{Depth, Fault, L2Book, LEVELS_MAX, PRICE_TICKS_MAX, analytics};
use tradecore_types::Side;

use crate::best::Best;
use crate::book_side::PyBookSide;
use crate::errors::invalid_value;
use crate::liquidity::{self, PyOwnLevels, VolumeTuple};
use crate::still::still;
use crate::top_view::PyTopView;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyL2Book>()
}

/// The aggregated book of one instrument: size by price, both sides.
///
/// A side is 0 (bids) or 1 (asks), prices are whole ticks from 1 on, sizes whole lots; a size of 0 takes
/// the level out. A call that raises leaves the book unchanged.
///
/// Parameters
/// ----------
/// levels_max : int
///     Levels a side that the book takes.
#[pyclass(name = "L2Book", module = "tradecore._core")]
pub struct PyL2Book {
    inner: L2Book,
    best: Best,
}

#[pymethods]
impl PyL2Book {
    #[new]
    #[pyo3(signature = (levels_max=LEVELS_MAX))]
    fn new(levels_max: usize) -> Self {
        Self::of(L2Book::new(levels_max))
    }

    /// Replaces the size at one price.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For a side other than 0 and 1, a price below 1, a size below 0, or a level too many.
    fn set(&mut self, side: u8, price_ticks: i64, lots: i64) -> PyResult<()> {
        self.change(side_of(side)?, price_ticks, lots)
    }

    /// The bids as a mapping from price to lots, which follows the book and changes it.
    #[getter]
    fn bids(slf: Py<Self>) -> PyBookSide {
        PyBookSide::of(slf, Side::Buy)
    }

    /// The asks as a mapping from price to lots, which follows the book and changes it.
    #[getter]
    fn asks(slf: Py<Self>) -> PyBookSide {
        PyBookSide::of(slf, Side::Sell)
    }

    /// Replaces many sizes in the order given, all or none of them; other threads run meanwhile.
    ///
    /// Parameters
    /// ----------
    /// side : numpy.ndarray
    ///     uint8, 0 or 1.
    /// price_ticks, lots : numpy.ndarray
    ///     int64, as long as `side`.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For arrays that do not match, or as `set` for any element.
    fn apply(
        &mut self,
        py: Python<'_>,
        side: PyReadonlyArray1<'_, u8>,
        price_ticks: PyReadonlyArray1<'_, i64>,
        lots: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let sides = still("side", &side)?;
        let prices = still("price_ticks", &price_ticks)?;
        let lots = still("lots", &lots)?;
        if prices.len() != sides.len() || lots.len() != sides.len() {
            let lengths = format!("{}, {}, {}", sides.len(), prices.len(), lots.len());
            return Err(invalid_value("side, price_ticks, lots", &lengths, "must have one length"));
        }
        let inner = &mut self.inner;
        let outcome = py.detach(|| {
            if let Some(&bad) = sides.iter().find(|side| **side > 1) {
                return Err(Refused::Side(bad));
            }
            let updates = sides.iter().zip(&*prices).zip(&*lots).map(|((&side, &price), &lots)| {
                (if side == 0 { Side::Buy } else { Side::Sell }, price, lots)
            });
            inner.apply_mixed(updates).map_err(Refused::Fault)
        });
        outcome.map_err(|refused| match refused {
            Refused::Side(side) => side_error(side),
            Refused::Fault(fault) => fault_error(&fault),
        })
    }

    /// Best bid price, its size, best ask price, its size; 0 and 0 for an empty side.
    fn best<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.best.tell(py, &self.inner)
    }

    /// The best `n` levels of both sides, best first.
    ///
    /// Parameters
    /// ----------
    /// n : int
    ///     Levels a side.
    /// out : numpy.ndarray, optional
    ///     int64 of shape (2, n, 2) to write into; a new one when it is left out.
    ///
    /// Returns
    /// -------
    /// numpy.ndarray
    ///     int64 of shape (2, n, 2): side (bids, asks), level, price and size; zeros where a side has fewer.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When `out` has another shape or cannot be written to, or `n` is above 65,536.
    #[pyo3(signature = (n, out=None))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        out: Option<Bound<'py, PyArray3<i64>>>,
    ) -> PyResult<Bound<'py, PyArray3<i64>>> {
        check_count(n)?;
        let out = match out {
            Some(out) if out.shape() == [2, n, 2] => out,
            Some(out) => {
                let rule = format!("must be (2, {n}, 2)");
                return Err(invalid_value("out.shape", &format!("{:?}", out.shape()), &rule));
            }
            None => PyArray3::zeros(py, [2, n, 2], false),
        };
        let mut writable = out.try_readwrite().map_err(|_| not_writable())?;
        write_rows(&self.inner, writable.as_slice_mut().map_err(|_| not_writable())?);
        drop(writable);
        Ok(out)
    }

    /// The best `n` levels of both sides in an array of their own, which is rewritten whenever you ask for it.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When `n` is above 65,536.
    fn top_view(slf: Py<Self>, py: Python<'_>, n: usize) -> PyResult<PyTopView> {
        check_count(n)?;
        PyTopView::new(py, slf, n)
    }

    /// The best `n` levels of both sides without our own orders; parameters and array as of `top`.
    #[pyo3(signature = (n, own, out=None))]
    fn top_without<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        own: &PyOwnLevels,
        out: Option<Bound<'py, PyArray3<i64>>>,
    ) -> PyResult<Bound<'py, PyArray3<i64>>> {
        liquidity::seen(&self.inner, Some(own), |depth| liquidity::write_top(py, depth, n, out))
    }

    /// Every level of one side, best first: int64 of shape (levels, 2), price and size.
    fn levels<'py>(&self, py: Python<'py>, side: u8) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let side = side_of(side)?;
        let mut flat = Vec::with_capacity(self.inner.level_count(side) * 2);
        Depth::walk(&self.inner, side, &mut |level| {
            flat.extend([level.price_ticks, level.lots]);
            true
        });
        let rows = flat.len() / 2;
        numpy::PyArray1::from_vec(py, flat).reshape([rows, 2])
    }

    /// Size at one price of one side; 0 when nobody is there.
    fn lots_at(&self, side: u8, price_ticks: i64) -> PyResult<i64> {
        Ok(self.inner.lots_at(side_of(side)?, price_ticks))
    }

    /// Number of bid and of ask levels.
    fn level_counts(&self) -> (usize, usize) {
        (self.inner.level_count(Side::Buy), self.inner.level_count(Side::Sell))
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
    fn volume_within_ticks(&self, side: u8, ticks: i64, own: Option<&PyOwnLevels>) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_within_ticks(depth, side, ticks);
        liquidity::volume_tuple(liquidity::seen(&self.inner, own, look))
    }

    /// Size and value of a side within some basis points of the middle price; zeros when a side is empty.
    ///
    /// As `volume_within_ticks`, with `bps` an int: whole basis points, from 0 to 2**32 - 1.
    #[pyo3(signature = (side, bps, own=None))]
    fn volume_within_bps(&self, side: u8, bps: u32, own: Option<&PyOwnLevels>) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_within_bps(depth, side, bps);
        liquidity::volume_tuple(liquidity::seen(&self.inner, own, look))
    }

    /// What an order for `lots` would take from a side: 1 (asks) to buy, 0 (bids) to sell.
    ///
    /// As `volume_within_ticks`; the lots are fewer than asked for when the side does not hold them.
    #[pyo3(signature = (side, lots, own=None))]
    fn volume_to_size(&self, side: u8, lots: i64, own: Option<&PyOwnLevels>) -> PyResult<VolumeTuple> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_to_size(depth, side, lots);
        liquidity::volume_tuple(liquidity::seen(&self.inner, own, look))
    }

    /// Average price in ticks (a float) of an order for `lots`; None when the side does not hold them.
    #[pyo3(signature = (side, lots, own=None))]
    fn vwap_ticks(&self, side: u8, lots: i64, own: Option<&PyOwnLevels>) -> PyResult<Option<f64>> {
        let side = liquidity::side_of(side)?;
        let look = |depth: &dyn Depth| analytics::volume_to_size(depth, side, lots);
        let volume = liquidity::seen(&self.inner, own, look);
        liquidity::volume_tuple(volume)?;
        Ok(volume.filter(|taken| taken.lots == i128::from(lots)).and_then(|taken| taken.vwap_ticks()))
    }

    /// `(bids - asks) / (bids + asks)` of the lots of the best `n` levels a side, -1 to 1; None if empty.
    #[pyo3(signature = (n, own=None))]
    fn imbalance(&self, n: usize, own: Option<&PyOwnLevels>) -> Option<f64> {
        let look = |depth: &dyn Depth| analytics::imbalance(depth, n);
        liquidity::seen(&self.inner, own, look)
    }

    /// Middle of best bid and best ask in ticks, a float; None when a side is empty.
    #[pyo3(signature = (own=None))]
    fn mid_ticks(&self, own: Option<&PyOwnLevels>) -> Option<f64> {
        liquidity::seen(&self.inner, own, analytics::mid_ticks)
    }

    /// Middle in ticks weighted by the lots of the other side, a float; None when a side is empty.
    #[pyo3(signature = (own=None))]
    fn microprice_ticks(&self, own: Option<&PyOwnLevels>) -> Option<f64> {
        liquidity::seen(&self.inner, own, analytics::microprice_ticks)
    }

    /// Takes every level out and keeps the memory.
    fn clear(&mut self) {
        self.inner.clear();
    }

    /// Canonical bytes of the levels: equal for equal books, however they came to be.
    fn state<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let mut out = Vec::new();
        self.inner.write_state(&mut out);
        PyBytes::new(py, &out)
    }
}

impl PyL2Book {
    /// Shows a book to Python.
    pub const fn of(inner: L2Book) -> Self {
        Self { inner, best: Best::new() }
    }

    /// Shows the levels to the rest of this crate.
    pub const fn inner(&self) -> &L2Book {
        &self.inner
    }

    /// Replaces the size at one price.
    #[inline]
    pub fn change(&mut self, side: Side, price_ticks: i64, lots: i64) -> PyResult<()> {
        self.inner.set(side, price_ticks, lots).map_err(|fault| fault_error(&fault))
    }
}

/// Writes the best levels of both sides, price and size of each, and zeros after them; bids get half of the cells.
pub fn write_rows(book: &L2Book, cells: &mut [i64]) {
    let (bids, asks) = cells.split_at_mut(cells.len() / 2);
    for (side, cells) in [(Side::Buy, bids), (Side::Sell, asks)] {
        let mut rows = cells.chunks_exact_mut(2);
        book.visit(side, |level| match rows.next() {
            Some(row) => {
                row.copy_from_slice(&[level.price_ticks, level.lots]);
                true
            }
            None => false,
        });
        rows.for_each(|row| row.fill(0));
    }
}

/// Why a batch was not taken.
enum Refused {
    Side(u8),
    Fault(Fault),
}

#[inline]
fn side_of(side: u8) -> PyResult<Side> {
    match side {
        0 => Ok(Side::Buy),
        1 => Ok(Side::Sell),
        _ => Err(side_error(side)),
    }
}

fn check_count(n: usize) -> PyResult<()> {
    if n > LEVELS_MAX {
        return Err(invalid_value("n", &n.to_string(), &format!("must be at most {LEVELS_MAX}")));
    }
    Ok(())
}

fn not_writable() -> PyErr {
    invalid_value("out", "array", "must be contiguous, writable and not in use elsewhere")
}

fn side_error(side: u8) -> PyErr {
    invalid_value("side", &side.to_string(), "must be 0 (bids) or 1 (asks)")
}

fn fault_error(fault: &Fault) -> PyErr {
    match *fault {
        Fault::MalformedLevel { price_ticks, .. } if !(1..=PRICE_TICKS_MAX).contains(&price_ticks) => {
            invalid_value("price_ticks", &price_ticks.to_string(), "must be from 1 to 2**60")
        }
        Fault::MalformedLevel { lots, .. } => {
            invalid_value("lots", &lots.to_string(), "must not be negative")
        }
        Fault::TooManyLevels { levels_max } => invalid_value(
            "levels",
            &(levels_max + 1).to_string(),
            &format!("must be at most {levels_max} a side"),
        ),
        ref other => invalid_value("book", &other.to_string(), "must be a change that a book can take"),
    }
}
