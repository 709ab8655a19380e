//! A kernel under test: a small configuration, events in short words and a scripted strategy.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    reason = "test code; each test uses a part"
)]

pub mod outside;

use tradecore_book::SequenceRule;
use tradecore_journal::{Frames, RecordBody, collect_events, decode};
use tradecore_kernel::{
    Advance, Amends, Destination, FeeWindow, InstrumentConfig, Kernel, KernelConfig, KernelError, Leverage,
    Links, Matching, OrderRequest, VenueConfig, Verdict, Wake, WakeBody, WatchedKinds,
};
use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, MarketRest, QueueModel, SelfTradePrevention, Slippage,
};
use tradecore_risk::{Limits, ScopesConfig};
use tradecore_types::{
    Bar, BookUpdate, BookUpdateKind, Bracket, Command, CommandKind, Currencies, Decimal, Event, EventBatch,
    EventBody, FeedState, Flow, HedgedMargin, InstrumentId, InstrumentKind, InstrumentSpec, Level,
    LimitChange, LimitName, LimitValue, LotMethod, Money, OrderId, OrderKind, Permission, PersonName,
    Positions, Quote, Refusal, Release, Report, ReportBody, Scope, Sessions, Side, Size, StrategyId,
    TimeInForce, Trade,
};

pub const ANNA: StrategyId = StrategyId(0);
pub const BERT: StrategyId = StrategyId(1);
pub const GOLD: InstrumentId = InstrumentId(0);
pub const TIN: InstrumentId = InstrumentId(1);

/// Two instruments with ticks and lots of 1, two strategies, plenty of cash and no limits.
pub fn config(matching: Matching) -> KernelConfig {
    let one = Decimal::parse("one", "1").unwrap();
    let instrument = |symbol: &str| InstrumentConfig {
        spec: InstrumentSpec {
            symbol: symbol.into(),
            tick_size: one,
            lot_size: one,
            kind: InstrumentKind::Linear,
            multiplier: one,
        },
        currencies: Currencies::default(),
        book: SequenceRule::BinanceSpot.into(),
        limits: Limits { order_rate_window_ns: 1_000, ..Limits::default() },
        sessions: Sessions::default(),
        borrow_ppm: 0,
        margin: None,
    };
    KernelConfig {
        instruments: vec![instrument("GOLD"), instrument("TIN")],
        strategies: 2,
        scopes: ScopesConfig::default(),
        calls_max: 100_000,
        currency: "USD".into(),
        cash: money(1_000_000),
        currencies: Vec::new(),
        fee_currency: None,
        lots: LotMethod::Fifo,
        positions: Positions::Netting,
        hedged_margin: HedgedMargin::Both,
        leverage: Leverage { numerator: 1, denominator: 1 },
        venue: VenueConfig {
            matching,
            order_latency_ns: 0,
            report_latency_ns: 0,
            latency_samples: None,
            queue: QueueModel::Conservative,
            bar_fill: BarFill::NextOpen,
            bar_order: BarOrder::Time,
            market_rest: MarketRest::default(),
            self_trade: SelfTradePrevention::default(),
            bar_slippage: Slippage::default(),
            fees: FeeSchedule { maker_ppb: -10_000, taker_ppb: 40_000 },
            open_orders_max: 64,
        },
        fee_tiers: Vec::new(),
        fee_window: FeeWindow::default(),
        accounts: Vec::new(),
        destination: Destination::Simulated,
        watched: WatchedKinds::default(),
        amends: Amends::Venue,
        is_recording: true,
        has_digest: true,
        has_equity_curve: false,
        sample_ns: None,
    }
}

/// Whole units of the account currency.
pub fn money(units: i128) -> Money {
    Money(units * 1_000_000_000_000_000_000)
}

/// One event with the levels it needs.
#[derive(Clone, Debug)]
pub struct Item {
    pub event: Event,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

impl Item {
    pub fn new(time_ns: i64, instrument: InstrumentId, body: EventBody) -> Self {
        Self { event: Event { time_ns, instrument, body }, bids: Vec::new(), asks: Vec::new() }
    }
}

pub fn quote(time_ns: i64, instrument: InstrumentId, bid: (i64, i64), ask: (i64, i64)) -> Item {
    let quote = Quote { bid_ticks: bid.0, bid_lots: bid.1, ask_ticks: ask.0, ask_lots: ask.1, update_id: 0 };
    Item::new(time_ns, instrument, EventBody::Quote(quote))
}

pub fn trade(time_ns: i64, instrument: InstrumentId, aggressor: Side, price_ticks: i64, lots: i64) -> Item {
    let trade = Trade { price_ticks, lots, aggressor, trade_id: 0 };
    Item::new(time_ns, instrument, EventBody::Trade(trade))
}

/// A bar from its times and its open, high, low and close.
pub fn bar(open_ns: i64, close_ns: i64, instrument: InstrumentId, ohlc: [i64; 4]) -> Item {
    let [open_ticks, high_ticks, low_ticks, close_ticks] = ohlc;
    let bar = Bar { open_time_ns: open_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots: 1 };
    Item::new(close_ns, instrument, EventBody::Bar(bar))
}

pub fn command(time_ns: i64, kind: CommandKind) -> Item {
    Item::new(time_ns, GOLD, EventBody::Command(Command { kind }))
}

pub fn clock(time_ns: i64) -> Item {
    Item::new(time_ns, GOLD, EventBody::Clock)
}

pub fn lost(time_ns: i64, instrument: InstrumentId) -> Item {
    Item::new(time_ns, instrument, EventBody::Feed(FeedState::Lost))
}

pub fn flow(time_ns: i64, instrument: InstrumentId, flow: Flow) -> Item {
    Item::new(time_ns, instrument, EventBody::Flow(flow))
}

pub fn flow_limit(time_ns: i64, flow_id: u64, side: Side, price_ticks: i64, lots: i64) -> Item {
    flow(time_ns, GOLD, Flow::Limit { flow_id, side, price_ticks, lots })
}

/// A book message that covers the ids `first..=last`.
pub fn book(
    time_ns: i64,
    instrument: InstrumentId,
    kind: BookUpdateKind,
    ids: (u64, u64),
    bids: &[(i64, i64)],
    asks: &[(i64, i64)],
) -> Item {
    let levels = |side: &[(i64, i64)]| -> Vec<Level> {
        side.iter().map(|&(price_ticks, lots)| Level { price_ticks, lots }).collect()
    };
    let update = BookUpdate {
        kind,
        first_id: ids.0,
        last_id: ids.1,
        prev_id: 0,
        levels_start: 0,
        bids: u32::try_from(bids.len()).unwrap(),
        asks: u32::try_from(asks.len()).unwrap(),
        checksum: None,
    };
    let body = EventBody::Book(update);
    Item { event: Event { time_ns, instrument, body }, bids: levels(bids), asks: levels(asks) }
}

pub fn snapshot(time_ns: i64, last_id: u64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Item {
    book(time_ns, GOLD, BookUpdateKind::Snapshot, (last_id, last_id), bids, asks)
}

pub fn diff(time_ns: i64, id: u64, bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Item {
    book(time_ns, GOLD, BookUpdateKind::Diff, (id, id), bids, asks)
}

/// Puts events into one batch.
pub fn batch(items: &[Item]) -> EventBatch {
    let mut batch = EventBatch::default();
    for item in items {
        let mut event = item.event;
        if let EventBody::Book(update) = &mut event.body {
            update.levels_start = u32::try_from(batch.levels.len()).unwrap();
        }
        batch.levels.extend(item.bids.iter().chain(&item.asks));
        batch.events.push(event);
    }
    batch
}

/// The value of a limit.
pub fn whole(mantissa: i64) -> Option<Decimal> {
    Some(Decimal { mantissa, decimals: 0 })
}

/// Quotes of both instruments, two wide.
pub fn quotes(time_ns: i64, bid: i64) -> [Item; 2] {
    [quote(time_ns, GOLD, (bid, 50), (bid + 2, 50)), quote(time_ns, TIN, (bid, 50), (bid + 2, 50))]
}

/// Gives a limit a value.
pub fn set_limit(scope: Scope, limit: LimitName, value: Option<Decimal>) -> CommandKind {
    let person = Some(PersonName::new("Ada").unwrap());
    CommandKind::SetLimit(LimitChange { scope, limit, value: LimitValue::of(value), person })
}

/// Lets a strategy trade an instrument, or no longer.
pub fn permit(strategy: StrategyId, instrument: InstrumentId, is_allowed: bool) -> CommandKind {
    let person = PersonName::new("Ada").unwrap();
    CommandKind::Permit(Permission { strategy, instrument, is_allowed, person })
}

/// Releases a halt.
pub fn release(scope: Scope) -> CommandKind {
    CommandKind::Release(Release { scope, person: PersonName::new("Ada").unwrap() })
}

/// A wish to trade one instrument at the market.
pub fn market(instrument: InstrumentId, side: Side, lots: i64) -> OrderRequest {
    OrderRequest {
        instrument,
        side,
        kind: OrderKind::Market,
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        size: Size::Lots(lots),
        bracket: Bracket::default(),
    }
}

pub fn limit(instrument: InstrumentId, side: Side, price_ticks: i64, lots: i64) -> OrderRequest {
    OrderRequest { kind: OrderKind::Limit { price_ticks }, ..market(instrument, side, lots) }
}

pub fn stop(instrument: InstrumentId, side: Side, trigger_ticks: i64, lots: i64) -> OrderRequest {
    OrderRequest { kind: OrderKind::Stop { trigger_ticks }, ..market(instrument, side, lots) }
}

/// A kernel with what came out of it.
pub struct Rig {
    pub kernel: Kernel,
    pub wakes: Vec<Wake>,
    pub frames: Vec<u8>,
    /// How often everything fed was consumed.
    pub runs: u32,
}

impl Rig {
    pub fn new(config: KernelConfig) -> Self {
        let mut kernel = Kernel::new(config).unwrap();
        for strategy in [ANNA, BERT] {
            kernel.subscribe_fills(strategy);
            kernel.subscribe_orders(strategy);
        }
        Self { kernel, wakes: Vec::new(), frames: Vec::new(), runs: 0 }
    }

    /// Feeds events and consumes them; the ledger is checked after every step, nobody answers wakes.
    pub fn play(&mut self, items: &[Item]) {
        self.play_with(items, |_, _| {}).unwrap();
    }

    /// Feeds events and lets `answer` answer every wake.
    pub fn play_with(
        &mut self,
        items: &[Item],
        answer: impl FnMut(&mut Kernel, &Wake),
    ) -> Result<(), KernelError> {
        self.kernel.feed(0, batch(items))?;
        self.run(answer)
    }

    /// Consumes everything fed. Now and then what comes after goes on from a snapshot, in every test: so a part of the
    /// state that a snapshot lacks changes what some test expects.
    pub fn run(&mut self, mut answer: impl FnMut(&mut Kernel, &Wake)) -> Result<(), KernelError> {
        loop {
            let advance = self.kernel.advance(1)?;
            self.kernel.ledger().check().unwrap();
            match advance {
                Advance::Wake(wake) => {
                    self.wakes.push(wake);
                    answer(&mut self.kernel, &wake);
                }
                Advance::Idle => break,
                Advance::Working => {}
            }
        }
        self.kernel.take_frames(&mut self.frames);
        self.runs += 1;
        // Of a long run rarely: it has a large state.
        if self.runs.is_power_of_two() || (self.runs < 1_000 && self.runs % 13 == 5) {
            self.kernel.pass_through_snapshot().unwrap();
        }
        Ok(())
    }

    /// Submits and expects an approval.
    pub fn approved(&mut self, strategy: StrategyId, request: &OrderRequest) -> OrderId {
        match self.kernel.submit(strategy, request).unwrap() {
            Verdict::Approved(order_id) => order_id,
            Verdict::Refused(refusal) => panic!("refused: {refusal}"),
        }
    }

    /// Submits and expects a refusal.
    pub fn refused(&mut self, strategy: StrategyId, request: &OrderRequest) -> Refusal {
        match self.kernel.submit(strategy, request).unwrap() {
            Verdict::Approved(order_id) => panic!("approved as {order_id:?}"),
            Verdict::Refused(refusal) => refusal,
        }
    }

    pub fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> i64 {
        self.kernel.ledger().position(strategy, instrument)
    }

    pub fn is_open(&self, order_id: OrderId) -> bool {
        self.kernel.orders().get(order_id).is_some()
    }

    /// Reports that reached strategies, in order.
    pub fn reports(&self) -> Vec<(i64, Report)> {
        let report = |wake: &Wake| match wake.body {
            WakeBody::Order(update) => Some((wake.time_ns, update.report)),
            _ => None,
        };
        self.wakes.iter().filter_map(report).collect()
    }

    /// Reports about one order, in order.
    pub fn reports_of(&self, order_id: OrderId) -> Vec<ReportBody> {
        self.reports()
            .into_iter()
            .map(|entry| entry.1)
            .filter(|r| r.order_id == order_id)
            .map(|r| r.body)
            .collect()
    }
}

/// Sums the fills in a journal by strategy and instrument, and compares them with the positions.
pub fn assert_positions_are_sums_of_fills(rig: &Rig) {
    let mut owners = std::collections::BTreeMap::new();
    let mut sums = std::collections::BTreeMap::new();
    for frame in Frames::new(&rig.frames) {
        match decode(frame.unwrap()).unwrap().body {
            RecordBody::Order { intent, .. } => {
                owners.insert(intent.order_id.0, intent);
            }
            RecordBody::Report(Report { order_id, body: ReportBody::Fill { lots, .. }, .. }) => {
                let intent = owners[&order_id.0];
                *sums.entry((intent.strategy.0, intent.instrument.0)).or_insert(0) +=
                    lots * intent.side.sign();
            }
            _ => {}
        }
    }
    for strategy in [ANNA, BERT] {
        for instrument in [GOLD, TIN] {
            let sum = sums.get(&(strategy.0, instrument.0)).copied().unwrap_or(0);
            assert_eq!(rig.position(strategy, instrument), sum, "{strategy:?} in {instrument:?}");
        }
    }
}

/// Plays the recorded events of a journal through a kernel.
pub fn replayed(config: KernelConfig, frames: &[u8], mut script: impl FnMut(&mut Kernel, &Wake)) -> Rig {
    let mut events = EventBatch::default();
    collect_events(frames, &mut events).unwrap();
    let mut rig = Rig::new(config);
    subscribe(&mut rig.kernel);
    rig.kernel.feed(0, events).unwrap();
    rig.run(&mut script).unwrap();
    rig
}

/// Lets both strategies see everything of both instruments, bars of every kind included.
pub fn subscribe(kernel: &mut Kernel) {
    use tradecore_kernel::{BarRule, BarSource, BarSpan, FirstBar};
    let rules = [
        BarRule::Tick(3),
        BarRule::Volume(7),
        BarRule::Notional(Money(200 * 10i128.pow(18))),
        BarRule::Range(2),
        BarRule::TickImbalance(2),
        BarRule::VolumeImbalance(5),
    ];
    let span = |length_ns| BarSpan::of_ns(length_ns).unwrap();
    for instrument in [GOLD, TIN] {
        let sources = [BarSource::Input, BarSource::Trades(span(5)), BarSource::Quotes(span(4))];
        for source in sources.into_iter().chain(rules.map(BarSource::Rule)) {
            let series = kernel.add_series(instrument, source, FirstBar::BySource, 4).unwrap();
            kernel.subscribe_bars(ANNA, series);
        }
        kernel.subscribe_quotes(BERT, instrument);
        kernel.subscribe_books(ANNA, instrument);
        kernel.subscribe_trades(BERT, instrument);
    }
}

/// A strategy that does something else at every wake, the same for the same wakes.
///
/// Each order wakes it again, now and then more than once: it sits still after [`ANSWERS_MAX`] wakes of one time,
/// so that the time always comes to an end.
pub struct Script {
    state: u64,
    last_order: u64,
    time_ns: i64,
    answers: u32,
}

/// Wakes of one time that a script answers.
const ANSWERS_MAX: u32 = 200;

impl Script {
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, last_order: 0, time_ns: 0, answers: 0 }
    }

    fn next(&mut self, below: u64) -> i64 {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.state >> 33) % below).unwrap()
    }

    /// Answers a wake.
    pub fn act(&mut self, kernel: &mut Kernel, wake: &Wake) {
        self.answers = if wake.time_ns == self.time_ns { self.answers + 1 } else { 1 };
        self.time_ns = wake.time_ns;
        if self.answers > ANSWERS_MAX {
            return;
        }
        self.state ^= u64::try_from(wake.time_ns & 0xff).unwrap();
        let strategy = wake.strategy;
        match self.next(10) {
            0..=3 => self.submit(kernel, strategy),
            4 => {
                let back = u64::try_from(self.next(4)).unwrap();
                kernel.cancel(strategy, OrderId(self.last_order.saturating_sub(back)));
            }
            5 => {
                let back = u64::try_from(self.next(4)).unwrap();
                let (price, lots) = (95 + self.next(12), 1 + self.next(9));
                kernel.replace(strategy, OrderId(self.last_order.saturating_sub(back)), price, lots).unwrap();
            }
            6 => {
                kernel.close(strategy, wake.instrument).unwrap();
            }
            7 => {
                let time_ns = kernel.now_ns().saturating_add(self.next(7));
                kernel.set_timer(strategy, time_ns, 9);
            }
            _ => {}
        }
    }

    fn submit(&mut self, kernel: &mut Kernel, strategy: StrategyId) {
        let instrument = if self.next(3) == 0 { TIN } else { GOLD };
        let side = if self.next(2) == 0 { Side::Buy } else { Side::Sell };
        let price_ticks = 95 + self.next(12);
        let trigger_ticks = 95 + self.next(12);
        let (offset_ticks, limit_offset_ticks) = (1 + self.next(4), self.next(3));
        let activation_ticks = if self.next(2) == 0 { 0 } else { trigger_ticks };
        let kind = match self.next(13) {
            0..3 => OrderKind::Market,
            3 => OrderKind::Stop { trigger_ticks },
            4 => OrderKind::StopLimit { trigger_ticks, price_ticks },
            5 => OrderKind::MarketIfTouched { trigger_ticks },
            6 => OrderKind::LimitIfTouched { trigger_ticks, price_ticks },
            7 => OrderKind::TrailingStop { offset_ticks, activation_ticks },
            8 => OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks },
            9 => OrderKind::MarketToLimit,
            10 => OrderKind::Iceberg { price_ticks, display_lots: 1 + self.next(3) },
            _ => OrderKind::Limit { price_ticks },
        };
        let expire_ns = kernel.now_ns() + self.next(9);
        let time_in_force = match self.next(10) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            2..5 => TimeInForce::Gtd { expire_ns },
            5 => TimeInForce::Day { expire_ns: kernel.session_end_ns(instrument).unwrap() },
            _ => TimeInForce::Gtc,
        };
        let bracket = match self.next(3) {
            0 => Bracket::at(
                Some(100 - side.sign() * (2 + self.next(4))),
                Some(100 + side.sign() * (1 + self.next(4))),
            ),
            _ => Bracket::default(),
        };
        let (links, back) = (self.next(6), (self.next(3), self.next(3)));
        let request = OrderRequest {
            instrument,
            side,
            kind,
            time_in_force,
            post_only: self.next(5) == 0,
            reduce_only: self.next(5) == 0,
            size: if self.next(8) == 0 { Size::BuyingPowerPpm(10_000) } else { Size::Lots(1 + self.next(9)) },
            bracket,
        };
        let older = |back: i64| {
            let back = u64::try_from(back).unwrap();
            OrderId(self.last_order.saturating_sub(back))
        };
        let (after, oco) = (older(back.0), older(back.1));
        let links = match links {
            0 => Links { after: Some(after), oco: None },
            1 => Links { after: None, oco: Some(oco) },
            2 => Links { after: Some(after), oco: Some(oco) },
            _ => Links::default(),
        };
        if let Verdict::Approved(order_id) = kernel.submit_linked(strategy, &request, links).unwrap() {
            self.last_order = order_id.0;
        }
    }
}

/// Sums the exposure of a row from orders and positions alone.
pub fn recounted(rig: &Rig, of: Option<StrategyId>) -> (Money, Money) {
    let (mut gross, mut all_long, mut all_short) = (0, 0, 0);
    for instrument in [GOLD, TIN] {
        let Some(mark) = rig.kernel.mark(instrument) else { continue };
        let (mut buys, mut sells) = (0, 0);
        for order in rig.kernel.orders().iter() {
            let is_of_row = of.is_none_or(|strategy| strategy == order.intent.strategy);
            if !is_of_row || order.intent.instrument != instrument || order.only_closes() {
                continue;
            }
            let lots = order.open_lots().max(order.amending.lots);
            match order.intent.side {
                Side::Buy => buys += i128::from(lots),
                Side::Sell => sells += i128::from(lots),
            }
        }
        let position: i64 = [ANNA, BERT]
            .into_iter()
            .filter(|strategy| of.is_none_or(|of| of == *strategy))
            .map(|strategy| rig.position(strategy, instrument))
            .sum();
        let long = (i128::from(position) + buys) * i128::from(mark);
        let short = (i128::from(position) - sells) * i128::from(mark);
        gross += long.abs().max(short.abs());
        all_long += long;
        all_short += short;
    }
    (money(gross), money(all_long.abs().max(all_short.abs())))
}
