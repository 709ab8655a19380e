//! The checksums that venues state over the best levels of a book.
//!
//! Sources: Kraken, book checksum (v1 and v2, one formula); OKX, "Order book channel,
//! checksum". Both are CRC-32 (IEEE) over decimal text, which is written here from ticks and lots without
//! a float and without allocation.

use crc32fast::Hasher;
use tradecore_types::{Decimal, Level, Side, ValueError};

use crate::L2Book;

/// Levels a side that Kraken counts.
const KRAKEN_LEVELS: usize = 10;

/// Levels a side that OKX counts.
const OKX_LEVELS: usize = 25;

/// Decimals that a venue's number can have.
const DECIMALS_MAX: u8 = 18;

/// Bytes of the longest number: 20 digits, a point and zeros before it, all within this.
const NUMBER_BYTES: usize = 40;

/// How whole steps (ticks or lots) are written as a venue's decimal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepText {
    factor: u64,
    decimals: u8,
}

impl StepText {
    /// Prepares a step size that is written with a fixed number of decimals.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the step is not above 0, or needs more decimals than `decimals`, or `decimals`
    /// is above 18.
    pub fn new(field: &'static str, step: Decimal, decimals: u8) -> Result<Self, ValueError> {
        let bad = |rule: &str| ValueError::new(field, step, rule);
        let mantissa = u64::try_from(step.mantissa).ok().filter(|mantissa| *mantissa > 0);
        let mantissa = mantissa.ok_or_else(|| bad("must be above 0"))?;
        let shift = decimals
            .checked_sub(step.decimals)
            .filter(|_| decimals <= DECIMALS_MAX)
            .ok_or_else(|| bad("must have at most the decimals of the pair, and those at most 18"))?;
        let factor = 10u64
            .checked_pow(u32::from(shift))
            .and_then(|scale| scale.checked_mul(mantissa))
            .ok_or_else(|| bad("must fit 64 bits of the pair's smallest unit"))?;
        Ok(Self { factor, decimals })
    }

    /// Counts the smallest units; a number that does not fit becomes the largest, which no venue states.
    fn units(self, steps: i64) -> u64 {
        u64::try_from(steps).unwrap_or(0).saturating_mul(self.factor)
    }
}

/// The formula of a venue, with the decimals of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChecksumRule {
    /// Ten asks from the lowest, then ten bids from the highest; digits only, without leading zeros.
    Kraken {
        /// How prices are written.
        price: StepText,
        /// How sizes are written.
        size: StepText,
    },
    /// Twenty-five levels, bid and ask in turn, `price:size` joined by `:`, without trailing zeros.
    ///
    /// The venue states the sum as a signed number of 32 bits; here it is the same bits without sign.
    Okx {
        /// How prices are written.
        price: StepText,
        /// How sizes are written.
        size: StepText,
    },
}

impl ChecksumRule {
    /// Returns the checksum of a book as it stands.
    #[must_use]
    pub fn sum(&self, book: &L2Book) -> u32 {
        match *self {
            Self::Kraken { price, size } => kraken(book, price, size),
            Self::Okx { price, size } => okx(book, price, size),
        }
    }
}

fn kraken(book: &L2Book, price: StepText, size: StepText) -> u32 {
    let mut text = Text::default();
    for side in [Side::Sell, Side::Buy] {
        let mut left = KRAKEN_LEVELS;
        book.visit(side, |level| {
            text.digits(price.units(level.price_ticks));
            text.digits(size.units(level.lots));
            left -= 1;
            left > 0
        });
    }
    text.sum()
}

fn okx(book: &L2Book, price: StepText, size: StepText) -> u32 {
    let mut bids = [Level::default(); OKX_LEVELS];
    let mut asks = [Level::default(); OKX_LEVELS];
    let (bid_count, ask_count) = (book.top(Side::Buy, &mut bids), book.top(Side::Sell, &mut asks));
    let mut text = Text::default();
    for (row, (bid, ask)) in bids.iter().zip(&asks).enumerate() {
        for (level, count) in [(bid, bid_count), (ask, ask_count)] {
            if row < count {
                text.joined(price.units(level.price_ticks), price.decimals);
                text.joined(size.units(level.lots), size.decimals);
            }
        }
    }
    text.sum()
}

/// Text on its way into the checksum; one block of it at a time, for short pieces are slow to sum.
struct Text {
    hasher: Hasher,
    block: [u8; 512],
    filled: usize,
    is_begun: bool,
}

impl Default for Text {
    fn default() -> Self {
        Self { hasher: Hasher::new(), block: [0; 512], filled: 0, is_begun: false }
    }
}

impl Text {
    /// Appends the digits of a number; nothing for 0, whose zeros are all leading ones.
    fn digits(&mut self, mut units: u64) {
        let mut number = [0; NUMBER_BYTES];
        let mut start = NUMBER_BYTES;
        for byte in number.iter_mut().rev() {
            if units == 0 {
                break;
            }
            *byte = digit(units);
            units /= 10;
            start -= 1;
        }
        self.push(number.get(start..).unwrap_or_default());
    }

    /// Appends a number as plain decimal text without trailing zeros, after a colon unless it is the first.
    fn joined(&mut self, mut units: u64, mut decimals: u8) {
        while decimals > 0 && units.is_multiple_of(10) {
            units /= 10;
            decimals -= 1;
        }
        let mut number = [0; NUMBER_BYTES];
        let mut start = NUMBER_BYTES;
        let has_point = decimals > 0;
        let mut bytes = number.iter_mut().rev();
        while let Some(byte) = bytes.next() {
            start -= 1;
            *byte = digit(units);
            units /= 10;
            if has_point && decimals > 0 {
                decimals -= 1;
                if decimals == 0
                    && let Some(byte) = bytes.next()
                {
                    start -= 1;
                    *byte = b'.';
                    continue;
                }
            }
            if units == 0 && decimals == 0 {
                break;
            }
        }
        if self.is_begun {
            self.push(b":");
        }
        self.is_begun = true;
        self.push(number.get(start..).unwrap_or_default());
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.filled + bytes.len() > self.block.len() {
            self.flush();
        }
        if let Some(free) = self.block.get_mut(self.filled..self.filled + bytes.len()) {
            free.copy_from_slice(bytes);
            self.filled += bytes.len();
        }
    }

    fn flush(&mut self) {
        self.hasher.update(self.block.get(..self.filled).unwrap_or_default());
        self.filled = 0;
    }

    fn sum(mut self) -> u32 {
        self.flush();
        self.hasher.finalize()
    }
}

/// Returns the last decimal digit as text.
fn digit(units: u64) -> u8 {
    b'0' + u8::try_from(units % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Depth;

    fn text(step: &str, decimals: u8) -> StepText {
        StepText::new("tick_size", Decimal::parse("tick_size", step).unwrap(), decimals).unwrap()
    }

    fn book(bids: &[(i64, i64)], asks: &[(i64, i64)]) -> L2Book {
        let mut book = L2Book::default();
        for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for &(price_ticks, lots) in levels {
                book.set(side, price_ticks, lots).unwrap();
            }
        }
        book
    }

    #[test]
    fn the_example_of_kraken_has_the_sum_that_kraken_states() {
        let asks: Vec<_> = (0..10).map(|step| (5005 + 5 * step, 500)).collect();
        let bids = [5000, 4995, 4990, 4980, 4975, 4970, 4965, 4960, 4955, 4950].map(|price| (price, 500));
        let rule = ChecksumRule::Kraken { price: text("0.00001", 5), size: text("0.00000001", 8) };
        assert_eq!(rule.sum(&book(&bids, &asks)), 974_947_235);
        // The same prices in coarser ticks, as an instrument may state them.
        let coarse = |levels: &[(i64, i64)]| -> Vec<_> {
            levels.iter().map(|&(price, lots)| (price / 5, lots / 50)).collect()
        };
        let rule = ChecksumRule::Kraken { price: text("0.00005", 5), size: text("0.0000005", 8) };
        assert_eq!(rule.sum(&book(&coarse(&bids), &coarse(&asks))), 974_947_235);
    }

    #[test]
    fn a_step_that_the_pair_cannot_write_is_refused() {
        let step = |text: &str| Decimal::parse("tick_size", text).unwrap();
        for (text, decimals) in [("0", 2), ("-0.1", 2), ("0.001", 2), ("1", 19), ("9000000000", 12)] {
            assert!(StepText::new("tick_size", step(text), decimals).is_err(), "{text} {decimals}");
        }
    }

    #[test]
    fn sides_of_unequal_length_and_huge_numbers_are_no_trouble() {
        let rule = ChecksumRule::Okx { price: text("0.1", 1), size: text("1", 18) };
        let crc = |text: &str| crc32fast::hash(text.as_bytes());
        assert_eq!(rule.sum(&L2Book::default()), crc(""));
        assert_eq!(rule.sum(&book(&[(5, 2), (4, 3)], &[(60, 1)])), crc("0.5:2:6:1:0.4:3"));
        let longest: Vec<_> = (0..30).map(|step| ((1 << 60) - step, i64::MAX)).collect();
        let (one, other) = (book(&longest, &longest), book(&longest, &[]));
        assert_ne!(rule.sum(&one), rule.sum(&other));
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_text_written_plainly(
            bids in prop::collection::btree_map(1i64..5_000_000, 1i64..10_000_000_000, 0..40),
            asks in prop::collection::btree_map(1i64..5_000_000, 1i64..10_000_000_000, 0..40),
        ) {
            let flat = |side: &std::collections::BTreeMap<i64, i64>| -> Vec<_> {
                side.iter().map(|(&price, &lots)| (price, lots)).collect()
            };
            let book = book(&flat(&bids), &flat(&asks));
            let plain = |steps: i64, decimals: u8| {
                let text = Decimal { mantissa: steps, decimals }.to_string();
                if decimals == 0 { text } else {
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                }
            };
            let side = |side| {
                let mut out = Vec::new();
                Depth::walk(&book, side, &mut |level: Level| { out.push(level); true });
                out
            };
            let (bid, ask) = (side(Side::Buy), side(Side::Sell));
            let mut parts = Vec::new();
            for row in 0..25 {
                for level in [bid.get(row), ask.get(row)].into_iter().flatten() {
                    parts.push(plain(level.price_ticks, 2));
                    parts.push(plain(level.lots, 8));
                }
            }
            let rule = ChecksumRule::Okx { price: text("0.01", 2), size: text("0.00000001", 8) };
            prop_assert_eq!(rule.sum(&book), crc32fast::hash(parts.join(":").as_bytes()));
            let best = ask.iter().take(10).chain(bid.iter().take(10));
            let numbers: Vec<_> =
                best.flat_map(|level| [level.price_ticks.to_string(), level.lots.to_string()]).collect();
            let rule = ChecksumRule::Kraken { price: text("0.01", 2), size: text("0.00000001", 8) };
            prop_assert_eq!(rule.sum(&book), crc32fast::hash(numbers.concat().as_bytes()));
        }
    }
}
