//! What holds of limits and halts whatever happens, against a plain recount and against a replay.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::{
    ANNA, BERT, GOLD, Rig, Script, TIN, command, config, money, permit, quotes, recounted, release, replayed,
    set_limit, subscribe, whole,
};
use proptest::prelude::*;
use tradecore_kernel::{KernelConfig, Matching};
use tradecore_risk::{CanaryLimits, ScopeLimits, ScopesConfig, SelfTrade, StrategyLimits};
use tradecore_types::{AccountId, CommandKind, LimitName, OrderKind, Scope, Side};

/// The step that changes what is done when own orders would meet.
const ALLOWS_SELF_TRADE: u8 = 6;

/// Limits that random trading often meets.
fn busy() -> KernelConfig {
    let limits = |units: i128| ScopeLimits {
        quantity_max: whole(8),
        position_max: whole(15),
        open_orders_max: Some(12),
        gross_max: Some(money(units)),
        net_max: Some(money(units / 2)),
        message_rate_max: Some(12),
        message_rate_window_ns: 20,
        daily_loss_max: Some(money(units / 20)),
        drawdown_max: Some(money(units / 15)),
        ..ScopeLimits::default()
    };
    let mut config = config(Matching::Quotes);
    config.venue.order_latency_ns = 3;
    config.venue.report_latency_ns = 2;
    let executions = ScopeLimits {
        executions_max: Some(20),
        executions_window_ns: 100,
        identical_window_ns: Some(5),
        ..limits(3_000)
    };
    config.scopes = ScopesConfig {
        account: limits(5_000),
        strategies: vec![
            StrategyLimits { limits: executions, instruments: None },
            StrategyLimits { limits: limits(3_000), instruments: None },
        ],
        accounts: Vec::new(),
        // High enough for the limits to be met first now and then.
        canaries: vec![CanaryLimits {
            account: AccountId::FIRST,
            instruments: vec![GOLD, TIN],
            order_value_max: money(4_000),
            orders_a_day_max: 10_000,
            position_value_max: money(6_000),
        }],
        self_trade: SelfTrade::CancelOldest,
        day_start_ns: 150,
    };
    config
}

fn walk() -> impl Strategy<Value = Vec<(i64, i64, u8)>> {
    prop::collection::vec((1..6i64, 92..105i64, 0..60u8), 20..120)
}

fn played(steps: &[(i64, i64, u8)], seed: u64, mut after: impl FnMut(&Rig)) -> Rig {
    let mut rig = Rig::new(busy());
    subscribe(&mut rig.kernel);
    let mut script = Script::new(seed);
    let mut time_ns = 100;
    for &(gap, bid, what) in steps {
        time_ns += gap;
        let mut items = quotes(time_ns, bid).to_vec();
        match what {
            0 => items.push(command(time_ns, release(Scope::ACCOUNT))),
            1 => items.push(command(time_ns, release(Scope::Strategy(ANNA)))),
            2 => items.push(command(time_ns, set_limit(Scope::ACCOUNT, LimitName::Gross, whole(2_500)))),
            3 => items.push(command(time_ns, set_limit(Scope::Strategy(BERT), LimitName::OpenOrders, None))),
            4 => items.push(command(time_ns, CommandKind::Flatten)),
            5 => items.push(command(time_ns, permit(ANNA, GOLD, gap % 2 == 0))),
            ALLOWS_SELF_TRADE => {
                let kind = set_limit(Scope::ACCOUNT, LimitName::SelfTrade, whole(gap % 3));
                items.push(command(time_ns, kind));
            }
            7 => items.push(command(
                time_ns,
                set_limit(Scope::Strategy(ANNA), LimitName::MessageRateWindow, whole(gap * 20)),
            )),
            _ => {}
        }
        rig.play_with(&items, |kernel, wake| script.act(kernel, wake)).unwrap();
        after(&rig);
    }
    rig
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Filled, working, in flight and amended: the sums are always what a walk over all of it counts.
    #[test]
    fn exposure_is_what_a_plain_recount_finds(steps in walk(), seed in any::<u64>()) {
        played(&steps, seed, |rig| {
            for strategy in [ANNA, BERT] {
                let scope = Scope::Strategy(strategy);
                assert_eq!(rig.kernel.scopes().exposure(scope), Some(recounted(rig, Some(strategy))));
            }
            assert_eq!(rig.kernel.scopes().exposure(Scope::ACCOUNT), Some(recounted(rig, None)));
        });
    }

    /// A journal with halts, releases and changed limits plays to the same bytes and the same state.
    #[test]
    fn limits_and_halts_come_back_by_replay(steps in walk(), seed in any::<u64>()) {
        let rig = played(&steps, seed, |_| {});
        let mut script = Script::new(seed);
        let again = replayed(busy(), &rig.frames, |kernel, wake| script.act(kernel, wake));
        prop_assert!(again.frames == rig.frames, "the frames differ");
        prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
        let halts = |rig: &Rig| rig.kernel.scopes().halts().collect::<Vec<_>>();
        prop_assert_eq!(halts(&again), halts(&rig));
    }

    /// No two own orders could trade with each other, except where one of them is on its way out.
    #[test]
    fn own_orders_never_cross(mut steps in walk(), seed in any::<u64>()) {
        // Nobody lets them.
        steps.retain(|step| step.2 != ALLOWS_SELF_TRADE);
        played(&steps, seed, |rig| {
            let is_staying = |order: &&tradecore_ledger::OpenOrder| {
                matches!(order.intent.kind, OrderKind::Limit { .. })
                    && order.state != tradecore_ledger::OrderState::PendingCancel
            };
            let prices = |side| {
                let of_side = rig.kernel.orders().iter().filter(is_staying);
                of_side.filter(move |order| order.intent.side == side)
                    .filter_map(|order| Some((order.intent.instrument, order.price_ticks?)))
                    .collect::<Vec<_>>()
            };
            for (bought, bid) in prices(Side::Buy) {
                for (sold, ask) in prices(Side::Sell) {
                    assert!(bought != sold || bid < ask, "{bid} and {ask} in {bought:?}");
                }
            }
        });
    }
}

/// A walk by chance that had an order cut which was held.
const CUTS_A_HELD_ORDER: [(i64, i64, u8); 20] = [
    (3, 92, 6),
    (3, 92, 0),
    (3, 92, 6),
    (4, 92, 0),
    (4, 92, 5),
    (4, 97, 0),
    (5, 104, 5),
    (4, 93, 48),
    (4, 94, 8),
    (1, 92, 49),
    (1, 98, 49),
    (4, 93, 52),
    (2, 103, 46),
    (5, 100, 43),
    (1, 100, 17),
    (3, 97, 7),
    (5, 98, 6),
    (3, 104, 39),
    (5, 96, 53),
    (5, 103, 36),
];

#[test]
fn no_order_is_cut_that_no_venue_has_seen() {
    played(&CUTS_A_HELD_ORDER, 2_064_008_845_145_994_506, |_| {});
}
