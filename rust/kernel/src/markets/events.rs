//! Market data on its way through the house.

use tradecore_bars::Print;
use tradecore_book::{BookChange, QuoteCheck};
use tradecore_matching::MarketOut;
use tradecore_types::{
    Bar, BookUpdate, Event, EventBody, FeedState, Flow, InstrumentId, Quote, TimeNs, Trade,
};
use tradecore_venue::VenueOut;

use crate::calls::wake::WakeBody;
use crate::markets::market::{Book, Market, middle};
use crate::outgoing::schedule::{Delivery, End};
use crate::{Kernel, KernelError};

impl Kernel {
    /// Handles the next event of a source, all of it.
    pub(crate) fn handle_event(&mut self, source: usize) -> Result<(), KernelError> {
        let Some((event, _)) = self.input.peek(source) else { return Ok(()) };
        let was_opened = self.input.is_bar_opened(source);
        self.books.counters.events += 1;
        match event.body {
            EventBody::Book(update) => {
                let change = self.apply_book(source, &event, &update)?;
                self.input.consume(source);
                self.after_book(event.instrument, change)?;
                return self.try_again(event.instrument);
            }
            EventBody::Account(place) => return self.handle_account(source, place),
            EventBody::Venue(place) => return self.handle_venue_event(source, &event, place),
            _ => {}
        }
        self.input.consume(source);
        if !was_opened {
            self.recorder.event(&event, &[], &[])?;
        }
        match event.body {
            EventBody::Bar(bar) => self.on_bar(&event, &bar, was_opened),
            EventBody::Quote(quote) => self.on_quote(event.instrument, quote),
            EventBody::Trade(trade) => self.on_trade(event.instrument, trade),
            EventBody::Flow(flow) => self.on_flow(event.instrument, &flow),
            EventBody::Feed(state) => self.on_feed(event.instrument, state),
            EventBody::Command(command) => return self.on_command(&command.kind),
            EventBody::Mark(mark) => {
                self.on_mark(event.instrument, mark);
                Ok(())
            }
            EventBody::Funding(funding) => self.on_funding(event.instrument, funding),
            EventBody::Book(_) | EventBody::Account(_) | EventBody::Venue(_) | EventBody::Clock => {
                return Ok(());
            }
        }?;
        self.try_again(event.instrument)
    }

    /// Handles what a venue outside says. Its text stands in the batch, which goes when it is used up.
    #[inline(never)]
    fn handle_venue_event(&mut self, source: usize, event: &Event, place: u32) -> Result<(), KernelError> {
        let said = self.input.peek(source).and_then(|(_, batch)| batch.venue_event(place).cloned());
        self.input.consume(source);
        let Some(said) = said else { return Ok(()) };
        self.recorder.venue(event.time_ns, event.instrument, &said)?;
        self.on_venue_event(event.instrument, &said)?;
        self.try_again(event.instrument)
    }

    /// Handles the opening of the bar at the head of a source.
    pub(crate) fn handle_bar_open(&mut self, source: usize) -> Result<(), KernelError> {
        // What has ended by now without its last bar comes after the bars that close now, and before one opens.
        if self.outgoing.schedule.has_merged_end(self.now_ns) && self.close_merged() {
            return Ok(());
        }
        let Some((event, _)) = self.input.peek(source) else { return Ok(()) };
        self.input.open_bar(source);
        self.recorder.event(&event, &[], &[])?;
        match event.body {
            EventBody::Bar(bar) => self.open_bar(event.instrument, &bar, event.time_ns),
            _ => Ok(()),
        }
    }

    fn on_bar(&mut self, event: &Event, bar: &Bar, was_opened: bool) -> Result<(), KernelError> {
        let (instrument, close_ns) = (event.instrument, event.time_ns);
        if !was_opened {
            self.open_bar(instrument, bar, close_ns)?;
        }
        self.learn(instrument, bar.close_ticks);
        self.fill_bar(instrument, bar, close_ns)?;
        self.value_bar(instrument, bar)?;
        if self.market(instrument)?.venue.traits().reports_at_once {
            self.go_on_closing(instrument)?;
        }
        self.spread_bar(instrument, bar, close_ns)
    }

    fn on_quote(&mut self, instrument: InstrumentId, quote: Quote) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        let Some(market) = self.markets.get_mut(instrument.index()) else { return Ok(()) };
        market.quote = Some(quote);
        let needs_book = market.venue.traits().needs_book;
        if needs_book
            && let Book::Synced(book) = &mut market.book
            && let QuoteCheck::BecameInvalid(fault) = book.on_quote(&quote)
        {
            self.after_book(instrument, BookChange::BecameInvalid(fault))?;
        }
        let is_two_sided = quote.bid_ticks > 0 && quote.ask_ticks > quote.bid_ticks;
        let mid_ticks = middle(quote.bid_ticks, quote.ask_ticks);
        if is_two_sided {
            // Under a replayed book the book is the reference, so that orders fill against what they were checked by.
            if !needs_book {
                self.learn(instrument, mid_ticks);
            }
            self.build_bars(instrument, &Print::of_price(self.now_ns, mid_ticks), |market| {
                &market.series.quotes
            });
        }
        self.at_venue(instrument, |market, out| market.venue.on_quote(quote, now_ns, out))?;
        self.wake_all(instrument, WakeBody::Quote(quote), |market| &market.subscribers.quotes);
        self.close_where_quoted(instrument)
    }

    /// Goes on closing where quotes are the market.
    fn close_where_quoted(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        if self.market(instrument)?.venue.traits().fills_at_quotes {
            return self.go_on_closing(instrument);
        }
        Ok(())
    }

    fn on_trade(&mut self, instrument: InstrumentId, trade: Trade) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        self.at_venue(instrument, |market, out| {
            let (venue, shown) = market.shown_to_venue();
            venue.on_trade(&trade, shown, now_ns, out);
        })?;
        self.spread_trade(instrument, trade);
        Ok(())
    }

    /// Shows a trade to the bars and the strategies.
    fn spread_trade(&mut self, instrument: InstrumentId, trade: Trade) {
        let has_quotes = self.markets.get_mut(instrument.index()).is_some_and(|market| {
            market.has_traded = true;
            market.best().0.is_some()
        });
        if !has_quotes {
            self.learn(instrument, trade.price_ticks);
        }
        self.build_bars(instrument, &Print::of_trade(self.now_ns, &trade), |market| &market.series.trades);
        self.wake_all(instrument, WakeBody::Trade(trade), |market| &market.subscribers.trades);
    }

    /// Records a book message and applies it.
    fn apply_book(
        &mut self,
        source: usize,
        event: &Event,
        update: &BookUpdate,
    ) -> Result<BookChange, KernelError> {
        let Some((_, batch)) = self.input.peek(source) else { return Ok(BookChange::Ignored) };
        let (bids, asks) = batch.levels_of(update);
        self.recorder.event(event, bids, asks)?;
        let Some(market) = self.markets.get_mut(event.instrument.index()) else {
            return Ok(BookChange::Ignored);
        };
        market.book_time_ns = event.time_ns;
        match &mut market.book {
            Book::Synced(book) => Ok(book.on_update(update, bids, asks)),
            Book::Published(_) => Ok(BookChange::Ignored),
        }
    }

    /// Plans when a book is stale unless another message comes; one plan at a time, whatever comes.
    fn watch_book(&mut self, instrument: InstrumentId) {
        let Some(market) = self.markets.get_mut(instrument.index()) else { return };
        let Some(age_ns_max) = market.book.age_ns_max().filter(|_| !market.is_book_watched) else { return };
        market.is_book_watched = true;
        let end_ns = market.book_time_ns.saturating_add(age_ns_max).saturating_add(1);
        self.outgoing.schedule.end(end_ns, End::BookAge { instrument });
    }

    /// Looks whether a book has gone without a message for too long.
    pub(crate) fn on_book_age(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        let Some(market) = self.markets.get_mut(instrument.index()) else { return Ok(()) };
        market.is_book_watched = false;
        let Some(age_ns_max) = market.book.age_ns_max() else { return Ok(()) };
        let is_silent = now_ns.saturating_sub(market.book_time_ns) > age_ns_max;
        match &mut market.book {
            Book::Synced(book) if book.is_valid() && is_silent => {
                let change = book.on_silence();
                self.after_book(instrument, change)
            }
            Book::Synced(book) if book.is_valid() => {
                self.watch_book(instrument);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Tells the venue and the strategies what became of the book.
    fn after_book(&mut self, instrument: InstrumentId, change: BookChange) -> Result<(), KernelError> {
        match change {
            BookChange::Applied => {}
            BookChange::BecameValid => {
                self.freeze(instrument, false);
                self.watch_book(instrument);
            }
            BookChange::BecameInvalid(_) => {
                self.freeze(instrument, true);
                return Ok(());
            }
            BookChange::Buffered
            | BookChange::Ignored
            | BookChange::SnapshotTooOld
            | BookChange::Refused(_) => return Ok(()),
        }
        let now_ns = self.now_ns;
        if let (Some(bid_ticks), Some(ask_ticks)) = self.market(instrument)?.best() {
            self.learn(instrument, middle(bid_ticks, ask_ticks));
        }
        self.at_venue(instrument, |market, out| {
            if let Some(book) = market.book.valid() {
                market.venue.on_book(book, now_ns, out);
            }
        })?;
        self.wake_all(instrument, WakeBody::Book, |market| &market.subscribers.books);
        self.go_on_closing(instrument)
    }

    /// A feed was lost, or it begins with what is past. Either way its book proves nothing any more.
    fn on_feed(&mut self, instrument: InstrumentId, state: FeedState) -> Result<(), KernelError> {
        self.markets.feed_state = state;
        let is_past = self.is_warming_up();
        let Some(market) = self.markets.get_mut(instrument.index()) else { return Ok(()) };
        market.venue.set_past(is_past);
        let change = match &mut market.book {
            Book::Synced(book) => book.on_feed_lost(),
            Book::Published(_) => BookChange::Ignored,
        };
        self.after_book(instrument, change)
    }

    /// Stops or resumes fills against an instrument's book.
    fn freeze(&mut self, instrument: InstrumentId, is_frozen: bool) {
        if let Some(market) = self.markets.get_mut(instrument.index()) {
            market.venue.set_frozen(is_frozen);
        }
    }

    fn on_flow(&mut self, instrument: InstrumentId, flow: &Flow) -> Result<(), KernelError> {
        let now_ns = self.now_ns;
        self.at_venue(instrument, |market, out| market.venue.on_flow(flow, now_ns, out))
    }

    /// Applies what the simulated exchange publishes, and shows it to the strategies.
    #[inline(never)]
    fn spread_published(&mut self, instrument: InstrumentId) -> Result<(), KernelError> {
        let mut published = std::mem::take(&mut self.outgoing.venue_out.published);
        let mut is_book_changed = false;
        for item in published.drain(..) {
            match item {
                MarketOut::Trade(trade) => self.spread_trade(instrument, trade),
                MarketOut::Level { side, level } => {
                    is_book_changed = true;
                    if let Some(Book::Published(book)) =
                        self.markets.get_mut(instrument.index()).map(|market| &mut market.book)
                    {
                        book.set(side, level.price_ticks, level.lots).map_err(|fault| {
                            KernelError::Broken(format!(
                                "the simulated exchange published a bad level: {fault}"
                            ))
                        })?;
                    }
                }
            }
        }
        self.outgoing.venue_out.published = published;
        if is_book_changed {
            if let (Some(bid_ticks), Some(ask_ticks)) = self.market(instrument)?.best() {
                let mid_ticks = middle(bid_ticks, ask_ticks);
                self.learn(instrument, mid_ticks);
                self.build_bars(instrument, &Print::of_price(self.now_ns, mid_ticks), |market| {
                    &market.series.quotes
                });
            }
            self.wake_all(instrument, WakeBody::Book, |market| &market.subscribers.books);
            self.go_on_closing(instrument)?;
        }
        Ok(())
    }

    /// Remembers a price as the reference of risk and, where the venue gives none, the mark of positions.
    pub(crate) fn learn(&mut self, instrument: InstrumentId, price_ticks: i64) {
        if self.learn_reference(instrument, price_ticks) {
            return;
        }
        self.set_mark(instrument, price_ticks);
        if self.books.scopes.is_on() {
            self.tell_mark(instrument, price_ticks);
        }
    }

    /// Remembers a price as the reference of risk; tells whether a venue gives the mark of positions.
    #[inline]
    pub(crate) fn learn_reference(&mut self, instrument: InstrumentId, price_ticks: i64) -> bool {
        let Some(market) = self.markets.get_mut(instrument.index()) else { return false };
        market.reference = Some((price_ticks, self.now_ns));
        market.checks.learn(price_ticks, self.now_ns);
        market.is_marked
    }

    /// Sets the price that values positions in an instrument: the only way to do so.
    #[inline]
    pub(crate) fn set_mark(&mut self, instrument: InstrumentId, price_ticks: i64) {
        if let Some(mark) = self.books.marks.get_mut(instrument.index())
            && mark.replace(price_ticks).is_none()
        {
            self.books.curve.held.buy(instrument.index(), price_ticks);
        }
        if self.markets.follows_marks {
            self.follow_mark(instrument);
        }
    }

    /// Tells those whom a new mark concerns beyond the value of positions in its instrument.
    fn follow_mark(&mut self, instrument: InstrumentId) {
        if let Some(margin) = self.margin_for_mut(instrument) {
            margin.watch.touch_price(instrument);
        }
        if self.books.conversions.is_some() {
            self.convert_anew(instrument);
        }
    }

    /// Queues one call for every strategy of a list.
    fn wake_all(
        &mut self,
        instrument: InstrumentId,
        body: WakeBody,
        of: impl Fn(&Market) -> &Vec<tradecore_types::StrategyId>,
    ) {
        let Some(market) = self.markets.get(instrument.index()) else { return };
        for &strategy in of(market) {
            self.calls.wakes.push_back(crate::Wake { time_ns: self.now_ns, strategy, instrument, body });
        }
    }

    /// Puts the fees of what a venue has just said into the currency in which it asks for them.
    #[cold]
    fn convert_fees(&mut self, instrument: InstrumentId) {
        let mut reports = std::mem::take(&mut self.outgoing.venue_out.reports);
        for report in &mut reports {
            *report = self.with_fee(instrument, *report);
        }
        self.outgoing.venue_out.reports = reports;
    }

    /// Sends the reports of one of several venues on their way.
    #[cold]
    fn deliver_among(&mut self, instrument: InstrumentId, arrival_ns: TimeNs) {
        let account = self.account_of(instrument);
        let Self { outgoing, books, .. } = self;
        let its = |id: InstrumentId| books.ledger.account_of(id) == account;
        for report in outgoing.venue_out.reports.drain(..) {
            outgoing.schedule.report_among(arrival_ns, Delivery { instrument, report }, its);
        }
    }

    /// Lets the venue of an instrument act, sends its reports on their way and shows what it publishes.
    pub(crate) fn at_venue(
        &mut self,
        instrument: InstrumentId,
        act: impl FnOnce(&mut Market, &mut VenueOut),
    ) -> Result<(), KernelError> {
        let Some(market) = self.markets.get_mut(instrument.index()) else { return Ok(()) };
        act(market, &mut self.outgoing.venue_out);
        if !self.outgoing.venue_out.reports.is_empty() {
            // What watches for a venue outside is in this process.
            let is_outside = self.config.destination.is_outside();
            let arrival_ns =
                if is_outside { self.now_ns } else { self.venue_for(instrument).at_engine_ns(self.now_ns) };
            let is_one_account = self.config.accounts.is_empty();
            if self.config.fee_currency.is_some() || !is_one_account {
                self.convert_fees(instrument);
            }
            if !is_one_account {
                self.deliver_among(instrument, arrival_ns);
            }
            for report in self.outgoing.venue_out.reports.drain(..) {
                self.outgoing.schedule.report(arrival_ns, Delivery { instrument, report });
            }
        }
        if self.outgoing.venue_out.published.is_empty() { Ok(()) } else { self.spread_published(instrument) }
    }
}
