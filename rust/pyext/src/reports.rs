//! Words for what a venue says, both ways.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tradecore_types::{
    CancelReason, CurrencyId, Liquidity, Money, RejectReason, Report, ReportBody, Surprise, VenueEvent,
};

use crate::adoption::put_adopted;
use crate::errors::invalid_value;

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

/// Every word for a report.
const WORDS: &str = "must be accepted, rejected, triggered, fill, canceled, cancel_rejected, replaced, restated, \
    replace_rejected or expired";

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
            let liquidity = match liquidity {
                Liquidity::Maker => "maker",
                Liquidity::Taker => "taker",
            };
            dict.set_item("liquidity", liquidity)?;
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
