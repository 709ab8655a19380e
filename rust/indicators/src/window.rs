//! Sums over a sliding window that never subtract what leaves, so no error is carried on.
//!
//! The series is cut into blocks as long as the window. A window is then the tail of one block and the
//! head of the next: the head is summed value by value, and all tails are summed once, backwards, when
//! the next block opens (M. van Herk, "A fast algorithm for local minimum and maximum filters", Pattern
//! Recognition Letters 13, 1992, used for sums). What is summed are deviations from the first value of
//! the head, which lies in every window of the block, so large levels cost no digits.

use std::ops::{Add, Mul};

use wide::f64x4;

use crate::state::{write_count, write_f64};
use crate::usable::all_usable;

/// Blocks that are taken side by side, as many as a vector register has room for.
const BLOCKS: usize = 4;
/// Longest blocks that are: their tails are kept on the stack.
const SIDE_BY_SIDE_MAX: usize = 128;

/// Something that sums deviations, of one block or of several side by side.
pub(crate) trait Sums<T = f64>: Copy + Default {
    /// Returns the sums with one more deviation.
    fn with(self, deviation: T) -> Self;
    /// Returns the sums of both.
    fn and(self, other: Self) -> Self;
}

/// Sums that are part of a state.
pub(crate) trait Stored {
    /// Appends the state, canonically.
    fn write_state(&self, bytes: &mut Vec<u8>);
}

/// The plain sum.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sum<T = f64>(pub T);

impl<T: Copy + Default + Add<Output = T>> Sums<T> for Sum<T> {
    #[inline]
    fn with(self, deviation: T) -> Self {
        Self(self.0 + deviation)
    }

    #[inline]
    fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Stored for Sum {
    fn write_state(&self, bytes: &mut Vec<u8>) {
        write_f64(bytes, self.0);
    }
}

/// The sum and the sum of squares.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Moments<T = f64> {
    pub sum: T,
    pub squares: T,
}

impl<T: Copy + Default + Add<Output = T> + Mul<Output = T>> Sums<T> for Moments<T> {
    #[inline]
    fn with(self, deviation: T) -> Self {
        Self { sum: self.sum + deviation, squares: self.squares + deviation * deviation }
    }

    #[inline]
    fn and(self, other: Self) -> Self {
        Self { sum: self.sum + other.sum, squares: self.squares + other.squares }
    }
}

impl Stored for Moments {
    fn write_state(&self, bytes: &mut Vec<u8>) {
        write_f64(bytes, self.sum);
        write_f64(bytes, self.squares);
    }
}

/// The values of one full window in three parts, oldest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values<'a> {
    parts: [&'a [f64]; 3],
}

impl Values<'_> {
    /// Iterates over the window, oldest value first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = f64> {
        self.parts.iter().flat_map(|part| part.iter().copied())
    }
}

/// A full window: its sums of deviations from `shift`, and where to find its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a, S> {
    /// A value of the window, from which deviations are taken.
    pub shift: f64,
    /// Sums of the deviations of all values of the window.
    pub sums: S,
    slots: &'a [f64],
    chunk: &'a [f64],
    position: usize,
    index: usize,
}

impl<S> View<'_, S> {
    /// Returns the values of the window.
    pub(crate) fn values(&self) -> Values<'_> {
        let before = self.slots.get(self.position + self.index + 1..).unwrap_or_default();
        let head = self.slots.get(..self.position).unwrap_or_default();
        let chunk = self.chunk.get(..=self.index).unwrap_or_default();
        Values { parts: [before, head, chunk] }
    }
}

/// Sums over the last `period` values.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Window<S> {
    /// The last values; those before `position` are of the block under way, the others of the one before.
    slots: Vec<f64>,
    /// For each slot, the sums over the slots behind it in the block before.
    tails: Vec<S>,
    /// Slot of the next value, below the period.
    position: usize,
    /// Whether there is a block before, that is, whether every next value completes a window.
    is_full: bool,
    /// First value of the block under way.
    shift: f64,
    /// Sums over the block under way.
    head: S,
}

impl<S: Sums + Stored> Window<S> {
    /// Builds an empty window; a period of 0 is taken as 1.
    pub(crate) fn new(period: usize) -> Self {
        let period = period.max(1);
        let (slots, tails) = (vec![0.0; period], vec![S::default(); period]);
        Self { slots, tails, position: 0, is_full: false, shift: 0.0, head: S::default() }
    }

    /// Counts the values that still fit into the block under way, at least 1.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.slots.len() - self.position
    }

    /// Says whether `period` values have been taken.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Takes usable values, at most [`Self::room`], and gives each its output: `full` when it
    /// completes a window, `cold` otherwise.
    #[inline]
    pub(crate) fn take<O>(
        &mut self,
        chunk: &[f64],
        mut outputs: impl Iterator<Item = O>,
        mut cold: impl FnMut(O),
        mut full: impl FnMut(O, &View<'_, S>),
    ) {
        debug_assert!(chunk.len() <= self.room());
        if self.position == 0 {
            self.open_block(chunk);
        }
        let (position, shift) = (self.position, self.shift);
        let end = position + chunk.len();
        let cold_count = match (self.is_full, self.room() == chunk.len()) {
            (true, _) => 0,
            (false, true) => chunk.len().saturating_sub(1),
            (false, false) => chunk.len(),
        };
        let mut head = self.head;
        let (cold_values, full_values) = chunk.split_at_checked(cold_count).unwrap_or((chunk, &[]));
        for (&value, output) in cold_values.iter().zip(outputs.by_ref()) {
            head = head.with(value - shift);
            cold(output);
        }
        let tails = self.tails.get(position + cold_count..end).unwrap_or_default();
        for (index, ((&value, &tail), output)) in full_values.iter().zip(tails).zip(outputs).enumerate() {
            head = head.with(value - shift);
            let index = cold_count + index;
            let sums = tail.and(head);
            full(output, &View { shift, sums, slots: &self.slots, chunk, position, index });
        }
        self.head = head;
        self.close_chunk(chunk, end);
    }

    /// Takes whole blocks of usable values side by side, and returns the number of values it took.
    ///
    /// Right after a block whose values are `before`, it goes on through `values` as far as blocks can be taken so,
    /// in the same steps as [`Self::take`]; the last block it leaves to that, so that the state is the same.
    /// `full` gets the value that deviations are taken from and the sums, for a window of each block, and returns
    /// what to write to each output; `None` leaves the blocks to [`Self::take`] as well.
    pub(crate) fn push_side_by_side<L: Sums<f64x4>, const O: usize>(
        &mut self,
        before: &[f64],
        values: &[f64],
        mut outs: [&mut [f64]; O],
        full: impl Fn(f64x4, L) -> Option<[f64x4; O]>,
    ) -> usize {
        let period = self.slots.len();
        if self.position > 0 || !self.is_full || before.len() != period || period > SIDE_BY_SIDE_MAX {
            return 0;
        }
        let mut tails = [L::default(); SIDE_BY_SIDE_MAX];
        let tails = tails.get_mut(..period).unwrap_or_default();
        let (mut before, mut taken) = (before, 0);
        for group in values.chunks_exact(period * BLOCKS) {
            let group_outs = outs.each_mut().map(|out| {
                let (head, rest) = std::mem::take(out).split_at_mut(group.len());
                *out = rest;
                head
            });
            if !all_usable(group) || push_group(before, group, group_outs, tails, &full).is_none() {
                break;
            }
            taken += group.len();
            before = group.get(group.len() - period..).unwrap_or_default();
        }
        if taken == 0 {
            return 0;
        }
        taken -= period;
        let last = values.get(taken - period..taken).unwrap_or_default();
        for (slot, &value) in self.slots.iter_mut().zip(last) {
            *slot = value;
        }
        taken
    }

    /// Makes the first value of the chunk the one to deviate from, and sums all tails of the block before.
    fn open_block(&mut self, chunk: &[f64]) {
        self.shift = chunk.first().copied().unwrap_or(self.shift);
        self.head = S::default();
        if !self.is_full {
            return;
        }
        let mut behind = S::default();
        for (&value, tail) in self.slots.iter().zip(&mut self.tails).rev() {
            *tail = behind;
            behind = behind.with(value - self.shift);
        }
    }

    #[inline]
    fn close_chunk(&mut self, chunk: &[f64], end: usize) {
        for (slot, &value) in self.slots.iter_mut().skip(self.position).zip(chunk) {
            *slot = value;
        }
        self.position = end;
        if self.position >= self.slots.len() {
            self.position = 0;
            self.is_full = true;
        }
    }

    /// Appends the state, canonically.
    pub(crate) fn write_state(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.slots.len());
        write_count(bytes, self.position);
        bytes.push(u8::from(self.is_full));
        write_f64(bytes, self.shift);
        self.head.write_state(bytes);
        for (&slot, tail) in self.slots.iter().zip(&self.tails) {
            write_f64(bytes, slot);
            tail.write_state(bytes);
        }
    }
}

/// Takes as many blocks as there are lanes; `before` is the block before the first one, `tails` has room for one.
fn push_group<L: Sums<f64x4>, const O: usize>(
    before: &[f64],
    group: &[f64],
    outs: [&mut [f64]; O],
    tails: &mut [L],
    full: &impl Fn(f64x4, L) -> Option<[f64x4; O]>,
) -> Option<()> {
    let period = before.len();
    let mut blocks = group.chunks_exact(period);
    let [one, two, three, four] = [blocks.next()?, blocks.next()?, blocks.next()?, blocks.next()?];
    let lanes =
        |(((one, two), three), four): (((&f64, &f64), &f64), &f64)| f64x4::new([*one, *two, *three, *four]);
    let heads = one.iter().zip(two).zip(three).zip(four).map(lanes);
    let earlier = before.iter().zip(one).zip(two).zip(three).map(lanes);
    let shift = heads.clone().next()?;
    let mut behind = L::default();
    for (values, tail) in earlier.zip(tails.iter_mut()).rev() {
        *tail = behind;
        behind = behind.with(values - shift);
    }
    let mut places = outs.map(|out| {
        let mut blocks = out.chunks_exact_mut(period);
        [(); BLOCKS].map(|()| blocks.next().unwrap_or_default().iter_mut())
    });
    let mut head = L::default();
    for (values, tail) in heads.zip(tails.iter()) {
        head = head.with(values - shift);
        for (places, lanes) in places.iter_mut().zip(full(shift, tail.and(head))?) {
            for (place, value) in places.iter_mut().zip(lanes.to_array()) {
                *place.next()? = value;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_full_window_sees_its_own_values_in_time_order() {
        let series = [3.0, 1.0, 4.0, 1.5, 9.0, 2.0, 6.0, 5.0, 3.5, 8.0];
        for period in 1..=series.len() {
            for piece in 1..=period {
                let mut window = Window::<Moments>::new(period);
                let mut seen = Vec::new();
                let mut rest = &series[..];
                while !rest.is_empty() {
                    let (chunk, after) = rest.split_at(piece.min(window.room()).min(rest.len()));
                    let outputs = 0..chunk.len();
                    window.take(
                        chunk,
                        outputs,
                        |_| (),
                        |_, view| {
                            let values: Vec<f64> = view.values().iter().collect();
                            let sum: f64 = values.iter().map(|value| value - view.shift).sum();
                            assert!((sum - view.sums.sum).abs() < 1e-12);
                            seen.push(values);
                        },
                    );
                    rest = after;
                }
                let expected: Vec<Vec<f64>> = series.windows(period).map(<[f64]>::to_vec).collect();
                assert_eq!(seen, expected, "period {period}, pieces of {piece}");
            }
        }
    }
}
