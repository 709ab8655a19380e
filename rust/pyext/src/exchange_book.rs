//! Python face of the matching crate's order-by-order book.

use std::borrow::Cow;

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tradecore_book::PRICE_TICKS_MAX;
use tradecore_matching::{BookEvent, L3Book, RestError};
use tradecore_types::Side;

use crate::best::Best;
use crate::errors::invalid_value;
use crate::liquidity::side_of;
use crate::still::still;

/// Orders a book takes at most: with the bound on a size, a level always fits 64 bits of lots.
const ORDERS_MAX: usize = 1 << 22;
/// Largest size of an order, in lots.
const LOTS_MAX: i64 = 1 << 40;
/// Marks a cancel among the sides of a batch.
const CANCEL: u8 = 2;

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyExchangeBook>()
}

/// An exchange's book of single orders: price-time priority, matched on arrival.
///
/// A side is 0 (buy) or 1 (sell), an order id a whole number of the caller's from 0 to 2**63 - 1, prices
/// are ticks from 1 to 2**60, sizes lots from 1 to 2**40. A call that raises leaves the book unchanged. A
/// fill trades at the resting order's price.
///
/// Parameters
/// ----------
/// orders_max : int
///     Orders that can rest at a time, from 1 to 4,194,304; room for them is taken once (about 110 bytes
///     each).
///
/// Raises
/// ------
/// InvalidValueError
///     When `orders_max` is out of its bounds.
#[pyclass(name = "ExchangeBook", module = "tradecore._core")]
pub struct PyExchangeBook {
    inner: L3Book,
    best: Best,
    orders_max: usize,
    /// Fills of single calls that nobody has taken yet.
    fills: Columns,
}

/// The resting order, its price and the lots that traded.
type Fill = (u64, i64, i64);

#[pymethods]
impl PyExchangeBook {
    #[new]
    #[pyo3(signature = (orders_max=131_072))]
    fn new(orders_max: usize) -> PyResult<Self> {
        if !(1..=ORDERS_MAX).contains(&orders_max) {
            let rule = format!("must be from 1 to {ORDERS_MAX}");
            return Err(invalid_value("orders_max", &orders_max.to_string(), &rule));
        }
        Ok(Self { inner: L3Book::new(orders_max), best: Best::new(), orders_max, fills: Columns::default() })
    }

    /// Trades a limit order with what rests on the other side; what is left of it rests in the book.
    ///
    /// Returns
    /// -------
    /// int
    ///     Lots that it traded; 0 when it only rests. `take_fills` says with whom.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For a value out of its bounds, an order id that rests already, or a book without room for one more.
    #[pyo3(signature = (order_id, side, price_ticks, lots, /))]
    fn submit(&mut self, order_id: i64, side: u8, price_ticks: i64, lots: i64) -> PyResult<i64> {
        let order = Arrival::new(order_id, side_of(side)?, price_ticks, lots)?;
        let Self { inner, fills, orders_max, .. } = self;
        let rested = arrive(inner, *orders_max, &order, |fill| fills.push(order_id, fill));
        rested.map(|left| lots - left).map_err(|why| refused(why, order_id))
    }

    /// Takes a resting order out and returns its lots; 0 when no such order rests.
    #[pyo3(signature = (order_id, /))]
    fn cancel(&mut self, order_id: i64) -> PyResult<i64> {
        Ok(self.inner.cancel(key_of(order_id)?).map_or(0, |order| order.lots))
    }

    /// Changes price and size of a resting order.
    ///
    /// It keeps its place in the queue when only its size falls; else it leaves and arrives anew.
    ///
    /// Returns
    /// -------
    /// int | None
    ///     Lots that it traded, as of `submit`; None when no such order rests.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For a value out of its bounds.
    #[pyo3(signature = (order_id, price_ticks, lots, /))]
    fn replace(&mut self, order_id: i64, price_ticks: i64, lots: i64) -> PyResult<Option<i64>> {
        check_size(price_ticks, lots)?;
        let key = key_of(order_id)?;
        let fills = &mut self.fills;
        let rested = self.inner.replace(key, price_ticks, lots, |event| {
            if let Some(fill) = fill_of(&event) {
                fills.push(order_id, fill);
            }
        });
        match rested {
            Ok(left) => Ok(Some(lots - left)),
            Err(RestError::Unknown) => Ok(None),
            Err(why) => Err(refused(why, order_id)),
        }
    }

    /// Hands over the fills of `submit` and `replace` since the last time, in the order in which they happened.
    ///
    /// They wait in 32 bytes each until they are taken; those of `run` are not among them.
    ///
    /// Returns
    /// -------
    /// dict[str, numpy.ndarray]
    ///     Columns, int64: `taker_id` (the order that came), `order_id` (the resting one), `price_ticks`, `lots`.
    fn take_fills<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        std::mem::take(&mut self.fills).into_python(py, "taker_id")
    }

    /// Handles many operations in the order given; other threads run meanwhile.
    ///
    /// An order that `submit` would raise for because of its id or for want of room is left out and named.
    ///
    /// Parameters
    /// ----------
    /// operation : numpy.ndarray
    ///     uint8: 0 buys, 1 sells, 2 cancels.
    /// order_id, price_ticks, lots : numpy.ndarray
    ///     int64, as long as `operation`; a cancel needs no price and no lots.
    ///
    /// Returns
    /// -------
    /// tuple[dict[str, numpy.ndarray], numpy.ndarray]
    ///     The fills as columns, int64: `operation` (index of the order that came), `order_id` (of the resting
    ///     one), `price_ticks`, `lots`. Then the indices of operations that were left out, int64.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     For arrays that do not match, or an element out of its bounds; nothing is done then.
    #[pyo3(signature = (operation, order_id, price_ticks, lots, /))]
    fn run<'py>(
        &mut self,
        py: Python<'py>,
        operation: PyReadonlyArray1<'py, u8>,
        order_id: PyReadonlyArray1<'py, i64>,
        price_ticks: PyReadonlyArray1<'py, i64>,
        lots: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<(Bound<'py, PyDict>, Bound<'py, PyArray1<i64>>)> {
        let flow = Flow {
            operations: still("operation", &operation)?,
            ids: still("order_id", &order_id)?,
            prices: still("price_ticks", &price_ticks)?,
            lots: still("lots", &lots)?,
        };
        flow.check_lengths()?;
        let (inner, orders_max) = (&mut self.inner, self.orders_max);
        let ran = py.detach(|| flow.find_unsound().map_or_else(|| Ok(flow.run(inner, orders_max)), Err));
        let (fills, left_out) = ran.map_err(|index| flow.unsound(index))?;
        Ok((fills.into_python(py, "operation")?, PyArray1::from_vec(py, left_out)))
    }

    /// Best bid price, its size, best ask price, its size; 0 and 0 for an empty side.
    fn best<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.best.tell(py, &self.inner)
    }

    /// Side, price in ticks and open lots of a resting order; None when no such order rests.
    #[pyo3(signature = (order_id, /))]
    fn order(&self, order_id: i64) -> PyResult<Option<(u8, i64, i64)>> {
        let order = self.inner.order(key_of(order_id)?);
        Ok(order.map(|order| (u8::from(order.side == Side::Sell), order.price_ticks, order.lots)))
    }

    /// Lots at its price that trade before a resting order; None when no such order rests.
    #[pyo3(signature = (order_id, /))]
    fn ahead_lots(&self, order_id: i64) -> PyResult<Option<i64>> {
        Ok(self.inner.ahead_lots(key_of(order_id)?))
    }

    /// Number of bid and of ask levels.
    fn level_counts(&self) -> (usize, usize) {
        (self.inner.level_count(Side::Buy), self.inner.level_count(Side::Sell))
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }
}

/// A limit order whose values are in their bounds.
struct Arrival {
    key: u64,
    side: Side,
    price_ticks: i64,
    lots: i64,
}

impl Arrival {
    fn new(order_id: i64, side: Side, price_ticks: i64, lots: i64) -> PyResult<Self> {
        check_size(price_ticks, lots)?;
        Ok(Self { key: key_of(order_id)?, side, price_ticks, lots })
    }
}

/// A batch of operations as columns.
struct Flow<'a> {
    operations: Cow<'a, [u8]>,
    ids: Cow<'a, [i64]>,
    prices: Cow<'a, [i64]>,
    lots: Cow<'a, [i64]>,
}

impl Flow<'_> {
    fn check_lengths(&self) -> PyResult<()> {
        let lengths = [self.operations.len(), self.ids.len(), self.prices.len(), self.lots.len()];
        if lengths.iter().all(|length| *length == self.operations.len()) {
            return Ok(());
        }
        let fields = "operation, order_id, price_ticks, lots";
        Err(invalid_value(fields, &format!("{lengths:?}"), "must have one length"))
    }

    /// Operation, order id, price and lots of each.
    fn rows(&self) -> impl Iterator<Item = (u8, i64, i64, i64)> + '_ {
        let columns = self.operations.iter().zip(&*self.ids).zip(&*self.prices).zip(&*self.lots);
        columns.map(|(((operation, id), price_ticks), lots)| (*operation, *id, *price_ticks, *lots))
    }

    /// Finds the first operation with a value out of its bounds.
    fn find_unsound(&self) -> Option<usize> {
        self.rows().position(|(operation, id, price_ticks, lots)| {
            let is_sound = operation == CANCEL || (operation < CANCEL && is_size(price_ticks, lots));
            id < 0 || !is_sound
        })
    }

    /// Says what is wrong with an operation.
    fn unsound(&self, index: usize) -> PyErr {
        let Some((operation, id, price_ticks, lots)) = self.rows().nth(index) else {
            return invalid_value("operation", &index.to_string(), "must be in the arrays");
        };
        let named = |field: &str| format!("{field}[{index}]");
        if operation > CANCEL {
            let rule = "must be 0 (buy), 1 (sell) or 2 (cancel)";
            return invalid_value(&named("operation"), &operation.to_string(), rule);
        }
        if id < 0 {
            return invalid_value(&named("order_id"), &id.to_string(), ID_RULE);
        }
        if !(1..=PRICE_TICKS_MAX).contains(&price_ticks) {
            return invalid_value(&named("price_ticks"), &price_ticks.to_string(), PRICE_RULE);
        }
        invalid_value(&named("lots"), &lots.to_string(), LOTS_RULE)
    }

    /// Handles all operations; gives back the fills and the operations that were left out.
    fn run(&self, book: &mut L3Book, orders_max: usize) -> (Columns, Vec<i64>) {
        let (mut fills, mut left_out) = (Columns::with_room(self.operations.len() / 2), Vec::new());
        for (index, (operation, id, price_ticks, lots)) in (0i64..).zip(self.rows()) {
            let key = id.cast_unsigned();
            if operation == CANCEL {
                book.cancel(key);
                continue;
            }
            let side = if operation == 0 { Side::Buy } else { Side::Sell };
            let order = Arrival { key, side, price_ticks, lots };
            if arrive(book, orders_max, &order, |fill| fills.push(index, fill)).is_err() {
                left_out.push(index);
            }
        }
        (fills, left_out)
    }
}

/// Fills as columns.
#[derive(Default)]
struct Columns {
    /// Names what came and traded: its order id, or its index in a batch.
    taker: Vec<i64>,
    order_id: Vec<i64>,
    price_ticks: Vec<i64>,
    lots: Vec<i64>,
}

impl Columns {
    /// Takes addresses for so many fills at once, so that columns need not move; pages come as they are used.
    fn with_room(fills: usize) -> Self {
        let column = || Vec::with_capacity(fills);
        Self { taker: column(), order_id: column(), price_ticks: column(), lots: column() }
    }

    fn push(&mut self, taker: i64, (key, price_ticks, lots): Fill) {
        self.taker.push(taker);
        self.order_id.push(key.cast_signed());
        self.price_ticks.push(price_ticks);
        self.lots.push(lots);
    }

    /// Hands the columns over without a copy.
    fn into_python<'py>(self, py: Python<'py>, taker: &str) -> PyResult<Bound<'py, PyDict>> {
        let fills = PyDict::new(py);
        fills.set_item(taker, PyArray1::from_vec(py, self.taker))?;
        fills.set_item("order_id", PyArray1::from_vec(py, self.order_id))?;
        fills.set_item("price_ticks", PyArray1::from_vec(py, self.price_ticks))?;
        fills.set_item("lots", PyArray1::from_vec(py, self.lots))?;
        Ok(fills)
    }
}

/// Lets an order trade and rest; one that could not rest does not trade either.
#[inline]
fn arrive(
    book: &mut L3Book,
    orders_max: usize,
    order: &Arrival,
    mut each: impl FnMut(Fill),
) -> Result<i64, RestError> {
    if book.len() >= orders_max {
        return Err(RestError::Full);
    }
    book.limit(order.key, order.side, order.price_ticks, order.lots, |event| {
        if let Some(fill) = fill_of(&event) {
            each(fill);
        }
    })
}

/// Picks the trades out of what happens in a book.
#[inline]
fn fill_of(event: &BookEvent) -> Option<Fill> {
    match *event {
        BookEvent::Traded { key, price_ticks, lots, .. } => Some((key, price_ticks, lots)),
        _ => None,
    }
}

const ID_RULE: &str = "must be from 0 to 2**63 - 1";
const PRICE_RULE: &str = "must be from 1 to 2**60";
const LOTS_RULE: &str = "must be from 1 to 2**40";

#[inline]
fn is_size(price_ticks: i64, lots: i64) -> bool {
    (1..=PRICE_TICKS_MAX).contains(&price_ticks) && (1..=LOTS_MAX).contains(&lots)
}

#[inline]
fn check_size(price_ticks: i64, lots: i64) -> PyResult<()> {
    if is_size(price_ticks, lots) {
        return Ok(());
    }
    if (1..=LOTS_MAX).contains(&lots) {
        return Err(invalid_value("price_ticks", &price_ticks.to_string(), PRICE_RULE));
    }
    Err(invalid_value("lots", &lots.to_string(), LOTS_RULE))
}

#[inline]
fn key_of(order_id: i64) -> PyResult<u64> {
    u64::try_from(order_id).map_err(|_| invalid_value("order_id", &order_id.to_string(), ID_RULE))
}

#[cold]
fn refused(why: RestError, order_id: i64) -> PyErr {
    let rule = match why {
        RestError::Duplicate => "must not rest already",
        RestError::Full => "must find room in the book: `orders_max` orders rest already",
        RestError::Size | RestError::Unknown => "must be an order that the book can take",
    };
    invalid_value("order_id", &order_id.to_string(), rule)
}
