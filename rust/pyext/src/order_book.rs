//! Python face of the book order by order, and of Databento's market by order.

use numpy::{Element, IntoPyArray, PyArray3, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use tradecore_book::{LEVELS_MAX, OrderBook, OrderChange, RestingOrder};
use tradecore_feeds::{MboAction, MboReader, MboRecord};
use tradecore_types::{Decimal, Side};

use crate::best::Best;
use crate::book::PyL2Book;
use crate::errors::{data_error, invalid_value, value_error};
use crate::liquidity::{self, side_of};
use crate::still::still;

/// Orders there is room for unless told otherwise.
const ORDERS_MAX: usize = 1 << 16;

/// Decimals of the prices of Databento.
const NANO_DECIMALS: u8 = 9;

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyOrderBook>()?;
    module.add_function(wrap_pyfunction!(read_mbo, module)?)
}

/// The book of one instrument, order by order: who waits at which price, and before whom.
///
/// A side is 0 (bids) or 1 (asks), prices are whole ticks from 1 on, sizes whole lots. A change that raises
/// changes nothing. Memory for `orders_max` orders is taken at the start.
///
/// Parameters
/// ----------
/// orders_max : int
///     Orders that it takes, at most 2**24.
/// levels_max : int
///     Prices a side that it takes, at most 65,536.
#[pyclass(name = "OrderBook", module = "tradecore._core")]
pub struct PyOrderBook {
    inner: OrderBook,
    best: Best,
}

#[pymethods]
impl PyOrderBook {
    #[new]
    #[pyo3(signature = (orders_max=ORDERS_MAX, levels_max=LEVELS_MAX))]
    fn new(orders_max: usize, levels_max: usize) -> PyResult<Self> {
        if orders_max > 1 << 24 {
            return Err(invalid_value("orders_max", &orders_max.to_string(), "must be at most 2**24"));
        }
        if levels_max > LEVELS_MAX {
            let rule = format!("must be at most {LEVELS_MAX}");
            return Err(invalid_value("levels_max", &levels_max.to_string(), &rule));
        }
        Ok(Self { inner: OrderBook::new(orders_max, levels_max), best: Best::new() })
    }

    /// Puts a new order last in the queue at its price.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When the id rests already, a price or size cannot be, or there is no room.
    fn add(&mut self, order_id: u64, side: u8, price_ticks: i64, lots: i64) -> PyResult<()> {
        let side = side_of(side)?;
        self.change(OrderChange::Add(RestingOrder { order_id, side, price_ticks, lots }))
    }

    /// Gives an order another price or size; it keeps its place only at the same price with no more lots.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When no such order rests, a price or size cannot be, or there is no room.
    fn modify(&mut self, order_id: u64, price_ticks: i64, lots: i64) -> PyResult<()> {
        self.change(OrderChange::Modify { order_id, price_ticks, lots })
    }

    /// Takes lots out of an order (cancelled, filled); with its last lot it is gone.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     When no such order rests, or it has fewer lots.
    fn reduce(&mut self, order_id: u64, lots: i64) -> PyResult<()> {
        self.change(OrderChange::Cancel { order_id, lots })
    }

    /// Applies many changes in order, as `read_mbo` gives them; other threads run meanwhile.
    ///
    /// Parameters
    /// ----------
    /// action : numpy.ndarray
    ///     uint8: 0 add, 1 modify, 2 reduce, 3 nothing (trades and fills), 4 clear.
    /// side : numpy.ndarray
    ///     uint8, 0 or 1; looked at where an order is added.
    /// order_id : numpy.ndarray
    ///     uint64.
    /// price_ticks, lots : numpy.ndarray
    ///     int64.
    ///
    /// Raises
    /// ------
    /// InvalidValueError
    ///     At the first change that cannot be, naming its row; those before it are applied.
    fn apply(
        &mut self,
        py: Python<'_>,
        action: PyReadonlyArray1<'_, u8>,
        side: PyReadonlyArray1<'_, u8>,
        order_id: PyReadonlyArray1<'_, u64>,
        price_ticks: PyReadonlyArray1<'_, i64>,
        lots: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let (actions, sides) = (still("action", &action)?, still("side", &side)?);
        let (order_ids, prices) = (still("order_id", &order_id)?, still("price_ticks", &price_ticks)?);
        let lots = still("lots", &lots)?;
        let lengths = [sides.len(), order_ids.len(), prices.len(), lots.len()];
        if lengths.iter().any(|length| *length != actions.len()) {
            let rule = format!("must have {} rows as action has", actions.len());
            return Err(invalid_value("columns", &format!("{lengths:?}"), &rule));
        }
        let inner = &mut self.inner;
        let rows = actions.iter().zip(&*sides).zip(&*order_ids).zip(&*prices).zip(&*lots);
        let outcome = py.detach(|| {
            for (row, ((((action, side), order_id), price_ticks), lots)) in rows.enumerate() {
                let side = if *side == 0 { Side::Buy } else { Side::Sell };
                let order =
                    RestingOrder { order_id: *order_id, side, price_ticks: *price_ticks, lots: *lots };
                let change = change_of(*action, order)
                    .ok_or_else(|| (row, format!("action {action}: must be from 0 to 4")))?;
                inner.apply(change).map_err(|fault| (row, fault.to_string()))?;
            }
            Ok(())
        });
        outcome.map_err(|(row, rule): (usize, String)| invalid_value("row", &row.to_string(), &rule))
    }

    /// Forgets every order and keeps the memory.
    fn clear(&mut self) {
        self.inner.clear();
    }

    fn __len__(&self) -> usize {
        self.inner.order_count()
    }

    /// Side, price in ticks and lots of a resting order; None when there is none of that id.
    fn order(&self, order_id: u64) -> Option<(u8, i64, i64)> {
        let order = self.inner.order(order_id)?;
        Some((u8::from(order.side == Side::Sell), order.price_ticks, order.lots))
    }

    /// Orders and lots that stand before an order at its price; None when it does not rest.
    fn queue_position(&self, order_id: u64) -> Option<(usize, i64)> {
        let position = self.inner.queue_position(order_id)?;
        Some((position.orders_ahead, position.lots_ahead))
    }

    /// Ids and lots of the orders at one price, first in time first.
    fn queue(&self, side: u8, price_ticks: i64) -> PyResult<Vec<(u64, i64)>> {
        let mut queue = Vec::new();
        self.inner.walk_queue(side_of(side)?, price_ticks, &mut |order| {
            queue.push((order.order_id, order.lots));
            true
        });
        Ok(queue)
    }

    /// Best bid price, its size, best ask price, its size; 0 and 0 for an empty side.
    fn best<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        self.best.tell(py, &self.inner)
    }

    /// The best `n` levels of both sides, best first; parameters and array as of `L2Book.top`.
    #[pyo3(signature = (n, out=None))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        out: Option<Bound<'py, PyArray3<i64>>>,
    ) -> PyResult<Bound<'py, PyArray3<i64>>> {
        liquidity::write_top(py, &self.inner, n, out)
    }

    /// What the orders add up to now, level by level: a copy that does not follow.
    fn l2(&self) -> PyL2Book {
        PyL2Book::of(self.inner.levels().clone())
    }
}

impl PyOrderBook {
    fn change(&mut self, change: OrderChange) -> PyResult<()> {
        self.inner.apply(change).map_err(|fault| {
            invalid_value("order", &fault.to_string(), "must be a change that the book can take")
        })
    }
}

/// Reads the market-by-order records of a DBN file (versions 1 to 3, decompressed) as columns.
///
/// Parameters
/// ----------
/// data : bytes
///     The whole file.
/// tick_size : str
///     Tick of the instrument; prices become whole ticks.
/// instrument_id : int, optional
///     Publisher's number of the only instrument to read; all of them when it is left out.
///
/// Returns
/// -------
/// dict[str, numpy.ndarray]
///     `time_ns` (venue) and `received_ns` int64, `instrument_id` and `sequence` uint32, `action` and `side`
///     uint8 as `OrderBook.apply` takes them, `order_id` uint64, `price_ticks` and `lots` int64, `is_last`
///     bool: whether the event is whole after this record.
///
/// Raises
/// ------
/// DataError
///     When the bytes are no such file, or the price of an order is off the tick; names the record.
///
/// Source: Databento Binary Encoding (DBN), MBO schema.
#[pyfunction]
#[pyo3(signature = (data, tick_size, instrument_id=None))]
fn read_mbo<'py>(
    py: Python<'py>,
    data: &[u8],
    tick_size: &str,
    instrument_id: Option<u32>,
) -> PyResult<Bound<'py, PyDict>> {
    let tick_nanos = tick_nanos(tick_size)?;
    let rows = py.detach(|| rows_of(data, tick_nanos, instrument_id));
    let rows = rows.map_err(|(record, what)| data_error(&format!("record {record}"), &what))?;
    let columns = PyDict::new(py);
    columns.set_item("time_ns", column(py, &rows, |row| row.0.event_ns.cast_signed()))?;
    columns.set_item("received_ns", column(py, &rows, |row| row.0.received_ns.cast_signed()))?;
    columns.set_item("instrument_id", column(py, &rows, |row| row.0.instrument_id))?;
    columns.set_item("sequence", column(py, &rows, |row| row.0.sequence))?;
    columns.set_item("action", column(py, &rows, |row| action_code(row.0.action)))?;
    columns.set_item("side", column(py, &rows, |row| u8::from(row.0.side == Some(Side::Sell))))?;
    columns.set_item("order_id", column(py, &rows, |row| row.0.order_id))?;
    columns.set_item("price_ticks", column(py, &rows, |row| row.1))?;
    columns.set_item("lots", column(py, &rows, |row| i64::from(row.0.size)))?;
    columns.set_item("is_last", column(py, &rows, |row| row.0.is_last))?;
    Ok(columns)
}

/// A record with its price in ticks, 0 where it has none.
type Row = (MboRecord, i64);

fn rows_of(data: &[u8], tick_nanos: i64, only: Option<u32>) -> Result<Vec<Row>, (u64, String)> {
    let told = |error: tradecore_feeds::DecodeError| {
        (error.message, format!("{} {:?}: {}", error.field, error.value, error.rule))
    };
    let mut rows = Vec::new();
    let mut other = None;
    for record in MboReader::new(data).map_err(told)? {
        let record = record.map_err(told)?;
        if only.is_some_and(|only| only != record.instrument_id) {
            other = Some(record.instrument_id);
            continue;
        }
        let rests = matches!(record.action, MboAction::Add | MboAction::Modify);
        let price_ticks = match record.price_ticks(tick_nanos) {
            Some(price_ticks) => price_ticks,
            None if rests => {
                let number = u64::try_from(rows.len()).unwrap_or(u64::MAX).saturating_add(1);
                return Err((
                    number,
                    format!("price {:?}: must be a multiple of the tick", record.price_nanos),
                ));
            }
            None => 0,
        };
        rows.push((record, price_ticks));
    }
    if let (Some(only), Some(other), true) = (only, other, rows.is_empty()) {
        return Err((0, format!("instrument_id {only}: has no records; the file has those of {other}")));
    }
    Ok(rows)
}

fn column<'py, T: Element>(py: Python<'py>, rows: &[Row], of: impl Fn(&Row) -> T) -> Bound<'py, PyAny> {
    rows.iter().map(of).collect::<Vec<T>>().into_pyarray(py).into_any()
}

/// Reads a tick as a number of 10^-9.
fn tick_nanos(tick_size: &str) -> PyResult<i64> {
    let tick = Decimal::parse("tick_size", tick_size).map_err(|error| value_error(&error))?;
    let nano = Decimal { mantissa: 1, decimals: NANO_DECIMALS };
    let nanos = tick.in_steps_of(nano, "tick_size").map_err(|error| value_error(&error))?;
    if nanos < 1 {
        return Err(invalid_value("tick_size", tick_size, "must be above 0"));
    }
    Ok(nanos)
}

const fn action_code(action: MboAction) -> u8 {
    match action {
        MboAction::Add => 0,
        MboAction::Modify => 1,
        MboAction::Cancel => 2,
        MboAction::Trade | MboAction::Fill | MboAction::None => 3,
        MboAction::Clear => 4,
    }
}

fn change_of(action: u8, order: RestingOrder) -> Option<OrderChange> {
    let RestingOrder { order_id, price_ticks, lots, .. } = order;
    Some(match action {
        0 => OrderChange::Add(order),
        1 => OrderChange::Modify { order_id, price_ticks, lots },
        2 => OrderChange::Cancel { order_id, lots },
        3 => OrderChange::Traded,
        4 => OrderChange::Clear,
        _ => return None,
    })
}
