//! Which of many sources comes next.

use tradecore_types::TimeNs;

/// What a source without an event stands at: behind every other.
const NOBODY: u128 = u128::MAX;

/// The sources by (time of the next event, number), as a tournament: every place above is the earlier of the
/// two below it, and a source that goes on plays its way to the top anew.
///
/// That is one comparison a level, where a heap has two. Sources that take turns, as those of one clock do,
/// win and lose the same matches round after round, which processors learn.
#[derive(Debug, Default)]
pub(crate) struct Tournament {
    /// The first of all at 1, the matches of level n from 2^n on, and the sources in the second half.
    places: Vec<u128>,
}

impl Tournament {
    /// Returns who comes first and when, in the same time for any number of sources.
    #[inline]
    pub(crate) fn first(&self) -> Option<(TimeNs, usize)> {
        let first = self.places.get(1).copied().filter(|&first| first != NOBODY)?;
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0);
        let source = usize::try_from(rank(half(first))).unwrap_or(usize::MAX);
        Some(((half(first >> 64) ^ SIGN).cast_signed(), source))
    }

    /// Makes room for so many sources.
    pub(crate) fn make_room(&mut self, sources: usize) {
        let (known, wanted) = (self.places.len() / 2, sources.max(1).next_power_of_two());
        if wanted <= known {
            return;
        }
        let old = std::mem::replace(&mut self.places, vec![NOBODY; 2 * wanted]);
        for (place, key) in self.places.iter_mut().skip(wanted).zip(old.into_iter().skip(known)) {
            *place = key;
        }
        for place in (1..wanted).rev() {
            self.play(place);
        }
    }

    /// Says when the next event of a source is; `None` when it has none.
    #[inline]
    pub(crate) fn set(&mut self, source: usize, time_ns: Option<TimeNs>) {
        let number = u128::from(rank(u64::try_from(source).unwrap_or(u64::MAX)));
        let key =
            time_ns.map_or(NOBODY, |time_ns| (u128::from(time_ns.cast_unsigned() ^ SIGN) << 64) | number);
        let (mut place, mut winner) = (self.places.len() / 2 + source, key);
        while let Some(own) = self.places.get_mut(place).filter(|_| place > 0) {
            *own = winner;
            // The other of the two that play for the place above.
            winner = self.places.get(place ^ 1).copied().unwrap_or(winner).min(winner);
            place /= 2;
        }
    }

    /// Lets the earlier of two go on.
    fn play(&mut self, place: usize) {
        if let (Some(&left), Some(&right)) = (self.places.get(2 * place), self.places.get(2 * place + 1))
            && let Some(winner) = self.places.get_mut(place)
        {
            *winner = left.min(right);
        }
    }
}

/// Which of those at the same time comes first: the one of the lower number.
fn rank(source: u64) -> u64 {
    if tradecore_types::is_planted("last_source_comes_first") { u64::MAX - source } else { source }
}

/// The bit that orders signed numbers as unsigned ones.
const SIGN: u64 = 1 << 63;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The first is the least of all, whenever room is made and whatever times there are.
        #[test]
        fn the_first_is_the_least_of_all(
            steps in prop::collection::vec((0..40usize, prop::option::of(any::<i64>())), 1..200),
        ) {
            let (mut tournament, mut plain) = (Tournament::default(), std::collections::BTreeMap::new());
            for (source, time_ns) in steps {
                tournament.make_room(source + 1);
                tournament.set(source, time_ns);
                plain.insert(source, time_ns);
                let least = plain.iter().filter_map(|(&source, &time)| Some((time?, source))).min();
                prop_assert_eq!(tournament.first(), least);
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_times() {
        let mut tournament = Tournament::default();
        tournament.make_room(3);
        tournament.set(2, Some(i64::MAX));
        assert_eq!(tournament.first(), Some((i64::MAX, 2)));
        tournament.set(1, Some(i64::MIN));
        assert_eq!(tournament.first(), Some((i64::MIN, 1)));
    }
}
