//! What positions are worth for their margin, kept so that an event costs only the position it concerns.

use tradecore_ledger::{HeldPosition, Ledger};
use tradecore_types::{AccountId, InstrumentId, Rate};

use crate::KernelError;
use crate::margin::{MarginMode, Margined, overflow, worth};

/// Everything that decides what a position contributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Basis {
    instrument: InstrumentId,
    mark_ticks: Option<i64>,
    lots: i64,
    margin_lots: i64,
    cost: i128,
    set_aside: i128,
    rate: Rate,
}

/// A position as it was looked at last.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Looked {
    basis: Basis,
    /// Unrealised profit, of a position for which the whole account stands.
    profit: i128,
    /// Maintenance margin of such a position.
    maintenance: i128,
}

/// Which positions may have changed since they were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Touched {
    #[default]
    Nothing,
    /// The price of one instrument.
    Price(InstrumentId),
    /// Anything.
    All,
}

/// The positions of an account with what they contribute, by rising instrument id.
///
/// **Invariant:** the sums are those of the rows, and a row follows from its basis alone: nothing here is state
/// that the ledger, the marks and the margin set aside do not have, and none of it decides anything else.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct MarginWatch {
    rows: Vec<Looked>,
    profit: i128,
    maintenance: i128,
    touched: Touched,
    /// Fills that the ledger had booked when all positions were looked at.
    fills: u64,
    /// Isolated positions that were looked at anew and whose margin may be used up.
    pub(crate) changed: Vec<InstrumentId>,
}

impl MarginWatch {
    /// Makes room for the positions of so many instruments.
    pub(crate) fn with_room(instruments: usize) -> Self {
        let (rows, changed) = (Vec::with_capacity(instruments), Vec::with_capacity(instruments));
        Self { rows, changed, ..Self::default() }
    }

    /// Returns the profit and the maintenance margin of all positions for which the whole account stands.
    pub(crate) const fn sums(&self) -> (i128, i128) {
        (self.profit, self.maintenance)
    }

    /// Notes that an instrument has another price.
    pub(crate) fn touch_price(&mut self, instrument: InstrumentId) {
        self.touched = match self.touched {
            Touched::Nothing => Touched::Price(instrument),
            Touched::Price(known) if known == instrument => self.touched,
            Touched::Price(_) | Touched::All => Touched::All,
        };
    }

    /// Notes that what is set aside has changed.
    pub(crate) const fn touch_all(&mut self) {
        self.touched = Touched::All;
    }

    /// Looks at every position of an account whose basis has changed: at the one whose price did, or at all after a fill or a
    /// change of margin. `rule_of` gives the rules and the price of an instrument.
    pub(crate) fn look<'a>(
        &mut self,
        (ledger, account): (&Ledger, AccountId),
        rule_of: impl Fn(InstrumentId) -> (Option<&'a Margined>, Option<i64>),
    ) -> Result<(), KernelError> {
        if self.fills != ledger.fills() {
            (self.fills, self.touched) = (ledger.fills(), Touched::All);
        }
        match std::mem::take(&mut self.touched) {
            Touched::Nothing => Ok(()),
            Touched::Price(id) => {
                let Ok(place) = self.rows.binary_search_by_key(&id, |row| row.basis.instrument) else {
                    return Ok(());
                };
                match ledger.held_position(id) {
                    Some(held) => self.look_at(place, &held, rule_of(id)),
                    None => Ok(()),
                }
            }
            Touched::All => self.look_at_all((ledger, account), rule_of),
        }
    }

    fn look_at_all<'a>(
        &mut self,
        (ledger, account): (&Ledger, AccountId),
        rule_of: impl Fn(InstrumentId) -> (Option<&'a Margined>, Option<i64>),
    ) -> Result<(), KernelError> {
        let mut place = 0;
        for held in ledger.held_positions_of(account) {
            let id = held.instrument.id;
            // Positions that are gone: those before the next one that is held.
            while self.rows.get(place).is_some_and(|row| row.basis.instrument < id) {
                self.drop_row(place);
            }
            self.look_at(place, &held, rule_of(id))?;
            place += 1;
        }
        while place < self.rows.len() {
            self.drop_row(place);
        }
        Ok(())
    }

    /// Looks at a position whose row is at this place, or is to be.
    fn look_at(
        &mut self,
        place: usize,
        held: &HeldPosition<'_>,
        (margined, mark_ticks): (Option<&Margined>, Option<i64>),
    ) -> Result<(), KernelError> {
        let instrument = held.instrument.id;
        let set_aside = margined.map_or(0, |known| known.set_aside);
        let HeldPosition { lots, margin_lots, cost, .. } = *held;
        let (cost, rate) = (cost.0, held.instrument.rate);
        let basis = Basis { instrument, mark_ticks, lots, margin_lots, cost, set_aside, rate };
        let known = self.rows.get(place).filter(|row| row.basis.instrument == instrument);
        let is_known = known.is_some();
        if known.is_some_and(|row| row.basis == basis) {
            return Ok(());
        }
        let row = self.counted(held, margined, basis)?;
        if is_known {
            self.replace_row(place, row);
        } else {
            self.rows.insert(place, row);
        }
        Ok(())
    }

    /// Makes the row of a position and adds what it contributes.
    fn counted(
        &mut self,
        held: &HeldPosition<'_>,
        margined: Option<&Margined>,
        basis: Basis,
    ) -> Result<Looked, KernelError> {
        let is_isolated = margined.is_some_and(|known| known.rule.mode == MarginMode::Isolated);
        if is_isolated {
            self.changed.push(basis.instrument);
        }
        let (profit, maintenance) = match basis.mark_ticks {
            Some(mark_ticks) if !is_isolated => contribution(held, margined, mark_ticks)?,
            _ => (0, 0),
        };
        self.profit = self.profit.checked_add(profit).ok_or_else(overflow)?;
        self.maintenance = self.maintenance.checked_add(maintenance).ok_or_else(overflow)?;
        Ok(Looked { basis, profit, maintenance })
    }

    /// Puts a row in the place of another, whose contribution is taken back.
    fn replace_row(&mut self, place: usize, row: Looked) {
        if let Some(known) = self.rows.get_mut(place) {
            let old = std::mem::replace(known, row);
            self.count_off(&old);
        }
    }

    fn drop_row(&mut self, place: usize) {
        let row = self.rows.remove(place);
        self.count_off(&row);
    }

    fn count_off(&mut self, row: &Looked) {
        self.profit -= row.profit;
        self.maintenance -= row.maintenance;
    }
}

/// Returns the unrealised profit of a position and the maintenance margin it needs at a price.
fn contribution(
    held: &HeldPosition<'_>,
    margined: Option<&Margined>,
    mark_ticks: i64,
) -> Result<(i128, i128), KernelError> {
    let value = held.instrument.value(mark_ticks, held.lots).ok_or_else(overflow)?;
    let profit = worth(held.instrument, value.0.checked_sub(held.cost.0))?;
    let Some(margined) = margined else { return Ok((profit, 0)) };
    let notional = held.instrument.notional(mark_ticks, held.margin_lots).ok_or_else(overflow)?;
    let maintenance = margined.rule.schedule.maintenance(notional).map(|money| money.0);
    Ok((profit, worth(held.instrument, maintenance)?))
}
