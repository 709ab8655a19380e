//! What venues and files say, read from any bytes.

use tradecore_feeds::{
    BinanceDecoder, BookFormat, CaptureBounds, Column, ColumnKind, Market, MboReader, PairScales, Scale,
    SymbolSpec, TableLayout, TimeFormat, VenueBookDecoder, choose_time_format, parse_timestamp, read_table,
};
use tradecore_types::{Decimal, EventBatch, EventBody, InstrumentId, Level, Side};

/// Makes a step; the text is ours, so it is right.
fn step(text: &str) -> Decimal {
    Decimal::parse("step", text).unwrap_or(Decimal { mantissa: 1, decimals: 0 })
}

/// Reads the bytes as a message and as a capture of each market; events are whole, or there are none.
pub fn binance(data: &[u8]) {
    let symbols = ["BTCUSDT", "ETHUSDT"].map(|symbol| SymbolSpec {
        symbol: symbol.to_owned(),
        instrument: InstrumentId(u32::from(symbol == "ETHUSDT")),
        tick_size: step("0.01"),
        lot_size: step("0.001"),
    });
    for market in [Market::Spot, Market::UsdM, Market::CoinM] {
        let mut batch = EventBatch::default();
        let Ok(mut decoder) = BinanceDecoder::new(market, &symbols, Some("BTCUSDT")) else { return };
        let _ = decoder.decode(0, data, &mut batch);
        let _ = decoder.decode_snapshot(0, "BTCUSDT", data, &mut batch);
        let _ = decoder.decode_capture(data, true, CaptureBounds::NONE, &mut batch);
        check_batch(&batch, data.len());
    }
}

/// Checks that every level belongs to one message and that none came from nowhere.
fn check_batch(batch: &EventBatch, bytes: usize) {
    let mut levels = 0;
    for event in &batch.events {
        if let EventBody::Book(update) = event.body {
            let (bids, asks) = batch.levels_of(&update);
            assert_eq!((bids.len(), asks.len()), (usize_of(update.bids), usize_of(update.asks)));
            check_levels(bids);
            check_levels(asks);
            levels += bids.len() + asks.len();
        }
    }
    assert_eq!(levels, batch.levels.len());
    // A level takes at least `["0","0"],`, and the bytes are read three times.
    assert!(levels <= 3 * (bytes / 9 + 1));
}

/// Checks that no level has a negative size or price.
fn check_levels(levels: &[Level]) {
    assert!(levels.iter().all(|level| level.price_ticks >= 0 && level.lots >= 0));
}

fn usize_of(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Reads the bytes as a message of Kraken's WebSocket, first version and second.
pub fn kraken(data: &[u8]) {
    book_message(BookFormat::KrakenV1, data);
    book_message(BookFormat::KrakenV2, data);
}

/// Reads the bytes as a message of OKX.
pub fn okx(data: &[u8]) {
    book_message(BookFormat::Okx, data);
}

fn book_message(format: BookFormat, data: &[u8]) {
    let scale = |text| Scale::new("step", step(text)).ok();
    let scales = || Some(PairScales { price: scale("0.1")?, size: scale("0.00000001")? });
    let mut decoder = VenueBookDecoder::new(format);
    let is_error = decoder.read(data, &|_| scales()).is_err();
    let (bids, asks) = (decoder.levels(Side::Buy), decoder.levels(Side::Sell));
    assert!(!is_error || (bids.is_empty() && asks.is_empty()));
    check_levels(bids);
    check_levels(asks);
    assert!(bids.len() + asks.len() <= data.len() / 9 + 1);
}

/// Reads the bytes as a file of Databento.
pub fn databento(data: &[u8]) {
    let Ok(reader) = MboReader::new(data) else { return };
    let mut records = 0;
    for record in reader {
        let Ok(record) = record else { break };
        let _ = record.price_ticks(250_000_000);
        let _ = record.price_ticks(0);
        let _ = record.price_ticks(-1);
        records += 1;
    }
    assert!(records <= data.len() / 56);
}

/// Chooses the format of the lines as times; what it chose reads the first line, or says why not.
pub fn times(data: &[u8]) {
    let lines = data.split(|&byte| byte == b'\n').enumerate().map(|(at, line)| (at + 1, line.trim_ascii()));
    match choose_time_format(lines.clone()) {
        Ok(format) => {
            assert_ne!(format, TimeFormat::Auto);
            assert!(lines.filter_map(|(_, line)| parse_timestamp(line, format).ok()).all(|time| time >= 0));
        }
        Err(question) => assert!(!question.rule.is_empty() && question.line > 0),
    }
}

/// Reads the bytes as delimited text, each kind of column.
pub fn csv(data: &[u8]) {
    let scale = |text| Scale::new("step", step(text));
    let (Ok(fine), Ok(quarter)) = (scale("0.01"), scale("0.25")) else { return };
    let count = TimeFormat::Count { unit_ns: 1_000_000, start_ns: 0 };
    for (delimiter, kinds) in [
        (b',', [ColumnKind::Time(TimeFormat::Auto), ColumnKind::Steps(fine), ColumnKind::Flag]),
        (b';', [ColumnKind::Time(count), ColumnKind::NearestSteps(quarter), ColumnKind::Id]),
        (b'\t', [ColumnKind::Clock, ColumnKind::Steps(quarter), ColumnKind::NearestSteps(fine)]),
    ] {
        let column = |(index, kind)| Column { name: "column".to_owned(), index, kind };
        let columns = kinds.into_iter().enumerate().map(column).collect();
        let layout = TableLayout { delimiter, header_lines: 0, columns, time_range_ns: None };
        if let Ok(columns) = read_table(data, &layout) {
            let rows = columns.first().map_or(0, Vec::len);
            assert!(columns.iter().all(|column| column.len() == rows));
            assert!(rows <= data.len() / 6 + 1);
        }
    }
}
