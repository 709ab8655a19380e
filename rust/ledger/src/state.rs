//! The life of an order as one table.

use std::fmt::Write as _;

tradecore_types::coded! {
    /// States of an order, with FIX's names, and [`OrderState::Unknown`].
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum OrderState {
        /// Sent; the venue has not answered.
        PendingNew = 1, "pending_new";
        /// The venue has it and nothing is filled.
        New = 2, "new";
        /// Part of it is filled and the rest works.
        PartiallyFilled = 3, "partially_filled";
        /// All of it is filled.
        Filled = 4, "filled";
        /// A cancel was sent and not answered.
        PendingCancel = 5, "pending_cancel";
        /// An amendment was sent and not answered.
        PendingReplace = 6, "pending_replace";
        /// Ended without (further) fill because somebody or a rule asked for it.
        Canceled = 7, "canceled";
        /// The venue did not take it.
        Rejected = 8, "rejected";
        /// Its time ran out before it had filled whole.
        Expired = 9, "expired";
        /// A submit or cancel had an ambiguous outcome. Counts in exposure and ends only on the venue's word.
        Unknown = 10, "unknown";
    }
}

impl OrderState {
    /// Tells whether nothing can happen to the order any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Filled | Self::Canceled | Self::Rejected | Self::Expired)
    }
}

/// What can happen to an order. `…Partly` is the same event for an order with earlier fills, `…Whole` for one of which
/// nothing is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// The venue says that it has the order.
    Accepted,
    /// The venue says that it has the rest of the order.
    AcceptedPartly,
    /// The venue does not take it.
    Rejected,
    /// A stop was set off.
    Triggered,
    /// A fill that leaves something open, or to be opened by an amendment under way.
    PartialFill,
    /// The fill that leaves nothing.
    Fill,
    /// We ask for its cancellation.
    CancelRequested,
    /// We ask for an amendment.
    ReplaceRequested,
    /// The venue took it out.
    Canceled,
    /// The venue has taken an amendment.
    Replaced,
    /// The venue amended the rest of it.
    ReplacedPartly,
    /// Price or size changed without an amendment.
    Restated,
    /// The venue did not cancel it.
    CancelRejected,
    /// The venue did not cancel the rest of it.
    CancelRejectedPartly,
    /// The venue did not amend it.
    ReplaceRejected,
    /// The venue did not amend the rest of it.
    ReplaceRejectedPartly,
    /// The venue did not amend it: all of it had filled before.
    ReplaceRejectedWhole,
    /// Its time ran out at the venue.
    Expired,
    /// The outcome of a request is not known (time-out, lost connection).
    OutcomeLost,
}

impl OrderEvent {
    /// Returns the event of the record of a journal with this name: a report, `cancel_request` or
    /// `replace_request`, as far as the record alone says it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::RECORDED.into_iter().find_map(|(known, event)| (known == name).then_some(event))
    }

    /// What journals say of an order, by the names of the records.
    pub const RECORDED: [(&'static str, Self); 13] = [
        ("accepted", Self::Accepted),
        ("rejected", Self::Rejected),
        ("triggered", Self::Triggered),
        ("fill", Self::Fill),
        ("cancel_request", Self::CancelRequested),
        ("replace_request", Self::ReplaceRequested),
        ("canceled", Self::Canceled),
        ("replaced", Self::Replaced),
        ("restated", Self::Restated),
        ("cancel_rejected", Self::CancelRejected),
        ("replace_rejected", Self::ReplaceRejected),
        ("expired", Self::Expired),
        ("outcome_lost", Self::OutcomeLost),
    ];

    /// Returns the same event for an order of which so many lots were filled before.
    #[must_use]
    #[inline]
    pub const fn after_fills(self, filled_lots: i64) -> Self {
        match self {
            Self::Accepted if filled_lots > 0 => Self::AcceptedPartly,
            Self::Replaced if filled_lots > 0 => Self::ReplacedPartly,
            Self::CancelRejected if filled_lots > 0 => Self::CancelRejectedPartly,
            Self::ReplaceRejected if filled_lots > 0 => Self::ReplaceRejectedPartly,
            same => same,
        }
    }

    /// Returns the event of a fill of so many of the lots that could trade.
    #[must_use]
    #[inline]
    pub const fn of_fill(lots: i64, lots_before: i64) -> Self {
        if lots == lots_before { Self::Fill } else { Self::PartialFill }
    }

    /// Every event, in the order of the table.
    pub const ALL: [Self; 19] = [
        Self::Accepted,
        Self::AcceptedPartly,
        Self::Rejected,
        Self::Triggered,
        Self::PartialFill,
        Self::Fill,
        Self::CancelRequested,
        Self::ReplaceRequested,
        Self::Canceled,
        Self::Replaced,
        Self::ReplacedPartly,
        Self::Restated,
        Self::CancelRejected,
        Self::CancelRejectedPartly,
        Self::ReplaceRejected,
        Self::ReplaceRejectedPartly,
        Self::ReplaceRejectedWhole,
        Self::Expired,
        Self::OutcomeLost,
    ];
}

use OrderEvent as E;
use OrderState as S;

/// The whole life cycle: what is not listed cannot happen, except that terminal states absorb the
/// answer to a request that came too late.
pub const TRANSITIONS: &[(OrderState, OrderEvent, OrderState)] = &[
    (S::PendingNew, E::Accepted, S::New),
    (S::PendingNew, E::Rejected, S::Rejected),
    (S::PendingNew, E::Triggered, S::New),
    (S::PendingNew, E::PartialFill, S::PartiallyFilled),
    (S::PendingNew, E::Fill, S::Filled),
    (S::PendingNew, E::Canceled, S::Canceled),
    (S::PendingNew, E::Expired, S::Expired),
    (S::PendingNew, E::CancelRequested, S::PendingCancel),
    (S::PendingNew, E::ReplaceRequested, S::PendingReplace),
    (S::PendingNew, E::Restated, S::PendingNew),
    (S::PendingNew, E::OutcomeLost, S::Unknown),
    (S::New, E::Accepted, S::New),
    (S::New, E::Rejected, S::Rejected),
    (S::New, E::Triggered, S::New),
    (S::New, E::PartialFill, S::PartiallyFilled),
    (S::New, E::Fill, S::Filled),
    (S::New, E::Canceled, S::Canceled),
    (S::New, E::Expired, S::Expired),
    (S::New, E::Replaced, S::New),
    (S::New, E::Restated, S::New),
    (S::New, E::CancelRequested, S::PendingCancel),
    (S::New, E::ReplaceRequested, S::PendingReplace),
    (S::New, E::CancelRejected, S::New),
    (S::New, E::ReplaceRejected, S::New),
    (S::New, E::OutcomeLost, S::Unknown),
    (S::PartiallyFilled, E::AcceptedPartly, S::PartiallyFilled),
    (S::PartiallyFilled, E::Triggered, S::PartiallyFilled),
    (S::PartiallyFilled, E::PartialFill, S::PartiallyFilled),
    (S::PartiallyFilled, E::Fill, S::Filled),
    (S::PartiallyFilled, E::Canceled, S::Canceled),
    (S::PartiallyFilled, E::Expired, S::Expired),
    (S::PartiallyFilled, E::ReplacedPartly, S::PartiallyFilled),
    (S::PartiallyFilled, E::Restated, S::PartiallyFilled),
    (S::PartiallyFilled, E::CancelRequested, S::PendingCancel),
    (S::PartiallyFilled, E::ReplaceRequested, S::PendingReplace),
    (S::PartiallyFilled, E::CancelRejectedPartly, S::PartiallyFilled),
    (S::PartiallyFilled, E::ReplaceRejectedPartly, S::PartiallyFilled),
    (S::PartiallyFilled, E::ReplaceRejectedWhole, S::Filled),
    (S::PartiallyFilled, E::OutcomeLost, S::Unknown),
    (S::PendingCancel, E::Accepted, S::PendingCancel),
    (S::PendingCancel, E::AcceptedPartly, S::PendingCancel),
    (S::PendingCancel, E::Rejected, S::Rejected),
    (S::PendingCancel, E::Triggered, S::PendingCancel),
    (S::PendingCancel, E::PartialFill, S::PendingCancel),
    (S::PendingCancel, E::Fill, S::Filled),
    (S::PendingCancel, E::Canceled, S::Canceled),
    (S::PendingCancel, E::Expired, S::Expired),
    (S::PendingCancel, E::Replaced, S::PendingCancel),
    (S::PendingCancel, E::ReplacedPartly, S::PendingCancel),
    (S::PendingCancel, E::Restated, S::PendingCancel),
    (S::PendingCancel, E::CancelRequested, S::PendingCancel),
    (S::PendingCancel, E::CancelRejected, S::New),
    (S::PendingCancel, E::CancelRejectedPartly, S::PartiallyFilled),
    (S::PendingCancel, E::ReplaceRejected, S::PendingCancel),
    (S::PendingCancel, E::ReplaceRejectedPartly, S::PendingCancel),
    (S::PendingCancel, E::ReplaceRejectedWhole, S::Filled),
    (S::PendingCancel, E::OutcomeLost, S::Unknown),
    (S::PendingReplace, E::Accepted, S::PendingReplace),
    (S::PendingReplace, E::AcceptedPartly, S::PendingReplace),
    (S::PendingReplace, E::Rejected, S::Rejected),
    (S::PendingReplace, E::Triggered, S::PendingReplace),
    (S::PendingReplace, E::PartialFill, S::PendingReplace),
    (S::PendingReplace, E::Fill, S::Filled),
    (S::PendingReplace, E::Canceled, S::Canceled),
    (S::PendingReplace, E::Expired, S::Expired),
    (S::PendingReplace, E::Replaced, S::New),
    (S::PendingReplace, E::ReplacedPartly, S::PartiallyFilled),
    (S::PendingReplace, E::Restated, S::PendingReplace),
    (S::PendingReplace, E::CancelRequested, S::PendingCancel),
    (S::PendingReplace, E::ReplaceRequested, S::PendingReplace),
    (S::PendingReplace, E::CancelRejected, S::PendingReplace),
    (S::PendingReplace, E::CancelRejectedPartly, S::PendingReplace),
    (S::PendingReplace, E::ReplaceRejected, S::New),
    (S::PendingReplace, E::ReplaceRejectedPartly, S::PartiallyFilled),
    (S::PendingReplace, E::ReplaceRejectedWhole, S::Filled),
    (S::PendingReplace, E::OutcomeLost, S::Unknown),
    (S::Unknown, E::Accepted, S::New),
    (S::Unknown, E::AcceptedPartly, S::PartiallyFilled),
    (S::Unknown, E::Rejected, S::Rejected),
    (S::Unknown, E::Triggered, S::Unknown),
    (S::Unknown, E::PartialFill, S::Unknown),
    (S::Unknown, E::Fill, S::Filled),
    (S::Unknown, E::Canceled, S::Canceled),
    (S::Unknown, E::Expired, S::Expired),
    (S::Unknown, E::Replaced, S::New),
    (S::Unknown, E::ReplacedPartly, S::PartiallyFilled),
    (S::Unknown, E::Restated, S::Unknown),
    (S::Unknown, E::CancelRequested, S::Unknown),
    (S::Unknown, E::CancelRejected, S::Unknown),
    (S::Unknown, E::CancelRejectedPartly, S::Unknown),
    (S::Unknown, E::ReplaceRejected, S::Unknown),
    (S::Unknown, E::ReplaceRejectedPartly, S::Unknown),
    (S::Unknown, E::ReplaceRejectedWhole, S::Filled),
    (S::Unknown, E::OutcomeLost, S::Unknown),
];

/// States and events as small numbers: the table as an array, built at compile time.
const LOOKUP: [[Option<OrderState>; OrderEvent::ALL.len()]; OrderState::ALL.len() + 1] = lookup();

#[expect(
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "runs at compile time, where a wrong index does not build"
)]
const fn lookup() -> [[Option<OrderState>; OrderEvent::ALL.len()]; OrderState::ALL.len() + 1] {
    let mut table = [[None; OrderEvent::ALL.len()]; OrderState::ALL.len() + 1];
    let mut row = 0;
    while row < TRANSITIONS.len() {
        let (state, event, after) = TRANSITIONS[row];
        let cell = &mut table[state as usize][event as usize];
        assert!(cell.is_none(), "a transition is listed twice");
        *cell = Some(after);
        row += 1;
    }
    table
}

/// Returns the state after an event, or `None` when the event cannot happen in this state.
#[must_use]
#[expect(clippy::as_conversions, reason = "discriminants of small enums")]
pub fn next(state: OrderState, event: OrderEvent) -> Option<OrderState> {
    *LOOKUP.get(state as usize)?.get(event as usize)?
}

/// Returns the state after a record of a journal, for those who keep orders outside an engine.
///
/// `filled_lots` and `open_lots` are of the order before it, `fill_lots` of the fill that it tells of. What
/// cannot happen in the state changes nothing: terminal states absorb what came too late. But an order that seemed to
/// have filled whole was not over where it is amended, or ends otherwise, after that: a venue outside had made it larger.
#[must_use]
pub fn state_after(
    state: OrderState,
    recorded: OrderEvent,
    filled_lots: i64,
    open_lots: i64,
    fill_lots: i64,
) -> OrderState {
    let event = match recorded {
        OrderEvent::Fill => OrderEvent::of_fill(fill_lots, open_lots),
        other => other.after_fills(filled_lots),
    };
    let goes_on =
        matches!(event, E::ReplacedPartly | E::Restated | E::Canceled | E::Expired) && filled_lots > 0;
    let state_before = if state == S::Filled && goes_on { S::PartiallyFilled } else { state };
    next(state_before, event).unwrap_or(state)
}

/// Renders the table as a Mermaid state diagram; events that lead from one state to the same other
/// one share an arrow.
#[must_use]
pub fn diagram() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> PendingNew\n");
    for from in OrderState::ALL {
        for to in OrderState::ALL {
            let labels: Vec<String> = TRANSITIONS
                .iter()
                .filter(|(state, _, after)| *state == from && *after == to && from != to)
                .map(|(_, event, _)| format!("{event:?}"))
                .collect();
            if !labels.is_empty() {
                let _ = writeln!(text, "    {from:?} --> {to:?} : {}", labels.join(" / "));
            }
        }
        if from.is_terminal() {
            let _ = writeln!(text, "    {from:?} --> [*]");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lookup_says_what_the_table_says() {
        for state in OrderState::ALL {
            for event in OrderEvent::ALL {
                let listed = TRANSITIONS
                    .iter()
                    .find(|(from, with, _)| *from == state && *with == event)
                    .map(|row| row.2);
                assert_eq!(next(state, event), listed, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_record_leads_where_its_event_leads_and_what_came_too_late_leads_nowhere() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::from_name(state.name()), Some(state));
            for (name, event) in OrderEvent::RECORDED {
                assert_eq!(OrderEvent::from_name(name), Some(event));
                let after = state_after(state, event, 0, 5, 5);
                assert_eq!(after, next(state, event).unwrap_or(state), "{state:?} {name}");
            }
        }
        assert_eq!(state_after(S::PendingReplace, E::Replaced, 1, 4, 0), S::PartiallyFilled);
        assert_eq!(state_after(S::New, E::Fill, 1, 4, 3), S::PartiallyFilled);
        assert_eq!(state_after(S::PendingCancel, E::Fill, 1, 4, 3), S::PendingCancel);
        assert_eq!(state_after(S::Filled, E::CancelRejected, 4, 0, 0), S::Filled);
        // It had become larger at its venue before it filled.
        assert_eq!(state_after(S::Filled, E::Replaced, 4, 0, 0), S::PartiallyFilled);
        assert_eq!(state_after(S::Filled, E::Restated, 4, 0, 0), S::PartiallyFilled);
        assert_eq!(state_after(S::Filled, E::Canceled, 4, 0, 0), S::Canceled);
        assert_eq!(state_after(S::Filled, E::ReplaceRejected, 4, 0, 0), S::Filled);
        assert_eq!(state_after(S::Filled, E::Fill, 4, 0, 2), S::Filled);
        assert_eq!(OrderEvent::from_name("vanished"), None);
    }

    #[test]
    fn terminal_states_have_no_way_out() {
        for state in OrderState::ALL.into_iter().filter(|state| state.is_terminal()) {
            assert!(OrderEvent::ALL.into_iter().all(|event| next(state, event).is_none()), "{state:?}");
        }
    }

    #[test]
    fn every_open_state_can_end_by_fill_and_by_cancel() {
        for state in OrderState::ALL.into_iter().filter(|state| !state.is_terminal()) {
            assert_eq!(next(state, OrderEvent::Fill), Some(OrderState::Filled), "{state:?}");
            assert_eq!(next(state, OrderEvent::Canceled), Some(OrderState::Canceled), "{state:?}");
        }
    }

    #[test]
    fn unknown_ends_only_by_what_the_venue_says() {
        for event in [OrderEvent::CancelRequested, OrderEvent::OutcomeLost, OrderEvent::CancelRejected] {
            assert_eq!(next(OrderState::Unknown, event), Some(OrderState::Unknown));
        }
        assert_eq!(next(OrderState::Unknown, OrderEvent::ReplaceRequested), None);
    }

    #[test]
    fn the_diagram_shows_every_state_and_every_change() {
        let text = diagram();
        for state in OrderState::ALL {
            assert!(text.contains(&format!("{state:?}")), "{state:?}");
        }
        assert!(text.starts_with("stateDiagram-v2\n"));
        assert!(text.contains("    PendingNew --> Rejected : Rejected\n"));
        assert!(text.contains("    PendingCancel --> New : CancelRejected\n"));
    }

    #[test]
    fn codes_read_back_as_the_state_they_stand_for() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::from_code(state.code()), Some(state));
        }
    }
}
