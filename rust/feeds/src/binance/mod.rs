//! Binance public market data, one decoder for all its markets and transports.

mod capture;
mod decoded;
mod decoder;
mod fast_depth;
mod fields;
mod levels;
mod message;
mod reader;
mod symbols;
#[cfg(test)]
mod tests;

pub use capture::{CaptureBounds, Captured};
pub use decoded::Decoded;
pub use decoder::{BinanceDecoder, Counts, Market};
pub use symbols::SymbolSpec;
