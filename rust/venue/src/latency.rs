//! How long orders and reports are on their way.

use tradecore_types::{TimeNs, ValueError};

/// One order as it was measured: UTC nanoseconds of one clock, or of clocks that agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatencySample {
    /// When the request left, in UTC nanoseconds.
    pub request_ns: TimeNs,
    /// When the venue had it and answered.
    pub venue_ns: TimeNs,
    /// When the answer came back.
    pub response_ns: TimeNs,
}

/// Measured latencies in the order of time: at other times as on the line between two samples, before them all
/// as the first, after them all as the last. Nothing overtakes what was sent before it, also where they fall.
///
/// **Invariant:** there is at least one; from row to row requests are later and the venue is not earlier;
/// no order and no answer takes less than no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatencySamples(Vec<LatencySample>);

impl LatencySamples {
    /// Takes measured latencies.
    ///
    /// # Errors
    ///
    /// [`ValueError`] for the first row, counted from 0, that breaks the invariant.
    pub fn new(samples: Vec<LatencySample>) -> Result<Self, ValueError> {
        if samples.is_empty() {
            return Err(ValueError::new("latency", 0, "needs at least one sample"));
        }
        let mut before: Option<LatencySample> = None;
        for (row, sample) in samples.iter().enumerate() {
            if let Some(rule) = broken_rule(before, sample) {
                return Err(ValueError::new("latency", format!("row {row}"), rule));
            }
            before = Some(*sample);
        }
        Ok(Self(samples))
    }

    /// Counts the samples that were measured.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the hash of all values: two files with the same samples have the same.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for sample in &self.0 {
            for time_ns in [sample.request_ns, sample.venue_ns, sample.response_ns] {
                hasher.update(&time_ns.to_le_bytes());
            }
        }
        *hasher.finalize().as_bytes()
    }

    /// Returns how long a request sent now takes to the venue.
    pub(crate) fn order_ns(&self, now_ns: TimeNs) -> i64 {
        self.between(now_ns, |sample| (sample.request_ns, sample.venue_ns))
    }

    /// Returns how long a report made now takes to the engine.
    pub(crate) fn report_ns(&self, now_ns: TimeNs) -> i64 {
        self.between(now_ns, |sample| (sample.venue_ns, sample.response_ns))
    }

    /// Returns the latency at a time on the line between the sample at or before it and the next one,
    /// rounded towards the first; `of` gives beginning and end of the way.
    fn between(&self, now_ns: TimeNs, of: impl Fn(&LatencySample) -> (TimeNs, TimeNs)) -> i64 {
        let next = self.0.partition_point(|sample| of(sample).0 <= now_ns);
        let known = |index: usize| self.0.get(index).map(&of).map(|(start, end)| (start, end - start));
        match (next.checked_sub(1).and_then(known), known(next)) {
            (Some((start, delay)), Some((next_start, next_delay))) => {
                let rise = i128::from(next_delay - delay) * (i128::from(now_ns) - i128::from(start));
                let step = rise / (i128::from(next_start) - i128::from(start)).max(1);
                delay.saturating_add(i64::try_from(step).unwrap_or(0))
            }
            (Some((_, delay)), None) | (None, Some((_, delay))) => delay,
            (None, None) => 0,
        }
    }
}

/// Says which rule a sample breaks after the one before it.
fn broken_rule(before: Option<LatencySample>, sample: &LatencySample) -> Option<&'static str> {
    if sample.request_ns < 0 {
        return Some("request_ns must not be negative");
    }
    if sample.venue_ns < sample.request_ns {
        return Some("venue_ns must not be before request_ns");
    }
    if sample.response_ns < sample.venue_ns {
        return Some("response_ns must not be before venue_ns");
    }
    match before {
        Some(before) if sample.request_ns <= before.request_ns => {
            Some("request_ns must be after that of the row before")
        }
        Some(before) if sample.venue_ns < before.venue_ns => {
            Some("venue_ns must not be before that of the row before")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(rows: &[[i64; 3]]) -> Result<LatencySamples, ValueError> {
        let row = |row: &[i64; 3]| {
            let [request_ns, venue_ns, response_ns] = *row;
            LatencySample { request_ns, venue_ns, response_ns }
        };
        LatencySamples::new(rows.iter().map(row).collect())
    }

    #[test]
    fn a_latency_lies_on_the_line_between_two_samples() {
        let measured = samples(&[[100, 110, 150], [200, 230, 240]]).unwrap();
        assert_eq!([50, 100, 150, 199, 200, 900].map(|ns| measured.order_ns(ns)), [10, 10, 20, 29, 30, 30]);
        assert_eq!([50, 110, 170, 230, 900].map(|ns| measured.report_ns(ns)), [40, 40, 25, 10, 10]);
    }

    #[test]
    fn samples_that_cannot_be_are_refused_with_their_row() {
        for (rows, row, rule) in [
            (&[][..], "0", "at least one"),
            (&[[-1, 2, 3]], "row 0", "negative"),
            (&[[5, 4, 6]], "row 0", "venue_ns"),
            (&[[1, 2, 3], [5, 6, 5]], "row 1", "response_ns"),
            (&[[1, 2, 3], [1, 2, 3]], "row 1", "request_ns must be after"),
            (&[[1, 9, 9], [2, 8, 9]], "row 1", "row before"),
        ] {
            let error = samples(rows).unwrap_err();
            assert_eq!(error.value, row);
            assert!(error.rule.contains(rule), "{}", error.rule);
        }
    }

    #[test]
    fn another_value_gives_another_digest() {
        let digest = |rows: &[[i64; 3]]| samples(rows).unwrap().digest();
        assert_eq!(digest(&[[1, 2, 3]]), digest(&[[1, 2, 3]]));
        assert_ne!(digest(&[[1, 2, 3]]), digest(&[[1, 2, 4]]));
        assert_ne!(digest(&[[1, 2, 3]]), digest(&[[1, 2, 3], [2, 3, 4]]));
    }

    proptest! {
        /// A latency is never outside of those of its two neighbours, at any time there is.
        #[test]
        fn a_latency_is_between_its_neighbours(
            steps in prop::collection::vec((1..1_000i64, 0..1_000i64, 0..1_000i64), 1..20), now_ns: i64,
        ) {
            let mut rows: Vec<[i64; 3]> = Vec::new();
            for (gap, order_ns, report_ns) in steps {
                let [request_ns, venue_ns, _] = rows.last().copied().unwrap_or([0, 0, 0]);
                let request_ns = request_ns + gap;
                let venue_ns = venue_ns.max(request_ns + order_ns);
                rows.push([request_ns, venue_ns, venue_ns + report_ns]);
            }
            let samples = samples(&rows).unwrap();
            for now_ns in [now_ns, now_ns.rem_euclid(20_000)] {
                let before = rows.iter().rposition(|row| row[0] <= now_ns).unwrap_or(0);
                let after = (before + 1).min(rows.len() - 1);
                let ends = [before, after].map(|row| rows[row][1] - rows[row][0]);
                let (least, most) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                prop_assert!((least..=most).contains(&samples.order_ns(now_ns)) || now_ns < rows[0][0]);
            }
        }
    }
}
