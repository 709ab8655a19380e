//! What a kernel is made of.

use tradecore_book::BookRules;
use tradecore_risk::{Limits, ScopesConfig};
use tradecore_types::{Instrument, InstrumentId, InstrumentSpec, Money, Sessions, ValueError};
use tradecore_venue::{Borrow, FeeTier, FeeTiers, FeeWindow, VenueConfig};

use crate::MarginRule;

/// Where orders go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the simulated venue.
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

/// One instrument.
#[derive(Clone, Debug)]
pub struct InstrumentConfig {
    /// Its definition.
    pub spec: InstrumentSpec,
    /// What it takes for its book to be the venue's.
    pub book: BookRules,
    /// Its pre-trade limits.
    pub limits: Limits,
    /// When it trades: what decides how long an order for the day lives.
    pub sessions: Sessions,
    /// Interest on shorts, in parts per million of their value a year.
    pub borrow_ppm: i64,
    /// Margin rules of a derivative; `None` for what the account's leverage carries.
    pub margin: Option<MarginRule>,
}

/// Buying power as a multiple of equity: `numerator / denominator`, both above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leverage {
    /// Numerator.
    pub numerator: i64,
    /// Denominator.
    pub denominator: i64,
}

/// Everything that decides what a kernel does with its events.
#[derive(Clone, Debug)]
pub struct KernelConfig {
    /// The instruments, in the order of their ids.
    pub instruments: Vec<InstrumentConfig>,
    /// Number of strategies.
    pub strategies: u16,
    /// Limits of strategies and of the account.
    pub scopes: ScopesConfig,
    /// Largest number of calls of one strategy at one time and between two events that are fed, above 0.
    pub calls_max: u32,
    /// Opening cash.
    pub cash: Money,
    /// Buying power.
    pub leverage: Leverage,
    /// The simulated venue.
    pub venue: VenueConfig,
    /// Fees by traded volume, the volumes rising.
    pub fee_tiers: Vec<FeeTier>,
    /// Which volume decides the tier.
    pub fee_window: FeeWindow,
    /// Where orders go.
    pub destination: Destination,
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
        note("venue.slippage", self.venue.bar_slippage.check());
        for (index, instrument) in self.instruments.iter().enumerate() {
            let path = format!("instruments[{index}]");
            note(&path, Instrument::new(InstrumentId(0), instrument.spec.clone()).map(|_| ()));
            note(&path, Borrow::check(instrument.borrow_ppm, instrument.spec.kind));
            if let Some(margin) = &instrument.margin {
                note(&format!("{path}.margin"), margin.check());
            }
        }
        for (index, checked) in FeeTiers::checks(&self.fee_tiers).enumerate() {
            note(&format!("fees.tiers[{index}]"), checked);
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

impl Leverage {
    /// Checks that it is above 0.
    fn check(self) -> Result<(), ValueError> {
        if self.numerator > 0 && self.denominator > 0 {
            return Ok(());
        }
        Err(ValueError::new("leverage", self.numerator, "must be above 0"))
    }
}
