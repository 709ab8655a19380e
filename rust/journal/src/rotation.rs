//! When a journal goes on in a new segment.

/// A segment that is long in time is closed from this size on: days in which little happens share one.
const SPANNED_BYTES_MIN: u64 = 1 << 20;

/// How long a segment shall be; by size and by the time between its first and its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Size from which on a segment is closed; 0 for no bound.
    pub bytes: u64,
    /// Nanoseconds of the engine's time after which one is closed that has a mebibyte at least; 0 for no bound.
    pub span_ns: i64,
}

impl Rotation {
    /// A journal that stays one file.
    pub const NEVER: Self = Self { bytes: 0, span_ns: 0 };

    /// Tells whether a segment of this size and span is to be closed now.
    ///
    /// To begin another takes some syncs of the disk. A group that somebody waits for lets the next group without
    /// orders pay for them, until the segment is an eighth longer than it shall be.
    pub(crate) const fn is_due(self, bytes: u64, span_ns: i64, is_waited_for: bool) -> bool {
        let (grace_bytes, grace_ns) = if is_waited_for { (self.bytes / 8, self.span_ns / 8) } else { (0, 0) };
        let is_large = self.bytes > 0 && bytes >= self.bytes.saturating_add(grace_bytes);
        let is_long = self.span_ns > 0 && span_ns >= self.span_ns.saturating_add(grace_ns);
        is_large || (is_long && bytes >= SPANNED_BYTES_MIN)
    }

    /// Returns how much more is written before a rotation is tried again that could not be done.
    pub(crate) const fn retry_after_bytes(self) -> u64 {
        let share = self.bytes / 8;
        if share > SPANNED_BYTES_MIN { share } else { SPANNED_BYTES_MIN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_closed_by_size_or_by_age_and_a_group_with_orders_waits_a_little() {
        let rotation = Rotation { bytes: 8 << 20, span_ns: 800 };
        for (bytes, span_ns, is_waited_for, is_due) in [
            ((8 << 20) - 1, 799, false, false),
            (8 << 20, 0, false, true),
            (8 << 20, 0, true, false),
            (9 << 20, 0, true, true),
            (1 << 20, 800, false, true),
            (1 << 20, 800, true, false),
            (1 << 20, 900, true, true),
            ((1 << 20) - 1, 1_000_000, false, false),
        ] {
            let due = rotation.is_due(bytes, span_ns, is_waited_for);
            assert_eq!(due, is_due, "{bytes} bytes, {span_ns} ns, waited for: {is_waited_for}");
        }
        assert!(!Rotation::NEVER.is_due(u64::MAX, i64::MAX, false));
    }
}
