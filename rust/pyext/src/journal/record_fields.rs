//! Journal records as dictionaries of plain values, for logs, read models and people.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use tradecore_journal::{Decision, Levels, RecordBody};
use tradecore_types::{
    BookUpdate, BookUpdateKind, Bracket, ByLimit, CommandKind, Event, EventBody, ExitPrice, FeedState, Flow,
    OrderIntent, OrderKind, PersonName, Refusal, Said, Sent, SentBody, Side, Size, TimeInForce,
};

use crate::account::put_account;
use crate::errors::data_error;
use crate::reports::{put_report, put_revision, put_said, put_some, put_surprise};
use crate::risk::{scope_name, value_text};

/// Returns the values of a record; what it does not have is left out.
pub fn fields<'py>(py: Python<'py>, body: &RecordBody<'_>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    match body {
        RecordBody::Session { engine_version, config } => {
            dict.set_item("engine_version", engine_version)?;
            match std::str::from_utf8(config) {
                Ok(text) => dict.set_item("config", text)?,
                Err(_) => dict.set_item("config", PyBytes::new(py, config))?,
            }
        }
        RecordBody::SessionEnd { reason } => dict.set_item("reason", reason)?,
        RecordBody::StateHash(hash) => {
            dict.set_item("hash", tradecore_journal::Head(*hash).to_string())?;
        }
        RecordBody::Event { event, bids, asks } => put_event(&dict, event, bids, asks)?,
        RecordBody::Account(account) => {
            let said = account.read().map_err(|error| data_error("frame", &error.to_string()))?;
            put_account(&dict, &said)?;
        }
        RecordBody::Venue { instrument, said } => {
            dict.set_item("instrument", instrument.0)?;
            put_said(&dict, said)?;
        }
        RecordBody::Surprise(surprise) => put_surprise(&dict, *surprise)?,
        RecordBody::Order { intent, reference_ticks } => {
            put_intent(&dict, intent)?;
            dict.set_item("reference_ticks", reference_ticks)?;
        }
        RecordBody::Refused { intent, refusal } => {
            put_intent(&dict, intent)?;
            put_refusal(&dict, refusal)?;
        }
        RecordBody::CancelRequest { order_id, strategy } => {
            dict.set_item("order_id", order_id.0)?;
            dict.set_item("strategy", strategy.0)?;
        }
        RecordBody::ReplaceRequest { order_id, price_ticks, lots } => {
            dict.set_item("order_id", order_id.0)?;
            put_some(&dict, "price_ticks", *price_ticks)?;
            dict.set_item("lots", lots)?;
        }
        RecordBody::Link { order_id, after, oco } => {
            dict.set_item("order_id", order_id.0)?;
            put_some(&dict, "after", after.map(|order| order.0))?;
            put_some(&dict, "oco", oco.map(|order| order.0))?;
        }
        RecordBody::Sized { order_id, lots } => {
            dict.set_item("order_id", order_id.0)?;
            dict.set_item("lots", lots)?;
        }
        RecordBody::Sent(sent) => put_sent(&dict, sent)?,
        RecordBody::Report(report) => put_report(&dict, report)?,
        RecordBody::Revision(booked) => put_revision(&dict, booked)?,
        RecordBody::Decision(decision) => put_decision(&dict, decision)?,
        RecordBody::Liquidation(liquidation) => {
            dict.set_item("strategy", liquidation.strategy.0)?;
            dict.set_item("instrument", liquidation.instrument.0)?;
            dict.set_item("order_id", liquidation.order_id.0)?;
            dict.set_item("price_ticks", liquidation.price_ticks)?;
            dict.set_item("lots", liquidation.lots)?;
            dict.set_item("equity", liquidation.equity.0)?;
            dict.set_item("maintenance", liquidation.maintenance.0)?;
        }
        RecordBody::Margin { strategy, instrument, amount } => {
            dict.set_item("strategy", strategy.0)?;
            dict.set_item("instrument", instrument.0)?;
            dict.set_item("amount", amount.0)?;
        }
        RecordBody::CashFlow(flow) => {
            dict.set_item("due_ns", flow.time_ns)?;
            dict.set_item("strategy", flow.strategy.0)?;
            dict.set_item("instrument", flow.instrument.0)?;
            dict.set_item("cash_flow", flow.kind.name())?;
            dict.set_item("amount", flow.amount.0)?;
        }
    }
    Ok(dict)
}

fn put_sent(dict: &Bound<'_, PyDict>, sent: &Sent) -> PyResult<()> {
    dict.set_item("order_id", sent.order_id.0)?;
    dict.set_item("request", sent.body.name())?;
    match sent.body {
        SentBody::New { lots } => put_some(dict, "lots", lots),
        SentBody::Cancel => Ok(()),
        SentBody::Replace { price_ticks, lots } => {
            put_some(dict, "price_ticks", price_ticks)?;
            dict.set_item("lots", lots)
        }
    }
}

fn put_event(dict: &Bound<'_, PyDict>, event: &Event, bids: &Levels<'_>, asks: &Levels<'_>) -> PyResult<()> {
    if !matches!(event.body, EventBody::Command(_) | EventBody::Clock) {
        dict.set_item("instrument", event.instrument.0)?;
    }
    match &event.body {
        EventBody::Bar(bar) => {
            dict.set_item("open_time_ns", bar.open_time_ns)?;
            dict.set_item("open_ticks", bar.open_ticks)?;
            dict.set_item("high_ticks", bar.high_ticks)?;
            dict.set_item("low_ticks", bar.low_ticks)?;
            dict.set_item("close_ticks", bar.close_ticks)?;
            dict.set_item("volume_lots", bar.volume_lots)
        }
        EventBody::Quote(quote) => {
            dict.set_item("bid_ticks", quote.bid_ticks)?;
            dict.set_item("bid_lots", quote.bid_lots)?;
            dict.set_item("ask_ticks", quote.ask_ticks)?;
            dict.set_item("ask_lots", quote.ask_lots)?;
            dict.set_item("update_id", quote.update_id)
        }
        EventBody::Trade(trade) => {
            dict.set_item("price_ticks", trade.price_ticks)?;
            dict.set_item("lots", trade.lots)?;
            dict.set_item("aggressor", side(trade.aggressor))?;
            dict.set_item("trade_id", trade.trade_id)
        }
        EventBody::Book(update) => put_book(dict, update, bids, asks),
        EventBody::Flow(flow) => put_flow(dict, flow),
        EventBody::Feed(FeedState::Lost) => dict.set_item("state", "lost"),
        EventBody::Feed(FeedState::Past) => dict.set_item("state", "past"),
        EventBody::Command(command) => put_command(dict, &command.kind),
        EventBody::Mark(mark) => dict.set_item("price_ticks", mark.price_ticks),
        EventBody::Funding(funding) => {
            dict.set_item("rate_ppb", funding.rate_ppb)?;
            dict.set_item("mark_ticks", funding.mark_ticks.unwrap_or(0))
        }
        // What an event about the account says, and what a venue says, are records of their own.
        EventBody::Account(_) | EventBody::Venue(_) | EventBody::Clock => Ok(()),
    }
}

/// Puts what a command says.
pub fn put_command(dict: &Bound<'_, PyDict>, kind: &CommandKind) -> PyResult<()> {
    dict.set_item("command", kind.name().name())?;
    let Said { scope, limit, instrument, wish, person, order, by_limit, safety } = kind.said();
    if let Some((name, id)) = scope.map(scope_name) {
        dict.set_item("scope", name)?;
        dict.set_item("scope_id", id)?;
    }
    if let Some((limit, value)) = limit {
        dict.set_item("limit", limit.name())?;
        dict.set_item("value", value_text(limit, value))?;
    }
    put_some(dict, "value", wish.map(|wish| wish.0.to_string()))?;
    put_some(dict, "instrument", instrument.map(|instrument| instrument.0))?;
    put_some(dict, "person", person.as_ref().map(PersonName::as_str))?;
    put_some(dict, "order_id", order.map(|order| order.0))?;
    put_some(dict, "within_bps", by_limit.map(ByLimit::distance_bps))?;
    put_some(dict, "then_market_ns", by_limit.map(ByLimit::timeout_ns))?;
    put_some(dict, "cause", safety.map(|pause| pause.cause.name()))?;
    put_some(dict, "seen", safety.map(|pause| pause.value))?;
    put_some(dict, "bound", safety.map(|pause| pause.bound))
}

fn put_book(
    dict: &Bound<'_, PyDict>,
    update: &BookUpdate,
    bids: &Levels<'_>,
    asks: &Levels<'_>,
) -> PyResult<()> {
    let kind = match update.kind {
        BookUpdateKind::Snapshot => "snapshot",
        BookUpdateKind::Diff => "diff",
    };
    dict.set_item("update", kind)?;
    dict.set_item("first_id", update.first_id)?;
    dict.set_item("last_id", update.last_id)?;
    dict.set_item("prev_id", update.prev_id)?;
    put_some(dict, "checksum", update.checksum)?;
    for (name, levels) in [("bids", bids), ("asks", asks)] {
        let levels = levels.iter().map(|level| (level.price_ticks, level.lots));
        dict.set_item(name, PyList::new(dict.py(), levels)?)?;
    }
    Ok(())
}

fn put_flow(dict: &Bound<'_, PyDict>, flow: &Flow) -> PyResult<()> {
    match *flow {
        Flow::Limit { flow_id, side: of, price_ticks, lots } => {
            dict.set_item("flow", "limit")?;
            dict.set_item("flow_id", flow_id)?;
            dict.set_item("side", side(of))?;
            dict.set_item("price_ticks", price_ticks)?;
            dict.set_item("lots", lots)
        }
        Flow::Market { side: of, lots } => {
            dict.set_item("flow", "market")?;
            dict.set_item("side", side(of))?;
            dict.set_item("lots", lots)
        }
        Flow::Cancel { flow_id } => {
            dict.set_item("flow", "cancel")?;
            dict.set_item("flow_id", flow_id)
        }
    }
}

/// Puts the values of an order's record.
pub fn put_intent(dict: &Bound<'_, PyDict>, intent: &OrderIntent) -> PyResult<()> {
    dict.set_item("order_id", intent.order_id.0)?;
    dict.set_item("strategy", intent.strategy.0)?;
    dict.set_item("instrument", intent.instrument.0)?;
    dict.set_item("side", side(intent.side))?;
    put_kind(dict, intent.kind)?;
    match intent.size {
        Size::Lots(lots) => dict.set_item("lots", lots)?,
        Size::BuyingPowerPpm(ppm) => dict.set_item("buying_power_ppm", ppm)?,
    }
    let time_in_force = match intent.time_in_force {
        TimeInForce::Gtc => "gtc",
        TimeInForce::Ioc => "ioc",
        TimeInForce::Fok => "fok",
        TimeInForce::Gtd { .. } => "gtd",
        TimeInForce::Day { .. } => "day",
    };
    dict.set_item("time_in_force", time_in_force)?;
    put_some(dict, "expire_ns", intent.time_in_force.expire_ns())?;
    dict.set_item("post_only", intent.post_only)?;
    dict.set_item("reduce_only", intent.reduce_only)?;
    let Bracket { stop_loss, take_profit } = intent.bracket;
    put_some(dict, "stop_loss_ticks", stop_loss.and_then(ExitPrice::ticks))?;
    put_some(dict, "take_profit_ticks", take_profit.and_then(ExitPrice::ticks))?;
    put_some(dict, "stop_loss_ppm", stop_loss.and_then(ExitPrice::ppm))?;
    put_some(dict, "take_profit_ppm", take_profit.and_then(ExitPrice::ppm))?;
    put_some(dict, "closes", intent.closes.map(|order| order.0))?;
    dict.set_item("decided_ns", intent.time_ns)
}

/// Puts the name of a kind with its prices and sizes.
fn put_kind(dict: &Bound<'_, PyDict>, kind: OrderKind) -> PyResult<()> {
    let (name, trigger_ticks) = match kind {
        OrderKind::Market => ("market", None),
        OrderKind::Limit { .. } => ("limit", None),
        OrderKind::Stop { trigger_ticks } => ("stop", Some(trigger_ticks)),
        OrderKind::StopLimit { trigger_ticks, .. } => ("stop_limit", Some(trigger_ticks)),
        OrderKind::MarketIfTouched { trigger_ticks } => ("market_if_touched", Some(trigger_ticks)),
        OrderKind::LimitIfTouched { trigger_ticks, .. } => ("limit_if_touched", Some(trigger_ticks)),
        OrderKind::TrailingStop { .. } | OrderKind::TrailingPercent { .. } => ("trailing_stop", None),
        OrderKind::TrailingStopLimit { .. } => ("trailing_stop_limit", None),
        OrderKind::MarketToLimit => ("market_to_limit", None),
        OrderKind::Iceberg { .. } => ("iceberg", None),
    };
    dict.set_item("order_kind", name)?;
    put_some(dict, "price_ticks", kind.limit_ticks())?;
    put_some(dict, "trigger_ticks", trigger_ticks)?;
    match kind {
        OrderKind::TrailingStop { offset_ticks, activation_ticks } => {
            dict.set_item("trail_ticks", offset_ticks)?;
            put_some(dict, "activation_ticks", (activation_ticks != 0).then_some(activation_ticks))
        }
        OrderKind::TrailingPercent { offset_ppm, activation_ticks } => {
            dict.set_item("trail_ppm", offset_ppm)?;
            put_some(dict, "activation_ticks", (activation_ticks != 0).then_some(activation_ticks))
        }
        OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks } => {
            dict.set_item("trail_ticks", offset_ticks)?;
            dict.set_item("limit_offset_ticks", limit_offset_ticks)?;
            put_some(dict, "activation_ticks", (activation_ticks != 0).then_some(activation_ticks))
        }
        OrderKind::Iceberg { display_lots, .. } => dict.set_item("display_lots", display_lots),
        _ => Ok(()),
    }
}

fn put_refusal(dict: &Bound<'_, PyDict>, refusal: &Refusal) -> PyResult<()> {
    dict.set_item("rule", refusal.rule.name())?;
    dict.set_item("limit", refusal.limit)?;
    dict.set_item("value", refusal.value)
}

fn put_decision(dict: &Bound<'_, PyDict>, decision: &Decision<'_>) -> PyResult<()> {
    dict.set_item("strategy", decision.strategy.0)?;
    dict.set_item("instrument", decision.instrument.0)?;
    dict.set_item("action", decision.action)?;
    dict.set_item("reason", decision.reason)?;
    let gates = PyList::empty(dict.py());
    for gate in decision.gates.iter() {
        let entry = PyDict::new(dict.py());
        entry.set_item("name", gate.name)?;
        entry.set_item("limit", gate.limit)?;
        entry.set_item("value", gate.value)?;
        entry.set_item("passed", gate.passed)?;
        gates.append(entry)?;
    }
    dict.set_item("gates", gates)
}

/// Returns the name of a side.
const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
