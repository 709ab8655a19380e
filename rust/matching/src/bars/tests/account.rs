//! An account over the real ledger and order store, as the kernel keeps one.

use tradecore_ledger::{Answer, FillInput, Ledger, Orders};
use tradecore_risk::ApprovedOrder;
use tradecore_types::{
    Instrument, InstrumentId, Money, OrderId, OrderIntent, OrderKind, RejectReason, Report, ReportBody, Side,
    Size, StrategyId,
};

use crate::samples::{approved, market};
use crate::{BarAccount, FeeSchedule, OpenPosition, exit_intent};

/// Parts per billion in one.
const PPB: i128 = 1_000_000_000;

pub struct Account {
    pub instrument: Instrument,
    pub fees: FeeSchedule,
    pub leverage: i128,
    pub ledger: Ledger,
    pub orders: Orders,
    pub reports: Vec<Report>,
    pub next_id: u64,
    /// Orders that cancel each other.
    pub linked: Vec<(OrderId, OrderId)>,
    /// Orders that others have cancelled and that are still to be told so.
    pub limits: Vec<OrderId>,
    /// At and below the first price a long position has not the margin it needs, at and above the second a short one.
    pub breaches: Option<[i64; 2]>,
}

impl Account {
    pub fn new(instrument: Instrument, fees: FeeSchedule, cash: i128, leverage: i128) -> Self {
        Self {
            ledger: Ledger::new(vec![instrument.clone()], 2, Money(cash * 10i128.pow(18)), 64),
            orders: Orders::new(2, 1, 1_000, 10_000),
            reports: Vec::new(),
            next_id: 1,
            linked: Vec::new(),
            limits: Vec::new(),
            breaches: None,
            instrument,
            fees,
            leverage,
        }
    }

    /// Numbers an intent and books it as sent.
    pub fn send(&mut self, intent: OrderIntent) -> ApprovedOrder {
        let intent = OrderIntent { order_id: OrderId(self.next_id), ..intent };
        self.next_id += 1;
        self.orders.add(&intent).unwrap();
        approved(intent)
    }

    /// Tells whether what is held has not the margin it needs at a price.
    pub fn is_breached_at(&self, price_ticks: i64) -> bool {
        let position = self.ledger.position_total(InstrumentId(0));
        self.breaches.is_some_and(|[low, high]| {
            position > 0 && price_ticks <= low || position < 0 && price_ticks >= high
        })
    }

    /// Margin that is free, times the leverage.
    fn buying_power(&self, mark_ticks: i64) -> i128 {
        let marks = [Some(mark_ticks)];
        let equity = self.ledger.equity(&marks).unwrap().0;
        (equity * self.leverage - self.ledger.gross(&marks).unwrap().0).max(0)
    }

    /// What one lot costs with its fee, times one billion.
    fn unit_cost(&self, price_ticks: i64) -> i128 {
        let notional = self.instrument.notional(price_ticks, 1).unwrap().0;
        notional * (PPB + i128::from(self.fees.taker_ppb))
    }
}

impl BarAccount for Account {
    type Error = String;

    fn sized_lots(
        &mut self,
        order: &ApprovedOrder,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> Result<i64, RejectReason> {
        let Size::BuyingPowerPpm(ppm) = order.intent().size else { return Err(RejectReason::Unsupported) };
        let power = self.buying_power(mark_ticks) / 1_000_000 * i128::from(ppm);
        // Whole and part apart, so that nothing overflows.
        let cost = self.unit_cost(price_ticks);
        let lots = power / cost * PPB + power % cost * PPB / cost;
        let lots = i64::try_from(lots).unwrap();
        if lots == 0 {
            return Err(RejectReason::InsufficientMargin);
        }
        self.orders.set_size(order.intent().order_id, lots).unwrap();
        Ok(lots)
    }

    fn can_afford(&self, _: &ApprovedOrder, lots: i64, price_ticks: i64, mark_ticks: i64) -> bool {
        i128::from(lots) * (self.unit_cost(price_ticks) / PPB) <= self.buying_power(mark_ticks)
    }

    fn can_turn(
        &self,
        _: &ApprovedOrder,
        closing_lots: i64,
        opening_lots: i64,
        price_ticks: i64,
        mark_ticks: i64,
    ) -> bool {
        let freed = self.instrument.notional(mark_ticks, closing_lots).unwrap().0;
        let needed = i128::from(opening_lots) * (self.unit_cost(price_ticks) / PPB);
        needed <= self.buying_power(mark_ticks) + freed
    }

    fn position(&self, strategy: StrategyId) -> i64 {
        self.ledger.position(strategy, InstrumentId(0))
    }

    fn lots_of_entry(&self, strategy: StrategyId, entry: OrderId) -> i64 {
        self.ledger.lots_of_entry(strategy, InstrumentId(0), entry)
    }

    fn open_positions(&self, into: &mut Vec<OpenPosition>) {
        for strategy in [StrategyId(0), StrategyId(1)] {
            for lot in self.ledger.open_lots(strategy, InstrumentId(0)) {
                into.push(OpenPosition { strategy, entry: lot.entry_order, lots: lot.lots });
            }
        }
    }

    fn exit(
        &mut self,
        entry: &ApprovedOrder,
        kind: OrderKind,
        lots: i64,
    ) -> Result<Option<ApprovedOrder>, String> {
        Ok(Some(self.send(exit_intent(entry.intent(), OrderId(0), kind, lots, 0))))
    }

    fn close(&mut self, position: OpenPosition) -> Result<Option<ApprovedOrder>, String> {
        let side = if position.lots > 0 { Side::Sell } else { Side::Buy };
        let closing = market(0, side, position.lots.abs());
        Ok(Some(self.send(OrderIntent { closes: Some(position.entry), ..closing })))
    }

    fn is_margined(&self) -> bool {
        self.breaches.is_some()
    }

    fn first_breach(&mut self, from_ticks: i64, to_ticks: i64) -> Result<Option<i64>, String> {
        let step = (to_ticks - from_ticks).signum();
        let mut prices = (0..=(to_ticks - from_ticks).abs()).map(|ticks| from_ticks + step * ticks);
        Ok(prices.find(|price_ticks| self.is_breached_at(*price_ticks)))
    }

    fn next_cut(&mut self) -> Option<(OrderId, i64)> {
        self.limits.retain(|id| self.orders.get(*id).is_some());
        (!self.limits.is_empty()).then(|| (self.limits.remove(0), 0))
    }

    fn report(&mut self, report: Report) -> Result<(), String> {
        self.reports.push(report);
        let update = match self.orders.apply(&report) {
            Answer::Applied(update) => Some(update),
            Answer::TooLate => None,
            answer => return Err(format!("{answer:?}")),
        };
        let (Some(update), ReportBody::Fill { price_ticks, lots, fee, .. }) = (update, report.body) else {
            return Ok(());
        };
        let intent = update.order.intent;
        for (one, other) in &self.linked {
            if *one == intent.order_id || *other == intent.order_id {
                self.limits.push(if *one == intent.order_id { *other } else { *one });
            }
        }
        let fill = FillInput {
            order_id: intent.order_id,
            strategy: intent.strategy,
            instrument: intent.instrument,
            side: intent.side,
            price_ticks,
            lots,
            fee,
            venue_time_ns: report.venue_time_ns,
            closes: intent.closes,
            fee_currency: None,
        };
        self.ledger.apply_fill(&fill).map_err(|error| error.to_string())?;
        self.ledger.check().map_err(|error| error.to_string())
    }
}
