//! Any bytes to `tradecore_fuzzing::kraken`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::kraken(data));
