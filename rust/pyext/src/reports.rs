//! Words for what a venue says, both ways.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_types::{
    CancelReason, Liquidity, Money, RejectReason, Report, ReportBody, Surprise, VenueEvent,
};

use crate::errors::invalid_value;

/// What a report can have beside its word.
pub struct Terms<'a> {
    /// `None` where it names none.
    pub price_ticks: Option<i64>,
    pub lots: i64,
    pub liquidity: &'a str,
    pub fee_atto: i128,
    pub reason: &'a str,
}

/// Every word for a report.
const WORDS: &str = "must be accepted, rejected, triggered, fill, canceled, cancel_rejected, replaced, restated, \
    replace_rejected or expired";

/// Reads a report.
pub fn report_body(word: &str, terms: &Terms<'_>) -> PyResult<ReportBody> {
    let Terms { price_ticks, lots, .. } = *terms;
    // An amendment of price 0 keeps the price.
    let kept_ticks = price_ticks.unwrap_or(0);
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
            ReportBody::Fill { price_ticks, lots, liquidity, fee: Money(terms.fee_atto) }
        }
        "canceled" => ReportBody::Canceled(cancel_reason(terms.reason)?),
        "cancel_rejected" => ReportBody::CancelRejected(reject_reason(terms.reason)?),
        "replaced" => ReportBody::Replaced { price_ticks: kept_ticks, lots },
        "restated" => ReportBody::Restated { price_ticks: kept_ticks, lots },
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
        VenueEvent::Reconciled => Ok(()),
    }
}

/// Puts what was not expected.
pub fn put_surprise(dict: &Bound<'_, PyDict>, surprise: Surprise) -> PyResult<()> {
    dict.set_item("order_id", surprise.order_id.0)?;
    dict.set_item("surprise", surprise.kind.name())?;
    dict.set_item("halts", surprise.kind.halts())
}

/// Puts a report.
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
        ReportBody::Fill { price_ticks, lots, liquidity, fee } => {
            dict.set_item("price_ticks", price_ticks)?;
            dict.set_item("lots", lots)?;
            let liquidity = match liquidity {
                Liquidity::Maker => "maker",
                Liquidity::Taker => "taker",
            };
            dict.set_item("liquidity", liquidity)?;
            dict.set_item("fee", fee.0)?;
            ("fill", None)
        }
        ReportBody::Canceled(reason) => ("canceled", Some(reason.name())),
        ReportBody::CancelRejected(reason) => ("cancel_rejected", Some(reason.name())),
        ReportBody::Replaced { price_ticks, lots } | ReportBody::Restated { price_ticks, lots } => {
            dict.set_item("price_ticks", price_ticks)?;
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
