//! Which indicator, with which parameters: a plain value.

use tradecore_types::ValueError;

use crate::indicator::Indicator;
use crate::{Atr, Bollinger, Ema, Keltner, Macd, Rsi, Seed, Sma};

/// An indicator and its parameters, as a strategy asks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum IndicatorSpec {
    /// [`Sma`] of the close.
    Sma {
        /// Bars averaged.
        period: u32,
    },
    /// [`Ema`] of the close.
    Ema {
        /// Bars that decide the factor `2 / (period + 1)`.
        period: u32,
        /// What it starts from.
        seed: Seed,
    },
    /// [`Rsi`] of the close.
    Rsi {
        /// Changes averaged.
        period: u32,
    },
    /// [`Atr`].
    Atr {
        /// True ranges averaged.
        period: u32,
    },
    /// [`Bollinger`] bands of the close.
    Bollinger {
        /// Bars in the window.
        period: u32,
        /// Distance of the bands from the middle, in population sigmas.
        deviations: f64,
    },
    /// [`Macd`] of the close.
    Macd {
        /// Period of the fast average, below `slow`.
        fast: u32,
        /// Period of the slow average.
        slow: u32,
        /// Period of the signal.
        signal: u32,
    },
    /// [`Keltner`] channel.
    Keltner {
        /// Period of the average of the close.
        period: u32,
        /// Period of the ATR.
        atr_period: u32,
        /// Distance of the bands from the middle, in ATRs.
        multiple: f64,
    },
}

impl IndicatorSpec {
    /// Checks the parameters; builds the indicator to do so, since that is where the rules are.
    ///
    /// # Errors
    ///
    /// [`ValueError`] naming the parameter and the rule it breaks.
    pub fn validate(&self) -> Result<(), ValueError> {
        self.build().map(|_| ())
    }

    /// Builds the indicator, cold.
    ///
    /// # Errors
    ///
    /// [`ValueError`] naming the parameter and the rule it breaks.
    pub fn build(self) -> Result<Indicator, ValueError> {
        Ok(match self {
            Self::Sma { period } => Indicator::Sma(Sma::new(period)?),
            Self::Ema { period, seed } => Indicator::Ema(Ema::new(period, seed)?),
            Self::Rsi { period } => Indicator::Rsi(Rsi::new(period)?),
            Self::Atr { period } => Indicator::Atr(Atr::new(period)?),
            Self::Bollinger { period, deviations } => {
                Indicator::Bollinger(Bollinger::new(period, deviations)?)
            }
            Self::Macd { fast, slow, signal } => Indicator::Macd(Macd::new(fast, slow, signal)?),
            Self::Keltner { period, atr_period, multiple } => {
                Indicator::Keltner(Keltner::new(period, atr_period, multiple)?)
            }
        })
    }

    /// Counts the values it gives per bar, 1 to 3.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Sma { .. } | Self::Ema { .. } | Self::Rsi { .. } | Self::Atr { .. } => 1,
            Self::Bollinger { .. } | Self::Macd { .. } | Self::Keltner { .. } => 3,
        }
    }

    /// Returns its name in lower case.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sma { .. } => "sma",
            Self::Ema { .. } => "ema",
            Self::Rsi { .. } => "rsi",
            Self::Atr { .. } => "atr",
            Self::Bollinger { .. } => "bollinger",
            Self::Macd { .. } => "macd",
            Self::Keltner { .. } => "keltner",
        }
    }
}
