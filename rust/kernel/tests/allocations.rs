//! After warm-up an event, an order and a fill take no memory from the system.
//!
//! The table of closed trades is a result and grows with it; it has room for the trades of these tests.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::cell::Cell;
use std::sync::Arc;

use common::{
    ANNA, BERT, GOLD, Item, Rig, bar, batch, config, diff, flow_limit, limit, market, money, quote, snapshot,
    stop, subscribe, trade,
};
use tradecore_kernel::{Advance, Kernel, KernelConfig, Matching, OrderRequest, Wake, WakeBody};
use tradecore_types::{Bracket, EventBatch, OrderId, OrderKind, ReportBody, Side, TimeInForce};

/// Rounds before the count begins, and rounds that are counted.
const ROUNDS: [i64; 2] = [400, 200];

/// An engine as a backtest makes it, everybody subscribed to everything.
fn engine(matching: Matching) -> Kernel {
    let plain = config(matching);
    let config = KernelConfig { is_recording: false, cash: money(1_000_000_000), ..plain };
    let mut rig = Rig::new(config);
    subscribe(&mut rig.kernel);
    rig.kernel
}

/// Consumes everything fed, lets `answer` answer every wake-up and returns how many there were.
fn consume(kernel: &mut Kernel, answer: &mut impl FnMut(&mut Kernel, &Wake)) -> u64 {
    let mut wakes = 0;
    loop {
        match kernel.advance(64).unwrap() {
            Advance::Wake(wake) => {
                wakes += 1;
                answer(kernel, &wake);
            }
            Advance::Idle => return wakes,
            Advance::Working => {}
        }
    }
}

/// Plays rounds of the same events, the later ones under the count; returns how many blocks were asked for.
fn blocks_asked_for(
    kernel: &mut Kernel,
    round: impl Fn(i64) -> Vec<Item>,
    mut answer: impl FnMut(&mut Kernel, &Wake),
) -> u64 {
    let [warm, counted] = ROUNDS;
    let mut batches: Vec<Arc<EventBatch>> =
        (0..warm + counted).map(|number| Arc::new(batch(&round(number)))).collect();
    let later = batches.split_off(usize::try_from(warm).unwrap());
    let warm_up = allocation_counter::measure(|| {
        for batch in batches {
            kernel.feed(0, batch).unwrap();
            consume(kernel, &mut answer);
        }
    });
    assert!(warm_up.count_total > 0, "the count counts");
    let events = kernel.counters().events;
    let count = allocation_counter::measure(|| {
        for batch in later {
            kernel.feed(0, batch).unwrap();
            assert!(consume(kernel, &mut answer) > 0);
        }
    });
    assert!(kernel.counters().events - events >= u64::try_from(counted).unwrap());
    count.count_total
}

/// Buys or sells in turn at every event, amends and cancels a limit and a stop and sends them anew.
fn trader() -> impl FnMut(&mut Kernel, &Wake) {
    let mut turn = 0;
    let mut events = 0;
    let mut older: [Option<OrderId>; 2] = [None; 2];
    move |kernel, _| {
        // Once an event: on a simulated exchange every order of ours is a change of the book again.
        if kernel.counters().events == events {
            return;
        }
        events = kernel.counters().events;
        turn += 1;
        let side = if turn % 2 == 0 { Side::Sell } else { Side::Buy };
        kernel.submit(ANNA, &market(GOLD, side, 1)).unwrap();
        for order_id in older.into_iter().flatten() {
            kernel.replace(BERT, order_id, 61, 2).unwrap();
            kernel.cancel(BERT, order_id);
        }
        let waiting = [limit(GOLD, Side::Buy, 60, 1), stop(GOLD, Side::Sell, 60, 1)];
        older = waiting.map(|request| approved(kernel, &request));
    }
}

fn approved(kernel: &mut Kernel, request: &OrderRequest) -> Option<OrderId> {
    match kernel.submit(BERT, request).unwrap() {
        tradecore_kernel::Verdict::Approved(order_id) => Some(order_id),
        tradecore_kernel::Verdict::Refused(_) => None,
    }
}

#[test]
fn quotes_and_trades_with_orders_filled_amended_and_cancelled_take_no_memory() {
    let mut kernel = engine(Matching::Quotes);
    let round = |number| {
        vec![
            quote(number * 10, GOLD, (100 + number % 3, 50), (104 + number % 3, 50)),
            trade(number * 10 + 5, GOLD, Side::Buy, 104, 3),
        ]
    };
    assert_eq!(blocks_asked_for(&mut kernel, round, trader()), 0);
    assert!(kernel.counters().fills > 300, "{:?}", kernel.counters());
}

#[test]
fn one_batch_that_is_filled_fed_and_run_again_and_again_takes_no_memory() {
    let mut kernel = engine(Matching::Book);
    let mut events = Arc::new(batch(&[snapshot(0, 1, &[(100, 50), (99, 50)], &[(104, 50), (105, 50)])]));
    let rounds: Vec<EventBatch> = (1..600)
        .map(|number: u32| {
            let id = u64::from(number) + 1;
            batch(&[diff(i64::from(number) * 10, id, &[(100, 50)], &[(104, 40), (105, 50)])])
        })
        .collect();
    let mut live = |kernel: &mut Kernel, round: &EventBatch| {
        kernel.feed(0, Arc::clone(&events)).unwrap();
        consume(kernel, &mut |_, _| {});
        // The engine has let go of what is used up: there is one owner, and nothing to copy.
        let filled = Arc::get_mut(&mut events).unwrap();
        filled.clear();
        filled.events.extend_from_slice(&round.events);
        filled.levels.extend_from_slice(&round.levels);
    };
    let (warm_up, counted) = rounds.split_at(400);
    let mut all = |rounds: &[EventBatch]| rounds.iter().for_each(|round| live(&mut kernel, round));
    all(warm_up);
    let count = allocation_counter::measure(|| all(counted));
    assert_eq!((count.count_total, kernel.counters().events), (0, 599));
}

#[test]
fn book_messages_with_orders_take_no_memory() {
    let mut kernel = engine(Matching::Book);
    kernel.feed(0, batch(&[snapshot(0, 1, &[(100, 50), (99, 50)], &[(104, 50), (105, 50)])])).unwrap();
    let round = |number: i64| {
        let id = u64::try_from(number).unwrap() + 2;
        let (bid, ask) = (90 + number % 9, 105 + number % 7);
        vec![
            diff(number * 10 + 1, id, &[(bid, number % 4), (100, 50)], &[(ask, number % 5), (104, 50)]),
            trade(number * 10 + 5, GOLD, Side::Sell, 100, 3),
        ]
    };
    assert_eq!(blocks_asked_for(&mut kernel, round, trader()), 0);
    assert!(kernel.counters().fills > 300, "{:?}", kernel.counters());
}

#[test]
fn bars_with_orders_take_no_memory() {
    let mut kernel = engine(Matching::Bars);
    let round = |number| vec![bar(number * 10, number * 10 + 10, GOLD, [100, 103, 97, 101])];
    let mut act = trader();
    let bracket = Bracket::at(Some(80), Some(102));
    let answer = move |kernel: &mut Kernel, wake: &Wake| {
        act(kernel, wake);
        if let WakeBody::Bar { .. } = wake.body {
            let entry = OrderRequest { bracket, ..market(GOLD, Side::Buy, 1) };
            kernel.submit(ANNA, &entry).unwrap();
        }
    };
    assert_eq!(blocks_asked_for(&mut kernel, round, answer), 0);
    assert!(kernel.counters().fills > 300, "{:?}", kernel.counters());
}

#[test]
fn the_flow_of_a_simulated_exchange_takes_no_memory() {
    let mut kernel = engine(Matching::Exchange);
    let round = |number: i64| {
        let id = u64::try_from(number).unwrap() * 2 + 1;
        vec![
            flow_limit(number * 10, id, Side::Buy, 100 + number % 3, 5),
            flow_limit(number * 10 + 5, id + 1, Side::Sell, 100 + number % 4, 5),
        ]
    };
    assert_eq!(blocks_asked_for(&mut kernel, round, trader()), 0);
    assert!(kernel.counters().fills > 100, "{:?}", kernel.counters());
}

/// Counts the reports that `is_meant` names, before `answer` answers the event; once an event, as [`trader`].
fn counting<'a>(
    count: &'a Cell<u32>,
    is_meant: impl Fn(&ReportBody) -> bool + 'a,
    mut answer: impl FnMut(&mut Kernel, i64) + 'a,
) -> impl FnMut(&mut Kernel, &Wake) + 'a {
    let (mut events, mut turn) = (0, 0);
    move |kernel, wake| {
        if let WakeBody::Order(update) = wake.body
            && is_meant(&update.report.body)
        {
            count.set(count.get() + 1);
        }
        if kernel.counters().events != events {
            events = kernel.counters().events;
            turn += 1;
            answer(kernel, turn);
        }
    }
}

#[test]
fn orders_that_expire_by_a_time_or_with_the_day_take_no_memory() {
    const QUARTER_NS: i64 = 21_600_000_000_000;
    let mut kernel = engine(Matching::Quotes);
    let round = |number: i64| {
        let at_ns = number * QUARTER_NS;
        vec![quote(at_ns, GOLD, (100, 50), (104, 50)), trade(at_ns + 5, GOLD, Side::Buy, 104, 3)]
    };
    let expired = Cell::new(0);
    let answer = counting(
        &expired,
        |body| *body == ReportBody::Expired,
        |kernel, _| {
            let (now_ns, day_ns) = (kernel.now_ns(), kernel.session_end_ns(GOLD).unwrap());
            for expire_ns in [now_ns + 2, now_ns + 3 * QUARTER_NS] {
                let good_till = TimeInForce::Gtd { expire_ns };
                let order = OrderRequest { time_in_force: good_till, ..limit(GOLD, Side::Buy, 60, 1) };
                approved(kernel, &order).unwrap();
            }
            let of_the_day = TimeInForce::Day { expire_ns: day_ns };
            let order = OrderRequest { time_in_force: of_the_day, ..stop(GOLD, Side::Sell, 60, 1) };
            approved(kernel, &order).unwrap();
        },
    );
    assert_eq!(blocks_asked_for(&mut kernel, round, answer), 0);
    assert!(expired.get() > 3_000, "{}", expired.get());
}

#[test]
fn stops_and_trailing_stops_that_are_set_off_take_no_memory() {
    let mut kernel = engine(Matching::Quotes);
    let round = |number: i64| {
        let price = 100 + [0, 3, 6, 3][usize::try_from(number % 4).unwrap()];
        vec![
            quote(number * 10, GOLD, (price - 1, 50), (price + 1, 50)),
            trade(number * 10 + 5, GOLD, Side::Buy, price, 3),
        ]
    };
    let set_off = Cell::new(0);
    let answer = counting(
        &set_off,
        |body| *body == ReportBody::Triggered,
        |kernel, turn| {
            let side = if turn % 2 == 0 { Side::Buy } else { Side::Sell };
            let offset_ticks = 2;
            let kinds = [
                OrderKind::Stop { trigger_ticks: 103 },
                OrderKind::StopLimit { trigger_ticks: 103, price_ticks: 103 },
                OrderKind::TrailingStop { offset_ticks, activation_ticks: 0 },
                OrderKind::TrailingStopLimit { offset_ticks, limit_offset_ticks: 9, activation_ticks: 0 },
            ];
            // Few enough that the table of closed trades has room for all.
            if turn % 3 == 0 && kernel.orders().len() < 40 {
                for kind in kinds {
                    approved(kernel, &OrderRequest { kind, ..market(GOLD, side, 1) }).unwrap();
                }
            } else if let Some(oldest) = kernel.orders().iter().map(|order| order.intent.order_id).min() {
                kernel.cancel(BERT, oldest);
            }
        },
    );
    assert_eq!(blocks_asked_for(&mut kernel, round, answer), 0);
    assert!(set_off.get() > 500, "{}", set_off.get());
    assert!(kernel.counters().fills > 500, "{:?}", kernel.counters());
}

#[test]
fn brackets_of_which_one_exit_fills_and_the_other_is_withdrawn_take_no_memory() {
    let mut kernel = engine(Matching::Quotes);
    let round = |number: i64| {
        let price = 100 + [0, 6, 0, -6][usize::try_from(number % 4).unwrap()];
        vec![
            quote(number * 10, GOLD, (price - 1, 50), (price + 1, 50)),
            trade(number * 10 + 5, GOLD, Side::Buy, price, 3),
        ]
    };
    let withdrawn = Cell::new(0);
    let answer = counting(
        &withdrawn,
        |body| matches!(body, ReportBody::Canceled(_)),
        |kernel, turn| {
            let (side, offset) = if turn % 2 == 0 { (Side::Buy, 4) } else { (Side::Sell, -4) };
            let (bid, ask) = kernel.best(GOLD);
            let at = bid.unwrap().midpoint(ask.unwrap());
            let bracket = Bracket::at(Some(at - offset), Some(at + offset));
            approved(kernel, &OrderRequest { bracket, ..market(GOLD, side, 1) }).unwrap();
        },
    );
    assert_eq!(blocks_asked_for(&mut kernel, round, answer), 0);
    assert!(withdrawn.get() > 500, "{}", withdrawn.get());
    assert!(kernel.counters().fills > 1_400, "{:?}", kernel.counters());
}
