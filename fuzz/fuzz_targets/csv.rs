//! Any bytes to `tradecore_fuzzing::csv`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::csv(data));
