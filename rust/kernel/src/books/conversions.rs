//! What the currencies of an account are worth in the one in which it reports.
//!
//! **Invariant:** there is one rate for each currency, and the ledger, the limits, the margin and every instrument know
//! the same one. A currency without a price is worth nothing, and adds no risk until it has one.

use tradecore_ledger::Ledger;
use tradecore_types::{CurrencyId, InstrumentId, InstrumentKind, Money, Rate};

use crate::currency_config::{Conversion, CurrencyConfig};

/// The currencies of an account that has several.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Conversions {
    /// By number, from 1 on.
    ways: Vec<Conversion>,
    /// What the owner has brought, in the reporting currency: each amount at the price of its time.
    pub(crate) brought: i128,
    /// What was brought of a currency that had no price yet, by number from 1 on.
    pub(crate) unpriced: Vec<i128>,
}

impl Conversions {
    /// Makes the conversions of the currencies beside the reporting one, of which the account begins with this cash;
    /// `None` where there are none.
    pub(crate) fn of(cash: Money, currencies: &[CurrencyConfig]) -> Option<Box<Self>> {
        let ways: Vec<Conversion> = currencies.iter().map(|currency| currency.conversion).collect();
        let unpriced = currencies.iter().map(|currency| currency.cash.0).collect();
        (!ways.is_empty()).then(|| Box::new(Self { ways, brought: cash.0, unpriced }))
    }

    /// Tells whether the mark of an instrument converts a currency.
    pub(crate) fn is_converter(&self, instrument: InstrumentId) -> bool {
        self.ways.contains(&Conversion::Mark(instrument))
    }

    /// Notes money that the owner brought, or took when it is negative; returns what it is worth.
    pub(crate) fn note_brought(&mut self, currency: CurrencyId, amount: Money, rate: Rate) -> Money {
        let worth = rate.worth(amount).unwrap_or_default();
        self.brought = self.brought.saturating_add(worth.0);
        let index = currency.index().checked_sub(1).filter(|_| !rate.is_known());
        if let Some(waiting) = index.and_then(|index| self.unpriced.get_mut(index)) {
            *waiting = waiting.saturating_add(amount.0);
        }
        worth
    }

    /// Returns the rate of a currency at these marks.
    pub(crate) fn rate(&self, currency: CurrencyId, ledger: &Ledger, marks: &[Option<i64>]) -> Rate {
        self.rate_within(currency, (ledger, marks), self.ways.len())
    }

    /// Follows at most so many steps from one currency to the next, so that it ends.
    fn rate_within(&self, currency: CurrencyId, known: (&Ledger, &[Option<i64>]), steps: usize) -> Rate {
        let Some(index) = currency.index().checked_sub(1) else { return Rate::One };
        let Some(way) = self.ways.get(index).filter(|_| steps > 0) else { return Rate::Missing };
        match *way {
            Conversion::Constant(price) => Rate::of_price(i128::from(price.mantissa), price.decimals),
            Conversion::Mark(id) => {
                let found = known.0.instrument(id).zip(known.1.get(id.index()).copied().flatten());
                let Some((instrument, mark_ticks)) = found else { return Rate::Missing };
                let tick = instrument.spec.tick_size;
                let price = i128::from(mark_ticks).saturating_mul(i128::from(tick.mantissa));
                let quoted = match instrument.spec.kind {
                    InstrumentKind::Linear => instrument.currencies.settlement,
                    InstrumentKind::Inverse => CurrencyId::REPORTING,
                };
                Rate::of_price(price, tick.decimals).through(self.rate_within(quoted, known, steps - 1))
            }
        }
    }
}
