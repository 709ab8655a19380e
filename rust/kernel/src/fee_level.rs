//! The fee tier of the account: its volume counted, the rates handed to the venues.

use tradecore_matching::FeeTiers;
use tradecore_types::{Instrument, Report, ReportBody, TimeNs};

use crate::Kernel;
use crate::market::Venue;

/// Counts a fill towards the tier.
pub(crate) fn note_volume(tiers: &mut FeeTiers, now_ns: TimeNs, instrument: &Instrument, report: &Report) {
    if let ReportBody::Fill { price_ticks, lots, .. } = report.body
        && let Some(notional) = instrument.notional(price_ticks, lots)
    {
        tiers.note(now_ns, notional);
    }
}

impl Kernel {
    /// Counts a fill towards the tier and hands out new rates, which hold from the next fill on.
    pub(crate) fn count_volume(&mut self, report: &Report, instrument: tradecore_types::InstrumentId) {
        let Some(tiers) = &mut self.fee_tiers else { return };
        if let Some(market) = self.markets.get(instrument.index()) {
            note_volume(tiers, self.now_ns, &market.instrument, report);
        }
        self.settle_fees();
    }

    /// Hands the rates of the tier to every venue when they are not those that hold.
    pub(crate) fn settle_fees(&mut self) {
        let Some(tiers) = &self.fee_tiers else { return };
        let rates = tiers.rates();
        self.account_due_ns = tiers.next_roll_ns();
        if rates == self.config.venue.fees {
            return;
        }
        self.config.venue.fees = rates;
        for market in &mut self.markets {
            match &mut market.venue {
                Venue::Bars(venue) => venue.set_fees(rates),
                Venue::Quotes(venue) | Venue::Book(venue) => venue.set_fees(rates),
                Venue::Exchange(venue) => venue.set_fees(rates),
            }
        }
    }

    /// Moves the time of the engine, and does what the account does at the end of a day.
    pub(crate) fn set_now(&mut self, time_ns: TimeNs) {
        self.now_ns = self.now_ns.max(time_ns);
        if self.now_ns >= self.account_due_ns {
            if let Some(tiers) = &mut self.fee_tiers {
                tiers.roll(self.now_ns);
            }
            self.settle_fees();
        }
    }
}
