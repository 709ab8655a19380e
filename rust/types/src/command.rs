//! What an operator tells the engine; journalled and replayed like any other event.

use crate::{InstrumentId, LimitName, LimitValue, PersonName, StrategyId};

/// What a limit or a halt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole account: all strategies and instruments together.
    Account,
    /// One strategy, over all its instruments.
    Strategy(StrategyId),
    /// One instrument, over all strategies.
    Instrument(InstrumentId),
}

/// A limit with its new value, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitChange {
    /// Whose limit it is.
    pub scope: Scope,
    /// Which limit.
    pub limit: LimitName,
    /// Its new value in the unit of the setting of the same name; without one the limit is switched off.
    pub value: LimitValue,
    /// Who changed it; nobody is known in journals of before that was asked.
    pub person: Option<PersonName>,
}

/// An instrument that a strategy may trade from now on, or may not, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Whose permission it is.
    pub strategy: StrategyId,
    /// What it is about.
    pub instrument: InstrumentId,
    /// Whether the strategy may trade it.
    pub is_allowed: bool,
    /// Who decided that.
    pub person: PersonName,
}

/// The end of a halt, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The account or a strategy.
    pub scope: Scope,
    /// Who released it.
    pub person: PersonName,
}

/// The kinds of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Stop taking new risk; cancels and closing orders still work.
    Pause,
    /// End a pause.
    Resume,
    /// Cancel every open order and close every position with market orders.
    Flatten,
    /// Cancel every open order and refuse every new one until released.
    Kill,
    /// Release the kill switch.
    ReleaseKill,
    /// Give a limit a new value, from the next order on.
    SetLimit(LimitChange),
    /// Let a halted strategy or account trade again.
    Release(Release),
    /// Let a strategy trade an instrument, or no longer.
    Permit(Permission),
}

impl CommandKind {
    /// The commands that say everything by their name, in the order of their codes.
    pub const PLAIN: [Self; 5] = [Self::Pause, Self::Resume, Self::Flatten, Self::Kill, Self::ReleaseKill];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Pause => 1,
            Self::Resume => 2,
            Self::Flatten => 3,
            Self::Kill => 4,
            Self::ReleaseKill => 5,
            Self::SetLimit(LimitChange { person: None, .. }) => 6,
            Self::Release(_) => 7,
            Self::SetLimit(LimitChange { person: Some(_), .. }) => 8,
            Self::Permit(_) => 9,
        }
    }

    /// Returns the command with this code that says everything by its name.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::PLAIN.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Flatten => "flatten",
            Self::Kill => "kill",
            Self::ReleaseKill => "release_kill",
            Self::SetLimit(_) => "set_limit",
            Self::Release(_) => "release",
            Self::Permit(Permission { is_allowed: true, .. }) => "allow",
            Self::Permit(Permission { is_allowed: false, .. }) => "forbid",
        }
    }

    /// Returns the command with this name that says everything by it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::PLAIN.into_iter().find(|kind| kind.name() == name)
    }
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is to be done.
    pub kind: CommandKind,
}
