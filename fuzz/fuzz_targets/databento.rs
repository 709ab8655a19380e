//! Any bytes to `tradecore_fuzzing::databento`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tradecore_fuzzing::databento(data));
