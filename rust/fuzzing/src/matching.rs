//! An engine on any market with any answers: matching, orders, ledger and journal frames together.

use tradecore_book::SequenceRule;
use tradecore_journal::{Frames, decode};
use tradecore_kernel::{
    Advance, Amends, Destination, FeeWindow, InstrumentConfig, Kernel, KernelConfig, KernelError, Leverage,
    Matching, OrderRequest, VenueConfig, Wake, WatchedKinds,
};
use tradecore_matching::{
    BarFill, BarOrder, FeeSchedule, MarketRest, QueueModel, SelfTradePrevention, Slippage,
};
use tradecore_risk::{Limits, ScopesConfig};
use tradecore_types::{
    Bar, BookUpdate, BookUpdateKind, Bracket, Command, CommandKind, Currencies, Decimal, Event, EventBatch,
    EventBody, ExitPrice, FeedState, Flow, HedgedMargin, InstrumentId, InstrumentKind, InstrumentSpec,
    LotMethod, Money, OrderId, OrderKind, Positions, Quote, Sessions, Side, Size, StrategyId, TimeInForce,
    Trade,
};

use crate::bytes::Bytes;

/// Answers to one event at most: a strategy that answers every answer would never let time go on.
const ANSWERS_MAX: u32 = 8;

/// Plays events and orders; after every step the ledger's own check holds, and every frame can be read.
pub fn matching(data: &[u8]) {
    let mut bytes = Bytes(data);
    let kinds = [Matching::Bars, Matching::Quotes, Matching::Book, Matching::Exchange];
    let kind = kinds.get(usize::from(bytes.below(4))).copied().unwrap_or(Matching::Quotes);
    let latency_ns = i64::from(bytes.below(3));
    let modes = SelfTradePrevention::ALL;
    let mode = modes.get(usize::from(bytes.below(4))).copied().unwrap_or_default();
    let Ok(mut kernel) = Kernel::new(config(kind, latency_ns, mode)) else { return };
    kernel.subscribe_quotes(StrategyId(0), InstrumentId(0));
    kernel.subscribe_books(StrategyId(0), InstrumentId(0));
    kernel.subscribe_trades(StrategyId(0), InstrumentId(0));
    let mut time_ns = 0i64;
    while !bytes.is_empty() {
        time_ns = time_ns.saturating_add(i64::from(bytes.below(4)));
        if kernel.feed(0, batch(time_ns, &mut bytes)).is_err() {
            continue;
        }
        // Orders from outside of a call as well: markets that wake nobody are traded too.
        let outcome = answer(&mut kernel, &mut bytes).and_then(|()| run(&mut kernel, &mut bytes));
        if matches!(outcome, Err(ref error) if !matches!(error, KernelError::Value(_))) {
            break;
        }
    }
    let _ = (kernel.state_hash(), kernel.equity());
    let mut frames = Vec::new();
    kernel.take_frames(&mut frames);
    assert!(Frames::new(&frames).all(|frame| frame.is_ok_and(|frame| decode(frame).is_ok())));
}

fn run(kernel: &mut Kernel, bytes: &mut Bytes<'_>) -> Result<(), KernelError> {
    let mut left = ANSWERS_MAX;
    loop {
        let advance = kernel.advance(1)?;
        assert!(kernel.ledger().check().is_ok());
        match advance {
            Advance::Wake(Wake { .. }) if left > 0 => {
                left -= 1;
                let outcome = answer(kernel, bytes);
                if !matches!(outcome, Err(KernelError::Value(_))) {
                    outcome?;
                }
            }
            Advance::Wake(_) | Advance::Working => {}
            Advance::Idle => return Ok(()),
        }
    }
}

fn answer(kernel: &mut Kernel, bytes: &mut Bytes<'_>) -> Result<(), KernelError> {
    let strategy = StrategyId(0);
    let instrument = InstrumentId(0);
    match bytes.below(8) {
        0 | 1 => Ok(()),
        2 => {
            kernel.cancel(strategy, OrderId(u64::from(bytes.below(16))));
            Ok(())
        }
        3 => {
            let (order_id, price_ticks) = (OrderId(u64::from(bytes.below(16))), bytes.price());
            kernel.replace(strategy, order_id, price_ticks, bytes.i64()).map(drop)
        }
        4 => kernel.close(strategy, instrument).map(drop),
        _ => {
            let request = request(instrument, bytes);
            kernel.submit(strategy, &request).map(drop)
        }
    }
}

fn request(instrument: InstrumentId, bytes: &mut Bytes<'_>) -> OrderRequest {
    let side = bytes.side();
    let kind = order_kind(bytes);
    let time_in_force = match bytes.below(5) {
        0 => TimeInForce::Ioc,
        1 => TimeInForce::Fok,
        2 => TimeInForce::Gtd { expire_ns: bytes.price() },
        _ => TimeInForce::Gtc,
    };
    let exit = |bytes: &mut Bytes<'_>| match bytes.below(8) {
        0 => Some(ExitPrice::Ticks(bytes.price())),
        1 => Some(ExitPrice::Ppm(bytes.price())),
        _ => None,
    };
    OrderRequest {
        instrument,
        side,
        kind,
        time_in_force,
        post_only: bytes.below(4) == 0,
        reduce_only: bytes.below(4) == 0,
        size: if bytes.below(8) == 0 { Size::BuyingPowerPpm(bytes.i64()) } else { Size::Lots(bytes.i64()) },
        bracket: Bracket { stop_loss: exit(bytes), take_profit: exit(bytes) },
    }
}

fn order_kind(bytes: &mut Bytes<'_>) -> OrderKind {
    match bytes.below(12) {
        0 => OrderKind::Market,
        1 => OrderKind::Stop { trigger_ticks: bytes.price() },
        2 => OrderKind::StopLimit { trigger_ticks: bytes.price(), price_ticks: bytes.price() },
        3 => OrderKind::MarketIfTouched { trigger_ticks: bytes.price() },
        4 => OrderKind::LimitIfTouched { trigger_ticks: bytes.price(), price_ticks: bytes.price() },
        5 => OrderKind::TrailingStop { offset_ticks: bytes.price(), activation_ticks: bytes.i64() },
        6 => OrderKind::TrailingStopLimit {
            offset_ticks: bytes.price(),
            limit_offset_ticks: bytes.i64(),
            activation_ticks: bytes.i64(),
        },
        7 => OrderKind::MarketToLimit,
        8 => OrderKind::Iceberg { price_ticks: bytes.price(), display_lots: bytes.i64() },
        9 => OrderKind::TrailingPercent { offset_ppm: bytes.price(), activation_ticks: bytes.i64() },
        _ => OrderKind::Limit { price_ticks: bytes.price() },
    }
}

/// Makes a batch of one event.
fn batch(time_ns: i64, bytes: &mut Bytes<'_>) -> EventBatch {
    let mut batch = EventBatch::default();
    let body = match bytes.below(10) {
        0 | 1 => book(&mut batch, bytes),
        2 => {
            let [open_ticks, high_ticks, low_ticks, close_ticks] = std::array::from_fn(|_| bytes.price());
            let (open_time_ns, volume_lots) = (time_ns, bytes.i64());
            EventBody::Bar(Bar { open_time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots })
        }
        3 | 4 => {
            let (bid_ticks, bid_lots) = (bytes.price(), bytes.i64());
            let (ask_ticks, ask_lots) = (bytes.price(), bytes.i64());
            EventBody::Quote(Quote { bid_ticks, bid_lots, ask_ticks, ask_lots, update_id: 0 })
        }
        5 => {
            let (aggressor, price_ticks) = (bytes.side(), bytes.price());
            EventBody::Trade(Trade { price_ticks, lots: bytes.i64(), aggressor, trade_id: 0 })
        }
        6 | 7 => EventBody::Flow(flow(bytes)),
        8 => {
            let kind = CommandKind::PLAIN.get(usize::from(bytes.below(6))).copied();
            kind.map_or(EventBody::Clock, |kind| EventBody::Command(Command { kind }))
        }
        _ => EventBody::Feed(FeedState::Lost),
    };
    batch.events.push(Event { time_ns, instrument: InstrumentId(0), body });
    batch
}

/// Makes a book message without ids; most of them are snapshots of a sound market.
fn book(batch: &mut EventBatch, bytes: &mut Bytes<'_>) -> EventBody {
    let (bids, asks) = (bytes.levels(), bytes.levels());
    let count = |length: usize| u32::try_from(length).unwrap_or(0);
    let kind = if bytes.below(3) == 0 { BookUpdateKind::Diff } else { BookUpdateKind::Snapshot };
    batch.levels.extend(bids.iter().chain(&asks));
    EventBody::Book(BookUpdate {
        kind,
        first_id: 0,
        last_id: 0,
        prev_id: 0,
        levels_start: 0,
        bids: count(bids.len()),
        asks: count(asks.len()),
        checksum: None,
    })
}

fn flow(bytes: &mut Bytes<'_>) -> Flow {
    let side: Side = bytes.side();
    match bytes.below(4) {
        0 => Flow::Market { side, lots: bytes.i64() },
        1 => Flow::Cancel { flow_id: u64::from(bytes.below(16)) },
        _ => Flow::Limit {
            flow_id: u64::from(bytes.below(16)),
            side,
            price_ticks: bytes.price(),
            lots: bytes.i64(),
        },
    }
}

/// One instrument with ticks and lots of 1, one strategy, plenty of cash and no limits.
fn config(matching: Matching, latency_ns: i64, self_trade: SelfTradePrevention) -> KernelConfig {
    let one = Decimal { mantissa: 1, decimals: 0 };
    let instrument = InstrumentConfig {
        spec: InstrumentSpec {
            symbol: "GOLD".into(),
            tick_size: one,
            lot_size: one,
            kind: InstrumentKind::Linear,
            multiplier: one,
        },
        currencies: Currencies::default(),
        book: SequenceRule::None.into(),
        limits: Limits { order_rate_window_ns: 1_000, ..Limits::default() },
        sessions: Sessions::default(),
        borrow_ppm: 0,
        margin: None,
    };
    KernelConfig {
        instruments: vec![instrument],
        strategies: 1,
        scopes: ScopesConfig::default(),
        calls_max: 1_000_000,
        currency: "USD".into(),
        cash: Money(10i128.pow(27)),
        currencies: Vec::new(),
        fee_currency: None,
        // So too each of the three methods.
        lots: match latency_ns {
            0 => LotMethod::Fifo,
            1 => LotMethod::Lifo,
            _ => LotMethod::Average,
        },
        positions: Positions::Netting,
        hedged_margin: HedgedMargin::Both,
        leverage: Leverage { numerator: 10, denominator: 1 },
        venue: VenueConfig {
            matching,
            order_latency_ns: latency_ns,
            report_latency_ns: latency_ns,
            bar_fill: BarFill::NextOpen,
            bar_order: BarOrder::Time,
            latency_samples: None,
            queue: QueueModel::Conservative,
            self_trade,
            // Of three latencies one, so that runs of before keep their bytes.
            market_rest: if latency_ns == 2 { MarketRest::OneTickWorse } else { MarketRest::Cancel },
            bar_slippage: Slippage::default(),
            fees: FeeSchedule { maker_ppb: -10_000, taker_ppb: 40_000 },
            open_orders_max: 16,
        },
        fee_tiers: Vec::new(),
        fee_window: FeeWindow::default(),
        accounts: Vec::new(),
        destination: Destination::Simulated,
        watched: WatchedKinds::default(),
        amends: Amends::Venue,
        is_recording: true,
        has_digest: false,
        has_equity_curve: false,
        sample_ns: None,
    }
}
