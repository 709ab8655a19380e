//! Values that the tests of this crate share.

use tradecore_risk::ApprovedOrder;
use tradecore_risk::testkit::approve_unseen;
use tradecore_types::{
    Bracket, Decimal, Instrument, InstrumentId, InstrumentKind, InstrumentSpec, OrderId, OrderIntent,
    OrderKind, Report, ReportBody, Side, Size, StrategyId, TimeInForce,
};

/// Makes a linear instrument with this tick and lot, for tests.
pub fn instrument(tick: &str, lot: &str) -> Instrument {
    let decimal = |text| Decimal::parse("sample", text).unwrap();
    let spec = InstrumentSpec {
        symbol: "TEST".into(),
        tick_size: decimal(tick),
        lot_size: decimal(lot),
        kind: InstrumentKind::Linear,
        multiplier: decimal("1"),
    };
    Instrument::new(InstrumentId(0), spec).unwrap()
}

/// Makes the intent of a good-till-cancelled limit order.
pub fn limit(id: u64, side: Side, price_ticks: i64, lots: i64) -> OrderIntent {
    OrderIntent {
        order_id: OrderId(id),
        strategy: StrategyId(0),
        instrument: InstrumentId(0),
        side,
        kind: OrderKind::Limit { price_ticks },
        time_in_force: TimeInForce::Gtc,
        post_only: false,
        reduce_only: false,
        size: Size::Lots(lots),
        bracket: Bracket::default(),
        closes: None,
        time_ns: 0,
    }
}

/// Makes the intent of a market order.
pub fn market(id: u64, side: Side, lots: i64) -> OrderIntent {
    OrderIntent { kind: OrderKind::Market, ..limit(id, side, 0, lots) }
}

/// Makes the intent of a stop order.
pub fn stop(id: u64, side: Side, trigger_ticks: i64, lots: i64) -> OrderIntent {
    OrderIntent { kind: OrderKind::Stop { trigger_ticks }, ..limit(id, side, 0, lots) }
}

/// Approves an intent as risk would.
pub fn approved(intent: OrderIntent) -> ApprovedOrder {
    approve_unseen(intent)
}

/// The stated price of an order as text; nothing where it states none.
fn at(price_ticks: Option<i64>) -> String {
    price_ticks.map_or_else(String::new, |price_ticks| price_ticks.to_string())
}

/// Shortens reports to text: `7 fill 5@100 maker`.
pub fn told(reports: &[Report]) -> Vec<String> {
    reports
        .iter()
        .map(|report| {
            let id = report.order_id.0;
            match report.body {
                ReportBody::Fill { price_ticks, lots, liquidity, .. } => {
                    format!("{id} fill {lots}@{price_ticks} {liquidity:?}")
                }
                ReportBody::Replaced { price_ticks, lots } => {
                    format!("{id} replaced {lots}@{}", at(price_ticks))
                }
                ReportBody::Restated { price_ticks, lots } => {
                    format!("{id} restated {lots}@{}", at(price_ticks))
                }
                body => format!("{id} {body:?}"),
            }
        })
        .collect()
}
