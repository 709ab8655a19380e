//! Databento's market by order, from bytes to the book.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use tradecore_book::{Depth, OrderBook, OrderChange, RestingOrder};
use tradecore_feeds::{MboAction, MboReader, MboRecord};
use tradecore_types::{Level, Side};

/// A quarter of a point, the tick of the E-mini S&P 500.
const TICK_NANOS: i64 = 250_000_000;

fn change_of(record: &MboRecord) -> OrderChange {
    let (order_id, lots) = (record.order_id, i64::from(record.size));
    let price_ticks = || record.price_ticks(TICK_NANOS).unwrap();
    match record.action {
        MboAction::Add => {
            let side = record.side.unwrap();
            OrderChange::Add(RestingOrder { order_id, side, price_ticks: price_ticks(), lots })
        }
        MboAction::Modify => OrderChange::Modify { order_id, price_ticks: price_ticks(), lots },
        MboAction::Cancel => OrderChange::Cancel { order_id, lots },
        MboAction::Trade | MboAction::Fill | MboAction::None => OrderChange::Traded,
        MboAction::Clear => OrderChange::Clear,
    }
}

fn capture() -> Option<Vec<u8>> {
    let shared = std::env::var_os("TRADECORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let file = shared.join("data/public/nautilus/databento/esh4-glbx-mdp3-20231224.mbo.dbn.zst");
    let Some(output) =
        Command::new("zstd").arg("-dcq").arg(&file).output().ok().filter(|output| output.status.success())
    else {
        eprintln!("skipped: no real data, or no program zstd to read {}", file.display());
        return None;
    };
    Some(output.stdout)
}

#[test]
fn the_book_of_the_capture_equals_plain_sums_after_every_record() {
    let Some(bytes) = capture() else { return };
    let mut book = OrderBook::new(10_000, 10_000);
    let mut sums: [BTreeMap<i64, (i64, usize)>; 2] = Default::default();
    let mut count = 0;
    let mut is_whole = false;
    for record in MboReader::new(&bytes).unwrap() {
        let record = record.unwrap();
        let change = change_of(&record);
        let OrderChange::Add(order) = change else { unreachable!("the capture is a snapshot: {record:?}") };
        let level = sums[usize::from(order.side == Side::Sell)].entry(order.price_ticks).or_default();
        book.apply(change).unwrap();
        let position = book.queue_position(order.order_id).unwrap();
        assert_eq!((position.lots_ahead, position.orders_ahead), *level);
        *level = (level.0 + order.lots, level.1 + 1);
        assert_eq!(book.lots_at(order.side, order.price_ticks), level.0);
        let mut bids = sums[0].iter().rev();
        let mut asks = sums[1].iter();
        let plain = |(&price_ticks, &(lots, _)): (&i64, &(i64, usize))| Level { price_ticks, lots };
        let mut equal = true;
        book.walk(Side::Buy, &mut |level| {
            equal &= bids.next().map(plain) == Some(level);
            equal
        });
        book.walk(Side::Sell, &mut |level| {
            equal &= asks.next().map(plain) == Some(level);
            equal
        });
        assert!(equal && bids.next().is_none() && asks.next().is_none(), "{record:?}");
        assert!(record.is_snapshot && record.instrument_id == 17_077);
        is_whole = record.is_last;
        count += 1;
    }
    assert!(is_whole && book.levels().crossed().is_none());
    assert_eq!((count, book.order_count()), (8_725, 8_725));
    println!("{count} records, {} + {} levels", sums[0].len(), sums[1].len());
}

/// Writes a record of version 1.
fn record(action: u8, side: u8, order_id: u64, price_nanos: i64, lots: u32) -> Vec<u8> {
    let mut out = vec![14, 0xA0, 1, 0];
    out.extend_from_slice(&7u32.to_le_bytes());
    out.extend_from_slice(&1_000u64.to_le_bytes());
    out.extend_from_slice(&order_id.to_le_bytes());
    out.extend_from_slice(&price_nanos.to_le_bytes());
    out.extend_from_slice(&lots.to_le_bytes());
    out.extend_from_slice(&[0x80, 0, action, side]);
    out.extend_from_slice(&2_000u64.to_le_bytes());
    out.extend_from_slice(&0u32.to_le_bytes());
    out.extend_from_slice(&9u32.to_le_bytes());
    out
}

fn file(records: &[Vec<u8>]) -> Vec<u8> {
    [b"DBN\x01\x02\0\0\0..".to_vec(), records.concat()].concat()
}

/// A record of another type than market by order.
fn of_type(kind: u8) -> Vec<u8> {
    [vec![4, kind], vec![0; 14]].concat()
}

#[test]
fn every_action_does_to_the_book_what_its_letter_says() {
    let point = 1_000_000_000;
    let other_type = [4u8, 0x17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec();
    let bytes = file(&[
        record(b'R', b'N', 0, i64::MAX, 0),
        record(b'A', b'B', 1, 100 * point, 5),
        other_type,
        record(b'A', b'B', 2, 100 * point, 3),
        record(b'T', b'A', 0, 100 * point, 2),
        record(b'F', b'B', 1, 100 * point, 2),
        record(b'C', b'B', 1, 100 * point, 2),
        record(b'M', b'B', 1, 100 * point, 4),
    ]);
    let mut book = OrderBook::new(4, 4);
    let records: Vec<_> = MboReader::new(&bytes).unwrap().map(Result::unwrap).collect();
    for record in &records {
        book.apply(change_of(record)).unwrap();
    }
    assert_eq!(book.lots_at(Side::Buy, 400), 7);
    // Growing cost the first order its place.
    assert_eq!(book.queue_position(1).map(|position| position.lots_ahead), Some(3));
    assert_eq!((records[0].price_nanos, records[0].side), (None, None));
    let first = records[1];
    assert_eq!((first.event_ns, first.received_ns, first.sequence, first.is_last), (1_000, 2_000, 9, true));
    assert_eq!(MboRecord { price_nanos: Some(TICK_NANOS + 1), ..first }.price_ticks(TICK_NANOS), None);
    assert_eq!(first.price_ticks(0), None);
}

#[test]
fn what_is_no_market_by_order_file_is_refused_with_its_field() {
    for (bytes, field) in [
        (b"".to_vec(), "header"),
        (b"\x28\xb5\x2f\xfd....".to_vec(), "header"),
        (b"DBN\x09\0\0\0\0".to_vec(), "version"),
        (b"DBN\x01\xff\0\0\0".to_vec(), "header"),
        (file(&[vec![0; 16]]), "length"),
        (file(&[record(b'A', b'B', 1, 1, 1)[..55].to_vec()]), "length"),
        (file(&[record(b'X', b'B', 1, 1, 1)]), "action"),
        (file(&[record(b'A', b'X', 1, 1, 1)]), "side"),
        (file(&[of_type(0x0A), of_type(0x17), of_type(0x0A)]), "schema"),
        (file(&[of_type(0x00)]), "schema"),
    ] {
        let error = MboReader::new(&bytes).and_then(|mut reader| {
            let first = reader.next().unwrap();
            assert!(reader.next().is_none(), "nothing comes after an error");
            first
        });
        assert_eq!(error.unwrap_err().field, field);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), has_header: bool) {
        let bytes = if has_header { file(&[bytes]) } else { bytes };
        if let Ok(reader) = MboReader::new(&bytes) {
            prop_assert!(reader.count() <= bytes.len() / 16 + 1);
        }
    }
}
