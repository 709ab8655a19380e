//! Python face of the kernel.

use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use pyo3::{PyTraverseError, PyVisit};
use tradecore_kernel::{Kernel, KernelError};
use tradecore_types::{AccountId, CashFlowKind, InstrumentId, Money, StrategyId};

use crate::access::{asked, taken};
use crate::activity;
use crate::arguments::{flag, real, text};
use crate::bars;
use crate::batch::PyEventBatch;
use crate::caller::Calling;
use crate::calls::Handlers;
use crate::config;
use crate::currencies;
use crate::errors::{broken_invariant, invalid_value, misuse, strategy_error, value_error};
use crate::events::Scale;
use crate::gates::UserGates;
use crate::indicators;
use crate::journal::put_command;
use crate::latency::PyLatencySamples;
use crate::positions;
use crate::results;
use crate::risk;
use crate::runs;
use crate::updates::{refused_object, verdict_object};
use crate::views::PyIndicator;

/// What is said to those who hand in a batch that another thread is filling.
const BATCH_BUSY: &str =
    "the batch is in use by another thread: fill it from one thread, and then hand it in";

/// Adds this part's classes to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyKernel>()
}

/// Turns an error of the kernel into its exception.
pub fn kernel_error(error: &KernelError) -> PyErr {
    match error {
        KernelError::Value(error) => value_error(error),
        KernelError::Codec(error) => invalid_value("frame", &error.to_string(), "must fit a journal frame"),
        KernelError::Runaway { .. } => misuse(&error.to_string()),
        KernelError::GateFailed | KernelError::Broken(_) => broken_invariant(&error.to_string()),
    }
}

/// The deterministic engine: events in, calls of strategies and journal frames out.
///
/// Build it from an `EngineSpec`; `tradecore.engine.Engine` is the comfortable way to use it.
#[pyclass(name = "Kernel", module = "tradecore._core")]
pub struct PyKernel {
    pub(crate) kernel: Kernel,
    scales: Vec<Scale>,
    pub(crate) timeframes: bars::Timeframes,
    /// Names of the strategies, by their number.
    pub(crate) strategies: Vec<String>,
    /// Where strategies are called at this moment, if they are.
    pub(crate) calling: Calling,
    pub(crate) gates: UserGates,
}

impl PyKernel {
    /// Turns an error of the engine into an exception; one of a strategy or of a gate names it.
    pub(crate) fn blame(&self, py: Python<'_>, error: &KernelError) -> PyErr {
        match error {
            KernelError::GateFailed => self.gates.failure_or_broken(py),
            KernelError::Runaway { strategy, time_ns, calls_max } => {
                let name = self.strategies.get(strategy.index()).map_or("", String::as_str);
                strategy_error(name, "its callbacks", *time_ns, &runs::runaway(*calls_max))
            }
            error => kernel_error(error),
        }
    }

    /// Lets a strategy ask for something: from a callback, and in no other thread or process.
    #[inline]
    pub(crate) fn hear(&self, py: Python<'_>, strategy: StrategyId) -> PyResult<()> {
        if self.calling.is_here() {
            return Ok(());
        }
        let name = self.strategies.get(strategy.index()).map_or("", String::as_str);
        Err(self.calling.refusal(py, name))
    }

    #[inline]
    pub(crate) fn scale(&self, instrument: u32) -> PyResult<Scale> {
        let found = usize::try_from(instrument).ok().and_then(|index| self.scales.get(index));
        found.copied().ok_or_else(|| {
            invalid_value("instrument_id", &instrument.to_string(), "must be in the instrument table")
        })
    }
}

#[pymethods]
impl PyKernel {
    /// Builds an engine from an `EngineSpec` for strategies of these names.
    #[new]
    #[pyo3(signature = (
        spec, strategies, *, recording=false, digest=false, equity_curve=false, sample_ns=None, latency=None
    ))]
    fn new(
        spec: &Bound<'_, PyAny>,
        strategies: Vec<String>,
        recording: bool,
        digest: bool,
        equity_curve: bool,
        sample_ns: Option<i64>,
        latency: Option<&Bound<'_, PyLatencySamples>>,
    ) -> PyResult<Self> {
        let mut config = config::read(spec, &strategies, recording, digest, equity_curve, sample_ns)?;
        config::measure_latency(&mut config.venue, latency.map(|samples| &samples.get().inner))?;
        let kernel = Kernel::new(config).map_err(|error| value_error(&error))?;
        let ids = (0..kernel.instruments()).filter_map(|index| u32::try_from(index).ok());
        let scales = ids.filter_map(|id| kernel.instrument(InstrumentId(id))).map(Scale::of).collect();
        Ok(Self {
            kernel,
            scales,
            timeframes: bars::Timeframes::default(),
            strategies,
            calling: Calling::new(),
            gates: UserGates::default(),
        })
    }

    /// Shows the garbage collector the gates of users, which may lead back here.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.gates.traverse(&visit)
    }

    /// Sets the decision gates that every request passes before risk, and whether decisions are traced.
    ///
    /// Those that come with tradecore are read by their settings. Every other one is a callable; it is called with
    /// now_ns, strategy_id, instrument_id, request, is_buy, quantity_lots, price_ticks, position_lots, is_closing,
    /// best_bid_ticks, best_ask_ticks and last_entry_ns, and returns (name, limit, value, passed). The engine
    /// answers nothing meanwhile. To be called before the first event.
    #[pyo3(signature = (gates, *, is_tracing=false))]
    fn set_gates(&mut self, gates: Vec<Bound<'_, PyAny>>, is_tracing: bool) -> PyResult<()> {
        let (own, gates) = UserGates::read(&gates)?;
        self.kernel.set_gates(gates, is_tracing);
        self.gates = own;
        Ok(())
    }

    /// Adds a series of bars of a `BarSource` that keeps `history` of them; longer ones are added first.
    fn add_series(
        &mut self,
        instrument_id: u32,
        bars: bars::Wanted,
        timeframe: &str,
        first_bar: Option<&str>,
        history: usize,
    ) -> PyResult<usize> {
        let id = InstrumentId(instrument_id);
        let series = bars::add(&mut self.kernel, id, &bars, first_bar, history)?;
        bars::push_name(&mut self.timeframes, timeframe);
        Ok(series)
    }

    /// Number of bars given as input that a series left out: outside of the sessions, or too late.
    fn bars_left_out(&self, series: usize) -> u64 {
        self.kernel.bars_left_out(series)
    }

    /// Wakes a strategy at every bar of a series.
    fn subscribe_bars(&mut self, strategy_id: u16, series: usize) {
        self.kernel.subscribe_bars(StrategyId(strategy_id), series);
    }

    /// Wakes a strategy at every `fill` of its orders, or at every other change of them (`order`).
    fn subscribe_own(&mut self, strategy_id: u16, what: &str) -> PyResult<()> {
        match what {
            "fill" => self.kernel.subscribe_fills(StrategyId(strategy_id)),
            "order" => self.kernel.subscribe_orders(StrategyId(strategy_id)),
            other => return Err(invalid_value("what", other, "must be fill or order")),
        }
        Ok(())
    }

    /// Wakes a strategy at every `quote`, `book` or `trade` of an instrument.
    fn subscribe(&mut self, strategy_id: u16, what: &str, instrument_id: u32) -> PyResult<()> {
        let (strategy, instrument) = (StrategyId(strategy_id), InstrumentId(instrument_id));
        match what {
            "quote" => self.kernel.subscribe_quotes(strategy, instrument),
            "book" => self.kernel.subscribe_books(strategy, instrument),
            "trade" => self.kernel.subscribe_trades(strategy, instrument),
            other => return Err(invalid_value("what", other, "must be quote, book or trade")),
        }
        Ok(())
    }

    /// Lets an indicator follow a series: its name, and its parameters by theirs, as `indicator_table` has them.
    fn add_indicator(
        slf: &Bound<'_, Self>,
        series: usize,
        name: &str,
        parameters: &Bound<'_, PyDict>,
    ) -> PyResult<PyIndicator> {
        let spec = indicators::spec(name, parameters)?;
        let outputs = spec.outputs();
        let mut this = taken(slf.as_unbound(), slf.py())?;
        let index = this.kernel.add_indicator(series, spec).map_err(|error| kernel_error(&error))?;
        Ok(PyIndicator { kernel: slf.clone().unbind(), series, index, outputs })
    }

    /// Queues the events that a batch has now; the batch keeps them. Sources are merged by time.
    #[pyo3(signature = (batch, source=0))]
    fn feed(slf: &Bound<'_, Self>, batch: &Bound<'_, PyEventBatch>, source: usize) -> PyResult<()> {
        let mut this = taken(slf.as_unbound(), slf.py())?;
        if this.calling.is_running() {
            return Err(misuse("the engine is running: strategies feed no events"));
        }
        let events = batch.try_borrow().map_err(|_| misuse(BATCH_BUSY))?.shared();
        this.kernel.feed(source, events).map_err(|error| kernel_error(&error))
    }

    /// Consumes every event fed and calls strategies; returns how many events were consumed.
    ///
    /// `handlers` holds one object per strategy with the attributes `context`, `on_bar`, `on_quote`,
    /// `on_book`, `on_trade`, `on_fill`, `on_order`, `on_timer`, `on_cash_flow`,
    /// `on_liquidation` and `on_revision`, each a `Callback` or None.
    fn run(slf: &Bound<'_, Self>, handlers: Vec<Handlers<'_>>) -> PyResult<u64> {
        runs::run(slf, &handlers)
    }

    /// Lets strategies ask for things in this thread, while the caller calls their `on_start` or `on_stop`.
    ///
    /// Raises `RuntimeError` while strategies are called already.
    fn begin_calls(slf: &Bound<'_, Self>) -> PyResult<()> {
        taken(slf.as_unbound(), slf.py())?.calling.begin()
    }

    /// Ends what `begin_calls` began.
    fn end_calls(slf: &Bound<'_, Self>) {
        runs::held(slf).calling.end();
    }

    /// Refuses what a strategy asks for anywhere but in a callback: raises `RuntimeError`.
    fn check_caller(&self, py: Python<'_>, strategy_id: u16) -> PyResult<()> {
        self.hear(py, StrategyId(strategy_id))
    }

    /// Ends the data: open positions are dealt with as `finalize` says (`none`, `close`, `last_open`).
    fn finish(slf: &Bound<'_, Self>, finalize: &str) -> PyResult<()> {
        let mut this = taken(slf.as_unbound(), slf.py())?;
        this.kernel.finish(config::finalize(finalize)?).map_err(|error| kernel_error(&error))
    }

    /// Samples the equity as it is now, because the data end; does nothing where bars have made rows.
    fn sample_equity(slf: &Bound<'_, Self>) -> PyResult<()> {
        taken(slf.as_unbound(), slf.py())?.kernel.sample_equity().map_err(|error| kernel_error(&error))
    }

    /// Closes a strategy's position with market orders: a number, a `Refused`, or None when it is flat.
    fn close(slf: &Bound<'_, Self>, strategy_id: u16, instrument_id: u32) -> PyResult<Option<Py<PyAny>>> {
        let (py, strategy) = (slf.py(), StrategyId(strategy_id));
        let verdict =
            asked(slf.as_unbound(), py, strategy)?.kernel.close(strategy, InstrumentId(instrument_id));
        verdict.map_err(|error| kernel_error(&error))?.map(|verdict| verdict_object(py, verdict)).transpose()
    }

    /// Moves atto units of money to the margin of an isolated position, or back: None, or a `Refused`.
    fn adjust_margin(
        slf: &Bound<'_, Self>,
        strategy_id: u16,
        instrument_id: u32,
        amount_atto: i128,
    ) -> PyResult<Option<Py<PyAny>>> {
        let (strategy, instrument) = (StrategyId(strategy_id), InstrumentId(instrument_id));
        let mut this = asked(slf.as_unbound(), slf.py(), strategy)?;
        let verdict = this.kernel.adjust_margin(strategy, instrument, Money(amount_atto));
        match verdict.map_err(|error| kernel_error(&error))? {
            Ok(()) => Ok(None),
            Err(refusal) => refused_object(slf.py(), refusal, None).map(Some),
        }
    }

    /// Margin set aside for the isolated position in an instrument, in atto units (1e-18).
    fn set_aside(&self, instrument_id: u32) -> i128 {
        self.kernel.set_aside(InstrumentId(instrument_id)).0
    }

    /// Sets a timer of a strategy; `on_timer` is then called with `timer_id`.
    fn set_timer(slf: &Bound<'_, Self>, strategy_id: u16, time_ns: i64, timer_id: u64) -> PyResult<()> {
        let strategy = StrategyId(strategy_id);
        asked(slf.as_unbound(), slf.py(), strategy)?.kernel.set_timer(strategy, time_ns, timer_id);
        Ok(())
    }

    /// Keeps what the next decision of a strategy is based on, for the trace of that decision.
    fn note_for_trace(
        slf: &Bound<'_, Self>,
        strategy_id: u16,
        #[pyo3(from_py_with = text::name)] name: &str,
        #[pyo3(from_py_with = real::limit)] limit: f64,
        #[pyo3(from_py_with = real::value)] value: f64,
        #[pyo3(from_py_with = flag::passed)] passed: bool,
    ) -> PyResult<()> {
        let strategy = StrategyId(strategy_id);
        let mut this = asked(slf.as_unbound(), slf.py(), strategy)?;
        this.kernel.note_for_trace(strategy, name, limit, value, passed);
        Ok(())
    }

    /// Records a decision that asks for nothing, with the notes of the strategy.
    fn trace(
        slf: &Bound<'_, Self>,
        strategy_id: u16,
        instrument_id: u32,
        action: u8,
        #[pyo3(from_py_with = text::reason)] reason: &str,
    ) -> PyResult<()> {
        let strategy = StrategyId(strategy_id);
        let mut this = asked(slf.as_unbound(), slf.py(), strategy)?;
        let traced = this.kernel.trace(strategy, InstrumentId(instrument_id), action, reason);
        traced.map_err(|error| kernel_error(&error))
    }

    /// Journal frames since the last call, in order.
    fn take_frames<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyBytes>> {
        let mut frames = Vec::new();
        taken(slf.as_unbound(), slf.py())?.kernel.take_frames(&mut frames);
        Ok(PyBytes::new(slf.py(), &frames))
    }

    /// Time of the engine: of the last event it saw, UTC nanoseconds.
    #[getter]
    fn now_ns(&self) -> i64 {
        self.kernel.now_ns()
    }

    /// Hash of the whole state, hexadecimal.
    fn state_hash(&self) -> String {
        hex(&self.kernel.state_hash())
    }

    /// Hash of every order, refusal, cancel and amendment so far, hexadecimal; empty when not kept.
    fn orders_digest(&self) -> String {
        self.kernel.orders_digest().map_or_else(String::new, |digest| hex(&digest))
    }

    /// Whether the kill switch is engaged.
    #[getter]
    fn is_killed(&self) -> bool {
        self.kernel.switches().is_killed
    }

    /// Whether an operator has paused trading: what adds risk is refused until it is resumed.
    #[getter]
    fn is_paused(&self) -> bool {
        self.kernel.switches().is_paused
    }

    /// Whether the books may not be what the venue of any account has: nothing new there before they are compared.
    #[getter]
    fn is_unreconciled(&self) -> bool {
        self.kernel.switches().is_unreconciled
    }

    /// Orders of an account of which its venue told its name: number, that name, the one that others gave it, and
    /// whether they made it and it was taken over.
    #[pyo3(signature = (account_id=0))]
    fn venue_names(&self, account_id: u8) -> Vec<(u64, &str, Option<&str>, bool)> {
        positions::venue_names(&self.kernel, AccountId(account_id))
    }

    /// What is known of the venue of an account: `has_agreed`, `is_unreconciled`, `last_order_id` (at any account), `to_end` (the last order that an
    /// operator wants ended, at any account), `ordered_to_end` (the open orders of these), `revisions` (how often a trade was booked anew) and `refused_exits`.
    #[pyo3(signature = (account_id=0))]
    fn outside<'py>(&self, py: Python<'py>, account_id: u8) -> PyResult<Bound<'py, PyDict>> {
        positions::outside(py, &self.kernel, AccountId(account_id))
    }

    /// Whether what is fed is of the past: strategies are called, and what they ask for is refused.
    #[getter]
    fn is_warming_up(&self) -> bool {
        self.kernel.is_warming_up()
    }

    /// Checks that the commands of a batch can be carried out; nothing is queued.
    fn check_commands(&self, batch: &Bound<'_, PyEventBatch>) -> PyResult<()> {
        let batch = batch.try_borrow().map_err(|_| misuse(BATCH_BUSY))?;
        self.kernel.check_commands(batch.events()).map_err(|error| kernel_error(&error))
    }

    /// Limits of the account, a strategy or an instrument by the names of their settings, as text.
    #[pyo3(signature = (scope, scope_id=0))]
    fn limits<'py>(&self, py: Python<'py>, scope: &str, scope_id: u32) -> PyResult<Bound<'py, PyDict>> {
        risk::shown(py, &self.kernel, risk::scope(scope, scope_id)?)
    }

    /// Gross and net exposure of the account or a strategy in atto units (1e-18) of money, working orders
    /// at their worst; followed from the first limit of a strategy or the account on.
    #[pyo3(signature = (scope, scope_id=0))]
    fn exposure(&self, scope: &str, scope_id: u32) -> PyResult<(i128, i128)> {
        let of = self.kernel.scopes().exposure(risk::scope(scope, scope_id)?);
        let unknown = || invalid_value("scope_id", &scope_id.to_string(), "must be a strategy");
        of.map(|(gross, net)| (gross.0, net.0)).ok_or_else(unknown)
    }

    /// What is halted: scope, its position, rule, limit and the value that passed it.
    fn halts(&self) -> Vec<(&'static str, u32, &'static str, i128, i128)> {
        let row = |(scope, halt): (tradecore_types::Scope, tradecore_risk::Halt)| {
            let (name, id) = risk::scope_name(scope);
            (name, id, halt.rule.name(), halt.limit, halt.value)
        };
        self.kernel.scopes().halts().map(row).collect()
    }

    /// The last command about every limit, permission and halt, oldest first: its time and its fields.
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Vec<(i64, Bound<'py, PyDict>)>> {
        let fields = |(time_ns, kind): &(i64, tradecore_types::CommandKind)| {
            let dict = PyDict::new(py);
            put_command(&dict, kind).map(|()| (*time_ns, dict))
        };
        self.kernel.changes().map(fields).collect()
    }

    /// Money that the owner brought, or took when it is negative: times in UTC nanoseconds, and atto units.
    fn transfers(&self) -> Vec<(i64, i128)> {
        self.kernel.transfers().iter().map(|(time_ns, amount)| (*time_ns, amount.0)).collect()
    }

    /// How much of everything there was: events, orders, refusals, fills, maker_fills.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::counters(py, &self.kernel)
    }

    /// What became of a strategy's orders: filled, part_filled (ended with a part filled), expired, open; canceled
    /// and rejected by reason; and refused, in the order in which each rule first did: time of that in UTC
    /// nanoseconds, instrument, rule, how often, limit and value of the first.
    fn order_counts<'py>(&self, py: Python<'py>, strategy_id: u16) -> PyResult<Bound<'py, PyDict>> {
        activity::order_counts(py, &self.kernel, strategy_id)
    }

    /// What each decision gate said of requests that add risk: name, how often it was asked and said no; time in
    /// UTC nanoseconds, limit and value of its first no.
    fn gate_counts(&self) -> Vec<activity::GateRow> {
        activity::gate_counts(&self.kernel)
    }

    /// Which kinds of market data an instrument has had: bars, quotes, trades, books.
    fn seen(&self, py: Python<'_>, instrument_id: u32) -> PyResult<Py<PyDict>> {
        activity::seen(py, &self.kernel, instrument_id)
    }

    /// Bars that a series has had.
    fn bars_seen(&self, series: usize) -> u64 {
        self.kernel.bars_seen(series)
    }

    /// What the book of an instrument went through: compared, mismatches, gaps, stale, resyncs.
    fn book_counts<'py>(&self, py: Python<'py>, instrument_id: u32) -> PyResult<Bound<'py, PyDict>> {
        results::book_counts(py, &self.kernel, InstrumentId(instrument_id))
    }

    /// Whether the book of an instrument waits for a snapshot.
    fn needs_snapshot(&self, instrument_id: u32) -> bool {
        self.kernel.needs_snapshot(InstrumentId(instrument_id))
    }

    /// Position of a strategy in an instrument, in lots; short is negative.
    fn position_lots(&self, strategy_id: u16, instrument_id: u32) -> i64 {
        self.kernel.ledger().position(StrategyId(strategy_id), InstrumentId(instrument_id))
    }

    /// Position of the account in an instrument, in lots; short is negative.
    fn position_total_lots(&self, instrument_id: u32) -> i64 {
        self.kernel.ledger().position_total(InstrumentId(instrument_id))
    }

    /// Last price of an instrument in ticks, or None before the first.
    fn mark_ticks(&self, instrument_id: u32) -> Option<i64> {
        self.kernel.mark(InstrumentId(instrument_id))
    }

    /// Best bid and ask of an instrument in ticks; None where there is none or the book is invalid.
    fn best_ticks(&self, instrument_id: u32) -> (Option<i64>, Option<i64>) {
        self.kernel.best(InstrumentId(instrument_id))
    }

    /// Open orders as dictionaries: order_id, strategy_id, instrument_id, side, price_ticks, open_lots, filled_lots,
    /// state, `is_sent`, `trades` (names of those that a venue outside told of), and `intent`, which has the values
    /// of its journal record.
    fn open_orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        positions::open_orders(py, &self.kernel)
    }

    /// Money of the account in atto units (1e-18): cash, equity, realised, unrealised, fees, opening; and what
    /// it received without a fill (negative: paid): funding, borrow, liquidation_fee, insurance.
    fn money<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::money(py, &self.kernel)
    }

    /// What each venue account is worth at the last prices, by its number, in atto units (1e-18).
    fn account_equities(&self) -> PyResult<Vec<i128>> {
        let equity_of = |account| self.kernel.equity_of(account).map(|equity| equity.0);
        self.kernel.ledger().accounts().map(equity_of).collect::<Result<_, _>>().map_err(|e| kernel_error(&e))
    }

    /// Balances, one for each currency at each account by its number, in atto units (1e-18): `currency`, `account` (its
    /// number), `balance` as a venue shows it, `cash` (positions paid in full), `realised`, `fees`, `price` in the reporting currency (None
    /// before there is one), `worth` in it, and what was received by kind.
    fn balances<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        currencies::balances(py, &self.kernel)
    }

    /// What a strategy's position received for a reason in atto units (1e-18); negative is what it paid.
    ///
    /// `kind` is `funding`, `borrow`, `liquidation_fee` or `insurance`.
    fn received(&self, strategy_id: u16, instrument_id: u32, kind: &str) -> PyResult<i128> {
        let kind = CashFlowKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(|| {
            invalid_value("kind", kind, "must be funding, borrow, liquidation_fee or insurance")
        })?;
        Ok(self.kernel.ledger().received_by(StrategyId(strategy_id), InstrumentId(instrument_id), kind).0)
    }

    /// Money that came or went without a fill, as columns of one length, oldest first.
    ///
    /// int64: time_ns, strategy_id, instrument_id, kind, which is the place of its name in `kinds`; float64:
    /// amount, negative when the account paid. As those of `trades`, the int64 columns are read-only views.
    fn cash_flows<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::cash_flows(py, &mut self.kernel)
    }

    /// Checks every invariant of the ledger.
    fn check(&self) -> PyResult<()> {
        self.kernel.ledger().check().map_err(|error| broken_invariant(&error.to_string()))
    }

    /// Bars that the slowest indicator needs before its first value.
    fn warm_up_bars(&self) -> usize {
        self.kernel.warm_up_bars()
    }

    /// Closed trades as columns of one length, oldest first.
    ///
    /// int64: entry_time_ns, exit_time_ns, side (+1 long, -1 short), lots, entry_ticks, exit_ticks,
    /// entry_order, exit_order, strategy_id, instrument_id; float64: quantity, entry_price,
    /// exit_price, pnl (net of commission), commission.
    ///
    /// The int64 columns are read-only views of the engine's own memory and show the trades of this moment for
    /// as long as they are kept; while any is kept, later trades come into one copy. The float64 columns, for
    /// which the engine keeps integers, are converted anew by each call and are the caller's.
    fn trades<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::trades(py, &mut self.kernel)
    }

    /// Equity over time, as columns of one length, oldest first.
    ///
    /// int64 `time_ns`, rising; float64 `equity`, and `held`: what one unit of money is worth, put in equal parts
    /// into the instruments at their first prices (cash before that; NaN when none has a price); `price_ticks`: the
    /// price of the only instrument in whole ticks (NaN with several, and before the first). Where orders are
    /// matched against bars a row is a bar given as input, dated by its opening; bars that open together make one,
    /// and a longer bar belongs to the last of the shorter ones. Elsewhere a row is a sample: when the first event
    /// comes, at each multiple of `sample_ns` before which something happened, and at the end
    /// (`sample_equity`). A row has 32 bytes and none is ever dropped.
    ///
    /// `time_ns` is a read-only view of the engine's own memory and shows the rows of this moment for as long as it
    /// is kept; while it is kept, later rows come into one copy. The float64 columns are converted anew by each
    /// call and are the caller's.
    fn equity_curve<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        results::equity_curve(py, &mut self.kernel)
    }

    /// Last `count` values of a column of a series as float64, newest last.
    ///
    /// `column` is `open`, `high`, `low`, `close` or `volume`; fewer values when there are fewer.
    fn column<'py>(
        &self,
        py: Python<'py>,
        series: usize,
        #[pyo3(from_py_with = text::column)] column: &str,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let column = bars::column(column)?;
        Ok(PyArray1::from_slice(py, self.kernel.column(series, column, count)))
    }
}

/// Writes bytes as hexadecimal text.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
