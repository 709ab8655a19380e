//! Which form of a book suits which market? Every change of real streams, in each form, beside a sorted map.
//!
//! Prints how many levels a market has, how far they spread and what memory each form takes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench stops at the first surprise")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use serde_json::Value;
use tradecore_book::{BookForm, Depth, L2Book};
use tradecore_feeds::{BinanceDecoder, BookFormat, CaptureBounds, Market, SymbolSpec, VenueBookEvents};
use tradecore_types::{BookUpdateKind, Decimal, EventBatch, EventBody, InstrumentId, Side};

/// What happens to the book of one instrument.
#[derive(Clone, Copy, Debug)]
enum Change {
    Clear,
    Set(Side, i64, i64),
    /// Levels that a venue shows: the rest goes.
    Keep(usize),
}

type Stream = (&'static str, Vec<Change>);

const MARKETS: [&str; 9] = [
    "binance spot",
    "binance usdm",
    "binance coinm",
    "kraken",
    "okx BTC",
    "okx UNI",
    "coinbase YFI-BTC",
    "coinbase SKL-USD",
    "sparse",
];

static STREAMS: LazyLock<Vec<Stream>> = LazyLock::new(|| {
    let streams: Vec<Stream> = MARKETS.into_iter().map(|name| (name, stream(name))).collect();
    for (name, changes) in &streams {
        let mut lines = Vec::new();
        for form in [BookForm::Automatic, BookForm::Dense, BookForm::Compact] {
            let book = replay(changes, form);
            lines.push(format!("{form:?} {} bytes", book.memory_bytes()));
            if form == BookForm::Automatic {
                let dense = [Side::Buy, Side::Sell].map(|side| book.is_dense(side));
                lines.push(format!(
                    "{:?} levels, spread over {:?} ticks, dense {dense:?}",
                    [Side::Buy, Side::Sell].map(|side| book.level_count(side)),
                    [Side::Buy, Side::Sell].map(|side| span(&book, side))
                ));
            }
        }
        eprintln!("{name}: {} changes; {}", changes.len(), lines.join("; "));
    }
    streams
});

fn main() {
    LazyLock::force(&STREAMS);
    divan::main();
}

fn span(book: &L2Book, side: Side) -> i64 {
    let (mut first, mut last) = (None, 0);
    book.visit(side, |level| {
        first.get_or_insert(level.price_ticks);
        last = level.price_ticks;
        true
    });
    (last - first.unwrap_or(last)).abs()
}

fn replay(changes: &[Change], form: BookForm) -> L2Book {
    let mut book = L2Book::with_form(1 << 16, form);
    for &change in changes {
        match change {
            Change::Clear => book.clear(),
            Change::Set(side, price_ticks, lots) => book.set(side, price_ticks, lots).unwrap(),
            Change::Keep(levels) => {
                book.keep_best(Side::Buy, levels);
                book.keep_best(Side::Sell, levels);
                black_box((book.best_bid(), book.best_ask()));
            }
        }
    }
    book
}

fn run(bencher: Bencher<'_, '_>, market: &str, form: BookForm) {
    let Some((_, changes)) = STREAMS.iter().find(|(name, changes)| *name == market && !changes.is_empty())
    else {
        return;
    };
    bencher.counter(ItemsCount::new(changes.len())).bench_local(|| replay(black_box(changes), form));
}

#[divan::bench(args = MARKETS, sample_count = 30)]
fn automatic(bencher: Bencher<'_, '_>, market: &str) {
    run(bencher, market, BookForm::Automatic);
}

#[divan::bench(args = MARKETS, sample_count = 30)]
fn dense(bencher: Bencher<'_, '_>, market: &str) {
    run(bencher, market, BookForm::Dense);
}

#[divan::bench(args = MARKETS, sample_count = 30)]
fn compact(bencher: Bencher<'_, '_>, market: &str) {
    run(bencher, market, BookForm::Compact);
}

/// The dull baseline.
#[divan::bench(args = MARKETS, sample_count = 30)]
fn sorted_map(bencher: Bencher<'_, '_>, market: &str) {
    let Some((_, changes)) = STREAMS.iter().find(|(name, changes)| *name == market && !changes.is_empty())
    else {
        return;
    };
    bencher.counter(ItemsCount::new(changes.len())).bench_local(|| {
        let mut books = [BTreeMap::new(), BTreeMap::new()];
        for &change in black_box(changes) {
            match change {
                Change::Clear => books.iter_mut().for_each(BTreeMap::clear),
                Change::Set(side, price, 0) => {
                    books[usize::from(side == Side::Sell)].remove(&price);
                }
                Change::Set(side, price, lots) => {
                    books[usize::from(side == Side::Sell)].insert(price, lots);
                }
                Change::Keep(levels) => {
                    while books[0].len() > levels {
                        books[0].pop_first();
                    }
                    while books[1].len() > levels {
                        books[1].pop_last();
                    }
                    black_box((books[0].last_key_value(), books[1].first_key_value()));
                }
            }
        }
        books
    });
}

fn stream(name: &str) -> Vec<Change> {
    let binance = |file: &str, market, tick: &str, lot: &str| {
        let symbol = if market == Market::CoinM { "BTCUSD_PERP" } else { "BTCUSDT" };
        let text = unpack(&format!("public/hftbacktest_binance_{file}"));
        let specs = [spec(symbol, tick, lot)];
        let mut batch = EventBatch::default();
        let mut decoder = BinanceDecoder::new(market, &specs, Some(symbol)).unwrap();
        decoder.decode_capture(&text, true, CaptureBounds::NONE, &mut batch).unwrap();
        of_batch(&batch, usize::MAX)
    };
    match name {
        "binance spot" => binance("spot/spot/btcusdt_20240808.gz", Market::Spot, "0.01", "0.00001"),
        "binance usdm" => binance("usdm/usdm/btcusdt_20240808.gz", Market::UsdM, "0.1", "0.001"),
        "binance coinm" => binance("cm/cm/btcusd_perp_20240808.gz", Market::CoinM, "0.1", "1"),
        "kraken" => kraken(),
        "okx BTC" => okx("BTC-USDT", "0.1", "0.00000001"),
        "okx UNI" => okx("UNI-USD-SWAP", "0.001", "1"),
        "coinbase YFI-BTC" => coinbase("YFI-BTC", "0.00001", "0.000001"),
        "coinbase SKL-USD" => coinbase("SKL-USD", "0.0001", "0.1"),
        _ => sparse(),
    }
}

/// Two thousand levels a side, a thousand ticks apart, 200,000 changes anywhere among them.
fn sparse() -> Vec<Change> {
    let mut state = 7u64;
    let mut below = |end: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((state >> 33) % end).unwrap()
    };
    let mut out = Vec::new();
    for _ in 0..200_000 {
        let side = if below(2) == 0 { Side::Buy } else { Side::Sell };
        let price_ticks = 10_000_000 - side.sign() * 1_000 * (1 + below(2_000));
        out.push(Change::Set(side, price_ticks, below(4)));
        out.push(Change::Keep(usize::MAX));
    }
    out
}

fn spec(symbol: &str, tick: &str, lot: &str) -> SymbolSpec {
    let step = |text| Decimal::parse("step", text).unwrap();
    SymbolSpec {
        symbol: symbol.to_owned(),
        instrument: InstrumentId(0),
        tick_size: step(tick),
        lot_size: step(lot),
    }
}

/// Unpacks a file of the shared data; nothing where there is none.
fn unpack(path: &str) -> Vec<u8> {
    let shared = std::env::var_os("TRADECORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    Command::new("gzip").arg("-dc").arg(shared.join("data").join(path)).output().unwrap().stdout
}

fn of_batch(batch: &EventBatch, levels_max: usize) -> Vec<Change> {
    let mut out = Vec::new();
    for event in &batch.events {
        let EventBody::Book(update) = event.body else { continue };
        if update.kind == BookUpdateKind::Snapshot {
            out.push(Change::Clear);
        }
        let (bids, asks) = batch.levels_of(&update);
        for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
            out.extend(levels.iter().map(|level| Change::Set(side, level.price_ticks, level.lots)));
        }
        out.push(Change::Keep(levels_max));
    }
    out
}

fn of_messages(
    format: BookFormat,
    spec: SymbolSpec,
    levels_max: usize,
    messages: impl Iterator<Item = Vec<u8>>,
) -> Vec<Change> {
    let mut decoder = VenueBookEvents::new(format, &[spec]).unwrap();
    let mut batch = EventBatch::default();
    for message in messages {
        decoder.decode(0, &message, &mut batch).unwrap();
    }
    of_batch(&batch, levels_max)
}

fn kraken() -> Vec<Change> {
    let text = unpack("public/kraken_v2_book/orderbook-v2.json.gz");
    let Ok(capture) = serde_json::from_slice::<BTreeMap<String, Box<serde_json::value::RawValue>>>(&text)
    else {
        return Vec::new();
    };
    let updates: Vec<Box<serde_json::value::RawValue>> =
        serde_json::from_str(capture["updates"].get()).unwrap();
    let all = std::iter::once(&capture["init"]).chain(&updates);
    let messages = all.map(|message| message.get().as_bytes().to_vec());
    of_messages(BookFormat::KrakenV2, spec("BTC/USD", "0.1", "0.00000001"), 10, messages)
}

fn lines(path: &str) -> Vec<Vec<u8>> {
    let text = String::from_utf8(unpack(path)).unwrap();
    let received = text.lines().filter(|line| !line.starts_with("wss:"));
    received.filter_map(|line| line.split_once(": ")).map(|(_, text)| text.as_bytes().to_vec()).collect()
}

fn okx(symbol: &str, tick: &str, lot: &str) -> Vec<Change> {
    let messages = lines("public/cryptofeed_captures/OKX.ws.1.0.gz").into_iter();
    of_messages(BookFormat::Okx, spec(symbol, tick, lot), 400, messages)
}

fn coinbase(symbol: &str, tick: &str, lot: &str) -> Vec<Change> {
    let steps = |value: &Value, step: &str| {
        let scale = tradecore_feeds::Scale::new("step", Decimal::parse("step", step).unwrap()).unwrap();
        scale.nearest(value.as_str().unwrap().as_bytes()).unwrap()
    };
    let mut out = Vec::new();
    for line in lines("public/cryptofeed_captures/COINBASE.ws.28.0.gz") {
        let message: Value = serde_json::from_slice(&line).unwrap();
        if message["product_id"] != symbol {
            continue;
        }
        let set = |side, price: &Value, size: &Value| {
            let price_ticks = steps(price, tick);
            (price_ticks > 0).then(|| Change::Set(side, price_ticks, steps(size, lot)))
        };
        for (side, key) in [(Side::Buy, "bids"), (Side::Sell, "asks")] {
            for level in message[key].as_array().into_iter().flatten() {
                out.extend(set(side, &level[0], &level[1]));
            }
        }
        for level in message["changes"].as_array().into_iter().flatten() {
            let side = if level[0] == "buy" { Side::Buy } else { Side::Sell };
            out.extend(set(side, &level[1], &level[2]));
        }
        out.push(Change::Keep(usize::MAX));
    }
    out
}
