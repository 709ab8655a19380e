//! What every strategy and the account have at stake, as sums that follow each change.

use tradecore_types::{Instrument, Side};

use crate::Stake;

/// What an amount counts as that does not fit: above any limit, and a sum of many still fits.
const UNCOUNTABLE: i128 = 1 << 110;

/// The exposure of one row in one instrument, in the currency in which the account reports, at the last mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Cell {
    stake: Stake,
    amounts: Amounts,
}

/// Amounts of money that are added up over instruments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Amounts {
    /// Worth of the position, signed, as profit counts it.
    pub(crate) held: i128,
    /// Size of the largest position the working orders could lead to, either way.
    pub(crate) gross: i128,
    /// Signed size of the position if every working buy order filled.
    pub(crate) long: i128,
    /// Signed size of the position if every working sell order filled.
    pub(crate) short: i128,
}

impl Amounts {
    /// Values a stake at a mark; nothing is known of its worth before the first.
    fn of(stake: Stake, instrument: &Instrument, mark_ticks: Option<i64>) -> Self {
        let Some(ticks) = mark_ticks.filter(|_| stake != Stake::default()) else { return Self::default() };
        if instrument.is_hedged() {
            return Self::of_both_sides(stake, instrument, ticks);
        }
        let worth = match stake.position_lots {
            0 => 0,
            lots => instrument.reported_value(ticks, lots).map_or(0, |money| money.0),
        };
        let (longest, shortest) = (stake.longest(), stake.shortest());
        let long = signed_notional(instrument, ticks, longest);
        let short = if longest == shortest { long } else { signed_notional(instrument, ticks, shortest) };
        Self {
            held: worth.clamp(-UNCOUNTABLE, UNCOUNTABLE),
            gross: long.saturating_abs().max(short.saturating_abs()),
            long,
            short,
        }
    }

    /// Values sides that do not meet: gross is both of them, long and short is what one is above the other.
    #[cold]
    fn of_both_sides(stake: Stake, instrument: &Instrument, mark_ticks: i64) -> Self {
        let net = stake.position_lots.saturating_add(stake.hedge_lots);
        let worth = instrument.reported_value(mark_ticks, net).map_or(0, |money| money.0);
        let (longest, shortest) =
            (stake.longest() + i128::from(stake.hedge_lots), stake.shortest() + i128::from(stake.hedge_lots));
        Self {
            held: worth.clamp(-UNCOUNTABLE, UNCOUNTABLE),
            gross: signed_notional(instrument, mark_ticks, stake.both_sides()),
            long: signed_notional(instrument, mark_ticks, longest),
            short: signed_notional(instrument, mark_ticks, shortest),
        }
    }

    /// Exchanges the part of one cell.
    fn exchange(&mut self, old: Self, new: Self) {
        let moved = |sum: i128, old: i128, new: i128| sum.saturating_add(new.saturating_sub(old));
        self.held = moved(self.held, old.held, new.held);
        self.gross = moved(self.gross, old.gross, new.gross);
        self.long = moved(self.long, old.long, new.long);
        self.short = moved(self.short, old.short, new.short);
    }
}

/// Returns the size in money of signed lots, with their sign.
fn signed_notional(instrument: &Instrument, mark_ticks: i64, lots: i128) -> i128 {
    if lots == 0 {
        return 0;
    }
    let size = i64::try_from(lots).ok().and_then(|lots| instrument.reported_notional(mark_ticks, lots));
    let size = size.map_or(UNCOUNTABLE, |money| money.0.min(UNCOUNTABLE));
    if lots < 0 { -size } else { size }
}

/// Stakes by instrument and row (the strategies, then the account), and their sums by row.
///
/// **Invariant:** a sum is that of its cells; a change of one cell takes the same time however many there are.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Exposures {
    rows: usize,
    cells: Vec<Cell>,
    sums: Vec<Amounts>,
}

impl Exposures {
    /// Makes room for these numbers of rows and instruments, all flat.
    pub(crate) fn new(rows: usize, instruments: usize) -> Self {
        Self {
            rows,
            cells: vec![Cell::default(); rows.saturating_mul(instruments)],
            sums: vec![Amounts::default(); rows],
        }
    }

    /// Returns the sums of a row.
    pub(crate) fn sums(&self, row: usize) -> Amounts {
        self.sums.get(row).copied().unwrap_or_default()
    }

    /// Sets the stake of a row in an instrument.
    pub(crate) fn set(&mut self, row: usize, instrument: &Instrument, mark_ticks: Option<i64>, stake: Stake) {
        let place = instrument.id.index().saturating_mul(self.rows).saturating_add(row);
        if let (Some(cell), Some(sums)) = (self.cells.get_mut(place), self.sums.get_mut(row)) {
            // What is valued already is valued at the last mark.
            if cell.stake == stake {
                return;
            }
            let amounts = Amounts::of(stake, instrument, mark_ticks);
            sums.exchange(cell.amounts, amounts);
            *cell = Cell { stake, amounts };
        }
    }

    /// Values every stake in an instrument anew; calls `changed` with the rows that have one.
    pub(crate) fn mark(&mut self, instrument: &Instrument, mark_ticks: i64, mut changed: impl FnMut(usize)) {
        let start = instrument.id.index().saturating_mul(self.rows);
        let Some(cells) = self.cells.get_mut(start..start.saturating_add(self.rows)) else { return };
        for (row, (cell, sums)) in cells.iter_mut().zip(&mut self.sums).enumerate() {
            if cell.stake != Stake::default() {
                let amounts = Amounts::of(cell.stake, instrument, Some(mark_ticks));
                sums.exchange(cell.amounts, amounts);
                cell.amounts = amounts;
                changed(row);
            }
        }
    }

    /// Returns the sums of a row as they would be with this stake and an order on top of it: gross, and net
    /// in the direction of the order.
    pub(crate) fn with_order(
        &self,
        row: usize,
        instrument: &Instrument,
        mark_ticks: i64,
        (side, lots): (Side, i64),
        stake: Stake,
    ) -> (i128, i128) {
        let place = instrument.id.index().saturating_mul(self.rows).saturating_add(row);
        let old = self.cells.get(place).map_or_else(Amounts::default, |cell| cell.amounts);
        let stake = stake.with_order(side, lots);
        let mut sums = self.sums(row);
        sums.exchange(old, Amounts::of(stake, instrument, Some(mark_ticks)));
        let net = match side {
            Side::Buy => sums.long,
            Side::Sell => sums.short.saturating_neg(),
        };
        // What cannot be counted is above every limit.
        let counted = |amount| if sums.gross < UNCOUNTABLE { amount } else { i128::MAX };
        (counted(sums.gross), counted(net))
    }
}

#[cfg(test)]
mod tests {
    use tradecore_types::{Decimal, InstrumentId, InstrumentKind, InstrumentSpec, Positions};

    use super::*;

    /// One lot at one tick is worth a hundredth.
    const TICK: i128 = 10_000_000_000_000_000;

    fn instrument(id: u16) -> Instrument {
        let decimal = |text| Decimal::parse("test", text).unwrap();
        let spec = InstrumentSpec {
            symbol: "TEST".into(),
            tick_size: decimal("0.01"),
            lot_size: decimal("1"),
            kind: InstrumentKind::Linear,
            multiplier: decimal("1"),
        };
        Instrument::new(InstrumentId(id.into()), spec).unwrap()
    }

    fn amounts(held: i128, gross: i128, long: i128, short: i128) -> Amounts {
        Amounts { held: held * TICK, gross: gross * TICK, long: long * TICK, short: short * TICK }
    }

    #[test]
    fn sums_follow_stakes_and_marks_of_every_instrument() {
        let (gold, salt) = (instrument(0), instrument(1));
        let mut exposures = Exposures::new(2, 2);
        let stake = Stake { position_lots: 5, hedge_lots: 0, working_buy_lots: 2, working_sell_lots: 9 };
        exposures.set(0, &gold, Some(100), stake);
        assert_eq!(exposures.sums(0), amounts(500, 700, 700, -400));
        exposures.set(0, &salt, Some(10), Stake { position_lots: -3, ..Stake::default() });
        assert_eq!(exposures.sums(0), amounts(470, 730, 670, -430));
        assert_eq!(exposures.sums(1), Amounts::default());

        let mut changed = Vec::new();
        exposures.mark(&gold, 200, |row| changed.push(row));
        assert_eq!((changed, exposures.sums(0)), (vec![0], amounts(970, 1_430, 1_370, -830)));
        exposures.set(0, &gold, Some(200), Stake::default());
        assert_eq!(exposures.sums(0), amounts(-30, 30, -30, -30));
    }

    #[test]
    fn an_order_is_added_to_what_is_at_stake() {
        let gold = instrument(0);
        let mut exposures = Exposures::new(1, 1);
        let stake = Stake { position_lots: 5, hedge_lots: 0, working_buy_lots: 2, working_sell_lots: 9 };
        exposures.set(0, &gold, Some(100), stake);
        let with = |side, lots| exposures.with_order(0, &gold, 100, (side, lots), stake);
        assert_eq!(with(Side::Buy, 3), (1_000 * TICK, 1_000 * TICK));
        assert_eq!(with(Side::Sell, 3), (700 * TICK, 700 * TICK));
        assert_eq!(with(Side::Sell, 4), (800 * TICK, 800 * TICK));
        assert_eq!(exposures.sums(0), amounts(500, 700, 700, -400));
    }

    #[test]
    fn sides_that_do_not_meet_are_both_at_stake() {
        let gold = instrument(0).with_positions(Positions::Hedging);
        let mut exposures = Exposures::new(1, 1);
        // Long seven and short three; two more may be bought, nine more sold.
        let stake = Stake::hedged(Side::Buy, (7, 3), (2, 9));
        exposures.set(0, &gold, Some(100), stake);
        assert_eq!(exposures.sums(0), amounts(400, 2_100, 600, -500));
        let of_sells = Stake::hedged(Side::Sell, (7, 3), (2, 9));
        let with = |side, stake| exposures.with_order(0, &gold, 100, (side, 1), stake);
        assert_eq!(with(Side::Buy, stake), (2_200 * TICK, 700 * TICK));
        assert_eq!(with(Side::Sell, of_sells), (2_200 * TICK, 600 * TICK));
        assert_eq!((stake.worst_position(Side::Buy, 1), of_sells.worst_position(Side::Sell, 1)), (10, 13));
    }

    #[test]
    fn what_cannot_be_counted_is_above_every_limit() {
        let gold = instrument(0);
        let exposures = Exposures::new(1, 1);
        let order = (Side::Sell, i64::MAX);
        assert_eq!(exposures.with_order(0, &gold, i64::MAX, order, Stake::default()), (i128::MAX, i128::MAX));
    }
}
