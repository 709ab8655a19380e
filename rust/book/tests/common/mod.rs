//! Streams of book messages for the tests: made up, and read from a real capture.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tradecore_book::{BookChange, Depth, InstrumentBook, SequenceRule, SyncCapacity};
use tradecore_types::{BookUpdate, BookUpdateKind, Decimal, Level, Quote, Side};

/// One message with its levels.
#[derive(Clone, Debug)]
pub enum Message {
    /// A snapshot or a diff.
    Book(BookUpdate, Vec<Level>, Vec<Level>),
    /// A best bid and ask.
    Quote(Quote),
}

/// Makes a book message.
pub fn book(kind: BookUpdateKind, ids: [u64; 3], bids: &[(i64, i64)], asks: &[(i64, i64)]) -> Message {
    let levels = |side: &[(i64, i64)]| -> Vec<Level> {
        side.iter().map(|&(price_ticks, lots)| Level { price_ticks, lots }).collect()
    };
    let count = |side: &[(i64, i64)]| u32::try_from(side.len()).unwrap();
    let [first_id, last_id, prev_id] = ids;
    let update = BookUpdate {
        kind,
        first_id,
        last_id,
        prev_id,
        levels_start: 0,
        bids: count(bids),
        asks: count(asks),
        checksum: None,
    };
    Message::Book(update, levels(bids), levels(asks))
}

/// Feeds one message; quotes give no change.
pub fn feed(target: &mut InstrumentBook, message: &Message) -> Option<BookChange> {
    match message {
        Message::Book(update, bids, asks) => Some(target.on_update(update, bids, asks)),
        Message::Quote(quote) => {
            target.on_quote(quote);
            None
        }
    }
}

/// Makes a book for a rule.
pub fn instrument(rule: SequenceRule) -> InstrumentBook {
    InstrumentBook::new(rule, SyncCapacity::default())
}

/// Makes a snapshot of what a book shows, as the venue would send it.
pub fn snapshot_of(source: &InstrumentBook) -> Message {
    let side = |side| {
        let mut levels = Vec::new();
        source.walk(side, &mut |level: Level| {
            levels.push((level.price_ticks, level.lots));
            true
        });
        levels
    };
    let id = source.applied_id();
    book(BookUpdateKind::Snapshot, [id, id, 0], &side(Side::Buy), &side(Side::Sell))
}

/// Returns the canonical bytes of the levels alone.
pub fn levels_state(source: &InstrumentBook) -> Vec<u8> {
    let mut out = Vec::new();
    source.book().write_state(&mut out);
    out
}

/// A capture of a Binance market.
pub struct Capture {
    /// Folder and file below the shared data.
    pub path: &'static str,
    /// Its beginning, a file of the repository's `examples/data`.
    pub slice: &'static str,
    /// How its messages are numbered.
    pub rule: SequenceRule,
    tick_size: &'static str,
    lot_size: &'static str,
}

/// Spot.
pub const SPOT: Capture = Capture {
    path: "public/hftbacktest_binance_spot/spot/btcusdt_20240808.gz",
    slice: "binance-spot.gz",
    rule: SequenceRule::BinanceSpot,
    tick_size: "0.01",
    // Sizes of old levels are finer than the lot the venue takes orders in.
    lot_size: "0.00000001",
};
/// USD-M futures.
pub const USDM: Capture = Capture {
    path: "public/hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz",
    slice: "binance-usdm.gz",
    rule: SequenceRule::BinanceFutures,
    tick_size: "0.1",
    lot_size: "0.001",
};
/// COIN-M futures.
pub const COINM: Capture = Capture {
    path: "public/hftbacktest_binance_cm/cm/btcusd_perp_20240808.gz",
    slice: "binance-coinm.gz",
    rule: SequenceRule::BinanceFutures,
    tick_size: "0.1",
    lot_size: "1",
};

impl Capture {
    /// Reads the book messages and quotes of the whole capture, or says why not.
    pub fn read(&self) -> Option<Vec<Message>> {
        let Some(file) = shared_data().map(|root| root.join(self.path)).filter(|file| file.is_file()) else {
            eprintln!("skipped: no real data; set TRADECORE_SHARED to the folder that holds {}", self.path);
            return None;
        };
        self.unpack(&file)
    }

    /// Reads the beginning of the capture that the repository carries, or says why not.
    pub fn read_slice(&self) -> Option<Vec<Message>> {
        self.unpack(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data").join(self.slice))
    }

    fn unpack(&self, file: &Path) -> Option<Vec<Message>> {
        let Ok(output) = Command::new("gzip").arg("-dc").arg(file).output() else {
            eprintln!("skipped: the program gzip is not there to read {}", file.display());
            return None;
        };
        assert!(output.status.success(), "gzip cannot read {}", file.display());
        let text = String::from_utf8(output.stdout).unwrap();
        Some(text.lines().filter_map(|line| self.parse(line)).collect())
    }

    fn parse(&self, line: &str) -> Option<Message> {
        let (_, json) = line.split_once(' ').unwrap();
        let message: Value = serde_json::from_str(json).unwrap();
        if let Some(id) = message["lastUpdateId"].as_u64() {
            let (bids, asks) = (self.levels(&message["bids"]), self.levels(&message["asks"]));
            return Some(book(BookUpdateKind::Snapshot, [id, id, 0], &bids, &asks));
        }
        let (stream, data) = (message["stream"].as_str().unwrap(), &message["data"]);
        let id = |key: &str| data[key].as_u64().unwrap_or(0);
        if stream.contains("@depth") {
            let (bids, asks) = (self.levels(&data["b"]), self.levels(&data["a"]));
            return Some(book(BookUpdateKind::Diff, [id("U"), id("u"), id("pu")], &bids, &asks));
        }
        if !stream.ends_with("@bookTicker") {
            return None;
        }
        Some(Message::Quote(Quote {
            bid_ticks: steps(&data["b"], self.tick_size),
            bid_lots: steps(&data["B"], self.lot_size),
            ask_ticks: steps(&data["a"], self.tick_size),
            ask_lots: steps(&data["A"], self.lot_size),
            update_id: id("u"),
        }))
    }

    fn levels(&self, side: &Value) -> Vec<(i64, i64)> {
        let level = |pair: &Value| (steps(&pair[0], self.tick_size), steps(&pair[1], self.lot_size));
        side.as_array().unwrap().iter().map(level).collect()
    }
}

fn steps(text: &Value, step: &str) -> i64 {
    let step = Decimal::parse("step", step).unwrap();
    Decimal::parse("value", text.as_str().unwrap()).unwrap().in_steps_of(step, "value").unwrap()
}

/// Finds the folder with the real data: as told, or beside the repository.
fn shared_data() -> Option<PathBuf> {
    if let Some(root) = std::env::var_os("TRADECORE_SHARED") {
        let root = PathBuf::from(root);
        return [root.join("data"), root].into_iter().find(|path| path.join("public").is_dir());
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.ancestors().map(|path| path.join("shared/data")).find(|path| path.is_dir())
}
