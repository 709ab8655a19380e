//! Bytes read as choices and numbers; zeros when they are used up.

use tradecore_types::{Level, Side};

/// Numbers at which arithmetic ends, and some that a market has.
const NUMBERS: [i64; 16] = [
    0,
    1,
    -1,
    5,
    99,
    100,
    101,
    4_095,
    4_097,
    i64::MAX,
    i64::MIN,
    i64::MAX - 1,
    1 << 60,
    (1 << 60) + 1,
    1 << 32,
    -5,
];

/// What is left of the bytes.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    /// Tells whether there are none left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes one byte.
    pub(crate) fn u8(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// Takes a number below `end`, at most 256.
    pub(crate) fn below(&mut self, end: u8) -> u8 {
        self.u8().checked_rem(end).unwrap_or(0)
    }

    /// Takes a small number, one at which arithmetic ends, or any.
    pub(crate) fn i64(&mut self) -> i64 {
        match self.below(4) {
            0 | 1 => i64::from(self.u8()) + 1,
            2 => NUMBERS.get(usize::from(self.below(16))).copied().unwrap_or(0),
            _ => i64::from_le_bytes(std::array::from_fn(|_| self.u8())),
        }
    }

    /// Takes a price near 10,000, or any number.
    pub(crate) fn price(&mut self) -> i64 {
        match self.below(4) {
            0 => self.i64(),
            1 => 10_000 + 64 * i64::from(self.u8()),
            _ => 10_000 + i64::from(self.u8()),
        }
    }

    /// Takes a side.
    pub(crate) fn side(&mut self) -> Side {
        if self.below(2) == 0 { Side::Buy } else { Side::Sell }
    }

    /// Takes up to seven levels.
    pub(crate) fn levels(&mut self) -> Vec<Level> {
        (0..self.below(8)).map(|_| Level { price_ticks: self.price(), lots: self.i64() }).collect()
    }
}
