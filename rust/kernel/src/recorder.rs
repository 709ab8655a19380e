//! Turns what happens into journal frames, and the orders among them into a digest.

use tradecore_journal::{
    CodecError, Gate, encode_account, encode_cancel_request, encode_cash_flow, encode_decision, encode_event,
    encode_link, encode_liquidation, encode_margin, encode_order, encode_refused, encode_replace_request,
    encode_report, encode_revision, encode_sent, encode_sized, encode_surprise, encode_venue,
};
use tradecore_types::{
    AccountEvent, BookedRevision, CashFlow, Event, InstrumentId, Level, Liquidation, Money, OrderId,
    OrderIntent, Refusal, Report, Sent, StrategyId, Surprise, TimeNs, VenueEvent,
};

/// Frames since they were last taken, and the digest of every order so far.
///
/// **Invariant:** the digest covers exactly the bytes of the order, refusal, cancel and replace frames,
/// so it is the same whether frames are kept or not.
pub(crate) struct Recorder {
    frames: Vec<u8>,
    is_recording: bool,
    digest: Option<blake3::Hasher>,
}

impl Recorder {
    /// Makes a recorder; `is_recording` keeps frames, `has_digest` hashes orders.
    pub(crate) fn new(is_recording: bool, has_digest: bool) -> Self {
        Self { frames: Vec::new(), is_recording, digest: has_digest.then(blake3::Hasher::new) }
    }

    /// Tells whether frames are kept.
    pub(crate) const fn is_recording(&self) -> bool {
        self.is_recording
    }

    /// Moves the frames to the end of `out`.
    pub(crate) fn take_frames(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.frames);
    }

    /// Tells whether all frames were taken.
    pub(crate) const fn is_taken(&self) -> bool {
        self.frames.is_empty()
    }

    /// Puts frames back that were taken.
    pub(crate) fn put_back(&mut self, frames: Vec<u8>) {
        self.frames = frames;
    }

    /// Keeps no digest any more: the orders before were not seen.
    pub(crate) fn forget_digest(&mut self) {
        self.digest = None;
    }

    /// Returns the hash of every order frame so far.
    pub(crate) fn digest(&self) -> Option<[u8; 32]> {
        self.digest.as_ref().map(|hasher| *hasher.finalize().as_bytes())
    }

    /// Records an event.
    pub(crate) fn event(&mut self, event: &Event, bids: &[Level], asks: &[Level]) -> Result<(), CodecError> {
        if self.is_recording { encode_event(&mut self.frames, event, bids, asks) } else { Ok(()) }
    }

    /// Records an event about the account.
    pub(crate) fn account(&mut self, time_ns: TimeNs, event: &AccountEvent) -> Result<(), CodecError> {
        if self.is_recording { encode_account(&mut self.frames, time_ns, event) } else { Ok(()) }
    }

    /// Records a report at the time the engine learned of it.
    pub(crate) fn report(&mut self, time_ns: TimeNs, report: &Report) {
        if self.is_recording {
            encode_report(&mut self.frames, time_ns, report);
        }
    }

    /// Records what a venue outside said.
    pub(crate) fn venue(
        &mut self,
        time_ns: TimeNs,
        instrument: InstrumentId,
        said: &VenueEvent,
    ) -> Result<(), CodecError> {
        if !self.is_recording {
            return Ok(());
        }
        encode_venue(&mut self.frames, time_ns, instrument, &said.borrowed())
    }

    /// Records a trade that was told anew, as it is booked.
    pub(crate) fn revision(&mut self, time_ns: TimeNs, booked: &BookedRevision) -> Result<(), CodecError> {
        if !self.is_recording {
            return Ok(());
        }
        encode_revision(&mut self.frames, time_ns, &booked.named(&*booked.trade_id))
    }

    /// Records that a venue outside said what was not expected.
    pub(crate) fn surprise(&mut self, time_ns: TimeNs, surprise: Surprise) {
        if self.is_recording {
            encode_surprise(&mut self.frames, time_ns, surprise);
        }
    }

    /// Records money that came or went without a fill.
    pub(crate) fn cash_flow(&mut self, time_ns: TimeNs, flow: &CashFlow) {
        if self.is_recording {
            encode_cash_flow(&mut self.frames, time_ns, flow);
        }
    }

    /// Records a position that the venue closes by force.
    pub(crate) fn liquidation(&mut self, time_ns: TimeNs, liquidation: &Liquidation) {
        if self.is_recording {
            encode_liquidation(&mut self.frames, time_ns, liquidation);
        }
    }

    /// Records money that is moved to the margin of a position, or back.
    pub(crate) fn margin(
        &mut self,
        time_ns: TimeNs,
        strategy: StrategyId,
        instrument: InstrumentId,
        amount: Money,
    ) {
        if self.is_recording {
            encode_margin(&mut self.frames, time_ns, strategy, instrument, amount);
        }
    }

    /// Records the size of an order that was a share of buying power.
    pub(crate) fn sized(&mut self, time_ns: TimeNs, order_id: OrderId, lots: i64) {
        if self.is_recording {
            encode_sized(&mut self.frames, time_ns, order_id, lots);
        }
    }

    /// Records an approved order.
    pub(crate) fn order(&mut self, time_ns: TimeNs, intent: &OrderIntent, reference_ticks: i64) {
        self.hashed(|out| encode_order(out, time_ns, intent, reference_ticks));
    }

    /// Records a refused order.
    pub(crate) fn refused(&mut self, time_ns: TimeNs, intent: &OrderIntent, refusal: &Refusal) {
        self.hashed(|out| encode_refused(out, time_ns, intent, refusal));
    }

    /// Records that a cancel was asked for.
    pub(crate) fn cancel(&mut self, time_ns: TimeNs, order_id: OrderId, strategy: StrategyId) {
        self.hashed(|out| encode_cancel_request(out, time_ns, order_id, strategy));
    }

    /// Records that an amendment was asked for.
    pub(crate) fn replace(
        &mut self,
        time_ns: TimeNs,
        order_id: OrderId,
        price_ticks: Option<i64>,
        lots: i64,
    ) {
        self.hashed(|out| encode_replace_request(out, time_ns, order_id, price_ticks, lots));
    }

    /// Records that a request leaves.
    #[inline]
    pub(crate) fn sent(&mut self, time_ns: TimeNs, sent: &Sent) {
        if self.is_recording {
            encode_sent(&mut self.frames, time_ns, sent);
        }
    }

    /// Records that an order depends on others.
    pub(crate) fn link(
        &mut self,
        time_ns: TimeNs,
        order_id: OrderId,
        after: Option<OrderId>,
        oco: Option<OrderId>,
    ) {
        self.hashed(|out| encode_link(out, time_ns, order_id, after, oco));
    }

    /// Records the trace of a decision.
    pub(crate) fn decision(
        &mut self,
        time_ns: TimeNs,
        strategy: StrategyId,
        instrument: InstrumentId,
        action: u8,
        reason: &str,
        gates: &[Gate<'_>],
    ) -> Result<(), CodecError> {
        if !self.is_recording {
            return Ok(());
        }
        encode_decision(&mut self.frames, time_ns, strategy, instrument, action, reason, gates)
    }

    /// Encodes a frame that belongs to the digest.
    fn hashed(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if !self.is_recording && self.digest.is_none() {
            return;
        }
        let start = self.frames.len();
        encode(&mut self.frames);
        if let (Some(hasher), Some(frame)) = (&mut self.digest, self.frames.get(start..)) {
            hasher.update(frame);
        }
        if !self.is_recording {
            self.frames.truncate(start);
        }
    }
}
