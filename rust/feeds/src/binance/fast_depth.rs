//! Diffs in exactly the form the venue writes them, read without a JSON parser.
//!
//! Most of what comes in are diffs, always with the same fields in the same order and without a blank.
//! Anything else is left to the general reader, which also says what is wrong.
//!
//! **Invariant:** what is read here, the general reader reads the same.

use tradecore_types::Level;

use super::fields::is_partial_depth;
use super::symbols::{Listing, SymbolTable};

/// A diff whose levels are at the end of the level table, bids first.
#[derive(Clone, Copy, Debug)]
pub(super) struct FastDepth {
    pub(super) listing: Listing,
    pub(super) first_id: u64,
    pub(super) last_id: u64,
    pub(super) prev_id: Option<u64>,
    pub(super) bids: usize,
    pub(super) asks: usize,
}

/// Reads a diff of a wanted symbol; `None` leaves the level table as it was.
#[inline]
pub(super) fn read(payload: &[u8], symbols: &SymbolTable, levels: &mut Vec<Level>) -> Option<FastDepth> {
    let start = levels.len();
    let depth = Text(payload).depth(symbols, levels);
    if depth.is_none() {
        levels.truncate(start);
    }
    depth
}

/// What is left of a message.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn depth(mut self, symbols: &SymbolTable, levels: &mut Vec<Level>) -> Option<FastDepth> {
        let is_wrapped = self.skip(b"{\"stream\":\"");
        if is_wrapped {
            let stream = self.word()?;
            if is_partial_depth(stream) {
                return None;
            }
            self.expect(b",\"data\":")?;
        }
        self.expect(b"{\"e\":\"depthUpdate\",\"E\":")?;
        self.number()?;
        if self.skip(b",\"T\":") {
            self.number()?;
        }
        self.expect(b",\"s\":\"")?;
        let listing = symbols.get(self.word()?)?;
        if self.skip(b",\"ps\":\"") {
            self.word()?;
        }
        self.expect(b",\"U\":")?;
        let first_id = self.number()?;
        self.expect(b",\"u\":")?;
        let last_id = self.number()?;
        let prev_id = if self.skip(b",\"pu\":") { Some(self.number()?) } else { None };
        self.expect(b",\"b\":[")?;
        let bids = self.levels(&listing, levels)?;
        self.expect(b",\"a\":[")?;
        let asks = self.levels(&listing, levels)?;
        self.expect(if is_wrapped { b"}}" } else { b"}" })?;
        let is_whole = self.0.is_empty() && first_id <= last_id;
        is_whole.then_some(FastDepth { listing, first_id, last_id, prev_id, bids, asks })
    }

    /// Reads levels up to the end of their array and returns how many there were.
    #[inline]
    fn levels(&mut self, listing: &Listing, levels: &mut Vec<Level>) -> Option<usize> {
        let start = levels.len();
        if self.skip(b"]") {
            return Some(0);
        }
        loop {
            self.expect(b"[\"")?;
            let price_ticks = listing.price.steps(self.quoted()?).ok().filter(|ticks| *ticks > 0)?;
            self.expect(b",\"")?;
            let lots = listing.quantity.floor(self.quoted()?).ok()?;
            levels.push(Level { price_ticks, lots });
            self.expect(b"]")?;
            if self.skip(b"]") {
                return Some(levels.len() - start);
            }
            self.expect(b",")?;
        }
    }

    /// Returns what stands before the next quote, and passes the quote.
    #[inline]
    fn quoted(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|&byte| byte == b'"')?;
        let (text, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.split_first()?.1;
        Some(text)
    }

    /// Returns a name of letters, digits, `_` and `@` before the next quote, and passes the quote.
    #[inline]
    fn word(&mut self) -> Option<&'a str> {
        let text = self.quoted()?;
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@');
        if text.iter().all(is_plain) { std::str::from_utf8(text).ok() } else { None }
    }

    /// Reads a whole number without leading zeros, as JSON has them.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let mut value = 0u64;
        let mut digits = 0u32;
        while let Some((&byte, rest)) = self.0.split_first() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            if digits == 1 && value == 0 {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
            digits += 1;
            self.0 = rest;
        }
        (digits > 0).then_some(value)
    }

    #[inline]
    fn skip(&mut self, literal: &[u8]) -> bool {
        match self.0.strip_prefix(literal) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    #[inline]
    fn expect(&mut self, literal: &[u8]) -> Option<()> {
        self.skip(literal).then_some(())
    }
}
