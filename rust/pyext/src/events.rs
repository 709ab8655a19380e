//! What a strategy is handed: frozen values with exact ticks and lots, and floats for signals.

use pyo3::prelude::*;
use tradecore_kernel::OrderUpdate;
use tradecore_types::{Bar, CashFlow, Instrument, Liquidation, Liquidity, Quote, ReportBody, Side, Trade};

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyBar>()?;
    module.add_class::<PyQuote>()?;
    module.add_class::<PyTrade>()?;
    module.add_class::<PyFill>()?;
    module.add_class::<PyOrderUpdate>()?;
    module.add_class::<PyCashFlow>()?;
    module.add_class::<PyLiquidation>()?;
    module.add_class::<PyRefused>()
}

/// The factors from ticks and lots to floats.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    tick: (f64, f64),
    lot: (f64, f64),
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "floats are for signals and display")]
impl Scale {
    /// Reads the factors of an instrument.
    pub fn of(instrument: &Instrument) -> Self {
        let factors =
            |step: tradecore_types::Decimal| (step.mantissa as f64, 10f64.powi(i32::from(step.decimals)));
        Self { tick: factors(instrument.spec.tick_size), lot: factors(instrument.spec.lot_size) }
    }

    /// Returns a price as the nearest float.
    pub fn price(self, ticks: i64) -> f64 {
        ticks as f64 * self.tick.0 / self.tick.1
    }

    /// Returns a size as the nearest float.
    pub fn quantity(self, lots: i64) -> f64 {
        lots as f64 * self.lot.0 / self.lot.1
    }
}

/// Returns `buy` or `sell`.
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// A finished bar. Prices exist as exact ticks (`close_ticks`) and as floats (`close`).
#[pyclass(name = "Bar", module = "tradecore._core", frozen)]
pub struct PyBar {
    pub bar: Bar,
    pub time_ns: i64,
    pub instrument: u32,
    pub scale: Scale,
}

#[pymethods]
impl PyBar {
    /// Close of the bar, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Opening time of the bar, UTC nanoseconds.
    #[getter]
    fn open_time_ns(&self) -> i64 {
        self.bar.open_time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// First price in ticks.
    #[getter]
    fn open_ticks(&self) -> i64 {
        self.bar.open_ticks
    }
    /// Highest price in ticks.
    #[getter]
    fn high_ticks(&self) -> i64 {
        self.bar.high_ticks
    }
    /// Lowest price in ticks.
    #[getter]
    fn low_ticks(&self) -> i64 {
        self.bar.low_ticks
    }
    /// Last price in ticks.
    #[getter]
    fn close_ticks(&self) -> i64 {
        self.bar.close_ticks
    }
    /// Traded size in lots.
    #[getter]
    fn volume_lots(&self) -> i64 {
        self.bar.volume_lots
    }
    /// First price as a float.
    #[getter]
    fn open(&self) -> f64 {
        self.scale.price(self.bar.open_ticks)
    }
    /// Highest price as a float.
    #[getter]
    fn high(&self) -> f64 {
        self.scale.price(self.bar.high_ticks)
    }
    /// Lowest price as a float.
    #[getter]
    fn low(&self) -> f64 {
        self.scale.price(self.bar.low_ticks)
    }
    /// Last price as a float.
    #[getter]
    fn close(&self) -> f64 {
        self.scale.price(self.bar.close_ticks)
    }
    /// Traded size as a float.
    #[getter]
    fn volume(&self) -> f64 {
        self.scale.quantity(self.bar.volume_lots)
    }
    fn __repr__(&self) -> String {
        format!(
            "Bar(open_time_ns={}, open={}, high={}, low={}, close={}, volume={})",
            self.bar.open_time_ns,
            self.open(),
            self.high(),
            self.low(),
            self.close(),
            self.volume()
        )
    }
}

/// Best bid and ask. Prices exist as exact ticks (`bid_ticks`) and as floats (`bid`).
#[pyclass(name = "Quote", module = "tradecore._core", frozen)]
pub struct PyQuote {
    pub quote: Quote,
    pub time_ns: i64,
    pub instrument: u32,
    pub scale: Scale,
}

#[pymethods]
impl PyQuote {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Best bid in ticks.
    #[getter]
    fn bid_ticks(&self) -> i64 {
        self.quote.bid_ticks
    }
    /// Size at the best bid in lots.
    #[getter]
    fn bid_lots(&self) -> i64 {
        self.quote.bid_lots
    }
    /// Best ask in ticks.
    #[getter]
    fn ask_ticks(&self) -> i64 {
        self.quote.ask_ticks
    }
    /// Size at the best ask in lots.
    #[getter]
    fn ask_lots(&self) -> i64 {
        self.quote.ask_lots
    }
    /// Best bid as a float.
    #[getter]
    fn bid(&self) -> f64 {
        self.scale.price(self.quote.bid_ticks)
    }
    /// Best ask as a float.
    #[getter]
    fn ask(&self) -> f64 {
        self.scale.price(self.quote.ask_ticks)
    }
    fn __repr__(&self) -> String {
        format!("Quote(time_ns={}, bid={}, ask={})", self.time_ns, self.bid(), self.ask())
    }
}

/// A trade of others. The price exists as exact ticks (`price_ticks`) and as a float (`price`).
#[pyclass(name = "Trade", module = "tradecore._core", frozen)]
pub struct PyTrade {
    pub trade: Trade,
    pub time_ns: i64,
    pub instrument: u32,
    pub scale: Scale,
}

#[pymethods]
impl PyTrade {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Price in ticks.
    #[getter]
    fn price_ticks(&self) -> i64 {
        self.trade.price_ticks
    }
    /// Size in lots.
    #[getter]
    fn lots(&self) -> i64 {
        self.trade.lots
    }
    /// Price as a float.
    #[getter]
    fn price(&self) -> f64 {
        self.scale.price(self.trade.price_ticks)
    }
    /// Size as a float.
    #[getter]
    fn quantity(&self) -> f64 {
        self.scale.quantity(self.trade.lots)
    }
    /// Side that took liquidity: `buy` or `sell`.
    #[getter]
    fn aggressor(&self) -> &'static str {
        side_name(self.trade.aggressor)
    }
    /// The venue's number of the trade; 0 when it gives none.
    #[getter]
    fn trade_id(&self) -> u64 {
        self.trade.trade_id
    }
    fn __repr__(&self) -> String {
        format!(
            "Trade(time_ns={}, price={}, quantity={}, aggressor={:?})",
            self.time_ns,
            self.price(),
            self.quantity(),
            self.aggressor()
        )
    }
}

/// A fill of one of the strategy's orders.
#[pyclass(name = "Fill", module = "tradecore._core", frozen)]
pub struct PyFill {
    pub update: OrderUpdate,
    pub price_ticks: i64,
    pub lots: i64,
    pub liquidity: Liquidity,
    pub fee: tradecore_types::Money,
    pub time_ns: i64,
    pub instrument: u32,
    pub scale: Scale,
}

#[pymethods]
impl PyFill {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// The order that filled.
    #[getter]
    fn order_id(&self) -> u64 {
        self.update.order_id.0
    }
    /// `buy` or `sell`.
    #[getter]
    fn side(&self) -> &'static str {
        side_name(self.update.side)
    }
    /// Price in ticks.
    #[getter]
    fn price_ticks(&self) -> i64 {
        self.price_ticks
    }
    /// Size of this fill in lots.
    #[getter]
    fn lots(&self) -> i64 {
        self.lots
    }
    /// Size of this fill in lots, negative for a sell.
    #[getter]
    fn signed_lots(&self) -> i64 {
        self.lots * self.update.side.sign()
    }
    /// Lots of the order still open.
    #[getter]
    fn open_lots(&self) -> i64 {
        self.update.open_lots
    }
    /// Price as a float.
    #[getter]
    fn price(&self) -> f64 {
        self.scale.price(self.price_ticks)
    }
    /// Size as a float.
    #[getter]
    fn quantity(&self) -> f64 {
        self.scale.quantity(self.lots)
    }
    /// Whether the order waited in the book rather than took.
    #[getter]
    fn is_maker(&self) -> bool {
        self.liquidity == Liquidity::Maker
    }
    /// Fee in atto units (1e-18) of the account currency; negative is a rebate.
    #[getter]
    fn fee_atto(&self) -> i128 {
        self.fee.0
    }
    /// Fee as a float, in the account currency.
    #[getter]
    fn fee(&self) -> f64 {
        self.fee.to_f64()
    }
    fn __repr__(&self) -> String {
        format!(
            "Fill(order_id={}, side={:?}, price={}, quantity={}, is_maker={})",
            self.order_id(),
            self.side(),
            self.price(),
            self.quantity(),
            self.is_maker()
        )
    }
}

/// A change of one of the strategy's orders other than a fill.
#[pyclass(name = "OrderUpdate", module = "tradecore._core", frozen)]
pub struct PyOrderUpdate {
    pub update: OrderUpdate,
    pub time_ns: i64,
    pub instrument: u32,
}

#[pymethods]
impl PyOrderUpdate {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// The order.
    #[getter]
    fn order_id(&self) -> u64 {
        self.update.order_id.0
    }
    /// `accepted`, `rejected`, `triggered`, `canceled`, `expired`, `cancel_rejected`, `replaced` or
    /// `replace_rejected`.
    #[getter]
    fn what(&self) -> &'static str {
        match self.update.report.body {
            ReportBody::Accepted => "accepted",
            ReportBody::Rejected(_) => "rejected",
            ReportBody::Triggered => "triggered",
            ReportBody::Fill { .. } => "fill",
            ReportBody::Canceled(_) => "canceled",
            ReportBody::CancelRejected(_) => "cancel_rejected",
            ReportBody::Replaced { .. } => "replaced",
            ReportBody::ReplaceRejected(_) => "replace_rejected",
            ReportBody::Expired => "expired",
        }
    }
    /// Why, for a rejection or a cancellation; else empty.
    #[getter]
    fn reason(&self) -> &'static str {
        match self.update.report.body {
            ReportBody::Rejected(reason)
            | ReportBody::CancelRejected(reason)
            | ReportBody::ReplaceRejected(reason) => reason.name(),
            ReportBody::Canceled(reason) => reason.name(),
            _ => "",
        }
    }
    /// Whether the order is closed now.
    #[getter]
    fn is_closed(&self) -> bool {
        let body = self.update.report.body;
        matches!(body, ReportBody::Rejected(_) | ReportBody::Canceled(_) | ReportBody::Expired)
    }
    /// Lots of the order still open.
    #[getter]
    fn open_lots(&self) -> i64 {
        self.update.open_lots
    }
    fn __repr__(&self) -> String {
        format!(
            "OrderUpdate(order_id={}, what={:?}, reason={:?})",
            self.order_id(),
            self.what(),
            self.reason()
        )
    }
}

/// Money that came or went without a fill: funding, interest, what a liquidation cost.
#[pyclass(name = "CashFlow", module = "tradecore._core", frozen)]
pub struct PyCashFlow {
    pub flow: CashFlow,
}

#[pymethods]
impl PyCashFlow {
    /// When it was due, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.flow.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.flow.instrument.0
    }
    /// `funding`, `borrow`, `liquidation_fee` or `insurance`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.flow.kind.name()
    }
    /// What the account received in atto units (1e-18) of its currency; negative is what it paid.
    #[getter]
    fn amount_atto(&self) -> i128 {
        self.flow.amount.0
    }
    /// What the account received as a float, in its currency; negative is what it paid.
    #[getter]
    fn amount(&self) -> f64 {
        self.flow.amount.to_f64()
    }
    fn __repr__(&self) -> String {
        format!("CashFlow(time_ns={}, kind={:?}, amount={})", self.time_ns(), self.kind(), self.amount())
    }
}

/// A position of the strategy that the venue closes by force; its fill follows.
#[pyclass(name = "Liquidation", module = "tradecore._core", frozen)]
pub struct PyLiquidation {
    pub liquidation: Liquidation,
    pub time_ns: i64,
    pub scale: Scale,
}

#[pymethods]
impl PyLiquidation {
    /// When it happened, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.liquidation.instrument.0
    }
    /// The order that closes it.
    #[getter]
    fn order_id(&self) -> u64 {
        self.liquidation.order_id.0
    }
    /// The position in lots; short is negative.
    #[getter]
    fn position_lots(&self) -> i64 {
        self.liquidation.lots
    }
    /// Price of the fill in ticks.
    #[getter]
    fn price_ticks(&self) -> i64 {
        self.liquidation.price_ticks
    }
    /// Price of the fill as a float.
    #[getter]
    fn price(&self) -> f64 {
        self.scale.price(self.liquidation.price_ticks)
    }
    /// What stood behind the position (isolated) or the account (cross), in atto units of its currency.
    #[getter]
    fn equity_atto(&self) -> i128 {
        self.liquidation.equity.0
    }
    /// Maintenance margin, which the equity was not above, in atto units of the account currency.
    #[getter]
    fn maintenance_atto(&self) -> i128 {
        self.liquidation.maintenance.0
    }
    fn __repr__(&self) -> String {
        format!(
            "Liquidation(time_ns={}, order_id={}, position_lots={}, price={})",
            self.time_ns,
            self.order_id(),
            self.position_lots(),
            self.price()
        )
    }
}

/// An order that was refused before it left: which rule, its limit and the value that broke it.
#[pyclass(name = "Refused", module = "tradecore._core", frozen)]
pub struct PyRefused {
    pub rule: &'static str,
    pub limit: i128,
    pub value: i128,
}

#[pymethods]
impl PyRefused {
    /// Name of the rule, e.g. `position_max`.
    #[getter]
    fn rule(&self) -> &'static str {
        self.rule
    }
    /// Limit of the rule, in its unit (lots, atto units of money, ppm, nanoseconds or a count).
    #[getter]
    fn limit(&self) -> i128 {
        self.limit
    }
    /// The value that broke it, in the same unit.
    #[getter]
    fn value(&self) -> i128 {
        self.value
    }
    #[expect(clippy::unused_self, reason = "a special method")]
    fn __bool__(&self) -> bool {
        false
    }
    fn __repr__(&self) -> String {
        format!("Refused(rule={:?}, limit={}, value={})", self.rule, self.limit, self.value)
    }
}
