//! Exits that travel with an entry order: at a price, or so many percent from where the entry filled.

use crate::{OrderKind, Side};

/// Parts per million in a whole.
const PPM: i128 = 1_000_000;

/// Where an exit of a bracket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ExitPrice {
    /// At this price, in ticks.
    Ticks(i64),
    /// So many parts per million from the price at which its entry filled.
    Ppm(i64),
}

impl ExitPrice {
    /// Returns the price, if it is known before the entry fills.
    #[must_use]
    pub const fn ticks(self) -> Option<i64> {
        match self {
            Self::Ticks(ticks) => Some(ticks),
            Self::Ppm(_) => None,
        }
    }

    /// Returns the distance from the fill in parts per million, if that is what it states.
    #[must_use]
    pub const fn ppm(self) -> Option<i64> {
        match self {
            Self::Ticks(_) => None,
            Self::Ppm(ppm) => Some(ppm),
        }
    }
}

/// What an entry paid on average: the sum of price times lots, and the lots, which are above 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidPrice {
    /// Sum of price in ticks times lots.
    pub tick_lots: i128,
    /// How many lots were paid for, above 0.
    pub lots: i64,
}

impl PaidPrice {
    /// The price of a single fill.
    #[must_use]
    pub fn of_one(price_ticks: i64) -> Self {
        Self { tick_lots: i128::from(price_ticks), lots: 1 }
    }
}

/// Exit prices that travel with an entry order and arm themselves when it fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Bracket {
    /// Trigger of the stop-loss, if any.
    pub stop_loss: Option<ExitPrice>,
    /// Limit of the take-profit, if any.
    pub take_profit: Option<ExitPrice>,
}

impl Bracket {
    /// Makes a bracket of prices in ticks.
    #[must_use]
    pub fn at(stop_loss_ticks: Option<i64>, take_profit_ticks: Option<i64>) -> Self {
        let [stop_loss, take_profit] =
            [stop_loss_ticks, take_profit_ticks].map(|ticks| ticks.map(ExitPrice::Ticks));
        Self { stop_loss, take_profit }
    }

    /// Tells whether there is no exit price at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stop_loss.is_none() && self.take_profit.is_none()
    }

    /// Returns the bracket of an entry on this side with prices in ticks, now that it is known what was paid.
    ///
    /// A percentage is rounded to the tick on which no more is lost, or no less is won, than it says. An exit is
    /// at least one tick from what was paid, and at a price of at least one tick.
    #[must_use]
    pub fn from_paid(&self, side: Side, paid: PaidPrice) -> Self {
        Self {
            stop_loss: self.stop_loss.map(|exit| priced(exit, side, paid, -side.sign())),
            take_profit: self.take_profit.map(|exit| priced(exit, side, paid, side.sign())),
        }
    }
}

/// Returns the exit at a price: away from what was paid, upwards (1) or downwards (-1).
fn priced(exit: ExitPrice, side: Side, paid: PaidPrice, away: i64) -> ExitPrice {
    let ExitPrice::Ppm(ppm) = exit else { return exit };
    let rounds_up = side == Side::Buy;
    let lots = i128::from(paid.lots.max(1));
    let factor = PPM + i128::from(away) * i128::from(ppm);
    // What cannot be multiplied out is rounded to whole ticks first.
    let (numerator, divisor) = match paid.tick_lots.checked_mul(factor) {
        Some(numerator) => (numerator, lots * PPM),
        None => ((paid.tick_lots / lots).saturating_mul(factor), PPM),
    };
    let down = numerator.div_euclid(divisor);
    let near = if rounds_up && numerator.rem_euclid(divisor) != 0 { down + 1 } else { down };
    let (floor, rest) = (paid.tick_lots.div_euclid(lots), paid.tick_lots.rem_euclid(lots));
    let at_least_one_away =
        if away > 0 { near.max(floor + 1) } else { near.min(if rest == 0 { floor - 1 } else { floor }) };
    ExitPrice::Ticks(i64::try_from(at_least_one_away.max(1)).unwrap_or(i64::MAX))
}

/// Returns the kinds of order that the exits of a bracket are, those that have a price: take-profit, stop-loss.
#[must_use]
pub fn exit_kinds(bracket: &Bracket) -> [Option<OrderKind>; 2] {
    let ticks = |exit: Option<ExitPrice>| exit.and_then(ExitPrice::ticks);
    [
        ticks(bracket.take_profit).map(|price_ticks| OrderKind::Limit { price_ticks }),
        ticks(bracket.stop_loss).map(|trigger_ticks| OrderKind::Stop { trigger_ticks }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exits(side: Side, paid: PaidPrice, ppm: i64) -> (i64, i64) {
        let bracket =
            Bracket { stop_loss: Some(ExitPrice::Ppm(ppm)), take_profit: Some(ExitPrice::Ppm(ppm)) };
        let found = bracket.from_paid(side, paid);
        (found.stop_loss.unwrap().ticks().unwrap(), found.take_profit.unwrap().ticks().unwrap())
    }

    #[test]
    fn two_percent_of_a_thousand_ticks_are_twenty() {
        assert_eq!(exits(Side::Buy, PaidPrice::of_one(1000), 20_000), (980, 1020));
        assert_eq!(exits(Side::Sell, PaidPrice::of_one(1000), 20_000), (1020, 980));
    }

    #[test]
    fn what_is_between_two_ticks_loses_no_more_and_wins_no_less() {
        // 2% of 1010 are 20.2 ticks: 989.8 and 1030.2.
        assert_eq!(exits(Side::Buy, PaidPrice::of_one(1010), 20_000), (990, 1031));
        assert_eq!(exits(Side::Sell, PaidPrice::of_one(1010), 20_000), (1030, 989));
    }

    #[test]
    fn an_exit_is_at_least_one_tick_away_and_at_least_one_tick_high() {
        assert_eq!(exits(Side::Buy, PaidPrice::of_one(100), 1), (99, 101));
        assert_eq!(exits(Side::Sell, PaidPrice::of_one(100), 1), (101, 99));
        assert_eq!(exits(Side::Buy, PaidPrice::of_one(1), 500_000).0, 1);
    }

    #[test]
    fn an_average_between_two_ticks_is_taken_as_it_is() {
        let paid = PaidPrice { tick_lots: 1000 + 1001, lots: 2 };
        assert_eq!(exits(Side::Buy, paid, 100_000), (901, 1101));
        // Less than a tick away: the next whole tick on either side of 1000.5.
        assert_eq!(exits(Side::Buy, paid, 1), (1000, 1001));
    }

    #[test]
    fn the_largest_numbers_saturate() {
        let paid = PaidPrice { tick_lots: i128::from(i64::MAX) * i128::from(i64::MAX), lots: i64::MAX };
        let (stop, take) = exits(Side::Buy, paid, 900_000);
        assert_eq!(take, i64::MAX);
        assert!(stop < i64::MAX / 9);
    }
}
