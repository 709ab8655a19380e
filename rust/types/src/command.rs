//! What an operator tells the engine; journalled and replayed like any other event.

use crate::{
    AccountId, ByLimit, InstrumentId, LimitName, LimitValue, OrderId, PersonName, SafetyPause, StrategyId,
    ValueError,
};

/// What a limit or a halt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Scope {
    /// A venue account: all strategies, and all instruments that are traded there.
    Account(AccountId),
    /// One strategy, over all its instruments.
    Strategy(StrategyId),
    /// One instrument, over all strategies.
    Instrument(InstrumentId),
    /// All venue accounts of an engine that has several.
    Portfolio,
}

impl Scope {
    /// The account that every engine has.
    pub const ACCOUNT: Self = Self::Account(AccountId::FIRST);
}

/// A limit with its new value, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LimitChange {
    /// Whether it bounds the account, a strategy or an instrument.
    pub scope: Scope,
    /// The limit that is to have another value.
    pub limit: LimitName,
    /// Its new value in the unit of the setting of the same name; without one the limit is switched off.
    pub value: LimitValue,
    /// Who changed it; nobody is known in journals of before that was asked.
    pub person: Option<PersonName>,
}

/// An instrument that a strategy may trade from now on, or may not, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Permission {
    /// The strategy that may trade, or may no longer.
    pub strategy: StrategyId,
    /// The instrument that it may trade, or may no longer.
    pub instrument: InstrumentId,
    /// Whether the strategy may trade it.
    pub is_allowed: bool,
    /// The person who decided it: the journal names somebody for every change of a limit.
    pub person: PersonName,
}

/// A person's answer to a wish that waits for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consent {
    /// The number of the wish.
    pub order_id: OrderId,
    /// Whether it is to be put before risk.
    pub is_given: bool,
    /// The person who decided it, and answers for it.
    pub person: PersonName,
}

/// The end of a halt, and who answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Release {
    /// The account or a strategy.
    pub scope: Scope,
    /// The person who released it, and answers for trading on.
    pub person: PersonName,
}

crate::named! {
    /// A way to stop trading, or to let it go on: of everything, or within a scope.
    #[derive(serde::Serialize, serde::Deserialize)]
    pub enum Stop {
        /// Take no new risk.
        Pause = "pause";
        /// End a pause.
        Resume = "resume";
        /// Cancel every open order and close every position.
        Flatten = "flatten";
        /// Cancel every open order and refuse every new one.
        Kill = "kill";
        /// Release the kill switch.
        ReleaseKill = "release_kill";
        /// Cancel every open order, and nothing else.
        CancelAll = "cancel_all";
    }
}

impl Stop {
    /// Returns the command that does it to everything.
    #[must_use]
    pub const fn everywhere(self) -> CommandKind {
        match self {
            Self::Pause => CommandKind::Pause,
            Self::Resume => CommandKind::Resume,
            Self::Flatten => CommandKind::Flatten,
            Self::Kill => CommandKind::Kill,
            Self::ReleaseKill => CommandKind::ReleaseKill,
            Self::CancelAll => CommandKind::CancelAll,
        }
    }

    /// Returns the code stored in journals, which is that of the command for everything.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.everywhere().code()
    }

    /// Returns the one with this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stop| stop.code() == code)
    }

    /// Makes a command of it: for everything, or within a scope.
    const fn over(self, scope: Option<Scope>) -> CommandKind {
        match scope {
            Some(scope) => CommandKind::Within(Within { stop: self, scope }),
            None => self.everywhere(),
        }
    }
}

/// A stop that is about a part of trading: a strategy, an instrument or an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Within {
    /// What is done.
    pub stop: Stop,
    /// To what: nothing outside of it is touched.
    pub scope: Scope,
}

/// A flatten that closes by limit orders first, and at the market once their time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FlattenByLimit {
    /// What is flattened; `None` is everything.
    pub scope: Option<Scope>,
    /// How far from the market its limit orders may be, and how long they have.
    pub by: ByLimit,
}

/// What operators can ask of a running engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CommandKind {
    /// Stop taking new risk; cancels and closing orders still work.
    Pause,
    /// End a pause: what adds risk is judged again, and no longer refused.
    Resume,
    /// Cancel every open order and close every position with market orders.
    Flatten,
    /// Cancel every open order and refuse every new one until released.
    Kill,
    /// Release the kill switch, so that orders are judged again.
    ReleaseKill,
    /// Give a limit a new value, from the next order on.
    SetLimit(LimitChange),
    /// Let a halted strategy or account trade again.
    Release(Release),
    /// Let a strategy trade an instrument, or no longer.
    Permit(Permission),
    /// Cancel every open order, and nothing else.
    CancelAll,
    /// Stop a part of trading, or let it go on.
    Within(Within),
    /// Cancel one order, whoever's it is.
    Cancel(OrderId),
    /// Let a wish that waits for a person go on to risk, or end it.
    Consent(Consent),
    /// Cancel every open order and close every position, by limit orders first.
    FlattenByLimit(FlattenByLimit),
    /// Stop taking new risk, because something is not to be trusted; a `Resume` ends it.
    SafetyPause(SafetyPause),
}

impl CommandKind {
    /// The commands that say everything by their name, in the order of their codes.
    pub const PLAIN: [Self; 6] =
        [Self::Pause, Self::Resume, Self::Flatten, Self::Kill, Self::ReleaseKill, Self::CancelAll];

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
            Self::CancelAll => 10,
            Self::Within(_) => 11,
            Self::Cancel(_) => 12,
            Self::Consent(_) => 13,
            Self::FlattenByLimit(_) => 14,
            Self::SafetyPause(_) => 15,
        }
    }

    /// Returns the command with this code that says everything by its name.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::PLAIN.into_iter().find(|kind| kind.code() == code)
    }

    /// Returns the name shown to people and scripts.
    #[must_use]
    pub const fn name(&self) -> CommandName {
        match self {
            Self::Pause => CommandName::Pause,
            Self::Resume => CommandName::Resume,
            Self::Flatten | Self::FlattenByLimit(_) => CommandName::Flatten,
            Self::Kill => CommandName::Kill,
            Self::ReleaseKill => CommandName::ReleaseKill,
            Self::SetLimit(_) => CommandName::SetLimit,
            Self::Release(_) => CommandName::Release,
            Self::Permit(Permission { is_allowed: true, .. }) => CommandName::Allow,
            Self::Permit(Permission { is_allowed: false, .. }) => CommandName::Forbid,
            Self::CancelAll => CommandName::CancelAll,
            Self::Within(within) => within.stop.everywhere().name(),
            Self::Cancel(_) => CommandName::Cancel,
            Self::Consent(Consent { is_given: true, .. }) => CommandName::Approve,
            Self::Consent(Consent { is_given: false, .. }) => CommandName::Reject,
            Self::SafetyPause(_) => CommandName::SafetyPause,
        }
    }

    /// Makes a command of its name and what it says beside that; what it has no use for is not looked at.
    ///
    /// # Errors
    ///
    /// [`ValueError`] names what is missing, or is about something that the command cannot be about.
    pub fn of(name: CommandName, said: &Said) -> Result<Self, ValueError> {
        Ok(match name {
            CommandName::Pause => Stop::Pause.over(said.scope),
            CommandName::Resume => Stop::Resume.over(said.scope),
            CommandName::Flatten => match said.by_limit {
                Some(by) => Self::FlattenByLimit(FlattenByLimit { scope: said.scope, by }),
                None => Stop::Flatten.over(said.scope),
            },
            CommandName::Kill => Stop::Kill.over(said.scope),
            CommandName::ReleaseKill => Stop::ReleaseKill.over(said.scope),
            CommandName::CancelAll => Stop::CancelAll.over(said.scope),
            CommandName::Cancel => Self::Cancel(given("order", said.order)?),
            CommandName::SetLimit => {
                let (limit, value) = given("limit", said.limit)?;
                let (scope, person) = (given("scope", said.scope)?, Some(given("person", said.person)?));
                Self::SetLimit(LimitChange { scope, limit, value, person })
            }
            CommandName::Release => {
                let (scope, person) = (given("scope", said.scope)?, given("person", said.person)?);
                Self::Release(Release { scope, person })
            }
            CommandName::Allow | CommandName::Forbid => {
                let not_one = |what| ValueError::new("scope", what, "must be strategy:NAME");
                let strategy = match given("scope", said.scope)? {
                    Scope::Strategy(strategy) => strategy,
                    Scope::Account(_) => return Err(not_one("account")),
                    Scope::Portfolio => return Err(not_one("portfolio")),
                    Scope::Instrument(_) => return Err(not_one("instrument")),
                };
                let instrument = given("instrument", said.instrument)?;
                let (is_allowed, person) = (name == CommandName::Allow, given("person", said.person)?);
                Self::Permit(Permission { strategy, instrument, is_allowed, person })
            }
            CommandName::Approve | CommandName::Reject => {
                let (order_id, person) = (given("value", said.wish)?, given("person", said.person)?);
                Self::Consent(Consent { order_id, is_given: name == CommandName::Approve, person })
            }
            CommandName::SafetyPause => Self::SafetyPause(given("cause", said.safety)?),
        })
    }

    /// Returns what it says beside its name.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::SetLimit(LimitChange { scope, limit, value, person }) => Said {
                scope: Some(*scope),
                limit: Some((*limit, *value)),
                person: *person,
                ..Said::default()
            },
            Self::Release(Release { scope, person }) => {
                Said { scope: Some(*scope), person: Some(*person), ..Said::default() }
            }
            Self::Permit(Permission { strategy, instrument, person, .. }) => Said {
                scope: Some(Scope::Strategy(*strategy)),
                instrument: Some(*instrument),
                person: Some(*person),
                ..Said::default()
            },
            Self::Within(Within { scope, .. }) => Said { scope: Some(*scope), ..Said::default() },
            Self::FlattenByLimit(FlattenByLimit { scope, by }) => {
                Said { scope: *scope, by_limit: Some(*by), ..Said::default() }
            }
            Self::Cancel(order) => Said { order: Some(*order), ..Said::default() },
            Self::Consent(Consent { order_id, person, .. }) => {
                Said { wish: Some(*order_id), person: Some(*person), ..Said::default() }
            }
            Self::SafetyPause(pause) => Said { safety: Some(*pause), ..Said::default() },
            Self::Pause | Self::Resume | Self::Flatten | Self::Kill | Self::ReleaseKill | Self::CancelAll => {
                Said::default()
            }
        }
    }
}

/// What commands say beside their names: one form for all, for who hands them on without knowing them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What it is about, where a command is about a scope.
    pub scope: Option<Scope>,
    /// Which limit, and its new value.
    pub limit: Option<(LimitName, LimitValue)>,
    /// The instrument that it is about.
    pub instrument: Option<InstrumentId>,
    /// The number of the wish that it is about.
    pub wish: Option<OrderId>,
    /// The person who answers for it, where a command needs one.
    pub person: Option<PersonName>,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// How a flatten closes by limit orders first, where it does.
    pub by_limit: Option<ByLimit>,
    /// Why an engine pauses by itself.
    pub safety: Option<SafetyPause>,
}

fn given<T>(field: &'static str, value: Option<T>) -> Result<T, ValueError> {
    value.ok_or_else(|| ValueError::new(field, "", "must be given with this command"))
}

/// Makes everything that is said of the names of commands out of one table: name, and what it does.
macro_rules! command_names {
    ($($(#[doc = $about:literal])+ $name:ident = $text:literal;)+) => {
        crate::named! {
            /// The name of a command.
            pub enum CommandName {
                $($(#[doc = $about])+ $name = $text;)+
            }
        }

        impl CommandName {
            /// Says in a sentence what the command does.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($about),+).trim_ascii(),)+
                }
            }
        }
    };
}

command_names! {
    /// Take no new risk; cancels and closing orders still work.
    Pause = "pause";
    /// End a pause: what adds risk is judged again, and no longer refused.
    Resume = "resume";
    /// Cancel every order and close every position.
    Flatten = "flatten";
    /// Cancel every order and refuse new ones until released; survives restarts.
    Kill = "kill";
    /// Release the kill switch, so that orders are judged again.
    ReleaseKill = "release_kill";
    /// Give a limit a new value while it runs.
    SetLimit = "set_limit";
    /// Let trade again what a limit halted.
    Release = "release";
    /// Let a strategy trade an instrument while it runs.
    Allow = "allow";
    /// Let a strategy open nothing more in an instrument.
    Forbid = "forbid";
    /// Cancel every order, and nothing else.
    CancelAll = "cancel_all";
    /// Cancel one order, by its number.
    Cancel = "cancel";
    /// Put a wish that waits for a person before risk.
    Approve = "approve";
    /// End a wish that waits for a person.
    Reject = "reject";
    /// Take no new risk, because feed, clock or files are not to be trusted; the engine gives it itself.
    SafetyPause = "safety_pause";
}

/// A command of an operator on its way into the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// What is to be done.
    pub kind: CommandKind,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_comes_back_from_its_name_and_what_it_says() {
        let said = Said {
            scope: Some(Scope::Strategy(StrategyId(3))),
            limit: Some((LimitName::Gross, LimitValue::of(None))),
            instrument: Some(InstrumentId(4)),
            wish: Some(OrderId(5)),
            person: PersonName::new("Ada").ok(),
            order: Some(OrderId(5)),
            by_limit: ByLimit::new(20, 5_000_000_000).ok(),
            safety: Some(SafetyPause { cause: crate::SafetyCause::ClockJump, value: -7, bound: 2 }),
        };
        for name in CommandName::ALL {
            let kind = CommandKind::of(name, &said).unwrap();
            assert_eq!(kind.name(), name);
            assert_eq!(CommandKind::of(name, &kind.said()), Ok(kind));
            assert_eq!(CommandName::from_name(name.name()), Some(name));
            let everywhere = CommandKind::of(name, &Said::default());
            let is_stop = CommandKind::PLAIN.iter().any(|plain| plain.name() == name);
            assert_eq!(everywhere.is_ok(), is_stop);
            assert!(everywhere.is_ok_and(|kind| kind.said() == Said::default()) == is_stop);
        }
    }

    #[test]
    fn a_stop_is_about_everything_or_about_the_scope_that_is_said() {
        let scope = Scope::Instrument(InstrumentId(2));
        for stop in Stop::ALL {
            let name = stop.everywhere().name();
            let said = Said { scope: Some(scope), ..Said::default() };
            assert_eq!(CommandKind::of(name, &said), Ok(CommandKind::Within(Within { stop, scope })));
            assert_eq!(CommandKind::of(name, &Said::default()), Ok(stop.everywhere()));
            assert_eq!(Stop::from_code(stop.code()), Some(stop));
        }
        assert_eq!(Stop::from_code(6), None);
    }
}
