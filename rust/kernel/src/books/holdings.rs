//! What a strategy may ask about its own position: at what price it was entered, and what it is up.

use tradecore_types::{Instrument, InstrumentId, InstrumentKind, LotMethod, Money, StrategyId};

use crate::Kernel;

impl Kernel {
    /// Returns the average price at which a strategy's position was entered, what was closed left out; `None` when
    /// it is flat, and when it holds both sides: then each ticket has a price of its own.
    ///
    /// Of an inverse contract it is the harmonic mean: at that price the whole is worth what its parts cost.
    #[must_use]
    pub fn entry_price(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<f64> {
        let known = self.instrument(instrument)?;
        if self.books.ledger.is_hedged(instrument) {
            let legs = self.books.ledger.legs(strategy, instrument);
            if legs.long != 0 && legs.short != 0 {
                return None;
            }
        }
        if self.config.lots == LotMethod::Average {
            return self.average_price(known, strategy);
        }
        let (mut lots, mut sum) = (0.0, 0.0);
        for lot in self.books.ledger.open_lots(strategy, instrument) {
            let size = known.quantity(lot.lots.saturating_abs());
            let price = known.price(lot.entry_ticks);
            lots += size;
            sum += match known.spec.kind {
                InstrumentKind::Linear => size * price,
                InstrumentKind::Inverse => size / price,
            };
        }
        (lots > 0.0).then(|| match known.spec.kind {
            InstrumentKind::Linear => sum / lots,
            InstrumentKind::Inverse => lots / sum,
        })
    }

    /// Returns the price at which a strategy's position is worth what it cost; `None` when it is flat.
    fn average_price(&self, known: &Instrument, strategy: StrategyId) -> Option<f64> {
        let lots = self.books.ledger.position(strategy, known.id);
        let cost = self.books.ledger.cost(strategy, known.id).to_f64();
        let at_a_tick = known.value(1, lots).filter(|_| lots != 0)?.to_f64();
        Some(match known.spec.kind {
            InstrumentKind::Linear => known.price(1) * cost / at_a_tick,
            InstrumentKind::Inverse => known.price(1) * at_a_tick / cost,
        })
    }

    /// Returns the profit of a strategy's position at the last price, before fees; `None` without a price.
    #[must_use]
    pub fn unrealised_pnl(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<Money> {
        self.books.ledger.unrealised_of(strategy, instrument, self.mark(instrument)?)
    }
}
