//! The format does not change: journals written today read for ever, and are written the same.
//!
//! `TRADECORE_WRITE_GOLDEN=1 cargo test -p tradecore-journal --test golden` writes the file anew, which is
//! right only together with a new `FORMAT_VERSION`.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::path::{Path, PathBuf};

use tradecore_journal::{
    Frames, Gate, Reader, Rotation, Status, Writer, drop_market_events, encode_cancel_request,
    encode_decision, encode_event, encode_order, encode_refused, encode_replace_request, encode_report,
    encode_session, encode_session_end, encode_state_hash, pack, verify,
};
use tradecore_types::{
    Bar, BookUpdate, BookUpdateKind, Bracket, CancelReason, Command, CommandKind, Event, EventBody,
    FeedState, Flow, InstrumentId, Level, Liquidity, Money, OrderId, OrderIntent, OrderKind, Quote, Refusal,
    RejectReason, Report, ReportBody, Rule, Side, Size, StrategyId, TimeInForce, Trade,
};

const HEAD: &str = "63d66f81f80e04aeb772949207257c7092c1f463bef57676681fc52536bf7d92";

#[cfg(unix)]
const SEGMENTS: (Status, u64, u64, u64) = (Status::Intact, 6, 50, 3);
#[cfg(unix)]
const SEGMENTS_HEAD: &str = "faa0ceeaec41ff87a19c1d6d2960726b6e4df404320bd2f136fe5a9555e68806";

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/replay/format-1.journal")
}

fn events() -> Vec<EventBody> {
    let book = BookUpdate {
        kind: BookUpdateKind::Diff,
        first_id: 11,
        last_id: 12,
        prev_id: 10,
        levels_start: 0,
        bids: 2,
        asks: 1,
        checksum: None,
    };
    vec![
        EventBody::Bar(Bar {
            open_time_ns: 100,
            open_ticks: 5,
            high_ticks: 9,
            low_ticks: 4,
            close_ticks: 8,
            volume_lots: 77,
        }),
        EventBody::Quote(Quote { bid_ticks: 7, bid_lots: 1, ask_ticks: 9, ask_lots: 2, update_id: 12 }),
        EventBody::Trade(Trade { price_ticks: 8, lots: 3, aggressor: Side::Sell, trade_id: 4 }),
        EventBody::Book(book),
        EventBody::Book(BookUpdate { kind: BookUpdateKind::Snapshot, bids: 0, asks: 0, ..book }),
        EventBody::Flow(Flow::Limit { flow_id: 1, side: Side::Buy, price_ticks: 6, lots: 2 }),
        EventBody::Flow(Flow::Market { side: Side::Sell, lots: 1 }),
        EventBody::Flow(Flow::Cancel { flow_id: 1 }),
        EventBody::Feed(FeedState::Lost),
        EventBody::Command(Command { kind: CommandKind::Flatten }),
        EventBody::Clock,
    ]
}

fn intents() -> [OrderIntent; 3] {
    let limit = OrderIntent {
        order_id: OrderId(1),
        strategy: StrategyId(2),
        instrument: InstrumentId(3),
        side: Side::Buy,
        kind: OrderKind::Limit { price_ticks: 7 },
        time_in_force: TimeInForce::Gtc,
        post_only: true,
        reduce_only: false,
        size: Size::Lots(5),
        bracket: Bracket::at(Some(4), Some(9)),
        closes: None,
        time_ns: 200,
    };
    let market = OrderIntent {
        order_id: OrderId(2),
        side: Side::Sell,
        kind: OrderKind::Market,
        time_in_force: TimeInForce::Ioc,
        post_only: false,
        reduce_only: true,
        size: Size::BuyingPowerPpm(999_900),
        bracket: Bracket::default(),
        closes: Some(OrderId(1)),
        ..limit
    };
    let stop = OrderIntent {
        order_id: OrderId(3),
        kind: OrderKind::Stop { trigger_ticks: 4 },
        time_in_force: TimeInForce::Fok,
        ..market
    };
    [limit, market, stop]
}

fn reports() -> [ReportBody; 8] {
    [
        ReportBody::Accepted,
        ReportBody::Rejected(RejectReason::WouldTake),
        ReportBody::Triggered,
        ReportBody::Fill {
            price_ticks: 7,
            lots: 5,
            liquidity: Liquidity::Maker,
            fee: Money(-1_500_000_000_000_000_000_000),
            fee_currency: None,
        },
        ReportBody::Canceled(CancelReason::Killed),
        ReportBody::CancelRejected(RejectReason::UnknownOrder),
        ReportBody::Replaced { price_ticks: Some(8), lots: 4 },
        ReportBody::ReplaceRejected(RejectReason::Unsupported),
    ]
}

/// One of every record.
fn frames() -> Vec<u8> {
    let mut out = Vec::new();
    encode_session(&mut out, 1, "0.1.0", br#"{"mode":"paper"}"#).unwrap();
    let level = |price_ticks, lots| Level { price_ticks, lots };
    for (time_ns, body) in (10..).zip(events()) {
        let event = Event { time_ns, instrument: InstrumentId(3), body };
        let has_levels = matches!(body, EventBody::Book(update) if update.bids > 0);
        let (bids, asks) =
            if has_levels { (vec![level(7, 1), level(6, 0)], vec![level(9, 2)]) } else { (vec![], vec![]) };
        encode_event(&mut out, &event, &bids, &asks).unwrap();
    }
    for intent in intents() {
        encode_order(&mut out, 300, &intent, 8);
    }
    let refusal = Refusal { rule: Rule::NotionalMax, limit: i128::MAX, value: -1 };
    encode_refused(&mut out, 301, &intents()[0], &refusal);
    encode_cancel_request(&mut out, 302, OrderId(1), StrategyId(2));
    encode_replace_request(&mut out, 303, OrderId(1), Some(8), 4);
    for body in reports() {
        encode_report(&mut out, 304, &Report { venue_time_ns: 299, order_id: OrderId(1), body });
    }
    let gates = [
        Gate { name: "spread", limit: 2.5, value: 1.0, passed: true },
        Gate { name: "trend", limit: 0.0, value: -0.125, passed: false },
    ];
    encode_decision(&mut out, 305, StrategyId(2), InstrumentId(3), 1, "trend is down", &gates).unwrap();
    encode_state_hash(&mut out, 306, &[0xab; 32]);
    encode_session_end(&mut out, 307, "end_of_data").unwrap();
    out
}

#[test]
fn format_1_is_written_as_it_always_was() {
    let path = std::env::temp_dir().join(format!("tradecore-golden-{}.journal", std::process::id()));
    let mut writer = Writer::open(&path, 1_732_000_000_000_000_000).unwrap();
    writer.append(&frames()).unwrap();
    writer.commit(true).unwrap();
    let written = std::fs::read(&path).unwrap();
    drop(writer);
    std::fs::remove_file(path.with_extension("journal.lock")).unwrap();
    std::fs::remove_file(&path).unwrap();
    if std::env::var_os("TRADECORE_WRITE_GOLDEN").is_some() {
        std::fs::write(golden(), &written).unwrap();
    }
    assert!(written == std::fs::read(golden()).unwrap(), "the format has changed: raise FORMAT_VERSION");
}

#[test]
fn format_1_reads_as_it_always_did() {
    let verdict = verify(&golden()).unwrap();
    assert_eq!((verdict.status, verdict.records), (Status::Intact, 29));
    assert_eq!(verdict.head.to_string(), HEAD);
    let mut reader = Reader::open(&golden()).unwrap();
    assert!(reader.next_block().unwrap().is_some_and(|block| block.frames == frames()));
    assert!(reader.next_block().unwrap().is_none());
}

/// A journal of every form that a segment has: an archive, a packed one, a plain one, and the newest.
#[cfg(unix)]
fn segments() -> PathBuf {
    golden().with_file_name("format-2").join("a.journal")
}

/// Appends the records, ten a commit, and begins a new segment after each.
#[cfg(unix)]
fn write_segments(path: &Path, groups: usize) {
    let every = Rotation { bytes: 1, span_ns: 0 };
    let mut writer = Writer::open(path, 1_732_000_000_000_000_000).unwrap().with_rotation(every, false);
    let bytes = frames();
    for frames in Frames::new(&bytes).map(Result::unwrap).collect::<Vec<_>>().chunks(10).take(groups) {
        writer.append(&frames.concat()).unwrap();
        writer.commit(true).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn segments_are_written_as_they_always_were() {
    let directory = std::env::temp_dir().join(format!("tradecore-golden-segments-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let path = directory.join("a.journal");
    write_segments(&path, 1);
    write_segments(&path, 1);
    drop_market_events(&path, 210).unwrap();
    write_segments(&path, 1);
    pack(&path).unwrap();
    write_segments(&path, 2);
    if std::env::var_os("TRADECORE_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(segments().parent().unwrap()).unwrap();
        for entry in std::fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            if !entry.file_name().to_str().unwrap().ends_with("lock") {
                std::fs::copy(entry.path(), segments().with_file_name(entry.file_name())).unwrap();
            }
        }
    }
    // What is packed has the same bytes in it; a newer library may compress them otherwise.
    for name in ["a.journal", "a.journal.000004", "a.journal.000005"] {
        let (written, kept) = (directory.join(name), segments().with_file_name(name));
        assert!(std::fs::read(written).unwrap() == std::fs::read(kept).unwrap(), "{name}");
    }
    assert_eq!(verify(&path).unwrap().head, verify(&segments()).unwrap().head);
    std::fs::remove_dir_all(directory).unwrap();
}

#[cfg(unix)]
#[test]
fn segments_read_as_they_always_did() {
    let found = verify(&segments()).unwrap();
    assert_eq!((found.status, found.segments, found.records, found.dropped), SEGMENTS);
    assert_eq!(found.head.to_string(), SEGMENTS_HEAD);
    let mut reader = Reader::open(&segments()).unwrap();
    let mut records = 0;
    while let Some(block) = reader.next_block().unwrap() {
        records += u64::try_from(Frames::new(block.frames).count()).unwrap();
    }
    assert_eq!(records, found.records - found.dropped);
}
