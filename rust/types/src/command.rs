//! What an operator tells the engine; journalled and replayed like any other event.

/// The kinds of command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CommandKind {
    /// Stop taking new risk; cancels and closing orders still work.
    Pause = 1,
    /// End a pause.
    Resume = 2,
    /// Cancel every open order and close every position with market orders.
    Flatten = 3,
    /// Cancel every open order and refuse every new one until released.
    Kill = 4,
    /// Release the kill switch.
    ReleaseKill = 5,
}

impl CommandKind {
    /// Every kind, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Pause, Self::Resume, Self::Flatten, Self::Kill, Self::ReleaseKill];

    /// Returns the code stored in journals; it never changes meaning.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the discriminant of a repr(u8) enum")]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the command with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Flatten => "flatten",
            Self::Kill => "kill",
            Self::ReleaseKill => "release_kill",
        }
    }

    /// Returns the command with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is to be done.
    pub kind: CommandKind,
}
