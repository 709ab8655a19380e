//! What comes from a venue outside: reports, and what is known or not known of what was asked of it.

use crate::venue_id::check_id;
use crate::{Adopted, OrderId, Report, ReportBody, TradeRevision, ValueError};

/// One message of a venue outside. `T` is its text: owned on the way in, borrowed in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VenueEvent<T = Box<str>> {
    /// What it says about an order.
    Report(VenueReport<T>),
    /// The outcome of a request about this order is lost: a time-out, a broken connection. The order counts as
    /// open until the venue says more.
    OutcomeLost {
        /// Number of the order that it is about.
        order_id: OrderId,
    },
    /// What the venue has is compared with the books from here on: after a start, and after what it told may be lost.
    Reconciling,
    /// What the venue has was compared with the books, and they agree.
    Reconciled,
    /// An order or a position that others made at the account belongs to a strategy from here on.
    Adopted(Adopted<T>),
    /// A trade of an order has other numbers from here on, or never happened.
    Revision(TradeRevision<T>),
}

/// What a venue outside says about an order, with the names that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VenueReport<T = Box<str>> {
    /// What happened to which order.
    pub report: Report,
    /// The venue's own name of the order.
    pub venue_order_id: Option<T>,
    /// The venue's own name of the trade, unique among those of the order; a fill has one.
    pub trade_id: Option<T>,
    /// What had filled of the order in all when the venue said this: an open size alone cannot be merged with fills
    /// that overtook it.
    pub filled_lots: Option<i64>,
}

impl<T: AsRef<str>> VenueEvent<T> {
    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Report(_) => "venue_report",
            Self::OutcomeLost { .. } => "outcome_lost",
            Self::Reconciling => "reconciling",
            Self::Reconciled => "reconciled",
            Self::Adopted(_) => "adopted",
            Self::Revision(_) => "venue_revision",
        }
    }

    /// Returns the same with borrowed text.
    pub fn borrowed(&self) -> VenueEvent<&str> {
        match self {
            Self::Report(said) => VenueEvent::Report(VenueReport {
                report: said.report,
                venue_order_id: said.venue_order_id.as_ref().map(AsRef::as_ref),
                trade_id: said.trade_id.as_ref().map(AsRef::as_ref),
                filled_lots: said.filled_lots,
            }),
            Self::OutcomeLost { order_id } => VenueEvent::OutcomeLost { order_id: *order_id },
            Self::Reconciling => VenueEvent::Reconciling,
            Self::Reconciled => VenueEvent::Reconciled,
            Self::Adopted(found) => VenueEvent::Adopted(found.borrowed()),
            Self::Revision(said) => VenueEvent::Revision(said.borrowed()),
        }
    }

    /// Checks what a message says by itself.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an id is empty, longer than [`crate::VENUE_ID_BYTES_MAX`] or holds a control character, a fill
    /// names no trade, what has filled is negative or a size is not above 0; and as [`Adopted::check`] and
    /// [`TradeRevision::check`] say. Prices of reports are free.
    pub fn check(&self) -> Result<(), ValueError> {
        let said = match self {
            Self::Report(said) => said,
            Self::Adopted(found) => return found.check(),
            Self::Revision(said) => return said.check(),
            Self::OutcomeLost { .. } | Self::Reconciling | Self::Reconciled => return Ok(()),
        };
        for (field, id) in [("venue_order_id", &said.venue_order_id), ("trade_id", &said.trade_id)] {
            if let Some(id) = id {
                check_id(field, id.as_ref())?;
            }
        }
        if let Some(lots) = said.filled_lots.filter(|lots| *lots < 0) {
            return Err(ValueError::new("filled_lots", lots, "must not be negative"));
        }
        match said.report.body {
            ReportBody::Fill { .. } if said.trade_id.is_none() => {
                let rule = "a fill must name its trade, so that it is not booked twice";
                Err(ValueError::new("trade_id", "none", rule))
            }
            ReportBody::Fill { lots, .. } | ReportBody::Replaced { lots, .. } if lots <= 0 => {
                Err(ValueError::new("lots", lots, "must be above 0"))
            }
            ReportBody::Restated { lots, .. } if lots < 0 => Err(ValueError::new(
                "lots",
                lots,
                "must not be negative; 0 is an order that has filled whole",
            )),
            ReportBody::Replaced { price_ticks: Some(0), .. }
            | ReportBody::Restated { price_ticks: Some(0), .. } => Err(ValueError::new(
                "price_ticks",
                0,
                "must not be 0; without a price the order keeps its own",
            )),
            _ => Ok(()),
        }
    }
}

impl VenueEvent<&str> {
    /// Returns the same with text of its own.
    #[must_use]
    pub fn to_owned(&self) -> VenueEvent {
        match *self {
            Self::Report(said) => VenueEvent::Report(VenueReport {
                report: said.report,
                venue_order_id: said.venue_order_id.map(Box::from),
                trade_id: said.trade_id.map(Box::from),
                filled_lots: said.filled_lots,
            }),
            Self::OutcomeLost { order_id } => VenueEvent::OutcomeLost { order_id },
            Self::Reconciling => VenueEvent::Reconciling,
            Self::Reconciled => VenueEvent::Reconciled,
            Self::Adopted(found) => VenueEvent::Adopted(found.to_owned()),
            Self::Revision(said) => VenueEvent::Revision(said.to_owned()),
        }
    }
}

/// What a venue outside said that was not expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Surprise {
    /// The order that it was about.
    pub order_id: OrderId,
    /// What was not expected of it.
    pub kind: SurpriseKind,
}

crate::coded! {
    /// What a venue outside can say that the books do not expect.
    pub enum SurpriseKind {
        /// No order ever had this number here.
        UnknownOrder = 1, "unknown_order";
        /// It cannot be true of what is known. Nothing of it is booked, but a fill of an order that the venue had
        /// rejected is.
        Impossible = 2, "impossible";
        /// More filled than the order was for: all of it is booked.
        Overfill = 3, "overfill";
        /// A fill of an order that had been cancelled or had expired: it is booked, and what it opens has its exits.
        LateFill = 4, "late_fill";
        /// A fill of an order that ended so long ago that it is not known any more: it is not booked.
        ForgottenOrder = 5, "forgotten_order";
        /// The venue did not take an order that only closes, and it is not tried again: what it was to close is open
        /// without it.
        ExitRefused = 6, "exit_refused";
        /// A trade that is not known any more has other numbers or never happened: nothing of it is booked, and books
        /// and venue differ by it.
        ForgottenTrade = 7, "forgotten_trade";
        /// A trade was busted or corrected, and what is open since then has no exit or too small a one.
        ExitMissing = 8, "exit_missing";
    }
}

impl SurpriseKind {
    /// Tells whether the books may be wrong now: no new risk before they are compared with the venue.
    ///
    /// A late fill is what venues do when a cancel crosses a trade, and a venue may refuse an exit; the books know all
    /// of it.
    #[must_use]
    pub const fn halts(self) -> bool {
        match self {
            Self::UnknownOrder
            | Self::Impossible
            | Self::Overfill
            | Self::ForgottenOrder
            | Self::ForgottenTrade => true,
            Self::LateFill | Self::ExitRefused | Self::ExitMissing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Liquidity, Money};

    fn fill(trade_id: Option<&'static str>, lots: i64) -> VenueEvent<&'static str> {
        let body = ReportBody::Fill {
            price_ticks: 1,
            lots,
            liquidity: Liquidity::Taker,
            fee: Money(0),
            fee_currency: None,
        };
        let report = Report { venue_time_ns: 0, order_id: OrderId(1), body };
        VenueEvent::Report(VenueReport { report, venue_order_id: Some("7"), trade_id, filled_lots: Some(1) })
    }

    #[test]
    fn a_fill_names_its_trade_and_has_a_size() {
        assert_eq!(fill(Some("t1"), 1).check(), Ok(()));
        assert_eq!(fill(None, 1).check().unwrap_err().field, "trade_id");
        assert_eq!(fill(Some(""), 1).check().unwrap_err().field, "trade_id");
        assert_eq!(fill(Some("a\nb"), 1).check().unwrap_err().field, "trade_id");
        assert_eq!(fill(Some("t1"), 0).check().unwrap_err().field, "lots");
        assert_eq!(fill(Some("t1"), -1).check().unwrap_err().field, "lots");
    }

    #[test]
    fn an_amended_price_is_a_price_or_none() {
        for (price_ticks, is_right) in [(None, true), (Some(1), true), (Some(-1), true), (Some(0), false)] {
            for body in
                [ReportBody::Replaced { price_ticks, lots: 1 }, ReportBody::Restated { price_ticks, lots: 1 }]
            {
                let report = Report { venue_time_ns: 0, order_id: OrderId(1), body };
                let said = VenueReport { report, venue_order_id: None, trade_id: None, filled_lots: None };
                let said: VenueEvent<&str> = VenueEvent::Report(said);
                assert_eq!(said.check().is_ok(), is_right, "{said:?}");
            }
        }
    }

    #[test]
    fn codes_read_back_and_only_what_the_books_know_lets_trading_go_on() {
        for kind in SurpriseKind::ALL {
            assert_eq!(SurpriseKind::from_code(kind.code()), Some(kind));
            let is_known = matches!(
                kind,
                SurpriseKind::LateFill | SurpriseKind::ExitRefused | SurpriseKind::ExitMissing
            );
            assert_eq!(kind.halts(), !is_known);
        }
        assert_eq!(SurpriseKind::from_code(0), None);
    }

    #[test]
    fn borrowed_and_owned_are_the_same_message() {
        let said = fill(Some("t1"), 1);
        assert_eq!(said.to_owned().borrowed(), said);
        assert_eq!(VenueEvent::Reconciling::<&str>.to_owned(), VenueEvent::Reconciling);
        assert_eq!(VenueEvent::Reconciled::<&str>.to_owned(), VenueEvent::Reconciled);
    }
}
