//! Records become frames and come back; anything else is one error.
#![expect(clippy::panic, reason = "test code")]

mod common;

use std::path::Path;

use common::{Owned, encode, encode_all, record};
use proptest::collection::vec;
use proptest::prelude::*;
use tradecore_journal::{
    CodecError, FRAME_BYTES_MAX, Frames, Kind, Reader, Record, RecordBody, collect_events, decode,
    encode_account, encode_event, encode_events, encode_session, encode_session_end,
};
use tradecore_types::{
    AccountEvent, BookUpdate, BookUpdateKind, Event, EventBatch, EventBody, InstrumentId, Level, Opening,
};

/// Takes a decoded record out of its frame.
fn owned(record: &Record<'_>) -> Owned {
    match record.body {
        RecordBody::Session { engine_version, config } => {
            Owned::Session { engine_version: engine_version.into(), config: config.into() }
        }
        RecordBody::SessionEnd { reason } => Owned::SessionEnd { reason: reason.into() },
        RecordBody::StateHash(hash) => Owned::StateHash(hash),
        RecordBody::Event { event, bids, asks } => {
            assert_eq!(event.time_ns, record.time_ns);
            let (bids, asks) = (bids.iter().collect(), asks.iter().collect());
            Owned::Event { body: event.body, instrument: event.instrument, bids, asks }
        }
        RecordBody::Account(account) => {
            Owned::Account(account.read().unwrap_or_else(|error| panic!("{error}")))
        }
        RecordBody::Order { intent, reference_ticks } => Owned::Order { intent, reference_ticks },
        RecordBody::Refused { intent, refusal } => Owned::Refused { intent, refusal },
        RecordBody::CancelRequest { order_id, strategy } => Owned::CancelRequest { order_id, strategy },
        RecordBody::ReplaceRequest { order_id, price_ticks, lots } => {
            Owned::ReplaceRequest { order_id, price_ticks, lots }
        }
        RecordBody::Link { order_id, after, oco } => Owned::Link { order_id, after, oco },
        RecordBody::Sized { order_id, lots } => Owned::Sized { order_id, lots },
        RecordBody::Sent(sent) => Owned::Sent(sent),
        RecordBody::Report(report) => Owned::Report(report),
        RecordBody::Revision(booked) => Owned::Revision(booked.named(Box::from(booked.trade_id))),
        RecordBody::Venue { instrument, said } => Owned::Venue { instrument, said: said.to_owned() },
        RecordBody::Surprise(surprise) => Owned::Surprise(surprise),
        RecordBody::CashFlow(flow) => Owned::CashFlow(flow),
        RecordBody::Liquidation(liquidation) => Owned::Liquidation(liquidation),
        RecordBody::Margin { strategy, instrument, amount } => Owned::Margin { strategy, instrument, amount },
        RecordBody::Decision(decision) => {
            let gates = decision.gates.iter();
            let gates: Vec<_> =
                gates.map(|gate| (gate.name.into(), gate.limit, gate.value, gate.passed)).collect();
            assert_eq!(gates.len(), decision.gates.len());
            let ids = (decision.strategy.0, decision.instrument.0, decision.action);
            Owned::Decision { ids, reason: decision.reason.into(), gates }
        }
    }
}

fn encoded(time_ns: i64, record: &Owned) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(&mut frame, time_ns, record).unwrap_or_else(|error| panic!("{error}"));
    frame
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_record_comes_back_as_it_went_in(time_ns: i64, record in record()) {
        let mut frame = Vec::new();
        encode(&mut frame, time_ns, &record).unwrap();
        let decoded = decode(&frame).unwrap();
        prop_assert_eq!(decoded.time_ns, time_ns);
        prop_assert_eq!(decoded.body.kind().code(), frame[4]);
        prop_assert_eq!(owned(&decoded), record);
    }

    #[test]
    fn arbitrary_bytes_are_a_record_or_an_error(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let mut batch = EventBatch::default();
        let _ = collect_events(&bytes, &mut batch);
        prop_assert!(batch.events.len() <= bytes.len());
    }

    #[test]
    fn a_changed_frame_is_refused_or_encodes_to_its_own_bytes(
        time_ns: i64, record in record(), at: prop::sample::Index, flip in 1u8..,
    ) {
        let mut frame = Vec::new();
        encode(&mut frame, time_ns, &record).unwrap();
        let at = at.index(frame.len());
        frame[at] ^= flip;
        if let Ok(changed) = decode(&frame) {
            let mut again = Vec::new();
            encode(&mut again, changed.time_ns, &owned(&changed)).unwrap();
            prop_assert_eq!(again, frame);
        }
    }

    #[test]
    fn a_cut_or_lengthened_frame_is_refused(record in record(), cut: prop::sample::Index) {
        let mut frame = encode_all(std::slice::from_ref(&record));
        prop_assert!(decode(&frame[..cut.index(frame.len())]).is_err());
        frame.push(0);
        prop_assert!(decode(&frame).is_err());
        let length = u32::try_from(frame.len() - 4).unwrap();
        frame[..4].copy_from_slice(&length.to_le_bytes());
        prop_assert!(decode(&frame).is_err());
    }

    #[test]
    fn frames_are_cut_where_they_were_joined(records in vec(record(), 0..12)) {
        let bytes = encode_all(&records);
        let decoded: Vec<_> =
            Frames::new(&bytes).map(|frame| owned(&decode(frame.unwrap()).unwrap())).collect();
        prop_assert_eq!(decoded, records);
    }

    #[test]
    fn a_replay_gets_the_events_and_nothing_else(records in vec(record(), 0..12)) {
        let mut batch = EventBatch::default();
        collect_events(&encode_all(&records), &mut batch).unwrap();
        let said = records.iter().filter_map(|record| match record {
            Owned::Venue { said, .. } => Some(said),
            _ => None,
        });
        let heard = batch.events.iter().filter_map(|event| match event.body {
            EventBody::Venue(place) => Some(batch.venue_event(place).unwrap()),
            _ => None,
        });
        prop_assert!(heard.eq(said));
        let wanted: Vec<_> = (0i64..)
            .zip(&records)
            .filter_map(|(time_ns, record)| match record {
                Owned::Event { body, instrument, bids, asks } => {
                    Some((time_ns, *instrument, std::mem::discriminant(body), bids.clone(), asks.clone()))
                }
                Owned::Account(_) => {
                    let body = std::mem::discriminant(&EventBody::Account(0));
                    Some((time_ns, InstrumentId(0), body, vec![], vec![]))
                }
                Owned::Venue { instrument, .. } => {
                    let kind = std::mem::discriminant(&EventBody::Venue(0));
                    Some((time_ns, *instrument, kind, vec![], vec![]))
                }
                _ => None,
            })
            .collect();
        let got: Vec<_> = batch
            .events
            .iter()
            .map(|event| {
                let (bids, asks) = match &event.body {
                    EventBody::Book(update) => batch.levels_of(update),
                    _ => (&[][..], &[][..]),
                };
                let kind = std::mem::discriminant(&event.body);
                (event.time_ns, event.instrument, kind, bids.to_vec(), asks.to_vec())
            })
            .collect();
        prop_assert_eq!(got, wanted);
        let said: Vec<_> = records
            .iter()
            .filter_map(|record| match record {
                Owned::Account(event) => Some(event.clone()),
                _ => None,
            })
            .collect();
        prop_assert_eq!(&batch.account_events, &said);
        let mut again = Vec::new();
        encode_events(&mut again, &batch).unwrap();
        let mut twice = EventBatch::default();
        collect_events(&again, &mut twice).unwrap();
        prop_assert_eq!((&twice.events, &twice.account_events), (&batch.events, &said));
    }
}

#[test]
fn every_bit_of_a_frame_means_something_or_is_refused() {
    let mut reader =
        Reader::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/replay/format-1.journal"))
            .unwrap();
    let frames = reader.next_block().unwrap().unwrap().frames;
    for frame in Frames::new(frames) {
        let mut changed = frame.unwrap().to_vec();
        assert!(decode(&changed).is_ok());
        for bit in 0..changed.len() * 8 {
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Ok(record) = decode(&changed) {
                assert_eq!(encoded(record.time_ns, &owned(&record)), changed, "bit {bit}");
            }
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn kinds_read_back_as_the_kind_they_stand_for() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_code(kind.code()), Some(kind));
    }
    assert_eq!(Kind::from_code(0), None);
    for (before, after) in Kind::ALL.iter().zip(&Kind::ALL[1..]) {
        assert!(before.code() < after.code(), "{before:?}");
        assert_ne!(before.name(), after.name());
        assert!(after.about().ends_with('.') && !after.about().contains("  "), "{after:?}");
    }
    assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_event()).count(), 18);
}

#[test]
fn a_record_that_does_not_fit_is_refused_and_leaves_the_buffer_as_it_was() {
    let mut out = vec![7; 3];
    let long = "x".repeat(FRAME_BYTES_MAX);
    assert_eq!(encode_session_end(&mut out, 0, &long), Err(CodecError::TooLarge("reason")));
    assert_eq!(encode_session(&mut out, 0, "1", long.as_bytes()), Err(CodecError::TooLarge("config")));
    let levels = vec![Level::default(); FRAME_BYTES_MAX / 16];
    let update = BookUpdate {
        kind: BookUpdateKind::Snapshot,
        first_id: 0,
        last_id: 0,
        prev_id: 0,
        levels_start: 0,
        bids: 0,
        asks: 0,
        checksum: None,
    };
    let event = Event { time_ns: 0, instrument: InstrumentId(0), body: EventBody::Book(update) };
    assert_eq!(encode_event(&mut out, &event, &levels, &[]), Err(CodecError::TooLarge("levels")));
    let opening = Opening { changed: long, ..Opening::default() };
    let opening = AccountEvent::Opening(opening);
    assert_eq!(encode_account(&mut out, 0, &opening), Err(CodecError::TooLarge("account")));
    let alone = Event { body: EventBody::Account(3), ..event };
    assert_eq!(encode_event(&mut out, &alone, &[], &[]), Err(CodecError::Apart));
    let without = EventBatch { events: vec![alone], ..EventBatch::default() };
    assert_eq!(encode_events(&mut out, &without), Err(CodecError::Apart));
    assert_eq!(out, [7; 3]);
}

#[test]
fn a_batch_stays_as_it_was_when_a_frame_is_broken() {
    let clock =
        Owned::Event { body: EventBody::Clock, instrument: InstrumentId(0), bids: vec![], asks: vec![] };
    let mut bytes = encode_all(&[clock.clone(), clock]);
    bytes.pop();
    let mut batch = EventBatch::default();
    assert_eq!(collect_events(&bytes, &mut batch), Err(CodecError::Truncated));
    assert!(batch.events.is_empty());
}

#[test]
fn a_session_of_a_newer_format_is_named() {
    let mut frame = Vec::new();
    encode_session(&mut frame, 0, "9.9", b"{}").unwrap();
    frame[13] = 2;
    assert_eq!(decode(&frame), Err(CodecError::NewerVersion(2)));
}

#[test]
fn the_largest_record_is_written_and_read_and_one_byte_more_is_not() {
    let mut empty = Vec::new();
    encode_session_end(&mut empty, 0, "").unwrap();
    let room = FRAME_BYTES_MAX - empty.len();
    let mut out = vec![7; 3];
    encode_session_end(&mut out, 5, &"x".repeat(room)).unwrap();
    assert_eq!(out.len(), 3 + FRAME_BYTES_MAX);
    let record = decode(&out[3..]).unwrap();
    assert!(matches!(record.body, RecordBody::SessionEnd { reason } if reason.len() == room));
    let before = out.clone();
    let longer = "x".repeat(room + 1);
    assert_eq!(encode_session_end(&mut out, 5, &longer), Err(CodecError::TooLarge("reason")));
    assert_eq!(out, before);
}
