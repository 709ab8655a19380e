//! What operators have stopped in a part of trading: a strategy, an instrument or an account.

use tradecore_risk::Switches;
use tradecore_types::{AccountId, CommandKind, InstrumentId, OrderId, Scope, Stop, StrategyId, Within};

/// What is stopped within one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Stopped {
    scope: Scope,
    is_paused: bool,
    is_killed: bool,
    /// Every order within the scope up to this one is to end; 0 for none.
    to_end: OrderId,
}

/// What is stopped in parts, by scope.
///
/// **Invariant:** each scope is there once, and a stop of it ends by an operator's word about that very scope: what is
/// said of everything, or of another scope, leaves it as it is.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Stops {
    of: Vec<Stopped>,
    /// Single orders whose end an operator wants.
    orders: Vec<OrderId>,
}

/// An order, or a position, as a scope sees it.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) account: AccountId,
}

impl Place {
    /// Tells whether it is within a scope.
    pub(crate) fn is_within(self, scope: Scope) -> bool {
        match scope {
            Scope::Portfolio => true,
            Scope::Account(account) => account == self.account,
            Scope::Strategy(strategy) => strategy == self.strategy,
            Scope::Instrument(instrument) => instrument == self.instrument,
        }
    }
}

impl Stops {
    /// Tells whether nothing is stopped in parts, so that nobody has to look further.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Takes in a stop; `last` is the last order that there is.
    pub(crate) fn note(&mut self, within: Within, last: OrderId) {
        let Within { stop, scope } = within;
        let place = self.of.iter().position(|known| known.scope == scope).unwrap_or_else(|| {
            self.of.push(Stopped { scope, is_paused: false, is_killed: false, to_end: OrderId(0) });
            self.of.len() - 1
        });
        if let Some(known) = self.of.get_mut(place) {
            match stop {
                Stop::Pause => known.is_paused = true,
                Stop::Resume => known.is_paused = false,
                Stop::Kill => (known.is_killed, known.to_end) = (true, last),
                Stop::ReleaseKill => known.is_killed = false,
                Stop::Flatten | Stop::CancelAll => known.to_end = last,
            }
        }
        let says_something = |known: &Stopped| known.is_paused || known.is_killed || known.to_end.0 != 0;
        self.of.retain(says_something);
        debug_assert!(
            self.of.iter().filter(|known| known.scope == scope).count() <= 1,
            "each scope is there once"
        );
    }

    /// Takes in that the end of one order is wanted; those for which `is_open` is false are forgotten.
    pub(crate) fn note_order(&mut self, order_id: OrderId, is_open: impl Fn(OrderId) -> bool) {
        self.orders.retain(|known| *known != order_id && is_open(*known));
        self.orders.push(order_id);
    }

    /// Returns the switches with what is stopped at a place.
    #[cold]
    pub(crate) fn with(&self, switches: Switches, place: Place) -> Switches {
        self.of.iter().filter(|known| place.is_within(known.scope)).fold(switches, |found, known| Switches {
            is_paused: found.is_paused || known.is_paused,
            is_killed: found.is_killed
                || (known.is_killed && !tradecore_types::is_planted("kill_of_a_part_ignored")),
            ..found
        })
    }

    /// Tells whether an operator wants the end of an order.
    pub(crate) fn is_to_end(&self, order_id: OrderId, place: Place) -> bool {
        self.orders.contains(&order_id)
            || self.of.iter().any(|known| order_id <= known.to_end && place.is_within(known.scope))
    }

    /// Visits what is paused or killed, as the commands that did it.
    pub(crate) fn standing(&self) -> impl Iterator<Item = Within> {
        let paused = |known: &Stopped| known.is_paused.then_some(Stop::Pause);
        let killed = |known: &Stopped| known.is_killed.then_some(Stop::Kill);
        self.of.iter().flat_map(move |known| {
            let scope = known.scope;
            paused(known).into_iter().chain(killed(known)).map(move |stop| Within { stop, scope })
        })
    }

    /// Appends the canonical bytes of the state; none where nothing was ever stopped in a part.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        for known in &self.of {
            let (code, id) = match known.scope {
                Scope::Account(account) => (1, u32::from(account.0)),
                Scope::Strategy(strategy) => (2, u32::from(strategy.0)),
                Scope::Instrument(instrument) => (3, instrument.0),
                Scope::Portfolio => (4, 0),
            };
            out.push(code);
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&[u8::from(known.is_paused), u8::from(known.is_killed)]);
            out.extend_from_slice(&known.to_end.0.to_le_bytes());
        }
        for order in &self.orders {
            out.extend_from_slice(&order.0.to_le_bytes());
        }
    }
}

/// Returns the scope of a stop; everything where an engine has one account and the stop is about that.
pub(crate) fn whole_of(within: Within, has_accounts: bool) -> Option<CommandKind> {
    let is_whole = match within.scope {
        Scope::Portfolio => true,
        Scope::Account(_) => !has_accounts,
        Scope::Strategy(_) | Scope::Instrument(_) => false,
    };
    is_whole.then_some(within.stop.everywhere())
}
