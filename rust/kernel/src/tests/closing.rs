//! What only closes is never trapped, and what is refused is above a limit: against a plain recount of it all.

use proptest::prelude::*;
use tradecore_ledger::OpenOrder;
use tradecore_risk::CanaryLimits;
use tradecore_types::{
    AccountId, Bracket, CommandKind, InstrumentId, LimitName, OrderId, OrderKind, Report, ReportBody, Rule,
    Scope, Side, StrategyId,
};

use super::common::{
    ANNA, BERT, GOLD, Rig, TIN, command, config, limit, market, money, quotes, set_limit, whole,
};
use super::lose;
use crate::{Matching, OrderRequest, Verdict};

const SCOPES: [Scope; 5] = [
    Scope::ACCOUNT,
    Scope::Strategy(ANNA),
    Scope::Strategy(BERT),
    Scope::Instrument(GOLD),
    Scope::Instrument(TIN),
];

/// What becomes of an order that is sent before the wishes that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Rests,
    InFlight,
    Unknown,
}

/// An order of somebody.
#[derive(Clone, Copy, Debug)]
struct Wish {
    who: StrategyId,
    request: OrderRequest,
}

#[derive(Clone, Debug)]
struct Case {
    cash: i128,
    positions: Vec<Wish>,
    pending: Vec<(Wish, Fate)>,
    limits: Vec<(Scope, LimitName, i64)>,
    rates: Vec<(Scope, LimitName, i64)>,
    /// What a canary profile allows an order and a position to be worth.
    canary: Option<(i128, i128)>,
    is_paused: bool,
    bid: i64,
    wishes: Vec<Wish>,
}

fn who() -> impl Strategy<Value = StrategyId> {
    prop_oneof![Just(ANNA), Just(BERT)]
}

fn what() -> impl Strategy<Value = InstrumentId> {
    prop_oneof![3 => Just(GOLD), 1 => Just(TIN)]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn at_market() -> impl Strategy<Value = Wish> {
    (who(), what(), side(), 1..14i64)
        .prop_map(|(who, what, side, lots)| Wish { who, request: market(what, side, lots) })
}

/// An order too far from the market to fill.
fn far() -> impl Strategy<Value = Wish> {
    (at_market(), any::<bool>()).prop_map(|(wish, reduce_only)| {
        let price_ticks = if wish.request.side == Side::Buy { 40 } else { 200 };
        Wish {
            request: OrderRequest { kind: OrderKind::Limit { price_ticks }, reduce_only, ..wish.request },
            ..wish
        }
    })
}

fn near() -> impl Strategy<Value = Wish> {
    (at_market(), 0..5u8, 60..140i64).prop_map(|(wish, kind, price_ticks)| {
        let kind = match kind {
            0 => OrderKind::Limit { price_ticks },
            1 => OrderKind::Stop { trigger_ticks: price_ticks },
            _ => OrderKind::Market,
        };
        Wish { request: OrderRequest { kind, ..wish.request }, ..wish }
    })
}

fn limits() -> impl Strategy<Value = Vec<(Scope, LimitName, i64)>> {
    let value = prop_oneof![
        (Just(LimitName::Quantity), 0..15i64),
        (Just(LimitName::Notional), 0..2_000i64),
        (Just(LimitName::Position), 0..25i64),
        (Just(LimitName::OpenOrders), 0..6i64),
        (Just(LimitName::Gross), 0..5_000i64),
        (Just(LimitName::Net), 0..3_000i64),
        (Just(LimitName::DailyLoss), 0..500i64),
        (Just(LimitName::Drawdown), 0..500i64),
    ];
    prop::collection::vec((prop::sample::select(&SCOPES), value), 0..4)
        .prop_map(|all| all.into_iter().map(|(scope, (name, value))| (scope, name, value)).collect())
}

fn rates() -> impl Strategy<Value = Vec<(Scope, LimitName, i64)>> {
    let of_instrument = (prop::sample::select(&SCOPES[3..]), Just(LimitName::OrderRate), 0..4i64);
    let of_scope = (prop::sample::select(&SCOPES[..3]), Just(LimitName::MessageRate), 2..7i64);
    prop::collection::vec(prop_oneof![of_instrument, of_scope], 0..3)
}

fn cases() -> impl Strategy<Value = Case> {
    let fate = prop_oneof![Just(Fate::Rests), Just(Fate::InFlight), Just(Fate::Unknown)];
    (
        1_000..9_000i128,
        prop::collection::vec(at_market(), 0..5),
        prop::collection::vec((far(), fate), 0..4),
        limits(),
        rates(),
        prop::option::weighted(0.3, (0..2_000i128, 0..3_000i128)),
        prop::bool::weighted(0.1),
        60..140i64,
        prop::collection::vec(near(), 1..12),
    )
        .prop_map(|(cash, positions, pending, limits, rates, canary, is_paused, bid, wishes)| Case {
            cash,
            positions,
            pending,
            limits,
            rates,
            canary,
            is_paused,
            bid,
            wishes,
        })
}

/// A profile that bounds values alone.
fn canary((order, position): (i128, i128)) -> CanaryLimits {
    CanaryLimits {
        account: AccountId::FIRST,
        instruments: vec![GOLD, TIN],
        order_value_max: money(order),
        orders_a_day_max: u32::MAX,
        position_value_max: money(position),
    }
}

/// Plays everything that comes before the wishes.
fn set_up(case: &Case) -> Rig {
    let mut config = config(Matching::Quotes);
    config.cash = money(case.cash);
    config.venue.order_latency_ns = 10;
    config.scopes.canaries = case.canary.into_iter().map(canary).collect();
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    for wish in &case.positions {
        rig.kernel.submit(wish.who, &wish.request).unwrap();
        rig.run(|_, _| {}).unwrap();
    }
    rig.play(&quotes(120, 99));
    let send = |rig: &mut Rig, is_early: bool| {
        for (wish, fate) in &case.pending {
            if (*fate == Fate::Rests) != is_early {
                continue;
            }
            if let (Verdict::Approved(order_id), Fate::Unknown) =
                (rig.kernel.submit(wish.who, &wish.request).unwrap(), fate)
            {
                lose(&mut rig.kernel, order_id);
            }
        }
    };
    send(&mut rig, true);
    rig.play(&quotes(140, 99));
    send(&mut rig, false);
    let change = |time_ns, limits: &[(Scope, LimitName, i64)], rig: &mut Rig| {
        for (scope, name, value) in limits {
            let kind = set_limit(*scope, *name, whole(*value));
            if rig.kernel.check_command(&kind).is_ok() {
                rig.play(&[command(time_ns, kind)]);
            }
        }
    };
    change(141, &case.limits, &mut rig);
    if case.is_paused {
        rig.play(&[command(142, CommandKind::Pause)]);
    }
    // The price moves before anything in flight arrives.
    rig.play(&quotes(143, case.bid));
    change(144, &case.rates, &mut rig);
    rig
}

/// What everybody has, counted anew from orders, positions and prices for every question.
struct Recount<'a> {
    rig: &'a Rig,
    case: &'a Case,
    sent: &'a [Wish],
}

impl Recount<'_> {
    fn lots(&self, of: impl Fn(&OpenOrder) -> bool) -> i128 {
        let orders = self.rig.kernel.orders().iter().filter(|order| of(order));
        orders.map(|order| i128::from(order.open_lots().max(order.amending.lots))).sum()
    }

    fn position(&self, row: Option<StrategyId>, what: InstrumentId) -> i128 {
        let rows = [ANNA, BERT].into_iter().filter(|who| row.is_none_or(|row| row == *who));
        rows.map(|who| i128::from(self.rig.position(who, what))).sum()
    }

    fn working(&self, row: Option<StrategyId>, what: InstrumentId, side: Side) -> i128 {
        self.lots(|order| {
            let intent = &order.intent;
            let is_of_row = row.is_none_or(|row| row == intent.strategy);
            is_of_row && intent.instrument == what && intent.side == side && !intent.reduce_only
        })
    }

    fn closing(&self, who: StrategyId, what: InstrumentId, side: Side) -> i128 {
        self.lots(|order| {
            let intent = &order.intent;
            intent.strategy == who && intent.instrument == what && intent.side == side && intent.reduce_only
        })
    }

    fn mark(&self, what: InstrumentId) -> i128 {
        i128::from(self.rig.kernel.mark(what).unwrap())
    }

    /// Lots of a wish and of all that its strategy sells (or buys) already against what it could close.
    fn only_closes(&self, wish: &Wish) -> bool {
        let OrderRequest { instrument, side, .. } = wish.request;
        let before =
            self.working(Some(wish.who), instrument, side) + self.closing(wish.who, instrument, side);
        let closable = -self.position(Some(wish.who), instrument) * i128::from(side.sign());
        before + lots_of(wish) <= closable
    }

    /// Returns gross and net exposure of a row, the wish and what is counted with it (`extra`) included.
    fn exposure(&self, row: Option<StrategyId>, wish: &Wish, extra: i128) -> (i128, i128) {
        let (mut gross, mut net) = (0, 0);
        for what in [GOLD, TIN] {
            let of_wish = |side| {
                let is_it = what == wish.request.instrument && side == wish.request.side;
                if is_it { lots_of(wish) + extra } else { 0 }
            };
            let [bought, sold] =
                [Side::Buy, Side::Sell].map(|side| self.working(row, what, side) + of_wish(side));
            let position = self.position(row, what);
            let (long, short) = ((position + bought) * self.mark(what), (position - sold) * self.mark(what));
            gross += long.abs().max(short.abs());
            net += if wish.request.side == Side::Buy { long } else { -short };
        }
        (gross, net)
    }

    fn price(&self, wish: &Wish) -> i128 {
        let mark = self.mark(wish.request.instrument);
        match (wish.request.kind, wish.request.side) {
            (OrderKind::Limit { price_ticks }, Side::Buy) => i128::from(price_ticks),
            (OrderKind::Limit { price_ticks } | OrderKind::Stop { trigger_ticks: price_ticks }, _) => {
                mark.max(i128::from(price_ticks))
            }
            _ => mark,
        }
    }

    fn has_buying_power(&self, wish: &Wish) -> bool {
        let OrderRequest { instrument, side, .. } = wish.request;
        let position = self.position(None, instrument) * i128::from(side.sign());
        let after = position + self.working(None, instrument, side) + lots_of(wish);
        let held = |what| self.position(None, what).abs() * self.mark(what);
        let others: i128 = [GOLD, TIN].into_iter().filter(|what| *what != instrument).map(held).sum();
        let worth: i128 = [GOLD, TIN].map(|what| self.position(None, what) * self.mark(what)).iter().sum();
        let equity = self.rig.kernel.ledger().cash().0 + money(worth).0;
        after.abs() <= position.abs() || money(after.abs() * self.price(wish) + others).0 <= equity.max(0)
    }

    /// Returns the rules by which an order that may add to a position is above a limit.
    fn broken(&self, wish: &Wish) -> Vec<Rule> {
        let mut broken = Vec::new();
        if self.case.is_paused {
            broken.push(Rule::Paused);
        }
        if !self.has_buying_power(wish) {
            broken.push(Rule::BuyingPower);
        }
        for (scope, halt) in self.rig.kernel.scopes().halts() {
            if scope == Scope::ACCOUNT || scope == Scope::Strategy(wish.who) {
                broken.push(halt.rule);
            }
        }
        if let Some((order, position)) = self.case.canary {
            let OrderRequest { instrument, side, .. } = wish.request;
            let held = self.position(None, instrument) * i128::from(side.sign());
            let reached = held + self.working(None, instrument, side) + lots_of(wish);
            if lots_of(wish) * self.price(wish) > order {
                broken.push(Rule::CanaryOrderValue);
            }
            if reached * self.mark(instrument) > position {
                broken.push(Rule::CanaryPositionValue);
            }
        }
        let mut known = Vec::new();
        for &(scope, name, max) in self.case.rates.iter().chain(&self.case.limits).rev() {
            if !known.contains(&(scope, name)) {
                known.push((scope, name));
                broken.extend(self.above(wish, scope, name, i128::from(max)));
            }
        }
        broken
    }

    /// Returns the rule of a limit when a wish is above it.
    fn above(&self, wish: &Wish, scope: Scope, name: LimitName, max: i128) -> Option<Rule> {
        let OrderRequest { instrument, side, .. } = wish.request;
        let row = match scope {
            Scope::Strategy(who) if who == wish.who => Some(who),
            Scope::ACCOUNT => None,
            Scope::Instrument(what) if what == instrument => None,
            _ => return None,
        };
        // Its own closing orders may come first, and then it goes further.
        let extra = row.map_or(0, |who| self.closing(who, instrument, side));
        let sign = i128::from(side.sign());
        let (rule, value) = match name {
            LimitName::Quantity => (Rule::QuantityMax, lots_of(wish)),
            LimitName::Notional => (Rule::NotionalMax, lots_of(wish) * self.price(wish)),
            LimitName::Position => {
                let reached = sign * self.position(row, instrument) + self.working(row, instrument, side);
                (Rule::PositionMax, reached + extra + lots_of(wish))
            }
            LimitName::OpenOrders => {
                let open = self.rig.kernel.orders().iter().filter(|order| {
                    let is_here =
                        !matches!(scope, Scope::Instrument(what) if what != order.intent.instrument);
                    is_here && row.is_none_or(|who| who == order.intent.strategy)
                });
                (Rule::OpenOrdersMax, i128::try_from(open.count()).unwrap() + 1)
            }
            LimitName::Gross => (Rule::GrossMax, self.exposure(row, wish, extra).0),
            LimitName::Net => (Rule::NetMax, self.exposure(row, wish, extra).1),
            LimitName::OrderRate => {
                let sent = self.sent.iter().filter(|sent| sent.request.instrument == instrument);
                (Rule::OrderRateMax, i128::try_from(sent.count()).unwrap() + 1)
            }
            LimitName::MessageRate => (Rule::MessageRateMax, self.messages(row, |_| true) + 1 + reserve(max)),
            _ => return None,
        };
        // Instruments have no exposures, and scopes no rate of orders.
        let is_there = match scope {
            Scope::Instrument(_) => !matches!(name, LimitName::Gross | LimitName::Net),
            _ => true,
        };
        (is_there && value > max).then_some(rule)
    }

    fn messages(&self, row: Option<StrategyId>, is_meant: impl Fn(&Wish) -> bool) -> i128 {
        let sent = self.sent.iter().filter(|sent| row.is_none_or(|who| who == sent.who) && is_meant(sent));
        i128::try_from(sent.count()).unwrap()
    }
}

fn lots_of(wish: &Wish) -> i128 {
    let tradecore_types::Size::Lots(lots) = wish.request.size else { panic!("a share of buying power") };
    i128::from(lots)
}

/// Messages of a rate that are kept for cancels and closing orders: a fifth, rounded up.
fn reserve(rate_max: i128) -> i128 {
    (rate_max + 4) / 5
}

/// Tells whether the reserve of a message rate is used up by closing orders.
fn is_reserve_used(case: &Case, who: StrategyId, closed: &[Wish]) -> bool {
    case.rates.iter().filter(|rate| rate.1 == LimitName::MessageRate).any(|&(scope, _, max)| {
        let mine = closed.iter().filter(|wish| scope == Scope::ACCOUNT || scope == Scope::Strategy(wish.who));
        let is_about = scope == Scope::ACCOUNT || scope == Scope::Strategy(who);
        is_about && i128::try_from(mine.count()).unwrap() >= reserve(i128::from(max))
    })
}

fn reduces_only(rig: &Rig, order_id: OrderId) -> bool {
    rig.kernel.orders().get(order_id).unwrap().intent.reduce_only
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// An order that closes nothing but its own strategy's position passes whatever is used up, and is held to
    /// that; every other is refused exactly when one more would be above a limit, by a rule it is above.
    #[test]
    fn what_only_closes_is_never_trapped_and_what_is_refused_is_above_a_limit(case in cases()) {
        let mut rig = set_up(&case);
        let (mut sent, mut closed) = (Vec::new(), Vec::new());
        for wish in &case.wishes {
            let count = Recount { rig: &rig, case: &case, sent: &sent };
            let (broken, only_closes) = (count.broken(wish), count.only_closes(wish));
            match rig.kernel.submit(wish.who, &wish.request).unwrap() {
                Verdict::Approved(order_id) if only_closes => {
                    prop_assert_eq!(reduces_only(&rig, order_id), !broken.is_empty(), "{:?}", broken);
                    closed.push(*wish);
                    sent.push(*wish);
                }
                Verdict::Approved(order_id) => {
                    prop_assert_eq!(broken, Vec::new(), "{:?} was approved", wish);
                    prop_assert!(!reduces_only(&rig, order_id));
                    sent.push(*wish);
                }
                Verdict::Refused(no) if only_closes => {
                    prop_assert_eq!(no.rule, Rule::MessageRateMax, "{:?} is trapped: {}", wish, no);
                    prop_assert!(is_reserve_used(&case, wish.who, &closed), "the reserve is not used up");
                }
                Verdict::Refused(no) => {
                    prop_assert!(broken.contains(&no.rule), "{no}, but above are {broken:?}: {wish:?}");
                    prop_assert!(no.value > no.limit, "{no}");
                }
            }
        }
    }
}

/// Anna has ten gold, Bert is short of eight, and the account can pay for no more of anything.
fn beside_each_other() -> Rig {
    let mut config = config(Matching::Quotes);
    config.cash = money(1_200);
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    for (who, side, lots) in [(ANNA, Side::Buy, 10), (BERT, Side::Sell, 8)] {
        rig.approved(who, &market(GOLD, side, lots));
        rig.run(|_, _| {}).unwrap();
    }
    // The middle is 400: the account owes more for the eight than it has.
    rig.play(&quotes(101, 399));
    rig
}

#[test]
fn an_order_that_closes_beside_the_opposite_position_of_another_strategy_is_not_trapped() {
    let mut rig = beside_each_other();
    let closing = limit(GOLD, Side::Sell, 500, 10);
    assert_eq!(rig.refused(ANNA, &limit(GOLD, Side::Sell, 500, 11)).rule, Rule::BuyingPower);
    let order_id = rig.approved(ANNA, &closing);
    assert!(reduces_only(&rig, order_id), "it passed only because it closes");
    rig.approved(BERT, &market(GOLD, Side::Buy, 8));
}

#[test]
fn an_order_that_closes_needs_no_room_among_entries() {
    let mut config = config(Matching::Quotes);
    config.cash = money(10_000_000_000);
    let mut rig = Rig::new(config);
    rig.play(&quotes(100, 99));
    rig.approved(ANNA, &market(GOLD, Side::Buy, 10));
    rig.run(|_, _| {}).unwrap();
    let entry = limit(TIN, Side::Buy, 1, 1);
    let sent = (0..).take_while(|_| matches!(rig.kernel.submit(BERT, &entry).unwrap(), Verdict::Approved(_)));
    assert_eq!(sent.count(), 4_096);
    assert_eq!(rig.refused(ANNA, &market(TIN, Side::Sell, 1)).rule, Rule::OpenOrdersMax);
    let order_id = rig.approved(ANNA, &limit(GOLD, Side::Sell, 200, 10));
    assert!(reduces_only(&rig, order_id));
}

/// The stop of an entry is set off, and closes what the entry opened; it alone may close that.
#[test]
fn what_closes_now_counts_what_a_stop_that_is_set_off_closes_already() {
    for is_set_off in [false, true] {
        let mut config = config(Matching::Quotes);
        config.venue.order_latency_ns = 10;
        let mut rig = Rig::new(config);
        rig.play(&quotes(100, 99));
        let bracket = Bracket::at(Some(50), None);
        rig.approved(ANNA, &OrderRequest { bracket, ..market(GOLD, Side::Buy, 4) });
        rig.play(&quotes(200, 99));
        let stop = rig.kernel.orders().iter().next().unwrap().intent;
        assert_eq!((rig.position(ANNA, GOLD), stop.closes.is_some(), stop.reduce_only), (4, true, true));
        if is_set_off {
            let report = Report { venue_time_ns: 200, order_id: stop.order_id, body: ReportBody::Triggered };
            rig.kernel.apply_report(GOLD, &report).unwrap();
        }
        let closing = OrderRequest { reduce_only: true, ..market(GOLD, Side::Sell, 4) };
        let verdict = rig.kernel.submit(ANNA, &closing).unwrap();
        assert_eq!(matches!(verdict, Verdict::Approved(_)), !is_set_off, "{verdict:?}");
    }
}
