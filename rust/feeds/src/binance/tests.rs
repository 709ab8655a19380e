//! Tests of the decoder: examples of every message, every refusal, and properties.

use proptest::prelude::*;
use tradecore_types::{BookUpdateKind, Decimal, EventBatch, EventBody, InstrumentId, Quote, Side, Trade};

use super::*;

const DEPTH: &str = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,"b":[["61737.63000000","0.00000000"],["61730.17000000","1.50000000"]],"a":[["61837.64000000","1.54698000"]]}}"#;
const FUTURES_DEPTH: &str =
    r#"{"e":"depthUpdate","E":1,"T":2,"s":"BTCUSDT","U":7,"u":9,"pu":6,"b":[],"a":[["61837.64","1"]]}"#;
const DEPTH_OF_COINS: &str = r#"{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1,"T":2,"s":"BTCUSDT","ps":"BTC","U":7,"u":9,"pu":6,"b":[["61837.64000000","1001"]],"a":[]}}"#;
const TRADE: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":2,"m":true,"M":true}}"#;
const TICKER: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#;
const SNAPSHOT: &str = r#"{"lastUpdateId":50093239218,"bids":[["61837.63000000","3.78826000"]],"asks":[["61837.64000000","1.6"]]}"#;

fn spec(symbol: &str, id: u32) -> SymbolSpec {
    SymbolSpec {
        symbol: symbol.to_owned(),
        instrument: InstrumentId(id),
        tick_size: Decimal::parse("tick_size", "0.01").unwrap(),
        lot_size: Decimal::parse("lot_size", "0.00001").unwrap(),
    }
}

fn decoder(market: Market) -> BinanceDecoder {
    BinanceDecoder::new(market, &[spec("BTCUSDT", 3)], None).unwrap()
}

fn body_of(market: Market, payload: &str) -> (EventBody, EventBatch) {
    let mut batch = EventBatch::default();
    assert_eq!(decoder(market).decode(5, payload.as_bytes(), &mut batch), Ok(Decoded::Event), "{payload}");
    (batch.events[0].body, batch)
}

fn outcome_of(market: Market, payload: &str) -> Result<Decoded, crate::DecodeError> {
    let mut batch = EventBatch::default();
    let outcome = decoder(market).decode(5, payload.as_bytes(), &mut batch);
    if outcome != Ok(Decoded::Event) {
        assert!(batch.events.is_empty() && batch.levels.is_empty(), "{payload}");
    }
    outcome
}

/// Price and size of each bid, then of each ask.
type Sides = (Vec<(i64, i64)>, Vec<(i64, i64)>);

fn ticks(batch: &EventBatch, body: EventBody) -> Sides {
    let EventBody::Book(update) = body else { panic!("no book") };
    let (bids, asks) = batch.levels_of(&update);
    let pairs = |levels: &[tradecore_types::Level]| levels.iter().map(|l| (l.price_ticks, l.lots)).collect();
    (pairs(bids), pairs(asks))
}

#[test]
fn a_wrapped_spot_diff_becomes_ticks_and_lots() {
    let (body, batch) = body_of(Market::Spot, DEPTH);
    let EventBody::Book(update) = body else { panic!() };
    assert_eq!(
        (update.kind, update.first_id, update.last_id, update.prev_id),
        (BookUpdateKind::Diff, 50_093_239_189, 50_093_239_202, 0)
    );
    assert_eq!(ticks(&batch, body), (vec![(6_173_763, 0), (6_173_017, 150_000)], vec![(6_183_764, 154_698)]));
    assert_eq!((batch.events[0].instrument, batch.events[0].time_ns), (InstrumentId(3), 5));
}

#[test]
fn a_bare_futures_diff_names_the_update_before_it() {
    let (body, _) = body_of(Market::UsdM, FUTURES_DEPTH);
    assert!(matches!(body, EventBody::Book(update) if update.prev_id == 6 && update.bids == 0));
    assert!(outcome_of(Market::CoinM, &FUTURES_DEPTH.replace(r#""pu":6,"#, "")).is_err());
}

#[test]
fn the_order_of_the_fields_does_not_matter() {
    let mixed = r#"{"data":{"a":[["61837.64","1"]],"u":9,"b":[["1.00","2"]],"U":7,"s":"BTCUSDT","e":"depthUpdate"},"stream":"x"}"#;
    let (body, batch) = body_of(Market::Spot, mixed);
    assert_eq!(ticks(&batch, body), (vec![(100, 200_000)], vec![(6_183_764, 100_000)]));
    let asks_first =
        r#"{"s":"BTCUSDT","e":"depthUpdate","a":[["3","3"],["4","4"]],"b":[["2","2"]],"U":7,"u":9}"#;
    let (body, batch) = body_of(Market::Spot, asks_first);
    assert_eq!(ticks(&batch, body), (vec![(200, 200_000)], vec![(300, 300_000), (400, 400_000)]));
}

#[test]
fn diffs_as_the_venue_writes_them_take_the_fast_way() {
    let (table, mut levels) = (symbols::SymbolTable::new(&[spec("BTCUSDT", 0)]).unwrap(), Vec::new());
    for payload in [DEPTH, FUTURES_DEPTH, DEPTH_OF_COINS] {
        assert!(fast_depth::read(payload.as_bytes(), &table, &mut levels).is_some(), "{payload}");
    }
}

#[test]
fn a_snapshot_without_symbol_is_of_the_default() {
    let (body, batch) = body_of(Market::Spot, SNAPSHOT);
    assert!(
        matches!(body, EventBody::Book(update) if update.kind == BookUpdateKind::Snapshot && update.last_id == 50_093_239_218)
    );
    assert_eq!(ticks(&batch, body), (vec![(6_183_763, 378_826)], vec![(6_183_764, 160_000)]));

    let mut several =
        BinanceDecoder::new(Market::Spot, &[spec("BTCUSDT", 0), spec("ETHUSDT", 1)], None).unwrap();
    let mut batch = EventBatch::default();
    assert_eq!(several.decode(1, SNAPSHOT.as_bytes(), &mut batch).unwrap_err().field, "s");
    let taken = several.decode_snapshot(1, "ethusdt", SNAPSHOT.as_bytes(), &mut batch);
    assert_eq!((taken, batch.events[0].instrument), (Ok(Decoded::Event), InstrumentId(1)));
    assert!(several.decode_snapshot(1, "XRPUSDT", SNAPSHOT.as_bytes(), &mut batch).is_err());
}

#[test]
fn a_trade_names_the_side_that_took() {
    let (body, _) = body_of(Market::Spot, TRADE);
    let trade = Trade { price_ticks: 6_183_763, lots: 2_000, aggressor: Side::Sell, trade_id: 3_735_683_259 };
    assert_eq!(body, EventBody::Trade(trade));
    let (body, _) = body_of(Market::Spot, &TRADE.replace(r#""m":true"#, r#""m":false"#));
    assert_eq!(body, EventBody::Trade(Trade { aggressor: Side::Buy, ..trade }));
}

#[test]
fn an_aggregate_trade_carries_its_own_number() {
    let text = r#"{"e":"aggTrade","s":"BTCUSDT","a":26129,"p":"0.01","q":"0.1","f":100,"l":105,"m":true}"#;
    for payload in [text.to_owned(), text.replace(r#""a":26129,"#, "").replace(r#""s""#, r#""a":26129,"s""#)]
    {
        let (body, _) = body_of(Market::Spot, &payload);
        assert!(matches!(body, EventBody::Trade(Trade { trade_id: 26129, price_ticks: 1, .. })), "{payload}");
    }
}

#[test]
fn a_book_ticker_of_spot_needs_no_type() {
    let quote = Quote {
        bid_ticks: 6_183_763,
        bid_lots: 378_826,
        ask_ticks: 6_183_764,
        ask_lots: 154_698,
        update_id: 50_093_239_212,
    };
    assert_eq!(body_of(Market::Spot, TICKER).0, EventBody::Quote(quote));
    let futures = TICKER.replace(r#"{"u""#, r#"{"e":"bookTicker","u""#);
    assert_eq!(body_of(Market::UsdM, &futures).0, EventBody::Quote(quote));
}

#[test]
fn what_nobody_asked_for_is_counted_and_left_out() {
    let mut decoder = decoder(Market::UsdM);
    let mut batch = EventBatch::default();
    for (payload, outcome) in [
        (FUTURES_DEPTH.replace("BTCUSDT", "ETHUSDT"), Decoded::UnknownSymbol),
        (r#"{"e":"kline","s":"BTCUSDT","k":{"t":1,"b":[1]}}"#.to_owned(), Decoded::UnknownType),
        (
            r#"{"e":"24hrTicker","s":"BTCUSDT","p":"-1.5","b":"1.00","a":null}"#.to_owned(),
            Decoded::UnknownType,
        ),
        (
            r#"{"stream":"btcusdt@depth5@100ms","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#.to_owned(),
            Decoded::UnknownType,
        ),
        (TRADE.replace(r#""M":true"#, r#""X":"INSURANCE_FUND""#), Decoded::OffMarket),
        (TRADE.replace("61837.63000000", "0").replace(r#""M":true"#, r#""X":"NA""#), Decoded::OffMarket),
        (TRADE.replace("0.02000000", "0.00000900"), Decoded::BelowLot),
        (TICKER.replace("3.78826000", "0.00000000"), Decoded::EmptySide),
        (r#"{"result":null,"id":1}"#.to_owned(), Decoded::Control),
    ] {
        assert_eq!(decoder.decode(1, payload.as_bytes(), &mut batch), Ok(outcome), "{payload}");
    }
    assert!(batch.events.is_empty() && batch.levels.is_empty());
    let counts = Counts {
        messages: 9,
        events: 0,
        unknown_symbols: 1,
        unknown_types: 3,
        off_market: 2,
        empty_sides: 1,
        below_lot: 1,
        controls: 1,
    };
    assert_eq!(decoder.counts(), counts);
}

#[test]
fn a_broken_rule_names_field_and_value() {
    for (payload, field, part_of_rule) in [
        (DEPTH.replace("61737.63000000", "61737.635"), "b", "multiple of 0.01"),
        (DEPTH.replace("61837.64000000", "0"), "a", "above 0"),
        (DEPTH.replace("1.54698000", "-1"), "a", "negative"),
        (DEPTH.replace("1.54698000", "NaN"), "a", "decimal text"),
        (DEPTH.replace("61837.64000000", "1e"), "a", "decimal text"),
        (DEPTH.replace("61837.64000000", "\\u0031,1"), "a", "decimal text"),
        (DEPTH.replace("61837.64000000", "99999999999999999999"), "a", "64 bits"),
        (DEPTH.replace(r#""U":50093239189,"#, ""), "U", "missing"),
        (DEPTH.replace(r#""U":50093239189"#, r#""U":"7""#), "U", "whole number"),
        (DEPTH.replace(r#""u":50093239202"#, r#""u":7"#), "U", "above u"),
        (DEPTH.replace(r#","a":[["61837.64000000","1.54698000"]]"#, ""), "a", "missing"),
        (
            DEPTH.replace(r#"["61837.64000000","1.54698000"]"#, r#"["61837.64000000"]"#),
            "a",
            "price and a size",
        ),
        (DEPTH.replace(r#""1.54698000""#, "1.54698000"), "json", "decimal text in quotes"),
        (DEPTH.replace(r#""a":[["#, r#""a":[],"a":[["#), "a", "once"),
        (DEPTH[..DEPTH.len() - 9].to_owned(), "json", "EOF"),
        (format!("{DEPTH}x"), "json", "trailing"),
        ("[]".to_owned(), "json", "one JSON object"),
        (String::new(), "json", "EOF"),
        (TRADE.replace(r#""p":"61837.63000000","#, ""), "p", "missing"),
        (TRADE.replace(r#""m":true"#, r#""m":1"#), "m", "true or false"),
        (TRADE.replace(r#""t":3735683259,"#, ""), "t", "missing"),
        (TICKER.replace(r#""u":50093239212,"#, ""), "u", "missing"),
        (r#"{"error":{"code":2,"msg":"x"},"id":1}"#.to_owned(), "error", "refused"),
        (r#"{"code":-1121,"msg":"Invalid symbol."}"#.to_owned(), "error", "refused"),
    ] {
        let error = outcome_of(Market::Spot, &payload).unwrap_err();
        assert_eq!((error.message, error.field), (1, field), "{payload}: {error}");
        assert!(error.rule.contains(part_of_rule), "{payload}: {error}");
    }
}

#[test]
fn time_may_stand_still_but_not_fall() {
    let mut decoder = decoder(Market::Spot);
    let mut batch = EventBatch::default();
    for time_ns in [7, 7, 9] {
        assert_eq!(decoder.decode(time_ns, TICKER.as_bytes(), &mut batch), Ok(Decoded::Event));
    }
    let error = decoder.decode(8, TICKER.as_bytes(), &mut batch).unwrap_err();
    assert_eq!((error.message, error.field, batch.events.len()), (4, "receive_ns", 3));
}

#[test]
fn a_capture_is_read_in_pieces_of_any_size() {
    let text = format!("1 {DEPTH}\n2 {SNAPSHOT}\r\n\n3 {TRADE}\n3 {TICKER}");
    let mut whole = EventBatch::default();
    let all =
        decoder(Market::Spot).decode_capture(text.as_bytes(), true, CaptureBounds::NONE, &mut whole).unwrap();
    assert_eq!((all.consumed, all.is_bounded, whole.events.len()), (text.len(), false, 4));

    for size in 1..text.len() {
        let (mut decoder, mut batch) = (decoder(Market::Spot), EventBatch::default());
        let mut held: Vec<u8> = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            held.extend_from_slice(piece);
            let done = decoder.decode_capture(&held, false, CaptureBounds::NONE, &mut batch).unwrap();
            held.drain(..done.consumed);
        }
        decoder.decode_capture(&held, true, CaptureBounds::NONE, &mut batch).unwrap();
        assert_eq!((&batch.events, &batch.levels), (&whole.events, &whole.levels), "pieces of {size}");
    }
}

#[test]
fn a_full_batch_stops_the_reading_between_lines() {
    let text = format!("1 {TICKER}\n2 {TICKER}\n3 {TICKER}\n");
    let two = CaptureBounds { events_max: 2, ..CaptureBounds::NONE };
    let (mut decoder, mut batch) = (decoder(Market::Spot), EventBatch::default());
    let first = decoder.decode_capture(text.as_bytes(), true, two, &mut batch).unwrap();
    assert_eq!((first.is_bounded, batch.events.len()), (true, 2));
    batch.clear();
    let rest = decoder.decode_capture(&text.as_bytes()[first.consumed..], true, two, &mut batch).unwrap();
    assert_eq!((rest.is_bounded, batch.events[0].time_ns), (false, 3));
}

#[test]
fn nothing_is_read_from_after_the_time_asked_for() {
    let text = format!("1 {TICKER}\n2 {TICKER}\n3 {TICKER}\n");
    let until = CaptureBounds { until_ns: 2, ..CaptureBounds::NONE };
    let (mut decoder, mut batch) = (decoder(Market::Spot), EventBatch::default());
    let first = decoder.decode_capture(text.as_bytes(), true, until, &mut batch).unwrap();
    assert_eq!((first.is_bounded, batch.events.len()), (true, 2));
    let again = decoder.decode_capture(&text.as_bytes()[first.consumed..], true, until, &mut batch).unwrap();
    assert_eq!((again.consumed, batch.events.len()), (0, 2));
}

#[test]
fn a_wrong_line_is_named_and_the_lines_before_it_are_kept() {
    for bad in ["x {}", "-1 {}", "5", "99999999999999999999 {}", "4 {\"e\":", "1 {}"] {
        let text = format!("2 {TICKER}\n3 {TRADE}\n{bad}\n9 {TICKER}\n");
        let (mut decoder, mut batch) = (decoder(Market::Spot), EventBatch::default());
        let error =
            decoder.decode_capture(text.as_bytes(), true, CaptureBounds::NONE, &mut batch).unwrap_err();
        assert_eq!((error.message, batch.events.len()), (3, 2), "{bad}: {error}");
    }
}

#[test]
fn symbols_that_make_no_sense_are_refused() {
    let zero = SymbolSpec { tick_size: Decimal { mantissa: 0, decimals: 0 }, ..spec("A", 0) };
    for (specs, default) in [
        (vec![], None),
        (vec![zero], None),
        (vec![spec("A", 0), spec("a", 1)], None),
        (vec![spec("", 0)], None),
        (vec![spec("A", 0)], Some("B")),
    ] {
        assert!(BinanceDecoder::new(Market::Spot, &specs, default).is_err());
    }
}

/// The slow plain way: a JSON tree and exact decimals.
fn plain(payload: &str) -> Option<Sides> {
    let tree: serde_json::Value = serde_json::from_str(payload).ok()?;
    let side = |name: &str| {
        tree[name]
            .as_array()?
            .iter()
            .map(|level| {
                let decimal = |index: usize| Decimal::parse("value", level[index].as_str()?).ok();
                let price = decimal(0)?.in_steps_of(Decimal { mantissa: 1, decimals: 2 }, "price").ok()?;
                let size = decimal(1)?;
                let lots = if size.decimals > 5 {
                    size.mantissa / 10i64.pow(u32::from(size.decimals) - 5)
                } else {
                    size.in_steps_of(Decimal { mantissa: 1, decimals: 5 }, "size").ok()?
                };
                (price > 0 && lots >= 0).then_some((price, lots))
            })
            .collect::<Option<Vec<_>>>()
    };
    Some((side("b")?, side("a")?))
}

proptest! {
    #[test]
    fn depth_agrees_with_plain_parsing(
        bids in prop::collection::vec(("[0-9]{1,6}(\\.[0-9]{1,3}0{0,5})?", "[0-9]{1,4}(\\.[0-9]{1,6})?"), 0..30),
        asks in prop::collection::vec(("[1-9][0-9]{0,5}(\\.[0-9]{1,2})?", "[0-9]{1,4}(\\.[0-9]{1,5})?"), 0..30),
    ) {
        let side = |levels: &[(String, String)]| {
            levels.iter().map(|(p, q)| format!(r#"["{p}","{q}"]"#)).collect::<Vec<_>>().join(",")
        };
        let payload =
            format!(r#"{{"e":"depthUpdate","s":"BTCUSDT","U":1,"u":2,"b":[{}],"a":[{}]}}"#, side(&bids), side(&asks));
        let mut batch = EventBatch::default();
        let outcome = decoder(Market::Spot).decode(1, payload.as_bytes(), &mut batch);
        let own = outcome.ok().map(|_| ticks(&batch, batch.events[0].body));
        prop_assert_eq!(own, plain(&payload));
    }

    #[test]
    fn the_fast_and_the_general_reader_agree(
        level in "[0-9]{0,6}\\.?[0-9]{0,9}",
        template in prop::sample::select(vec![DEPTH, FUTURES_DEPTH, DEPTH_OF_COINS, SNAPSHOT, TICKER]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let mut payload = template.replace("61837.64000000", &level).into_bytes();
        for (at, byte) in changes {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        for market in [Market::Spot, Market::CoinM] {
            let decoder = decoder(market);
            let (mut fast, mut general) = (Vec::new(), Vec::new());
            let read = decoder.event(1, &payload, None, &mut fast);
            let expected = decoder.general_event(1, &payload, None, &mut general);
            if let Ok(Ok(_)) = expected {
                prop_assert_eq!(&fast, &general);
            }
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn any_bytes_are_accepted_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        cut in any::<prop::sample::Index>(),
        with in any::<u8>(),
    ) {
        let mut batch = EventBatch::default();
        let _ = decoder(Market::UsdM).decode_capture(&bytes, true, CaptureBounds::NONE, &mut batch);
        for valid in [DEPTH, FUTURES_DEPTH, TRADE, TICKER, SNAPSHOT] {
            let mut bent = valid.as_bytes().to_vec();
            let at = cut.index(bent.len());
            bent[at] = with;
            for market in [Market::Spot, Market::CoinM] {
                let before = (batch.events.len(), batch.levels.len());
                let outcome = decoder(market).decode(1, &bent, &mut batch);
                let added = batch.events.len() - before.0;
                prop_assert_eq!(added, usize::from(outcome == Ok(Decoded::Event)));
                prop_assert!(added == 1 || batch.levels.len() == before.1);
            }
        }
    }
}
