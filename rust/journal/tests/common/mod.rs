//! Any record at all, for the property tests.
#![expect(clippy::unwrap_used, reason = "test code")]

use proptest::collection::vec;
use proptest::prelude::*;
use tradecore_journal::{
    CodecError, Gate, encode_account, encode_cancel_request, encode_cash_flow, encode_decision, encode_event,
    encode_link, encode_liquidation, encode_margin, encode_order, encode_refused, encode_replace_request,
    encode_report, encode_revision, encode_sent, encode_session, encode_session_end, encode_sized,
    encode_state_hash, encode_surprise, encode_venue,
};
use tradecore_types::{
    AccountChange, AccountEvent, Adopted, AdoptedBody, Balance, Bar, BookUpdate, BookUpdateKind,
    BookedRevision, Bracket, CancelReason, CashConversion, CashFlow, CashFlowKind, Command, CommandKind,
    CurrencyId, Decimal, Event, EventBody, ExitPrice, FeedState, Flow, Funding, GuardState, InstrumentId,
    Level, LimitChange, LimitName, LimitValue, Liquidation, Liquidity, Mark, Money, Opening, OpeningLot,
    OpeningPrice, OrderId, OrderIntent, OrderKind, Permission, PersonName, Quote, Refusal, RejectReason,
    Release, Report, ReportBody, Rule, Scope, Sent, SentBody, Side, Size, Stop, StrategyId, Surprise,
    SurpriseKind, TimeInForce, TimeNs, Trade, TradeRevision, Traded, VenueEvent, VenueReport, Within,
};

/// A record with everything it owns.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    Session { engine_version: String, config: Vec<u8> },
    SessionEnd { reason: String },
    StateHash([u8; 32]),
    Event { body: EventBody, instrument: InstrumentId, bids: Vec<Level>, asks: Vec<Level> },
    Account(AccountEvent),
    Order { intent: OrderIntent, reference_ticks: i64 },
    Refused { intent: OrderIntent, refusal: Refusal },
    CancelRequest { order_id: OrderId, strategy: StrategyId },
    ReplaceRequest { order_id: OrderId, price_ticks: Option<i64>, lots: i64 },
    Link { order_id: OrderId, after: Option<OrderId>, oco: Option<OrderId> },
    Sized { order_id: OrderId, lots: i64 },
    Sent(Sent),
    Report(Report),
    Revision(BookedRevision),
    Venue { instrument: InstrumentId, said: VenueEvent },
    Surprise(Surprise),
    CashFlow(CashFlow),
    Liquidation(Liquidation),
    Margin { strategy: StrategyId, instrument: InstrumentId, amount: Money },
    Decision { ids: (u16, u32, u8), reason: String, gates: Vec<(String, f64, f64, bool)> },
}

/// Encodes a record with the function of its kind.
pub fn encode(out: &mut Vec<u8>, time_ns: TimeNs, record: &Owned) -> Result<(), CodecError> {
    match record {
        Owned::Session { engine_version, config } => encode_session(out, time_ns, engine_version, config)?,
        Owned::SessionEnd { reason } => encode_session_end(out, time_ns, reason)?,
        Owned::StateHash(hash) => encode_state_hash(out, time_ns, hash),
        Owned::Event { body, instrument, bids, asks } => {
            encode_event(out, &Event { time_ns, instrument: *instrument, body: *body }, bids, asks)?;
        }
        Owned::Account(event) => encode_account(out, time_ns, event)?,
        Owned::Order { intent, reference_ticks } => encode_order(out, time_ns, intent, *reference_ticks),
        Owned::Refused { intent, refusal } => encode_refused(out, time_ns, intent, refusal),
        Owned::CancelRequest { order_id, strategy } => {
            encode_cancel_request(out, time_ns, *order_id, *strategy);
        }
        Owned::ReplaceRequest { order_id, price_ticks, lots } => {
            encode_replace_request(out, time_ns, *order_id, *price_ticks, *lots);
        }
        Owned::Link { order_id, after, oco } => encode_link(out, time_ns, *order_id, *after, *oco),
        Owned::Sized { order_id, lots } => encode_sized(out, time_ns, *order_id, *lots),
        Owned::Sent(sent) => encode_sent(out, time_ns, sent),
        Owned::Report(report) => encode_report(out, time_ns, report),
        Owned::Revision(booked) => encode_revision(out, time_ns, &booked.named(&*booked.trade_id))?,
        Owned::Venue { instrument, said } => encode_venue(out, time_ns, *instrument, &said.borrowed())?,
        Owned::Surprise(surprise) => encode_surprise(out, time_ns, *surprise),
        Owned::CashFlow(flow) => encode_cash_flow(out, time_ns, flow),
        Owned::Liquidation(liquidation) => encode_liquidation(out, time_ns, liquidation),
        Owned::Margin { strategy, instrument, amount } => {
            encode_margin(out, time_ns, *strategy, *instrument, *amount);
        }
        Owned::Decision { ids: (strategy, instrument, action), reason, gates } => {
            let gates: Vec<Gate<'_>> = gates
                .iter()
                .map(|(name, limit, value, passed)| Gate {
                    name,
                    limit: *limit,
                    value: *value,
                    passed: *passed,
                })
                .collect();
            let (strategy, instrument) = (StrategyId(*strategy), InstrumentId(*instrument));
            encode_decision(out, time_ns, strategy, instrument, *action, reason, &gates)?;
        }
    }
    Ok(())
}

/// Encodes records one after the other, their index as their time.
pub fn encode_all(records: &[Owned]) -> Vec<u8> {
    let mut out = Vec::new();
    for (time_ns, record) in (0i64..).zip(records) {
        encode(&mut out, time_ns, record).unwrap();
    }
    out
}

/// Any record.
pub fn record() -> impl Strategy<Value = Owned> {
    prop_oneof![
        (".{0,20}", vec(any::<u8>(), 0..200))
            .prop_map(|(engine_version, config)| Owned::Session { engine_version, config }),
        ".{0,40}".prop_map(|reason| Owned::SessionEnd { reason }),
        any::<[u8; 32]>().prop_map(Owned::StateHash),
        event(),
        account_event().prop_map(Owned::Account),
        (intent(), any::<i64>())
            .prop_map(|(intent, reference_ticks)| Owned::Order { intent, reference_ticks }),
        (intent(), refusal()).prop_map(|(intent, refusal)| Owned::Refused { intent, refusal }),
        (any::<u64>(), any::<u16>()).prop_map(|(order_id, strategy)| Owned::CancelRequest {
            order_id: OrderId(order_id),
            strategy: StrategyId(strategy),
        }),
        (any::<u64>(), stated_price(), any::<i64>()).prop_map(|(order_id, price_ticks, lots)| {
            Owned::ReplaceRequest { order_id: OrderId(order_id), price_ticks, lots }
        }),
        any::<[u64; 3]>().prop_map(|[order_id, after, oco]| {
            // Orders count from 1: 0 is none.
            let some = |number: u64| (number != 0).then_some(OrderId(number));
            Owned::Link { order_id: OrderId(order_id), after: some(after % 3), oco: some(oco) }
        }),
        any::<(u64, i64)>().prop_map(|(order_id, lots)| Owned::Sized { order_id: OrderId(order_id), lots }),
        sent().prop_map(Owned::Sent),
        report().prop_map(Owned::Report),
        booked_revision().prop_map(Owned::Revision),
        (any::<u32>(), said())
            .prop_map(|(instrument, said)| Owned::Venue { instrument: InstrumentId(instrument), said }),
        (any::<u64>(), proptest::sample::select(SurpriseKind::ALL.as_slice()))
            .prop_map(|(order_id, kind)| { Owned::Surprise(Surprise { order_id: OrderId(order_id), kind }) }),
        cash_flow().prop_map(Owned::CashFlow),
        liquidation().prop_map(Owned::Liquidation),
        any::<(u16, u32, i128)>().prop_map(|(strategy, instrument, amount)| Owned::Margin {
            strategy: StrategyId(strategy),
            instrument: InstrumentId(instrument),
            amount: Money(amount),
        }),
        (
            any::<(u16, u32, u8)>(),
            ".{0,40}",
            vec((".{0,20}", any::<f64>(), any::<f64>(), any::<bool>()), 0..5)
        )
            .prop_map(|(ids, reason, gates)| Owned::Decision { ids, reason, gates }),
    ]
}

fn event() -> impl Strategy<Value = Owned> {
    let levels =
        || vec(any::<(i64, i64)>().prop_map(|(price_ticks, lots)| Level { price_ticks, lots }), 0..9);
    (any::<u32>(), event_body(), levels(), levels()).prop_map(|(instrument, body, bids, asks)| {
        let instrument = InstrumentId(instrument);
        match body {
            EventBody::Book(update) => {
                let count = |levels: &[Level]| u32::try_from(levels.len()).unwrap();
                let body = EventBody::Book(BookUpdate { bids: count(&bids), asks: count(&asks), ..update });
                Owned::Event { body, instrument, bids, asks }
            }
            body => Owned::Event { body, instrument, bids: vec![], asks: vec![] },
        }
    })
}

fn event_body() -> impl Strategy<Value = EventBody> {
    let kind = prop_oneof![Just(BookUpdateKind::Snapshot), Just(BookUpdateKind::Diff)];
    prop_oneof![
        any::<[i64; 6]>().prop_map(
            |[open_time_ns, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots]| {
                EventBody::Bar(Bar {
                    open_time_ns,
                    open_ticks,
                    high_ticks,
                    low_ticks,
                    close_ticks,
                    volume_lots,
                })
            }
        ),
        any::<([i64; 4], u64)>().prop_map(|([bid_ticks, bid_lots, ask_ticks, ask_lots], update_id)| {
            EventBody::Quote(Quote { bid_ticks, bid_lots, ask_ticks, ask_lots, update_id })
        }),
        (any::<(i64, i64, u64)>(), side()).prop_map(|((price_ticks, lots, trade_id), aggressor)| {
            EventBody::Trade(Trade { price_ticks, lots, aggressor, trade_id })
        }),
        (kind, any::<[u64; 3]>(), any::<Option<u32>>()).prop_map(
            |(kind, [first_id, last_id, prev_id], checksum)| {
                let (levels_start, bids, asks) = (0, 0, 0);
                EventBody::Book(BookUpdate {
                    kind,
                    first_id,
                    last_id,
                    prev_id,
                    levels_start,
                    bids,
                    asks,
                    checksum,
                })
            }
        ),
        flow().prop_map(EventBody::Flow),
        Just(EventBody::Feed(FeedState::Lost)),
        Just(EventBody::Feed(FeedState::Past)),
        command().prop_map(|kind| EventBody::Command(Command { kind })),
        any::<i64>().prop_map(|price_ticks| EventBody::Mark(Mark { price_ticks })),
        (any::<i64>(), stated_price())
            .prop_map(|(rate_ppb, mark_ticks)| EventBody::Funding(Funding { rate_ppb, mark_ticks })),
        Just(EventBody::Clock),
    ]
}

fn account_event() -> impl Strategy<Value = AccountEvent> {
    let change = || {
        (".{0,9}", any::<i128>(), ".{0,20}").prop_map(|(currency, amount, reason)| AccountChange {
            currency,
            amount: Money(amount),
            reason,
        })
    };
    prop_oneof![
        opening().prop_map(AccountEvent::Opening),
        change().prop_map(AccountEvent::Adjustment),
        change().prop_map(AccountEvent::Transfer),
        ([balance(), balance(), balance()], any::<i128>(), ".{0,20}").prop_map(
            |([given, received, fee], rate, reason)| {
                AccountEvent::Conversion(CashConversion { given, received, rate, fee, reason })
            }
        ),
    ]
}

fn balance() -> impl Strategy<Value = Balance> {
    (".{0,9}", any::<i128>()).prop_map(|(currency, amount)| Balance { currency, amount: Money(amount) })
}

fn opening() -> impl Strategy<Value = Opening> {
    let balance =
        (".{0,9}", any::<i128>()).prop_map(|(currency, amount)| Balance { currency, amount: Money(amount) });
    let lot = any::<(u16, u32, u64, [i64; 3], i128, Option<i128>)>().prop_map(
        |(strategy, instrument, entry_order, [entry_time_ns, entry_ticks, lots], fee, cost)| OpeningLot {
            strategy: StrategyId(strategy),
            instrument: InstrumentId(instrument),
            entry_order: OrderId(entry_order),
            entry_time_ns,
            entry_ticks,
            lots,
            fee: Money(fee),
            cost: cost.map(Money),
        },
    );
    let price = any::<(u32, i64)>()
        .prop_map(|(id, price_ticks)| OpeningPrice { instrument: InstrumentId(id), price_ticks });
    let rule = proptest::sample::select(Rule::ALL.as_slice());
    let guard = (any::<Option<u16>>(), any::<[i128; 4]>(), any::<Option<i64>>(), rule, any::<Option<i128>>())
        .prop_map(|(strategy, [cash, last, peak, day_start], day, rule, halt)| GuardState {
            scope: strategy.map_or(Scope::ACCOUNT, |id| Scope::Strategy(StrategyId(id))),
            cash: Money(cash),
            last: Money(last),
            peak: Money(peak),
            day_start: Money(day_start),
            day,
            halt: halt.map(|limit| (rule, limit, limit.wrapping_add(1))),
        });
    let lists = (vec(balance, 0..3), vec(lot, 0..4), vec(price, 0..3), vec(guard, 0..3));
    (lists, any::<(u64, u64, Option<i128>, Option<[u8; 32]>)>(), ".{0,30}").prop_map(
        |((cash, lots, prices, guards), (last_order_id, market_events, brought, before), changed)| {
            let brought = brought.map(Money);
            Opening { cash, brought, lots, prices, guards, last_order_id, market_events, before, changed }
        },
    )
}

fn liquidation() -> impl Strategy<Value = Liquidation> {
    any::<(u16, u32, u64, i64, i64, i128, i128)>().prop_map(
        |(strategy, instrument, order_id, price_ticks, lots, equity, maintenance)| Liquidation {
            strategy: StrategyId(strategy),
            instrument: InstrumentId(instrument),
            order_id: OrderId(order_id),
            price_ticks,
            lots,
            equity: Money(equity),
            maintenance: Money(maintenance),
        },
    )
}

fn cash_flow() -> impl Strategy<Value = CashFlow> {
    let kind = proptest::sample::select(CashFlowKind::ALL.as_slice());
    (any::<(i64, u16, u32, i128)>(), kind).prop_map(|((time_ns, strategy, instrument, amount), kind)| {
        let (strategy, instrument) = (StrategyId(strategy), InstrumentId(instrument));
        CashFlow { time_ns, strategy, instrument, kind, amount: Money(amount) }
    })
}

fn command() -> impl Strategy<Value = CommandKind> {
    let scope = || {
        prop_oneof![
            Just(Scope::ACCOUNT),
            any::<u16>().prop_map(|id| Scope::Strategy(StrategyId(id))),
            any::<u32>().prop_map(|id| Scope::Instrument(InstrumentId(id))),
        ]
    };
    let limit = proptest::sample::select(LimitName::ALL.as_slice());
    let value = proptest::option::of(
        (any::<i64>(), 0..=18u8).prop_map(|(mantissa, decimals)| Decimal { mantissa, decimals }),
    );
    let person = || "[a-zA-Zö]{1,16}".prop_map(|name| PersonName::new(&name).unwrap());
    prop_oneof![
        proptest::sample::select(CommandKind::PLAIN.as_slice()),
        (scope(), limit, value, proptest::option::of(person())).prop_map(|(scope, limit, value, person)| {
            CommandKind::SetLimit(LimitChange { scope, limit, value: LimitValue::of(value), person })
        }),
        (scope(), person()).prop_map(|(scope, person)| CommandKind::Release(Release { scope, person })),
        (scope(), proptest::sample::select(Stop::ALL.as_slice()))
            .prop_map(|(scope, stop)| CommandKind::Within(Within { stop, scope })),
        any::<u64>().prop_map(|id| CommandKind::Cancel(OrderId(id))),
        (any::<(u16, u32, bool)>(), person()).prop_map(|((strategy, instrument, is_allowed), person)| {
            let (strategy, instrument) = (StrategyId(strategy), InstrumentId(instrument));
            CommandKind::Permit(Permission { strategy, instrument, is_allowed, person })
        }),
    ]
}

fn flow() -> impl Strategy<Value = Flow> {
    prop_oneof![
        (any::<(u64, i64, i64)>(), side()).prop_map(|((flow_id, price_ticks, lots), side)| Flow::Limit {
            flow_id,
            side,
            price_ticks,
            lots
        }),
        (any::<i64>(), side()).prop_map(|(lots, side)| Flow::Market { side, lots }),
        any::<u64>().prop_map(|flow_id| Flow::Cancel { flow_id }),
    ]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn order_kind() -> impl Strategy<Value = OrderKind> {
    let number = any::<i64>;
    prop_oneof![
        Just(OrderKind::Market),
        Just(OrderKind::MarketToLimit),
        number().prop_map(|price_ticks| OrderKind::Limit { price_ticks }),
        number().prop_map(|trigger_ticks| OrderKind::Stop { trigger_ticks }),
        number().prop_map(|trigger_ticks| OrderKind::MarketIfTouched { trigger_ticks }),
        any::<(i64, i64)>()
            .prop_map(|(trigger_ticks, price_ticks)| OrderKind::StopLimit { trigger_ticks, price_ticks }),
        any::<(i64, i64)>().prop_map(|(trigger_ticks, price_ticks)| OrderKind::LimitIfTouched {
            trigger_ticks,
            price_ticks
        }),
        any::<(i64, i64)>()
            .prop_map(|(price_ticks, display_lots)| OrderKind::Iceberg { price_ticks, display_lots }),
        any::<(i64, i64)>().prop_map(|(offset_ticks, activation_ticks)| OrderKind::TrailingStop {
            offset_ticks,
            activation_ticks
        }),
        any::<(i64, i64)>().prop_map(|(offset_ppm, activation_ticks)| OrderKind::TrailingPercent {
            offset_ppm,
            activation_ticks
        }),
        any::<(i64, i64, i64)>().prop_map(|(offset_ticks, limit_offset_ticks, activation_ticks)| {
            OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks, activation_ticks }
        }),
    ]
}

fn intent() -> impl Strategy<Value = OrderIntent> {
    let kind = order_kind();
    let expires = prop_oneof![
        any::<i64>().prop_map(|expire_ns| TimeInForce::Gtd { expire_ns }),
        any::<i64>().prop_map(|expire_ns| TimeInForce::Day { expire_ns }),
    ];
    let time_in_force =
        prop_oneof![Just(TimeInForce::Gtc), Just(TimeInForce::Ioc), Just(TimeInForce::Fok), expires];
    let size = prop_oneof![any::<i64>().prop_map(Size::Lots), any::<i64>().prop_map(Size::BuyingPowerPpm)];
    let ids = any::<(u64, u16, u32, i64)>();
    let exit = || {
        prop_oneof![
            Just(None),
            any::<i64>().prop_map(|ticks| Some(ExitPrice::Ticks(ticks))),
            any::<i64>().prop_map(|ppm| Some(ExitPrice::Ppm(ppm))),
        ]
    };
    let flags = (any::<bool>(), any::<bool>(), exit(), exit(), any::<Option<u64>>());
    (ids, side(), kind, time_in_force, size, flags).prop_map(
        |((order_id, strategy, instrument, time_ns), side, kind, time_in_force, size, flags)| {
            let (post_only, reduce_only, stop_loss, take_profit, closes) = flags;
            OrderIntent {
                order_id: OrderId(order_id),
                strategy: StrategyId(strategy),
                instrument: InstrumentId(instrument),
                side,
                kind,
                time_in_force,
                post_only,
                reduce_only,
                size,
                bracket: Bracket { stop_loss, take_profit },
                closes: closes.map(OrderId),
                time_ns,
            }
        },
    )
}

fn refusal() -> impl Strategy<Value = Refusal> {
    (proptest::sample::select(Rule::ALL.as_slice()), any::<(i128, i128)>())
        .prop_map(|(rule, (limit, value))| Refusal { rule, limit, value })
}

fn report() -> impl Strategy<Value = Report> {
    let reject = || proptest::sample::select(RejectReason::ALL.as_slice());
    let liquidity = prop_oneof![Just(Liquidity::Maker), Just(Liquidity::Taker)];
    let body = prop_oneof![
        Just(ReportBody::Accepted),
        Just(ReportBody::Triggered),
        any::<i64>().prop_map(|price_ticks| ReportBody::TriggeredAt { price_ticks }),
        Just(ReportBody::Expired),
        reject().prop_map(ReportBody::Rejected),
        reject().prop_map(ReportBody::CancelRejected),
        reject().prop_map(ReportBody::ReplaceRejected),
        proptest::sample::select(CancelReason::ALL.as_slice()).prop_map(ReportBody::Canceled),
        (stated_price(), any::<i64>())
            .prop_map(|(price_ticks, lots)| ReportBody::Replaced { price_ticks, lots }),
        (stated_price(), any::<i64>())
            .prop_map(|(price_ticks, lots)| ReportBody::Restated { price_ticks, lots }),
        (any::<(i64, i64, i128, Option<u8>)>(), liquidity).prop_map(
            |((price_ticks, lots, fee, fee_currency), liquidity)| {
                let fee_currency = fee_currency.map(CurrencyId);
                ReportBody::Fill { price_ticks, lots, liquidity, fee: Money(fee), fee_currency }
            }
        ),
    ];
    (any::<(i64, u64)>(), body).prop_map(|((venue_time_ns, order_id), body)| Report {
        venue_time_ns,
        order_id: OrderId(order_id),
        body,
    })
}

fn said() -> impl Strategy<Value = VenueEvent> {
    let id = || proptest::option::of(".{1,60}".prop_map(String::into_boxed_str));
    prop_oneof![
        (report(), id(), id(), any::<Option<i64>>()).prop_map(
            |(report, venue_order_id, trade_id, filled_lots)| {
                VenueEvent::Report(VenueReport { report, venue_order_id, trade_id, filled_lots })
            }
        ),
        any::<u64>().prop_map(|order_id| VenueEvent::OutcomeLost { order_id: OrderId(order_id) }),
        Just(VenueEvent::Reconciling),
        Just(VenueEvent::Reconciled),
        adopted().prop_map(VenueEvent::Adopted),
        revision().prop_map(VenueEvent::Revision),
    ]
}

fn trade_id() -> impl Strategy<Value = Box<str>> {
    ".{1,60}".prop_map(String::into_boxed_str)
}

fn traded() -> impl Strategy<Value = Option<Traded>> {
    let numbers = any::<(i64, i64, bool, i128, Option<u8>)>();
    proptest::option::of(numbers.prop_map(|(price_ticks, lots, is_maker, fee, currency)| Traded {
        price_ticks,
        lots,
        liquidity: if is_maker { Liquidity::Maker } else { Liquidity::Taker },
        fee: Money(fee),
        fee_currency: currency.map(CurrencyId),
    }))
}

fn revision() -> impl Strategy<Value = TradeRevision> {
    let names = (trade_id(), proptest::option::of(trade_id()));
    (any::<(i64, u64, u64)>(), names, traded(), any::<Option<i64>>()).prop_map(
        |((venue_time_ns, order_id, revision), (trade_id, venue_order_id), traded, filled_lots)| {
            TradeRevision {
                venue_time_ns,
                order_id: OrderId(order_id),
                trade_id,
                venue_order_id,
                revision,
                traded,
                filled_lots,
            }
        },
    )
}

fn booked_revision() -> impl Strategy<Value = BookedRevision> {
    let ids = any::<(i64, u64, u16, u32, bool, u64, u64)>();
    (ids, trade_id(), traded(), traded()).prop_map(
        |(
            (venue_time_ns, order_id, strategy, instrument, is_buy, closes, revision),
            trade_id,
            before,
            after,
        )| {
            BookedRevision {
                venue_time_ns,
                order_id: OrderId(order_id),
                strategy: StrategyId(strategy),
                instrument: InstrumentId(instrument),
                side: if is_buy { Side::Buy } else { Side::Sell },
                // Orders count from 1: 0 is none.
                closes: (closes % 3 != 0).then_some(OrderId(closes)),
                trade_id,
                revision,
                before,
                after,
            }
        },
    )
}

fn adopted() -> impl Strategy<Value = Adopted> {
    let id = || proptest::option::of(".{1,60}".prop_map(String::into_boxed_str));
    let body = prop_oneof![
        stated_price().prop_map(|price_ticks| AdoptedBody::Order { price_ticks }),
        (any::<i64>(), any::<i128>(), any::<Option<u8>>()).prop_map(|(price_ticks, fee, currency)| {
            AdoptedBody::Position { price_ticks, fee: Money(fee), fee_currency: currency.map(CurrencyId) }
        }),
    ];
    let numbers = (any::<u16>(), any::<bool>(), any::<i64>(), any::<i64>());
    (numbers, body, id(), id()).prop_map(
        |((strategy, is_buy, lots, venue_time_ns), body, venue_order_id, client_order_id)| Adopted {
            strategy: StrategyId(strategy),
            side: if is_buy { Side::Buy } else { Side::Sell },
            lots,
            venue_time_ns,
            body,
            venue_order_id,
            client_order_id,
        },
    )
}

/// A stated price, or none; 0 is no price.
fn stated_price() -> impl Strategy<Value = Option<i64>> {
    any::<i64>().prop_map(|price_ticks| (price_ticks != 0).then_some(price_ticks))
}

fn sent() -> impl Strategy<Value = Sent> {
    let body = prop_oneof![
        any::<Option<i64>>().prop_map(|lots| SentBody::New { lots }),
        Just(SentBody::Cancel),
        (stated_price(), any::<i64>())
            .prop_map(|(price_ticks, lots)| SentBody::Replace { price_ticks, lots }),
    ];
    (any::<u64>(), body).prop_map(|(order_id, body)| Sent { order_id: OrderId(order_id), body })
}
