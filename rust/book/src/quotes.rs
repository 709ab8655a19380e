//! Recent best bids and asks of the venue, waiting for the book to reach their update id.

use std::collections::VecDeque;

use tradecore_types::{Level, Quote};

use crate::{Depth, L2Book};

/// A bounded queue of quotes in the order they came; the oldest give way.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct RecentQuotes {
    quotes: VecDeque<Quote>,
    quotes_max: usize,
}

impl RecentQuotes {
    /// Makes an empty queue; its memory is taken now.
    pub(crate) fn new(quotes_max: usize) -> Self {
        Self { quotes: VecDeque::with_capacity(quotes_max), quotes_max }
    }

    /// Keeps a quote until the book has reached it.
    pub(crate) fn push(&mut self, quote: Quote) {
        if self.quotes.len() >= self.quotes_max {
            self.quotes.pop_front();
        }
        if self.quotes_max > 0 {
            self.quotes.push_back(quote);
        }
    }

    /// Takes out the next quote at `update_id`, dropping the older ones before it.
    pub(crate) fn take_at(&mut self, update_id: u64) -> Option<Quote> {
        while let Some(quote) = self.quotes.front().filter(|quote| quote.update_id <= update_id).copied() {
            self.quotes.pop_front();
            if quote.update_id == update_id {
                return Some(quote);
            }
        }
        None
    }

    /// Forgets every quote.
    pub(crate) fn clear(&mut self) {
        self.quotes.clear();
    }

    /// Appends every quote kept, oldest first.
    pub(crate) fn write_state(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&u64::try_from(self.quotes.len()).unwrap_or(u64::MAX).to_le_bytes());
        for quote in &self.quotes {
            out.extend_from_slice(&quote.update_id.to_le_bytes());
            for value in [quote.bid_ticks, quote.bid_lots, quote.ask_ticks, quote.ask_lots] {
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
    }
}

/// Tells whether best prices and sizes of a quote are those of a book.
pub(crate) fn agree(quote: &Quote, book: &L2Book) -> bool {
    let same = |best: Option<Level>, price_ticks: i64, lots: i64| match best {
        Some(level) => level == Level { price_ticks, lots },
        None => lots == 0,
    };
    same(book.best_bid(), quote.bid_ticks, quote.bid_lots)
        && same(book.best_ask(), quote.ask_ticks, quote.ask_lots)
}
