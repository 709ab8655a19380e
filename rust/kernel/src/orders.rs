//! The way out: from a strategy's wish to the venue.

use tradecore_journal::Gate as TracedGate;
use tradecore_ledger::{OpenOrder, OrderEvent, OrderState};
use tradecore_risk::{ApprovedOrder, Exposure, Stake};
use tradecore_types::{
    Bracket, CancelReason, InstrumentId, OrderId, OrderIntent, OrderKind, Refusal, Report, ReportBody, Rule,
    Side, Size, StrategyId, TimeInForce,
};

use crate::buying_power;
use crate::kernel::ENTRIES_MAX;
use crate::market::{Market, Venue};
use crate::schedule::{Delivery, Request};
use crate::{Destination, Kernel, KernelError};

/// What a strategy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderRequest {
    /// Instrument to trade.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Market, limit or stop.
    pub kind: OrderKind,
    /// How long it may wait.
    pub time_in_force: TimeInForce,
    /// Refuse rather than take liquidity.
    pub post_only: bool,
    /// May only bring the strategy's position nearer to flat.
    pub reduce_only: bool,
    /// How large.
    pub size: Size,
    /// Exits to arm on fill.
    pub bracket: Bracket,
}

/// The answer to a wish to trade, at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Risk approved it and it is on its way.
    Approved(OrderId),
    /// Risk refused it.
    Refused(Refusal),
}

impl Kernel {
    /// Puts a wish to trade before risk and sends it on its way if it is approved.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn submit(&mut self, strategy: StrategyId, request: &OrderRequest) -> Result<Verdict, KernelError> {
        let order_id = self.next_order_id();
        let market = self.market(request.instrument)?;
        let reference_ticks = market.reference.map_or(0, |known| known.0);
        let is_sized_at_fill = matches!(market.venue, Venue::Bars(_)) && request.kind == OrderKind::Market;
        let (size, lots) = match request.size {
            Size::Lots(lots) => (request.size, lots),
            Size::EquityPpm(ppm) => {
                let lots = self.affordable_lots(market, ppm, reference_ticks)?;
                // The size of an order that fills later is only estimated here; risk judges it again then.
                if is_sized_at_fill { (request.size, lots.max(1)) } else { (Size::Lots(lots), lots) }
            }
        };
        let intent = OrderIntent {
            order_id,
            strategy,
            instrument: request.instrument,
            side: request.side,
            kind: request.kind,
            time_in_force: request.time_in_force,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            size,
            bracket: request.bracket,
            closes: None,
            time_ns: self.now_ns,
        };
        self.judge_and_send(&intent, lots)
    }

    /// Closes a strategy's position with market orders; `None` when it is flat.
    ///
    /// Against bars every entry gets a closing order of its own, so that its exits go with it; the
    /// verdict is that of the last one, or the first refusal.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn close(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Result<Option<Verdict>, KernelError> {
        let mut verdict = None;
        for (position_lots, entry) in self.closing_parts(strategy, instrument)? {
            let order_id = self.next_order_id();
            let intent =
                OrderIntent::closing(order_id, strategy, instrument, position_lots, entry, self.now_ns);
            let answer = self.judge_and_send(&intent, position_lots.saturating_abs())?;
            verdict = Some(answer);
            if matches!(answer, Verdict::Refused(_)) {
                break;
            }
        }
        Ok(verdict)
    }

    /// Returns what is to be closed, as signed lots with the entry they belong to.
    fn closing_parts(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
    ) -> Result<Vec<(i64, Option<OrderId>)>, KernelError> {
        let position_lots = self.ledger.position(strategy, instrument);
        if !matches!(self.market(instrument)?.venue, Venue::Bars(_)) {
            let whole = (position_lots != 0).then_some((position_lots, None));
            return Ok(whole.into_iter().collect());
        }
        let mut parts: Vec<(i64, Option<OrderId>)> = Vec::new();
        for lot in self.ledger.open_lots(strategy, instrument) {
            match parts.last_mut() {
                Some(last) if last.1 == Some(lot.entry_order) => last.0 += lot.lots,
                _ => parts.push((lot.lots, Some(lot.entry_order))),
            }
        }
        Ok(parts)
    }

    /// Puts an intent before risk and sends it on its way if it is approved.
    fn judge_and_send(&mut self, intent: &OrderIntent, lots: i64) -> Result<Verdict, KernelError> {
        let reference_ticks = self.market(intent.instrument)?.reference.map_or(0, |known| known.0);
        match self.judge(intent, lots, None)? {
            Ok(order) => {
                self.send(&order, reference_ticks)?;
                Ok(Verdict::Approved(intent.order_id))
            }
            Err(refusal) => {
                self.counters.refusals += 1;
                self.recorder.refused(self.now_ns, intent, &refusal);
                Ok(Verdict::Refused(refusal))
            }
        }
    }

    /// Records an order and a decision gate's refusal of it, without putting it before risk.
    ///
    /// # Errors
    ///
    /// [`KernelError::Value`] when the instrument is not in the table.
    pub fn refuse(&mut self, strategy: StrategyId, request: &OrderRequest) -> Result<Refusal, KernelError> {
        self.market(request.instrument)?;
        let refusal = Refusal { rule: Rule::DecisionGate, limit: 1, value: 0 };
        let intent = OrderIntent {
            order_id: self.next_order_id(),
            strategy,
            instrument: request.instrument,
            side: request.side,
            kind: request.kind,
            time_in_force: request.time_in_force,
            post_only: request.post_only,
            reduce_only: request.reduce_only,
            size: request.size,
            bracket: request.bracket,
            closes: None,
            time_ns: self.now_ns,
        };
        self.counters.refusals += 1;
        self.recorder.refused(self.now_ns, &intent, &refusal);
        Ok(refusal)
    }

    /// Puts an intent before every check that risk has; `replaced` is the order it takes the place of.
    fn judge(
        &mut self,
        intent: &OrderIntent,
        lots: i64,
        replaced: Option<&OpenOrder>,
    ) -> Result<Result<ApprovedOrder, Refusal>, KernelError> {
        if self.orders.len() >= ENTRIES_MAX && !intent.reduce_only && replaced.is_none() {
            let count = |orders: usize| i128::try_from(orders).unwrap_or(i128::MAX);
            let limit = count(ENTRIES_MAX);
            let value = count(self.orders.len()) + 1;
            return Ok(Err(Refusal { rule: Rule::OpenOrdersMax, limit, value }));
        }
        let exposure = self.exposure(intent, replaced);
        if let Err(refusal) = check_countable(intent, lots, exposure) {
            return Ok(Err(refusal));
        }
        let switches = self.switches;
        let has_power = self.has_buying_power(intent, lots, exposure.account)?;
        let Some(market) = self.markets.get_mut(intent.instrument.index()) else {
            return Err(KernelError::Broken("an order for an instrument that is not in the table".into()));
        };
        let reference = market.reference();
        let verdict = market.gate.check(intent, lots, &market.instrument, reference, exposure, switches);
        Ok(match (verdict, has_power) {
            (Ok(_), Err(refusal)) => Err(refusal),
            (verdict, _) => verdict,
        })
    }

    /// Counts what is at stake in the instrument of an order, the order that it replaces left out.
    fn exposure(&self, intent: &OrderIntent, replaced: Option<&OpenOrder>) -> Exposure {
        let (strategy, instrument) = (intent.strategy, intent.instrument);
        let mut account = self.orders.working_total(instrument);
        let mut own = self.orders.working(strategy, instrument);
        let replaced_lots = replaced.map_or(0, OpenOrder::open_lots);
        account.open_orders = account.open_orders.saturating_sub(u32::from(replaced.is_some()));
        if replaced.is_some_and(|order| !order.only_closes()) {
            for working in [&mut account, &mut own] {
                let lots = match intent.side {
                    Side::Buy => &mut working.buy_lots,
                    Side::Sell => &mut working.sell_lots,
                };
                *lots = lots.saturating_sub(replaced_lots);
            }
        }
        let mut own_stake = Stake {
            position_lots: self.ledger.position(strategy, instrument),
            working_buy_lots: own.buy_lots,
            working_sell_lots: own.sell_lots,
        };
        if intent.reduce_only {
            // An exit of a bracket is not among the closing orders, and neither is it taken out of them.
            let is_counted = replaced.is_some_and(|order| order.intent.closes.is_none());
            let closing = self.closing_lots(strategy, instrument, intent.side);
            let closing = closing.saturating_sub(if is_counted { replaced_lots } else { 0 });
            match intent.side {
                Side::Buy => own_stake.working_buy_lots = own_stake.working_buy_lots.saturating_add(closing),
                Side::Sell => {
                    own_stake.working_sell_lots = own_stake.working_sell_lots.saturating_add(closing);
                }
            }
        }
        Exposure {
            account: Stake {
                position_lots: self.ledger.position_total(instrument),
                working_buy_lots: account.buy_lots,
                working_sell_lots: account.sell_lots,
            },
            own: own_stake,
            open_orders: account.open_orders,
        }
    }

    /// Counts the open lots of a strategy's reduce-only orders on one side, exits of brackets apart.
    pub(crate) fn closing_lots(&self, strategy: StrategyId, instrument: InstrumentId, side: Side) -> i64 {
        if !self.orders.has_closing() {
            return 0;
        }
        let is_closing = |intent: &OrderIntent| {
            intent.reduce_only
                && intent.closes.is_none()
                && intent.side == side
                && intent.strategy == strategy
                && intent.instrument == instrument
        };
        self.orders
            .iter()
            .filter(|order| is_closing(&order.intent))
            .map(OpenOrder::open_lots)
            .fold(0, i64::saturating_add)
    }

    /// Tells whether the account can carry an order; bars ask at the fill instead.
    fn has_buying_power(
        &self,
        intent: &OrderIntent,
        lots: i64,
        stake: Stake,
    ) -> Result<Result<(), Refusal>, KernelError> {
        let market = self.market(intent.instrument)?;
        if matches!(market.venue, Venue::Bars(_)) || intent.reduce_only {
            return Ok(Ok(()));
        }
        let price_ticks = match intent.kind {
            OrderKind::Market => market.reference.map_or(0, |known| known.0),
            OrderKind::Limit { price_ticks } => price_ticks,
            OrderKind::Stop { trigger_ticks } => trigger_ticks,
        };
        let working_lots = working_on(intent.side, stake);
        let position = stake.position_lots.saturating_mul(intent.side.sign());
        let after = position.saturating_add(working_lots).saturating_add(lots);
        if after.unsigned_abs() <= position.unsigned_abs() {
            return Ok(Ok(()));
        }
        let needed = market.instrument.notional(price_ticks, after).map_or(i128::MAX, |money| money.0);
        let others = self.ledger.held_value(&self.marks, Some(intent.instrument)).0;
        let power = buying_power::total(self.equity()?, self.config.leverage);
        let needed = needed.saturating_add(others);
        if needed > power {
            return Ok(Err(Refusal { rule: Rule::BuyingPower, limit: power, value: needed }));
        }
        Ok(Ok(()))
    }

    /// Returns how many lots a share of the free buying power pays for, fee included.
    fn affordable_lots(&self, market: &Market, ppm: i64, price_ticks: i64) -> Result<i64, KernelError> {
        let held = self.ledger.held_value(&self.marks, None).0;
        let power = buying_power::total(self.equity()?, self.config.leverage);
        let free = power.saturating_sub(held);
        Ok(buying_power::lots(free, ppm, &market.instrument, &self.config.venue.fees, price_ticks))
    }

    /// Sends an approved order on its way: into the books of account, the journal and to the venue.
    pub(crate) fn send(&mut self, order: &ApprovedOrder, reference_ticks: i64) -> Result<(), KernelError> {
        let intent = *order.intent();
        self.orders.add(intent)?;
        self.counters.orders += 1;
        self.recorder.order(self.now_ns, &intent, reference_ticks);
        match self.config.destination {
            Destination::Venue => {
                let arrival_ns = self.now_ns.saturating_add(self.config.venue.order_latency_ns);
                self.schedule.arrival(arrival_ns, Request::Submit(*order));
            }
            Destination::Nowhere => {
                let body = ReportBody::Canceled(CancelReason::Shadow);
                let report = Report { venue_time_ns: self.now_ns, order_id: intent.order_id, body };
                self.schedule.report(self.now_ns, Delivery { instrument: intent.instrument, report });
            }
        }
        Ok(())
    }

    /// Asks the venue to cancel an order; `false` when it is not open, not the strategy's or being cancelled.
    pub fn cancel(&mut self, strategy: StrategyId, order_id: OrderId) -> bool {
        let is_own = self.orders.get(order_id).is_some_and(|order| order.intent.strategy == strategy);
        is_own && self.request_cancel(order_id, CancelReason::Requested)
    }

    /// Asks the venue to cancel an order, whoever's it is.
    pub(crate) fn request_cancel(&mut self, order_id: OrderId, reason: CancelReason) -> bool {
        if self.orders.get(order_id).is_none_or(|order| order.state == OrderState::PendingCancel) {
            return false;
        }
        let Ok(update) = self.orders.note(order_id, OrderEvent::CancelRequested, self.now_ns) else {
            return false;
        };
        let intent = update.order.intent;
        self.recorder.cancel(self.now_ns, order_id, intent.strategy);
        let arrival_ns = self.now_ns.saturating_add(self.config.venue.order_latency_ns);
        let instrument = intent.instrument;
        self.schedule.arrival(arrival_ns, Request::Cancel { order_id, instrument, reason });
        true
    }

    /// Asks the venue to give an order a new price (limit) or trigger (stop) and a new open size.
    ///
    /// Risk judges the order as it will be, in the place of the order as it is.
    ///
    /// # Errors
    ///
    /// [`KernelError`] when a promise is broken.
    pub fn replace(
        &mut self,
        strategy: StrategyId,
        order_id: OrderId,
        price_ticks: i64,
        lots: i64,
    ) -> Result<Verdict, KernelError> {
        let unknown = Refusal { rule: Rule::InvalidOrder, limit: 1, value: 0 };
        let Some(order) = self.orders.get(order_id).copied() else { return Ok(Verdict::Refused(unknown)) };
        if order.intent.strategy != strategy || order.intent.kind == OrderKind::Market {
            return Ok(Verdict::Refused(unknown));
        }
        let kind = match order.intent.kind {
            OrderKind::Stop { .. } => OrderKind::Stop { trigger_ticks: price_ticks },
            _ => OrderKind::Limit { price_ticks },
        };
        let intent = OrderIntent { kind, size: Size::Lots(lots), time_ns: self.now_ns, ..order.intent };
        if let Err(refusal) = self.judge(&intent, lots, Some(&order))? {
            self.counters.refusals += 1;
            self.recorder.refused(self.now_ns, &intent, &refusal);
            return Ok(Verdict::Refused(refusal));
        }
        if !self.request_replace(order_id, order.intent.instrument, price_ticks, lots) {
            return Ok(Verdict::Refused(unknown));
        }
        Ok(Verdict::Approved(order_id))
    }

    /// Sends an amendment on its way; `false` when the order cannot be amended now.
    pub(crate) fn request_replace(
        &mut self,
        order_id: OrderId,
        instrument: InstrumentId,
        price_ticks: i64,
        lots: i64,
    ) -> bool {
        if self.orders.note(order_id, OrderEvent::ReplaceRequested, self.now_ns).is_err() {
            return false;
        }
        self.recorder.replace(self.now_ns, order_id, price_ticks, lots);
        let arrival_ns = self.now_ns.saturating_add(self.config.venue.order_latency_ns);
        self.schedule.arrival(arrival_ns, Request::Replace { order_id, instrument, price_ticks, lots });
        true
    }

    /// Records the trace of a decision, whatever came of it.
    ///
    /// # Errors
    ///
    /// [`KernelError::Codec`] when the texts do not fit a journal frame.
    pub fn trace(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        action: u8,
        reason: &str,
        gates: &[TracedGate<'_>],
    ) -> Result<(), KernelError> {
        Ok(self.recorder.decision(self.now_ns, strategy, instrument, action, reason, gates)?)
    }

    /// Tells whether traces are kept at all.
    #[must_use]
    pub const fn is_recording(&self) -> bool {
        self.recorder.is_recording()
    }
}

/// Returns what works on a side.
const fn working_on(side: Side, stake: Stake) -> i64 {
    match side {
        Side::Buy => stake.working_buy_lots,
        Side::Sell => stake.working_sell_lots,
    }
}

/// Refuses an order whose lots, together with those that work already, cannot be counted.
fn check_countable(intent: &OrderIntent, lots: i64, exposure: Exposure) -> Result<(), Refusal> {
    let is_countable = [exposure.account, exposure.own]
        .into_iter()
        .all(|stake| working_on(intent.side, stake).checked_add(lots).is_some());
    if is_countable {
        return Ok(());
    }
    let value = i128::from(working_on(intent.side, exposure.account)) + i128::from(lots);
    Err(Refusal { rule: Rule::PositionMax, limit: i128::from(i64::MAX), value })
}
