//! `tradecore._core`: the only crate that knows Python. Converts, decides nothing.

mod access;
mod account;
mod activity;
mod adoption;
mod amounts;
mod arguments;
mod bars;
mod batch;
mod best;
mod book;
mod book_side;
mod calendars;
mod callback;
mod caller;
mod calls;
mod columns;
mod config;
mod consents;
mod currencies;
mod deadline;
mod desk;
mod errors;
mod events;
mod exchange_book;
mod feeds;
mod gates;
mod indicators;
mod joining;
mod journal;
mod kernel;
mod latency;
mod lent;
mod liquidity;
mod numbers;
mod order_book;
mod order_methods;
mod positions;
mod problems;
mod reports;
mod results;
mod reused;
mod revision;
mod risk;
mod runs;
mod snapshots;
mod still;
mod tables;
mod tickets;
mod top_view;
mod trade_book;
mod updates;
mod views;
mod wish;
mod words;

use pyo3::prelude::*;

/// The native part of tradecore: everything that decides, and all state.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    account::register(module)?;
    batch::register(module)?;
    book::register(module)?;
    book_side::register(module)?;
    events::register(module)?;
    updates::register(module)?;
    exchange_book::register(module)?;
    feeds::register(module)?;
    gates::register(module)?;
    indicators::register(module)?;
    journal::register(module)?;
    callback::register(module)?;
    currencies::register(module)?;
    caller::register(module)?;
    deadline::register(module)?;
    kernel::register(module)?;
    latency::register(module)?;
    desk::register(module)?;
    liquidity::register(module)?;
    order_book::register(module)?;
    joining::register(module)?;
    positions::register(module)?;
    snapshots::register(module)?;
    tables::register(module)?;
    tickets::register(module)?;
    consents::register(module)?;
    top_view::register(module)?;
    trade_book::register(module)?;
    views::register(module)
}
