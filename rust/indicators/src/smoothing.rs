//! Exponential smoothing, started by a mean: what EMA, RSI, ATR and MACD are made of.
//!
//! `value += factor * (input - value)` is a chain in which every step waits for the one before. So the
//! series is cut into blocks of eight: the part of a value that comes from the inputs of its block does not
//! wait for the blocks before, and the part that comes from the value before the block is that value times a
//! power of `1 - factor`. Both are deviations from the first input of the block, so that large levels cost no
//! digits and a flat series gives exactly its level. Source: G. E. Blelloch, "Prefix Sums and Their
//! Applications", 1990, section 1.4 (first-order recurrences).

use wide::f64x4;

use crate::state::{write_count, write_f64};

/// Inputs of a block.
const BLOCK: usize = 8;
/// Blocks that are taken side by side: a vector register has room for four.
const BLOCKS: usize = 4;

/// A number for each input of a block.
type Block = [f64; BLOCK];

/// An average that moves by `factor` of the distance to each input, started by the mean of the first inputs.
///
/// The start is summed as deviations from the first input, so that a flat series gives exactly its level.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Smoothing {
    factor: f64,
    /// `1 - factor`: what an input leaves of the value before.
    keep: f64,
    /// Inputs the starting mean still lacks; 0 when warm.
    missing: usize,
    /// `1 / number of inputs of the starting mean`.
    share: f64,
    /// First input of the start, then of the block under way: what deviations are taken from.
    level: f64,
    /// Sum of the deviations of the start's inputs; then what the inputs of the block amount to.
    sum: f64,
    /// Deviation of the value before the block.
    before: f64,
    /// What is left of `before` now: a power of `keep`.
    left: f64,
    /// Inputs of the block under way, below [`BLOCK`].
    position: usize,
    value: f64,
}

impl Smoothing {
    /// Starts with the mean of `inputs` inputs; `divisor` is the same number as a float.
    pub(crate) fn new(factor: f64, inputs: usize, divisor: f64) -> Self {
        Self {
            factor,
            keep: 1.0 - factor,
            missing: inputs,
            share: 1.0 / divisor,
            level: f64::NAN,
            sum: 0.0,
            before: 0.0,
            left: 1.0,
            position: 0,
            value: f64::NAN,
        }
    }

    /// Takes a usable input and returns the new value, `NaN` until warm.
    #[inline]
    pub(crate) fn update(&mut self, input: f64) -> f64 {
        if self.missing == 0 {
            self.step(input);
        } else {
            self.start(input);
        }
        self.value
    }

    #[inline]
    fn step(&mut self, input: f64) {
        if self.position == 0 {
            self.open_block(input);
        }
        self.left *= self.keep;
        self.sum = self.moved(self.sum, input - self.level);
        self.value = self.level + (self.left * self.before + self.sum);
        self.position = (self.position + 1) % BLOCK;
    }

    fn start(&mut self, input: f64) {
        if self.level.is_nan() {
            self.level = input;
        }
        self.sum += input - self.level;
        self.missing -= 1;
        if self.missing == 0 {
            self.sum *= self.share;
            self.value = self.level + self.sum;
        }
    }

    /// Takes deviations from the first input of a new block.
    #[inline]
    fn open_block(&mut self, first: f64) {
        self.before = self.left * self.before + (self.sum + (self.level - first));
        (self.level, self.sum, self.left) = (first, 0.0, 1.0);
    }

    /// Moves a sum of deviations towards the deviation of an input.
    #[inline]
    fn moved(&self, sum: f64, deviation: f64) -> f64 {
        self.keep * sum + self.factor * deviation
    }

    /// Takes usable inputs and writes what [`Self::update`] would return for each; both slices have one length.
    #[inline]
    pub(crate) fn run(&mut self, inputs: &[f64], outs: &mut [f64]) {
        let until_block = self.inputs_to_block().unwrap_or(self.missing).min(inputs.len());
        let (single, inputs) = inputs.split_at(until_block);
        let (single_outs, outs) = outs.split_at_mut(until_block);
        self.run_singly(single, single_outs);
        let (blocks, rest) = inputs.as_chunks::<BLOCK>();
        let (block_outs, rest_outs) = outs.as_chunks_mut::<BLOCK>();
        self.run_blocks(blocks, block_outs);
        self.run_singly(rest, rest_outs);
    }

    fn run_singly(&mut self, inputs: &[f64], outs: &mut [f64]) {
        for (&input, out) in inputs.iter().zip(outs) {
            *out = self.update(input);
        }
    }

    #[inline]
    fn run_blocks(&mut self, blocks: &[Block], outs: &mut [Block]) {
        let (groups, rest) = blocks.as_chunks::<BLOCKS>();
        let (group_outs, rest_outs) = outs.as_chunks_mut::<BLOCKS>();
        let mut left = 1.0;
        let decay = [(); BLOCK].map(|()| {
            left *= self.keep;
            left
        });
        let mut local = *self;
        for (group, outs) in groups.iter().zip(group_outs) {
            local.push_group(group, outs, &decay);
        }
        *self = local;
        for (block, outs) in rest.iter().zip(rest_outs) {
            self.run_singly(block, outs);
        }
    }

    /// Takes blocks side by side, each in the same steps as one by one; only `before` waits for the block before.
    #[inline]
    fn push_group(&mut self, blocks: &[Block; BLOCKS], outs: &mut [Block; BLOCKS], decay: &Block) {
        let levels = blocks.map(|[first, ..]| first);
        let lanes = f64x4::new(levels);
        let (keep, factor) = (f64x4::splat(self.keep), f64x4::splat(self.factor));
        let [one, two, three, four] = blocks;
        let (mut sums, mut steps) = (f64x4::ZERO, [f64x4::ZERO; BLOCK]);
        for ((((one, two), three), four), step) in one.iter().zip(two).zip(three).zip(four).zip(&mut steps) {
            sums = keep * sums + factor * (f64x4::new([*one, *two, *three, *four]) - lanes);
            *step = sums;
        }
        let [.., left] = *decay;
        let mut befores = [0.0; BLOCKS];
        for ((before, level), sum) in befores.iter_mut().zip(levels).zip(sums.to_array()) {
            self.open_block(level);
            (*before, self.sum, self.left) = (self.before, sum, left);
        }
        let befores = f64x4::new(befores);
        let [one, two, three, four] = outs;
        let rows = one.iter_mut().zip(two).zip(three).zip(four);
        for (((((one, two), three), four), step), left) in rows.zip(steps).zip(decay) {
            let values = lanes + (f64x4::splat(*left) * befores + step);
            [*one, *two, *three, *four] = values.to_array();
        }
        let [.., [.., last]] = *outs;
        self.value = last;
    }

    /// Returns the value, `NaN` until warm.
    #[inline]
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// Counts the inputs until a block opens; `None` until warm.
    #[inline]
    pub(crate) fn inputs_to_block(&self) -> Option<usize> {
        self.is_warm().then_some((BLOCK - self.position) % BLOCK)
    }

    /// Says whether there is a value.
    #[inline]
    pub(crate) fn is_warm(&self) -> bool {
        self.missing == 0
    }

    /// Appends the state, canonically.
    pub(crate) fn write_state(&self, bytes: &mut Vec<u8>) {
        write_count(bytes, self.missing);
        write_count(bytes, self.position);
        for value in [self.factor, self.level, self.sum, self.before, self.left, self.value] {
            write_f64(bytes, value);
        }
    }
}
