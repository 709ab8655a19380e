//! One record of the journal, borrowed from its frame.

use tradecore_types::{
    BookedRevision, CashFlow, Event, InstrumentId, Level, Liquidation, Money, OrderId, OrderIntent, Refusal,
    Report, Sent, StrategyId, Surprise, TimeNs, VenueEvent,
};

use crate::codes::flag;
use crate::cursor::{Cursor, text};
use crate::{AccountBytes, CodecError, Kind};

/// One record: a thing that happened, and when the engine learned of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// When the engine learned of it or decided it.
    pub time_ns: TimeNs,
    /// What it says, by its kind.
    pub body: RecordBody<'a>,
}

/// The kinds of record with their fields.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RecordBody<'a> {
    /// A session began: what it was built with, so that a replay can do the same.
    Session {
        /// Version of the engine that writes.
        engine_version: &'a str,
        /// Configuration as JSON; the journal does not look into it.
        config: &'a [u8],
    },
    /// A session ended in order; without this one it was killed.
    SessionEnd {
        /// Why it ended, in a word for people.
        reason: &'a str,
    },
    /// Hash of the engine's state at this point.
    StateHash([u8; 32]),
    /// An event that was fed to the engine.
    Event {
        /// The event; the level index of a book message is 0.
        event: Event,
        /// Bid levels of a book message.
        bids: Levels<'a>,
        /// Ask levels of a book message.
        asks: Levels<'a>,
    },
    /// An event about the account that was fed to the engine.
    Account(AccountBytes<'a>),
    /// What a venue outside said.
    Venue {
        /// Instrument that it was fed for.
        instrument: InstrumentId,
        /// What it said, as it came and before anything was merged.
        said: VenueEvent<&'a str>,
    },
    /// A venue outside said what was not expected.
    Surprise(Surprise),
    /// An order that risk approved.
    Order {
        /// The order as the strategy wanted it, in ticks and lots.
        intent: OrderIntent,
        /// Reference price it was checked against; 0 when there was none.
        reference_ticks: i64,
    },
    /// An order that was refused.
    Refused {
        /// The order as the strategy wanted it, in ticks and lots.
        intent: OrderIntent,
        /// The rule that it broke, with limit and value.
        refusal: Refusal,
    },
    /// A cancel was asked for.
    CancelRequest {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// The strategy that asked for it.
        strategy: StrategyId,
    },
    /// An amendment was asked for.
    ReplaceRequest {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// New price; `None` keeps the one that the order has.
        price_ticks: Option<i64>,
        /// The size that is to be open from then on, in lots.
        lots: i64,
    },
    /// An order depends on others.
    Link {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// Order that must fill before it is sent.
        after: Option<OrderId>,
        /// Order that it cancels and that cancels it.
        oco: Option<OrderId>,
    },
    /// An order that was a share of buying power has its size now.
    Sized {
        /// Number of the order that it is about.
        order_id: OrderId,
        /// Its whole size, which was known only when it filled, in lots.
        lots: i64,
    },
    /// A request left for the venue.
    Sent(Sent),
    /// What the venue said about an order.
    Report(Report),
    /// A trade that a venue told anew, as it was booked.
    Revision(BookedRevision<&'a str>),
    /// A decision with its gates.
    Decision(Decision<'a>),
    /// Money that came or went without a fill.
    CashFlow(CashFlow),
    /// A position that the venue closed by force.
    Liquidation(Liquidation),
    /// Money was moved to the margin of an isolated position, or back.
    Margin {
        /// The strategy that asked for it.
        strategy: StrategyId,
        /// Instrument of the position that it is about.
        instrument: InstrumentId,
        /// How much; negative when it was taken back.
        amount: Money,
    },
}

impl RecordBody<'_> {
    /// Returns the kind of the record.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Session { .. } => Kind::Session,
            Self::SessionEnd { .. } => Kind::SessionEnd,
            Self::StateHash(_) => Kind::StateHash,
            Self::Event { event, .. } => Kind::of_event(&event.body),
            Self::Account(_) => Kind::Account,
            Self::Venue { said, .. } => Kind::of_venue(said),
            Self::Surprise(_) => Kind::Surprise,
            Self::Order { .. } => Kind::Order,
            Self::Refused { .. } => Kind::Refused,
            Self::CancelRequest { .. } => Kind::CancelRequest,
            Self::ReplaceRequest { .. } => Kind::ReplaceRequest,
            Self::Link { .. } => Kind::Link,
            Self::Sized { .. } => Kind::Sized,
            Self::Sent(_) => Kind::Sent,
            Self::Report(_) => Kind::Report,
            Self::Revision(_) => Kind::Revision,
            Self::Decision(_) => Kind::Decision,
            Self::CashFlow(_) => Kind::CashFlow,
            Self::Liquidation(_) => Kind::Liquidation,
            Self::Margin { .. } => Kind::Margin,
        }
    }
}

/// A decision of a strategy, also "do nothing", with what each gate said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision<'a> {
    /// The strategy whose decision it was.
    pub strategy: StrategyId,
    /// The instrument that it decided about.
    pub instrument: InstrumentId,
    /// What to do, as a code of the decision room.
    pub action: u8,
    /// Why it decided so, in the strategy's own words.
    pub reason: &'a str,
    /// What each gate said, in the order they were asked.
    pub gates: Gates<'a>,
}

/// What one decision gate said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gate<'a> {
    /// Its name, at most 255 bytes.
    pub name: &'a str,
    /// The bound that the gate holds the value against.
    pub limit: f64,
    /// The value that the gate saw at that moment.
    pub value: f64,
    /// Whether it let the decision pass.
    pub passed: bool,
}

/// The levels of a book message, still in their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels<'a> {
    pub(crate) bytes: &'a [[u8; 16]],
}

impl<'a> Levels<'a> {
    /// Returns the number of levels.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads them one by one.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Level> + use<'a> {
        self.bytes.iter().map(|bytes| {
            let (price, lots) = bytes.split_at(8);
            let number = |half: &[u8]| half.try_into().map(i64::from_le_bytes).unwrap_or_default();
            Level { price_ticks: number(price), lots: number(lots) }
        })
    }
}

/// The gates of a decision, still in their bytes, which were checked when the record was decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates<'a> {
    pub(crate) count: u16,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Gates<'a> {
    /// Returns the number of gates.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Tells whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Reads them one by one.
    pub fn iter(&self) -> impl Iterator<Item = Gate<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.count).map_while(move |_| gate(&mut cursor).ok())
    }
}

/// Reads one gate of a decision.
pub(crate) fn gate<'a>(cursor: &mut Cursor<'a>) -> Result<Gate<'a>, CodecError> {
    let length = usize::from(cursor.u8()?);
    let name = text("gate", cursor.take(length)?)?;
    let limit = f64::from_bits(cursor.u64()?);
    let value = f64::from_bits(cursor.u64()?);
    Ok(Gate { name, limit, value, passed: flag("passed", cursor.u8()?)? })
}
