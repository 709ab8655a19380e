//! An order that follows another one: what is granted, due and under way of it.

use tradecore_risk::ApprovedOrder;
use tradecore_types::{OrderId, OrderKind};

use crate::gates::Occasion;
use crate::gates::decision::RequestKind;

/// An order that follows the fills of another one, for as long as either lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Child {
    pub(crate) entry: OrderId,
    /// Its open order, if it has one.
    pub(crate) order_id: Option<OrderId>,
    pub(crate) group: Option<OrderId>,
    /// How far its order has come.
    pub(crate) stage: Stage,
    /// As it was approved.
    pub(crate) approved: ApprovedOrder,
    /// Its kind at the price it had last.
    pub(crate) kind: OrderKind,
    /// Distance of its price from what its entry paid, in parts per million, until that gives it a price.
    pub(crate) off_paid_ppm: Option<i64>,
    /// What was asked for and waits for fills of the entry.
    pub(crate) ungranted_lots: i64,
    /// What was asked for and not granted when its entry ended: what fills of that later may grant it.
    pub(crate) forgone_lots: i64,
    /// What was granted and is to be sent.
    pub(crate) due_lots: i64,
    /// What its open order was asked to grow by and is not known to have grown by.
    pub(crate) growing_lots: i64,
    /// What of it the venue did not take, unless an amendment that is not answered yet brings it.
    pub(crate) lost_lots: i64,
    /// What its orders in a group have left undone, and others are to close.
    pub(crate) undone_lots: i64,
    /// What was due when risk last refused it, which is recorded once.
    pub(crate) refused_lots: i64,
    /// Whether it is cancelled for good.
    pub(crate) is_given_up: bool,
    /// Whether its entry has ended.
    pub(crate) is_last: bool,
}

/// How far the order of a child has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Stage {
    /// It is held: known here only.
    Held,
    /// It has ended while it was held, and the report that says so is on its way.
    Dropped,
    /// It has left, or there is none yet.
    Sent,
}

impl Child {
    pub(crate) fn new(entry: OrderId, order_id: Option<OrderId>, approved: ApprovedOrder, lots: i64) -> Self {
        Self {
            entry,
            order_id,
            group: None,
            stage: if order_id.is_some() { Stage::Held } else { Stage::Sent },
            approved,
            kind: approved.intent().kind,
            off_paid_ppm: None,
            ungranted_lots: lots,
            forgone_lots: 0,
            due_lots: 0,
            growing_lots: 0,
            lost_lots: 0,
            undone_lots: 0,
            refused_lots: 0,
            is_given_up: false,
            is_last: false,
        }
    }

    /// Tells whether its order is known here only.
    pub(crate) fn is_held(&self) -> bool {
        self.stage == Stage::Held
    }

    /// Tells whether its order has ended while it was held.
    pub(crate) fn is_dropped(&self) -> bool {
        self.stage == Stage::Dropped
    }

    /// Tells whether it can only close what its entry opened.
    pub(crate) const fn is_exit(&self) -> bool {
        self.approved.intent().closes.is_some()
    }

    /// Tells whether a strategy made it; the exits of a bracket have no number of their own.
    pub(crate) const fn is_asked(&self) -> bool {
        self.approved.intent().order_id.0 != 0
    }

    /// Returns the number of its line: of the order that a strategy asked for.
    pub(crate) const fn line(&self) -> OrderId {
        self.approved.intent().order_id
    }

    /// Tells whether nothing is left of it and nothing can come.
    pub(crate) const fn is_over(&self) -> bool {
        self.is_last && self.order_id.is_none() && self.due_lots == 0 && self.undone_lots == 0
    }

    /// Says on what occasion what is due is put before gates and risk.
    pub(crate) const fn occasion(&self, kind: RequestKind) -> Occasion {
        Occasion { kind, is_again: self.refused_lots > 0 && self.refused_lots == self.due_lots }
    }

    /// Grants what a fill of the entry covers; tells whether there is anything to be sent.
    pub(crate) fn grant(&mut self, lots: i64) -> bool {
        let granted_lots = self.ungranted_lots.min(lots).max(0);
        let granted_lots = if tradecore_types::is_planted("child_outgrows_its_entry") {
            self.ungranted_lots
        } else {
            granted_lots
        };
        self.ungranted_lots -= granted_lots;
        self.due_lots = self.due_lots.saturating_add(granted_lots);
        self.due_lots > 0
    }

    /// Notes that its entry has ended.
    pub(crate) fn end_grants(&mut self) {
        self.is_last = true;
        self.forgone_lots = std::mem::take(&mut self.ungranted_lots);
    }

    /// Grants what its entry has opened after its end.
    pub(crate) fn grant_late(&mut self, lots: i64) {
        let granted_lots = self.forgone_lots.min(lots);
        self.forgone_lots -= granted_lots;
        self.due_lots = self.due_lots.saturating_add(granted_lots);
    }

    /// Grants what has come back of its entry, or is more of it, whatever was asked for.
    pub(crate) fn grant_again(&mut self, lots: i64) {
        self.forgone_lots = self.forgone_lots.saturating_sub(lots).max(0);
        self.due_lots = self.due_lots.saturating_add(lots);
    }

    /// Lets it go on without its order.
    pub(crate) const fn leave_order(&mut self) {
        (self.order_id, self.growing_lots, self.lost_lots) = (None, 0, 0);
    }

    /// Notes the answer to an amendment that asked its order to grow by so much; what is not taken is lost, what
    /// was lost before one that is taken comes with it.
    pub(crate) const fn note_answer(&mut self, grown_lots: i64, is_taken: bool) {
        self.lost_lots = self.lost_lots.saturating_add(grown_lots);
        if is_taken {
            self.growing_lots = self.growing_lots.saturating_sub(self.lost_lots);
            self.lost_lots = 0;
        }
    }

    /// Puts lots that are due back among those that a later fill may grant.
    pub(crate) fn put_back(&mut self, lots: i64) {
        if !self.is_last {
            self.ungranted_lots = self.ungranted_lots.saturating_add(lots);
        }
    }
}
