//! Closed trades with their money exact, of an engine or made again of its fills.

use pyo3::prelude::*;
use tradecore_ledger::{ClosedTrade, FillInput, Ledger, Ticket};
use tradecore_types::{Instrument, InstrumentId, Money, OrderId, Side, StrategyId};

use crate::access::looked_into;
use crate::account::{LotRow, lot_of};
use crate::config;
use crate::errors::{invalid_value, value_error};
use crate::kernel::PyKernel;

/// A closed trade in whole ticks, lots, nanoseconds and atto units, in the order of `closed_trades`.
type Row = (u16, u32, i64, i64, i64, i64, i64, i64, u64, u64, i128, i128);

/// Adds this part's classes and functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTradeBook>()?;
    module.add_function(wrap_pyfunction!(closed_trades, module)?)
}

/// Closed trades of an engine, oldest first, with exact money.
///
/// A tuple each: strategy_id, instrument_id, side (+1 long, -1 short), lots, entry_time_ns, exit_time_ns,
/// entry_ticks, exit_ticks, entry_order, exit_order, pnl and commission in atto units (1e-18) of money.
#[pyfunction]
fn closed_trades(kernel: &Bound<'_, PyKernel>) -> PyResult<Vec<Row>> {
    Ok(rows(looked_into(kernel.as_unbound(), kernel.py())?.kernel.ledger()))
}

fn rows(ledger: &Ledger) -> Vec<Row> {
    ledger.trades().map(row).collect()
}

fn row(trade: ClosedTrade) -> Row {
    (
        trade.strategy.0,
        trade.instrument.0,
        trade.side.sign(),
        trade.lots,
        trade.entry_time_ns,
        trade.exit_time_ns,
        trade.entry_ticks,
        trade.exit_ticks,
        trade.entry_order.0,
        trade.exit_order.0,
        trade.pnl.0,
        trade.commission.0,
    )
}

/// An open ticket: see `TradeBook.tickets`.
type TicketRow = (u16, u32, u64, i64, i64, i128, i128, i128);

/// Closed trades made again of fills, by the ledger of the engine itself: for each strategy and instrument by the method
/// of the account, what an order closes by name before all others.
#[pyclass(name = "TradeBook", module = "tradecore._core")]
pub struct PyTradeBook {
    ledger: Ledger,
}

#[pymethods]
impl PyTradeBook {
    /// Opens a book for the instruments of an `EngineSpec` and so many strategies.
    #[new]
    fn new(spec: &Bound<'_, PyAny>, strategies: u16) -> PyResult<Self> {
        // Which strategies limits are for is of no concern here: none is judged.
        let specs = config::instrument_specs(spec)?.into_iter().zip(config::instrument_positions(spec)?);
        let instrument = |(index, (spec, positions))| {
            let id =
                u32::try_from(index).map_err(|_| invalid_value("instruments", "too many", "at most 2^32"))?;
            let instrument = Instrument::new(InstrumentId(id), spec).map_err(|error| value_error(&error))?;
            Ok(instrument.with_positions(positions))
        };
        let instruments = specs.enumerate().map(instrument).collect::<PyResult<Vec<_>>>()?;
        let method = config::lot_method(&spec.getattr("account")?)?;
        let ledger = Ledger::new(instruments, usize::from(strategies), Money(0), 0).closing_by(method);
        Ok(Self { ledger })
    }

    /// Books a fill; fills come in the order in which they were reported.
    ///
    /// `fee` is in atto units (1e-18) of money, negative for a rebate; `closes` names the entry order whose lots are
    /// closed first.
    #[pyo3(signature = (
        *, order_id, strategy_id, instrument_id, is_buy, price_ticks, lots, fee, venue_time_ns, closes=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "a fill has so many fields, each by name")]
    fn fill(
        &mut self,
        order_id: u64,
        strategy_id: u16,
        instrument_id: u32,
        is_buy: bool,
        price_ticks: i64,
        lots: i64,
        fee: i128,
        venue_time_ns: i64,
        closes: Option<u64>,
    ) -> PyResult<()> {
        let fill = FillInput {
            order_id: OrderId(order_id),
            strategy: StrategyId(strategy_id),
            instrument: InstrumentId(instrument_id),
            side: if is_buy { Side::Buy } else { Side::Sell },
            price_ticks,
            lots,
            fee: Money(fee),
            venue_time_ns,
            closes: closes.map(OrderId),
            fee_currency: None,
        };
        let booked = self.ledger.apply_fill(&fill).map(|_| ());
        booked.map_err(|error| invalid_value("fill", &order_id.to_string(), &error.to_string()))
    }

    /// Books a trade that was told anew: `before` is what it was and `after` what it is from here on, each price in ticks,
    /// lots and fee in atto units (1e-18), or None where it had been or is busted.
    #[pyo3(signature = (
        *, order_id, strategy_id, instrument_id, is_buy, venue_time_ns, before, after, closes=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "a trade has so many fields, each by name")]
    fn revise(
        &mut self,
        order_id: u64,
        strategy_id: u16,
        instrument_id: u32,
        is_buy: bool,
        venue_time_ns: i64,
        before: Option<(i64, i64, i128)>,
        after: Option<(i64, i64, i128)>,
        closes: Option<u64>,
    ) -> PyResult<()> {
        let fill = |(price_ticks, lots, fee): (i64, i64, i128)| FillInput {
            order_id: OrderId(order_id),
            strategy: StrategyId(strategy_id),
            instrument: InstrumentId(instrument_id),
            side: if is_buy { Side::Buy } else { Side::Sell },
            price_ticks,
            lots,
            fee: Money(fee),
            venue_time_ns,
            closes: closes.map(OrderId),
            fee_currency: None,
        };
        let (before, after) = (before.map(fill), after.map(fill));
        let entry = OrderId(closes.unwrap_or(order_id));
        let booked = self.ledger.revise(before.as_ref(), after.as_ref(), entry).map(|_| ());
        booked.map_err(|error| invalid_value("revision", &order_id.to_string(), &error.to_string()))
    }

    /// Opens the book with lots that an account began with, before the first fill.
    ///
    /// A tuple each: strategy_id, instrument_id, entry_order, entry_time_ns, entry_ticks, lots, and in atto units
    /// (1e-18) of money the entry fee and its share of an average cost, or None.
    fn open(&mut self, lots: Vec<LotRow>) -> PyResult<()> {
        let lots: Vec<_> = lots.iter().map(lot_of).collect();
        let opened = self.ledger.open(Money(0), None, &lots);
        opened.map_err(|error| invalid_value("lots", &lots.len().to_string(), &error.to_string()))
    }

    /// Closed trades so far, as `closed_trades` returns them.
    fn trades(&self) -> Vec<Row> {
        rows(&self.ledger)
    }

    /// Open tickets where positions hedge, by strategy and instrument, the oldest first.
    ///
    /// A tuple each: strategy_id, instrument_id, ticket (number of the order that opened it), lots (short is negative),
    /// entry_time_ns, and in atto units (1e-18) of money the signed cost, the fees of the entry and what is realised.
    fn tickets(&self) -> Vec<TicketRow> {
        let instruments: Vec<_> = self.ledger.instruments().map(|instrument| instrument.id).collect();
        let pairs =
            self.ledger.strategies().flat_map(|strategy| instruments.iter().map(move |id| (strategy, *id)));
        let rows = pairs.flat_map(|(strategy, id)| {
            let tickets = self.ledger.tickets(strategy, id);
            tickets.map(move |ticket| {
                let Ticket { entry_order, lots, entry_time_ns, cost, fees, realised, .. } = ticket;
                (strategy.0, id.0, entry_order.0, lots, entry_time_ns, cost.0, fees.0, realised.0)
            })
        });
        rows.collect()
    }
}
