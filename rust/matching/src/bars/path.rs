//! Inside a bar: one path of the price, and every order that waits meets it where the path comes by.
//!
//! A bar says where the price opened, how far it went and where it closed. In between the price is taken to
//! go straight from the open to one extreme, from there to the other and then to the close, the same way for
//! all orders of the bar: first to the extreme that is worse for what is at stake ([`BarMatcher::corners`]).
//! Orders trade in the order in which the path reaches them. Where it reaches several at one price, stops come
//! before limits and what closes a named entry before the rest, so that a loss is not missed.
//!
//! Where margin is used up on the way, the walk stops: the venue closes by force there, and the orders that the
//! path had still to meet are gone. At one price orders trade first, and then the margin is looked at.
//!
//! What is set off inside a bar and cannot trade at that price waits for the next bar, because nothing proves
//! that the price came back.

use tradecore_types::{Bar, CancelReason, Liquidity, OrderKind, ReportBody, Side};

use super::BarAccount;
use super::filling::{FillTerms, closable, held_for, tell};
use super::matcher::BarMatcher;
use super::queue::Waiting;
use crate::dormant::Dormant;
use crate::mandate::Mandate;

/// An order that the path meets next.
#[derive(Clone, Copy, Debug)]
struct Meeting {
    place: usize,
    price_ticks: i64,
    /// How far away the price is.
    away_ticks: u64,
    /// Which of several at one price comes first.
    rank: u8,
}

/// Where the walk through a bar ended early, because what is held has not the margin it needs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Price at which it ended.
    pub price_ticks: i64,
    /// Where the price still goes from there, the last of them the close.
    pub corners: [i64; 3],
}

impl BarMatcher {
    /// Lets the price go through a bar after its open, and fills what it meets, as long as the margin does.
    /// `mark_ticks` is the price at which the account values what it holds meanwhile; without it, the price of
    /// each fill.
    pub(super) fn walk<A: BarAccount>(
        &mut self,
        bar: &Bar,
        mark_ticks: Option<i64>,
        account: &mut A,
    ) -> Result<Option<Stop>, A::Error> {
        if !self.meets_anything(bar) && !account.is_margined() {
            return Ok(None);
        }
        let [first, second, close] = self.corners(bar, account);
        let mut from_ticks = bar.open_ticks;
        for corners in [[first, second, close], [second, close, close], [close; 3]] {
            let [to_ticks, ..] = corners;
            loop {
                let meeting = self.next_meeting(from_ticks, to_ticks, bar, account);
                let until_ticks = meeting.map_or(to_ticks, |meeting| meeting.price_ticks);
                let breach = account.first_breach(from_ticks, until_ticks)?;
                if let Some(price_ticks) = breach.filter(|ticks| meeting.is_none() || *ticks != until_ticks) {
                    return Ok(Some(Stop { price_ticks, corners }));
                }
                let Some(meeting) = meeting else { break };
                from_ticks = until_ticks;
                self.meet(meeting, bar, mark_ticks, account)?;
            }
            self.show_corner(to_ticks, bar, account);
            from_ticks = to_ticks;
        }
        Ok(None)
    }

    /// Returns the corners of a bar after its open, in the order of the path. The first is the extreme that is
    /// worse for the side at stake: the low for sells, the high for buys.
    ///
    /// The side at stake is that of the orders that close a position of their strategy; where those are on
    /// both sides or nowhere, that of the oldest order that waits for a price.
    fn corners<A: BarAccount>(&self, bar: &Bar, account: &A) -> [i64; 3] {
        let (mut closing_buys, mut closing_sells, mut oldest) = (false, false, None);
        for waiting in self.queue.iter().filter(|waiting| self.takes_part(waiting, bar)) {
            if waiting.kind == OrderKind::Market {
                continue;
            }
            if oldest.is_none_or(|(known, _)| waiting.id() < known) {
                oldest = Some((waiting.id(), waiting.side()));
            }
            let closes = closable(account.position(waiting.order.intent().strategy), waiting.side()) > 0
                || closable(held_for(waiting, account), waiting.side()) > 0;
            match waiting.side() {
                Side::Buy => closing_buys |= closes,
                Side::Sell => closing_sells |= closes,
            }
        }
        let side = match (closing_buys, closing_sells) {
            (true, false) => Side::Buy,
            (false, true) => Side::Sell,
            _ => oldest.map_or(Side::Sell, |(_, side)| side),
        };
        match side {
            Side::Buy => [bar.high_ticks, bar.low_ticks, bar.close_ticks],
            Side::Sell => [bar.low_ticks, bar.high_ticks, bar.close_ticks],
        }
    }

    /// Tells whether the range of a bar has anything for an order: most bars have not.
    fn meets_anything(&self, bar: &Bar) -> bool {
        self.queue.iter().any(|waiting| {
            let is_reached = waiting.is_met(bar.low_ticks) || waiting.is_met(bar.high_ticks);
            waiting.is_dormant() || is_reached && waiting.kind != OrderKind::Market
        })
    }

    /// Finds the order that the price meets first on its way from one price to another.
    fn next_meeting<A: BarAccount>(
        &mut self,
        from_ticks: i64,
        to_ticks: i64,
        bar: &Bar,
        account: &A,
    ) -> Option<Meeting> {
        let mut next: Option<Meeting> = None;
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.at(place).filter(|waiting| self.takes_part(waiting, bar)) else {
                continue;
            };
            if waiting.is_done || self.waits_for_entry(&waiting, account) {
                continue;
            }
            let Some(price_ticks) = meeting_price(&waiting, from_ticks, to_ticks) else {
                if waiting.is_new {
                    // It has seen a price now and was not met by it: from here on it waits in the book.
                    self.queue.set(place, Waiting { is_new: false, ..waiting });
                }
                continue;
            };
            if waiting.is_new && price_ticks != from_ticks {
                self.queue.set(place, Waiting { is_new: false, ..waiting });
            }
            let away_ticks = price_ticks.abs_diff(from_ticks);
            let rank = rank(&waiting);
            if next.is_none_or(|known| (away_ticks, rank) < (known.away_ticks, known.rank)) {
                next = Some(Meeting { place, price_ticks, away_ticks, rank });
            }
        }
        next
    }

    /// The price has come to an order: it trades, or is set off. The bar has nothing left for it then.
    fn meet<A: BarAccount>(
        &mut self,
        meeting: Meeting,
        bar: &Bar,
        mark_ticks: Option<i64>,
        account: &mut A,
    ) -> Result<(), A::Error> {
        let Meeting { place, price_ticks, .. } = meeting;
        let Some(mut waiting) = self.queue.at(place) else { return Ok(()) };
        let mut liquidity = liquidity(&waiting);
        if waiting.is_dormant() {
            let mut dormant = dormant_of(&waiting);
            dormant.see(price_ticks);
            tell(&waiting, bar.open_time_ns, dormant.set_off(), account)?;
            waiting = awake(waiting, &dormant);
            liquidity = Liquidity::Taker;
        }
        waiting.is_done = true;
        self.queue.set(place, waiting);
        if waiting.is_met(price_ticks) {
            let mark_ticks = mark_ticks.unwrap_or(price_ticks);
            let range_ticks = [bar.low_ticks, bar.high_ticks];
            let fill_ticks = waiting.price_in(price_ticks, bar);
            let at = FillTerms::new(fill_ticks, mark_ticks, bar.open_time_ns, liquidity, range_ticks);
            return self.fill_place(place, at, account).map(|_| ());
        }
        if waiting.is_immediate() {
            self.queue.take(place);
            let body = ReportBody::Canceled(CancelReason::ImmediateOrCancel);
            tell(&waiting, bar.open_time_ns, body, account)?;
        }
        Ok(())
    }

    /// Shows the orders that follow the price where it turned.
    fn show_corner<A: BarAccount>(&mut self, corner_ticks: i64, bar: &Bar, account: &A) {
        if !self.queue.has_dormant() {
            return;
        }
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.at(place).filter(|waiting| self.takes_part(waiting, bar)) else {
                continue;
            };
            if waiting.is_dormant() && !waiting.is_done && !self.waits_for_entry(&waiting, account) {
                let mut dormant = dormant_of(&waiting);
                let is_set_off = dormant.see(corner_ticks);
                debug_assert!(!is_set_off, "what a corner sets off was met on the way to it");
                self.queue.set(place, Waiting { trail_ticks: dormant.trigger_ticks(), ..waiting });
            }
        }
    }

    /// Wakes every order that the open sets off; it then is at the open like any other.
    pub(super) fn wake_at_open<A: BarAccount>(&mut self, bar: &Bar, account: &mut A) -> Result<(), A::Error> {
        if !self.queue.has_dormant() {
            return Ok(());
        }
        for place in 0..self.queue.begin_pass() {
            let Some(waiting) = self.queue.in_time(place, bar) else { continue };
            if !waiting.is_dormant() || self.waits_for_entry(&waiting, account) {
                continue;
            }
            let mut dormant = dormant_of(&waiting);
            if dormant.see(bar.open_ticks) {
                tell(&waiting, bar.open_time_ns, dormant.set_off(), account)?;
                self.queue.set(place, Waiting { is_new: true, ..awake(waiting, &dormant) });
            } else {
                self.queue.set(place, Waiting { trail_ticks: dormant.trigger_ticks(), ..waiting });
            }
        }
        Ok(())
    }
}

/// Returns whether a fill takes: a limit makes, unless the first price it saw was through it already. What is
/// post-only never takes.
pub(super) fn liquidity(waiting: &Waiting) -> Liquidity {
    let is_limit = matches!(waiting.kind, OrderKind::Limit { .. });
    let makes = is_limit && (!waiting.is_new || waiting.order.intent().post_only);
    if makes { Liquidity::Maker } else { Liquidity::Taker }
}

/// Returns the price at which an order is met on the way from one price to another; market orders wait for an
/// open.
fn meeting_price(waiting: &Waiting, from_ticks: i64, to_ticks: i64) -> Option<i64> {
    if waiting.is_dormant() {
        let mut dormant = dormant_of(waiting);
        let (low_ticks, high_ticks) = (from_ticks.min(to_ticks), from_ticks.max(to_ticks));
        // A trigger that the price is through already is hit where the price is.
        return dormant
            .see(to_ticks)
            .then(|| dormant.trigger_ticks().map(|ticks| ticks.max(low_ticks).min(high_ticks)))
            .flatten();
    }
    if waiting.kind == OrderKind::Market {
        return None;
    }
    if waiting.is_met(from_ticks) {
        return Some(from_ticks);
    }
    waiting.kind.price_ticks().filter(|_| waiting.is_met(to_ticks))
}

/// Returns which of several orders at one price comes first: stops before limits, closing ones before others.
fn rank(waiting: &Waiting) -> u8 {
    let is_limit = matches!(
        waiting.kind,
        OrderKind::Limit { .. } | OrderKind::MarketIfTouched { .. } | OrderKind::LimitIfTouched { .. }
    );
    2 * u8::from(is_limit) + u8::from(waiting.closes().is_none())
}

fn dormant_of(waiting: &Waiting) -> Dormant {
    let intent = waiting.order.intent();
    let mandate = Mandate {
        order_id: intent.order_id,
        side: intent.side,
        kind: waiting.kind,
        time_in_force: intent.time_in_force,
        post_only: false,
        lots: waiting.lots.unwrap_or(0),
    };
    Dormant::trailed_to(mandate, waiting.trail_ticks)
}

fn awake(waiting: Waiting, dormant: &Dormant) -> Waiting {
    Waiting { kind: dormant.awake().kind, trail_ticks: None, ..waiting }
}
