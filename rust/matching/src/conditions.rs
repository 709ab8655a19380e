//! Slow and plain for tests: what sets a dormant order off, from every price it has seen.

use tradecore_types::{OrderKind, ReportBody, Side};

/// Returns the trigger that was hit first, going through all prices from the start.
pub fn hit(side: Side, kind: OrderKind, seen: &[i64]) -> Option<i64> {
    let sign = side.sign();
    match kind {
        OrderKind::Stop { trigger_ticks } | OrderKind::StopLimit { trigger_ticks, .. } => {
            seen.iter().any(|price| sign * (price - trigger_ticks) >= 0).then_some(trigger_ticks)
        }
        OrderKind::MarketIfTouched { trigger_ticks } | OrderKind::LimitIfTouched { trigger_ticks, .. } => {
            seen.iter().any(|price| sign * (trigger_ticks - price) >= 0).then_some(trigger_ticks)
        }
        _ => (1..=seen.len()).find_map(|count| {
            let trigger = trail(side, kind, &seen[..count - 1])?;
            (sign * (seen[count - 1] - trigger) >= 0).then_some(trigger)
        }),
    }
}

/// Returns where the trigger of a trailing stop stands after these prices.
pub fn trail(side: Side, kind: OrderKind, seen: &[i64]) -> Option<i64> {
    let (distance, activation_ticks): (&dyn Fn(i64) -> i64, _) = match kind {
        OrderKind::TrailingStop { offset_ticks, activation_ticks }
        | OrderKind::TrailingStopLimit { offset_ticks, activation_ticks, .. } => {
            (&move |_| offset_ticks, activation_ticks)
        }
        OrderKind::TrailingPercent { offset_ppm, activation_ticks } => {
            (&move |best| (best * offset_ppm / 1_000_000).max(1), activation_ticks)
        }
        _ => return None,
    };
    let is_active = |price: &i64| activation_ticks == 0 || side.sign() * (activation_ticks - price) >= 0;
    let start = seen.iter().position(is_active)?;
    let best = side.sign() * seen[start..].iter().map(|price| side.sign() * price).min()?;
    Some(best + side.sign() * distance(best))
}

/// Returns what an order becomes after its trigger was hit.
pub fn awake(side: Side, kind: OrderKind, trigger: i64) -> OrderKind {
    match kind {
        OrderKind::StopLimit { price_ticks, .. } | OrderKind::LimitIfTouched { price_ticks, .. } => {
            OrderKind::Limit { price_ticks }
        }
        OrderKind::TrailingStopLimit { limit_offset_ticks, .. } => {
            OrderKind::Limit { price_ticks: trigger + side.sign() * limit_offset_ticks }
        }
        _ => OrderKind::Market,
    }
}

/// Returns what is said of an order that becomes another when it is set off.
pub fn told(asleep: OrderKind, awake: OrderKind) -> ReportBody {
    match (asleep, awake) {
        (OrderKind::TrailingStopLimit { .. }, OrderKind::Limit { price_ticks }) => {
            ReportBody::TriggeredAt { price_ticks }
        }
        _ => ReportBody::Triggered,
    }
}
