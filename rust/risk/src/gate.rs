//! The gate: an intent goes in, an approved order or a refusal comes out.

use tradecore_types::{Instrument, OrderIntent, OrderKind, Refusal, Rule, Side, Size, TimeNs};

use crate::order_rate::OrderRate;
use crate::{ApprovedOrder, Limits};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// What the engine knows about prices when an order is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Reference price, `None` before the first one.
    pub price_ticks: Option<i64>,
    /// When it was learned.
    pub time_ns: TimeNs,
    /// Whether the book of the instrument is known to be wrong.
    pub is_book_invalid: bool,
}

/// A position and the orders that may change it, in lots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// Position, short is negative.
    pub position_lots: i64,
    /// Open buy orders, pending ones included.
    pub working_buy_lots: i64,
    /// Open sell orders, pending ones included.
    pub working_sell_lots: i64,
}

/// What is at stake in an instrument already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Of the whole account: what the limits are about.
    pub account: Stake,
    /// Of the strategy alone: what decides whether its order only closes.
    pub own: Stake,
    /// Open orders of the account.
    pub open_orders: u32,
}

/// Pre-trade checks of one instrument.
#[derive(Clone, Debug)]
pub struct Gate {
    limits: Limits,
    rate: OrderRate,
}

impl Gate {
    /// Makes a gate with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, rate: OrderRate::new(limits.order_rate_max.unwrap_or(0)) }
    }

    /// Judges an intent; `lots` is its size, or an estimate while it is a share of equity.
    ///
    /// An order that only brings the position nearer to flat passes a pause and the limits on
    /// position and notional: risk reduction is never trapped above a limit. It does not pass the
    /// kill latch, an invalid book or a missing or stale reference.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names the first broken rule, its limit and the value.
    pub fn check(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        instrument: &Instrument,
        reference: Reference,
        exposure: Exposure,
        switches: Switches,
    ) -> Result<ApprovedOrder, Refusal> {
        let reduces = reduces_only(intent.side, lots, exposure.own);
        check_switches(switches, reduces)?;
        check_shape(intent, lots, reduces)?;
        let reference_ticks = self.check_reference(reference, intent.time_ns)?;
        let price_ticks = intent.kind.price_ticks().unwrap_or(reference_ticks);
        self.check_collar(intent, price_ticks, reference_ticks)?;
        self.check_size(lots, price_ticks, instrument, reduces)?;
        self.check_exposure(intent.side, lots, exposure, reduces)?;
        self.check_rate(intent.time_ns)?;
        self.rate.record(intent.time_ns);
        Ok(ApprovedOrder::new(*intent))
    }

    /// Judges the size of an order that was approved as a share of equity, now that it is known.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the size breaks the quantity, notional or position limit.
    pub fn size(
        &self,
        order: &ApprovedOrder,
        lots: i64,
        price_ticks: i64,
        instrument: &Instrument,
        exposure: Exposure,
    ) -> Result<ApprovedOrder, Refusal> {
        let side = order.intent().side;
        let reduces = reduces_only(side, lots, exposure.own);
        self.check_size(lots, price_ticks, instrument, reduces)?;
        self.check_exposure(side, lots, Exposure { open_orders: 0, ..exposure }, reduces)?;
        Ok(ApprovedOrder::new(OrderIntent { size: Size::Lots(lots), ..*order.intent() }))
    }

    /// Approves an exit of an entry: it can only close what the entry opened.
    #[must_use]
    pub fn approve_exit(&self, entry: &OrderIntent, exit: OrderIntent) -> Option<ApprovedOrder> {
        let is_exit = exit.reduce_only
            && exit.closes == Some(entry.order_id)
            && exit.side == entry.side.opposite()
            && exit.instrument == entry.instrument
            && exit.strategy == entry.strategy;
        is_exit.then(|| ApprovedOrder::new(exit))
    }

    /// Approves a market order that closes a whole position on an operator's order, whatever the limits.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when it would not bring the position nearer to flat.
    pub fn approve_flatten(
        &self,
        intent: &OrderIntent,
        position_lots: i64,
    ) -> Result<ApprovedOrder, Refusal> {
        let lots = match intent.size {
            Size::Lots(lots) => lots,
            Size::EquityPpm(_) => 0,
        };
        let held = Stake { position_lots, ..Stake::default() };
        if intent.reduce_only && lots > 0 && reduces_only(intent.side, lots, held) {
            Ok(ApprovedOrder::new(*intent))
        } else {
            Err(refusal(Rule::ReduceOnly, i128::from(position_lots), i128::from(lots)))
        }
    }

    /// Appends the canonical bytes of the state that decides later checks.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.rate.write_state(out);
    }

    fn check_reference(&self, reference: Reference, now_ns: TimeNs) -> Result<i64, Refusal> {
        if reference.is_book_invalid {
            return Err(refusal(Rule::BookInvalid, 0, 1));
        }
        let ticks = reference.price_ticks.filter(|&ticks| ticks > 0);
        let Some(ticks) = ticks else { return Err(refusal(Rule::ReferenceMissing, 1, 0)) };
        if let Some(age_max) = self.limits.reference_age_ns_max {
            let age = i128::from(now_ns) - i128::from(reference.time_ns);
            if age > i128::from(age_max) {
                return Err(refusal(Rule::ReferenceStale, i128::from(age_max), age));
            }
        }
        Ok(ticks)
    }

    fn check_collar(
        &self,
        intent: &OrderIntent,
        price_ticks: i64,
        reference_ticks: i64,
    ) -> Result<(), Refusal> {
        let (Some(collar), Some(_)) = (self.limits.price_collar_ppm, intent.kind.price_ticks()) else {
            return Ok(());
        };
        let distance = (i128::from(price_ticks) - i128::from(reference_ticks)).abs();
        let ppm = distance * PPM / i128::from(reference_ticks);
        // Compared without division, so that a distance a hair above the collar is not rounded onto it.
        if distance * PPM > i128::from(collar) * i128::from(reference_ticks) {
            return Err(refusal(Rule::PriceCollar, i128::from(collar), ppm));
        }
        Ok(())
    }

    fn check_size(
        &self,
        lots: i64,
        price_ticks: i64,
        instrument: &Instrument,
        reduces: bool,
    ) -> Result<(), Refusal> {
        if let Some(max) = self.limits.quantity_lots_max.filter(|&max| lots > max) {
            return Err(refusal(Rule::QuantityMax, i128::from(max), i128::from(lots)));
        }
        let Some(max) = self.limits.notional_max else { return Ok(()) };
        // A value that overflows is above every limit.
        let notional = instrument.notional(price_ticks, lots).map_or(i128::MAX, |money| money.0);
        if notional > max.0 && !reduces {
            return Err(refusal(Rule::NotionalMax, max.0, notional));
        }
        Ok(())
    }

    fn check_exposure(
        &self,
        side: Side,
        lots: i64,
        exposure: Exposure,
        reduces: bool,
    ) -> Result<(), Refusal> {
        if let Some(max) = self.limits.position_lots_max {
            let worst = worst_position(side, lots, exposure.account);
            if worst > i128::from(max) && !reduces {
                return Err(refusal(Rule::PositionMax, i128::from(max), worst));
            }
        }
        match self.limits.open_orders_max {
            Some(max) if exposure.open_orders >= max => {
                Err(refusal(Rule::OpenOrdersMax, i128::from(max), i128::from(exposure.open_orders) + 1))
            }
            _ => Ok(()),
        }
    }

    fn check_rate(&self, now_ns: TimeNs) -> Result<(), Refusal> {
        match self.limits.order_rate_max {
            Some(max) if !self.rate.has_room(now_ns, self.limits.order_rate_window_ns) => {
                Err(refusal(Rule::OrderRateMax, i128::from(max), i128::from(max) + 1))
            }
            _ => Ok(()),
        }
    }
}

/// The operator's switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// The kill switch is engaged.
    pub is_killed: bool,
    /// Trading is paused.
    pub is_paused: bool,
}

fn refusal(rule: Rule, limit: i128, value: i128) -> Refusal {
    Refusal { rule, limit, value }
}

fn check_switches(switches: Switches, reduces: bool) -> Result<(), Refusal> {
    if switches.is_killed {
        return Err(refusal(Rule::KillLatch, 0, 1));
    }
    if switches.is_paused && !reduces {
        return Err(refusal(Rule::Paused, 0, 1));
    }
    Ok(())
}

fn check_shape(intent: &OrderIntent, lots: i64, reduces: bool) -> Result<(), Refusal> {
    if lots <= 0 {
        return Err(refusal(Rule::InvalidOrder, 1, i128::from(lots)));
    }
    if let Some((value, limit)) = intent.kind.too_small() {
        return Err(refusal(Rule::InvalidOrder, i128::from(limit), i128::from(value)));
    }
    if let Some(expire_ns) = intent.time_in_force.expire_ns().filter(|at_ns| *at_ns <= intent.time_ns) {
        return Err(refusal(Rule::InvalidOrder, i128::from(intent.time_ns), i128::from(expire_ns)));
    }
    let waits = intent.time_in_force.may_wait();
    let (may_post, must_wait) = match intent.kind {
        OrderKind::Iceberg { display_lots, .. } if display_lots > lots => {
            return Err(refusal(Rule::InvalidOrder, i128::from(lots), i128::from(display_lots)));
        }
        OrderKind::Iceberg { .. } => (true, true),
        OrderKind::MarketToLimit => (false, true),
        kind => (matches!(kind, OrderKind::Limit { .. }), false),
    };
    if (intent.post_only && !(may_post && waits)) || (must_wait && !waits) {
        return Err(refusal(Rule::InvalidOrder, 0, 1));
    }
    if intent.reduce_only && !reduces {
        return Err(refusal(Rule::ReduceOnly, 0, i128::from(lots)));
    }
    Ok(())
}

/// Tells whether an order, filled whole after every working order on its side, still only closes.
fn reduces_only(side: Side, lots: i64, own: Stake) -> bool {
    let (closable, working) = match side {
        Side::Buy => (-i128::from(own.position_lots), own.working_buy_lots),
        Side::Sell => (i128::from(own.position_lots), own.working_sell_lots),
    };
    i128::from(lots) + i128::from(working) <= closable
}

/// Returns the largest position the account could end with on the side of an order.
fn worst_position(side: Side, lots: i64, stake: Stake) -> i128 {
    let working = match side {
        Side::Buy => stake.working_buy_lots,
        Side::Sell => stake.working_sell_lots,
    };
    let position = i128::from(stake.position_lots) * i128::from(side.sign());
    position + i128::from(working) + i128::from(lots)
}
