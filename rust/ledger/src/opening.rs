//! The books of an account that does not begin with cash alone, and money that is of no position.

use tradecore_types::{CurrencyId, InstrumentId, Money, OpeningLot, StrategyId};

use crate::accounts::Accounts;
use crate::averaging::Shares;
use crate::flow_sums::Flows;
use crate::ledger::Total;
use crate::lots::OpenLot;
use crate::{Ledger, LedgerError};

impl Ledger {
    /// Opens the books anew with cash, open lots in the order they were opened, and what the owner had brought;
    /// without that, profit counts from now. To be called before the first fill.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] when an id is not in the tables, a lot has no size, lots of one position are long and short
    /// where positions are netted, or an amount does not fit; nothing is changed.
    pub fn open(
        &mut self,
        cash: Money,
        brought: Option<Money>,
        lots: &[OpeningLot],
    ) -> Result<(), LedgerError> {
        self.open_in_currencies(&[cash], brought, lots)
    }

    /// Opens the books anew with cash by currency, in the order of their numbers; a currency that is missing begins
    /// with nothing. What the owner had brought is that of the currency in which the account reports; in the others
    /// profit counts from now.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`].
    pub fn open_in_currencies(
        &mut self,
        cash: &[Money],
        brought: Option<Money>,
        lots: &[OpeningLot],
    ) -> Result<(), LedgerError> {
        let mut opened = self.clone();
        for lot in lots {
            let outside = LedgerError::OutOfTable { strategy: lot.strategy, instrument: lot.instrument };
            let currency = opened.settlement(lot.instrument).ok_or(outside)?;
            opened.within(currency, |ledger| ledger.open_lot(lot))?;
        }
        let balances: Vec<CurrencyId> = opened.balances().map(|balance| balance.currency).collect();
        for currency in balances {
            let amount = cash.get(currency.index()).copied().unwrap_or_default();
            let brought = brought.filter(|_| currency == CurrencyId::REPORTING);
            opened.within(currency, |ledger| ledger.open_balance(amount, brought))?;
        }
        debug_assert_eq!(opened.audit(), Ok(()));
        *self = opened;
        Ok(())
    }

    /// Opens the balance of the currency whose books are in place.
    fn open_balance(&mut self, cash: Money, brought: Option<Money>) -> Result<(), LedgerError> {
        let books = Accounts::carried(cash, self.cost, brought);
        self.accounts = books.ok_or(LedgerError::Overflow { what: "the sum of all accounts" })?;
        let carried = self.accounts.flows();
        if carried != 0 {
            self.flows_mut().adjusted = carried;
        }
        Ok(())
    }

    fn open_lot(&mut self, lot: &OpeningLot) -> Result<(), LedgerError> {
        let outside = LedgerError::OutOfTable { strategy: lot.strategy, instrument: lot.instrument };
        let overflow = LedgerError::Overflow { what: "an open lot" };
        let slot = self.slot(lot.strategy, lot.instrument).ok_or(outside)?;
        let is_hedged = self.is_hedged(lot.instrument);
        let index = lot.instrument.index();
        let (Some(holding), Some(total), Some(instrument)) =
            (self.holdings.get_mut(slot), self.totals.get_mut(index), self.instruments.get(index))
        else {
            return Err(outside);
        };
        if lot.lots == 0 || !is_hedged && holding.position.signum() == -lot.lots.signum() {
            return Err(LedgerError::NotPositive { lots: lot.lots });
        }
        let at_price = instrument.value(lot.entry_ticks, lot.lots).ok_or(overflow)?.0;
        // Lots that are not averaged cost what they were bought for.
        let share = lot.cost.filter(|_| self.lots.is_average());
        let value = share.map_or(at_price, |cost| cost.0);
        let sum = |known: i64| known.checked_add(lot.lots).filter(|&sum| sum != i64::MIN).ok_or(overflow);
        holding.position = sum(holding.position)?;
        *total =
            Total { position: sum(total.position)?, cost: total.cost.checked_add(value).ok_or(overflow)? };
        holding.cost = holding.cost.checked_add(value).ok_or(overflow)?;
        self.cost = self.cost.checked_add(value).ok_or(overflow)?;
        let size = i128::from(lot.lots);
        holding.lots += size;
        let traded = if size > 0 { &mut holding.bought } else { &mut holding.sold };
        *traded += size.abs();
        let open = OpenLot::new(lot.entry_order, lot.entry_time_ns, lot.entry_ticks, lot.lots);
        self.lots.push(&mut holding.queue, open.with_cost(value, lot.fee.0));
        if is_hedged {
            self.open_leg(slot, lot.instrument, lot.lots)?;
        }
        let is_held = self.is_held(index);
        self.note_held(index, is_held);
        Ok(())
    }

    /// Books money that the account gained or lost without a fill and for no position.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when it does not fit; nothing is changed.
    pub fn adjust(&mut self, currency: CurrencyId, amount: Money) -> Result<(), LedgerError> {
        self.within(currency, |ledger| {
            let accounts = ledger.accounts.received(amount)?;
            let overflow = LedgerError::Overflow { what: "the sum of adjustments" };
            let adjusted = ledger.flows.as_ref().map_or(0, |flows| flows.adjusted);
            ledger.flows_mut().adjusted = adjusted.checked_add(amount.0).ok_or(overflow)?;
            ledger.accounts = accounts;
            Ok(())
        })?;
        debug_assert_eq!(self.check(), Ok(()));
        Ok(())
    }

    /// Books money that the owner brought, or took when it is negative.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when it does not fit; nothing is changed.
    pub fn transfer(&mut self, currency: CurrencyId, amount: Money) -> Result<(), LedgerError> {
        self.within(currency, |ledger| {
            ledger.accounts = ledger.accounts.transferred(amount)?;
            Ok(())
        })?;
        debug_assert_eq!(self.check(), Ok(()));
        Ok(())
    }

    /// Checks that money can come to a currency, or go; nothing is changed.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Overflow`] when a balance would not fit.
    pub fn check_change(&self, currency: CurrencyId, amount: Money) -> Result<(), LedgerError> {
        let Some(accounts) = self.accounts_of(currency) else { return Ok(()) };
        accounts.transferred(amount).and_then(|_| accounts.received(amount)).map(|_| ())
    }

    pub(crate) fn flows_mut(&mut self) -> &mut Flows {
        let slots = self.holdings.len();
        self.flows.get_or_insert_with(|| Box::new(Flows::new(slots)))
    }

    /// Visits every open lot, position after position and each the oldest first, as an opening takes them.
    pub fn opening_lots(&self) -> impl Iterator<Item = OpeningLot> + '_ {
        let instruments = self.instruments.len().max(1);
        self.holdings.iter().enumerate().flat_map(move |(slot, holding)| {
            let strategy = u16::try_from(slot / instruments).unwrap_or(u16::MAX);
            let instrument = u32::try_from(slot % instruments).unwrap_or(u32::MAX);
            let mut shares = self.lots.is_average().then(|| Shares::of(holding.cost, holding.position));
            self.lots.iter(holding.queue).map(move |lot| OpeningLot {
                strategy: StrategyId(strategy),
                instrument: InstrumentId(instrument),
                entry_order: lot.entry_order,
                entry_time_ns: lot.entry_time_ns,
                entry_ticks: lot.entry_ticks,
                lots: lot.lots,
                fee: Money(lot.fee),
                cost: shares.as_mut().and_then(|shares| shares.next(lot.lots)).map(Money),
            })
        })
    }
}
