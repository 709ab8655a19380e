//! Positions, lots and money, moved by fills; money also by cash flows ([`crate::flows`]).

use std::sync::Arc;

use tradecore_types::{Instrument, InstrumentId, LotMethod, Money, OrderId, PaidPrice, Side, StrategyId};

use crate::accounts::{Accounts, Posting};
use crate::flow_sums::Flows;
use crate::hedges::Hedges;
use crate::lots::{Lots, NONE, Queue};
use crate::purse::Purse;
use crate::trade::ClosedTrades;
use crate::wire::Put;
use crate::{
    Applied, CashFlowColumns, ClosedTrade, FillInput, LedgerError, Lendable, OpenLot, Reduction, TradeColumns,
};

/// Open lots there is room for at the start: few are ever open at once, and a table that is mostly
/// empty costs a cache miss per fill.
const OPEN_LOTS_WARM: usize = 1_024;

/// Everything one (strategy, instrument) pair holds. The sums are kept apart from the lots on purpose:
/// they are two ways to know the same, and [`Ledger::check`] compares them.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Holding {
    pub(crate) queue: Queue,
    pub(crate) position: i64,
    pub(crate) bought: i128,
    pub(crate) sold: i128,
    pub(crate) lots: i128,
    pub(crate) cost: i128,
}

impl Holding {
    const fn new(slot: usize) -> Self {
        Self { queue: Queue::new(slot), position: 0, bought: 0, sold: 0, lots: 0, cost: 0 }
    }
}

/// Position and cost of one instrument over all strategies.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Total {
    pub(crate) position: i64,
    pub(crate) cost: i128,
}

impl Total {
    /// Tells whether there is anything to value: positions of two strategies that cancel out may differ in
    /// what they cost.
    pub(crate) const fn is_held(&self) -> bool {
        self.position != 0 || self.cost != 0
    }
}

/// A part of a lot that a fill is going to close.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cut {
    lot: usize,
    pub(crate) lots: i64,
    pub(crate) entry_value: i128,
    exit_value: i128,
    entry_fee: i128,
    exit_fee: i128,
}

/// What a fill is going to do: computed whole before anything changes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    slot: usize,
    /// Position of the strategy, and of all strategies, after the fill.
    position: i64,
    position_total: i64,
    /// What the cost of the position changes by.
    cost: i128,
    accounts: Accounts,
    opened_lots: i64,
    opened_value: i128,
    opened_fee: i128,
}

/// The ledger.
///
/// **Invariant:** after every fill the position is the sum of fills and the sum of lots, all accounts
/// sum to zero, and cash + inventory + fees is opening + realised + cash flows. A fill that does not fit changes nothing.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Ledger {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) totals: Vec<Total>,
    /// Instruments with lots to value, ascending: what valuations walk instead of all instruments.
    pub(crate) held: Vec<usize>,
    pub(crate) accounts: Accounts,
    pub(crate) lots: Lots,
    pub(crate) trades: ClosedTrades,
    /// Sum of the costs of all holdings, kept beside the inventory account.
    pub(crate) cost: i128,
    pub(crate) last_slot: usize,
    /// Money that came and went without a fill, once there was any.
    pub(crate) flows: Option<Box<Flows>>,
    /// The same one by one, in all currencies.
    pub(crate) rows: Lendable<CashFlowColumns>,
    /// The books in every other currency, by number; none where there is one currency.
    pub(crate) purses: Vec<Purse>,
    /// Whether some of them are those of another venue account.
    pub(crate) has_accounts: bool,
    /// What is held on both sides, where any instrument hedges.
    pub(crate) hedges: Option<Box<Hedges>>,
    pub(crate) fills: u64,
    pub(crate) cuts: Vec<Cut>,
    pub(crate) reductions: Vec<Reduction>,
}

impl Ledger {
    /// Opens the books: `strategies` and the instruments bound the ids of fills, `lots_capacity` is
    /// how many closed trades fit before memory grows (and open lots, up to 1,024).
    #[must_use]
    pub fn new(
        instruments: Vec<Instrument>,
        strategies: usize,
        opening: Money,
        lots_capacity: usize,
    ) -> Self {
        let slots = instruments.len().saturating_mul(strategies);
        Self {
            holdings: (0..slots).map(Holding::new).collect(),
            totals: vec![Total::default(); instruments.len()],
            held: Vec::with_capacity(instruments.len()),
            accounts: Accounts::new(opening),
            lots: Lots::with_capacity(lots_capacity.min(OPEN_LOTS_WARM)),
            trades: ClosedTrades::with_capacity(lots_capacity),
            cost: 0,
            last_slot: 0,
            flows: None,
            rows: Lendable::new(CashFlowColumns::default()),
            purses: Vec::new(),
            has_accounts: false,
            hedges: Hedges::of(&instruments, slots),
            fills: 0,
            cuts: Vec::with_capacity(lots_capacity.min(64)),
            reductions: Vec::with_capacity(lots_capacity.min(64)),
            instruments,
        }
    }

    /// Keeps so many of the newest closed trades and lets older ones go: an engine that runs for months must not grow
    /// with each of them. Sums, books and the canonical bytes are the same.
    #[must_use]
    pub const fn keeping_trades(mut self, newest: usize) -> Self {
        self.trades.keep(newest);
        self
    }

    /// Says which lots fills close; without it they do it first in, first out. To be called before the first fill.
    #[must_use]
    pub fn closing_by(mut self, method: LotMethod) -> Self {
        self.lots.close_by(method);
        self
    }

    /// Books a fill: closes lots by the method of the account (those of `closes` before all others) and opens
    /// a lot with the rest.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an id is not in the tables, the size is not above 0 or an amount does not
    /// fit; nothing is changed.
    pub fn apply_fill(&mut self, fill: &FillInput) -> Result<Applied<'_>, LedgerError> {
        if self.has_currencies() {
            let opened_lots = self.apply_in_currencies(fill)?;
            return Ok(Applied { reductions: &self.reductions, opened_lots });
        }
        let plan = self.plan(fill)?;
        self.commit(fill, &plan);
        debug_assert_eq!(self.check(), Ok(()));
        Ok(Applied { reductions: &self.reductions, opened_lots: plan.opened_lots })
    }

    /// Checks that a fill can be booked; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] as [`Ledger::apply_fill`] would return it.
    pub fn check_fill(&mut self, fill: &FillInput) -> Result<(), LedgerError> {
        if self.has_currencies() {
            return self.check_in_currencies(fill);
        }
        self.plan(fill).map(|_| ())
    }

    /// Returns the position of a strategy in an instrument, short is negative.
    #[must_use]
    pub fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> i64 {
        self.holding(strategy, instrument).map_or(0, |holding| holding.position)
    }

    /// Returns the position of all strategies in an instrument, short is negative.
    #[must_use]
    pub fn position_total(&self, instrument: InstrumentId) -> i64 {
        self.totals.get(instrument.index()).map_or(0, |total| total.position)
    }

    /// Returns what is left of everything an entry order opened for a strategy, short is negative.
    #[must_use]
    pub fn lots_of_entry(&self, strategy: StrategyId, instrument: InstrumentId, entry: OrderId) -> i64 {
        self.slot(strategy, instrument).map_or(0, |slot| self.lots.lots_of_entry(slot, entry))
    }

    /// Visits the open lots of a strategy in an instrument, oldest first.
    pub fn open_lots(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> impl Iterator<Item = &OpenLot> {
        self.holding(strategy, instrument).into_iter().flat_map(|holding| self.lots.iter(holding.queue))
    }

    /// Returns what a strategy paid on average for what is left of an entry order; `None` when nothing is.
    #[must_use]
    pub fn paid_price(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        entry: OrderId,
    ) -> Option<PaidPrice> {
        let lots = self.open_lots(strategy, instrument).filter(|lot| lot.entry_order == entry);
        sum_of(lots)
    }

    /// Returns the profit of a strategy's open lots at a price, before fees, in the settlement currency of the
    /// instrument; `None` when it does not fit.
    #[must_use]
    pub fn unrealised_of(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        price_ticks: i64,
    ) -> Option<Money> {
        let holding = self.holding(strategy, instrument)?;
        let known = self.instruments.get(instrument.index())?;
        let value = known.value(price_ticks, self.position(strategy, instrument))?;
        value.0.checked_sub(holding.cost).map(Money)
    }

    /// Visits the closed trades that are kept, in the order of their exits: all of them, unless they are bounded.
    pub fn trades(&self) -> impl Iterator<Item = ClosedTrade> + '_ {
        (0..self.trades.len()).map_while(|row| self.trades.get(row))
    }

    /// Returns a closed trade, 0 is the oldest that is kept.
    #[must_use]
    pub fn trade(&self, row: usize) -> Option<ClosedTrade> {
        self.trades.get(row)
    }

    /// Lends all closed trades as they are now; columns that nobody keeps are not copied. While they are kept,
    /// later trades come into one copy.
    pub fn lend_trades(&mut self) -> Arc<TradeColumns> {
        self.trades.lend()
    }

    /// Returns how many fills were booked.
    #[must_use]
    pub fn fills(&self) -> u64 {
        self.fills
    }

    /// Returns the slot of a pair of ids, or `None` when one is outside the tables.
    pub(crate) fn slot(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<usize> {
        let instruments = self.instruments.len();
        if instrument.index() >= instruments {
            return None;
        }
        let slot = strategy.index().checked_mul(instruments)?.checked_add(instrument.index())?;
        (slot < self.holdings.len()).then_some(slot)
    }

    pub(crate) fn holding(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<&Holding> {
        self.holdings.get(self.slot(strategy, instrument)?)
    }

    /// Computes everything the fill changes, without changing anything but the scratch of cuts.
    fn plan(&mut self, fill: &FillInput) -> Result<Plan, LedgerError> {
        let outside = LedgerError::OutOfTable { strategy: fill.strategy, instrument: fill.instrument };
        let slot = self.slot(fill.strategy, fill.instrument).ok_or(outside)?;
        if fill.lots <= 0 {
            return Err(LedgerError::NotPositive { lots: fill.lots });
        }
        let open = if self.is_hedged(fill.instrument) {
            self.cut_ticket(fill, slot)?
        } else {
            self.cut_lots(fill, slot)?
        };
        if self.lots.is_average() {
            self.average_cuts(slot)?;
        }
        let (Some(holding), Some(total), Some(instrument)) = (
            self.holdings.get(slot),
            self.totals.get(fill.instrument.index()),
            self.instruments.get(fill.instrument.index()),
        ) else {
            return Err(outside);
        };
        let opened_lots = open.lots * fill.side.sign();
        let opened_value = value(instrument, fill.price_ticks, opened_lots)?;
        let fee = if tradecore_types::is_planted("fee_not_booked") { Money::ZERO } else { fill.fee };
        let posting = self.posting(opened_value, fee)?;
        let cost = opened_value.checked_sub(posting.closed_cost).ok_or(overflow("cost"))?;
        for known in [self.cost, holding.cost, total.cost] {
            known.checked_add(cost).ok_or(overflow("cost"))?;
        }
        let (traded, what) = match fill.side {
            Side::Buy => (holding.bought, "lots bought"),
            Side::Sell => (holding.sold, "lots sold"),
        };
        traded.checked_add(i128::from(fill.lots)).ok_or(overflow(what))?;
        Ok(Plan {
            slot,
            position: moved(holding.position, fill)?,
            position_total: moved(total.position, fill)?,
            cost,
            accounts: self.accounts.posted(&posting)?,
            opened_lots,
            opened_value,
            opened_fee: open.fee,
        })
    }

    /// Collects the parts of lots the fill closes and returns what is left of it.
    fn cut_lots(&mut self, fill: &FillInput, slot: usize) -> Result<Rest, LedgerError> {
        self.cuts.clear();
        let mut rest = Rest { lots: fill.lots, fee: fill.fee.0 };
        let Some(&Holding { position, queue, .. }) = self.holdings.get(slot) else { return Ok(rest) };
        let closes = match fill.side {
            Side::Buy => position < 0,
            Side::Sell => position > 0,
        };
        if !closes {
            return Ok(rest);
        }
        if let Some(entry) = fill.closes {
            let mut index = self.lots.first_of_entry(slot, entry);
            while rest.lots > 0 && index != NONE {
                index = self.cut(fill, index, &mut rest)?.1;
            }
        }
        let mut index = queue.head;
        while rest.lots > 0 && index != NONE {
            let is_cut = self.lots.get(index).is_some_and(|lot| Some(lot.entry_order) == fill.closes);
            index = if is_cut {
                self.lots.get(index).map_or(NONE, |lot| lot.next)
            } else {
                self.cut(fill, index, &mut rest)?.0
            };
        }
        Ok(rest)
    }

    /// Does the same where positions hedge: there a fill closes lots of the ticket that it names, then what a trade that
    /// was busted has left on the other side of its own, and no others. So a ticket is on one side.
    #[cold]
    fn cut_ticket(&mut self, fill: &FillInput, slot: usize) -> Result<Rest, LedgerError> {
        self.cuts.clear();
        let mut rest = Rest { lots: fill.lots, fee: fill.fee.0 };
        let own = Some(fill.order_id).filter(|own| fill.closes != Some(*own));
        for ticket in fill.closes.into_iter().chain(own) {
            let mut index = self.first_to_close(slot, ticket, fill.side);
            while rest.lots > 0 && index != NONE {
                index = self.cut(fill, index, &mut rest)?.1;
            }
        }
        self.check_legs(fill.instrument, rest.lots * fill.side.sign())?;
        Ok(rest)
    }

    /// Plans to close one lot as far as the fill reaches; returns the next lot and the next of its entry.
    fn cut(
        &mut self,
        fill: &FillInput,
        index: usize,
        rest: &mut Rest,
    ) -> Result<(usize, usize), LedgerError> {
        let (Some(lot), Some(instrument)) =
            (self.lots.get(index), self.instruments.get(fill.instrument.index()))
        else {
            return Ok((NONE, NONE));
        };
        let held = Rest { lots: lot.lots.checked_abs().ok_or(overflow("a lot"))?, fee: lot.fee };
        let lots = held.lots.min(rest.lots);
        let signed = lots * lot.lots.signum();
        // The last part takes whatever rounding left, so that the parts sum to the whole.
        let entry_value = if lots == held.lots && !tradecore_types::is_planted("rounding_left_behind") {
            lot.value
        } else {
            value(instrument, lot.entry_ticks, signed)?
        };
        let exit_fee = rest.share(lots);
        self.cuts.push(Cut {
            lot: index,
            lots: signed,
            entry_value,
            exit_value: value(instrument, fill.price_ticks, signed)?,
            entry_fee: held.share(lots),
            exit_fee,
        });
        rest.lots -= lots;
        if !tradecore_types::is_planted("fee_share_counted_twice") {
            rest.fee -= exit_fee;
        }
        Ok((lot.next, lot.next_of_entry))
    }

    /// Sums the cuts into one transaction.
    fn posting(&self, opened: i128, fee: Money) -> Result<Posting, LedgerError> {
        let mut posting = Posting { opened, fee: fee.0, ..Posting::default() };
        for cut in &self.cuts {
            posting.closed_cost = posting.closed_cost.checked_add(cut.entry_value).ok_or(overflow("cost"))?;
            posting.closed_value =
                posting.closed_value.checked_add(cut.exit_value).ok_or(overflow("value"))?;
            cut.pnl().ok_or(overflow("profit"))?;
        }
        Ok(posting)
    }

    /// Makes the planned changes; nothing here can fail.
    fn commit(&mut self, fill: &FillInput, plan: &Plan) {
        self.reductions.clear();
        let (Some(holding), Some(total)) =
            (self.holdings.get_mut(plan.slot), self.totals.get_mut(fill.instrument.index()))
        else {
            return;
        };
        let mut closed = 0;
        for cut in &self.cuts {
            let Some(lot) = self.lots.get(cut.lot) else { continue };
            let entry_order = lot.entry_order;
            let entry_ticks = if self.lots.is_average() {
                cut.average_ticks(self.instruments.get(fill.instrument.index()), lot.entry_ticks)
            } else {
                lot.entry_ticks
            };
            self.trades.push(cut.closed_trade(fill, lot, entry_ticks));
            let left = self.lots.take(&mut holding.queue, cut.lot, cut.lots, cut.entry_value, cut.entry_fee);
            let (closed_lots, remaining_lots) = (cut.lots.saturating_abs(), left.saturating_abs());
            self.reductions.push(Reduction { entry_order, closed_lots, remaining_lots });
            closed += i128::from(cut.lots);
        }
        if plan.opened_lots != 0 {
            let lot = OpenLot::new(fill.order_id, fill.venue_time_ns, fill.price_ticks, plan.opened_lots);
            self.lots.push(&mut holding.queue, lot.with_cost(plan.opened_value, plan.opened_fee));
        }
        match fill.side {
            Side::Buy => holding.bought += i128::from(fill.lots),
            Side::Sell => holding.sold += i128::from(fill.lots),
        }
        holding.position = plan.position;
        holding.lots += i128::from(plan.opened_lots) - closed;
        holding.cost += plan.cost;
        let was_held = total.is_held();
        *total = Total { position: plan.position_total, cost: total.cost + plan.cost };
        let is_held = total.is_held();
        self.cost += plan.cost;
        self.accounts = plan.accounts;
        self.last_slot = plan.slot;
        self.fills += 1;
        if was_held != is_held {
            self.note_held(fill.instrument.index(), is_held);
        }
        if self.hedges.is_some() {
            self.move_legs(plan.slot, fill.instrument, plan.opened_lots);
        }
    }

    /// Keeps the list of held instruments: it has room for all of them from the start.
    pub(crate) fn note_held(&mut self, index: usize, is_held: bool) {
        match (self.held.binary_search(&index), is_held) {
            (Ok(place), false) => {
                self.held.remove(place);
            }
            (Err(place), true) => self.held.insert(place, index),
            _ => {}
        }
    }

    /// Appends everything that decides how later fills are booked, in a fixed order.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.accounts.write_state(out);
        self.fills.put(out);
        for holding in &self.holdings {
            holding.position.put(out);
            holding.bought.put(out);
            holding.sold.put(out);
            holding.cost.put(out);
            self.lots.write_state(holding.queue, out);
        }
        self.trades.write_state(out);
        if let Some(flows) = &self.flows {
            self.rows.get().len().put(out);
            flows.write_state(out);
        }
        if self.has_currencies() {
            self.write_purses(out);
        }
        self.write_tickets(out);
    }
}

/// What is left of a fill or a lot, with the fee that goes with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    pub(crate) lots: i64,
    pub(crate) fee: i128,
}

impl Rest {
    /// Returns the share of the fee of some of the lots, rounded towards zero; all lots take all of it.
    pub(crate) fn share(self, lots: i64) -> i128 {
        // The usual case, and a division of 128 bits costs more than all else here.
        if lots == self.lots || self.fee == 0 {
            return self.fee;
        }
        let (whole, part) = (i128::from(self.lots), i128::from(lots));
        // Quotient and remainder apart: fee * lots may not fit, these products do.
        self.fee / whole * part + self.fee % whole * part / whole
    }

    /// Returns some of the lots with their share of the fee, and the others with what is left of it.
    pub(crate) fn split(self, lots: i64) -> (Self, Self) {
        let fee = self.share(lots);
        (Self { lots, fee }, Self { lots: self.lots - lots, fee: self.fee - fee })
    }
}

impl Cut {
    /// Returns the profit after both shares of the fees, or `None` when it does not fit.
    pub(crate) fn pnl(&self) -> Option<i128> {
        self.exit_value.checked_sub(self.entry_value)?.checked_sub(self.commission()?)
    }

    fn commission(&self) -> Option<i128> {
        self.entry_fee.checked_add(self.exit_fee)
    }

    fn closed_trade(&self, fill: &FillInput, lot: &OpenLot, entry_ticks: i64) -> ClosedTrade {
        ClosedTrade {
            pnl: Money(self.pnl().unwrap_or_default()),
            commission: Money(self.commission().unwrap_or_default()),
            entry_time_ns: lot.entry_time_ns,
            exit_time_ns: fill.venue_time_ns,
            entry_order: lot.entry_order,
            exit_order: fill.order_id,
            entry_ticks,
            exit_ticks: fill.price_ticks,
            lots: self.lots.saturating_abs(),
            instrument: fill.instrument,
            strategy: fill.strategy,
            side: fill.side.opposite(),
        }
    }
}

/// Returns what lots cost on average; `None` when there are none.
fn sum_of<'a>(lots: impl Iterator<Item = &'a OpenLot>) -> Option<PaidPrice> {
    let mut paid = PaidPrice { tick_lots: 0, lots: 0 };
    for lot in lots {
        let size = lot.lots.saturating_abs();
        paid.lots = paid.lots.saturating_add(size);
        paid.tick_lots = paid.tick_lots.saturating_add(i128::from(lot.entry_ticks) * i128::from(size));
    }
    (paid.lots > 0).then_some(paid)
}

/// Returns a position after a fill.
fn moved(position: i64, fill: &FillInput) -> Result<i64, LedgerError> {
    let after = position.checked_add(fill.lots * fill.side.sign());
    // The most negative position has no opposite: it could not be closed by one fill.
    after.filter(|&after| after != i64::MIN).ok_or(overflow("position"))
}

pub(crate) fn value(instrument: &Instrument, price_ticks: i64, lots: i64) -> Result<i128, LedgerError> {
    if lots == 0 {
        return Ok(0);
    }
    instrument.value(price_ticks, lots).map(|money| money.0).ok_or(overflow("the value of a fill"))
}

pub(crate) const fn overflow(what: &'static str) -> LedgerError {
    LedgerError::Overflow { what }
}
