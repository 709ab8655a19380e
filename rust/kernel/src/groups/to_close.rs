//! What is to be closed, or to end, and is not yet: the things that are tried on until nothing is left of them.

use tradecore_journal::encode_order;
use tradecore_ledger::{OpenOrder, OrderState};
use tradecore_types::{
    Bracket, ByLimit, CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, RejectReason, ReportBody,
    Size, StrategyId, TimeInForce, TimeNs,
};

/// Something that is to be closed and is not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum CloseOut {
    /// A position that an operator wants flat.
    Position(Flattening),
    /// What a closing order has left undone.
    Rest(Rest),
    /// An exit that the venue did not make smaller.
    TooLarge(TooLarge),
    /// An order whose end was asked for, and may not have been heard.
    Ending(Ending),
    /// A limit order of a flatten.
    Resting(Resting),
}

/// A position that an operator wants closed and that is not flat yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Flattening {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    /// Last order from before: until it and all before it are done, nothing is sent. Exits that such an order
    /// arms later rest beside the flatten; they are cut as it closes what they protect.
    pub(crate) last_order_id: OrderId,
    /// When the end of what else closes it was asked for last, and of which orders; what a venue refuses is asked for
    /// again after a while.
    pub(crate) asked_ns: Option<TimeNs>,
    pub(crate) asked_until: OrderId,
    /// What the venue refused to close last, with nothing else in its way.
    pub(crate) refused: Option<Refused>,
    /// How it closes by limit orders before it goes at the market, if it does.
    pub(crate) limited: Option<Limited>,
    /// All of it was closed, and it waits for an order from before of which nobody knows what it did: what that has
    /// opened is closed then, and nothing that came later.
    #[serde(default)]
    pub(crate) was_flat: bool,
}

/// What a venue outside refused to close: it is asked for again after a while, or as soon as it is another amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Refused {
    pub(crate) lots: i64,
    pub(crate) not_before_ns: TimeNs,
}

/// How a flatten closes by limit orders until its time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Limited {
    pub(crate) by: ByLimit,
    /// The mark when it was commanded, which bounds all of it; without one then, the first one after that.
    pub(crate) mark_ticks: Option<i64>,
    /// When it goes at the market.
    pub(crate) until_ns: TimeNs,
    /// When it may send a limit order at the earliest: one that ends without a trade would else be sent without end.
    pub(crate) not_before_ns: TimeNs,
}

/// A limit order that a flatten has sent; its end is asked for once its time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Resting {
    pub(crate) order_id: OrderId,
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) until_ns: TimeNs,
    /// When its end was asked for last.
    pub(crate) asked_ns: Option<TimeNs>,
}

/// An exit of which the venue refused a cut: it is asked for again after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct TooLarge {
    pub(crate) order_id: OrderId,
    pub(crate) instrument: InstrumentId,
    pub(crate) not_before_ns: TimeNs,
}

/// What an order that may only close has left undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Rest {
    /// The order as it is to be sent again; its number and size are those of the one that has ended.
    pub(crate) intent: OrderIntent,
    /// How much it is to close at most.
    pub(crate) lots: i64,
    /// The orders that it cancels and that cancel it, and the entry that it follows.
    pub(crate) ties: Ties,
    /// When it may be sent again at the earliest; `None` for the next change of the market.
    pub(crate) not_before_ns: Option<TimeNs>,
}

/// How long what a venue refuses, or what did not get there, waits until it is asked for again.
pub(crate) const ASK_AGAIN_NS: TimeNs = 1_000_000_000;

/// What an order that has ended was bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ties {
    /// Number of its group of orders that cancel each other.
    pub(crate) group: Option<OrderId>,
    /// Order whose fills it followed.
    pub(crate) entry: Option<OrderId>,
    /// First of the orders that have been sent, one after the other, for the same.
    pub(crate) line: OrderId,
}

impl Ties {
    /// An order that depends on no other.
    pub(crate) const fn none(order_id: OrderId) -> Self {
        Self { group: None, entry: None, line: order_id }
    }
}

impl CloseOut {
    pub(crate) const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Position(flattening) => flattening.instrument,
            Self::Rest(rest) => rest.intent.instrument,
            Self::TooLarge(exit) => exit.instrument,
            Self::Ending(ending) => ending.instrument,
            Self::Resting(resting) => resting.instrument,
        }
    }

    /// Appends the canonical bytes of the state.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Position(_) => 0,
            Self::Rest(_) => 1,
            Self::TooLarge(_) => 2,
            Self::Ending(_) => 3,
            Self::Resting(_) => 4,
        });
        match self {
            Self::Position(flattening) => {
                let Flattening {
                    strategy,
                    instrument,
                    last_order_id,
                    asked_ns,
                    asked_until,
                    refused,
                    limited,
                    was_flat,
                } = flattening;
                out.extend_from_slice(&strategy.0.to_le_bytes());
                out.extend_from_slice(&instrument.0.to_le_bytes());
                out.extend_from_slice(&last_order_id.0.to_le_bytes());
                if let Some(asked_ns) = asked_ns {
                    out.extend_from_slice(&asked_ns.to_le_bytes());
                    out.extend_from_slice(&asked_until.0.to_le_bytes());
                }
                if let Some(Refused { lots, not_before_ns }) = refused {
                    out.extend_from_slice(&lots.to_le_bytes());
                    out.extend_from_slice(&not_before_ns.to_le_bytes());
                }
                if let Some(Limited { by, mark_ticks, until_ns, not_before_ns }) = limited {
                    out.extend_from_slice(&by.distance_bps().to_le_bytes());
                    let mark_ticks = mark_ticks.unwrap_or(i64::MIN);
                    for number in [by.timeout_ns(), mark_ticks, *until_ns, *not_before_ns] {
                        out.extend_from_slice(&number.to_le_bytes());
                    }
                }
                if *was_flat {
                    out.push(1);
                }
            }
            Self::Resting(Resting { order_id, until_ns, asked_ns, .. }) => {
                out.extend_from_slice(&order_id.0.to_le_bytes());
                for number in [*until_ns, asked_ns.unwrap_or(i64::MIN)] {
                    out.extend_from_slice(&number.to_le_bytes());
                }
            }
            Self::TooLarge(TooLarge { order_id, not_before_ns, .. })
            | Self::Ending(Ending { order_id, not_before_ns, .. }) => {
                out.extend_from_slice(&order_id.0.to_le_bytes());
                out.extend_from_slice(&not_before_ns.to_le_bytes());
            }
            Self::Rest(Rest { intent, lots, ties, not_before_ns }) => {
                encode_order(out, 0, intent, 0);
                out.extend_from_slice(&lots.to_le_bytes());
                for id in [ties.group, ties.entry, Some(ties.line)] {
                    out.extend_from_slice(&id.map_or(0, |id| id.0).to_le_bytes());
                }
                if let Some(not_before_ns) = not_before_ns {
                    out.extend_from_slice(&not_before_ns.to_le_bytes());
                }
            }
        }
    }
}

impl Rest {
    /// Tells whether an order can have left something undone that is to be tried on.
    ///
    /// That is an order that may only close and was to wait until it is done. Who asked for `ioc` or `fok`, or
    /// cancelled it, has decided otherwise.
    #[inline]
    pub(crate) fn may_be_left(order: &OpenOrder, before: OrderState) -> bool {
        order.intent.reduce_only
            && order.state.is_terminal()
            && order.intent.time_in_force.may_wait()
            && before != OrderState::PendingCancel
    }

    /// Reads what such an order has left undone; `None` when nothing is.
    ///
    /// It is what ended for want of liquidity, of a book to be trusted, or of another one to trade with than an
    /// order of the account itself; and what provably never got to a venue outside.
    #[inline(never)]
    pub(crate) fn of(order: &OpenOrder, body: &ReportBody) -> Option<Self> {
        let OpenOrder { intent, price_ticks, .. } = *order;
        let kind = match body {
            ReportBody::Rejected(RejectReason::NoLiquidity | RejectReason::NeverArrived) => intent.kind,
            // The amendment failed: it is sent again as it was before.
            ReportBody::Canceled(CancelReason::NeverArrived) => order.priced_kind(),
            ReportBody::Canceled(CancelReason::ImmediateOrCancel | CancelReason::SelfTrade)
                if is_at_market(intent.kind) =>
            {
                OrderKind::Market
            }
            ReportBody::Canceled(CancelReason::SelfTrade) => match (intent.kind, price_ticks) {
                (OrderKind::Limit { .. } | OrderKind::Iceberg { .. }, Some(known)) => {
                    intent.kind.with_price(known)?
                }
                (_, Some(price_ticks)) => OrderKind::Limit { price_ticks },
                (kind, None) => kind,
            },
            _ => return None,
        };
        let is_market = kind == OrderKind::Market;
        // What it was to grow by has not been set off: its child sends that by itself.
        let lots = if is_market { order.asked_lots().min(order.open_lots()) } else { order.asked_lots() };
        // An exit that was set off is no longer a matter of time.
        let time_in_force = if is_market { TimeInForce::Gtc } else { intent.time_in_force };
        let bracket = Bracket::default();
        let intent = OrderIntent { kind, time_in_force, bracket, size: Size::Lots(lots), ..intent };
        let ties = Ties::none(intent.order_id);
        (lots > 0).then_some(Self { intent, lots, ties, not_before_ns: None })
    }

    /// Says what the order was bound to.
    pub(crate) const fn tied(self, ties: Ties) -> Self {
        Self { ties, ..self }
    }

    /// Lets it wait until a time before it is sent again.
    pub(crate) const fn not_before(self, time_ns: TimeNs) -> Self {
        Self { not_before_ns: Some(time_ns), ..self }
    }

    /// Tells whether it is to be closed at once; what waited for a price or a place waits again.
    pub(crate) fn is_market(&self) -> bool {
        self.intent.kind == OrderKind::Market
    }

    /// Returns how much of the order that has ended is to be tried on.
    pub(crate) const fn lots(&self) -> i64 {
        self.lots
    }

    /// Makes it no larger than this; `None` when nothing is left of it.
    pub(crate) fn at_most(self, lots: i64) -> Option<Self> {
        let lots = self.lots.min(lots);
        (lots > 0).then_some(Self { lots, ..self })
    }

    /// Takes another rest in when both are about the same; `false` when they are not.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        let about = |rest: &Self| {
            let OrderIntent { strategy, instrument, side, kind, closes, .. } = rest.intent;
            (strategy, instrument, side, kind, closes, rest.ties)
        };
        let is_same = self.is_market() && about(self) == about(other);
        if is_same {
            self.lots = self.lots.saturating_add(other.lots);
            self.intent.order_id = other.intent.order_id;
        }
        is_same
    }
}

/// An order whose end was asked for, and may not have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ending {
    pub(crate) order_id: OrderId,
    pub(crate) instrument: InstrumentId,
    /// When it may be asked for again at the earliest.
    pub(crate) not_before_ns: TimeNs,
}

/// Tells whether an order trades at any price once it may.
const fn is_at_market(kind: OrderKind) -> bool {
    matches!(
        kind,
        OrderKind::Market
            | OrderKind::Stop { .. }
            | OrderKind::MarketIfTouched { .. }
            | OrderKind::TrailingStop { .. }
            | OrderKind::TrailingPercent { .. }
    )
}
