//! What is kept of an account that trades for months.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use allocation_counter::measure;
use common::outside::{filled, outside, tell_about};
use common::{ANNA, GOLD, Rig, limit, quotes};
use tradecore_kernel::Follower;
use tradecore_types::Side;

/// Bytes that may be more after as many closed trades as are kept: of what grows with each, 20 would be too many.
const GROWTH_MAX: i64 = 20 * 4_096;

/// Closed trades that may be kept: the newest 4,096, twice as many at most, and some beside them.
const KEPT_MAX: usize = 2 * 4_096 + 64;

/// Buys one lot and sells it; returns the frames of that.
fn round_trip(rig: &mut Rig, round: usize) -> Vec<u8> {
    for side in [Side::Buy, Side::Sell] {
        let order = rig.approved(ANNA, &limit(GOLD, side, 100, 1));
        rig.run(|_, _| {}).unwrap();
        tell_about(rig, order, filled(100, 1), Some(&format!("{side:?}{round}")));
    }
    std::mem::take(&mut rig.frames)
}

#[test]
fn neither_an_engine_at_a_venue_nor_who_follows_its_journal_keeps_all_closed_trades() {
    let (mut rig, mut follower) = (Rig::new(outside()), Follower::new(outside()).unwrap());
    rig.play(&quotes(100, 99));
    let mut all = 0;
    for (rounds, first) in [(3_000, 0), (6_000, 3_000)] {
        for round in first..first + rounds {
            follower.take(&round_trip(&mut rig, round)).unwrap();
        }
        all += rounds;
        let (own, other) = (rig.kernel.ledger(), follower.kernel().ledger());
        assert_eq!((own.cash(), own.fills()), (other.cash(), other.fills()));
        assert_eq!(other.fills(), 2 * u64::try_from(all).unwrap());
        for (whose, kept) in [("engine", own.trades().count()), ("follower", other.trades().count())] {
            assert!(kept >= all.min(4_096), "the {whose} keeps {kept} closed trades of {all}");
            assert!(kept <= KEPT_MAX, "the {whose} keeps {kept} closed trades of {all}");
        }
    }
}

#[test]
fn who_follows_a_journal_takes_no_more_memory_for_more_of_it() {
    let (mut rig, mut follower) = (Rig::new(outside()), Follower::new(outside()).unwrap());
    rig.play(&quotes(100, 99));
    let mut grown = |rounds, first| {
        let mut sum = 0;
        for round in first..first + rounds {
            let frames = round_trip(&mut rig, round);
            sum += measure(|| follower.take(&frames).unwrap()).bytes_current;
        }
        sum
    };
    grown(2 * 4_096, 0);
    // As many are let go as come.
    let more = grown(4_096, 2 * 4_096);
    assert!(more.abs() < GROWTH_MAX, "{more} bytes more");
}
