//! Reads an `EngineSpec` into the kernel's configuration.

use pyo3::prelude::*;
use tradecore_book::{BookRules, ChecksumRule, SequenceRule, StepText};
use tradecore_kernel::{
    Destination, InstrumentConfig, KernelConfig, LatencySamples, Leverage, MarginMode, MarginRule, Matching,
    VenueConfig,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, FeeTier, FeeWindow, Finalize, MarketRest, QueueModel,
    SelfTradePrevention, Slippage,
};
use tradecore_types::{Decimal, InstrumentKind, InstrumentSpec, Money};

use crate::calendars::Calendars;
use crate::errors::{invalid_value, value_error};
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

/// Reads decimal text as money.
pub fn money(name: &'static str, value: &str) -> PyResult<Money> {
    Decimal::parse(name, value)
        .and_then(|amount| Money::of(name, amount))
        .map_err(|error| value_error(&error))
}

/// Reads the whole configuration.
pub fn read(
    spec: &Bound<'_, PyAny>,
    strategies: &[String],
    is_recording: bool,
    has_digest: bool,
    has_equity_curve: bool,
    sample_ns: Option<i64>,
) -> PyResult<KernelConfig> {
    let account = spec.getattr("account")?;
    let risk_spec = spec.getattr("risk")?;
    let calendars = Calendars::read(spec)?;
    let mut instruments = Vec::new();
    for instrument in spec.getattr("instruments")?.try_iter()? {
        instruments.push(instrument_config(&instrument?, &risk_spec, &calendars)?);
    }
    let symbols: Vec<String> = instruments.iter().map(|instrument| instrument.spec.symbol.clone()).collect();
    let scopes = risk::scopes(&risk_spec, strategies, &symbols)?;
    let count = u16::try_from(strategies.len())
        .map_err(|_| invalid_value("strategies", &strategies.len().to_string(), "must be below 2^16"))?;
    let leverage = decimal(&account, "leverage")?;
    let destination = match text(spec, "mode")?.as_str() {
        "shadow" => Destination::Nowhere,
        _ => Destination::Venue,
    };
    let fees = spec.getattr("fees")?;
    Ok(KernelConfig {
        instruments,
        strategies: count,
        scopes,
        calls_max: risk_spec.getattr("calls_max")?.extract()?,
        cash: money("cash", &text(&account, "cash")?)?,
        leverage: Leverage {
            numerator: leverage.mantissa,
            denominator: 10i64.pow(u32::from(leverage.decimals)),
        },
        venue: venue_config(&spec.getattr("venue")?, &fees)?,
        fee_tiers: fee_tiers(&fees)?,
        fee_window: fee_window(&fees)?,
        destination,
        is_recording,
        has_digest,
        has_equity_curve,
        sample_ns,
    })
}

fn venue_config(venue: &Bound<'_, PyAny>, fees: &Bound<'_, PyAny>) -> PyResult<VenueConfig> {
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
    let fees = fee_rates(fees)?;
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
        bar_slippage: slippage(&venue.getattr("slippage")?)?,
        fees,
        open_orders_max: OPEN_ORDERS_MAX,
    })
}

/// Reads the rates of a table of fees, or of one of its tiers.
fn fee_rates(fees: &Bound<'_, PyAny>) -> PyResult<FeeSchedule> {
    FeeSchedule::from_bps(&text(fees, "maker_bps")?, &text(fees, "taker_bps")?)
        .map_err(|error| value_error(&error))
}

fn fee_tiers(fees: &Bound<'_, PyAny>) -> PyResult<Vec<FeeTier>> {
    let read = |tier: &Bound<'_, PyAny>| {
        Ok(FeeTier { volume: money("volume_min", &text(tier, "volume_min")?)?, rates: fee_rates(tier)? })
    };
    fees.getattr("tiers")?.try_iter()?.map(|tier| read(&tier?)).collect()
}

/// Reads the margin rules of an instrument.
fn margin_rule(table: &Bound<'_, PyAny>) -> PyResult<MarginRule> {
    let mode = match text(table, "mode")?.as_str() {
        "cross" => MarginMode::Cross,
        "isolated" => MarginMode::Isolated,
        other => return Err(invalid_value("mode", other, "must be cross or isolated")),
    };
    let optional_money = |tier: &Bound<'_, PyAny>, name: &'static str| -> PyResult<Option<Money>> {
        let value = tier.getattr(name)?;
        if value.is_none() { Ok(None) } else { money(name, &text(tier, name)?).map(Some) }
    };
    let read = |tier: &Bound<'_, PyAny>| -> PyResult<MarginTier> {
        Ok(MarginTier {
            notional_max: optional_money(tier, "notional_max")?,
            maintenance_ppm: tier.getattr("maintenance_ppm")?.extract()?,
            leverage_max: tier.getattr("leverage_max")?.extract()?,
            amount: optional_money(tier, "amount")?,
        })
    };
    let tiers: PyResult<Vec<MarginTier>> =
        table.getattr("tiers")?.try_iter()?.map(|tier| read(&tier?)).collect();
    let leverage = decimal(table, "leverage")?;
    let denominator = 10i64.pow(u32::from(leverage.decimals));
    if leverage.mantissa < denominator {
        return Err(invalid_value("leverage", &text(table, "leverage")?, "must be at least 1"));
    }
    let schedule = MarginSchedule::new(leverage.mantissa, denominator, &tiers?);
    let fee = FeeSchedule::from_bps("0", &text(table, "liquidation_fee_bps")?);
    Ok(MarginRule {
        mode,
        schedule: schedule.map_err(|error| value_error(&error))?,
        liquidation_fee_ppb: fee.map_err(|error| value_error(&error))?.taker_ppb,
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
    if value > 0 && matching == Matching::Bars {
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
    if venue.matching == Matching::Bars {
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

/// Reads what prices and sizes of the instruments of an `EngineSpec` mean, in their order.
pub fn instrument_specs(spec: &Bound<'_, PyAny>) -> PyResult<Vec<InstrumentSpec>> {
    spec.getattr("instruments")?.try_iter()?.map(|instrument| instrument_spec(&instrument?)).collect()
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

fn instrument_config(
    instrument: &Bound<'_, PyAny>,
    risk_spec: &Bound<'_, PyAny>,
    calendars: &Calendars,
) -> PyResult<InstrumentConfig> {
    let spec = instrument_spec(instrument)?;
    let sequence = match text(instrument, "sequence")?.as_str() {
        "none" => SequenceRule::None,
        "binance_spot" => SequenceRule::BinanceSpot,
        "binance_futures" => SequenceRule::BinanceFutures,
        other => {
            return Err(invalid_value("sequence", other, "must be none, binance_spot or binance_futures"));
        }
    };
    let limits = risk::limits(&spec, risk_spec)?;
    let book = BookRules {
        sequence,
        checksum: checksum_rule(&spec, &text(instrument, "checksum")?)?,
        levels_max: instrument.getattr("book_levels_max")?.extract()?,
        age_ns_max: instrument.getattr("book_age_ns_max")?.extract()?,
    };
    if let Some(age_ns_max) = book.age_ns_max.filter(|age_ns_max| *age_ns_max < 1) {
        return Err(invalid_value("book_age_ns_max", &age_ns_max.to_string(), "must be above 0"));
    }
    let borrow_ppm = instrument.getattr("borrow_ppm")?.extract()?;
    let margin = instrument.getattr("margin")?;
    let margin = if margin.is_none() { None } else { Some(margin_rule(&margin)?) };
    let sessions = calendars.of(instrument)?;
    Ok(InstrumentConfig { spec, book, limits, sessions, borrow_ppm, margin })
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
