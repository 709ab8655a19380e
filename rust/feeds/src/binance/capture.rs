//! Captures: lines of `<receive_ns> <json>`.

use tradecore_types::{EventBatch, TimeNs};

use super::decoded::Decoded;
use super::decoder::BinanceDecoder;
use crate::error::{DecodeError, Problem};

/// How far a piece of a capture was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured {
    /// Bytes of the piece that need not be given again.
    pub consumed: usize,
    /// Whether reading stopped at a bound, not because the piece is used up.
    pub is_bounded: bool,
}

/// Where the reading of a piece of a capture stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureBounds {
    /// Events the batch may hold.
    pub events_max: usize,
    /// Latest receive time to read.
    pub until_ns: TimeNs,
}

impl CaptureBounds {
    /// No bound: a piece of a capture is read to its end.
    pub const NONE: Self = Self { events_max: usize::MAX, until_ns: TimeNs::MAX };
}

impl BinanceDecoder {
    /// Reads one line of a capture, without its line end; a blank line holds nothing.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the time is no number or falls, or the message is wrong; its number is
    /// the number of the line.
    pub fn decode_capture_line(
        &mut self,
        line: &[u8],
        batch: &mut EventBatch,
    ) -> Result<Option<Decoded>, DecodeError> {
        self.counts.messages += 1;
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return Ok(None);
        }
        self.line(line, batch).map(Some).map_err(|problem| DecodeError::at(self.counts.messages, problem))
    }

    /// Reads the whole lines of a piece of a capture up to a bound.
    ///
    /// The bytes after the last line end belong to the next piece; with `is_last` they are read as
    /// a line of their own.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] at the first wrong line; the batch holds the events of all lines before it.
    pub fn decode_capture(
        &mut self,
        piece: &[u8],
        is_last: bool,
        bounds: CaptureBounds,
        batch: &mut EventBatch,
    ) -> Result<Captured, DecodeError> {
        let mut rest = piece;
        while batch.events.len() < bounds.events_max && !is_later(rest, bounds.until_ns) {
            let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                if is_last && !rest.is_empty() {
                    self.decode_capture_line(rest, batch)?;
                    rest = &[];
                }
                return Ok(Captured { consumed: piece.len() - rest.len(), is_bounded: false });
            };
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.decode_capture_line(line, batch)?;
            rest = after.split_first().map_or(&[], |(_, after)| after);
        }
        Ok(Captured { consumed: piece.len() - rest.len(), is_bounded: true })
    }

    fn line(&mut self, line: &[u8], batch: &mut EventBatch) -> Result<Decoded, Problem> {
        let space = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
        let (time, payload) = line.split_at_checked(space).unwrap_or((line, &[]));
        let time_ns = receive_ns(time)?;
        self.decode_numbered(time_ns, payload.trim_ascii_start(), self.default_listing(), batch)
    }
}

/// Tells whether the next line was received after a time; one without a readable time was not.
fn is_later(rest: &[u8], until_ns: TimeNs) -> bool {
    until_ns < TimeNs::MAX
        && rest
            .split(|&byte| byte == b' ')
            .next()
            .is_some_and(|time| receive_ns(time).is_ok_and(|at| at > until_ns))
}

/// Reads the receive time of a line.
fn receive_ns(text: &[u8]) -> Result<TimeNs, Problem> {
    let wrong = || Problem::bytes("receive_ns", text, "must be nanoseconds since 1970 as a whole number");
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(wrong());
    }
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(wrong)
}
