//! What a kernel is made of.

use tradecore_book::BookRules;
use tradecore_matching::FeeSchedule;
use tradecore_risk::{Limits, ScopesConfig};
use tradecore_types::{
    AccountId, Currencies, CurrencyId, HedgedMargin, Instrument, InstrumentId, InstrumentKind,
    InstrumentSpec, LotMethod, Money, Positions, Sessions, ValueError,
};
use tradecore_venue::{Borrow, FeeTier, FeeTiers, FeeWindow, VenueConfig};

use crate::currency_config::{Conversion, CurrencyConfig};
use crate::{MarginMode, MarginRule};

/// Currencies that an account may have beside the one in which it reports.
const CURRENCIES_MAX: usize = 63;

/// Where requests go; it is matched exhaustively, so that no mode is one by accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the simulated venue in this engine.
    Simulated,
    /// Nowhere: decisions are recorded (shadow mode).
    Nowhere,
    /// To a venue outside the process: what is sent is recorded, and answers come in as reports.
    Outside,
}

impl Destination {
    /// Tells whether anything is sent there.
    #[must_use]
    pub const fn takes_requests(self) -> bool {
        match self {
            Self::Simulated | Self::Outside => true,
            Self::Nowhere => false,
        }
    }

    /// Tells whether a venue outside the process has the word.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        match self {
            Self::Outside => true,
            Self::Simulated | Self::Nowhere => false,
        }
    }

    /// Tells whether the engine itself plays the venue: ends orders in time and closes positions by force.
    #[must_use]
    pub const fn is_simulated(self) -> bool {
        match self {
            Self::Simulated => true,
            Self::Nowhere | Self::Outside => false,
        }
    }
}

/// Accounts that an engine may have beside the first.
const ACCOUNTS_MAX: usize = 15;

/// A venue account beside the first. Its balances are among the currencies of the engine.
#[derive(Clone, Debug)]
pub struct AccountConfig {
    /// How many times its equity it may hold.
    pub leverage: Leverage,
    /// Whether buys and sells meet in one position.
    pub positions: Positions,
    /// What margin is asked for where they do not.
    pub hedged_margin: HedgedMargin,
    /// How its simulated venue matches, what that charges and how long a message takes.
    pub venue: VenueConfig,
    /// The currency in which that takes fees while the account has enough of it.
    pub fee_currency: Option<CurrencyId>,
    /// Fees by the volume traded at this account, the volumes rising.
    pub fee_tiers: Vec<FeeTier>,
    /// Which volume decides the tier.
    pub fee_window: FeeWindow,
    /// Kinds of orders that its venue outside does not have, as of [`KernelConfig::watched`].
    pub watched: crate::WatchedKinds,
    /// Who amends an order at its venue outside.
    pub amends: crate::Amends,
}

/// An instrument that may be traded, and what holds for it alone.
#[derive(Clone, Debug)]
pub struct InstrumentConfig {
    /// What a price and a lot of it are worth.
    pub spec: InstrumentSpec,
    /// The currencies that trading it moves.
    pub currencies: Currencies,
    /// What it takes for its book to be the venue's.
    pub book: BookRules,
    /// What risk holds each of its orders against.
    pub limits: Limits,
    /// When it trades: what decides how long an order for the day lives.
    pub sessions: Sessions,
    /// Interest on shorts, in parts per million of their value a year.
    pub borrow_ppm: i64,
    /// Margin rules of a derivative; `None` for what the account's leverage carries.
    pub margin: Option<MarginRule>,
}

/// Buying power as a multiple of equity: `numerator / denominator`, both above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Leverage {
    /// What the equity is multiplied by.
    pub numerator: i64,
    /// What it is divided by, so that 1.5 is the exact 3 / 2.
    pub denominator: i64,
}

/// Everything that decides what a kernel does with its events.
#[derive(Clone, Debug)]
pub struct KernelConfig {
    /// The instruments, in the order of their ids.
    pub instruments: Vec<InstrumentConfig>,
    /// How many strategies run: their numbers are below this one.
    pub strategies: u16,
    /// Limits of strategies and of the account.
    pub scopes: ScopesConfig,
    /// Largest number of calls of one strategy at one time and between two events that are fed, above 0.
    pub calls_max: u32,
    /// Name of the currency in which the account reports.
    pub currency: String,
    /// The cash in it that the first account begins with.
    pub cash: Money,
    /// Every other currency, in the order of their numbers, from 1 on.
    pub currencies: Vec<CurrencyConfig>,
    /// The currency in which the simulated venue takes fees while the account has enough of it; `None` for the
    /// settlement currency of each instrument.
    pub fee_currency: Option<CurrencyId>,
    /// Which lots of a position fills close, and at what cost.
    pub lots: LotMethod,
    /// Whether buys and sells meet in one position at the first account.
    pub positions: Positions,
    /// What margin is asked for there where they do not.
    pub hedged_margin: HedgedMargin,
    /// How many times its equity the account may hold.
    pub leverage: Leverage,
    /// How the simulated venue matches, what it charges and how long a message takes.
    pub venue: VenueConfig,
    /// Fees by traded volume, the volumes rising.
    pub fee_tiers: Vec<FeeTier>,
    /// Which volume decides the tier.
    pub fee_window: FeeWindow,
    /// Every other venue account, in the order of their numbers, from 1 on; what is above is of the first.
    pub accounts: Vec<AccountConfig>,
    /// Where requests go, if they go anywhere.
    pub destination: Destination,
    /// Kinds of orders that a venue outside does not have, and that are watched here until they are set off.
    pub watched: crate::WatchedKinds,
    /// Who amends an order at a venue outside.
    pub amends: crate::Amends,
    /// Whether journal frames are kept for [`crate::Kernel::take_frames`].
    pub is_recording: bool,
    /// Whether orders are hashed for [`crate::Kernel::orders_digest`].
    pub has_digest: bool,
    /// Whether the equity is recorded over time: at every bar given as input where orders are matched against
    /// bars, else by the clock.
    pub has_equity_curve: bool,
    /// Span of that clock in nanoseconds, above 0; `None` for the start and the end alone.
    pub sample_ns: Option<i64>,
}

impl KernelConfig {
    /// Returns every setting that makes no sense, with the path of the table that it stands in
    /// (`instruments[1]`, `fees.tiers[0]`, empty at the top).
    #[must_use]
    pub fn problems(&self) -> Vec<(String, ValueError)> {
        let mut found = Vec::new();
        let mut note = |path: &str, checked: Result<(), ValueError>| {
            found.extend(checked.err().map(|error| (path.to_owned(), error)));
        };
        note("", self.check_counts());
        note("venue", self.check_outside());
        note("account", self.leverage.check());
        note("account", self.check_currencies());
        note("account", self.check_hedging());
        note("account", check_hedged_margin(self.positions, self.hedged_margin));
        note("venue.slippage", self.venue.bar_slippage.check());
        for (index, instrument) in self.instruments.iter().enumerate() {
            let path = format!("instruments[{index}]");
            note(&path, Instrument::new(InstrumentId(0), instrument.spec.clone()).map(|_| ()));
            note(&path, self.check_traded(instrument));
            note(&path, Borrow::check(instrument.borrow_ppm, instrument.spec.kind));
            if let Some(margin) = &instrument.margin {
                note(&format!("{path}.margin"), margin.check());
            }
        }
        for (index, checked) in FeeTiers::checks(&self.fee_tiers).enumerate() {
            note(&format!("fees.tiers[{index}]"), checked);
        }
        note("accounts", self.check_accounts());
        for (at, account) in self.accounts.iter().enumerate() {
            let path = format!("accounts[{at}]");
            note(&path, account.leverage.check());
            note(&path, check_hedged_margin(account.positions, account.hedged_margin));
            note(&format!("{path}.fees"), self.check_fee_currency(at + 1, account.fee_currency));
            note(&format!("{path}.venue"), self.check_matching(account));
            note(&format!("{path}.venue.slippage"), account.venue.bar_slippage.check());
            for (index, checked) in FeeTiers::checks(&account.fee_tiers).enumerate() {
                note(&format!("{path}.fees.tiers[{index}]"), checked);
            }
        }
        found
    }

    /// Checks that reports of a venue outside can be booked: bars and an exchange of one's own are simulations.
    fn check_outside(&self) -> Result<(), ValueError> {
        let traits = self.venue.matching.traits();
        if !self.destination.is_outside() || !traits.reports_at_once && !traits.publishes_book {
            return Ok(());
        }
        let rule =
            "must be quotes or book where orders go to a venue outside: it is what the market data are";
        Err(ValueError::new("matching", "simulation", rule))
    }

    /// Checks that everything beside positions that hedge knows tickets.
    fn check_hedging(&self) -> Result<(), ValueError> {
        let hedges = |account: AccountId| self.positions_of(account) == Positions::Hedging;
        if !self.account_ids().any(hedges) {
            return Ok(());
        }
        if self.lots != LotMethod::Fifo {
            let rule = "must be fifo where positions hedge: what closes a ticket says which lots it closes";
            return Err(ValueError::new("lots", self.lots.name(), rule));
        }
        Ok(())
    }

    /// Checks the currencies: each has a way to the one in which the account reports.
    fn check_currencies(&self) -> Result<(), ValueError> {
        if self.currencies.len() > CURRENCIES_MAX {
            let rule = format!("an account has at most {CURRENCIES_MAX} currencies beside its own");
            return Err(ValueError::new("currencies", self.currencies.len(), rule));
        }
        for (index, currency) in self.currencies.iter().enumerate() {
            let others = self.currencies.iter().take(index);
            if currency.name == self.currency || others.into_iter().any(|other| other.name == currency.name) {
                return Err(ValueError::new("currencies", &currency.name, "must be named once"));
            }
            self.check_conversion(currency)?;
        }
        self.check_fee_currency(0, self.fee_currency)
    }

    /// Checks the currency in which the venue of an account takes fees.
    fn check_fee_currency(&self, account: usize, currency: Option<CurrencyId>) -> Result<(), ValueError> {
        match currency.filter(|currency| self.account_with(*currency) != Some(account)) {
            Some(currency) => Err(ValueError::new("fees.currency", currency.0, "must be one of the account")),
            None => Ok(()),
        }
    }

    /// Returns the number of the venue account that has a balance in a currency.
    fn account_with(&self, currency: CurrencyId) -> Option<usize> {
        match currency.index().checked_sub(1) {
            None => Some(0),
            Some(index) => self.currencies.get(index).map(|known| known.account.index()),
        }
    }

    /// Checks how many accounts there are, and that each limit is of one of them.
    fn check_accounts(&self) -> Result<(), ValueError> {
        let count = self.accounts.len();
        if count > ACCOUNTS_MAX {
            let rule = format!("an engine has at most {ACCOUNTS_MAX} accounts beside its first");
            return Err(ValueError::new("accounts", count, rule));
        }
        let limits = self.scopes.accounts.len();
        if limits != 0 && limits != count + 1 || limits == 0 && count != 0 {
            let rule = format!("must be those of {} accounts", count + 1);
            return Err(ValueError::new("limits", limits, rule));
        }
        Ok(())
    }

    /// Checks that an account beside the first matches as the clock of the engine needs it: bars are the moments at
    /// which orders fill and the account is valued, at all accounts or at none.
    fn check_matching(&self, account: &AccountConfig) -> Result<(), ValueError> {
        let at_bars = |venue: &VenueConfig| venue.matching.traits().values_at_bars;
        if at_bars(&account.venue) == at_bars(&self.venue) {
            return Ok(());
        }
        let rule = "must be bars at all accounts of an engine, or at none";
        Err(ValueError::new("matching", if at_bars(&account.venue) { "bars" } else { "no bars" }, rule))
    }

    /// Follows the conversions of a currency up to the reporting one.
    fn check_conversion(&self, from: &CurrencyConfig) -> Result<(), ValueError> {
        let mut at = from;
        for _ in 0..=self.currencies.len() {
            let id = match at.conversion {
                Conversion::Constant(price) if price.mantissa <= 0 => {
                    return Err(ValueError::new("conversions", price, "must be above 0"));
                }
                Conversion::Constant(_) => return Ok(()),
                Conversion::Mark(id) => id,
            };
            let Some(instrument) = self.instruments.get(id.index()) else {
                let rule = format!("must be below {}", self.instruments.len());
                return Err(ValueError::new("conversions", id.0, rule));
            };
            let quoted = match instrument.spec.kind {
                InstrumentKind::Linear => instrument.currencies.settlement.index(),
                InstrumentKind::Inverse => 0,
            };
            match quoted.checked_sub(1).and_then(|index| self.currencies.get(index)) {
                Some(next) => at = next,
                None => return Ok(()),
            }
        }
        let rule = format!("does not lead to {}: its conversions go in a circle", self.currency);
        Err(ValueError::new("conversions", &from.name, rule))
    }

    /// Checks the currencies of an instrument.
    fn check_traded(&self, instrument: &InstrumentConfig) -> Result<(), ValueError> {
        let Currencies { settlement, base, account } = instrument.currencies;
        if account.index() > self.accounts.len() {
            let rule = format!("must be a venue account below {}", self.accounts.len() + 1);
            return Err(ValueError::new("account", account.0, rule));
        }
        for (field, currency) in [("settlement", Some(settlement)), ("base", base)] {
            let is_others = |currency: &CurrencyId| self.account_with(*currency) != Some(account.index());
            if let Some(currency) = currency.filter(is_others) {
                return Err(ValueError::new(field, currency.0, "must be a currency of the account"));
            }
        }
        let is_isolated = instrument.margin.as_ref().is_some_and(|rule| rule.mode == MarginMode::Isolated);
        if is_isolated && !self.is_reporting(settlement) {
            let rule = "must be the currency of the account where margin is isolated; cross margin takes any";
            return Err(ValueError::new("settlement", settlement.0, rule));
        }
        let is_hedged = self.positions_of(account) == Positions::Hedging;
        if is_hedged && is_isolated {
            let rule = "must be cross where positions hedge: margin is set aside for a whole position, not for tickets";
            return Err(ValueError::new("margin.mode", "isolated", rule));
        }
        if is_hedged && let Some(base) = base {
            let rule =
                "is for spot, which is owned and cannot be long and short: positions must be netting there";
            return Err(ValueError::new("base", base.0, rule));
        }
        let is_spot = instrument.spec.kind == InstrumentKind::Linear && instrument.margin.is_none();
        match base {
            Some(base) if base == settlement => {
                Err(ValueError::new("base", base.0, "must be another currency than the settlement"))
            }
            Some(base) if !is_spot => {
                let rule = "is for spot: what has margin rules, or is inverse, owns no base currency";
                Err(ValueError::new("base", base.0, rule))
            }
            Some(base) if instrument.borrow_ppm != 0 => {
                let rule = "is for spot that is owned: borrow_ppm must be 0 then";
                Err(ValueError::new("base", base.0, rule))
            }
            Some(base) if self.fee_currency_of(account) == Some(base) => {
                let rule =
                    "must not be the currency of the fees: a fee taken from what is bought is not simulated";
                Err(ValueError::new("base", base.0, rule))
            }
            _ => Ok(()),
        }
    }

    /// Tells whether a currency is the reporting one, at whichever account.
    fn is_reporting(&self, currency: CurrencyId) -> bool {
        let known = currency.index().checked_sub(1).and_then(|index| self.currencies.get(index));
        known.is_none_or(|known| match known.conversion {
            Conversion::Constant(price) => price.mantissa == 1 && price.decimals == 0,
            Conversion::Mark(_) => false,
        })
    }

    /// Checks what is counted.
    fn check_counts(&self) -> Result<(), ValueError> {
        if self.instruments.is_empty() {
            return Err(ValueError::new("instruments", 0, "there must be at least one"));
        }
        if u32::try_from(self.instruments.len()).is_err() {
            return Err(ValueError::new("instruments", self.instruments.len(), "must be fewer than 2^32"));
        }
        if self.calls_max == 0 {
            return Err(ValueError::new("risk.calls_max", 0, "must be above 0"));
        }
        match self.sample_ns.filter(|span_ns| *span_ns <= 0) {
            Some(span_ns) => Err(ValueError::new("sample_ns", span_ns, "must be above 0")),
            None => Ok(()),
        }
    }
}

impl KernelConfig {
    /// Visits the ids of the venue accounts.
    pub(crate) fn account_ids(&self) -> impl Iterator<Item = AccountId> + use<> {
        (0..=u8::try_from(self.accounts.len()).unwrap_or(u8::MAX)).map(AccountId)
    }

    /// Returns an account beside the first.
    #[inline]
    pub(crate) fn other(&self, account: AccountId) -> Option<&AccountConfig> {
        account.index().checked_sub(1).and_then(|index| self.accounts.get(index))
    }

    /// Returns the simulated venue of an account.
    #[inline]
    pub(crate) fn venue_of(&self, account: AccountId) -> &VenueConfig {
        self.other(account).map_or(&self.venue, |other| &other.venue)
    }

    /// Returns the fees of an account, to change them.
    pub(crate) fn fees_mut(&mut self, account: AccountId) -> &mut FeeSchedule {
        let index = account.index().checked_sub(1);
        match index.and_then(|index| self.accounts.get_mut(index)) {
            Some(other) => &mut other.venue.fees,
            None => &mut self.venue.fees,
        }
    }

    /// Tells whether buys and sells meet in one position at an account.
    pub(crate) fn positions_of(&self, account: AccountId) -> Positions {
        self.other(account).map_or(self.positions, |other| other.positions)
    }

    /// Returns what margin an account asks for both sides of an instrument.
    pub(crate) fn hedged_margin_of(&self, account: AccountId) -> HedgedMargin {
        self.other(account).map_or(self.hedged_margin, |other| other.hedged_margin)
    }

    /// Returns how much an account may hold for each unit of its equity.
    #[inline]
    pub(crate) fn leverage_of(&self, account: AccountId) -> Leverage {
        self.other(account).map_or(self.leverage, |other| other.leverage)
    }

    /// Returns who amends an order at the venue of an account.
    #[inline]
    pub(crate) fn amends_at(&self, account: AccountId) -> crate::Amends {
        self.other(account).map_or(self.amends, |other| other.amends)
    }

    /// Returns which kinds of orders are watched here for the venue of an account.
    pub(crate) fn watched_at(&self, account: AccountId) -> crate::WatchedKinds {
        self.other(account).map_or(self.watched, |other| other.watched)
    }

    /// Returns the currency in which the simulated venue of an account takes fees.
    #[inline]
    pub(crate) fn fee_currency_of(&self, account: AccountId) -> Option<CurrencyId> {
        self.other(account).map_or(self.fee_currency, |other| other.fee_currency)
    }
}

impl Leverage {
    /// Checks that it is above 0.
    fn check(self) -> Result<(), ValueError> {
        if self.numerator > 0 && self.denominator > 0 {
            return Ok(());
        }
        Err(ValueError::new("leverage", self.numerator, "must be above 0"))
    }
}

/// Checks that a margin for two sides is of an account that can hold both.
fn check_hedged_margin(positions: Positions, margin: HedgedMargin) -> Result<(), ValueError> {
    match (positions, margin) {
        (Positions::Hedging, _) | (Positions::Netting, HedgedMargin::Both) => Ok(()),
        (Positions::Netting, HedgedMargin::Larger) => {
            let rule = "must be both where positions are netted: only one side is held there";
            Err(ValueError::new("hedged_margin", margin.name(), rule))
        }
    }
}
