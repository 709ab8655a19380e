//! The methods of a desk that send an order. They differ in the side alone, so their parameters stand here once.

/// Makes the methods `$method` of `PyOrderDesk`, each of which sends an order of its `$side`.
///
/// pyo3 reads the parameters of a method before any macro among them is expanded, so a method as a whole is made.
/// The defaults of `signature` are shown as `...` to a caller, so `text_signature` says what they are.
macro_rules! order_methods {
    ($($(#[$documentation:meta])* $method:ident: $side:expr;)+) => {
        #[pymethods]
        impl PyOrderDesk {
            $(
                $(#[$documentation])*
            #[pyo3(
                signature = (
                    by_position=ByPosition::NOTHING, /, quantity=Part::NONE, quantity_lots=Part::NONE, fraction=Part::NONE, limit=Part::NONE,
                    limit_ticks=Part::NONE, stop=Part::NONE, stop_ticks=Part::NONE, time_in_force="gtc", post_only=false,
                    reduce_only=false, stop_loss=Part::NONE, stop_loss_ticks=Part::NONE, take_profit=Part::NONE, take_profit_ticks=Part::NONE,
                    instrument_id=None, touch=Part::NONE, touch_ticks=Part::NONE, trail=Part::NONE, trail_ticks=Part::NONE, trail_limit=Part::NONE,
                    trail_limit_ticks=Part::NONE, activation=Part::NONE, activation_ticks=Part::NONE, display=Part::NONE, display_lots=Part::NONE,
                    to_limit=false, expire_ns=None, after=None, oco=None, stop_loss_pct=Part::NONE, take_profit_pct=Part::NONE,
                    trail_pct=Part::NONE
                ),
                text_signature = "($self, *, quantity=None, quantity_lots=None, fraction=None, limit=None, \
                    limit_ticks=None, stop=None, stop_ticks=None, time_in_force='gtc', post_only=False, \
                    reduce_only=False, stop_loss=None, stop_loss_ticks=None, take_profit=None, \
                    take_profit_ticks=None, instrument_id=None, touch=None, touch_ticks=None, trail=None, \
                    trail_ticks=None, trail_limit=None, trail_limit_ticks=None, activation=None, \
                    activation_ticks=None, display=None, display_lots=None, to_limit=False, expire_ns=None, \
                    after=None, oco=None, stop_loss_pct=None, take_profit_pct=None, trail_pct=None)"
            )]
            #[expect(clippy::too_many_arguments, reason = "an order has this many choices; each is a keyword")]
            fn $method<'a, 'py>(
                &self,
                py: Python<'py>,
                by_position: ByPosition<'a, 'py>,
                quantity: Part<'a, 'py>,
                quantity_lots: Part<'a, 'py>,
                fraction: Part<'a, 'py>,
                limit: Part<'a, 'py>,
                limit_ticks: Part<'a, 'py>,
                stop: Part<'a, 'py>,
                stop_ticks: Part<'a, 'py>,
                #[pyo3(from_py_with = text::time_in_force)] time_in_force: &'a str,
                #[pyo3(from_py_with = flag::post_only)] post_only: bool,
                #[pyo3(from_py_with = flag::reduce_only)] reduce_only: bool,
                stop_loss: Part<'a, 'py>,
                stop_loss_ticks: Part<'a, 'py>,
                take_profit: Part<'a, 'py>,
                take_profit_ticks: Part<'a, 'py>,
                instrument_id: Given<'a, 'py>,
                touch: Part<'a, 'py>,
                touch_ticks: Part<'a, 'py>,
                trail: Part<'a, 'py>,
                trail_ticks: Part<'a, 'py>,
                trail_limit: Part<'a, 'py>,
                trail_limit_ticks: Part<'a, 'py>,
                activation: Part<'a, 'py>,
                activation_ticks: Part<'a, 'py>,
                display: Part<'a, 'py>,
                display_lots: Part<'a, 'py>,
                #[pyo3(from_py_with = flag::to_limit)] to_limit: bool,
                #[pyo3(from_py_with = optional::expire_ns)] expire_ns: Option<i64>,
                #[pyo3(from_py_with = order::after)] after: Option<u64>,
                #[pyo3(from_py_with = order::oco)] oco: Option<u64>,
                stop_loss_pct: Part<'a, 'py>,
                take_profit_pct: Part<'a, 'py>,
                trail_pct: Part<'a, 'py>,
            ) -> PyResult<Py<PyAny>> {
                let wish = Wish {
                    side: $side,
                    by_position,
                    quantity,
                    quantity_lots,
                    fraction,
                    limit: (limit, limit_ticks),
                    stop: (stop, stop_ticks),
                    touch: (touch, touch_ticks),
                    trail: (trail, trail_ticks),
                    trail_limit: (trail_limit, trail_limit_ticks),
                    activation: (activation, activation_ticks),
                    display: (display, display_lots),
                    to_limit,
                    time_in_force,
                    expire_ns,
                    after,
                    oco,
                    post_only,
                    reduce_only,
                    stop_loss: (stop_loss, stop_loss_ticks),
                    take_profit: (take_profit, take_profit_ticks),
                    stop_loss_pct,
                    take_profit_pct,
                    trail_pct,
                };
                send(self, py, instrument_id, wish)
            }
            )+
        }
    };
}

pub(crate) use order_methods;
