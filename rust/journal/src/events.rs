//! The input of a replay: the events of a journal, as a batch.

use tradecore_types::{Event, EventBatch, EventBody};

use crate::{CodecError, Frames, Kind, RecordBody, decode, encode_event, encode_venue};

/// Appends every event among the frames to a batch and passes over all other records.
///
/// # Errors
///
/// [`CodecError`] when the bytes are not whole frames, an event cannot be read, or the level table is
/// full (2^32 levels); the batch is then as it was.
pub fn collect_events(frames: &[u8], batch: &mut EventBatch) -> Result<(), CodecError> {
    let before = (batch.events.len(), batch.levels.len(), batch.venue_events.len());
    let outcome = Frames::new(frames).try_for_each(|frame| collect(frame?, batch));
    if outcome.is_err() {
        batch.events.truncate(before.0);
        batch.levels.truncate(before.1);
        batch.venue_events.truncate(before.2);
    }
    outcome
}

/// Appends every event of a batch as a frame: the way back of [`collect_events`].
///
/// # Errors
///
/// [`CodecError::TooLarge`] when an event does not fit a frame.
pub fn encode_events(out: &mut Vec<u8>, batch: &EventBatch) -> Result<(), CodecError> {
    for event in &batch.events {
        match &event.body {
            EventBody::Venue(place) => {
                let said = batch.venue_event(*place).ok_or(CodecError::Apart)?;
                encode_venue(out, event.time_ns, event.instrument, &said.borrowed())?;
            }
            EventBody::Book(update) => {
                let (bids, asks) = batch.levels_of(update);
                encode_event(out, event, bids, asks)?;
            }
            _ => encode_event(out, event, &[], &[])?,
        }
    }
    Ok(())
}

fn collect(frame: &[u8], batch: &mut EventBatch) -> Result<(), CodecError> {
    // The kind is the byte behind the length; outputs are passed over without reading them.
    let code = frame.get(crate::frames::LENGTH_BYTES).copied().unwrap_or_default();
    if !Kind::from_code(code).ok_or(CodecError::UnknownKind(code))?.is_event() {
        return Ok(());
    }
    let record = decode(frame)?;
    let (event, bids, asks) = match record.body {
        RecordBody::Event { event, bids, asks } => (event, bids, asks),
        RecordBody::Venue { instrument, said } => {
            let place =
                u32::try_from(batch.venue_events.len()).map_err(|_| CodecError::TooLarge("venue_events"))?;
            batch.venue_events.push(said.to_owned());
            let body = EventBody::Venue(place);
            batch.events.push(Event { time_ns: record.time_ns, instrument, body });
            return Ok(());
        }
        _ => return Err(CodecError::UnknownKind(code)),
    };
    let body = match event.body {
        EventBody::Book(mut update) => {
            update.levels_start =
                u32::try_from(batch.levels.len()).map_err(|_| CodecError::TooLarge("levels"))?;
            EventBody::Book(update)
        }
        body => body,
    };
    batch.levels.extend(bids.iter().chain(asks.iter()));
    batch.events.push(Event { body, ..event });
    Ok(())
}
