//! Random orders where positions hedge, against books that a plain model keeps of fills alone, and against a replay.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod common;

use std::collections::BTreeMap;

use common::{
    ANNA, BERT, GOLD, Item, Rig, TIN, bar, book, command, config, limit, market, money, quotes, stop,
    subscribe, trade, whole,
};
use proptest::prelude::*;
use tradecore_journal::{Frames, RecordBody, collect_events, decode};
use tradecore_kernel::{
    Kernel, KernelConfig, Links, MarginMode, MarginRule, Matching, OrderRequest, Verdict, Wake, WakeBody,
};
use tradecore_ledger::{MarginSchedule, MarginTier};
use tradecore_matching::FeeSchedule;
use tradecore_risk::{ScopeLimits, ScopesConfig};
use tradecore_types::{
    BookUpdateKind, Bracket, CommandKind, EventBatch, InstrumentId, Money, OrderId, OrderIntent, Positions,
    Report, ReportBody, Scope, Side, Size, StrategyId,
};

const BOTH: [StrategyId; 2] = [ANNA, BERT];
const SIDE_MAX: i64 = 40;

/// What a plain model knows of a ticket: its open lots, oldest first, each with price and what is left of its fee.
#[derive(Clone, Debug, Default)]
struct Held {
    side: i64,
    lots: Vec<(i64, i64, i128)>,
    closed: i64,
    realised: i128,
}

/// Books made of fills alone. A fill that names a ticket closes that as far as it reaches; everything else opens one
/// under the number of its order.
#[derive(Debug, Default)]
struct Model {
    intents: BTreeMap<u64, OrderIntent>,
    tickets: BTreeMap<(u16, u32, u64), Held>,
    paid: i128,
    trades: usize,
    liquidations: usize,
    seen: usize,
}

impl Model {
    fn take(&mut self, frames: &[u8]) {
        for frame in Frames::new(&frames[self.seen..]) {
            match decode(frame.unwrap()).unwrap().body {
                RecordBody::Order { intent, .. } => {
                    self.intents.insert(intent.order_id.0, intent);
                }
                RecordBody::Report(Report {
                    order_id,
                    body: ReportBody::Fill { price_ticks, lots, fee, .. },
                    ..
                }) => {
                    self.fill(order_id, price_ticks, lots, fee.0);
                }
                RecordBody::CashFlow(flow) => self.paid -= flow.amount.0,
                RecordBody::Liquidation(_) => self.liquidations += 1,
                _ => {}
            }
        }
        self.seen = frames.len();
    }

    fn fill(&mut self, order_id: OrderId, price: i64, lots: i64, fee: i128) {
        let OrderIntent { strategy, instrument, side, closes, .. } = self.intents[&order_id.0];
        let place = (strategy.0, instrument.0);
        self.paid += money(i128::from(side.sign() * lots * price)).0 + fee;
        let (mut left, mut fee_left) = (lots, fee);
        let named = closes.map(|ticket| (place.0, place.1, ticket.0));
        if let Some(held) =
            named.and_then(|named| self.tickets.get_mut(&named)).filter(|held| held.side == -side.sign())
        {
            while left > 0 && !held.lots.is_empty() {
                let (open, paid, entry_fee) = held.lots[0];
                let closed = open.min(left);
                let share = |fee: i128, whole: i64| fee * i128::from(closed) / i128::from(whole);
                let (entry_share, exit_share) = (share(entry_fee, open), share(fee_left, left));
                let gain = money(i128::from(held.side * closed * (price - paid))).0;
                held.realised += gain - entry_share - exit_share;
                held.closed += closed;
                held.lots[0] = (open - closed, paid, entry_fee - entry_share);
                (left, fee_left) = (left - closed, fee_left - exit_share);
                held.lots.retain(|lot| lot.0 > 0);
                self.trades += 1;
            }
            self.tickets.retain(|_, held| !held.lots.is_empty());
        }
        if left > 0 {
            let held = self.tickets.entry((place.0, place.1, order_id.0)).or_default();
            held.side = side.sign();
            held.lots.push((left, price, fee_left));
        }
    }

    /// Checks that no side is larger than its limit, but for what two orders that closed the same have opened.
    fn check_sides(&self, rig: &Rig) {
        for (instrument, side) in [(GOLD, 1), (GOLD, -1), (TIN, 1), (TIN, -1)] {
            let is_its =
                |key: &&(u16, u32, u64)| key.1 == instrument.0 && self.intents[&key.2].closes.is_none();
            let its = self.tickets.iter().filter(|(key, held)| is_its(key) && held.side == side);
            let lots: i64 = its.flat_map(|(_, held)| held.lots.iter().map(|lot| lot.0)).sum();
            assert!(lots <= SIDE_MAX, "{lots} on side {side} at {}", rig.kernel.now_ns());
        }
    }

    /// Compares everything with the books of the engine.
    fn check(&mut self, rig: &Rig, cash: Money) {
        self.take(&rig.frames);
        let ledger = rig.kernel.ledger();
        ledger.audit().unwrap();
        let mut worth = cash.0 - self.paid;
        assert_eq!(ledger.cash(), Money(worth), "cash");
        let mut count = 0;
        for strategy in BOTH {
            for instrument in [GOLD, TIN] {
                let (mut long, mut short) = (0, 0);
                for ticket in ledger.tickets(strategy, instrument) {
                    let held = &self.tickets[&(strategy.0, instrument.0, ticket.entry_order.0)];
                    let lots: i64 = held.lots.iter().map(|lot| lot.0).sum();
                    assert_eq!(ticket.lots, held.side * lots, "lots of {ticket:?}");
                    let paid: i128 = held.lots.iter().map(|lot| i128::from(lot.0 * lot.1)).sum();
                    assert_eq!(ticket.tick_lots, paid, "price of {ticket:?}");
                    assert_eq!(ticket.cost, money(paid * i128::from(held.side)), "cost of {ticket:?}");
                    assert_eq!(
                        ticket.fees.0,
                        held.lots.iter().map(|lot| lot.2).sum::<i128>(),
                        "fees of {ticket:?}"
                    );
                    assert_eq!(
                        (ticket.closed_lots, ticket.realised.0),
                        (held.closed, held.realised),
                        "{ticket:?}"
                    );
                    *(if held.side > 0 { &mut long } else { &mut short }) += lots;
                    count += 1;
                }
                let legs = ledger.legs(strategy, instrument);
                assert_eq!(
                    (legs.long, legs.short, rig.position(strategy, instrument)),
                    (long, short, long - short)
                );
                worth +=
                    money(i128::from(long - short) * i128::from(rig.kernel.mark(instrument).unwrap_or(0))).0;
            }
        }
        assert_eq!(count, self.tickets.len(), "there is no other ticket");
        assert_eq!(ledger.trades().count(), self.trades);
        assert_eq!(rig.kernel.equity().unwrap(), Money(worth), "equity");
    }
}

/// Adds up both sides of a strategy, or of all, from tickets and orders alone: gross and net as limits count them.
fn recounted(rig: &Rig, of: &[StrategyId]) -> (Money, Money) {
    let (mut gross, mut all_long, mut all_short) = (0, 0, 0);
    for instrument in [GOLD, TIN] {
        let Some(mark) = rig.kernel.mark(instrument).map(i128::from) else { continue };
        let (mut long, mut short, mut buys, mut sells) = (0, 0, 0, 0);
        for strategy in of {
            for ticket in rig.kernel.ledger().tickets(*strategy, instrument) {
                *(if ticket.lots > 0 { &mut long } else { &mut short }) += i128::from(ticket.lots.abs());
            }
        }
        for order in rig.kernel.orders().iter().filter(|order| of.contains(&order.intent.strategy)) {
            if order.intent.instrument == instrument && !order.only_closes() {
                let lots = i128::from(order.open_lots().max(order.amending.lots));
                *(if order.intent.side == Side::Buy { &mut buys } else { &mut sells }) += lots;
            }
        }
        gross += (long + short + buys + sells) * mark;
        all_long += (long - short + buys) * mark;
        all_short += (long - short - sells) * mark;
    }
    (money(gross), money(all_long.abs().max(all_short.abs())))
}

/// A strategy that opens and closes tickets by chance, the same for the same wakes.
struct Trader {
    state: u64,
    last: u64,
    time_ns: i64,
    answers: u32,
    /// Whether some orders are a share of buying power.
    has_shares: bool,
}

impl Trader {
    const fn new(seed: u64) -> Self {
        Self { state: seed, last: 0, time_ns: 0, answers: 0, has_shares: seed % 2 == 1 }
    }

    fn next(&mut self, below: u64) -> i64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.state >> 33) % below).unwrap()
    }

    fn older(&mut self) -> OrderId {
        let back = u64::try_from(self.next(5)).unwrap();
        OrderId(self.last.saturating_sub(back))
    }

    /// Draws one of the tickets of a strategy.
    fn ticket(
        &mut self,
        kernel: &Kernel,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Option<(OrderId, i64)> {
        let rows: Vec<_> = kernel.ledger().tickets(strategy, instrument).collect();
        let place = self.next(u64::try_from(rows.len().max(1)).unwrap());
        rows.get(usize::try_from(place).unwrap()).map(|row| (row.entry_order, row.lots))
    }

    fn act(&mut self, kernel: &mut Kernel, wake: &Wake) {
        self.answers = if wake.time_ns == self.time_ns { self.answers + 1 } else { 1 };
        self.time_ns = wake.time_ns;
        if self.answers > 12
            || !matches!(
                wake.body,
                WakeBody::Quote(_) | WakeBody::Book | WakeBody::Bar { .. } | WakeBody::Order(_)
            )
        {
            return;
        }
        let strategy = wake.strategy;
        let instrument = if self.next(3) == 0 { TIN } else { GOLD };
        match self.next(12) {
            0..=3 => self.open(kernel, strategy, instrument),
            4 | 5 => self.close(kernel, strategy, instrument),
            6 | 7 => self.wait_to_close(kernel, strategy, instrument),
            8 => {
                let entry = self.older();
                let side = if self.next(2) == 0 { Side::Buy } else { Side::Sell };
                let exit = OrderRequest {
                    reduce_only: true,
                    ..stop(instrument, side, 90 + self.next(20), 1 + self.next(9))
                };
                self.send(kernel, strategy, &exit, Links { after: Some(entry), oco: None });
            }
            9 => {
                let order_id = self.older();
                kernel.cancel(strategy, order_id);
            }
            10 => {
                let (order_id, price, lots) = (self.older(), 93 + self.next(16), 1 + self.next(9));
                kernel.replace(strategy, order_id, price, lots).unwrap();
            }
            _ => {
                if self.next(4) == 0 {
                    kernel.close(strategy, instrument).unwrap();
                }
            }
        }
    }

    fn send(&mut self, kernel: &mut Kernel, strategy: StrategyId, request: &OrderRequest, links: Links) {
        if let Verdict::Approved(order_id) = kernel.submit_linked(strategy, request, links).unwrap() {
            self.last = order_id.0;
        }
    }

    fn open(&mut self, kernel: &mut Kernel, strategy: StrategyId, instrument: InstrumentId) {
        let side = if self.next(2) == 0 { Side::Buy } else { Side::Sell };
        let (price, lots) = (93 + self.next(16), 1 + self.next(9));
        let plain = match self.next(4) {
            0 => limit(instrument, side, price, lots),
            1 => stop(instrument, side, price, lots),
            _ => market(instrument, side, lots),
        };
        let sign = side.sign();
        let bracket = match self.next(3) {
            0 => Bracket::at(Some(100 - sign * (3 + self.next(5))), Some(100 + sign * (2 + self.next(5)))),
            _ => Bracket::default(),
        };
        let amount =
            if self.has_shares && self.next(9) == 0 { Size::BuyingPowerPpm(300) } else { plain.size };
        self.send(kernel, strategy, &OrderRequest { bracket, size: amount, ..plain }, Links::default());
    }

    fn close(&mut self, kernel: &mut Kernel, strategy: StrategyId, instrument: InstrumentId) {
        let Some((ticket, held)) = self.ticket(kernel, strategy, instrument) else { return };
        let lots = match self.next(3) {
            0 => None,
            // Now and then more than there is.
            _ => Some(1 + self.next(u64::try_from(held.abs()).unwrap() + 1)),
        };
        kernel.close_ticket(strategy, instrument, ticket, lots).unwrap();
    }

    fn wait_to_close(&mut self, kernel: &mut Kernel, strategy: StrategyId, instrument: InstrumentId) {
        let Some((ticket, held)) = self.ticket(kernel, strategy, instrument) else { return };
        let side = if held > 0 { Side::Sell } else { Side::Buy };
        let (price, lots) = (93 + self.next(16), 1 + self.next(9));
        let plain = if self.next(2) == 0 {
            limit(instrument, side, price, lots)
        } else {
            stop(instrument, side, price, lots)
        };
        let oco = if self.next(3) == 0 { Some(self.older()) } else { None };
        let links = Links { after: Some(ticket), oco };
        self.send(kernel, strategy, &OrderRequest { reduce_only: true, ..plain }, links);
    }
}

/// What an account begins with.
fn cash_of(is_margined: bool) -> Money {
    money(if is_margined { 250 } else { 1_000_000 })
}

/// How the market is shown, how long a message takes, and whether there is so little cash that margin is used up.
const RIGS: [(Matching, i64, bool); 6] = [
    (Matching::Quotes, 0, false),
    (Matching::Quotes, 3, false),
    (Matching::Book, 3, false),
    (Matching::Bars, 0, false),
    (Matching::Quotes, 3, true),
    (Matching::Bars, 0, true),
];

fn busy((matching, latency_ns, is_margined): (Matching, i64, bool)) -> KernelConfig {
    let mut config =
        KernelConfig { positions: Positions::Hedging, cash: cash_of(is_margined), ..config(matching) };
    (config.venue.order_latency_ns, config.venue.report_latency_ns) = (latency_ns, latency_ns);
    config.venue.fees = FeeSchedule { maker_ppb: -10_000, taker_ppb: 333_333 };
    let limits = ScopeLimits {
        position_max: whole(SIDE_MAX),
        gross_max: Some(money(50_000)),
        ..ScopeLimits::default()
    };
    if is_margined {
        let tier =
            MarginTier { notional_max: None, maintenance_ppm: 50_000, leverage_max: 100, amount: None };
        let schedule = MarginSchedule::new(10, 1, &[tier]).unwrap();
        for instrument in &mut config.instruments {
            let schedule = schedule.clone();
            instrument.margin =
                Some(MarginRule { mode: MarginMode::Cross, schedule, liquidation_fee_ppb: 1_000_000 });
        }
    }
    config.scopes = ScopesConfig { account: limits, ..ScopesConfig::default() };
    config
}

/// The items of a step: quotes of both instruments, or a bar of each, or a book with a trade.
fn items(matching: Matching, time_ns: i64, price: i64, what: u8) -> Vec<Item> {
    if matching == Matching::Bars {
        let (open, reach) = (time_ns - 9, i64::from(what % 5));
        let ohlc = [price, price + reach, price - reach, price + reach / 2];
        return vec![bar(open, time_ns, GOLD, ohlc), bar(open, time_ns, TIN, ohlc)];
    }
    if matching == Matching::Book {
        let id = u64::try_from(time_ns).unwrap();
        let (bid, ask) = (2 + i64::from(what % 23), 2 + i64::from(what % 19));
        let side = if what.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let traded = price + if side == Side::Buy { 2 } else { 0 };
        let of = |instrument| {
            let (bids, asks) = ([(price, bid), (price - 1, 9)], [(price + 2, ask), (price + 3, 9)]);
            let shown = book(time_ns, instrument, BookUpdateKind::Snapshot, (id, id), &bids, &asks);
            [shown, trade(time_ns, instrument, side, traded, 1 + i64::from(what % 7))]
        };
        return [of(GOLD), of(TIN)].concat();
    }
    let thin = quotes(time_ns, price).map(|mut item| {
        if let tradecore_types::EventBody::Quote(quote) = &mut item.event.body {
            (quote.bid_lots, quote.ask_lots) = (2 + i64::from(what % 23), 2 + i64::from(what % 19));
        }
        item
    });
    thin.to_vec()
}

fn played(kind: usize, steps: &[(i64, u8)], seed: u64, mut after: impl FnMut(&Rig)) -> Rig {
    let matching = RIGS[kind].0;
    let mut rig = Rig::new(busy(RIGS[kind]));
    subscribe(&mut rig.kernel);
    let mut trader = Trader::new(seed);
    let mut time_ns = 100;
    for &(price, what) in steps {
        time_ns += 10;
        let mut fed = items(matching, time_ns, price, what);
        if what == 7 {
            fed.push(command(time_ns, CommandKind::Flatten));
        }
        rig.play_with(&fed, |kernel, wake| trader.act(kernel, wake)).unwrap();
        after(&rig);
    }
    rig
}

fn walk() -> impl Strategy<Value = Vec<(i64, u8)>> {
    prop::collection::vec((94..108i64, 0..80u8), 20..90)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 180, failure_persistence: None, ..ProptestConfig::default() })]

    /// Tickets, cash, equity and closed trades are those of a plain model; exposures those of a plain recount; and no
    /// order was let through that made a side larger than its limit.
    #[test]
    fn the_books_are_those_of_a_plain_model(kind in 0..RIGS.len(), steps in walk(), seed in any::<u64>()) {
        let mut model = Model::default();
        played(kind, &steps, seed, |rig| {
            model.check(rig, cash_of(RIGS[kind].2));
            assert_eq!(rig.kernel.scopes().exposure(Scope::ACCOUNT), Some(recounted(rig, &BOTH)));
            for strategy in BOTH {
                let scope = Scope::Strategy(strategy);
                assert_eq!(rig.kernel.scopes().exposure(scope), Some(recounted(rig, &[strategy])));
            }
            // Against bars a share of buying power gets its size when it fills, and what works is not counted then.
            if seed % 2 == 0 {
                model.check_sides(rig);
            }
        });
    }

    /// A flatten closes every ticket, whatever waits, is on its way or was closed half.
    #[test]
    fn a_flatten_leaves_no_ticket(kind in 0..RIGS.len(), steps in walk(), seed in any::<u64>()) {
        let mut rig = played(kind, &steps, seed, |_| {});
        let time_ns = 110 + 10 * i64::try_from(steps.len()).unwrap();
        let matching = RIGS[kind].0;
        rig.play(&[command(time_ns - 5, CommandKind::Pause), command(time_ns - 5, CommandKind::Flatten)]);
        for step in 0..40 {
            rig.play(&items(matching, time_ns + 10 * step, 98 + step % 5, 22));
        }
        for strategy in BOTH {
            for instrument in [GOLD, TIN] {
                let open: Vec<_> = rig.kernel.ledger().tickets(strategy, instrument).collect();
                prop_assert!(open.is_empty(), "{open:?}");
            }
        }
        prop_assert_eq!(rig.kernel.orders().iter().count(), 0);
        Model::default().check(&rig, cash_of(RIGS[kind].2));
    }

    /// The journal plays to the same bytes and the same state.
    #[test]
    fn a_journal_of_tickets_replays_to_the_byte(kind in 0..RIGS.len(), steps in walk(), seed in any::<u64>()) {
        let rig = played(kind, &steps, seed, |_| {});
        let mut events = EventBatch::default();
        collect_events(&rig.frames, &mut events).unwrap();
        let mut again = Rig::new(busy(RIGS[kind]));
        subscribe(&mut again.kernel);
        let mut trader = Trader::new(seed);
        again.kernel.feed(0, events).unwrap();
        again.run(|kernel, wake| trader.act(kernel, wake)).unwrap();
        prop_assert!(again.frames == rig.frames, "the frames differ");
        prop_assert_eq!(again.kernel.state_hash(), rig.kernel.state_hash());
    }
}

/// What the properties are about does happen: else they would hold of nothing.
#[test]
fn random_trading_opens_both_sides_and_closes_them_in_every_way() {
    let steps: Vec<(i64, u8)> =
        (0..400_i64).map(|step| (94 + step * 7 % 13, u8::try_from(step % 71).unwrap())).collect();
    for (kind, (matching, _, is_margined)) in RIGS.into_iter().enumerate() {
        let (mut hedged, mut partly, mut waiting, mut surplus) = (0, 0, 0, 0);
        let mut model = Model::default();
        let rig = played(kind, &steps, 13, |rig| {
            let ledger = rig.kernel.ledger();
            let legs = ledger.legs(ANNA, GOLD);
            hedged += usize::from(legs.long > 0 && legs.short > 0);
            partly += ledger.tickets(ANNA, GOLD).filter(|ticket| ticket.closed_lots > 0).count();
            waiting += rig.kernel.orders().iter().filter(|order| order.only_closes()).count();
            model.take(&rig.frames);
            let is_closing = |ticket: &u64| model.intents[ticket].closes.is_some();
            surplus += model.tickets.keys().filter(|key| is_closing(&key.2)).count();
        });
        let trades = rig.kernel.ledger().trades().count();
        assert_eq!(model.liquidations > 0, is_margined, "{kind}");
        if is_margined {
            continue;
        }
        assert!(
            hedged > 50 && partly > 20 && waiting > 50 && trades > 100,
            "{kind}: {hedged} {partly} {waiting} {trades}"
        );
        // Two orders can close the same at once but against bars: what that opens is a ticket until it is closed again.
        assert_eq!(surplus > 0, matching != Matching::Bars, "{kind}: {surplus}");
    }
}
