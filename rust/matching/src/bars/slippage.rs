//! How much worse than its bar an order fills, and how much of a bar it may take.

use tradecore_types::{Bar, CancelReason, OrderKind, ReportBody, Side, ValueError};

use super::BarAccount;
use super::filling::{FillTerms, tell};
use super::matcher::BarMatcher;
use super::queue::Waiting;

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// What market and stop orders lose against bars; the parts add up, and nothing is the default.
///
/// Each part is rounded up to a whole tick. The price stays within the low and high of the bar of the fill,
/// where the market was, unless [`Slippage::may_leave_bar`] says otherwise. A limit order is never worse than
/// its limit: it pays no slippage, and only the share of the volume bounds it. Range and volume are those of the last whole bar
/// the venue has seen: of the bar before for a fill at an open, of the bar itself for one inside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Slippage {
    /// So many ticks worse, whatever the price.
    pub ticks: i64,
    /// Parts per million of the price.
    pub ppm: i64,
    /// Parts per million of the range of the bar, high less low.
    pub range_ppm: i64,
    /// Parts per million of the price that taking the whole volume of the bar would cost, in whole ticks; a
    /// fill pays in proportion to what was taken of the bar, itself included.
    pub impact_ppm: i64,
    /// Largest share of the volume of a bar, in parts per million, that all orders together may take: the
    /// rest waits for the next bar, or ends when it may not wait.
    pub volume_ppm: Option<i64>,
    /// Whether a fill may be worse than every price of its bar.
    pub may_leave_bar: bool,
}

impl Slippage {
    /// Checks that every part makes sense.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when a part is negative or above a whole, or the share of the volume is not above 0.
    pub fn check(&self) -> Result<(), ValueError> {
        let parts = [
            ("ticks", self.ticks, 0..=i64::from(u32::MAX)),
            ("ppm", self.ppm, 0..=1_000_000),
            ("range_ppm", self.range_ppm, 0..=1_000_000),
            ("impact_ppm", self.impact_ppm, 0..=1_000_000),
            ("volume_ppm", self.volume_ppm.unwrap_or(1), 1..=1_000_000),
        ];
        match parts.into_iter().find(|(_, value, allowed)| !allowed.contains(value)) {
            Some((field, value, allowed)) => {
                let rule = format!("must be from {} to {}", allowed.start(), allowed.end());
                Err(ValueError::new(field, value, rule))
            }
            None => Ok(()),
        }
    }

    /// Tells whether orders fill at the prices of the bar, whole.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self { may_leave_bar: self.may_leave_bar, ..Self::default() }
    }

    /// Returns the price after slippage when `taken_lots` of the bar are taken; a price above 0 stays so.
    #[must_use]
    pub fn price(&self, side: Side, price_ticks: i64, bar: Option<&Bar>, taken_lots: i64) -> i64 {
        let height = i128::from(price_ticks).abs();
        let range = bar.map_or(0, |bar| i128::from(bar.high_ticks) - i128::from(bar.low_ticks)).max(0);
        let volume = bar.map_or(0, |bar| i128::from(bar.volume_lots));
        let taken = i128::from(taken_lots).min(volume);
        let impact = match volume {
            0 => 0,
            _ => ceil(height * i128::from(self.impact_ppm), PPM).saturating_mul(taken),
        };
        let worse = i128::from(self.ticks)
            + ceil(height * i128::from(self.ppm), PPM)
            + ceil(range * i128::from(self.range_ppm), PPM)
            + ceil(impact, volume.max(1));
        let slipped = i128::from(price_ticks) + worse * i128::from(side.sign());
        let least = if price_ticks > 0 { 1 } else { i128::from(i64::MIN) };
        i64::try_from(slipped.max(least)).unwrap_or(i64::MAX)
    }

    /// Returns how many lots of a bar all orders together may take; `None` when there is no bound.
    fn cap(&self, bar: Option<&Bar>) -> Option<i64> {
        let share = i128::from(self.volume_ppm?);
        let volume = bar.map_or(0, |bar| i128::from(bar.volume_lots));
        Some(i64::try_from(volume * share / PPM).unwrap_or(i64::MAX))
    }
}

impl BarMatcher {
    /// Fills the order at a place as far as the bar goes; what is left waits there.
    pub(super) fn fill_slipped<A: BarAccount>(
        &mut self,
        place: usize,
        at: FillTerms,
        account: &mut A,
    ) -> Result<bool, A::Error> {
        let Some(waiting) = self.queue.at(place) else { return Ok(false) };
        let slippage = self.rules.slippage;
        let offered = slippage.cap(self.last.as_ref()).map(|cap| cap.saturating_sub(self.taken_lots).max(0));
        let lots_max = offered.unwrap_or(i64::MAX);
        if lots_max == 0 {
            return self.put_off(place, waiting, at, account).map(|()| false);
        }
        // Sizes are measured at the worst price they can get, so that what is affordable stays so.
        let taken_lots = self.taken_lots.saturating_add(lots_max);
        let price_ticks = self.slipped(&waiting, at.price_ticks, taken_lots, at.range_ticks);
        let at = FillTerms { price_ticks, bar_ticks: Some(at.price_ticks), lots_max, ..at };
        let Some(waiting) = self.queue.take(place) else { return Ok(false) };
        let done = self.fill_taken(&waiting, at, account)?;
        if let Some(lots) = done.rest {
            let rest = Waiting { lots: Some(lots), kind: set_off(waiting.kind), ..waiting };
            if rest.ends_at_once() {
                let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
                tell(&rest, at.venue_time_ns, body, account)?;
            } else {
                self.queue.put_back(place, rest);
            }
        }
        Ok(done.opened)
    }

    /// The bar has nothing left for an order that met its price: it ends when it may not wait, and a stop is set
    /// off all the same.
    fn put_off<A: BarAccount>(
        &mut self,
        place: usize,
        waiting: Waiting,
        at: FillTerms,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let kind = set_off(waiting.kind);
        if kind != waiting.kind {
            tell(&waiting, at.venue_time_ns, ReportBody::Triggered, account)?;
        }
        if waiting.ends_at_once() {
            self.queue.take(place);
            let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
            return tell(&waiting, at.venue_time_ns, body, account);
        }
        self.queue.set(place, Waiting { kind, ..waiting });
        Ok(())
    }

    /// Returns the price of an order after slippage, in a bar with this low and high; limits have none.
    pub(super) fn slipped(
        &self,
        waiting: &Waiting,
        price_ticks: i64,
        taken_lots: i64,
        [low_ticks, high_ticks]: [i64; 2],
    ) -> i64 {
        if matches!(waiting.kind, OrderKind::Limit { .. }) {
            return price_ticks;
        }
        let slippage = &self.rules.slippage;
        let slipped = slippage.price(waiting.side(), price_ticks, self.last.as_ref(), taken_lots);
        if slippage.may_leave_bar { slipped } else { slipped.min(high_ticks).max(low_ticks) }
    }
}

/// Returns what an order is once it met its price: a stop is a market order from then on.
const fn set_off(kind: OrderKind) -> OrderKind {
    if matches!(kind, OrderKind::Stop { .. }) { OrderKind::Market } else { kind }
}

/// Divides and rounds up; nothing is negative.
fn ceil(value: i128, divisor: i128) -> i128 {
    value / divisor + i128::from(value % divisor != 0)
}
