//! How long does one message take, beside plain parsing of the same JSON into a tree?

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench stops at the first surprise")]

use divan::{Bencher, black_box};
use tradecore_feeds::{BinanceDecoder, Decoded, Market, SymbolSpec};
use tradecore_types::{Decimal, EventBatch, InstrumentId};

fn main() {
    divan::main();
}

/// A diff with 20 levels on each side, as long as the venue's.
fn depth_message() -> String {
    let side = |from: u32| {
        (0..20)
            .map(|i| format!(r#"["{}.63000000","0.{:05}000"]"#, from + i, 154 + i))
            .collect::<Vec<_>>()
            .join(",")
    };
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[{}],"a":[{}]}}}}"#,
        side(61_700),
        side(61_800)
    )
}

const TICKER: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;

fn decoder() -> BinanceDecoder {
    let spec = SymbolSpec {
        symbol: "BTCUSDT".to_owned(),
        instrument: InstrumentId(0),
        tick_size: Decimal::parse("tick_size", "0.01").unwrap(),
        lot_size: Decimal::parse("lot_size", "0.00001").unwrap(),
    };
    BinanceDecoder::new(Market::Spot, &[spec], None).unwrap()
}

fn decode(bencher: Bencher<'_, '_>, message: &str) {
    let (mut decoder, mut batch) = (decoder(), EventBatch::with_capacity(1, 64));
    bencher.bench_local(|| {
        batch.clear();
        assert_eq!(decoder.decode(1, black_box(message.as_bytes()), &mut batch), Ok(Decoded::Event));
    });
}

#[divan::bench(sample_size = 1000)]
fn depth_20x2(bencher: Bencher<'_, '_>) {
    decode(bencher, &depth_message());
}

#[divan::bench(sample_size = 1000)]
fn depth_20x2_baseline_tree(bencher: Bencher<'_, '_>) {
    let message = depth_message();
    bencher.bench_local(|| serde_json::from_str::<serde_json::Value>(black_box(&message)).unwrap());
}

#[divan::bench(sample_size = 1000)]
fn book_ticker(bencher: Bencher<'_, '_>) {
    decode(bencher, TICKER);
}

#[divan::bench(sample_size = 1000)]
fn book_ticker_baseline_tree(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| serde_json::from_str::<serde_json::Value>(black_box(TICKER)).unwrap());
}
