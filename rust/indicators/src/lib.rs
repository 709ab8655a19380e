//! Technical indicators, each defined once: a batch is the streaming definition, driven over slices.
//!
//! - **Invariant:** streaming equals batch bit for bit, also when a series is cut into pieces.
//! - **Invariant:** values equal TA-Lib's, warm-up included: `NaN` until [`Indicator::warm_up_bars`]
//!   bars were seen.
//! - **Invariant:** no sum is carried on for ever. Windows are re-summed every `period` values, and
//!   recursive averages forget, so the error does not grow with the number of updates.
//! - A bar with an input that is not usable ([`is_usable`]: `NaN`, infinite, or beyond [`MAGNITUDE_MAX`])
//!   is skipped: its output is `NaN` and the state is as if it had never come, so one bad bar never
//!   poisons the rest.
//!
//! Nothing allocates after construction, nor depends on the machine: no fused multiply-add, no
//! reordering of sums that one processor has and another has not. Vector registers (`wide`) hold the same step
//! of several blocks of a series, so that each block is summed in the order in which it comes.

mod atr;
mod bollinger;
mod candle;
mod ema;
mod indicator;
mod keltner;
mod macd;
mod pieces;
mod rsi;
mod rules;
mod sma;
mod smoothing;
mod spec;
mod state;
mod table;
mod usable;
mod window;

pub use atr::Atr;
pub use bollinger::Bollinger;
pub use candle::Candle;
pub use ema::{Ema, Seed};
pub use indicator::Indicator;
pub use keltner::Keltner;
pub use macd::Macd;
pub use rsi::Rsi;
pub use rules::PERIOD_MAX;
pub use sma::Sma;
pub use spec::{INDICATORS, IndicatorInfo, IndicatorSpec, ParameterInfo, parameter};
pub use usable::{MAGNITUDE_MAX, is_usable};

#[cfg(test)]
mod tests;
