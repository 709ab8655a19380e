//! Limits between Python and the risk room: settings in, commands in, what stands out.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_kernel::Kernel;
use tradecore_risk::{CanaryLimits, Limits, ScopeLimits, ScopesConfig, SelfTrade, StrategyLimits};
use tradecore_types::{
    AccountId, ByLimit, CommandKind, CommandName, Decimal, InstrumentId, InstrumentSpec, LimitName,
    LimitOwner, LimitValue, Money, OrderId, PersonName, SafetyCause, SafetyPause, Said, Scope, StrategyId,
};

use crate::currencies::others_of;
use crate::errors::{invalid_value, value_error};
use crate::problems::Problems;

/// Reads the number of a limit.
fn number(limit: LimitName, value: Option<&str>) -> PyResult<Option<Decimal>> {
    let parse = |text| Decimal::parse(limit.name(), text).map_err(|error| value_error(&error));
    value.map(parse).transpose()
}

/// Reads a setting that may be absent.
fn setting(owner: &Bound<'_, PyAny>, limit: LimitName) -> PyResult<Option<Decimal>> {
    let value = owner.getattr(limit.name())?;
    if value.is_none() {
        return Ok(None);
    }
    let text: String = value.str()?.extract()?;
    number(limit, Some(&text))
}

/// Reads the limits of one instrument from a `RiskSpec`: its own where it has them, else those of all.
///
/// `None` when one of them was refused.
pub fn limits(
    spec: &InstrumentSpec,
    risk: &Bound<'_, PyAny>,
    problems: &mut Problems,
) -> PyResult<Option<Limits>> {
    let own = risk.getattr("instrument")?.cast_into::<PyDict>()?.get_item(&spec.symbol)?;
    let own_path = format!("risk.instrument.{}", spec.symbol);
    let window = |name: &str| -> PyResult<i64> {
        let own = own.as_ref().map(|own| own.getattr(name)).transpose()?;
        own.filter(|value| !value.is_none()).map_or_else(|| risk.getattr(name), Ok)?.extract()
    };
    let mut limits = Limits {
        order_rate_window_ns: window("order_rate_window_ns")?,
        price_drift_window_ns: window("price_drift_window_ns")?,
        ..Limits::default()
    };
    let mut is_good = true;
    for limit in LimitName::of(LimitOwner::Instrument) {
        let own = own.as_ref().filter(|own| own.getattr(limit.name()).is_ok_and(|value| !value.is_none()));
        let (owner, path) = own.map_or((risk, "risk"), |own| (own, own_path.as_str()));
        let read = setting(owner, limit)
            .and_then(|value| limits.set(limit, value, spec.lot_size).map_err(|error| value_error(&error)));
        is_good &= problems.take(path, read)?.is_some();
    }
    Ok(is_good.then_some(limits))
}

/// Reads the limits of the accounts, of all together and of the named strategies; `None` when any was refused.
///
/// Where there is one account, it is all together.
pub fn scopes(
    spec: &Bound<'_, PyAny>,
    strategies: &[String],
    symbols: &[String],
    problems: &mut Problems,
) -> PyResult<Option<ScopesConfig>> {
    let risk = &spec.getattr("risk")?;
    let word: String = risk.getattr("self_trade")?.str()?.extract()?;
    let by_name = risk.getattr("strategy")?.cast_into::<PyDict>()?;
    let account = scope_limits(&risk.getattr("account")?, Scope::ACCOUNT, LimitOwner::Account);
    let mut account = problems.take("risk.account", account)?;
    let mut accounts: Vec<ScopeLimits> = Vec::new();
    for (index, other) in others_of(spec)?.iter().enumerate() {
        if index == 0 {
            accounts.extend(account.take());
            let portfolio = risk.getattr("portfolio")?;
            account = if portfolio.is_none() {
                Some(ScopeLimits::default())
            } else {
                let limits = scope_limits(&portfolio, Scope::Portfolio, LimitOwner::Account);
                problems.take("risk.portfolio", limits)?
            };
        }
        let limits = scope_limits(&other.getattr("risk")?, Scope::ACCOUNT, LimitOwner::Account);
        accounts.extend(problems.take(&format!("accounts[{index}].risk"), limits)?);
    }
    let mut of_strategies = Vec::with_capacity(strategies.len());
    for (index, name) in strategies.iter().enumerate() {
        of_strategies.extend(match by_name.get_item(name)? {
            Some(spec) => {
                problems.take(&format!("risk.strategy.{name}"), strategy_limits(&spec, index, symbols))?
            }
            None => Some(StrategyLimits::default()),
        });
    }
    let self_trade = problems.take("risk", self_trade(&word))?;
    let day_start_ns = risk.getattr("day_start_ns")?.extract()?;
    let canaries = canaries(spec, symbols, problems)?;
    let (Some(account), Some(self_trade)) = (account, self_trade) else { return Ok(None) };
    let strategies = of_strategies;
    Ok(Some(ScopesConfig { account, accounts, strategies, canaries, self_trade, day_start_ns }))
}

/// Reads the bounds of venue accounts that no command changes; those that were refused are left out.
fn canaries(
    spec: &Bound<'_, PyAny>,
    symbols: &[String],
    problems: &mut Problems,
) -> PyResult<Vec<CanaryLimits>> {
    let mut found = Vec::new();
    for (index, canary) in spec.getattr("canaries")?.try_iter()?.enumerate() {
        let path = format!("canaries[{index}]");
        found.extend(problems.take(&path, canary_limits(spec, &canary?, symbols))?);
    }
    Ok(found)
}

fn canary_limits(
    spec: &Bound<'_, PyAny>,
    canary: &Bound<'_, PyAny>,
    symbols: &[String],
) -> PyResult<CanaryLimits> {
    let name: String = canary.getattr("account")?.extract()?;
    let names: Vec<String> = spec.getattr("account_names")?.extract()?;
    let known = names.iter().position(|known| *known == name).and_then(|index| u8::try_from(index).ok());
    let account =
        known.ok_or_else(|| invalid_value("account", &name, "must be an account of this engine"))?;
    let instruments: Vec<String> = canary.getattr("instruments")?.extract()?;
    let money = |field: &'static str| -> PyResult<Money> {
        let text: String = canary.getattr(field)?.extract()?;
        let amount = Decimal::parse(field, &text).map_err(|error| value_error(&error))?;
        if amount.mantissa < 0 {
            return Err(invalid_value(field, &text, "must not be negative"));
        }
        Money::of(field, amount).map_err(|error| value_error(&error))
    };
    Ok(CanaryLimits {
        account: AccountId(account),
        instruments: instruments.into_iter().map(|symbol| id_of(symbols, symbol)).collect::<PyResult<_>>()?,
        order_value_max: money("order_value_max")?,
        orders_a_day_max: canary.getattr("orders_a_day_max")?.extract()?,
        position_value_max: money("position_value_max")?,
    })
}

fn id_of(symbols: &[String], symbol: String) -> PyResult<InstrumentId> {
    match symbols.iter().position(|known| *known == symbol) {
        Some(index) => Ok(InstrumentId(u32::try_from(index).unwrap_or(u32::MAX))),
        None => Err(invalid_value("instruments", &symbol, "must name instruments of this engine")),
    }
}

/// Reads what is done about an order that would trade with another one of the account.
fn self_trade(word: &str) -> PyResult<SelfTrade> {
    SelfTrade::from_name(word)
        .ok_or_else(|| invalid_value("self_trade", word, "must be allow, block or cancel_oldest"))
}

fn strategy_limits(spec: &Bound<'_, PyAny>, index: usize, symbols: &[String]) -> PyResult<StrategyLimits> {
    let scope = Scope::Strategy(StrategyId(u16::try_from(index).unwrap_or(u16::MAX)));
    let mut limits = scope_limits(spec, scope, LimitOwner::Strategy)?;
    limits.executions_window_ns = spec.getattr("executions_window_ns")?.extract()?;
    let allowed: Option<Vec<String>> = spec.getattr("instruments")?.extract()?;
    let read = |allowed: Vec<String>| allowed.into_iter().map(|symbol| id_of(symbols, symbol)).collect();
    let instruments = allowed.map(read).transpose()?;
    Ok(StrategyLimits { limits, instruments })
}

fn scope_limits(spec: &Bound<'_, PyAny>, scope: Scope, owner: LimitOwner) -> PyResult<ScopeLimits> {
    let mut limits = ScopeLimits {
        message_rate_window_ns: spec.getattr("message_rate_window_ns")?.extract()?,
        ..ScopeLimits::default()
    };
    for limit in LimitName::of(owner) {
        limits.set(scope, limit, setting(spec, limit)?).map_err(|error| value_error(&error))?;
    }
    Ok(limits)
}

/// Reads what a limit or a halt is about.
pub fn scope(what: &str, id: u32) -> PyResult<Scope> {
    if let ("account", Ok(id)) = (what, u8::try_from(id)) {
        return Ok(Scope::Account(AccountId(id)));
    }
    match (what, u16::try_from(id)) {
        ("portfolio", _) => Ok(Scope::Portfolio),
        ("strategy", Ok(id)) => Ok(Scope::Strategy(StrategyId(id))),
        ("instrument", _) => Ok(Scope::Instrument(InstrumentId(id))),
        _ => Err(invalid_value("scope", what, "must be account, portfolio, strategy or instrument")),
    }
}

/// Reads the name of a limit with its new value; `None` switches it off.
pub fn limit_value(name: &str, value: Option<&str>) -> PyResult<(LimitName, LimitValue)> {
    let known = || LimitName::ALL.map(LimitName::name).join(", ");
    let limit = LimitName::from_name(name)
        .ok_or_else(|| invalid_value("limit", name, &format!("must be one of {}", known())))?;
    let value = match (limit, value) {
        (LimitName::SelfTrade, Some(word)) => {
            Some(Decimal { mantissa: i64::from(self_trade(word)?.code()), decimals: 0 })
        }
        _ => number(limit, value)?,
    };
    Ok((limit, LimitValue::of(value)))
}

/// Shows the value of a limit as its setting has it; `None` where it is off.
pub fn value_text(limit: LimitName, value: LimitValue) -> Option<String> {
    match limit {
        LimitName::SelfTrade => {
            let choice = SelfTrade::of_setting(value.get()).ok();
            choice.map(|choice| choice.name().to_owned())
        }
        _ => value.get().map(|value| value.to_string()),
    }
}

/// Names a scope, and its number where it has one.
pub fn scope_name(scope: Scope) -> (&'static str, u32) {
    match scope {
        Scope::Account(AccountId(id)) => ("account", u32::from(id)),
        Scope::Portfolio => ("portfolio", 0),
        Scope::Strategy(StrategyId(id)) => ("strategy", u32::from(id)),
        Scope::Instrument(InstrumentId(id)) => ("instrument", id),
    }
}

/// Shows the limits of a scope by the names of their settings, as text; `None` where one is off.
pub fn shown<'py>(py: Python<'py>, kernel: &Kernel, scope: Scope) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let money = |value: Option<Money>| value.map(|money| money.to_string());
    let count = |value: Option<u32>| value.map(|count| count.to_string());
    let span = |value: Option<i64>| value.map(|span| span.to_string());
    let size = |value: Option<Decimal>| value.map(|size| size.to_string());
    let bps = |ppm: Option<i64>| size(ppm.map(|mantissa| Decimal { mantissa, decimals: 2 }));
    let put = |limit: LimitName, value: Option<String>| out.set_item(limit.name(), value);
    if let Scope::Instrument(id) = scope {
        let unknown = || invalid_value("instrument_id", &id.0.to_string(), "must be in the instrument table");
        let limits = kernel.limits(id).ok_or_else(unknown)?;
        let lot = kernel.instrument(id).map(|instrument| instrument.spec.lot_size);
        let lots = |lots: Option<i64>| lots.and_then(|lots| lot?.times(lots).ok());
        put(LimitName::Quantity, size(lots(limits.quantity_lots_max)))?;
        put(LimitName::Notional, money(limits.notional_max))?;
        put(LimitName::Position, size(lots(limits.position_lots_max)))?;
        put(LimitName::OpenOrders, count(limits.open_orders_max))?;
        put(LimitName::OrderRate, count(limits.order_rate_max))?;
        put(LimitName::OrderRateWindow, span(Some(limits.order_rate_window_ns)))?;
        put(LimitName::PriceCollar, bps(limits.price_collar_ppm))?;
        put(LimitName::PriceDrift, bps(limits.price_drift_ppm))?;
        put(LimitName::PriceDriftWindow, span(Some(limits.price_drift_window_ns)))?;
        put(LimitName::ReferenceAge, span(limits.reference_age_ns_max))?;
        return Ok(out);
    }
    let unknown = || invalid_value("strategy_id", &scope_name(scope).1.to_string(), "must be a strategy");
    let limits = kernel.scopes().limits(scope).ok_or_else(unknown)?;
    put(LimitName::Quantity, size(limits.quantity_max))?;
    put(LimitName::Notional, money(limits.notional_max))?;
    put(LimitName::Position, size(limits.position_max))?;
    put(LimitName::OpenOrders, count(limits.open_orders_max))?;
    put(LimitName::Gross, money(limits.gross_max))?;
    put(LimitName::Net, money(limits.net_max))?;
    put(LimitName::MessageRate, count(limits.message_rate_max))?;
    put(LimitName::MessageRateWindow, span(Some(limits.message_rate_window_ns)))?;
    put(LimitName::CancelReserve, count(limits.cancel_reserve))?;
    put(LimitName::DailyLoss, money(limits.daily_loss_max))?;
    put(LimitName::Drawdown, money(limits.drawdown_max))?;
    if let Scope::Strategy(strategy) = scope {
        put(LimitName::Executions, count(limits.executions_max))?;
        put(LimitName::ExecutionsWindow, span(Some(limits.executions_window_ns)))?;
        put(LimitName::IdenticalWindow, span(limits.identical_window_ns))?;
        out.set_item("instruments", allowed(kernel, strategy))?;
    } else if scope == Scope::Portfolio || !kernel.scopes().has_accounts() {
        put(LimitName::SelfTrade, Some(kernel.scopes().self_trade().name().to_owned()))?;
    }
    Ok(out)
}

/// Lists the symbols that a strategy may trade; `None` where that is every one.
fn allowed(kernel: &Kernel, strategy: StrategyId) -> Option<String> {
    let ids = (0..kernel.instruments()).map(|index| InstrumentId(u32::try_from(index).unwrap_or(u32::MAX)));
    let instruments = ids.filter_map(|id| kernel.instrument(id));
    let (may, may_not): (Vec<_>, Vec<_>) =
        instruments.partition(|instrument| kernel.scopes().is_allowed(strategy, instrument.id));
    let symbols = || may.iter().map(|instrument| instrument.spec.symbol.as_str()).collect::<Vec<_>>();
    (!may_not.is_empty()).then(|| symbols().join(", "))
}

/// Reads the name of a person.
pub fn person(name: &str) -> PyResult<PersonName> {
    PersonName::new(name).map_err(|error| value_error(&error))
}

/// Reads how a flatten closes by limit orders; it needs the distance and the time.
pub fn by_limit(within_bps: Option<u32>, then_market_ns: Option<i64>) -> PyResult<Option<ByLimit>> {
    let missing = |field| invalid_value(field, "", "must be given: a distance and a time belong together");
    match (within_bps, then_market_ns) {
        (None, None) => Ok(None),
        (Some(bps), Some(time_ns)) => {
            ByLimit::new(bps, time_ns).map(Some).map_err(|error| value_error(&error))
        }
        (None, Some(_)) => Err(missing("within_bps")),
        (Some(_), None) => Err(missing("then_market_ns")),
    }
}

/// Reads why an engine pauses by itself: the name of the cause, what was seen, and the bound.
pub fn safety(given: &Bound<'_, PyAny>) -> PyResult<Option<SafetyPause>> {
    if given.is_none() {
        return Ok(None);
    }
    let rule = "must be a cause, what was seen and the bound: a name and two whole numbers";
    let wrong = |_| invalid_value("safety", &given.to_string(), rule);
    let (cause, value, bound): (String, i64, i64) = given.extract().map_err(wrong)?;
    let known = || format!("must be one of {}", SafetyCause::ALL.map(SafetyCause::name).join(", "));
    let cause = SafetyCause::from_name(&cause).ok_or_else(|| invalid_value("cause", &cause, &known()))?;
    Ok(Some(SafetyPause { cause, value, bound }))
}

/// Makes a command of its name and what it says beside that.
pub fn command(name: &str, said: &Said) -> PyResult<CommandKind> {
    let known = || format!("must be one of {}", CommandName::ALL.map(CommandName::name).join(", "));
    let name = CommandName::from_name(name).ok_or_else(|| invalid_value("name", name, &known()))?;
    CommandKind::of(name, said).map_err(|error| value_error(&error))
}

/// Reads the number of a wish.
pub fn order_number(text: &str) -> PyResult<OrderId> {
    let number = text.parse().map_err(|_| invalid_value("value", text, "must be the number of a wish"))?;
    Ok(OrderId(number))
}
