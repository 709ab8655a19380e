//! Any bytes to `tradecore_fuzzing::binance`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::binance(data));
