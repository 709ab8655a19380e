//! Arguments read under their names: what cannot be taken is told with the name of the argument and its rule.

use pyo3::prelude::*;
use pyo3::types::PyBool;
use tradecore_types::Side;

use crate::errors::invalid_argument;
use crate::updates::PyRefused;

/// A kind of whole number, and what is said of everything else.
trait Whole: Sized {
    const RULE: &'static str;

    fn read(given: &Bound<'_, PyAny>) -> Option<Self>;
}

macro_rules! whole {
    ($($kind:ty: $rule:literal),+ $(,)?) => { $(
        impl Whole for $kind {
            const RULE: &'static str = $rule;

            #[inline]
            fn read(given: &Bound<'_, PyAny>) -> Option<Self> {
                given.extract().ok()
            }
        }
    )+ };
}

whole! {
    i128: "must be a whole number that fits 128 bits",
    i64: "must be a whole number that fits 64 bits",
    u64: "must be a whole number from 0 to 18446744073709551615",
    u32: "must be a whole number from 0 to 4294967295",
    u16: "must be a whole number from 0 to 65535",
    u8: "must be a whole number from 0 to 255",
}

/// Makes readers of arguments: a function for each name.
macro_rules! readers {
    ($module:ident, $words:literal, $read:ident: $($name:ident: $kind:ty),+ $(,)?) => {
        #[doc = $words]
        pub mod $module {
            use super::*;

            $(
                #[doc = concat!("Reads `", stringify!($name), "`.")]
                #[inline]
                pub fn $name(given: &Bound<'_, PyAny>) -> PyResult<$kind> {
                    super::$read(stringify!($name), given)
                }
            )+
        }
    };
}

readers! {
    number, "Whole numbers, and no yes or no.", whole_number:
    time_ns: i64, instrument_id: u32, bid_ticks: i64, bid_lots: i64, ask_ticks: i64, ask_lots: i64,
    update_id: u64, price_ticks: i64, lots: i64, trade_id: u64, first_id: u64, last_id: u64, prev_id: u64,
    order_id: u64, flow_id: u64, revision: u64, rate_ppb: i64, mark_ticks: i64, scope_id: u32, count: u64, amount: i128,
    fee_atto: i128,
}

readers! {
    optional, "Whole numbers that may be left out.", optional_number:
    checksum: Option<u32>, expire_ns: Option<i64>, instrument_id: Option<u32>, venue_time_ns: Option<i64>,
    filled_lots: Option<i64>, price_ticks: Option<i64>, fee_currency: Option<u8>, order_id: Option<u64>,
    within_bps: Option<u32>, then_market_ns: Option<i64>,
}

readers! {
    order, "Numbers of orders that may be left out.", order_number:
    after: Option<u64>, oco: Option<u64>,
}

readers! {
    real, "Numbers.", real_number:
    limit: f64, value: f64,
}

readers! {
    flag, "A yes or no.", yes_or_no:
    buyer_is_aggressor: bool, is_snapshot: bool, is_buy: bool, post_only: bool,
    reduce_only: bool, to_limit: bool, passed: bool, agrees: bool,
}

readers! {
    maybe, "Text that may be left out.", optional_text:
    scope: Option<String>, limit: Option<String>, person: Option<String>, venue_order_id: Option<String>,
    trade_id: Option<String>,
}

readers! {
    levels, "Levels of a book.", levels_of:
    bids: Vec<(i64, i64)>, asks: Vec<(i64, i64)>,
}

/// Makes readers of text, which is not copied: a function for each name, with what the text must be.
macro_rules! texts {
    ($($name:ident: $rule:literal),+ $(,)?) => {
        /// Reads arguments that are text.
        pub mod text {
            use super::*;

            $(
                #[doc = concat!("Reads `", stringify!($name), "`.")]
                #[inline]
                pub fn $name<'a>(given: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
                    given.extract().map_err(|_| invalid_argument(stringify!($name), given, $rule))
                }
            )+
        }
    };
}

texts! {
    name: "must be text",
    reason: "must be text",
    currency: "must be text",
    report: "must be text",
    liquidity: "must be maker or taker",
    column: "must be text: open, high, low, close or volume",
    time_in_force: "must be gtc, gtd, day, ioc or fok",
}

fn optional_text(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    given.extract().map_err(|_| invalid_argument(name, given, "must be text"))
}

/// Reads what an account begins with.
pub fn opening_rows(given: &Bound<'_, PyAny>) -> PyResult<crate::account::OpeningRows> {
    let rule = "must have the fields of an opening in whole units; `Engine(opening=...)` takes an `Opening`";
    given.extract().map_err(|_| invalid_argument("rows", given, rule))
}

/// Reads a conversion of cash.
pub fn conversion_row(given: &Bound<'_, PyAny>) -> PyResult<crate::account::ConversionRow> {
    let rule = "must have the fields of a conversion in atto units; `change_account` takes a `Conversion`";
    given.extract().map_err(|_| invalid_argument("row", given, rule))
}

/// Reads the value of a limit; `None` switches it off.
pub fn limit_value(given: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    given.extract().map_err(|_| invalid_argument("value", given, "must be text as in the settings, or None"))
}

#[inline]
fn whole_number<T: Whole>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<T> {
    let number = if given.is_exact_instance_of::<PyBool>() { None } else { T::read(given) };
    number.ok_or_else(|| invalid_argument(name, given, T::RULE))
}

fn optional_number<T: Whole>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Option<T>> {
    if given.is_none() { Ok(None) } else { whole_number(name, given).map(Some) }
}

fn order_number(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    let rule = match given.cast::<PyRefused>() {
        Ok(refused) => format!("has no number: that order was refused ({})", refused.get().rule),
        Err(_) => "must be the number of an order, as buy and sell answer it".to_owned(),
    };
    optional_number(name, given).map_err(|_| invalid_argument(name, given, &rule))
}

/// Reads a number, and no yes or no; what is too large for a float is refused.
fn real_number(name: &str, given: &Bound<'_, PyAny>) -> PyResult<f64> {
    let number = if given.is_exact_instance_of::<PyBool>() { None } else { given.extract().ok() };
    number.ok_or_else(|| invalid_argument(name, given, "must be a number"))
}

fn yes_or_no(name: &str, given: &Bound<'_, PyAny>) -> PyResult<bool> {
    given.extract().map_err(|_| invalid_argument(name, given, "must be True or False"))
}

/// Returns the side of a flag.
pub const fn side(is_buy: bool) -> Side {
    if is_buy { Side::Buy } else { Side::Sell }
}

fn levels_of(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<(i64, i64)>> {
    let rule = "must be a list of (price in ticks, size in lots), both whole numbers";
    given.extract().map_err(|_| invalid_argument(name, given, rule))
}
