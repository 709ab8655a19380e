//! Reads an `EngineSpec` into the kernel's configuration.

use std::collections::HashMap;

use pyo3::prelude::*;
use tradecore_book::{BookRules, ChecksumRule, SequenceRule, StepText};
use tradecore_kernel::{
    AccountConfig, Amends, Destination, FeeTier, FeeWindow, InstrumentConfig, KernelConfig, LatencySamples,
    Leverage, MarginMode, MarginRule, Matching, VenueConfig, WatchedKinds,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, Finalize, MarketRest, QueueModel, SelfTradePrevention, Slippage,
};
use tradecore_types::{
    AccountId, Currencies, Decimal, HedgedMargin, InstrumentKind, InstrumentSpec, LotMethod, Money, Positions,
};

use crate::amounts::money;
use crate::calendars::Calendars;
use crate::currencies::{CurrencyTable, others_of, own_or};
use crate::errors::{broken_invariant, invalid_value, value_error};
use crate::problems::Problems;
use crate::risk;

/// Open orders per instrument that the simulated venue takes; risk limits fewer.
const OPEN_ORDERS_MAX: usize = 4096;

/// Reads a text attribute.
fn text(owner: &Bound<'_, PyAny>, name: &str) -> PyResult<String> {
    owner.getattr(name)?.str()?.extract()
}

/// Reads decimal text.
fn decimal(owner: &Bound<'_, PyAny>, name: &'static str) -> PyResult<Decimal> {
    Decimal::parse(name, &text(owner, name)?).map_err(|error| value_error(&error))
}

/// Reads the whole configuration from the values of Python.
pub fn read(
    spec: &Bound<'_, PyAny>,
    strategies: &[String],
    is_recording: bool,
    has_digest: bool,
    has_equity_curve: bool,
    sample_ns: Option<i64>,
) -> PyResult<KernelConfig> {
    let mut problems = Problems::default();
    let account = spec.getattr("account")?;
    let risk_spec = spec.getattr("risk")?;
    let fees = spec.getattr("fees")?;
    let calendars = Calendars::read(spec, &mut problems)?;
    let table = CurrencyTable::read(spec)?;
    let mut instruments = Vec::new();
    let mut symbols = Vec::new();
    for (index, instrument) in spec.getattr("instruments")?.try_iter()?.enumerate() {
        let instrument = instrument?;
        symbols.push(text(&instrument, "symbol")?);
        let Some(calendars) = &calendars else { continue };
        let path = format!("instruments[{index}]");
        instruments.extend(
            instrument_config(&instrument, &path, &risk_spec, calendars, &mut problems)?
                .and_then(|config| {
                    let currencies = problems.take(&path, table.of_instrument(&instrument));
                    currencies
                        .map(|read| read.map(|currencies| InstrumentConfig { currencies, ..config }))
                        .transpose()
                })
                .transpose()?,
        );
    }
    let scopes = risk::scopes(spec, strategies, &symbols, &mut problems)?;
    let count = u16::try_from(strategies.len())
        .map_err(|_| invalid_value("strategies", &strategies.len().to_string(), "must be below 2^16"));
    let count = problems.take("", count)?;
    let leverage = problems.take("account", leverage(&account))?;
    let lots = problems.take("account", lot_method(&account))?;
    let positions = problems.take("account", positions(&account))?;
    let hedged_margin = problems.take("account", hedged_margin(&account))?;
    let cash = problems.take("account", table.own_cash(&account))?;
    let currencies = table.others(spec, &symbols, &mut problems)?;
    let destination = problems.take("", destination(spec))?;
    let watched = problems.take("", watched(spec))?;
    let venue = venue_config(&spec.getattr("venue")?, &fees, "", &mut problems)?;
    let fee_tiers = fee_tiers(&fees, "", &mut problems)?;
    let fee_window = problems.take("fees", fee_window(&fees))?;
    let accounts = account_configs(spec, &table, &mut problems)?;
    problems.raise_any()?;
    let missing = || broken_invariant("a setting was refused and nothing was said of it");
    let config = KernelConfig {
        instruments,
        strategies: count.ok_or_else(missing)?,
        scopes: scopes.ok_or_else(missing)?,
        calls_max: risk_spec.getattr("calls_max")?.extract()?,
        currency: text(&account, "currency")?,
        cash: cash.ok_or_else(missing)?,
        currencies,
        fee_currency: table.of_fees(AccountId::FIRST, &fees)?,
        lots: lots.ok_or_else(missing)?,
        positions: positions.ok_or_else(missing)?,
        hedged_margin: hedged_margin.ok_or_else(missing)?,
        leverage: leverage.ok_or_else(missing)?,
        venue: venue.ok_or_else(missing)?,
        fee_tiers,
        fee_window: fee_window.ok_or_else(missing)?,
        accounts,
        destination: destination.ok_or_else(missing)?,
        watched: watched.ok_or_else(missing)?,
        amends: amends(spec, &text(&spec.getattr("account")?, "name")?)?,
        is_recording,
        has_digest,
        has_equity_curve,
        sample_ns,
    };
    for (path, error) in config.problems() {
        problems.note(&path, &error)?;
    }
    problems.raise_any()?;
    Ok(config)
}

/// Reads every venue account beside the first; one that was refused is left out.
fn account_configs(
    spec: &Bound<'_, PyAny>,
    table: &CurrencyTable,
    problems: &mut Problems,
) -> PyResult<Vec<AccountConfig>> {
    let (first_venue, first_fees) = (spec.getattr("venue")?, spec.getattr("fees")?);
    let mut read = Vec::new();
    for (index, account) in others_of(spec)?.iter().enumerate() {
        let path = format!("accounts[{index}]");
        let prefix = format!("{path}.");
        let venue = own_or(account, "venue", &first_venue)?;
        let fees = own_or(account, "fees", &first_fees)?;
        let id = AccountId(u8::try_from(index + 1).unwrap_or(u8::MAX));
        let leverage = problems.take(&path, leverage(account))?;
        let positions = problems.take(&path, positions(account))?;
        let hedged_margin = problems.take(&path, hedged_margin(account))?;
        let venue = venue_config(&venue, &fees, &prefix, problems)?;
        let fee_tiers = fee_tiers(&fees, &prefix, problems)?;
        let fee_window = problems.take(&format!("{path}.fees"), fee_window(&fees))?;
        let fee_currency = table.of_fees(id, &fees)?;
        if let (Some(leverage), Some(positions), Some(hedged_margin), Some(venue), Some(fee_window)) =
            (leverage, positions, hedged_margin, venue, fee_window)
        {
            let watched = watched_at(spec, &text(account, "name")?)?;
            let amends = amends(spec, &text(account, "name")?)?;
            read.push(AccountConfig {
                leverage,
                positions,
                hedged_margin,
                venue,
                fee_currency,
                fee_tiers,
                fee_window,
                watched,
                amends,
            });
        }
    }
    Ok(read)
}

/// Reads where orders go; a mode that this build does not know is an error and never a simulated venue.
fn destination(spec: &Bound<'_, PyAny>) -> PyResult<Destination> {
    match text(spec, "mode")?.as_str() {
        "shadow" => Ok(Destination::Nowhere),
        "backtest" | "paper" => Ok(Destination::Simulated),
        "live" => Ok(Destination::Outside),
        other => Err(invalid_value("mode", other, "must be one of backtest, shadow, paper, live")),
    }
}

/// Reads who amends an order at the venue outside of an account.
fn amends(spec: &Bound<'_, PyAny>, account: &str) -> PyResult<Amends> {
    let names: Vec<String> = spec.getattr("renews_amended")?.extract()?;
    Ok(if names.iter().any(|name| name == account) { Amends::Engine } else { Amends::Venue })
}

/// Reads which kinds of orders are watched here for a venue outside.
fn watched(spec: &Bound<'_, PyAny>) -> PyResult<WatchedKinds> {
    watched_kinds(&spec.getattr("watched")?.extract::<Vec<String>>()?)
}

/// Reads the same of an account beside the first.
fn watched_at(spec: &Bound<'_, PyAny>, account: &str) -> PyResult<WatchedKinds> {
    let given: Option<HashMap<String, Vec<String>>> = spec.getattr("watched_at")?.extract()?;
    let by_account = given.unwrap_or_default();
    watched_kinds(by_account.get(account).map_or(&[], Vec::as_slice))
}

fn watched_kinds(names: &[String]) -> PyResult<WatchedKinds> {
    WatchedKinds::of_names(names.iter().map(String::as_str)).map_err(|error| value_error(&error))
}

/// Reads which lots of a position fills close.
pub fn lot_method(account: &Bound<'_, PyAny>) -> PyResult<LotMethod> {
    let name = text(account, "lots")?;
    let rule = || format!("must be one of {}", LotMethod::ALL.map(LotMethod::name).join(", "));
    LotMethod::from_name(&name).ok_or_else(|| invalid_value("lots", &name, &rule()))
}

/// Reads whether buys and sells meet in one position.
fn positions(account: &Bound<'_, PyAny>) -> PyResult<Positions> {
    let name = text(account, "positions")?;
    let rule = || format!("must be one of {}", Positions::ALL.map(Positions::name).join(", "));
    Positions::from_name(&name).ok_or_else(|| invalid_value("positions", &name, &rule()))
}

/// Reads what margin is asked for where an instrument is held long and short at once.
fn hedged_margin(account: &Bound<'_, PyAny>) -> PyResult<HedgedMargin> {
    let name = text(account, "hedged_margin")?;
    let rule = || format!("must be one of {}", HedgedMargin::ALL.map(HedgedMargin::name).join(", "));
    HedgedMargin::from_name(&name).ok_or_else(|| invalid_value("hedged_margin", &name, &rule()))
}

/// Reads how much may be held for each unit of equity.
fn leverage(account: &Bound<'_, PyAny>) -> PyResult<Leverage> {
    let leverage = decimal(account, "leverage")?;
    if leverage.mantissa <= 0 {
        return Err(invalid_value("leverage", &text(account, "leverage")?, "must be above 0"));
    }
    Ok(Leverage { numerator: leverage.mantissa, denominator: 10i64.pow(u32::from(leverage.decimals)) })
}

/// Reads a venue; the rates that everybody pays are part of it. `above` is the path of the tables.
fn venue_config(
    venue: &Bound<'_, PyAny>,
    fees: &Bound<'_, PyAny>,
    above: &str,
    problems: &mut Problems,
) -> PyResult<Option<VenueConfig>> {
    let fees = problems.take(&format!("{above}fees"), fee_rates(fees))?;
    let slippage = problems.take(&format!("{above}venue.slippage"), slippage(&venue.getattr("slippage")?))?;
    let path = format!("{above}venue");
    let (Some(fees), Some(slippage)) = (fees, slippage) else {
        problems.take(&path, venue_of(venue, FeeSchedule::default(), Slippage::default()))?;
        return Ok(None);
    };
    problems.take(&path, venue_of(venue, fees, slippage))
}

/// Reads the venue itself.
fn venue_of(venue: &Bound<'_, PyAny>, fees: FeeSchedule, bar_slippage: Slippage) -> PyResult<VenueConfig> {
    let matching = match text(venue, "matching")?.as_str() {
        "bars" => Matching::Bars,
        "quotes" => Matching::Quotes,
        "book" => Matching::Book,
        "exchange" => Matching::Exchange,
        other => return Err(invalid_value("matching", other, "must be bars, quotes, book or exchange")),
    };
    let bar_fill = match text(venue, "bar_fill")?.as_str() {
        "next_open" => BarFill::NextOpen,
        "close" => BarFill::Close,
        other => return Err(invalid_value("bar_fill", other, "must be next_open or close")),
    };
    let bar_order = match text(venue, "bar_order")?.as_str() {
        "time" => BarOrder::Time,
        "queue" => BarOrder::Queue,
        other => return Err(invalid_value("bar_order", other, "must be time or queue")),
    };
    let order_latency_ns = latency(venue, "order_latency_ns", matching)?;
    let report_latency_ns = latency(venue, "report_latency_ns", matching)?;
    let self_trade = text(venue, "self_trade")?;
    let self_trade = SelfTradePrevention::from_name(&self_trade).ok_or_else(|| {
        let rule = "must be cancel_oldest, cancel_newest, cancel_both or decrement";
        invalid_value("self_trade", &self_trade, rule)
    })?;
    let market_rest = text(venue, "market_rest")?;
    let market_rest = MarketRest::from_name(&market_rest)
        .ok_or_else(|| invalid_value("market_rest", &market_rest, "must be cancel or one_tick_worse"))?;
    Ok(VenueConfig {
        matching,
        order_latency_ns,
        report_latency_ns,
        latency_samples: None,
        queue: queue_model(venue)?,
        bar_fill,
        bar_order,
        self_trade,
        market_rest,
        bar_slippage,
        fees,
        open_orders_max: OPEN_ORDERS_MAX,
    })
}

/// Reads the rates of a table of fees, or of one of its tiers.
fn fee_rates(fees: &Bound<'_, PyAny>) -> PyResult<FeeSchedule> {
    FeeSchedule::from_bps(&text(fees, "maker_bps")?, &text(fees, "taker_bps")?)
        .map_err(|error| value_error(&error))
}

fn fee_tiers(fees: &Bound<'_, PyAny>, above: &str, problems: &mut Problems) -> PyResult<Vec<FeeTier>> {
    let read = |tier: &Bound<'_, PyAny>| {
        Ok(FeeTier { volume: money("volume_min", &text(tier, "volume_min")?)?, rates: fee_rates(tier)? })
    };
    let mut tiers = Vec::new();
    for (index, tier) in fees.getattr("tiers")?.try_iter()?.enumerate() {
        tiers.extend(problems.take(&format!("{above}fees.tiers[{index}]"), read(&tier?))?);
    }
    Ok(tiers)
}

/// Reads the margin rules of an instrument; `None` when any of them was refused.
fn margin_rule(
    table: &Bound<'_, PyAny>,
    path: &str,
    problems: &mut Problems,
) -> PyResult<Option<MarginRule>> {
    let mode = match text(table, "mode")?.as_str() {
        "cross" => Ok(MarginMode::Cross),
        "isolated" => Ok(MarginMode::Isolated),
        other => Err(invalid_value("mode", other, "must be cross or isolated")),
    };
    let mode = problems.take(path, mode)?;
    let mut tiers = Vec::new();
    for (index, tier) in table.getattr("tiers")?.try_iter()?.enumerate() {
        tiers.extend(problems.take(&format!("{path}.tiers[{index}]"), margin_tier(&tier?))?);
    }
    let fee = FeeSchedule::from_bps("0", &text(table, "liquidation_fee_bps")?);
    let fee = problems.take(path, fee.map_err(|error| value_error(&error)))?;
    let Some(leverage) = problems.take(path, leverage_of_margin(table))? else { return Ok(None) };
    let denominator = 10i64.pow(u32::from(leverage.decimals));
    let schedule = |tiers: &[MarginTier]| MarginSchedule::new(leverage.mantissa, denominator, tiers);
    // Where the brackets up to one make no schedule, that one is wrong.
    let broken = (1..=tiers.len()).find_map(|count| {
        let error = schedule(tiers.get(..count)?).err().filter(|error| error.field != "tiers")?;
        Some((format!("{path}.tiers[{}]", count - 1), error))
    });
    let schedule = match broken {
        Some((path, error)) => problems.take(&path, Err(value_error(&error)))?,
        None => problems.take(path, schedule(&tiers).map_err(|error| value_error(&error)))?,
    };
    let (Some(mode), Some(fee), Some(schedule)) = (mode, fee, schedule) else { return Ok(None) };
    Ok(Some(MarginRule { mode, schedule, liquidation_fee_ppb: fee.taker_ppb }))
}

fn leverage_of_margin(table: &Bound<'_, PyAny>) -> PyResult<Decimal> {
    let leverage = decimal(table, "leverage")?;
    if leverage.mantissa < 10i64.pow(u32::from(leverage.decimals)) {
        return Err(invalid_value("leverage", &text(table, "leverage")?, "must be at least 1"));
    }
    Ok(leverage)
}

fn margin_tier(tier: &Bound<'_, PyAny>) -> PyResult<MarginTier> {
    let optional_money = |name: &'static str| -> PyResult<Option<Money>> {
        let value = tier.getattr(name)?;
        if value.is_none() { Ok(None) } else { money(name, &text(tier, name)?).map(Some) }
    };
    Ok(MarginTier {
        notional_max: optional_money("notional_max")?,
        maintenance_ppm: tier.getattr("maintenance_ppm")?.extract()?,
        leverage_max: tier.getattr("leverage_max")?.extract()?,
        amount: optional_money("amount")?,
    })
}

fn fee_window(fees: &Bound<'_, PyAny>) -> PyResult<FeeWindow> {
    match text(fees, "window")?.as_str() {
        "30d" => Ok(FeeWindow::Days30),
        "total" => Ok(FeeWindow::Total),
        other => Err(invalid_value("window", other, "must be 30d or total")),
    }
}

fn slippage(table: &Bound<'_, PyAny>) -> PyResult<Slippage> {
    Ok(Slippage {
        ticks: table.getattr("ticks")?.extract()?,
        ppm: table.getattr("ppm")?.extract()?,
        range_ppm: table.getattr("range_ppm")?.extract()?,
        impact_ppm: table.getattr("impact_ppm")?.extract()?,
        volume_ppm: table.getattr("volume_ppm")?.extract()?,
        may_leave_bar: table.getattr("may_leave_bar")?.extract()?,
    })
}

fn latency(venue: &Bound<'_, PyAny>, name: &str, matching: Matching) -> PyResult<i64> {
    let value: i64 = venue.getattr(name)?.extract()?;
    if value < 0 {
        return Err(invalid_value(name, &value.to_string(), "must not be negative"));
    }
    if value > 0 && matching.traits().reports_at_once {
        let rule = "must be 0 when orders are matched against bars, which say nothing about the time within";
        return Err(invalid_value(name, &value.to_string(), rule));
    }
    Ok(value)
}

fn queue_model(venue: &Bound<'_, PyAny>) -> PyResult<QueueModel> {
    let exponent: i64 = venue.getattr("queue_power")?.extract()?;
    let power = u8::try_from(exponent).ok().and_then(QueueModel::power);
    let power =
        power.ok_or_else(|| invalid_value("queue_power", &exponent.to_string(), "must be from 1 to 16"))?;
    match text(venue, "queue")?.as_str() {
        "conservative" => Ok(QueueModel::Conservative),
        "power" => Ok(power),
        "log" => Ok(QueueModel::Log),
        other => Err(invalid_value("queue", other, "must be conservative, power or log")),
    }
}

/// Puts measured latencies in the place of the constant ones.
pub fn measure_latency(venue: &mut VenueConfig, samples: Option<&LatencySamples>) -> PyResult<()> {
    let Some(samples) = samples else { return Ok(()) };
    for (name, value) in
        [("order_latency_ns", venue.order_latency_ns), ("report_latency_ns", venue.report_latency_ns)]
    {
        if value != 0 {
            return Err(invalid_value(name, &value.to_string(), "must be 0 beside measured latencies"));
        }
    }
    if venue.matching.traits().reports_at_once {
        let rule = "must be quotes, book or exchange: bars say nothing about the time within";
        return Err(invalid_value("matching", "bars", rule));
    }
    venue.latency_samples = Some(samples.clone());
    Ok(())
}

/// Reads the mode of the end of data.
pub fn finalize(name: &str) -> PyResult<Finalize> {
    match name {
        "none" => Ok(Finalize::None),
        "close" => Ok(Finalize::Close),
        "last_open" => Ok(Finalize::LastOpen),
        other => Err(invalid_value("finalize", other, "must be none, close or last_open")),
    }
}

/// Reads an instrument and its limits; `None` when any of it was refused.
fn instrument_config(
    instrument: &Bound<'_, PyAny>,
    path: &str,
    risk_spec: &Bound<'_, PyAny>,
    calendars: &Calendars,
    problems: &mut Problems,
) -> PyResult<Option<InstrumentConfig>> {
    let sessions = problems.take(path, calendars.of(instrument))?;
    let margin = instrument.getattr("margin")?;
    let margin = if margin.is_none() {
        Some(None)
    } else {
        margin_rule(&margin, &format!("{path}.margin"), problems)?.map(Some)
    };
    let borrow_ppm = instrument.getattr("borrow_ppm")?.extract()?;
    let Some(spec) = problems.take(path, instrument_spec(instrument))? else { return Ok(None) };
    let book = problems.take(path, book_rules(instrument, &spec))?;
    let limits = risk::limits(&spec, risk_spec, problems)?;
    let (Some(book), Some(limits), Some(sessions), Some(margin)) = (book, limits, sessions, margin) else {
        return Ok(None);
    };
    let currencies = Currencies::default();
    Ok(Some(InstrumentConfig { spec, currencies, book, limits, sessions, borrow_ppm, margin }))
}

/// Reads what prices and sizes of the instruments of an `EngineSpec` mean, in their order.
pub fn instrument_specs(spec: &Bound<'_, PyAny>) -> PyResult<Vec<InstrumentSpec>> {
    spec.getattr("instruments")?.try_iter()?.map(|instrument| instrument_spec(&instrument?)).collect()
}

/// Reads for each instrument whether its buys and sells meet in one position, which its account says.
pub fn instrument_positions(spec: &Bound<'_, PyAny>) -> PyResult<Vec<Positions>> {
    let table = CurrencyTable::read(spec)?;
    let accounts = std::iter::once(spec.getattr("account")?).chain(others_of(spec)?);
    let of_accounts = accounts.map(|account| positions(&account)).collect::<PyResult<Vec<_>>>()?;
    let of_instrument = |instrument: PyResult<Bound<'_, PyAny>>| {
        let account = table.of_instrument(&instrument?)?.account;
        Ok(of_accounts.get(account.index()).copied().unwrap_or_default())
    };
    spec.getattr("instruments")?.try_iter()?.map(of_instrument).collect()
}

fn instrument_spec(instrument: &Bound<'_, PyAny>) -> PyResult<InstrumentSpec> {
    let kind = match text(instrument, "kind")?.as_str() {
        "linear" => InstrumentKind::Linear,
        "inverse" => InstrumentKind::Inverse,
        other => return Err(invalid_value("kind", other, "must be linear or inverse")),
    };
    Ok(InstrumentSpec {
        symbol: text(instrument, "symbol")?,
        tick_size: decimal(instrument, "tick_size")?,
        lot_size: decimal(instrument, "lot_size")?,
        kind,
        multiplier: decimal(instrument, "multiplier")?,
    })
}

fn book_rules(instrument: &Bound<'_, PyAny>, spec: &InstrumentSpec) -> PyResult<BookRules> {
    let sequence = match text(instrument, "sequence")?.as_str() {
        "none" => SequenceRule::None,
        "binance_spot" => SequenceRule::BinanceSpot,
        "binance_futures" => SequenceRule::BinanceFutures,
        other => {
            return Err(invalid_value("sequence", other, "must be none, binance_spot or binance_futures"));
        }
    };
    let book = BookRules {
        sequence,
        checksum: checksum_rule(spec, &text(instrument, "checksum")?)?,
        levels_max: instrument.getattr("book_levels_max")?.extract()?,
        age_ns_max: instrument.getattr("book_age_ns_max")?.extract()?,
    };
    if let Some(age_ns_max) = book.age_ns_max.filter(|age_ns_max| *age_ns_max < 1) {
        return Err(invalid_value("book_age_ns_max", &age_ns_max.to_string(), "must be above 0"));
    }
    Ok(book)
}

/// Reads the formula of checksums; numbers have the decimals of tick and lot.
fn checksum_rule(spec: &InstrumentSpec, name: &str) -> PyResult<Option<ChecksumRule>> {
    let text =
        |field, step: Decimal| StepText::new(field, step, step.decimals).map_err(|error| value_error(&error));
    let (price, size) = (text("tick_size", spec.tick_size), text("lot_size", spec.lot_size));
    match name {
        "none" => Ok(None),
        "kraken" => Ok(Some(ChecksumRule::Kraken { price: price?, size: size? })),
        "okx" => Ok(Some(ChecksumRule::Okx { price: price?, size: size? })),
        other => Err(invalid_value("checksum", other, "must be none, kraken or okx")),
    }
}
