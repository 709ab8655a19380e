//! Market data as venues and files state it, turned into events: bytes in, ticks and lots out.
//!
//! Nothing here opens a socket or a file or reads a clock. [`BinanceDecoder`] reads Binance public
//! market data (spot, USD-M, COIN-M) the same way from a live WebSocket, from REST and from a capture;
//! [`VenueBookEvents`] reads the books of Kraken and OKX with their checksums; [`MboReader`] reads
//! Databento's market by order; [`read_table`] reads columns of times, prices and sizes from delimited text.
//!
//! **Invariant:** prices and sizes go from decimal text to whole ticks and lots without a float. A
//! message is taken whole, or the batch stays as it was.

mod binance;
mod databento;
mod error;
mod scale;
mod table;
mod venue_book;

pub use binance::{BinanceDecoder, CaptureBounds, Captured, Counts, Decoded, Market, SymbolSpec};
pub use databento::{MboAction, MboReader, MboRecord};
pub use error::DecodeError;
pub use scale::{Flaw, Scale};
pub use table::{
    Column, ColumnKind, DateOrder, PLAUSIBLE_NS, TableError, TableLayout, TimeFormat, TimeQuestion,
    TimestampError, choose_column_format, choose_time_format, parse_timestamp, read_table,
};
pub use venue_book::{BookFormat, BookMessage, PairScales, VenueBookDecoder, VenueBookEvents};
