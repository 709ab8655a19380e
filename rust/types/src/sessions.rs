//! When an instrument trades, and when the session of a day order ends.

use std::sync::Arc;

use crate::{TimeNs, ValueError};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// Largest number of sessions in a table: 250 years of an exchange.
pub const SESSIONS_MAX: usize = 1 << 16;

/// A span of time in which an instrument trades: from `start_ns` on, until before `end_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// When it begins, UTC nanoseconds.
    pub start_ns: TimeNs,
    /// When it ends, UTC nanoseconds; later than its start.
    pub end_ns: TimeNs,
}

/// The sessions of an instrument.
///
/// It either trades all the time, with one end of the day for its day orders, or in the sessions of a table.
/// A copy shares the table, so a thousand instruments of one exchange have one table.
///
/// **Invariant:** sessions of a table are in the order of time, none is empty and no two overlap; one may
/// begin when the one before it ends.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sessions {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Kind {
    /// It trades all the time; the day ends this long after midnight UTC.
    Always { day_end_ns: i64 },
    /// It trades in these sessions and at no other time.
    Table(Arc<[Session]>),
}

impl Default for Sessions {
    /// It trades all the time, and the day ends at midnight UTC.
    fn default() -> Self {
        Self { kind: Kind::Always { day_end_ns: 0 } }
    }
}

impl Sessions {
    /// Returns the sessions of what trades all the time: each ends `day_end_ns` after midnight UTC.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the time of day is negative or not below one day.
    pub fn always(day_end_ns: i64) -> Result<Self, ValueError> {
        if (0..DAY_NS).contains(&day_end_ns) {
            return Ok(Self { kind: Kind::Always { day_end_ns } });
        }
        Err(ValueError::new("day_end_ns", day_end_ns, "must be from 0 to below one day"))
    }

    /// Returns the sessions of a table.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when there are none or more than [`SESSIONS_MAX`], when one ends before it has lasted, or
    /// when one begins before the one before it has ended.
    pub fn table(sessions: Vec<Session>) -> Result<Self, ValueError> {
        if sessions.is_empty() || sessions.len() > SESSIONS_MAX {
            let rule = format!("must be from 1 to {SESSIONS_MAX} sessions");
            return Err(ValueError::new("sessions", sessions.len(), rule));
        }
        let mut earliest_ns = TimeNs::MIN;
        for session in &sessions {
            if session.end_ns <= session.start_ns {
                let rule = format!("must be later than the start of its session, {}", session.start_ns);
                return Err(ValueError::new("end_ns", session.end_ns, rule));
            }
            if session.start_ns < earliest_ns {
                let rule = format!("must not be before the end of the session before it, {earliest_ns}");
                return Err(ValueError::new("start_ns", session.start_ns, rule));
            }
            earliest_ns = session.end_ns;
        }
        Ok(Self { kind: Kind::Table(sessions.into()) })
    }

    /// Returns the sessions of a table that is written as spans of time, each a whole number of steps.
    ///
    /// The first session begins at `first_ns`. `spans` are its length, the pause after it, the length of the
    /// next session, and so on; the last one is the length of a session. A pause may be 0.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a time does not fit 64 bits, when the spans end with a pause, or when what they
    /// say is no table.
    pub fn from_spans(first_ns: TimeNs, step_ns: i64, spans: &[i64]) -> Result<Self, ValueError> {
        if spans.len().is_multiple_of(2) {
            let rule = "must be an odd number of them: they begin and end with the length of a session";
            return Err(ValueError::new("spans", spans.len(), rule));
        }
        let mut sessions = Vec::with_capacity(spans.len().div_ceil(2).min(SESSIONS_MAX));
        let mut at_ns = first_ns;
        for pair in spans.chunks(2) {
            let end_ns = later(at_ns, pair.first(), step_ns)?;
            sessions.push(Session { start_ns: at_ns, end_ns });
            at_ns = later(end_ns, pair.get(1), step_ns)?;
        }
        Self::table(sessions)
    }

    /// Returns when the session ends that a day order of this moment belongs to, always later than `now_ns`.
    ///
    /// Inside a session that is its own end; between two, and at the very end of one, it is the end of the
    /// next one. `None` when no session ends after `now_ns`: the table is used up.
    #[must_use]
    pub fn end_after(&self, now_ns: TimeNs) -> Option<TimeNs> {
        match &self.kind {
            Kind::Always { day_end_ns } => day_end_after(now_ns, *day_end_ns),
            Kind::Table(sessions) => first_ending_after(sessions, now_ns).map(|session| session.end_ns),
        }
    }

    /// Tells whether there is any session time strictly between two moments: whether anything can trade there.
    ///
    /// What trades all the time does so between any two moments, the earlier given first.
    #[must_use]
    pub fn trades_within(&self, from_ns: TimeNs, to_ns: TimeNs) -> bool {
        if from_ns >= to_ns {
            return false;
        }
        match &self.kind {
            Kind::Always { .. } => true,
            Kind::Table(sessions) => {
                first_ending_after(sessions, from_ns).is_some_and(|session| session.start_ns < to_ns)
            }
        }
    }

    /// Returns the session that a moment is in, or else the next one; `None` when none ends after it.
    ///
    /// What trades all the time has one session a day.
    #[must_use]
    pub fn session_of(&self, at_ns: TimeNs) -> Option<Session> {
        match &self.kind {
            Kind::Always { day_end_ns } => day_of(at_ns, *day_end_ns),
            Kind::Table(sessions) => first_ending_after(sessions, at_ns).copied(),
        }
    }

    /// Returns the last session that begins before a moment; `None` when none is known.
    #[must_use]
    pub fn session_before(&self, at_ns: TimeNs) -> Option<Session> {
        match &self.kind {
            Kind::Always { day_end_ns } => day_of(at_ns.checked_sub(1)?, *day_end_ns),
            Kind::Table(sessions) => last_beginning_before(sessions, at_ns).copied(),
        }
    }

    /// Returns from when to when something can trade within a span of time: what is left of it without the
    /// closed hours at its beginning and at its end; `None` when it is closed all the time.
    ///
    /// A span that ends when it begins is a moment.
    #[must_use]
    pub fn open_part(&self, from_ns: TimeNs, to_ns: TimeNs) -> Option<(TimeNs, TimeNs)> {
        let Kind::Table(sessions) = &self.kind else { return Some((from_ns, to_ns)) };
        let start_ns = first_ending_after(sessions, from_ns)?.start_ns.max(from_ns);
        if start_ns == to_ns && from_ns == to_ns {
            return Some((start_ns, to_ns));
        }
        let end_ns = last_beginning_before(sessions, to_ns)?.end_ns.min(to_ns);
        (start_ns < end_ns).then_some((start_ns, end_ns))
    }

    /// Tells whether it trades all the time.
    #[must_use]
    pub const fn is_always_open(&self) -> bool {
        matches!(self.kind, Kind::Always { .. })
    }

    /// Returns when the last session that is known ends; the end of time for what trades all the time.
    #[must_use]
    pub fn last_end_ns(&self) -> TimeNs {
        match &self.kind {
            Kind::Always { .. } => TimeNs::MAX,
            Kind::Table(sessions) => sessions.last().map_or(TimeNs::MIN, |session| session.end_ns),
        }
    }
}

/// Returns the time so many steps later; none of them is none.
fn later(at_ns: TimeNs, steps: Option<&i64>, step_ns: i64) -> Result<TimeNs, ValueError> {
    let steps = steps.copied().unwrap_or(0);
    let later_ns = steps.checked_mul(step_ns).and_then(|span_ns| at_ns.checked_add(span_ns));
    later_ns.ok_or_else(|| ValueError::new("spans", steps, "must lead to a time that fits 64 bits"))
}

/// Returns the first end of a day after `now_ns`, or `None` at the end of time.
fn day_end_after(now_ns: TimeNs, day_end_ns: i64) -> Option<TimeNs> {
    // Both remainders are below a day, so nothing here overflows but the last step.
    let since_end_ns = (now_ns.rem_euclid(DAY_NS) - day_end_ns).rem_euclid(DAY_NS);
    now_ns.checked_add(DAY_NS - since_end_ns)
}

/// Returns the day of what trades all the time that a moment is in.
fn day_of(at_ns: TimeNs, day_end_ns: i64) -> Option<Session> {
    let end_ns = day_end_after(at_ns, day_end_ns)?;
    Some(Session { start_ns: end_ns.checked_sub(DAY_NS)?, end_ns })
}

/// Returns the last session that begins before a moment, by halving.
fn last_beginning_before(sessions: &[Session], at_ns: TimeNs) -> Option<&Session> {
    let later = sessions.partition_point(|session| session.start_ns < at_ns);
    sessions.get(later.checked_sub(1)?)
}

/// Returns the first session that ends after `now_ns`, by halving.
fn first_ending_after(sessions: &[Session], now_ns: TimeNs) -> Option<&Session> {
    sessions.get(sessions.partition_point(|session| session.end_ns <= now_ns))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_NS: i64 = 3_600_000_000_000;

    fn session(start_ns: i64, end_ns: i64) -> Session {
        Session { start_ns, end_ns }
    }

    fn table(sessions: &[(i64, i64)]) -> Sessions {
        Sessions::table(sessions.iter().map(|(start, end)| session(*start, *end)).collect()).unwrap()
    }

    /// The slow plain walk: the first session that has not ended.
    fn walked_end(sessions: &[Session], now_ns: i64) -> Option<i64> {
        let mut ends = sessions.iter().map(|session| session.end_ns);
        ends.find(|end_ns| *end_ns > now_ns)
    }

    /// The slow plain walk: doubled times have a moment strictly between any two neighbours.
    fn walked_trades(sessions: &[Session], from_ns: i64, to_ns: i64) -> bool {
        (2 * from_ns + 1..2 * to_ns).any(|moment| {
            sessions.iter().any(|session| (2 * session.start_ns..2 * session.end_ns).contains(&moment))
        })
    }

    /// Tables of small numbers: gaps of 0 and more between sessions of 1 and more.
    fn tables() -> impl Strategy<Value = Vec<Session>> {
        (-20i64..20, proptest::collection::vec((0i64..5, 1i64..6), 1..12)).prop_map(|(first, spans)| {
            let mut at = first;
            let mut place = |gap: i64, length: i64| {
                at += gap + length;
                session(at - length, at)
            };
            spans.into_iter().map(|(gap, length)| place(gap, length)).collect()
        })
    }

    proptest! {
        #[test]
        fn the_end_is_that_of_the_first_session_that_has_not_ended(
            sessions in tables(), now_ns in -40i64..160
        ) {
            let known = Sessions::table(sessions.clone()).unwrap();
            prop_assert_eq!(known.end_after(now_ns), walked_end(&sessions, now_ns));
            prop_assert!(known.end_after(now_ns).is_none_or(|end_ns| end_ns > now_ns));
            prop_assert_eq!(known.end_after(now_ns).is_none(), now_ns >= known.last_end_ns());
        }

        #[test]
        fn it_trades_within_where_a_walk_over_the_moments_finds_one(
            sessions in tables(), from_ns in -40i64..160, length in -5i64..40
        ) {
            let known = Sessions::table(sessions.clone()).unwrap();
            let to_ns = from_ns + length;
            prop_assert_eq!(known.trades_within(from_ns, to_ns), walked_trades(&sessions, from_ns, to_ns));
        }

        #[test]
        fn the_open_part_is_from_the_first_to_the_last_moment_that_a_walk_finds(
            sessions in tables(), from_ns in -40i64..160, length in 0i64..40
        ) {
            let known = Sessions::table(sessions.clone()).unwrap();
            let to_ns = from_ns + length;
            let is_open = |at: &i64| sessions.iter().any(|session| (session.start_ns..session.end_ns).contains(at));
            let first = (from_ns..to_ns.max(from_ns + 1)).find(is_open);
            let last = (from_ns..to_ns).rev().find(is_open).map_or(to_ns, |last| last + 1);
            prop_assert_eq!(known.open_part(from_ns, to_ns), first.map(|first| (first, last)));
            prop_assert_eq!(Sessions::default().open_part(from_ns, to_ns), Some((from_ns, to_ns)));
        }

        #[test]
        fn the_session_of_a_moment_and_the_one_before_it_are_those_of_a_walk(
            sessions in tables(), at_ns in -40i64..160
        ) {
            let known = Sessions::table(sessions.clone()).unwrap();
            let of = sessions.iter().copied().find(|session| session.end_ns > at_ns);
            let before = sessions.iter().copied().rev().find(|session| session.start_ns < at_ns);
            prop_assert_eq!((known.session_of(at_ns), known.session_before(at_ns)), (of, before));
        }

        #[test]
        fn every_day_ends_where_a_table_of_whole_days_ends(day_end_ns in 0..DAY_NS, now_ns in -20 * DAY_NS..20 * DAY_NS) {
            let days = (-22..22).map(|day| session(day * DAY_NS + day_end_ns, (day + 1) * DAY_NS + day_end_ns));
            let days = Sessions::table(days.collect()).unwrap();
            let always = Sessions::always(day_end_ns).unwrap();
            prop_assert_eq!(always.end_after(now_ns), days.end_after(now_ns));
            prop_assert_eq!(always.trades_within(now_ns, now_ns + 1), days.trades_within(now_ns, now_ns + 1));
            prop_assert!(!always.trades_within(now_ns, now_ns));
            prop_assert_eq!(always.session_of(now_ns), days.session_of(now_ns));
            prop_assert_eq!(always.session_before(now_ns), days.session_before(now_ns));
        }

        #[test]
        fn no_time_at_all_overflows(day_end_ns in 0..DAY_NS, now_ns in any::<i64>(), to_ns in any::<i64>()) {
            let always = Sessions::always(day_end_ns).unwrap();
            prop_assert!(always.end_after(now_ns).is_none_or(|end_ns| end_ns > now_ns && end_ns - now_ns <= DAY_NS));
            prop_assert_eq!(always.trades_within(now_ns, to_ns), now_ns < to_ns);
        }
    }

    #[test]
    fn an_order_at_the_very_end_is_of_the_next_session() {
        let week = table(&[(10, 20), (20, 30), (50, 60)]);
        let ends = [0, 10, 19, 20, 30, 49, 59, 60].map(|now_ns| week.end_after(now_ns));
        let expected = [Some(20), Some(20), Some(20), Some(30), Some(60), Some(60), Some(60), None];
        assert_eq!(ends, expected);
    }

    #[test]
    fn nothing_trades_between_two_sessions() {
        let week = table(&[(10, 20), (30, 40)]);
        assert!(!week.trades_within(20, 30) && !week.trades_within(40, i64::MAX));
        assert!(week.trades_within(19, 30) && week.trades_within(20, 31) && week.trades_within(12, 13));
    }

    #[test]
    fn a_copy_shares_the_table() {
        let sessions = table(&[(0, HOUR_NS)]);
        let Kind::Table(first) = &sessions.kind else { unreachable!() };
        let copies: Vec<Sessions> = vec![sessions.clone(); 1000];
        assert_eq!(Arc::strong_count(first), 1001);
        drop(copies);
    }

    #[test]
    fn spans_are_a_session_a_pause_and_so_on() {
        let spans = Sessions::from_spans(10, 2, &[5, 0, 5, 10, 5]).unwrap();
        assert_eq!(spans, table(&[(10, 20), (20, 30), (50, 60)]));
        let refused =
            |first, step, spans: &[i64]| Sessions::from_spans(first, step, spans).unwrap_err().field;
        assert_eq!(refused(0, 1, &[]), "spans");
        assert_eq!(refused(0, 1, &[5, 5]), "spans");
        assert_eq!(refused(i64::MAX - 1, 2, &[1]), "spans");
        assert_eq!(refused(0, i64::MAX, &[2]), "spans");
        assert_eq!(refused(0, 1, &[0]), "end_ns");
        assert_eq!(refused(0, -1, &[1]), "end_ns");
        assert_eq!(refused(0, 1, &[5, -3, 4]), "start_ns");
    }

    #[test]
    fn tables_that_make_no_sense_are_refused() {
        let refused = |sessions: &[(i64, i64)]| {
            let sessions = sessions.iter().map(|(start, end)| session(*start, *end)).collect();
            Sessions::table(sessions).unwrap_err().field
        };
        assert_eq!(refused(&[]), "sessions");
        assert_eq!(refused(&[(5, 5)]), "end_ns");
        assert_eq!(refused(&[(5, 9), (8, 12)]), "start_ns");
        assert_eq!(refused(&[(50, 60), (10, 20)]), "start_ns");
        let many = (0..=i64::try_from(SESSIONS_MAX).unwrap()).map(|day| session(day, day + 1)).collect();
        assert_eq!(Sessions::table(many).unwrap_err().field, "sessions");
        assert!(Sessions::always(DAY_NS).is_err() && Sessions::always(-1).is_err());
    }
}
