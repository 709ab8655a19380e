//! Orders that wait for a price (stop-limits, touched and trailing orders) against bars.
//!
//! Plain stops are met like limits and need none of this. Inside a bar the price is taken to go from the
//! open to the extreme that is worse for a stop of this side, then to the other extreme, then to the
//! close: the worst order of events that a bar allows. A touched order only asks for its own extreme.
//! What is set off inside a bar and cannot trade right there waits for the next bar, because nothing
//! proves that the price came back.

use tradecore_types::{Bar, CancelReason, Liquidity, OrderKind, ReportBody, Side, TimeNs};

use super::BarAccount;
use super::execution::{Execution, tell};
use super::matcher::BarMatcher;
use super::queue::{Armed, Waiting};
use crate::dormant::Dormant;
use crate::ticket::Ticket;

impl BarMatcher {
    /// Wakes every order that the open sets off; it then is at the open like any other.
    pub(super) fn wake_at_open<A: BarAccount>(
        &mut self,
        time_ns: TimeNs,
        open_ticks: i64,
        account: &mut A,
    ) -> Result<(), A::Error> {
        if !self.queue.has_dormant() {
            return Ok(());
        }
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.in_time(place, time_ns) else { continue };
            if waiting.is_dormant() {
                self.look(place, waiting, open_ticks, time_ns, account)?;
            }
        }
        Ok(())
    }

    /// Shows a dormant order one price that the market certainly had; tells whether it is awake.
    pub(super) fn look<A: BarAccount>(
        &mut self,
        place: usize,
        waiting: Waiting,
        price_ticks: i64,
        time_ns: TimeNs,
        account: &mut A,
    ) -> Result<bool, A::Error> {
        let mut dormant = dormant_of(&waiting);
        let is_awake = dormant.see(price_ticks);
        if is_awake {
            tell(&waiting, time_ns, dormant.set_off(), account)?;
            self.queue.set(place, Waiting { is_new: true, ..awake(waiting, &dormant) });
        } else {
            self.queue.set(place, Waiting { trail_ticks: dormant.trigger_ticks(), ..waiting });
        }
        Ok(is_awake)
    }

    /// Lets the range of a bar pass a dormant order, once a bar; tells whether it opened a position.
    pub(super) fn wake_inside<A: BarAccount>(
        &mut self,
        place: usize,
        waiting: Waiting,
        bar: &Bar,
        mark_ticks: Option<i64>,
        account: &mut A,
    ) -> Result<bool, A::Error> {
        let mut dormant = dormant_of(&waiting);
        let Some(hit_ticks) = hit_inside(&mut dormant, bar) else {
            let trail_ticks = dormant.trigger_ticks();
            self.queue.set(place, Waiting { trail_ticks, armed: Armed::Later, ..waiting });
            return Ok(false);
        };
        let time_ns = bar.open_time_ns;
        tell(&waiting, time_ns, dormant.set_off(), account)?;
        let woken = Waiting { armed: Armed::Later, ..awake(waiting, &dormant) };
        self.queue.set(place, woken);
        if woken.is_met(hit_ticks) {
            let armed = match mark_ticks {
                Some(_) => Armed::Open,
                None if is_touched(waiting.kind) => Armed::Limit(hit_ticks),
                None => Armed::Stop(hit_ticks),
            };
            let mark_ticks = mark_ticks.unwrap_or(hit_ticks);
            let at = Execution::new(hit_ticks, mark_ticks, time_ns, Liquidity::Taker, armed);
            return self.execute(place, at, account);
        }
        if woken.is_immediate() {
            self.queue.take(place);
            tell(&woken, time_ns, ReportBody::Canceled(CancelReason::ImmediateOrCancel), account)?;
        }
        Ok(false)
    }
}

/// Returns the price inside a bar, after its open, that sets an order off.
fn hit_inside(dormant: &mut Dormant, bar: &Bar) -> Option<i64> {
    let (for_buy, for_sell) = if is_touched(dormant.ticket.kind) {
        ([bar.low_ticks; 3], [bar.high_ticks; 3])
    } else {
        let Bar { high_ticks, low_ticks, close_ticks, .. } = *bar;
        ([high_ticks, low_ticks, close_ticks], [low_ticks, high_ticks, close_ticks])
    };
    let path = if dormant.ticket.side == Side::Buy { for_buy } else { for_sell };
    path.into_iter().find(|price_ticks| dormant.see(*price_ticks))?;
    dormant.trigger_ticks()
}

/// Tells whether an order waits for a better price instead of a worse one.
const fn is_touched(kind: OrderKind) -> bool {
    matches!(kind, OrderKind::MarketIfTouched { .. } | OrderKind::LimitIfTouched { .. })
}

fn dormant_of(waiting: &Waiting) -> Dormant {
    let intent = waiting.order.intent();
    let ticket = Ticket {
        order_id: intent.order_id,
        side: intent.side,
        kind: waiting.kind,
        time_in_force: intent.time_in_force,
        post_only: false,
        lots: waiting.lots.unwrap_or(0),
    };
    Dormant::trailed_to(ticket, waiting.trail_ticks)
}

fn awake(waiting: Waiting, dormant: &Dormant) -> Waiting {
    Waiting { kind: dormant.awake().kind, trail_ticks: None, ..waiting }
}
