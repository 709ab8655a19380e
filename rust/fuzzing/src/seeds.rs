//! Where fuzzing starts: small inputs that each parser takes, made here from the formats' documentation.

use std::path::PathBuf;

use tradecore_journal::{Writer, encode_account, encode_event, encode_session, encode_state_hash};
use tradecore_types::{
    AccountChange, AccountEvent, Balance, Bar, BookUpdate, BookUpdateKind, CashConversion, Event, EventBody,
    Flow, InstrumentId, Level, Money, Opening, Quote, Side, Trade,
};

/// Returns the inputs to start from; a target that reads choices from bytes gets some of every value.
#[must_use]
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts: &[&str] = match target {
        "binance" => &BINANCE,
        "kraken" => &KRAKEN,
        "okx" => &OKX,
        "csv" => &CSV,
        "times" => &TIMES,
        "databento" => return vec![databento()],
        "journal_frames" => return vec![frames()],
        "journal_file" => return journal().into_iter().collect(),
        _ => return (0u8..8).map(choices).collect(),
    };
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Returns a seed with some bytes changed, put in, taken out or doubled: the same for the same numbers.
#[must_use]
pub fn mutated(seed: &[u8], changes: &[(u16, u8, u8)]) -> Vec<u8> {
    let mut out = seed.to_vec();
    for &(place, how, value) in changes {
        let at = usize::from(place).checked_rem(out.len() + 1).unwrap_or(0);
        match how % 6 {
            0 => out.insert(at, value),
            1 if at < out.len() => {
                out.remove(at);
            }
            2 => out.truncate(at),
            3 => {
                let end = (at + usize::from(value)).min(out.len());
                out.extend_from_within(at..end);
            }
            _ => {
                if let Some(byte) = out.get_mut(at) {
                    *byte = if how.is_multiple_of(2) { value } else { *byte ^ (1 << (value % 8)) };
                }
            }
        }
        out.truncate(4_096);
    }
    out
}

const TIMES: [&str; 7] = [
    "2024-08-08 23:54:13.937085768+05:30\n2024-08-09T00:00:00Z",
    "08.08.2024 11:54 PM\n09.08.2024 0054",
    "1/2/2024\n1/31/2024 6:49",
    "202601071230\n202601071231",
    "2033010112\n2033010113",
    "1723161253.5\n1.723161254e9",
    "0\n60000\n86340000",
];

const BINANCE: [&str; 6] = [
    r#"{"e":"depthUpdate","E":7,"s":"BTCUSDT","U":5,"u":7,"b":[["100.01","1.5"],["99.00","0"]],"a":[["101.00","2.000"]]}"#,
    r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":7,"T":6,"s":"BTCUSDT","U":5,"u":7,"pu":4,"b":[["100.01","1.5"]],"a":[]}}"#,
    r#"{"lastUpdateId":9,"bids":[["100.01","1.5"]],"asks":[["101.00","2.000"]]}"#,
    r#"{"u":8,"s":"ETHUSDT","b":"10.00","B":"1.000","a":"10.01","A":"2.000"}"#,
    r#"{"e":"trade","E":7,"s":"BTCUSDT","t":3,"p":"100.01","q":"0.5","T":6,"m":true,"X":"MARKET"}"#,
    "1 {\"u\":8,\"s\":\"ETHUSDT\",\"b\":\"10.00\",\"B\":\"1.000\",\"a\":\"10.01\",\"A\":\"2.000\"}\n2 {\"result\":null,\"id\":1}\n",
];

const KRAKEN: [&str; 4] = [
    r#"{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","bids":[{"price":100.1,"qty":0.5}],"asks":[{"price":100.3,"qty":1.0}],"checksum":1234}]}"#,
    r#"{"channel":"book","type":"update","data":[{"symbol":"A/B","bids":[],"asks":[{"price":100.3,"qty":0}],"checksum":4294967295,"timestamp":"2024-01-01T00:00:00.000001Z"}]}"#,
    r#"[1,{"as":[["100.3","1.00000000","1.5"]],"bs":[["100.1","0.50000000","1.5"]]},"book-10","A/B"]"#,
    r#"[1,{"a":[["100.3","0","1.5"]]},{"b":[["100.2","0.5","1.5","r"]],"c":"1234"},"book-10","A/B"]"#,
];

const OKX: [&str; 3] = [
    r#"{"arg":{"channel":"books5","instId":"A-B"},"data":[{"asks":[["100.3","1","0","1"]],"bids":[],"ts":"5"}]}"#,
    r#"{"arg":{"channel":"books","instId":"A-B"},"action":"snapshot","data":[{"asks":[["100.3","1","0","2"]],"bids":[["100.1","0.5","0","1"]],"ts":"1700000000000","checksum":-7}]}"#,
    r#"{"arg":{"channel":"books","instId":"A-B"},"action":"update","data":[{"asks":[["100.3","0","0","0"]],"bids":[],"ts":"1700000000100","checksum":2147483647}]}"#,
];

const CSV: [&str; 3] = [
    "2024-01-01T00:00:00Z,100.01,true\n2024-01-01 00:01,100.02,0\n",
    "1700000000000;10.25;1\r\n1700000060000;1;2\r\n",
    "09:30:00.5\t\"10.25\"\t1.01\n",
];

/// Bytes of many values, others for each number.
fn choices(number: u8) -> Vec<u8> {
    (0u8..=255)
        .map(|byte| byte.wrapping_mul(31).wrapping_add(number.wrapping_mul(97)) ^ (byte >> 3))
        .collect()
}

/// A file of two orders: added, then one cancelled.
fn databento() -> Vec<u8> {
    let mut out = b"DBN\x01\x02\0\0\0..".to_vec();
    for (action, order_id) in [(b'A', 1u64), (b'A', 2), (b'C', 1)] {
        out.extend_from_slice(&[14, 0xA0, 1, 0, 7, 0, 0, 0]);
        out.extend_from_slice(&1_000u64.to_le_bytes());
        out.extend_from_slice(&order_id.to_le_bytes());
        out.extend_from_slice(&100_000_000_000i64.to_le_bytes());
        out.extend_from_slice(&[5, 0, 0, 0, 0x80, 0, action, b'B']);
        out.extend_from_slice(&2_000u64.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
    }
    out
}

/// Frames of several kinds, one after the other.
fn frames() -> Vec<u8> {
    let mut out = Vec::new();
    let levels = [Level { price_ticks: 100, lots: 5 }, Level { price_ticks: 101, lots: 6 }];
    let book = BookUpdate {
        kind: BookUpdateKind::Snapshot,
        first_id: 1,
        last_id: 1,
        prev_id: 0,
        levels_start: 0,
        bids: 1,
        asks: 1,
        checksum: None,
    };
    let quote = Quote { bid_ticks: 1, bid_lots: 2, ask_ticks: 3, ask_lots: 4, update_id: 5 };
    let bar =
        Bar { open_time_ns: 0, open_ticks: 1, high_ticks: 2, low_ticks: 1, close_ticks: 2, volume_lots: 3 };
    let trade = Trade { price_ticks: 1, lots: 2, aggressor: Side::Buy, trade_id: 3 };
    let flow = Flow::Limit { flow_id: 1, side: Side::Sell, price_ticks: 2, lots: 3 };
    let _ = encode_session(&mut out, 0, "0.1.0", b"{}");
    for body in [
        EventBody::Book(book),
        EventBody::Quote(quote),
        EventBody::Bar(bar),
        EventBody::Trade(trade),
        EventBody::Flow(flow),
        EventBody::Clock,
    ] {
        let is_book = matches!(body, EventBody::Book(_));
        let (bids, asks) = if is_book { levels.split_at(1) } else { (&levels[..0], &levels[..0]) };
        let event = Event { time_ns: 9, instrument: InstrumentId(0), body };
        let _ = encode_event(&mut out, &event, bids, asks);
    }
    let change = AccountChange { currency: "USD".into(), amount: Money(5), reason: "deposit".into() };
    let cash = vec![Balance { currency: "USD".into(), amount: Money(9) }];
    let opening = Opening { cash, brought: Some(Money(8)), before: Some([6; 32]), ..Opening::default() };
    let of = |currency: &str, amount| Balance { currency: currency.into(), amount: Money(amount) };
    let conversion = CashConversion {
        given: of("BTC", 3),
        received: of("USD", 6),
        rate: 2 * 10i128.pow(18),
        fee: of("USD", 0),
        reason: "dust".into(),
    };
    let told = [
        AccountEvent::Opening(opening),
        AccountEvent::Transfer(change),
        AccountEvent::Conversion(conversion),
    ];
    for said in told {
        let _ = encode_account(&mut out, 9, &said);
    }
    encode_state_hash(&mut out, 9, &[7; 32]);
    out
}

/// A whole journal of those frames; none where no file can be made.
fn journal() -> Option<Vec<u8>> {
    let name = format!("tradecore-seed-{}-{:?}.journal", std::process::id(), std::thread::current().id());
    let path: PathBuf = std::env::temp_dir().join(name);
    let written = || -> Option<Vec<u8>> {
        let mut writer = Writer::open(&path, 1).ok()?;
        for frame in tradecore_journal::Frames::new(&frames()) {
            writer.append(frame.ok()?).ok()?;
        }
        writer.commit(true).ok()?;
        drop(writer);
        std::fs::read(&path).ok()
    };
    let bytes = written();
    let _ = std::fs::remove_file(&path);
    bytes
}
