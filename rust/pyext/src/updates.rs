//! What a strategy is told about its own orders and its account.

use pyo3::prelude::*;
use tradecore_kernel::{OrderUpdate, Verdict};
use tradecore_types::{CashFlow, CurrencyId, Liquidation, Liquidity, Money, Refusal, ReportBody, Side};

use crate::events::{Scale, Shown, side_of};
use crate::reused::Rewritten;
use crate::revision::PyRevision;
use crate::words::{Flag, MoneyWords, Word};

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyFill>()?;
    module.add_class::<PyOrderUpdate>()?;
    module.add_class::<PyCashFlow>()?;
    module.add_class::<PyLiquidation>()?;
    module.add_class::<PyRevision>()?;
    module.add_class::<PyRefused>()
}

/// A fill of one of the strategy's orders.
#[pyclass(name = "Fill", module = "tradecore._core", frozen)]
pub struct PyFill {
    time_ns: Word,
    order_id: Word,
    is_buy: Flag,
    price_ticks: Word,
    lots: Word,
    open_lots: Word,
    is_maker: Flag,
    fee: MoneyWords,
    /// Number of its currency; below 0 for the settlement currency.
    fee_currency: Word,
    instrument: u32,
    scale: Scale,
}

/// A fill with the order it is about.
#[derive(Clone, Copy, Debug)]
pub struct FillOf {
    pub update: OrderUpdate,
    pub price_ticks: i64,
    pub lots: i64,
    pub liquidity: Liquidity,
    pub fee: Money,
    pub fee_currency: Option<CurrencyId>,
}

/// Returns the number of a currency, -1 for the settlement currency of the instrument.
fn number_of(currency: Option<CurrencyId>) -> i64 {
    currency.map_or(-1, |currency| i64::from(currency.0))
}

impl Rewritten for PyFill {
    type From<'a> = Shown<FillOf>;

    fn made(from: &Shown<FillOf>) -> Self {
        let FillOf { update, price_ticks, lots, liquidity, fee, fee_currency } = &from.what;
        Self {
            time_ns: Word::new(from.time_ns),
            order_id: Word::new(update.order_id.0.cast_signed()),
            is_buy: Flag::new(update.side == Side::Buy),
            price_ticks: Word::new(*price_ticks),
            lots: Word::new(*lots),
            open_lots: Word::new(update.open_lots),
            is_maker: Flag::new(*liquidity == Liquidity::Maker),
            fee: MoneyWords::new(fee.0),
            fee_currency: Word::new(number_of(*fee_currency)),
            instrument: from.instrument,
            scale: from.scale,
        }
    }

    fn rewrite(&self, from: &Shown<FillOf>) -> bool {
        let fill = &from.what;
        self.time_ns.set(from.time_ns);
        self.order_id.set(fill.update.order_id.0.cast_signed());
        self.is_buy.set(fill.update.side == Side::Buy);
        self.price_ticks.set(fill.price_ticks);
        self.lots.set(fill.lots);
        self.open_lots.set(fill.update.open_lots);
        self.is_maker.set(fill.liquidity == Liquidity::Maker);
        self.fee.set(fill.fee.0);
        self.fee_currency.set(number_of(fill.fee_currency));
        self.instrument == from.instrument
    }
}

#[pymethods]
impl PyFill {
    /// When the engine learned of it, UTC nanoseconds.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.time_ns.get()
    }
    /// Position of the instrument in the engine's table.
    #[getter]
    fn instrument_id(&self) -> u32 {
        self.instrument
    }
    /// Number of the order that filled.
    #[getter]
    fn order_id(&self) -> u64 {
        self.order_id.get().cast_unsigned()
    }
    /// Whether the order was to `buy` or to `sell`.
    #[getter]
    fn side(&self) -> &'static str {
        side_of(&self.is_buy)
    }
    /// Price in whole ticks, so that no digit of it is rounded.
    #[getter]
    fn price_ticks(&self) -> i64 {
        self.price_ticks.get()
    }
    /// Size of this fill in lots.
    #[getter]
    fn lots(&self) -> i64 {
        self.lots.get()
    }
    /// Size of this fill in lots, negative for a sell.
    #[getter]
    fn signed_lots(&self) -> i64 {
        if self.is_buy.get() { self.lots.get() } else { -self.lots.get() }
    }
    /// Lots of the order still open.
    #[getter]
    fn open_lots(&self) -> i64 {
        self.open_lots.get()
    }
    /// Price as a number of the quote currency, for arithmetic that may round.
    #[getter]
    fn price(&self) -> f64 {
        self.scale.price(self.price_ticks.get())
    }
    /// Size as a number of units, for arithmetic that may round.
    #[getter]
    fn quantity(&self) -> f64 {
        self.scale.quantity(self.lots.get())
    }
    /// Whether the order waited in the book rather than took.
    #[getter]
    fn is_maker(&self) -> bool {
        self.is_maker.get()
    }
    /// Number of the currency of the fee in the account's table; None for the settlement currency of the instrument.
    #[getter]
    fn fee_currency_id(&self) -> Option<u8> {
        u8::try_from(self.fee_currency.get()).ok()
    }
    /// Fee in atto units (1e-18) of its currency; negative is a rebate.
    #[getter]
    fn fee_atto(&self) -> i128 {
        self.fee.get()
    }
    /// Fee as a float, in its currency.
    #[getter]
    fn fee(&self) -> f64 {
        Money(self.fee.get()).to_f64()
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
    /// Number of the order that it is about.
    #[getter]
    fn order_id(&self) -> u64 {
        self.update.order_id.0
    }
    /// `accepted`, `rejected`, `triggered`, `canceled`, `expired`, `cancel_rejected`, `replaced`,
    /// `replace_rejected`, or `restated`: price or size changed though no amendment was asked for.
    #[getter]
    fn what(&self) -> &'static str {
        match self.update.report.body {
            ReportBody::Accepted => "accepted",
            ReportBody::Rejected(_) => "rejected",
            ReportBody::Triggered | ReportBody::TriggeredAt { .. } => "triggered",
            ReportBody::Fill { .. } => "fill",
            ReportBody::Canceled(_) => "canceled",
            ReportBody::CancelRejected(_) => "cancel_rejected",
            ReportBody::Replaced { .. } => "replaced",
            ReportBody::Restated { .. } => "restated",
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
    /// What is wrong in words, where there is more to say.
    pub words: Option<String>,
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
    /// What is wrong, in words.
    #[getter]
    fn message(&self) -> String {
        let numbers = || format!("{}: limit {}, value {}", self.rule, self.limit, self.value);
        self.words.clone().unwrap_or_else(numbers)
    }
    #[expect(clippy::unused_self, reason = "a special method")]
    fn __bool__(&self) -> bool {
        false
    }
    fn __repr__(&self) -> String {
        format!("Refused(rule={:?}, limit={}, value={})", self.rule, self.limit, self.value)
    }
}

/// Makes a `Refused`, with what is wrong in words where there is more to say than rule, limit and value.
pub fn refused_object(py: Python<'_>, refusal: Refusal, words: Option<String>) -> PyResult<Py<PyAny>> {
    let Refusal { rule, limit, value } = refusal;
    Ok(Py::new(py, PyRefused { rule: rule.name(), limit, value, words })?.into_any())
}

/// Turns a verdict into an order number or a `Refused`.
pub fn verdict_object(py: Python<'_>, verdict: Verdict) -> PyResult<Py<PyAny>> {
    match verdict {
        // CPython makes signed numbers faster than unsigned ones.
        Verdict::Approved(order_id) => match i64::try_from(order_id.0) {
            Ok(signed) => Ok(signed.into_pyobject(py)?.into_any().unbind()),
            Err(_) => Ok(order_id.0.into_pyobject(py)?.into_any().unbind()),
        },
        Verdict::Refused(refusal) => refused_object(py, refusal, None),
    }
}
