//! What others made at the account of a venue outside: from here on it belongs to a strategy.
//!
//! **Invariant:** what is taken over is an order of the books as any other, with a number and a life; so limits, fills
//! and tables count it without knowing where it came from. An order has one number, however often it is told. No
//! rule of the engine ends an order that others made: a kill does, a flatten, and whoever asks for it.

use tradecore_types::{
    Adopted, AdoptedBody, Bracket, InstrumentId, Liquidity, OrderId, OrderIntent, OrderKind, Report,
    ReportBody, Size, SurpriseKind, TimeInForce, ValueError,
};

use crate::books::fill_of;
use crate::{Kernel, KernelError};

impl Kernel {
    /// Checks what is to be taken over before it is queued.
    pub(crate) fn check_adopted(&self, found: &Adopted) -> Result<(), ValueError> {
        if found.strategy.0 >= self.config.strategies {
            let rule = format!("must be below {}", self.config.strategies);
            return Err(ValueError::new("strategy_id", found.strategy.0, rule));
        }
        match found.body {
            AdoptedBody::Position { fee_currency: Some(currency), .. }
                if !self.books.ledger.has_currency(currency) =>
            {
                Err(ValueError::new("fee_currency", currency.0, "must be a currency of the account"))
            }
            _ => Ok(()),
        }
    }

    /// Takes over what others made, unless it is known by its name at the venue.
    pub(crate) fn on_adopted(
        &mut self,
        instrument: InstrumentId,
        found: &Adopted,
    ) -> Result<(), KernelError> {
        let is_order = matches!(found.body, AdoptedBody::Order { .. });
        // A ticket is what its venue calls it: what closes it says that.
        let ticket =
            found.venue_order_id.as_deref().filter(|_| !is_order && self.books.ledger.is_hedged(instrument));
        let account = self.account_of(instrument);
        if is_order
            && found
                .venue_order_id
                .as_deref()
                .is_some_and(|name| self.books.heard.names().has_adopted(account, name))
        {
            return Ok(());
        }
        let intent = self.intent_of(instrument, found);
        let told = |body| Report { venue_time_ns: found.venue_time_ns, order_id: intent.order_id, body };
        let fill = fill_of_position(found).map(told);
        let fits = fill.and_then(|fill| fill_of(&intent, &fill));
        if fits.is_some_and(|fill| self.books.ledger.check_fill(&fill).is_err()) {
            self.note_surprise(instrument, OrderId(0), SurpriseKind::Impossible);
            return Ok(());
        }
        let reference_ticks = self.market(instrument)?.reference.map_or(0, |known| known.0);
        if self.open_order(&intent, reference_ticks).is_err() {
            // There is no room for one more open order, which changes nothing.
            self.note_surprise(instrument, OrderId(0), SurpriseKind::Impossible);
            return Ok(());
        }
        self.outgoing.last_order_id = intent.order_id.0;
        if is_order {
            self.books.heard.note_adopted(intent.order_id, account, found, &self.books.orders);
        }
        if let Some(name) = ticket {
            self.books.heard.note_name(intent.order_id, account, name, &self.books.orders);
        }
        for report in std::iter::once(told(ReportBody::Accepted)).chain(fill) {
            self.book_news(instrument, &report)?;
            self.follow_reports()?;
        }
        self.end_where_killed(intent.order_id);
        Ok(())
    }

    /// Makes the order that others made, as far as the venue says what it is: it waits without an end.
    fn intent_of(&self, instrument: InstrumentId, found: &Adopted) -> OrderIntent {
        let kind = match found.body {
            AdoptedBody::Order { price_ticks: Some(price_ticks) } => OrderKind::Limit { price_ticks },
            AdoptedBody::Order { price_ticks: None } | AdoptedBody::Position { .. } => OrderKind::Market,
        };
        OrderIntent {
            order_id: OrderId(self.outgoing.last_order_id.saturating_add(1)),
            strategy: found.strategy,
            instrument,
            side: found.side,
            kind,
            time_in_force: TimeInForce::Gtc,
            post_only: false,
            reduce_only: false,
            size: Size::Lots(found.lots),
            bracket: Bracket::default(),
            closes: None,
            time_ns: self.now_ns,
        }
    }
}

/// Returns a position as the fill by which it came; `None` for an order.
const fn fill_of_position(found: &Adopted) -> Option<ReportBody> {
    match found.body {
        AdoptedBody::Position { price_ticks, fee, fee_currency } => Some(ReportBody::Fill {
            price_ticks,
            lots: found.lots,
            liquidity: Liquidity::Taker,
            fee,
            fee_currency,
        }),
        AdoptedBody::Order { .. } => None,
    }
}
