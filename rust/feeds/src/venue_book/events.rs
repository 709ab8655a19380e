//! Book messages as events of a batch.

use rustc_hash::FxHashMap;
use tradecore_types::{
    BookUpdate, BookUpdateKind, Event, EventBatch, EventBody, InstrumentId, Side, TimeNs, ValueError,
};

use super::{BookFormat, PairScales, VenueBookDecoder};
use crate::error::Problem;
use crate::{DecodeError, Scale, SymbolSpec};

/// Turns a venue's book messages into events, each with the checksum that the venue states.
///
/// **Invariant:** a message adds one event with its levels, or leaves the batch as it was.
#[derive(Clone, Debug)]
pub struct VenueBookEvents {
    decoder: VenueBookDecoder,
    listings: FxHashMap<Box<str>, (InstrumentId, PairScales)>,
    last_time_ns: TimeNs,
}

impl VenueBookEvents {
    /// Prepares the pairs that are wanted, named as the venue names them.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there is none, a name comes twice or is empty, or a step is not above 0.
    pub fn new(format: BookFormat, specs: &[SymbolSpec]) -> Result<Self, ValueError> {
        let mut listings = FxHashMap::default();
        for spec in specs {
            let scales = PairScales {
                price: Scale::new("tick_size", spec.tick_size)?,
                size: Scale::new("lot_size", spec.lot_size)?,
            };
            let name = spec.symbol.clone().into_boxed_str();
            if name.is_empty() || listings.insert(name, (spec.instrument, scales)).is_some() {
                return Err(ValueError::new("symbol", &spec.symbol, "must be there and be given once"));
            }
        }
        if listings.is_empty() {
            return Err(ValueError::new("instruments", "[]", "must name at least one symbol"));
        }
        Ok(Self { decoder: VenueBookDecoder::new(format), listings, last_time_ns: TimeNs::MIN })
    }

    /// Reads one message received at `time_ns`; `false` for one that is no book message or of another pair.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the text is malformed, a number is no whole step or the time falls.
    pub fn decode(
        &mut self,
        time_ns: TimeNs,
        payload: &[u8],
        batch: &mut EventBatch,
    ) -> Result<bool, DecodeError> {
        let listings = &self.listings;
        let message = self.decoder.read(payload, &|symbol| listings.get(symbol).map(|known| known.1))?;
        let Some(message) = message else { return Ok(false) };
        let Some(&(instrument, _)) = listings.get(message.symbol) else { return Ok(false) };
        let (is_snapshot, checksum) = (message.is_snapshot, message.checksum);
        let number = self.decoder.messages;
        if time_ns < self.last_time_ns {
            let rule = format!("must not fall; the one before was {}", self.last_time_ns);
            return Err(DecodeError::at(number, Problem::new("receive_ns", time_ns, rule)));
        }
        let (bids, asks) = (self.decoder.levels(Side::Buy), self.decoder.levels(Side::Sell));
        let count = |value: usize| {
            let rule = "too many levels for one batch; read it in parts";
            u32::try_from(value).map_err(|_| DecodeError::at(number, Problem::new("levels", value, rule)))
        };
        let update = BookUpdate {
            kind: if is_snapshot { BookUpdateKind::Snapshot } else { BookUpdateKind::Diff },
            first_id: 0,
            last_id: 0,
            prev_id: 0,
            levels_start: count(batch.levels.len())?,
            bids: count(bids.len())?,
            asks: count(asks.len())?,
            checksum,
        };
        batch.levels.extend(bids.iter().chain(asks));
        batch.events.push(Event { time_ns, instrument, body: EventBody::Book(update) });
        self.last_time_ns = time_ns;
        Ok(true)
    }

    /// Returns the number of messages read so far, the wrong ones included.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.decoder.messages
    }
}
