//! The checks: an intent goes in, an approved order or a refusal comes out.

use tradecore_types::{
    Decimal, ExitPrice, Instrument, LimitName, OrderIntent, OrderKind, Refusal, Rule, Side, Size,
    TimeInForce, TimeNs, ValueError,
};

use crate::measures::{notional, order_price, refusal};
use crate::price_drift::PriceDrift;
use crate::rate_window::RateWindow;
use crate::{Approval, ApprovedOrder, Exposure, Limits, Proposal, Reference, Scopes, Stake, Switches};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// Furthest that a price may be below another one, in parts per million of it.
const PPM_BELOW_MAX: i64 = 999_999;

/// Pre-trade checks of one instrument.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct InstrumentChecks {
    limits: Limits,
    rate: RateWindow,
    /// Followed only while the limit is on.
    drift: Option<Box<PriceDrift>>,
}

impl InstrumentChecks {
    /// Makes a checks with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            rate: RateWindow::new(limits.order_rate_max),
            drift: limits.price_drift_ppm.map(|_| Box::new(PriceDrift::new())),
            limits,
        }
    }

    /// Returns the limits that its orders are held against now.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Checks that a limit can be set to a value.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when an instrument has no such limit or the value is out of its range.
    pub fn check_change(
        &self,
        limit: LimitName,
        value: Option<Decimal>,
        lot_size: Decimal,
    ) -> Result<(), ValueError> {
        let mut limits = self.limits;
        limits.set(limit, value, lot_size)
    }

    /// Gives a limit a new value; what was counted is kept as far as the new limit needs it.
    ///
    /// # Errors
    ///
    /// As [`InstrumentChecks::check_change`]; nothing is changed then.
    pub fn set(
        &mut self,
        limit: LimitName,
        value: Option<Decimal>,
        lot_size: Decimal,
    ) -> Result<(), ValueError> {
        self.limits.set(limit, value, lot_size)?;
        match limit {
            LimitName::OrderRate => self.rate.resize(self.limits.order_rate_max),
            LimitName::PriceDrift if value.is_none() => self.drift = None,
            LimitName::PriceDrift => {
                self.drift.get_or_insert_with(|| Box::new(PriceDrift::new()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a new reference price.
    pub fn learn(&mut self, price_ticks: i64, now_ns: TimeNs) {
        if let Some(drift) = &mut self.drift {
            drift.learn(price_ticks, now_ns, self.limits.price_drift_window_ns);
        }
    }

    /// Judges a proposal by the limits of its instrument, then by those of its strategy and the account
    /// (`scopes`, absent while none is on).
    ///
    /// An order that only brings the position nearer to flat passes pause, halt and every limit but two:
    /// risk reduction is never trapped above a limit. The two are the distance of a limit price from the
    /// market, and the whole rate of messages, of which it may use the reserve too. It does not pass the kill
    /// latch, an invalid book or a missing or stale reference. One that passes only for that is approved as
    /// reduce-only, so that it ends with the position.
    ///
    /// # Errors
    ///
    /// [`Refusal`] names the first broken rule, its limit and the value.
    pub fn check<'i>(
        &self,
        proposal: &Proposal<'i, '_>,
        scopes: Option<&Scopes>,
    ) -> Result<Approval<'i>, Refusal> {
        let Proposal { intent, lots, exposure, .. } = *proposal;
        let reduces = exposure.own.is_closing(intent, lots);
        check_switches(proposal.switches, reduces)?;
        check_shape(intent, lots, reduces)?;
        let reference_ticks = self.check_reference(proposal.reference, intent.time_ns)?;
        let price_ticks = order_price(intent, reference_ticks);
        self.check_collar(intent, price_ticks, reference_ticks)?;
        if !reduces {
            self.check_adding(proposal, reference_ticks)?;
        }
        if let Some(scopes) = scopes {
            scopes.check(proposal, reference_ticks, reduces)?;
        }
        // What passes only because it closes must not open anything when something else closes first.
        let is_open = reduces && !intent.reduce_only;
        let is_bound = is_open && !self.may_add(proposal, reference_ticks, scopes);
        Ok(Approval::new(intent, is_bound))
    }

    /// Judges an order that may add to a position by the limits of the instrument.
    fn check_adding(&self, proposal: &Proposal<'_, '_>, reference_ticks: i64) -> Result<(), Refusal> {
        let Proposal { intent, lots, instrument, exposure, .. } = *proposal;
        self.check_drift(order_price(intent, reference_ticks), intent.time_ns)?;
        self.check_size(lots, intent.value_ticks(reference_ticks), instrument)?;
        self.check_exposure(intent.side, lots, exposure)?;
        self.check_rate(intent.time_ns)
    }

    /// Tells whether an order would pass if it were not one that only closes.
    fn may_add(&self, proposal: &Proposal<'_, '_>, reference_ticks: i64, scopes: Option<&Scopes>) -> bool {
        !proposal.switches.is_paused
            && !proposal.switches.is_unreconciled
            && self.check_adding(proposal, reference_ticks).is_ok()
            && scopes.is_none_or(|scopes| scopes.check(proposal, reference_ticks, false).is_ok())
    }

    /// Remembers an order or an amendment that passed every check.
    pub fn note(&mut self, approval: Approval<'_>, is_amendment: bool, scopes: Option<&mut Scopes>) {
        let intent = approval.intent();
        self.rate.record(intent.time_ns);
        if let (Some(scopes), false) = (scopes, is_amendment) {
            scopes.note_order(intent);
        }
    }

    /// Judges the size of an order that was approved as a share of buying power, now that it is known.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the size breaks a limit on quantity, notional, position or exposure.
    pub fn size(
        &self,
        order: &ApprovedOrder,
        proposal: &Proposal<'_, '_>,
        scopes: Option<&Scopes>,
    ) -> Result<ApprovedOrder, Refusal> {
        let Proposal { lots, instrument, exposure, .. } = *proposal;
        let sized = OrderIntent { size: Size::Lots(lots), ..*order.intent() };
        let side = sized.side;
        let price_ticks = proposal.reference.price_ticks.unwrap_or(0);
        if !exposure.own.is_closing(&sized, lots) {
            self.check_size(lots, price_ticks, instrument)?;
            self.check_exposure(side, lots, Exposure { open_orders: 0, ..exposure })?;
            if let Some(scopes) = scopes {
                scopes.check_sized(proposal, price_ticks)?;
            }
        }
        Ok(ApprovedOrder::new(sized))
    }

    /// Judges an exit of an entry that is still open: it can only close what the entry opens, so it passes
    /// every limit; it does not pass the kill latch.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when it makes no sense, is larger than the entry or could do anything but close it.
    pub fn check_exit(
        &self,
        entry: &OrderIntent,
        entry_lots: i64,
        exit: &OrderIntent,
        lots: i64,
        switches: Switches,
    ) -> Result<ApprovedOrder, Refusal> {
        check_switches(switches, true)?;
        check_shape(exit, lots, true)?;
        let approved = self.approve_exit(entry, *exit).filter(|_| lots <= entry_lots);
        approved.ok_or(refusal(Rule::ReduceOnly, i128::from(entry_lots), i128::from(lots)))
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
            Size::BuyingPowerPpm(_) => 0,
        };
        let held = Stake { position_lots, ..Stake::default() };
        if intent.reduce_only && lots > 0 && held.is_closing(intent, lots) {
            Ok(ApprovedOrder::new(*intent))
        } else {
            Err(refusal(Rule::ReduceOnly, i128::from(position_lots), i128::from(lots)))
        }
    }

    /// Appends the canonical bytes of the state that decides later checks.
    pub fn write_state(&self, out: &mut Vec<u8>) {
        self.limits.write_state(out);
        self.rate.write_state(out);
        if let Some(drift) = &self.drift {
            drift.write_state(out);
        }
    }

    fn check_reference(&self, reference: Reference, now_ns: TimeNs) -> Result<i64, Refusal> {
        if reference.is_book_invalid && !tradecore_types::is_planted("invalid_book_passes") {
            return Err(refusal(Rule::BookInvalid, 0, 1));
        }
        let ticks = reference.price_ticks.filter(|&ticks| ticks > 0);
        let ticks =
            if tradecore_types::is_planted("missing_price_passes") { ticks.or(Some(1)) } else { ticks };
        let Some(ticks) = ticks else { return Err(refusal(Rule::ReferenceMissing, 1, 0)) };
        if let Some(age_max) = self.limits.reference_age_ns_max {
            let age = i128::from(now_ns) - i128::from(reference.time_ns);
            if age > i128::from(age_max) && !tradecore_types::is_planted("stale_price_passes") {
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
        check_distance(Rule::PriceCollar, collar, price_ticks, reference_ticks)
    }

    /// Checks a price, of a market order that of the market itself, against where the window began.
    fn check_drift(&self, price_ticks: i64, now_ns: TimeNs) -> Result<(), Refusal> {
        let (Some(drift), Some(max)) = (&self.drift, self.limits.price_drift_ppm) else { return Ok(()) };
        match drift.base_ticks(now_ns, self.limits.price_drift_window_ns) {
            Some(base_ticks) => check_distance(Rule::PriceDrift, max, price_ticks, base_ticks),
            None => Err(refusal(Rule::ReferenceMissing, 1, 0)),
        }
    }

    fn check_size(&self, lots: i64, price_ticks: i64, instrument: &Instrument) -> Result<(), Refusal> {
        let spare = i64::from(tradecore_types::is_planted("quantity_off_by_one"));
        if let Some(max) = self.limits.quantity_lots_max.filter(|&max| lots - spare > max) {
            return Err(refusal(Rule::QuantityMax, i128::from(max), i128::from(lots)));
        }
        let Some(max) = self.limits.notional_max else { return Ok(()) };
        let value = notional(instrument, price_ticks, lots);
        if value - i128::from(tradecore_types::is_planted("value_off_by_one")) > max.0 {
            return Err(refusal(Rule::NotionalMax, max.0, value));
        }
        Ok(())
    }

    fn check_exposure(&self, side: Side, lots: i64, exposure: Exposure) -> Result<(), Refusal> {
        if let Some(max) = self.limits.position_lots_max {
            let worst = exposure.account.worst_position(side, lots);
            let spare = i128::from(tradecore_types::is_planted("position_off_by_one"));
            if worst - spare > i128::from(max) {
                return Err(refusal(Rule::PositionMax, i128::from(max), worst));
            }
        }
        match self.limits.open_orders_max {
            Some(max)
                if exposure.open_orders >= max && !tradecore_types::is_planted("open_orders_not_counted") =>
            {
                Err(refusal(Rule::OpenOrdersMax, i128::from(max), i128::from(exposure.open_orders) + 1))
            }
            _ => Ok(()),
        }
    }

    fn check_rate(&self, now_ns: TimeNs) -> Result<(), Refusal> {
        match self.limits.order_rate_max {
            Some(max) if !self.rate.has_room(max, now_ns, self.limits.order_rate_window_ns) => {
                Err(refusal(Rule::OrderRateMax, i128::from(max), i128::from(max) + 1))
            }
            _ => Ok(()),
        }
    }
}

/// Checks the distance of a price from a base above 0, in parts per million of the base.
fn check_distance(rule: Rule, max_ppm: i64, price_ticks: i64, base_ticks: i64) -> Result<(), Refusal> {
    let (base, max) = (i128::from(base_ticks), i128::from(max_ppm));
    let distance = (i128::from(price_ticks) - base).abs() * PPM;
    // Compared without division, so that a distance a hair above the limit is not rounded onto it.
    let is_drift = rule == Rule::PriceDrift;
    let is_off = (is_drift && tradecore_types::is_planted("drift_not_checked"))
        || (!is_drift && tradecore_types::is_planted("collar_not_checked"));
    if distance > max * base && !is_off {
        return Err(refusal(rule, max, distance / base));
    }
    Ok(())
}

fn check_switches(switches: Switches, reduces: bool) -> Result<(), Refusal> {
    if switches.is_killed && !tradecore_types::is_planted("kill_latch_ignored") {
        return Err(refusal(Rule::KillLatch, 0, 1));
    }
    if switches.is_paused && !reduces {
        return Err(refusal(Rule::Paused, 0, 1));
    }
    if switches.is_unreconciled && !reduces && !tradecore_types::is_planted("unreconciled_ignored") {
        return Err(refusal(Rule::Unreconciled, 0, 1));
    }
    Ok(())
}

/// Returns an exit price of a bracket that makes no sense, with the price that bounds it: a stop-loss must be
/// on the losing side of the take-profit.
fn bad_exit(intent: &OrderIntent) -> Option<(i64, i64)> {
    let exits = intent.bracket;
    if exits.is_empty() {
        return None;
    }
    // An exit below what was paid cannot be the whole of it away.
    let (stop_is_below, take_is_below) = (intent.side == Side::Buy, intent.side == Side::Sell);
    let bad = exits.stop_loss.and_then(|exit| bad_number(exit, stop_is_below));
    let bad = bad.or_else(|| exits.take_profit.and_then(|exit| bad_number(exit, take_is_below)));
    if bad.is_some() {
        return bad;
    }
    let ticks = |exit: Option<ExitPrice>| exit.and_then(ExitPrice::ticks);
    let (stop, take) = ticks(exits.stop_loss).zip(ticks(exits.take_profit))?;
    let is_crossed = match intent.side {
        Side::Buy => stop >= take,
        Side::Sell => stop <= take,
    };
    is_crossed.then_some((stop, take))
}

/// Returns the number of an exit that makes no sense, with the number that bounds it.
const fn bad_number(exit: ExitPrice, is_below: bool) -> Option<(i64, i64)> {
    match exit {
        ExitPrice::Ticks(number) | ExitPrice::Ppm(number) if number <= 0 => Some((number, 1)),
        ExitPrice::Ppm(ppm) if is_below && ppm > PPM_BELOW_MAX => Some((ppm, PPM_BELOW_MAX)),
        _ => None,
    }
}

fn check_shape(intent: &OrderIntent, lots: i64, reduces: bool) -> Result<(), Refusal> {
    if lots <= 0 {
        return Err(refusal(Rule::InvalidOrder, 1, i128::from(lots)));
    }
    if let Some((value, limit)) = intent.kind.too_small() {
        return Err(refusal(Rule::InvalidOrder, i128::from(limit), i128::from(value)));
    }
    if let OrderKind::TrailingPercent { offset_ppm, .. } = intent.kind
        && offset_ppm > PPM_BELOW_MAX
    {
        return Err(refusal(Rule::InvalidOrder, i128::from(PPM_BELOW_MAX), i128::from(offset_ppm)));
    }
    if let Some((value, limit)) = bad_exit(intent) {
        return Err(refusal(Rule::InvalidOrder, i128::from(limit), i128::from(value)));
    }
    if let Some(expire_ns) = intent.time_in_force.expire_ns().filter(|at_ns| *at_ns <= intent.time_ns) {
        let (expire, now) = (i128::from(expire_ns), i128::from(intent.time_ns));
        return Err(match intent.time_in_force {
            TimeInForce::Day { .. } => refusal(Rule::NoSession, expire, now),
            _ => refusal(Rule::InvalidOrder, now, expire),
        });
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
    if intent.reduce_only && !reduces && !tradecore_types::is_planted("reduce_only_may_turn") {
        return Err(refusal(Rule::ReduceOnly, 0, i128::from(lots)));
    }
    Ok(())
}
