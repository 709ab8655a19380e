//! Bounded fuzzing with every run of the tests; `make fuzz` does the same without an end, guided by coverage.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use proptest::collection::vec;
use proptest::prelude::*;
use tradecore_fuzzing::{TARGETS, mutated, seeds};

/// Cases of each test; each case goes to every target.
const CASES: u32 = 400;

#[test]
fn every_target_has_seeds_and_holds_its_promises_on_them() {
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has nothing to start from");
        for seed in seeds {
            target(&seed);
        }
        target(&[]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken_or_refused_by_every_entry_point(bytes in vec(any::<u8>(), 0..400)) {
        for (_, target) in TARGETS {
            target(&bytes);
        }
    }

    #[test]
    fn a_changed_message_is_taken_or_refused_by_every_entry_point(
        changes in vec(any::<(u16, u8, u8)>(), 1..12),
        choice in any::<prop::sample::Index>(),
    ) {
        for (name, target) in TARGETS {
            let seeds = seeds(name);
            target(&mutated(choice.get::<Vec<u8>>(&seeds), &changes));
        }
    }
}
