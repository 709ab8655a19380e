//! Several accounts at venues outside: what is not known of one stops what adds risk there, and elsewhere only what a
//! limit adds up with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod common;

use common::outside::{about, filled, outside, said};
use common::{ANNA, BERT, GOLD, Rig, TIN, limit, market, money, quotes, stop};
use tradecore_kernel::{
    AccountConfig, Amends, Conversion, CurrencyConfig, FeeWindow, KernelConfig, Verdict, WatchedKinds,
};
use tradecore_risk::{ScopeLimits, StrategyLimits};
use tradecore_types::{
    AccountId, Adopted, AdoptedBody, Currencies, CurrencyId, Decimal, InstrumentId, OrderId, Rule, Side,
    StrategyId, VenueEvent,
};

const SECOND: AccountId = AccountId(1);
const THERE: CurrencyId = CurrencyId(1);

/// Gold is traded at the first account and tin at the second, each at a venue outside.
fn two_accounts() -> KernelConfig {
    let mut config = outside();
    config.currencies = vec![CurrencyConfig {
        account: SECOND,
        name: "there:USD".into(),
        cash: money(1_000_000),
        conversion: Conversion::Constant(Decimal { mantissa: 1, decimals: 0 }),
    }];
    config.instruments[1].currencies = Currencies { settlement: THERE, base: None, account: SECOND };
    config.accounts = vec![AccountConfig {
        positions: tradecore_types::Positions::Netting,
        hedged_margin: tradecore_types::HedgedMargin::Both,
        leverage: config.leverage,
        venue: config.venue.clone(),
        fee_currency: None,
        fee_tiers: Vec::new(),
        fee_window: FeeWindow::default(),
        watched: WatchedKinds::default(),
        amends: Amends::Venue,
    }];
    config.scopes.accounts = vec![ScopeLimits::default(); 2];
    config
}

fn rig_of(config: KernelConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    rig
}

/// Feeds what the venue of an instrument says.
fn tell(rig: &mut Rig, instrument: InstrumentId, message: VenueEvent) {
    let time_ns = rig.kernel.now_ns() + 1;
    rig.kernel.feed(1, said(time_ns, instrument, message)).unwrap();
    rig.run(|_, _| {}).unwrap();
}

fn is_refused(rig: &mut Rig, strategy: StrategyId, instrument: InstrumentId) -> bool {
    let order = limit(instrument, Side::Buy, 95, 1);
    match rig.kernel.submit(strategy, &order).unwrap() {
        Verdict::Approved(_) => false,
        Verdict::Refused(refusal) => {
            assert_eq!(refusal.rule, Rule::Unreconciled);
            true
        }
    }
}

fn gross() -> ScopeLimits {
    ScopeLimits { gross_max: Some(money(1_000_000)), ..ScopeLimits::default() }
}

#[test]
fn an_account_that_is_compared_stops_new_risk_there_and_not_elsewhere() {
    let mut rig = rig_of(two_accounts());
    tell(&mut rig, TIN, VenueEvent::Reconciling);
    assert_eq!((is_refused(&mut rig, ANNA, GOLD), is_refused(&mut rig, ANNA, TIN)), (false, true));
    tell(&mut rig, GOLD, VenueEvent::Reconciling);
    tell(&mut rig, TIN, VenueEvent::Reconciled);
    assert_eq!((is_refused(&mut rig, ANNA, GOLD), is_refused(&mut rig, ANNA, TIN)), (true, false));
    assert!(rig.kernel.switches().is_unreconciled, "one of them still is");
    assert_eq!((rig.kernel.has_agreed(AccountId::FIRST), rig.kernel.has_agreed(SECOND)), (false, true));
    tell(&mut rig, GOLD, VenueEvent::Reconciled);
    assert!(!rig.kernel.switches().is_unreconciled);
}

#[test]
fn what_closes_goes_out_at_both_whatever_is_not_known() {
    let mut rig = rig_of(two_accounts());
    for instrument in [GOLD, TIN] {
        let entry = rig.approved(ANNA, &market(instrument, Side::Buy, 3));
        tell(&mut rig, instrument, about(entry, filled(101, 3), Some("1")));
    }
    for instrument in [GOLD, TIN] {
        tell(&mut rig, instrument, VenueEvent::Reconciling);
    }
    for instrument in [GOLD, TIN] {
        rig.approved(ANNA, &market(instrument, Side::Sell, 2));
    }
}

#[test]
fn a_limit_of_the_portfolio_needs_every_account() {
    let mut config = two_accounts();
    config.scopes.account = gross();
    let mut rig = rig_of(config);
    tell(&mut rig, TIN, VenueEvent::Reconciling);
    assert!(is_refused(&mut rig, ANNA, GOLD), "what is at the other account counts in it");
    // A limit that looks at each order by itself adds nothing up.
    let mut config = two_accounts();
    config.scopes.account = ScopeLimits { notional_max: Some(money(1_000_000)), ..ScopeLimits::default() };
    config.scopes.accounts = vec![gross(); 2];
    let mut rig = rig_of(config);
    tell(&mut rig, TIN, VenueEvent::Reconciling);
    assert!(!is_refused(&mut rig, ANNA, GOLD), "and neither do limits of the other account");
}

#[test]
fn a_limit_of_a_strategy_needs_the_accounts_where_it_trades() {
    let mut config = two_accounts();
    let limits = StrategyLimits { limits: gross(), ..StrategyLimits::default() };
    config.scopes.strategies = vec![limits.clone(), limits];
    let mut rig = rig_of(config);
    rig.kernel.set_traders(vec![vec![GOLD, TIN], vec![GOLD]]).unwrap();
    tell(&mut rig, TIN, VenueEvent::Reconciling);
    assert_eq!((is_refused(&mut rig, ANNA, GOLD), is_refused(&mut rig, BERT, GOLD)), (true, false));
    let wrong = rig.kernel.set_traders(vec![vec![InstrumentId(9)]]).unwrap_err().to_string();
    assert!(wrong.contains("must be in the instrument table"), "{wrong}");
    assert!(rig.kernel.set_traders(vec![vec![]; 9]).is_err());
}

#[test]
fn a_surprise_halts_the_account_whose_venue_spoke() {
    let mut rig = rig_of(two_accounts());
    tell(&mut rig, TIN, about(OrderId(77), filled(95, 1), Some("t")));
    assert_eq!((is_refused(&mut rig, ANNA, GOLD), is_refused(&mut rig, ANNA, TIN)), (false, true));
    assert!(rig.kernel.is_unreconciled(SECOND) && !rig.kernel.is_unreconciled(AccountId::FIRST));
}

#[test]
fn two_venues_may_give_one_name_to_two_orders_of_others() {
    let mut rig = rig_of(two_accounts());
    for instrument in [GOLD, TIN, GOLD, TIN] {
        let found = Adopted {
            venue_time_ns: 7,
            strategy: ANNA,
            side: Side::Buy,
            lots: 2,
            venue_order_id: Some("1".into()),
            client_order_id: None,
            body: AdoptedBody::Order { price_ticks: Some(95) },
        };
        tell(&mut rig, instrument, VenueEvent::Adopted(found));
    }
    let named = |account| rig.kernel.venue_names(account).map(|(id, name, ..)| (id.0, name.to_owned()));
    assert_eq!(named(AccountId::FIRST).collect::<Vec<_>>(), [(1, "1".to_owned())]);
    assert_eq!(named(SECOND).collect::<Vec<_>>(), [(2, "1".to_owned())]);
}

#[test]
fn the_state_says_which_account_is_not_known() {
    let hash_with = |instrument| {
        let mut rig = rig_of(two_accounts());
        tell(&mut rig, instrument, VenueEvent::Reconciling);
        rig.kernel.state_hash()
    };
    assert_ne!(hash_with(GOLD), hash_with(TIN));
    assert_eq!(hash_with(TIN), hash_with(TIN));
}

#[test]
fn a_kind_is_watched_here_for_the_venue_that_does_not_have_it() {
    for (here, there) in [(true, false), (false, true)] {
        let kinds = |is_watched: bool| WatchedKinds::of_names(is_watched.then_some("stop")).unwrap();
        let mut config = two_accounts();
        (config.watched, config.accounts[0].watched) = (kinds(here), kinds(there));
        let mut rig = rig_of(config);
        let orders = [GOLD, TIN].map(|at| rig.approved(ANNA, &stop(at, Side::Buy, 120, 1)));
        rig.run(|_, _| {}).unwrap();
        let are_sent = orders.map(|order_id| rig.kernel.has_been_sent(order_id));
        assert_eq!(are_sent, [!here, !there]);
    }
}

#[test]
fn an_amendment_ends_the_order_at_the_venue_that_amends_nothing() {
    for (here, there) in [(Amends::Engine, Amends::Venue), (Amends::Venue, Amends::Engine)] {
        let mut config = two_accounts();
        (config.amends, config.accounts[0].amends) = (here, there);
        let mut rig = rig_of(config);
        let orders = [GOLD, TIN].map(|at| rig.approved(ANNA, &limit(at, Side::Buy, 95, 10)));
        for order_id in orders {
            rig.kernel.replace(ANNA, order_id, 96, 7).unwrap();
        }
        rig.run(|_, _| {}).unwrap();
        let are_renewed = orders.map(|order_id| rig.kernel.renewal(order_id).is_some());
        assert_eq!(are_renewed, [here, there].map(|who| who == Amends::Engine));
    }
}
