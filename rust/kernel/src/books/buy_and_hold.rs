//! What equal money in every instrument has come to, bought at its first price and held.

/// One unit of money put into each instrument.
///
/// **Invariant:** the sum is that of the parts but for the rounding of floats, which stays below 1e-10 of a part
/// over a hundred thousand changes of each of a thousand instruments.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct BuyAndHold {
    /// First price of every instrument, in ticks; `None` while there is none.
    firsts: Vec<Option<i64>>,
    /// What became of each unit: 1 as long as nothing could be bought.
    parts: Vec<f64>,
    sum: f64,
}

impl BuyAndHold {
    /// Makes room for so many instruments; nothing is bought yet.
    pub(crate) fn new(instruments: usize) -> Self {
        let parts = vec![1.0; instruments];
        Self { firsts: vec![None; instruments], sum: parts.iter().sum(), parts }
    }

    /// Buys an instrument at its first price; called once for each.
    #[cold]
    pub(crate) fn buy(&mut self, instrument: usize, price_ticks: i64) {
        if let Some(first) = self.firsts.get_mut(instrument) {
            debug_assert!(first.is_none());
            *first = Some(price_ticks);
        }
    }

    /// Values one instrument at a price, in ticks.
    pub(crate) fn value(&mut self, instrument: usize, price_ticks: Option<i64>) {
        let first = self.firsts.get(instrument).copied().flatten();
        let (Some(first), Some(price), Some(part)) = (first, price_ticks, self.parts.get_mut(instrument))
        else {
            return;
        };
        let now = growth(first, price);
        // With one instrument the sum is the part itself, to the last digit.
        self.sum = if self.firsts.len() == 1 { now } else { self.sum - *part + now };
        *part = now;
    }

    /// Values every instrument, without what has gathered in the sum by rounding.
    pub(crate) fn value_all(&mut self, prices: &[Option<i64>]) {
        for ((part, first), price) in self.parts.iter_mut().zip(&self.firsts).zip(prices) {
            if let (Some(first), Some(price)) = (first, price) {
                *part = growth(*first, *price);
            }
        }
        self.sum = self.parts.iter().sum();
    }

    /// Returns what all units are worth together.
    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    /// Returns the price in ticks at which the sum was `sum`, when there is one instrument; else not a number.
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "floats are for statistics")]
    pub(crate) fn only_price_ticks(&self, sum: f64) -> f64 {
        match self.firsts.as_slice() {
            // The product is off the whole number by the rounding of a float.
            &[Some(first)] => (sum * first as f64).round(),
            _ => f64::NAN,
        }
    }

    /// Returns the number of instruments that have not been bought.
    pub(crate) fn unpriced(&self) -> usize {
        self.firsts.iter().filter(|first| first.is_none()).count()
    }
}

/// Returns what one unit has become; not a number when the first price is not above 0.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "floats are for statistics")]
fn growth(first_ticks: i64, price_ticks: i64) -> f64 {
    if first_ticks > 0 { price_ticks as f64 / first_ticks as f64 } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_no_price_yet_is_cash_and_the_rest_follows_its_price() {
        let mut held = BuyAndHold::new(2);
        assert_eq!((held.sum(), held.unpriced()), (2.0, 2));
        held.buy(1, 50);
        held.value(0, Some(7));
        held.value(1, Some(75));
        assert_eq!((held.sum(), held.unpriced()), (2.5, 1));
    }

    #[test]
    fn the_price_of_one_instrument_is_found_again_and_that_of_several_is_not() {
        let mut held = BuyAndHold::new(1);
        assert!(held.only_price_ticks(held.sum()).is_nan());
        held.buy(0, 7);
        for price in 1..2_000 {
            held.value(0, Some(price));
            assert!((held.only_price_ticks(held.sum()) - growth(1, price)).abs() < f64::EPSILON);
        }
        assert!(BuyAndHold::new(2).only_price_ticks(2.0).is_nan());
    }

    #[test]
    fn a_first_price_of_nothing_or_less_gives_no_number() {
        let mut held = BuyAndHold::new(1);
        held.buy(0, 0);
        held.value(0, Some(7));
        assert!(held.sum().is_nan());
    }

    proptest! {
        #[test]
        fn values_one_by_one_are_the_values_of_all(
            firsts in prop::collection::vec(1..10_000i64, 1..5),
            steps in prop::collection::vec((0..5usize, 1..10_000i64), 0..200),
        ) {
            let mut held = BuyAndHold::new(firsts.len());
            let mut prices: Vec<Option<i64>> = firsts.iter().copied().map(Some).collect();
            for (index, first) in firsts.iter().enumerate() {
                held.buy(index, *first);
            }
            for (index, price) in steps {
                held.value(index, Some(price));
                if let Some(known) = prices.get_mut(index) {
                    *known = Some(price);
                }
            }
            let one_by_one = held.sum();
            held.value_all(&prices);
            prop_assert!((one_by_one - held.sum()).abs() < 1e-8 * held.sum().max(1.0));
        }
    }
}
