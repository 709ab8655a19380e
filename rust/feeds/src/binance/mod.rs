//! Binance public market data, one decoder for all its markets and transports.

mod capture;
mod decoder;
mod fields;
mod levels;
mod reader;
mod symbols;
#[cfg(test)]
mod tests;

pub use capture::{CaptureLimits, Captured};
pub use decoder::{BinanceDecoder, Counts, Decoded, Market};
pub use symbols::SymbolSpec;
