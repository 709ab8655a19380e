//! Results of an engine as columns for numpy.

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_kernel::Kernel;
use tradecore_types::{CashFlowKind, Instrument, InstrumentId, Money};

use crate::kernel::kernel_error;
use crate::lent::Lent;

/// Returns how much of everything there was.
pub fn counters<'py>(py: Python<'py>, kernel: &Kernel) -> PyResult<Bound<'py, PyDict>> {
    let counters = kernel.counters();
    let out = PyDict::new(py);
    out.set_item("events", counters.events)?;
    out.set_item("orders", counters.orders)?;
    out.set_item("refusals", counters.refusals)?;
    out.set_item("fills", counters.fills)?;
    out.set_item("maker_fills", counters.maker_fills)?;
    Ok(out)
}

/// Returns what the book of an instrument went through.
pub fn book_counts<'py>(
    py: Python<'py>,
    kernel: &Kernel,
    instrument: InstrumentId,
) -> PyResult<Bound<'py, PyDict>> {
    let counts = kernel.book_counts(instrument);
    let out = PyDict::new(py);
    out.set_item("compared", counts.compared)?;
    out.set_item("mismatches", counts.mismatches)?;
    out.set_item("gaps", counts.gaps)?;
    out.set_item("stale", counts.stale)?;
    out.set_item("resyncs", counts.resyncs)?;
    Ok(out)
}

/// Returns the closed trades: integers as views, what numpy has no type for converted.
pub fn trades<'py>(py: Python<'py>, kernel: &mut Kernel) -> PyResult<Bound<'py, PyDict>> {
    let lent = Lent::new(py, kernel.lend_trades())?;
    let trades = lent.columns();
    let out = PyDict::new(py);
    out.set_item("entry_time_ns", lent.view(|trades| &trades.entry_time_ns)?)?;
    out.set_item("exit_time_ns", lent.view(|trades| &trades.exit_time_ns)?)?;
    out.set_item("side", lent.view(|trades| &trades.side)?)?;
    out.set_item("lots", lent.view(|trades| &trades.lots)?)?;
    out.set_item("entry_ticks", lent.view(|trades| &trades.entry_ticks)?)?;
    out.set_item("exit_ticks", lent.view(|trades| &trades.exit_ticks)?)?;
    out.set_item("entry_order", lent.view(|trades| &trades.entry_order)?)?;
    out.set_item("exit_order", lent.view(|trades| &trades.exit_order)?)?;
    out.set_item("strategy_id", lent.view(|trades| &trades.strategy_id)?)?;
    out.set_item("instrument_id", lent.view(|trades| &trades.instrument_id)?)?;
    let scaled = |integers: &[i64], scale: fn(&Instrument, i64) -> f64| {
        let rows = trades.instrument_id.iter().zip(integers);
        PyArray1::from_iter(
            py,
            rows.map(|(&id, &integer)| {
                instrument(kernel, id).map_or(f64::NAN, |instrument| scale(instrument, integer))
            }),
        )
    };
    out.set_item("quantity", scaled(&trades.lots, Instrument::quantity))?;
    out.set_item("entry_price", scaled(&trades.entry_ticks, Instrument::price))?;
    out.set_item("exit_price", scaled(&trades.exit_ticks, Instrument::price))?;
    out.set_item("pnl", amounts(py, &trades.pnl))?;
    out.set_item("commission", amounts(py, &trades.commission))?;
    Ok(out)
}

/// Returns the cash flows: integers as views, what numpy has no type for converted.
pub fn cash_flows<'py>(py: Python<'py>, kernel: &mut Kernel) -> PyResult<Bound<'py, PyDict>> {
    let lent = Lent::new(py, kernel.lend_cash_flows())?;
    let out = PyDict::new(py);
    out.set_item("time_ns", lent.view(|flows| &flows.time_ns)?)?;
    out.set_item("strategy_id", lent.view(|flows| &flows.strategy_id)?)?;
    out.set_item("instrument_id", lent.view(|flows| &flows.instrument_id)?)?;
    out.set_item("kind", lent.view(|flows| &flows.kind)?)?;
    // Codes begin at 1.
    let names = CashFlowKind::ALL.map(CashFlowKind::name);
    out.set_item("kinds", std::iter::once("").chain(names).collect::<Vec<_>>())?;
    out.set_item("amount", amounts(py, &lent.columns().amount))?;
    Ok(out)
}

/// Returns the equity over time, beside equal money in every instrument that ever had a price.
pub fn equity_curve<'py>(py: Python<'py>, kernel: &mut Kernel) -> PyResult<Bound<'py, PyDict>> {
    let lent = Lent::new(py, kernel.lend_equity_curve())?;
    let curve = lent.columns();
    let count = |instruments: usize| u32::try_from(instruments).map_or(f64::NAN, f64::from);
    let unpriced = count(kernel.unpriced());
    let priced = count(kernel.instruments()) - unpriced;
    let held = curve.held.iter().map(|sum| (sum - unpriced) / priced);
    let price = curve.held.iter().map(|held| kernel.only_price_ticks(*held));
    let out = PyDict::new(py);
    out.set_item("time_ns", lent.view(|curve| &curve.time_ns)?)?;
    out.set_item("equity", amounts(py, &curve.equity))?;
    out.set_item("held", PyArray1::from_iter(py, held))?;
    out.set_item("price_ticks", PyArray1::from_iter(py, price))?;
    Ok(out)
}

fn instrument(kernel: &Kernel, id: i64) -> Option<&Instrument> {
    kernel.instrument(InstrumentId(u32::try_from(id).ok()?))
}

fn amounts<'py>(py: Python<'py>, money: &[Money]) -> Bound<'py, PyArray1<f64>> {
    PyArray1::from_iter(py, money.iter().map(|money| money.to_f64()))
}

/// Money of the account in atto units, by name.
pub fn money<'py>(py: Python<'py>, kernel: &Kernel) -> PyResult<Bound<'py, PyDict>> {
    let ledger = kernel.ledger();
    let equity = kernel.equity().map_err(|error| kernel_error(&error))?;
    let out = PyDict::new(py);
    out.set_item("cash", ledger.cash().0)?;
    out.set_item("equity", equity.0)?;
    out.set_item("realised", ledger.realised().0)?;
    out.set_item("unrealised", equity.0 - ledger.balance().0)?;
    out.set_item("fees", ledger.fees().0)?;
    out.set_item("opening", kernel.brought().0)?;
    out.set_item("adjusted", ledger.adjusted().0)?;
    for kind in CashFlowKind::ALL {
        out.set_item(kind.name(), ledger.received(kind).0)?;
    }
    Ok(out)
}
