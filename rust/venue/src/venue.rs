//! The simulated venue of one instrument.

use tradecore_book::{L2Book, QuoteDepth};
use tradecore_matching::{BarMatcher, BarRules, DepthMatcher, ExchangeMatcher, FeeSchedule, MarketOut};
use tradecore_types::{Flow, Instrument, OrderId, Quote, Report, Sessions, TimeNs, Trade};

use crate::{Matching, VenueConfig, VenueRequest, VenueTraits};

/// Orders of agents that fit a simulated exchange before memory grows.
const FLOW_ORDERS: usize = 1 << 14;

/// A quote that shows nothing, for a venue that has not seen one yet.
const NO_QUOTE: Quote = Quote { bid_ticks: 0, bid_lots: 0, ask_ticks: 0, ask_lots: 0, update_id: 0 };

/// The simulated venue of one instrument.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct SimulatedVenue {
    matcher: Matcher,
    traits: VenueTraits,
}

/// What it matches with: an enum, so that the compiler sees each kind whole.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
enum Matcher {
    Bars(Box<BarMatcher>),
    Quotes(Box<DepthMatcher>),
    Book(Box<DepthMatcher>),
    Exchange(Box<ExchangeMatcher>),
}

/// What the market shows to a request or a trade.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The last quote; `None` before the first.
    pub quote: Option<Quote>,
    /// The replayed book, whether it is proven right or not; `None` where the venue publishes its own.
    pub book: Option<&'a L2Book>,
}

/// What comes out of a venue; kept for its memory.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct VenueOut {
    /// What it says of orders, in order.
    pub reports: Vec<Report>,
    /// What it publishes of its market, in order.
    pub published: Vec<MarketOut>,
}

impl SimulatedVenue {
    /// Makes the venue of an instrument that trades in these sessions. One that needs a book is frozen until it
    /// is told that the book is right.
    #[must_use]
    pub fn new(instrument: &Instrument, sessions: &Sessions, config: &VenueConfig) -> Self {
        let capacity = config.open_orders_max;
        let depth = || DepthMatcher::new(instrument.clone(), config.fees, capacity).with_queue(config.queue);
        let matcher = match config.matching {
            Matching::Bars => {
                let rules = BarRules {
                    fill: config.bar_fill,
                    order: config.bar_order,
                    orders_max: capacity,
                    slippage: config.bar_slippage,
                };
                let matcher = BarMatcher::new(instrument.clone(), config.fees, rules, sessions.clone());
                Matcher::Bars(Box::new(matcher))
            }
            // A book shows what comes after its best price, a quote does not.
            Matching::Quotes => {
                let matcher = depth().with_market_rest(config.market_rest);
                Matcher::Quotes(Box::new(matcher))
            }
            Matching::Book => {
                let mut matcher = Box::new(depth());
                // Nothing fills before the book is proven right.
                matcher.set_frozen(true);
                Matcher::Book(matcher)
            }
            Matching::Exchange => {
                let mut matcher =
                    Box::new(ExchangeMatcher::new(instrument.clone(), config.fees, FLOW_ORDERS, capacity));
                matcher.set_self_trade(config.self_trade);
                Matcher::Exchange(matcher)
            }
        };
        Self { matcher, traits: config.matching.traits() }
    }

    /// Makes what watches dormant orders in the place of a venue that has none.
    #[must_use]
    pub fn only_watching(instrument: &Instrument, sessions: &Sessions, config: &VenueConfig) -> Self {
        let Self { matcher, traits } = Self::new(instrument, sessions, config);
        let matcher = match matcher {
            Matcher::Quotes(matcher) => Matcher::Quotes(Box::new(matcher.only_watching())),
            Matcher::Book(matcher) => Matcher::Book(Box::new(matcher.only_watching())),
            other @ (Matcher::Bars(_) | Matcher::Exchange(_)) => other,
        };
        Self { matcher, traits }
    }

    /// Returns what it does and what it leaves to others.
    #[inline]
    #[must_use]
    pub const fn traits(&self) -> &VenueTraits {
        &self.traits
    }

    /// Returns the matcher whose reports are booked at once, with the account at hand that it asks at each fill;
    /// `None` at a venue with reports that are on their way first.
    #[inline]
    #[must_use]
    pub fn with_account(&mut self) -> Option<&mut BarMatcher> {
        match &mut self.matcher {
            Matcher::Bars(matcher) => Some(matcher),
            Matcher::Quotes(_) | Matcher::Book(_) | Matcher::Exchange(_) => None,
        }
    }

    /// Tells whether the opening of a bar can fill an order before the rest of the bar is known.
    #[inline]
    #[must_use]
    pub fn waits_for_open(&self) -> bool {
        match &self.matcher {
            Matcher::Bars(matcher) => !matcher.is_empty(),
            Matcher::Quotes(_) | Matcher::Book(_) | Matcher::Exchange(_) => false,
        }
    }

    /// Takes a request that has arrived. A venue that needs the account gets it by [`Self::with_account`].
    #[inline]
    pub fn take(&mut self, request: &VenueRequest, shown: Shown<'_>, now_ns: TimeNs, out: &mut VenueOut) {
        match &mut self.matcher {
            Matcher::Quotes(matcher) => {
                let depth = QuoteDepth(shown.quote.unwrap_or(NO_QUOTE));
                meet_depth(matcher, request, &depth, now_ns, &mut out.reports);
            }
            // A book that is not right has frozen the matcher: it rejects what would trade and still cancels.
            Matcher::Book(matcher) => {
                if let Some(book) = shown.book {
                    meet_depth(matcher, request, book, now_ns, &mut out.reports);
                }
            }
            Matcher::Exchange(matcher) => {
                let VenueOut { reports, published } = out;
                match request {
                    VenueRequest::Submit(order) => matcher.submit(order, now_ns, reports, published),
                    VenueRequest::Cancel { order_id, reason, .. } => {
                        matcher.cancel_because(*order_id, *reason, now_ns, reports, published);
                    }
                    VenueRequest::Replace { order_id, price_ticks, lots, .. } => {
                        matcher.replace(*order_id, *price_ticks, *lots, now_ns, reports, published);
                    }
                }
            }
            Matcher::Bars(_) => {}
        }
    }

    /// Sees a new best bid and ask.
    #[inline]
    pub fn on_quote(&mut self, quote: Quote, now_ns: TimeNs, out: &mut VenueOut) {
        if let Matcher::Quotes(matcher) = &mut self.matcher {
            matcher.on_depth(&QuoteDepth(quote), now_ns, &mut out.reports);
        }
    }

    /// Sees a change of a book that is proven right.
    #[inline]
    pub fn on_book(&mut self, book: &L2Book, now_ns: TimeNs, out: &mut VenueOut) {
        if let Matcher::Book(matcher) = &mut self.matcher {
            matcher.on_depth(book, now_ns, &mut out.reports);
        }
    }

    /// Sees a trade of others.
    #[inline]
    pub fn on_trade(&mut self, trade: &Trade, shown: Shown<'_>, now_ns: TimeNs, out: &mut VenueOut) {
        match (&mut self.matcher, shown) {
            (Matcher::Book(matcher), Shown { book: Some(book), .. }) => {
                matcher.on_trade(trade, book, now_ns, &mut out.reports);
            }
            (Matcher::Quotes(matcher), Shown { quote: Some(quote), .. }) => {
                matcher.on_trade(trade, &QuoteDepth(quote), now_ns, &mut out.reports);
            }
            _ => {}
        }
    }

    /// Takes the order flow of the agents of a simulated exchange.
    #[inline]
    pub fn on_flow(&mut self, flow: &Flow, now_ns: TimeNs, out: &mut VenueOut) {
        if let Matcher::Exchange(matcher) = &mut self.matcher {
            matcher.flow(flow, now_ns, &mut out.reports, &mut out.published);
        }
    }

    /// Stops or resumes fills against a book, as it is not or is proven right.
    pub fn set_frozen(&mut self, is_frozen: bool) {
        if let Matcher::Book(matcher) = &mut self.matcher {
            matcher.set_frozen(is_frozen);
        }
    }

    /// Lets nothing fill and nothing be set off by what is past; a book that follows has to be proven right first.
    pub fn set_past(&mut self, is_past: bool) {
        match &mut self.matcher {
            Matcher::Quotes(matcher) => matcher.set_frozen(is_past),
            Matcher::Book(matcher) if is_past => matcher.set_frozen(true),
            Matcher::Book(_) | Matcher::Bars(_) | Matcher::Exchange(_) => {}
        }
    }

    /// Ends an order whose time is up, if it has it. A venue that needs the account gets it by
    /// [`Self::with_account`].
    pub fn expire(&mut self, order_id: OrderId, now_ns: TimeNs, out: &mut VenueOut) {
        match &mut self.matcher {
            Matcher::Quotes(matcher) | Matcher::Book(matcher) => {
                matcher.expire(order_id, now_ns, &mut out.reports);
            }
            Matcher::Exchange(matcher) => {
                matcher.expire(order_id, now_ns, &mut out.reports, &mut out.published);
            }
            Matcher::Bars(_) => {}
        }
    }

    /// Makes an order that it has one that may only close, where the venue sees to that itself.
    pub fn bind(&mut self, order_id: OrderId) {
        if let Matcher::Bars(matcher) = &mut self.matcher {
            matcher.bind(order_id);
        }
    }

    /// Sets the rates of fees from now on.
    pub fn set_fees(&mut self, rates: FeeSchedule) {
        match &mut self.matcher {
            Matcher::Bars(matcher) => matcher.set_fees(rates),
            Matcher::Quotes(matcher) | Matcher::Book(matcher) => matcher.set_fees(rates),
            Matcher::Exchange(matcher) => matcher.set_fees(rates),
        }
    }

    /// Appends the canonical bytes of the state.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        match &self.matcher {
            Matcher::Bars(matcher) => matcher.write_state(out),
            Matcher::Quotes(matcher) | Matcher::Book(matcher) => matcher.write_state(out),
            Matcher::Exchange(matcher) => matcher.write_state(out),
        }
    }
}

/// Shows a matcher a request and the depth it meets.
fn meet_depth(
    matcher: &mut DepthMatcher,
    request: &VenueRequest,
    depth: &impl tradecore_book::Depth,
    now_ns: TimeNs,
    reports: &mut Vec<Report>,
) {
    match request {
        VenueRequest::Submit(order) => matcher.submit(order, depth, now_ns, reports),
        VenueRequest::Cancel { order_id, reason, .. } => {
            matcher.cancel_because(*order_id, *reason, now_ns, reports);
        }
        VenueRequest::Replace { order_id, price_ticks, lots, .. } => {
            matcher.replace(*order_id, *price_ticks, *lots, depth, now_ns, reports);
        }
    }
}
