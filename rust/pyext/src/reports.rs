//! Words for what a venue says, both ways.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_types::{
    BookedRevision, CancelReason, CurrencyId, Liquidity, Money, OrderId, RejectReason, Report, ReportBody,
    Surprise, TradeRevision, Traded, VenueEvent, VenueReport,
};

use crate::adoption::put_adopted;
use crate::errors::invalid_value;
use crate::events::side_name;

/// What a report can have beside its word.
pub struct Terms<'a> {
    /// `None` where it names none.
    pub price_ticks: Option<i64>,
    pub lots: i64,
    pub liquidity: &'a str,
    pub fee_atto: i128,
    /// Number of the currency of the fee; `None` for the settlement currency of the instrument.
    pub fee_currency: Option<CurrencyId>,
    pub reason: &'a str,
}

/// What a report is about, and how often its trade was told.
pub struct About {
    pub venue_time_ns: i64,
    pub order_id: u64,
    pub venue_order_id: Option<String>,
    pub trade_id: Option<String>,
    /// What had filled in all when the venue said it.
    pub filled_lots: Option<i64>,
    /// 0 for what is told for the first time.
    pub revision: u64,
}

/// Reads what a venue says about an order from a word, its terms and what it is about.
pub fn said(word: &str, terms: &Terms<'_>, about: About) -> PyResult<VenueEvent> {
    let About { venue_time_ns, order_id, venue_order_id, trade_id, filled_lots, revision } = about;
    let (order_id, venue_order_id) = (OrderId(order_id), venue_order_id.map(String::into_boxed_str));
    if revision == 0 && word != BUSTED {
        return Ok(VenueEvent::Report(VenueReport {
            report: Report { venue_time_ns, order_id, body: report_body(word, terms)? },
            venue_order_id,
            trade_id: trade_id.map(String::into_boxed_str),
            filled_lots,
        }));
    }
    let traded = match word {
        BUSTED => None,
        "fill" => Traded::of(&report_body(word, terms)?),
        other => return Err(invalid_value("report", other, "must be fill or busted with a revision")),
    };
    let rule = "a trade that is told anew must have its name";
    let trade_id = trade_id.ok_or_else(|| invalid_value("trade_id", "none", rule))?.into_boxed_str();
    Ok(VenueEvent::Revision(TradeRevision {
        venue_time_ns,
        order_id,
        trade_id,
        venue_order_id,
        revision,
        traded,
        filled_lots,
    }))
}

/// The word for a trade that never happened.
const BUSTED: &str = "busted";

/// Every word for a report.
const WORDS: &str = "must be accepted, rejected, triggered, fill, canceled, cancel_rejected, replaced, restated, \
    replace_rejected or expired; busted with a revision";

/// Reads what a report says from its word and its terms.
pub fn report_body(word: &str, terms: &Terms<'_>) -> PyResult<ReportBody> {
    let Terms { price_ticks, lots, .. } = *terms;
    // A frame has 0 for an amendment that keeps the price, so none may name it.
    let new_ticks = price_ticks.filter(|&ticks| ticks != 0);
    Ok(match word {
        "accepted" => ReportBody::Accepted,
        "rejected" => ReportBody::Rejected(reject_reason(terms.reason)?),
        "triggered" => {
            price_ticks.map_or(ReportBody::Triggered, |price_ticks| ReportBody::TriggeredAt { price_ticks })
        }
        "fill" => {
            let liquidity = match terms.liquidity {
                "maker" => Liquidity::Maker,
                "taker" => Liquidity::Taker,
                other => return Err(invalid_value("liquidity", other, "must be maker or taker")),
            };
            let rule = "a fill must have a price";
            let price_ticks = price_ticks.ok_or_else(|| invalid_value("price_ticks", "none", rule))?;
            let (fee, fee_currency) = (Money(terms.fee_atto), terms.fee_currency);
            ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency }
        }
        "canceled" => ReportBody::Canceled(cancel_reason(terms.reason)?),
        "cancel_rejected" => ReportBody::CancelRejected(reject_reason(terms.reason)?),
        "replaced" => ReportBody::Replaced { price_ticks: new_ticks, lots },
        "restated" => ReportBody::Restated { price_ticks: new_ticks, lots },
        "replace_rejected" => ReportBody::ReplaceRejected(reject_reason(terms.reason)?),
        "expired" => ReportBody::Expired,
        other => return Err(invalid_value("report", other, WORDS)),
    })
}

fn reject_reason(word: &str) -> PyResult<RejectReason> {
    RejectReason::ALL.into_iter().find(|reason| reason.name() == word).ok_or_else(|| {
        let words = RejectReason::ALL.map(RejectReason::name).join(", ");
        invalid_value("reason", word, &format!("must be one of {words}"))
    })
}

fn cancel_reason(word: &str) -> PyResult<CancelReason> {
    CancelReason::ALL.into_iter().find(|reason| reason.name() == word).ok_or_else(|| {
        let words = CancelReason::ALL.map(CancelReason::name).join(", ");
        invalid_value("reason", word, &format!("must be one of {words}"))
    })
}

/// Puts what a venue outside said.
pub fn put_said(dict: &Bound<'_, PyDict>, said: &VenueEvent<&str>) -> PyResult<()> {
    match said {
        VenueEvent::Report(said) => {
            put_report(dict, &said.report)?;
            for (key, id) in [("venue_order_id", said.venue_order_id), ("trade_id", said.trade_id)] {
                if let Some(id) = id {
                    dict.set_item(key, id)?;
                }
            }
            if let Some(lots) = said.filled_lots {
                dict.set_item("filled_lots", lots)?;
            }
            Ok(())
        }
        VenueEvent::OutcomeLost { order_id } => dict.set_item("order_id", order_id.0),
        VenueEvent::Reconciling | VenueEvent::Reconciled => Ok(()),
        VenueEvent::Adopted(found) => put_adopted(dict, found),
        VenueEvent::Revision(said) => {
            dict.set_item("order_id", said.order_id.0)?;
            dict.set_item("venue_time_ns", said.venue_time_ns)?;
            dict.set_item("trade_id", said.trade_id)?;
            put_some(dict, "venue_order_id", said.venue_order_id)?;
            dict.set_item("revision", said.revision)?;
            put_some(dict, "filled_lots", said.filled_lots)?;
            put_traded(dict, NOW, said.traded.as_ref())
        }
    }
}

/// Names of the numbers of a trade in a record: as they are, and as they were.
const NOW: [&str; 5] = ["price_ticks", "lots", "liquidity", "fee", "fee_currency"];
const BEFORE: [&str; 5] = ["was_price_ticks", "was_lots", "was_liquidity", "was_fee", "was_fee_currency"];

/// Puts the numbers of a trade, if there are any.
fn put_traded(dict: &Bound<'_, PyDict>, names: [&str; 5], traded: Option<&Traded>) -> PyResult<()> {
    let Some(traded) = traded else { return Ok(()) };
    let [price_ticks, lots, liquidity, fee, fee_currency] = names;
    dict.set_item(price_ticks, traded.price_ticks)?;
    dict.set_item(lots, traded.lots)?;
    dict.set_item(liquidity, liquidity_name(traded.liquidity))?;
    dict.set_item(fee, traded.fee.0)?;
    put_some(dict, fee_currency, traded.fee_currency.map(|currency| currency.0))
}

/// Puts a trade that was told anew, as it was booked.
pub fn put_revision(dict: &Bound<'_, PyDict>, booked: &BookedRevision<&str>) -> PyResult<()> {
    dict.set_item("order_id", booked.order_id.0)?;
    dict.set_item("strategy", booked.strategy.0)?;
    dict.set_item("instrument", booked.instrument.0)?;
    dict.set_item("side", side_name(booked.side))?;
    put_some(dict, "closes", booked.closes.map(|entry| entry.0))?;
    dict.set_item("venue_time_ns", booked.venue_time_ns)?;
    dict.set_item("trade_id", booked.trade_id)?;
    dict.set_item("revision", booked.revision)?;
    dict.set_item("revised", booked.name())?;
    put_traded(dict, BEFORE, booked.before.as_ref())?;
    put_traded(dict, NOW, booked.after.as_ref())
}

const fn liquidity_name(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
    }
}

/// Puts what was not expected.
pub fn put_surprise(dict: &Bound<'_, PyDict>, surprise: Surprise) -> PyResult<()> {
    dict.set_item("order_id", surprise.order_id.0)?;
    dict.set_item("surprise", surprise.kind.name())?;
    dict.set_item("halts", surprise.kind.halts())
}

/// Puts a value into a dictionary, or nothing where there is none.
pub fn put_some<'py, T: IntoPyObject<'py>>(
    dict: &Bound<'py, PyDict>,
    name: &str,
    value: Option<T>,
) -> PyResult<()> {
    match value {
        Some(value) => dict.set_item(name, value),
        None => Ok(()),
    }
}

/// Puts the fields of a report into a dictionary, as records of the journal have them.
pub fn put_report(dict: &Bound<'_, PyDict>, report: &Report) -> PyResult<()> {
    dict.set_item("order_id", report.order_id.0)?;
    dict.set_item("venue_time_ns", report.venue_time_ns)?;
    let (name, reason) = match report.body {
        ReportBody::Accepted => ("accepted", None),
        ReportBody::Rejected(reason) => ("rejected", Some(reason.name())),
        ReportBody::Triggered => ("triggered", None),
        ReportBody::TriggeredAt { price_ticks } => {
            dict.set_item("price_ticks", price_ticks)?;
            ("triggered", None)
        }
        ReportBody::Fill { price_ticks, lots, liquidity, fee, fee_currency } => {
            dict.set_item("price_ticks", price_ticks)?;
            dict.set_item("lots", lots)?;
            dict.set_item("liquidity", liquidity_name(liquidity))?;
            dict.set_item("fee", fee.0)?;
            if let Some(currency) = fee_currency {
                dict.set_item("fee_currency", currency.0)?;
            }
            ("fill", None)
        }
        ReportBody::Canceled(reason) => ("canceled", Some(reason.name())),
        ReportBody::CancelRejected(reason) => ("cancel_rejected", Some(reason.name())),
        ReportBody::Replaced { price_ticks, lots } | ReportBody::Restated { price_ticks, lots } => {
            put_some(dict, "price_ticks", price_ticks)?;
            dict.set_item("lots", lots)?;
            let is_asked = matches!(report.body, ReportBody::Replaced { .. });
            (if is_asked { "replaced" } else { "restated" }, None)
        }
        ReportBody::ReplaceRejected(reason) => ("replace_rejected", Some(reason.name())),
        ReportBody::Expired => ("expired", None),
    };
    dict.set_item("report", name)?;
    match reason {
        Some(reason) => dict.set_item("reason", reason),
        None => Ok(()),
    }
}
