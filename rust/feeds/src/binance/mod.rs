//! Binance public market data, one decoder for all its markets and transports.

mod capture;
mod decoder;
mod fast_depth;
mod fields;
mod levels;
mod message;
mod reader;
mod symbols;
#[cfg(test)]
mod tests;

pub use capture::{CaptureLimits, Captured};
pub use decoder::{BinanceDecoder, Counts, Decoded, Market};
pub use symbols::SymbolSpec;
