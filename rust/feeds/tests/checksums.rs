//! Every checksum of the Kraken and OKX captures, and what one wrong digit does.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use serde_json::value::RawValue;
use tradecore_book::{
    BookChange, BookRules, ChecksumRule, Fault, InstrumentBook, SequenceRule, StepText, SyncCapacity,
};
use tradecore_feeds::{BookFormat, PairScales, Scale, VenueBookDecoder};
use tradecore_types::{BookUpdate, BookUpdateKind, Decimal, Level, Side};

/// A pair: name, tick, decimals of prices, lot, decimals of sizes.
struct Pair(&'static str, &'static str, u8, &'static str, u8);

/// A venue as the test needs it.
struct Venue {
    format: BookFormat,
    pairs: &'static [Pair],
    levels_max: usize,
}

const KRAKEN: Venue = Venue {
    format: BookFormat::KrakenV2,
    pairs: &[Pair("BTC/USD", "0.1", 1, "0.00000001", 8)],
    levels_max: 10,
};
const OKX: Venue = Venue {
    format: BookFormat::Okx,
    pairs: &[
        Pair("BTC-USDT", "0.1", 1, "0.00000001", 8),
        Pair("BTC-USD-220527", "0.1", 1, "1", 0),
        Pair("UNI-USD-SWAP", "0.001", 3, "1", 0),
    ],
    levels_max: 400,
};

impl Venue {
    fn scales(&self, symbol: &str) -> Option<PairScales> {
        let scale = |step: &str| Scale::new("step", Decimal::parse("step", step).unwrap()).unwrap();
        let pair = self.pairs.iter().find(|pair| pair.0 == symbol)?;
        Some(PairScales { price: scale(pair.1), size: scale(pair.3) })
    }

    fn book(&self, symbol: &str) -> InstrumentBook {
        let rules = BookRules {
            checksum: Some(self.rule(symbol)),
            levels_max: Some(self.levels_max),
            ..SequenceRule::None.into()
        };
        InstrumentBook::new(rules, SyncCapacity::default())
    }

    fn rule(&self, symbol: &str) -> ChecksumRule {
        let text = |step: &str, decimals| {
            StepText::new("step", Decimal::parse("step", step).unwrap(), decimals).unwrap()
        };
        let pair = self.pairs.iter().find(|pair| pair.0 == symbol).unwrap();
        let (price, size) = (text(pair.1, pair.2), text(pair.3, pair.4));
        match self.format {
            BookFormat::Okx => ChecksumRule::Okx { price, size },
            _ => ChecksumRule::Kraken { price, size },
        }
    }
}

/// Feeds one message and tells whether the first of its sizes is among the levels that are summed.
fn step(
    venue: &Venue,
    decoder: &mut VenueBookDecoder,
    book: &mut InstrumentBook,
    payload: &str,
) -> (BookChange, bool) {
    let message = decoder.read(payload.as_bytes(), &|symbol| venue.scales(symbol)).unwrap().unwrap();
    let (bids, asks) = (decoder.levels(Side::Buy), decoder.levels(Side::Sell));
    let count = |levels: &[Level]| u32::try_from(levels.len()).unwrap();
    let update = BookUpdate {
        kind: if message.is_snapshot { BookUpdateKind::Snapshot } else { BookUpdateKind::Diff },
        first_id: 0,
        last_id: 0,
        prev_id: 0,
        levels_start: 0,
        bids: count(bids),
        asks: count(asks),
        checksum: message.checksum,
    };
    let change = book.on_update(&update, bids, asks);
    let (first, summed) = match venue.format {
        BookFormat::Okx => {
            (asks.first().map_or((Side::Buy, bids.first()), |ask| (Side::Sell, Some(ask))), 25)
        }
        _ => (bids.first().map_or((Side::Sell, asks.first()), |bid| (Side::Buy, Some(bid))), 10),
    };
    let mut top = [Level::default(); 25];
    book.book().top(first.0, &mut top);
    let is_summed = first.1.is_some_and(|level| top[..summed].contains(level));
    (change, is_summed)
}

/// What became of a stream of messages.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    verified: u64,
    flipped: usize,
    detected: usize,
}

/// Feeds messages to one book for each pair; before each, feeds a copy of the book the same with a digit wrong.
fn replay(venue: &Venue, messages: &[String]) -> Outcome {
    let mut decoder = VenueBookDecoder::new(venue.format);
    let mut books: BTreeMap<String, InstrumentBook> = BTreeMap::new();
    let mut outcome = Outcome::default();
    for payload in messages {
        let read = decoder.read(payload.as_bytes(), &|symbol| venue.scales(symbol)).unwrap();
        let Some(message) = read else { continue };
        let symbol = message.symbol.to_owned();
        let book = books.entry(symbol.clone()).or_insert_with(|| venue.book(&symbol));
        let mut copy = book.clone();
        let (check, is_summed) = step(venue, &mut decoder, book, payload);
        assert!(matches!(check, BookChange::Applied | BookChange::BecameValid), "{check:?} {payload}");
        if is_summed && let Some(wrong) = flip_digit(venue.format, payload) {
            outcome.flipped += 1;
            let (check, _) = step(venue, &mut decoder, &mut copy, &wrong);
            let is_fault = matches!(check, BookChange::BecameInvalid(Fault::Checksum { .. }));
            assert!(is_fault && !copy.is_valid(), "{check:?} {wrong}");
            outcome.detected += 1;
        }
    }
    outcome.verified = books.values().map(|book| book.counters().compared).sum();
    assert_eq!(books.values().map(|book| book.counters().mismatches).sum::<u64>(), 0);
    outcome
}

/// Unpacks a file, or says why not.
fn unpack(file: &Path) -> Option<String> {
    if !file.is_file() {
        eprintln!("skipped: no {}; set TRADECORE_SHARED to the folder with data/", file.display());
        return None;
    }
    let output = Command::new("gzip").arg("-dc").arg(file).output().ok()?;
    Some(String::from_utf8(output.stdout).unwrap())
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn kraken_messages() -> Option<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Capture<'a> {
        #[serde(borrow)]
        init: &'a RawValue,
        #[serde(borrow)]
        updates: Vec<&'a RawValue>,
    }
    let text = unpack(&repository().join("examples/data/kraken-book.json.gz"))?;
    let capture: Capture<'_> = serde_json::from_str(&text).unwrap();
    let all = std::iter::once(capture.init).chain(capture.updates);
    Some(all.map(|message| message.get().to_owned()).collect())
}

fn okx_messages() -> Option<Vec<String>> {
    let shared =
        std::env::var_os("TRADECORE_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    let text = unpack(&shared.join("data/public/cryptofeed_captures/OKX.ws.1.0.gz"))?;
    let received = text.lines().filter(|line| !line.starts_with("wss:"));
    Some(received.filter_map(|line| line.split_once(": ")).map(|(_, text)| text.to_owned()).collect())
}

/// Turns a digit of the first size of a message into another one.
fn flip_digit(format: BookFormat, payload: &str) -> Option<String> {
    let at = match format {
        BookFormat::Okx => payload.find("[[\"").map(|start| start + payload[start..].find(',').unwrap() + 2),
        _ => payload.find("\"qty\":").map(|start| start + 6),
    }?;
    let (head, tail) = payload.split_at(at);
    let digit = tail.find(|character: char| ('1'..='9').contains(&character))?;
    if digit >= tail.find(['}', ',']).unwrap() {
        return None;
    }
    let flipped = if tail.as_bytes()[digit] == b'7' { '3' } else { '7' };
    Some(format!("{head}{}{flipped}{}", &tail[..digit], &tail[digit + 1..]))
}

#[test]
fn every_checksum_of_the_kraken_capture_is_verified_and_every_wrong_digit_detected() {
    let Some(messages) = kraken_messages() else { return };
    let outcome = replay(&KRAKEN, &messages);
    println!("Kraken v2: {outcome:?}");
    assert_eq!((outcome.verified, outcome.detected), (510, outcome.flipped));
    assert!(outcome.flipped > 100);
}

#[test]
fn every_checksum_of_the_okx_capture_is_verified_and_every_wrong_digit_detected() {
    let Some(messages) = okx_messages() else { return };
    let outcome = replay(&OKX, &messages);
    println!("OKX: {outcome:?}");
    assert_eq!((outcome.verified, outcome.detected), (290, outcome.flipped));
    assert!(outcome.flipped > 100);
}

#[test]
fn a_book_of_kraken_v1_is_read_and_its_checksum_verified() {
    let venue = Venue {
        format: BookFormat::KrakenV1,
        pairs: &[Pair("X/USD", "0.00001", 5, "0.00000001", 8)],
        levels_max: 10,
    };
    let levels = |prices: &[u32]| -> String {
        let level = |price: &u32| format!("[\"0.0{price}\",\"0.00000500\",\"1582905487.684110\"]");
        prices.iter().map(level).collect::<Vec<_>>().join(",")
    };
    let asks: Vec<u32> = (0..10).map(|step| 5005 + 5 * step).collect();
    let bids = [4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950, 4945];
    let snapshot =
        format!(r#"[0,{{"as":[{}],"bs":[{}]}},"book-10","X/USD"]"#, levels(&asks[1..]), levels(&bids));
    let update = format!(
        r#"[0,{{"a":[{}]}},{{"b":[["0.05000","0.00000500","1582905487.4","r"]],"c":"974947235"}},"book-10","X/USD"]"#,
        levels(&asks[..1])
    );
    let mut decoder = VenueBookDecoder::new(venue.format);
    let mut book = venue.book("X/USD");
    let read = |decoder: &mut VenueBookDecoder, text: &str| {
        decoder
            .read(text.as_bytes(), &|symbol| venue.scales(symbol))
            .map(|message| message.map(|it| it.checksum))
    };
    assert_eq!(read(&mut decoder, &snapshot), Ok(Some(None)));
    let (count, all) = (|side: usize| u32::try_from(side).unwrap(), |side| decoder.levels(side).to_vec());
    let (bids, asks) = (all(Side::Buy), all(Side::Sell));
    let kind = BookUpdateKind::Snapshot;
    let (bid_count, ask_count) = (count(bids.len()), count(asks.len()));
    let message = BookUpdate {
        kind,
        first_id: 0,
        last_id: 0,
        prev_id: 0,
        levels_start: 0,
        bids: bid_count,
        asks: ask_count,
        checksum: None,
    };
    assert_eq!(book.on_update(&message, &bids, &asks), BookChange::BecameValid);
    let mut copy = book.clone();
    assert_eq!(step(&venue, &mut decoder, &mut book, &update).0, BookChange::Applied);
    assert_eq!(book.counters().compared, 1);
    let wrong = update.replace("974947235", "974947236");
    let (check, _) = step(&venue, &mut decoder, &mut copy, &wrong);
    assert!(matches!(
        check,
        BookChange::BecameInvalid(Fault::Checksum { stated: 974_947_236, found: 974_947_235 })
    ));
    for other in [
        r#"{"event":"heartbeat"}"#,
        r#"[1,[["1","2"]],"trade","X/USD"]"#,
        r#"[0,{"as":[]},"book-10","Y/USD"]"#,
    ] {
        assert_eq!(read(&mut decoder, other), Ok(None), "{other}");
    }
}

#[test]
fn whatever_is_no_book_message_is_refused_with_its_field_and_leaves_no_levels() {
    let okx = |asks: &str| {
        format!(
            r#"{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"action":"update","data":[{{"asks":{asks},"bids":[["1.0","1"]],"checksum":-1}}]}}"#
        )
    };
    for (payload, field) in [
        (okx(r#"[["1.05","1","0","1"]]"#), "price"),
        (okx(r#"[["1.5","-1","0","1"]]"#), "size"),
        (okx(r#"[["1.5"]]"#), "json"),
        (okx(r#"[["1.5","1"]"#), "json"),
        (okx("7"), "json"),
    ] {
        let mut decoder = VenueBookDecoder::new(BookFormat::Okx);
        let error = decoder.read(payload.as_bytes(), &|symbol| OKX.scales(symbol)).unwrap_err();
        assert_eq!((error.field, error.message), (field, 1), "{error}");
        assert!(decoder.levels(Side::Buy).is_empty() && decoder.levels(Side::Sell).is_empty());
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..60), cut in 0usize..200) {
        let whole = r#"{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["1.5","1"]],"bids":[],"checksum":-1}]}"#;
        let at = cut.min(whole.len());
        let mixed = [&whole.as_bytes()[..at], &bytes, &whole.as_bytes()[at..]].concat();
        bytes.extend_from_slice(&mixed);
        for format in [BookFormat::KrakenV1, BookFormat::KrakenV2, BookFormat::Okx] {
            for text in [&bytes, &mixed] {
                let mut decoder = VenueBookDecoder::new(format);
                let is_error = decoder.read(text, &|symbol| OKX.scales(symbol)).is_err();
                prop_assert!(!is_error || decoder.levels(Side::Sell).is_empty());
            }
        }
    }
}
