//! What both Python books say about liquidity, and the own orders that can be left out of it.

use numpy::{PyArray3, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::prelude::*;
use tradecore_book::analytics::Volume;
use tradecore_book::{Depth, LEVELS_MAX, OwnFault, OwnLevels, PRICE_TICKS_MAX, WithoutOwn};
use tradecore_types::Side;

use crate::errors::invalid_value;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOwnLevels>()
}

/// Levels, lots, value in ticks times lots, and the worst price in ticks.
pub type VolumeTuple = (usize, i128, i128, i64);

/// Our own resting lots by price, to be left out of a book whose feed shows them.
///
/// Room is taken once; prices are ticks from 1 on, sizes lots, a side is 0 (bids) or 1 (asks). Give it to
/// the `own` parameter of a book. Not for backtests: there the recorded book never held our orders.
///
/// Parameters
/// ----------
/// levels_max : int
///     Prices a side that it takes, at most 65,536.
#[pyclass(name = "OwnLevels", module = "tradecore._core")]
pub struct PyOwnLevels {
    inner: OwnLevels,
}

#[pymethods]
impl PyOwnLevels {
    #[new]
    #[pyo3(signature = (levels_max=64))]
    fn new(levels_max: usize) -> PyResult<Self> {
        if levels_max > LEVELS_MAX {
            let rule = format!("must be at most {LEVELS_MAX}");
            return Err(invalid_value("levels_max", &levels_max.to_string(), &rule));
        }
        Ok(Self { inner: OwnLevels::new(levels_max) })
    }

    /// Adds lots at one price (accepted), or takes them away when `lots` is below 0 (filled, cancelled).
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When the price cannot be, the size would fall below 0, or there is no room; nothing is changed.
    fn change(&mut self, side: u8, price_ticks: i64, lots: i64) -> PyResult<()> {
        let side = side_of(side)?;
        if !(1..=PRICE_TICKS_MAX).contains(&price_ticks) {
            return Err(invalid_value("price_ticks", &price_ticks.to_string(), "must be from 1 to 2**60"));
        }
        self.inner.change(side, price_ticks, lots).map_err(|fault| match fault {
            OwnFault::Lots { held, change } => {
                let rule = format!("must leave from 0 to 2**63 - 1 of {held} lots");
                invalid_value("lots", &change.to_string(), &rule)
            }
            OwnFault::Full { levels_max } => {
                let rule = format!("must find one of {levels_max} prices a side free");
                invalid_value("price_ticks", &price_ticks.to_string(), &rule)
            }
        })
    }

    /// Our lots at one price of one side; 0 when we have none there.
    fn lots_at(&self, side: u8, price_ticks: i64) -> PyResult<i64> {
        Ok(self.inner.lots_at(side_of(side)?, price_ticks))
    }

    /// Forgets every order and keeps the memory.
    fn clear(&mut self) {
        self.inner.clear();
    }
}

/// Shows a book, less our own orders when there are any to leave out.
pub fn seen<T>(depth: &dyn Depth, own: Option<&PyOwnLevels>, look: impl FnOnce(&dyn Depth) -> T) -> T {
    match own {
        Some(own) => look(&WithoutOwn::new(depth, &own.inner)),
        None => look(depth),
    }
}

/// Turns a volume into the tuple that Python sees.
pub fn volume_tuple(volume: Option<Volume>) -> PyResult<VolumeTuple> {
    let rule = "must fit 128 bits of ticks times lots";
    let volume = volume.ok_or_else(|| invalid_value("value", "sum of price times size", rule))?;
    Ok((volume.levels, volume.lots, volume.value, volume.worst_ticks.unwrap_or(0)))
}

/// Writes the best `n` levels of both sides into `out`, or a new array, and zeros where a side has fewer.
pub fn write_top<'py>(
    py: Python<'py>,
    depth: &dyn Depth,
    n: usize,
    out: Option<Bound<'py, PyArray3<i64>>>,
) -> PyResult<Bound<'py, PyArray3<i64>>> {
    if n > LEVELS_MAX {
        return Err(invalid_value("n", &n.to_string(), &format!("must be at most {LEVELS_MAX}")));
    }
    let out = match out {
        Some(out) if out.shape() == [2, n, 2] => out,
        Some(out) => {
            let rule = format!("must be (2, {n}, 2)");
            return Err(invalid_value("out.shape", &format!("{:?}", out.shape()), &rule));
        }
        None => PyArray3::zeros(py, [2, n, 2], false),
    };
    let unusable = || invalid_value("out", "array", "must be contiguous, writable and not in use elsewhere");
    {
        let mut writable = out.try_readwrite().map_err(|_| unusable())?;
        let (bids, asks) = writable.as_slice_mut().map_err(|_| unusable())?.split_at_mut(n * 2);
        write_side(depth, Side::Buy, bids);
        write_side(depth, Side::Sell, asks);
    }
    Ok(out)
}

/// Reads a side: 0 for bids, 1 for asks.
pub fn side_of(side: u8) -> PyResult<Side> {
    match side {
        0 => Ok(Side::Buy),
        1 => Ok(Side::Sell),
        _ => Err(invalid_value("side", &side.to_string(), "must be 0 (bids) or 1 (asks)")),
    }
}

fn write_side(depth: &dyn Depth, side: Side, cells: &mut [i64]) {
    let mut rows = cells.chunks_exact_mut(2);
    let mut free = rows.len();
    if free > 0 {
        depth.walk(side, &mut |level| {
            if let Some(row) = rows.next() {
                row.copy_from_slice(&[level.price_ticks, level.lots]);
                free -= 1;
            }
            free > 0
        });
    }
    rows.for_each(|row| row.fill(0));
}
