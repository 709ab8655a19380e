//! What is kept of an account that trades for months.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

mod common;

use common::outside::{filled, outside, tell_about};
use common::{ANNA, GOLD, Rig, limit, quotes};
use tradecore_kernel::Follower;
use tradecore_types::Side;

/// Closed trades that may be kept: the newest 4,096, twice as many at most, and some beside them.
const KEPT_MAX: usize = 2 * 4_096 + 64;

/// Buys and sells one lot in turn, so many times each, and lets the follower take each part as it is made.
fn traded(rig: &mut Rig, follower: &mut Follower, rounds: usize, first: usize) {
    for round in first..first + rounds {
        for side in [Side::Buy, Side::Sell] {
            let order = rig.approved(ANNA, &limit(GOLD, side, 100, 1));
            rig.run(|_, _| {}).unwrap();
            tell_about(rig, order, filled(100, 1), Some(&format!("{side:?}{round}")));
        }
        follower.take(&std::mem::take(&mut rig.frames)).unwrap();
    }
}

#[test]
fn neither_an_engine_at_a_venue_nor_who_follows_its_journal_keeps_all_closed_trades() {
    let (mut rig, mut follower) = (Rig::new(outside()), Follower::new(outside()).unwrap());
    rig.play(&quotes(100, 99));
    let mut all = 0;
    for (rounds, first) in [(3_000, 0), (6_000, 3_000)] {
        traded(&mut rig, &mut follower, rounds, first);
        all += rounds;
        let (own, followed) = (rig.kernel.ledger(), follower.kernel().ledger());
        assert_eq!((own.cash(), own.fills()), (followed.cash(), followed.fills()));
        assert_eq!(followed.fills(), 2 * u64::try_from(all).unwrap());
        for (whose, kept) in [("engine", own.trades().count()), ("follower", followed.trades().count())] {
            assert!(kept >= all.min(4_096), "the {whose} keeps {kept} closed trades of {all}");
            assert!(kept <= KEPT_MAX, "the {whose} keeps {kept} closed trades of {all}");
        }
    }
}
